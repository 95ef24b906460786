// The training loop as a library: a Trainer holds a game's matches, a policy that learns from them by PPO and its past
// selves, and goes on one iteration at a time. docs/own-the-loop.md is a page of code that uses it; run.hpp is the loop
// of `rival train`, with a run folder, evaluations and a budget.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/bot.hpp"
#include "base/threads.hpp"
#include "league/population.hpp"
#include "match/game_entry.hpp"
#include "match/match.hpp"
#include "train/config.hpp"
#include "train/exploration.hpp"
#include "train/learner.hpp"
#include "train/reduction.hpp"
#include "train/rollout.hpp"

namespace rival {

// What an iteration was like.
struct IterationReport {
  std::int64_t iteration = 0;                    // 1, 2, ...
  std::int64_t steps = 0;                        // decisions so far
  int episodes = 0;                              // that ended in this iteration
  double episode_length = 0;                     // their mean
  double lowest_return = 0, highest_return = 0;  // of any seat in them, explorers' too
  double learning_rate = 0, entropy_weight = 0, discount = 1;
  double policy_loss = 0, value_loss = 0, entropy = 0, kl = 0, clipped = 0, gradient_norm = 0;  // means
  double collect_seconds = 0, update_seconds = 0;
  double updated_rows = 0;   // samples that the update went over, those of all epochs together
  bool exploring = false;    // explorers played some of the matches: see exploration.hpp
  bool interrupted = false;  // by Trainer::stop; what the update had learnt by then stays, the rest is dropped
};

// Called on the thread that calls iterate(), with no other thread at work. Any may be empty.
struct TrainerHooks {
  std::function<void()> before_collect, after_collect;
  std::function<void()> before_gradients, after_gradients;  // each minibatch; gradients() may be read
  std::function<void()> before_apply, after_apply;  // each minibatch; parameters() may be changed in after_apply
};

// Not thread-safe; it has threads of its own while iterate() runs.
class Trainer {
 public:
  // `reduction` may be null and must outlive the trainer. With one, several processes train one player together: each
  // plays its own matches, and parameters(), steps() and what the player sees of the world stay the same in all of
  // them. All need the same game and config, and must call iterate() equally often with the same progress; `stop` in
  // one of them stops all. score(), and the records of the population, are of the matches played here.
  static Result<std::unique_ptr<Trainer>> make(const GameEntry& game, const TrainConfig& config,
                                               Reduction* reduction = nullptr);
  ~Trainer();

  // Collects experience and learns from it. `progress`, 0 to 1, says how much of the run is over, for the schedules.
  // When `stop` ends it while it collects, nothing has happened, but that matches start anew; while it learns, the
  // minibatches done by then are the iteration. Either way the trainer can go on, or be saved.
  // After an error (a game that misbehaves, a loss that is not finite) the trainer is as it was before the failed
  // minibatch and should be saved no more.
  Result<IterationReport> iterate(double progress = 0);

  TrainerHooks hooks;
  // Asked by all threads at once, before each step of the matches and each block of samples: true ends iterate() soon,
  // within a second even where networks are wide. Empty: nobody is asked.
  std::function<bool()> stop;

  const Network& network() const { return *network_; }
  // The options in force, those of the network too.
  const ResolvedConfig& resolved() const { return resolved_; }
  int threads() const { return team_.size(); }
  std::int64_t steps() const { return steps_; }
  std::int64_t iterations() const { return iterations_; }
  // Mean score of the last 100 episodes, once there are that many: the return of a game of one team; in others the
  // learner's mean return, which self-play keeps near zero.
  std::optional<double> score() const;
  // The same with its 95% interval.
  std::optional<Estimate> score_estimate() const;

  std::vector<float>& parameters() { return learner_->parameters(); }
  const std::vector<float>& gradients() const { return learner_->gradients(); }

  // The player as it is now.
  Bot bot() const;
  // Starts from what a bot has learnt, instead of from nothing. Its network must be of the same shape as network().
  void start_from(const Bot& bot);

  // Whom it plays besides itself; iterate() adds past selves and notes what came of the matches.
  const Population& population() const { return population_; }
  void add_exploiter(const std::string& name, const Bot& bot);
  // Makes it an exploiter: from now on all matches are against this one player, which stays as it is.
  void exploit(const Bot& target);

  // All that a run needs to go on, except the matches in play and the population's bots: matches start anew on resume,
  // and the bots are files of their own.
  TensorFile state() const;
  struct SavedMember {
    std::string name;
    Member::Kind kind;
    Bot bot;
  };
  Result<void> restore(const TensorFile& state, std::vector<SavedMember> population, const std::string& file);

 private:
  // Whom a rollout plays: a member of the population or a script, from one choice to the next.
  struct Challenger {
    std::string name;  // of the member; empty for scripts
    std::shared_ptr<const Bot> bot;
    std::shared_ptr<const Weights> weights;
    Policy policy;
    std::unique_ptr<Agent> script;
    int term = 0;
    int ended = 0;  // matches of this term
  };
  Trainer(const GameEntry& game, const ResolvedConfig& resolved, Network network, Reduction* reduction);
  void start_matches();
  // Of the rollout that is number i here, a part of `key` that no other has, in whatever process.
  Key rollout_key(Key key, std::size_t i) const;
  void choose_challengers(Key key);
  Challenger challenger(Random& random) const;
  void add_past();
  void add_member(std::string name, Member::Kind kind, Bot bot);
  Policy policy() const;
  Result<void> update_scale();
  void refresh_scale();
  int horizon() const;
  double discount() const;
  int explorers() const;
  void note_end(const Episode& episode);

  GameEntry game_;
  ResolvedConfig resolved_;
  std::vector<ObservedParameter> rules_;  // that the player sees
  std::unique_ptr<Network> network_;
  HeadLayout layout_;
  Team team_;
  Reduction* reduction_;
  std::unique_ptr<Backend> backend_;
  std::vector<std::unique_ptr<Executor>> executors_;  // one per thread
  std::vector<std::unique_ptr<Rollout>> rollouts_;
  std::unique_ptr<Learner> learner_;
  Population population_;
  std::int64_t next_past_at_ = 0;        // steps at which the next past self joins
  std::vector<Challenger> challengers_;  // one per rollout, once there is a population
  bool exploiter_ = false;
  bool start_anew_ = false;  // the matches: collecting was interrupted
  Key key_;
  std::int64_t steps_ = 0, iterations_ = 0;
  // Of the matches of late: the share of those that were cut short, and the mean length of these.
  Exploration exploration_;
  double cut_share_ = 0, cut_length_ = 0;
  ObservationScale scale_;
  double seen_ = 0;
  std::vector<double> column_mean_, column_square_;  // running means, see ObservationSums
  std::vector<float> last_scores_;                   // a ring of the last 100
  std::size_t next_score_ = 0;
};

}  // namespace rival
