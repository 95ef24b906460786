// Elo ratings from match results, by maximum likelihood, with standard errors. Pure functions.
//
// The model (Elo 1978; Bradley and Terry 1952): against an opponent `d` points weaker a player scores
// 1 / (1 + 10^(-d/400)) a match, a draw counting half a win and half a loss. In matches of more than two sides it is
// Plackett and Luce's (Plackett 1975): side i comes first with a probability in proportion to 10^(r_i/400), and so on
// among those left. Of any two of them one is then ahead as often as in a match of the two alone, so that ratings from
// matches of any size are on one scale.
#pragma once

#include <span>
#include <vector>

#include "rating/matrix.hpp"

namespace rival {

// The expected score of a player `difference` points stronger than its opponent, and the difference that a score in
// (0, 1) stands for.
double elo_score(double difference);
double elo_difference(double score);

// What one match tells of the difference of two players who are `difference` apart: the Fisher information, in
// matches per squared point. Its inverse square root is the standard error after one match. In matches of more than two
// `sides` one player takes one of them and the other the rest, by turns.
double elo_information(double difference, int sides = 2);

// Matches of more than two sides in which one player took one side and another player all others: how many of those
// ended ahead of it, level with it and behind it.
struct Placing {
  bool first_alone = true;  // who took one side: the first of the two players, or the second
  int ahead = 0, level = 0, behind = 0;
  double matches = 0;

  int others() const { return ahead + level + behind; }
  // The first player's score a match: the mean over the other sides of 1 ahead, 1/2 level, 0 behind.
  // 1/2 without any.
  double score() const {
    const double alone = others() ? (behind + level / 2.0) / others() : 0.5;
    return first_alone ? alone : 1 - alone;
  }
  bool operator==(const Placing&) const = default;
};

// What came of the matches between two players, from the first one's side.
struct PairResult {
  int first = 0, second = 0;               // numbers of players
  double wins = 0, draws = 0, losses = 0;  // of matches of two sides
  std::vector<Placing> placings = {};      // of those of more; each kind once

  double matches() const;
  double score() const;  // the sum over matches, not the mean
  // Counts what came of matches of more than two sides.
  void add(const Placing& placing);
  bool operator==(const PairResult&) const = default;
};

// The spread of ratings to expect before any match: the standard deviation of a normal prior. It keeps the rating of
// a player who won or lost everything finite, and is felt by nobody else: it weighs as much as about an eighth of a
// match against an equal opponent.
inline constexpr double kRatingPrior = 1000;

struct EloRatings {
  std::vector<double> rating;  // [players]
  // Of the rating's difference from the anchor's; 0 for the anchor.
  std::vector<double> error;
  SquareMatrix covariance;  // of the differences from the anchor
};

// The most likely ratings of `players` players, moved so that player `anchor` has `anchor_rating`. Standard errors come
// from the curvature (the Hessian) at the maximum. They take draws for half wins and half losses, which vary more, so
// they are too wide where draws are frequent, never too narrow for independent matches. Players that no chain of
// matches links are held together by the prior alone, as their errors show. Sides that end level count as all orders of
// them alike.
EloRatings fit_elo(int players, std::span<const PairResult> results, int anchor = 0, double anchor_rating = 0);

// A player's matches against an opponent whose rating is known.
struct KnownOpponent {
  double rating = 0;
  PairResult result = {};  // the player's own side is the first
};

struct RatingEstimate {
  double rating = 0, error = 0;
  bool operator==(const RatingEstimate&) const = default;
};

// The most likely rating of one player against opponents of known ratings; the prior is centred on their mean, weighted
// by matches. Without matches: rating 0 with the prior's error.
RatingEstimate rate_against(std::span<const KnownOpponent> opponents);

// A result as matches of two sides that tell as much about two players `difference` points apart: their mean score and
// their number. Results of matches of two sides are as they were.
struct TwoSided {
  double score = 0.5, matches = 0;
};
TwoSided two_sided(const PairResult& result, double difference);

// How badly Elo fits results that it was fitted to.
struct EloFit {
  // Pearson's statistic over the pairs that met, and its expectation if Elo were right: pairs less ratings fitted.
  double chi_square = 0, degrees = 0;
  // The share of the variation of the log-odds, over pairs weighted by what is known of them, that no ratings explain,
  // less what chance alone would leave: 0 for a population that Elo describes, near 1 for rock, paper, scissors.
  double intransitivity = 0;

  // Whether ratings mislead: they leave more than a tenth of the variation unexplained, and chance would leave so much
  // once in 100 times at most (the 99% point of chi-square by Wilson and Hilferty, 1931).
  bool misleads() const;
};
EloFit assess_elo(const EloRatings& ratings, std::span<const PairResult> results);

}  // namespace rival
