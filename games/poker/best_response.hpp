// The exact judge "best-response" of small card games: how much the best possible opponent wins against an agent.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>

#include "games/poker/game_tree.hpp"
#include "match/game_entry.hpp"

namespace rival {

// What an agent does at every information set of the tree, asked in one batch of decisions whose matches stand there.
// Error if it gives no probabilities, or none that are a distribution over the allowed choices. An agent with memory
// is asked with its memory empty, as if the match began there.
template <EnumerableGame G>
Result<Policy> policy_of(Agent& agent, const GameTreeOf<G>& game) {
  const int count = static_cast<int>(game.states().size());
  BatchOf<G> batch(count);
  const auto size = static_cast<std::size_t>(count);
  const auto choices = static_cast<std::size_t>(game.tree().choices);
  std::vector<float> observations(size * static_cast<std::size_t>(batch.layout().observation_size));
  std::vector<float> probabilities(size * choices);
  std::vector<std::uint8_t> masks(size * choices);
  std::vector<std::int8_t> seats(size);
  std::vector<int> rows(size);
  std::iota(rows.begin(), rows.end(), 0);
  for (int i : rows) {
    batch.set_state(i, game.states()[static_cast<std::size_t>(i)]);
    agent.match_started(i);
  }
  batch.observe({observations.data(), masks.data(), seats.data()});
  if (!agent.probabilities({&batch, rows, observations.data(), masks.data(), seats.data()}, probabilities.data()))
    return Error{"the player '" + agent.name() +
                 "' does not say how likely it makes each choice, so it has no best response"};

  Policy policy(probabilities.begin(), probabilities.end());
  for (std::size_t i = 0; i < size; ++i) {
    const int match = static_cast<int>(i);
    const auto where = [&] {
      return " where seat " + std::to_string(seats[i]) + " sees: " + batch.text(match, seats[i]);
    };
    double sum = 0;
    for (std::size_t c = 0; c < choices; ++c) {
      double& p = policy[i * choices + c];
      if (!(p >= 0) || (!masks[i * choices + c] && p > 1e-6))
        return Error{"the player '" + agent.name() + "' plays '" +
                     batch.action_text(match, seats[i], static_cast<int>(c)) + "' with probability " +
                     std::to_string(p) + where()};
      if (!masks[i * choices + c]) p = 0;
      sum += p;
    }
    if (!(std::fabs(sum - 1) < 1e-3))
      return Error{"the player '" + agent.name() + "' has probabilities that sum to " + std::to_string(sum) + where()};
    for (std::size_t c = 0; c < choices; ++c) policy[i * choices + c] /= sum;
  }
  return policy;
}

template <EnumerableGame G>
Judge best_response_judge() {
  const auto judge = [](Agent& agent, Key, int, const JudgeProgress&) -> Result<Judgement> {
    const GameTreeOf<G> game;
    Result<Policy> policy = policy_of(agent, game);
    if (!policy) return policy.error();
    const double first = best_response_value(game.tree(), *policy, 0);
    const double second = best_response_value(game.tree(), *policy, 1);
    return Judgement{
        {{"nash_conv", first + second, "NashConv: what both seats could gain by best responses; 0 is perfect"},
         {"exploitability", (first + second) / 2, "exploitability: what the best opponent wins a match, seats swapped"},
         {"value_first", policy_value(game.tree(), *policy), "what the first seat wins when it plays itself"},
         {"best_response_value_first", first, "what the best opponent wins in the first seat"},
         {"best_response_value_second", second, "what the best opponent wins in the second seat"}}};
  };
  return {"best-response", "exact best response over all deals: NashConv and exploitability", judge};
}

}  // namespace rival
