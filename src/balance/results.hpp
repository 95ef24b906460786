// What came of matches, as data: from our own players or from real ones, from this machine or from others. All figures
// of a balance report are functions of these.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "rating/interval.hpp"
#include "rating/matrix.hpp"
#include "rival/game.hpp"

namespace rival::balance {

// One match of two sides.
struct MatchResult {
  std::int64_t pair = 0;           // matches of a pair have the same number: the same key with the sides swapped
  std::vector<float> parameters;   // [Spec::parameters]
  std::vector<int> first, second;  // options that the seats of team 0 and of team 1 had; empty without choices
  float score = 0.5f;              // of team 0: 1 won, 1/2 drawn, 0 lost
  std::int32_t steps = 0;
};

// A line of names, then a line a match: pair, every parameter, first, second (options joined by ';'), score, steps.
// `choice` is which of Spec::choices the options are of; -1: none.
std::string write_results(const Spec& spec, int choice, std::span<const MatchResult> results);

// Back. The text may come from anyone, other columns are passed over, and of those that are missing `pair` makes each
// match its own, parameters are the game's defaults and steps 0. Real players' results need first, second and score, or
// score alone. Errors name `file`, the line and the column.
Result<std::vector<MatchResult>> read_results(const Spec& spec, int choice, std::string_view text,
                                              std::string_view file);

// Mean scores over pairs of matches, with their 95% interval.
struct Cell {
  double rate = 0.5;
  Interval interval{0, 1};
  std::int64_t matches = 0;

  double error() const { return interval.half_width() / kZ95; }
};

// How often each option won against each other one: cell (i, j) is i's score against j. In teams every option of one
// side meets every one of the other. The diagonal is 1/2, known exactly.
class WinRates {
 public:
  explicit WinRates(int options = 0) : options_(options), cells_(index(options, options)) {
    for (int i = 0; i < options; ++i) (*this)(i, i).interval = {0.5, 0.5};
  }
  WinRates(int options, std::span<const MatchResult> results);

  int options() const { return options_; }
  Cell& operator()(int i, int j) { return cells_[index(i, j)]; }
  const Cell& operator()(int i, int j) const { return cells_[index(i, j)]; }
  SquareMatrix rates() const;
  // An option's score against all others: the mean of its row; in teams, where a match fills many cells at once, of all
  // matches that a side with it played against one without.
  Cell overall(int option) const;

 private:
  std::size_t index(int i, int j) const {
    return static_cast<std::size_t>(i) * static_cast<std::size_t>(options_) + static_cast<std::size_t>(j);
  }
  int options_;
  std::vector<Cell> cells_;
  std::vector<Cell> in_teams_;  // [options], or empty
};

// What does not depend on picks.
struct Conditions {
  Cell first;  // score of the side that goes first: team 0
  Cell draws;  // share of drawn matches
  double length = 0;
  Interval length_interval;
};
Conditions conditions(std::span<const MatchResult> results);

}  // namespace rival::balance
