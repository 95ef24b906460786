#include "player/player.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "agent/bot.hpp"
#include "base/file.hpp"
#include "base/temporary_folder.hpp"
#include "games/catalog.hpp"
#include "league/ladder_file.hpp"
#include "match/match.hpp"
#include "train/trainer.hpp"

namespace rival {
namespace {

constexpr auto kUsage = Error::Kind::usage, kFailure = Error::Kind::failure;

// A run of pig with one bot, which has learnt nothing, and a dial from 1000 to 1400 for matches to 50 points.
class PlayerTest : public testing::Test {
 protected:
  PlayerTest() {
    TrainConfig config;
    config.network.hidden = {8};
    auto trainer = Trainer::make(game_, config);
    EXPECT_TRUE(trainer.ok());
    EXPECT_TRUE(make_directories(run_ + "/bots").ok());
    EXPECT_TRUE(save_bot(trainer.value()->bot(), bot_).ok());
  }

  // A ladder whose bot has these bytes.
  void save_dial(std::string_view bytes) const {
    Settings settings = default_settings(game_.spec);
    settings.parameters[0] = 50;
    Ladder ladder{.rules = ladder_rules(game_, settings, 1)};
    ladder.rules.limits.reaction_steps = 1;
    ladder.players.push_back({.name = "random", .kind = LadderPlayer::Kind::random, .rating = kRandomRating});
    ladder.players.push_back({.name = "final", .kind = LadderPlayer::Kind::final, .bot = "final"});
    ladder.players.back().fingerprint = bot_fingerprint(bytes);
    ladder.calibration.emplace();
    ladder.calibration->dial = {{"final", 4, 1000, 2}, {"final", 4, 1200, 2}, {"final", 2, 1400, 2}};
    ASSERT_TRUE(save_ladder(ladder, run_ + "/ladder.json").ok());
  }

  const GameEntry game_ = built_in("pig");
  const TemporaryFolder folder_;
  const std::string run_ = folder_.file("run"), bot_ = run_ + "/bots/final.safetensors";
};

TEST_F(PlayerTest, ARatingIsABotInItsOwnMatches) {
  save_dial(read_file(bot_).value());
  const Result<BotName> bot = find_bot(run_ + "@1300");
  ASSERT_TRUE(bot.ok()) << bot.error().message;
  EXPECT_EQ(bot.value().path, bot_);
  EXPECT_GT(bot.value().temperature, 2);
  EXPECT_LT(bot.value().temperature, 4);
  EXPECT_EQ(bot.value().rules->limits.reaction_steps, 3);
  Result<Player> player = load_player(game_, run_ + "@1300");
  ASSERT_TRUE(player.ok()) << player.error().message;
  EXPECT_EQ(player->settings(game_.spec).fixed.parameters[0], 50);
  ASSERT_NE(player->advisor, nullptr);
  const Result<MatchSummary> played = play_matches(game_, *player->agent, make_scripted(game_, "random").get(), Key(1),
                                                   {.matches = 2, .settings = player->settings(game_.spec)});
  EXPECT_TRUE(played.ok());
}

TEST_F(PlayerTest, AFileARunAndAScriptPlayByTheDefaults) {
  for (const std::string& name : {bot_, run_, std::string("random"), std::string("hold20"), std::string("search:9")}) {
    Result<Player> player = load_player(game_, name);
    ASSERT_TRUE(player.ok()) << player.error().message;
    EXPECT_EQ(player->name, name);
    EXPECT_EQ(player->settings(game_.spec), default_settings(game_.spec));
    EXPECT_EQ(player->advisor != nullptr, is_path(name)) << name;
  }
}

TEST_F(PlayerTest, ErrorsTellANameThatMeansNothingFromAFailure) {
  save_dial(read_file(bot_).value());
  struct Case {
    std::string name;
    std::optional<float> temperature;
    Error::Kind kind;
    const char* part;
  };
  const Case cases[] = {
      {"hold2", {}, kUsage, "'hold20'"},
      {"search:many", {}, kUsage, "search:"},
      {run_ + "@1200", 1.0f, kUsage, "leave out --temperature"},
      {run_ + "@9999", {}, kFailure, "outside this run's range"},
      {folder_.file("none"), {}, kFailure, "none"},
      {folder_.file("none") + "@1200", {}, kFailure, "is no run's folder"},
      {bot_ + "@1200", {}, kFailure, "is no run's folder"},
  };
  for (const Case& c : cases) {
    const Result<Player> player = load_player(game_, c.name, c.temperature);
    ASSERT_FALSE(player.ok()) << c.name;
    EXPECT_EQ(player.error().kind, c.kind) << c.name;
    EXPECT_NE(player.error().message.find(c.part), std::string::npos) << player.error().message;
  }
  const Result<Player> other = load_player(built_in("tic_tac_toe"), bot_);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().kind, kFailure);
}

TEST_F(PlayerTest, ABotThatWasTrainedOnIsNoLongerTheOneThatWasRated) {
  save_dial("other bytes");
  const Result<BotName> bot = find_bot(run_ + "@1300");
  ASSERT_FALSE(bot.ok());
  EXPECT_NE(bot.error().message.find("another bot than the one that the ladder rated"), std::string::npos);
  ASSERT_TRUE(std::filesystem::remove(bot_));
  EXPECT_NE(find_bot(run_).error().message.find("no bot yet"), std::string::npos);
}

}  // namespace
}  // namespace rival
