// Games against chance whose best play is known by value iteration.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "rival/game.hpp"

namespace rival::learning {

// Cards from an endless deck: 1 to 13, where 11 to 13 count 10.
inline int draw_card(Random& random) {
  return std::min(1 + random.below(13), 10);
}
inline double card_probability(int card) {
  return card == 10 ? 4.0 / 13 : 1.0 / 13;
}

// A hand of blackjack: its sum, and whether an ace in it counts 11.
struct Hand {
  int sum = 0;
  bool soft = false;
  Hand with(int card) const {
    Hand hand = *this;
    hand.sum += card;
    if (card == 1 && hand.sum + 10 <= 21) hand.sum += 10, hand.soft = true;
    if (hand.sum > 21 && hand.soft) hand.sum -= 10, hand.soft = false;
    return hand;
  }
};

// Blackjack as in Sutton and Barto ("Reinforcement learning", 5.1): take cards up to 21, or stay; then the dealer draws
// up to 17. No doubling, no splitting, and nothing extra for a natural.
struct Blackjack {
  Hand hand;
  int dealer = 0;   // the dealer's open card
  int outcome = 2;  // 2: running

  static Spec spec() {
    return {.name = "blackjack",
            .description = "Cards against a dealer",
            .source = "R. Sutton and A. Barto",
            .observation = {ObservationPart::vector("sum", 22), ObservationPart::vector("soft", 1),
                            ObservationPart::vector("dealer", 10)},
            .action = {ActionPart::discrete("draw", 2)},
            .max_steps = 22};
  }
  void reset(const Settings&, Key key) {
    *this = Blackjack();
    Random random(key);
    hand = hand.with(draw_card(random)).with(draw_card(random));
    dealer = draw_card(random);
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out[std::min(hand.sum, 21)] = 1;
    out.part(1)[0] = hand.soft;
    out.part(2)[dealer - 1] = 1;
  }
  void step(const Actions& actions, Key key, Rewards rewards) {
    Random random(key);
    if (actions.choice(0) == 1) {
      hand = hand.with(draw_card(random));
      if (hand.sum > 21) outcome = -1;
    } else {
      Hand other = Hand().with(dealer);
      while (other.sum < 17) other = other.with(draw_card(random));
      outcome = other.sum > 21 || other.sum < hand.sum ? 1 : other.sum == hand.sum ? 0 : -1;
    }
    if (outcome != 2) rewards[0] += static_cast<float>(outcome);
  }
  Status status() const { return outcome == 2 ? Status::running : Status::finished; }

  // What staying on `sum` gives on average, if the dealer holds `other`.
  static double staying(int sum, Hand other) {
    if (other.sum >= 17) return other.sum > 21 || other.sum < sum ? 1 : other.sum == sum ? 0 : -1;
    double value = 0;
    for (int card = 1; card <= 10; ++card) value += card_probability(card) * staying(sum, other.with(card));
    return value;
  }
  // The values of staying and of drawing, with the best play after that.
  static std::array<double, 2> values(Hand hand, int dealer, const std::array<double, 22>& stay) {
    double draw = 0;
    for (int card = 1; card <= 10; ++card) {
      const Hand next = hand.with(card);
      double value = -1;
      if (next.sum <= 21) {
        const auto after = values(next, dealer, stay);
        value = std::max(after[0], after[1]);
      }
      draw += card_probability(card) * value;
    }
    return {stay[hand.sum], draw};
  }
  static std::array<double, 22> stays(int dealer) {
    std::array<double, 22> stay = {};
    for (int sum = 0; sum <= 21; ++sum) stay[sum] = staying(sum, Hand().with(dealer));
    return stay;
  }
  // Whether to draw, [dealer's card][soft][sum].
  using Plan = std::array<std::array<std::array<bool, 22>, 2>, 11>;
  static Plan best() {
    Plan plan = {};
    for (int dealer = 1; dealer <= 10; ++dealer)
      for (int sum = 2; sum <= 21; ++sum)
        for (int soft : {0, 1}) {
          if (soft == 1 && sum < 12) continue;
          const auto value = values({sum, soft == 1}, dealer, stays(dealer));
          plan[dealer][soft][sum] = value[1] > value[0];
        }
    return plan;
  }
  static int script(const Blackjack& game, int, Random&) {
    static const Plan plan = best();
    return plan[game.dealer][game.hand.soft][game.hand.sum];
  }
};

// The secretary problem: twenty candidates come in random order; take one, seeing only whether it is the best so far.
// 1 if it is the best of all.
struct Secretary {
  static constexpr int kCandidates = 20;
  std::array<int, kCandidates> ranks = {};
  int now = 0;
  bool taken = false;

  static Spec spec() {
    return {.name = "secretary",
            .description = "Take the best of twenty candidates that come one by one",
            .source = "D. Lindley, 1961",
            .observation = {ObservationPart::vector("record", 1), ObservationPart::vector("time", kCandidates)},
            .action = {ActionPart::discrete("take", 2)},
            .max_steps = kCandidates};
  }
  void reset(const Settings&, Key key) {
    *this = Secretary();
    Random random(key);
    for (int i = 0; i < kCandidates; ++i) {
      const int other = random.below(i + 1);
      ranks[i] = ranks[other];
      ranks[other] = i;
    }
  }
  bool record() const { return *std::max_element(ranks.begin(), ranks.begin() + now + 1) == ranks[now]; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    if (now == kCandidates) return;
    out[0] = record();
    out.part(1)[now] = 1;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    if (actions.choice(0) == 1) {
      taken = true;
      if (ranks[now] == kCandidates - 1) rewards[0] += 1;
    }
    ++now;
  }
  Status status() const { return taken || now == kCandidates ? Status::finished : Status::running; }

  // The first record after seven, which finds the best in 0.384 of all orders.
  static int script(const Secretary& game, int, Random&) { return game.now >= 7 && game.record(); }
};

// A shop orders goods each day: 3 for an order, 1 a piece; sells at 3 to a demand of 0 to 8; 0.2 for each piece that is
// left. Thirty days, at most twenty pieces. Returns are tenths.
struct Inventory {
  static constexpr int kMostStock = 20, kOrders = 11, kDays = 30;
  int stock = 0, day = 0;

  static Spec spec() {
    return {.name = "inventory",
            .description = "Order goods for an uncertain demand",
            .source = "after H. Scarf, 1960",
            .observation = {ObservationPart::vector("stock", 1), ObservationPart::vector("day", 1)},
            .action = {ActionPart::discrete("order", kOrders)},
            .max_steps = kDays};
  }
  void reset(const Settings&, Key) { *this = Inventory(); }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    out[0] = static_cast<float>(stock) / kMostStock;
    out.part(1)[0] = static_cast<float>(day) / kDays;
  }
  // What a day gives, in tenths, and leaves.
  static double pass(int& stock, int order, int demand) {
    const int before = std::min(stock + order, kMostStock), sold = std::min(before, demand);
    stock = before - sold;
    return 0.1 * (3.0 * sold - (order > 0 ? 3 : 0) - order - 0.2 * stock);
  }
  void step(const Actions& actions, Key key, Rewards rewards) {
    rewards[0] += static_cast<float>(pass(stock, actions.choice(0), Random(key).below(9)));
    ++day;
  }
  Status status() const { return day == kDays ? Status::finished : Status::running; }

  // The best order and its value, [day][stock], by value iteration.
  struct Best {
    int order = 0;
    double value = 0;
  };
  using Plan = std::vector<std::array<Best, kMostStock + 1>>;
  static Plan best() {
    Plan plan(kDays + 1);
    for (std::size_t d = kDays; d-- > 0;)
      for (int s = 0; s <= kMostStock; ++s) {
        Best& best = plan[d][s];
        best.value = -1e9;
        for (int order = 0; order < kOrders; ++order) {
          double value = 0;
          for (int demand = 0; demand < 9; ++demand) {
            int left = s;
            value += pass(left, order, demand) / 9;
            value += plan[d + 1][left].value / 9;
          }
          if (value > best.value) best = {order, value};
        }
      }
    return plan;
  }
  static int script(const Inventory& game, int, Random&) {
    static const Plan plan = best();
    return plan[game.day][game.stock].order;
  }
};

}  // namespace rival::learning
