#include "rating/elo.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/index.hpp"

namespace rival {
namespace {

constexpr double kPerPoint = 0.005756462732485115;  // ln 10 / 400
constexpr double kPriorCurvature = 1 / (kRatingPrior * kRatingPrior);

// Trials that go the first player's way with the odds of its strength to the second's, times e^handicap.
struct Trials {
  double handicap = 0, wins = 0, losses = 0;
};

// A placing is a row of trials: with m of the other sides left, the side that stands alone is the next in the order, or
// one of the m is. Level with t sides it has t + 1 places in the order, each as likely.
template <class Each>
void for_each_trials(const Placing& p, const Each& each) {
  for (int before = 0; before < p.others(); ++before) {
    const int places = p.level + 1;
    const double chosen = before >= p.ahead && before <= p.ahead + p.level ? p.matches / places : 0;
    const double passed = p.matches * std::clamp(p.ahead + p.level - before, 0, places) / places;
    if (chosen + passed == 0) return;
    const double handicap = std::log(p.others() - before);
    each(p.first_alone ? Trials{-handicap, chosen, passed} : Trials{handicap, passed, chosen});
  }
}

// Those of equal handicap together.
std::vector<Trials> trials_of(const PairResult& result) {
  std::vector<Trials> all;
  const auto add = [&all](const Trials& trials) {
    for (Trials& known : all)
      if (known.handicap == trials.handicap) {
        known.wins += trials.wins, known.losses += trials.losses;
        return;
      }
    all.push_back(trials);
  };
  if (result.wins + result.draws + result.losses > 0)
    add({0, result.wins + result.draws / 2, result.losses + result.draws / 2});
  for (const Placing& placing : result.placings) for_each_trials(placing, add);
  return all;
}

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

// The derivatives of the trials' log-likelihood by the difference in points: the first, and the second negated.
struct Slope {
  double slope = 0, information = 0;
};
Slope slope_of(std::span<const Trials> trials, double difference) {
  Slope sum;
  for (const Trials& t : trials) {
    const double p = logistic(kPerPoint * difference + t.handicap), n = t.wins + t.losses;
    sum.slope += kPerPoint * (t.wins - n * p);
    sum.information += kPerPoint * kPerPoint * n * p * (1 - p);
  }
  return sum;
}

struct PairTrials {
  int first, second;
  std::vector<Trials> trials;
};

double log_posterior(const std::vector<double>& rating, std::span<const PairTrials> pairs) {
  double sum = 0;
  for (const PairTrials& pair : pairs)
    for (const Trials& t : pair.trials) {
      const double x = kPerPoint * (rating[pair.first] - rating[pair.second]) + t.handicap;
      sum += t.wins * x - (t.wins + t.losses) * (x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)));
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

double elo_information(double difference, int sides) {
  double sum = 0;
  for (double d : {difference, -difference}) {  // it is the first player who takes one side, or the second
    double reached = 1;
    for (int left = sides - 1; left > 0; --left) {
      const double p = logistic(kPerPoint * d - std::log(left));
      sum += reached * kPerPoint * kPerPoint * p * (1 - p) / 2;
      reached *= 1 - p;
    }
  }
  return sum;
}

double PairResult::matches() const {
  double sum = wins + draws + losses;
  for (const Placing& placing : placings) sum += placing.matches;
  return sum;
}

double PairResult::score() const {
  double sum = wins + draws / 2;
  for (const Placing& placing : placings) sum += placing.matches * placing.score();
  return sum;
}

void PairResult::add(const Placing& placing) {
  for (Placing& known : placings)
    if (known.first_alone == placing.first_alone && known.ahead == placing.ahead && known.level == placing.level &&
        known.behind == placing.behind) {
      known.matches += placing.matches;
      return;
    }
  placings.push_back(placing);
}

// Newton's method with step halving; the posterior is strictly concave. Its maximum has mean 0, as only the prior sees
// a common shift.
EloRatings fit_elo(int players, std::span<const PairResult> results, int anchor, double anchor_rating) {
  check(players > 0 && anchor >= 0 && anchor < players, "the anchor is not among the players");
  std::vector<PairTrials> pairs;
  for (const PairResult& r : results) {
    check(r.first != r.second, "a player cannot meet itself");
    pairs.push_back({r.first, r.second, trials_of(r)});
  }
  std::vector<double> rating(players);
  SquareMatrix factor;
  double posterior = log_posterior(rating, pairs);
  for (int iteration = 0; iteration < 100; ++iteration) {
    std::vector<double> gradient(players);
    SquareMatrix curvature(players);
    for (int i = 0; i < players; ++i) {
      gradient[i] = -kPriorCurvature * rating[i];
      curvature(i, i) = kPriorCurvature;
    }
    for (const PairTrials& r : pairs) {
      const auto [slope, weight] = slope_of(r.trials, rating[r.first] - rating[r.second]);
      gradient[r.first] += slope;
      gradient[r.second] -= slope;
      curvature(r.first, r.first) += weight;
      curvature(r.second, r.second) += weight;
      curvature(r.first, r.second) -= weight;
      curvature(r.second, r.first) -= weight;
    }
    factor = cholesky(curvature).value();
    const std::vector<double> step = cholesky_solve(factor, gradient);
    double length = 0, decrement = 0;
    for (int i = 0; i < players; ++i) {
      length = std::max(length, std::fabs(step[i]));
      decrement += step[i] * gradient[i];
    }
    if (length < 1e-6 || decrement < 1e-12) break;
    for (double scale = std::min(1.0, 800 / length); scale > 1e-6; scale /= 2) {
      std::vector<double> moved = rating;
      for (int i = 0; i < players; ++i) moved[i] += scale * step[i];
      const double value = log_posterior(moved, pairs);
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
    fitted.rating[i] = anchor_rating + (rating[i] - rating[anchor]);
    for (int j = 0; j < players; ++j)
      fitted.covariance(i, j) = absolute(i, j) - absolute(i, anchor) - absolute(anchor, j) + absolute(anchor, anchor);
    fitted.error[i] = std::sqrt(std::max(0.0, fitted.covariance(i, i)));
  }
  return fitted;
}

RatingEstimate rate_against(std::span<const KnownOpponent> opponents) {
  double centre = 0, matches = 0;
  std::vector<std::vector<Trials>> trials;
  for (const KnownOpponent& o : opponents) {
    centre += o.rating * o.result.matches();
    matches += o.result.matches();
    trials.push_back(trials_of(o.result));
  }
  if (matches == 0) return {0, kRatingPrior};
  centre /= matches;
  // The slope of the log-posterior falls with the rating: halve the interval that holds its zero.
  const auto derivatives = [&](double rating) {
    Slope sum{kPriorCurvature * (centre - rating), kPriorCurvature};
    for (std::size_t i = 0; i < opponents.size(); ++i) {
      const Slope one = slope_of(trials[i], rating - opponents[i].rating);
      sum.slope += one.slope, sum.information += one.information;
    }
    return sum;
  };
  const auto slope = [&](double rating) { return derivatives(rating).slope; };
  double low = centre, high = centre;
  for (double reach = 100; slope(low) < 0; reach *= 2) low -= reach;
  for (double reach = 100; slope(high) > 0; reach *= 2) high += reach;
  while (high - low > 1e-9 * (1 + std::fabs(low))) {
    const double middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    (slope(middle) > 0 ? low : high) = middle;
  }
  const double rating = (low + high) / 2;
  return {rating, 1 / std::sqrt(derivatives(rating).information)};
}

// One step of Newton's method from the difference, in scores.
TwoSided two_sided(const PairResult& result, double difference) {
  const double p = elo_score(difference), variance = p * (1 - p);
  const auto [slope, information] = slope_of(trials_of(result), difference);
  if (information <= 0) return {p, 0};
  return {std::clamp(p + kPerPoint * variance * slope / information, 0.0, 1.0),
          information / (kPerPoint * kPerPoint * variance)};
}

bool EloFit::misleads() const {
  if (degrees <= 0 || intransitivity <= 0.1) return false;
  const double spread = 2 / (9 * degrees);
  return std::cbrt(chi_square / degrees) > 1 - spread + 2.3263 * std::sqrt(spread);
}

EloFit assess_elo(const EloRatings& ratings, std::span<const PairResult> results) {
  EloFit fit;
  double variation = 0, unexplained = 0;
  std::vector<bool> met(ratings.rating.size());
  for (const PairResult& r : results) {
    if (r.matches() <= 0) continue;
    met[r.first] = met[r.second] = true;
    fit.degrees += 1;
    const double difference = ratings.rating[r.first] - ratings.rating[r.second];
    const double expected = elo_score(difference);
    const auto [score, n] = two_sided(r, difference);
    fit.chi_square += n * (score - expected) * (score - expected) / (expected * (1 - expected));
    // Neither 0 nor 1, for log-odds.
    const double smoothed = (n * score + 0.5) / (n + 1), weight = n * smoothed * (1 - smoothed);
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
