#include "rating/interval.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rival {
namespace {

double sum_of_squares_about(double centre, std::span<const double> values) {
  double sum = 0;
  for (double value : values) sum += (value - centre) * (value - centre);
  return sum;
}

// The 97.5% point of Student's distribution: the Cornish-Fisher expansion in 1/degrees about the normal one
// (Abramowitz and Stegun 26.7.5), exact forms where it is poor.
double student_quantile(double degrees) {
  if (degrees < 1.5) return 12.706204736432095;
  if (degrees < 2.5) return 4.302652729911275;
  const double z = kZ95, z2 = z * z, d = degrees;
  const double g1 = (z2 + 1) * z / 4;
  const double g2 = ((5 * z2 + 16) * z2 + 3) * z / 96;
  const double g3 = (((3 * z2 + 19) * z2 + 17) * z2 - 15) * z / 384;
  const double g4 = ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) * z / 92160;
  return z + (g1 + (g2 + (g3 + g4 / d) / d) / d) / d;
}

}  // namespace

double mean(std::span<const double> values) {
  double sum = 0;
  for (double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

Interval proportion_interval(std::int64_t successes, std::int64_t trials) {
  if (trials <= 0) return {0, 1};
  const double n = static_cast<double>(trials), p = static_cast<double>(successes) / n;
  const double z2n = kZ95 * kZ95 / n;
  const double centre = (p + z2n / 2) / (1 + z2n);
  const double half = std::sqrt(z2n * (p * (1 - p) + z2n / 4)) / (1 + z2n);
  return {successes == 0 ? 0 : std::max(0.0, centre - half), successes == trials ? 1 : std::min(1.0, centre + half)};
}

Interval score_interval(std::span<const double> scores) {
  if (scores.empty()) return {0, 1};
  const double n = static_cast<double>(scores.size()) + 4;
  const double centre = (mean(scores) * (n - 4) + 2) / n;
  const double squares = sum_of_squares_about(centre, scores) + 2 * centre * centre + 2 * (1 - centre) * (1 - centre);
  const double half = kZ95 * std::sqrt(squares) / n;
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

Interval mean_interval(std::span<const double> values) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (values.size() < 2) return {-kInfinity, kInfinity};
  const double n = static_cast<double>(values.size()), centre = mean(values);
  const double error = std::sqrt(sum_of_squares_about(centre, values) / (n - 1) / n);
  const double half = student_quantile(n - 1) * error;
  return {centre - half, centre + half};
}

}  // namespace rival
