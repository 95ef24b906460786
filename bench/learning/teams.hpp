// Tasks of several players who share an aim, or whose roles differ.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "bench/learning/entities.hpp"
#include "bench/learning/exploration.hpp"
#include "rival/game.hpp"

namespace rival::learning {

// Three agents spread over three marks (simple_spread of the multi-agent particle environments, Lowe and others, 2017):
// each step gives all of them minus the sum, over marks, of the distance to the nearest agent, and -1 for each pair
// that touches. 25 steps.
struct Spread {
  static constexpr int kAgents = 3, kMost = 25;
  std::array<Body, kAgents> agents = {}, marks = {};
  int steps = 0;

  static Spec spec() {
    return {.name = "spread",
            .description = "Three agents spread over three marks",
            .source = "after simple_spread of the multi-agent particle environments",
            .seats = kAgents,
            .teams = {0, 0, 0},
            .observation = {ObservationPart::vector("self", 4), ObservationPart::vector("marks", 2 * kAgents),
                            ObservationPart::vector("others", 2 * (kAgents - 1))},
            .action = {ActionPart::discrete("push", 5)},
            .simultaneous = true,
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    *this = Spread();
    Random random(key);
    for (auto* bodies : {&agents, &marks})
      for (Body& body : *bodies) body = {random.uniform(-1, 1), random.uniform(-1, 1)};
  }
  SeatSet to_act() const { return SeatSet::first(kAgents); }
  void observe(int seat, Observation out) const {
    const Body& self = agents[static_cast<std::size_t>(seat)];
    float* to = out.part();
    for (float value : {self.x, self.y, self.vx, self.vy}) *to++ = value;
    for (const Body& mark : marks)
      for (float value : {mark.x - self.x, mark.y - self.y}) *to++ = value;
    for (const Body& other : agents)
      if (&other != &self)
        for (float value : {other.x - self.x, other.y - self.y}) *to++ = value;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    constexpr float kDt = 0.1f, kForce = 5, kDamping = 0.25f;
    for (int seat = 0; seat < kAgents; ++seat) {
      Body& agent = agents[static_cast<std::size_t>(seat)];
      const int choice = actions.choice(seat);
      const float fx = choice < 4 ? static_cast<float>(kStepX[choice]) : 0;
      const float fy = choice < 4 ? static_cast<float>(kStepY[choice]) : 0;
      agent.vx = agent.vx * (1 - kDamping) + kForce * kDt * fx;
      agent.vy = agent.vy * (1 - kDamping) + kForce * kDt * fy;
      agent.x += agent.vx * kDt;
      agent.y += agent.vy * kDt;
    }
    float shared = 0;
    for (const Body& mark : marks) {
      float nearest = 100;
      for (const Body& agent : agents) nearest = std::min(nearest, distance(agent, mark));
      shared -= nearest;
    }
    for (std::size_t a = 0; a < kAgents; ++a)
      for (std::size_t b = 0; b < a; ++b)
        if (distance(agents[a], agents[b]) < 0.3f) shared -= 1;
    for (int seat = 0; seat < kAgents; ++seat) rewards[seat] += shared;
    ++steps;
  }
  Status status() const { return steps == kMost ? Status::finished : Status::running; }

  // To the marks by the assignment of the shortest way in sum.
  static int script(const Spread& game, int seat, Random&) {
    std::array<std::size_t, kAgents> order = {0, 1, 2}, best = order;
    float shortest = 1000;
    do {
      float sum = 0;
      for (std::size_t a = 0; a < kAgents; ++a) sum += distance(game.agents[a], game.marks[order[a]]);
      if (sum < shortest) shortest = sum, best = order;
    } while (std::next_permutation(order.begin(), order.end()));
    const Body& self = game.agents[static_cast<std::size_t>(seat)];
    const Body& mark = game.marks[best[static_cast<std::size_t>(seat)]];
    // Where it would come to rest.
    const float dx = mark.x - self.x - 0.3f * self.vx, dy = mark.y - self.y - 0.3f * self.vy;
    if (std::max(std::abs(dx), std::abs(dy)) < 0.03f) return 4;
    return std::abs(dx) > std::abs(dy) ? (dx > 0 ? 3 : 2) : (dy > 0 ? 1 : 0);
  }
};

// One hides from two seekers on a grid with pillars: it wins if nobody has caught it within 40 steps. All move at once,
// by a cell at most.
struct HideAndSeek {
  static constexpr int kSize = 9, kMost = 40, kStay = 4;
  std::array<Cell, 3> cells = {};  // the hider's, the seekers'
  int steps = 0;
  bool caught = false;

  static Spec spec() {
    return {.name = "hide_and_seek",
            .description = "One hides from two seekers",
            .seats = 3,
            .teams = {0, 1, 1},
            .observation = {ObservationPart::grid("floor", 4, kSize, kSize), ObservationPart::vector("role", 2)},
            .action = {ActionPart::discrete("move", 5)},
            .simultaneous = true,
            .max_steps = kMost};
  }
  static bool pillar(Cell cell) { return cell.x % 2 == 1 && cell.y % 2 == 1; }
  void reset(const Settings&, Key key) {
    *this = HideAndSeek();
    Random random(key);
    const auto draw = [&random] { return Cell{2 * random.below(kSize / 2 + 1), random.below(kSize)}; };
    for (Cell& cell : cells) {
      do cell = draw();
      while (&cell != &cells[0] && distance(cell, cells[0]) < 4);
    }
  }
  SeatSet to_act() const { return SeatSet::first(3); }
  void observe(int seat, Observation out) const {
    const Cell self = cells[static_cast<std::size_t>(seat)];
    out.at(0, 0, self.y, self.x) = 1;
    for (int other = 0; other < 3; ++other) {
      const Cell cell = cells[static_cast<std::size_t>(other)];
      if (other != seat) out.at(0, (other == 0) == (seat == 0) ? 1 : 2, cell.y, cell.x) = 1;
    }
    for (int y = 1; y < kSize; y += 2)
      for (int x = 1; x < kSize; x += 2) out.at(0, 3, y, x) = 1;
    out.part(1)[0] = seat == 0;
    out.part(1)[1] = static_cast<float>(steps) / kMost;
  }
  static Cell moved(Cell cell, int choice) {
    if (choice == kStay) return cell;
    const Cell to = cell.to(choice);
    return to.inside(kSize, kSize) && !pillar(to) ? to : cell;
  }
  void step(const Actions& actions, Key, Rewards) {
    const std::array<Cell, 3> before = cells;
    for (int seat = 0; seat < 3; ++seat) {
      Cell& cell = cells[static_cast<std::size_t>(seat)];
      cell = moved(cell, actions.choice(seat));
    }
    for (std::size_t seeker : {1u, 2u})
      caught = caught || cells[seeker] == cells[0] || (cells[seeker] == before[0] && cells[0] == before[seeker]);
    ++steps;
  }
  Status status() const { return caught || steps == kMost ? Status::finished : Status::running; }
  float result(int team) const { return caught == (team == 1) ? 1.0f : -1.0f; }

  // The hider keeps as far off the nearer seeker as it can; a seeker comes nearer, the second to where the hider would
  // flee to.
  static int script(const HideAndSeek& game, int seat, Random& random) {
    int best = kStay, found = 0;
    float best_worth = -1000;
    const Cell self = game.cells[static_cast<std::size_t>(seat)];
    for (int choice = 0; choice < 5; ++choice) {
      const Cell to = moved(self, choice);
      float worth = 0;
      if (seat == 0) {
        const int a = distance(to, game.cells[1]), b = distance(to, game.cells[2]);
        worth = static_cast<float>(std::min(a, b)) + 0.1f * static_cast<float>(std::max(a, b));
      } else {
        const Cell hider = game.cells[0], mate = game.cells[static_cast<std::size_t>(3 - seat)];
        Cell target = hider;
        if (seat == 2 && distance(self, hider) > 2)
          target = {std::clamp(2 * hider.x - mate.x, 0, kSize - 1), std::clamp(2 * hider.y - mate.y, 0, kSize - 1)};
        worth = -static_cast<float>(distance(to, target));
      }
      if (worth > best_worth) found = 0, best_worth = worth;
      if (worth == best_worth && random.below(++found) == 0) best = choice;
    }
    return best;
  }
};

}  // namespace rival::learning
