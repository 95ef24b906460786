#include "match/match.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <set>
#include <thread>

#include "agent/scripted.hpp"

namespace rival {
namespace {

// Two players name a number from 0 to 2 in turn, `rounds` times; the higher sum wins. Luck from the match key gives
// seat 0 up to 2 points beforehand. Faults are planted by number.
enum class Fault { none, nan_observation, nan_reward, empty_mask, nobody_acts, endless };
template <Fault fault = Fault::none>
struct Sums {
  static Spec spec() {
    return {.name = "sums",
            .seats = 2,
            .observation = {ObservationPart::vector("points", 2)},
            .action = {ActionPart::discrete("number", 3)},
            .max_steps = 4};
  }
  void reset(const Settings&, Key key) {
    *this = {};
    points[0] = Random(key).below(3);
  }
  SeatSet to_act() const { return fault == Fault::nobody_acts ? SeatSet::none() : SeatSet::one(moves % 2); }
  void observe(int seat, Observation out) const {
    out[0] = static_cast<float>(points[seat]);
    out[1] = fault == Fault::nan_observation && moves == 2 ? std::nanf("") : 0;
  }
  void legal(int, Mask mask) const {
    for (int i = 0; i < 3; ++i)
      if (fault != Fault::empty_mask || moves < 3) mask.allow(i);
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    points[moves % 2] += actions.choice(moves % 2);
    ++moves;
    if (fault == Fault::nan_reward) rewards[1] = std::nanf("");
  }
  Status status() const { return moves >= 4 && fault != Fault::endless ? Status::finished : Status::running; }
  float result(int team) const {
    return points[team] > points[1 - team] ? 1 : points[team] == points[1 - team] ? 0 : -1;
  }
  int points[2] = {}, moves = 0;
};

// The same with some points for seat 1 beforehand.
struct Handicap : Sums<> {
  static Spec spec() {
    Spec spec = Sums<>::spec();
    spec.parameters = {{"handicap", 0, 0, 4, "points of seat 1", 1}};
    return spec;
  }
  void reset(const Settings& settings, Key key) {
    Sums<>::reset(settings, key);
    points[1] = static_cast<int>(settings.parameters[0]);
  }
};

template <Fault fault = Fault::none>
std::unique_ptr<Agent> always(int choice) {
  return scripted_agent<Sums<fault>>("always " + std::to_string(choice),
                                     [choice](const Sums<fault>&, int, Random&) { return choice; });
}

// Expects an error whose message holds every one of `parts`.
void expect_error(const Result<MatchSummary>& result, std::initializer_list<const char*> parts) {
  ASSERT_FALSE(result.ok());
  for (const char* part : parts)
    EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
}

TEST(Match, SettingsAreDrawnForEachRoundAndKeptByItsReplays) {
  const GameEntry game = game_entry<Handicap>();
  MatchSettings settings = default_settings(game.spec);
  ASSERT_TRUE(draw_parameters(game.spec, std::vector<std::string>{"handicap=1..4"}, "", settings));
  const auto one = random_agent(), other = random_agent();
  const auto sum =
      play_matches(game, *one, other.get(), Key(5), {.matches = 40, .settings = settings, .batch = 7, .replays = 40});
  ASSERT_TRUE(sum.ok()) << sum.error().message;
  ASSERT_EQ(sum.value().replays.size(), 40u);
  std::set<float> seen;
  for (std::size_t i = 0; i < 40; i += 2) {
    const Replay &first = sum.value().replays[i], &second = sum.value().replays[i + 1];
    EXPECT_EQ(first.settings, settings.draw(first.key));
    EXPECT_EQ(first.settings, second.settings);
    for (const Replay* replay : {&first, &second}) EXPECT_TRUE(verify_replay(*replay, game.make_batch).ok());
    seen.insert(first.settings.parameters[0]);
  }
  EXPECT_EQ(seen.size(), 4u);
}

TEST(Match, CountsWinsDrawsAndLosses) {
  const GameEntry game = game_entry<Sums<>>();
  const auto high = always(2), low = always(0);
  const Result<MatchSummary> strong = play_matches(game, *high, low.get(), Key(1), {.matches = 101});
  ASSERT_TRUE(strong.ok()) << strong.error().message;
  EXPECT_EQ(strong.value().matches, 102);  // whole pairs
  EXPECT_EQ(strong.value().wins, 102);
  EXPECT_EQ(strong.value().score.value, 1);
  EXPECT_EQ(strong.value().score.interval.high, 1);
  EXPECT_LT(strong.value().score.interval.low, 1);
  EXPECT_EQ(strong.value().mean_steps, 4);
  const Result<MatchSummary> weak = play_matches(game, *low, high.get(), Key(1), {.matches = 102});
  EXPECT_EQ(weak.value().losses, 102);
}

// Whoever picked the higher number wins, whatever is played.
struct Armed : Sums<> {
  static Spec spec() {
    Spec spec = Sums<>::spec();
    spec.choices = {{"arm", {"stick", "sword"}}};
    return spec;
  }
  void reset(const Settings& settings, Key) {
    *this = {};
    for (std::size_t seat = 0; seat < 2; ++seat) points[seat] = 10 * settings.picks.at(seat);
  }
};

TEST(Match, PicksBelongToSeats) {
  const auto random = random_agent(), other = random_agent();
  MatchOptions options{.matches = 20, .settings = Settings{{}, {0, 1}}};
  const Result<MatchSummary> armed = play_matches(game_entry<Armed>(), *random, other.get(), Key(1), options);
  ASSERT_TRUE(armed.ok()) << armed.error().message;
  EXPECT_EQ(armed.value().score_by_team[0].value, 0);
  EXPECT_EQ(armed.value().score_by_team[1].value, 1);
  options.settings.fixed.picks.clear();  // nobody picks: the rules find -1 for every seat
  EXPECT_TRUE(play_matches(game_entry<Armed>(), *random, other.get(), Key(1), options).ok());
}

TEST(Match, PairedSeedsCancelLuck) {
  const GameEntry game = game_entry<Sums<>>();
  const auto one = always(1), other = always(1);
  const Result<MatchSummary> even = play_matches(game, *one, other.get(), Key(2), {.matches = 3000, .batch = 7});
  ASSERT_TRUE(even.ok());
  EXPECT_EQ(even.value().score.value, 0.5);  // exactly: what luck gives in one seat it takes in the other
  EXPECT_EQ(even.value().wins, even.value().losses);
  EXPECT_NEAR(even.value().draws / 3000.0, 1.0 / 3, 0.05);
  EXPECT_NEAR(even.value().score_by_team[0].value, 0.5 + 1.0 / 3, 0.05);
  EXPECT_NEAR(even.value().mean_return.value, 0, 1e-12);
}

TEST(Match, SameKeySameFigures) {
  const GameEntry game = game_entry<Sums<>>();
  const auto random = random_agent(), other = random_agent();
  const auto play = [&](Key key) { return play_matches(game, *random, other.get(), key, {.matches = 400}).value(); };
  EXPECT_EQ(play(Key(3)).wins, play(Key(3)).wins);
  EXPECT_NE(play(Key(3)).wins, play(Key(4)).wins);
  EXPECT_LE(play(Key(3)).score.interval.low, 0.5);
  EXPECT_GE(play(Key(3)).score.interval.high, 0.5);
}

// A script that takes its time for every decision.
std::unique_ptr<Agent> slow(std::chrono::microseconds time) {
  return scripted_agent<Sums<>>("slow", [time](const Sums<>&, int, Random&) {
    std::this_thread::sleep_for(time);
    return 0;
  });
}

TEST(Match, ATimeLimitLeavesWholeRounds) {
  const GameEntry game = game_entry<Sums<>>();
  const auto high = always(2);
  const auto begin = std::chrono::steady_clock::now();
  // Two decisions of 5 ms a match: 1000 matches would take 10 s.
  const auto some = play_matches(game, *high, slow(std::chrono::milliseconds(5)).get(), Key(1), {.seconds = 0.3});
  ASSERT_TRUE(some.ok()) << some.error().message;
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 1);
  EXPECT_GE(some.value().matches, 2);
  EXPECT_LT(some.value().matches, 100);
  EXPECT_EQ(some.value().matches % 2, 0);
  EXPECT_EQ(some.value().wins, some.value().matches);
  EXPECT_EQ(some.value().mean_steps, 4);
  // The controls: time enough for all, and for none.
  const auto quick = always(0);
  EXPECT_EQ(play_matches(game, *high, quick.get(), Key(1), {.seconds = 60}).value().matches, 1000);
  const auto none = play_matches(game, *high, slow(std::chrono::milliseconds(60)).get(), Key(1), {.seconds = 0.05});
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none.value().matches, 0);
}

TEST(Match, StopsWhenAsked) {
  const GameEntry game = game_entry<Sums<>>();
  const auto high = always(2), low = always(0);
  int asked = 0;
  const auto stopped = play_matches(game, *high, low.get(), Key(1), {.batch = 2, .stop = [&] { return ++asked == 3; }});
  ASSERT_TRUE(stopped.ok());
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(stopped.value().matches, 0);
}

TEST(Match, CountsDifferentMatches) {
  const GameEntry game = game_entry<Sums<>>();
  const auto one = always(1), random = random_agent();
  const auto distinct = [&](Agent& agent) {
    return play_matches(game, agent, one.get(), Key(6), {.matches = 3000}).value().distinct;
  };
  EXPECT_EQ(distinct(*one), 3);      // the luck of seat 0 alone
  EXPECT_EQ(distinct(*random), 51);  // luck, times two choices of three from either seat: 27 + 27, less 3 of both
}

TEST(Match, OpeningsAreTheSameForBothSeatings) {
  const GameEntry game = game_entry<Sums<>>();
  const auto high = always(2);
  const Result<MatchSummary> sum =
      play_matches(game, *high, high.get(), Key(8), {.matches = 200, .batch = 3, .opening = 2, .replays = 200});
  ASSERT_TRUE(sum.ok()) << sum.error().message;
  EXPECT_EQ(sum.value().score.value, 0.5);
  EXPECT_EQ(sum.value().distinct, 15);  // after the opening seat 0 has 0 to 4 points, seat 1 has 0 to 2
  for (std::size_t i = 0; i < 200; i += 2) {
    EXPECT_EQ(sum.value().replays[i].choices, sum.value().replays[i + 1].choices);
    EXPECT_EQ(sum.value().replays[i].choices[3], 2);
  }
  expect_error(play_matches(game, *high, high.get(), Key(8), {.matches = 2, .opening = 4}), {"opening of 4"});
}

TEST(Match, RecordsReplays) {
  const GameEntry game = game_entry<Sums<>>();
  const auto random = random_agent(), other = random_agent();
  const Result<MatchSummary> sum = play_matches(game, *random, other.get(), Key(5), {.matches = 20, .replays = 3});
  ASSERT_TRUE(sum.ok());
  ASSERT_EQ(sum.value().replays.size(), 3u);
  for (const Replay& replay : sum.value().replays) {
    EXPECT_EQ(replay.steps(), 4);
    EXPECT_TRUE(verify_replay(replay, game.make_batch).ok());
  }
  EXPECT_EQ(sum.value().replays[0].key, sum.value().replays[1].key);
  EXPECT_NE(sum.value().replays[1].key, sum.value().replays[2].key);
}

TEST(Match, IllegalChoicesNameAgentSeatAndStep) {
  const GameEntry game = game_entry<Sums<>>();
  const auto bad = always(3), good = always(1);
  expect_error(play_matches(game, *good, bad.get(), Key(1), {.matches = 2, .batch = 1}),
               {"game 'sums', match 0, step 1, seat 1", "agent 'always 3'", "illegal choice 3", "'number'", "0, 1, 2"});
}

template <Fault fault>
Result<MatchSummary> play_with() {
  const auto one = always<fault>(1);
  return play_matches(game_entry<Sums<fault>>(), *one, one.get(), Key(1), {.matches = 2});
}

TEST(Match, BrokenGamesAreNamed) {
  EXPECT_TRUE(play_with<Fault::none>().ok());
  expect_error(play_with<Fault::nan_observation>(), {"match 0, step 2, seat 0", "value 1 of", "nan"});
  expect_error(play_with<Fault::nan_reward>(), {"step 0, seat 1", "reward or result is nan"});
  expect_error(play_with<Fault::empty_mask>(), {"step 3, seat 1", "allows no choice", "'number'"});
  expect_error(play_with<Fault::nobody_acts>(), {"nobody is to act"});
  expect_error(play_with<Fault::endless>(), {"still running after 4 steps"});
}

// One player; the reward is the value it gives, at most 1.
struct Guess {
  static Spec spec() {
    return {.name = "guess",
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::continuous("value", 1, -1, 1)},
            .max_steps = 1};
  }
  void reset(const Settings&, Key) { done = false; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation) const {}
  void step(const Actions& actions, Key, Rewards rewards) {
    rewards[0] += actions.value(0);
    done = true;
  }
  Status status() const { return done ? Status::finished : Status::running; }
  bool done = false;
};

class Constant final : public Agent {
 public:
  explicit Constant(float value) : value_(value) {}
  std::string name() const override { return "constant"; }
  void act(const Decisions& decisions, Key, std::int32_t*, float* values) override {
    for (int row : decisions.rows) values[row] = value_;
  }

 private:
  float value_;
};

TEST(Match, OnePlayerGamesGiveMeanReturns) {
  Constant half(0.5f), high(3), bad(std::numeric_limits<float>::infinity());
  const GameEntry game = game_entry<Guess>();
  const Result<MatchSummary> sum = play_matches(game, half, nullptr, Key(1), {.matches = 10});
  ASSERT_TRUE(sum.ok()) << sum.error().message;
  EXPECT_EQ(sum.value().score.value, 0.5);
  EXPECT_EQ(sum.value().mean_return.interval.high, 0.5);
  EXPECT_EQ(sum.value().wins + sum.value().draws + sum.value().losses, 0);
  EXPECT_EQ(play_matches(game, high, nullptr, Key(1)).value().score.value, 1);  // clipped to the range
  expect_error(play_matches(game, bad, nullptr, Key(1)), {"'constant'", "seat 0", "inf", "'value'"});
}

// A table of four places for two to four, who name a number at once. The higher, the better.
struct Table {
  static Spec spec() {
    return {.name = "table",
            .seats = 4,
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::discrete("number", 5)},
            .simultaneous = true,
            .max_steps = 1};
  }
  void reset(const Settings&, Key key) {
    *this = {};
    Random random(key);
    while (players.count() < 2)
      for (int seat = 0; seat < 4; ++seat)
        if (random.below(2)) players = players.with(seat);
  }
  SeatSet playing() const { return players; }
  SeatSet to_act() const { return players; }
  void observe(int, Observation) const {}
  void step(const Actions& actions, Key, Rewards) {
    for (int seat = 0; seat < 4; ++seat)
      if (players.contains(seat)) named[seat] = actions.choice(seat);
    over = true;
  }
  Status status() const { return over ? Status::finished : Status::running; }
  float result(int team) const { return static_cast<float>(named[team]); }
  SeatSet players;
  int named[4] = {9, 9, 9, 9};
  bool over = false;
};

TEST(Match, ManySidesCountByPlaces) {
  const GameEntry game = game_entry<Table>();
  const auto say = [](int number) {
    return scripted_agent<Table>("says", [number](const Table&, int, Random&) { return number; });
  };
  const auto two = say(2), three = say(3), random = random_agent(), other = random_agent();
  const MatchSummary won = play_matches(game, *three, two.get(), Key(1), {.matches = 200}).value();
  EXPECT_GT(won.matches, 100);
  EXPECT_LT(won.matches, 200);  // fewer where places stay empty
  EXPECT_EQ(won.wins, won.matches);
  EXPECT_EQ(won.score.value, 1);
  EXPECT_EQ(play_matches(game, *two, three.get(), Key(1), {.matches = 200}).value().score.value, 0);
  const MatchSummary level = play_matches(game, *two, two.get(), Key(1), {.matches = 200}).value();
  EXPECT_EQ(level.score.value, 0.5);
  EXPECT_EQ(level.draws, level.matches);
  // Somebody who always names the middle one is ahead of random play as often as behind it.
  const MatchSummary middle = play_matches(game, *two, random.get(), Key(2), {.matches = 4000}).value();
  EXPECT_NEAR(middle.score.value, 0.5, 0.02);
  double counted = 0;
  for (const Placing& placing : middle.placings) {
    EXPECT_GE(placing.others(), 1);
    EXPECT_LE(placing.others(), 3);
    counted += placing.matches;
  }
  EXPECT_EQ(counted, middle.matches);
  const MatchSummary even = play_matches(game, *random, other.get(), Key(3), {.matches = 4000}).value();
  EXPECT_LE(even.score.interval.low, 0.5);
  EXPECT_GE(even.score.interval.high, 0.5);
  EXPECT_LT(even.wins, even.matches / 2);  // to be ahead of all is rarer
}

}  // namespace
}  // namespace rival
