// Exact play of Pig to 100, with any head start: optimal play by value iteration, and the win probability of any policy
// against any other.
// Method: Neller and Presser, "Optimal Play of the Dice Game Pig", 2004.
#pragma once

#include <memory>
#include <vector>

#include "games/pig/pig.hpp"
#include "match/game_entry.hpp"

namespace rival::pig {

inline constexpr int kGoal = 100;

// The probability of rolling on in every position of the player to move: own points and the other's, below kGoal, and
// points of the turn. A turn without points always rolls.
class Policy {
 public:
  double& roll(int own, int other, int turn) { return roll_[index(own, other, turn)]; }
  double roll(int own, int other, int turn) const { return roll_[index(own, other, turn)]; }

 private:
  static std::size_t index(int own, int other, int turn) {
    return static_cast<std::size_t>((own * kGoal + other) * kGoal + turn);
  }
  std::vector<double> roll_ = std::vector<double>(std::size_t{kGoal} * kGoal * kGoal, 1.0);
};

Policy hold_at(int points);
Policy optimal_policy();  // about a tenth of a second

// The probability that `a` wins against `b`, where the one who moves second begins with `head_start` points, 0 to
// kGoal - 1; exact but for rounding. Optimal play is optimal with any head start, since it is that of all positions.
double win_probability(const Policy& a, const Policy& b, bool a_moves_first, int head_start = 0);

// How the agent plays in every position. Error if it cannot say.
Result<Policy> policy_of(Agent& agent);

// The agent that plays a policy.
std::unique_ptr<Agent> player(std::string name, Policy policy);

GameEntry game_entry();

}  // namespace rival::pig
