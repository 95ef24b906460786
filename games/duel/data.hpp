// The numbers of `duel`, read from units.toml.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "rival/game.hpp"

namespace rival::embedded {

extern const std::string_view units_toml;  // the file's text (rival_embed in cmake/rival.cmake)

}  // namespace rival::embedded

namespace rival::duel {

inline constexpr int kUnits = 6;
inline constexpr const char* kNames[kUnits] = {"Knight", "Lancer", "Archer", "Monk", "Shieldbearer", "Sniper"};

// What does not apply to a unit is 0. Damage and health are tunable, so a match may play by others.
struct Unit {
  float damage, health;
  std::int32_t reach, speed;  // cells
  std::int32_t aim;           // turns of aiming that a strike needs
  std::int32_t heal, heals;   // health that healing gives back; how many times in a match
  std::int32_t guard;         // percent of a hit that the raised shield keeps off
};

struct Data {
  std::array<Unit, kUnits> units;     // in the order of kNames
  std::vector<Parameter> parameters;  // damage and health of each unit in this order, then second.health
  std::vector<RuleData> hashes;
};

// Reads a data file. Errors begin with `file` and the line and name the key: not TOML, a key that is missing, unknown,
// of another kind or out of its range.
Result<Data> parse_data(std::string_view text, std::string_view file);

// units.toml as it was when the program was built; parsed once.
const Data& data();

}  // namespace rival::duel
