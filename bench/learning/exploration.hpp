// Tasks whose reward is rare, or lies behind worse ones.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <queue>

#include "rival/game.hpp"

namespace rival::learning {

// Steps of a walk on a grid: up, down, left, right.
inline constexpr int kStepX[] = {0, 0, -1, 1}, kStepY[] = {-1, 1, 0, 0};

struct Cell {
  int x = 0, y = 0;
  bool operator==(const Cell&) const = default;
  Cell to(int direction) const { return {x + kStepX[direction], y + kStepY[direction]}; }
  bool inside(int width, int height) const { return x >= 0 && y >= 0 && x < width && y < height; }
};

inline int distance(Cell a, Cell b) {
  return std::abs(a.x - b.x) + std::abs(a.y - b.y);
}

// The direction that brings `from` nearer to `to` on an open grid; they must differ.
inline int direction_to(Cell from, Cell to) {
  if (from.x != to.x) return from.x < to.x ? 3 : 2;
  return from.y < to.y ? 1 : 0;
}

// Go to a thing on an open grid, pick it up, bring it to a place and put it down: -1 a step, +10 when it is there.
// The best return is 10 less the way.
struct FetchAndBring {
  static constexpr int kSize = 8, kPick = 4, kPut = 5, kMost = 200;
  Cell self, thing, place;
  bool carried = false, brought = false;
  int steps = 0;

  static Spec spec() {
    return {.name = "fetch_and_bring",
            .description = "Go to a thing, pick it up, bring it to a place",
            .observation = {ObservationPart::grid("floor", 3, kSize, kSize), ObservationPart::vector("carried", 1)},
            .action = {ActionPart::discrete("do", 6)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    *this = FetchAndBring();
    Random random(key);
    const auto cell = [&random] { return Cell{random.below(kSize), random.below(kSize)}; };
    self = cell();
    do thing = cell();
    while (thing == self);
    do place = cell();
    while (place == thing);
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out.at(0, 0, self.y, self.x) = 1;
    if (!carried) out.at(0, 1, thing.y, thing.x) = 1;
    out.at(0, 2, place.y, place.x) = 1;
    out.part(1)[0] = carried;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    const int choice = actions.choice(0);
    if (choice < 4 && self.to(choice).inside(kSize, kSize)) self = self.to(choice);
    if (choice == kPick && self == thing) carried = true;
    if (choice == kPut && carried && self == place) brought = true;
    if (carried) thing = self;
    rewards[0] += brought ? 9 : -1;
    ++steps;
  }
  Status status() const { return brought ? Status::finished : steps >= kMost ? Status::truncated : Status::running; }

  static int script(const FetchAndBring& game, int, Random&) {
    const Cell goal = game.carried ? game.place : game.thing;
    return game.self == goal ? (game.carried ? kPut : kPick) : direction_to(game.self, goal);
  }
};

// Deep sea (Osband and others, "Behaviour suite for reinforcement learning", 2019): a step down for each decision, to
// the left or to the right, and which choice is which differs from cell to cell. Each step to the right costs 0.01 / N,
// and only all steps to the right lead to the treasure of 1.
template <int N>
struct DeepSea {
  int row = 0, column = 0;

  static Spec spec() {
    return {.name = "deep_sea_" + std::to_string(N),
            .description = "Only one way of 2^N leads to the treasure",
            .source = "bsuite",
            .observation = {ObservationPart::vector("cell", N * N)},
            .action = {ActionPart::discrete("way", 2)},
            .max_steps = N};
  }
  void reset(const Settings&, Key) { *this = DeepSea(); }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    if (row < N) out[row * N + column] = 1;
  }
  int right() const { return static_cast<int>(Key::mix(static_cast<std::uint64_t>(row * N + column)) & 1); }
  void step(const Actions& actions, Key, Rewards rewards) {
    if (actions.choice(0) == right()) {
      rewards[0] -= 0.01f / N;
      if (row == N - 1 && column == N - 1) rewards[0] += 1;
      column = std::min(column + 1, N - 1);
    } else {
      column = std::max(column - 1, 0);
    }
    ++row;
  }
  Status status() const { return row == N ? Status::finished : Status::running; }

  static int script(const DeepSea& game, int, Random&) { return game.right(); }
};

// A chain of N cells (Osband and others, "Deep exploration via bootstrapped DQN", 2016): 0.001 for a step that ends in
// the first, 1 for one from the last that stays there, N + 9 steps in all. The best return is 10.
struct Chain {
  static constexpr int kLength = 20, kMost = kLength + 9;
  int cell = 0, steps = 0;

  static Spec spec() {
    return {.name = "chain",
            .description = "A small reward near by, a large one at the far end",
            .source = "bootstrapped DQN",
            .observation = {ObservationPart::vector("cells", kLength)},
            .action = {ActionPart::discrete("way", 2)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key) { *this = Chain(); }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const { std::fill_n(out.part(), cell + 1, 1.0f); }
  void step(const Actions& actions, Key, Rewards rewards) {
    const int from = cell;
    cell = std::clamp(cell + (actions.choice(0) == 1 ? 1 : -1), 0, kLength - 1);
    if (cell == 0) rewards[0] += 0.001f;
    if (from == kLength - 1 && cell == from) rewards[0] += 1;
    ++steps;
  }
  Status status() const { return steps == kMost ? Status::finished : Status::running; }

  static int script(const Chain&, int, Random&) { return 1; }
};

// A key in the room at the left opens the door in the wall, behind which is the goal (after MiniGrid's DoorKey-8x8, but
// seen as a whole): 1 - 0.9 t / 200 for reaching it after t steps, nothing otherwise.
struct KeyAndDoor {
  static constexpr int kSize = 8, kPick = 4, kOpen = 5, kMost = 200;
  Cell self, key_cell, door, goal;
  bool held = false, open = false;
  int steps = 0;

  static Spec spec() {
    return {.name = "key_and_door",
            .description = "Fetch the key, open the door, reach the goal",
            .source = "after MiniGrid",
            .observation = {ObservationPart::grid("rooms", 6, kSize, kSize), ObservationPart::vector("held", 1)},
            .action = {ActionPart::discrete("do", 6)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    *this = KeyAndDoor();
    Random random(key);
    door = {2 + random.below(kSize - 4), random.below(kSize)};
    self = {random.below(door.x), random.below(kSize)};
    do key_cell = {random.below(door.x), random.below(kSize)};
    while (key_cell == self);
    goal = {kSize - 1, kSize - 1};
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out.at(0, 0, self.y, self.x) = 1;
    if (!held) out.at(0, 1, key_cell.y, key_cell.x) = 1;
    out.at(0, open ? 2 : 3, door.y, door.x) = 1;
    out.at(0, 4, goal.y, goal.x) = 1;
    for (int y = 0; y < kSize; ++y)
      if (y != door.y) out.at(0, 5, y, door.x) = 1;
    out.part(1)[0] = held;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    const int choice = actions.choice(0);
    ++steps;
    if (choice < 4) {
      const Cell to = self.to(choice);
      if (to.inside(kSize, kSize) && (to.x != door.x || (to == door && open))) self = to;
    }
    if (choice == kPick && self == key_cell) held = true;
    if (choice == kOpen && held && distance(self, door) == 1) open = true;
    if (self == goal) rewards[0] += 1 - 0.9f * static_cast<float>(steps) / kMost;
  }
  Status status() const {
    return self == goal ? Status::finished : steps >= kMost ? Status::truncated : Status::running;
  }

  static int script(const KeyAndDoor& game, int, Random&) {
    if (!game.held) return game.self == game.key_cell ? kPick : direction_to(game.self, game.key_cell);
    const Cell before{game.door.x - 1, game.door.y};
    if (!game.open) return game.self == before ? kOpen : direction_to(game.self, before);
    if (game.self.x > game.door.x) return direction_to(game.self, game.goal);
    return game.self.y == game.door.y ? 3 : direction_to(game.self, before);
  }
};

}  // namespace rival::learning
