// States and returns after fixed actions, computed with Gymnasium 1.4.0 (unwrapped, its `state` set to the start).
#include "bench/learning/control.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "rival/by_hand.hpp"

namespace rival::learning {
namespace {

// Plays `moves(t)` for so many steps; what they gave.
template <Game G, class Moves>
float play(G& game, int from, int to, Moves moves) {
  float total = 0;
  for (int t = from; t < to; ++t) total += make_moves(game, {moves(t)})[0];
  return total;
}

TEST(LearningControl, MountainCarIsGymnasiums) {
  MountainCar game;
  game.hill.position = -0.5f;
  const auto moves = [](int t) { return Move(t / 19 % 2 ? 2 : 0); };
  play(game, 0, 1, moves);
  EXPECT_NEAR(game.hill.position, -0.501177, 1e-5);
  play(game, 1, 20, moves);
  EXPECT_NEAR(game.hill.position, -0.687296, 1e-5);
  EXPECT_NEAR(game.hill.velocity, -0.011553, 1e-5);
  EXPECT_FLOAT_EQ(play(game, 20, 60, moves), -40);
  EXPECT_NEAR(game.hill.position, -0.419385, 1e-5);
  play(game, 60, 200, moves);
  EXPECT_NEAR(game.hill.position, -0.325155, 1e-4);
  EXPECT_EQ(game.status(), Status::truncated);
}

TEST(LearningControl, MountainCarContinuousIsGymnasiums) {
  MountainCarContinuous game;
  game.hill.position = -0.5f;
  const auto moves = [](int t) { return Move({}, {static_cast<float>(t * 7 % 11) / 5 - 1}); };
  EXPECT_NEAR(play(game, 0, 20, moves), -0.84, 1e-4);
  EXPECT_NEAR(game.hill.position, -0.530834, 1e-5);
  EXPECT_NEAR(game.hill.velocity, -0.002144, 1e-5);
  EXPECT_NEAR(play(game, 20, 100, moves), -3.22, 1e-4);
  EXPECT_NEAR(game.hill.position, -0.542249, 1e-5);
  EXPECT_EQ(game.status(), Status::running);
  game.hill = {0.44f, 0.03f, 0};
  EXPECT_NEAR(make_moves(game, {Move({}, {0.5f})})[0], 99.975, 1e-4);
  EXPECT_NEAR(game.hill.position, 0.47013, 1e-5);
  EXPECT_EQ(game.status(), Status::finished);
}

TEST(LearningControl, AcrobotIsGymnasiums) {
  Acrobot game;
  game.state = {0.05f, -0.05f, 0.02f, 0.1f};
  const auto moves = [](int t) { return Move(t * 7 / 5 % 3); };
  const auto expect = [&game](const std::vector<double>& truth, double within) {
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(game.state[i], truth[i], within);
  };
  play(game, 0, 1, moves);
  expect({0.060232, -0.055105, 0.07997, -0.148348}, 1e-5);
  play(game, 1, 10, moves);
  expect({0.020868, 0.010267, 0.484672, -1.038086}, 1e-4);
  EXPECT_FLOAT_EQ(play(game, 10, 25, moves), -15);
  expect({0.198055, -0.074985, 0.375186, -0.792342}, 1e-3);
  game.state = {2.9f, 0.1f, 1, -0.5f};
  EXPECT_FLOAT_EQ(make_moves(game, {2})[0], 0);
  expect({3.06262, 0.059595, 0.66168, 0.063237}, 1e-5);
  EXPECT_EQ(game.status(), Status::finished);
}

}  // namespace
}  // namespace rival::learning
