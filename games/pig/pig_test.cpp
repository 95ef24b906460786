#include "games/pig/pig.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "agent/scripted.hpp"
#include "games/pig/optimal.hpp"
#include "rival/by_hand.hpp"

namespace rival {
namespace {

double figure(const Judgement& judgement, std::string_view name) {
  for (const Judgement::Figure& f : judgement.figures)
    if (f.name == name) return f.value;
  ADD_FAILURE() << "no figure " << name;
  return -1;
}

TEST(Pig, RollsAndHolds) {
  int lost_turns = 0, sums[7] = {};
  for (std::uint64_t i = 0; i < 6000; ++i) {
    Pig game = Pig::at(10, 20, 5);
    make_moves(game, {Pig::kRoll}, Key(i));
    EXPECT_EQ(game.banked(0), 10);
    if (game.to_act().lowest() == 1) {
      ++lost_turns;
      EXPECT_EQ(game.turn(), 0);
    } else {
      ASSERT_TRUE(game.turn() >= 7 && game.turn() <= 11);
      ++sums[game.turn() - 5];
    }
  }
  EXPECT_NEAR(lost_turns, 1000, 120);
  for (int points = 2; points <= 6; ++points) EXPECT_NEAR(sums[points], 1000, 120) << points;

  Pig game = Pig::at(10, 20, 5);
  make_moves(game, {Pig::kHold}, Key());
  EXPECT_EQ(game.banked(0), 15);
  EXPECT_EQ(game.to_act().lowest(), 1);
  EXPECT_EQ(game.text(), "player 1: 15\nplayer 2: 20 and 0 this turn\n");
}

TEST(Pig, ReachingTheGoalWins) {
  Pig game = Pig::at(90, 99, 9);
  while (game.status() == Status::running && game.to_act().lowest() == 0) make_moves(game, {Pig::kRoll}, Key(1));
  EXPECT_EQ(game.status(), Status::finished);
  EXPECT_EQ(game.result(0), 1);
  EXPECT_EQ(game.result(1), -1);
}

TEST(Pig, HoldingNeedsARoll) {
  EXPECT_EQ(legal_choices(Pig::at(0, 0, 0), 0), (std::vector<int>{Pig::kRoll}));
  EXPECT_EQ(legal_choices(Pig::at(0, 0, 2), 0).size(), 2u);
}

TEST(Pig, AHeadStartStaysBelowTheGoal) {
  struct Case {
    float goal, head_start;
    int begins_with;
  };
  for (const Case& c : {Case{100, 0, 0}, {100, 5, 5}, {100, 50, 50}, {51, 50, 50}, {50, 50, 49}, {10, 50, 9}}) {
    Pig game;
    game.reset({.parameters = {c.goal, c.head_start}}, Key());
    EXPECT_EQ(game.to_act().lowest(), 0);
    EXPECT_EQ(game.banked(0), 0);
    EXPECT_EQ(game.banked(1), c.begins_with) << c.goal << " " << c.head_start;
    EXPECT_EQ(game.status(), Status::running) << c.goal << " " << c.head_start;
  }
}

TEST(PigOptimal, PublishedValues) {
  const pig::Policy optimal = pig::optimal_policy(), hold20 = pig::hold_at(20);
  EXPECT_NEAR(pig::win_probability(optimal, optimal, true), 0.530593, 1e-6);
  EXPECT_NEAR(pig::win_probability(optimal, optimal, false), 1 - 0.530593, 1e-6);
  EXPECT_NEAR(pig::win_probability(optimal, hold20, true), 0.571498, 1e-6);
  EXPECT_NEAR(pig::win_probability(optimal, hold20, false), 0.508342, 1e-6);
  EXPECT_NEAR(pig::win_probability(hold20, optimal, true), 1 - 0.508342, 1e-6);
}

// Five points are worth a little more than the first move, four a little less.
TEST(PigOptimal, AHeadStartEvensOutTheFirstMove) {
  const pig::Policy optimal = pig::optimal_policy();
  const Parameter range = Pig::spec().parameters[1];
  std::vector<double> first;  // the first player's chances, by head start
  for (int points = static_cast<int>(range.low); points <= static_cast<int>(range.high); ++points)
    first.push_back(pig::win_probability(optimal, optimal, true, points));
  ASSERT_EQ(first.size(), 51u);
  EXPECT_NEAR(first[0], 0.530593, 1e-6);
  EXPECT_NEAR(first[4], 0.501595, 1e-6);
  EXPECT_NEAR(first[5], 0.494233, 1e-6);
  EXPECT_NEAR(first[50], 0.166511, 1e-6);
  for (std::size_t points = 1; points < first.size(); ++points) EXPECT_LT(first[points], first[points - 1]) << points;
  const auto nearest = std::min_element(first.begin(), first.end(),
                                        [](double a, double b) { return std::abs(a - 0.5) < std::abs(b - 0.5); });
  EXPECT_EQ(nearest - first.begin(), 4);
  EXPECT_NEAR(pig::win_probability(optimal, optimal, false, 4), 1 - 0.501595, 1e-6);
}

// The exact win probability against matches actually played.
TEST(PigOptimal, AgreesWithPlay) {
  const pig::Policy hold20 = pig::hold_at(20), hold10 = pig::hold_at(10);
  constexpr int kMatches = 4000;
  for (const int head_start : {0, 30}) {
    int wins = 0;
    for (std::uint64_t m = 0; m < kMatches; ++m) {
      Pig game;
      game.reset({.parameters = {100, static_cast<float>(head_start)}}, Key());
      for (std::uint64_t i = 0; game.status() == Status::running; ++i) {
        const int hold = game.to_act().lowest() == 0 ? 20 : 10;
        make_moves(game, {game.turn() >= hold ? Pig::kHold : Pig::kRoll}, Key(9).split(m).split(i));
      }
      wins += game.result(0) > 0;
    }
    EXPECT_NEAR(wins / static_cast<double>(kMatches), pig::win_probability(hold20, hold10, true, head_start), 0.024)
        << head_start;
  }
}

TEST(PigJudge, TellsPlayersApart) {
  const Judge judge = pig::game_entry().judges.front();
  const auto rate = [&](Agent& agent) {
    const Result<Judgement> judgement = judge.judge(agent, Key(), 0, {});
    EXPECT_TRUE(judgement.ok());
    return judgement.value();
  };
  const Judgement optimal = rate(*pig::player("optimal", pig::optimal_policy()));
  EXPECT_NEAR(figure(optimal, "win_rate_vs_optimal"), 0.5, 1e-9);
  EXPECT_NEAR(figure(optimal, "win_rate_first"), 0.530593, 1e-6);
  const Judgement hold20 = rate(*pig::player("hold20", pig::hold_at(20)));
  EXPECT_NEAR(figure(hold20, "win_rate_first"), 1 - 0.508342, 1e-6);
  EXPECT_NEAR(figure(hold20, "win_rate_second"), 1 - 0.571498, 1e-6);
  EXPECT_LT(figure(rate(*random_agent()), "win_rate_vs_optimal"), 0.2);
}

TEST(PigJudge, NeedsProbabilities) {
  const auto agent = scripted_agent<Pig>("mute", [](const Pig&, int, Random&) { return 0; });
  const Result<Judgement> judgement = pig::game_entry().judges.front().judge(*agent, Key(), 0, {});
  ASSERT_FALSE(judgement.ok());
  EXPECT_NE(judgement.error().message.find("mute"), std::string::npos);
}

}  // namespace
}  // namespace rival
