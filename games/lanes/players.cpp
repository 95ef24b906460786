#include "games/lanes/players.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "games/lanes/units.hpp"

namespace rival::lanes {
namespace {

constexpr int kNone = Lanes::kNone;
constexpr double kUnit = kLength;

struct Decision {
  int order = Lanes::hold, direction = 0, enemy = 0, ally = 0;
};

struct Place {
  double x = 0, y = 0;
};

// How the three strengths differ.
struct Traits {
  double slips;      // share of ticks in which it does nothing
  double abilities;  // share of ticks in which it thinks of its abilities
  double retreat;    // share of health at which it goes home
  double caution;    // how much stronger than the enemy it wants to be to fight
  bool last_hits;    // waits for the last hit
  bool judges;       // compares strengths before a fight, keeps clear of towers
  int group_after;   // minutes after which the team moves together; -1: never
};

constexpr Traits kTraits[] = {
    {.slips = 0.25,
     .abilities = 0.08,
     .retreat = 0.12,
     .caution = 0,
     .last_hits = false,
     .judges = false,
     .group_after = -1},
    {.slips = 0.08,
     .abilities = 0.35,
     .retreat = 0.28,
     .caution = 0,
     .last_hits = true,
     .judges = false,
     .group_after = -1},
    {.slips = 0, .abilities = 1, .retreat = 0.33, .caution = 1.0, .last_hits = true, .judges = true, .group_after = 4},
};

// One decision of one seat.
class Mind {
 public:
  Mind(const Lanes& game, int seat, const std::uint8_t* orders, const Traits& traits, Random& random)
      : game_(game),
        seat_(seat),
        team_(seat / Lanes::kTeam),
        self_(seat % Lanes::kTeam),
        own_(game.side(team_)),
        other_(game.side(1 - team_)),
        me_(game.hero(seat)),
        orders_(orders),
        traits_(traits),
        random_(random) {}

  Decision decide() {
    if (!orders_[Lanes::move] || random_.uniform() < static_cast<float>(traits_.slips)) return {};
    if (shop()) return decision_;
    look();
    const double share = health_share();
    if (game_.at_base(team_, self_) && share < 0.85 && enemy_heroes_ == 0) return {};
    const bool weak = share < traits_.retreat || (traits_.judges && share < 0.5 && outmatched(1.3));
    if (weak && (traits_.judges || random_.uniform() < 0.9f)) return retreat();
    if (traits_.judges && in_danger_of_tower() && !undefended()) return back_off();
    if (traits_.judges && can_kill()) return fight(prey_);
    if (random_.uniform() < static_cast<float>(traits_.abilities) && help()) return decision_;
    if (prey_ != kNone) {
      const bool willing = traits_.judges ? own_power_ >= traits_.caution * enemy_power_ && !under_tower(prey_)
                                          : random_.uniform() < 0.5f || distance(other_, prey_) < me_.range;
      if (willing) return fight(prey_);
      if (traits_.judges && outmatched(1.4) && distance(other_, prey_) < 7 * kUnit) return back_off();
    }
    if (traits_.judges && game_.time() > 240 && orders_[Lanes::recall] && enemy_heroes_ == 0 && me_.gold > 1100 &&
        near_creeps_ == 0 && !undefended())
      return {Lanes::recall};
    return farm();
  }

 private:
  // ---- what it sees ----

  double distance(const Lanes::Side& of, int unit) const {
    return std::sqrt(static_cast<double>(Lanes::distance2(own_, self_, of, unit)));
  }
  double health_share() const { return static_cast<double>(at(own_.health, self_)) / at(own_.max_health, self_); }
  Place place(const Lanes::Side& of, int unit) const {
    return {static_cast<double>(at(of.x, unit)), static_cast<double>(at(of.y, unit))};
  }
  bool sees(int unit) const { return other_.is_alive(unit) && other_.is_seen(unit); }
  double apart(const Lanes::Side& a, int i, const Lanes::Side& b, int j) const {
    return std::sqrt(static_cast<double>(Lanes::distance2(a, i, b, j)));
  }

  double burst(int team, int h, bool known) const {
    const int seat = team * Lanes::kTeam + h;
    const Lanes::Hero& hero = game_.hero(seat);
    double sum = 0;
    for (int a = 0; a < kAbilities; ++a) {
      const Ability& ability = game_.ability(seat, a);
      const double damage =
          ability.damage + ability.damage_growth * (hero.level - 1) + ability.stun * hero.damage / 3.0;
      sum += damage * (known ? (at(hero.wait, a) <= 2 ? 1.0 + hero.power / 100.0 : 0.15) : 0.65);
    }
    return sum;
  }
  double per_tick(int team, int h) const {
    const Lanes::Hero& hero = game_.side(team).heroes[h];
    return hero.damage * static_cast<double>(kPhase) / std::max(1, hero.interval);
  }

  // Enemies and friends around, and whom to attack.
  void look() {
    double own_health = 0, own_damage = 0, enemy_health = 0, enemy_damage = 0;
    for (int h = 0; h < game_.team_size(); ++h) {
      if (sees(h)) {
        const double away = distance(other_, h);
        if (away < 11 * kUnit) {
          ++enemy_heroes_;
          enemy_health += at(other_.health, h) * (100.0 + game_.armour_of(1 - team_, h)) / 100;
          enemy_damage += per_tick(1 - team_, h) * 10 + burst(1 - team_, h, false);
          // Weak, near and dangerous ones first; all of a team judge alike.
          const double score =
              at(other_.health, h) * (100.0 + game_.armour_of(1 - team_, h)) / 100 / (1 + enemy_damage / 20000) +
              (away > 6.5 * kUnit ? (away - 6.5 * kUnit) * 20 : 0);
          if (score < prey_score_) {
            prey_score_ = score;
            prey_ = h;
          }
        }
      }
      if (own_.is_alive(h) && distance(own_, h) < 10 * kUnit) {
        own_health += at(own_.health, h) * (100.0 + game_.armour_of(team_, h)) / 100 + at(own_.heroes, h).shield;
        own_damage += per_tick(team_, h) * 10 + burst(team_, h, true);
      }
    }
    for (int b = Lanes::kFirstTower; b <= Lanes::kBase; ++b) {
      if (own_.is_alive(b) && distance(own_, b) < 8 * kUnit) own_damage += game_.attack_of(team_, b) * 6.0;
      if (other_.is_alive(b) && distance(other_, b) < 9 * kUnit) enemy_damage += game_.attack_of(1 - team_, b) * 6.0;
    }
    for (int i = 0; i < Lanes::kNearEnemies; ++i)
      if (const int u = at(me_.near_enemies, i); u != kNone && distance(other_, u) < 9 * kUnit) {
        ++near_creeps_;
        enemy_damage += game_.attack_of(1 - team_, u) * 2.0;
      }
    for (int i = 0; i < Lanes::kNearAllies; ++i)
      if (const int u = at(me_.near_allies, i); u != kNone && distance(own_, u) < 9 * kUnit) {
        ++near_own_creeps_;
        own_damage += game_.attack_of(team_, u) * 2.0;
      }
    own_power_ = std::sqrt(own_health * own_damage);
    enemy_power_ = enemy_heroes_ > 0 ? std::sqrt(enemy_health * enemy_damage) : 0;
  }

  bool outmatched(double factor) const { return enemy_heroes_ > 0 && enemy_power_ > factor * own_power_; }

  // Whether a place or unit stands in range of an enemy building.
  int tower_at(Place p, double margin) const {
    for (int b = Lanes::kFirstTower; b <= Lanes::kBase; ++b) {
      if (!other_.is_alive(b)) continue;
      const double reach = game_.range_of(1 - team_, b) + margin;
      const double dx = p.x - at(other_.x, b), dy = p.y - at(other_.y, b);
      if (dx * dx + dy * dy < reach * reach) return b;
    }
    return kNone;
  }
  bool under_tower(int enemy) const {
    const int tower = tower_at(place(other_, enemy), 0);
    return tower != kNone && (escorts(tower) == 0 || enemy_power_ * 1.5 > own_power_);
  }
  // Own creeps in range of an enemy building.
  int escorts(int building) const {
    int count = 0;
    for (int u = Lanes::kFirstCreep; u < Lanes::kUnits; ++u)
      count += own_.is_alive(u) && apart(own_, u, other_, building) < game_.range_of(1 - team_, building);
    return count;
  }
  bool in_danger_of_tower() const {
    const int tower = tower_at(place(own_, self_), kUnit / 2);
    if (tower == kNone) return false;
    const bool shot = at(other_.target, tower) == self_;
    if (shot)
      return !(prey_ != kNone && health_share() > 0.45 && can_finish(prey_)) &&
             !(escorts(tower) > 0 && health_share() > 0.5 && !outmatched(1.2));
    return escorts(tower) == 0 && health_share() < 2;
  }

  // Nobody is there to defend for a while: time to take buildings, even under fire.
  bool undefended() const {
    for (int h = 0; h < game_.team_size(); ++h)
      if (at(other_.heroes, h).respawn < 8) return false;
    return health_share() > 0.45;
  }

  // What the team around could do to an enemy within about two seconds.
  bool can_finish(int enemy) const {
    double damage = 0;
    for (int h = 0; h < game_.team_size(); ++h)
      if (own_.is_alive(h) && apart(own_, h, other_, enemy) < game_.hero(team_ * Lanes::kTeam + h).range + 3 * kUnit)
        damage += per_tick(team_, h) * 4 + burst(team_, h, true) * 0.8;
    return game_.reduced(static_cast<int>(damage), 1 - team_, enemy) > at(other_.health, enemy);
  }
  bool can_kill() const {
    if (prey_ == kNone || distance(other_, prey_) > 8 * kUnit || !can_finish(prey_)) return false;
    const int tower = tower_at(place(other_, prey_), 0);
    return tower == kNone ? !outmatched(1.8) : health_share() > 0.6 && !outmatched(1.3);
  }

  // ---- what it does ----

  int direction_to(double x, double y) const {
    const double dx = (x - at(own_.x, self_)) * (team_ == 0 ? 1 : -1), dy = y - at(own_.y, self_);
    const int eighth = static_cast<int>(std::lround(std::atan2(dy, dx) * 4 / 3.14159265358979));
    return (eighth + 8) % 8;
  }
  Decision go(double x, double y) const { return {.order = Lanes::move, .direction = direction_to(x, y)}; }
  double home_x() const { return at(own_.x, Lanes::kBase); }
  double forward() const { return team_ == 0 ? 1 : -1; }

  bool use(int a, int enemy, int ally, int direction) {
    decision_ = {.order = Lanes::ability1 + a, .direction = direction, .enemy = enemy, .ally = ally};
    return true;
  }
  bool ready(int a) const { return orders_[Lanes::ability1 + a] != 0; }
  const Ability& ability(int a) const { return game_.ability(seat_, a); }

  bool shop() {
    static constexpr int kOrderOfRole[2][8] = {{0, 1, 6, 5, 3, 2, 7, 4},   // who hits
                                               {4, 1, 2, 7, 3, 0, 6, 5}};  // who casts
    int damage = 0;
    for (int a = 0; a < kAbilities; ++a) damage += ability(a).damage + ability(a).heal + ability(a).shield;
    const bool caster = damage > 4 * game_.kind(seat_).attack;
    for (int i = 0; i < game_.rules().items_count; ++i) {
      const int item = i < 8 ? kOrderOfRole[caster][i] : i;
      if (item < game_.rules().items_count && orders_[Lanes::buy + item]) {
        decision_ = {.order = Lanes::buy + item};
        return true;
      }
    }
    return false;
  }

  // Home: by foot while somebody could stop it, then by recall.
  Decision retreat() {
    const double nearest = prey_ == kNone ? 1e9 : distance(other_, prey_);
    if (traits_.judges && prey_ != kNone && nearest < 6 * kUnit && can_finish(prey_) && health_share() > 0.15)
      return fight(prey_);
    if (random_.uniform() < static_cast<float>(traits_.abilities)) {
      if (help()) return decision_;
      for (int a = 0; a < kAbilities && nearest < 7 * kUnit; ++a) {
        if (!ready(a)) continue;
        const Ability& ab = ability(a);
        if (ab.aim == Aim::direction && ab.dash > 0) {
          use(a, 0, 0, direction_to(home_x(), at(own_.y, Lanes::kBase)));
          return decision_;
        }
        if ((ab.stun > 0 || ab.slow > 0) && ab.dash == 0 && ab.pull == 0 && ab.aim == Aim::enemy &&
            nearest < ab.range) {
          use(a, prey_, 0, 0);
          return decision_;
        }
      }
    }
    if (game_.at_base(team_, self_)) return {};
    if (orders_[Lanes::recall] && nearest > 10 * kUnit && near_creeps_ == 0 &&
        tower_at(place(own_, self_), kUnit) == kNone)
      return {Lanes::recall};
    return go(home_x(), at(own_.y, Lanes::kBase));
  }
  // A few steps back along the lane.
  Decision back_off() {
    if (random_.uniform() < static_cast<float>(traits_.abilities) && help()) return decision_;
    return go(home_x(), at(own_.y, Lanes::kBase));
  }

  // Heals and shields where they are needed.
  bool help() {
    const bool fighting = enemy_heroes_ > 0 && prey_ != kNone && distance(other_, prey_) < 7 * kUnit;
    for (int a = 0; a < kAbilities; ++a) {
      if (!ready(a)) continue;
      const Ability& ab = ability(a);
      if (!ab.helps() || ab.harms()) continue;
      const double reach = ab.aim == Aim::ally ? ab.range : std::max(ab.radius, 1);
      const int worth = game_.ability_value(me_, ab.heal, ab.heal_growth);
      int best = kNone;
      double best_share = 2;
      for (int h = 0; h < game_.team_size(); ++h) {
        if (!own_.is_alive(h) || distance(own_, h) > reach) continue;
        const double share = static_cast<double>(at(own_.health, h)) / at(own_.max_health, h);
        const bool needs = ab.heal > 0 ? at(own_.max_health, h) - at(own_.health, h) > worth
                                       : fighting && (game_.time() - at(own_.heroes, h).last_hurt <= 3 || share < 0.5);
        if (needs && share < best_share) {
          best_share = share;
          best = h;
        }
      }
      if (best != kNone) return use(a, 0, best, 0);
    }
    return false;
  }

  // Whether a line or the landing place of a dash in direction d would reach a unit.
  bool reaches(const Ability& ab, int d, int unit) const {
    const double angle = d * 3.14159265358979 / 4, fx = std::cos(angle) * forward(), fy = std::sin(angle);
    const double dx = at(other_.x, unit) - at(own_.x, self_), dy = at(other_.y, unit) - at(own_.y, self_);
    if (ab.dash > 0) return std::hypot(dx - fx * ab.dash, dy - fy * ab.dash) <= ab.radius;
    const double along = dx * fx + dy * fy, across = dx * fy - dy * fx;
    return along >= 0 && along <= ab.range && std::abs(across) <= ab.radius;
  }

  bool attack_ability(int target) {
    for (int a = 0; a < kAbilities; ++a) {
      if (!ready(a)) continue;
      const Ability& ab = ability(a);
      const double away = distance(other_, target);
      if (ab.aim == Aim::enemy && away <= ab.range && !(at(other_.stun, target) > 1 && ab.stun > 0))
        return use(a, target, 0, 0);
      if (ab.aim == Aim::area && ab.harms() && away <= ab.radius) return use(a, 0, self_, 0);
      if (ab.aim == Aim::area && !ab.harms() && ab.haste > 0 && away < 6 * kUnit) return use(a, 0, self_, 0);
      if (ab.aim == Aim::direction) {
        const int d = direction_to(at(other_.x, target), at(other_.y, target));
        if (ab.harms() ? reaches(ab, d, target)
                       : me_.range < 3 * kUnit && away > me_.range && away < me_.range + ab.dash)
          return use(a, 0, 0, d);
      }
    }
    return false;
  }

  Decision fight(int target) {
    if (random_.uniform() < static_cast<float>(traits_.abilities) && (help() || attack_ability(target)))
      return decision_;
    // Ranged heroes step back between attacks from those who must come near.
    const double away = distance(other_, target);
    if (traits_.judges && at(own_.wait, self_) > kPhase && me_.range > 4 * kUnit && away < 4 * kUnit &&
        at(own_.health, self_) < at(other_.health, target))
      return go(2.0 * at(own_.x, self_) - at(other_.x, target), 2.0 * at(own_.y, self_) - at(other_.y, target));
    return {.order = Lanes::attack, .enemy = target};
  }

  // The lane to be in.
  int lane() const {
    if (game_.team_size() <= 2) return 1;
    if (traits_.group_after >= 0 && game_.time() >= traits_.group_after * 120) {
      // Where least stands in the way; defend first where the enemy is near the base.
      int best = 1;
      double best_score = -1e9;
      for (int l = 0; l < kLaneCount; ++l) {
        double score = l == 1 ? 0.5 : 0;
        const int theirs = game_.front_tower(1 - team_, l), ours = game_.front_tower(team_, l);
        score += theirs == kNone ? 6 : (theirs - Lanes::kFirstTower) % 2 == 1 ? 3 : 0;
        if (theirs != kNone)
          score += 1.5 * (1 - static_cast<double>(at(other_.health, theirs)) / at(other_.max_health, theirs));
        (void)ours;
        if (score > best_score) {
          best_score = score;
          best = l;
        }
      }
      return best;
    }
    static constexpr int kLaneOfSlot[] = {0, 1, 2, 0, 2};
    return game_.team_size() == 4 && self_ == 3 ? 1 : kLaneOfSlot[self_];
  }

  Decision farm() {
    // Towers with own creeps under them.
    const int l = lane();
    // A creep that falls by one blow.
    int weakest = kNone, last_hit = kNone;
    double weakest_health = 1e18;
    for (int i = 0; i < Lanes::kNearEnemies; ++i) {
      const int u = at(me_.near_enemies, i);
      if (u == kNone) continue;
      const double away = distance(other_, u);
      if (away > me_.range + 3 * kUnit) continue;
      if (traits_.judges && away > me_.range && tower_at(place(other_, u), -kUnit / 2) != kNone &&
          near_own_creeps_ == 0)
        continue;
      const double health = at(other_.health, u);
      if (game_.reduced(me_.damage, 1 - team_, u) >= health && last_hit == kNone) last_hit = Lanes::kEnemyCreepSlot + i;
      if (health < weakest_health) {
        weakest_health = health;
        weakest = Lanes::kEnemyCreepSlot + i;
      }
    }
    if (last_hit != kNone && traits_.last_hits) return {.order = Lanes::attack, .enemy = last_hit};
    if (random_.uniform() < static_cast<float>(traits_.abilities) * 0.7f && enemy_heroes_ == 0 && clear_wave())
      return decision_;

    for (int slot = Lanes::kTowerSlot; slot <= Lanes::kBaseSlot; ++slot) {
      const int b = game_.enemy_in_slot(seat_, slot);
      if (b == kNone || distance(other_, b) > game_.range_of(1 - team_, b) + 4 * kUnit) continue;
      const bool safe = undefended() || (escorts(b) >= 1 &&
                                         (at(other_.target, b) != self_ || (health_share() > 0.6 && !outmatched(1.2))));
      if (!traits_.judges || (safe && near_creeps_ < 2 + (weakest == kNone)) || (safe && b == Lanes::kBase) ||
          (at(other_.health, b) < 6 * me_.damage && health_share() > 0.4))
        if (!(weakest != kNone && !traits_.judges)) return {.order = Lanes::attack, .enemy = slot};
    }
    if (weakest != kNone) {
      // Leaves alone a creep that a last hit later brings more from.
      const bool wait = traits_.judges && last_hit == kNone && weakest_health < 1.6 * me_.damage &&
                        near_own_creeps_ > 0 && near_creeps_ == 1;
      if (!wait) return {.order = Lanes::attack, .enemy = weakest};
    }
    return stay_in_lane(l);
  }

  bool clear_wave() {
    for (int a = 0; a < kAbilities; ++a) {
      if (!ready(a)) continue;
      const Ability& ab = ability(a);
      if (ab.damage == 0 || (ab.aim == Aim::enemy && (ab.radius == 0 || ab.dash > 0))) continue;
      for (int i = 0; i < Lanes::kNearEnemies; ++i) {
        const int u = at(me_.near_enemies, i);
        if (u == kNone) continue;
        const int d = direction_to(at(other_.x, u), at(other_.y, u));
        if (ab.aim == Aim::enemy && distance(other_, u) > ab.range) continue;
        if (ab.aim == Aim::direction && ab.dash > 0) continue;
        int hits = 0;
        for (int j = 0; j < Lanes::kNearEnemies; ++j) {
          const int v = at(me_.near_enemies, j);
          if (v == kNone) continue;
          hits += ab.aim == Aim::area    ? distance(other_, v) <= ab.radius
                  : ab.aim == Aim::enemy ? apart(other_, u, other_, v) <= ab.radius
                                         : reaches(ab, d, v);
        }
        if (hits >= 2) return use(a, Lanes::kEnemyCreepSlot + i, self_, d);
      }
    }
    return false;
  }

  // Behind the own creeps, or by the own tower until they come.
  Decision stay_in_lane(int l) {
    int front = kNone;
    for (int i = 0; i < Lanes::kLaneCreeps; ++i) {
      const int u = Lanes::kFirstCreep + l * Lanes::kLaneCreeps + i;
      if (own_.is_alive(u) && (front == kNone || (at(own_.x, u) - at(own_.x, front)) * forward() > 0)) front = u;
    }
    int ours = game_.front_tower(team_, l);
    if (ours == kNone) ours = Lanes::kBase;
    Place goal = place(own_, ours);
    goal.x += forward() * 2 * kUnit;
    if (front != kNone) {
      const Place creep = place(own_, front);
      const double behind = traits_.judges ? (me_.range > 4 * kUnit ? 3.0 : 1.5) * kUnit : 0;
      if (!traits_.judges || (creep.x - goal.x) * forward() > 0 || enemy_heroes_ == 0) {
        goal = {creep.x - forward() * behind, creep.y};
      }
    } else if (!traits_.judges) {
      const int theirs = game_.front_tower(1 - team_, l);
      if (random_.uniform() < 0.3f) goal = place(other_, theirs == kNone ? static_cast<int>(Lanes::kBase) : theirs);
    }
    if (traits_.judges && tower_at(goal, 0) != kNone) {
      const int tower = tower_at(goal, 0);
      if (escorts(tower) == 0) goal.x = at(other_.x, tower) - forward() * (game_.range_of(1 - team_, tower) + kUnit);
    }
    if (std::hypot(goal.x - at(own_.x, self_), goal.y - at(own_.y, self_)) < 1.2 * kUnit) return {};
    return go(goal.x, goal.y);
  }

  using Side = Lanes::Side;
  const Lanes& game_;
  int seat_, team_, self_;
  const Side &own_, &other_;
  const Lanes::Hero& me_;
  const std::uint8_t* orders_;
  const Traits& traits_;
  Random& random_;
  Decision decision_;
  int enemy_heroes_ = 0, near_creeps_ = 0, near_own_creeps_ = 0, prey_ = kNone;
  double own_power_ = 0, enemy_power_ = 0, prey_score_ = 1e18;
};

class Script final : public Agent {
 public:
  Script(std::string name, Traits traits) : name_(std::move(name)), traits_(traits) {}
  std::string name() const override { return name_; }

  void act(const Decisions& decisions, Key key, std::int32_t* choices, float*) override {
    const RowLayout& layout = decisions.batch->layout();
    const int parts = layout.choice_count;
    for (int row : decisions.rows) {
      const Lanes* game = decisions.batch->state<Lanes>(row / decisions.batch->rows_per_match());
      check(game != nullptr, "a scripted player was given another game");
      Random random(key.split(static_cast<std::uint64_t>(row)));
      const std::uint8_t* mask = decisions.masks + static_cast<std::ptrdiff_t>(row) * layout.mask_size;
      const Decision decision = Mind(*game, decisions.seats[row], mask, traits_, random).decide();
      const int wanted[] = {decision.order, decision.direction, decision.enemy, decision.ally};
      for (int p = 0; p < parts; ++p) {
        const std::uint8_t* allowed = mask + at(layout.mask_offset, p);
        const int size = at(decisions.batch->spec().action, p).size;
        const int first = static_cast<int>(std::find(allowed, allowed + size, 1) - allowed);
        choices[row * parts + p] = allowed[wanted[p]] ? wanted[p] : first;
      }
    }
  }

 private:
  std::string name_;
  Traits traits_;
};

constexpr const char* kNames[] = {"novice", "adept", "expert"};

}  // namespace

std::unique_ptr<Agent> script(Skill skill) {
  const auto i = static_cast<std::size_t>(skill);
  return std::make_unique<Script>(kNames[i], kTraits[i]);
}

GameEntry game_entry() {
  GameEntry entry = rival::game_entry<Lanes>();
  // The strongest first: it is the one to watch while training.
  entry.baselines = {
      {"expert", "also judges fights, focuses, secures kills, keeps clear of towers, groups and pushes",
       [] { return script(Skill::expert); }},
      {"adept", "takes last hits, uses abilities, retreats and heals", [] { return script(Skill::adept); }},
      {"novice", "marches along its lane and hits what is nearest", [] { return script(Skill::novice); }},
  };
  return entry;
}

}  // namespace rival::lanes
