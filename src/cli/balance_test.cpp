#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/temporary_folder.hpp"
#include "cli/captured.hpp"
#include "cli/command.hpp"

namespace rival::cli {
namespace {

struct Ran {
  int exit_code;
  Json json;
  std::string err;
};

Ran balance(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "balance");
  arguments.push_back("--json");
  const Captured captured = capture(arguments);
  return {captured.exit_code, captured.json(), captured.err};
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

TEST(BalanceCommand, ReportsAndWritesThePageAndTheDataFile) {
  const TemporaryFolder folder;
  const std::string targets = folder.file("targets.toml"), page = folder.file("report.html"),
                    data = folder.file("units.toml"), real = folder.file("real.csv");
  // A target that no unit can miss but one, and one number that may change.
  write(targets, "[overall]\nsniper = \"..20\"\n[parameters]\nall = \"keep\"\nsniper.damage = \"16.5..33\"\n");
  write(data, "[sniper]\ndamage = 33 # a shot\n");
  write(real, "first,second,score\nKnight,Sniper,1\nSniper,Knight,0.5\n");
  const Ran ran = balance({"duel", "--targets", targets, "--steps", "100000", "--hidden", "32", "--matches", "200",
                           "--folder", folder.file("study"), "--out", page, "--data", data, "--real", real});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  for (const char* key :
       {"choices", "before", "after", "changes", "met", "worst_gap", "dominated", "seat_advantage", "nash",
        "nash_entropy", "bands", "instrument_bias", "matches", "seconds", "sensitivities", "front", "real", "targets"})
    EXPECT_TRUE(ran.json.contains(key)) << key;
  ASSERT_EQ(ran.json["choices"].size(), 6u);
  for (const char* cell : {"rate", "low", "high", "matches"}) EXPECT_TRUE(ran.json["before"][0][1].contains(cell));
  EXPECT_GE(ran.json["before"][0][1]["matches"], 200);
  EXPECT_NEAR(ran.json["real"]["matrix"][0][5]["rate"], 0.75, 1e-6);
  ASSERT_EQ(ran.json["changes"].size(), 1u) << ran.err;
  EXPECT_EQ(ran.json["changes"][0]["parameter"], "sniper.damage");
  EXPECT_LT(ran.json["changes"][0]["to"], 33);
  const std::string edited = ran.json["data_file"]["text"];
  EXPECT_EQ(edited, "[sniper]\ndamage = " + ran.json["changes"][0]["to"].dump() + " # a shot\n");
  const Result<std::string> html = read_file(page);
  ASSERT_TRUE(html);
  EXPECT_NE(html.value().find("sniper.damage"), std::string::npos);
  for (const Json& replay : ran.json["replays"])
    EXPECT_TRUE(path_exists(folder.file(replay["html"].get<std::string>())));
}

TEST(BalanceCommand, ClaimsNothingOfPlayersWhoDoNotKnowTheGame) {
  const TemporaryFolder folder;
  for (const auto& players : {std::vector<std::string>{"--players", "random"},
                              std::vector<std::string>{"--steps", "1000", "--hidden", "8"}}) {
    std::vector<std::string> arguments = {"duel", "--matches", "300", "--folder", folder.file(players[1])};
    arguments.insert(arguments.end(), players.begin(), players.end());
    const Ran ran = balance(arguments);
    ASSERT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_TRUE(ran.json["met"].is_null());
    EXPECT_FALSE(ran.json["claims"].get<bool>());
    EXPECT_TRUE(ran.json["changes"].empty());
    EXPECT_TRUE(ran.json["dominated"].empty());
    EXPECT_TRUE(ran.json["after"].is_null());
    EXPECT_NE(ran.err.find("nothing is claimed"), std::string::npos);
  }
}

TEST(BalanceCommand, MeasuresSidesAndSolvesSmallGames) {
  const TemporaryFolder folder;
  const Ran ran = balance({"kuhn_poker", "--only-measure", "--steps", "100000", "--folder", folder.file("study")});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NEAR(ran.json["exact"]["value"], -1.0 / 18, 2e-4);
  EXPECT_LT(ran.json["exact"]["within"], 1e-3);
  EXPECT_TRUE(ran.json["claims"].get<bool>());
  EXPECT_TRUE(ran.json["choices"].empty());

  // The value of Leduc poker for the first player, as published.
  const Ran leduc =
      balance({"leduc_poker", "--players", "random", "--matches", "20", "--folder", folder.file("leduc")});
  ASSERT_EQ(leduc.exit_code, 0) << leduc.err;
  EXPECT_NEAR(leduc.json["exact"]["value"], -0.085606, 2e-4);
  EXPECT_LT(leduc.json["exact"]["within"], 1e-3);
}

TEST(BalanceCommand, ErrorsNameTheThing) {
  const TemporaryFolder folder;
  const Ran alone = balance({"cartpole", "--folder", folder.file("a")});
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_NE(alone.err.find("cartpole is a game of 1 side: `rival balance` compares two"), std::string::npos)
      << alone.err;
  const std::string targets = folder.file("targets.toml");
  write(targets, "[overall]\nknigt = \"50\"\n");
  const Ran wrong = balance({"duel", "--targets", targets, "--folder", folder.file("b")});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_NE(wrong.err.find(targets + ":2: unknown option 'overall.knigt'; did you mean 'overall.knight'?"),
            std::string::npos)
      << wrong.err;
  EXPECT_EQ(balance({"duel", "--data", folder.file("none.toml"), "--folder", folder.file("c")}).exit_code, 1);
  write(folder.file("real.csv"), "first,second\n");
  const Ran real = balance({"duel", "--players", "skirmisher", "--matches", "20", "--real", folder.file("real.csv"),
                            "--folder", folder.file("d")});
  EXPECT_EQ(real.exit_code, 1);
  EXPECT_NE(real.err.find("real.csv:1: the columns"), std::string::npos) << real.err;
}

}  // namespace
}  // namespace rival::cli
