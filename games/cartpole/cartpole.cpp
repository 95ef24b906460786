#include "games/cartpole/cartpole.hpp"

#include "base/number.hpp"
#include "base/sincos.hpp"

namespace rival {

Spec CartPole::spec() {
  return {.name = "cartpole",
          .description = "Keep a pole on a cart upright by pushing the cart left or right",
          .source = "Gymnasium CartPole-v1",
          .seats = 1,
          .observation = {ObservationPart::vector("state", 4)},  // x, x_dot, theta, theta_dot
          .action = {ActionPart::discrete("push", 2)},
          .parameters = {{"gravity", 9.8f, 1, 30, "m/s^2"},
                         {"cart_mass", 1, 0.1f, 10, "kg"},
                         {"pole_mass", 0.1f, 0.01f, 1, "kg"},
                         {"half_length", 0.5f, 0.1f, 2, "half the length of the pole, m"},
                         {"force", 10, 1, 30, "of a push, N"}},
          .max_steps = kMaxSteps};
}

void CartPole::reset(const Settings& settings, Key key) {
  const float *p = settings.parameters.data(), mass = p[1] + p[2];
  gravity_ = p[0];
  force_ = p[4];
  length_ = p[3];
  pole_share_ = p[2] / mass;
  per_mass_ = 1 / mass;
  Random random(key);
  for (float* x : {&state_.x, &state_.x_dot, &state_.theta, &state_.theta_dot}) *x = random.uniform(-0.05f, 0.05f);
  steps_ = 0;
}

void CartPole::step(const Actions& actions, Key, Rewards rewards) {
  constexpr float kTau = 0.02f;
  const auto [sin, cos] = sincos(state_.theta);
  const float force = actions.choice(0) == 1 ? force_ : -force_;
  const float push = force * per_mass_ + pole_share_ * length_ * state_.theta_dot * state_.theta_dot * sin;
  const float theta_acc = (gravity_ * sin - cos * push) / (length_ * (4.f / 3.f - pole_share_ * cos * cos));
  const float x_acc = push - pole_share_ * length_ * theta_acc * cos;
  state_.x += kTau * state_.x_dot;
  state_.x_dot += kTau * x_acc;
  state_.theta += kTau * state_.theta_dot;
  state_.theta_dot += kTau * theta_acc;
  ++steps_;
  rewards[0] += 1;
}

std::string CartPole::text() const {
  return "cart at " + with_sign(state_.x, 3) + " m, " + with_sign(state_.x_dot, 3) + " m/s; pole at " +
         with_sign(state_.theta * 57.2957795, 2) + " degrees, " + with_sign(state_.theta_dot * 57.2957795, 2) +
         " degrees/s\n";
}

}  // namespace rival
