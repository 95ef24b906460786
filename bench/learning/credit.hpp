// Tasks that are easy but for their rewards: tiny, huge, noisy, late.
#pragma once

#include <algorithm>
#include <string>

#include "rival/game.hpp"

namespace rival::learning {

enum class Pay { thousandth, thousandfold, noisy, late };

// Catch a ball that falls down ten rows (bsuite): 1 if it is caught, otherwise -1; times 1/1000 or 1000; with noise
// of +-3 on each step; or paid for twenty balls together, as their mean, when the last one has fallen.
template <Pay P>
struct Catch {
  static constexpr int kRows = 10, kColumns = 5, kBalls = P == Pay::late ? 20 : 1;
  int row = 0, ball = 0, paddle = kColumns / 2, balls = 0, caught = 0;

  static Spec spec() {
    constexpr const char* kNames[] = {"catch_thousandth", "catch_thousandfold", "catch_noisy", "catch_late"};
    return {.name = kNames[static_cast<int>(P)],
            .description = "Catch falling balls, whose reward is tiny, huge, noisy or late",
            .source = "after bsuite",
            .observation = {ObservationPart::vector("board", kRows * kColumns), ObservationPart::vector("done", 2)},
            .action = {ActionPart::discrete("move", 3)},
            .max_steps = (kRows - 1) * kBalls};
  }
  void reset(const Settings&, Key key) {
    *this = Catch();
    ball = Random(key).below(kColumns);
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out[row * kColumns + ball] = 1;
    out[(kRows - 1) * kColumns + paddle] = 1;
    out.part(1)[0] = static_cast<float>(balls) / kBalls;
    out.part(1)[1] = static_cast<float>(caught) / kBalls;
  }
  void step(const Actions& actions, Key key, Rewards rewards) {
    Random random(key);
    paddle = std::clamp(paddle + actions.choice(0) - 1, 0, kColumns - 1);
    if (P == Pay::noisy) rewards[0] += random.uniform(-3, 3);
    if (++row < kRows - 1) return;
    caught += ball == paddle ? 1 : -1;
    ++balls;
    row = 0;
    ball = random.below(kColumns);
    constexpr float kScale = P == Pay::thousandth ? 1e-3f : P == Pay::thousandfold ? 1e3f : 1.0f / kBalls;
    if (balls == kBalls) rewards[0] += kScale * static_cast<float>(caught);
  }
  Status status() const { return balls == kBalls ? Status::finished : Status::running; }

  static int script(const Catch& game, int, Random&) {
    return game.ball < game.paddle ? 0 : game.ball > game.paddle ? 2 : 1;
  }
};

// Umbrella length (bsuite): take the umbrella or leave it, as the forecast says; then twenty steps of rewards +-1 by
// chance, whatever one does; then +1 if the first choice was right, otherwise -1.
struct Umbrella {
  static constexpr int kLength = 20;
  bool rain = false, taken = false;
  int steps = 0;

  static Spec spec() {
    return {.name = "umbrella_20",
            .description = "The first of many choices counts, and much noise follows",
            .source = "bsuite",
            .observation = {ObservationPart::vector("sight", 3)},
            .action = {ActionPart::discrete("choice", 2)},
            .max_steps = kLength + 1};
  }
  void reset(const Settings&, Key key) { *this = {Random(key).below(2) == 1, false, 0}; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out[0] = rain;
    out[1] = taken;
    out[2] = 1 - static_cast<float>(steps) / (kLength + 1);
  }
  void step(const Actions& actions, Key key, Rewards rewards) {
    if (steps == 0) taken = actions.choice(0) == 1;
    rewards[0] += steps == kLength ? (taken == rain ? 1.0f : -1.0f) : Random(key).below(2) == 1 ? 1.0f : -1.0f;
    ++steps;
  }
  Status status() const { return steps == kLength + 1 ? Status::finished : Status::running; }

  static int script(const Umbrella& game, int, Random&) { return game.rain; }
};

// Discounting chain (bsuite): the first choice picks one of five chains, which pay 1 after 1, 3, 10, 30 steps and 1.1
// after 100.
struct DiscountingChain {
  static constexpr int kDelays[] = {1, 3, 10, 30, 100};
  int chain = -1, steps = 0;

  static Spec spec() {
    return {.name = "discounting_chain",
            .description = "The latest reward is the largest",
            .source = "bsuite",
            .observation = {ObservationPart::vector("chain", 5), ObservationPart::vector("time", 1)},
            .action = {ActionPart::discrete("chain", 5)},
            .max_steps = 101};
  }
  void reset(const Settings&, Key) { *this = DiscountingChain(); }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    if (chain >= 0) out[chain] = 1;
    out.part(1)[0] = static_cast<float>(steps) / 100;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    if (steps == 0) chain = actions.choice(0);
    if (steps == kDelays[chain]) rewards[0] += chain == 4 ? 1.1f : 1.0f;
    ++steps;
  }
  Status status() const { return steps == 101 ? Status::finished : Status::running; }

  static int script(const DiscountingChain&, int, Random&) { return 4; }
};

}  // namespace rival::learning
