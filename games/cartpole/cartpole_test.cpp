#include "games/cartpole/cartpole.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "game/spec.hpp"
#include "rival/by_hand.hpp"

namespace rival {
namespace {

struct Constants {
  double gravity = 9.8, cart = 1, pole = 0.1, half_length = 0.5, force = 10;
};

// The published equations (Barto, Sutton and Anderson 1983, without friction) in double precision: the pole's and
// the cart's accelerations from the forces between them, then an explicit Euler step.
struct Reference {
  double x, v, a, w;
  void step(bool right, const Constants& k = {}) {
    const double mass = k.cart + k.pole, f = right ? k.force : -k.force, h = 0.02;
    const double inner = (-f - k.pole * k.half_length * w * w * std::sin(a)) / mass;
    const double angular = (k.gravity * std::sin(a) + std::cos(a) * inner) /
                           (k.half_length * (4.0 / 3.0 - k.pole * std::cos(a) * std::cos(a) / mass));
    const double linear = (f + k.pole * k.half_length * (w * w * std::sin(a) - angular * std::cos(a))) / mass;
    x += h * v;
    v += h * linear;
    a += h * w;
    w += h * angular;
  }
};

CartPole start(const Settings& settings = default_settings(CartPole::spec()), Key key = Key(1)) {
  CartPole game;
  game.reset(settings, key);
  return game;
}

TEST(CartPole, EveryStepFollowsThePublishedEquations) {
  const Constants other{5, 2, 0.5, 1.25, 20};
  CartPole standard = start(), tuned = start({{5, 2, 0.5f, 1.25f, 20}});
  Random random(Key(2));
  double largest = 0;
  for (int i = 0; i < 20'000; ++i) {
    const CartPole::State s{random.uniform(-2.4f, 2.4f), random.uniform(-3, 3), random.uniform(-0.3f, 0.3f),
                            random.uniform(-3, 3)};
    const std::int32_t push = random.below(2);
    for (CartPole* game : {&standard, &tuned}) {
      Reference truth{s.x, s.x_dot, s.theta, s.theta_dot};
      truth.step(push == 1, game == &tuned ? other : Constants());
      game->set_state(s);
      make_moves(*game, {push});
      const CartPole::State& t = game->state();
      for (double error : {t.x - truth.x, t.x_dot - truth.v, t.theta - truth.a, t.theta_dot - truth.w})
        largest = std::fmax(largest, std::fabs(error));
    }
  }
  EXPECT_LT(largest, 2e-6);
}

// States after some steps of a fixed sequence of pushes, computed with Gymnasium 1.4.0 (CartPole-v1, unwrapped, its
// `state` set to the start).
TEST(CartPole, TrajectoriesMatchGymnasium) {
  const auto push = [](int t) { return ((t * t + t / 3) % 5 < 3 && t % 2) || t % 7 == 0 ? 1 : 0; };
  struct Row {
    int t;
    CartPole::State state;
    bool over = false;
  };
  struct Trajectory {
    CartPole::State start;
    std::vector<Row> rows;
  };
  const Trajectory trajectories[] = {{{0.01f, -0.02f, 0.03f, 0.04f},
                                      {{1, {0.0096f, 0.174679196f, 0.0308f, -0.243068718f}},
                                       {5, {0.0157211006f, 0.173163437f, 0.0241354695f, -0.209568293f}},
                                       {12, {-0.00309039833f, -0.804817784f, 0.0620228177f, 1.30784082f}},
                                       {18, {-0.103934133f, -1.20347636f, 0.234047891f, 2.12561802f}, true}}},
                                     {{-0.04f, 0.05f, -0.02f, -0.03f},
                                      {{1, {-0.039f, 0.245402968f, -0.0206f, -0.328925441f}},
                                       {5, {-0.027131332f, 0.246973717f, -0.0361181253f, -0.363720312f}},
                                       {12, {-0.0352090007f, -0.723830131f, -0.0286172819f, 0.99464788f}},
                                       {20, {-0.16672117f, -1.11835993f, 0.156174545f, 1.69032957f}},
                                       {22, {-0.207595361f, -1.12222996f, 0.218982467f, 1.79559266f}, true}}},
                                     {{2.0f, 1.5f, -0.1f, 0.6f},
                                      {{1, {2.03f, 1.69636829f, -0.088f, 0.277568081f}},
                                       {5, {2.1580502f, 1.70075544f, -0.0572876752f, 0.179961506f}},
                                       {12, {2.35351901f, 0.728740108f, 0.0259155464f, 1.56392087f}},
                                       {16, {2.41174857f, 0.725181375f, 0.152856899f, 1.65777963f}, true}}}};
  for (const Trajectory& trajectory : trajectories) {
    CartPole game = start();
    game.set_state(trajectory.start);
    int t = 0;
    for (const Row& row : trajectory.rows) {
      while (t < row.t) {
        EXPECT_EQ(game.status(), Status::running);
        EXPECT_EQ(make_moves(game, {push(++t)})[0], 1);
      }
      EXPECT_NEAR(game.state().x, row.state.x, 2e-6);
      EXPECT_NEAR(game.state().x_dot, row.state.x_dot, 2e-6);
      EXPECT_NEAR(game.state().theta, row.state.theta, 2e-6);
      EXPECT_NEAR(game.state().theta_dot, row.state.theta_dot, 1e-5);
      EXPECT_EQ(game.status(), row.over ? Status::finished : Status::running);
    }
  }
}

TEST(CartPole, FallingIsAnEndAndTheTimeLimitIsNot) {
  CartPole game = start();
  for (const CartPole::State& fallen :
       {CartPole::State{2.41f, 0, 0, 0}, {-2.41f, 0, 0, 0}, {0, 0, 0.21f, 0}, {0, 0, -0.21f, 0}}) {
    game.set_state(fallen);
    EXPECT_EQ(game.status(), Status::finished);
  }
  game.set_state({2.39f, 0, 0.209f, 0});
  EXPECT_EQ(game.status(), Status::running);

  game = start();
  int steps = 0;
  for (; game.status() == Status::running; ++steps) {
    const CartPole::State& s = game.state();
    make_moves(game, {s.theta + 0.3f * s.theta_dot + 0.1f * s.x + 0.15f * s.x_dot > 0});
  }
  EXPECT_EQ(steps, 500);
  EXPECT_EQ(game.status(), Status::truncated);
}

TEST(CartPole, StartsNearUpright) {
  float low = 1, high = -1;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const CartPole::State s = start(default_settings(CartPole::spec()), Key(i)).state();
    for (float x : {s.x, s.x_dot, s.theta, s.theta_dot}) {
      low = std::fmin(low, x);
      high = std::fmax(high, x);
    }
  }
  EXPECT_GE(low, -0.05f);
  EXPECT_LT(low, -0.0499f);
  EXPECT_LE(high, 0.05f);
  EXPECT_GT(high, 0.0499f);
}

}  // namespace
}  // namespace rival
