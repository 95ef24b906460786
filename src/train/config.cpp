#include "train/config.hpp"

#include <cmath>

namespace rival {

std::vector<OptionRow> option_rows(TrainConfig& c) {
  return {
      {"minutes", &c.minutes, "the run ends after this long; 0: no limit", 0, 1e6},
      {"steps", &c.steps, "the run ends after this many decisions of seats; 0: no limit", 0, 9e15},
      {"until_score", &c.until_score, "the run ends when the mean score of the last 100 episodes is this; inf: never"},
      {"seed", &c.seed, "names all randomness of the run: same seed, options and budget in steps, same bytes", 0, 9e15},
      {"threads", &c.threads, "0: one per processor; at most 8 are used, and results do not depend on their number", 0,
       256},
      {"hidden", &c.network.hidden,
       "widths of the network's layers; none: 64x64 or, for more than 32 observations, 128x128", 1, 8192},
      {"memory", &c.network.memory, "width of the recurrent memory, equal to the last hidden width; 0: none", 0, 8192},
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
      {"rows", &c.rows, "decisions made at once, over all matches", 8, 1 << 20},
      {"horizon", &c.horizon, "most decisions per row in an iteration; 0: chosen from what the game says", 0, 4096},
      {"epochs", &c.epochs, "passes over each iteration's experience", 1, 100},
      {"minibatches", &c.minibatches, "updates per pass", 1, 1024},
      {"learning_rate", &c.learning_rate, "of Adam, at the start; 0: chosen from what the game says", 0, 1},
      {"discount", &c.discount, "of future reward per decision; 0: 1 for games of several teams, else 0.99", 0, 1},
      {"lambda", &c.lambda, "of generalised advantage estimation", 0, 1},
      {"clip", &c.clip, "how far a probability ratio may move", 0.001, 10},
      {"entropy", &c.entropy, "weight of the entropy bonus at the start; -1: chosen from what the game says", -1, 10},
      {"entropy_end", &c.entropy_end, "weight of the entropy bonus at the end; -1: chosen from what the game says", -1,
       10},
      {"value", &c.value, "weight of the value loss", 0, 100},
      {"gradient_norm", &c.gradient_norm, "longest gradient", 1e-6, 1e6},
      {"opening_share", &c.opening_share,
       "of the matches that begin with moves at random; -1: chosen from what the game says", -1, 1},
      {"past_share", &c.past_share, "of the matches that are against past selves; -1: chosen from what the game says",
       -1, 0.9},
  };
}

Result<ResolvedConfig> resolve(const TrainConfig& config, const Spec& spec) {
  ResolvedConfig r;
  const bool hidden = spec.hidden_information, teams = spec.team_count() > 1;
  const auto chosen = [](double wanted, double otherwise) { return wanted >= 0 ? wanted : otherwise; };
  r.discount = config.discount > 0 ? config.discount : teams ? 1.0 : 0.99;
  // Where information is hidden, good play is mixed: it is approached by small steps from large batches, under an
  // entropy bonus that keeps every choice alive and falls slowly. Elsewhere large steps find good moves sooner.
  r.horizon = config.horizon > 0 ? config.horizon : hidden ? 128 : 32;
  r.learning_rate = config.learning_rate > 0 ? config.learning_rate : hidden ? 5e-4 : 3e-3;
  r.entropy = chosen(config.entropy, hidden ? 0.2 : teams ? 0.1 : 0.03);
  r.entropy_end = chosen(config.entropy_end, hidden ? 0.04 : teams ? 0.01 : 0.003);
  // Playing past selves, and from positions that random moves led to, teaches what to do against any play. Where
  // information is hidden both pull away from equilibrium, since how one got here is part of what one knows.
  r.past_share = teams ? chosen(config.past_share, hidden ? 0 : 0.2) : 0;
  r.opening_share = teams ? chosen(config.opening_share, hidden ? 0 : 0.8) : 0;
  r.precision = config.precision == "f32"    ? Precision::f32
                : config.precision == "bf16" ? Precision::bf16
                                             : best_precision();
  if (r.precision == Precision::bf16 && best_precision() != Precision::bf16)
    return Error{"precision bf16 is not supported by this processor (" + isa_name() + "); use --precision auto or f32"};
  return r;
}

}  // namespace rival
