#include "base/finite.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "base/finite.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h must come first.
#include "base/index.hpp"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace rival::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// By their bits, in which what is not finite has an exponent of all ones: sums of floats would have to be worked out
// one after another.
bool all_finite(const float* x, std::size_t count) {
  constexpr std::int32_t kExponent = 0x7f80'0000;
  const hn::ScalableTag<float> floats;
  const hn::RebindToSigned<decltype(floats)> ints;
  const auto exponent = hn::Set(ints, kExponent);
  const auto exponents = [&](std::size_t at) {
    return hn::And(hn::BitCast(ints, hn::LoadU(floats, x + at)), exponent);
  };
  const std::size_t lanes = hn::Lanes(floats);
  auto even = hn::Zero(ints), odd = even;
  std::size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    even = hn::Max(even, exponents(i));
    odd = hn::Max(odd, exponents(i + lanes));
  }
  if (i + lanes <= count) even = hn::Max(even, exponents(i)), i += lanes;
  if (!hn::AllTrue(ints, hn::Lt(hn::Max(even, odd), exponent))) return false;
  for (; i < count; ++i)
    if ((std::bit_cast<std::int32_t>(x[i]) & kExponent) == kExponent) return false;
  return true;
}

}  // namespace rival::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rival {

HWY_EXPORT(all_finite);

bool all_finite(const float* x, std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(all_finite)(x, count);
}

std::size_t first_not_finite(const float* x, std::size_t count) {
  if (all_finite(x, count)) return count;
  return index(std::find_if(x, x + count, [](float v) { return !std::isfinite(v); }) - x);
}

}  // namespace rival
#endif
