// Tic-tac-toe: three in a row on a board of 3 x 3. The tutorial game: docs/adding-a-game.md builds it step by step.
#pragma once

#include "rival/game.hpp"

namespace rival {

class TicTacToe {
 public:
  static Spec spec() {
    return {.name = "tic_tac_toe",
            .description = "Three in a row on a board of 3 x 3",
            .source = "traditional",
            .seats = 2,
            .observation = {ObservationPart::grid("board", 2, 3, 3)},  // own stones, the other's stones
            .action = {ActionPart::discrete("cell", 9)},
            .max_steps = 9};
  }

  void reset(const Settings&, Key) { *this = TicTacToe(); }

  SeatSet to_act() const { return SeatSet::one(mover()); }

  void observe(int seat, Observation out) const {
    for (int cell = 0; cell < 9; ++cell) {
      out.at(0, 0, cell / 3, cell % 3) = static_cast<float>(has(seat, cell));
      out.at(0, 1, cell / 3, cell % 3) = static_cast<float>(has(1 - seat, cell));
    }
  }

  void legal(int, Mask mask) const {
    for (int cell = 0; cell < 9; ++cell)
      if (!has(0, cell) && !has(1, cell)) mask.allow(cell);
  }

  void step(const Actions& actions, Key, Rewards) {
    stones_[mover()] |= 1u << actions.choice(mover());
    ++moves_;
  }

  Status status() const { return moves_ == 9 || wins(0) || wins(1) ? Status::finished : Status::running; }

  float result(int team) const { return wins(team) ? 1 : wins(1 - team) ? -1 : 0; }

  std::string text() const {
    std::string board;
    for (int cell = 0; cell < 9; ++cell) {
      board += has(0, cell) ? 'X' : has(1, cell) ? 'O' : '.';
      board += cell % 3 == 2 ? '\n' : ' ';
    }
    return board;
  }

  std::string action_text(int, int cell) const { return {"abc"[cell % 3], "321"[cell / 3]}; }

 private:
  int mover() const { return moves_ % 2; }
  bool has(int seat, int cell) const { return (stones_[seat] >> cell) & 1; }
  bool wins(int seat) const {
    for (unsigned line : {0007u, 0070u, 0700u, 0111u, 0222u, 0444u, 0421u, 0124u})
      if ((stones_[seat] & line) == line) return true;
    return false;
  }

  unsigned stones_[2] = {};  // a bit per cell, row by row from the top left
  int moves_ = 0;
};

}  // namespace rival
