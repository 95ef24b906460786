// What the default configuration learns, measured by exact judges. Budgets are steps, so that the machine's speed does
// not matter; the bounds leave room for other seeds and precisions.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "games/catalog.hpp"
#include "games/tic_tac_toe/tic_tac_toe.hpp"
#include "match/match.hpp"
#include "rival/by_hand.hpp"
#include "search/best_response.hpp"
#include "train/trainer.hpp"

namespace rival {
namespace {

Bot train(const GameEntry& entry, std::int64_t steps, const TrainConfig& config = {}) {
  auto trainer = Trainer::make(entry, config);
  while (trainer.value()->steps() < steps) {
    const auto report =
        trainer.value()->iterate(static_cast<double>(trainer.value()->steps()) / static_cast<double>(steps));
    EXPECT_TRUE(report.ok()) << report.error().message;
    if (!report.ok()) break;
  }
  return trainer.value()->bot();
}

// The headline of the game's first judge.
double judge(const GameEntry& entry, const Bot& bot, float temperature) {
  BotAgent agent(bot, entry.spec, temperature);
  const auto judgement = judges_of(entry).at(0).judge(agent, Key(1), 1000, {});
  EXPECT_TRUE(judgement.ok());
  return judgement.value().figures.at(0).value;
}

TEST(LearningSlow, KuhnPokerNearsEquilibriumAndOnlyWithEntropy) {
  const GameEntry kuhn = built_in("kuhn_poker");
  const double nash_conv = judge(kuhn, train(kuhn, 10'000'000), 1);
  RecordProperty("nash_conv", std::to_string(nash_conv));
  EXPECT_LE(nash_conv, 0.05);
  TrainConfig greedy;
  greedy.entropy = greedy.entropy_end = 0;
  EXPECT_GE(judge(kuhn, train(kuhn, 10'000'000, greedy), 1), 3 * std::max(nash_conv, 0.05));
}

TEST(LearningSlow, PigComesCloseToOptimalPlay) {
  const GameEntry pig = built_in("pig");
  const double score = judge(pig, train(pig, 5'000'000), 0);
  RecordProperty("score", std::to_string(score));
  EXPECT_GE(score, 0.48);  // 0.5 is perfect
  EXPECT_LT(judge(pig, train(pig, 20'000), 0), 0.4);
}

// How often the bot loses, over everything that an opponent could do.
int lost_lines(const TicTacToe& position, int bot_seat, BotAgent& bot) {
  if (position.status() != Status::running) return position.result(bot_seat) < 0;
  std::vector<int> cells = legal_choices(position, position.to_act().lowest());
  if (position.to_act() == SeatSet::one(bot_seat)) {
    const float* logits = bot.decide(observed(position, bot_seat).data(), nullptr);
    cells = {*std::max_element(cells.begin(), cells.end(), [&](int a, int b) { return logits[a] < logits[b]; })};
  }
  int lost = 0;
  for (int cell : cells) {
    TicTacToe next = position;
    make_moves(next, {cell});
    lost += lost_lines(next, bot_seat, bot);
  }
  return lost;
}

int lost_lines(const Bot& bot) {
  BotAgent agent(bot, TicTacToe::spec());
  return lost_lines({}, 0, agent) + lost_lines({}, 1, agent);
}

TEST(LearningSlow, NothingBeatsItAtTicTacToe) {
  const GameEntry entry = built_in("tic_tac_toe");
  const Bot bot = train(entry, 2'000'000);
  EXPECT_EQ(lost_lines(bot), 0);
  EXPECT_GT(lost_lines(train(entry, 20'000)), 0);
  BotAgent agent(bot, entry.spec);
  const auto random = play_matches(entry, agent, random_agent().get(), Key(1), {.matches = 400});
  ASSERT_TRUE(random.ok());
  EXPECT_EQ(random.value().losses, 0);
  EXPECT_GE(random.value().score.value, 0.9);
}

TEST(LearningSlow, NetworksWithMemoryBalanceTheCartPole) {
  TrainConfig config;
  config.network.hidden = {64, 64};
  config.network.memory = 64;
  auto trainer = Trainer::make(built_in("cartpole"), config);
  while (trainer.value()->steps() < 3'000'000 && trainer.value()->score().value_or(0) < 475)
    ASSERT_TRUE(trainer.value()->iterate().ok());
  EXPECT_GE(trainer.value()->score().value_or(0), 475);
}

}  // namespace
}  // namespace rival
