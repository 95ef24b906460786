// Batches of games that are played elsewhere: they take their time, and may be gone at any moment.
#include <gtest/gtest.h>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "base/temporary_folder.hpp"
#include "games/cartpole/cartpole.hpp"
#include "games/tic_tac_toe/tic_tac_toe.hpp"
#include "match/match.hpp"
#include "train/run.hpp"

namespace rival {
namespace {

struct Conditions {
  int ready_percent = 100;  // of the matches, at each step
  int steps = 1 << 30;      // of the batch, before it fails
};

// Matches of G, of which some are ready and some are not, whoever asks.
template <class G>
class Elsewhere final : public Batch {
 public:
  Elsewhere(int matches, Conditions conditions)
      : Batch(G::spec(), matches), conditions_(conditions), random_(Key(static_cast<std::uint64_t>(matches))) {
    for (int m = 0; m < matches; ++m) inner_.push_back(std::make_unique<BatchOf<G>>(1));
    ready_.assign(inner_.size(), 0);
  }

  void start_each(std::span<const int> matches, const Settings& settings, std::span<const Key> keys) override {
    const int zero = 0;
    for (std::size_t i = 0; i < matches.size(); ++i) {
      of(matches[i]).start({&zero, 1}, settings, {&keys[i], 1});
      clocks_[matches[i]] = {keys[i], 0};
    }
  }
  void observe(const ObservationRows& out) const override {
    bool some = false;
    while (!some && !failure()) {
      some = true;
      for (int m = 0; m < matches(); ++m) {
        std::uint8_t& ready = ready_[m];
        ready = random_.below(100) < conditions_.ready_percent;
        some &= m > 0 || ready;  // at least the first, so that there is an end to the waiting
        const std::ptrdiff_t row = m * rows_per_match();
        of(m).observe({out.observations + row * layout().observation_size, out.masks + row * layout().mask_size,
                       out.seats + row});
        if (!ready) std::fill_n(out.seats + row, rows_per_match(), static_cast<std::int8_t>(-1));
      }
    }
  }
  void step(const ActionRows& actions, const StepRows& out) override {
    if (--conditions_.steps < 0) fail({.what = "the process that plays it is gone"});
    std::fill_n(out.rewards, matches() * spec().seats, 0.0f);
    for (int m = 0; m < matches(); ++m) {
      out.status[m] = of(m).status(0);
      if (!ready(m) || out.status[m] != Status::running) continue;
      const std::ptrdiff_t row = m * rows_per_match();
      of(m).step({actions.choices + row * layout().choice_count, actions.values + row * layout().value_count},
                 {out.rewards + m * spec().seats, out.status + m});
      ++clocks_[m].steps;
    }
  }
  void observe_seat(int match, int seat, float* observation, std::uint8_t* mask) const override {
    of(match).observe_seat(0, seat, observation, mask);
  }
  SeatSet to_act(int match) const override {
    ready_[match] = 1;  // who asks waits
    return of(match).to_act(0);
  }
  Status status(int match) const override { return of(match).status(0); }
  float result(int match, int team) const override { return of(match).result(0, team); }
  bool has_result() const override { return HasResult<G>; }

 private:
  Batch& of(int match) const { return *inner_[match]; }

  std::vector<std::unique_ptr<Batch>> inner_;
  Conditions conditions_;
  mutable Random random_;
};

template <class G>
GameEntry entry(Conditions conditions) {
  return {.spec = G::spec(),
          .make_batch = [conditions](int matches) { return std::make_unique<Elsewhere<G>>(matches, conditions); }};
}

TrainConfig small(std::int64_t steps) {
  TrainConfig config;
  config.rows = 64;
  config.threads = 2;
  config.network.hidden = {32, 32};
  config.steps = steps;
  return config;
}

TEST(Elsewhere, ABatchThatFailsEndsTheRunWhichGoesOnLater) {
  const TemporaryFolder folder;
  RunOptions options{.folder = folder.path() + "/run"};
  const Result<RunSummary> ended = run_training(entry<TicTacToe>({.steps = 500}), small(40'000), options);
  ASSERT_FALSE(ended.ok());
  EXPECT_NE(ended.error().message.find("game 'tic_tac_toe': the process that plays it is gone"), std::string::npos)
      << ended.error().message;
  options.resume = true;
  const Result<RunSummary> whole = run_training(entry<TicTacToe>({}), small(40'000), options);
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_GE(whole.value().steps, 40'000);
  // One that cannot even be had.
  GameEntry none = entry<TicTacToe>({});
  none.make_batch = [](int matches) { return failed_batch(TicTacToe::spec(), matches, "no such library"); };
  options = {.folder = folder.path() + "/none"};
  EXPECT_EQ(run_training(none, small(1000), options).error().message.find("game 'tic_tac_toe'"), 0u);
}

// The mean return of 200 matches of a CartPole player after so many steps of training.
double strength(int ready_percent) {
  const GameEntry game = entry<CartPole>({.ready_percent = ready_percent});
  auto trainer = Trainer::make(game, small(150'000));
  EXPECT_TRUE(trainer.ok());
  while (trainer.value()->steps() < 150'000) {
    const auto report = trainer.value()->iterate();
    EXPECT_TRUE(report.ok()) << report.error().message;
    if (!report.ok()) return 0;
  }
  BotAgent agent(trainer.value()->bot(), game.spec, 0);
  const Result<MatchSummary> sum = play_matches(game, agent, nullptr, Key(3), {.matches = 200});
  EXPECT_TRUE(sum.ok()) << sum.error().message;
  return sum ? sum.value().mean_return.value : 0;
}

TEST(ElsewhereSlow, RowsThatAreReadyAtRandomTrainToTheSameStrength) {
  EXPECT_GT(strength(100), 400);
  EXPECT_GT(strength(40), 400);
}

// The lowest choice that is allowed.
class Lowest final : public Agent {
 public:
  std::string name() const override { return "lowest"; }
  void act(const Decisions& decisions, Key, std::int32_t* choices, float*) override {
    const int size = decisions.batch->layout().mask_size;
    for (int row : decisions.rows) {
      const std::uint8_t* mask = decisions.masks + row * size;
      choices[row] = static_cast<int>(std::find(mask, mask + size, 1) - mask);
    }
  }
};

TEST(Elsewhere, AMatchThatWaitsIsNoOtherMatch) {
  Lowest agent;
  const Result<MatchSummary> sum =
      play_matches(entry<TicTacToe>({.ready_percent = 30}), agent, &agent, Key(5), {.matches = 100});
  ASSERT_TRUE(sum.ok()) << sum.error().message;
  EXPECT_EQ(sum.value().distinct, 1);
}

// Matches depend on their keys, not on who was ready when. (A script would read the state, of which there is none.)
TEST(Elsewhere, MatchesGoAsTheyWouldHere) {
  const auto one = random_agent(), other = random_agent();
  const GameEntry here = game_entry<TicTacToe>(), there = entry<TicTacToe>({.ready_percent = 30});
  const Result<MatchSummary> sum = play_matches(there, *one, other.get(), Key(4), {.matches = 400, .replays = 5});
  ASSERT_TRUE(sum.ok()) << sum.error().message;
  EXPECT_EQ(sum.value().matches, 400);
  EXPECT_TRUE(sum.value().score.interval.low < 0.5 && 0.5 < sum.value().score.interval.high);
  for (const Replay& replay : sum.value().replays) EXPECT_TRUE(verify_replay(replay, here.make_batch).ok());
}

}  // namespace
}  // namespace rival
