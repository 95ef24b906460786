// Duel: two units on a small board; each seat picks one of six before the match. Small and quick to learn, with numbers
// to balance: damage and health of every unit, and what the seat that goes second gets for it, all in units.toml.
//
// The seats take turns, seat 0 first. In its turn a unit walks as far as its speed in one direction, strikes the other
// unit if that is within reach (a cell diagonally next to it is one away), does what only it can do, or waits:
// - the Monk heals itself, a few times in a match;
// - the Shieldbearer raises its shield, which keeps off a part of every hit until it strikes;
// - the Sniper aims, without which it cannot strike, then shoots at any distance; it has to aim anew after a shot or a
//   step.
// A hit takes 0.5 to 1.5 times the unit's damage, drawn uniformly. Who has no health left has lost; after kTurns turns
// the one with the larger share of its health left wins, and if they are equal seat 0: the second has to come.
#pragma once

#include <array>
#include <string>

#include "games/duel/data.hpp"
#include "match/game_entry.hpp"
#include "rival/game.hpp"

namespace rival {

class Duel {
 public:
  static constexpr int kWidth = 7, kHeight = 5, kTurns = 60;

  // Forward is towards the side on which the other one started; each seat sees the board from its own side.
  enum Choice { forward, back, left, right, strike, special, wait, kChoices };

  struct Fighter {
    int unit = 0;
    int x = 0, y = 0;  // from the top left, as text() draws it
    float health = 0, full_health = 0, damage = 0;
    int aim = 0;    // turns it has aimed
    int heals = 0;  // that it has left
    bool guarding = false;

    const duel::Unit& stats() const { return duel::data().units[static_cast<std::size_t>(unit)]; }
    float share() const { return health / full_health; }  // of health left
  };

  static Spec spec();
  void reset(const Settings& settings, Key key);
  SeatSet to_act() const { return SeatSet::one(mover()); }
  void observe(int seat, Observation out) const;
  void legal(int seat, Mask mask) const;
  void step(const Actions& actions, Key key, Rewards);
  Status status() const;
  float result(int team) const { return team == winner() ? 1.0f : -1.0f; }
  std::string text() const;
  std::string action_text(int seat, int choice) const;

  // ---- for scripted players and tests ----
  int mover() const { return turn_ % 2; }
  int turn() const { return turn_; }
  const Fighter& fighter(int seat) const { return fighters_[static_cast<std::size_t>(seat)]; }
  Fighter& fighter(int seat) { return fighters_[static_cast<std::size_t>(seat)]; }
  int distance() const;
  bool can_strike(int seat) const;
  // Where `seat` would get to in one of the four directions; its own place if the way is blocked.
  std::array<int, 2> destination(int seat, int direction) const;

 private:
  bool can_use_special(int seat) const;
  int winner() const;  // who would win if the match ended now

  std::array<Fighter, 2> fighters_;
  int turn_ = 0;
};

GameEntry duel_entry();

}  // namespace rival
