#include "games/pendulum/pendulum.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "game/spec.hpp"
#include "rival/by_hand.hpp"

namespace rival {
namespace {

constexpr double kPi = 3.14159265358979323846;

// A rod of length l and mass m that hangs from its end: theta'' = 3 g sin(theta) / 2 l + 3 u / m l^2, in double.
struct Reference {
  double angle, speed;
  double g = 10, m = 1, l = 1;
  double step(double torque) {
    const double off = std::remainder(angle, 2 * kPi);
    const double reward = -(off * off + 0.1 * speed * speed + 0.001 * torque * torque);
    const double acceleration = 1.5 * g / l * std::sin(angle) + 3 * torque / (m * l * l);
    speed = std::fmin(8, std::fmax(-8, speed + 0.05 * acceleration));
    angle += 0.05 * speed;
    return reward;
  }
};

float step(Pendulum& game, float torque) {
  return make_moves(game, {Move({}, {torque})})[0];
}

Pendulum start(const Settings& settings = default_settings(Pendulum::spec()), Key key = Key(1)) {
  Pendulum game;
  game.reset(settings, key);
  return game;
}

TEST(Pendulum, EveryStepFollowsTheEquations) {
  Pendulum standard = start(), tuned = start({{4, 2, 0.75f}});
  Random random(Key(2));
  double largest = 0, largest_reward = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Pendulum::State s{random.uniform(-3.14f, 3.14f), random.uniform(-8, 8)};
    const float torque = random.uniform(-2, 2);
    for (Pendulum* game : {&standard, &tuned}) {
      Reference truth{s.theta, s.theta_dot};
      if (game == &tuned) truth = {s.theta, s.theta_dot, 4, 2, 0.75};
      const double reward = truth.step(torque);
      game->set_state(s);
      largest_reward = std::fmax(largest_reward, std::fabs(step(*game, torque) - reward));
      const std::vector<float> row = observed(*game, 0);
      for (double error : {row[0] - std::cos(truth.angle), row[1] - std::sin(truth.angle), row[2] - truth.speed,
                           std::remainder(game->state().theta - truth.angle, 2 * kPi)})
        largest = std::fmax(largest, std::fabs(error));
    }
  }
  EXPECT_LT(largest, 3e-6);
  EXPECT_LT(largest_reward, 3e-6);
}

// Observations, rewards and returns after some steps of a fixed sequence of torques, computed with Gymnasium 1.4.0
// (Pendulum-v1, unwrapped, its `state` set to the start). The last one balances near the top, where rounding grows
// fast, so it is followed for 60 steps only.
TEST(Pendulum, TrajectoriesMatchGymnasium) {
  struct Row {
    int t;
    float cos, sin, speed, reward, total;
  };
  struct Trajectory {
    Pendulum::State start;
    std::vector<Row> rows;
  };
  const Trajectory trajectories[] = {{{1, 0.5f},
                                      {{1, 0.485330522f, 0.874330759f, 1.28110325f, -1.026f, -1.026f},
                                       {20, 0.557472765f, -0.830195189f, 1.2602067f, -1.3722201f, -116.825474f},
                                       {60, -0.275169849f, -0.961395621f, 5.28181458f, -8.25079064f, -335.78191f},
                                       {200, 0.139154047f, -0.990270734f, 3.66802955f, -4.69393565f, -1065.20317f}}},
                                     {{-3, -7.5f},
                                      {{1, -0.973392248f, 0.229145125f, -7.45584011f, -14.626f, -14.626f},
                                       {20, 0.376426011f, 0.926446676f, 3.27268124f, -1.62505785f, -81.7222662f},
                                       {60, 0.379410267f, 0.925228536f, -4.0907464f, -4.04249241f, -311.496531f},
                                       {200, 0.676147342f, -0.736766458f, 2.38097143f, -1.88429712f, -932.275036f}}},
                                     {{0.05f, 0},
                                      {{1, 0.998237848f, 0.0593393408f, 0.187484384f, -0.00350000005f, -0.00350000005f},
                                       {20, -0.722436309f, 0.691437483f, 7.01796865f, -7.85698391f, -28.4384414f},
                                       {60, 0.884971797f, -0.465644568f, -1.73976254f, -0.310099948f, -127.637203f}}}};
  for (const Trajectory& trajectory : trajectories) {
    Pendulum game = start();
    game.set_state(trajectory.start);
    int t = 0;
    float reward = 0;
    double total = 0;
    for (const Row& row : trajectory.rows) {
      while (t < row.t) {
        EXPECT_EQ(game.status(), Status::running);
        ++t;
        reward = step(game, static_cast<float>((t * 7) % 11) / 2 - 2.5f);  // beyond the limits now and then
        total += reward;
      }
      const std::vector<float> observation = observed(game, 0);
      EXPECT_NEAR(observation[0], row.cos, 1e-4);
      EXPECT_NEAR(observation[1], row.sin, 1e-4);
      EXPECT_NEAR(observation[2], row.speed, 3e-4);
      EXPECT_NEAR(reward, row.reward, 5e-4);
      EXPECT_NEAR(total, row.total, 1e-2);
    }
    EXPECT_EQ(game.status(), t == 200 ? Status::truncated : Status::running);
  }
}

TEST(Pendulum, StartsAnywhere) {
  float lowest = 0, highest = 0, fastest = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Pendulum::State s = start(default_settings(Pendulum::spec()), Key(i)).state();
    lowest = std::fmin(lowest, s.theta);
    highest = std::fmax(highest, s.theta);
    fastest = std::fmax(fastest, std::fabs(s.theta_dot));
  }
  EXPECT_NEAR(lowest, -kPi, 0.01);
  EXPECT_NEAR(highest, kPi, 0.01);
  EXPECT_NEAR(fastest, 1, 0.01);
}

}  // namespace
}  // namespace rival
