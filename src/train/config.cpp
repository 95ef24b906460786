#include "train/config.hpp"

#include <algorithm>
#include <cmath>

#include "base/number.hpp"
#include "game/spec.hpp"

namespace rival {

std::vector<OptionRow> option_rows(TrainConfig& c) {
  return {
      {"minutes", &c.minutes, "the run ends after this long; 0: no limit", 0, 1e6},
      {"steps", &c.steps, "the run ends after this many decisions of seats; 0: no limit", 0, 9e15},
      {"until_score", &c.until_score, "the run ends when the mean score of the last 100 episodes is this; inf: never",
       std::numeric_limits<double>::lowest(), std::numeric_limits<double>::infinity()},
      {"patience", &c.patience,
       "the run ends after so many evaluations in a row that show no better player; 0: it does not", 0, 1e6},
      {"seed", &c.seed, "names all randomness of the run: same seed, options and budget in steps, same bytes", 0,
       static_cast<double>(kLargestSeed)},
      {"threads", &c.threads, "0: one per processor; at most 8 are used, and results do not depend on their number", 0,
       256},
      {"hidden", &c.network.hidden, "widths of the network's layers; none: chosen from what the game says", 1, 8192},
      {"memory", &c.network.memory,
       "width of the recurrent memory, equal to the last hidden width; 0: none; -1: chosen from what the game says", -1,
       8192},
      {"grid",
       &c.network.grid,
       "how grids are read; auto convolves those of more than 1024 cells",
       0,
       0,
       {"auto", "flat", "convolution"}},
      {"entity", &c.network.entity, "width of the encoding of entities, in games that have them", 1, 1024},
      {"precision",
       &c.precision,
       "of matrix products; auto: bf16 where the processor has it",
       0,
       0,
       {"auto", "f32", "bf16"}},
      {"backend", &c.backend, "what computes the network", 0, 0, {"onednn", "reference"}},
      {"parameters", &c.parameters,
       "of the game's rules, as \"name=value,name=value\"; the others keep their defaults"},
      {"picks", &c.picks,
       "before every match, as \"hero=a\" for all seats, \"team0.hero=a,b\" for a team's, \"3.hero=a\" for one, or "
       "several "
       "of these after commas; the others are drawn"},
      {"reaction_ms", &c.reaction_ms, "how long the player takes to react; 0: no time", 0, 10'000},
      {"actions_per_minute", &c.actions_per_minute, "the most the player makes; 0: any number", 0, 1e6},
      {"rows", &c.rows, "decisions made at once, over all matches; 0: chosen from what the game says", 0, 1 << 20},
      {"horizon", &c.horizon, "most decisions per row in an iteration; 0: chosen from what the game says", 0, 4096},
      {"epochs", &c.epochs, "passes over each iteration's experience; 0: chosen from what the game says", 0, 100},
      {"minibatches", &c.minibatches, "updates per pass; 0: chosen from what the game says", 0, 1024},
      {"learning_rate", &c.learning_rate, "of Adam, at the start; 0: chosen from what the game says", 0, 1},
      {"discount", &c.discount, "of future reward per step of a match; 0: chosen from what the game says", 0, 1},
      {"lambda", &c.lambda, "of generalised advantage estimation", 0, 1},
      {"clip", &c.clip, "how far a probability ratio may move", 0.001, 10},
      {"entropy", &c.entropy, "weight of the entropy bonus at the start; -1: chosen from what the game says", -1, 10},
      {"entropy_end", &c.entropy_end, "weight of the entropy bonus at the end; -1: chosen from what the game says", -1,
       10},
      {"value", &c.value, "weight of the value loss", 0, 100},
      {"gradient_norm", &c.gradient_norm, "longest gradient", 1e-6, 1e6},
      {"averaged_share", &c.averaged_share,
       "of the updates so far, the last of them, over which a player's parameters are the mean; 0: chosen from what "
       "the "
       "game says",
       0, 1},
      {"opening_share", &c.opening_share,
       "of the matches that begin with moves at random; -1: chosen from what the game says", -1, 1},
      {"team_spirit", &c.team_spirit,
       "share of a seat's reward that is its team's mean, at the start; -1: chosen from what the game says", -1, 1},
      {"team_spirit_end", &c.team_spirit_end, "and at the end; -1: chosen from what the game says", -1, 1},
      {"rivalry", &c.rivalry,
       "share of the mean reward of the other teams that is taken from a seat's; -1: chosen from what the game says",
       -1, 1},
      {"past_share", &c.past_share,
       "of the matches that are against past selves and exploiters; -1: chosen from what the game says", -1, 1},
      {"matchmaking",
       &c.matchmaking,
       "who of them: all alike, those who still win (hard), or those on a level (even); auto: from what the game says",
       0,
       0,
       {"auto", "uniform", "hard", "even"}},
      {"anchor_share", &c.anchor_share, "of these matches, those that are against the game's scripts instead", 0, 1},
      {"exploiter_share", &c.exploiter_share,
       "of all decisions, those of exploiters, who search for holes in the player and then join the opponents", 0, 0.5},
  };
}

Result<ResolvedConfig> resolve(const TrainConfig& config, const Spec& spec) {
  ResolvedConfig r;
  const bool hidden = spec.hidden_information, teams = spec.team_count() > 1;
  // Played in real time by teams: long matches of many small decisions.
  const bool real_time = teams && spec.seconds_per_step > 0;
  const auto chosen = [](double wanted, double otherwise) { return wanted >= 0 ? wanted : otherwise; };
  const auto positive = [](auto wanted, auto otherwise) { return wanted > 0 ? wanted : otherwise; };

  r.settings = default_settings(spec);
  for (const Result<void>& set :
       {set_parameters(spec, split_assignments(config.parameters), "parameters: ", r.settings),
        set_picks(spec, split_assignments(config.picks), "picks: ", r.settings)})
    if (!set) return set.error();
  if (config.reaction_ms > 0 || config.actions_per_minute > 0) {
    const auto limits = limits_for(spec, config.reaction_ms, config.actions_per_minute);
    if (!limits) return limits.error();
    r.limits = limits.value();
  }
  r.network = config.network;
  if (config.network.memory < 0 && !(real_time && hidden)) r.network.memory = 0;
  if (config.network.hidden.empty() && real_time) r.network.hidden = {64, 64};  // more experience beats more width

  // The further ahead a reward is that matters, the closer to 1: some minutes in real time.
  constexpr double kSecondsAhead = 150;
  r.discount = config.discount > 0 ? config.discount
               : real_time         ? 1 - std::min(0.1, static_cast<double>(spec.seconds_per_step) / kSecondsAhead)
               : teams             ? 1.0
                                   : 0.99;
  // Where information is hidden, good play is mixed: it is approached by small steps from large batches, under an
  // entropy bonus that keeps every choice alive and falls slowly. Elsewhere large steps find good moves sooner.
  // In real time there is more experience than can be learnt from: it is used fewer times, in large batches.
  r.rows = positive(config.rows, real_time ? 2560 : 512);
  r.horizon = positive(config.horizon, real_time ? 32 : hidden ? 128 : 32);
  r.epochs = positive(config.epochs, real_time ? 1 : 4);
  r.minibatches = positive(config.minibatches, real_time ? 8 : 4);
  r.learning_rate = positive(config.learning_rate, real_time ? 1e-3 : hidden ? 5e-4 : 3e-3);
  r.entropy = chosen(config.entropy, real_time ? 0.01 : hidden ? 0.2 : teams ? 0.1 : 0.03);
  r.entropy_end = chosen(config.entropy_end, real_time ? 0.001 : hidden ? 0.04 : teams ? 0.01 : 0.003);
  // At first a seat learns from what it did itself; in the end all that counts is the team.
  const bool mates = spec.team_count() < spec.seats;
  r.team_spirit = chosen(config.team_spirit, mates ? 0.2 : 0);
  r.team_spirit_end = chosen(config.team_spirit_end, mates ? 0.8 : 0);
  // What both sides can gather for themselves is worth something as far as one gathers more of it.
  r.rivalry = teams ? chosen(config.rivalry, real_time ? 1 : 0) : 0;
  // Playing past selves, and from positions that random moves led to, teaches what to do against any play. Where
  // information is hidden (but in real time) both pull away from equilibrium, since how one got here is part of what
  // one knows.
  r.past_share = teams ? chosen(config.past_share, real_time ? 0.6 : hidden ? 0 : 0.2) : 0;
  r.opening_share = teams ? chosen(config.opening_share, hidden || real_time ? 0 : 0.8) : 0;
  r.hot_opponents = !real_time;
  // Their mean over some time is also a mean of the strategies that chase each other.
  r.averaged_share = positive(config.averaged_share, real_time ? 0.25 : 0.1);
  // In real time strategies beat each other in circles: those who win are met again until they do not.
  const std::string matchmaking = config.matchmaking != "auto" ? config.matchmaking : real_time ? "hard" : "uniform";
  r.matchmaking = matchmaking == "hard"   ? Matchmaking::hard
                  : matchmaking == "even" ? Matchmaking::even
                                          : Matchmaking::uniform;
  r.precision = config.precision == "f32"    ? Precision::f32
                : config.precision == "bf16" ? Precision::bf16
                                             : best_precision();
  if (r.precision == Precision::bf16 && best_precision() != Precision::bf16)
    return Error{"precision bf16 is not supported by this processor (" + isa_name() + "); use --precision auto or f32"};
  return r;
}

TrainConfig in_force(TrainConfig config, const ResolvedConfig& resolved, const NetworkOptions& network) {
  config.network = network;
  config.rows = resolved.rows;
  config.horizon = resolved.horizon;
  config.epochs = resolved.epochs;
  config.minibatches = resolved.minibatches;
  config.learning_rate = resolved.learning_rate;
  config.discount = resolved.discount;
  config.entropy = resolved.entropy;
  config.entropy_end = resolved.entropy_end;
  config.averaged_share = resolved.averaged_share;
  config.opening_share = resolved.opening_share;
  config.team_spirit = resolved.team_spirit;
  config.team_spirit_end = resolved.team_spirit_end;
  config.rivalry = resolved.rivalry;
  config.past_share = resolved.past_share;
  config.matchmaking = to_string(resolved.matchmaking);
  return config;
}

}  // namespace rival
