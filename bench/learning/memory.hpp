// Tasks for players that remember: what matters was seen once, and is gone when it is asked for.
#pragma once

#include <algorithm>
#include <array>
#include <string>

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
  int symbol() const { return sequence[place()]; }
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

// A T-shaped maze (Bakker, "Reinforcement learning with long short-term memory", 2001): a sign at the start says which
// arm at the end of the corridor holds 1; the other one holds -1. -0.01 for a step that leads nowhere.
template <int N>
struct TMaze {
  static constexpr int kMost = 3 * N;
  int sign = 0, place = 0, steps = 0;
  bool done = false;

  static Spec spec() {
    return {.name = "t_maze_" + std::to_string(N),
            .description = "Turn as the sign at the start of a corridor said",
            .source = "B. Bakker, 2001",
            .observation = {ObservationPart::vector("sign", 2), ObservationPart::vector("place", 2)},
            .action = {ActionPart::discrete("move", 3)},
            .hidden_information = true,
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) { *this = {Random(key).below(2), 0, 0, false}; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    if (place == 0) out[sign] = 1;
    out.part(1)[0] = place > 0 && place < N;
    out.part(1)[1] = place == N;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    const int choice = actions.choice(0);
    ++steps;
    if (choice == 2 && place < N) {
      ++place;
    } else if (choice != 2 && place == N) {
      rewards[0] += choice == sign ? 1.0f : -1.0f;
      done = true;
    } else {
      rewards[0] -= 0.01f;
    }
  }
  Status status() const { return done ? Status::finished : steps >= kMost ? Status::truncated : Status::running; }

  static int script(const TMaze& game, int, Random&) { return game.place < N ? 2 : game.sign; }
};

// A symbol is shown in each step, and the one of three steps ago has to be said.
struct ThreeBack {
  static constexpr int kBack = 3, kSymbols = 4, kMost = 20;
  std::array<int, kMost> symbols = {};
  int steps = 0;

  static Spec spec() {
    return {.name = "three_back",
            .description = "Say which symbol was shown three steps ago",
            .observation = {ObservationPart::vector("shown", kSymbols)},
            .action = {ActionPart::discrete("say", kSymbols)},
            .hidden_information = true,
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    Random random(key);
    for (int& symbol : symbols) symbol = random.below(kSymbols);
    steps = 0;
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    if (steps < kMost) out[symbols[steps]] = 1;
  }
  int wanted() const { return steps < kBack ? 0 : symbols[steps - kBack]; }
  void step(const Actions& actions, Key, Rewards rewards) {
    if (steps >= kBack && actions.choice(0) == wanted()) rewards[0] += 1.0f / (kMost - kBack);
    ++steps;
  }
  Status status() const { return steps == kMost ? Status::finished : Status::running; }

  static int script(const ThreeBack& game, int, Random&) { return game.wanted(); }
};

// Pairs: ten cards lie face down; turn over two, and if they are alike they are taken. A card that is turned over is
// seen once. 0.2 a pair, 16 turns.
struct Pairs {
  static constexpr int kCards = 10, kMost = 16;
  std::array<int, kCards> cards = {};  // 0 to 4
  std::array<bool, kCards> taken = {}, seen = {};
  int first = -1, shown = -1, steps = 0;  // the first of two cards; the one that was turned over last

  static Spec spec() {
    return {.name = "pairs",
            .description = "Find pairs of cards that lie face down",
            .observation = {ObservationPart::vector("taken", kCards), ObservationPart::vector("turned", kCards),
                            ObservationPart::vector("shown", kCards / 2), ObservationPart::vector("open", 2)},
            .action = {ActionPart::discrete("card", kCards)},
            .hidden_information = true,
            .max_steps = kMost};
  }
  void reset(const Settings&, Key key) {
    *this = Pairs();
    Random random(key);
    for (int i = 0; i < kCards; ++i) {
      const int other = random.below(i + 1);
      cards[i] = cards[other];
      cards[other] = i / 2;
    }
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  bool is_taken(int i) const { return taken[i]; }
  int card(int i) const { return cards[i]; }
  void observe(int, Observation out) const {
    for (int i = 0; i < kCards; ++i) out[i] = is_taken(i);
    if (shown >= 0) {
      out.part(1)[shown] = 1;
      out.part(2)[card(shown)] = 1;
    }
    out.part(3)[0] = first >= 0;
    out.part(3)[1] = static_cast<float>(steps) / kMost;
  }
  void legal(int, Mask mask) const {
    for (int i = 0; i < kCards; ++i)
      if (!is_taken(i) && i != first) mask.allow(i);
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    shown = actions.choice(0);
    seen[shown] = true;
    if (first >= 0 && card(first) == card(shown)) {
      taken[first] = taken[shown] = true;
      rewards[0] += 2.0f / kCards;
    }
    first = first < 0 ? shown : -1;
    ++steps;
  }
  Status status() const {
    const bool all = std::all_of(taken.begin(), taken.end(), [](bool t) { return t; });
    return all || steps == kMost ? Status::finished : Status::running;
  }

  // Takes a pair that it has seen, otherwise turns over a card that it has not.
  static int script(const Pairs& game, int, Random&) {
    int unseen = -1, any = -1;
    for (int i = 0; i < kCards; ++i) {
      if (game.is_taken(i) || i == game.first) continue;
      any = i;
      if (!game.seen[i]) {
        unseen = i;
        continue;
      }
      if (game.first >= 0 && game.card(game.first) == game.card(i)) return i;
      for (int j = 0; game.first < 0 && j < i; ++j)
        if (!game.is_taken(j) && game.seen[j] && game.card(j) == game.card(i)) return i;
    }
    return unseen >= 0 ? unseen : any;
  }
};

}  // namespace rival::learning
