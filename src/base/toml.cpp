#include "base/toml.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rival {
namespace {

constexpr std::string_view kBom = "\xef\xbb\xbf";

// How long the string, comment or single character at the beginning is. What is not closed ends with its line, as does
// toml++'s patience; a string in three quotes may end in up to five.
std::size_t token_length(std::string_view text) {
  const char first = text[0];
  if (first == '#') return std::min(text.find('\n'), text.size());
  if (first != '"' && first != '\'') return 1;
  const std::string three(3, first);
  const bool block = text.starts_with(three);
  std::size_t i = block ? 3 : 1;
  for (; i < text.size(); ++i) {
    if (text[i] == '\\' && first == '"')
      ++i;
    else if (!block && text[i] == '\n')
      return i;
    else if (!block && text[i] == first)
      return i + 1;
    else if (block && text.substr(i).starts_with(three))
      break;
  }
  if (i >= text.size()) return text.size();
  i += 3;
  for (int more = 0; more < 2 && i < text.size() && text[i] == first; ++more) ++i;
  return i;
}

// The line of the first byte that is not ASCII and stands in no string or comment, or 0.
std::size_t line_of_stray_byte(std::string_view text) {
  std::size_t line = 1;
  while (!text.empty()) {
    if (static_cast<unsigned char>(text[0]) >= 0x80) return line;
    const std::size_t length = token_length(text);
    line += static_cast<std::size_t>(std::count(text.begin(), text.begin() + length, '\n'));
    text.remove_prefix(length);
  }
  return 0;
}

}  // namespace

Result<toml::table> parse_toml(std::string_view text, std::string_view file) {
  if (text.starts_with(kBom)) text.remove_prefix(kBom.size());
  // TOML allows no such character there, and toml++ 3.3 meets it with undefined behaviour.
  if (const std::size_t line = line_of_stray_byte(text))
    return Error{fmt::format("{}:{}: only strings and comments may hold characters beyond ASCII", file, line)};
  toml::parse_result parsed = toml::parse(text);
  if (!parsed)
    return Error{fmt::format("{}:{}: {}", file, parsed.error().source().begin.line, parsed.error().description())};
  return std::move(parsed).table();
}

}  // namespace rival
