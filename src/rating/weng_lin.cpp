#include "rating/weng_lin.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>

#include "base/check.hpp"

namespace rival {
namespace {

// What one team learns from a match, in units of its variance over c and over c^2.
struct Lesson {
  double omega = 0, delta = 0;

  // The next place in the order went to this team or to another one of those left, whose strengths sum to `left`.
  void add(double strength, double left, double probability) {
    const double p = strength / left;
    omega -= probability * p;
    delta += probability * p * (1 - p);
  }
};

// Goes through the places of one tied group in all its orders, each as likely: each(taken, left, probability, present),
// where `taken` are the members (bits) before the place and `left` is the strength of all who are not. Of large groups
// each place is met once, in the mean: nobody is taken, but all are only so far `present`.
template <class Each>
void for_each_place(std::span<const double> tied, double behind, const Each& each) {
  constexpr std::size_t kExact = 10;
  const std::size_t size = tied.size();
  double total = 0;
  for (double strength : tied) total += strength;
  if (size > kExact) {
    for (std::size_t taken = 0; taken < size; ++taken) {
      const double share = 1 - static_cast<double>(taken) / static_cast<double>(size);
      each(std::uint64_t{0}, behind + share * total, 1.0, share);
    }
    return;
  }
  std::vector<double> choose(size + 1, 1);  // binomial coefficients
  for (std::size_t k = 1; k <= size; ++k)
    choose[k] = choose[k - 1] * static_cast<double>(size - k + 1) / static_cast<double>(k);
  for (std::uint64_t taken = 0; taken + 1 < std::uint64_t{1} << size; ++taken) {
    double left = behind;  // added up, since a difference may lose the weak beside the strong
    for (std::size_t i = 0; i < size; ++i)
      if (!(taken >> i & 1)) left += tied[i];
    each(taken, left, 1 / choose[std::popcount(taken)], 1.0);
  }
}

constexpr double kGlickoScale = 173.7178;

}  // namespace

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
  std::map<int, std::vector<std::size_t>> groups;  // by rank
  std::vector<double> strength(count);             // exp(mu / c), and never 0
  for (std::size_t t = 0; t < count; ++t) {
    strength[t] = std::exp(std::max((mu[t] - best) / c, -500.0));
    groups[ranks[t]].push_back(t);
  }
  std::vector<Lesson> lessons(count);
  for (const auto& group : groups) {
    const auto rank = group.first;  // not as bindings: clang 14's lambdas cannot capture those
    const auto& members = group.second;
    std::vector<double> tied;
    for (std::size_t t : members) tied.push_back(strength[t]);
    double behind = 0;
    for (std::size_t t = 0; t < count; ++t)
      if (ranks[t] > rank) behind += strength[t];
    for_each_place(tied, behind, [&](std::uint64_t taken, double left, double probability, double present) {
      for (std::size_t t = 0; t < count; ++t)
        if (ranks[t] > rank) lessons[t].add(strength[t], left, probability);
      for (std::size_t i = 0; i < members.size(); ++i)
        if (!(taken >> i & 1)) lessons[members[i]].add(strength[members[i]], left, probability * present);
    });
    for (std::size_t t : members) lessons[t].omega += 1;
  }
  std::vector<std::vector<Skill>> rated(teams.begin(), teams.end());
  for (std::size_t t = 0; t < count; ++t) {
    if (variance[t] <= 0) continue;  // known exactly: nothing is learnt
    const double gamma = std::sqrt(variance[t]) / c;
    const double omega = lessons[t].omega * variance[t] / c, delta = lessons[t].delta * gamma * variance[t] / c2;
    for (Skill& skill : rated[t]) {
      const double share = skill.sigma * skill.sigma / variance[t];
      skill.mu += share * omega;
      skill.sigma *= std::sqrt(std::max(1 - share * delta, options.kappa));
    }
  }
  return rated;
}

double glicko_weight(double deviation) {
  const double phi = deviation / kGlickoScale;
  return 1 / std::sqrt(1 + 3 * phi * phi / (std::numbers::pi * std::numbers::pi));
}

Glicko rate_glicko(const Glicko& player, std::span<const GlickoResult> results, double tau) {
  constexpr double kScale = kGlickoScale;
  const double phi = player.deviation / kScale, sigma = player.volatility;
  if (results.empty()) return {player.rating, kScale * std::sqrt(phi * phi + sigma * sigma), sigma};
  double information = 0, surprise = 0;
  for (const GlickoResult& result : results) {
    const double g = glicko_weight(result.deviation), ahead = g * (player.rating - result.rating) / kScale;
    const double expected = 1 / (1 + std::exp(-ahead)), odds = std::exp(-std::fabs(ahead));
    information += g * g * odds / ((1 + odds) * (1 + odds));  // expected (1 - expected), and never 0
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
