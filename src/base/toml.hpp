// TOML by toml++, whose types are what comes back: include this instead of it.
#pragma once

#include <string_view>

#include "base/result.hpp"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace rival {

// The text may come from anyone. Errors begin with `file` and the line. Nodes know their lines.
Result<toml::table> parse_toml(std::string_view text, std::string_view file);

}  // namespace rival
