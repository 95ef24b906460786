#include "balance/data_file.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <vector>

#include "balance/targets.hpp"
#include "base/number.hpp"

namespace rival::balance {
namespace {

struct Place {
  std::size_t at = 0, length = 0;  // of the number's text
  int found = 0;                   // how often
};

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r");
  return from == std::string_view::npos ? "" : text.substr(from, text.find_last_not_of(" \t\r") + 1 - from);
}

// Of a value as it is written: the number that it is or has.
std::optional<std::string_view> number_of(std::string_view value) {
  if (value.starts_with('{')) {
    for (std::size_t at = value.find("value"); at != std::string_view::npos; at = value.find("value", at + 1)) {
      std::string_view rest = trimmed(value.substr(at + 5));
      if (!rest.starts_with('=')) continue;
      rest = trimmed(rest.substr(1));
      return trimmed(rest.substr(0, rest.find_first_of(",}")));
    }
    return {};
  }
  return trimmed(value.substr(0, value.find('#')));
}

std::string unquoted(std::string_view text) {
  text = trimmed(text);
  if (text.size() < 2 || (text[0] != '"' && text[0] != '\'')) return std::string(text);
  const std::size_t end = text.find(text[0], 1);
  return std::string(text.substr(1, end == std::string_view::npos ? end : end - 1));
}

}  // namespace

Result<std::string> change_numbers(std::string_view text, std::string_view file,
                                   std::span<const NumberChange> changes) {
  std::map<std::string, Place> places;
  for (const NumberChange& change : changes) places[key_of(change.parameter)];
  std::string table;  // with a dot behind it
  bool of_list = false;
  std::vector<std::pair<std::string, std::string_view>> list_keys;  // of a list's table whose name has not come yet
  const auto note = [&](const std::string& key, std::string_view value) {
    const auto wanted = places.find(key_of(key));
    if (wanted == places.end()) return;
    const std::optional<std::string_view> number = number_of(value);
    if (!number || !read_real(*number)) return;
    wanted->second = {static_cast<std::size_t>(number->data() - text.data()), number->size(), wanted->second.found + 1};
  };
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    if (line.starts_with("[")) {
      of_list = line.starts_with("[[");
      const std::size_t close = line.find(']');
      const std::string_view name =
          close == std::string_view::npos ? "" : trimmed(line.substr(of_list ? 2 : 1, close - (of_list ? 2 : 1)));
      // [[hero.abilities]] lies within a hero: nothing of it is the hero's own.
      table = std::string(name) + ".";
      list_keys.clear();
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || line.starts_with('#')) continue;
    const std::string key = unquoted(line.substr(0, equals));
    const std::string_view value = trimmed(line.substr(equals + 1));
    if (of_list && key == "name") {
      table = unquoted(value) + ".";
      for (const auto& [earlier, written] : list_keys) note(table + earlier, written);
      of_list = false;
      continue;
    }
    if (of_list) list_keys.emplace_back(key, value);
    note((table.empty() ? "" : table) + key, value);
  }
  // From the last to the first, so that the places hold.
  std::map<std::size_t, std::pair<std::size_t, std::string>> edits;
  for (const NumberChange& change : changes) {
    const Place& place = places[key_of(change.parameter)];
    if (place.found != 1)
      return Error{fmt::format("{}: '{}' is {}; it should be {} with a number", file, change.parameter,
                               place.found == 0 ? "not there" : "there more than once",
                               change.parameter.find('.') == std::string::npos
                                   ? "a key above all tables"
                                   : "a key of the table that it is named after")};
    edits[place.at] = {place.length, shortest(change.value)};
  }
  std::string edited(text);
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit)
    edited.replace(edit->first, edit->second.first, edit->second.second);
  return edited;
}

}  // namespace rival::balance
