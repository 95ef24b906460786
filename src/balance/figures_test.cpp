#include "balance/figures.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "balance/results.hpp"
#include "base/check.hpp"
#include "rival/random.hpp"

namespace rival::balance {
namespace {

// Matches of pairs of options whose rates are known.
std::vector<MatchResult> play(const SquareMatrix& rates, int pairs_each, Key key) {
  std::vector<MatchResult> results;
  Random random(key);
  for (int i = 0; i < rates.size(); ++i)
    for (int j = i + 1; j < rates.size(); ++j)
      for (int n = 0; n < 2 * pairs_each; ++n) {
        const bool swapped = n % 2 == 1;
        const bool won = static_cast<double>(random.uniform()) < rates(i, j);
        results.push_back({.pair = n / 2,
                           .parameters = {},
                           .first = {swapped ? j : i},
                           .second = {swapped ? i : j},
                           .score = won == swapped ? 0.0f : 1.0f});
      }
  return results;
}

SquareMatrix beats(int options, std::initializer_list<std::pair<int, int>> wins, double rate = 1) {
  SquareMatrix rates(options, 0.5);
  for (const auto& [winner, loser] : wins) rates(winner, loser) = rate, rates(loser, winner) = 1 - rate;
  return rates;
}

WinRates exactly(const SquareMatrix& rates) {
  WinRates exact(rates.size());
  for (int i = 0; i < rates.size(); ++i)
    for (int j = 0; j < rates.size(); ++j) exact(i, j) = {rates(i, j), {rates(i, j), rates(i, j)}, 1'000'000};
  return exact;
}

enum { rock, paper, scissors, fourth, fifth };

TEST(PickEquilibrium, OfRockPaperScissorsWithFireAndWaterIsTheKnownOne) {
  const SquareMatrix rates = beats(5, {{rock, scissors},
                                       {rock, fifth},
                                       {paper, rock},
                                       {paper, fifth},
                                       {scissors, paper},
                                       {scissors, fifth},
                                       {fourth, rock},
                                       {fourth, paper},
                                       {fourth, scissors},
                                       {fifth, fourth}});
  const NashAveraging nash = pick_equilibrium(rates);
  for (const int option : {rock, paper, scissors}) EXPECT_NEAR(nash.mix[option], 1.0 / 9, 1e-6);
  for (const int option : {fourth, fifth}) EXPECT_NEAR(nash.mix[option], 1.0 / 3, 1e-6);
  EXPECT_NEAR(nash.entropy, 1.4648, 1e-4);
}

TEST(PickEquilibrium, OfBiasedRockPaperScissorsIsProportionalToTheOtherStakes) {
  SquareMatrix rates(3, 0.5);
  const double a = 0.3, b = 0.8, c = 0.5;  // rock beats scissors by a, paper rock by b, scissors paper by c
  const auto set = [&](int i, int j, double by) { rates(i, j) = (1 + by) / 2, rates(j, i) = (1 - by) / 2; };
  set(rock, scissors, a), set(paper, rock, b), set(scissors, paper, c);
  const NashAveraging nash = pick_equilibrium(rates);
  EXPECT_NEAR(nash.mix[rock], c / (a + b + c), 1e-6);
  EXPECT_NEAR(nash.mix[paper], a / (a + b + c), 1e-6);
  EXPECT_NEAR(nash.mix[scissors], b / (a + b + c), 1e-6);
}

TEST(Dominated, RockBesideTheWellAndNothingElse) {
  const SquareMatrix rates = beats(
      4, {{rock, scissors}, {paper, rock}, {scissors, paper}, {fourth, rock}, {fourth, scissors}, {paper, fourth}});
  for (const WinRates& seen : {exactly(rates), WinRates(4, play(rates, 1200, Key(1)))}) {
    const std::vector<Dominated> found = dominated(seen);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].option, rock);
    EXPECT_EQ(found[0].by, fourth);
  }
  // Chances instead of certainties.
  const SquareMatrix blurred = beats(
      4, {{rock, scissors}, {paper, rock}, {scissors, paper}, {fourth, rock}, {fourth, scissors}, {paper, fourth}},
      0.7);
  const std::vector<Dominated> found = dominated(WinRates(4, play(blurred, 1200, Key(2))));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].option, rock);
}

TEST(Dominated, NothingInAHundredBalancedGames) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const int options = 2 + static_cast<int>(seed % 9);
    SquareMatrix rates(options, 0.5);
    if (seed % 2 == 1)  // cycles, in which each is as good as the others
      for (int i = 0; i < options; ++i)
        for (int j = i + 1; j < options; ++j)
          if (options % 2 == 1) rates(i, j) = (j - i) % 2 == 1 ? 0.6 : 0.4, rates(j, i) = 1 - rates(i, j);
    EXPECT_TRUE(dominated(WinRates(options, play(rates, 100 + 100 * static_cast<int>(seed % 3), Key(seed)))).empty())
        << seed;
  }
}

TEST(Dominated, ShuffledResultsClaimNothing) {
  const SquareMatrix rates = beats(
      4, {{rock, scissors}, {paper, rock}, {scissors, paper}, {fourth, rock}, {fourth, scissors}, {paper, fourth}});
  std::vector<MatchResult> results = play(rates, 1200, Key(1));
  Random random(Key(3));
  for (std::size_t i = 1; i < results.size(); ++i)
    std::swap(results[i].score, results[random.below(static_cast<int>(i + 1))].score);
  const WinRates shuffled(4, results);
  EXPECT_TRUE(dominated(shuffled).empty());
  EXPECT_TRUE(counters(shuffled).empty());
  EXPECT_EQ(top_diversity(shuffled), 4);
}

TEST(Dominated, TooFewMatchesClaimNothing) {
  const SquareMatrix rates = beats(3, {{paper, rock}, {paper, scissors}, {scissors, rock}}, 0.9);
  EXPECT_TRUE(dominated(WinRates(3, play(rates, 20, Key(1)))).empty());
  EXPECT_EQ(dominated(WinRates(3, play(rates, 2000, Key(1)))).size(), 2u);
}

// ---- a yardstick: any two-sided game in secret picks, solved as a linear program ----

struct MatrixGame {
  double value = 0;
  std::vector<double> rows, columns;  // an equilibrium
};

// With all payoffs made positive, the columns' y / value solve: maximise sum y, A y <= 1, y >= 0; the rows' x are its
// dual (Dantzig 1951).
MatrixGame solve_exactly(const std::vector<std::vector<double>>& payoffs) {
  constexpr double kTiny = 1e-12;
  const std::size_t m = payoffs.size(), n = m > 0 ? payoffs[0].size() : 0;
  check(m > 0 && n > 0, "a matrix game needs rows and columns");
  double lowest = payoffs[0][0];
  for (const std::vector<double>& row : payoffs) lowest = std::min(lowest, *std::min_element(row.begin(), row.end()));
  const double shift = 1 - lowest;
  // The tableau: n variables, m slacks, the right-hand side; the last row is the objective.
  const std::size_t width = n + m + 1;
  std::vector<std::vector<double>> t(m + 1, std::vector<double>(width));
  std::vector<std::size_t> basis(m);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) t[i][j] = payoffs[i][j] + shift;
    t[i][n + i] = t[i][width - 1] = 1;
    basis[i] = n + i;
  }
  for (std::size_t j = 0; j < n; ++j) t[m][j] = -1;
  for (;;) {
    std::size_t enter = 0;
    while (enter + 1 < width && t[m][enter] >= -kTiny) ++enter;
    if (enter + 1 == width) break;
    std::size_t leave = m;
    for (std::size_t i = 0; i < m; ++i) {
      if (t[i][enter] <= kTiny) continue;
      if (leave == m) {
        leave = i;
        continue;
      }
      const double ours = t[i][width - 1] / t[i][enter], best = t[leave][width - 1] / t[leave][enter];
      if (ours < best - kTiny || (ours <= best + kTiny && basis[i] < basis[leave])) leave = i;
    }
    check(leave < m, "a matrix game has no bound");
    const double pivot = t[leave][enter];
    for (double& value : t[leave]) value /= pivot;
    for (std::size_t i = 0; i <= m; ++i) {
      const double factor = t[i][enter];
      if (i == leave || factor == 0) continue;
      for (std::size_t j = 0; j < width; ++j) t[i][j] -= factor * t[leave][j];
    }
    basis[leave] = enter;
  }
  const double total = t[m][width - 1];
  MatrixGame game{.value = 1 / total - shift, .rows = std::vector<double>(m), .columns = std::vector<double>(n)};
  for (std::size_t i = 0; i < m; ++i) {
    game.rows[i] = t[m][n + i] / total;
    if (basis[i] < n) game.columns[basis[i]] = t[i][width - 1] / total;
  }
  return game;
}

// Two sides place coins on fields in secret; a field goes to whoever has more there, the match to who has more fields.
TEST(MatrixGame, SolvesColonelBlotto) {
  std::vector<std::array<int, 3>> placings;
  for (int a = 0; a <= 10; ++a)
    for (int b = 0; a + b <= 10; ++b) placings.push_back({a, b, 10 - a - b});
  std::vector<std::vector<double>> payoffs;
  for (const auto& ours : placings) {
    payoffs.emplace_back();
    for (const auto& theirs : placings) {
      int fields = 0;
      for (std::size_t f = 0; f < 3; ++f) fields += (ours[f] > theirs[f]) - (ours[f] < theirs[f]);
      payoffs.back().push_back((fields > 0) - (fields < 0));
    }
  }
  const MatrixGame game = solve_exactly(payoffs);
  EXPECT_NEAR(game.value, 0, 1e-9);
  // Nobody gains against the mix, whatever they place.
  double total = 0;
  for (std::size_t j = 0; j < placings.size(); ++j) {
    double worth = 0;
    for (std::size_t i = 0; i < placings.size(); ++i) worth += game.rows[i] * payoffs[i][j];
    EXPECT_GE(worth, -1e-9);
    total += game.rows[j];
    EXPECT_GE(game.rows[j], -1e-12);
  }
  EXPECT_NEAR(total, 1, 1e-9);

  // And what the report computes is an equilibrium of it, the one of most entropy.
  const int n = static_cast<int>(placings.size());
  SquareMatrix rates(n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) rates(i, j) = (1 + payoffs[i][j]) / 2;
  const NashAveraging nash = pick_equilibrium(rates);
  double exact_entropy = 0;
  for (const double share : game.rows)
    if (share > 0) exact_entropy -= share * std::log(share);
  EXPECT_GE(nash.entropy, exact_entropy - 1e-6);
  for (int j = 0; j < n; ++j) {
    double worth = 0;
    for (int i = 0; i < n; ++i) worth += nash.mix[i] * payoffs[i][j];
    EXPECT_GE(worth, game.value - 1e-8);
  }
}

TEST(MatrixGame, SolvesOneThatIsNotFair) {
  // Matching pennies where heads pay three: the first shows heads 3/8, worth 1/8 to the second... value -1/8.
  const MatrixGame game = solve_exactly({{3, -2}, {-2, 1}});
  EXPECT_NEAR(game.value, -1.0 / 8, 1e-9);
  EXPECT_NEAR(game.rows[0], 3.0 / 8, 1e-9);
  EXPECT_NEAR(game.columns[0], 3.0 / 8, 1e-9);
}

TEST(Counters, AreThoseWhoseIntervalIsAboveEven) {
  const SquareMatrix rates = beats(3, {{rock, scissors}}, 0.6);
  const std::vector<Counter> found = counters(WinRates(3, play(rates, 1200, Key(5))));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].option, rock);
  EXPECT_EQ(found[0].against, scissors);
  EXPECT_NEAR(found[0].rate, 0.6, 0.04);
}

}  // namespace
}  // namespace rival::balance
