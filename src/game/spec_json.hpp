// A Spec as JSON: what `rival games NAME --json` prints of it, and what a game in another process says of itself
// (docs/formats/worker.md).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.hpp"
#include "rival/game.hpp"

namespace rival {

// The fields in a fixed order.
nlohmann::ordered_json spec_to_json(const Spec& spec);

// The Spec, which validate() may still refuse. What is left out has its default. `place` ("welcome") begins the errors.
Result<Spec> spec_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace rival
