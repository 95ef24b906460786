// Kuhn poker: three cards, one of them hidden, one bet. H. W. Kuhn, "A simplified two-person poker", 1950.
// Each seat antes 1 and gets one of J, Q, K; then each may pass or bet 1. A pass after a bet folds, a bet after a bet
// calls. The higher card wins what is in the pot.
#pragma once

#include "match/game_entry.hpp"
#include "rival/game.hpp"

namespace rival {

class KuhnPoker {
 public:
  enum Choice { pass = 0, bet = 1 };

  static Spec spec();
  void reset(const Settings&, Key key);
  SeatSet to_act() const { return SeatSet::one(count_ % 2); }
  void observe(int seat, Observation out) const;
  void legal(int, Mask mask) const {
    mask.allow(pass);
    mask.allow(bet);
  }
  void step(const Actions& actions, Key, Rewards);
  Status status() const;
  float result(int team) const;  // chips won: +-1 or +-2
  void resample_hidden(int seat, Key key);
  std::string text() const;
  std::string text(int seat) const;
  std::string action_text(int seat, int choice) const;

  static std::vector<Chance<KuhnPoker>> starts(const Settings&);

  int card(int seat) const { return cards_[seat]; }  // 0, 1, 2: J, Q, K
  std::string history() const;                       // 'p' and 'b'

 private:
  bool made(int i, Choice choice) const { return i < count_ && choices_[i] == choice; }

  int cards_[2] = {0, 1};
  Choice choices_[3] = {};
  int count_ = 0;
};

// The equilibrium in which the first seat bluffs with the jack with probability `a`, 0 to 1/3.
std::unique_ptr<Agent> kuhn_equilibrium(double a);

GameEntry kuhn_poker_entry();

}  // namespace rival
