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

std::int64_t Surface::weights(std::span<const Tunable> tunables, int options) {
  std::int64_t own = 0;
  for (const Tunable& t : tunables) own += t.owner < 0 ? options : 1;
  return options + own + 1 + std::ssize(tunables) + std::int64_t{options} * (options - 1) / 2;
}

int Surface::Form::slope(int t) const {
  const auto found = std::find(tunables.begin(), tunables.end(), t);
  return found == tunables.end() ? -1 : base + 1 + static_cast<int>(found - tunables.begin());
}

void Surface::lay_out(Detail detail) {
  size_ = 0;
  strengths_.clear(), pairs_.clear();
  const auto form = [this](bool slopes, bool quadratic, const auto& has) {
    Form made{.base = size_, .tunables = {}, .quadratic = quadratic};
    for (int k = 0; slopes && k < dimensions_; ++k)
      if (has(tunables_[k].owner)) made.tunables.push_back(k);
    size_ += made.size();
    return made;
  };
  for (int i = 0; i < options_; ++i)
    strengths_.push_back(form(true, detail != Detail::least, [i](int owner) { return owner < 0 || owner == i; }));
  first_ = form(true, false, [](int) { return true; });
  for (int i = 0; i < options_; ++i)
    for (int j = i + 1; j < options_; ++j)
      pairs_.push_back(
          form(detail == Detail::all, false, [i, j](int owner) { return owner < 0 || owner == i || owner == j; }));
}

const Surface::Form& Surface::pair(int i, int j) const {
  const int low = std::min(i, j), high = std::max(i, j);
  return pairs_[index(low * options_ - low * (low + 1) / 2 + (high - low - 1))];
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
  for (const Detail detail : {Detail::all, Detail::no_pair_slopes, Detail::least}) {
    lay_out(detail);
    if (size_ <= kMostWeights) break;
  }

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
    const auto add_form = [&](const Form& form, double factor) {
      add(form.base, factor);
      const auto n = static_cast<int>(form.tunables.size());
      for (int k = 0; k < n; ++k) {
        const double x = z[form.tunables[k]];
        add(form.base + 1 + k, factor * x);
        if (form.quadratic) add(form.base + 1 + n + k, factor * x * x / 2);
      }
    };
    add_form(first_, 1);
    if (options > 0) {
      for (const int option : r.first) add_form(strengths_[option], 1);
      for (const int option : r.second) add_form(strengths_[option], -1);
      const double side = static_cast<double>(std::max(r.first.size(), r.second.size()));
      seats += side;
      for (const int a : r.first)
        for (const int b : r.second)
          if (a != b) add_form(pair(a, b), (a < b ? 1 : -1) / side);
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
  const auto set = [&](const Form& form, double constant, double slope) {
    for (int k = 0; k < form.size(); ++k) {
      const double deviation = k == 0 ? constant : k <= std::ssize(form.tunables) ? slope : kBend;
      prior[form.base + k] = 1 / (deviation * deviation);
    }
  };
  for (const Form& form : strengths_) set(form, kStrength, kSlope);
  set(first_, kFirst, kSlope);
  for (const Form& form : pairs_) set(form, kCounter, kCounterSlope);

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

double Surface::value(const Form& form, std::span<const double> z) const {
  const double* w = weights_.data() + form.base;
  double sum = w[0];
  for (std::size_t k = 0, n = form.tunables.size(); k < n; ++k) {
    const double x = z[form.tunables[k]];
    sum += w[1 + k] * x;
    if (form.quadratic) sum += w[1 + n + k] * x * x / 2;
  }
  return sum;
}

Measured Surface::predict(std::span<const double> values) const {
  const std::vector<double> z = scaled(values);
  const auto linear = [&](const std::vector<double>& w) {
    double sum = w[0];
    for (int k = 0; k < dimensions_; ++k) sum += w[1 + k] * z[k];
    return sum;
  };
  std::vector<double> strengths(index(options_));
  double spread = 0;
  for (int i = 0; i < options_; ++i) strengths[i] = value(strengths_[i], z);
  const double centre = mean(strengths);
  for (const double s : strengths) spread += (s - centre) * (s - centre) / options_;
  // The others of both sides, who are drawn, blur what a pair does (MacKay's approximation of a logistic function under
  // a Gaussian).
  const double blur = 1 / std::sqrt(1 + 3.14159265358979 / 8 * 2 * (side_ - 1) * spread);
  Measured measured{.rates = WinRates(options_), .conditions = {}};
  for (int i = 0; i < options_; ++i)
    for (int j = i + 1; j < options_; ++j) {
      const double logit = (strengths[i] - strengths[j] + value(pair(i, j), z) / side_) * blur + shift_(i, j);
      measured.rates(i, j).rate = sigmoid(logit);
      measured.rates(j, i).rate = 1 - measured.rates(i, j).rate;
    }
  measured.conditions.first.rate = sigmoid(value(first_, z) + shift_first_);
  measured.conditions.draws.rate = std::clamp(linear(draws_), 0.0, 1.0);
  measured.conditions.length = std::max(0.0, linear(length_));
  return measured;
}

Cell Surface::effect(int option, int tunable, double step) const {
  const double dz = step / (tunables_[tunable].high - tunables_[tunable].low);
  std::vector<double> direction(index(size_));
  const Measured here = predict(around_);
  const auto moves = [&](const Form& form, double by) {
    if (const int slope = form.slope(tunable); slope >= 0) direction[slope] += by;
  };
  if (option < 0) {
    const double p = here.conditions.first.rate;
    moves(first_, p * (1 - p) * dz);
  } else {
    for (int j = 0; j < options_; ++j) {
      if (j == option) continue;
      const double p = here.rates(option, j).rate, w = p * (1 - p) * dz / (options_ - 1);
      moves(strengths_[option], w);
      moves(strengths_[j], -w);
      moves(pair(option, j), (option < j ? w : -w) / side_);
    }
  }
  double mean = 0, variance = 0;
  for (int i = 0; i < size_; ++i) mean += direction[i] * weights_[i];
  const std::vector<double> solved = cholesky_solve(*factor_, direction);
  for (int i = 0; i < size_; ++i) variance += direction[i] * solved[i];
  const double half = kZ95 * std::sqrt(std::max(0.0, variance));
  return {mean, {mean - half, mean + half}, static_cast<std::int64_t>(matches_)};
}

}  // namespace rival::balance
