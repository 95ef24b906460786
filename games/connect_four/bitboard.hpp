// Sets of squares of the Connect Four board, 7 columns by 6 rows, as bits: bit 8 * row + column, row 0 at the bottom.
// A byte is a row, so that a row's stones expand into a row of an observation; its top bit is always zero, so that
// shifted sets do not run from one row into the next.
#pragma once

#include <cstdint>

namespace rival::connect_four {

using Board = std::uint64_t;

inline constexpr int kColumns = 7, kRows = 6, kCells = kColumns * kRows;
inline constexpr Board kBottomRow = 0x7f;
inline constexpr Board kFirstColumn = 0x0101010101010101;  // also of the row above the board
inline constexpr Board kCellMask = 0x7f7f7f7f7f7f;

constexpr Board column(int c) {
  return (kFirstColumn << c) & kCellMask;
}

// The columns nearer to the middle one than so many.
constexpr Board middle(int distance) {
  Board squares = 0;
  for (int c = 0; c < kColumns; ++c)
    if (c > 3 - distance && c < 3 + distance) squares |= column(c);
  return squares;
}

// The squares on which a stone would come to lie; above the board for full columns.
constexpr Board frontier(Board occupied) {
  return ((occupied << 8) | kBottomRow) & ~occupied;
}

// The squares that can be played.
constexpr Board playable(Board occupied) {
  return frontier(occupied) & kCellMask;
}

constexpr bool has_four(Board b) {
  for (int d : {1, 7, 8, 9}) {
    const Board pairs = b & (b >> d);
    if (pairs & (pairs >> 2 * d)) return true;
  }
  return false;
}

// The empty squares that would complete a four of `own`, whether they can be played yet or not.
constexpr Board winning_squares(Board own, Board occupied) {
  Board squares = (own << 8) & (own << 16) & (own << 24);
  for (int d : {1, 7, 9}) {
    const Board two_before = (own << d) & (own << 2 * d), two_after = (own >> d) & (own >> 2 * d);
    squares |= two_before & ((own << 3 * d) | (own >> d));
    squares |= two_after & ((own << d) | (own >> 3 * d));
  }
  return squares & kCellMask & ~occupied;
}

// Left and right exchanged, the row above the board included.
constexpr Board mirror(Board b) {
  b = ((b >> 1) & 0x5555555555555555) | ((b & 0x5555555555555555) << 1);
  b = ((b >> 2) & 0x3333333333333333) | ((b & 0x3333333333333333) << 2);
  b = ((b >> 4) & 0x0f0f0f0f0f0f0f0f) | ((b & 0x0f0f0f0f0f0f0f0f) << 4);
  return b >> 1;
}

// A name for a position that no other position has, but its mirror image shares: the stones of the seat to move, and in
// each column the lowest empty square on top of them. Never 0; at most 55 bits.
constexpr Board position_key(Board own, Board occupied) {
  const Board key = own | frontier(occupied), mirrored = mirror(key);
  return key < mirrored ? key : mirrored;
}

// The number of squares; fast for small sets.
constexpr int count(Board b) {
  int n = 0;
  for (; b != 0; b &= b - 1) ++n;
  return n;
}

}  // namespace rival::connect_four
