// Whether numbers are finite: no infinity, no NaN.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace rival {

// By their bits, because sums of floats have to be worked out one after another, and words need not be.
inline bool all_finite(const float* x, std::size_t count) {
  constexpr std::uint32_t kSign = 0x8000'0000, kLowestExponent = 0x0080'0000;
  constexpr std::size_t kAtOnce = 16;
  std::uint32_t carried[kAtOnce] = {};  // an exponent of all ones carries into the sign
  const auto look = [&](float value, std::size_t lane) {
    carried[lane] |= (std::bit_cast<std::uint32_t>(value) & ~kSign) + kLowestExponent;
  };
  std::size_t i = 0;
  for (; i + kAtOnce <= count; i += kAtOnce)
    for (std::size_t lane = 0; lane < kAtOnce; ++lane) look(x[i + lane], lane);
  for (; i < count; ++i) look(x[i], 0);
  for (std::uint32_t lane : carried) carried[0] |= lane;
  return (carried[0] & kSign) == 0;
}

// Where the first one stands that is not; `count` if there is none.
inline std::size_t first_not_finite(const float* x, std::size_t count) {
  if (all_finite(x, count)) return count;
  return static_cast<std::size_t>(std::find_if(x, x + count, [](float v) { return !std::isfinite(v); }) - x);
}

}  // namespace rival
