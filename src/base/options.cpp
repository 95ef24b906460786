#include "base/options.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/names.hpp"
#include "base/number.hpp"

namespace rival {
namespace {

// A value as it was written, before it is known to fit its option.
using Written = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;
using Value = std::variant<double, int, std::int64_t, bool, std::string, std::vector<int>>;

bool parse_list(std::string_view text, std::vector<std::int64_t>& values) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const std::size_t length = std::min(text.find_first_of("x,"), text.size());
    std::string_view item = text.substr(0, length);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    const std::optional<std::int64_t> whole = read_whole(item);
    if (!whole) return false;
    values.push_back(*whole);
    if (length + 1 == text.size()) return false;  // ends in a separator
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return true;
}

using Names = std::map<std::string, std::string>;

bool is_text(const OptionRow::Target& target) {
  return std::holds_alternative<std::string*>(target) || std::holds_alternative<NamedTarget>(target) ||
         std::holds_alternative<Names*>(target);
}

// What a key means: a row, and in one that is a group, the name.
struct Place {
  const OptionRow* row = nullptr;
  std::string name = {};

  bool operator<(const Place& other) const { return std::tie(row, name) < std::tie(other.row, other.name); }
  std::string key() const { return name.empty() ? row->key : row->key + "." + name; }
};

// Text as the kind that the option wants; monostate if it is none.
Written written_text(const OptionRow::Target& target, std::string_view text) {
  if (is_text(target)) return std::string(text);
  if (std::holds_alternative<bool*>(target))
    return text == "true" ? Written(true) : text == "false" ? Written(false) : Written();
  std::vector<std::int64_t> list;
  if (std::holds_alternative<std::vector<int>*>(target)) return parse_list(text, list) ? Written(list) : Written();
  if (std::holds_alternative<double*>(target)) {
    const std::optional<double> real = read_real(text);
    return real ? Written(*real) : Written();
  }
  const std::optional<std::int64_t> whole = read_whole(text);
  return whole ? Written(*whole) : Written();
}

// The written value as the one that the option takes, or what it must be.
Result<void> fit(const Place& place, const Written& written, std::string_view shown, Value& value) {
  const OptionRow& row = *place.row;
  const auto wanted = [&](const std::string& what) {
    return Error{"'" + place.key() + "' must be " + what + ", not '" + std::string(shown.substr(0, 100)) + "'"};
  };
  if (std::holds_alternative<Names*>(row.target) && place.name.empty())
    return wanted("a group [" + row.key + "] of lines NAME = \"...\"");
  const auto in_range = [&](double number) { return number >= row.low && number <= row.high; };
  const std::string range = Range<double>{row.low, row.high}.text();  // "a number from 1 to 100"
  const auto* whole = std::get_if<std::int64_t>(&written);
  if (std::holds_alternative<bool*>(row.target)) {
    if (const auto* flag = std::get_if<bool>(&written)) return value.emplace<bool>(*flag), Result<void>();
    return wanted("true or false");
  }
  if (is_text(row.target)) {
    const auto* text = std::get_if<std::string>(&written);
    if (!text) return wanted("a string in one line, such as \"auto\"");
    if (const auto* choice = std::get_if<NamedTarget>(&row.target))
      if (const auto& words = choice->words(); std::find(words.begin(), words.end(), *text) == words.end())
        return unknown_name("value of '" + row.key + "'", *text, words);
    value.emplace<std::string>(*text);
    return {};
  }
  if (std::holds_alternative<std::vector<int>*>(row.target)) {
    const auto* list = std::get_if<std::vector<std::int64_t>>(&written);
    if (!list) return wanted("a list such as [128, 128], each a whole" + range.substr(1));
    auto& values = value.emplace<std::vector<int>>();
    for (const std::int64_t item : *list) {
      if (!std::in_range<int>(item) || !in_range(static_cast<double>(item)))
        return wanted("a list such as [128, 128], each a whole" + range.substr(1));
      values.push_back(static_cast<int>(item));
    }
    return {};
  }
  if (std::holds_alternative<double*>(row.target)) {
    const auto* real = std::get_if<double>(&written);
    if (!real && !whole) return wanted(range);
    const double number = real ? *real : static_cast<double>(*whole);
    if (!in_range(number)) return wanted(range);
    value.emplace<double>(number);
    return {};
  }
  if (!whole || !in_range(static_cast<double>(*whole))) return wanted("a whole" + range.substr(1));
  if (std::holds_alternative<std::int64_t*>(row.target)) return value.emplace<std::int64_t>(*whole), Result<void>();
  if (!std::in_range<int>(*whole)) return wanted("a smaller number");
  value.emplace<int>(static_cast<int>(*whole));
  return {};
}

void assign(const Place& place, const Value& value) {
  std::visit(
      [&]<typename T>(const T& target) {
        if constexpr (std::is_same_v<T, Names*>)
          (*target)[place.name] = std::get<std::string>(value);
        else if constexpr (std::is_pointer_v<T>)
          *target = std::get<std::remove_pointer_t<T>>(value);
        else
          target.set(std::get<std::string>(value));
      },
      place.row->target);
}

Result<Place> find_place(std::span<const OptionRow> rows, std::string_view key, std::string_view where) {
  for (const OptionRow& row : rows) {
    if (row.key == key) return Place{&row};
    if (!std::holds_alternative<Names*>(row.target) || !key.starts_with(row.key + ".")) continue;
    const std::string_view name = key.substr(row.key.size() + 1);
    if (name.empty() || name.find('.') != std::string_view::npos)
      return Error{std::string(where) + "a name in [" + row.key + "] is of letters, digits, '_' and '-', not '" +
                   std::string(name.substr(0, 100)) + "'"};
    return Place{&row, std::string(name)};
  }
  std::vector<std::string> known;
  for (const OptionRow& row : rows) known.push_back(row.key);
  return unknown_name("option", key, known, where);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t from = text.find_first_not_of(kSpace);
  return from == std::string_view::npos ? "" : text.substr(from, text.find_last_not_of(kSpace) + 1 - from);
}

std::string_view without_comment(std::string_view text) {
  return trimmed(text.substr(0, text.find('#')));
}

bool is_key(std::string_view key) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !key.empty() && key.find_first_not_of(kAllowed) == std::string_view::npos;
}

// Appends a code point as UTF-8; false if it is none.
bool append_utf8(std::string& text, std::uint32_t code) {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return put(code), true;
  if (code < 0x800) put(0xc0 | (code >> 6));
  if (code >= 0x800 && code < 0x10000) put(0xe0 | (code >> 12));
  if (code >= 0x10000) put(0xf0 | (code >> 18)), put(0x80 | ((code >> 12) & 0x3f));
  if (code >= 0x800) put(0x80 | ((code >> 6) & 0x3f));
  return put(0x80 | (code & 0x3f)), true;
}

// A quoted string and, behind it, nothing but a comment; monostate if it is not that.
Written quoted_string(std::string_view text) {
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) return {};
  const char quote = text[0];
  std::string value;
  std::size_t i = 1;
  for (; i < text.size() && text[i] != quote; ++i) {
    if (static_cast<unsigned char>(text[i]) < 0x20 && text[i] != '\t') return {};
    if (text[i] != '\\' || quote == '\'') {
      value += text[i];
      continue;
    }
    if (++i == text.size()) return {};
    constexpr std::string_view kEscapes = "btnfr\"\\", kMeanings = "\b\t\n\f\r\"\\";
    if (const std::size_t escape = kEscapes.find(text[i]); escape != std::string_view::npos) {
      value += kMeanings[escape];
      continue;
    }
    const std::size_t digits = text[i] == 'u' ? 4 : text[i] == 'U' ? 8 : 0;
    std::uint32_t code = 0;
    if (digits == 0 || text.size() - i <= digits) return {};
    const char* const begin = text.data() + i + 1;
    if (std::from_chars(begin, begin + digits, code, 16).ptr != begin + digits || !append_utf8(value, code)) return {};
    i += digits;
  }
  if (i >= text.size() || !without_comment(text.substr(i + 1)).empty()) return {};
  return value;
}

// A value as TOML writes it, of the kind that the option wants.
Written written_toml(const OptionRow::Target& target, std::string_view text) {
  if (is_text(target)) return quoted_string(text);
  text = without_comment(text);
  if (std::holds_alternative<std::vector<int>*>(target) && !(text.starts_with('[') && text.ends_with(']'))) return {};
  std::string plain;  // without the underscores between digits: 1_000_000
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '_' || i == 0 || text[i - 1] == '_' || i + 1 == text.size()) plain += text[i];
  return written_text(target, plain);
}

std::string string_text(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) {
    constexpr char kHex[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') text += '\\';
    if (byte < 0x20 || byte == 0x7f)
      text.append("\\u00") += {kHex[byte >> 4], kHex[byte & 15]};
    else
      text += c;
  }
  return text + '"';
}

std::string toml_text(const OptionRow& row) {
  struct Visitor {
    std::string operator()(const double* value) const {
      const std::string text = shortest(*value);
      return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
    }
    std::string operator()(const int* value) const { return std::to_string(*value); }
    std::string operator()(const std::int64_t* value) const { return std::to_string(*value); }
    std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
    std::string operator()(const std::string* value) const { return string_text(*value); }
    std::string operator()(const NamedTarget& choice) const { return string_text(std::string(choice.get())); }
    std::string operator()(const std::vector<int>* values) const {
      std::string text = "[";
      for (std::size_t i = 0; i < values->size(); ++i) text.append(i == 0 ? "" : ", ") += std::to_string((*values)[i]);
      return text + ']';
    }
    std::string operator()(const Names*) const { return ""; }  // each name has a line of its own
  };
  return std::visit(Visitor(), row.target);
}

std::string range_text(const OptionRow& row) {
  std::string text;
  if (const auto* choice = std::get_if<NamedTarget>(&row.target)) {
    for (const std::string& word : choice->words()) text.append(text.empty() ? "" : " | ") += word;
    return " (" + text + ")";
  }
  const Range<double> all;
  const bool low = row.low > all.low, high = row.high < all.high;
  if (low && high) text.append(shortest(row.low)).append(" to ") += shortest(row.high);
  if (low && !high) text.append("from ") += shortest(row.low);
  if (!low && high) text.append("up to ") += shortest(row.high);
  return text.empty() ? text : " (" + text + ")";
}

}  // namespace

Result<void> set_option(std::span<const OptionRow> rows, std::string_view key, std::string_view value,
                        std::string_view where) {
  const Result<Place> place = find_place(rows, key, where);
  if (!place) return place.error();
  Value fitted;
  if (Result<void> fits = fit(place.value(), written_text(place.value().row->target, value), value, fitted); !fits)
    return Error{std::string(where) + fits.error().message};
  assign(place.value(), fitted);
  return {};
}

Result<void> set_option(std::span<const OptionRow> rows, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos)
    return Error{"--set needs key=value, not '" + std::string(assignment.substr(0, 100)) + "'"};
  return set_option(rows, assignment.substr(0, equals), assignment.substr(equals + 1), "--set ");
}

Result<void> read_toml(std::span<const OptionRow> rows, std::string_view text, std::string_view file) {
  std::map<Place, Value> assignments;
  std::string group;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string where = std::string(file) + ":" + std::to_string(number) + ": ";
    const std::size_t length = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;

    if (line.starts_with('[')) {
      const std::string_view header = without_comment(line);
      const std::string_view name = trimmed(header.substr(1, header.size() - 2));
      if (!header.ends_with(']') || !is_key(name)) return Error{where + "a group must be written [name]"};
      group = std::string(name) + ".";
      continue;
    }
    const std::size_t equals = std::min(line.find('='), line.size());
    const std::string_view name = trimmed(line.substr(0, equals));
    if (equals == line.size() || !is_key(name)) return Error{where + "an option must be written key = value"};
    const Result<Place> place = find_place(rows, group + std::string(name), where);
    if (!place) return place.error();
    const auto [assignment, added] = assignments.try_emplace(place.value());
    if (!added) return Error{where + "'" + place.value().key() + "' is set twice"};
    const std::string_view written = trimmed(line.substr(equals + 1));
    if (Result<void> fits =
            fit(place.value(), written_toml(place.value().row->target, written), written, assignment->second);
        !fits)
      return Error{where + fits.error().message};
  }
  for (const auto& [place, value] : assignments) assign(place, value);
  return {};
}

std::string value_text(const OptionRow& row) {
  struct Visitor {
    std::string operator()(const double* value) const {
      const std::string plain = with_digits(*value, 6);  // 0.0005, where the shortest is 5e-04
      return read_real(plain) == *value ? plain : shortest(*value);
    }
    std::string operator()(const int* value) const { return std::to_string(*value); }
    std::string operator()(const std::int64_t* value) const { return std::to_string(*value); }
    std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
    std::string operator()(const std::string* value) const { return *value; }
    std::string operator()(const NamedTarget& choice) const { return std::string(choice.get()); }
    std::string operator()(const std::vector<int>* values) const {
      std::string text;
      for (const int value : *values) text.append(text.empty() ? "" : "x") += std::to_string(value);
      return text;
    }
    std::string operator()(const Names* names) const {
      std::string text;
      for (const auto& [name, value] : *names) text.append(text.empty() ? "" : " ").append(name).append("=") += value;
      return text;
    }
  };
  return std::visit(Visitor(), row.target);
}

std::string help_text(const OptionRow& row) {
  return row.help + range_text(row);
}

std::string write_toml(std::span<const OptionRow> rows) {
  std::string text;
  for (const OptionRow& row : rows) {
    text.append(text.empty() ? "" : "\n").append("# ").append(help_text(row)).append("\n");
    const auto line = [&](const std::string& key, const std::string& value) {
      text.append(key).append(" = ").append(value).append("\n");
    };
    if (const auto* names = std::get_if<Names*>(&row.target))
      for (const auto& [name, value] : **names) line(row.key + "." + name, string_text(value));
    else
      line(row.key, toml_text(row));
  }
  return text;
}

}  // namespace rival
