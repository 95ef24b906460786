// Scripted players of Connect Four, from weak to perfect, and the judge of play by the solver.
#pragma once

#include <memory>

#include "match/game_entry.hpp"

namespace rival::connect_four {

// Wins if it can at once, blocks if it must, else plays near the centre at random.
std::unique_ptr<Agent> greedy_player();

// Looks `depth` plies ahead, counts the open threats of both sides there, and picks at random among the best moves.
std::unique_ptr<Agent> lookahead_player(int depth);

// Perfect play from the ninth stone on: at random among the moves that keep the best result (win, draw or loss).
// Before, where solving takes seconds to a minute, it looks eight plies ahead.
std::unique_ptr<Agent> solver_player();

// Plays the agent against random, greedy, depth4, the solver and itself, seats swapped, up to six moves at the start
// being random; then asks the solver about its move in every different position (mirror images are the same) where
// it was to move, from the ninth stone on. Figures: optimal_move_rate (the headline: the share of moves that keep the
// best result that can be reached) with its 95% Wilson interval, optimal_move_rate_choice (positions alone in which
// some move is worse), strict_optimal_move_rate (the fastest win or the slowest loss, too; on positions of 14 or more
// stones, as exact scores of earlier ones take too long), positions.
Result<Judgement> judge_by_solver(Agent& agent, Key key, int positions, const JudgeProgress& progress = {});

GameEntry game_entry();

}  // namespace rival::connect_four
