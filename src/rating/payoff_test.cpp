#include "rating/payoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "rival/random.hpp"

namespace rival {
namespace {

SquareMatrix antisymmetric(int n, std::initializer_list<double> upper) {
  SquareMatrix a(n);
  const double* next = upper.begin();
  for (int i = 0; i < n; ++i)
    for (int j = i + 1; j < n; ++j) {
      a(i, j) = *next++;
      a(j, i) = -a(i, j);
    }
  return a;
}

// No player gains against the mix, and it is a distribution.
void expect_equilibrium(const NashAveraging& nash, double tolerance) {
  double sum = 0;
  for (double p : nash.mix) {
    EXPECT_GE(p, 0);
    sum += p;
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  for (double gain : nash.skill) EXPECT_LE(gain, tolerance);
}

TEST(NashAveraging, BiasedRockPaperScissors) {
  // Rock beats scissors by a, paper beats rock by b, scissors beat paper by c.
  const double a = 1, b = 2, c = 5;
  const NashAveraging nash = nash_averaging(antisymmetric(3, {-b, a, -c}));
  expect_equilibrium(nash, 1e-7);
  EXPECT_NEAR(nash.mix[0], c / (a + b + c), 1e-7);
  EXPECT_NEAR(nash.mix[1], a / (a + b + c), 1e-7);
  EXPECT_NEAR(nash.mix[2], b / (a + b + c), 1e-7);
}

TEST(NashAveraging, RockPaperScissorsFireWater) {
  const NashAveraging nash = nash_averaging(antisymmetric(5, {-1, 1, -1, 1, -1, -1, 1, -1, 1, -1}));
  expect_equilibrium(nash, 1e-7);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(nash.mix[i], 1.0 / 9, 1e-7);
  for (int i = 3; i < 5; ++i) EXPECT_NEAR(nash.mix[i], 1.0 / 3, 1e-7);
  EXPECT_NEAR(nash.entropy, 1.4648, 5e-5);
}

TEST(NashAveraging, TheBestOfATransitivePopulation) {
  const NashAveraging nash = nash_averaging(antisymmetric(3, {1, 2, 1}));
  expect_equilibrium(nash, 1e-6);
  EXPECT_NEAR(nash.mix[0], 1, 1e-5);
  EXPECT_NEAR(nash.skill[1], -1, 1e-5);
  EXPECT_NEAR(nash.skill[2], -2, 1e-5);
}

// Of many equilibria the one of greatest entropy: copies share, and nobody profits from being listed twice.
TEST(NashAveraging, CopiesShare) {
  const NashAveraging nash = nash_averaging(antisymmetric(4, {0, -1, 1, -1, 1, -1}));  // rock, rock, paper, scissors
  expect_equilibrium(nash, 1e-7);
  EXPECT_NEAR(nash.mix[0], 1.0 / 6, 1e-7);
  EXPECT_NEAR(nash.mix[1], 1.0 / 6, 1e-7);
  EXPECT_NEAR(nash.mix[2], 1.0 / 3, 1e-7);
  EXPECT_NEAR(nash_averaging(SquareMatrix(7)).entropy, std::log(7.0), 1e-12);
}

TEST(NashAveraging, RandomGames) {
  Random random(Key(11));
  for (int trial = 0; trial < 100; ++trial) {
    const int n = 2 + random.below(20);
    SquareMatrix a(n);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < i; ++j) a(i, j) = -(a(j, i) = static_cast<double>(random.uniform(-3, 3)));
    expect_equilibrium(nash_averaging(a), 1e-4);
  }
}

TEST(AlphaRank, TwoStrategiesInClosedForm) {
  // The chain between two states spends time in proportion to the two fixation probabilities, whose ratio is
  // e^((m - 1) u).
  SquareMatrix payoffs(2, 0.5);
  payoffs(0, 1) = 0.6, payoffs(1, 0) = 0.4;
  const double alpha = 1.5;
  const int m = 20;
  const double u = alpha * m / (m - 1) * 0.1, ratio = std::exp((m - 1) * u);
  const std::vector<double> share = alpha_rank(payoffs, alpha, m);
  EXPECT_NEAR(share[0] / share[1], ratio, 1e-9 * ratio);
}

TEST(AlphaRank, CyclesAndLines) {
  SquareMatrix cycle(3, 0.5), line(4, 0.5), even(5, 0.5);
  for (int i = 0; i < 3; ++i) cycle(i, (i + 1) % 3) = 0.9, cycle((i + 1) % 3, i) = 0.1;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < i; ++j) line(i, j) = 0.8, line(j, i) = 0.2;
  for (double share : alpha_rank(cycle)) EXPECT_NEAR(share, 1.0 / 3, 1e-12);
  EXPECT_GT(alpha_rank(line)[3], 0.999);
  for (double share : alpha_rank(even)) EXPECT_NEAR(share, 0.2, 1e-12);
  EXPECT_GT(alpha_rank(line, 1000, 100)[3], 0.999);  // no digits are lost at any pressure
}

// Against plain power iteration of the definition.
TEST(AlphaRank, StationaryOfItsChain) {
  Random random(Key(2));
  const int n = 6, m = 30;
  const double alpha = 0.8;
  SquareMatrix payoffs(n, 0.5), chain(n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < i; ++j) payoffs(i, j) = 1 - (payoffs(j, i) = static_cast<double>(random.uniform()));
  for (int i = 0; i < n; ++i) {
    double leaves = 0;
    for (int j = 0; j < n; ++j) {
      if (i == j) continue;
      const double u = alpha * m / (m - 1.0) * (payoffs(j, i) - 0.5);
      leaves += chain(i, j) = (1 - std::exp(-u)) / (1 - std::exp(-m * u)) / (n - 1);
    }
    chain(i, i) = 1 - leaves;
  }
  std::vector<double> share(n, 1.0 / n);
  for (int step = 0; step < 5000; ++step) {
    std::vector<double> next(n);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) next[j] += share[i] * chain(i, j);
    share = next;
  }
  const std::vector<double> ranked = alpha_rank(payoffs, alpha, m);
  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(ranked[i], share[i], 1e-6);
}

TEST(Hodge, RatingsAndCyclesComeApart) {
  EXPECT_NEAR(hodge_decompose(antisymmetric(3, {-1, 1, -1})).cyclic_share, 1, 1e-12);
  const HodgeDecomposition line = hodge_decompose(antisymmetric(3, {1, 3, 2}));
  EXPECT_NEAR(line.cyclic_share, 0, 1e-12);
  EXPECT_NEAR(line.potential[0] - line.potential[2], 3, 1e-12);
  const HodgeDecomposition mixed = hodge_decompose(antisymmetric(3, {0, 2, 0}));  // the line {2/3, 4/3, 2/3}, the rest
  EXPECT_NEAR(mixed.cyclic_share, (3 * 4.0 / 9) / 4, 1e-12);
}

std::vector<PairResult> simulate(const SquareMatrix& p, int matches, Random& random) {
  std::vector<PairResult> results;
  for (int i = 0; i < p.size(); ++i)
    for (int j = i + 1; j < p.size(); ++j) {
      PairResult r{.first = i, .second = j};
      for (int m = 0; m < matches; ++m) ++(random.uniform() < static_cast<float>(p(i, j)) ? r.wins : r.losses);
      results.push_back(r);
    }
  return results;
}

TEST(Cycles, FoundWhereTheyAre) {
  Random random(Key(4));
  SquareMatrix p(6, 0.5);
  for (int i = 0; i < 3; ++i) p(i, (i + 1) % 3) = 0.65, p((i + 1) % 3, i) = 0.35;
  const std::vector<PairResult> results = simulate(p, 1000, random);
  const std::vector<Cycle> cycles = find_cycles(6, results);
  ASSERT_EQ(cycles.size(), 1u);
  EXPECT_EQ(cycles[0].players, (std::array<int, 3>{0, 1, 2}));
  EXPECT_NEAR(cycles[0].scores[0], 0.65, 0.05);
}

// The negative control: players of one strength, and players on a line, never make one.
TEST(Cycles, NotWhereThereAreNone) {
  Random random(Key(6));
  for (int trial = 0; trial < 200; ++trial) {
    SquareMatrix p(8, 0.5);
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < 8; ++j) p(i, j) = elo_score((i - j) * (trial % 4) * 5.0);
    EXPECT_TRUE(find_cycles(8, simulate(p, 60, random)).empty()) << trial;
  }
}

TEST(ScoreMatrix, FillsInFromRatings) {
  const std::vector<PairResult> results = {{0, 1, 90, 0, 10}, {1, 2, 90, 0, 10}};
  const EloRatings ratings = fit_elo(3, results);
  const SquareMatrix scores = score_matrix(ratings, results);
  EXPECT_NEAR(scores(0, 1), 0.9, 0.01);
  EXPECT_NEAR(scores(0, 2), 0.988, 0.003);
  EXPECT_NEAR(scores(0, 2) + scores(2, 0), 1, 1e-12);
  EXPECT_EQ(scores(1, 1), 0.5);
  EXPECT_NEAR(log_odds(scores)(0, 1), -log_odds(scores)(1, 0), 1e-7);
}

}  // namespace
}  // namespace rival
