#include "rating/elo.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace rival {
namespace {

constexpr double kPerPoint = 0.005756462732485115;  // ln 10 / 400
constexpr double kPriorCurvature = 1 / (kRatingPrior * kRatingPrior);

std::size_t index(int i) {
  return static_cast<std::size_t>(i);
}

// Score that is neither 0 nor 1, for log-odds.
double smoothed_score(const PairResult& r) {
  return (r.score() + 0.5) / (r.matches() + 1);
}

double log_posterior(const std::vector<double>& rating, std::span<const PairResult> results) {
  double sum = 0;
  for (const PairResult& r : results) {
    const double x = kPerPoint * (rating[index(r.first)] - rating[index(r.second)]);
    sum += r.score() * x - r.matches() * (x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)));
  }
  for (double value : rating) sum -= kPriorCurvature / 2 * value * value;
  return sum;
}

}  // namespace

double elo_score(double difference) {
  return 1 / (1 + std::exp(-kPerPoint * difference));
}

double elo_difference(double score) {
  return std::log(score / (1 - score)) / kPerPoint;
}

double elo_information(double difference) {
  const double p = elo_score(difference);
  return kPerPoint * kPerPoint * p * (1 - p);
}

// Newton's method with step halving; the posterior is strictly concave. Its maximum has mean 0, as only the prior sees
// a common shift.
EloRatings fit_elo(int players, std::span<const PairResult> results, int anchor, double anchor_rating) {
  check(players > 0 && anchor >= 0 && anchor < players, "the anchor is not among the players");
  std::vector<double> rating(index(players));
  SquareMatrix factor;
  double posterior = log_posterior(rating, results);
  for (int iteration = 0; iteration < 100; ++iteration) {
    std::vector<double> gradient(index(players));
    SquareMatrix curvature(players);
    for (int i = 0; i < players; ++i) {
      gradient[index(i)] = -kPriorCurvature * rating[index(i)];
      curvature(i, i) = kPriorCurvature;
    }
    for (const PairResult& r : results) {
      check(r.first != r.second, "a player cannot meet itself");
      const double difference = rating[index(r.first)] - rating[index(r.second)];
      const double slope = kPerPoint * (r.score() - r.matches() * elo_score(difference));
      const double weight = r.matches() * elo_information(difference);
      gradient[index(r.first)] += slope;
      gradient[index(r.second)] -= slope;
      curvature(r.first, r.first) += weight;
      curvature(r.second, r.second) += weight;
      curvature(r.first, r.second) -= weight;
      curvature(r.second, r.first) -= weight;
    }
    factor = cholesky(curvature).value();
    const std::vector<double> step = cholesky_solve(factor, gradient);
    double length = 0, decrement = 0;
    for (int i = 0; i < players; ++i) {
      length = std::max(length, std::fabs(step[index(i)]));
      decrement += step[index(i)] * gradient[index(i)];
    }
    if (length < 1e-6 || decrement < 1e-12) break;
    for (double scale = std::min(1.0, 800 / length); scale > 1e-6; scale /= 2) {
      std::vector<double> moved = rating;
      for (int i = 0; i < players; ++i) moved[index(i)] += scale * step[index(i)];
      const double value = log_posterior(moved, results);
      if (value <= posterior) continue;
      posterior = value;
      rating = std::move(moved);
      break;
    }
  }
  const SquareMatrix absolute = cholesky_inverse(factor);
  EloRatings fitted{
      .rating = rating, .error = std::vector<double>(index(players)), .covariance = SquareMatrix(players)};
  for (int i = 0; i < players; ++i) {
    fitted.rating[index(i)] = anchor_rating + (rating[index(i)] - rating[index(anchor)]);
    for (int j = 0; j < players; ++j)
      fitted.covariance(i, j) = absolute(i, j) - absolute(i, anchor) - absolute(anchor, j) + absolute(anchor, anchor);
    fitted.error[index(i)] = std::sqrt(std::max(0.0, fitted.covariance(i, i)));
  }
  return fitted;
}

RatingEstimate rate_against(std::span<const KnownOpponent> opponents) {
  double centre = 0, matches = 0;
  for (const KnownOpponent& o : opponents) {
    centre += o.rating * (o.wins + o.draws + o.losses);
    matches += o.wins + o.draws + o.losses;
  }
  if (matches == 0) return {0, kRatingPrior};
  centre /= matches;
  // The slope of the log-posterior falls with the rating: halve the interval that holds its zero.
  const auto slope = [&](double rating) {
    double sum = kPriorCurvature * (centre - rating);
    for (const KnownOpponent& o : opponents)
      sum += kPerPoint * (o.wins + o.draws / 2 - (o.wins + o.draws + o.losses) * elo_score(rating - o.rating));
    return sum;
  };
  double low = centre, high = centre;
  for (double reach = 100; slope(low) < 0; reach *= 2) low -= reach;
  for (double reach = 100; slope(high) > 0; reach *= 2) high += reach;
  while (high - low > 1e-9 * (1 + std::fabs(low))) {
    const double middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    (slope(middle) > 0 ? low : high) = middle;
  }
  const double rating = (low + high) / 2;
  double curvature = kPriorCurvature;
  for (const KnownOpponent& o : opponents)
    curvature += (o.wins + o.draws + o.losses) * elo_information(rating - o.rating);
  return {rating, 1 / std::sqrt(curvature)};
}

EloFit assess_elo(const EloRatings& ratings, std::span<const PairResult> results) {
  EloFit fit;
  double variation = 0, unexplained = 0;
  std::vector<bool> met(ratings.rating.size());
  for (const PairResult& r : results) {
    const double n = r.matches();
    if (n <= 0) continue;
    met[index(r.first)] = met[index(r.second)] = true;
    fit.degrees += 1;
    const double difference = ratings.rating[index(r.first)] - ratings.rating[index(r.second)];
    const double expected = elo_score(difference), score = r.score() / n;
    fit.chi_square += n * (score - expected) * (score - expected) / (expected * (1 - expected));
    const double smoothed = smoothed_score(r), weight = n * smoothed * (1 - smoothed);
    // Smoothed alike: where one of two always wins, matches cannot tell by how much.
    const double wanted = (n * expected + 0.5) / (n + 1);
    const double observed = std::log(smoothed / (1 - smoothed)), residual = observed - std::log(wanted / (1 - wanted));
    variation += weight * observed * observed;
    unexplained += weight * residual * residual;
  }
  fit.degrees -= static_cast<double>(std::max<std::ptrdiff_t>(std::count(met.begin(), met.end(), true) - 1, 0));
  fit.degrees = std::max(0.0, fit.degrees);
  if (variation > 0) fit.intransitivity = std::clamp((unexplained - fit.degrees) / variation, 0.0, 1.0);
  return fit;
}

}  // namespace rival
