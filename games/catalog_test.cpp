// What holds for every built-in game.
#include "games/catalog.hpp"

#include <gtest/gtest.h>

#include "base/recorded.hpp"
#include "game/conformance.hpp"
#include "match/playthrough.hpp"

namespace rival {
namespace {

TEST(Catalog, SpecsAreValid) {
  for (const GameEntry& entry : catalog()) {
    const Result<void> valid = validate(entry.spec);
    EXPECT_TRUE(valid.ok()) << entry.spec.name << ": " << valid.error().message;
  }
}

TEST(Catalog, GamesConform) {
  for (const GameEntry& entry : catalog()) {
    const int matches = entry.spec.max_steps > 1000 ? 4 : 50;
    const ConformanceReport report = check_conformance(entry.make_batch, Key(1), matches);
    EXPECT_TRUE(report.passed()) << entry.spec.name << "\n" << report.text();
    for (const ConformanceCheck& check : report.checks)
      EXPECT_NE(check.verdict, ConformanceCheck::Verdict::warning) << entry.spec.name << "\n" << report.text();
  }
}

TEST(Catalog, PlaythroughsAreCurrent) {
  for (const GameEntry& entry : catalog()) {
    const std::string path = std::string(RIVAL_SOURCE_DIR) + "/games/" + entry.spec.name + "/playthrough.txt";
    const Result<void> current = check_recorded(path, playthrough(entry, Key(1)).value());
    EXPECT_TRUE(current.ok()) << current.error().message;
  }
}

}  // namespace
}  // namespace rival
