#include "base/finite.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace rival {
namespace {

TEST(Finite, IsWhatIsNeitherInfiniteNorNan) {
  using Limits = std::numeric_limits<float>;
  const std::vector<float> sound{0.0f, -0.0f, 1.0f, Limits::max(), Limits::lowest(), Limits::denorm_min()};
  EXPECT_TRUE(all_finite(sound.data(), sound.size()));
  EXPECT_TRUE(all_finite(nullptr, 0));
  for (float bad : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::signaling_NaN()})
    for (std::size_t place = 0; place < 40; ++place) {
      std::vector<float> x(40, -2.5f);
      x[place] = bad;
      EXPECT_FALSE(all_finite(x.data(), x.size()));
      EXPECT_TRUE(all_finite(x.data(), place));
      EXPECT_EQ(first_not_finite(x.data(), x.size()), place);
      EXPECT_EQ(first_not_finite(x.data(), place), place);
    }
}

}  // namespace
}  // namespace rival
