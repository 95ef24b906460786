// Text of HTTP requests from anyone: paths, queries and forms. Pure functions.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace rival::serve {

// "a%20b" -> "a b"; what is no two hexadecimal digits stays as it is.
std::string percent_decoded(std::string_view text);
// The same; nothing if there is such.
std::optional<std::string> strictly_decoded(std::string_view text);

// The parts between the slashes, decoded: "/models/a%401200" -> {"models", "a@1200"}; "/" -> {""}.
std::vector<std::string> path_parts(std::string_view path);

// Of "limit=3&url=a%2Fb", where '+' means a space: the value of a name, if it is there.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

// All parameters, each at most once. Errors: one that is none of `known`, or is there twice; what cannot be decoded.
Result<std::map<std::string, std::string>> read_query(std::string_view query, std::span<const std::string> known);

// What a form (multipart or URL-encoded, as `content_type` says) holds under the first of these names that it has,
// which may be several values. None: it is no form, or has none of the names.
std::vector<std::string> form_values(std::string_view content_type, std::string_view body,
                                     std::initializer_list<std::string_view> names);

}  // namespace rival::serve
