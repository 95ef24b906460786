#include "league/population.hpp"

#include <gtest/gtest.h>

#include <map>

namespace rival {
namespace {

Member member(const std::string& name, Member::Kind kind = Member::Kind::past) {
  return {.name = name, .kind = kind};
}

std::map<std::string, double> shares(const Population& population, Matchmaking matchmaking) {
  std::map<std::string, double> shares;
  Random random(Key(5));
  for (int i = 0; i < 20'000; ++i) shares[population.pick(matchmaking, random).name] += 1.0 / 20'000;
  return shares;
}

// "weak" always loses, "even" wins half, "strong" always wins, "new" is hardly known.
Population four() {
  Population population(8);
  for (const char* name : {"weak", "even", "strong", "new"}) population.add(member(name));
  for (int i = 0; i < 50; ++i) {
    population.note("weak", 1);
    population.note("even", i % 2);
    population.note("strong", 0);
  }
  population.note("new", 1);
  return population;
}

TEST(Population, UniformMatchmakingIsUniform) {
  for (const auto& [name, share] : shares(four(), Matchmaking::uniform)) EXPECT_NEAR(share, 0.25, 0.01) << name;
}

TEST(Population, HardMatchmakingSeeksThoseWhoWin) {
  auto share = shares(four(), Matchmaking::hard);  // weights 0, 1/4, 1, 1/4
  EXPECT_NEAR(share["strong"], 1 / 1.5, 0.02);
  EXPECT_NEAR(share["even"], 0.25 / 1.5, 0.02);
  EXPECT_NEAR(share["new"], 0.25 / 1.5, 0.02);
  EXPECT_LT(share["weak"], 0.01);
  EXPECT_GT(share["weak"], 0);
}

TEST(Population, EvenMatchmakingSeeksThoseOnALevel) {
  auto share = shares(four(), Matchmaking::even);
  EXPECT_NEAR(share["even"], 0.5, 0.02);
  EXPECT_NEAR(share["new"], 0.5, 0.02);
}

TEST(Population, MatchmakingIsReproducible) {
  Random one(Key(1)), two(Key(1)), other(Key(2));
  const Population population = four();
  int different = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string name = population.pick(Matchmaking::hard, one).name;
    EXPECT_EQ(name, population.pick(Matchmaking::hard, two).name);
    different += name != population.pick(Matchmaking::hard, other).name;
  }
  EXPECT_GT(different, 0);
}

TEST(Population, RecordsFollowTheLearner) {
  Record record;
  for (int i = 0; i < 1000; ++i) record.note(0);
  EXPECT_DOUBLE_EQ(record.score(), 0);
  for (int i = 0; i < 1000; ++i) record.note(1);
  EXPECT_GT(record.score(), 0.95);
  EXPECT_LE(record.matches(), Record::kReach + 1);
}

TEST(Population, ForgetsEverySecondOfTheOlderHalfOfAKind) {
  Population population(4);
  population.add(member("x", Member::Kind::exploiter));
  for (int i = 0; i < 9; ++i) population.add(member(std::to_string(i)));
  std::string names;
  for (const Member& m : population.members()) names += m.name;
  EXPECT_EQ(names.substr(0, 2), "x0");  // exploiters and the first self are not crowded out
  EXPECT_EQ(names.back(), '8');
  EXPECT_LE(population.members().size(), 5u);
}

}  // namespace
}  // namespace rival
