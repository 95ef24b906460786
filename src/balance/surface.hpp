// Win rates as a function of the parameters, fitted to matches that were each played under other ones, so that every
// match tells something about every parameter.
//
// With z the parameters' distance from where the fit is centred, as a share of their ranges, the logit of side A's
// score against side B is
//   first(z) + mean over a in A, b in B of [ s_a(z) - s_b(z) + c_ab(z) ] * seats of a side
// (without the factor for c), where s_a is a quadratic without mixed terms, and c_ab = -c_ba and first are linear. A
// parameter that is an option's own (Tunable::owner) does nothing but through it: s_a has a's own ones and nobody's,
// c_ab those of a and b and nobody's. A Gaussian prior keeps what the matches do not tell near 0. It is fitted by
// Newton's method; draws count as half of each (quasi-likelihood), which only makes intervals wider.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "balance/results.hpp"
#include "balance/targets.hpp"

namespace rival::balance {

class Surface {
 public:
  // How many weights a fit has at least. Beyond a few thousand it takes minutes, and memory by their square.
  static std::int64_t weights(std::span<const Tunable> tunables, int options);

  // `around`: values of the tunables on which the fit is centred. Results without picks, or with those of `options`.
  Surface(std::span<const Tunable> tunables, std::vector<double> around, int options,
          std::span<const MatchResult* const> results);

  // What is to be expected there; intervals are not filled in.
  Measured predict(std::span<const double> values) const;

  // What a change of tunable `t` by `step` does to an option's overall rate, where the fit is centred, with its 95%
  // interval; for option -1 to the score of the side that goes first.
  Cell effect(int option, int tunable, double step) const;

  // Adds to every cell what is expected besides, on the scale of log-odds: what other players made of the same game.
  void shift(const SquareMatrix& odds, double first) { shift_ = odds, shift_first_ = first; }

  double matches() const { return matches_; }

 private:
  // A polynomial of some of the tunables: its weights lie one after the other, the constant first.
  struct Form {
    int base = 0;
    std::vector<int> tunables;
    bool quadratic = false;

    int size() const { return 1 + (quadratic ? 2 : 1) * static_cast<int>(tunables.size()); }
    // Of tunable `t`; -1: it has none.
    int slope(int t) const;
  };
  enum class Detail { least, no_pair_slopes, all };

  void lay_out(Detail detail);
  const Form& pair(int i, int j) const;
  double value(const Form& form, std::span<const double> z) const;
  std::vector<double> scaled(std::span<const double> values) const;

  std::vector<Tunable> tunables_;
  std::vector<double> around_;
  int options_, dimensions_;
  std::vector<Form> strengths_, pairs_;  // [options]; [options x (options - 1) / 2]
  Form first_;
  int size_ = 0;
  double side_ = 1;  // seats of a side, on average
  double matches_ = 0;
  std::vector<double> weights_;           // [size]
  std::vector<double> draws_, length_;    // [1 + dimensions] linear
  std::shared_ptr<SquareMatrix> factor_;  // of the precision, for effect()
  SquareMatrix shift_;
  double shift_first_ = 0;
};

// log-odds of a rate, kept finite.
double log_odds_of(double rate);

}  // namespace rival::balance
