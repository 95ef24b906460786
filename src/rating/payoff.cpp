#include "rating/payoff.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/index.hpp"

namespace rival {
namespace {

double dot_row(const SquareMatrix& a, int row, const std::vector<double>& x) {
  double sum = 0;
  for (int j = 0; j < a.size(); ++j) sum += a(row, j) * x[j];
  return sum;
}

// The point of the standard normal distribution above which a share `tail` lies, by bisection.
double normal_tail_point(double tail) {
  double low = 0, high = 40;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2.0)) / 2 > tail ? low : high) = middle;
  }
  return high;
}

}  // namespace

SquareMatrix score_matrix(const EloRatings& ratings, std::span<const PairResult> results, double prior) {
  const int n = static_cast<int>(ratings.rating.size());
  SquareMatrix scores(n), matches(n);
  for (const PairResult& r : results) {
    scores(r.first, r.second) += r.score();
    scores(r.second, r.first) += r.matches() - r.score();
    matches(r.first, r.second) += r.matches();
    matches(r.second, r.first) += r.matches();
  }
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      const double expected = std::clamp(elo_score(ratings.rating[i] - ratings.rating[j]), 1e-9, 1 - 1e-9);
      scores(i, j) = i == j ? 0.5 : (scores(i, j) + prior * expected) / (matches(i, j) + prior);
    }
  return scores;
}

SquareMatrix log_odds(const SquareMatrix& scores) {
  SquareMatrix odds(scores.size());
  for (int i = 0; i < scores.size(); ++i)
    for (int j = 0; j < scores.size(); ++j) odds(i, j) = std::log(scores(i, j) / (1 - scores(i, j)));
  return odds;
}

// By the elimination of Grassmann, Taksar and Heyman (1985), which subtracts nothing, so that even the tiniest
// probabilities keep their digits.
std::vector<double> alpha_rank(const SquareMatrix& payoffs, double alpha, int population, double sum) {
  const int n = payoffs.size();
  check(n > 0 && population > 1, "alpha-Rank needs strategies and a population");
  const double m = population;
  SquareMatrix chain(n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      if (i == j) continue;
      const double u = alpha * m / (m - 1) * (payoffs(j, i) - sum / 2);
      const double rho = std::fabs(u) < 1e-12 ? 1 / m
                         : u > 0              ? std::expm1(-u) / std::expm1(-m * u)
                                              : std::exp((m - 1) * u) * std::expm1(u) / std::expm1(m * u);
      chain(i, j) = std::max(rho, 1e-300) / std::max(1, n - 1);
    }
  std::vector<double> outflow(n, 1);
  for (int k = n - 1; k > 0; --k) {
    outflow[k] = 0;
    for (int j = 0; j < k; ++j) outflow[k] += chain(k, j);
    for (int i = 0; i < k; ++i)
      for (int j = 0; j < k; ++j)
        if (i != j) chain(i, j) += chain(i, k) * (chain(k, j) / outflow[k]);
  }
  std::vector<double> share(n);
  share[0] = 1;
  double total = 1;
  for (int k = 1; k < n; ++k) {
    for (int i = 0; i < k; ++i) share[k] += share[i] * chain(i, k);
    share[k] /= outflow[k];
    total += share[k];
  }
  for (double& s : share) s /= total;
  return share;
}

// By duality: the mix of greatest entropy with A p <= 0 is p_j proportional to exp((A w)_j), where the multipliers
// w >= 0 minimise log sum_j exp((A w)_j), a smooth convex function. Minimised by Newton's method on the multipliers
// that are free to move (Bertsekas 1982).
NashAveraging nash_averaging(const SquareMatrix& a) {
  constexpr double kPull = 1e-9;  // towards 0, so that multipliers without bound stop somewhere
  const int n = a.size();
  check(n > 0, "Nash averaging needs players");
  double largest = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) largest = std::max(largest, std::fabs(a(i, j)));
  NashAveraging nash{.mix = std::vector<double>(index(n), 1.0 / n), .skill = std::vector<double>(index(n))};
  SquareMatrix unit(n);  // scaled to at most 1, which changes no equilibrium
  if (largest > 0)
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) unit(i, j) = a(i, j) / largest;

  const auto value = [&](const std::vector<double>& w, std::vector<double>* mix) {
    std::vector<double> logits(n);
    for (int j = 0; j < n; ++j) logits[j] = dot_row(unit, j, w);
    const double top = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (double logit : logits) sum += std::exp(logit - top);
    if (mix)
      for (int j = 0; j < n; ++j) (*mix)[j] = std::exp(logits[j] - top) / sum;
    double pull = 0;
    for (double x : w) pull += kPull / 2 * x * x;
    return top + std::log(sum) + pull;
  };
  const auto newton_step = [&](const std::vector<double>& gradient, const std::vector<int>& free) {
    const int count = static_cast<int>(free.size());
    SquareMatrix curvature(count);
    std::vector<double> step(free.size()), slope(free.size());
    for (int x = 0; x < count; ++x) slope[x] = -dot_row(unit, free[x], nash.mix);
    for (int x = 0; x < count; ++x) {
      step[x] = -gradient[free[x]];
      for (int y = 0; y <= x; ++y) {
        double sum = 0;
        for (int j = 0; j < n; ++j) sum += nash.mix[j] * unit(j, free[x]) * unit(j, free[y]);
        curvature(x, y) = curvature(y, x) = sum - slope[x] * slope[y];
      }
      curvature(x, x) += kPull;
    }
    const std::optional<SquareMatrix> factor = cholesky(curvature);
    return factor ? cholesky_solve(*factor, std::move(step)) : step;
  };
  std::vector<double> w(n);
  double best = value(w, &nash.mix);
  for (int iteration = 0; iteration < 1000 && largest > 0; ++iteration) {
    std::vector<double> gradient(n);  // by w_i: sum_j p_j A(j, i) = -(A p)_i
    for (int i = 0; i < n; ++i) gradient[i] = -dot_row(unit, i, nash.mix) + kPull * w[i];
    std::vector<int> free;
    double slope = 0;
    for (int i = 0; i < n; ++i) {
      if (w[i] <= 0 && gradient[i] >= 0) continue;
      free.push_back(i);
      slope = std::max(slope, std::fabs(gradient[i]));
    }
    if (slope < 1e-11) break;
    std::vector<double> descent;
    for (bool feasible = false; !feasible;) {
      descent = newton_step(gradient, free);
      // Those at zero that the step would push below it stay out of it.
      std::vector<int> kept;
      for (std::size_t x = 0; x < free.size(); ++x)
        if (w[free[x]] > 0 || descent[x] > 0) kept.push_back(free[x]);
      feasible = kept.size() == free.size();
      free = std::move(kept);
    }
    double reach = 1, expected = 0;
    for (std::size_t x = 0; x < free.size(); ++x) {
      expected += gradient[free[x]] * descent[x];
      if (descent[x] < 0) reach = std::min(reach, -w[free[x]] / descent[x]);
    }
    bool moved = false;
    for (double scale = reach; scale > 1e-12 * reach && !moved; scale /= 2) {
      std::vector<double> next = w;
      for (std::size_t x = 0; x < free.size(); ++x) {
        double& value_of = next[free[x]];
        value_of += scale * descent[x];
        if (value_of < 1e-14) value_of = 0;
      }
      const double there = value(next, nullptr);
      if (there > best + 1e-4 * scale * expected) continue;
      moved = next != w;
      w = std::move(next);
    }
    best = value(w, &nash.mix);
    if (!moved) break;
  }
  for (int i = 0; i < n; ++i) {
    nash.skill[i] = dot_row(a, i, nash.mix);
    if (nash.mix[i] > 0) nash.entropy -= nash.mix[i] * std::log(nash.mix[i]);
  }
  return nash;
}

HodgeDecomposition hodge_decompose(const SquareMatrix& a) {
  const int n = a.size();
  HodgeDecomposition parts{.potential = std::vector<double>(index(n)), .cyclic = SquareMatrix(n)};
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) parts.potential[i] += a(i, j) / n;
  }
  double all = 0, cyclic = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      parts.cyclic(i, j) = a(i, j) - parts.potential[i] + parts.potential[j];
      all += a(i, j) * a(i, j);
      cyclic += parts.cyclic(i, j) * parts.cyclic(i, j);
    }
  if (all > 0) parts.cyclic_share = cyclic / all;
  return parts;
}

std::vector<Cycle> find_cycles(int players, std::span<const PairResult> results, std::size_t limit) {
  SquareMatrix score(players), matches(players);
  for (const PairResult& r : results) {
    const auto [mean, n] = two_sided(r, 0);
    score(r.first, r.second) += n * mean;
    score(r.second, r.first) += n * (1 - mean);
    matches(r.first, r.second) += n;
    matches(r.second, r.first) += n;
  }
  // How many standard errors i's mean score against j is above one half.
  const auto sureness = [&](int i, int j) {
    const double n = matches(i, j);
    return n > 0 ? (score(i, j) / n - 0.5) * 2 * std::sqrt(n) : 0;
  };
  const double n = players, triples = std::max(1.0, n * (n - 1) * (n - 2) / 6);
  const double needed = normal_tail_point(0.01 / (2 * triples));  // of two directions
  std::vector<Cycle> cycles;
  for (int i = 0; i < players; ++i)
    for (int j = 0; j < players; ++j)
      for (int k = 0; k < players; ++k) {
        if (i == j || j == k || i == k || i > j || i > k) continue;  // the lowest comes first
        const double weakest = std::min({sureness(i, j), sureness(j, k), sureness(k, i)});
        if (weakest < needed) continue;
        cycles.push_back({{i, j, k},
                          {score(i, j) / matches(i, j), score(j, k) / matches(j, k), score(k, i) / matches(k, i)},
                          weakest});
      }
  std::sort(cycles.begin(), cycles.end(), [](const Cycle& a, const Cycle& b) { return a.weakest > b.weakest; });
  if (cycles.size() > limit) cycles.resize(limit);
  return cycles;
}

}  // namespace rival
