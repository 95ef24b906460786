#include "balance/figures.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
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

// With all payoffs made positive, the columns' y / value solve: maximise sum y, A y <= 1, y >= 0; the rows' x are its
// dual (Dantzig 1951).
MatrixGame solve_matrix_game(const std::vector<std::vector<double>>& payoffs) {
  constexpr double kTiny = 1e-12;
  const std::size_t m = payoffs.size(), n = m > 0 ? payoffs[0].size() : 0;
  check(m > 0 && n > 0, "a matrix game needs rows and columns");
  double lowest = payoffs[0][0];
  for (const std::vector<double>& row : payoffs) lowest = std::min(lowest, *std::min_element(row.begin(), row.end()));
  const double shift = 1 - lowest;
  // The tableau: n variables, m slacks, the right-hand side; the last row is the objective.
  const std::size_t width = n + m + 1;
  std::vector<std::vector<double>> t(m + 1, std::vector<double>(width));
  std::vector<std::size_t> basis(m);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) t[i][j] = payoffs[i][j] + shift;
    t[i][n + i] = t[i][width - 1] = 1;
    basis[i] = n + i;
  }
  for (std::size_t j = 0; j < n; ++j) t[m][j] = -1;
  for (;;) {
    std::size_t enter = 0;
    while (enter + 1 < width && t[m][enter] >= -kTiny) ++enter;
    if (enter + 1 == width) break;
    std::size_t leave = m;
    for (std::size_t i = 0; i < m; ++i) {
      if (t[i][enter] <= kTiny) continue;
      if (leave == m) {
        leave = i;
        continue;
      }
      const double ours = t[i][width - 1] / t[i][enter], best = t[leave][width - 1] / t[leave][enter];
      if (ours < best - kTiny || (ours <= best + kTiny && basis[i] < basis[leave])) leave = i;
    }
    check(leave < m, "a matrix game has no bound");
    const double pivot = t[leave][enter];
    for (double& value : t[leave]) value /= pivot;
    for (std::size_t i = 0; i <= m; ++i) {
      const double factor = t[i][enter];
      if (i == leave || factor == 0) continue;
      for (std::size_t j = 0; j < width; ++j) t[i][j] -= factor * t[leave][j];
    }
    basis[leave] = enter;
  }
  const double total = t[m][width - 1];
  MatrixGame game{.value = 1 / total - shift, .rows = std::vector<double>(m), .columns = std::vector<double>(n)};
  for (std::size_t i = 0; i < m; ++i) {
    game.rows[i] = t[m][n + i] / total;
    if (basis[i] < n) game.columns[basis[i]] = t[i][width - 1] / total;
  }
  return game;
}

}  // namespace rival::balance
