#include "game/rows.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace rival {
namespace {

// What a game may do wrong in step 2 of a match, where seat 1 is to act.
enum class Fault {
  none,
  observe_throws,
  legal_throws,
  step_throws,
  status_throws,
  result_throws,
  reset_throws,
  nan,
  empty_mask,
  nobody,
  infinite_reward,
};

// Two seats say 0 or 1 and a number from 0 to 1, in turn, four times.
template <Fault fault>
struct Saying {
  static Spec spec() {
    return {.name = "saying",
            .seats = 2,
            .observation = {ObservationPart::vector("none", 3), ObservationPart::vector("steps", 2)},
            .action = {ActionPart::discrete("say", 2), ActionPart::continuous("push", 2, 0, 1)},
            .max_steps = 4};
  }
  bool now(Fault f) const { return fault == f && steps == 2; }
  void reset(const Settings&, Key key) {
    *this = {};
    second = Random(key).below(2) == 1;
    if (fault == Fault::reset_throws) throw std::runtime_error("no map");
  }
  SeatSet to_act() const { return now(Fault::nobody) ? SeatSet::none() : SeatSet::one(1 - steps % 2); }
  void observe(int, Observation out) const {
    if (now(Fault::observe_throws)) throw std::runtime_error("cannot see");
    out.part(1)[1] = now(Fault::nan) ? NAN : static_cast<float>(steps);
  }
  void legal(int, Mask mask) const {
    if (now(Fault::legal_throws)) throw 7;
    if (!now(Fault::empty_mask)) mask.allow(0);
  }
  void step(const Actions&, Key, Rewards rewards) {
    if (now(Fault::step_throws)) throw std::runtime_error("cannot step");
    ++steps;
    if (now(Fault::infinite_reward)) rewards[1] = HUGE_VALF;
  }
  Status status() const {
    if (fault == Fault::status_throws && steps == 3) throw std::runtime_error("cannot end");
    return steps < 4 ? Status::running : Status::finished;
  }
  float result(int) const {
    if (fault == Fault::result_throws) throw std::runtime_error("who won?");
    return 0;
  }
  int steps = 0;
  bool second = false;
};

// Plays two matches to their ends; what went wrong.
template <Fault fault>
std::string complaint() {
  BatchOf<Saying<fault>> batch(2);
  BatchRows rows(batch);
  rows.numbers = {70, 71};
  batch.start_all({}, Key(1));
  for (int step = 0; step < 4; ++step) {
    if (Result<void> shown = rows.observe(); !shown) return shown.error().message;
    for (int row : rows.acting()) rows.choice_row(row)[0] = 0;
    if (Result<void> taken = rows.take(rows.acting(), "the test"); !taken) return taken.error().message;
    if (Result<void> stepped = rows.step(); !stepped) return stepped.error().message;
  }
  const Result<void> shown = rows.observe();
  EXPECT_TRUE(rows.acting().empty());
  return shown ? "" : shown.error().message;
}

TEST(BatchRows, NameWhatAGameDoesWrong) {
  EXPECT_EQ(complaint<Fault::none>(), "");
  const std::string place = "game 'saying', match 70, step 2, seat 1: ", check =
                                                                             "; `rival check saying` shows it in "
                                                                             "isolation";
  EXPECT_EQ(complaint<Fault::observe_throws>(), place + "observe() threw: cannot see");
  EXPECT_EQ(complaint<Fault::legal_throws>(), place + "legal() threw: something that is no std::exception");
  EXPECT_EQ(complaint<Fault::nan>(), place + "value 1 of 'steps' in its observation is nan" + check);
  EXPECT_EQ(complaint<Fault::empty_mask>(),
            place + "it is asked to act, but its mask allows no choice of 'say'" + check);
  EXPECT_EQ(complaint<Fault::nobody>(), "game 'saying', match 70, step 2: the match is running, but nobody is to act");
  EXPECT_EQ(complaint<Fault::infinite_reward>(),
            "game 'saying', match 70, step 1, seat 1: its reward or result is inf" + check);
  EXPECT_EQ(complaint<Fault::step_throws>(), "game 'saying', match 70, step 2: step() threw: cannot step");
  EXPECT_EQ(complaint<Fault::status_throws>(), "game 'saying', match 70, step 3: status() threw: cannot end");
  EXPECT_EQ(complaint<Fault::result_throws>(), "game 'saying', match 70, step 4: result() threw: who won?");
  EXPECT_EQ(complaint<Fault::reset_throws>(), "game 'saying', match 70, step 0: reset() threw: no map");
}

TEST(BatchRows, NameWhatAnAgentDoesWrong) {
  BatchOf<Saying<Fault::none>> batch(2);
  BatchRows rows(batch);
  batch.start_all({}, Key(1));
  ASSERT_TRUE(rows.observe().ok());
  ASSERT_EQ(rows.acting(), (std::vector{0, 1}));
  const auto take = [&] {
    const Result<void> taken = rows.take(rows.acting(), "agent 'a'");
    return taken ? "" : taken.error().message;
  };
  EXPECT_EQ(take(), "");
  rows.choice_row(1)[0] = 1;
  EXPECT_EQ(take(), "game 'saying', match 1, step 0, seat 1: agent 'a' made the illegal choice 1 of 'say'; allowed: 0");
  rows.choice_row(1)[0] = 0;
  rows.value_row(0)[1] = NAN;
  EXPECT_EQ(take(), "game 'saying', match 0, step 0, seat 1: agent 'a' gave nan as value 1 of 'push'");
  rows.value_row(0)[0] = -3;
  rows.value_row(0)[1] = 3;
  EXPECT_EQ(take(), "");
  EXPECT_EQ(rows.value_row(0)[0], 0) << "clipped";
  EXPECT_EQ(rows.value_row(0)[1], 1);
}

TEST(Batch, MatchesThatNeverStartedAreIdle) {
  BatchOf<Saying<Fault::none>> batch(3);
  BatchRows rows(batch);
  const int middle = 1;
  const Key key(1);
  batch.start({&middle, 1}, {}, {&key, 1});
  ASSERT_TRUE(rows.observe().ok());
  EXPECT_EQ(rows.acting(), (std::vector{1}));
  ASSERT_TRUE(rows.step().ok());
  EXPECT_EQ(batch.steps(0), 0);
  EXPECT_EQ(batch.steps(1), 1);
  EXPECT_EQ(batch.status(0), Status::truncated);
}

TEST(Batch, OnlyTheFirstFailureCounts) {
  BatchOf<Saying<Fault::observe_throws>> batch(1);
  batch.start_all({}, Key(1));
  EXPECT_TRUE(batch.sound().ok());
  batch.fail({0, 0, 1, "a script threw"});
  batch.fail({-1, 0, -1, "another"});
  EXPECT_EQ(batch.sound().error().message, "game 'saying', match 0, step 0, seat 1: a script threw");
  const std::unique_ptr<Batch> none = failed_batch(batch.spec(), 2, "its library is gone");
  EXPECT_EQ(BatchRows(*none).observe().error().message, "game 'saying': its library is gone");
}

}  // namespace
}  // namespace rival
