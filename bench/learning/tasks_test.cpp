#include <gtest/gtest.h>

#include <set>
#include <string>

#include "agent/scripted.hpp"
#include "bench/learning/task.hpp"
#include "game/conformance.hpp"

namespace rival::learning {
namespace {

TEST(Learning, EveryGameConforms) {
  std::set<std::string> names;
  for (const Task& task : tasks()) {
    EXPECT_TRUE(names.insert(task.name()).second) << task.name() << " is there twice";
    const ConformanceReport report = check_conformance(task.game.make_batch, Key(1), 20);
    EXPECT_TRUE(report.passed()) << task.name() << "\n" << report.text();
  }
}

// Where a match takes a search or many steps, fewer are played.
TEST(Learning, ReferencesReachTheBarsAndRandomPlayDoesNot) {
  for (const Task& task : tasks()) {
    const bool search = task.kind == "boards";
    const int matches = search ? 40 : task.measure.matches <= 400 ? 100 : task.measure.matches;
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

}  // namespace
}  // namespace rival::learning
