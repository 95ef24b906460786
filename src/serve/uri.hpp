// What clients write into the paths and queries of URIs.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace rival::serve {

// The bytes that %XX stand for. Nothing: a '%' without two hexadecimal digits.
std::optional<std::string> uri_decoded(std::string_view text);

// The parameters of "game=a&limit=3", decoded, where a '+' is a space. Errors: one that is none of `known`, or is there
// twice; what cannot be decoded.
Result<std::map<std::string, std::string>> read_query(std::string_view query, std::span<const std::string> known);

}  // namespace rival::serve
