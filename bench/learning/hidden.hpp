// Tasks in which good play is mixed, judged exactly.
#pragma once

#include <array>

#include "rival/game.hpp"

namespace rival::learning {

// Rock-paper-scissors whose wins are worth 1 (rock), 2 (paper) and 3 (scissors): in equilibrium rock is played by 3 in
// 6, paper by 1, scissors by 2.
struct BiasedHands {
  static constexpr float kWorth[] = {1, 2, 3};
  std::array<int, 2> hands = {-1, -1};

  static Spec spec() {
    return {.name = "biased_hands",
            .description = "Rock-paper-scissors whose wins differ in worth",
            .seats = 2,
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::discrete("hand", 3)},
            .simultaneous = true,
            .max_steps = 1};
  }
  void reset(const Settings&, Key) { *this = BiasedHands(); }
  SeatSet to_act() const { return SeatSet::first(2); }
  void observe(int, Observation out) const { out[0] = 1; }
  void step(const Actions& actions, Key, Rewards) { hands = {actions.choice(0), actions.choice(1)}; }
  Status status() const { return hands[0] < 0 ? Status::running : Status::finished; }
  float result(int team) const {
    const int own = hands[static_cast<std::size_t>(team)], other = hands[static_cast<std::size_t>(1 - team)];
    if (own == other) return 0;
    return (own + 2) % 3 == other ? kWorth[own] : -kWorth[other];
  }
};

// Five prizes of 5, 4, 3, 2, 1 go one after the other to who bids the higher of five cards, each of which is used once
// (goofspiel with a known order). Who wins more points wins.
struct SealedBids {
  static constexpr int kCards = 5;
  std::array<unsigned, 2> held = {31, 31};
  std::array<int, 2> points = {};
  int round = 0;

  static Spec spec() {
    return {.name = "sealed_bids",
            .description = "Bid five cards for five prizes, both at once",
            .source = "goofspiel",
            .seats = 2,
            .observation = {ObservationPart::vector("cards", 2 * kCards), ObservationPart::vector("prize", kCards),
                            ObservationPart::vector("lead", 1)},
            .action = {ActionPart::discrete("card", kCards)},
            .simultaneous = true,
            .max_steps = kCards};
  }
  void reset(const Settings&, Key) { *this = SealedBids(); }
  SeatSet to_act() const { return SeatSet::first(2); }
  unsigned cards(int seat) const { return held[static_cast<std::size_t>(seat)]; }
  int lead(int seat) const {
    return points[static_cast<std::size_t>(seat)] - points[static_cast<std::size_t>(1 - seat)];
  }
  void observe(int seat, Observation out) const {
    for (int card = 0; card < kCards; ++card) {
      out[card] = static_cast<float>(cards(seat) >> card & 1);
      out[kCards + card] = static_cast<float>(cards(1 - seat) >> card & 1);
    }
    if (round < kCards) out.part(1)[round] = 1;
    out.part(2)[0] = static_cast<float>(lead(seat)) / 15;
  }
  void legal(int seat, Mask mask) const {
    for (int card = 0; card < kCards; ++card)
      if (cards(seat) >> card & 1) mask.allow(card);
  }
  void step(const Actions& actions, Key, Rewards) {
    const int bids[] = {actions.choice(0), actions.choice(1)};
    for (std::size_t seat : {0u, 1u}) {
      held[seat] &= ~(1u << bids[seat]);
      if (bids[seat] > bids[1 - seat]) points[seat] += kCards - round;
    }
    ++round;
  }
  Status status() const { return round == kCards ? Status::finished : Status::running; }
  float result(int team) const { return lead(team) > 0 ? 1.0f : lead(team) < 0 ? -1.0f : 0.0f; }
};

}  // namespace rival::learning
