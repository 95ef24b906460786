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

// Where a resumed run's learning rate and entropy bonus go on.
enum class Schedule {
  automatic,  // restart where they had come to their end, else go_on
  go_on,      // where they stood, from there to the end of the budget
  restart,    // as at the start of a run, over what is left of the budget
};
template <>
inline constexpr std::array<Word<Schedule>, 3> kWords<Schedule>{
    {{"auto", Schedule::automatic}, {"continue", Schedule::go_on}, {"restart", Schedule::restart}}};

// The best player so far. In games of several teams: the first one that was measured, then every one that beat the best
// before it, with the 95% interval of its score above one half. In games of one team: likewise, by the mean score of
// the last 100 episodes of training, whose interval must lie above the former one's.
struct BestBot {
  std::string path;
  std::int64_t steps = 0;   // of training when it was taken
  std::string chosen_by;    // in words
  bool last_loses = false;  // whether the newest player is measurably worse
};

// Why a run ended.
enum class RunEnd { budget, score, patience, stopped, spent };  // spent: a resumed one, before it began
std::string to_string(RunEnd end);

struct RunOptions {
  std::string folder;
  bool resume = false;
  Schedule schedule = Schedule::automatic;
  const Bot* start =
      nullptr;  // what a new run starts from (agent/transplant.hpp); its network is the run's. Null: nothing
  const std::atomic<bool>* stop = nullptr;  // set from elsewhere (a signal): end within a second, saved
  std::function<void(const RunProgress&)> on_progress;
  std::function<void(const std::string&)> on_message;  // something to tell people at once, in a sentence
};

struct RunSummary {
  RunProgress last;
  std::int64_t steps = 0;
  std::string bot;       // path of the final bot
  bool stopped = false;  // by `stop`, before the budget was used up
  RunEnd end = RunEnd::budget;
  std::optional<BestBot> best;
  std::vector<std::string> warnings;  // that training has gone wrong, with what to do
};

// Trains until the budget of `config` is used up. Error: a budget that is missing, a folder that holds another run or
// cannot be written, a game that misbehaves, a loss that is not finite. What was saved before an error stays.
Result<RunSummary> run_training(const GameEntry& game, const TrainConfig& config, const RunOptions& options);

// The options a run was started with, from its folder's config.toml; `game` is the name of its game, `origin`
// where that came from (GameEntry::origin).
struct SavedRun {
  std::string game, origin;
  TrainConfig config;
};
Result<SavedRun> read_run(const std::string& folder);

}  // namespace rival
