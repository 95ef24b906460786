#include "train/trouble.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/number.hpp"

namespace rival {
namespace {

constexpr double kValueLoss = 100, kKl = 1, kEntropyShare = 0.01;
constexpr int kLowIterations = 10;
constexpr std::int64_t kMatches = 2'000, kDecisions = 100'000;             // in which a reward should have been seen
constexpr std::int64_t kBeforeValues = 1'000'000, kValues = 300'000;       // decisions
constexpr double kConstantGuess = 0.5, kForeseen = 0.98 * kConstantGuess;  // of the value loss

}  // namespace

std::optional<Trouble> TroubleWatch::note(const IterationReport& iteration, double progress) {
  if (iteration.updated_rows <= 0) return std::nullopt;
  const bool values = iteration.value_loss > kValueLoss, policy = iteration.kl > kKl;
  if (!told_steps_ && (values || policy)) {
    told_steps_ = true;
    return Trouble{values ? fmt::format("the value loss is {:.3g}, where a constant guess would give {}: an update has "
                                        "thrown the network off",
                                        iteration.value_loss, kConstantGuess)
                          : fmt::format("an update changed the policy beyond recognition (kl {:.3g}; healthy runs stay "
                                        "below 0.02)",
                                        iteration.kl),
                   "", ""};
  }
  highest_entropy_ = std::max(highest_entropy_, iteration.entropy);
  low_ = choices_only_ && iteration.entropy < kEntropyShare * highest_entropy_ ? low_ + 1 : 0;
  if (!told_entropy_ && low_ >= kLowIterations && progress < 0.5) {
    told_entropy_ = true;
    return Trouble{
        fmt::format("the policy hardly tries anything any more: its entropy fell from {:.3g} to {:.3g} early "
                    "in the run",
                    highest_entropy_, iteration.entropy),
        "", "nothing has to, if it already plays as it should; else a new run with more entropy"};
  }
  if (iteration.episodes > 0) {
    lowest_return_ = episodes_ ? std::min(lowest_return_, iteration.lowest_return) : iteration.lowest_return;
    highest_return_ = episodes_ ? std::max(highest_return_, iteration.highest_return) : iteration.highest_return;
    episodes_ += iteration.episodes;
  }
  if (!told_reward_ && lowest_return_ == highest_return_ && episodes_ >= kMatches && iteration.steps >= kDecisions) {
    told_reward_ = true;
    return Trouble{
        fmt::format("all {} matches so far have brought the same, {}: there is nothing to learn from yet", episodes_,
                    shortest(lowest_return_)),
        iteration.exploring ? "some of the matches are played by explorers, who hold on to random actions" : "",
        "a start nearer to the goal for some of the matches, or small rewards on the way to it"};
  }
  const bool differs = lowest_return_ < highest_return_;
  if (!differs || iteration.value_loss < kForeseen || iteration.steps < kBeforeValues) foreseen_at_ = iteration.steps;
  if (!told_values_ && teams_ == 1 && iteration.steps - foreseen_at_ >= kValues) {
    told_values_ = true;
    return Trouble{"the network foresees nothing of what a match will bring", "",
                   "nothing has to, if luck alone decides; else an observation that shows more of what matters, or "
                   "--memory if it was shown earlier"};
  }
  return std::nullopt;
}

}  // namespace rival
