// The observation and action parts of the Spec that a bot was made for, as its file tells them: so that a bot of an
// older version of a game is recognised, and can be grown into one of the present version (transplant.hpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/result.hpp"
#include "game/match_settings.hpp"
#include "nn/network.hpp"
#include "nn/safetensors.hpp"
#include "rival/game.hpp"

namespace rival {

// What the file of a bot with this network says: a JSON object, see docs/formats/bot.md.
std::string parts_to_json(const Network& network);

// A Spec with these parts, and nothing else but the name given. `file` is how errors name it. Errors, which name
// the part and the field: no JSON, fields that are missing or of another type, parts that make no sense or are beyond
// 2^24 numbers in all.
Result<Spec> parts_from_json(const std::string& json, const std::string& name, const std::string& file);

// The parameters of the rules that a bot sees: a list of {name, low, high}.
nlohmann::json rules_to_json(const std::vector<ObservedParameter>& rules);
// Back, of the field `rules`, which may be missing. What is wrong is noted in `fields`.
std::vector<ObservedParameter> rules_from_json(JsonFields& fields, std::optional<Error>& error);

// How the parts of `then` differ from those of `now`, the first that does, as "observation part 'self' had 12 values,
// has 14"; empty if they do not.
std::string parts_difference(const Spec& then, const Spec& now);

}  // namespace rival
