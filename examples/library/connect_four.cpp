// Connect Four, which Rival has built in, as a shared library: what any game in C++ needs besides its rules.

#include "games/connect_four/connect_four.hpp"

#include "rival/game_library.hpp"

const rival_game_table* rival_game(uint32_t version) {
  return rival::game_table<rival::ConnectFour>(version);
}
