// Collecting experience: one Rollout owns a shard of the matches, plays them with the present policy (some of their
// seats with a past one), and has a Recorder put down what happened.
//
// A rollout's results depend on its own keys and weights only, never on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "agent/agent.hpp"
#include "agent/limits.hpp"
#include "base/result.hpp"
#include "game/batch.hpp"
#include "game/match_settings.hpp"
#include "nn/backend.hpp"
#include "nn/heads.hpp"
#include "train/recorder.hpp"

namespace rival {

// A match that ended while collecting.
struct Episode {
  int step = 0, match = 0;        // in the rollout; where and when
  float score = 0;                // mean return of the learner's seats
  float lowest = 0, highest = 0;  // return of any seat
  int length = 0;                 // steps
  bool cut = false;               // truncated by the game
  bool explorer = false;          // played by an explorer
  // Matches that were against one opponent from beginning to end: its Opponent::term, and the learner's score, 0 to
  // 1. Others: -1.
  int term = -1;
  double result = 0;
};

// A network with the weights of one moment. A view: it owns nothing.
struct Policy {
  const Weights* weights;
  const ObservationScale* scale;
  const float* log_std;
  float value_mean, value_scale;
  float temperature = 1;  // of its actions
};

// Who plays the other team in some of the matches and is not learnt from: a policy, or an agent; with neither the
// learner plays itself. `term` tells one opponent from the next.
struct Opponent {
  const Policy* policy = nullptr;
  Agent* agent = nullptr;
  int term = 0;

  explicit operator bool() const { return policy || agent; }
};

// Sums over rows of observations, for the normaliser.
struct ObservationSums {
  double rows = 0;
  // [columns] of x and x^2. Of columns that are alike, the first has the sums of |x| and x^2 over all, the others 0.
  std::vector<double> sum, square;
};

struct RolloutOptions {
  int horizon = 32;          // the most steps one collect() will ever be asked for
  int opponent_matches = 0;  // the last so many matches are against the opponent, if there is one
  double opening_share = 0;  // of the matches, those that begin with moves at random (see open_match)
  // Whether the second match that each place plays is cut short at random, and the next one begins: matches that began
  // together would show the learner all of their beginnings, then all of their ends.
  bool staggered = false;
  Limits limits;                              // of the learner and of the opponents' policies
  std::vector<ObservedParameter> rules = {};  // that the network sees besides what the game shows
};

struct CollectOptions {
  int steps = 32;
  float discount = 1;    // of a step of the match, whoever acts in it
  float lambda = 0.95f;  // of a decision
  // How much of a seat's reward is its team's mean instead of its own, 0 to 1 (OpenAI Five, 2019).
  float team_spirit = 0;
  // How much of the mean reward of the other teams' seats is taken from a seat's, 0 to 1 (likewise): with 1, only to be
  // ahead is worth something.
  float rivalry = 0;
  // The last so many matches are played by explorers, from when they next begin; in games of one team. See
  // exploration.hpp.
  int explorers = 0;
  // Asked before every step of the matches: true ends the collection there. Null: nobody asks.
  const std::function<bool()>* stop = nullptr;
};

class Rollout {
 public:
  Rollout(std::unique_ptr<Batch> batch, const Backend& backend, const Network& network, const RolloutOptions& options);

  // Starts all matches. Error if the game breaks its promises.
  void start(const MatchSettings& settings, Key key);

  // Plays some steps with `policy`, and fills samples() with advantages by GAE (Schulman et al., 2016). What the last
  // decision of a player who is not to act at the end was worth, only a later collection knows: here its advantage is
  // 0. In simultaneous games, where a seat waits because something happened to it, it comes again in the next
  // collection; in games of turns everybody waits, and to learn it late costs more than it brings. The executor must
  // be made for max_rows() at least. A collection that was stopped gives no samples, and start() must come next. Error,
  // naming seat and step, if the game gives something that is not finite, or a mask that allows nothing.
  Result<void> collect(Executor& executor, const Policy& policy, const Opponent& opponent,
                       const CollectOptions& options, Key key);
  int opponent_matches() const { return options_.opponent_matches; }
  int matches() const { return batch_->matches(); }
  int max_rows() const { return static_cast<int>(scratch_log_.size()); }

  Samples& samples() { return recorder_.samples(); }
  const std::vector<Episode>& episodes() const { return episodes_; }
  // Decisions made in the last collect(), the opponents' included.
  std::int64_t decisions() const { return decisions_; }
  // Of the observations in the last collect().
  const ObservationSums& seen() const { return seen_; }

 private:
  // Decides whether an explorer, one of the last so many, plays a new match.
  void choose_explorer(int match, int explorers, Key key);
  // Decides by how many random steps a new match begins: none, or up to half the length of the matches of late. Nobody
  // learns from those moves, but what follows shows positions that good players alone would never reach. Decides as
  // well whether it is cut short, and where.
  void open_match(int match, Key key);
  // Starts the next match in these places.
  void start_next(const std::vector<int>& places);
  void encode(Executor& executor, const ObservationScale& scale, std::span<const int> rows, std::byte* inputs) const;
  enum class Role { learner, explorer, opponent };
  void act(Executor& executor, const Policy& policy, std::span<const int> rows, Key key, Role role);
  Result<void> act_opponent(Executor& executor, const Opponent& opponent, Key key);
  Result<void> step_matches(Executor& executor, const Policy& policy, const CollectOptions& options, int step);
  void bootstrap_end(Executor& executor, const Policy& policy, int steps);
  const float* forward(Executor& executor, const Policy& policy, const std::byte* inputs, int count);
  // What the row's position is worth, in the game's units, by what forward() returned.
  float worth(const Policy& policy, const float* heads, std::size_t row) const;
  void note_columns();
  int seat_index(int match, int seat) const { return match * batch_->spec().seats + seat; }
  // The team that the learner plays in a match against an opponent.
  int own_team(int match) const { return own_team_[match]; }
  // Deals the learner a team of each match: those that take part, in turn.
  void choose_teams(std::span<const int> matches);
  bool is_against_opponent(int match) const {
    return opposed_ && match >= batch_->matches() - options_.opponent_matches;
  }

  std::unique_ptr<Batch> batch_;
  BatchRows rows_;                 // the present step
  std::unique_ptr<Agent> random_;  // plays the openings
  HeadLayout layout_;
  RolloutOptions options_;
  int memory_size_, stride_, observation_size_;  // of the network
  bool opposed_ = false;                         // the last collect() had an opponent
  int term_ = 0;                                 // its term
  std::vector<int> own_team_;                    // [matches]
  std::vector<int> match_term_;                  // [matches] the term in which the match began, or -1
  MatchSettings settings_;
  Key key_;
  std::vector<std::uint64_t> episode_number_;  // [matches]
  double mean_length_ = 0;                     // of the matches of late, in steps; 0: none has ended yet
  std::vector<int> random_steps_;              // [matches] still to come
  int explorers_ = 0;                          // CollectOptions::explorers of the last collect()
  std::vector<std::uint8_t> exploring_;        // [matches] whether it is an explorer's
  std::vector<int> cut_at_;                    // [matches] the step at which the match is cut short, or 0

  // The present step's rows, by who decides.
  std::vector<int> learner_rows_, explorer_rows_, opponent_rows_, random_rows_, deciding_;
  DelayLine delay_;
  ActionHold hold_;
  RulesSight sight_;
  // The observations that are acted on: those of rows_, or those of a while ago, with the rules that are seen.
  const float* shown_ = nullptr;

  // Scratch: what is decided but not learnt from, and the players of the rows that go through a network.
  std::vector<float> final_observation_, noted_rules_, scratch_raw_, scratch_log_, scratch_value_;
  std::vector<std::uint8_t> scratch_masks_;
  std::vector<std::int32_t> scratch_choices_;
  std::vector<std::byte> scratch_inputs_;
  std::vector<int> scratch_initial_, scratch_previous_;

  Recorder recorder_;
  std::vector<int> steps_before_;  // [matches] scratch
  std::vector<float> states_;      // [matches x seats x memory]
  std::vector<float> returns_;     // [matches x seats] so far
  std::vector<Episode> episodes_;
  std::int64_t decisions_ = 0;
  ObservationSums seen_;
  std::vector<std::size_t> noted_columns_;  // those that are normalised
  const std::vector<std::vector<int>>& alike_;
};

}  // namespace rival
