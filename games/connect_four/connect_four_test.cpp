#include "games/connect_four/connect_four.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "agent/scripted.hpp"
#include "game/spec.hpp"
#include "games/connect_four/players.hpp"
#include "games/connect_four/solver.hpp"
#include "match/match.hpp"

namespace rival {
namespace {

ConnectFour after(std::string_view columns) {
  ConnectFour game;
  for (char c : columns) game.play(c - '1');
  return game;
}

std::int64_t perft(const ConnectFour& game, int plies) {
  if (plies == 0) return 1;
  if (game.status() != Status::running) return 0;
  std::int64_t count = 0;
  for (int c = 0; c < 7; ++c) {
    if (!game.can_play(c)) continue;
    ConnectFour next = game;
    next.play(c);
    count += perft(next, plies - 1);
  }
  return count;
}

ConnectFour random_position(int plies, Random& random) {
  for (;;) {
    ConnectFour game;
    while (game.plies() < plies && game.status() == Status::running)
      if (const int c = random.below(7); game.can_play(c)) game.play(c);
    if (game.plies() == plies && game.status() == Status::running) return game;
  }
}

// The score by looking at everything, from the rules alone.
int brute_force(const ConnectFour& game) {
  if (game.winner() >= 0) return -(44 - game.plies()) / 2;
  if (game.plies() == 42) return 0;
  int best = -100;
  for (int c = 0; c < 7; ++c) {
    if (!game.can_play(c)) continue;
    ConnectFour next = game;
    next.play(c);
    best = std::max(best, -brute_force(next));
  }
  return best;
}

int sign(int x) {
  return (x > 0) - (x < 0);
}

double figure(const Judgement& judgement, std::string_view name) {
  for (const Judgement::Figure& f : judgement.figures)
    if (f.name == name) return f.value;
  ADD_FAILURE() << "no figure " << name;
  return -1;
}

TEST(ConnectFour, NumberOfPositionsByPly) {
  const std::int64_t expected[] = {1, 7, 49, 343, 2401, 16807, 117649, 823536};
  for (int plies = 0; plies < 8; ++plies) EXPECT_EQ(perft(ConnectFour(), plies), expected[plies]) << plies;
}

TEST(ConnectFour, AHandicapKeepsTheFirstStoneFromTheMiddle) {
  const std::int64_t first_moves[] = {7, 6, 4, 2};
  for (int handicap = 0; handicap <= 3; ++handicap) {
    ConnectFour game;
    game.reset({.parameters = {static_cast<float>(handicap)}}, Key());
    EXPECT_EQ(perft(game, 1), first_moves[handicap]);
    EXPECT_EQ(perft(game, 2), 7 * first_moves[handicap]) << "the second stone is free";
    for (int c = 0; c < 7; ++c) EXPECT_EQ(game.can_play(c), std::abs(c - 3) >= handicap) << c;
  }
}

TEST(ConnectFour, ScriptedPlayersKeepToTheHandicap) {
  const GameEntry game = connect_four::game_entry();
  Settings settings = default_settings(game.spec);
  settings.parameters[0] = 3;
  for (const Baseline& baseline : game.baselines) {
    const Result<MatchSummary> played = play_matches(game, *baseline.make(), random_agent().get(), Key(1),
                                                     {.matches = 8, .settings = MatchSettings(settings)});
    EXPECT_TRUE(played) << baseline.name << ": " << played.error().message;
  }
}

TEST(ConnectFour, FoursInAllDirections) {
  EXPECT_EQ(after("1122334").winner(), 0);
  EXPECT_EQ(after("12121213").winner(), -1 + 1 * (after("1212121").winner() == 0));
  EXPECT_EQ(after("1212121").winner(), 0);
  EXPECT_EQ(after("71223334434").winner(), -1);
  EXPECT_EQ(after("12233434464").winner(), 0) << after("12233434464").text();
  EXPECT_EQ(after("76655454424").winner(), 0) << after("76655454424").text();
  EXPECT_EQ(after("617273").winner(), -1);
  // Squares 5, 6, 7 of one row and 1 of the next are no four.
  EXPECT_EQ(after("1526371").winner(), -1);
}

TEST(ConnectFour, ResultsAndDraws) {
  const ConnectFour won = after("1122334");
  EXPECT_EQ(won.status(), Status::finished);
  EXPECT_EQ(won.result(0), 1);
  EXPECT_EQ(won.result(1), -1);
  const ConnectFour drawn = after("121212212121343434434343565656656565777777");
  EXPECT_EQ(drawn.plies(), 42);
  EXPECT_EQ(drawn.status(), Status::finished);
  EXPECT_EQ(drawn.winner(), -1) << drawn.text();
  EXPECT_EQ(drawn.result(0), 0);
}

TEST(ConnectFour, ObservationIsTheMoversView) {
  const Spec spec = ConnectFour::spec();
  const RowLayout layout(spec);
  Random random(Key(3));
  for (int plies = 0; plies < 30; ++plies) {
    const ConnectFour game = random_position(plies, random);
    for (int seat = 0; seat < 2; ++seat) {
      std::vector<float> row(85, -7);
      game.observe(seat, Observation(row.data(), layout, spec));
      for (int plane = 0; plane < 2; ++plane)
        for (int y = 0; y < 6; ++y)
          for (int x = 0; x < 7; ++x) {
            const int bit = 8 * (5 - y) + x;
            EXPECT_EQ(row[(plane * 6 + y) * 7 + x],
                      static_cast<float>((game.stones(plane == 0 ? seat : 1 - seat) >> bit) & 1));
          }
      EXPECT_EQ(row[84], -7) << "written past the end";
    }
  }
}

TEST(ConnectFour, Text) {
  EXPECT_EQ(after("4435").text(),
            "| . . . . . . . |\n| . . . . . . . |\n| . . . . . . . |\n| . . . . . . . |\n| . . . O . . . |\n"
            "| . . X X O . . |\n+---------------+\n  1 2 3 4 5 6 7\n");
  EXPECT_EQ(ConnectFour().action_text(0, 0), "1");
  EXPECT_EQ(ConnectFour().action_text(0, 6), "7");
}

TEST(ConnectFourSolver, AgreesWithBruteForce) {
  ConnectFourSolver solver(std::size_t{1} << 20);
  Random random(Key(5));
  int losses = 0, wins = 0, draws = 0;
  for (int i = 0; i < 300; ++i) {
    const ConnectFour game = random_position(30 + i % 12, random);
    const int score = brute_force(game);
    ++(score < 0 ? losses : score > 0 ? wins : draws);
    // In either order: the table must not mix up the two questions.
    if (i % 2 == 1) {
      EXPECT_EQ(solver.score(game), score) << game.text();
    }
    EXPECT_EQ(solver.value(game), sign(score)) << game.text();
    EXPECT_EQ(solver.score(game), score) << game.text();
    const ConnectFourSolver::Moves moves = solver.optimal_moves(game);
    const std::array<int, 7> scores = solver.move_scores(game);
    for (int c = 0; c < 7; ++c) {
      const int s = scores[c];
      EXPECT_EQ(s == ConnectFourSolver::kFull, !game.can_play(c));
      EXPECT_EQ(moves.optimal[c], s != ConnectFourSolver::kFull && sign(s) == sign(score));
      if (!game.can_play(c)) continue;
      EXPECT_TRUE(solver.move_reaches(game, c, s));
      EXPECT_FALSE(solver.move_reaches(game, c, s + 1));
    }
  }
  EXPECT_GT(losses, 20);
  EXPECT_GT(wins, 20);
  EXPECT_GT(draws, 20);
}

// The two questions are searched with different windows, and proofs by zugzwang cut where plain search does not.
TEST(ConnectFourSolver, ValueIsTheSignOfTheScore) {
  Random random(Key(6));
  for (int i = 0; i < 60; ++i) {
    const ConnectFour game = random_position(18 + i % 8, random);
    ConnectFourSolver a(std::size_t{1} << 20), b(std::size_t{1} << 20);
    const int score = a.score(game);
    EXPECT_EQ(b.value(game), sign(score)) << game.text();
    int best = -100;
    for (int s : a.move_scores(game)) best = std::max(best, s);
    EXPECT_EQ(best, score) << game.text();
  }
}

TEST(ConnectFourJudgeSlow, TellsPlayersApart) {
  const auto rate = [](Agent& agent) {
    const Result<Judgement> judgement = connect_four::judge_by_solver(agent, Key(1), 200);
    EXPECT_TRUE(judgement.ok());
    EXPECT_EQ(figure(judgement.value(), "positions"), 200);
    return figure(judgement.value(), "optimal_move_rate");
  };
  const double random = rate(*random_agent()), greedy = rate(*connect_four::greedy_player()),
               depth4 = rate(*connect_four::lookahead_player(4)), solver = rate(*connect_four::solver_player());
  EXPECT_LT(random, greedy);
  EXPECT_LT(greedy, depth4);
  EXPECT_LT(depth4, solver);
  EXPECT_EQ(solver, 1);
}

TEST(ConnectFourJudge, NamesAnIllegalMove) {
  const auto agent = scripted_agent<ConnectFour>("stubborn", [](const ConnectFour&, int, Random&) { return 3; });
  const Result<Judgement> judgement = connect_four::judge_by_solver(*agent, Key(1), 200);
  ASSERT_FALSE(judgement.ok());
  EXPECT_NE(judgement.error().message.find("stubborn (seat"), std::string::npos) << judgement.error().message;
}

// The published results of the first moves, by their sign; the right half mirrors the left one.
TEST(ConnectFourSolverSlow, FirstMoves) {
  ConnectFourSolver solver(std::size_t{256} << 20);
  const int expected[] = {-1, -1, 0, 1};
  for (int c = 0; c < 4; ++c) {
    ConnectFour game;
    game.play(c);
    EXPECT_EQ(-solver.value(game), expected[c]) << "column " << c + 1;
  }
}

}  // namespace
}  // namespace rival
