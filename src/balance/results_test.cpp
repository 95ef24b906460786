#include "balance/results.hpp"

#include <gtest/gtest.h>

namespace rival::balance {
namespace {

Spec two_choices() {
  Spec spec{.name = "game", .seats = 2};
  spec.parameters = {{"attack", 5, 1, 10}, {"long, name", 2, 0, 4}};
  spec.choices = {{"hero", {"Ann", "Bo, the \"Bear\"", "Cy"}}};
  return spec;
}

std::string error_of(std::string_view text) {
  const auto read = read_results(two_choices(), 0, text, "a.csv");
  return read ? "" : read.error().message;
}

TEST(Results, ComeBackAsTheyWere) {
  const std::vector<MatchResult> results = {
      {.pair = 0, .parameters = {5, 2.25f}, .first = {0}, .second = {1}, .score = 1, .steps = 12},
      {.pair = 0, .parameters = {5, 2.25f}, .first = {1}, .second = {0}, .score = 0.5f, .steps = 9},
      {.pair = 7, .parameters = {1.5f, 0}, .first = {0, 1}, .second = {2, 0}, .score = 0, .steps = 0}};
  const std::string text = write_results(two_choices(), 0, results);
  EXPECT_TRUE(text.starts_with("pair,attack,\"long, name\",first,second,score,steps\n0,5,2.25,Ann,\"Bo, the")) << text;
  const auto read = read_results(two_choices(), 0, text, "a.csv");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read.value().size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read.value()[i].pair, results[i].pair);
    EXPECT_EQ(read.value()[i].parameters, results[i].parameters);
    EXPECT_EQ(read.value()[i].first, results[i].first);
    EXPECT_EQ(read.value()[i].second, results[i].second);
    EXPECT_EQ(read.value()[i].score, results[i].score);
    EXPECT_EQ(read.value()[i].steps, results[i].steps);
  }
}

TEST(Results, OfRealPlayersNeedOnlyWhoMetAndWhatCameOfIt) {
  const auto read =
      read_results(two_choices(), 0, "server,score,second,first\r\neu,1,Cy,Ann\r\nus,0.5,Ann,Cy\r\n", "a.csv");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read.value().size(), 2u);
  EXPECT_EQ(read.value()[0].first, std::vector<int>{0});
  EXPECT_EQ(read.value()[0].second, std::vector<int>{2});
  EXPECT_EQ(read.value()[1].parameters, (std::vector<float>{5, 2}));
  EXPECT_NE(read.value()[0].pair, read.value()[1].pair);
}

TEST(Results, ErrorsNameTheFileTheLineAndTheColumn) {
  EXPECT_EQ(error_of("first,second\n"), "a.csv:1: the columns 'first', 'second' and 'score' must be there");
  EXPECT_EQ(error_of("first,second,score\nAnn,Cy\n"), "a.csv:2: 2 columns, where the first line names 3");
  EXPECT_EQ(error_of("first,second,score\nAnn,Cy,1\nAnna,Cy,1\n"),
            "a.csv:3: unknown hero 'Anna'; did you mean 'Ann'? Known: Ann, Bo, the \"Bear\", Cy");
  EXPECT_EQ(error_of("first,second,score\nAnn,Cy,2\n"), "a.csv:2: 'score' must be a number from 0 to 1, not '2'");
  EXPECT_EQ(error_of("first,second,score,attack\nAnn,Cy,1,x\n"),
            "a.csv:2: 'attack' must be a number from 1 to 10, not 'x'");
}

TEST(WinRates, CountPairsOfMatchesOnce) {
  std::vector<MatchResult> results;
  for (std::int64_t pair = 0; pair < 100; ++pair) {  // whoever goes first wins
    results.push_back({.pair = pair, .parameters = {}, .first = {0}, .second = {1}, .score = 1});
    results.push_back({.pair = pair, .parameters = {}, .first = {1}, .second = {0}, .score = 1});
  }
  const WinRates rates(2, results);
  EXPECT_EQ(rates(0, 1).matches, 200);
  EXPECT_DOUBLE_EQ(rates(0, 1).rate, 0.5);
  EXPECT_LT(rates(0, 1).interval.half_width(), 0.04);  // every pair came out even: less doubt than of 200 coins
  EXPECT_DOUBLE_EQ(rates(1, 0).rate, 0.5);
  EXPECT_DOUBLE_EQ(conditions(results).first.rate, 1);
}

TEST(WinRates, InTeamsEveryOptionMeetsEveryOtherOne) {
  std::vector<MatchResult> results;
  for (std::int64_t pair = 0; pair < 50; ++pair)
    results.push_back({.pair = pair, .parameters = {}, .first = {0, 1}, .second = {2, 1}, .score = 1});
  const WinRates rates(3, results);
  EXPECT_EQ(rates(0, 2).matches, 50);
  EXPECT_EQ(rates(0, 1).matches, 50);
  EXPECT_EQ(rates(1, 2).matches, 50);
  EXPECT_DOUBLE_EQ(rates.overall(0).rate, 1);
  EXPECT_EQ(rates.overall(1).matches, 0);  // both sides had it
  EXPECT_DOUBLE_EQ(rates.overall(2).rate, 0);
}

}  // namespace
}  // namespace rival::balance
