#include "games/catalog.hpp"

#include "games/tic_tac_toe/tic_tac_toe.hpp"

namespace rival {

std::vector<GameEntry> catalog() {
  return {
      game_entry<TicTacToe>(),
  };
}

}  // namespace rival
