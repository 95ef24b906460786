#include "match/playthrough.hpp"

#include <gtest/gtest.h>

namespace rival {
namespace {

// Counts to three; both seats act at every step.
struct Counting {
  static Spec spec() {
    return {.name = "counting",
            .description = "Counts",
            .seats = 2,
            .observation = {ObservationPart::vector("count", 2), ObservationPart::grid("grid", 1, 1, 2)},
            .action = {ActionPart::discrete("choice", 2), ActionPart::continuous("force", 1, 0, 1)},
            .simultaneous = true};
  }
  void reset(const Settings&, Key) { count = 0; }
  SeatSet to_act() const { return SeatSet::first(2); }
  void observe(int seat, Observation out) const {
    out[0] = static_cast<float>(count) + 0.5f;
    out.at(1, 0, 0, seat) = 1;
  }
  void step(const Actions&, Key, Rewards rewards) {
    ++count;
    rewards[1] += 2;
  }
  Status status() const { return count < 3 ? Status::running : Status::truncated; }
  int count = 0;
};

TEST(Playthrough, WritesWhatEverySeatSees) {
  const GameEntry entry = game_entry<Counting>();
  const std::string text = playthrough(entry, Key(1)).value();
  EXPECT_EQ(text, playthrough(entry, Key(1)).value());
  EXPECT_NE(text, playthrough(entry, Key(2)).value());
  EXPECT_NE(text.find("step 2\n  seat 0 sees count: 2.5 0\n  seat 0 sees grid:\n    1.\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  seat 1 sees grid:\n    .1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  rewards: 0 2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("truncated after 3 steps"), std::string::npos) << text;
}

}  // namespace
}  // namespace rival
