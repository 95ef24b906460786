// What a matrix of win rates says about a game: pure functions of it. docs/balance-figures.md tells designers what they
// mean and do not mean.
#pragma once

#include <vector>

#include "balance/results.hpp"
#include "rating/payoff.hpp"

namespace rival::balance {

// An option that nobody who knows the game has a reason to pick: `by` does at least as well against everything and
// better against something.
struct Dominated {
  int option = 0, by = 0;
};
// Those for which this is so sure that in a balanced game any at all are flagged less than once in ten thousand: better
// by that much somewhere (Bonferroni over all that is compared), and nowhere worse: neither by two standard errors, nor
// possibly, within three of them, by 6 points. An option with a cell that is known to no better than 5 points is never
// flagged.
std::vector<Dominated> dominated(const WinRates& rates);

// How the options would be picked if both sides pick in secret and know all rates: the equilibrium of greatest entropy
// (rating/payoff.hpp) of the game in which a pick is worth its win rate.
NashAveraging pick_equilibrium(const SquareMatrix& rates);

// How many options are as good as the best, within `points` of win rate (0 to 1) of what it has overall, itself
// included: "Top-D diversity" (Lee et al. 2024), with an option's overall rate as its strength.
int top_diversity(const WinRates& rates, double points = 0.05);

// An option that is measurably better than even against another: its interval lies above 1/2 + `margin`.
struct Counter {
  int option = 0, against = 0;
  double rate = 0;
};
std::vector<Counter> counters(const WinRates& rates, double margin = 0.02);

}  // namespace rival::balance
