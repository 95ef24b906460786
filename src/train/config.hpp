// Everything a training run can be told. The defaults learn every game; there are no settings per game.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "agent/limits.hpp"
#include "base/options.hpp"
#include "league/population.hpp"
#include "nn/backend.hpp"
#include "nn/network.hpp"
#include "rival/game.hpp"

namespace rival {

struct TrainConfig {
  // Budget: the run ends at the first of these that is reached.
  double minutes = 0;                                            // of training; 0: no limit
  std::int64_t steps = 0;                                        // decisions of seats; 0: no limit
  double until_score = std::numeric_limits<double>::infinity();  // mean score of the last 100 episodes

  int patience = 0;  // the run ends after so many evaluations in a row without a new best player; 0: it does not

  std::int64_t seed = 1;
  int threads = 0;  // 0: one per processor
  NetworkOptions network = {.memory = -1};
  std::string precision = "auto";
  std::string backend = "onednn";

  std::string parameters;         // of the game's rules: "name=value,name=value"; the others as the Spec has them
  std::string picks;              // before every match: "hero=a,team0.hero=b,c" (set_picks in game/spec.hpp)
  double reaction_ms = 0;         // of the player: see agent/limits.hpp
  double actions_per_minute = 0;  // at most; 0: any number

  int rows = 0;              // decisions made at once, over all matches; 0: from the Spec
  int horizon = 0;           // most decisions per row in an iteration; 0: from the Spec
  int epochs = 0;            // 0: from the Spec
  int minibatches = 0;       // 0: from the Spec
  double learning_rate = 0;  // at the start; 0: from the Spec
  double discount = 0;       // 0: from the Spec
  double lambda = 0.95;
  double clip = 0.2;
  double entropy = -1;      // weight of the entropy bonus at the start; -1: from the Spec
  double entropy_end = -1;  // and at the end; -1: from the Spec
  double value = 0.5;
  double gradient_norm = 0.5;
  double averaged_share = 0;    // of the run, the last of it, over whose updates a player's parameters are the mean
  double opening_share = -1;    // of the matches that begin with moves at random; -1: from the Spec
  double team_spirit = -1;      // share of a seat's reward that is its team's mean, at the start; -1: from the Spec
  double team_spirit_end = -1;  // and at the end; -1: from the Spec
  double rivalry = -1;          // share of the others' mean reward taken from a seat's; -1: from the Spec

  // The league.
  double past_share = -1;  // of the matches that are against the population; -1: from the Spec
  std::string matchmaking = "auto";
  double anchor_share = 0;     // of the matches against the population, those that are against the game's scripts
  double exploiter_share = 0;  // of all decisions, those of exploiters
};

// The rows of the option table for config.toml and --set; they point into `config`.
std::vector<OptionRow> option_rows(TrainConfig& config);

// What "auto" stands for: the values that depend on the Spec.
struct ResolvedConfig {
  NetworkOptions network;
  Settings settings;
  Limits limits;
  int rows, horizon, epochs, minibatches;
  double learning_rate, discount, entropy, entropy_end, team_spirit, team_spirit_end, rivalry, past_share,
      opening_share, averaged_share;
  bool hot_opponents;  // past selves also play hotter and more at random than they learnt to
  Matchmaking matchmaking;
  Precision precision;
};
Result<ResolvedConfig> resolve(const TrainConfig& config, const Spec& spec);

// The options with the values in force instead of "auto": what a run keeps, whatever later versions would choose.
// `network`: that of the trainer. Left as they are: threads and precision, which belong to the machine.
TrainConfig in_force(TrainConfig config, const ResolvedConfig& resolved, const NetworkOptions& network);

}  // namespace rival
