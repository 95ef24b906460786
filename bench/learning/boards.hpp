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
  int pit(int seat, int i) const { return pits[static_cast<std::size_t>((7 * seat + i) % kPits)]; }
  int& pit(int seat, int i) { return pits[static_cast<std::size_t>((7 * seat + i) % kPits)]; }
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
      if (const int stone = cells[static_cast<std::size_t>(i)]) out[(stone - 1 == seat ? 0 : kCells) + i] = 1;
  }
  // How many stones turn in one direction.
  int turned(int seat, int cell, int dx, int dy) const {
    int count = 0;
    for (int x = cell % kSize + dx, y = cell / kSize + dy; x >= 0 && y >= 0 && x < kSize && y < kSize;
         x += dx, y += dy) {
      const int stone = cells[static_cast<std::size_t>(y * kSize + x)];
      if (stone == 1 + seat) return count;
      if (stone == 0) return 0;
      ++count;
    }
    return 0;
  }
  bool can_play(int seat, int cell) const {
    if (cells[static_cast<std::size_t>(cell)] != 0) return false;
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
          cells[static_cast<std::size_t>(cell + i * (dy * kSize + dx))] = static_cast<std::int8_t>(1 + mover);
      }
      cells[static_cast<std::size_t>(cell)] = static_cast<std::int8_t>(1 + mover);
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
      if (const int stone = cells[static_cast<std::size_t>(cell)]) corners += stone - 1 == seat ? 1 : -1;
    for (int cell = 0; cell < kCells; ++cell) choices += can_play(seat, cell) - can_play(1 - seat, cell);
    return 0.1f * static_cast<float>(corners) + 0.02f * static_cast<float>(choices) +
           0.002f * static_cast<float>(lead(seat));
  }
};

}  // namespace rival::learning
