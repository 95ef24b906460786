#include "train/exploration.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/index.hpp"
#include "games/catalog.hpp"
#include "train/trainer.hpp"

namespace rival {
namespace {

void note(Exploration& exploration, bool explorer, std::initializer_list<float> scores) {
  for (int i = 0; i < 64; ++i) exploration.note(explorer, scores.begin()[index(i) % scores.size()]);
}

TEST(Exploration, IsWantedUntilThereIsEnoughToCompare) {
  Exploration exploration;
  EXPECT_TRUE(exploration.wanted());
  note(exploration, false, {1, 2});
  EXPECT_TRUE(exploration.wanted());
  note(exploration, true, {0, 1});
  EXPECT_FALSE(exploration.wanted());
}

TEST(Exploration, IsWantedWhileItFindsWhatTheLearnerDoesNot) {
  Exploration exploration;
  note(exploration, false, {0, -1});
  note(exploration, true, {-30, -40});
  EXPECT_FALSE(exploration.wanted());
  exploration.note(true, 60);
  EXPECT_TRUE(exploration.wanted());
  note(exploration, false, {90, -1});
  EXPECT_FALSE(exploration.wanted());
}

TEST(Exploration, IsWantedWhileNobodyReachesAnything) {
  Exploration exploration;
  note(exploration, false, {-200});
  note(exploration, true, {-200});
  EXPECT_TRUE(exploration.wanted());
  note(exploration, false, {500});  // always the same, and better
  EXPECT_FALSE(exploration.wanted());
}

TEST(Exploration, IsNotWantedWhereLuckDecidesForBothAlike) {
  Exploration exploration;
  note(exploration, false, {1, -1});
  note(exploration, true, {1, -1});
  EXPECT_FALSE(exploration.wanted());
}

// A corridor whose end is worth something, and is reached in time only by who hardly ever turns round: random play does
// so once in some ten thousand million matches. To go on costs a little, so that nobody drifts there.
struct Corridor {
  static constexpr int kLength = 40, kSteps = 44;
  int x = 0, steps = 0;

  static Spec spec() {
    return {.name = "corridor",
            .description = "Walk to the end of a corridor",
            .observation = {ObservationPart::vector("x", 1)},
            .action = {ActionPart::discrete("walk", 2)},
            .max_steps = kSteps};
  }
  void reset(const Settings&, Key) { *this = {}; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const { out[0] = static_cast<float>(x) / kLength; }
  void step(const Actions& actions, Key, Rewards rewards) {
    x = std::max(0, x + (actions.choice(0) == 1 ? 1 : -1));
    ++steps;
    rewards[0] = (x == kLength ? 1.0f : 0.0f) - (actions.choice(0) == 1 ? 0.001f : 0.0f);
  }
  Status status() const {
    return x == kLength ? Status::finished : steps == kSteps ? Status::truncated : Status::running;
  }
};

// The best score of the last 100 matches at any time, of at most so many steps.
double reached(double explorer_share, std::int64_t steps) {
  TrainConfig config;
  config.explorer_share = explorer_share;
  auto trainer = Trainer::make(game_entry<Corridor>(), config);
  EXPECT_TRUE(trainer.ok());
  bool explored = false;
  double best = -1;
  while (trainer.value()->steps() < steps && best < 0.9) {
    auto report = trainer.value()->iterate();
    EXPECT_TRUE(report.ok());
    explored |= report->exploring;
    best = std::max(best, trainer.value()->score().value_or(-1));
  }
  EXPECT_EQ(explored, explorer_share > 0);
  return best;
}

TEST(Exploration, FindsWhatRandomPlayNeverReaches) {
  EXPECT_GE(reached(0.125, 2'000'000), 0.9);
  EXPECT_LE(reached(0, 500'000), 0.1);
}

}  // namespace
}  // namespace rival
