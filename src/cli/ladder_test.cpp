#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

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

Ran rival_json(std::vector<std::string> arguments) {
  arguments.push_back("--json");
  const Captured captured = capture(arguments);
  return {captured.exit_code, captured.json(), captured.err};
}

TEST(LadderCommand, RatesCalibratesAndPlaysAtARating) {
  const TemporaryFolder folder;
  const std::string out = folder.file("run");
  ASSERT_EQ(rival_json({"train", "tic_tac_toe", "--steps", "1e5", "--hidden", "32x32", "--out", out}).exit_code, 0);

  const Ran early = rival_json({"eval", out + "@1200"});
  EXPECT_EQ(early.exit_code, 1);
  EXPECT_NE(early.err.find("rival ladder " + out + " --calibrate"), std::string::npos) << early.err;
  const std::vector<std::string> quick = {"ladder", out, "--target-se", "25", "--level-matches", "200"};
  EXPECT_EQ(rival_json(quick).exit_code, 0);
  EXPECT_NE(rival_json({"eval", out + "@1200"}).err.find("no dial"), std::string::npos);

  std::vector<std::string> calibrate = quick;
  calibrate.insert(calibrate.end(), {"--calibrate", "--levels", "3", "--out", folder.file("ladder.html")});
  const Ran ran = rival_json(calibrate);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_TRUE(std::filesystem::exists(folder.file("ladder.html")));
  for (const char* key : {"name", "rating", "rating_se", "matches"}) EXPECT_TRUE(ran.json["players"][0].contains(key));
  ASSERT_EQ(ran.json["calibration"].size(), 3u);
  for (const char* key : {"asked", "measured", "se"}) EXPECT_TRUE(ran.json["calibration"][0].contains(key));
  // Again: nothing is played twice, and the dial stays.
  const Ran again = rival_json(quick);
  EXPECT_EQ(again.json["results"], ran.json["results"]);
  EXPECT_EQ(again.json["dial"], ran.json["dial"]);

  const double low = ran.json["calibration"][0]["asked"], high = ran.json["calibration"][2]["asked"];
  const auto at = [&](double rating) { return out + "@" + std::to_string(static_cast<int>(std::lround(rating))); };
  const Ran played = rival_json({"eval", at(low + 20), "--against", at(high - 5), "--matches", "400"});
  ASSERT_EQ(played.exit_code, 0) << played.err;
  EXPECT_LT(played.json["score_high"], 0.5);
  EXPECT_EQ(rival_json({"export", at(high - 5), "--out", folder.file("bot.onnx")}).json.contains("temperature"), true);
  EXPECT_NE(rival_json({"eval", at(high + 500)}).err.find("outside this run's range"), std::string::npos);
  EXPECT_EQ(rival_json({"eval", at(high - 5), "--temperature", "1"}).exit_code, 2);
  EXPECT_EQ(rival_json({"eval", folder.file("none") + "@1200"}).exit_code, 1);

  // Its bots play on for those who leave.
  const Ran left = rival_json({"eval-substitute", out, "--matches", "2000", "--after", "3", "--ratings", "3"});
  ASSERT_EQ(left.exit_code, 0) << left.err;
  const Json& swapped = left.json["swapped"][0];
  EXPECT_EQ(swapped["after"], 3);
  EXPECT_GT(swapped["matches"], 1000);
  EXPECT_LT(swapped["difference_low"], 0.03);
  EXPECT_GT(swapped["difference_high"], -0.03);
  EXPECT_LT(swapped["rating_error"], (high - low) / 2);
  EXPECT_EQ(left.json["by_rating"].size(), 3u);
  // A bot from the middle plays on for the weakest better than they would have.
  EXPECT_GT(left.json["by_rating"][0]["medium_low"], 0);
  EXPECT_EQ(rival_json({"eval-substitute", out, "--after", "many"}).exit_code, 2);
  EXPECT_EQ(rival_json({"eval-substitute", folder.file("none")}).exit_code, 1);

  // The bot that was rated is another one by now.
  ASSERT_EQ(rival_json({"train", "tic_tac_toe", "--steps", "2e5", "--out", out, "--resume"}).exit_code, 0);
  const Ran stale = rival_json({"eval", at(high - 5)});
  if (ran.json["calibration"][2]["bot"] == "final") {
    EXPECT_NE(stale.err.find("another bot"), std::string::npos) << stale.err;
  }
}

// A run that was stopped has no final bot: its latest one plays, and it is said so.
TEST(LadderCommand, RatesSnapshotsOfEveryStageOfTraining) {
  const TemporaryFolder folder;
  const std::string out = folder.file("run"), bots = out + "/bots/";
  ASSERT_EQ(rival_json({"train", "tic_tac_toe", "--steps", "1e4", "--hidden", "16x16", "--out", out}).exit_code, 0);
  for (const auto& entry : std::filesystem::directory_iterator(bots))
    if (entry.path().stem() != "final") std::filesystem::remove(entry);
  // A stage is 1.4 times as long as the one before; other files are none of the ladder's business.
  for (const char* name : {"step_2000", "step_2100", "step_90000", "step_x", "mine", "step_7.old"})
    std::filesystem::copy(bots + "final.safetensors", bots + name + ".safetensors");
  const Ran ran = rival_json({"ladder", out, "--matches", "50"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  std::vector<std::string> rated;
  for (const Json& player : ran.json["players"])
    if (player["kind"] == "snapshot") rated.push_back(player["name"]);
  EXPECT_EQ(rated, (std::vector<std::string>{"step_2000", "step_90000"}));
}

TEST(LadderCommand, StoppedRunsPlayTheirLatest) {
  const TemporaryFolder folder;
  const std::string out = folder.file("run");
  ASSERT_EQ(rival_json({"train", "tic_tac_toe", "--steps", "2e4", "--hidden", "16", "--out", out}).exit_code, 0);
  std::filesystem::rename(out + "/bots/final.safetensors", out + "/bots/latest.safetensors");
  const Ran ran = rival_json({"eval", out, "--matches", "10"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_NE(ran.err.find("latest"), std::string::npos) << ran.err;
  std::filesystem::remove(out + "/bots/latest.safetensors");
  EXPECT_NE(rival_json({"eval", out}).err.find("no bot yet"), std::string::npos);
}

TEST(LadderCommandSlow, ConnectFourReachesTheRatingsAskedFor) {
  const TemporaryFolder folder;
  const std::string out = folder.file("run");
  ASSERT_EQ(rival_json({"train", "connect_four", "--minutes", "0.33", "--out", out}).exit_code, 0);
  const Ran ran = rival_json({"ladder", out, "--calibrate"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  double sum = 0, before = 0;
  ASSERT_EQ(ran.json["calibration"].size(), 8u);
  for (const Json& level : ran.json["calibration"]) {
    const double asked = level["asked"], measured = level["measured"];
    EXPECT_GE(level["matches"], 1000);
    EXPECT_LT(std::fabs(measured - asked), 80);
    EXPECT_GT(measured, before);
    before = measured;
    sum += std::fabs(measured - asked) / 8;
  }
  EXPECT_LE(sum, 50);
  EXPECT_GT(before, 1500);  // there was something to calibrate
}

}  // namespace
}  // namespace rival::cli
