#include "base/sincos.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rival {
namespace {

TEST(SinCos, IsAsGoodAsFloatsAllow) {
  double worst = 0;
  const auto compare = [&](float x) {
    const SinCos got = sincos(x);
    worst = std::fmax(worst, std::fabs(got.sin - std::sin(static_cast<double>(x))));
    worst = std::fmax(worst, std::fabs(got.cos - std::cos(static_cast<double>(x))));
  };
  for (int i = -500'000; i <= 500'000; ++i) {
    compare(static_cast<float>(i) * 1e-5f);
    compare(static_cast<float>(i) * 2e-3f);
  }
  EXPECT_LT(worst, 2e-7);
  EXPECT_EQ(sincos(0).sin, 0);
  EXPECT_EQ(sincos(0).cos, 1);
}

}  // namespace
}  // namespace rival
