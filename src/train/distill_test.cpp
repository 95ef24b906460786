#include "train/distill.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "agent/player.hpp"
#include "games/lanes/lanes.hpp"
#include "games/pendulum/pendulum.hpp"
#include "games/tic_tac_toe/tic_tac_toe.hpp"
#include "rival/by_hand.hpp"
#include "train/trainer.hpp"

namespace rival {
namespace {

Network network_of(const Spec& spec, const NetworkOptions& options) {
  return Network::make(spec, options).value();
}

// The mean distance, over situations of its own matches, of how likely two bots make each choice (total variation).
double distance(const Bot& bot, const Bot& other) {
  BatchOf<TicTacToe> batch(64);
  batch.start_all(default_settings(batch.spec()), Key(9));
  BatchRows rows(batch);
  BotAgent one(bot, batch.spec(), 1), two(other, batch.spec(), 1);
  std::vector<float> p(rows.masks.size()), q(rows.masks.size());
  double sum = 0;
  int count = 0;
  for (std::uint64_t step = 0;; ++step) {
    EXPECT_TRUE(rows.observe().ok());
    if (rows.acting().empty()) return sum / count;
    one.probabilities(rows.decisions(), p.data());
    two.probabilities(rows.decisions(), q.data());
    for (int row : rows.acting()) {
      for (int c = 0; c < 9; ++c) sum += std::fabs(p[row * 9 + c] - q[row * 9 + c]) / 2;
      ++count;
    }
    one.act(rows.decisions(), Key(step), rows.choices.data(), rows.values.data());
    EXPECT_TRUE(rows.step().ok());
  }
}

TEST(Distill, LearnsWhatTheTeacherDoes) {
  const GameEntry game = game_entry<TicTacToe>();
  TrainConfig config;
  config.seed = 3;
  Result<std::unique_ptr<Trainer>> trainer = Trainer::make(game, config);
  ASSERT_TRUE(trainer.ok());
  while ((*trainer)->steps() < 100'000) ASSERT_TRUE((*trainer)->iterate().ok());
  const Bot teacher = (*trainer)->bot();
  const NetworkOptions small{.hidden = {32, 32}};
  EXPECT_GT(distance(teacher, untrained_bot("tic_tac_toe", network_of(game.spec, small), Key(5))), 0.3)
      << "the control: nothing is known yet";

  const DistillOptions options{.decisions = 400'000, .settings = default_settings(game.spec), .threads = 2};
  const Result<Bot> pupil = distill(game, teacher, small, Key(5), options);
  ASSERT_TRUE(pupil.ok()) << pupil.error().message;
  EXPECT_LT(distance(teacher, pupil.value()), 0.1);
  EXPECT_EQ(pupil.value().network.options().hidden, small.hidden);
  EXPECT_GE(pupil.value().steps, options.decisions);
  const Result<Bot> again = distill(game, teacher, small, Key(5), options);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again.value().parameters, pupil.value().parameters);
}

// Whatever the teacher is.
TEST(Distill, TakesMemoryEntitiesAndContinuousValues) {
  const GameEntry pendulum = game_entry<Pendulum>(), lanes = game_entry<Lanes>();
  const DistillOptions options{.decisions = 1000, .settings = default_settings(pendulum.spec), .threads = 1};
  const Bot swinging = untrained_bot("pendulum", network_of(pendulum.spec, {.hidden = {16}}), Key(1));
  const Result<Bot> swings = distill(pendulum, swinging, {.hidden = {8}}, Key(2), options);
  EXPECT_TRUE(swings.ok()) << swings.error().message;

  Bot remembering =
      untrained_bot("lanes", network_of(lanes.spec, {.hidden = {16}, .memory = -1, .entity = 16}), Key(1));
  remembering.limits.reaction_steps = 2;
  const DistillOptions few{.decisions = 1000, .settings = default_settings(lanes.spec), .threads = 1};
  const Result<Bot> smaller = distill(lanes, remembering, {.hidden = {8}, .entity = 8}, Key(2), few);
  ASSERT_TRUE(smaller.ok()) << smaller.error().message;
  EXPECT_EQ(smaller.value().network.memory_size(), 8);
  EXPECT_EQ(smaller.value().limits, remembering.limits);
}

TEST(Distill, StopsWithWhatItHas) {
  const GameEntry game = game_entry<TicTacToe>();
  const Bot teacher = untrained_bot("tic_tac_toe", network_of(game.spec, {.hidden = {16}}), Key(1));
  DistillOptions options{.seconds = 1e6, .settings = default_settings(game.spec), .threads = 1};
  int asked = 0;
  options.stop = [&] { return ++asked == 2; };
  const Result<Bot> pupil = distill(game, teacher, {.hidden = {8}}, Key(2), options);
  ASSERT_TRUE(pupil.ok()) << pupil.error().message;
  EXPECT_GT(pupil.value().steps, 0);
}

}  // namespace
}  // namespace rival
