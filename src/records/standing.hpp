// What is known of a player in one game, how a match changes it, and which bot makes a match even. Pure functions.
//
// There are two ratings. A skill (Weng and Lin, rating/weng_lin.hpp) learns from every match, of any teams. A rating on
// Elo's scale learns from matches of one against one: Glicko-2 (Glickman 2012), with a match as its period and a
// volatility that stays as it is. Both drift by a hundredth of what a new player's rating is uncertain by, before each
// match (TrueSkill's dynamics, Herbrich et al. 2006), so that they follow a player who learns for as long as they play.
//
// Both are on one scale: a point of Weng and Lin's is as many of Elo's as give two players whose skills are known the
// same chances. So a bot that a ladder rated anchors both.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rating/elo.hpp"
#include "rating/interval.hpp"
#include "rating/weng_lin.hpp"

namespace rival::records {

// What new players are taken for, on Elo's scale.
inline constexpr double kNewRating = 1500, kNewError = 350;
// Ratings that may be given.
inline constexpr double kLowestRating = -10'000, kHighestRating = 10'000;

struct Standing {
  std::int64_t matches = 0, wins = 0, draws = 0, losses = 0;
  std::int64_t pairs = 0;      // of the matches, those of one against one
  std::int64_t last_seen = 0;  // seconds since 1970; 0: never
  Skill skill = {};
  RatingEstimate elo = {kNewRating, kNewError};
  bool fixed = false;  // an anchor: matches do not change its ratings, whose errors are 0

  bool operator==(const Standing&) const = default;
};

// A skill of Weng and Lin's as a rating on Elo's scale, and back.
double elo_of_skill(double mu);
double skill_of_elo(double rating);

// From now on the player has this rating, which is exact.
void fix_rating(Standing& player, double rating);

// After a match: teams[t] are the players of team t, ranks[t] its place (smaller is better, equal is a tie). At least
// two teams, none empty. To be first alone is a win, first with others a draw, all else a loss.
void rate_match(std::span<std::vector<Standing>> teams, std::span<const int> ranks, std::int64_t time);

// A team that lacks some bots, all of which are to have the same rating.
struct OpenTeam {
  std::vector<Standing> players;
  int bots = 0;
};

struct Chance {
  double expected = 0;  // to come first; of one against one: the score
  Interval interval;    // of what it would be if all skills were known
};

struct EvenMatch {
  double rating = 0;            // of the bots, on Elo's scale, to a point: a bot is made for each that is asked for
  std::vector<Chance> chances;  // of each team
};

// The whole rating in `ratings` that makes the match most even: for one person against one bot by Elo, for all others
// by Weng and Lin's model, where the chances of coming first are to be as near to equal as they get (the
// Kullback-Leibler divergence of the equal ones from them is least). Where the bots' rating makes no difference, since
// each team lacks as many: the one nearest to the players' mean. At least two teams, each of at least one player or
// bot; at least one bot in all.
EvenMatch even_match(std::span<const OpenTeam> teams, Interval ratings);

}  // namespace rival::records
