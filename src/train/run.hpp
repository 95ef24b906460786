// The training run of `rival train`: a Trainer's loop with a budget, evaluations, a run folder from which it can be
// resumed, and someone to watch it.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "match/match.hpp"
#include "train/run_folder.hpp"
#include "train/trainer.hpp"

namespace rival {

// The present bot, most likely actions (as the policy draws them in games of hidden information), against another
// player.
struct Evaluation {
  std::string opponent;
  Estimate score;
};

// How a run stands after an iteration.
struct RunProgress {
  IterationReport iteration;
  double seconds = 0;           // of training, evaluations and earlier sessions included
  double steps_per_second = 0;  // over this session
  double done = 0;              // share of the budget, 0 to 1; 0 if the only budget is a score
  std::optional<double> seconds_left;
  std::optional<double> score;  // Trainer::score()
  // Games of several teams: the newest evaluation against each opponent, and the rating at each evaluation so far: 0 at
  // the first, then Elo gained against the bot of the evaluation before. A growing curve says self-play is improving.
  std::vector<Evaluation> evaluations;
  std::vector<double> ratings;
  bool evaluated = false;  // `evaluations` are new
};

struct RunOptions {
  std::string folder;
  bool resume = false;
  const Bot* start =
      nullptr;  // what a new run starts from (agent/transplant.hpp); its network is the run's. Null: nothing
  const std::atomic<bool>* stop = nullptr;  // set from elsewhere (a signal): end within a second, saved
  std::function<void(const RunProgress&)> on_progress;
};

struct RunSummary {
  RunProgress last;
  std::int64_t steps = 0;
  std::string bot;       // path of the final bot
  bool stopped = false;  // by `stop`, before the budget was used up
};

// Trains until the budget of `config` is used up. Error: a budget that is missing, a folder that holds another run or
// cannot be written, a game that misbehaves, a loss that is not finite. What was saved before an error stays.
Result<RunSummary> run_training(const GameEntry& game, const TrainConfig& config, const RunOptions& options);

// The options a run was started with, from its folder's config.toml; `game` is the name of its game.
struct SavedRun {
  std::string game;
  TrainConfig config;
};
Result<SavedRun> read_run(const std::string& folder);

}  // namespace rival
