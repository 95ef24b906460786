#include "report/series.hpp"

#include <cstdint>

namespace rival {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void append(std::string& out, std::uint64_t value) {
  for (; value >= 32; value >>= 5) out += kAlphabet[32 | (value & 31)];
  out += kAlphabet[value];
}

}  // namespace

std::string encode_series(std::span<const int> values) {
  std::string out;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < values.size();) {
    const std::int64_t difference = values[i] - last;
    last = values[i++];
    append(out, static_cast<std::uint64_t>(difference < 0 ? -2 * difference - 1 : 2 * difference));
    if (difference != 0) continue;
    std::uint64_t more = 0;
    for (; i < values.size() && values[i] == last; ++i) ++more;
    append(out, more);
  }
  return out;
}

std::vector<int> decode_series(std::string_view text) {
  std::vector<int> values;
  std::size_t at = 0;
  const auto next = [&] {
    std::uint64_t value = 0;
    for (int shift = 0; at < text.size(); shift += 5) {
      const std::uint64_t digit = kAlphabet.find(text[at++]);
      value |= (digit & 31) << shift;
      if (digit < 32) break;
    }
    return value;
  };
  std::int64_t last = 0;
  while (at < text.size()) {
    const std::uint64_t z = next();
    last += static_cast<std::int64_t>(z >> 1) ^ -static_cast<std::int64_t>(z & 1);
    values.push_back(static_cast<int>(last));
    if (z == 0)
      for (std::uint64_t more = next(); more > 0; --more) values.push_back(static_cast<int>(last));
  }
  return values;
}

}  // namespace rival
