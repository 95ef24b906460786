// JSON from outside, read strictly: every number is checked before it is converted, every list before it is copied.
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/number.hpp"
#include "base/result.hpp"
#include "base/words.hpp"

namespace rival {

// More than any count of steps or matches gets to; sums of a thousand such fit 64 bits, and each one fits a double.
inline constexpr std::int64_t kMostCounted = 1'000'000'000'000'000;

// Any text as JSON. `place` ("ladder.json") is how the error names it. Errors: no valid JSON, an object that has a key
// twice, objects and lists more than 32 deep.
Result<nlohmann::json> parse_json(std::string_view text, const std::string& place);

// The fields of one object, which may hold anything. The first one that is missing or wrong becomes `error`, if there
// is none yet: "PLACE: 'NAME' must be a whole number from 0 to 8, not 1e+300". What is wrong reads as 0, or as the
// lowest value that is possible, or as nothing, so that one look at `error` at the end is enough. `object` and `error`
// must outlive it.
class JsonFields {
 public:
  JsonFields(const nlohmann::json& object, std::string place, std::optional<Error>& error);
  JsonFields(nlohmann::json&&, std::string, std::optional<Error>&) = delete;  // it would not outlive it
  JsonFields(const nlohmann::json&&, std::string, std::optional<Error>&) = delete;

  bool has(const char* name) const { return object_.is_object() && object_.contains(name); }
  // All fields have one of these names: a misspelt one is an error.
  void only(std::span<const std::string> names);

  // A line of at most 1000 bytes, without control characters.
  std::string text(const char* name);
  // Finite and in range.
  template <std::floating_point T = double>
  T real(const char* name, Range<T> range = {}) {
    return static_cast<T>(read_real(name, at(name), {range.low, range.high}));
  }
  // Written without a point or an exponent, and in range.
  template <std::signed_integral T = std::int64_t>
  T whole(const char* name, Range<T> range = {}) {
    return static_cast<T>(read_whole(name, at(name), {range.low, range.high}));
  }
  // How many: from 0 to kMostCounted.
  std::int64_t count(const char* name) { return whole<std::int64_t>(name, {0, kMostCounted}); }
  // Any 64 bits.
  std::uint64_t bits(const char* name);

  const nlohmann::json& list(const char* name, std::size_t longest);
  template <std::floating_point T = double>
  std::vector<T> reals(const char* name, std::size_t longest, Range<T> range = {}) {
    std::vector<T> values;
    for (const nlohmann::json& value : list(name, longest))
      values.push_back(static_cast<T>(read_real(name, value, {range.low, range.high})));
    return values;
  }
  template <std::signed_integral T>
  std::vector<T> wholes(const char* name, std::size_t longest, Range<T> range = {}) {
    std::vector<T> values;
    for (const nlohmann::json& value : list(name, longest))
      values.push_back(static_cast<T>(read_whole(name, value, {range.low, range.high})));
    return values;
  }

  // One of an enum's words (base/words.hpp).
  template <typename T>
  T word(const char* name) {
    const std::optional<T> value = from_word<T>(text(name));
    std::string known;
    for (const std::string& word : words_of<T>()) known.append(known.empty() ? "" : ", ") += word;
    if (!value) must_be(name, "one of " + known, field(name));
    return value.value_or(T{});
  }

  // The field as it stands; null if it is missing.
  const nlohmann::json& field(const char* name) const;
  const std::string& place() const { return place_; }
  // Makes "PLACE: 'NAME' WHAT" the error, if there is none yet.
  void fail(const char* name, const std::string& what);

 private:
  // The field, which must be there.
  const nlohmann::json& at(const char* name);
  double read_real(const char* name, const nlohmann::json& value, Range<double> range);
  std::int64_t read_whole(const char* name, const nlohmann::json& value, Range<std::int64_t> range);
  void must_be(const char* name, const std::string& wanted, const nlohmann::json& value);

  const nlohmann::json& object_;
  std::string place_;
  std::optional<Error>& error_;
};

}  // namespace rival
