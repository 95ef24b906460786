// Perfect play of Connect Four: alpha-beta search on bitboards with a transposition table.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "games/connect_four/connect_four.hpp"

namespace rival {

// Not thread-safe: an object per thread. Results do not depend on what was solved before; only the time does.
//
// Two questions can be asked of a position, both from the view of the seat to move:
//   value: 1 win, 0 draw, -1 loss. Much the faster one.
//   score: as value, with distance: k > 0 is a win with the k-th last of one's own stones (21 per player), so a faster
//          win scores more; -k is a loss to the opponent's k-th last stone; 0 is a draw.
class ConnectFourSolver {
 public:
  // The default fits into the processor's cache, which makes up for what a larger table would remember.
  explicit ConnectFourSolver(std::size_t table_bytes = std::size_t{16} << 20);

  int value(const ConnectFour& game);
  int score(const ConnectFour& game);

  // The columns that keep the best value that can be reached (all that can be played, if every move loses).
  struct Moves {
    int value = 0;
    std::array<bool, 7> optimal = {};
  };
  Moves optimal_moves(const ConnectFour& game);

  // The score that each column leads to, from the view of the seat to move now; kFull for columns that are full.
  static constexpr int kFull = -100;
  std::array<int, 7> move_scores(const ConnectFour& game);

  // Whether playing `choice` leads to a score of at least `least`: one narrow search, faster than the score itself.
  bool move_reaches(const ConnectFour& game, int choice, int least);

  // Positions searched so far.
  std::uint64_t nodes() const { return nodes_; }

 private:
  using Board = connect_four::Board;
  struct Position {
    Board own, occupied;  // the stones of the seat to move; all stones
    int plies;
  };
  // The score, narrowed down within [low, high] only.
  int solve(const ConnectFour& game, int low, int high);
  int negamax(const Position& p, int alpha, int beta);
  std::uint64_t* bucket_of(Board key) const;

  struct Free {
    void operator()(std::uint64_t* p) const { std::free(p); }
  };
  std::unique_ptr<std::uint64_t[], Free> table_;
  int shift_;  // of a hashed key, to the number of a bucket
  std::uint64_t nodes_ = 0;
};

}  // namespace rival
