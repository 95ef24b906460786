// Putting down what is played in the form that the update reads: a Recorder holds one collection's decisions, in
// columns, and what came of them, and knows of no game, no network and no opponent.
//
// Calls come in the order of play: begin(), then for each step start_step(), take() for those who decide, outcome() and
// what follows from it, then finish(). A player is a seat of one of the matches: match * seats + seat.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "nn/heads.hpp"
#include "train/advantages.hpp"
#include "train/samples.hpp"

namespace rival {

class Recorder {
 public:
  struct Size {
    int matches, seats;
    int horizon;    // the most steps of a collection
    int decisions;  // the most that a collection holds, with the padding of the last ones
    int memory;     // of a player, in floats
    int stride;     // of an encoded observation, in bytes
  };
  Recorder(const HeadLayout& layout, const Size& size);

  // The matches start anew: nobody waits.
  void clear() { waiting_.clear(); }
  // Begins a collection with the decisions that wait for their players' next ones, of players that `learns` says so of.
  // states: [players x memory], as they are now.
  void begin(std::span<const float> states, const std::function<bool(int player)>& learns);

  // Where the next decisions are to be written; take() takes the first so many of them.
  struct Room {
    std::byte* inputs;
    std::uint8_t* masks;
    std::int32_t* choices;
    float *raw, *log_probability, *value;
  };
  Room room();
  // states: [players x memory] from which they were made. `explored`: by an explorer (exploration.hpp).
  void take(std::span<const int> players, std::span<const float> states, bool explored);

  void start_step(int step) { first_at_[step] = samples_.count; }
  // What came of a step, to be written there.
  struct Outcome {
    float* rewards;         // [players]
    Status* status;         // [matches]
    std::uint8_t* stepped;  // [matches] whether time passed in the match
  };
  Outcome outcome(int step);
  // Whether the player has decided in this collection and its match has not ended since.
  bool is_awaiting(int player) const { return last_sample_[player] >= 0; }
  // A match was stopped while it ran.
  void cut(int step, int match) { cuts_.push_back({step, match}); }
  // What is still to come to a player, after a step that truncated its match or after the last one.
  void bootstrap(int step, int player, float value) { bootstraps_.push_back({step, player, value}); }
  // A new match begins in a place: its players have no past.
  void new_match(int match);

  // Fills the samples' advantages and targets. What the last decision of a player who is not to act at the end was
  // worth is known later: with `wait` it comes again in the next collection. Here its advantage is 0.
  void finish(int steps, float discount, float lambda, bool wait);
  // A collection that was given up has none.
  Samples& samples() { return samples_; }

 private:
  HeadLayout layout_;
  Size size_;
  Samples samples_;
  std::vector<std::uint8_t> explored_;  // [samples] whether it is an explorer's
  std::vector<int> first_at_;           // [steps + 1] the first sample of each step
  std::vector<float> rewards_;          // [steps x players]
  std::vector<Status> status_;          // [steps x matches]
  std::vector<std::uint8_t> stepped_;   // [steps x matches]
  std::vector<Trajectories::Cut> cuts_;
  std::vector<Trajectories::Bootstrap> bootstraps_;
  std::vector<WaitingDecision> waiting_;  // decisions whose players are not to act at the end
  std::vector<int> last_sample_;          // [players] in the present collection and match, or kFirst or kNew
  std::vector<float> states_before_;      // [players x memory] from which the last decision was made
};

}  // namespace rival
