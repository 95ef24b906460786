#include "rating/elo.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "rating/payoff.hpp"
#include "rival/random.hpp"

namespace rival {
namespace {

// The results of `matches` matches a pair between players of these strengths.
std::vector<PairResult> simulate(const std::vector<double>& strength, int matches, Random& random, int reach = 1000) {
  std::vector<PairResult> results;
  const int n = static_cast<int>(strength.size());
  for (int i = 0; i < n; ++i)
    for (int j = i + 1; j < n && j <= i + reach; ++j) {
      PairResult r{.first = i, .second = j};
      const double p = elo_score(strength[i] - strength[j]);
      for (int m = 0; m < matches; ++m) ++(random.uniform() < static_cast<float>(p) ? r.wins : r.losses);
      results.push_back(r);
    }
  return results;
}

TEST(Elo, ScoresOfDifferences) {
  EXPECT_DOUBLE_EQ(elo_score(0), 0.5);
  EXPECT_NEAR(elo_score(400), 10.0 / 11, 1e-12);
  EXPECT_NEAR(elo_difference(0.75), 190.848501888, 1e-6);
  EXPECT_NEAR(elo_difference(elo_score(-123)), -123, 1e-9);
}

// The table of the ground truths: 400, 1,000, 2,401 and 9,604 matches at even strength.
TEST(Elo, StandardErrorAtEvenStrength) {
  const std::pair<double, double> cases[] = {{400, 17}, {1000, 11}, {2401, 7}, {9604, 3.5}};
  for (const auto& [matches, error] : cases) {
    const PairResult even{0, 1, matches / 2, 0, matches / 2};
    const EloRatings fitted = fit_elo(2, {&even, 1});
    EXPECT_NEAR(fitted.error[1], error, error * 0.05) << matches;
    EXPECT_NEAR(1 / std::sqrt(matches * elo_information(0)), error, error * 0.05);
  }
}

TEST(Elo, TwoPlayersAreWhereTheirScoreSays) {
  const PairResult r{.first = 0, .second = 1, .wins = 7000, .draws = 1000, .losses = 2000};
  const EloRatings fitted = fit_elo(2, {&r, 1}, 1, 1500);
  EXPECT_NEAR(fitted.rating[0], 1500 + elo_difference(0.75), 0.1);
  EXPECT_EQ(fitted.rating[1], 1500);
  EXPECT_EQ(fitted.error[1], 0);
}

// The maximum of the likelihood has equal actual and expected scores for every player (Bradley and Terry), but for the
// prior, which 1e6 matches a pair leave no say.
TEST(Elo, ExpectedScoresEqualActualOnes) {
  const std::vector<PairResult> results = {{0, 1, 6e5, 2e5, 2e5}, {1, 2, 5e5, 1e5, 4e5}, {2, 0, 3e5, 0, 7e5}};
  const EloRatings fitted = fit_elo(3, results);
  for (int player = 0; player < 3; ++player) {
    double surplus = 0;
    for (const PairResult& r : results) {
      const double expected = elo_score(fitted.rating[r.first] - fitted.rating[r.second]);
      if (r.first == player) surplus += r.score() - r.matches() * expected;
      if (r.second == player) surplus -= r.score() - r.matches() * expected;
    }
    EXPECT_NEAR(surplus, 0, 0.1);
  }
}

TEST(Elo, UnbeatenPlayersStayFinite) {
  const PairResult all{.first = 0, .second = 1, .wins = 100};
  const EloRatings fitted = fit_elo(2, {&all, 1}, 1);
  EXPECT_GT(fitted.rating[0], 500);
  EXPECT_LT(fitted.rating[0], 2000);
  EXPECT_GT(fitted.error[0], 200);
}

TEST(Elo, UnlinkedPlayersAreKnownToBeUnknown) {
  const std::vector<PairResult> results = {{0, 1, 500, 0, 500}, {2, 3, 500, 0, 500}};
  const EloRatings fitted = fit_elo(4, results);
  EXPECT_LT(fitted.error[1], 12);
  EXPECT_GT(fitted.error[2], 500);
  EXPECT_GT(fitted.error[3], 500);
}

TEST(Elo, RecoversTheTruthWithinItsErrors) {
  Random random(Key(3));
  const std::vector<double> truth = {0, 150, 300, 450, 600, 750, 900, 1050};
  double squares = 0, count = 0;
  for (int trial = 0; trial < 50; ++trial) {
    const EloRatings fitted = fit_elo(8, simulate(truth, 60, random, 3));
    for (std::size_t i = 1; i < truth.size(); ++i) {
      const double z = (fitted.rating[i] - truth[i]) / fitted.error[i];
      squares += z * z;
      ++count;
      EXPECT_LT(std::fabs(z), 5);
    }
  }
  EXPECT_NEAR(squares / count, 1, 0.3);  // standard errors are neither too small nor too large
}

TEST(Elo, OneAgainstKnownOpponents) {
  const std::vector<KnownOpponent> opponents = {{1000, {0, 1, 3000, 0, 1000}}, {1200, {}}};
  const RatingEstimate estimate = rate_against(opponents);
  EXPECT_NEAR(estimate.rating, 1000 + elo_difference(0.75), 0.5);
  EXPECT_NEAR(estimate.error, 1 / std::sqrt(4000 * elo_information(elo_difference(0.75))), 0.01);
  const KnownOpponent lost{.rating = 2000, .result = {0, 1, 0, 0, 50}};
  EXPECT_LT(rate_against({&lost, 1}).rating, 1500);
  EXPECT_GT(rate_against({&lost, 1}).rating, 0);
  EXPECT_EQ(rate_against({}).error, kRatingPrior);
}

TEST(Elo, IntransitivityIsToldFromChance) {
  Random random(Key(5));
  const std::vector<double> truth = {0, 100, 200, 300, 400, 500};
  const std::vector<PairResult> transitive = simulate(truth, 400, random);
  const EloFit good = assess_elo(fit_elo(6, transitive), transitive);
  EXPECT_EQ(good.degrees, 10);
  EXPECT_LT(good.chi_square, 30);
  EXPECT_LT(good.intransitivity, 0.02);
  // On a ladder so long that most pairs are all wins as well.
  const std::vector<double> far = {0, 150, 300, 800, 1300, 1800, 2300, 2800, 3300, 3500};
  const std::vector<PairResult> wide = simulate(far, 100, random);
  EXPECT_LT(assess_elo(fit_elo(10, wide), wide).intransitivity, 0.05);
  const std::vector<PairResult> cyclic = {{0, 1, 320, 0, 80}, {1, 2, 320, 0, 80}, {2, 0, 320, 0, 80}};
  const EloFit bad = assess_elo(fit_elo(3, cyclic), cyclic);
  EXPECT_GT(bad.chi_square, 100);
  EXPECT_GT(bad.intransitivity, 0.95);
}

// The order of a match by Plackett and Luce: the least of exponential times with rates 10^(strength/400).
Placing place(double alone, double others, int count, bool first_alone, Random& random) {
  const auto time = [&](double strength) {
    return -std::log(static_cast<double>(random.uniform()) + 1e-9) / std::pow(10, strength / 400);
  };
  Placing placing{.first_alone = first_alone, .matches = 1};
  const double own = time(alone);
  for (int i = 0; i < count; ++i) (time(others) < own ? placing.ahead : placing.behind) += 1;
  return placing;
}

// Round robins in matches of `sides` sides.
std::vector<PairResult> simulate_places(const std::vector<double>& strength, int sides, int matches, Random& random) {
  std::vector<PairResult> results;
  for (int i = 0; i < static_cast<int>(strength.size()); ++i)
    for (int j = i + 1; j < static_cast<int>(strength.size()); ++j) {
      PairResult r{.first = i, .second = j};
      const double a = strength[i], b = strength[j];
      for (int m = 0; m < matches; ++m)
        r.add(m % 2 ? place(a, b, sides - 1, true, random) : place(b, a, sides - 1, false, random));
      results.push_back(std::move(r));
    }
  return results;
}

TEST(Elo, PlacesOfTwoSidesAreWinsDrawsAndLosses) {
  PairResult places{.first = 0, .second = 1};
  places.add({true, 0, 0, 1, 70}), places.add({true, 0, 1, 0, 10}), places.add({true, 1, 0, 0, 20});
  const PairResult plain{0, 1, 70, 10, 20};
  EXPECT_EQ(places.score(), plain.score());
  EXPECT_EQ(places.matches(), plain.matches());
  const EloRatings a = fit_elo(2, {&places, 1}), b = fit_elo(2, {&plain, 1});
  EXPECT_NEAR(a.rating[1], b.rating[1], 1e-9);
  EXPECT_NEAR(a.error[1], b.error[1], 1e-9);
  // Seen from the other side.
  PairResult turned{.first = 0, .second = 1};
  turned.add({false, 1, 0, 0, 70}), turned.add({false, 0, 1, 0, 10}), turned.add({false, 0, 0, 1, 20});
  EXPECT_NEAR(fit_elo(2, {&turned, 1}).rating[1], b.rating[1], 1e-9);
}

// The information of one match is the variance of its log-likelihood's slope: by the errors that it leads to.
TEST(Elo, InformationOfMatchesOfManySides) {
  EXPECT_NEAR(elo_information(130, 2), elo_information(130), 1e-15);
  Random random(Key(8));
  for (int sides : {3, 5, 8})
    for (double difference : {0.0, 250.0}) {
      const auto results = simulate_places({difference, 0}, sides, 20'000, random);
      EXPECT_NEAR(fit_elo(2, results).error[1] * std::sqrt(20'000 * elo_information(difference, sides)), 1, 0.03);
    }
}

// 95 intervals in 100 hold the truth (of 200 x 5 they may miss 3 to 8 in 100), whatever the number of sides, for equal
// players and for unequal ones; and Elo describes what it made.
TEST(Elo, RatesMatchesOfManySides) {
  for (int sides : {2, 3, 5, 8})
    for (double step : {0.0, 120.0}) {
      const std::vector<double> truth = {0, step, 2 * step, 3 * step, 4 * step, 5 * step};
      int missed = 0, misleads = 0;
      for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Random random(Key(seed).split(static_cast<std::uint64_t>(sides)));
        const auto results = simulate_places(truth, sides, 60, random);
        const EloRatings fit = fit_elo(6, results);
        for (std::size_t i = 1; i < truth.size(); ++i)
          missed += std::fabs(fit.rating[i] - truth[i]) > 1.96 * fit.error[i];
        misleads += assess_elo(fit, results).misleads() || !find_cycles(6, results).empty();
      }
      EXPECT_GE(missed, 30) << sides << " sides, " << step << " points apart";
      EXPECT_LE(missed, 80) << sides << " sides, " << step << " points apart";
      EXPECT_LE(misleads, 6) << sides << " sides, " << step << " points apart";
    }
}

// The negative control: who comes first in matches of three, taken for a score between two, is far off.
TEST(Elo, FirstPlacesAloneRateWrongly) {
  Random random(Key(3));
  const auto results = simulate_places({0, 0}, 3, 3000, random);
  PairResult firsts{.first = 0, .second = 1};
  for (const Placing& p : results[0].placings)
    if (p.first_alone) (p.ahead == 0 ? firsts.wins : firsts.losses) += p.matches;
  EXPECT_GT(std::fabs(fit_elo(2, {&firsts, 1}).rating[1]), 80);
  EXPECT_LT(std::fabs(fit_elo(2, results).rating[1]), 20);
}

TEST(Elo, CirclesOfManySidesMislead) {
  Random random(Key(4));
  std::vector<PairResult> results = simulate_places({200, 0}, 4, 400, random);
  for (auto [first, second] : {std::pair{1, 2}, {2, 0}}) {
    results.push_back(simulate_places({200, 0}, 4, 400, random)[0]);
    results.back().first = first, results.back().second = second;
  }
  EXPECT_TRUE(assess_elo(fit_elo(3, results), results).misleads());
  EXPECT_EQ(find_cycles(3, results).size(), 1u);
}

TEST(Elo, LevelSidesCountAsAllTheirOrders) {
  PairResult level{.first = 0, .second = 1}, orders{.first = 0, .second = 1};
  level.add({true, 1, 2, 1, 60});
  for (int ahead : {1, 2, 3}) orders.add({true, ahead, 0, 4 - ahead, 20});
  EXPECT_NEAR(fit_elo(2, {&level, 1}).rating[1], fit_elo(2, {&orders, 1}).rating[1], 1e-6);
  PairResult all{.first = 0, .second = 1};
  all.add({true, 0, 4, 0, 50}), all.add({false, 0, 4, 0, 50});
  EXPECT_NEAR(fit_elo(2, {&all, 1}).rating[1], 0, 1e-6);
}

}  // namespace
}  // namespace rival
