// Intervals that hold the true value 95 times in 100: what every figure shown to a person carries. Pure functions.
#pragma once

#include <cstdint>
#include <span>

namespace rival {

struct Interval {
  double low = 0, high = 0;
  double half_width() const { return (high - low) / 2; }
};

// The 97.5% point of the normal distribution: 95% lies within this many standard errors.
inline constexpr double kZ95 = 1.959963984540054;

// A proportion, from `successes` out of `trials` independent ones: Wilson's score interval (1927), which stays within
// [0, 1] and does not shrink to a point when all succeed. [0, 1] without trials.
Interval proportion_interval(std::int64_t successes, std::int64_t trials);

// The mean of independent scores in [0, 1], such as wins and draws averaged over a pair of matches with swapped seats.
// The interval of Agresti and Coull (1998), with the measured variance in place of the binomial one: two scores of 0
// and two of 1 are added first, so that all wins, or all draws, still leave some doubt. [0, 1] without scores.
Interval score_interval(std::span<const double> scores);

// The mean of independent values of any range: Student's t interval. Infinite with fewer than two values.
Interval mean_interval(std::span<const double> values);

// The mean; 0 without values.
double mean(std::span<const double> values);

}  // namespace rival
