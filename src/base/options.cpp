#include "base/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>
#include <type_traits>
#include <utility>

#include "base/names.hpp"
#include "base/number.hpp"
#include "base/toml.hpp"

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

bool is_text(const OptionRow::Target& target) {
  return std::holds_alternative<std::string*>(target) || std::holds_alternative<NamedTarget>(target);
}

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
Result<void> fit(const OptionRow& row, const Written& written, std::string_view shown, Value& value) {
  const auto wanted = [&](const std::string& what) {
    return Error{fmt::format("'{}' must be {}, not '{}'", row.key, what, shown.substr(0, 100))};
  };
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

void assign(const OptionRow& row, const Value& value) {
  std::visit(
      [&]<typename T>(const T& target) {
        if constexpr (std::is_pointer_v<T>)
          *target = std::get<std::remove_pointer_t<T>>(value);
        else
          target.set(std::get<std::string>(value));
      },
      row.target);
}

Result<const OptionRow*> find_row(std::span<const OptionRow> rows, std::string_view key, std::string_view where) {
  for (const OptionRow& row : rows)
    if (row.key == key) return &row;
  std::vector<std::string> known;
  for (const OptionRow& row : rows) known.push_back(row.key);
  return unknown_name("option", key, known, where);
}

// Monostate: of no kind that an option takes.
Written written_toml(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return whole->get();
  if (const auto* real = node.as_floating_point()) {
    constexpr double kExact = 1LL << 53;
    const double value = real->get();  // 1e6 is a whole number too
    if (value == std::trunc(value) && std::abs(value) <= kExact) return static_cast<std::int64_t>(value);
    return value;
  }
  const auto* array = node.as_array();
  if (!array) return {};
  std::vector<std::int64_t> list;
  for (const toml::node& item : *array) {
    const auto* whole = item.as_integer();
    if (!whole) return {};
    list.push_back(whole->get());
  }
  return list;
}

// For errors.
std::string shown_toml(const toml::node& node) {
  if (const auto* text = node.as_string()) return '"' + text->get() + '"';
  if (const auto* array = node.as_array()) {
    std::string list;
    for (const toml::node& item : *array) list += (list.empty() ? "" : ", ") + shown_toml(item);
    return '[' + list + ']';
  }
  std::ostringstream text;
  node.visit([&](const auto& value) { text << value; });
  return text.str();
}

using Assignments = std::vector<std::pair<const OptionRow*, Value>>;

Result<void> read_table(std::span<const OptionRow> rows, const toml::table& table, const std::string& group,
                        std::string_view file, Assignments& assignments) {
  for (const auto& [key, node] : table) {
    const std::string name = group + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      if (Result<void> read = read_table(rows, *inner, name + ".", file, assignments); !read) return read;
      continue;
    }
    const std::string where = fmt::format("{}:{}: ", file, node.source().begin.line);
    const Result<const OptionRow*> row = find_row(rows, name, where);
    if (!row) return row.error();
    auto& [target, value] = assignments.emplace_back();
    target = row.value();
    if (Result<void> fits = fit(*target, written_toml(node), shown_toml(node), value); !fits)
      return Error{where + fits.error().message};
  }
  return {};
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
  const Result<const OptionRow*> row = find_row(rows, key, where);
  if (!row) return row.error();
  Value fitted;
  if (Result<void> fits = fit(*row.value(), written_text(row.value()->target, value), value, fitted); !fits)
    return Error{std::string(where) + fits.error().message};
  assign(*row.value(), fitted);
  return {};
}

Result<void> set_option(std::span<const OptionRow> rows, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos)
    return Error{fmt::format("--set needs key=value, not '{}'", assignment.substr(0, 100))};
  return set_option(rows, assignment.substr(0, equals), assignment.substr(equals + 1), "--set ");
}

Result<void> read_toml(std::span<const OptionRow> rows, std::string_view text, std::string_view file) {
  const Result<toml::table> table = parse_toml(text, file);
  if (!table) return table.error();
  Assignments assignments;
  if (Result<void> read = read_table(rows, table.value(), "", file, assignments); !read) return read;
  for (const auto& [row, value] : assignments) assign(*row, value);
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
    text.append(row.key).append(" = ").append(toml_text(row)).append("\n");
  }
  return text;
}

}  // namespace rival
