#include "games/connect_four/players.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <vector>

#include "agent/scripted.hpp"
#include "base/index.hpp"
#include "game/spec.hpp"
#include "games/connect_four/solver.hpp"
#include "rating/interval.hpp"

namespace rival::connect_four {
namespace {

// Solving positions of fewer stones takes seconds to a minute.
constexpr int kSolvedFrom = 9;

constexpr int kNearCentre[] = {3, 2, 4, 1, 5, 0, 6};

// One of the columns for which `eligible` holds; there must be one.
template <class Eligible>
int pick(Random& random, Eligible eligible) {
  int found = 0, choice = -1;
  for (int c = 0; c < kColumns; ++c)
    if (eligible(c) && random.below(++found) == 0) choice = c;
  check(choice >= 0, "no column is eligible");
  return choice;
}

int column_of(Board square) {
  return __builtin_ctzll(square) % 8;
}

int greedy_move(const ConnectFour& game, int seat, Random& random) {
  const Board moves = game.moves();
  for (int player : {seat, 1 - seat})
    if (const Board squares = moves & winning_squares(game.stones(player), game.occupied())) return column_of(squares);
  // The better of two columns drawn at random is the one nearer to the centre.
  const int a = pick(random, [&](int c) { return game.can_play(c); });
  const int b = pick(random, [&](int c) { return game.can_play(c); });
  return std::abs(a - 3) <= std::abs(b - 3) ? a : b;
}

// The value for `own`, to move, of looking `depth` plies ahead: 1000 and more is a win, and sooner is more.
int look_ahead(Board own, Board occupied, int depth, int alpha, int beta) {
  const Board moves = playable(occupied), other = own ^ occupied;
  if (moves == 0) return 0;
  if (moves & winning_squares(own, occupied)) return 1000 + depth;
  if (depth == 0) return count(winning_squares(own, occupied)) - count(winning_squares(other, occupied));
  for (int c : kNearCentre) {
    const Board square = moves & column(c);
    if (square == 0) continue;
    alpha = std::max(alpha, -look_ahead(other, occupied | square, depth - 1, -beta, -alpha));
    if (alpha >= beta) break;
  }
  return alpha;
}

int lookahead_move(const ConnectFour& game, int depth, Random& random) {
  const Board own = game.stones(game.mover()), other = game.stones(1 - game.mover());
  int values[kColumns], best = -10000;
  for (int c = 0; c < kColumns; ++c) {
    const Board square = game.moves() & column(c);
    values[c] = square == 0              ? -10000
                : has_four(own | square) ? 10000
                                         : -look_ahead(other, game.occupied() | square, depth - 1, -10000, 10000);
    best = std::max(best, values[c]);
  }
  return pick(random, [&](int c) { return values[c] == best; });
}

int solver_move(ConnectFourSolver& solver, const ConnectFour& game, Random& random) {
  if (game.plies() < kSolvedFrom) return lookahead_move(game, 8, random);
  // In random order, the first move that keeps the value: each such move is as likely.
  const int value = solver.value(game);
  Board left = game.moves();
  for (;;) {
    const int choice = pick(random, [&](int c) { return (left & column(c)) != 0; });
    if (value == -1 || solver.move_reaches(game, choice, value)) return choice;
    left &= ~column(choice);
  }
}

std::unique_ptr<Agent> player_with(std::shared_ptr<ConnectFourSolver> solver) {
  return scripted_agent<ConnectFour>(
      "solver", [solver](const ConnectFour& game, int, Random& random) { return solver_move(*solver, game, random); });
}

// ---- the judge ----------------------------------------------------------------------------------------------

struct Decision {
  ConnectFour game;
  int choice;
};

struct Grade {
  bool optimal;  // keeps the best result that can be reached
  bool matters;  // some other move would not
};

// Asks no more than needed: most moves are graded without solving all seven.
Grade grade(ConnectFourSolver& solver, const Decision& decision) {
  const auto& [game, choice] = decision;
  const int value = solver.move_reaches(game, choice, 1) ? 1 : solver.value(game);
  if (value == -1) return {true, false};
  if (!solver.move_reaches(game, choice, value)) return {false, true};
  for (int i = kColumns - 1; i >= 0; --i)  // the likeliest mistakes first
    if (const int c = kNearCentre[i]; c != choice && game.can_play(c) && !solver.move_reaches(game, c, value))
      return {true, true};
  return {true, false};
}

// Plays matches of the agent against varied opponents and returns its decisions, match after match.
class Arena {
 public:
  Arena(Agent& agent, std::shared_ptr<ConnectFourSolver> solver) : agent_(agent), batch_(kMatches) {
    opponents_.push_back(random_agent());
    opponents_.push_back(greedy_player());
    opponents_.push_back(lookahead_player(4));
    opponents_.push_back(player_with(std::move(solver)));
  }

  Result<std::vector<Decision>> play(Key key) {
    std::vector<std::vector<Decision>> decisions(kMatches);
    batch_.start_all(default_settings(ConnectFour::spec()), key);
    for (int m = 0; m < kMatches; ++m) agent_.match_started(m);
    for (std::uint64_t ply = 0;; ++ply) {
      if (Result<void> shown = rows_.observe(); !shown) return shown.error();
      if (rows_.acting().empty()) break;
      std::vector<int> rows[kPlayers];
      for (int m : rows_.acting()) rows[player(m, rows_.seats[m], batch_.steps(m), key)].push_back(m);
      for (std::size_t p = 0; p < kPlayers; ++p)
        (p == kAgent ? agent_ : *opponents_[p])
            .act(rows_.decisions(rows[p]), key.split(ply).split(p), rows_.choices.data(), nullptr);
      for (int m : rows[kAgent]) {
        const ConnectFour& game = *batch_.state<ConnectFour>(m);
        const int choice = rows_.choices[m];
        if (choice < 0 || choice >= kColumns || !game.can_play(choice))
          return Error{fmt::format("connect_four: {} (seat {}) chose column {}, which cannot be played, in\n{}",
                                   agent_.name(), game.mover(), choice + 1, game.text())};
        decisions[m].push_back({game, choice});
      }
      if (Result<void> stepped = rows_.step(); !stepped) return stepped.error();
    }
    std::vector<Decision> all;
    for (const std::vector<Decision>& match : decisions) all.insert(all.end(), match.begin(), match.end());
    return all;
  }

 private:
  static constexpr int kMatches = 50;
  enum Player : std::size_t { kRandom, kGreedy, kDepth4, kSolver, kAgent, kPlayers };

  // Who decides for `seat` in match m.
  static std::size_t player(int m, int seat, int step, Key key) {
    const int random_moves = Random(key.split(static_cast<std::uint64_t>(m))).below(7);
    if (step < random_moves) return kRandom;
    return seat == m / 5 % 2 ? kAgent : index(m % 5);
  }

  Agent& agent_;
  BatchOf<ConnectFour> batch_;
  BatchRows rows_{batch_};
  std::vector<std::unique_ptr<Agent>> opponents_;
};

}  // namespace

std::unique_ptr<Agent> greedy_player() {
  return scripted_agent<ConnectFour>("greedy", greedy_move);
}

std::unique_ptr<Agent> lookahead_player(int depth) {
  return scripted_agent<ConnectFour>(
      fmt::format("depth{}", depth),
      [depth](const ConnectFour& game, int, Random& random) { return lookahead_move(game, depth, random); });
}

std::unique_ptr<Agent> solver_player() {
  return player_with(std::make_shared<ConnectFourSolver>());
}

Result<Judgement> judge_by_solver(Agent& agent, Key key, int positions, const JudgeProgress& progress) {
  constexpr int kStrictPlies = 14, kRounds = 40;
  const auto solver = std::make_shared<ConnectFourSolver>();
  Arena arena(agent, solver);
  std::unordered_set<Board> seen;
  int judged = 0, optimal = 0, open = 0, open_optimal = 0, strict = 0, strict_optimal = 0;
  for (std::uint64_t round = 0; round < kRounds && judged < positions; ++round) {
    const Result<std::vector<Decision>> decisions = arena.play(key.split(round));
    if (!decisions) return decisions.error();
    for (const Decision& decision : decisions.value()) {
      const ConnectFour& game = decision.game;
      if (judged == positions) break;
      if (game.plies() < kSolvedFrom) continue;
      if (!seen.insert(position_key(game.stones(game.mover()), game.occupied())).second) continue;
      const auto [good, matters] = grade(*solver, decision);
      ++judged;
      if (progress) progress(static_cast<double>(judged) / positions);
      optimal += good;
      open += matters;
      open_optimal += matters && good;
      if (game.plies() >= kStrictPlies) {
        ++strict;
        strict_optimal += good && solver->move_reaches(game, decision.choice, solver->score(game));
      }
    }
  }
  const auto rate = [](int part, int whole) { return whole == 0 ? 0.0 : static_cast<double>(part) / whole; };
  const Interval interval = proportion_interval(optimal, judged);
  return Judgement{{
      {"optimal_move_rate", rate(optimal, judged), "of moves keep the best result that can be reached"},
      {"optimal_move_rate_low", interval.low, "its 95% interval"},
      {"optimal_move_rate_high", interval.high, "its 95% interval"},
      {"optimal_move_rate_choice", rate(open_optimal, open), "where there is a move that gives away a win or a draw"},
      {"strict_optimal_move_rate", rate(strict_optimal, strict),
       "of moves win soonest or lose last, from 14 stones on"},
      {"positions", static_cast<double>(judged), "different positions judged"},
  }};
}

GameEntry game_entry() {
  GameEntry entry = rival::game_entry<ConnectFour>();
  entry.baselines = {
      {"greedy", "wins if it can, blocks if it must, else plays near the centre", greedy_player},
      {"depth4", "looks four plies ahead", [] { return lookahead_player(4); }},
      {"solver", "perfect play", [] { return solver_player(); }},
  };
  entry.judges = {
      {"solver", "share of moves that perfect play would accept, in positions from varied matches", judge_by_solver}};
  return entry;
}

}  // namespace rival::connect_four
