// Helpers on Spec: defaults, and a complete check that a Spec makes sense.
#pragma once

#include "base/result.hpp"
#include "rival/game.hpp"

namespace rival {

// The default value of every parameter.
Settings default_settings(const Spec& spec);

// The defaults but for what the assignments "name=value" say. Errors, which begin with `where` ("--parameter "), name
// the nearest parameter or the range.
Result<Settings> parse_settings(const Spec& spec, std::span<const std::string> assignments, const std::string& where);

// An error that names the first field that makes no sense (no observation, a grid without cells, low > high, ...).
Result<void> validate(const Spec& spec);

}  // namespace rival
