#include "serve/http_text.hpp"

#include <algorithm>

#include "base/names.hpp"
#include "base/number.hpp"

namespace rival::serve {
namespace {

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes what stands before the first `end` from `rest`, and that with it.
std::string_view take_until(std::string_view& rest, std::string_view end) {
  const std::size_t at = rest.find(end);
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + end.size());
  return taken;
}

// Of "form-data; name=\"data\"; filename=x": what `name` is.
std::string_view parameter(std::string_view field, std::string_view name) {
  take_until(field, ";");
  while (!field.empty()) {
    std::string_view value = take_until(field, ";");
    if (!same_word(without_spaces(take_until(value, "=")), name)) continue;
    value = without_spaces(value);
    return value.size() > 1 && value.front() == '"' && value.back() == '"' ? value.substr(1, value.size() - 2) : value;
  }
  return {};
}

// The parts of a multipart form that have this name in their Content-Disposition.
std::vector<std::string> part_values(std::string_view boundary, std::string_view body, std::string_view name) {
  std::vector<std::string> values;
  if (boundary.empty()) return values;
  const std::string line = "--" + std::string(boundary), end = "\r\n" + line;
  take_until(body, line);
  while (body.starts_with("\r\n")) {
    std::string_view part = take_until(body, end);
    if (part.empty()) continue;  // two boundaries share the line break between them
    part.remove_prefix(2);
    std::string_view head = take_until(part, "\r\n\r\n");
    while (!head.empty()) {
      std::string_view field = take_until(head, "\r\n");
      if (same_word(without_spaces(take_until(field, ":")), "content-disposition") && parameter(field, "name") == name)
        values.emplace_back(part);
    }
  }
  return values;
}

// `sound` becomes false where a '%' has no two hexadecimal digits after it; it stays as it is.
std::string decoded(std::string_view text, bool& sound) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_digit(text[i + 2]);
    sound &= text[i] != '%' || low >= 0;
    bytes += low < 0 ? text[i] : static_cast<char>(high * 16 + low);
    if (low >= 0) i += 2;
  }
  return bytes;
}

struct Parameter {
  std::string name, value;
  bool sound = true;
};

// Of "game=a&limit=3", in order, where a '+' is a space; what is empty is none.
std::vector<Parameter> parameters(std::string_view query) {
  std::vector<Parameter> all;
  while (!query.empty()) {
    std::string text(take_until(query, "&"));
    if (text.empty()) continue;
    std::replace(text.begin(), text.end(), '+', ' ');
    std::string_view value = text;
    Parameter& one = all.emplace_back();
    one.name = decoded(take_until(value, "="), one.sound);
    one.value = decoded(value, one.sound);
  }
  return all;
}

std::vector<std::string> query_values(std::string_view query, std::string_view name) {
  std::vector<std::string> values;
  for (Parameter& one : parameters(query))
    if (one.name == name) values.push_back(std::move(one.value));
  return values;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  bool ignored = true;
  return decoded(text, ignored);
}

std::optional<std::string> strictly_decoded(std::string_view text) {
  bool sound = true;
  std::string bytes = decoded(text, sound);
  return sound ? std::optional(std::move(bytes)) : std::nullopt;
}

std::vector<std::string> path_parts(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    parts.push_back(percent_decoded(path.substr(at, slash - at)));
    at = slash + 1;
  }
  return parts;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  const std::vector<std::string> values = query_values(query, name);
  return values.empty() ? std::nullopt : std::optional(values.front());
}

Result<std::map<std::string, std::string>> read_query(std::string_view query, std::span<const std::string> known) {
  std::map<std::string, std::string> values;
  for (const Parameter& one : parameters(query)) {
    if (!one.sound) return Error{"the query has a '%' without two hexadecimal digits after it"};
    if (std::find(known.begin(), known.end(), one.name) == known.end())
      return unknown_name("parameter", one.name, known);
    if (!values.emplace(one.name, one.value).second) return Error{"'" + one.name + "' is there twice"};
  }
  return values;
}

std::vector<std::string> form_values(std::string_view content_type, std::string_view body,
                                     std::initializer_list<std::string_view> names) {
  const std::string_view type = without_spaces(content_type.substr(0, content_type.find(';')));
  for (const std::string_view name : names) {
    std::vector<std::string> values;
    if (same_word(type, "application/x-www-form-urlencoded"))
      values = query_values(body, name);
    else if (same_word(type, "multipart/form-data"))
      values = part_values(parameter(content_type, "boundary"), body, name);
    if (!values.empty()) return values;
  }
  return {};
}

}  // namespace rival::serve
