// Tasks in which good play is mixed, judged exactly.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

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
    const int own = hands[team], other = hands[1 - team];
    if (own == other) return 0;
    return (own + 2) % 3 == other ? kWorth[own] : -kWorth[other];
  }
};

// The same twenty times over, each worth a twentieth.
struct ManyHands {
  static constexpr int kRounds = 20;
  int round = 0, lead = 0;

  static Spec spec() {
    return {.name = "many_hands",
            .description = "Rock-paper-scissors whose wins differ in worth, twenty times over",
            .seats = 2,
            .observation = {ObservationPart::vector("round", kRounds), ObservationPart::vector("lead", 1)},
            .action = {ActionPart::discrete("hand", 3)},
            .simultaneous = true,
            .max_steps = kRounds};
  }
  void reset(const Settings&, Key) { *this = {}; }
  SeatSet to_act() const { return SeatSet::first(2); }
  void observe(int seat, Observation out) const {
    if (round < kRounds) out[round] = 1;
    out.part(1)[0] = static_cast<float>(seat == 0 ? lead : -lead) / kRounds;
  }
  void step(const Actions& actions, Key, Rewards) {
    const BiasedHands hands{{actions.choice(0), actions.choice(1)}};
    lead += static_cast<int>(hands.result(0));
    ++round;
  }
  Status status() const { return round < kRounds ? Status::running : Status::finished; }
  float result(int team) const { return static_cast<float>(team == 0 ? lead : -lead) / kRounds; }
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
  unsigned cards(int seat) const { return held[seat]; }
  int lead(int seat) const { return points[seat] - points[1 - seat]; }
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

// Colonel Blotto: six coins over three fields, both at once; who holds more fields wins.
struct Blotto {
  static constexpr int kCoins = 6, kWays = 28;
  std::array<int, 2> picks = {-1, -1};

  static Spec spec() {
    return {.name = "blotto",
            .description = "Spread six coins over three fields",
            .source = "E. Borel, 1921",
            .seats = 2,
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::discrete("split", kWays)},
            .simultaneous = true,
            .max_steps = 1};
  }
  void reset(const Settings&, Key) { *this = Blotto(); }
  SeatSet to_act() const { return SeatSet::first(2); }
  void observe(int, Observation out) const { out[0] = 1; }
  void step(const Actions& actions, Key, Rewards) { picks = {actions.choice(0), actions.choice(1)}; }
  Status status() const { return picks[0] < 0 ? Status::running : Status::finished; }
  static std::array<int, 3> split(int pick) {
    for (int a = 0; a <= kCoins; ++a)
      for (int b = 0; a + b <= kCoins; ++b)
        if (pick-- == 0) return {a, b, kCoins - a - b};
    return {};
  }
  float result(int team) const {
    const auto own = split(picks[team]), other = split(picks[1 - team]);
    int lead = 0;
    for (std::size_t field = 0; field < 3; ++field) lead += (own[field] > other[field]) - (own[field] < other[field]);
    return lead > 0 ? 1.0f : lead < 0 ? -1.0f : 0.0f;
  }
};

// A sealed first-price auction: each of two bidders knows what the thing is worth to it, 0 to 4, and bids 0 to 4; the
// higher one pays its bid, and of equal ones each by half.
struct Auction {
  static constexpr int kWorths = 5;
  std::array<int, 2> worths = {}, bids = {-1, -1};

  static Spec spec() {
    return {.name = "auction",
            .description = "A sealed first-price auction of two bidders",
            .source = "W. Vickrey, 1961",
            .seats = 2,
            .observation = {ObservationPart::vector("worth", kWorths)},
            .action = {ActionPart::discrete("bid", kWorths)},
            .simultaneous = true,
            .hidden_information = true,
            .max_steps = 1};
  }
  void reset(const Settings&, Key key) {
    Random random(key);
    *this = {{random.below(kWorths), random.below(kWorths)}, {-1, -1}};
  }
  static std::vector<Chance<Auction>> starts(const Settings&) {
    std::vector<Chance<Auction>> all;
    for (int a = 0; a < kWorths; ++a)
      for (int b = 0; b < kWorths; ++b) all.push_back({{{a, b}, {-1, -1}}, 1.0 / (kWorths * kWorths)});
    return all;
  }
  void resample_hidden(int seat, Key key) { worths[1 - seat] = Random(key).below(kWorths); }
  SeatSet to_act() const { return SeatSet::first(2); }
  void observe(int seat, Observation out) const { out[worths[seat]] = 1; }
  void step(const Actions& actions, Key, Rewards) { bids = {actions.choice(0), actions.choice(1)}; }
  Status status() const { return bids[0] < 0 ? Status::running : Status::finished; }
  float result(int team) const {
    const std::size_t own = team, other = 1 - own;
    const float share = bids[own] > bids[other] ? 1.0f : bids[own] == bids[other] ? 0.5f : 0.0f;
    return share * static_cast<float>(worths[own] - bids[own]);
  }
};

// Matching pennies four times over: seat 0 wins a round if both show the same, and twice as much if that is heads. A
// round is worth more by as much for each round in a row that its winner has won before it.
struct Pennies {
  static constexpr int kRounds = 4;
  std::array<std::array<int, 2>, kRounds> shown = {};
  int round = 0;

  static Spec spec() {
    return {.name = "pennies",
            .description = "Matching pennies, in which winning streaks pay more",
            .seats = 2,
            .observation = {ObservationPart::vector("shown", 4 * kRounds), ObservationPart::vector("seat", 1)},
            .action = {ActionPart::discrete("side", 2)},
            .simultaneous = true,
            .max_steps = kRounds};
  }
  void reset(const Settings&, Key) { *this = Pennies(); }
  SeatSet to_act() const { return SeatSet::first(2); }
  const std::array<int, 2>& at(int r) const { return shown[r]; }
  void observe(int seat, Observation out) const {
    for (int r = 0; r < round; ++r) out[4 * r + 2 * at(r)[0] + at(r)[1]] = 1;
    out.part(1)[0] = static_cast<float>(seat);
  }
  void step(const Actions& actions, Key, Rewards) { shown[round++] = {actions.choice(0), actions.choice(1)}; }
  Status status() const { return round == kRounds ? Status::finished : Status::running; }
  float result(int team) const {
    int lead = 0, streak = 0, last = -1;
    for (int r = 0; r < kRounds; ++r) {
      const int winner = at(r)[0] == at(r)[1] ? 0 : 1;
      streak = winner == last ? streak + 1 : 1;
      last = winner;
      const int worth = streak * (winner == 0 && at(r)[0] == 0 ? 2 : 1);
      lead += winner == team ? worth : -worth;
    }
    return static_cast<float>(lead) / kRounds;
  }
};

// Liar's dice with a die of four sides each: name more dice or a higher side than the last bid of both dice together,
// or call the other a liar; who is wrong loses.
struct LiarsDice {
  static constexpr int kSides = 4, kBids = 2 * kSides, kLiar = kBids;
  std::array<int, 2> dice = {};
  std::array<int, kBids + 1> bids = {};
  int count = 0;

  static Spec spec() {
    return {.name = "liars_dice",
            .description = "Liar's dice with a die of four sides each",
            .source = "traditional",
            .seats = 2,
            .observation = {ObservationPart::vector("die", kSides), ObservationPart::vector("bids", 2 * kBids),
                            ObservationPart::vector("seat", 1)},
            .action = {ActionPart::discrete("bid", kBids + 1)},
            .hidden_information = true,
            .max_steps = kBids + 1};
  }
  void reset(const Settings&, Key key) {
    *this = LiarsDice();
    Random random(key);
    dice = {random.below(kSides), random.below(kSides)};
  }
  static std::vector<Chance<LiarsDice>> starts(const Settings&) {
    std::vector<Chance<LiarsDice>> all;
    for (int a = 0; a < kSides; ++a)
      for (int b = 0; b < kSides; ++b) {
        LiarsDice game;
        game.dice = {a, b};
        all.push_back({game, 1.0 / (kSides * kSides)});
      }
    return all;
  }
  void resample_hidden(int seat, Key key) { dice[1 - seat] = Random(key).below(kSides); }
  int bid(int i) const { return bids[i]; }
  SeatSet to_act() const { return SeatSet::one(count % 2); }
  void observe(int seat, Observation out) const {
    out[dice[seat]] = 1;
    for (int i = 0; i < count; ++i)
      if (bid(i) < kBids) out.part(1)[(i % 2 == seat ? 0 : kBids) + bid(i)] = 1;
    out.part(2)[0] = static_cast<float>(seat);
  }
  void legal(int, Mask mask) const {
    for (int b = count == 0 ? 0 : bid(count - 1) + 1; b < kBids; ++b) mask.allow(b);
    if (count > 0) mask.allow(kLiar);
  }
  void step(const Actions& actions, Key, Rewards) { bids[count] = actions.choice(count % 2), ++count; }
  Status status() const { return count > 0 && bid(count - 1) == kLiar ? Status::finished : Status::running; }
  float result(int team) const {
    const int named = bid(count - 2), bidder = count % 2;
    const int there = static_cast<int>(std::count(dice.begin(), dice.end(), named % kSides));
    const bool held = there > named / kSides;
    return held == (team == bidder) ? 1.0f : -1.0f;
  }
};

}  // namespace rival::learning
