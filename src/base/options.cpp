#include "base/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "base/names.hpp"

namespace rival {
namespace {

// No one writes more by hand; keeps hostile text from nesting keys deeper than the stack is.
constexpr std::size_t kLongestText = 1 << 20, kLongestLine = 2000;

// The line of the first character beyond ASCII outside strings and comments, where TOML allows none; 0: there is none.
// (toml++ 3.3 must not see it there: its test for Unicode spaces can reach __builtin_unreachable.)
std::size_t stray_character(std::string_view text) {
  std::size_t line = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x80) return line;
    if (c == '#') i = std::min(text.find('\n', i), text.size());
    if (i < text.size() && text[i] == '\n') ++line;
    if (c != '"' && c != '\'') continue;
    const bool multiline = text.substr(i, 3) == std::string(3, c);
    const std::string quotes(multiline ? 3 : 1, c);
    for (i += quotes.size(); i < text.size() && text.substr(i, quotes.size()) != quotes; ++i) {
      if (text[i] == '\n' && !multiline) return 0;  // unclosed: the parser says so, and goes no further
      if (text[i] == '\n') ++line;
      if (text[i] == '\\' && c == '"' && i + 1 < text.size() && text[i + 1] != '\n') ++i;
    }
    i += quotes.size() - 1;
  }
  return 0;
}

// A value as it was written, before it is known to fit its option.
using Written = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;
using Value = std::variant<double, int, std::int64_t, bool, std::string, std::vector<int>>;

std::string number_text(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

template <class T>
bool parse(std::string_view text, T& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size();
}

// A whole number, which may be written 1e6.
bool parse_whole(std::string_view text, std::int64_t& value) {
  if (parse(text, value)) return true;
  double real = 0;
  if (!parse(text, real) || real != std::floor(real) || std::abs(real) > 9e15) return false;
  value = static_cast<std::int64_t>(real);
  return true;
}

bool parse_list(std::string_view text, std::vector<std::int64_t>& values) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const std::size_t length = std::min(text.find_first_of("x,"), text.size());
    std::string_view item = text.substr(0, length);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!parse(item, values.emplace_back())) return false;
    if (length + 1 == text.size()) return false;  // ends in a separator
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return true;
}

// Text as the kind that the option wants; monostate if it is none.
Written written_text(const OptionRow::Target& target, std::string_view text) {
  if (std::holds_alternative<std::string*>(target)) return std::string(text);
  if (std::holds_alternative<bool*>(target))
    return text == "true" ? Written(true) : text == "false" ? Written(false) : Written();
  std::int64_t whole = 0;
  double real = 0;
  std::vector<std::int64_t> list;
  if (std::holds_alternative<std::vector<int>*>(target)) return parse_list(text, list) ? Written(list) : Written();
  if (std::holds_alternative<double*>(target)) return parse(text, real) ? Written(real) : Written();
  return parse_whole(text, whole) ? Written(whole) : Written();
}

Written written_node(const toml::node& node) {
  if (const auto* value = node.as_boolean()) return value->get();
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_string()) return value->get();
  const toml::array* array = node.as_array();
  if (!array) return {};
  std::vector<std::int64_t> list;
  for (const toml::node& item : *array) {
    if (!item.is_integer()) return {};
    list.push_back(item.as_integer()->get());
  }
  return list;
}

// What is wrong with a value ("must be ...") or the value itself.
Result<Value> fitting(const OptionRow& row, const Written& written) {
  const auto wanted = [&](const std::string& what) { return Error{"'" + row.key + "' must be " + what}; };
  const auto in_range = [&](double value) { return value >= row.low && value <= row.high; };
  const auto outside = [&] {
    if (std::isinf(row.high)) return wanted(std::isinf(row.low) ? "a number" : "at least " + number_text(row.low));
    return wanted((std::isinf(row.low) ? "at most " : "between " + number_text(row.low) + " and ") +
                  number_text(row.high));
  };
  const auto* whole = std::get_if<std::int64_t>(&written);
  if (std::holds_alternative<bool*>(row.target)) {
    if (const auto* value = std::get_if<bool>(&written)) return Value(*value);
    return wanted("true or false");
  }
  if (std::holds_alternative<std::string*>(row.target)) {
    const auto* value = std::get_if<std::string>(&written);
    if (!value) return wanted("a string");
    if (!row.choices.empty() && std::find(row.choices.begin(), row.choices.end(), *value) == row.choices.end())
      return unknown_name("value of '" + row.key + "'", *value, row.choices);
    return Value(*value);
  }
  if (std::holds_alternative<std::vector<int>*>(row.target)) {
    const auto* list = std::get_if<std::vector<std::int64_t>>(&written);
    if (!list) return wanted("a list of whole numbers such as [128, 128]");
    std::vector<int> values;
    for (const std::int64_t item : *list) {
      if (!std::in_range<int>(item) || !in_range(static_cast<double>(item))) return outside();
      values.push_back(static_cast<int>(item));
    }
    return Value(values);
  }
  if (std::holds_alternative<double*>(row.target)) {
    const auto* real = std::get_if<double>(&written);
    if (!real && !whole) return wanted("a number");
    const double value = real ? *real : static_cast<double>(*whole);
    if (!in_range(value)) return outside();
    return Value(value);
  }
  if (!whole) return wanted("a whole number");
  if (!in_range(static_cast<double>(*whole))) return outside();
  if (std::holds_alternative<std::int64_t*>(row.target)) return Value(*whole);
  if (!std::in_range<int>(*whole)) return wanted("a smaller number");
  return Value(static_cast<int>(*whole));
}

void assign(const OptionRow& row, Value value) {
  std::visit([&](auto* target) { *target = std::get<std::remove_pointer_t<decltype(target)>>(std::move(value)); },
             row.target);
}

Result<const OptionRow*> find_row(std::span<const OptionRow> rows, std::string_view key, std::string_view where) {
  for (const OptionRow& row : rows)
    if (row.key == key) return &row;
  std::vector<std::string> known;
  for (const OptionRow& row : rows) known.push_back(row.key);
  return unknown_name("option", key, known, where);
}

struct Assignment {
  const OptionRow* row;
  Value value;
};

// Collects what a table sets, its groups as dotted keys.
Result<void> collect(std::span<const OptionRow> rows, const toml::table& table, const std::string& group,
                     const std::string& file, std::vector<Assignment>& assignments) {
  for (const auto& [name, node] : table) {
    const std::string key = group + std::string(name.str());
    if (const toml::table* inner = node.as_table()) {
      if (Result<void> result = collect(rows, *inner, key + ".", file, assignments); !result) return result;
      continue;
    }
    const std::string where = file + ":" + std::to_string(node.source().begin.line) + ": ";
    const Result<const OptionRow*> row = find_row(rows, key, where);
    if (!row) return row.error();
    Result<Value> value = fitting(*row.value(), written_node(node));
    if (!value) return Error{where + value.error().message};
    assignments.push_back({row.value(), std::move(value).value()});
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

std::string value_text(const OptionRow& row) {
  struct Visitor {
    std::string operator()(const double* value) const {
      const std::string text = number_text(*value);
      return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
    }
    std::string operator()(const int* value) const { return std::to_string(*value); }
    std::string operator()(const std::int64_t* value) const { return std::to_string(*value); }
    std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
    std::string operator()(const std::string* value) const { return string_text(*value); }
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
  for (const std::string& choice : row.choices) text.append(text.empty() ? "" : " | ") += choice;
  const bool low = !std::isinf(row.low), high = !std::isinf(row.high);
  if (low && high) text.append(number_text(row.low)).append(" to ") += number_text(row.high);
  if (low && !high) text.append("from ") += number_text(row.low);
  if (!low && high) text.append("up to ") += number_text(row.high);
  return text.empty() ? text : " (" + text + ")";
}

}  // namespace

Result<void> set_option(std::span<const OptionRow> rows, std::string_view key, std::string_view value,
                        std::string_view where) {
  const Result<const OptionRow*> row = find_row(rows, key, where);
  if (!row) return row.error();
  Result<Value> fits = fitting(*row.value(), written_text(row.value()->target, value));
  if (!fits)
    return Error{std::string(where) + fits.error().message + ", not '" + std::string(value.substr(0, 100)) + "'"};
  assign(*row.value(), std::move(fits).value());
  return {};
}

Result<void> set_option(std::span<const OptionRow> rows, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos)
    return Error{"--set needs key=value, not '" + std::string(assignment.substr(0, 100)) + "'"};
  return set_option(rows, assignment.substr(0, equals), assignment.substr(equals + 1), "--set ");
}

Result<void> read_toml(std::span<const OptionRow> rows, std::string_view text, std::string_view file) {
  const std::string name(file);
  if (text.size() > kLongestText) return Error{name + ": too long for a configuration"};
  for (std::size_t from = 0, line = 1; from < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    if (end - from > kLongestLine) return Error{name + ":" + std::to_string(line) + ": the line is too long"};
    from = end + 1;
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (const std::size_t line = stray_character(text); line != 0)
    return Error{name + ":" + std::to_string(line) + ": a character beyond ASCII outside strings and comments"};
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return Error{name + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description())};
  }
  std::vector<Assignment> assignments;
  if (Result<void> result = collect(rows, parsed.table(), "", name, assignments); !result) return result;
  for (Assignment& assignment : assignments) assign(*assignment.row, std::move(assignment.value));
  return {};
}

std::string write_toml(std::span<const OptionRow> rows) {
  std::string text;
  for (const OptionRow& row : rows) {
    text.append(text.empty() ? "" : "\n").append("# ").append(row.help).append(range_text(row)).append("\n");
    text.append(row.key).append(" = ").append(value_text(row)).append("\n");
  }
  return text;
}

}  // namespace rival
