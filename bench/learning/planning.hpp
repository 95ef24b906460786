// Small tasks of combinatorics, whose best answer dynamic programming knows.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "rival/game.hpp"

namespace rival::learning {

// Visit eight places, from the first one, and return: minus the length of the way.
struct Routing {
  static constexpr int kPlaces = 8;
  struct Place {
    float x = 0, y = 0;
  };
  std::array<Place, kPlaces> places = {};
  unsigned visited = 1;
  int now = 0;

  static Spec spec() {
    return {.name = "routing",
            .description = "Visit eight places by a short way",
            .observation = {ObservationPart::vector("self", 4), ObservationPart::entities("places", kPlaces, 3)},
            .action = {ActionPart::target("next", 1, kPlaces)},
            .max_steps = kPlaces};
  }
  void reset(const Settings&, Key key) {
    *this = Routing();
    Random random(key);
    for (Place& place : places) place = {random.uniform(-1, 1), random.uniform(-1, 1)};
  }
  const Place& at(int i) const { return places[i]; }
  float length(int a, int b) const { return std::hypot(at(a).x - at(b).x, at(a).y - at(b).y); }
  bool left(int i) const { return (visited >> i & 1) == 0; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    const float self[] = {at(now).x, at(now).y, at(0).x, at(0).y};
    std::copy(std::begin(self), std::end(self), out.part());
    for (int i = 0; i < kPlaces; ++i) {
      if (!left(i)) continue;
      const float row[] = {1, at(i).x, at(i).y};
      std::copy(std::begin(row), std::end(row), out.part(1) + i * 3);
    }
  }
  void legal(int, Mask mask) const {
    for (int i = 0; i < kPlaces; ++i)
      if (left(i)) mask.allow(i);
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    const int to = actions.choice(0);
    rewards[0] -= length(now, to);
    now = to;
    visited |= 1u << to;
    if (status() == Status::finished) rewards[0] -= length(now, 0);
  }
  Status status() const { return visited == (1u << kPlaces) - 1 ? Status::finished : Status::running; }

  // The way from `from` over all that is not in `done`, and back: its length, by trying all (Held and Karp without the
  // table).
  float rest(int from, unsigned done) const {
    float best = done == (1u << kPlaces) - 1 ? length(from, 0) : 1000;
    for (int i = 0; i < kPlaces; ++i)
      if ((done >> i & 1) == 0) best = std::min(best, length(from, i) + rest(i, done | 1u << i));
    return best;
  }
  static int script(const Routing& game, int, Random&) {
    return game.best([&game](int i) { return game.length(game.now, i) + game.rest(i, game.visited | 1u << i); });
  }
  static int nearest(const Routing& game, int, Random&) {
    return game.best([&game](int i) { return game.length(game.now, i); });
  }
  template <class Cost>
  int best(Cost cost) const {
    int best = -1;
    for (int i = 0; i < kPlaces; ++i)
      if (left(i) && (best < 0 || cost(i) < cost(best))) best = i;
    return best;
  }
};

// Pack things of different weights and values into a bag that holds 20: the value, of which all have a mean of 5.
struct Packing {
  static constexpr int kThings = 10, kBag = 20;
  std::array<int, kThings> weights = {}, values = {};
  std::array<bool, kThings> packed = {};
  int room = kBag;

  static Spec spec() {
    return {.name = "packing",
            .description = "Pack the most valuable things into a bag",
            .observation = {ObservationPart::vector("room", 1), ObservationPart::entities("things", kThings, 3)},
            .action = {ActionPart::target("pack", 1, kThings)},
            .max_steps = kThings};
  }
  void reset(const Settings&, Key key) {
    *this = Packing();
    Random random(key);
    for (std::size_t i = 0; i < kThings; ++i) weights[i] = 3 + random.below(8), values[i] = 1 + random.below(9);
  }
  bool fits(int i) const { return !packed[i] && weights[i] <= room; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out[0] = static_cast<float>(room) / kBag;
    for (int i = 0; i < kThings; ++i) {
      if (!fits(i)) continue;
      const float row[] = {1, static_cast<float>(weights[i]) / 10, static_cast<float>(values[i]) / 10};
      std::copy(std::begin(row), std::end(row), out.part(1) + i * 3);
    }
  }
  void legal(int, Mask mask) const {
    for (int i = 0; i < kThings; ++i)
      if (fits(i)) mask.allow(i);
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    const std::size_t thing = static_cast<std::size_t>(actions.choice(0));
    packed[thing] = true;
    room -= weights[thing];
    rewards[0] += static_cast<float>(values[thing]);
  }
  Status status() const {
    for (int i = 0; i < kThings; ++i)
      if (fits(i)) return Status::running;
    return Status::finished;
  }

  // The most that what fits and comes at or after `from` can add.
  int most(int from, int left) const {
    if (from == kThings) return 0;
    const std::size_t i = from;
    int value = most(from + 1, left);
    if (!packed[i] && weights[i] <= left) value = std::max(value, values[i] + most(from + 1, left - weights[i]));
    return value;
  }
  static int script(const Packing& game, int, Random&) {
    int best = -1, best_value = -1;
    for (int i = 0; i < kThings; ++i) {
      if (!game.fits(i)) continue;
      Packing next = game;
      const std::size_t thing = i;
      next.packed[thing] = true;
      const int value = game.values[thing] + next.most(0, game.room - game.weights[thing]);
      if (value > best_value) best = i, best_value = value;
    }
    return best;
  }
  // The usual rule: the most value for its weight.
  static int greedy(const Packing& game, int, Random&) {
    int best = -1;
    const auto density = [&game](int i) {
      return static_cast<float>(game.values[i]) / static_cast<float>(game.weights[i]);
    };
    for (int i = 0; i < kThings; ++i)
      if (game.fits(i) && (best < 0 || density(i) > density(best))) best = i;
    return best;
  }
};

}  // namespace rival::learning
