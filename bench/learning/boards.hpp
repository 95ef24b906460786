// Board games, against searches of a stated depth.
#pragma once

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "rival/by_hand.hpp"
#include "rival/game.hpp"

namespace rival::learning {

// The value for `seat` of looking so many plies ahead, by alpha-beta, in a game of two seats in turn without chance;
// G::worth(seat) estimates what is not over, within +-1.
template <Game G>
float look_ahead(const G& game, int seat, int plies, float alpha, float beta) {
  if (game.status() != Status::running) return 10 * game.result(seat);
  if (plies == 0) return game.worth(seat);
  const int mover = game.to_act().lowest();
  float best = mover == seat ? -100.0f : 100.0f;
  for (int choice : legal_choices(game, mover)) {
    G next = game;
    make_moves(next, {choice});
    const float value = look_ahead(next, seat, plies - 1, alpha, beta);
    if (mover == seat)
      alpha = std::max(alpha, best = std::max(best, value));
    else
      beta = std::min(beta, best = std::min(best, value));
    if (alpha >= beta) break;
  }
  return best;
}

// The best choice by that, one of them at random.
template <int Plies, Game G>
int search_move(const G& game, int seat, Random& random) {
  int found = 0, best = -1;
  float best_value = -1000;
  for (int choice : legal_choices(game, seat)) {
    G next = game;
    make_moves(next, {choice});
    const float value = look_ahead(next, seat, Plies - 1, -1000, 1000);
    if (value > best_value) found = 0, best_value = value;
    if (value == best_value && random.below(++found) == 0) best = choice;
  }
  return best;
}

// Kalah, a mancala, of 6 houses and 4 seeds: sow counter-clockwise, your own store included; a last seed into it moves
// again, one into an own empty house captures it and what lies across. Who has more of the 48 seeds wins.
struct Seeds {
  static constexpr int kHouses = 6, kSeeds = 48, kPits = 14, kMost = 400;
  std::array<int, kPits> pits = {};  // 0-5 and the store 6 are seat 0's, 7-12 and 13 seat 1's
  int mover = 0, steps = 0;

  static Spec spec() {
    return {.name = "seeds",
            .description = "Kalah: sow and capture seeds",
            .source = "W. Champion, 1940",
            .seats = 2,
            .observation = {ObservationPart::vector("pits", kPits)},
            .action = {ActionPart::discrete("house", kHouses)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key) {
    *this = Seeds();
    pits.fill(4);
    pits[6] = pits[13] = 0;
  }
  int pit(int seat, int i) const { return pits[(7 * seat + i) % kPits]; }
  int& pit(int seat, int i) { return pits[(7 * seat + i) % kPits]; }
  SeatSet to_act() const { return SeatSet::one(mover); }
  void observe(int seat, Observation out) const {
    for (int i = 0; i < kPits; ++i) out[i] = static_cast<float>(pit(seat, i)) / kSeeds;
  }
  void legal(int seat, Mask mask) const {
    for (int house = 0; house < kHouses; ++house)
      if (pit(seat, house) > 0) mask.allow(house);
  }
  int houses(int seat) const {
    int sum = 0;
    for (int house = 0; house < kHouses; ++house) sum += pit(seat, house);
    return sum;
  }
  void step(const Actions& actions, Key, Rewards) {
    const int own = mover;
    int place = actions.choice(own);
    for (int left = std::exchange(pit(own, place), 0); left > 0; --left) {
      place = (place + 1) % kPits;
      if (place == kPits - 1) place = 0;  // not into the other's store
      ++pit(own, place);
    }
    if (place < kHouses && pit(own, place) == 1 && pit(own, 12 - place) > 0)
      pit(own, 6) += std::exchange(pit(own, 12 - place), 0) + std::exchange(pit(own, place), 0);
    if (place != 6) mover = 1 - own;
    if (houses(0) == 0 || houses(1) == 0)
      for (int seat : {0, 1})
        for (int house = 0; house < kHouses; ++house) pit(seat, 6) += std::exchange(pit(seat, house), 0);
    ++steps;
  }
  Status status() const {
    return pits[6] + pits[13] == kSeeds ? Status::finished : steps >= kMost ? Status::truncated : Status::running;
  }
  float result(int team) const {
    const int lead = pit(team, 6) - pit(1 - team, 6);
    return lead > 0 ? 1.0f : lead < 0 ? -1.0f : 0.0f;
  }
  float worth(int seat) const { return static_cast<float>(pit(seat, 6) - pit(1 - seat, 6)) / kSeeds; }
};

// Othello on 6 x 6: a stone turns over the others' that it encloses in straight lines; who has more at the end wins.
struct Flips {
  static constexpr int kSize = 6, kCells = kSize * kSize, kPass = kCells, kMost = 80;
  std::array<std::int8_t, kCells> cells = {};  // 0 empty, else 1 + seat
  int mover = 0, steps = 0;
  bool over = false;

  static Spec spec() {
    return {.name = "flips",
            .description = "Othello on 6 x 6",
            .source = "L. Waterman and J. Mollett, 1883",
            .seats = 2,
            .observation = {ObservationPart::grid("stones", 2, kSize, kSize)},
            .action = {ActionPart::discrete("cell", kCells + 1)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key) {
    *this = Flips();
    cells[14] = cells[21] = 2;
    cells[15] = cells[20] = 1;
  }
  SeatSet to_act() const { return SeatSet::one(mover); }
  void observe(int seat, Observation out) const {
    for (int i = 0; i < kCells; ++i)
      if (const int stone = cells[i]) out[(stone - 1 == seat ? 0 : kCells) + i] = 1;
  }
  // How many stones turn in one direction.
  int turned(int seat, int cell, int dx, int dy) const {
    int count = 0;
    for (int x = cell % kSize + dx, y = cell / kSize + dy; x >= 0 && y >= 0 && x < kSize && y < kSize;
         x += dx, y += dy) {
      const int stone = cells[y * kSize + x];
      if (stone == 1 + seat) return count;
      if (stone == 0) return 0;
      ++count;
    }
    return 0;
  }
  bool can_play(int seat, int cell) const {
    if (cells[cell] != 0) return false;
    for (int d = 0; d < 9; ++d)
      if (d != 4 && turned(seat, cell, d % 3 - 1, d / 3 - 1) > 0) return true;
    return false;
  }
  bool can_play(int seat) const {
    for (int cell = 0; cell < kCells; ++cell)
      if (can_play(seat, cell)) return true;
    return false;
  }
  void legal(int seat, Mask mask) const {
    bool any = false;
    for (int cell = 0; cell < kCells; ++cell)
      if (can_play(seat, cell)) mask.allow(cell), any = true;
    if (!any) mask.allow(kPass);
  }
  void step(const Actions& actions, Key, Rewards) {
    if (const int cell = actions.choice(mover); cell != kPass) {
      for (int d = 0; d < 9; ++d) {
        const int dx = d % 3 - 1, dy = d / 3 - 1;
        if (d == 4) continue;
        for (int i = turned(mover, cell, dx, dy); i > 0; --i)
          cells[cell + i * (dy * kSize + dx)] = static_cast<std::int8_t>(1 + mover);
      }
      cells[cell] = static_cast<std::int8_t>(1 + mover);
    }
    mover = 1 - mover;
    over = !can_play(0) && !can_play(1);
    ++steps;
  }
  Status status() const { return over ? Status::finished : Status::running; }
  int lead(int seat) const {
    return static_cast<int>(std::count(cells.begin(), cells.end(), 1 + seat) -
                            std::count(cells.begin(), cells.end(), 2 - seat));
  }
  float result(int team) const { return lead(team) > 0 ? 1.0f : lead(team) < 0 ? -1.0f : 0.0f; }
  // Corners above all, then choices to move, then stones.
  float worth(int seat) const {
    int corners = 0, choices = 0;
    for (int cell : {0, kSize - 1, kCells - kSize, kCells - 1})
      if (const int stone = cells[cell]) corners += stone - 1 == seat ? 1 : -1;
    for (int cell = 0; cell < kCells; ++cell) choices += can_play(seat, cell) - can_play(1 - seat, cell);
    return 0.1f * static_cast<float>(corners) + 0.02f * static_cast<float>(choices) +
           0.002f * static_cast<float>(lead(seat));
  }
};

// Breakthrough (D. Troyka, 2000) on 5 x 5: pawns go a step ahead or aslant, and capture aslant; who reaches the last
// row or takes all wins. A choice is a cell and a way, both as the mover sees them: it plays up the board.
struct Breakthrough {
  static constexpr int kSize = 5, kCells = kSize * kSize, kMost = 120;
  std::array<std::int8_t, kCells> cells = {};  // 0 empty, else 1 + seat; row 0 is seat 0's
  int mover = 0, steps = 0, winner = -1;

  static Spec spec() {
    return {.name = "breakthrough",
            .description = "Breakthrough on 5 x 5",
            .source = "D. Troyka, 2000",
            .seats = 2,
            .observation = {ObservationPart::grid("pawns", 2, kSize, kSize)},
            .action = {ActionPart::discrete("move", kCells * 3)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key) {
    *this = Breakthrough();
    for (int i = 0; i < 2 * kSize; ++i) at(0, i) = 1, at(1, i) = 2;
  }
  // A cell as the seat sees it.
  static int seen(int seat, int cell) { return seat == 0 ? cell : kCells - 1 - cell; }
  std::int8_t& at(int seat, int cell) { return cells[seen(seat, cell)]; }
  int at(int seat, int cell) const { return cells[seen(seat, cell)]; }
  SeatSet to_act() const { return SeatSet::one(mover); }
  void observe(int seat, Observation out) const {
    for (int i = 0; i < kCells; ++i)
      if (at(seat, i) != 0) out[(at(seat, i) == 1 + seat ? 0 : kCells) + i] = 1;
  }
  void legal(int seat, Mask mask) const {
    for (int i = 0; i < kCells - kSize; ++i)
      for (int way = 0; way < 3 && at(seat, i) == 1 + seat; ++way) {
        const int x = i % kSize + way - 1;
        if (x < 0 || x >= kSize) continue;
        const int there = at(seat, i + kSize + way - 1);
        if (there == 0 || (way != 1 && there == 2 - seat)) mask.allow(i * 3 + way);
      }
  }
  void step(const Actions& actions, Key, Rewards) {
    const int from = actions.choice(mover) / 3, to = from + kSize + actions.choice(mover) % 3 - 1;
    at(mover, from) = 0;
    at(mover, to) = static_cast<std::int8_t>(1 + mover);
    if (to >= kCells - kSize || count(1 - mover) == 0) winner = mover;
    mover = 1 - mover;
    ++steps;
  }
  Status status() const { return winner >= 0 ? Status::finished : Status::running; }
  float result(int team) const { return team == winner ? 1.0f : -1.0f; }
  int count(int seat) const { return static_cast<int>(std::count(cells.begin(), cells.end(), 1 + seat)); }
  // Pawns, and how far the first of them is.
  float worth(int seat) const {
    int first[] = {0, 0};
    for (int s : {0, 1})
      for (int i = 0; i < kCells; ++i)
        if (at(s, i) == 1 + s) first[s] = i / kSize;
    return 0.05f * static_cast<float>(count(seat) - count(1 - seat)) +
           0.03f * static_cast<float>(first[seat] - first[1 - seat]);
  }
};

// Dots and boxes with 3 x 3 boxes: who draws the fourth side of a box owns it and goes on. Most of the nine win.
struct Boxes {
  static constexpr int kSize = 3, kEdges = 24, kMost = kEdges;
  std::array<bool, kEdges> drawn = {};  // 12 across, row by row, then 12 down
  std::array<int, 2> owned = {};
  int mover = 0, steps = 0;

  static Spec spec() {
    return {.name = "boxes",
            .description = "Dots and boxes with 3 x 3 boxes",
            .source = "E. Lucas, 1889",
            .seats = 2,
            .observation = {ObservationPart::vector("edges", kEdges),
                            ObservationPart::vector("sides", kSize * kSize * 5), ObservationPart::vector("owned", 2)},
            .action = {ActionPart::discrete("edge", kEdges)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key) { *this = Boxes(); }
  SeatSet to_act() const { return SeatSet::one(mover); }
  int sides(int box) const {
    const int x = box % kSize, y = box / kSize;
    const int edges[] = {y * kSize + x, (y + 1) * kSize + x, 12 + y * (kSize + 1) + x, 13 + y * (kSize + 1) + x};
    return static_cast<int>(std::count_if(std::begin(edges), std::end(edges), [this](int e) { return drawn[e]; }));
  }
  int full() const {
    int count = 0;
    for (int box = 0; box < kSize * kSize; ++box) count += sides(box) == 4;
    return count;
  }
  void observe(int seat, Observation out) const {
    for (int e = 0; e < kEdges; ++e) out[e] = drawn[e];
    for (int box = 0; box < kSize * kSize; ++box) out.part(1)[box * 5 + sides(box)] = 1;
    for (int s : {0, 1}) out.part(2)[s] = static_cast<float>(owned[s == 0 ? seat : 1 - seat]) / 9;
  }
  void legal(int, Mask mask) const {
    for (int e = 0; e < kEdges; ++e)
      if (!drawn[e]) mask.allow(e);
  }
  void step(const Actions& actions, Key, Rewards) {
    const int before = full();
    drawn[actions.choice(mover)] = true;
    const int made = full() - before;
    owned[mover] += made;
    if (made == 0) mover = 1 - mover;
    ++steps;
  }
  Status status() const { return steps == kEdges ? Status::finished : Status::running; }
  int lead(int seat) const { return owned[seat] - owned[1 - seat]; }
  float result(int team) const { return lead(team) > 0 ? 1.0f : -1.0f; }
  float worth(int seat) const { return static_cast<float>(lead(seat)) / 10; }
};

// Chess without checks: who takes the king wins. No castling, nothing en passant, pawns become queens; drawn after 120
// moves. 4,672 choices as AlphaZero has them: 64 cells times 73 ways, of which 56 are a queen's, 8 a knight's and 9
// stand for what is not here; seen by the mover, who plays up the board.
struct KingHunt {
  static constexpr int kCells = 64, kWays = 73, kMost = 120;
  enum Piece : std::int8_t { kNone, kPawn, kKnight, kBishop, kRook, kQueen, kKing };
  std::array<std::int8_t, kCells> cells = {};  // the piece, + 8 for those of seat 1
  int mover = 0, steps = 0, winner = -1;

  static Spec spec() {
    return {.name = "king_hunt",
            .description = "Chess in which the king is taken, with 4,672 choices",
            .source = "after AlphaZero's chess",
            .seats = 2,
            .observation = {ObservationPart::grid("pieces", 12, 8, 8), ObservationPart::vector("time", 1)},
            .action = {ActionPart::discrete("move", kCells * kWays)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key) {
    *this = KingHunt();
    constexpr Piece kRow[] = {kRook, kKnight, kBishop, kQueen, kKing, kBishop, kKnight, kRook};
    for (std::size_t x = 0; x < 8; ++x) {
      cells[x] = kRow[x];
      cells[8 + x] = kPawn;
      cells[48 + x] = kPawn + 8;
      cells[56 + x] = static_cast<std::int8_t>(kRow[x] + 8);
    }
  }
  // Seat 1 sees the board mirrored top to bottom.
  static int seen(int seat, int cell) { return seat == 0 ? cell : cell ^ 56; }
  int at(int seat, int cell) const { return cells[seen(seat, cell)]; }
  SeatSet to_act() const { return SeatSet::one(mover); }
  void observe(int seat, Observation out) const {
    for (int i = 0; i < kCells; ++i)
      if (const int piece = at(seat, i)) out[((piece % 8 - 1) + (piece / 8 == seat ? 0 : 6)) * kCells + i] = 1;
    out.part(1)[0] = static_cast<float>(steps) / kMost;
  }
  // Where a way leads to from a cell; -1: off the board.
  static int target(int from, int way) {
    constexpr int kX[] = {0, 1, 1, 1, 0, -1, -1, -1}, kY[] = {1, 1, 0, -1, -1, -1, 0, 1};
    constexpr int kHopX[] = {1, 2, 2, 1, -1, -2, -2, -1}, kHopY[] = {2, 1, -1, -2, -2, -1, 1, 2};
    const int far = way % 7 + 1, d = way / 7;
    const int x = from % 8 + (way < 56 ? kX[d] * far : kHopX[way - 56]);
    const int y = from / 8 + (way < 56 ? kY[d] * far : kHopY[way - 56]);
    return x < 0 || y < 0 || x > 7 || y > 7 ? -1 : y * 8 + x;
  }
  bool own(int seat, int cell) const { return at(seat, cell) != 0 && at(seat, cell) / 8 == seat; }
  void legal(int seat, Mask mask) const {
    bool any = false;
    const auto allow = [&](int from, int way) { mask.allow(from * kWays + way), any = true; };
    for (int from = 0; from < kCells; ++from) {
      if (!own(seat, from)) continue;
      const int piece = at(seat, from) % 8;
      if (piece == kKnight) {
        for (int way = 56; way < 64; ++way)
          if (const int to = target(from, way); to >= 0 && !own(seat, to)) allow(from, way);
        continue;
      }
      for (int d = 0; d < 8; ++d) {
        if ((piece == kRook && d % 2 == 1) || (piece == kBishop && d % 2 == 0)) continue;
        if (piece == kPawn && d != 0 && d != 1 && d != 7) continue;
        const int reach = piece == kKing ? 1 : piece != kPawn ? 7 : d == 0 && from / 8 == 1 ? 2 : 1;
        for (int far = 0; far < reach; ++far) {
          const int to = target(from, d * 7 + far);
          if (to < 0 || own(seat, to)) break;
          const bool takes = at(seat, to) != 0;
          if (piece == kPawn && takes == (d == 0)) break;
          allow(from, d * 7 + far);
          if (takes) break;
        }
      }
    }
    if (!any) mask.allow(kWays - 1);  // pass
  }
  void step(const Actions& actions, Key, Rewards) {
    const int from = actions.choice(mover) / kWays, way = actions.choice(mover) % kWays;
    if (way < 64) {
      const int to = target(from, way);
      if (at(mover, to) % 8 == kKing) winner = mover;
      std::int8_t piece = std::exchange(cells[seen(mover, from)], std::int8_t{0});
      if (piece % 8 == kPawn && to / 8 == 7) piece = static_cast<std::int8_t>(kQueen + 8 * mover);
      cells[seen(mover, to)] = piece;
    }
    mover = 1 - mover;
    ++steps;
  }
  Status status() const { return winner >= 0 || steps == kMost ? Status::finished : Status::running; }
  float result(int team) const { return winner < 0 ? 0 : team == winner ? 1.0f : -1.0f; }
  float worth(int seat) const {
    constexpr float kWorth[] = {0, 1, 3, 3, 5, 9, 0};
    float sum = 0;
    for (const std::int8_t piece : cells)
      if (piece != 0) sum += (piece / 8 == seat ? 1.0f : -1.0f) * kWorth[piece % 8];
    return sum / 50;
  }
};

}  // namespace rival::learning
