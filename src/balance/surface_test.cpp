#include "balance/surface.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "rival/random.hpp"

namespace rival::balance {
namespace {

// Teams of three out of ten heroes, each with two numbers of its own that make it stronger.
constexpr int kHeroes = 10, kSide = 3, kNumbers = 2 * kHeroes;

double strength_of(int hero, const std::vector<double>& numbers) {
  const double own = 0.15 * (hero - 4.5);
  return own + 1.2 * (numbers[2 * static_cast<std::size_t>(hero)] - 0.5) +
         0.9 * (numbers[2 * static_cast<std::size_t>(hero) + 1] - 0.5);
}

MatchResult match(const std::vector<double>& numbers, Random& random) {
  MatchResult r;
  for (const double x : numbers) r.parameters.push_back(static_cast<float>(x));
  double logit = 0;
  for (std::vector<int>* side : {&r.first, &r.second})
    while (side->size() < kSide) {
      const int hero = random.below(kHeroes);
      if (std::find(side->begin(), side->end(), hero) != side->end()) continue;
      side->push_back(hero);
      logit += (side == &r.first ? 1 : -1) * strength_of(hero, numbers);
    }
  r.score = static_cast<double>(random.uniform()) < 1 / (1 + std::exp(-logit)) ? 1.0f : 0.0f;
  return r;
}

// How far the fitted rates are from those of 40,000 matches, on average over the heroes, at a variant far from where
// the model is centred.
double error_with(const std::vector<Tunable>& tunables) {
  Random random(Key(1));
  std::vector<MatchResult> results, truth;
  for (int m = 0; m < 4000; ++m) {
    std::vector<double> numbers;
    for (int k = 0; k < kNumbers; ++k) numbers.push_back(static_cast<double>(random.uniform()));
    results.push_back(match(numbers, random));
  }
  std::vector<const MatchResult*> pointers;
  for (const MatchResult& r : results) pointers.push_back(&r);
  const Surface surface(tunables, std::vector<double>(kNumbers, 0.5), kHeroes, pointers);
  std::vector<double> variant;
  for (int k = 0; k < kNumbers; ++k) variant.push_back(0.2 + 0.06 * (k % 11));
  for (int m = 0; m < 40'000; ++m) truth.push_back(match(variant, random));
  const WinRates rates(kHeroes, truth);
  const Measured predicted = surface.predict(variant);
  double sum = 0;
  for (int hero = 0; hero < kHeroes; ++hero)
    sum += std::fabs(predicted.rates.overall(hero).rate - rates.overall(hero).rate) / kHeroes;
  return sum;
}

std::vector<Tunable> numbers_of(bool own) {
  std::vector<Tunable> tunables;
  for (int k = 0; k < kNumbers; ++k)
    tunables.push_back({.parameter = k, .from = 0.5, .low = 0, .high = 1, .owner = own ? k / 2 : -1});
  return tunables;
}

TEST(Surface, WhatIsAHerosOwnIsLearntFromFewMatchesOfTeams) {
  EXPECT_LT(error_with(numbers_of(true)), 0.02);
}

TEST(SurfaceSlow, ItDoesGoodToKnowWhoseANumberIs) {
  EXPECT_GT(error_with(numbers_of(false)), 1.5 * error_with(numbers_of(true)));
}

TEST(Surface, AnOwnNumberMovesItsOwnerAndTheOthersAgainstIt) {
  Random random(Key(2));
  std::vector<MatchResult> results;
  for (int m = 0; m < 20'000; ++m) {
    std::vector<double> numbers(kNumbers, 0.5);
    numbers[6] = static_cast<double>(random.uniform());
    results.push_back(match(numbers, random));
  }
  std::vector<const MatchResult*> pointers;
  for (const MatchResult& r : results) pointers.push_back(&r);
  const std::vector<Tunable> tunables = {{.parameter = 6, .from = 0.5, .low = 0, .high = 1, .owner = 3}};
  const Surface surface(tunables, {0.5}, kHeroes, pointers);
  const Cell mine = surface.effect(3, 0, 0.5), others = surface.effect(4, 0, 0.5);
  EXPECT_GT(mine.interval.low, 0);
  EXPECT_LT(others.rate, 0);
  EXPECT_GT(others.rate, -mine.rate / 4);
}

}  // namespace
}  // namespace rival::balance
