// Tasks for players that remember: what matters was seen once, and is gone when it is asked for.
#pragma once

#include <array>

#include "rival/game.hpp"

namespace rival::learning {

// A sequence of symbols is shown, one a step, and has to be said again; with two seats both do so, in turn. Each symbol
// that is right gives its share of 1.
template <int Seats>
struct Recall {
  static constexpr int kLength = 4, kSymbols = 6;
  std::array<int, kLength> sequence = {};
  int steps = 0;

  static Spec spec() {
    return {.name = Seats == 1 ? "recall" : "recall_in_turn",
            .description = "Say a sequence again that was shown symbol by symbol",
            .seats = Seats,
            .observation = {ObservationPart::vector("shown", kSymbols), ObservationPart::vector("asked", kLength)},
            .action = {ActionPart::discrete("say", kSymbols)},
            .hidden_information = true,
            .max_steps = 2 * kLength * Seats};
  }
  void reset(const Settings&, Key key) {
    Random random(key);
    for (int& symbol : sequence) symbol = random.below(kSymbols);
    steps = 0;
  }
  int mover() const { return steps % Seats; }
  int place() const { return steps / Seats % kLength; }
  bool asking() const { return steps >= kLength * Seats; }
  int symbol() const { return sequence[static_cast<std::size_t>(place())]; }
  SeatSet to_act() const { return SeatSet::one(mover()); }
  void observe(int seat, Observation out) const {
    if (seat != mover()) return;
    if (asking())
      out.part(1)[place()] = 1;
    else
      out[symbol()] = 1;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    if (asking() && actions.choice(mover()) == symbol()) rewards[mover()] += 1.0f / kLength;
    ++steps;
  }
  Status status() const { return steps == 2 * kLength * Seats ? Status::finished : Status::running; }

  static int script(const Recall& game, int, Random&) { return game.symbol(); }
};

// Memory length (bsuite): a cue in the first step, then N steps that show nothing, then the question which cue it was:
// +1 if it is said rightly, -1 otherwise.
template <int N>
struct MemoryLength {
  int cue = 0, steps = 0;

  static Spec spec() {
    return {.name = "memory_length_" + std::to_string(N),
            .description = "Which of two cues was shown N steps ago?",
            .source = "bsuite",
            .observation = {ObservationPart::vector("cue", 2), ObservationPart::vector("time", 2)},
            .action = {ActionPart::discrete("answer", 2)},
            .hidden_information = true,
            .max_steps = N + 2};
  }
  void reset(const Settings&, Key key) { *this = {Random(key).below(2), 0}; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    if (steps == 0) out[cue] = 1;
    out.part(1)[0] = 1 - static_cast<float>(steps) / (N + 1);
    out.part(1)[1] = steps == N + 1;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    if (steps == N + 1) rewards[0] += actions.choice(0) == cue ? 1.0f : -1.0f;
    ++steps;
  }
  Status status() const { return steps == N + 2 ? Status::finished : Status::running; }

  static int script(const MemoryLength& game, int, Random&) { return game.cue; }
};

}  // namespace rival::learning
