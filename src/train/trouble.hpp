// Signs that training has gone wrong or is stuck, in words for people.
#pragma once

#include <optional>
#include <string>

#include "train/trainer.hpp"

namespace rival {

// Clauses: what is seen, what is being done about it (or ""), and what usually helps (if "": smaller steps).
struct Trouble {
  std::string seen, done, helps;
};

// Looks at one iteration after the other. Each sign is told once. Not thread-safe.
class TroubleWatch {
 public:
  // `teams`: of the game. `choices_only`: all actions are choices.
  TroubleWatch(int teams, bool choices_only) : teams_(teams), choices_only_(choices_only) {}

  // What this iteration shows for the first time, if anything. `progress`: of the run, 0 to 1.
  // - Steps too big: the value loss is above 100 (in units of the returns' deviation; what the returns alone do to it
  //   is at most about 10, see Learner::normalise), or the policy moved by more than 1 nat from the one that collected
  //   (healthy runs: 0.02).
  // - Entropy gone: below a hundredth of its highest for ten iterations, before half of the run is over. Only where all
  //   actions are choices: the entropy of continuous ones has no zero.
  // - No reward seen: the first 2,000 matches and 100,000 decisions have brought all seats the same.
  // - Nothing foreseen: over the last 300,000 decisions, after the first million, the values explain less than 2% of
  //   the returns. In games of one team only: who will win among equals is often open to the end.
  std::optional<Trouble> note(const IterationReport& iteration, double progress);

 private:
  int teams_;
  bool choices_only_;
  double highest_entropy_ = 0;
  int low_ = 0;  // iterations in a row
  double lowest_return_ = 0, highest_return_ = 0;
  std::int64_t episodes_ = 0;
  std::int64_t foreseen_at_ = 0;  // steps
  bool told_steps_ = false, told_entropy_ = false, told_reward_ = false, told_values_ = false;
};

}  // namespace rival
