// A player of matches: it is shown the rows that wait for a decision and fills in actions. Trained bots, random and
// scripted players are all Agents.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "game/rows.hpp"
#include "rival/random.hpp"

namespace rival {

// How a trained player plays unless told otherwise: as it learnt, 1, where good play is mixed, that is where
// something is hidden from other teams or seats act at once; elsewhere its most likely choices, 0.
float default_temperature(const Spec& spec);

// Not thread-safe: one thread per agent.
class Agent {
 public:
  virtual ~Agent() = default;

  virtual std::string name() const = 0;

  // Decides the rows: fills choices [batch rows x choice_count] and values [batch rows x value_count] at those rows.
  // Row r draws its randomness from key.split(r), so that a decision depends only on its row and the key.
  virtual void act(const Decisions& decisions, Key key, std::int32_t* choices, float* values) = 0;

  // The distribution over discrete choices that act() draws from, at the decisions' rows of `probabilities`
  // [batch rows x mask_size]; each part sums to 1. False if the agent cannot say (nothing is written).
  virtual bool probabilities(const Decisions& decisions, float* probabilities);

  // What the agent expects from the match on at each row, of rewards and result together, at the decisions' rows of
  // `values` [batch rows]. False if it cannot say (nothing is written). A memory does not move on.
  virtual bool estimate(const Decisions& decisions, float* values);

  // Told when a match of the batch is (re)started, so that an agent with memory forgets it.
  virtual void match_started(int match);
};

}  // namespace rival
