// Leduc poker: two rounds of betting, with a card in the open before the second. F. Southey et al., "Bayes' bluff:
// opponent modelling in poker", 2005; the rules as in OpenSpiel's leduc_poker.
// Six cards: J, Q, K in two suits. Each seat antes 1 and gets a card. The first seat opens both rounds; raises are of 2
// in the first and of 4 in the second round, two at most in each. Then a pair with the open card wins, else the higher
// card; equal cards split the pot. One may fold only when facing a bet. Suits mean nothing, so only ranks are kept.
#pragma once

#include "match/game_entry.hpp"
#include "rival/game.hpp"

namespace rival {

class LeducPoker {
 public:
  enum Choice { fold = 0, call = 1, raise = 2 };  // call is also to check

  static Spec spec();
  void reset(const Settings&, Key key);
  SeatSet to_act() const { return SeatSet::one(mover()); }
  void observe(int seat, Observation out) const;
  void legal(int seat, Mask mask) const;
  void step(const Actions& actions, Key key, Rewards);
  Status status() const { return over_ ? Status::finished : Status::running; }
  float result(int team) const;  // chips won, -13 to 13
  void resample_hidden(int seat, Key key);
  std::string text() const;
  std::string text(int seat) const;
  std::string action_text(int seat, int choice) const;

  static std::vector<Chance<LeducPoker>> starts(const Settings&);
  std::vector<Chance<LeducPoker>> outcomes(const Actions& actions) const;

  int card(int seat) const { return cards_[seat]; }  // 0, 1, 2: J, Q, K
  int open_card() const { return open_; }            // -1 in the first round
  bool facing_bet(int seat) const { return paid_[seat] < paid_[1 - seat]; }
  bool may_raise() const { return raises_ < 2; }

 private:
  int mover() const { return count_[round_] % 2; }
  // Makes the mover's choice. True if the open card is to be drawn now.
  bool apply(int choice);
  // Draws one of the cards that are neither in the seats `known` nor open.
  int draw(SeatSet known, Key key) const;
  int left(int rank, SeatSet known) const;
  std::string betting() const;

  int cards_[2] = {};
  int open_ = -1;
  int paid_[2] = {1, 1};
  int round_ = 0, raises_ = 0;
  int count_[2] = {};       // actions of each round
  int choices_[2][4] = {};  // at most check, raise, raise, call
  int folded_ = -1;         // the seat that did
  bool over_ = false;
};

// Raises with a king or a pair, folds an unpaired jack to a bet, calls otherwise.
std::unique_ptr<Agent> leduc_tight();
// Plays the average policy of 500 iterations of CFR+ (NashConv below 0.01).
std::unique_ptr<Agent> leduc_equilibrium();

GameEntry leduc_poker_entry();

}  // namespace rival
