// Tasks whose observation is a set of things by their positions and velocities.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "rival/game.hpp"

namespace rival::learning {

struct Body {
  float x = 0, y = 0, vx = 0, vy = 0;
  // A step of motion in the square from -1 to 1, whose walls throw it back.
  void fly() {
    for (auto [place, speed] : {std::pair{&x, &vx}, std::pair{&y, &vy}}) {
      *place += *speed;
      if (std::abs(*place) > 1) {
        *speed = -*speed;
        *place = std::clamp(*place, -1.0f, 1.0f);
      }
    }
  }
};

inline float distance(const Body& a, const Body& b) {
  return std::hypot(a.x - b.x, a.y - b.y);
}

// Stay clear of 24 things that fly about: 1 for each step survived, at most 600.
struct Dodging {
  static constexpr int kThings = 24, kMost = 600;
  static constexpr float kTouch = 0.16f, kPace = 0.025f;
  Body self;
  std::array<Body, kThings> things = {};
  int steps = 0;
  bool hit = false;

  static Spec spec() {
    return {.name = "dodging",
            .description = "Stay clear of 24 things that fly about",
            .observation = {ObservationPart::vector("self", 2), ObservationPart::entities("things", kThings, 5)},
            .action = {ActionPart::discrete("move", 9)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    *this = Dodging();
    Random random(key);
    self = {random.uniform(-0.5f, 0.5f), random.uniform(-0.5f, 0.5f)};
    for (Body& thing : things) {
      do
        thing = {random.uniform(-1, 1), random.uniform(-1, 1), random.uniform(-0.04f, 0.04f),
                 random.uniform(-0.04f, 0.04f)};
      while (distance(thing, self) < 0.4f);
    }
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out[0] = self.x;
    out[1] = self.y;
    for (int i = 0; i < kThings; ++i) {
      const Body& thing = things[static_cast<std::size_t>(i)];
      const float row[] = {1, thing.x, thing.y, thing.vx * 25, thing.vy * 25};
      std::copy(std::begin(row), std::end(row), out.part(1) + i * 5);
    }
  }
  void advance(int choice) {
    self.x = std::clamp(self.x + kPace * static_cast<float>(choice % 3 - 1), -1.0f, 1.0f);
    self.y = std::clamp(self.y + kPace * static_cast<float>(choice / 3 - 1), -1.0f, 1.0f);
    for (Body& thing : things) {
      thing.fly();
      hit = hit || distance(thing, self) < kTouch;
    }
    ++steps;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    advance(actions.choice(0));
    if (!hit) rewards[0] += 1;
  }
  Status status() const { return hit ? Status::finished : steps >= kMost ? Status::truncated : Status::running; }

  // Tries each direction, kept for six steps and then stood still for six: the longest that goes well, and of those the
  // one that comes least near to anything.
  static int script(const Dodging& game, int, Random&) {
    int best = 4;
    float best_worth = -1;
    for (int choice = 0; choice < 9; ++choice) {
      Dodging ahead = game;
      float nearest = 10;
      int survived = 0;
      for (; survived < 12 && !ahead.hit; ++survived) {
        ahead.advance(survived < 6 ? choice : 4);
        for (const Body& thing : ahead.things) nearest = std::min(nearest, distance(thing, ahead.self));
      }
      const float centre = std::hypot(ahead.self.x, ahead.self.y);
      const float worth = static_cast<float>(survived) + std::min(nearest, 0.4f) - 0.05f * centre;
      if (worth > best_worth) best = choice, best_worth = worth;
    }
    return best;
  }
};

}  // namespace rival::learning
