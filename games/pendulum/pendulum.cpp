#include "games/pendulum/pendulum.hpp"

#include <algorithm>

#include "base/number.hpp"

namespace rival {
namespace {

constexpr float kPi = 3.14159265f;

}  // namespace

Spec Pendulum::spec() {
  return {.name = "pendulum",
          .description = "Swing a pendulum up and balance it with a weak motor",
          .source = "Gymnasium Pendulum-v1",
          .seats = 1,
          .observation = {ObservationPart::vector("state", 3)},  // cos theta, sin theta, theta_dot
          .action = {ActionPart::continuous("torque", 1, -kMaxTorque, kMaxTorque)},
          .parameters = {{"gravity", 10, 1, 20, "m/s^2"}, {"mass", 1, 0.2f, 5, "kg"}, {"length", 1, 0.5f, 2, "m"}},
          .max_steps = kMaxSteps};
}

void Pendulum::reset(const Settings& settings, Key key) {
  const float gravity = settings.parameters[0], mass = settings.parameters[1], length = settings.parameters[2];
  fall_ = 3 * gravity / (2 * length);
  lift_ = 3 / (mass * length * length);
  Random random(key);
  const float theta = random.uniform(-kPi, kPi);
  set_state({theta, random.uniform(-1, 1)});
  steps_ = 0;
}

void Pendulum::set_state(const State& state) {
  state_ = state;
  direction_ = sincos(state.theta);
}

void Pendulum::step(const Actions& actions, Key, Rewards rewards) {
  constexpr float kDt = 0.05f;
  const float torque = std::clamp(actions.value(0), -kMaxTorque, kMaxTorque);
  const auto [theta, theta_dot] = state_;
  rewards[0] -= theta * theta + 0.1f * theta_dot * theta_dot + 0.001f * torque * torque;
  const float speed = std::clamp(theta_dot + (fall_ * direction_.sin + lift_ * torque) * kDt, -kMaxSpeed, kMaxSpeed);
  float angle = theta + speed * kDt;
  if (angle >= kPi) angle -= 2 * kPi;
  if (angle < -kPi) angle += 2 * kPi;
  set_state({angle, speed});
  ++steps_;
}

std::string Pendulum::text() const {
  return "pendulum at " + with_sign(state_.theta * 57.2957795, 1) + " degrees from upright, " +
         with_sign(state_.theta_dot * 57.2957795, 1) + " degrees/s\n";
}

}  // namespace rival
