// Tasks whose reward is rare, or lies behind worse ones.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <queue>
#include <string>
#include <utility>

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

// A maze of walls drawn anew each match, whose goal can be reached: 1 at the goal, -0.01 a step.
struct Maze {
  static constexpr int kSize = 9, kMost = 150;
  std::array<std::array<bool, kSize>, kSize> wall = {};  // [y][x]
  Cell self, goal;
  int steps = 0;

  static Spec spec() {
    return {.name = "maze",
            .description = "Find the way through a maze that is drawn anew each time",
            .observation = {ObservationPart::grid("maze", 3, kSize, kSize)},
            .action = {ActionPart::discrete("move", 4)},
            .max_steps = kMost};
  }
  bool free(Cell c) const { return c.inside(kSize, kSize) && !wall[c.y][c.x]; }
  // Steps from each cell to the goal, [y * kSize + x]; -1: there is no way.
  std::array<int, kSize * kSize> ways() const {
    std::array<int, kSize * kSize> way;
    way.fill(-1);
    const auto at = [&way](Cell c) -> int& { return way[c.y * kSize + c.x]; };
    std::queue<Cell> open({goal});
    at(goal) = 0;
    for (; !open.empty(); open.pop())
      for (int d = 0; d < 4; ++d)
        if (const Cell to = open.front().to(d); free(to) && at(to) < 0) at(to) = at(open.front()) + 1, open.push(to);
    return way;
  }
  int way() const { return ways()[self.y * kSize + self.x]; }
  void reset(const Settings&, Key key) {
    Random random(key);
    steps = 0;
    do {
      for (auto& row : wall)
        for (bool& w : row) w = random.below(3) == 0;
      self = {random.below(kSize), random.below(kSize)};
      goal = {random.below(kSize), random.below(kSize)};
    } while (!free(self) || !free(goal) || way() < 4);
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out.at(0, 0, self.y, self.x) = 1;
    out.at(0, 1, goal.y, goal.x) = 1;
    for (int y = 0; y < kSize; ++y)
      for (int x = 0; x < kSize; ++x) out.at(0, 2, y, x) = !free({x, y});
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    if (const Cell to = self.to(actions.choice(0)); free(to)) self = to;
    rewards[0] += self == goal ? 0.99f : -0.01f;
    ++steps;
  }
  Status status() const {
    return self == goal ? Status::finished : steps >= kMost ? Status::truncated : Status::running;
  }

  static int script(const Maze& game, int, Random&) {
    const auto way = game.ways();
    int best = 0, shortest = 1000;
    for (int d = 0; d < 4; ++d) {
      const Cell to = game.self.to(d);
      if (!game.free(to)) continue;
      if (const int w = way[to.y * kSize + to.x]; w < shortest) best = d, shortest = w;
    }
    return best;
  }
};

// Push a block to a place by walking against it: -1 a step, +10 when it is there. It cannot be pulled, so that at a
// wall it is lost.
struct PushBlock {
  static constexpr int kSize = 6, kMost = 100;
  Cell self, block, place;
  int steps = 0;

  static Spec spec() {
    return {.name = "push_block",
            .description = "Push a block to a place",
            .source = "after Sokoban",
            .observation = {ObservationPart::grid("floor", 3, kSize, kSize)},
            .action = {ActionPart::discrete("move", 4)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    *this = PushBlock();
    Random random(key);
    const auto inner = [&random] { return Cell{1 + random.below(kSize - 2), 1 + random.below(kSize - 2)}; };
    block = inner();
    do place = inner();
    while (place == block);
    do self = {random.below(kSize), random.below(kSize)};
    while (self == block);
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out.at(0, 0, self.y, self.x) = 1;
    out.at(0, 1, block.y, block.x) = 1;
    out.at(0, 2, place.y, place.x) = 1;
  }
  void move(int direction) {
    const Cell to = self.to(direction), behind = to.to(direction);
    if (!to.inside(kSize, kSize) || (to == block && !behind.inside(kSize, kSize))) return;
    if (to == block) block = behind;
    self = to;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    move(actions.choice(0));
    rewards[0] += block == place ? 9.0f : -1.0f;
    ++steps;
  }
  Status status() const {
    return block == place ? Status::finished : steps >= kMost ? Status::truncated : Status::running;
  }

  // The first move of a shortest way, by breadth-first search.
  static int script(const PushBlock& game, int, Random&) {
    std::array<bool, 6 * 6 * 6 * 6> seen = {};
    const auto mark = [&seen](const PushBlock& g) {
      const int i = ((g.self.y * kSize + g.self.x) * kSize + g.block.y) * kSize + g.block.x;
      return std::exchange(seen[i], true);
    };
    std::queue<std::pair<PushBlock, int>> open({{game, -1}});
    mark(game);
    for (; !open.empty(); open.pop())
      for (int d = 0; d < 4; ++d) {
        PushBlock next = open.front().first;
        next.move(d);
        const int first = open.front().second < 0 ? d : open.front().second;
        if (next.block == next.place) return first;
        if (!mark(next)) open.push({next, first});
      }
    return 0;
  }
};

// A river of six cells to swim up against the current (Strehl and Littman, 2008): 0.005 for resting at its lower end,
// 1 for holding out at the upper one. 60 steps.
struct RiverSwim {
  static constexpr int kCells = 6, kMost = 60;
  int cell = 0, steps = 0;

  static Spec spec() {
    return {.name = "river_swim",
            .description = "Swim up a river against the current",
            .source = "A. Strehl and M. Littman, 2008",
            .observation = {ObservationPart::vector("cell", kCells), ObservationPart::vector("time", 1)},
            .action = {ActionPart::discrete("way", 2)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key) { *this = RiverSwim(); }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out[cell] = 1;
    out.part(1)[0] = static_cast<float>(steps) / kMost;
  }
  void step(const Actions& actions, Key key, Rewards rewards) {
    ++steps;
    if (actions.choice(0) == 0) {
      if (cell == 0) rewards[0] += 0.005f;
      cell = std::max(0, cell - 1);
      return;
    }
    const float u = Random(key).uniform();
    const bool first = cell == 0, last = cell == kCells - 1;
    const int move = last ? (u < 0.4f ? -1 : 0) : u < (first ? 0.4f : 0.35f) ? 1 : !first && u < 0.4f ? -1 : 0;
    if (last && move == 0) rewards[0] += 1;
    cell += move;
  }
  Status status() const { return steps == kMost ? Status::finished : Status::running; }

  static int script(const RiverSwim&, int, Random&) { return 1; }
};

}  // namespace rival::learning
