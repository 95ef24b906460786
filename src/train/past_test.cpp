#include "train/past.hpp"

#include <gtest/gtest.h>

#include "games/catalog.hpp"
#include "train/trainer.hpp"

namespace rival {
namespace {

// A cue, some empty steps, and the question what it was. Shown again with the question, nothing has to be remembered.
template <bool Shown>
struct Cue {
  static constexpr int kSteps = 20;
  int cue = 0, step_ = 0;

  static Spec spec() {
    return {.name = "cue",
            .description = "Say what was shown at the beginning",
            .observation = {ObservationPart::vector("cue", 2), ObservationPart::vector("question", 1)},
            .action = {ActionPart::discrete("say", 2)},
            .hidden_information = true,
            .max_steps = kSteps};
  }
  void reset(const Settings&, Key key) { *this = {.cue = Random(key).below(2)}; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    if (Shown || step_ == 0) out[cue] = 1;
    out[2] = static_cast<float>(step_) / kSteps;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    if (++step_ == kSteps) rewards[0] = actions.choice(0) == cue ? 1.0f : -1.0f;
  }
  Status status() const { return step_ == kSteps ? Status::finished : Status::running; }
};

// Sees where it is, which tells nothing of where it has been; numbers never come twice.
struct Drift {
  float x = 0;
  int step_ = 0;
  static Spec spec() {
    Spec spec = Cue<true>::spec();
    spec.name = "drift";
    return spec;
  }
  void reset(const Settings&, Key key) { *this = {.x = Random(key).uniform()}; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const { out[0] = x; }
  void step(const Actions&, Key key, Rewards) { x += Random(key).uniform(), ++step_; }
  Status status() const { return step_ == 20 ? Status::finished : Status::running; }
};

TEST(Past, IsMeasuredWithRandomPlay) {
  const auto shows = [](const GameEntry& game) { return shows_its_past(game, default_settings(game.spec)); };
  EXPECT_TRUE(shows(built_in("kuhn_poker")));
  EXPECT_TRUE(shows(built_in("leduc_poker")));
  EXPECT_FALSE(shows(game_entry<Cue<false>>()));
  EXPECT_FALSE(shows(game_entry<Drift>()));
  // What it did before does not show, though it does not matter either.
  EXPECT_FALSE(shows(game_entry<Cue<true>>()));
}

TEST(Past, AMemoryIsChosenOnlyWhereItIsLeftOpenAndNeeded) {
  const auto chosen = [](const GameEntry& game, const TrainConfig& config = {}) {
    return with_memory_if_needed(game, config);
  };
  EXPECT_EQ(chosen(built_in("leduc_poker")).network.memory, -1);
  EXPECT_EQ(chosen(built_in("connect_four")).network.memory, -1);
  const GameEntry cue = game_entry<Cue<false>>();
  const TrainConfig with = chosen(cue);
  EXPECT_EQ(with.network.memory, 128);
  EXPECT_EQ(with.network.hidden, (std::vector{128, 128}));
  EXPECT_EQ(with.horizon, 32);
  EXPECT_EQ(with.rows, 512);
  TrainConfig none;
  none.network.memory = 0;
  EXPECT_EQ(chosen(cue, none).network.memory, 0);
  TrainConfig narrow;
  narrow.network.hidden = {32};
  narrow.horizon = 16;
  EXPECT_EQ(chosen(cue, narrow).network.memory, 32);
  EXPECT_EQ(chosen(cue, narrow).horizon, 16);
  EXPECT_EQ(chosen(cue, narrow).rows, 0);
}

TEST(Past, WhatIsNotShownAgainIsLearntByDefault) {
  // The best score of the last 100 matches at any time, of at most so many steps.
  const auto best = [](int memory, std::int64_t steps) {
    TrainConfig config;
    config.network.memory = memory;
    auto trainer = Trainer::make(game_entry<Cue<false>>(), config);
    double score = -1;
    while (trainer.value()->steps() < steps && score < 0.9) {
      EXPECT_TRUE(trainer.value()->iterate());
      score = std::max(score, trainer.value()->score().value_or(-1));
    }
    return score;
  };
  EXPECT_GE(best(-1, 1'000'000), 0.9);
  EXPECT_LE(best(0, 400'000), 0.6) << "the control: a guess is right every other time";
}

}  // namespace
}  // namespace rival
