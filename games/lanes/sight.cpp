// What a team sees, and what its seats observe and may do.
#include <array>
#include <bit>
#include <cstring>

#include "games/lanes/units.hpp"

namespace rival {

using namespace lanes;

namespace {

constexpr int kSight = 14 * kLength;    // how far away creeps are listed
constexpr int kApproach = 4 * kLength;  // how far a hero walks to use an ability

struct Self {  // where things are in the observation part `self`
  enum Index {
    kHealthShare,
    kHealth,
    kLevel,
    kExperience,
    kGold,
    kAttack,
    kRange,
    kSpeed,
    kArmour,
    kPower,
    kAttackReady,
    kWait,
    kReady = kWait + lanes::kAbilities,
    kX = kReady + lanes::kAbilities,
    kY,
    kSlowed,
    kHasted,
    kShield,
    kHurt,
    kUnderTower,
    kTowerTarget,
    kAtBase,
    kTime,
    kWave,
    kSize,
    kOwnTowers,
    kEnemyTowers = kOwnTowers + lanes::kLaneCount,
    kOwnBase = kEnemyTowers + lanes::kLaneCount,
    kEnemyBase,
    kOwnFront,
    kEnemyFront = kOwnFront + lanes::kLaneCount,
    kScore = kEnemyFront + lanes::kLaneCount,
    kAllies,
    kEnemies,
    kCanBuy,
    kDamage,
    kSlot = kDamage + lanes::kAbilities,
    kSelfEnd = kSlot + lanes::kTeam
  };
};
static_assert(Self::kSelfEnd == Lanes::kSelf);

}  // namespace

// ---- sight --------------------------------------------------------------------------------------------------

void Lanes::refresh() {
  for (int team : {0, 1}) refresh_sight(team);
  for (int team : {0, 1}) refresh_near(team);
}

// Which units of the team the other one sees. Buildings are known to all.
void Lanes::refresh_sight(int team) {
  Side& s = side(team);
  const Side& other = side(1 - team);
  struct Eye {
    int x, y, sight;
  };
  std::array<Eye, kUnits> eyes;
  int count = 0;
  const auto add = [&](int sight) {
    return [&, sight](int unit) { eyes[count++] = {at(other.x, unit), at(other.y, unit), sight}; };
  };
  each(other.alive & kHeroes, add(rules_->hero_sight));
  each(other.alive & kCreeps & ~other.ranged, add(rules_->melee.sight));
  each(other.alive & kCreeps & other.ranged, add(rules_->ranged.sight));
  each(other.alive & bits(kFirstTower, kTowers), add(rules_->tower.sight));
  each(other.alive & bit(kBase), add(rules_->core.sight));
  // Most of what is hidden lies beyond all eyes.
  int west = rules_->width, east = 0;
  for (int i = 0; i < count; ++i) {
    west = std::min(west, at(eyes, i).x - at(eyes, i).sight);
    east = std::max(east, at(eyes, i).x + at(eyes, i).sight);
  }
  s.seen = kBuildings;
  each(s.alive & (kHeroes | kCreeps), [&](int unit) {
    const int x = at(s.x, unit), y = at(s.y, unit);
    if (x < west || x > east) return;
    for (int i = 0; i < count; ++i)
      if (square(at(eyes, i).x - x) + square(at(eyes, i).y - y) <= square(at(eyes, i).sight)) {
        s.seen |= bit(unit);
        return;
      }
  });
  s.front.fill(0);
  s.seen_front.fill(0);
  each(s.alive & kCreeps, [&](int unit) {
    const int lane = lane_of(unit);
    const auto way = static_cast<std::int16_t>(team == 0 ? at(s.x, unit) : rules_->width - at(s.x, unit));
    at(s.front, lane) = std::max(at(s.front, lane), way);
    if (s.is_seen(unit)) at(s.seen_front, lane) = std::max(at(s.seen_front, lane), way);
  });
}

void Lanes::refresh_near(int team) {
  Side& s = side(team);
  const Side& other = side(1 - team);
  // The nearest of `units`, by distance, then number.
  const auto nearest = [&](int h, const Side& of, std::uint64_t units, auto& out) {
    std::array<std::int32_t, std::tuple_size_v<std::remove_reference_t<decltype(out)>>> keys;
    const int most = static_cast<int>(keys.size());
    int count = 0;
    each(units, [&](int unit) {
      const int away = distance2(s, h, of, unit);
      if (away > square(kSight)) return;
      const std::int32_t key = (away << 6) | unit;
      if (count == most && key >= at(keys, count - 1)) return;
      int place = count < most ? count++ : most - 1;
      for (; place > 0 && at(keys, place - 1) > key; --place) at(keys, place) = at(keys, place - 1);
      at(keys, place) = key;
    });
    for (int i = 0; i < most; ++i) at(out, i) = static_cast<std::uint8_t>(i < count ? at(keys, i) & 63 : kNone);
  };
  for (int h = 0; h < team_size_; ++h) {
    Hero& hero = at(s.heroes, h);
    const bool alive = s.is_alive(h);
    nearest(h, other, alive ? other.alive & other.seen & kCreeps : 0, hero.near_enemies);
    nearest(h, s, alive ? s.alive & kCreeps : 0, hero.near_allies);
  }
}

void Lanes::resample_hidden(int seat, Key key) {
  Random random(key);
  const int team = seat / kTeam, enemies = 1 - team;
  Side& s = side(enemies);
  each(s.alive & ~s.seen, [&](int unit) {
    const std::int16_t x = at(s.x, unit), y = at(s.y, unit);
    for (int tries = 0; tries < 16; ++tries) {
      at(s.x, unit) = static_cast<std::int16_t>(random.below(rules_->width + 1));
      at(s.y, unit) = static_cast<std::int16_t>(random.below(rules_->height + 1));
      refresh_sight(enemies);
      if (!s.is_seen(unit)) break;
      at(s.x, unit) = x;
      at(s.y, unit) = y;
    }
    at(s.health, unit) = 1 + random.below(at(s.max_health, unit));
  });
  for (int h = 0; h < team_size_; ++h) {
    if (s.is_alive(h) && s.is_seen(h)) continue;
    Hero& hero = at(s.heroes, h);
    hero.gold = random.below(2000);
    for (int a = 0; a < lanes::kAbilities; ++a)
      at(hero.wait, a) = static_cast<std::int16_t>(random.below(ability(enemies * kTeam + h, a).cooldown + 1));
  }
  refresh();
}

// ---- what seats see and may do ------------------------------------------------------------------------------

void Lanes::write_entity(float* f, int seat, int team, int unit) const {
  constexpr float kScale = 1.0f / (16 * kLength);
  const int own_team = seat / kTeam, self = seat % kTeam;
  const Side &own = side(own_team), &s = side(team);
  const Hero& me = at(own.heroes, self);
  const int dx = (at(s.x, unit) - at(own.x, self)) * (own_team == 0 ? 1 : -1), dy = at(s.y, unit) - at(own.y, self);
  const int away = dx * dx + dy * dy, range = range_of(team, unit);
  const int health = at(s.health, unit);
  f[0] = 1;
  f[is_hero(unit) ? 1 : is_creep(unit) ? 2 : unit == kBase ? 4 : 3] = 1;
  f[5] = static_cast<float>(dx) * kScale;
  f[6] = static_cast<float>(dy) * kScale;
  f[7] = static_cast<float>(length(dx, dy)) * kScale;
  f[8] = static_cast<float>(health) / static_cast<float>(at(s.max_health, unit));
  f[9] = static_cast<float>(health) * (1.0f / (1000 * lanes::kHealth));
  f[10] = away <= square(me.range) ? 1.0f : 0.0f;
  if (team != own_team) {
    const int blow = reduced(me.damage, team, unit);
    f[11] = blow >= health ? 1.0f : static_cast<float>(blow) / static_cast<float>(health);
    f[12] = blow >= health ? 1.0f : 0.0f;
    f[15] = away <= square(range) ? 1.0f : 0.0f;
    f[16] = at(s.target, unit) == self ? 1.0f : 0.0f;
  }
  f[14] = at(s.stun, unit) > 0 ? 1.0f : at(s.slow_time, unit) > 0 ? 0.5f : 0.0f;
  f[17] = static_cast<float>(attack_of(team, unit)) * (1.0f / (100 * lanes::kHealth));
  f[18] = static_cast<float>(range) * (1.0f / (8 * kLength));
  if (is_hero(unit)) {
    const Hero& hero = at(s.heroes, unit);
    f[13] = static_cast<float>(hero.level) * 0.1f;
    float stun = 0;
    for (const Ability& ability : rules_->heroes[hero.kind].abilities) stun += static_cast<float>(ability.stun) * 0.25f;
    f[19] = stun;
  } else if (is_building(unit)) {
    f[19] = unit != kBase || base_open(team) ? 1.0f : 0.0f;
  }
}

void Lanes::observe(int seat, Observation out) const {
  const int team = seat / kTeam, h = seat % kTeam, enemies = 1 - team;
  if (h >= team_size_) return;
  const Side &s = side(team), &other = side(enemies);
  const Hero& me = at(s.heroes, h);
  const bool alive = s.is_alive(h);
  float* self = out.part(0);
  const auto share = [](int a, int b) { return static_cast<float>(a) / static_cast<float>(b); };
  constexpr float kPoints = 1.0f / lanes::kHealth;
  self[Self::kLevel] = static_cast<float>(me.level) * 0.1f;
  if (me.level < rules_->max_level) {
    const int from = me.level == 1 ? 0 : at(rules_->levels, me.level - 2);
    self[Self::kExperience] = share(me.experience - from, at(rules_->levels, me.level - 1) - from);
  }
  self[Self::kGold] = static_cast<float>(std::min(me.gold, 5000)) * 0.001f;
  self[Self::kTime] = share(time_, limit_);
  const int since = time_ - rules_->first_wave;
  self[Self::kWave] = since < 0 ? 0 : share(since % rules_->wave_interval, rules_->wave_interval);
  self[Self::kSize] = static_cast<float>(team_size_) * 0.2f;
  for (int lane = 0; lane < lanes::kLaneCount; ++lane) {
    if (!lane_in_play(lane)) continue;
    const std::uint64_t towers = bits(kFirstTower + lane * lanes::kTowersPerLane, lanes::kTowersPerLane);
    self[Self::kOwnTowers + lane] = static_cast<float>(std::popcount(s.alive & towers)) * 0.5f;
    self[Self::kEnemyTowers + lane] = static_cast<float>(std::popcount(other.alive & towers)) * 0.5f;
    self[Self::kOwnFront + lane] = share(at(s.front, lane), rules_->width);
    self[Self::kEnemyFront + lane] = share(rules_->width - at(other.seen_front, lane), rules_->width);
  }
  self[Self::kOwnBase] = share(at(s.health, kBase), at(s.max_health, kBase));
  self[Self::kEnemyBase] = share(at(other.health, kBase), at(other.max_health, kBase));
  self[Self::kScore] = static_cast<float>(std::clamp(s.kills - other.kills, -20, 20)) * 0.1f;
  self[Self::kAllies] = static_cast<float>(std::popcount(s.alive & kHeroes)) * 0.2f;
  self[Self::kEnemies] = static_cast<float>(std::popcount(other.alive & kHeroes)) * 0.2f;
  self[Self::kSlot + h] = 1;
  each(me.items, [&](int i) { out.part(3)[i] = 1; });
  out.part(4)[me.kind] = 1;
  self[Self::kAttack] = static_cast<float>(me.damage) * (kPoints * 0.01f);
  self[Self::kRange] = static_cast<float>(me.range) * (1.0f / (8 * kLength));
  self[Self::kSpeed] = static_cast<float>(speed_of(team, h)) * (1.0f / (2 * kLength));
  self[Self::kArmour] = static_cast<float>(me.armour) * 0.02f;
  self[Self::kPower] = static_cast<float>(me.power) * 0.01f;
  for (int a = 0; a < lanes::kAbilities; ++a) {
    const Ability& ability = this->ability(seat, a);
    self[Self::kWait + a] = share(at(me.wait, a), ability.cooldown);
    self[Self::kReady + a] = at(me.wait, a) == 0 ? 1.0f : 0.0f;
    self[Self::kDamage + a] =
        static_cast<float>(ability_value(me, ability.damage, ability.damage_growth)) * (kPoints * 0.005f);
  }
  if (!alive) {  // below zero: how long until it comes back
    self[Self::kHealthShare] = static_cast<float>(me.respawn) * -0.02f;
    return;
  }

  self[Self::kHealthShare] = share(at(s.health, h), at(s.max_health, h));
  self[Self::kHealth] = static_cast<float>(at(s.health, h)) * (kPoints * 0.001f);
  self[Self::kAttackReady] = at(s.wait, h) <= 0 ? 1.0f : 0.0f;
  self[Self::kX] = share(team == 0 ? at(s.x, h) : rules_->width - at(s.x, h), rules_->width);
  self[Self::kY] = share(at(s.y, h), rules_->height);
  self[Self::kSlowed] = static_cast<float>(at(s.slow, h)) * 0.01f;
  self[Self::kHasted] = static_cast<float>(me.haste) * 0.01f;
  self[Self::kShield] = static_cast<float>(me.shield) * (kPoints * 0.005f);
  self[Self::kHurt] = time_ - me.last_hurt <= 4 ? 1.0f : 0.0f;
  each(other.alive & kBuildings, [&](int b) {
    if (distance2(s, h, other, b) <= square(range_of(enemies, b))) self[Self::kUnderTower] = 1;
    if (at(other.target, b) == h) self[Self::kTowerTarget] = 1;
  });
  self[Self::kAtBase] = at_base(team, h) ? 1.0f : 0.0f;
  for (int i = 0; i < rules_->items_count; ++i)
    if (!((me.items >> i) & 1) && me.gold >= at(rules_->items, i).price) self[Self::kCanBuy] = 1;

  for (int slot = 0; slot < kEnemySlots; ++slot) {
    const int unit = slot == kBaseSlot ? static_cast<int>(kBase) : enemy_in_slot(seat, slot);
    if (unit != kNone) write_entity(out.part(1) + slot * kFeatures, seat, enemies, unit);
  }
  for (int slot = 0; slot < kAllySlots; ++slot) {
    const int unit = ally_in_slot(seat, slot);
    if (unit != kNone) write_entity(out.part(2) + slot * kFeatures, seat, team, unit);
  }
}

void Lanes::legal(int seat, Mask mask) const {
  const int team = seat / kTeam, h = seat % kTeam;
  std::uint8_t *orders = mask.part(order), *enemy_mask = mask.part(enemy), *ally_mask = mask.part(ally);
  orders[hold] = 1;
  if (h >= team_size_ || !can_act(team, h)) {
    mask.part(direction)[0] = enemy_mask[0] = ally_mask[0] = 1;
    return;
  }
  const Side &s = side(team), &other = side(1 - team);
  const Hero& me = at(s.heroes, h);
  orders[move] = 1;
  std::memset(mask.part(direction), 1, kDirections);

  constexpr int kFar = 1 << 30;
  bool any = false;
  int nearest_hero = kFar, nearest = kFar;
  for (int slot = 0; slot < kEnemySlots; ++slot) {
    const int unit = enemy_in_slot(seat, slot);
    if (unit == kNone) continue;
    enemy_mask[slot] = 1;
    any = true;
    if (is_building(unit)) continue;
    const int away = distance2(s, h, other, unit);
    nearest = std::min(nearest, away);
    if (is_hero(unit)) nearest_hero = std::min(nearest_hero, away);
  }
  orders[attack] = any;
  if (!any) enemy_mask[0] = 1;

  const bool hurt_now = time_ - me.last_hurt <= 4;
  const bool danger = hurt_now || nearest_hero <= square(12 * kLength);
  for (int a = 0; a < lanes::kAbilities; ++a) {
    if (at(me.wait, a) > 0) continue;
    const Ability& ability = this->ability(seat, a);
    const auto wounded = [&](int reach) {
      for (int f = 0; f < team_size_; ++f)
        if (s.is_alive(f) && at(s.health, f) * 10 < at(s.max_health, f) * 9 && distance2(s, h, s, f) <= square(reach))
          return true;
      return false;
    };
    bool useful = false;
    switch (ability.aim) {
      case Aim::area:
        useful = (ability.harms() && nearest <= square(ability.radius)) ||
                 (ability.heal > 0 && wounded(ability.radius)) || ((ability.shield > 0 || ability.haste > 0) && danger);
        break;
      case Aim::enemy:
        useful = nearest <= square(ability.range + kApproach);
        break;
      case Aim::ally:
        useful = (ability.heal > 0 && wounded(ability.range + kApproach)) || (ability.heal == 0 && danger);
        break;
      case Aim::direction:
        useful = ability.dash > 0 || nearest <= square(ability.range);
        break;
    }
    orders[ability1 + a] = useful;
  }
  for (int slot = 0; slot < kTeam; ++slot) ally_mask[slot] = s.is_alive(slot);

  bool can_buy = false;
  const bool home = at_base(team, h);
  for (int i = 0; i < rules_->items_count; ++i) {
    if (((me.items >> i) & 1) || me.gold < at(rules_->items, i).price) continue;
    can_buy = true;
    if (home) orders[buy + i] = 1;
  }
  orders[recall] = !home && !hurt_now && (can_buy || at(s.health, h) * 5 < at(s.max_health, h) * 3);
}

}  // namespace rival
