// Pig: roll a die as often as you dare; a 1 loses the points of the turn, holding banks them; first to the goal wins.
#pragma once

#include <algorithm>

#include "rival/game.hpp"

namespace rival {

// A turn starts with a roll. A player whose banked points and points of the turn reach the goal wins at once (holding
// there is the only sensible move). Seat 0 goes first, which is worth something; a head start of the other evens it
// out. It stays below the goal, whatever it is set to. A match of reckless players has no bound, so it is truncated
// after kMaxSteps.
class Pig {
 public:
  enum Choice { kRoll, kHold };
  static constexpr int kMaxSteps = 2000;

  static Spec spec() {
    return {.name = "pig",
            .description = "Dice to 100: roll on, or hold and keep the points of the turn",
            .source = "John Scarne, 1945; solved by Neller and Presser, \"Optimal Play of the Dice Game Pig\", 2004",
            .seats = 2,
            .observation = {ObservationPart::vector("points", 3)},  // own, the other's, of the turn; all over the goal
            .action = {ActionPart::discrete("choice", 2)},
            .parameters = {{"goal", 100, 10, 1000, "points that win", 1},
                           {"head_start", 0, 0, 50, "points that the player who goes second begins with", 1}},
            .max_steps = kMaxSteps};
  }

  void reset(const Settings& settings, Key) {
    *this = Pig();
    goal_ = static_cast<int>(settings.parameters[0]);
    banked_[1] = std::min(static_cast<int>(settings.parameters[1]), goal_ - 1);
  }

  SeatSet to_act() const { return SeatSet::one(mover_); }

  void observe(int seat, Observation out) const {
    const float scale = 1 / static_cast<float>(goal_);
    out[0] = static_cast<float>(banked_[seat]) * scale;
    out[1] = static_cast<float>(banked_[1 - seat]) * scale;
    out[2] = static_cast<float>(turn_) * scale;
  }

  void legal(int, Mask mask) const {
    mask.allow(kRoll);
    if (turn_ > 0) mask.allow(kHold);
  }

  void step(const Actions& actions, Key key, Rewards) {
    ++steps_;
    const int points = actions.choice(mover_) == kRoll ? 1 + Random(key).below(6) : 0;
    turn_ = points == 1 ? 0 : turn_ + points;
    if (points > 1 && banked_[mover_] + turn_ < goal_) return;
    banked_[mover_] += turn_;
    if (banked_[mover_] >= goal_) return;
    turn_ = 0;
    mover_ = 1 - mover_;
  }

  Status status() const {
    if (banked_[mover_] >= goal_) return Status::finished;
    return steps_ < kMaxSteps ? Status::running : Status::truncated;
  }

  float result(int team) const { return banked_[team] >= goal_ ? 1.0f : -1.0f; }

  std::string text() const {
    std::string out;
    for (int seat = 0; seat < 2; ++seat) {
      out += "player " + std::to_string(seat + 1) + ": " + std::to_string(banked_[seat]);
      if (seat == mover_) out += " and " + std::to_string(turn_) + " this turn";
      out += '\n';
    }
    return out;
  }

  std::string action_text(int, int choice) const { return choice == kRoll ? "roll" : "hold"; }

  // ---- for scripted players, the judge and tests ----
  int banked(int seat) const { return banked_[seat]; }
  int turn() const { return turn_; }
  // The position in which seat 0 is to move.
  static Pig at(int own, int other, int turn) {
    Pig game;
    game.banked_[0] = own;
    game.banked_[1] = other;
    game.turn_ = turn;
    return game;
  }

 private:
  int banked_[2] = {}, turn_ = 0, mover_ = 0, goal_ = 100, steps_ = 0;
};

}  // namespace rival
