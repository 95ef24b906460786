#include "train/exploration.hpp"

#include <algorithm>

namespace rival {

void Exploration::Scores::note(float score) {
  if (last.size() < kOfLate)
    last.push_back(score);
  else
    last[next] = score;
  next = (next + 1) % kOfLate;
}

bool Exploration::wanted() const {
  if (learner_.last.size() < kOfLate || explorers_.last.size() < kOfLate) return true;
  const auto [least, most] = std::minmax_element(learner_.last.begin(), learner_.last.end());
  const float found = *std::max_element(explorers_.last.begin(), explorers_.last.end());
  return found > *most || (found == *most && *least == *most);
}

}  // namespace rival
