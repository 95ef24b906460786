#include "games/leduc_poker/leduc_poker.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "agent/scripted.hpp"
#include "game/conformance.hpp"
#include "rival/by_hand.hpp"
#include "search/best_response.hpp"

namespace rival {
namespace {

constexpr int kJack = 0, kQueen = 1, kKing = 2;

double figure(Agent& agent, const std::string& name) {
  const Result<Judgement> judgement = best_response_judge(&BatchOf<LeducPoker>::make).judge(agent, Key(), 0, {});
  EXPECT_TRUE(judgement.ok());
  for (const Judgement::Figure& figure : judgement.value().figures)
    if (figure.name == name) return figure.value;
  ADD_FAILURE() << "no figure " << name;
  return 0;
}

std::vector<Chance<LeducPoker>> outcomes(const LeducPoker& game, std::int32_t choice) {
  return game.outcomes(Actions(&choice, nullptr, 0, described<LeducPoker>().second));
}

// The match after `moves` (f, c, r) with these cards; `open` is turned up when it is time.
LeducPoker play(int first, int second, int open, const std::string& moves) {
  LeducPoker game;
  for (const Chance<LeducPoker>& start : LeducPoker::starts({}))
    if (start.state.card(0) == first && start.state.card(1) == second) game = start.state;
  for (char move : moves) {
    EXPECT_EQ(game.status(), Status::running) << moves;
    const std::vector<Chance<LeducPoker>> next = outcomes(game, move == 'f'   ? LeducPoker::fold
                                                                : move == 'c' ? LeducPoker::call
                                                                              : LeducPoker::raise);
    game = next[0].state;
    for (const Chance<LeducPoker>& drawn : next)
      if (drawn.state.open_card() == open) game = drawn.state;
  }
  return game;
}

std::string allowed(const LeducPoker& game) {
  std::string text;
  for (int choice : legal_choices(game, game.to_act().lowest())) text += "fcr"[choice];
  return text;
}

TEST(LeducPoker, BetsByTheRules) {
  EXPECT_EQ(allowed(play(0, 1, 2, "")), "cr");
  EXPECT_EQ(allowed(play(0, 1, 2, "c")), "cr");
  EXPECT_EQ(allowed(play(0, 1, 2, "r")), "fcr");
  EXPECT_EQ(allowed(play(0, 1, 2, "rr")), "fc");
  EXPECT_EQ(allowed(play(0, 1, 2, "crr")), "fc");
  EXPECT_EQ(allowed(play(0, 1, 2, "rrc")), "cr");
  EXPECT_EQ(play(0, 1, 2, "c").to_act(), SeatSet::one(1));
  EXPECT_EQ(play(0, 1, 2, "cr").to_act(), SeatSet::one(0));
  EXPECT_EQ(play(0, 1, 2, "crc").to_act(), SeatSet::one(0)) << "the first seat opens the second round";
  EXPECT_EQ(play(0, 1, 2, "crc").open_card(), 2);
  EXPECT_EQ(play(0, 1, 2, "cr").open_card(), -1);
  EXPECT_EQ(play(0, 1, 2, "crrccrrc").status(), Status::finished) << "the longest match";
}

TEST(LeducPoker, PaysOutByTheRules) {
  struct Case {
    int first, second, open;
    const char* moves;
    float won;
  };
  for (const Case& c : {Case{kKing, kQueen, kJack, "cccc", 1},  //
                        {kJack, kQueen, kJack, "cccc", 1},      // a pair beats the higher card
                        {kKing, kJack, kJack, "cccc", -1},
                        {kQueen, kQueen, kKing, "crrccrrc", 0},
                        {kKing, kQueen, kJack, "rccc", 3},
                        {kKing, kQueen, kJack, "rrcrrc", 13},
                        {kKing, kQueen, kQueen, "rrcrrc", -13},
                        {kKing, kQueen, kJack, "rf", 1},
                        {kKing, kQueen, kJack, "rrf", -3},
                        {kKing, kQueen, kJack, "crf", -1},
                        {kJack, kQueen, kKing, "ccrf", 1},
                        {kJack, kQueen, kKing, "rcrrf", -7}}) {
    const LeducPoker game = play(c.first, c.second, c.open, c.moves);
    EXPECT_EQ(game.status(), Status::finished) << c.moves;
    EXPECT_EQ(game.result(0), c.won) << game.text();
    EXPECT_EQ(game.result(1), -c.won) << game.text();
  }
}

TEST(LeducPoker, DealsAsItsTreeSays) {
  constexpr int kDeals = 30'000;
  std::map<std::vector<int>, int> seen;
  for (std::uint64_t i = 0; i < kDeals; ++i) {
    LeducPoker game;
    game.reset({}, Key(i).split(0));
    for (std::uint64_t s : {1u, 2u}) make_moves(game, {LeducPoker::call}, Key(i).split(s));
    ++seen[{game.card(0), game.card(1), game.open_card()}];
  }
  std::size_t deals = 0;
  for (const Chance<LeducPoker>& start : LeducPoker::starts({}))
    for (const Chance<LeducPoker>& open :
         outcomes(outcomes(start.state, LeducPoker::call)[0].state, LeducPoker::call)) {
      const double expected = kDeals * start.probability * open.probability;
      const int count = seen[{open.state.card(0), open.state.card(1), open.state.open_card()}];
      EXPECT_NEAR(count, expected, 6 * std::sqrt(expected));
      ++deals;
    }
  EXPECT_EQ(seen.size(), deals);
}

TEST(LeducPoker, UniformPlay) {
  EXPECT_EQ(game_tree(&BatchOf<LeducPoker>::make)->information_sets.size(), 288u);
  EXPECT_NEAR(figure(*random_agent(), "nash_conv"), 4.747222, 1e-6);
  EXPECT_NEAR(figure(*random_agent(), "exploitability"), 2.373611, 1e-6);
}

TEST(LeducPoker, CfrPlusFindsTheValue) {
  const std::unique_ptr<Agent> agent = leduc_equilibrium();
  EXPECT_LT(figure(*agent, "nash_conv"), 0.01);
  EXPECT_NEAR(figure(*agent, "value_first"), -0.085606424078, 1e-3);
}

TEST(LeducPokerSlow, CfrPlusFindsTheValueToFiveDigits) {
  const GameTree tree = game_tree(&BatchOf<LeducPoker>::make).value();
  const TreePolicy policy = cfr_plus(tree, 20'000);
  EXPECT_LT(nash_conv(tree, policy), 1e-4);
  EXPECT_NEAR(policy_values(tree, policy)[0], -0.085606424078, 1e-5);
}

TEST(LeducPoker, ScriptsCanBeBeaten) {
  const double tight = figure(*leduc_tight(), "nash_conv");
  EXPECT_GT(tight, 0.5);
  EXPECT_LT(tight, figure(*random_agent(), "nash_conv"));
}

TEST(LeducPoker, Conforms) {
  const ConformanceReport report = check_conformance(&BatchOf<LeducPoker>::make, Key(1));
  EXPECT_TRUE(report.passed()) << report.text();
  EXPECT_EQ(report.check("hidden").verdict, ConformanceCheck::Verdict::passed) << report.text();
  EXPECT_EQ(report.check("results").message, "zero-sum");
}

}  // namespace
}  // namespace rival
