// Tasks whose observation is a set of things by their positions and velocities.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

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
      const Body& thing = things[i];
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

// The same as a game would draw it: in pixels of a picture of 800 x 800.
struct DodgingInPixels : Dodging {
  static Spec spec() {
    Spec spec = Dodging::spec();
    spec.name = "dodging_in_pixels";
    return spec;
  }
  void observe(int seat, Observation out) const {
    Dodging::observe(seat, out);
    const auto to_pixels = [](float* place) {
      for (int axis : {0, 1}) place[axis] = 400 + 400 * place[axis];
    };
    to_pixels(out.part(0));
    for (int i = 0; i < kThings; ++i) {
      float* thing = out.part(1) + i * 5;
      to_pixels(thing + 1);
      for (int axis : {3, 4}) thing[axis] *= 16;
    }
  }
};

// Monsters come from all sides at different paces; one shot a step hits the one that is pointed at, and three kill it.
// -1 for each that reaches the base, within 100 steps.
struct Gallery {
  static constexpr int kMonsters = 8, kMost = 100;
  struct Monster {
    float distance = 1, pace = 0;
    int health = 0;  // 0: there is none
    int wait = 0;    // then: steps until the next one comes
  };
  std::array<Monster, kMonsters> monsters = {};
  int steps = 0;

  static Spec spec() {
    return {.name = "gallery",
            .description = "Shoot monsters before they reach the base",
            .observation = {ObservationPart::entities("monsters", kMonsters, 4)},
            .action = {ActionPart::target("shoot", 0, kMonsters)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    *this = Gallery();
    Random random(key);
    for (Monster& monster : monsters) come(monster, random);
  }
  static void come(Monster& monster, Random& random) {
    monster = {random.uniform(0.7f, 1), random.uniform(0.02f, 0.1f), 1 + random.below(3), 0};
  }
  bool any() const {
    return std::any_of(monsters.begin(), monsters.end(), [](const Monster& m) { return m.health > 0; });
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    for (int i = 0; i < kMonsters; ++i) {
      const Monster& m = monsters[i];
      if (m.health == 0) continue;
      const float row[] = {1, m.distance, 10 * m.pace, static_cast<float>(m.health) / 3};
      std::copy(std::begin(row), std::end(row), out.part() + i * 4);
    }
  }
  void legal(int, Mask mask) const {
    for (int i = 0; i < kMonsters; ++i)
      if (monsters[i].health > 0 || !any()) mask.allow(i);
  }
  void step(const Actions& actions, Key key, Rewards rewards) {
    Random random(key);
    Monster& hit = monsters[actions.choice(0)];
    if (hit.health > 0 && --hit.health == 0) hit.wait = 2 + random.below(8);
    for (Monster& monster : monsters) {
      if (monster.health == 0) {
        if (--monster.wait <= 0) come(monster, random);
        continue;
      }
      monster.distance -= monster.pace;
      if (monster.distance > 0) continue;
      rewards[0] -= 1;
      monster.health = 0;
      monster.wait = 2 + random.below(8);
    }
    ++steps;
  }
  Status status() const { return steps == kMost ? Status::finished : Status::running; }

  // The one that comes first of those that can still be killed in time.
  static int script(const Gallery& game, int, Random&) {
    int best = -1, any = 0;
    float soonest = 1000;
    for (int i = 0; i < kMonsters; ++i) {
      const Monster& m = game.monsters[i];
      if (m.health == 0) continue;
      any = i;
      const float time = m.distance / m.pace;
      if (time > static_cast<float>(m.health) - 1 && time < soonest) best = i, soonest = time;
    }
    return best >= 0 ? best : any;
  }
};

// Collect fruit (+1) among bombs (-1) that drift about; what is touched comes back elsewhere. 150 steps.
struct Collecting {
  static constexpr int kThings = 16, kMost = 150;
  static constexpr float kTouch = 0.12f, kPace = 0.06f;
  Body self;
  std::array<Body, kThings> things = {};  // every other one is a bomb
  int steps = 0;

  static Spec spec() {
    return {.name = "collecting",
            .description = "Collect fruit, and keep off bombs",
            .observation = {ObservationPart::vector("self", 2), ObservationPart::entities("things", kThings, 7)},
            .action = {ActionPart::discrete("move", 9)},
            .max_steps = kMost};
  }
  void come(Body& thing, Random& random) const {
    do
      thing = {random.uniform(-1, 1), random.uniform(-1, 1), random.uniform(-0.02f, 0.02f),
               random.uniform(-0.02f, 0.02f)};
    while (distance(thing, self) < 0.4f);
  }
  void reset(const Settings&, Key key) {
    *this = Collecting();
    Random random(key);
    for (Body& thing : things) come(thing, random);
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out[0] = self.x;
    out[1] = self.y;
    for (int i = 0; i < kThings; ++i) {
      const Body& t = things[i];
      const float bomb = static_cast<float>(i % 2);
      const float row[] = {1, t.x, t.y, t.vx * 50, t.vy * 50, bomb, 1 - bomb};
      std::copy(std::begin(row), std::end(row), out.part(1) + i * 7);
    }
  }
  static Body moved(Body body, int choice) {
    body.x = std::clamp(body.x + kPace * static_cast<float>(choice % 3 - 1), -1.0f, 1.0f);
    body.y = std::clamp(body.y + kPace * static_cast<float>(choice / 3 - 1), -1.0f, 1.0f);
    return body;
  }
  void step(const Actions& actions, Key key, Rewards rewards) {
    Random random(key);
    self = moved(self, actions.choice(0));
    for (int i = 0; i < kThings; ++i) {
      Body& thing = things[i];
      thing.fly();
      if (distance(thing, self) >= kTouch) continue;
      rewards[0] += i % 2 == 0 ? 1.0f : -1.0f;
      come(thing, random);
    }
    ++steps;
  }
  Status status() const { return steps == kMost ? Status::finished : Status::running; }

  // To the nearest fruit, but not where a bomb is about to be.
  static int script(const Collecting& game, int, Random&) {
    int best = 4;
    float best_worth = -1000;
    for (int choice = 0; choice < 9; ++choice) {
      const Body to = moved(game.self, choice);
      float fruit = 10, bombs = 0;
      for (int i = 0; i < kThings; ++i) {
        Body thing = game.things[i];
        thing.fly();
        if (i % 2 == 0)
          fruit = std::min(fruit, distance(thing, to));
        else
          bombs += distance(thing, to) < kTouch ? 1.0f : distance(thing, to) < kTouch + 0.05f ? 0.03f : 0.0f;
      }
      const float worth = -fruit - bombs;
      if (worth > best_worth) best = choice, best_worth = worth;
    }
    return best;
  }
};

}  // namespace rival::learning
