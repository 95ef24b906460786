// A pole hinged on a cart, kept upright by pushing the cart left or right: CartPole-v1 of Gymnasium
// (classic_control/cartpole.py), after Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve
// difficult learning control problems", 1983. Explicit Euler steps of 0.02 s; a reward of 1 a step; the match is
// finished when the pole leans beyond 12 degrees or the cart leaves +-2.4 m, and truncated after 500 steps.
#pragma once

#include "rival/game.hpp"

namespace rival {

class CartPole {
 public:
  struct State {
    float x, x_dot, theta, theta_dot;  // m, m/s, rad from upright, rad/s
  };
  static constexpr int kMaxSteps = 500;
  static constexpr float kThetaLimit = 0.20943951f;  // 12 degrees
  static constexpr float kXLimit = 2.4f;

  static Spec spec();
  void reset(const Settings& settings, Key key);
  SeatSet to_act() const { return SeatSet::one(0); }

  void observe(int, Observation out) const {
    out[0] = state_.x;
    out[1] = state_.x_dot;
    out[2] = state_.theta;
    out[3] = state_.theta_dot;
  }

  void step(const Actions& actions, Key, Rewards rewards);

  Status status() const {
    if (state_.x < -kXLimit || state_.x > kXLimit || state_.theta < -kThetaLimit || state_.theta > kThetaLimit)
      return Status::finished;
    return steps_ >= kMaxSteps ? Status::truncated : Status::running;
  }

  std::string text() const;
  std::string action_text(int, int choice) const { return choice ? "right" : "left"; }

  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  State state_ = {};
  int steps_ = 0;
  // From the settings: acceleration of gravity, push, half the pole's length, the pole's share of the total mass,
  // one over the total mass.
  float gravity_ = 0, force_ = 0, length_ = 0, pole_share_ = 0, per_mass_ = 0;
};

}  // namespace rival
