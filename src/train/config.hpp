// Everything a training run can be told. The defaults learn every game; there are no settings per game.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "agent/limits.hpp"
#include "base/options.hpp"
#include "base/words.hpp"
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
  NetworkOptions network = {.memory = -1, .entity_inner = -1};
  double memory_span = 0;  // over which the longest units of a new memory fade, in decisions; 0: from the Spec
  Named<std::optional<Precision>> precision;  // of matrix products; none: the processor's best
  Named<BackendKind> backend = BackendKind::onednn;

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
  double look_ahead = -1;    // a share of the length at which matches are cut; -1: 0.3, or 0 with a discount
  double lambda = 0.95;
  double clip = 0.2;
  double entropy = -1;      // weight of the entropy bonus at the start; -1: from the Spec
  double entropy_end = -1;  // and at the end; -1: from the Spec
  double value = 0.5;
  double gradient_norm = 0.5;
  double averaged_share = 0;    // of the run, the last of it, over whose updates a player's parameters are the mean
  double opening_share = -1;    // of the matches that begin with moves at random; -1: from the Spec
  double explorer_share = -1;   // of the matches that explorers play while they find more; -1: from the Spec
  double team_spirit = -1;      // share of a seat's reward that is its team's mean, at the start; -1: from the Spec
  double team_spirit_end = -1;  // and at the end; -1: from the Spec
  double rivalry = -1;          // share of the others' mean reward taken from a seat's; -1: from the Spec

  // The league.
  double past_share = -1;                         // of the matches that are against the population; -1: from the Spec
  Named<std::optional<Matchmaking>> matchmaking;  // none: from the Spec
  double anchor_share = 0;     // of the matches against the population, those that are against the game's scripts
  double exploiter_share = 0;  // of all decisions, those of exploiters
};

// Options that are left open are chosen by what kind of game the Spec describes.
enum class Preset { one_team, several_teams, mixed_play, real_time };  // the last: of teams
constexpr std::size_t kPresets = 4;
Preset preset_of(const Spec& spec);
std::string to_string(Preset preset);  // in words

// An option of training: all there is to know of it, but what it does.
struct TrainOption {
  OptionRow row;
  // Sets it to what its preset says, if it is left open. Null: it is never open.
  std::function<void(const Spec&)> choose = nullptr;
  std::array<std::string, kPresets> chosen = {};  // what each preset says, for people
};

// Of all options, in the order of config.toml. They point into `config`.
std::vector<TrainOption> train_options(TrainConfig& config);
std::vector<OptionRow> option_rows(TrainConfig& config);  // for config.toml and --set

// With nothing left open.
struct ResolvedConfig {
  // The values in force, which a run keeps, whatever later versions would choose; only what belongs to the machine is
  // as it was: threads and precision. What `network` leaves open is for Network::make to choose.
  TrainConfig options;
  Preset preset = Preset::one_team;
  MatchSettings settings;
  Limits limits;
  bool hot_opponents = true;  // past selves also play hotter and more at random than they learnt to
  Precision precision = Precision::f32;
};
Result<ResolvedConfig> resolve(const TrainConfig& config, const Spec& spec);

}  // namespace rival
