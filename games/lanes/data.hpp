// The numbers of `lanes`, read from heroes.toml: what a match plays by, and what people call it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "rival/game.hpp"

namespace rival::embedded {

extern const std::string_view heroes_toml;  // the file's text (rival_embed in cmake/rival.cmake)

}  // namespace rival::embedded

namespace rival::lanes {

// Units of the simulation. All of it is whole numbers.
inline constexpr int kLength = 64;  // parts of a unit of length
inline constexpr int kTicks = 2;    // a second
inline constexpr int kHealth = 16;  // parts of a point of health
inline constexpr int kPhase = 16;   // parts of a tick, for the pace of attacks
inline constexpr int kReward = 1'000'000;

inline constexpr int kTeam = 5, kLaneCount = 3, kTowersPerLane = 2, kAbilities = 3;
inline constexpr int kMaxItems = 12, kMaxHeroes = 32, kMaxLevel = 16, kMaxPath = 6;

struct Point {
  std::int32_t x = 0, y = 0;
};

enum class Aim : std::int32_t {
  area,       // around the hero
  enemy,      // an enemy hero or creep
  ally,       // a hero of the own team
  direction,  // a dash, or a line without one
};

// Numbers are at level 1; `growth` is for each further level. All but `aim` may be 0.
struct Ability {
  Aim aim = Aim::area;
  std::int32_t range, radius, cooldown;
  std::int32_t damage, damage_growth, heal, heal_growth, shield, shield_growth;
  std::int32_t stun, slow, haste, duration;  // ticks, percent, percent, ticks of slow, haste and shield
  std::int32_t dash, pull;

  bool harms() const { return damage > 0 || stun > 0 || slow > 0 || pull > 0; }
  bool helps() const { return heal > 0 || shield > 0 || haste > 0; }
};

struct Hero {
  std::int32_t health, health_growth, attack, attack_growth, attack_interval, range, speed, armour, armour_growth,
      regeneration, regeneration_growth;
  std::array<Ability, kAbilities> abilities;
};

struct Item {
  std::int32_t price, health, attack, armour, speed, power, lifesteal, attack_speed, regeneration;
};

// A creep, tower or base. What does not apply is 0.
struct Unit {
  std::int32_t count, health, health_per_hero, attack, attack_interval, range, speed, armour, sight, gold, experience,
      unescorted;
};

struct Lane {
  std::int32_t points = 0;
  std::array<Point, kMaxPath> path;          // west to east, the whole of it
  std::array<Point, kTowersPerLane> towers;  // of the west, from the outermost
};

// What a match plays by. Only whole numbers, so that a tunable one is found by where it stands.
struct Rules {
  std::int32_t width, height, fountain;
  Point base;
  std::array<Lane, kLaneCount> lanes;
  std::int32_t first_wave, wave_interval, reinforcement, creep_growth, aggression;
  Unit melee, ranged, tower, core;
  std::int32_t start_gold, gold_per_minute, kill_gold, assist_gold, kill_experience, kill_experience_per_level,
      experience_radius;
  std::int32_t max_level;
  std::array<std::int32_t, kMaxLevel> levels;  // experience at which level i + 2 is reached
  std::int32_t hero_sight, respawn, respawn_per_level, recall, fountain_percent, assist_time;
  struct {
    std::int32_t gold, spent, experience, last_hit, kill, assist, death, tower, base, health;  // in 1 / kReward
  } rewards;
  std::int32_t items_count, heroes_count;
  std::array<Item, kMaxItems> items;
  std::array<Hero, kMaxHeroes> heroes;
};

// A number of the data file that a designer may tune: parameter `parameter` sets the whole number `field` of Rules.
struct Tunable {
  Parameter parameter;
  std::ptrdiff_t offset = 0;  // bytes from the start of Rules
  double scale = 1;
};

struct Data {
  Rules rules;
  std::vector<std::string> lanes, heroes, roles, items;
  std::vector<std::array<std::string, kAbilities>> abilities;
  std::vector<Tunable> tunables;
  std::vector<RuleData> hashes;
};

// Reads a data file. Errors begin with `file` and the line and name the key: not TOML, a key that is missing, unknown,
// of another kind or out of its range.
Result<std::shared_ptr<const Data>> parse_data(std::string_view text, std::string_view file);

// heroes.toml as it was when the program was built; parsed once.
const Data& data();

}  // namespace rival::lanes
