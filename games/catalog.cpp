#include "games/catalog.hpp"

#include "games/cartpole/cartpole.hpp"
#include "games/connect_four/players.hpp"
#include "games/duel/duel.hpp"
#include "games/kuhn_poker/kuhn_poker.hpp"
#include "games/lanes/players.hpp"
#include "games/leduc_poker/leduc_poker.hpp"
#include "games/pendulum/pendulum.hpp"
#include "games/pig/optimal.hpp"
#include "games/tic_tac_toe/tic_tac_toe.hpp"

namespace rival {

std::vector<GameEntry> catalog() {
  std::vector<GameEntry> games;
  games.push_back(game_entry<TicTacToe>());
  games.push_back(connect_four::game_entry());
  games.push_back(pig::game_entry());
  games.push_back(game_entry<CartPole>());
  games.push_back(game_entry<Pendulum>());
  games.push_back(kuhn_poker_entry());
  games.push_back(leduc_poker_entry());
  games.push_back(duel_entry());
  games.push_back(lanes::game_entry());
  return games;
}

GameEntry built_in(const std::string& name) {
  for (GameEntry& entry : catalog())
    if (entry.spec.name == name) return entry;
  check(false, "no built-in game has this name");
  return {};
}

}  // namespace rival
