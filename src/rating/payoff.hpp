// What ratings on a line cannot show: strategies that beat each other in cycles. Pure functions of payoff matrices.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "rating/elo.hpp"
#include "rating/matrix.hpp"

namespace rival {

// The probabilities p(i, j) that i scores against j, from results and ratings: pairs count as if they had also played
// `prior` matches that went as the ratings say, so that pairs who never met are filled in. 0.5 on the diagonal.
SquareMatrix score_matrix(const EloRatings& ratings, std::span<const PairResult> results, double prior = 2);

// log(p / (1 - p)) of every entry: antisymmetric where p(i, j) + p(j, i) = 1.
SquareMatrix log_odds(const SquareMatrix& scores);

// alpha-Rank (Omidshafiei et al. 2019) in one population: where evolution spends its time. A population of `population`
// players of one strategy i is invaded by single mutants of others, chosen evenly; a mutant j takes over with the
// fixation probability rho = (1 - e^-u) / (1 - e^(-m u)), u = alpha m / (m - 1) (M(j, i) - sum / 2), and 1/m at u = 0.
// `payoffs`: M(i, j) of i against j, with M(i, j) + M(j, i) = `sum`. The stationary distribution of that chain: a share
// per strategy, summing to 1.
std::vector<double> alpha_rank(const SquareMatrix& payoffs, double alpha = 10, int population = 50, double sum = 1);

// Nash averaging (Balduzzi et al. 2018, "Re-evaluating evaluation"): the zero-sum game in which both sides pick a
// player.
struct NashAveraging {
  std::vector<double> mix;    // the maximum-entropy Nash equilibrium: nobody gains against it
  std::vector<double> skill;  // what each player gains against the mix: 0 for those in it, negative for the rest
  double entropy = 0;         // of the mix, in nats
};
// `antisymmetric`: A(i, j) = -A(j, i), such as log-odds.
NashAveraging nash_averaging(const SquareMatrix& antisymmetric);

// The Hodge decomposition of an antisymmetric matrix (Jiang et al. 2011; Balduzzi et al. 2018): A = grad r + cyclic,
// where (grad r)(i, j) = r_i - r_j, with r_i the mean of row i, is all that ratings can say.
struct HodgeDecomposition {
  std::vector<double> potential;  // r
  SquareMatrix cyclic;
  double cyclic_share = 0;  // of the squares of A: 0 for ratings alone, 1 for rock, paper, scissors
};
HodgeDecomposition hodge_decompose(const SquareMatrix& antisymmetric);

// Three players each of whom beats the next.
struct Cycle {
  std::array<int, 3> players{};  // 0 beats 1, 1 beats 2, 2 beats 0
  std::array<double, 3> scores{};
  double weakest = 0;  // how sure the least sure of the three is: standard errors above an even score
};
// The cycles that chance does not explain: each of the three scores is above one half by as many standard errors as
// keep the probability of any false cycle below 1 in 100, if one of its three players is truly no better than the one
// it seems to beat. The surest first, at most `limit`.
std::vector<Cycle> find_cycles(int players, std::span<const PairResult> results, std::size_t limit = 10);

}  // namespace rival
