// What is done with a network's head columns: drawing masked actions, and PPO's loss with its gradient.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rival/game.hpp"

namespace rival {

// Which head columns are what; see network.hpp for their order.
struct HeadLayout {
  std::vector<int> discrete;  // sizes of the discrete and target parts, in order; their logits lie one after another
  std::vector<int> column;    // of each part's first logit
  // Per discrete part: it counts only if the choice in discrete part `when_part`, which comes before it and always
  // counts, is one of the bits `when_choices`; -1: it always counts. See ActionPart::when().
  std::vector<int> when_part;
  std::vector<std::uint64_t> when_choices;
  int mask_size = 0;             // sum of the sizes
  int value_count = 0;           // continuous values
  std::vector<float> low, high;  // [value_count] ranges of the continuous values
  // The same as when_part and when_choices, per continuous value.
  std::vector<int> value_when_part;
  std::vector<std::uint64_t> value_when_choices;

  int choice_count() const { return static_cast<int>(discrete.size()); }
  int head_size() const { return mask_size + value_count + 1; }
  // Whether discrete part `part`, or continuous value `value`, counts in a decision with these choices of the parts
  // before it.
  bool counts(int part, const std::int32_t* choices) const {
    const std::size_t p = part;
    return when_part[p] < 0 || (when_choices[p] >> choices[when_part[p]] & 1);
  }
  bool value_counts(int value, const std::int32_t* choices) const {
    const std::size_t i = value;
    return value_when_part[i] < 0 || (value_when_choices[i] >> choices[value_when_part[i]] & 1);
  }

  explicit HeadLayout(const std::vector<ActionPart>& action);
  explicit HeadLayout(const Spec& spec) : HeadLayout(spec.action) {}
};

// Actions as the policy draws them. Continuous values are "raw": a normal variable around the head's mean, in units in
// which the part's range is [-1, 1] and beyond which they are clipped.
struct SampledActions {
  std::int32_t* choices;   // [rows x choice_count]
  float* raw;              // [rows x value_count]
  float* log_probability;  // [rows], of all parts that count together
};

// Draws an action per row; row r's randomness comes from key.split(rows_key[r]) or key.split(r) if rows_key is null.
// temperature divides the logits and multiplies the standard deviations; 0 takes the most likely action. A part that
// does not count is given its lowest allowed choice, 0 if there is none, or the middle of its range. Every part that
// counts must allow a choice.
void sample_actions(const HeadLayout& layout, const float* heads, const float* log_std, const std::uint8_t* masks,
                    int rows, Key key, float temperature, const SampledActions& out);

// log p of actions, of all parts that count together, as sample_actions() gives it at temperature 1. [rows]
void log_probabilities(const HeadLayout& layout, const float* heads, const float* log_std, const std::uint8_t* masks,
                       int rows, const std::int32_t* choices, const float* raw, float* log_probability);

// Probabilities of all discrete choices [rows x mask_size] at a temperature above 0; each part sums to 1, or is all
// zero where it allows nothing. Of a part that depends on another: given that it counts.
void action_probabilities(const HeadLayout& layout, const float* heads, const std::uint8_t* masks, int rows,
                          float temperature, float* probabilities);

// Raw values -> the game's range, clipped. [rows x value_count]
void scale_values(const HeadLayout& layout, const float* raw, int rows, float* values);
// And back, of values that are in their range.
void raw_values(const HeadLayout& layout, const float* values, int rows, float* raw);

// Decisions to learn from.
struct PpoRows {
  const std::uint8_t* masks;     // [rows x mask_size]
  const std::int32_t* choices;   // [rows x choice_count]
  const float* raw;              // [rows x value_count]
  const float* log_probability;  // [rows], of the parts that count, when they were drawn; PPO only
  const float* advantages;       // [rows], normalised
  const float* targets;          // [rows] of the value column
};

struct PpoLoss {
  bool likelihood = false;  // -log p times the advantage, in the place of the clipped objective
  float clip = 0.2f;        // of the probability ratio
  float entropy = 0.0f;     // weight of the entropy bonus
  float value = 0.5f;       // weight of the value's squared error
  float weight = 1.0f;      // of each row, e.g. 1 / minibatch
};

// Sums over rows, except where said.
struct PpoStatistics {
  double rows = 0, policy_loss = 0, value_loss = 0, entropy = 0, kl = 0, clipped = 0;
  void add(const PpoStatistics& other);
};

// The clipped objective of Schulman et al. ("Proximal policy optimization algorithms", 2017), its value loss
// value/2 (v - target)^2 and entropy bonus. The entropy is that of the action as a whole: by the chain rule, a part
// that depends on another adds its own times the probability that it counts, and the gradient goes through both. Writes
// the gradients by the head columns [rows x head_size] and adds those by log_std [value_count]. kl is Schulman's
// estimate (r - 1) - log r of KL(old || new).
PpoStatistics ppo_loss(const HeadLayout& layout, const PpoLoss& loss, const float* heads, const float* log_std,
                       const PpoRows& rows, int count, float* head_gradients, float* log_std_gradients);

}  // namespace rival
