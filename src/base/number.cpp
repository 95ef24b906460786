#include "base/number.hpp"

#include <charconv>
#include <cmath>

namespace rival {
namespace {

template <class T>
std::optional<T> read(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

template <class... Format>
std::string written(double value, Format... format) {
  char buffer[512];  // the largest number has 309 digits
  const auto [end, code] = std::to_chars(buffer, buffer + sizeof buffer, value, format...);
  return {buffer, code == std::errc() ? end : buffer};
}

// Without the sign of a number that shows as zero.
std::string unsigned_zero(std::string text) {
  if (text.starts_with('-') && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

// Whole numbers in full: "1000000", which shortest() writes 1e+06.
std::string bound(double value) {
  return value == std::floor(value) && std::abs(value) < 1e16 ? with_decimals(value, 0) : shortest(value);
}
std::string bound(std::int64_t value) {
  return std::to_string(value);
}

Error not_that(std::string_view name, const std::string& wanted, std::string_view text) {
  constexpr std::size_t kShown = 100;
  return {std::string(name) + " must be " + wanted + ", not '" + std::string(text.substr(0, kShown)) + "'"};
}

}  // namespace

std::optional<double> read_real(std::string_view text) {
  return read<double>(text);
}

std::optional<std::int64_t> read_whole(std::string_view text) {
  if (const auto whole = read<std::int64_t>(text)) return whole;
  const auto real = read<double>(text);
  if (!real || *real != std::floor(*real) || !(std::abs(*real) <= 9e15)) return {};
  return static_cast<std::int64_t>(*real);
}

template <class T>
std::string Range<T>::text() const {
  const Range all;
  std::string text = std::is_floating_point_v<T> ? "a number" : "a whole number";
  if (low > all.low && high < all.high) return text + " from " + bound(low) + " to " + bound(high);
  if (low > all.low) return text + " of at least " + bound(low);
  if (high < all.high) return text + " of at most " + bound(high);
  return text;
}
template struct Range<double>;
template struct Range<std::int64_t>;

Result<double> parse_real(std::string_view name, std::string_view text, Range<double> range) {
  const std::optional<double> value = read_real(text);
  if (!value || !std::isfinite(*value) || !(*value >= range.low && *value <= range.high))
    return not_that(name, range.text(), text);
  return *value;
}

Result<std::int64_t> parse_whole(std::string_view name, std::string_view text, Range<std::int64_t> range) {
  const std::optional<std::int64_t> value = read_whole(text);
  if (!value || *value < range.low || *value > range.high) return not_that(name, range.text(), text);
  return *value;
}

std::string shortest(double value) {
  return written(value);
}

std::string shortest(float value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::string with_decimals(double value, int decimals) {
  return unsigned_zero(written(value, std::chars_format::fixed, decimals));
}

std::string with_sign(double value, int decimals) {
  const std::string text = with_decimals(value, decimals);
  return text.starts_with('-') ? text : "+" + text;
}

std::string with_digits(double value, int digits) {
  return unsigned_zero(written(value, std::chars_format::general, digits));
}

}  // namespace rival
