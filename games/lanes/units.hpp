// Small things that the rules of `lanes` are written with; the part of Lanes that is called most often.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>

#include "games/lanes/lanes.hpp"

namespace rival::lanes {

// Eighths of a turn, in 1/256.
inline constexpr int kDirectionX[] = {256, 181, 0, -181, -256, -181, 0, 181};
inline constexpr int kDirectionY[] = {0, 181, 256, 181, 0, -181, -256, -181};

constexpr std::uint64_t bit(int unit) {
  return std::uint64_t{1} << unit;
}
constexpr std::uint64_t bits(int first, int count) {
  return (bit(count) - 1) << first;
}
inline constexpr std::uint64_t kHeroes = bits(0, Lanes::kTeam),
                               kCreeps = bits(Lanes::kFirstCreep, Lanes::kUnits - Lanes::kFirstCreep),
                               kBuildings = bits(Lanes::kFirstTower, Lanes::kTowers + 1);

inline constexpr int kMinute = 60 * kTicks;

// Calls visit(unit) for every unit of a set.
template <class Visit>
void each(std::uint64_t units, const Visit& visit) {
  for (; units != 0; units &= units - 1) visit(std::countr_zero(units));
}

template <class T>
auto& at(T& array, int i) {
  return array[i];
}

// About the length of a vector, within 3%: whole numbers, and the same for every mirror image.
inline int length(int x, int y) {
  const int a = std::max(std::abs(x), std::abs(y)), b = std::min(std::abs(x), std::abs(y));
  return std::max(a, (a * 7 + b * 4) / 8);
}

inline int square(int x) {
  return x * x;
}

inline int lane_of(int unit) {
  return unit < Lanes::kBase ? (unit - Lanes::kFirstTower) / kTowersPerLane
                             : (unit - Lanes::kFirstCreep) / Lanes::kLaneCreeps;
}

inline std::uint64_t lane_creeps(int lane) {
  return bits(Lanes::kFirstCreep + lane * Lanes::kLaneCreeps, Lanes::kLaneCreeps);
}

inline bool is_hero(int unit) {
  return unit < Lanes::kTeam;
}
inline bool is_building(int unit) {
  return unit >= Lanes::kFirstTower && unit <= Lanes::kBase;
}
inline bool is_creep(int unit) {
  return unit >= Lanes::kFirstCreep;
}

}  // namespace rival::lanes

namespace rival {

inline int Lanes::front_tower(int team, int lane) const {
  if (!lane_in_play(lane)) return kNone;
  const int outer = kFirstTower + lane * lanes::kTowersPerLane;
  for (int tower = 0; tower < lanes::kTowersPerLane; ++tower)
    if (side(team).is_alive(outer + tower)) return outer + tower;
  return kNone;
}

inline bool Lanes::base_open(int team) const {
  for (int lane = 0; lane < lanes::kLaneCount; ++lane)
    if (lane_in_play(lane) && front_tower(team, lane) == kNone) return true;
  return false;
}

inline int Lanes::enemy_in_slot(int seat, int slot) const {
  const int enemies = 1 - seat / kTeam;
  const Side& s = side(enemies);
  if (slot < kTeam) return s.is_alive(slot) && s.is_seen(slot) ? slot : kNone;
  if (slot < kBaseSlot) return front_tower(enemies, slot - kTowerSlot);
  if (slot == kBaseSlot) return base_open(enemies) ? kBase : kNone;
  return lanes::at(hero(seat).near_enemies, slot - kEnemyCreepSlot);
}

inline int Lanes::ally_in_slot(int seat, int slot) const {
  const int team = seat / kTeam;
  if (slot < kTeam) return side(team).is_alive(slot) ? slot : kNone;
  if (slot < kAllyCreepSlot) return front_tower(team, slot - kTowerSlot);
  return lanes::at(hero(seat).near_allies, slot - kAllyCreepSlot);
}

inline int Lanes::range_of(int team, int unit) const {
  if (lanes::is_hero(unit)) return lanes::at(side(team).heroes, unit).range;
  if (unit == kBase) return rules_->core.range;
  if (lanes::is_building(unit)) return rules_->tower.range;
  return (side(team).ranged >> unit) & 1 ? rules_->ranged.range : rules_->melee.range;
}

inline int Lanes::speed_of(int team, int unit) const {
  const Side& s = side(team);
  if (lanes::is_building(unit)) return 0;
  const int slow = lanes::at(s.slow, unit);
  if (lanes::is_creep(unit))
    return ((s.ranged >> unit) & 1 ? rules_->ranged.speed : rules_->melee.speed) * (100 - slow) / 100;
  const Hero& hero = lanes::at(s.heroes, unit);
  return hero.speed * (100 + hero.haste - slow) / 100;
}

inline int Lanes::armour_of(int team, int unit) const {
  if (lanes::is_hero(unit)) return lanes::at(side(team).heroes, unit).armour;
  if (unit == kBase) return rules_->core.armour;
  if (lanes::is_building(unit)) return rules_->tower.armour;
  return (side(team).ranged >> unit) & 1 ? rules_->ranged.armour : rules_->melee.armour;
}

inline int Lanes::reduced(int damage, int team, int unit) const {
  return damage * 100 / (100 + armour_of(team, unit));
}

inline int Lanes::attack_of(int team, int unit) const {
  if (lanes::is_hero(unit)) return lanes::at(side(team).heroes, unit).damage;
  if (unit == kBase) return rules_->core.attack;
  if (lanes::is_building(unit)) return rules_->tower.attack;
  const int growth = 100 + rules_->creep_growth * (time_ / lanes::kMinute);
  return ((side(team).ranged >> unit) & 1 ? rules_->ranged.attack : rules_->melee.attack) * growth / 100;
}

inline bool Lanes::at_base(int team, int unit) const {
  const Side& s = side(team);
  return distance2(s, unit, s, kBase) <= lanes::square(rules_->fountain);
}

}  // namespace rival
