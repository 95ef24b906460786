#include "balance/surface.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/index.hpp"

namespace rival::balance {
namespace {

// Standard deviations that the prior gives the weights, in log-odds over a parameter's whole range.
constexpr double kStrength = 2, kSlope = 4, kBend = 4, kCounter = 1, kCounterSlope = 2, kFirst = 1;
// Beyond so many weights those of least use are left out: first the slopes of single pairs, then the bends.
constexpr int kMostWeights = 1500;
// Products in a step of the fit: of more matches than these allow, evenly spaced ones are taken.
constexpr double kMostProducts = 5e8;
constexpr double kFewestMatches = 20'000;

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

// The matches' features: places, ascending within a match, and factors; row r's are from starts[r] to starts[r + 1].
struct Rows {
  std::vector<std::size_t> starts = {0};
  std::vector<int> places;
  std::vector<double> factors, scores;

  std::size_t size() const { return scores.size(); }
};

// Ridge regression of y on the given columns: [1 + dimensions].
std::vector<double> linear_fit(const std::vector<std::vector<double>>& z, const std::vector<double>& y) {
  const int n = z.empty() ? 1 : static_cast<int>(z[0].size()) + 1;
  SquareMatrix a(n);
  std::vector<double> b(index(n));
  const double centre = mean(y);
  for (std::size_t r = 0; r < y.size(); ++r)
    for (int i = 0; i < n; ++i) {
      const double xi = i == 0 ? 1 : z[r][i - 1];
      b[i] += xi * (y[r] - centre);
      for (int j = 0; j < n; ++j) a(i, j) += xi * (j == 0 ? 1 : z[r][j - 1]);
    }
  for (int i = 0; i < n; ++i) a(i, i) += i == 0 ? 1e-6 : 0.05;  // a slope of 4 deviations over the range is nothing odd
  const std::optional<SquareMatrix> factor = cholesky(a);
  if (!factor) return std::vector<double>(index(n));
  b = cholesky_solve(*factor, std::move(b));
  b[0] += centre;
  return b;
}

}  // namespace

double log_odds_of(double rate) {
  const double p = std::clamp(rate, 1e-4, 1 - 1e-4);
  return std::log(p / (1 - p));
}

int Surface::pair_base(int i, int j) const {
  return pairs_base_ + (i * options_ - i * (i + 1) / 2 + (j - i - 1)) * per_pair_;
}

std::vector<double> Surface::scaled(std::span<const double> values) const {
  std::vector<double> z(index(dimensions_));
  for (int k = 0; k < dimensions_; ++k) z[k] = (values[k] - around_[k]) / (tunables_[k].high - tunables_[k].low);
  return z;
}

Surface::Surface(std::span<const Tunable> tunables, std::vector<double> around, int options,
                 std::span<const MatchResult* const> results)
    : tunables_(tunables.begin(), tunables.end()),
      around_(std::move(around)),
      options_(options),
      dimensions_(static_cast<int>(tunables.size())),
      shift_(options) {
  const int pairs = options * (options - 1) / 2;
  quadratic_ = true;
  per_pair_ = 1 + dimensions_;
  const auto total = [&] {
    per_option_ = 1 + (quadratic_ ? 2 : 1) * dimensions_;
    return options * per_option_ + 1 + dimensions_ + pairs * per_pair_;
  };
  if (total() > kMostWeights) per_pair_ = 1;
  if (total() > kMostWeights) quadratic_ = false;
  size_ = total();
  first_base_ = options * per_option_;
  pairs_base_ = first_base_ + 1 + dimensions_;

  Rows rows;
  std::vector<std::vector<double>> positions;
  std::vector<double> drawn, lengths;
  std::vector<double> dense(index(size_)), values(index(dimensions_));
  std::vector<int> touched;
  double seats = 0;
  std::size_t every = 1;
  for (std::size_t m = 0; m < results.size(); m += every) {
    const MatchResult& r = *results[m];
    if (options > 0 && (r.first.empty() || r.second.empty())) continue;
    for (int k = 0; k < dimensions_; ++k) values[k] = static_cast<double>(r.parameters[tunables_[k].parameter]);
    const std::vector<double> z = scaled(values);
    touched.clear();
    const auto add = [&](int place, double factor) {
      if (dense[place] == 0) touched.push_back(place);
      dense[place] += factor;
    };
    const auto add_linear = [&](int base, double factor, bool slopes) {
      add(base, factor);
      for (int k = 0; slopes && k < dimensions_; ++k) add(base + 1 + k, factor * z[k]);
    };
    const auto add_side = [&](const std::vector<int>& side, double sign) {
      for (const int option : side) {
        add_linear(option_base(option), sign, true);
        for (int k = 0; quadratic_ && k < dimensions_; ++k)
          add(option_base(option) + 1 + dimensions_ + k, sign * z[k] * z[k] / 2);
      }
    };
    add_linear(first_base_, 1, true);
    if (options > 0) {
      add_side(r.first, 1);
      add_side(r.second, -1);
      const double side = static_cast<double>(std::max(r.first.size(), r.second.size()));
      seats += side;
      for (const int a : r.first)
        for (const int b : r.second)
          if (a != b) add_linear(pair_base(std::min(a, b), std::max(a, b)), (a < b ? 1 : -1) / side, per_pair_ > 1);
    }
    std::sort(touched.begin(), touched.end());
    for (const int place : touched) {
      if (dense[place] != 0) rows.places.push_back(place), rows.factors.push_back(dense[place]);
      dense[place] = 0;
    }
    rows.starts.push_back(rows.places.size());
    if (rows.starts.size() == 2) {  // the first match is like the others
      const auto features = static_cast<double>(rows.places.size());
      const double most = std::max(kFewestMatches, kMostProducts / (features * features));
      every = 1 + static_cast<std::size_t>(static_cast<double>(results.size()) / most);
      every += every % 2 == 0;  // of the two of a pair now one, now the other
    }
    rows.scores.push_back(static_cast<double>(r.score));
    positions.push_back(z);
    drawn.push_back(r.score > 0 && r.score < 1 ? 1 : 0);
    lengths.push_back(static_cast<double>(r.steps));
  }
  matches_ = static_cast<double>(rows.size());
  if (options > 0 && rows.size() > 0) side_ = seats / matches_;
  draws_ = linear_fit(positions, drawn);
  length_ = linear_fit(positions, lengths);

  std::vector<double> prior(index(size_));  // precisions
  const auto set = [&](int place, double deviation) { prior[place] = 1 / (deviation * deviation); };
  for (int i = 0; i < options; ++i) {
    set(option_base(i), kStrength);
    for (int k = 0; k < dimensions_; ++k) {
      set(option_base(i) + 1 + k, kSlope);
      if (quadratic_) set(option_base(i) + 1 + dimensions_ + k, kBend);
    }
  }
  set(first_base_, kFirst);
  for (int k = 0; k < dimensions_; ++k) set(first_base_ + 1 + k, kSlope);
  for (int p = 0; p < pairs; ++p) {
    set(pairs_base_ + p * per_pair_, kCounter);
    for (int k = 1; k < per_pair_; ++k) set(pairs_base_ + p * per_pair_ + k, kCounterSlope);
  }

  weights_.assign(index(size_), 0);
  for (int iteration = 0; iteration < 8; ++iteration) {
    SquareMatrix curvature(size_);
    std::vector<double> gradient(index(size_));
    for (int i = 0; i < size_; ++i) {
      curvature(i, i) = prior[i];
      gradient[i] = -prior[i] * weights_[i];
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const int* places = rows.places.data() + rows.starts[r];
      const double* factors = rows.factors.data() + rows.starts[r];
      const std::size_t count = rows.starts[r + 1] - rows.starts[r];
      double logit = 0;
      for (std::size_t x = 0; x < count; ++x) logit += factors[x] * weights_[places[x]];
      const double p = sigmoid(logit), w = std::max(p * (1 - p), 1e-3);
      for (std::size_t x = 0; x < count; ++x) {
        gradient[places[x]] += factors[x] * (rows.scores[r] - p);
        const double wx = w * factors[x];
        double* row = &curvature(places[x], 0);
        for (std::size_t y = 0; y <= x; ++y) row[places[y]] += wx * factors[y];
      }
    }
    for (int i = 0; i < size_; ++i)
      for (int j = 0; j < i; ++j) curvature(j, i) = curvature(i, j);
    std::optional<SquareMatrix> factor = cholesky(curvature);
    check(factor.has_value(), "a surface's curvature is positive definite");
    const std::vector<double> step = cholesky_solve(*factor, gradient);
    double largest = 0;
    for (int i = 0; i < size_; ++i) largest = std::max(largest, std::fabs(step[i]));
    const double scale = largest > 4 ? 4 / largest : 1;
    for (int i = 0; i < size_; ++i) weights_[i] += scale * step[i];
    factor_ = std::make_shared<SquareMatrix>(std::move(*factor));
    if (largest < 1e-3) break;
  }
}

double Surface::strength(int option, std::span<const double> z) const {
  const double* w = weights_.data() + option_base(option);
  double sum = w[0];
  for (int k = 0; k < dimensions_; ++k) {
    sum += w[1 + k] * z[k];
    if (quadratic_) sum += w[1 + dimensions_ + k] * z[k] * z[k] / 2;
  }
  return sum;
}

Measured Surface::predict(std::span<const double> values) const {
  const std::vector<double> z = scaled(values);
  const auto linear = [&](const double* w) {
    double sum = w[0];
    for (int k = 0; k < dimensions_; ++k) sum += w[1 + k] * z[k];
    return sum;
  };
  std::vector<double> strengths(index(options_));
  double spread = 0;
  for (int i = 0; i < options_; ++i) strengths[i] = strength(i, z);
  const double centre = mean(strengths);
  for (const double s : strengths) spread += (s - centre) * (s - centre) / options_;
  // The others of both sides, who are drawn, blur what a pair does (MacKay's approximation of a logistic function under
  // a Gaussian).
  const double blur = 1 / std::sqrt(1 + 3.14159265358979 / 8 * 2 * (side_ - 1) * spread);
  Measured measured{.rates = WinRates(options_), .conditions = {}};
  for (int i = 0; i < options_; ++i)
    for (int j = i + 1; j < options_; ++j) {
      const double* pair = weights_.data() + pair_base(i, j);
      const double counter = per_pair_ > 1 ? linear(pair) : pair[0];
      const double logit = (strengths[i] - strengths[j] + counter / side_) * blur + shift_(i, j);
      measured.rates(i, j).rate = sigmoid(logit);
      measured.rates(j, i).rate = 1 - measured.rates(i, j).rate;
    }
  measured.conditions.first.rate = sigmoid(linear(weights_.data() + first_base_) + shift_first_);
  measured.conditions.draws.rate = std::clamp(linear(draws_.data()), 0.0, 1.0);
  measured.conditions.length = std::max(0.0, linear(length_.data()));
  return measured;
}

Cell Surface::effect(int option, int tunable, double step) const {
  const double dz = step / (tunables_[tunable].high - tunables_[tunable].low);
  std::vector<double> direction(index(size_));
  const Measured here = predict(around_);
  if (option < 0) {
    const double p = here.conditions.first.rate;
    direction[first_base_ + 1 + tunable] = p * (1 - p) * dz;
  } else {
    for (int j = 0; j < options_; ++j) {
      if (j == option) continue;
      const double p = here.rates(option, j).rate, w = p * (1 - p) * dz / (options_ - 1);
      direction[option_base(option) + 1 + tunable] += w;
      direction[option_base(j) + 1 + tunable] -= w;
      if (per_pair_ > 1)
        direction[pair_base(std::min(option, j), std::max(option, j)) + 1 + tunable] += (option < j ? w : -w) / side_;
    }
  }
  double value = 0, variance = 0;
  for (int i = 0; i < size_; ++i) value += direction[i] * weights_[i];
  const std::vector<double> solved = cholesky_solve(*factor_, direction);
  for (int i = 0; i < size_; ++i) variance += direction[i] * solved[i];
  const double half = kZ95 * std::sqrt(std::max(0.0, variance));
  return {value, {value - half, value + half}, static_cast<std::int64_t>(matches_)};
}

}  // namespace rival::balance
