// Numbers as text, both ways. The one place for it: nothing here, and so nothing in Rival, depends on the locale that a
// program has set.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"

namespace rival {

// The whole of `text` as a number: decimal, with an optional sign and exponent ("-3", "0.5", "1e6"); "inf" and "nan"
// are read as well. Nothing may stand before or after it. Too large to be a number of this type: nullopt.
std::optional<double> read_real(std::string_view text);

// The same of a whole number, which may be written as a real one: "1000000", "1e6", "2.0". Those so written are at most
// 9e15, up to which reals hold every whole number.
std::optional<std::int64_t> read_whole(std::string_view text);

// What a number must be; the bounds are inclusive.
template <class T>
struct Range {
  T low = std::numeric_limits<T>::lowest(), high = std::numeric_limits<T>::max();

  // "a number from 0 to 1", "a whole number of at least 1", "a number".
  std::string text() const;
};

// The number that is the whole of `text`, finite and in range. Error: "NAME must be a number from 0 to 1, not 'TEXT'".
Result<double> parse_real(std::string_view name, std::string_view text, Range<double> range = {});
Result<std::int64_t> parse_whole(std::string_view name, std::string_view text, Range<std::int64_t> range = {});

// The same for the other types of numbers.
template <class T>
requires std::is_arithmetic_v<T> Result<T> parse_number(std::string_view name, std::string_view text,
                                                        Range<T> range = {}) {
  if constexpr (std::floating_point<T>) {
    const Result<double> value = parse_real(name, text, {range.low, range.high});
    if (!value) return value.error();
    return static_cast<T>(value.value());
  } else {
    static_assert(sizeof(T) < sizeof(std::int64_t) || std::is_same_v<T, std::int64_t>);
    const Result<std::int64_t> value = parse_whole(name, text, {range.low, range.high});
    if (!value) return value.error();
    return static_cast<T>(value.value());
  }
}

// The shortest text that reads as the same number: "0.1", "1e+06".
std::string shortest(double value);
std::string shortest(float value);
// With this many decimals: "1.50". Never "-0.00".
std::string with_decimals(double value, int decimals);
// The same with a sign always: "+1.50", "+0.00".
std::string with_sign(double value, int decimals);
// With this many significant digits, without trailing zeros: "1.5", "1.23e+06". Never "-0".
std::string with_digits(double value, int digits);

// Names of randomness (seeds) are whole numbers from 0 to this, which every language and format holds exactly.
constexpr std::int64_t kLargestSeed = 9'000'000'000'000'000;

// Letters and digits of ASCII, whatever the locale.
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace rival
