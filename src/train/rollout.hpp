// Collecting experience: one Rollout owns a shard of the matches, plays them with the present policy (some of their
// seats with a past one), and holds what happened in the form that the update reads.
//
// A rollout's results depend on its own keys and weights only, never on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "agent/agent.hpp"
#include "base/result.hpp"
#include "game/batch.hpp"
#include "nn/backend.hpp"
#include "nn/heads.hpp"

namespace rival {

// Decisions of the learner, one after another in time, those of one time step together. Arrays have `count` rows (and
// room for more).
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
  std::vector<int> player;             // [count] match * seats + seat
};

// A match that ended while collecting.
struct Episode {
  int step = 0, match = 0;  // in the rollout; where and when
  float score = 0;          // mean return of the learner's seats
  int length = 0;           // steps
};

// A network with the weights of one moment. A view: it owns nothing.
struct Policy {
  const Weights* weights;
  const ObservationScale* scale;
  const float* log_std;
  float value_mean, value_scale;
  float temperature = 1;  // of its actions
};

class Rollout {
 public:
  // `horizon`: the most steps one collect() will ever be asked for.
  // `opening_share`: of the matches, those that begin with moves at random (see open_match).
  Rollout(std::unique_ptr<Batch> batch, const Backend& backend, const Network& network, int horizon, int past_matches,
          double opening_share);

  // Starts all matches. Error if the game breaks its promises.
  void start(const Settings& settings, Key key);

  // Plays `steps` steps with `policy`, the last `past_matches` matches against `past` (null: against itself), and fills
  // samples() with advantages by GAE (Schulman et al., 2016). The executor must be made for max_rows() at least. Error,
  // naming seat and step, if the game gives something that is not finite, or a mask that allows nothing.
  Result<void> collect(Executor& executor, const Policy& policy, const Policy* past, int steps, Key key, float discount,
                       float lambda);
  int max_rows() const { return static_cast<int>(scratch_log_.size()); }

  Samples& samples() { return samples_; }
  const std::vector<Episode>& episodes() const { return episodes_; }
  const float* initial_states() const { return initial_states_.data(); }
  // Decisions made in the last collect(), the past selves' included.
  std::int64_t decisions() const { return decisions_; }
  // Sums over observation rows seen, for the normaliser: count, and per column sum and sum of squares (zero for columns
  // that are not normalised).
  double seen() const { return seen_; }
  const std::vector<double>& column_sums() const { return column_sums_; }
  const std::vector<double>& column_squares() const { return column_squares_; }

 private:
  // Decides by how many random steps a new match begins: none, or up to half the length of the matches of late. Nobody
  // learns from those moves, but what follows shows positions that good players alone would never reach.
  void open_match(int match, Key key);
  Result<void> check_rows(int step) const;
  void act(Executor& executor, const Policy& policy, std::span<const int> rows, Key key, bool learn, int step);
  Result<void> step_matches(Executor& executor, const Policy& policy, int step);
  void finish(Executor& executor, const Policy& policy, int steps, float discount, float lambda);
  void note_columns();
  int seat_index(int match, int seat) const { return match * batch_->spec().seats + seat; }
  bool is_past(int row) const;

  std::unique_ptr<Batch> batch_;
  std::unique_ptr<Agent> random_;  // plays the openings
  HeadLayout layout_;
  int memory_size_, stride_, past_matches_;
  bool past_active_ = false;
  Settings settings_;
  Key key_;
  std::vector<std::uint64_t> episode_number_;  // [matches]
  double opening_share_;
  double mean_length_ = 0;         // of the matches of late, in steps; 0: none has ended yet
  std::vector<int> random_steps_;  // [matches] still to come

  // The present step, all rows.
  std::vector<float> observations_;
  std::vector<std::uint8_t> masks_;
  std::vector<std::int8_t> seats_;
  std::vector<std::int32_t> choices_;
  std::vector<float> values_;
  std::vector<int> learner_rows_, past_rows_, random_rows_;

  // Scratch of act().
  std::vector<float> gathered_observations_, scratch_raw_, scratch_log_;
  std::vector<std::uint8_t> gathered_masks_;
  std::vector<std::int32_t> scratch_choices_;
  std::vector<std::byte> scratch_inputs_;
  std::vector<int> scratch_initial_, scratch_previous_;

  // The whole collection.
  Samples samples_;
  std::vector<int> sample_at_;  // [steps x rows] index into samples, or -1
  std::vector<float> rewards_;  // [steps x matches x seats]
  std::vector<Status> status_;  // [steps x matches]
  struct Final {
    int step, player;
    float value;
  };
  std::vector<Final> finals_;          // values of the last observations of truncated matches
  std::vector<int> last_sample_;       // [matches x seats] while collecting
  std::vector<float> states_;          // [matches x seats x memory]
  std::vector<float> initial_states_;  // the same when collecting began
  std::vector<float> returns_;         // [matches x seats] so far
  std::vector<Episode> episodes_;
  std::int64_t decisions_ = 0;
  double seen_ = 0;
  std::vector<std::size_t> noted_columns_;  // those that are normalised
  std::vector<double> column_sums_, column_squares_;
};

}  // namespace rival
