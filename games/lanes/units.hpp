// Small things that the rules of `lanes` are written with.
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

// Calls visit(unit) for every unit of a set.
template <class Visit>
void each(std::uint64_t units, const Visit& visit) {
  for (; units != 0; units &= units - 1) visit(std::countr_zero(units));
}

template <class T>
auto& at(T& array, int i) {
  return array[static_cast<std::size_t>(i)];
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
