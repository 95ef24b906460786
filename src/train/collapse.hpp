// Signs that training has gone wrong, in words for people.
#pragma once

#include <optional>
#include <string>

#include "train/trainer.hpp"

namespace rival {

// Looks at one iteration after the other. Each sign is told once. Not thread-safe.
class CollapseWatch {
 public:
  // What this iteration shows for the first time, if anything:
  // - steps too big: the value loss is above 100 (in units of the returns' deviation; what the returns alone do to it
  //   is at most about 10, see Learner::normalise), or the policy moved by more than 1 nat from the one that collected
  //   (healthy runs: 0.02);
  // - entropy gone: below a hundredth of its highest for ten iterations, before half of the run is over. Only where all
  //   actions are choices: the entropy of continuous ones has no zero.
  // `progress`: of the run, 0 to 1.
  std::optional<std::string> note(const IterationReport& iteration, double progress, bool choices_only);

 private:
  double highest_entropy_ = 0;
  int low_ = 0;  // iterations in a row
  bool told_steps_ = false, told_entropy_ = false;
};

}  // namespace rival
