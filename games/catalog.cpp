#include "games/catalog.hpp"

#include "games/cartpole/cartpole.hpp"
#include "games/pendulum/pendulum.hpp"
#include "games/tic_tac_toe/tic_tac_toe.hpp"

namespace rival {

std::vector<GameEntry> catalog() {
  return {
      game_entry<TicTacToe>(),
      game_entry<CartPole>(),
      game_entry<Pendulum>(),
  };
}

}  // namespace rival
