#include "plug/sources.hpp"

#include <gtest/gtest.h>

#include "games/catalog.hpp"

namespace rival {
namespace {

TEST(Sources, TheCatalogIsOneOfThem) {
  const std::vector<GameEntry> games = catalog();
  const Result<GameEntry> pig = open_game(games, "pig");
  ASSERT_TRUE(pig);
  EXPECT_EQ(pig.value().spec.name, "pig");
  EXPECT_EQ(pig.value().origin, "");
  EXPECT_EQ(pig.value().typed(), "pig");
  EXPECT_EQ(pig.value().baselines.size(), built_in("pig").baselines.size());
}

TEST(Sources, ANameThatNoneTakesIsToldTheNearest) {
  const std::vector<GameEntry> games = catalog();
  const Result<GameEntry> found = open_game(games, "conect_four");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("unknown game 'conect_four'; did you mean 'connect_four'?"), std::string::npos)
      << found.error().message;
}

TEST(Sources, SoIsANameOfNoKind) {
  const std::vector<GameEntry> games = catalog();
  const Result<GameEntry> found = open_game(games, "gmy:CartPole-v1");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message,
            "unknown kind of game 'gmy'; did you mean 'gym'? Known: gym, pettingzoo, openspiel, worker");
}

TEST(Sources, AnOptionThatMeansNothingIsAnError) {
  const std::vector<GameEntry> games = catalog();
  for (const auto& [options, name] :
       {std::pair<SourceOptions, std::string>{{.isolate = true, .python = ""}, "--isolate"},
        {{.python = "/usr/bin/python3"}, "--python"},
        {{.python = "", .workers = 2}, "--workers"}}) {
    const Result<GameEntry> found = open_game(games, "pig", options);
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().message, name +
                                         " means nothing to the game 'pig', which is a part of this program: leave "
                                         "it out");
  }
}

// What help shows of each kind can be told from the others.
TEST(Sources, EveryKindHasAFormOfItsOwn) {
  const std::vector<GameEntry> games = catalog();
  const std::vector<GameSource> sources = game_sources(games);
  EXPECT_EQ(sources.front().kind, "catalog");
  for (const GameSource& a : sources) {
    EXPECT_FALSE(a.description.empty());
    for (const GameSource& b : sources) EXPECT_TRUE(&a == &b || a.form != b.form) << a.form;
  }
}

}  // namespace
}  // namespace rival
