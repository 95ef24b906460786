#include "games/catalog.hpp"

#include "games/cartpole/cartpole.hpp"
#include "games/connect_four/players.hpp"
#include "games/kuhn_poker/kuhn_poker.hpp"
#include "games/leduc_poker/leduc_poker.hpp"
#include "games/pendulum/pendulum.hpp"
#include "games/tic_tac_toe/tic_tac_toe.hpp"

namespace rival {

std::vector<GameEntry> catalog() {
  return {
      game_entry<TicTacToe>(), connect_four::game_entry(), game_entry<CartPole>(),
      game_entry<Pendulum>(),  kuhn_poker_entry(),         leduc_poker_entry(),
  };
}

}  // namespace rival
