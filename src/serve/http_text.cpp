#include "serve/http_text.hpp"

#include <algorithm>

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

std::vector<std::string> query_values(std::string_view query, std::string_view name) {
  std::vector<std::string> values;
  while (!query.empty()) {
    std::string value(take_until(query, "&"));
    std::replace(value.begin(), value.end(), '+', ' ');
    std::string_view rest = value;
    if (percent_decoded(take_until(rest, "=")) == name) values.push_back(percent_decoded(rest));
  }
  return values;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_digit(text[i + 2]);
    decoded += low < 0 ? text[i] : static_cast<char>(high * 16 + low);
    if (low >= 0) i += 2;
  }
  return decoded;
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
