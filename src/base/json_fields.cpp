#include "base/json_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/names.hpp"

namespace rival {
namespace {

using nlohmann::json;

constexpr int kDeepest = 32;
constexpr std::size_t kLongestText = 1000;
constexpr std::size_t kShown = 60;  // bytes of what is amiss, in a message

bool is_line(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    // U+0080 to U+009F, which some terminals obey as well.
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
  }
  return text.size() <= kLongestText;
}

// Short, for a message.
std::string shown(const json& value) {
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);  // pure ASCII, so that it may be cut
  if (text.size() > kShown) text = text.substr(0, kShown) + "...";
  return text;
}

// Finds what is valid JSON and yet none of ours. A look before parsing: the library's parser takes a time that grows
// with the square of an object's length where it calls back meanwhile.
struct Strict {
  std::vector<std::set<std::string>> keys;  // of the objects that are open; empty for lists
  std::string problem;

  bool open() {
    keys.emplace_back();
    if (keys.size() > static_cast<std::size_t>(kDeepest))
      problem = fmt::format("objects and lists are more than {} deep", kDeepest);
    return problem.empty();
  }
  bool close() {
    keys.pop_back();
    return true;
  }

  // What the library calls.
  bool start_object(std::size_t) { return open(); }
  bool end_object() { return close(); }
  bool start_array(std::size_t) { return open(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    if (!keys.back().insert(name).second) problem = "an object has the key " + shown(name) + " twice";
    return problem.empty();
  }
  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(std::int64_t) { return true; }
  bool number_unsigned(std::uint64_t) { return true; }
  bool number_float(double, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(json::binary_t&) { return true; }
  bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }
};

}  // namespace

Result<json> parse_json(std::string_view text, const std::string& place) {
  Strict strict;
  const bool valid = json::sax_parse(text.begin(), text.end(), &strict);
  if (!strict.problem.empty()) return Error{place + ": " + strict.problem};
  if (!valid) return Error{place + ": no valid JSON"};
  return json::parse(text.begin(), text.end(), nullptr, false);
}

JsonFields::JsonFields(const json& object, std::string place, std::optional<Error>& error)
    : object_(object), place_(std::move(place)), error_(error) {
  if (!object_.is_object() && !error_) error_ = Error{place_ + ": must be an object, not " + shown(object_)};
}

void JsonFields::only(std::span<const std::string> names) {
  if (error_ || !object_.is_object()) return;
  for (const auto& item : object_.items())
    if (std::find(names.begin(), names.end(), item.key()) == names.end()) {
      error_ = unknown_name("key", item.key().substr(0, kShown), names, place_ + ": ");
      return;
    }
}

const json& JsonFields::field(const char* name) const {
  static const json kNone;
  return has(name) ? object_[name] : kNone;
}

const json& JsonFields::at(const char* name) {
  if (!has(name)) fail(name, "is missing");
  return field(name);
}

void JsonFields::fail(const char* name, const std::string& what) {
  if (!error_) error_ = Error{place_ + ": '" + name + "' " + what};
}

void JsonFields::must_be(const char* name, const std::string& wanted, const json& value) {
  fail(name, "must be " + wanted + ", not " + shown(value));
}

std::string JsonFields::text(const char* name) {
  const json& value = at(name);
  if (value.is_string() && is_line(value.get_ref<const std::string&>())) return value.get<std::string>();
  must_be(name, "a line of text", value);
  return "";
}

std::uint64_t JsonFields::bits(const char* name) {
  const json& value = at(name);
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  must_be(name, "a whole number of at least 0", value);
  return 0;
}

const json& JsonFields::list(const char* name, std::size_t longest) {
  static const json kEmpty = json::array();
  const json& value = at(name);
  if (value.is_array() && value.size() <= longest) return value;
  if (value.is_array())
    fail(name, fmt::format("has {} entries; at most {} are possible", value.size(), longest));
  else
    must_be(name, "a list", value);
  return kEmpty;
}

double JsonFields::read_real(const char* name, const json& value, Range<double> range) {
  if (value.is_number()) {
    const auto x = value.get<double>();
    if (std::isfinite(x) && x >= range.low && x <= range.high) return x;
  }
  must_be(name, range.text(), value);
  return range.low <= 0 && range.high >= 0 ? 0 : range.low;
}

std::int64_t JsonFields::read_whole(const char* name, const json& value, Range<std::int64_t> range) {
  // Those above 2^63 - 1 are unsigned only.
  if (value.is_number_integer() && !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX)) {
    const auto x = value.get<std::int64_t>();
    if (x >= range.low && x <= range.high) return x;
  }
  must_be(name, range.text(), value);
  return range.low <= 0 && range.high >= 0 ? 0 : range.low;
}

}  // namespace rival
