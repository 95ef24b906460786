#include "rating/weng_lin.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.hpp"

namespace rival {

std::vector<std::vector<Skill>> rate_teams(std::span<const std::vector<Skill>> teams, std::span<const int> ranks,
                                           const WengLinOptions& options) {
  const std::size_t count = teams.size();
  check(count >= 2 && ranks.size() == count, "a match is between two teams or more, each with its rank");
  std::vector<double> mu(count), variance(count);
  double c2 = 0;
  for (std::size_t t = 0; t < count; ++t) {
    check(!teams[t].empty(), "a team without players");
    for (const Skill& skill : teams[t]) {
      mu[t] += skill.mu;
      variance[t] += skill.sigma * skill.sigma;
    }
    c2 += variance[t] + options.beta * options.beta;
  }
  const double c = std::sqrt(c2), best = *std::max_element(mu.begin(), mu.end());
  std::vector<double> strength(count), below(count), tied(count);  // exp(mu / c), its sum over the field, A_q
  for (std::size_t t = 0; t < count; ++t) strength[t] = std::exp((mu[t] - best) / c);
  for (std::size_t q = 0; q < count; ++q)
    for (std::size_t s = 0; s < count; ++s) {
      if (ranks[s] >= ranks[q]) below[q] += strength[s];
      if (ranks[s] == ranks[q]) tied[q] += 1;
    }
  std::vector<std::vector<Skill>> rated(teams.begin(), teams.end());
  for (std::size_t i = 0; i < count; ++i) {
    double omega = 0, delta = 0;
    for (std::size_t q = 0; q < count; ++q) {
      if (ranks[q] > ranks[i]) continue;
      const double p = strength[i] / below[q];
      omega += ((q == i ? 1 : 0) - p) / tied[q];
      delta += p * (1 - p) / tied[q];
    }
    const double gamma = std::sqrt(variance[i]) / c;
    omega *= variance[i] / c;
    delta *= gamma * variance[i] / c2;
    for (Skill& skill : rated[i]) {
      const double share = skill.sigma * skill.sigma / variance[i];
      skill.mu += share * omega;
      skill.sigma *= std::sqrt(std::max(1 - share * delta, options.kappa));
    }
  }
  return rated;
}

Glicko rate_glicko(const Glicko& player, std::span<const GlickoResult> results, double tau) {
  constexpr double kScale = 173.7178;
  const double phi = player.deviation / kScale, sigma = player.volatility;
  if (results.empty()) return {player.rating, kScale * std::sqrt(phi * phi + sigma * sigma), sigma};
  double information = 0, surprise = 0;
  for (const GlickoResult& result : results) {
    const double deviation = result.deviation / kScale;
    const double g = 1 / std::sqrt(1 + 3 * deviation * deviation / (std::numbers::pi * std::numbers::pi));
    const double expected = 1 / (1 + std::exp(-g * (player.rating - result.rating) / kScale));
    information += g * g * expected * (1 - expected);
    surprise += g * (result.score - expected);
  }
  const double v = 1 / information, delta = v * surprise;
  // The new volatility: the zero of f, by the Illinois method.
  const double a = std::log(sigma * sigma);
  const auto f = [&](double x) {
    const double e = std::exp(x), d = phi * phi + v + e;
    return e * (delta * delta - d) / (2 * d * d) - (x - a) / (tau * tau);
  };
  double low = a, high;
  if (delta * delta > phi * phi + v) {
    high = std::log(delta * delta - phi * phi - v);
  } else {
    high = a - tau;
    while (f(high) < 0) high -= tau;
  }
  double f_low = f(low), f_high = f(high);
  for (int i = 0; i < 100 && std::fabs(high - low) > 1e-9; ++i) {
    const double x = low + (low - high) * f_low / (f_high - f_low), f_x = f(x);
    if (f_x * f_high <= 0) {
      low = high;
      f_low = f_high;
    } else {
      f_low /= 2;
    }
    high = x;
    f_high = f_x;
  }
  const double volatility = std::exp(low / 2);
  const double widened = phi * phi + volatility * volatility, new_phi = 1 / std::sqrt(1 / widened + 1 / v);
  return {player.rating + kScale * new_phi * new_phi * surprise, kScale * new_phi, volatility};
}

}  // namespace rival
