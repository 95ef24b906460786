#include "games/connect_four/solver.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace rival {

using namespace connect_four;

namespace {
constexpr int kWays = 4;          // entries a bucket
constexpr int kBoundOffset = 22;  // stored bounds: upper 1..43, lower 44..86

// The score of winning with the stone of ply `plies` (0 for the first stone), and so on.
constexpr int win_now(int plies) {
  return (43 - plies) / 2;
}

// Rules of zugzwang: a player who always answers in the same column decides who gets the even rows of the columns of
// even height. Columns of odd height leave no answer to their last square (it is given in another such column), so
// there the opponent is granted every square.
constexpr Board kOddRows = 0x007f007f007f;  // rows 1, 3 and 5 as people count them

// The columns that hold an odd number of stones, as whole columns.
constexpr Board odd_columns(Board occupied) {
  Board odd = occupied ^ (occupied >> 32);
  odd ^= odd >> 16;
  odd ^= odd >> 8;
  return (odd & 0x7f) * 0x010101010101;
}

// An upper bound of the value for the first player, who is to move, when the second always answers in the same column:
// 0 if the first player can never make four, -1 if the second player makes one, else 1.
int limit_of_first_player(Board first, Board second, Board occupied) {
  const Board empty = ~occupied & kCellMask, odd = odd_columns(occupied);
  if (has_four(first | (empty & (kOddRows | odd)))) return 1;
  return has_four(second | (empty & ~kOddRows & ~odd)) ? -1 : 0;
}

// True if the first player wins though the second is to move: it has a threat on an odd row of a column of odd height,
// and answers in the same column until the second player has to play below the threat.
bool first_player_waits_and_wins(Board first, Board second, Board occupied) {
  const Board empty = ~occupied & kCellMask, odd = odd_columns(occupied);
  for (Board threats = winning_squares(first, occupied) & kOddRows & odd; threats != 0; threats &= threats - 1) {
    const int threat = __builtin_ctzll(threats);
    const Board own = column(threat % 8), below = own & ((Board{1} << threat) - 1);
    if (!has_four(second | (empty & ~own & (kOddRows | odd)) | (empty & below & ~kOddRows))) return true;
  }
  return false;
}

}  // namespace

ConnectFourSolver::ConnectFourSolver(std::size_t table_bytes) {
  const std::size_t buckets = std::bit_floor(std::max<std::size_t>(2, table_bytes / (kWays * sizeof(std::uint64_t))));
  shift_ = 64 - std::countr_zero(buckets);
  constexpr std::size_t kHugePage = std::size_t{1} << 21;
  const std::size_t bytes = std::max(kHugePage, buckets * kWays * sizeof(std::uint64_t));
  table_.reset(static_cast<std::uint64_t*>(std::aligned_alloc(kHugePage, bytes)));
  check(table_ != nullptr, "no memory for the Connect Four solver's table");
#ifdef __linux__
  madvise(table_.get(), bytes, MADV_HUGEPAGE);  // half the time goes into the table's cache misses
#endif
  std::memset(table_.get(), 0, bytes);
}

int ConnectFourSolver::negamax(const Position& p, int alpha, int beta) {
  ++nodes_;
  const Board other = p.own ^ p.occupied;

  // The mover has no four to make at once. What keeps the other from making one?
  const Board threats = winning_squares(other, p.occupied);
  Board moves = playable(p.occupied);
  if (const Board forced = moves & threats) {
    if (forced & (forced - 1)) return -win_now(p.plies + 1);
    moves = forced;
  }
  moves &= ~(threats >> 8);
  if (moves == 0) return -win_now(p.plies + 1);
  if (p.plies >= kCells - 2) return 0;

  alpha = std::max(alpha, -win_now(p.plies + 3));
  beta = std::min(beta, win_now(p.plies + 2));
  if (alpha >= beta) return alpha;
  const bool first_player = (p.plies & 1) == 0;

  const Board key = position_key(p.own, p.occupied);
  std::uint64_t* const bucket = bucket_of(key);
  int way = kWays - 1;
  for (int i = 0; i < kWays; ++i) {
    if ((bucket[i] & 0x7fffffffffffff) != key) continue;
    way = i;
    const int bound = static_cast<int>(bucket[i] >> 56);
    if (bound > 43) {
      alpha = std::max(alpha, bound - 43 - kBoundOffset);
      if (alpha >= beta) return alpha;
    } else {
      beta = std::min(beta, bound - kBoundOffset);
      if (alpha >= beta) return beta;
    }
  }

  // Moves that make more threats first; among equals the centre first.
  struct Move {
    Board square;
    int order;
  };
  Move list[kColumns];
  int size = 0;
  for (int c : {3, 2, 4, 1, 5, 0, 6}) {
    const Board square = moves & column(c);
    if (square == 0) continue;
    const Board own = p.own | square, occupied = p.occupied | square;
    // What rules prove of the move; alpha if nothing.
    int least = alpha;
    if (first_player) {
      if (alpha < 1 && first_player_waits_and_wins(own, other, occupied)) least = 1;
    } else if (alpha < 1) {
      if (const int limit = limit_of_first_player(other, own, occupied); limit < 1) least = std::max(alpha, -limit);
    }
    if (least >= beta) return least;
    alpha = least;
    __builtin_prefetch(bucket_of(position_key(other, occupied)));
    const int order = count(winning_squares(own, occupied));
    int at = size++;
    for (; at > 0 && list[at - 1].order < order; --at) list[at] = list[at - 1];
    list[at] = {square, order};
  }

  int best = alpha;
  bool cut = false;
  for (int i = 0; i < size && !cut; ++i) {
    const int score = -negamax({other, p.occupied | list[i].square, p.plies + 1}, -beta, -best);
    best = std::max(best, score);
    cut = score >= beta;
  }
  // Most recent first; a position keeps one entry.
  for (int i = way; i > 0; --i) bucket[i] = bucket[i - 1];
  bucket[0] = key | static_cast<std::uint64_t>(best + kBoundOffset + (cut ? 43 : 0)) << 56;
  return best;
}

std::uint64_t* ConnectFourSolver::bucket_of(Board key) const {
  return table_.get() + (key * 0x9e3779b97f4a7c15 >> shift_) * kWays;
}

int ConnectFourSolver::solve(const ConnectFour& game, int low, int high) {
  const int plies = game.plies();
  if (game.winner() >= 0) return std::clamp(-win_now(plies - 1), low, high);
  if (plies == kCells) return 0;
  const Position p = {game.stones(game.mover()), game.occupied(), plies};
  if (winning_squares(p.own, p.occupied) & playable(p.occupied)) return std::clamp(win_now(plies), low, high);
  low = std::max(low, -win_now(plies + 1));
  high = std::min(high, win_now(plies + 2));
  // Bisection with null windows, from the middle outwards.
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (middle <= 0 && low / 2 < middle) middle = low / 2;
    if (middle >= 0 && high / 2 > middle) middle = high / 2;
    if (negamax(p, middle, middle + 1) <= middle) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

int ConnectFourSolver::value(const ConnectFour& game) {
  return solve(game, -1, 1);
}

int ConnectFourSolver::score(const ConnectFour& game) {
  return solve(game, -kCells, kCells);
}

std::array<int, 7> ConnectFourSolver::move_scores(const ConnectFour& game) {
  std::array<int, 7> scores;
  for (int c = 0; c < kColumns; ++c) {
    ConnectFour next = game;
    if (game.can_play(c)) next.play(c);
    scores[c] = game.can_play(c) ? -score(next) : kFull;
  }
  return scores;
}

bool ConnectFourSolver::move_reaches(const ConnectFour& game, int choice, int least) {
  ConnectFour next = game;
  next.play(choice);
  return -solve(next, -least, -least + 1) >= least;
}

ConnectFourSolver::Moves ConnectFourSolver::optimal_moves(const ConnectFour& game) {
  Moves moves;
  moves.value = value(game);
  for (int c = 0; c < kColumns; ++c)
    moves.optimal[c] = game.can_play(c) && (moves.value == -1 || move_reaches(game, c, moves.value));
  return moves;
}

}  // namespace rival
