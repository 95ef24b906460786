#include "game/batch.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace rival {
namespace {

// Counts what its one seat says, and draws a number in every step.
struct Dice {
  static Spec spec() {
    return {.name = "dice",
            .seats = 1,
            .observation = {ObservationPart::vector("state", 2)},
            .action = {ActionPart::discrete("say", 10)}};
  }
  void reset(const Settings&, Key) { *this = Dice(); }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out[0] = static_cast<float>(sum);
    out[1] = drawn;
  }
  void step(const Actions& actions, Key key, Rewards) {
    sum += actions.choice(0);
    drawn = Random(key).uniform();
  }
  Status status() const { return Status::running; }

  int sum = 0;
  float drawn = 0;
};

const Dice& dice(const Batch& batch, int match) {
  return *batch.state<Dice>(match);
}

void step_all(Batch& batch, std::int32_t choice) {
  const std::vector<std::int32_t> choices(batch.matches(), choice);
  std::vector<float> rewards(choices.size());
  std::vector<Status> status(choices.size());
  batch.step({choices.data(), nullptr}, {rewards.data(), status.data()});
}

TEST(Batch, AMatchIsCopiedToAnotherBatch) {
  BatchOf<Dice> from(3), into(2);
  from.start_all({}, Key(1));
  into.start_all({}, Key(2));
  step_all(from, 3);
  into.copy_match(from, 2, 1);
  EXPECT_EQ(into.hash(1), from.hash(2));
  EXPECT_EQ(into.steps(1), 1);
  EXPECT_EQ(dice(into, 0).sum, 0);
  step_all(from, 4);
  EXPECT_EQ(dice(into, 1).sum, 3) << "the copy stays";
  step_all(into, 4);
  EXPECT_EQ(into.hash(1), from.hash(2)) << "and draws the same";
}

// Says what it allows of seats to act only.
struct Strict : Dice {
  void legal(int, Mask mask) const {
    if (sum > 0) throw std::logic_error("nobody is to act");
    for (int choice = 0; choice < 10; ++choice) mask.allow(choice);
  }
  SeatSet to_act() const { return sum > 0 ? SeatSet::none() : SeatSet::one(0); }
  Status status() const { return sum > 0 ? Status::truncated : Status::running; }
};

TEST(Batch, WhatIsAllowedIsNotAskedOfWhoOnlyLooks) {
  BatchOf<Strict> batch(1);
  batch.start_all({}, Key(1));
  step_all(batch, 3);
  float observation[2];
  std::uint8_t mask[10];
  batch.observe_seat(0, 0, observation, nullptr);
  EXPECT_EQ(observation[0], 3);
  batch.hash(0);
  EXPECT_TRUE(batch.sound().ok()) << batch.sound().error().message;
  batch.observe_seat(0, 0, observation, mask);
  EXPECT_FALSE(batch.sound().ok()) << "the control";
}

TEST(Batch, AMatchWithAnotherKeyDrawsAnotherFuture) {
  BatchOf<Dice> batch(2);
  batch.start_all({}, Key(1));
  step_all(batch, 3);
  batch.copy_match(batch, 0, 1);
  EXPECT_TRUE(batch.copy_match(batch, 1, 1, Key(5)));
  EXPECT_EQ(batch.hash(0), batch.hash(1));
  step_all(batch, 4);
  EXPECT_EQ(dice(batch, 0).sum, dice(batch, 1).sum);
  EXPECT_NE(dice(batch, 0).drawn, dice(batch, 1).drawn);
}

}  // namespace
}  // namespace rival
