// Tasks of control: dynamics and rewards of Gymnasium's classic control, by its equations.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/sincos.hpp"
#include "rival/by_hand.hpp"
#include "rival/game.hpp"

namespace rival::learning {

inline float sine(float x) {
  return sincos(x).sin;
}
inline float cosine(float x) {
  return sincos(x).cos;
}

// A car too weak for the hill swings itself up (A. Moore, 1990; Gymnasium's MountainCar-v0 and
// MountainCarContinuous-v0).
struct Hill {
  float position = 0, velocity = 0;
  int steps = 0;

  void start(Key key) {
    *this = Hill();
    position = Random(key).uniform(-0.6f, -0.4f);
  }
  void push(float force, float gravity) {
    velocity = std::clamp(velocity + force - gravity * cosine(3 * position), -0.07f, 0.07f);
    position = std::clamp(position + velocity, -1.2f, 0.6f);
    if (position <= -1.2f && velocity < 0) velocity = 0;
    ++steps;
  }
  void observe(Observation out) const {
    out[0] = position;
    out[1] = velocity;
  }
};

struct MountainCar {
  static constexpr int kMost = 200;
  Hill hill;

  static Spec spec() {
    return {.name = "mountain_car",
            .description = "Swing a weak car up a hill, -1 a step",
            .source = "Gymnasium MountainCar-v0",
            .observation = {ObservationPart::vector("state", 2)},
            .action = {ActionPart::discrete("push", 3)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) { hill.start(key); }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const { hill.observe(out); }
  void step(const Actions& actions, Key, Rewards rewards) {
    hill.push(0.001f * static_cast<float>(actions.choice(0) - 1), 0.0025f);
    rewards[0] -= 1;
  }
  Status status() const {
    return hill.position >= 0.5f && hill.velocity >= 0 ? Status::finished
           : hill.steps >= kMost                       ? Status::truncated
                                                       : Status::running;
  }

  // The rule of Zhiqing Xiao ("Reinforcement learning: theory and Python implementation", 2019), which means -105.
  static int script(const MountainCar& game, int, Random&) {
    const float x = game.hill.position, v = game.hill.velocity;
    const float low = std::min(-0.09f * (x + 0.25f) * (x + 0.25f) + 0.03f, 0.3f * std::pow(x + 0.9f, 4.0f) - 0.008f);
    const float high = -0.07f * (x + 0.38f) * (x + 0.38f) + 0.07f;
    return low < v && v < high ? 2 : 0;
  }
};

struct MountainCarContinuous {
  static constexpr int kMost = 999;
  Hill hill;

  static Spec spec() {
    return {.name = "mountain_car_continuous",
            .description = "Swing a weak car up a hill, by little force",
            .source = "Gymnasium MountainCarContinuous-v0",
            .observation = {ObservationPart::vector("state", 2)},
            .action = {ActionPart::continuous("force", 1, -1, 1)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) { hill.start(key); }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const { hill.observe(out); }
  bool there() const { return hill.position >= 0.45f && hill.velocity >= 0; }
  void step(const Actions& actions, Key, Rewards rewards) {
    const float force = std::clamp(actions.value(0), -1.0f, 1.0f);
    hill.push(0.0015f * force, 0.0025f);
    rewards[0] += (there() ? 100.0f : 0.0f) - 0.1f * force * force;
  }
  Status status() const {
    return there() ? Status::finished : hill.steps >= kMost ? Status::truncated : Status::running;
  }
};

// Two rods hang from each other, with a motor at the joint between them; bring the end above a line, -1 a step
// (R. Sutton, 1996; Gymnasium's Acrobot-v1, with its "book" equations and one Runge-Kutta step of 0.2 s).
struct Acrobot {
  static constexpr int kMost = 500;
  static constexpr float kPi = 3.14159265f;
  std::array<float, 4> state = {};  // both angles from hanging, and their speeds
  int steps = 0;

  static Spec spec() {
    return {.name = "acrobot",
            .description = "Swing two rods up by the joint between them, -1 a step",
            .source = "Gymnasium Acrobot-v1",
            .observation = {ObservationPart::vector("state", 6)},
            .action = {ActionPart::discrete("torque", 3)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    Random random(key);
    for (float& s : state) s = random.uniform(-0.1f, 0.1f);
    steps = 0;
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    for (int i = 0; i < 2; ++i) {
      out[2 * i] = cosine(state[i]);
      out[2 * i + 1] = sine(state[i]);
    }
    out[4] = state[2];
    out[5] = state[3];
  }
  static std::array<float, 4> slope(const std::array<float, 4>& s, float torque) {
    constexpr float kM = 1, kL = 1, kC = 0.5f, kI = 1, kG = 9.8f;
    const float c2 = cosine(s[1]), s2 = sine(s[1]);
    const float d1 = kM * kC * kC + kM * (kL * kL + kC * kC + 2 * kL * kC * c2) + 2 * kI;
    const float d2 = kM * (kC * kC + kL * kC * c2) + kI;
    const float phi2 = kM * kC * kG * cosine(s[0] + s[1] - kPi / 2);
    const float phi1 = -kM * kL * kC * s[3] * s[3] * s2 - 2 * kM * kL * kC * s[3] * s[2] * s2 +
                       (kM * kC + kM * kL) * kG * cosine(s[0] - kPi / 2) + phi2;
    const float a2 =
        (torque + d2 / d1 * phi1 - kM * kL * kC * s[2] * s[2] * s2 - phi2) / (kM * kC * kC + kI - d2 * d2 / d1);
    return {s[2], s[3], -(d2 * a2 + phi1) / d1, a2};
  }
  static float wrapped(float angle) {
    while (angle > kPi) angle -= 2 * kPi;
    while (angle < -kPi) angle += 2 * kPi;
    return angle;
  }
  bool up() const { return -cosine(state[0]) - cosine(state[0] + state[1]) > 1; }
  void step(const Actions& actions, Key, Rewards rewards) {
    constexpr float kDt = 0.2f;
    const float torque = static_cast<float>(actions.choice(0) - 1);
    const auto ahead = [this](const std::array<float, 4>& k, float dt) {
      std::array<float, 4> s = state;
      for (std::size_t i = 0; i < 4; ++i) s[i] += dt * k[i];
      return s;
    };
    const auto k1 = slope(state, torque), k2 = slope(ahead(k1, kDt / 2), torque);
    const auto k3 = slope(ahead(k2, kDt / 2), torque), k4 = slope(ahead(k3, kDt), torque);
    for (std::size_t i = 0; i < 4; ++i) state[i] += kDt / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
    state[0] = wrapped(state[0]);
    state[1] = wrapped(state[1]);
    state[2] = std::clamp(state[2], -4 * kPi, 4 * kPi);
    state[3] = std::clamp(state[3], -9 * kPi, 9 * kPi);
    ++steps;
    if (!up()) rewards[0] -= 1;
  }
  Status status() const { return up() ? Status::finished : steps >= kMost ? Status::truncated : Status::running; }
};

// A pendulum to be brought upright and slow by a motor that cannot lift it, -1 a step.
struct SwingUp {
  static constexpr int kMost = 200;
  static constexpr float kPi = 3.14159265f;
  float angle = 0, speed = 0;  // from upright
  int steps = 0;

  static Spec spec() {
    return {.name = "swing_up",
            .description = "Bring a pendulum upright and slow, -1 a step",
            .source = "after Gymnasium Pendulum-v1",
            .observation = {ObservationPart::vector("state", 3)},
            .action = {ActionPart::discrete("torque", 3)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    Random random(key);
    angle = kPi + random.uniform(-0.5f, 0.5f);
    speed = random.uniform(-0.5f, 0.5f);
    steps = 0;
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out[0] = cosine(angle);
    out[1] = sine(angle);
    out[2] = speed / 4;
  }
  bool up() const { return cosine(angle) > 0.98f && std::abs(speed) < 1; }
  void step(const Actions& actions, Key, Rewards rewards) {
    const float torque = 2 * static_cast<float>(actions.choice(0) - 1);
    speed = std::clamp(speed + 0.05f * (15 * sine(angle) + 3 * torque), -8.0f, 8.0f);
    angle += 0.05f * speed;
    if (angle > kPi) angle -= 2 * kPi;
    if (angle < -kPi) angle += 2 * kPi;
    rewards[0] -= 1;
    ++steps;
  }
  Status status() const { return up() ? Status::finished : steps >= kMost ? Status::truncated : Status::running; }

  // With the swing until the energy is enough to come up, then against it.
  static int script(const SwingUp& game, int, Random&) {
    const float energy = game.speed * game.speed / 2 + 15 * (cosine(game.angle) - 1);
    return (energy < 0) == (game.speed >= 0) ? 2 : 0;
  }
};

// A cart with a pole that hangs: swing it up and keep it there, by a force on the cart. A step gives (1 + cos) / 2,
// less for a cart that is far off; 250 steps. (The equations of Barto, Sutton and Anderson, 1983.)
struct CartSwingUp {
  static constexpr int kMost = 250;
  static constexpr float kPi = 3.14159265f;
  float x = 0, v = 0, angle = 0, speed = 0;  // the pole's angle from upright
  int steps = 0;

  static Spec spec() {
    return {.name = "cart_swing_up",
            .description = "Swing a pole up on a cart, and keep it there",
            .observation = {ObservationPart::vector("state", 5)},
            .action = {ActionPart::continuous("force", 1, -1, 1)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    Random random(key);
    x = random.uniform(-0.2f, 0.2f);
    v = 0;
    angle = kPi + random.uniform(-0.2f, 0.2f);
    speed = random.uniform(-0.2f, 0.2f);
    steps = 0;
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    const float row[] = {x, v, cosine(angle), sine(angle), speed / 4};
    std::copy(std::begin(row), std::end(row), out.part());
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    constexpr float kDt = 0.02f, kPole = 0.1f, kMass = 1.1f, kHalf = 0.5f;
    const float force = 10 * std::clamp(actions.value(0), -1.0f, 1.0f), c = cosine(angle), s = sine(angle);
    // Two steps of the equations for each decision.
    for (int i = 0; i < 2; ++i) {
      const float push = (force + kPole * kHalf * speed * speed * s) / kMass;
      const float turn = (9.8f * s - c * push) / (kHalf * (4.0f / 3 - kPole * c * c / kMass));
      const float acceleration = push - kPole * kHalf * turn * c / kMass;
      x += kDt * v;
      v += kDt * acceleration;
      angle += kDt * speed;
      speed = std::clamp(speed + kDt * turn, -15.0f, 15.0f);
    }
    if (angle > kPi) angle -= 2 * kPi;
    if (angle < -kPi) angle += 2 * kPi;
    if (std::abs(x) > 3) x = std::clamp(x, -3.0f, 3.0f), v = 0;
    rewards[0] += (1 + cosine(angle)) / 2 * (1 - x * x / 9);
    ++steps;
  }
  Status status() const { return steps >= kMost ? Status::truncated : Status::running; }

  // Pumps energy, then holds by a linear rule.
  static Move script(const CartSwingUp& game, int, Random&) {
    const float c = cosine(game.angle);
    float force;
    if (c > 0.8f) {
      force = 4 * game.angle + 0.8f * game.speed + 0.1f * game.x + 0.25f * game.v;
    } else {
      const float energy = game.speed * game.speed / 3 + 9.8f * (c - 1);
      force = (energy < 0 ? 1.0f : -0.3f) * (game.speed * c > 0 ? -1.0f : 1.0f) - 0.4f * game.x - 0.1f * game.v;
    }
    return Move({}, {std::clamp(force, -1.0f, 1.0f)});
  }
};

// Land softly from a height by an engine that burns fuel: 1 for a touch-down slower than 0.5, otherwise -1 or less the
// faster it is; 0.01 for each unit of thrust.
struct Landing {
  static constexpr int kMost = 200;
  float height = 0, speed = 0;  // up
  int steps = 0;

  static Spec spec() {
    return {.name = "landing",
            .description = "Land softly with little fuel",
            .observation = {ObservationPart::vector("state", 2)},
            .action = {ActionPart::continuous("thrust", 1, 0, 1)},
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    Random random(key);
    height = random.uniform(5, 10);
    speed = random.uniform(-2, 1);
    steps = 0;
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out[0] = height / 10;
    out[1] = speed / 5;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    const float thrust = std::clamp(actions.value(0), 0.0f, 1.0f);
    speed += 0.1f * (4 * thrust - 2);
    height += 0.1f * speed;
    ++steps;
    rewards[0] -= 0.01f * thrust;
    if (height <= 0) rewards[0] += speed > -0.5f ? 1 : std::max(-3.0f, -1 - 0.2f * (-0.5f - speed));
  }
  Status status() const {
    return height <= 0 ? Status::finished : steps >= kMost ? Status::truncated : Status::running;
  }

  // Falls, and brakes as late as it can.
  static Move script(const Landing& game, int, Random&) {
    const float allowed = std::sqrt(2 * 1.2f * std::max(0.0f, game.height - 0.3f)) + 0.2f;
    return Move({}, {std::clamp(0.5f + 3 * (-game.speed - allowed), 0.0f, 1.0f)});
  }
};

}  // namespace rival::learning
