// A pendulum to be swung up and balanced by a motor too weak to lift it directly: Pendulum-v1 of Gymnasium
// (classic_control/pendulum.py). Semi-implicit Euler steps of 0.05 s; the reward of a step is
// -(theta^2 + 0.1 theta_dot^2 + 0.001 torque^2) with theta in [-pi, pi) from upright; truncated after 200 steps.
#pragma once

#include "base/sincos.hpp"
#include "rival/game.hpp"

namespace rival {

class Pendulum {
 public:
  struct State {
    float theta, theta_dot;  // rad from upright, rad/s
  };
  static constexpr int kMaxSteps = 200;
  static constexpr float kMaxSpeed = 8, kMaxTorque = 2;

  static Spec spec();
  void reset(const Settings& settings, Key key);
  SeatSet to_act() const { return SeatSet::one(0); }

  void observe(int, Observation out) const {
    out[0] = direction_.cos;
    out[1] = direction_.sin;
    out[2] = state_.theta_dot;
  }

  void step(const Actions& actions, Key, Rewards rewards);
  Status status() const { return steps_ >= kMaxSteps ? Status::truncated : Status::running; }
  std::string text() const;

  const State& state() const { return state_; }
  void set_state(const State& state);

 private:
  State state_ = {};  // theta in [-pi, pi]
  SinCos direction_ = {0, 1};
  int steps_ = 0;
  float fall_ = 0, lift_ = 0;  // from the settings: 3 g / 2 l and 3 / (m l^2)
};

}  // namespace rival
