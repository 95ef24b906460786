// What holds for every built-in game.
#include "games/catalog.hpp"

#include <gtest/gtest.h>

#include "match/playthrough.hpp"

namespace rival {
namespace {

TEST(Catalog, SpecsAreValid) {
  for (const GameEntry& entry : catalog()) {
    const Result<void> valid = validate(entry.spec);
    EXPECT_TRUE(valid.ok()) << entry.spec.name << ": " << valid.error().message;
  }
}

TEST(Catalog, PlaythroughsAreCurrent) {
  for (const GameEntry& entry : catalog()) {
    const std::string path = std::string(RIVAL_SOURCE_DIR) + "/games/" + entry.spec.name + "/playthrough.txt";
    const Result<void> current = check_playthrough(path, playthrough(entry, Key(1)));
    EXPECT_TRUE(current.ok()) << current.error().message;
  }
}

}  // namespace
}  // namespace rival
