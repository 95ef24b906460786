// Tasks of several players who share an aim, or whose roles differ.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

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
    const Body& self = agents[seat];
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
      Body& agent = agents[seat];
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
    const Body& self = game.agents[seat];
    const Body& mark = game.marks[best[seat]];
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
    const Cell self = cells[seat];
    out.at(0, 0, self.y, self.x) = 1;
    for (int other = 0; other < 3; ++other) {
      const Cell cell = cells[other];
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
      Cell& cell = cells[seat];
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
    const Cell self = game.cells[seat];
    for (int choice = 0; choice < 5; ++choice) {
      const Cell to = moved(self, choice);
      float worth = 0;
      if (seat == 0) {
        const int a = distance(to, game.cells[1]), b = distance(to, game.cells[2]);
        worth = static_cast<float>(std::min(a, b)) + 0.1f * static_cast<float>(std::max(a, b));
      } else {
        const Cell hider = game.cells[0], mate = game.cells[3 - seat];
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

// Light cycles: all move at once on a grid and leave walls behind; who runs into one, or into another, is out. The last
// team on the grid wins. By twos (four seats) or each for itself (six).
template <int Seats, bool Twos>
struct LightCycles {
  static constexpr int kSize = 10, kMost = kSize * kSize;
  static constexpr int kTeams = Twos ? 2 : Seats;
  std::array<std::array<bool, kSize>, kSize> wall = {};  // [y][x]
  std::array<Cell, Seats> heads = {};
  std::array<int, Seats> lived = {};  // steps, of those that are out; -1: still there
  int steps = 0;

  static Spec spec() {
    Spec spec = {.name = Twos ? "light_cycles_2v2" : "light_cycles_" + std::to_string(Seats),
                 .description = "Ride on, leave walls behind, and be the last",
                 .source = "after Tron, 1982",
                 .seats = Seats,
                 .observation = {ObservationPart::grid("floor", 4, kSize, kSize)},
                 .action = {ActionPart::discrete("way", 4)},
                 .simultaneous = true,
                 .max_steps = kMost};
    for (int seat = 0; Twos && seat < Seats; ++seat) spec.teams.push_back(seat % 2);
    return spec;
  }
  static int team_of(int seat) { return Twos ? seat % 2 : seat; }
  bool blocked(Cell c) const { return !c.inside(kSize, kSize) || wall[c.y][c.x]; }
  void reset(const Settings&, Key key) {
    *this = LightCycles();
    Random random(key);
    lived.fill(-1);
    for (Cell& head : heads) {
      do head = {random.below(kSize), random.below(kSize)};
      while (blocked(head));
      wall[head.y][head.x] = true;
    }
  }
  bool alive(int seat) const { return lived[seat] < 0; }
  SeatSet to_act() const {
    SeatSet seats;
    for (int seat = 0; seat < Seats; ++seat)
      if (alive(seat)) seats = seats.with(seat);
    return seats;
  }
  void observe(int seat, Observation out) const {
    for (int y = 0; y < kSize; ++y)
      for (int x = 0; x < kSize; ++x) out.at(0, 3, y, x) = wall[y][x];
    for (int other = 0; other < Seats; ++other)
      if (alive(other))
        out.at(0, other == seat ? 0 : team_of(other) == team_of(seat) ? 1 : 2, heads[other].y, heads[other].x) = 1;
  }
  void step(const Actions& actions, Key, Rewards) {
    ++steps;
    const SeatSet riding = to_act();
    std::array<Cell, Seats> to = heads;
    for (int seat = 0; seat < Seats; ++seat)
      if (riding.contains(seat)) to[seat] = heads[seat].to(actions.choice(seat));
    for (int seat = 0; seat < Seats; ++seat) {
      if (!riding.contains(seat)) continue;
      bool out = blocked(to[seat]);
      for (int other = 0; other < Seats; ++other)
        out = out || (other != seat && riding.contains(other) && to[other] == to[seat]);
      if (out) lived[seat] = steps;
    }
    heads = to;
    for (int seat = 0; seat < Seats; ++seat)
      if (const Cell c = heads[seat]; riding.contains(seat) && c.inside(kSize, kSize)) wall[c.y][c.x] = true;
  }
  int lasted(int team) const {
    int most = 0;
    for (int seat = 0; seat < Seats; ++seat)
      if (team_of(seat) == team) most = std::max(most, alive(seat) ? kMost + 1 : lived[seat]);
    return most;
  }
  Status status() const {
    int teams = 0;
    for (int team = 0; team < kTeams; ++team) teams += lasted(team) > kMost;
    return teams <= 1 ? Status::finished : Status::running;
  }
  // The share of the other teams that it outlasted, as a number from -1 to 1.
  float result(int team) const {
    int lead = 0;
    for (int other = 0; other < kTeams; ++other)
      lead += (lasted(team) > lasted(other)) - (lasted(team) < lasted(other));
    return static_cast<float>(lead) / (kTeams - 1);
  }

  // Goes where it has the most room, and not next to another's head if it can help it.
  static int script(const LightCycles& game, int seat, Random& random) {
    int best = 0, found = 0, most = -1000;
    for (int d = 0; d < 4; ++d) {
      const Cell to = game.heads[seat].to(d);
      if (game.blocked(to)) continue;
      int room = game.room(to);
      for (int other = 0; other < Seats; ++other)
        if (other != seat && game.alive(other) && distance(game.heads[other], to) == 1) room -= 30;
      if (room > most) found = 0, most = room;
      if (room == most && random.below(++found) == 0) best = d;
    }
    return best;
  }
  int room(Cell from) const {
    auto seen = wall;
    std::vector<Cell> open = {from};
    seen[from.y][from.x] = true;
    for (std::size_t i = 0; i < open.size(); ++i)
      for (int d = 0; d < 4; ++d)
        if (const Cell c = open[i].to(d); c.inside(kSize, kSize) && !seen[c.y][c.x]) {
          seen[c.y][c.x] = true;
          open.push_back(c);
        }
    return static_cast<int>(open.size());
  }
};

// One sees which of four corners is right and says one of four words, once; the other hears it and walks: 1 to both at
// the right corner, -1 at a wrong one.
struct SpeakerListener {
  static constexpr int kSize = 5, kMost = 16;
  static constexpr Cell kCorners[] = {{0, 0}, {4, 0}, {0, 4}, {4, 4}};
  int right = 0, word = -1, steps = 0;
  Cell walker{2, 2};

  static Spec spec() {
    return {.name = "speaker_listener",
            .description = "One sees the aim, and can say a word; the other walks",
            .source = "after simple_speaker_listener of the multi-agent particle environments",
            .seats = 2,
            .teams = {0, 0},
            .observation = {ObservationPart::vector("right", 4), ObservationPart::vector("word", 4),
                            ObservationPart::vector("place", kSize * kSize)},
            .action = {ActionPart::discrete("do", 4)},
            .hidden_information = true,
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    *this = SpeakerListener();
    right = Random(key).below(4);
  }
  SeatSet to_act() const { return SeatSet::one(word < 0 ? 0 : 1); }
  void observe(int seat, Observation out) const {
    if (seat == 0) {
      out[right] = 1;
      return;
    }
    if (word >= 0) out.part(1)[word] = 1;
    out.part(2)[walker.y * kSize + walker.x] = 1;
  }
  int corner() const {
    for (int i = 0; i < 4; ++i)
      if (walker == kCorners[i]) return i;
    return -1;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    ++steps;
    if (word < 0) {
      word = actions.choice(0);
      return;
    }
    if (const Cell to = walker.to(actions.choice(1)); to.inside(kSize, kSize)) walker = to;
    if (corner() >= 0)
      for (int seat : {0, 1}) rewards[seat] += corner() == right ? 1.0f : -1.0f;
  }
  Status status() const {
    return corner() >= 0 ? Status::finished : steps == kMost ? Status::truncated : Status::running;
  }

  static int script(const SpeakerListener& game, int seat, Random&) {
    return seat == 0 ? game.right : direction_to(game.walker, kCorners[game.word]);
  }
};

}  // namespace rival::learning
