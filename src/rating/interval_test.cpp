#include "rating/interval.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "rival/random.hpp"

namespace rival {
namespace {

TEST(Interval, ProportionHalfWidthsInPoints) {
  const auto points = [](std::int64_t trials) {
    return std::round(1000 * proportion_interval(trials / 2, trials).half_width()) / 10;
  };
  EXPECT_DOUBLE_EQ(points(400), 4.9);
  EXPECT_DOUBLE_EQ(points(1000), 3.1);
  EXPECT_DOUBLE_EQ(points(2401), 2.0);
  EXPECT_DOUBLE_EQ(points(9604), 1.0);
}

TEST(Interval, ProportionKnownValues) {
  const Interval some = proportion_interval(8, 10);  // 0.8: Wilson's formula by hand
  EXPECT_NEAR(some.low, 0.490162, 1e-6);
  EXPECT_NEAR(some.high, 0.943318, 1e-6);
  const Interval all = proportion_interval(100, 100);
  EXPECT_NEAR(all.low, 1 / (1 + kZ95 * kZ95 / 100), 1e-12);
  EXPECT_EQ(all.high, 1);
  EXPECT_EQ(proportion_interval(0, 100).low, 0);
  EXPECT_EQ(proportion_interval(0, 0).high, 1);
}

TEST(Interval, MeanKnownValues) {
  const std::vector<double> five = {1, 2, 3, 4, 5};  // t(4) = 2.776445, standard error sqrt(2.5 / 5)
  EXPECT_NEAR(mean_interval(five).low, 3 - 2.776445 * std::sqrt(0.5), 2e-3);
  const std::vector<double> two = {0, 1};
  EXPECT_NEAR(mean_interval(two).high, 0.5 + 12.7062 / 2, 1e-3);
  EXPECT_TRUE(std::isinf(mean_interval(std::vector<double>{1}).high));
}

TEST(Interval, ScoresOfPairsMatchTheHalfWidthOfSingleMatches) {
  std::vector<double> pairs(200);  // 400 matches: half the pairs split, a quarter each won or lost twice
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = i % 2 ? 0.5 : (i % 4 ? 1.0 : 0.0);
  EXPECT_NEAR(score_interval(pairs).half_width(), 0.049, 0.0005);
}

TEST(Interval, ScoresLeaveDoubtWhenAllAreEqual) {
  const std::vector<double> wins(100, 1.0), draws(100, 0.5);
  EXPECT_EQ(score_interval(wins).high, 1);
  EXPECT_LT(score_interval(wins).low, 0.98);
  EXPECT_GT(score_interval(wins).low, 0.93);
  EXPECT_GT(score_interval(draws).half_width(), 0.01);
  EXPECT_EQ(score_interval({}).low, 0);
}

// How often an interval holds the truth, over simulated matches with win and draw probabilities.
template <class MakeInterval>
double coverage(double win, double draw, int matches, MakeInterval&& make) {
  const double truth = win + draw / 2;
  int held = 0;
  constexpr int kTrials = 4000;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random random(Key(7).split(static_cast<std::uint64_t>(trial)));
    std::vector<double> scores(matches);
    for (double& score : scores) {
      const double u = random.uniform();
      score = u < win ? 1 : (u < win + draw ? 0.5 : 0);
    }
    const Interval interval = make(scores);
    held += interval.low <= truth && truth <= interval.high;
  }
  return held / static_cast<double>(kTrials);
}

TEST(Interval, CoversTheTruthNinetyFiveTimesInAHundred) {
  const auto scores = [](const std::vector<double>& s) { return score_interval(s); };
  const auto values = [](const std::vector<double>& s) { return mean_interval(s); };
  const auto wins = [](const std::vector<double>& s) {
    return proportion_interval(std::count(s.begin(), s.end(), 1.0), static_cast<std::int64_t>(s.size()));
  };
  for (const auto& [win, draw] : {std::pair{0.5, 0.0}, {0.3, 0.4}, {0.8, 0.1}, {0.95, 0.0}}) {
    EXPECT_NEAR(coverage(win, draw, 200, scores), 0.95, 0.025) << win << " " << draw;
    if (draw == 0) {
      EXPECT_NEAR(coverage(win, draw, 200, wins), 0.95, 0.025) << win;
    }
  }
  EXPECT_NEAR(coverage(0.5, 0.2, 10, values), 0.95, 0.025);
  // Negative control: an interval half as wide does not.
  const auto narrow = [](const std::vector<double>& s) {
    const Interval i = score_interval(s);
    return Interval{i.low + i.half_width() / 2, i.high - i.half_width() / 2};
  };
  EXPECT_LT(coverage(0.5, 0.0, 200, narrow), 0.8);
}

}  // namespace
}  // namespace rival
