// Ratings of players in teams: Weng and Lin, "A Bayesian Approximation Method for Online Ranking" (JMLR 2011),
// Algorithm 4 (Plackett-Luce), free of the licence that binds TrueSkill. Also Glicko-2 (Glickman 2012) for players who
// meet one by one. Pure functions.
#pragma once

#include <span>
#include <vector>

namespace rival {

// What is believed of a player's skill: a normal distribution.
struct Skill {
  double mu = 25, sigma = 25.0 / 3;

  // A cautious single figure: the skill is above it 999 times in 1000.
  double ordinal() const { return mu - 3 * sigma; }
  bool operator==(const Skill&) const = default;
};

struct WengLinOptions {
  double beta = 25.0 / 6;  // how much one performance varies about the skill
  double kappa = 1e-4;     // the least part of its variance that a skill keeps after a match
};

// The skills after one match. teams[t]: the players of team t; ranks[t]: its place, smaller is better, equal is a tie.
// At least two teams, none empty. A tie counts as the mean of all orders of the tied, so that it is worth more than any
// place behind it (the paper's own formula for ties is not: of five equal teams two winners would gain less than the
// third). A player whose sigma is 0 stays as it is.
std::vector<std::vector<Skill>> rate_teams(std::span<const std::vector<Skill>> teams, std::span<const int> ranks,
                                           const WengLinOptions& options = {});

// Glicko-2, in its public units.
struct Glicko {
  double rating = 1500, deviation = 350, volatility = 0.06;
};
struct GlickoResult {
  double rating = 1500, deviation = 350;  // the opponent's, before the period
  double score = 0;                       // 1, 0.5 or 0
};
// How much a result counts if the opponent's rating is so uncertain (g in the paper): 1 if it is exact.
double glicko_weight(double deviation);
// A player after a rating period; without results only the deviation grows. `tau` bounds how fast volatility changes.
Glicko rate_glicko(const Glicko& player, std::span<const GlickoResult> results, double tau = 0.5);

}  // namespace rival
