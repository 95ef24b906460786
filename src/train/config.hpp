// Everything a training run can be told. The defaults learn every game; there are no settings per game.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/options.hpp"
#include "nn/backend.hpp"
#include "nn/network.hpp"
#include "rival/game.hpp"

namespace rival {

struct TrainConfig {
  // Budget: the run ends at the first of these that is reached; 0 is none. One of them is wanted.
  double minutes = 0;
  std::int64_t steps = 0;  // decisions of seats
  bool until_score_set = false;
  double until_score = 0;

  std::int64_t seed = 1;
  int threads = 0;  // 0: one per processor
  NetworkOptions network;
  std::string precision = "auto";
  std::string backend = "onednn";

  int rows = 1024;   // decisions made at once, over all matches
  int horizon = 64;  // decisions per row and iteration, once grown; see train/trainer.cpp
  int epochs = 4;
  int minibatches = 4;
  double learning_rate = 1e-3;
  double discount = 0;  // 0: 1 for games of several teams, 0.99 for games of one
  double lambda = 0.95;
  double clip = 0.2;
  double entropy = -1;  // weight of the entropy bonus at the start; -1: from the Spec
  double value = 0.5;
  double gradient_norm = 0.5;
  double past_share = 0.2;  // of the matches of games of several teams, against past selves
};

// The rows of the option table for config.toml and --set; they point into `config`.
std::vector<OptionRow> option_rows(TrainConfig& config);

// What "auto" stands for: the values that depend on the Spec.
struct ResolvedConfig {
  double discount, entropy, entropy_end;
  Precision precision;
};
Result<ResolvedConfig> resolve(const TrainConfig& config, const Spec& spec);

}  // namespace rival
