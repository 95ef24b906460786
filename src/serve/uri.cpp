#include "serve/uri.hpp"

#include <algorithm>
#include <charconv>

#include "base/names.hpp"

namespace rival::serve {

std::optional<std::string> uri_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    unsigned char byte = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || code != std::errc() || end != digits.data() + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

Result<std::map<std::string, std::string>> read_query(std::string_view query, std::span<const std::string> known) {
  std::map<std::string, std::string> values;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    std::string parameter(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
    if (parameter.empty()) continue;
    std::replace(parameter.begin(), parameter.end(), '+', ' ');
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::optional<std::string> name = uri_decoded(std::string_view(parameter).substr(0, equals)),
                                     value = uri_decoded(
                                         std::string_view(parameter).substr(std::min(equals + 1, parameter.size())));
    if (!name || !value) return Error{"the query has a '%' without two hexadecimal digits after it"};
    if (std::find(known.begin(), known.end(), *name) == known.end()) return unknown_name("parameter", *name, known);
    if (!values.emplace(*name, *value).second) return Error{"'" + *name + "' is there twice"};
  }
  return values;
}

}  // namespace rival::serve
