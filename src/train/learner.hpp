// Learning from experience: an update of one network from columns of samples, by a team of threads.
//
// Every shard, which is one of the Samples that an update is given, keeps gradients of its own, and they are added in
// order, so that the result does not depend on the number of threads.
//
// With a Reduction, learners in several processes take every step together: each is given its own samples, and what the
// samples of all of them say is added up where it counts: the moments by which advantages and targets are normalised,
// the rows of each minibatch, and the gradients before their norm is taken. All end with the same parameters.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "base/threads.hpp"
#include "nn/backend.hpp"
#include "nn/heads.hpp"
#include "train/reduction.hpp"
#include "train/samples.hpp"

namespace rival {

// What is made smaller: PPO's clipped loss, by advantages, or -log p of each decision times its `advantage`, for
// decisions that are to be imitated (columns that no network gave, log_probability and value, are then not read).
enum class LossKind { ppo, likelihood };

struct UpdateOptions {
  LossKind loss = LossKind::ppo;
  int epochs = 4, minibatches = 4;
  double learning_rate = 1e-3;
  double clip = 0.2, entropy = 0, value = 0.5;
  double gradient_norm = 0.5;   // gradients are scaled down to at most this length
  double averaged_share = 0.1;  // see Learner::averaged()
  // Advantages and returns are measured in a unit that never falls: the largest deviation that returns have had. The
  // entropy bonus then weighs as much whatever the players do. Otherwise the unit follows what they do: as they come to
  // do the same in every match, nothing differs any more, small differences count for much, and the bonus for nothing.
  bool steady = false;
  // Asked by all threads at once, between blocks of samples: true ends the update after the last whole minibatch. Null:
  // nobody asks.
  const std::function<bool()>* stop = nullptr;
};

struct UpdateStatistics {
  PpoStatistics loss;        // over all epochs
  double last_kl = 0;        // mean KL(old || new) over the last epoch
  double gradient_norm = 0;  // mean, before scaling
  int minibatches = 0;       // that were learnt from
  bool stopped = false;      // before all were
};

// Told between the parts of an update, on the calling thread, with no other thread at work. May be empty.
struct UpdateHooks {
  std::function<void()> before_gradients, after_gradients, before_apply, after_apply;  // each minibatch
};

class Learner {
 public:
  // The team, backend, network and reduction must outlive it. `shards`: how many Samples an update takes. `reduction`
  // may be null; with one, all processes need the same shards, parameters, options and keys.
  Learner(const Network& network, const HeadLayout& layout, const Backend& backend, Team& team, int shards,
          std::vector<float> parameters, Reduction* reduction = nullptr);
  ~Learner();

  // Error, naming the minibatch and the quantity, if the loss or a gradient is not finite, or the reduction's own; the
  // parameters are then those before that minibatch. Targets of the samples are normalised in place, and with PPO
  // advantages too.
  Result<UpdateStatistics> update(std::span<Samples* const> samples, const UpdateOptions& options, Key key,
                                  const UpdateHooks& hooks = {});

  std::vector<float>& parameters() { return parameters_; }
  const std::vector<float>& gradients() const { return gradients_; }  // the sum, during and after a minibatch
  // The packed form of the parameters; call pack() after changing them from outside.
  const Weights& weights() const { return *weights_; }
  void pack();

  // The running average of the parameters over about UpdateOptions::averaged_share of all updates, the last ones
  // (Polyak averaging): steadier than the newest ones, which still move with every batch.
  std::vector<float>& averaged() { return averaged_; }

  // Adam's state, for saving.
  std::vector<float>& first_moment() { return first_moment_; }
  std::vector<float>& second_moment() { return second_moment_; }
  std::int64_t& adam_steps() { return adam_steps_; }

  // The distribution of returns, by which the value head's targets are normalised. Changing it rescales the head so
  // that its predictions stay what they were (PopArt: van Hasselt et al., 2016).
  double value_mean = 0, value_scale = 1, value_weight = 0;

 private:
  struct Block {
    int first, count;
  };
  using Minibatch = std::vector<Block>;  // of samples, or of Shard::order if the network has memory
  struct Shard;
  struct Member;

  Result<void> normalise(std::span<Samples* const> samples, const UpdateOptions& options);
  Result<void> plan(std::span<Samples* const> samples, const UpdateOptions& options, Key key);
  void plan_sequences(Shard& shard, const Samples& samples, int minibatches, Random& random);
  PpoStatistics shard_gradients(Member& member, Shard& shard, const Samples& samples, int minibatch,
                                const PpoLoss& loss, const std::function<bool()>& stopped);

  const Network& network_;
  HeadLayout layout_;
  const Backend& backend_;
  Team& team_;
  Reduction* reduction_;
  std::vector<float> parameters_, averaged_, gradients_, first_moment_, second_moment_;
  std::int64_t adam_steps_ = 0;
  std::unique_ptr<Weights> weights_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<double> minibatch_rows_;  // of one epoch, in all processes
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace rival
