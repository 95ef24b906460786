#include "train/collapse.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rival {
namespace {

constexpr double kValueLoss = 100, kKl = 1, kEntropyShare = 0.01;
constexpr int kLowIterations = 10;

}  // namespace

std::optional<std::string> CollapseWatch::note(const IterationReport& iteration, double progress, bool choices_only) {
  if (iteration.updated_rows <= 0) return std::nullopt;
  const bool values = iteration.value_loss > kValueLoss, policy = iteration.kl > kKl;
  if (!told_steps_ && (values || policy)) {
    told_steps_ = true;
    return values ? fmt::format(
                        "the value loss is {:.3g}, where a constant guess would give 0.5: an update has thrown the "
                        "network off",
                        iteration.value_loss)
                  : fmt::format(
                        "an update changed the policy beyond recognition (kl {:.3g}; healthy runs stay below 0.02)",
                        iteration.kl);
  }
  highest_entropy_ = std::max(highest_entropy_, iteration.entropy);
  low_ = choices_only && iteration.entropy < kEntropyShare * highest_entropy_ ? low_ + 1 : 0;
  if (!told_entropy_ && low_ >= kLowIterations && progress < 0.5) {
    told_entropy_ = true;
    return fmt::format(
        "the policy hardly tries anything any more: its entropy fell from {:.3g} to {:.3g} early in the run. Unless it "
        "already plays as it should, raise entropy",
        highest_entropy_, iteration.entropy);
  }
  return std::nullopt;
}

}  // namespace rival
