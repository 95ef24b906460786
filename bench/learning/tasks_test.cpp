// What holds for every task: its game keeps its promises, its bar is within reach and beyond random play.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/scripted.hpp"
#include "bench/learning/chance.hpp"
#include "bench/learning/planning.hpp"
#include "bench/learning/task.hpp"
#include "game/conformance.hpp"

namespace rival::learning {
namespace {

TEST(LearningTasks, Conform) {
  std::set<std::string> names;
  for (const Task& task : tasks()) {
    EXPECT_TRUE(names.insert(task.name()).second) << task.name() << " is there twice";
    const ConformanceReport report = check_conformance(task.game.make_batch, Key(1), 20);
    EXPECT_TRUE(report.passed()) << task.name() << "\n" << report.text();
  }
}

TEST(LearningTasks, BothHalvesHaveEveryKind) {
  std::map<std::string, std::map<Half, int>> kinds;
  for (const Task& task : tasks()) ++kinds[task.kind][task.half];
  for (const auto& [kind, halves] : kinds) EXPECT_EQ(halves.size(), 2u) << kind;
}

// Per kind, so that they run side by side.
class LearningBars : public testing::TestWithParam<std::string> {};

// Where a match takes a search or many steps, fewer are played than for a figure.
TEST_P(LearningBars, ReferencesReachThemAndRandomPlayDoesNot) {
  for (const Task& task : tasks()) {
    if (task.kind != GetParam()) continue;
    const int matches = task.kind == "boards" ? 40 : task.measure.matches <= 400 ? 100 : task.measure.matches;
    const auto figure = [&](Agent& player) {
      const auto measured = task.measure.figure(task.game, player, Key(1), matches);
      EXPECT_TRUE(measured.ok()) << task.name() << ": " << (measured ? "" : measured.error().message);
      return measured ? measured.value().value : 0;
    };
    const double random = figure(*random_agent());
    EXPECT_FALSE(task.reached(random)) << task.name() << ": " << random;
    if (!task.reference) continue;
    const double reference = figure(*task.reference());
    EXPECT_TRUE(task.reached(reference)) << task.name() << ": " << reference;
  }
}

std::vector<std::string> kinds() {
  std::vector<std::string> kinds;
  for (const Task& task : tasks())
    if (std::find(kinds.begin(), kinds.end(), task.kind) == kinds.end()) kinds.push_back(task.kind);
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(Kinds, LearningBars, testing::ValuesIn(kinds()),
                         [](const auto& tested) { return tested.param; });

// -0.0466 for the best play without doubling and splitting; whoever stays on everything has less.
TEST(LearningTasks, ValueIterationSolvesBlackjack) {
  double best = 0, staying = 0;
  for (int dealer = 1; dealer <= 10; ++dealer) {
    const auto stays = Blackjack::stays(dealer);
    for (int a = 1; a <= 10; ++a)
      for (int b = 1; b <= 10; ++b) {
        const double probability = card_probability(dealer) * card_probability(a) * card_probability(b);
        const auto values = Blackjack::values(Hand().with(a).with(b), dealer, stays);
        best += probability * std::max(values[0], values[1]);
        staying += probability * values[0];
      }
  }
  EXPECT_NEAR(best, -0.0466, 1e-4);
  EXPECT_LT(staying, best - 0.05);
}

// The usual rules of thumb fall short of the best ways, or the bars would ask nothing.
TEST(LearningTasks, RulesOfThumbMissTheBarOfRouting) {
  const auto nearest = scripted_agent<Routing>("nearest", &Routing::nearest);
  const auto played = play_matches(game_entry<Routing>(), *nearest, nullptr, Key(1), {.matches = 400});
  ASSERT_TRUE(played.ok());
  EXPECT_LT(played.value().mean_return.value, -5.43);
  EXPECT_GT(played.value().mean_return.value, -6.2);
}

}  // namespace
}  // namespace rival::learning
