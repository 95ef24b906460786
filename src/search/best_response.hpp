// The exact judge "best-response", for every game that is small enough: how much a perfect opponent gains.
#pragma once

#include "match/game_entry.hpp"
#include "search/game_tree.hpp"

namespace rival {

Judge best_response_judge(const BatchFactory& factory);

// The judges of a game: its own, and a best response if it is small and brings none itself.
std::vector<Judge> judges_of(const GameEntry& game);

}  // namespace rival
