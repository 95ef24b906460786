#include "records/standing.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.hpp"

namespace rival::records {
namespace {

constexpr double kEloScale = 400 / std::numbers::ln10;
constexpr double kVolatility = kNewError / 100 / kEloScale;
constexpr Skill kNewSkill;
constexpr double kDrift = kNewSkill.sigma / 100;
constexpr double kBeta = WengLinOptions{}.beta;
// Of two players whose skills are known, Weng and Lin's c is the root of 2 beta^2.
constexpr double kPointsOfElo = kEloScale / (std::numbers::sqrt2 * kBeta);

void rate_pair(Standing& player, const RatingEstimate& other, double score) {
  ++player.pairs;
  if (player.fixed) return;
  const GlickoResult result{other.rating, other.error, score};
  const Glicko after = rate_glicko({player.elo.rating, player.elo.error, kVolatility}, {&result, 1});
  player.elo = {after.rating, std::min(after.deviation, kNewError)};
}

// The teams as Weng and Lin's model sees them: how far each is ahead, and how uncertain that is.
struct Sides {
  std::vector<double> mu, variance, bots;
  double c = 0, known_c = 0;  // the model's scale; the same if all skills were known
};

Sides sides_of(std::span<const OpenTeam> teams) {
  Sides sides;
  double c2 = 0;
  for (const OpenTeam& team : teams) {
    double mu = 0, variance = 0;
    for (const Standing& player : team.players) {
      mu += player.skill.mu;
      variance += player.skill.sigma * player.skill.sigma;
    }
    sides.mu.push_back(mu);
    sides.variance.push_back(variance);
    sides.bots.push_back(team.bots);
    c2 += variance + kBeta * kBeta;
  }
  sides.c = std::sqrt(c2);
  sides.known_c = kBeta * std::sqrt(static_cast<double>(teams.size()));
  return sides;
}

double log_sum(std::span<const double> x) {
  const double most = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (double each : x) sum += std::exp(each - most);
  return most + std::log(sum);
}

// The logarithms of the teams' strengths at a scale, where bots have the skill `bot`.
std::vector<double> strengths(const Sides& sides, double bot, double c) {
  std::vector<double> x;
  for (std::size_t t = 0; t < sides.mu.size(); ++t) x.push_back((sides.mu[t] + sides.bots[t] * bot) / c);
  return x;
}

// How far a team's x is above the logarithm of the sum of the others' exp(x), of which its chance is the logistic
// function, has the error of a sum in which the others weigh as much as their shares (the delta method; exact for two
// teams).
Chance chance_of(const Sides& sides, std::size_t team, double bot) {
  const std::vector<double> all = strengths(sides, bot, sides.c);
  std::vector<double> others = strengths(sides, bot, sides.known_c);
  const double own = others[team];
  others[team] = -HUGE_VAL;
  const double sum = log_sum(others);
  double variance = sides.variance[team];
  for (std::size_t t = 0; t < others.size(); ++t) variance += std::exp(2 * (others[t] - sum)) * sides.variance[t];
  const double error = kZ95 * std::sqrt(variance) / sides.known_c;
  return {std::exp(all[team] - log_sum(all)),
          {elo_score(kEloScale * (own - sum - error)), elo_score(kEloScale * (own - sum + error))}};
}

// The skill of the bots at which the divergence is least: log(sum exp(x)) - mean(x), which is convex in that skill, so
// that its slope, the bots of the expected winner less those of a team in the mean, grows and has one zero.
double most_even_skill(const Sides& sides, double low, double high) {
  double mean = 0;
  for (double bots : sides.bots) mean += bots / static_cast<double>(sides.bots.size());
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    const std::vector<double> x = strengths(sides, middle, sides.c);
    double slope = -mean;
    for (std::size_t t = 0; t < x.size(); ++t) slope += std::exp(x[t] - log_sum(x)) * sides.bots[t];
    (slope < 0 ? low : high) = middle;
  }
  return (low + high) / 2;
}

double whole_point(double rating, Interval ratings) {
  return std::clamp(std::round(rating), ratings.low, ratings.high);
}

EvenMatch even_pair(const Standing& person, bool first, Interval ratings) {
  const double rating = whole_point(person.elo.rating, ratings);
  const double ahead = person.elo.rating - rating, error = kZ95 * person.elo.error;
  const Chance own{elo_score(glicko_weight(person.elo.error) * ahead),
                   {elo_score(ahead - error), elo_score(ahead + error)}};
  const Chance other{1 - own.expected, {1 - own.interval.high, 1 - own.interval.low}};
  return {rating, first ? std::vector{own, other} : std::vector{other, own}};
}

}  // namespace

double elo_of_skill(double mu) {
  return kNewRating + kPointsOfElo * (mu - kNewSkill.mu);
}

double skill_of_elo(double rating) {
  return kNewSkill.mu + (rating - kNewRating) / kPointsOfElo;
}

void fix_rating(Standing& player, double rating) {
  player.skill = {skill_of_elo(rating), 0};
  player.elo = {rating, 0};
  player.fixed = true;
}

void rate_match(std::span<std::vector<Standing>> teams, std::span<const int> ranks, std::int64_t time) {
  check(teams.size() >= 2 && ranks.size() == teams.size(), "a match is between two teams or more, each with its rank");
  const int best = *std::min_element(ranks.begin(), ranks.end());
  const bool shared = std::count(ranks.begin(), ranks.end(), best) > 1;
  std::vector<std::vector<Skill>> skills(teams.size());
  for (std::size_t t = 0; t < teams.size(); ++t)
    for (Standing& player : teams[t]) {
      ++player.matches;
      ++(ranks[t] != best ? player.losses : shared ? player.draws : player.wins);
      player.last_seen = std::max(player.last_seen, time);
      Skill skill = player.skill;
      if (!player.fixed) skill.sigma = std::min(std::hypot(skill.sigma, kDrift), kNewSkill.sigma);
      skills[t].push_back(skill);
    }
  skills = rate_teams(skills, ranks);
  for (std::size_t t = 0; t < teams.size(); ++t)
    for (std::size_t i = 0; i < teams[t].size(); ++i) teams[t][i].skill = skills[t][i];
  if (teams.size() != 2 || teams[0].size() != 1 || teams[1].size() != 1) return;
  const double score = shared ? 0.5 : ranks[0] == best ? 1 : 0;
  Standing &a = teams[0][0], &b = teams[1][0];
  const RatingEstimate before = a.elo;
  rate_pair(a, b.elo, score);
  rate_pair(b, before, 1 - score);
}

EvenMatch even_match(std::span<const OpenTeam> teams, Interval ratings) {
  check(teams.size() >= 2, "a match is between two teams or more");
  if (teams.size() == 2) {
    const auto alone = [](const OpenTeam& person, const OpenTeam& bot) {
      return person.players.size() == 1 && person.bots == 0 && bot.players.empty() && bot.bots == 1;
    };
    if (alone(teams[0], teams[1])) return even_pair(teams[0].players[0], true, ratings);
    if (alone(teams[1], teams[0])) return even_pair(teams[1].players[0], false, ratings);
  }
  const Sides sides = sides_of(teams);
  const double low = skill_of_elo(ratings.low), high = skill_of_elo(ratings.high);
  double bot;
  if (std::equal(sides.bots.begin() + 1, sides.bots.end(), sides.bots.begin())) {
    double sum = 0, players = 0;
    for (std::size_t t = 0; t < teams.size(); ++t) {
      sum += sides.mu[t];
      players += static_cast<double>(teams[t].players.size());
    }
    bot = std::clamp(players > 0 ? sum / players : kNewSkill.mu, low, high);
  } else {
    bot = most_even_skill(sides, low, high);
  }
  EvenMatch match{whole_point(elo_of_skill(bot), ratings), {}};
  for (std::size_t t = 0; t < teams.size(); ++t)
    match.chances.push_back(chance_of(sides, t, skill_of_elo(match.rating)));
  return match;
}

}  // namespace rival::records
