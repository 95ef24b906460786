// The page of `rival balance --out`: who wins how often, at which skill, and what to change.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.hpp"

namespace rival {

// A self-contained page from a report. `game`, `choices` and `before` are needed (the latter two may be empty: only
// seats); everything else is shown where it is there and not null. Errors name the field.
Result<std::string> balance_page(const nlohmann::json& report);

}  // namespace rival
