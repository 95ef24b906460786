#include "records/messages.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace rival::records {
namespace {

constexpr const char* kGood =
    R"({"game":"lanes","key":"m-1","teams":[{"rank":1,"players":[{"id":"ann"},{"id":"bot:hard","rating":1500.5}]},)"
    R"({"rank":2,"players":[{"id":"böb"}]}],"time":1700000000})";

std::string complaint(const std::string& text) {
  const Result<MatchResult> result = read_result(text);
  return result ? "" : result.error().message;
}

// The good one with something in it replaced.
std::string changed(const std::string& what, const std::string& by) {
  std::string text = kGood;
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(Messages, AResultComesBack) {
  const Result<MatchResult> result = read_result(kGood);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().teams[0].players[1].rating, 1500.5);
  EXPECT_EQ(result.value().teams[1].players[0].id, "böb");
  EXPECT_EQ(result.value().time, 1700000000);
  EXPECT_EQ(result_text(result.value()), kGood);
  // The order of fields, spaces and ways to write a letter make no other result.
  EXPECT_EQ(result_text(read_result(changed("\"ann\"", " \"\\u0061nn\" ")).value()), kGood);
  const Result<MatchResult> without = read_result(changed(",\"time\":1700000000", ""));
  EXPECT_FALSE(without.value().time);
  EXPECT_NE(result_text(without.value()), kGood);
}

TEST(Messages, ErrorsNameTheTeamThePlayerAndTheField) {
  EXPECT_EQ(complaint("[]"), "the result: must be an object, not a list");
  EXPECT_EQ(complaint("{"), "the result: no valid JSON");
  EXPECT_EQ(complaint(changed("\"key\":\"m-1\",", "")), "the result: 'key' is missing");
  EXPECT_EQ(complaint(changed("m-1", "")), "the result: 'key' must be of 1 to 128 bytes");
  EXPECT_EQ(complaint(changed("m-1", std::string(128, 'k'))), "");
  EXPECT_EQ(complaint(changed("m-1", std::string(129, 'k'))), "the result: 'key' must be of 1 to 128 bytes");
  EXPECT_EQ(complaint(changed("ann", std::string(129, 'k'))),
            "the result: team 1, player 1: 'id' must be of 1 to 128 bytes");
  EXPECT_EQ(complaint(changed("\"time\"", "\"tine\"")),
            "the result: unknown key 'tine'; did you mean 'time'? Known: game, key, teams, time");
  EXPECT_EQ(complaint(changed("\"rank\":1", "\"rang\":1")),
            "the result: team 1: unknown key 'rang'; did you mean 'rank'? Known: players, rank");
  EXPECT_EQ(complaint(changed("\"rank\":2,", "")), "the result: team 2: 'rank' is missing");
  EXPECT_EQ(complaint(changed("\"rank\":2", "\"rank\":0")),
            "the result: team 2: 'rank' must be a whole number from 1 to 1000000, not 0");
  EXPECT_EQ(complaint(changed("böb", "ann")), "the result: team 2: 'players' has 'ann', who is in the match already");
  EXPECT_EQ(complaint(changed("{\"id\":\"böb\"}", "")), "the result: team 2: 'players' is empty");
  EXPECT_EQ(complaint(changed("bot:hard", "hard")),
            "the result: team 1, player 2: 'rating' fixes the rating of a bot: ids of bots begin with 'bot:'");
  EXPECT_EQ(complaint(changed("1500.5", "1e9")),
            "the result: team 1, player 2: 'rating' must be a number from -10000 to 10000, not 1000000000.0");
  EXPECT_EQ(complaint(changed("1700000000", "-1")),
            "the result: 'time' must be a whole number from 0 to 253402300799, not -1");
  EXPECT_EQ(complaint(changed(R"(,{"rank":2,"players":[{"id":"böb"}]})", "")),
            "the result: 'teams' must be a list of two teams at least");
}

TEST(Messages, MatchesHaveLimits) {
  const auto result = [](int teams, int players) {
    std::string text = R"({"game":"g","key":"k","teams":[)";
    int id = 0;
    for (int t = 0; t < teams; ++t) {
      text += std::string(t ? "," : "") + R"({"rank":1,"players":[)";
      for (int p = 0; p < players; ++p) text += (p ? R"(,{"id":")" : R"({"id":")") + std::to_string(id++) + "\"}";
      text += "]}";
    }
    return text + "]}";
  };
  EXPECT_EQ(complaint(result(100, 10)), "");
  EXPECT_EQ(complaint(result(101, 1)), "the result: 'teams' has 101 entries; at most 100 are possible");
  EXPECT_EQ(complaint(result(100, 11)), "the result: team 91: 'players' make more than 1000 of the match");
}

TEST(Messages, AWishSaysWhoPlaysAndHowManyBotsAreLacking) {
  const auto complain = [](const std::string& teams, const std::string& range) {
    const Result<MatchWish> wish = read_wish(R"({"game":"g","teams":)" + teams + range + "}");
    return wish ? "" : wish.error().message;
  };
  const std::string range = R"(,"lowest":900,"highest":1800)";
  const std::string teams = R"([{"players":[{"id":"ann"}],"bots":0},{"players":[],"bots":1}])";
  EXPECT_EQ(complain(teams, range), "");
  EXPECT_EQ(complain(R"([{"players":[{"id":"ann"}],"bots":0},{"players":[{"id":"b"}],"bots":0}])", range),
            "the match: 'teams' lack no bot: 'bots' says how many each lacks");
  EXPECT_EQ(complain(R"([{"players":[{"id":"ann"}],"bots":1},{"players":[],"bots":0}])", range),
            "the match: team 2: 'players' is empty");
  EXPECT_EQ(complain(teams, R"(,"lowest":1900,"highest":1800)"), "the match: 'lowest' is above 'highest'");
  EXPECT_EQ(complain(teams, R"(,"lowest":1900)"), "the match: 'highest' is missing");
}

TEST(Messages, ACursorComesBack) {
  Ranked last{.place = 40, .id = "a:b"};
  last.standing.skill = {26.123456789, 3};
  const Result<LeaderboardCursor> cursor = read_cursor(cursor_text(last));
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor.value().place, 40);
  EXPECT_EQ(cursor.value().ordinal, last.standing.skill.ordinal());
  EXPECT_EQ(cursor.value().id, "a:b");
  for (const char* bad : {"", "40", "40:1", "x:1:a", "40:nan:a", "40:inf:a", "-1:1:a", "1e30:1:a"})
    EXPECT_FALSE(read_cursor(bad)) << bad;
}

}  // namespace
}  // namespace rival::records
