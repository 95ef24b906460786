#include "games/lanes/lanes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "games/lanes/units.hpp"

namespace rival {

using namespace lanes;

namespace {

constexpr int kAggressionTicks = 3;  // for which towers remember who hurt a hero
constexpr int kParameters = 2;       // before the tunable numbers

}  // namespace

// What the units do in a tick, gathered before any of it happens.
struct Lanes::Tick {
  struct Effect {
    std::int32_t damage = 0, best = 0, heal = 0, shield = 0;
    std::int16_t x = 0, y = 0;  // where it moves of its own will, and where it is pulled
    std::int16_t pull_x = 0, pull_y = 0;
    std::uint8_t credit = kNone;  // the hero that hurt it most
    std::uint8_t hurt_by = 0;     // heroes, a bit each
    std::uint8_t stun = 0, slow = 0, slow_time = 0, haste = 0, haste_time = 0, shield_time = 0;
  };
  std::array<std::array<Effect, kUnits>, 2> effects{};
  std::array<std::uint64_t, 2> fallen{};
  std::array<std::array<std::int8_t, kTowers + 1>, 2> escorted{};  // 0: not known, 1: no, 2: yes

  Effect& of(int team, int unit) { return effects[team][unit]; }
  const Effect& of(int team, int unit) const { return effects[team][unit]; }
};

// ---- the match as data --------------------------------------------------------------------------------------

namespace {

// Rules with these values of the tunable numbers.
std::shared_ptr<const Rules> tuned(const std::vector<float>& parameters) {
  const lanes::Data& data = lanes::data();
  static const auto standard = std::make_shared<const Rules>(data.rules);
  std::shared_ptr<Rules> rules;
  for (std::size_t i = 0; i < data.tunables.size() && kParameters + i < parameters.size(); ++i) {
    const lanes::Tunable& tunable = data.tunables[i];
    const float value = parameters[kParameters + i];
    if (value == tunable.parameter.value) continue;
    if (!rules) rules = std::make_shared<Rules>(data.rules);
    const auto number = static_cast<std::int32_t>(std::lround(static_cast<double>(value) * tunable.scale));
    std::memcpy(reinterpret_cast<char*>(rules.get()) + tunable.offset, &number, sizeof number);
  }
  return rules ? std::shared_ptr<const Rules>(std::move(rules)) : standard;
}

}  // namespace

Spec Lanes::spec() {
  const lanes::Data& data = lanes::data();
  Spec spec{.name = "lanes",
            .description = "Two teams of up to five heroes fight along three lanes for the enemy's base",
            .source = "in the style of a MOBA; heroes and numbers are our own",
            .seats = kSeats,
            .teams = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1}};
  spec.observation = {ObservationPart::vector("self", kSelf),
                      ObservationPart::entities("enemies", kEnemySlots, kFeatures),
                      ObservationPart::entities("allies", kAllySlots, kFeatures),
                      ObservationPart::vector("items", data.rules.items_count),
                      ObservationPart::vector("hero", data.rules.heroes_count)};
  spec.action = {
      ActionPart::discrete("order", buy + data.rules.items_count),
      ActionPart::discrete("direction", kDirections).when(order, {move, ability1, ability2, ability3}),
      ActionPart::target("enemy", 1, kEnemySlots).when(order, {attack, ability1, ability2, ability3}),
      ActionPart::target("ally", 2, kAllySlots).when(order, {ability1, ability2, ability3}),
  };
  spec.parameters = {{"team_size", kTeam, 1, kTeam, "heroes a side", 1},
                     {"minutes", 12, 2, 20, "time limit; the base, then towers, then kills and gold decide", 1}};
  for (const lanes::Tunable& tunable : data.tunables) spec.parameters.push_back(tunable.parameter);
  spec.choices = {{"hero", data.heroes}};
  spec.data = data.hashes;
  spec.simultaneous = true;
  spec.hidden_information = true;
  spec.max_steps = 20 * 60 * lanes::kTicks;
  spec.seconds_per_step = 1.0f / lanes::kTicks;
  return spec;
}

void Lanes::reset(const Settings& settings, Key key) {
  *this = Lanes();
  rules_ = tuned(settings.parameters);
  const auto parameter = [&](std::size_t i, int standard, int low, int high) {
    const int value = i < settings.parameters.size() ? static_cast<int>(std::lround(settings.parameters[i])) : standard;
    return std::clamp(value, low, high);
  };
  team_size_ = static_cast<std::int8_t>(parameter(0, kTeam, 1, kTeam));
  limit_ = static_cast<std::int16_t>(parameter(1, 12, 2, 20) * 60 * lanes::kTicks);

  for (int team : {0, 1}) {
    Side& s = side(team);
    const auto build = [&](int unit, Point p, const lanes::Unit& kind) {
      at(s.x, unit) = static_cast<std::int16_t>(team == 0 ? p.x : rules_->width - p.x);
      at(s.y, unit) = static_cast<std::int16_t>(p.y);
      at(s.health, unit) = at(s.max_health, unit) = kind.health + kind.health_per_hero * (team_size_ - 1);
      s.alive |= bit(unit);
    };
    s.target.fill(kNone);
    for (int lane = 0; lane < lanes::kLaneCount; ++lane)
      for (int tower = 0; tower < lanes::kTowersPerLane && lane_in_play(lane); ++tower)
        build(kFirstTower + lane * lanes::kTowersPerLane + tower, at(at(rules_->lanes, lane).towers, tower),
              rules_->tower);
    build(kBase, rules_->base, rules_->core);

    // Heroes that were picked, then the others, drawn among those that the team has not got yet.
    std::uint64_t taken = 0;
    Random random(key.split(static_cast<std::uint64_t>(team)));
    for (bool picked : {true, false})
      for (int h = 0; h < team_size_; ++h) {
        const std::size_t seat = team * kTeam + h;
        const int pick = seat < settings.picks.size() ? settings.picks[seat] : -1;
        if ((pick >= 0) != picked) continue;
        int kind = std::min(pick, rules_->heroes_count - 1);
        if (!picked) {
          const std::uint64_t free = bits(0, rules_->heroes_count) & ~taken;
          int skip = random.below(std::popcount(free));
          each(free, [&](int k) { kind = skip-- == 0 ? k : kind; });
        }
        taken |= bit(kind);
        Hero& hero = at(s.heroes, h);
        hero.kind = static_cast<std::uint8_t>(kind);
        hero.gold = rules_->start_gold;
        hero.hurt_at.fill(kNever);
        hero.last_hurt = kNever;
        compute_stats(team, h);
        place_at_base(team, h);
      }
  }
  refresh();
}

void Lanes::compute_stats(int team, int h) {
  Side& s = side(team);
  Hero& hero = at(s.heroes, h);
  const lanes::Hero& kind = rules_->heroes[hero.kind];
  const int steps = hero.level - 1;
  int health = kind.health + kind.health_growth * steps, attack_speed = 0;
  hero.damage = kind.attack + kind.attack_growth * steps;
  hero.range = kind.range;
  hero.speed = kind.speed;
  hero.armour = kind.armour + kind.armour_growth * steps / 10;
  hero.regeneration = kind.regeneration + kind.regeneration_growth * steps;
  hero.power = hero.lifesteal = 0;
  each(hero.items, [&](int i) {
    const lanes::Item& item = at(rules_->items, i);
    health += item.health;
    attack_speed += item.attack_speed;
    hero.damage += item.attack;
    hero.speed += item.speed;
    hero.armour += item.armour;
    hero.power += item.power;
    hero.lifesteal += item.lifesteal;
    hero.regeneration += item.regeneration;
  });
  hero.interval = kind.attack_interval * 100 / (100 + attack_speed);
  at(s.health, h) += s.is_alive(h) ? health - at(s.max_health, h) : 0;
  at(s.max_health, h) = health;
}

void Lanes::place_at_base(int team, int h) {
  Side& s = side(team);
  at(s.x, h) = static_cast<std::int16_t>(team == 0 ? rules_->base.x : rules_->width - rules_->base.x);
  at(s.y, h) = static_cast<std::int16_t>(rules_->base.y + (2 * h + 1 - team_size_) * kLength / 2);
  at(s.health, h) = at(s.max_health, h);
  s.alive |= bit(h);
}

bool Lanes::can_act(int team, int h) const {
  const Side& s = side(team);
  return s.is_alive(h) && at(s.stun, h) == 0 && at(s.heroes, h).recall == 0;
}

// Not the dead, the stunned and those who recall: all they can do is wait. If that is everybody, all are asked, since
// somebody has to be.
SeatSet Lanes::playing() const {
  SeatSet seats;
  for (int team : {0, 1})
    for (int h = 0; h < team_size_; ++h) seats = seats.with(team * kTeam + h);
  return seats;
}

SeatSet Lanes::to_act() const {
  SeatSet able;
  for (int team : {0, 1})
    for (int h = 0; h < team_size_; ++h)
      if (can_act(team, h)) able = able.with(team * kTeam + h);
  return able.empty() ? playing() : able;
}

// ---- a tick -------------------------------------------------------------------------------------------------

void Lanes::step(const Actions& actions, Key, Rewards rewards) {
  Tick tick;
  event_count_ = 0;
  for (int team : {0, 1})
    for (int h = 0; h < team_size_; ++h) {
      const int seat = team * kTeam + h;
      if (!can_act(team, h)) continue;
      const int item = actions.choice(seat, order) - buy;
      Hero& hero = at(side(team).heroes, h);
      if (item < 0 || ((hero.items >> item) & 1) || hero.gold < at(rules_->items, item).price || !at_base(team, h))
        continue;
      const int price = at(rules_->items, item).price;
      hero.gold -= price;
      rewards[seat] += static_cast<float>(price) * static_cast<float>(rules_->rewards.spent) / lanes::kReward;
      hero.items = static_cast<std::uint16_t>(hero.items | (1 << item));
      compute_stats(team, h);
      note({Event::purchase, static_cast<std::int8_t>(seat), static_cast<std::int8_t>(item), 0, 0, 0, 0});
    }
  for (int team : {0, 1})
    for (int h = 0; h < team_size_; ++h)
      if (can_act(team, h)) obey(team, h, actions, tick);
  for (int team : {0, 1}) {
    const Side& s = side(team);
    each(s.alive & kCreeps, [&](int unit) { command_creep(team, unit, tick); });
    each(s.alive & kBuildings, [&](int unit) { command_building(team, unit, tick); });
  }
  for (int team : {0, 1}) settle(team, tick, rewards);
  for (int team : {0, 1}) bury(team, tick, rewards);
  for (int team : {0, 1}) advance(team, tick, rewards);
  ++time_;
  for (int team : {0, 1}) count_down(team);
  const int since = time_ - rules_->first_wave;
  if (since >= 0 && since % rules_->wave_interval == 0)
    for (int team : {0, 1}) spawn_wave(team);
  decide();
  refresh();
}

void Lanes::obey(int team, int h, const Actions& actions, Tick& tick) {
  const int seat = team * kTeam + h;
  const Side& s = side(team);
  Hero& hero = at(side(team).heroes, h);
  switch (const int what = actions.choice(seat, order)) {
    case move: {
      const int d = actions.choice(seat, direction), speed = speed_of(team, h);
      tick.of(team, h).x = static_cast<std::int16_t>(at(kDirectionX, d) * speed / 256 * (team == 0 ? 1 : -1));
      tick.of(team, h).y = static_cast<std::int16_t>(at(kDirectionY, d) * speed / 256);
      break;
    }
    case attack: {
      const int target = enemy_in_slot(seat, actions.choice(seat, enemy));
      if (target == kNone) break;
      if (distance2(s, h, side(1 - team), target) > square(hero.range))
        walk(team, h, at(side(1 - team).x, target), at(side(1 - team).y, target), hero.range * 7 / 8, tick);
      else
        strike(team, h, target, tick);
      at(side(team).target, h) = static_cast<std::uint8_t>(target);
      return;
    }
    case ability1:
    case ability2:
    case ability3:
      cast(team, h, what - ability1, actions, tick);
      break;
    case recall:
      if (!at_base(team, h)) hero.recall = static_cast<std::int16_t>(rules_->recall);
      break;
    default:
      break;
  }
  at(side(team).target, h) = kNone;
}

// Towards a point, until `stop` away from it.
void Lanes::walk(int team, int unit, int x, int y, int stop, Tick& tick) const {
  const Side& s = side(team);
  const int dx = x - at(s.x, unit), dy = y - at(s.y, unit), away = length(dx, dy), speed = speed_of(team, unit);
  if (away == 0) return;
  const int pace = std::min(speed, std::max(away - stop, speed / 4));
  tick.of(team, unit).x = static_cast<std::int16_t>(dx * pace / away);
  tick.of(team, unit).y = static_cast<std::int16_t>(dy * pace / away);
}

// An attack on a target in range, if it is time for one.
void Lanes::strike(int team, int unit, int target, Tick& tick) {
  Side& s = side(team);
  const Side& other = side(1 - team);
  if (at(s.wait, unit) > 0) return;
  int interval = is_hero(unit)            ? at(s.heroes, unit).interval
                 : unit == kBase          ? rules_->core.attack_interval
                 : is_building(unit)      ? rules_->tower.attack_interval
                 : (s.ranged >> unit) & 1 ? rules_->ranged.attack_interval
                                          : rules_->melee.attack_interval;
  at(s.wait, unit) = static_cast<std::int16_t>(at(s.wait, unit) + interval);
  note({Event::hit, static_cast<std::int8_t>(team), 0, at(s.x, unit), at(s.y, unit), at(other.x, target),
        at(other.y, target)});
  const int damage = reduced(attack_of(team, unit), 1 - team, target);
  hurt(team, unit, target, damage, tick);
  if (is_hero(unit) && !is_building(target)) tick.of(team, unit).heal += damage * at(s.heroes, unit).lifesteal / 100;
}

void Lanes::hurt(int team, int unit, int victim, int damage, Tick& tick) {
  Tick::Effect& effect = tick.of(1 - team, victim);
  if (is_building(victim) && !escorted(1 - team, victim, tick))
    damage = damage * (victim == kBase ? rules_->core.unescorted : rules_->tower.unescorted) / 100;
  effect.damage += damage;
  if (!is_hero(unit)) return;
  if (damage > effect.best) {
    effect.best = damage;
    effect.credit = static_cast<std::uint8_t>(unit);
  }
  effect.hurt_by = static_cast<std::uint8_t>(effect.hurt_by | (1 << unit));
  if (is_hero(victim)) at(side(team).heroes, unit).aggression = kAggressionTicks;
}

// Whether enemy creeps stand by a building.
bool Lanes::escorted(int team, int building, Tick& tick) const {
  std::int8_t& known = at(at(tick.escorted, team), building - kFirstTower);
  if (known == 0) {
    const Side &s = side(team), &other = side(1 - team);
    const int near = square(range_of(team, building));
    known = 1;
    for (std::uint64_t creeps = other.alive & kCreeps; creeps != 0 && known == 1; creeps &= creeps - 1)
      if (distance2(other, std::countr_zero(creeps), s, building) <= near) known = 2;
  }
  return known == 2;
}

void Lanes::cast(int team, int h, int number, const Actions& actions, Tick& tick) {
  Side& s = side(team);
  const Side& other = side(1 - team);
  Hero& hero = at(s.heroes, h);
  const int seat = team * kTeam + h;
  const Ability& ability = this->ability(seat, number);
  if (at(hero.wait, number) > 0) return;
  Tick::Effect& own = tick.of(team, h);
  int x = at(s.x, h), y = at(s.y, h), target = kNone;
  const int d = actions.choice(seat, direction);
  const int facing_x = at(kDirectionX, d) * (team == 0 ? 1 : -1), facing_y = at(kDirectionY, d);
  if (ability.aim == Aim::enemy || ability.aim == Aim::ally) {
    const bool at_enemy = ability.aim == Aim::enemy;
    const Side& targets = at_enemy ? other : s;
    target = at_enemy ? enemy_in_slot(seat, actions.choice(seat, enemy)) : actions.choice(seat, ally);
    if (target == kNone || (!at_enemy && (target >= kTeam || !s.is_alive(target)))) return;
    const bool near = distance2(s, h, targets, target) <= square(is_building(target) ? hero.range : ability.range);
    if (!near) return walk(team, h, at(targets.x, target), at(targets.y, target), ability.range * 7 / 8, tick);
    if (is_building(target)) return strike(team, h, target, tick);
    if (ability.dash > 0) {
      const int dx = at(targets.x, target) - x, dy = at(targets.y, target) - y, away = length(dx, dy);
      const int leap = std::min(ability.dash, away - kLength);
      if (leap > 0) {
        own.x = static_cast<std::int16_t>(dx * leap / away);
        own.y = static_cast<std::int16_t>(dy * leap / away);
      }
    }
    x = at(targets.x, target);
    y = at(targets.y, target);
  } else if (ability.aim == Aim::direction && ability.dash > 0) {
    own.x = static_cast<std::int16_t>(facing_x * ability.dash / 256);
    own.y = static_cast<std::int16_t>(facing_y * ability.dash / 256);
    x = std::clamp(x + own.x, 0, static_cast<int>(rules_->width));
    y = std::clamp(y + own.y, 0, static_cast<int>(rules_->height));
  }
  at(hero.wait, number) = static_cast<std::int16_t>(ability.cooldown);

  const bool line = ability.aim == Aim::direction && ability.dash == 0;
  if (ability.harms() && ability.aim != Aim::ally) {
    each(other.alive & (kHeroes | kCreeps), [&](int victim) {
      const int dx = at(other.x, victim) - x, dy = at(other.y, victim) - y;
      bool hit = dx * dx + dy * dy <= square(ability.radius);
      if (line) {
        const int along = (dx * facing_x + dy * facing_y) / 256, across = (dx * facing_y - dy * facing_x) / 256;
        hit = along >= 0 && along <= ability.range && std::abs(across) <= ability.radius;
      }
      if (ability.aim == Aim::enemy) hit = victim == target || (ability.radius > 0 && hit);
      if (hit) harm(team, h, ability, victim, tick);
    });
  }
  if (ability.helps()) {
    each(s.alive & kHeroes, [&](int friend_) {
      const int dx = at(s.x, friend_) - x, dy = at(s.y, friend_) - y;
      const bool chosen = ability.aim == Aim::ally ? friend_ == target : friend_ == h;
      if (!chosen && (ability.aim == Aim::enemy || dx * dx + dy * dy > square(ability.radius) || ability.radius == 0))
        return;
      Tick::Effect& effect = tick.of(team, friend_);
      effect.heal += ability_value(hero, ability.heal, ability.heal_growth);
      effect.shield = std::max(effect.shield, ability_value(hero, ability.shield, ability.shield_growth));
      if (ability.shield > 0)
        effect.shield_time = std::max(effect.shield_time, static_cast<std::uint8_t>(ability.duration));
      if (ability.haste > effect.haste) {
        effect.haste = static_cast<std::uint8_t>(ability.haste);
        effect.haste_time = static_cast<std::uint8_t>(ability.duration);
      }
    });
  }
  if (line) {
    x += facing_x * ability.range / 512;
    y += facing_y * ability.range / 512;
  }
  note({Event::cast, static_cast<std::int8_t>(seat), static_cast<std::int8_t>(number), static_cast<std::int16_t>(x),
        static_cast<std::int16_t>(y), static_cast<std::int16_t>(line ? ability.range / 2 : ability.radius), 0});
}

void Lanes::harm(int team, int h, const Ability& ability, int victim, Tick& tick) {
  const Side &s = side(team), &other = side(1 - team);
  const int damage = ability_value(at(s.heroes, h), ability.damage, ability.damage_growth);
  hurt(team, h, victim, reduced(damage, 1 - team, victim), tick);
  Tick::Effect& effect = tick.of(1 - team, victim);
  effect.stun = std::max(effect.stun, static_cast<std::uint8_t>(ability.stun));
  if (ability.slow > effect.slow) {
    effect.slow = static_cast<std::uint8_t>(ability.slow);
    effect.slow_time = static_cast<std::uint8_t>(ability.duration);
  }
  if (ability.pull > 0) {
    const int dx = at(s.x, h) - at(other.x, victim), dy = at(s.y, h) - at(other.y, victim), away = length(dx, dy);
    const int way = std::min(ability.pull, away - kLength);
    if (way > 0) {
      effect.pull_x = static_cast<std::int16_t>(dx * way / away);
      effect.pull_y = static_cast<std::int16_t>(dy * way / away);
    }
  }
}

void Lanes::command_creep(int team, int unit, Tick& tick) {
  Side& s = side(team);
  const Side& other = side(1 - team);
  if (at(s.stun, unit) > 0) return;
  const int lane = lane_of(unit), reach = square(rules_->aggression), range = square(range_of(team, unit));
  int target = at(s.target, unit);
  // Creeps and towers are fought to the end; a hero only while nothing else is near.
  if (target != kNone &&
      (is_hero(target) || !other.is_alive(target) || distance2(s, unit, other, target) > std::max(reach, range)))
    target = kNone;
  if (target == kNone) {
    int nearest = std::max(reach, range);
    const auto look = [&](int candidate) {
      const int away = distance2(s, unit, other, candidate);
      if (away > nearest || (away == nearest && target != kNone)) return;
      nearest = away;
      target = candidate;
    };
    each(other.alive & lane_creeps(lane), look);
    if (const int tower = front_tower(1 - team, lane); tower != kNone)
      look(tower);
    else
      look(kBase);
    if (target == kNone) each(other.alive & kHeroes, look);
    at(s.target, unit) = static_cast<std::uint8_t>(target);
  }
  if (target != kNone) {
    if (distance2(s, unit, other, target) <= range)
      strike(team, unit, target, tick);
    else
      walk(team, unit, at(other.x, target), at(other.y, target), 0, tick);
    return;
  }
  const lanes::Lane& path = at(rules_->lanes, lane);
  std::uint8_t& next = at(s.waypoint, unit);
  const auto point = [&] { return at(path.path, team == 0 ? next : path.points - 1 - next); };
  if (next + 1 < path.points && length(point().x - at(s.x, unit), point().y - at(s.y, unit)) < 2 * kLength) ++next;
  walk(team, unit, point().x, point().y, 0, tick);
}

void Lanes::command_building(int team, int unit, Tick& tick) {
  Side& s = side(team);
  const Side& other = side(1 - team);
  if (at(s.wait, unit) > 0) return;
  const int range = square(range_of(team, unit));
  const auto in_range = [&](int target) {
    return target != kNone && other.is_alive(target) && distance2(s, unit, other, target) <= range;
  };
  int target = kNone, nearest = range + 1;
  const auto look = [&](int candidate) {
    const int away = distance2(s, unit, other, candidate);
    if (away >= nearest) return;
    nearest = away;
    target = candidate;
  };
  // Heroes who hurt heroes, then whom it has shot before, creeps, heroes.
  each(other.alive & kHeroes, [&](int h) {
    if (at(other.heroes, h).aggression > 0) look(h);
  });
  if (target == kNone && in_range(at(s.target, unit))) target = at(s.target, unit);
  if (target == kNone) each(other.alive & kCreeps, look);
  if (target == kNone) each(other.alive & kHeroes, look);
  at(s.target, unit) = static_cast<std::uint8_t>(target);
  if (target != kNone) strike(team, unit, target, tick);
}

// Harm and help arrive.
void Lanes::settle(int team, Tick& tick, Rewards rewards) {
  Side& s = side(team);
  const float kScale = 1.0f / lanes::kReward;
  each(s.alive, [&](int unit) {
    Tick::Effect& effect = tick.of(team, unit);
    std::int32_t& health = at(s.health, unit);
    if (is_hero(unit)) {
      Hero& hero = at(s.heroes, unit);
      if (effect.shield > 0) {
        hero.shield = std::max(hero.shield, effect.shield);
        hero.shield_time = std::max(hero.shield_time, effect.shield_time);
      }
      if (effect.haste > 0) {
        hero.haste = effect.haste;
        hero.haste_time = effect.haste_time;
      }
      if (effect.damage > 0 || effect.stun > 0) hero.recall = 0;
      if (effect.damage > 0) hero.last_hurt = time_;
      each(effect.hurt_by, [&](int by) { at(hero.hurt_at, by) = time_; });
      const int absorbed = std::min(hero.shield, effect.damage);
      hero.shield -= absorbed;
      const int before = health;
      health = std::min(health - (effect.damage - absorbed), health);
      if (health > 0) health = std::min(health + effect.heal, at(s.max_health, unit));
      rewards[team * kTeam + unit] += kScale * static_cast<float>(rules_->rewards.health) *
                                      static_cast<float>(std::max(health, 0) - before) /
                                      static_cast<float>(at(s.max_health, unit));
    } else {
      const int before = health;
      health -= effect.damage;
      if (is_building(unit) && effect.damage > 0) {
        const float share = static_cast<float>(before - std::max(health, 0)) /
                            static_cast<float>(at(s.max_health, unit)) *
                            (kScale * static_cast<float>(unit == kBase ? rules_->rewards.base : rules_->rewards.tower));
        for (int h = 0; h < team_size_; ++h) {
          rewards[team * kTeam + h] -= share;
          rewards[(1 - team) * kTeam + h] += share;
        }
      }
    }
    if (effect.stun > 0) at(s.stun, unit) = std::max(at(s.stun, unit), static_cast<std::uint8_t>(effect.stun + 1));
    if (effect.slow > 0) {
      at(s.slow, unit) = effect.slow;
      at(s.slow_time, unit) = static_cast<std::uint8_t>(effect.slow_time + 1);
    }
    if (health <= 0) at(tick.fallen, team) |= bit(unit);
  });
  s.alive &= ~at(tick.fallen, team);
}

void Lanes::earn(int seat, int gold, Rewards rewards) {
  Hero& hero = at(side(seat / kTeam).heroes, seat % kTeam);
  hero.gold += gold;
  hero.earned += gold;
  rewards[seat] += static_cast<float>(gold) * static_cast<float>(rules_->rewards.gold) / lanes::kReward;
}

// Experience for `heroes` of a team: shared by those alive and near.
void Lanes::learn(int team, std::uint64_t heroes, int x, int y, int experience, Rewards rewards) {
  Side& s = side(team);
  std::uint64_t near = 0;
  each(heroes & s.alive & kHeroes, [&](int h) {
    if (square(at(s.x, h) - x) + square(at(s.y, h) - y) <= square(rules_->experience_radius)) near |= bit(h);
  });
  if (near == 0) return;
  const int share = experience / std::popcount(near);
  each(near, [&](int h) {
    at(s.heroes, h).experience += share;
    rewards[team * kTeam + h] +=
        static_cast<float>(share) * static_cast<float>(rules_->rewards.experience) / lanes::kReward;
  });
}

// What the fall of a team's units brings to the other.
void Lanes::bury(int team, Tick& tick, Rewards rewards) {
  Side &s = side(team), &other = side(1 - team);
  const int enemies = 1 - team;
  each(at(tick.fallen, team), [&](int unit) {
    const Tick::Effect& effect = tick.of(team, unit);
    const int x = at(s.x, unit), y = at(s.y, unit);
    if (is_creep(unit)) {
      const lanes::Unit& kind = (s.ranged >> unit) & 1 ? rules_->ranged : rules_->melee;
      if (effect.credit != kNone) {
        const int seat = enemies * kTeam + effect.credit;
        earn(seat, kind.gold, rewards);
        ++at(other.heroes, effect.credit).last_hits;
        rewards[seat] += static_cast<float>(rules_->rewards.last_hit) / lanes::kReward;
      }
      return learn(enemies, kHeroes, x, y, kind.experience, rewards);
    }
    if (is_building(unit)) {
      const lanes::Unit& kind = unit == kBase ? rules_->core : rules_->tower;
      for (int h = 0; h < team_size_; ++h) {
        earn(enemies * kTeam + h, kind.gold, rewards);
        at(other.heroes, h).experience += kind.experience;
      }
      note({Event::building, static_cast<std::int8_t>(team * (kTowers + 1) + unit - kFirstTower), 0, 0, 0, 0, 0});
      return;
    }
    Hero& victim = at(s.heroes, unit);
    victim.respawn = static_cast<std::int16_t>(rules_->respawn + rules_->respawn_per_level * (victim.level - 1));
    victim.recall = 0;
    victim.shield = 0;
    ++victim.deaths;
    ++other.kills;
    rewards[team * kTeam + unit] += static_cast<float>(rules_->rewards.death) / lanes::kReward;
    int killer = effect.credit;
    for (int h = 0; h < team_size_ && effect.credit == kNone; ++h)
      if (time_ - at(victim.hurt_at, h) <= rules_->assist_time &&
          (killer == kNone || at(victim.hurt_at, h) > at(victim.hurt_at, killer)))
        killer = h;
    note({Event::kill, static_cast<std::int8_t>(killer == kNone ? -1 : enemies * kTeam + killer),
          static_cast<std::int8_t>(team * kTeam + unit), 0, 0, 0, 0});
    learn(enemies, kHeroes, x, y, rules_->kill_experience + rules_->kill_experience_per_level * (victim.level - 1),
          rewards);
    if (killer != kNone) {
      earn(enemies * kTeam + killer, rules_->kill_gold, rewards);
      ++at(other.heroes, killer).kills;
      rewards[enemies * kTeam + killer] += static_cast<float>(rules_->rewards.kill) / lanes::kReward;
      int helpers = 0;
      for (int pay : {0, 1})
        for (int h = 0; h < team_size_; ++h) {
          if (h == killer || time_ - at(victim.hurt_at, h) > rules_->assist_time) continue;
          if (pay == 0) {
            ++helpers;
            continue;
          }
          earn(enemies * kTeam + h, rules_->assist_gold / helpers, rewards);
          ++at(other.heroes, h).assists;
          rewards[enemies * kTeam + h] += static_cast<float>(rules_->rewards.assist) / lanes::kReward;
        }
    }
    victim.hurt_at.fill(kNever);
  });
}

// Units move, heal and grow.
void Lanes::advance(int team, const Tick& tick, Rewards rewards) {
  Side& s = side(team);
  each(s.alive & (kHeroes | kCreeps), [&](int unit) {
    const Tick::Effect& effect = tick.of(team, unit);
    at(s.x, unit) = static_cast<std::int16_t>(
        std::clamp(at(s.x, unit) + effect.x + effect.pull_x, 0, static_cast<int>(rules_->width)));
    at(s.y, unit) = static_cast<std::int16_t>(
        std::clamp(at(s.y, unit) + effect.y + effect.pull_y, 0, static_cast<int>(rules_->height)));
  });
  const int passive = (time_ + 1) * rules_->gold_per_minute / kMinute - time_ * rules_->gold_per_minute / kMinute;
  for (int h = 0; h < team_size_; ++h) {
    Hero& hero = at(s.heroes, h);
    hero.gold += passive;
    while (hero.level < rules_->max_level && hero.experience >= at(rules_->levels, hero.level - 1)) {
      ++hero.level;
      compute_stats(team, h);
    }
    if (!s.is_alive(h)) continue;
    const bool rests = at_base(team, h) && time_ - hero.last_hurt > 2 * lanes::kTicks;
    const int most = at(s.max_health, h), before = at(s.health, h);
    const int rate = hero.regeneration + (rests ? most * rules_->fountain_percent / (100 * lanes::kTicks) : 0);
    at(s.health, h) = std::min(before + rate, most);
    rewards[team * kTeam + h] += static_cast<float>(rules_->rewards.health) / lanes::kReward *
                                 static_cast<float>(at(s.health, h) - before) / static_cast<float>(most);
  }
}

void Lanes::count_down(int team) {
  Side& s = side(team);
  each(s.alive, [&](int unit) {
    if (at(s.wait, unit) > 0) at(s.wait, unit) = static_cast<std::int16_t>(at(s.wait, unit) - lanes::kPhase);
    if (at(s.stun, unit) > 0) --at(s.stun, unit);
    if (at(s.slow_time, unit) > 0 && --at(s.slow_time, unit) == 0) at(s.slow, unit) = 0;
  });
  for (int h = 0; h < team_size_; ++h) {
    Hero& hero = at(s.heroes, h);
    for (std::int16_t& wait : hero.wait) wait = static_cast<std::int16_t>(wait - (wait > 0));
    if (hero.haste_time > 0 && --hero.haste_time == 0) hero.haste = 0;
    if (hero.shield_time > 0 && --hero.shield_time == 0) hero.shield = 0;
    if (hero.aggression > 0) --hero.aggression;
    if (hero.recall > 0 && --hero.recall == 0) {
      const std::int32_t health = at(s.health, h);
      place_at_base(team, h);
      at(s.health, h) = health;
    }
    if (hero.respawn > 0 && --hero.respawn == 0) {
      at(s.stun, h) = at(s.slow, h) = at(s.slow_time, h) = 0;
      at(s.wait, h) = 0;
      hero.haste = hero.haste_time = hero.aggression = 0;
      place_at_base(team, h);
    }
  }
}

void Lanes::spawn_wave(int team) {
  Side& s = side(team);
  const int growth = 100 + rules_->creep_growth * (time_ / kMinute);
  for (int lane = 0; lane < lanes::kLaneCount; ++lane) {
    if (!lane_in_play(lane)) continue;
    const int melee = rules_->melee.count + time_ / rules_->reinforcement, count = melee + rules_->ranged.count;
    std::uint64_t free = lane_creeps(lane) & ~s.alive;
    for (int i = 0; i < count && free != 0; ++i, free &= free - 1) {
      const int unit = std::countr_zero(free);
      const bool ranged = i >= melee;
      const Point home = at(rules_->lanes, lane).path[0];
      const int x = home.x + (ranged ? -kLength : kLength / 2);
      at(s.x, unit) = static_cast<std::int16_t>(team == 0 ? x : rules_->width - x);
      at(s.y, unit) = static_cast<std::int16_t>(home.y + (2 * i + 1 - count) * kLength / 2);
      at(s.health, unit) = at(s.max_health, unit) = (ranged ? rules_->ranged : rules_->melee).health * growth / 100;
      at(s.target, unit) = kNone;
      at(s.waypoint, unit) = 1;
      at(s.wait, unit) = 0;
      at(s.stun, unit) = at(s.slow, unit) = at(s.slow_time, unit) = 0;
      s.alive |= bit(unit);
      s.ranged = ranged ? s.ranged | bit(unit) : s.ranged & ~bit(unit);
    }
  }
}

void Lanes::decide() {
  const bool west = side(0).is_alive(kBase), east = side(1).is_alive(kBase);
  const auto better = [](auto a, auto b) { return static_cast<std::int8_t>((a > b) - (a < b)); };
  if (west && east) {
    if (time_ < limit_) return;
    const auto towers = [&](int team) { return std::popcount(side(team).alive & kBuildings); };
    const auto wealth = [&](int team) {
      int sum = side(team).kills * rules_->kill_gold;
      for (const Hero& hero : side(team).heroes) sum += hero.earned;
      return sum;
    };
    winner_ = better(at(side(0).health, kBase), at(side(1).health, kBase));
    if (winner_ == 0) winner_ = better(towers(0), towers(1));
    if (winner_ == 0) winner_ = better(wealth(0), wealth(1));
  } else {
    winner_ = better(west, east);
  }
  status_ = Status::finished;
}

}  // namespace rival
