#include <gtest/gtest.h>

#include <set>

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

TEST(Learning, ReferencesReachTheBarsAndRandomPlayDoesNot) {
  for (const Task& task : tasks()) {
    const auto figure = [&task](Agent& player) {
      const auto measured = task.measure.figure(task.game, player, Key(1), std::min(task.measure.matches, 100));
      EXPECT_TRUE(measured.ok()) << task.name() << ": " << (measured ? "" : measured.error().message);
      return measured ? measured.value().value : 0;
    };
    const double random = figure(*random_agent());
    EXPECT_FALSE(task.reached(random)) << task.name() << ": " << random;
    if (!task.reference) continue;
    const double reference = figure(*task.reference());
    EXPECT_TRUE(task.reached(reference)) << task.name() << ": " << reference;
    std::printf("%-24s random %10.3f  reference %10.3f  bar %10.3f\n", task.name().c_str(), random, reference,
                task.bar);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace rival::learning
