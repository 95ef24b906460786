#include "balance/figures.hpp"

#include <algorithm>
#include <cmath>

#include "base/index.hpp"

namespace rival::balance {

std::vector<Dominated> dominated(const WinRates& rates) {
  constexpr double kFalse = 1e-4, kWorse = 2, kSurelyWorse = 3, kMargin = 0.06, kKnown = 0.05;
  const int n = rates.options();
  // The standard errors above which chance alone takes any of the n (n - 1) n differences with probability kFalse:
  // from the tail of the normal distribution, exp(-z^2 / 2) / 2 above z.
  const double comparisons = std::max(1.0, static_cast<double>(n) * n * (n - 1));
  const double needed = std::sqrt(2 * std::log(comparisons / (2 * kFalse)));
  const auto known = [&](int option) {
    for (int k = 0; k < n; ++k)
      if (k != option && (rates(option, k).matches == 0 || rates(option, k).interval.half_width() > kKnown))
        return false;
    return true;
  };
  std::vector<Dominated> found;
  for (int i = 0; i < n; ++i) {
    if (!known(i)) continue;
    int best = -1;
    double best_sum = 0;
    for (int j = 0; j < n; ++j) {
      if (i == j || !known(j)) continue;
      bool nowhere_worse = true, somewhere_better = false;
      double sum = 0;
      for (int k = 0; k < n; ++k) {
        const Cell &ours = rates(i, k), &theirs = rates(j, k);
        const double difference = theirs.rate - ours.rate;
        // Where k is one of the two, both rates come of the same matches: one is 1/2, exactly.
        const double error = std::max(std::hypot(ours.error(), theirs.error()), 1e-12);
        nowhere_worse &= difference >= -kWorse * error && difference - kSurelyWorse * error > -kMargin;
        somewhere_better |= difference > needed * error;
        sum += difference;
      }
      if (nowhere_worse && somewhere_better && sum > best_sum) best = j, best_sum = sum;
    }
    if (best >= 0) found.push_back({i, best});
  }
  return found;
}

NashAveraging pick_equilibrium(const SquareMatrix& rates) {
  SquareMatrix gains(rates.size());
  for (int i = 0; i < rates.size(); ++i)
    for (int j = 0; j < rates.size(); ++j) gains(i, j) = rates(i, j) - rates(j, i);
  return nash_averaging(gains);
}

int top_diversity(const WinRates& rates, double points) {
  if (rates.options() == 0) return 0;
  std::vector<double> overall;
  for (int i = 0; i < rates.options(); ++i) overall.push_back(rates.overall(i).rate);
  const double best = *std::max_element(overall.begin(), overall.end());
  return static_cast<int>(std::count_if(overall.begin(), overall.end(), [&](double r) { return r >= best - points; }));
}

std::vector<Counter> counters(const WinRates& rates, double margin) {
  std::vector<Counter> found;
  for (int i = 0; i < rates.options(); ++i)
    for (int j = 0; j < rates.options(); ++j)
      if (i != j && rates(i, j).interval.low > 0.5 + margin) found.push_back({i, j, rates(i, j).rate});
  return found;
}

}  // namespace rival::balance
