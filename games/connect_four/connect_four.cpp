#include "games/connect_four/connect_four.hpp"

namespace rival {

std::string ConnectFour::text() const {
  std::string board;
  for (int row = 5; row >= 0; --row) {
    board += "| ";
    for (int c = 0; c < 7; ++c) {
      const int bit = 8 * row + c;
      board += (stones_[0] >> bit) & 1 ? "X " : (stones_[1] >> bit) & 1 ? "O " : ". ";
    }
    board += "|\n";
  }
  return board + "+---------------+\n  1 2 3 4 5 6 7\n";
}

}  // namespace rival
