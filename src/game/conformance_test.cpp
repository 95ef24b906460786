#include "game/conformance.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <stdexcept>

namespace rival {
namespace {

enum class Bug {
  none,
  spec,
  nobody_acts,
  seat_out_of_range,
  two_act,
  mask_byte,
  empty_mask,
  mask_overrun,
  observation_nan,
  observation_overrun,
  large_observation,
  reward_nan,
  no_reward,
  never_ends,
  over_at_once,
  result_nan,
  draw_lost_by_both,
  shared_state,
  copy_differs,
  global_random,
  unrecorded_state,
  parameter_breaks,
  sees_hidden_card,
  mask_shows_hidden_card,
  resample_does_nothing,
  hidden_undeclared,
  throws,
  part_overrun,
  mask_part_overrun,
  entity_begins_with_five,
  entity_begins_with_zero,
  large_reward,
  same_results,
  blind,
  forgetful_reset,
};

int global_counter = 0;

// Two seats hold a hidden card each and take turns to name numbers; the higher card wins. Sound but for its `bug`.
template <Bug bug>
struct Toy {
  static Spec spec() {
    return {.name = bug == Bug::spec ? "" : "toy",
            .description = "",
            .source = "",
            .seats = 2,
            .observation = {ObservationPart::vector("card", 3), ObservationPart::vector("turn", 2),
                            ObservationPart::entities("units", 2, 2)},
            .action = {ActionPart::discrete("number", 3), ActionPart::continuous("force", 2, -1, 1),
                       ActionPart::discrete("way", 2)},
            .parameters = {{"turns", 4, 2, 6, "how many numbers are named"}},
            .hidden_information = bug != Bug::hidden_undeclared,
            .max_steps = 6};
  }

  void reset(const Settings& settings, Key key) {
    turns = static_cast<int>(settings.parameters[0]);
    turn = bug == Bug::over_at_once ? turns : 0;
    if constexpr (bug != Bug::forgetful_reset) last = 0;
    Random random(key);
    cards[0] = random.below(3);
    cards[1] = (cards[0] + 1 + random.below(2)) % 3;
    if constexpr (bug == Bug::global_random) cards[0] = global_counter++ % 3;
    shared = std::make_shared<int>(0);
  }

  SeatSet to_act() const {
    if constexpr (bug == Bug::nobody_acts)
      if (turn == 2) return SeatSet::none();
    if constexpr (bug == Bug::seat_out_of_range)
      if (turn == 3) return SeatSet::one(2);
    if constexpr (bug == Bug::two_act) return SeatSet::first(2);
    return SeatSet::one(turn % 2);
  }

  void observe(int seat, Observation out) const {
    if constexpr (bug == Bug::blind) return;
    if constexpr (bug == Bug::throws)
      if (turn == 2 && seat == 1) throw std::out_of_range("no such card");
    out.part(2)[0] = bug == Bug::entity_begins_with_five ? 5 : bug == Bug::entity_begins_with_zero ? 0 : 1;
    out.part(2)[1] = 0.5f;
    if constexpr (bug == Bug::part_overrun) out.part(0)[4] = 0.5f;
    out.part(0)[cards[bug == Bug::sees_hidden_card && seat == 1 ? 0 : seat]] = 1;
    out.part(1)[0] = static_cast<float>(turn) / 4;
    out.part(1)[1] = static_cast<float>(last);
    if constexpr (bug == Bug::observation_nan)
      if (turn == 1 && seat == 0) out.part(1)[1] = std::numeric_limits<float>::quiet_NaN();
    if constexpr (bug == Bug::observation_overrun) out.part(2)[4] = 1;
    if constexpr (bug == Bug::large_observation) out.part(1)[0] = 1000;
    if constexpr (bug == Bug::shared_state) out.part(1)[1] = static_cast<float>(*shared);
    if constexpr (bug == Bug::parameter_breaks)
      if (turns == 6 && turn == 5) out.part(1)[0] = std::numeric_limits<float>::infinity();
  }

  void legal(int seat, Mask mask) const {
    if (bug == Bug::empty_mask && turn == 1) return;
    mask.allow(0);
    mask.allow(1);
    if (bug == Bug::mask_byte) mask.part()[1] = 7;
    if (bug == Bug::mask_overrun) mask.allow(2, 2);
    if (bug == Bug::mask_part_overrun) mask.allow(4);
    mask.allow(2, 0);
    mask.allow(2, 1);
    if (bug == Bug::mask_shows_hidden_card && cards[1 - seat] == 0) mask.allow(2);
  }

  void step(const Actions& actions, Key key, Rewards rewards) {
    const int seat = turn % 2;
    last = actions.choice(seat) + static_cast<int>(2 * actions.value(seat, 1, 1)) + Random(key).below(2);
    ++*shared;
    if constexpr (bug == Bug::copy_differs) last += copied;
    if constexpr (bug == Bug::unrecorded_state) last = ++global_counter % 7;
    if constexpr (bug == Bug::reward_nan)
      if (turn == 2) rewards[1] = std::numeric_limits<float>::quiet_NaN();
    if constexpr (bug == Bug::large_reward) rewards[1] += 1e7f;
    if constexpr (bug == Bug::never_ends) return;
    ++turn;
  }

  Status status() const { return turn < turns ? Status::running : Status::finished; }

  float result(int team) const {
    if constexpr (bug == Bug::no_reward) return 0;
    if constexpr (bug == Bug::same_results) return team == 0 ? 1 : -1;
    if constexpr (bug == Bug::result_nan) return std::numeric_limits<float>::quiet_NaN();
    if (bug == Bug::draw_lost_by_both && last == 1) return -1;
    return cards[team] > cards[1 - team] ? 1 : -1;
  }

  void resample_hidden(int seat, Key key) {
    if constexpr (bug == Bug::resample_does_nothing) return;
    cards[1 - seat] = (cards[seat] + 1 + Random(key).below(2)) % 3;
  }

  Toy() = default;
  Toy(const Toy& other) { *this = other; }
  Toy& operator=(const Toy& other) {
    cards[0] = other.cards[0];
    cards[1] = other.cards[1];
    turn = other.turn;
    turns = other.turns;
    last = other.last;
    copied = 1;
    shared = bug == Bug::shared_state || !other.shared ? other.shared : std::make_shared<int>(*other.shared);
    return *this;
  }

  int cards[2] = {}, turn = 0, turns = 4, last = 0, copied = 0;
  std::shared_ptr<int> shared;
};

template <Bug bug>
ConformanceReport report() {
  global_counter = 0;
  return check_conformance(&BatchOf<Toy<bug>>::make, Key(5), 30);
}

void expect_failure(const ConformanceReport& report, const std::string& name, const std::string& message) {
  EXPECT_FALSE(report.passed());
  EXPECT_EQ(report.check(name).verdict, ConformanceCheck::Verdict::failed) << report.text();
  EXPECT_NE(report.check(name).message.find(message), std::string::npos) << report.text();
}

void expect_warning(const ConformanceReport& report, const std::string& name, const std::string& message) {
  EXPECT_TRUE(report.passed()) << report.text();
  EXPECT_EQ(report.check(name).verdict, ConformanceCheck::Verdict::warning) << report.text();
  EXPECT_NE(report.check(name).message.find(message), std::string::npos) << report.text();
}

TEST(Conformance, PassesASoundGame) {
  const ConformanceReport sound = report<Bug::none>();
  for (const ConformanceCheck& check : sound.checks)
    EXPECT_EQ(check.verdict, ConformanceCheck::Verdict::passed) << sound.text();
  EXPECT_EQ(sound.matches, 30);
  EXPECT_EQ(sound.mean_steps, 4);
  EXPECT_EQ(sound.check("results").message, "zero-sum");
  EXPECT_EQ(sound.check("chance").message, "matches start differently with different keys");
}

TEST(Conformance, NamesTheFault) {
  expect_failure(report<Bug::spec>(), "spec", "no name");
  expect_failure(report<Bug::nobody_acts>(), "to act", "match 0, step 2: nobody is to act");
  expect_failure(report<Bug::seat_out_of_range>(), "to act", "match 0, step 3: seat 2 is to act");
  expect_failure(report<Bug::two_act>(), "to act", "match 0, step 0: 2 seats are to act at once");
  expect_failure(report<Bug::mask_byte>(), "masks", "step 0, seat 0: action part 'number', choice 1: the mask is 7");
  expect_failure(report<Bug::empty_mask>(), "masks", "step 1, seat 1: action part 'number': no choice is allowed");
  expect_failure(report<Bug::mask_overrun>(), "masks", "step 0, seat 0: legal() writes outside its mask");
  expect_failure(report<Bug::observation_nan>(), "observations",
                 "match 0, step 1, seat 0: observation part 'turn', index 1 is");
  expect_failure(report<Bug::observation_overrun>(), "observations",
                 "step 0, seat 0: observe() writes outside its row");
  expect_failure(report<Bug::reward_nan>(), "rewards", "match 0, step 2, seat 1: the reward is");
  expect_failure(report<Bug::never_ends>(), "ending", "match 0, step 6: the match is still running after 6 steps");
  expect_failure(report<Bug::over_at_once>(), "ending", "match 0, step 0: the match is over before anybody acted");
  expect_failure(report<Bug::result_nan>(), "results", "match 0, step 4: the result of team 0 is");
  expect_failure(report<Bug::shared_state>(), "copies", "changes the original");
  expect_failure(report<Bug::copy_differs>(), "copies", "goes on in another way");
  expect_failure(report<Bug::global_random>(), "same keys", "step 0: the match starts from another state");
  expect_failure(report<Bug::parameter_breaks>(), "parameters",
                 "with parameter 'turns' at 6: observations: match 0, step 5, seat 0");
  expect_failure(report<Bug::forgetful_reset>(), "same keys", "*this = Game();");
  expect_failure(report<Bug::global_random>(), "same keys", "a global generator");
  expect_failure(report<Bug::throws>(), "exceptions", "match 0, step 2, seat 1: observe() threw: no such card");
  expect_failure(report<Bug::mask_part_overrun>(), "masks",
                 "the mask of action part 'number' is written beyond its 3 choices");
  expect_failure(report<Bug::hidden_undeclared>(), "hidden", "set Spec::hidden_information");
  expect_failure(report<Bug::sees_hidden_card>(), "hidden", "seat 1: sees what is hidden: observation part 'card'");
  expect_failure(report<Bug::mask_shows_hidden_card>(), "hidden", "the mask gives away what is hidden");
}

TEST(Conformance, FindsStateOutsideTheMatch) {
  const ConformanceReport found = report<Bug::unrecorded_state>();
  EXPECT_FALSE(found.passed());
  EXPECT_TRUE(found.check("copies").verdict == ConformanceCheck::Verdict::failed ||
              found.check("same keys").verdict == ConformanceCheck::Verdict::failed)
      << found.text();
}

TEST(Conformance, Warns) {
  expect_warning(report<Bug::large_observation>(), "scale", "step 0, seat 0: observation part 'turn', index 0 is 1000");
  expect_warning(report<Bug::no_reward>(), "rewards", "nothing to learn");
  expect_warning(report<Bug::resample_does_nothing>(), "hidden", "never changed anything");
  expect_warning(report<Bug::draw_lost_by_both>(), "results", "in an earlier match to 0");
  expect_warning(report<Bug::same_results>(), "results", "every match ended with the same results");
  expect_warning(report<Bug::part_overrun>(), "observations",
                 "what is written to observation part 'card' goes beyond its 3 values");
  expect_warning(report<Bug::entity_begins_with_five>(), "entities", "step 0, seat 0: row 0 of 'units' begins with 5");
  expect_warning(report<Bug::entity_begins_with_zero>(), "entities", "begins with 0, which means");
  expect_warning(report<Bug::large_reward>(), "rewards", "match 0, step 0, seat 1: the reward or result is 1e+07");
  expect_warning(report<Bug::blind>(), "observations", "no seat ever saw anything but the same numbers");
}

TEST(Conformance, ListsTheOptionalMembers) {
  EXPECT_EQ(report<Bug::none>().check("members").message,
            "legal, result, resample_hidden; not there: playing, text, text(seat), action_text, stage, scene, starts, "
            "outcomes");
}

TEST(Conformance, AQuickLookFindsWhatShowsEarly) {
  const auto look = [](BatchFactory factory) {
    const Result<void> sound = check_quickly(factory, "a_game");
    return sound ? "" : sound.error().message;
  };
  EXPECT_EQ(look(&BatchOf<Toy<Bug::none>>::make), "");
  EXPECT_NE(look(&BatchOf<Toy<Bug::throws>>::make).find("game 'toy' breaks a promise: match 0, step 2, seat 1"),
            std::string::npos);
  EXPECT_NE(look(&BatchOf<Toy<Bug::throws>>::make).find(" check a_game` looks at all of them"), std::string::npos);
  EXPECT_NE(look(&BatchOf<Toy<Bug::observation_overrun>>::make).find("writes outside its row"), std::string::npos);
  EXPECT_EQ(look(&BatchOf<Toy<Bug::large_reward>>::make), "") << "a warning is no reason to stop";
}

// A game of hidden information that cannot redraw what is hidden.
struct NoResample {
  static Spec spec() { return Toy<Bug::none>::spec(); }
  void reset(const Settings& settings, Key key) { toy.reset(settings, key); }
  SeatSet to_act() const { return toy.to_act(); }
  void observe(int seat, Observation out) const { toy.observe(seat, out); }
  void step(const Actions& actions, Key key, Rewards rewards) { toy.step(actions, key, rewards); }
  Status status() const { return toy.status(); }
  Toy<Bug::none> toy;
};

TEST(Conformance, SaysWhatItCouldNotCheck) {
  const ConformanceReport report = check_conformance(&BatchOf<NoResample>::make, Key(5), 10);
  expect_warning(report, "hidden", "not checked: the game has no resample_hidden()");
  EXPECT_EQ(report.check("results").verdict, ConformanceCheck::Verdict::skipped);
  EXPECT_EQ(report.check("results").message, "the game has no results, only rewards");
}

// A table with four places for two to four players, who name a number at once; the highest wins, the others lose.
template <Bug bug>
struct Table {
  static Spec spec() {
    return {.name = "table",
            .description = "Name the highest number",
            .seats = 4,
            .observation = {ObservationPart::vector("seat", 4)},
            .action = {ActionPart::discrete("number", 9)},
            .simultaneous = true,
            .max_steps = 2};
  }
  void reset(const Settings&, Key key) {
    *this = {};
    Random random(key);
    while (players.count() < 2)
      for (int seat = 0; seat < 4; ++seat)
        if (random.below(2)) players = players.with(seat);
  }
  SeatSet playing() const { return bug == Bug::copy_differs && steps == 1 ? SeatSet::first(4) : players; }
  SeatSet to_act() const { return bug == Bug::seat_out_of_range ? SeatSet::first(4) : players; }
  void observe(int seat, Observation out) const { out[seat] = 1; }
  void step(const Actions& actions, Key, Rewards) {
    for (int seat = 0; seat < 4; ++seat)
      if (players.contains(seat)) named[seat] = actions.choice(seat);
    ++steps;
  }
  Status status() const { return steps < 2 ? Status::running : Status::finished; }
  float result(int team) const { return named[team] == *std::max_element(named, named + 4) ? 1.0f : -1.0f; }

  SeatSet players;
  int named[4] = {-1, -1, -1, -1}, steps = 0;
};

TEST(Conformance, SeatsMayStayEmpty) {
  const ConformanceReport sound = check_conformance(&BatchOf<Table<Bug::none>>::make, Key(5), 30);
  EXPECT_TRUE(sound.passed()) << sound.text();
  expect_failure(check_conformance(&BatchOf<Table<Bug::seat_out_of_range>>::make, Key(5), 30), "to act",
                 "is to act, but playing() leaves it out of the match");
  expect_failure(check_conformance(&BatchOf<Table<Bug::copy_differs>>::make, Key(5), 30), "to act",
                 "playing() has changed since the match began");
}

TEST(Conformance, EmptySeatsNeitherWinNorLose) {
  BatchOf<Table<Bug::none>> batch(64);
  batch.start_all({}, Key(1));
  std::vector<std::int32_t> choices(256, 3);
  std::vector<float> rewards(256);
  std::vector<Status> status(64);
  for (int step = 0; step < 2; ++step) batch.step({choices.data(), nullptr}, {rewards.data(), status.data()});
  int empty = 0;
  for (int m = 0; m < 64; ++m)
    for (int seat = 0; seat < 4; ++seat) {
      const bool plays = batch.playing(m).contains(seat);
      EXPECT_EQ(batch.plays(m, seat), plays);
      EXPECT_EQ(rewards[4 * m + seat], plays ? 1 : 0);
      empty += !plays;
    }
  EXPECT_GT(empty, 20);
}

}  // namespace
}  // namespace rival
