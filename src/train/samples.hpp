// What a network learns from: decisions with what came of them, whoever made them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "game/replay.hpp"
#include "nn/backend.hpp"
#include "nn/heads.hpp"

namespace rival {

// Decisions to learn from, in columns. Arrays have `count` rows (and room for more). From a Rollout they come one after
// another in time, those of one time step together; before them, in simultaneous games, those of earlier collections
// whose players have not been to act since.
struct Samples {
  int count = 0;
  std::vector<std::byte> inputs;       // [count x Backend::input_stride()]
  std::vector<std::uint8_t> masks;     // [count x mask_size]
  std::vector<std::int32_t> choices;   // [count x choice_count]
  std::vector<float> raw;              // [count x value_count]
  std::vector<float> log_probability;  // [count]
  std::vector<float> value;            // [count] estimated return, in the game's units
  std::vector<float> advantage;        // [count]
  std::vector<float> target;           // [count] return to learn, in the game's units
  std::vector<int> previous;           // [count] the same player's sample before it, or -1
  std::vector<int> initial;            // [count] row of initial_states, or -1; networks with memory only
  std::vector<int> player;             // [count] whose decision it is: match * seats + seat
  std::vector<float> initial_states;   // [players x memory size] from where a player's first sample starts
};

// Gathers decisions that are to be imitated, by a likelihood loss (UpdateOptions::loss): each has weight 1
// (`advantage`), and every player's memory starts empty. Not thread-safe.
class Demonstrations {
 public:
  Demonstrations(const Spec& spec, const Backend& backend, ObservationScale scale);

  // One decision of player match * seats + seat, after those that it made before: what it saw (not normalised), the
  // mask, and what it did, values in the game's units, parts that do not count as sample_actions() leaves them.
  void add(int player, const float* observation, const std::uint8_t* mask, const std::int32_t* choices,
           const float* values, float target);

  Samples& samples() { return samples_; }
  void clear();

 private:
  HeadLayout layout_;
  ObservationScale scale_;
  std::size_t stride_;
  std::unique_ptr<Executor> executor_;
  std::vector<int> last_;  // of each player, its last sample
  Samples samples_;
};

// The decisions of one seat, or of all seats (-1), in recorded matches, to be imitated. Each has as `target` what its
// team's match ended with. Parts that do not count are 0.
// Error: a replay that is of other rules, or that does not play as it was recorded. The network has no memory.
Result<Samples> samples_of(std::span<const Replay> replays, int seat, const BatchFactory& factory,
                           const Backend& backend, const ObservationScale& scale);

}  // namespace rival
