#include "agent/agent.hpp"

namespace rival {

float default_temperature(const Spec& spec) {
  return (spec.hidden_information && spec.team_count() > 1) || spec.simultaneous ? 1.0f : 0.0f;
}

bool Agent::probabilities(const Decisions&, float*) {
  return false;
}

bool Agent::estimate(const Decisions&, float*) {
  return false;
}

void Agent::match_started(int) {}

}  // namespace rival
