#include "agent/agent.hpp"

namespace rival {

bool Agent::probabilities(const Decisions&, float*) {
  return false;
}

void Agent::match_started(int) {}

}  // namespace rival
