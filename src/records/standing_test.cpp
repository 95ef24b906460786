#include "records/standing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "rival/random.hpp"

namespace rival::records {
namespace {

double normal(Random& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.uniform();
  return sum;
}

Standing known(double rating) {
  Standing player;
  fix_rating(player, rating);
  return player;
}

Standing person(double mu, double sigma) {
  Standing player;
  player.skill = {mu, sigma};
  return player;
}

void play(Standing& a, Standing& b, double score) {
  std::vector<std::vector<Standing>> teams = {{a}, {b}};
  const int ranks[] = {score > 0 ? 1 : 2, score < 1 ? 1 : 2};
  rate_match(teams, ranks, 7);
  a = teams[0][0];
  b = teams[1][0];
}

TEST(Standing, CountsWhatHappened) {
  std::vector<std::vector<Standing>> teams = {{Standing(), Standing()}, {Standing()}, {Standing()}};
  rate_match(teams, std::vector{2, 1, 3}, 100);
  EXPECT_EQ(teams[1][0].wins, 1);
  EXPECT_EQ(teams[0][1].losses, 1);
  EXPECT_EQ(teams[2][0].losses, 1);
  EXPECT_EQ(teams[2][0].elo, Standing().elo) << "no match of one against one";
  rate_match(teams, std::vector{4, 4, 5}, 50);
  EXPECT_EQ(teams[0][0].draws, 1);
  EXPECT_EQ(teams[1][0].draws, 1);
  EXPECT_EQ(teams[2][0].losses, 2);
  EXPECT_EQ(teams[2][0].matches, 2);
  EXPECT_EQ(teams[2][0].pairs, 0);
  EXPECT_EQ(teams[2][0].last_seen, 100) << "matches may be posted out of order";
  EXPECT_GT(teams[1][0].skill.mu, 25);
  EXPECT_LT(teams[2][0].skill.mu, 25);
  Standing a, b;
  play(a, b, 0.5);
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.draws, 1);
  EXPECT_EQ(a.pairs, 1);
  EXPECT_EQ(a.elo.rating, kNewRating);
  EXPECT_LT(a.elo.error, kNewError);
}

TEST(Standing, AnchorsStayAndBothScalesAgree) {
  Standing bot = known(1900), ann;
  EXPECT_NEAR(elo_of_skill(bot.skill.mu), 1900, 1e-9);
  play(ann, bot, 1);
  EXPECT_EQ(bot.elo.rating, 1900);
  EXPECT_EQ(bot.elo.error, 0);
  EXPECT_EQ(bot.skill, known(1900).skill);
  EXPECT_EQ(bot.losses, 1);
  EXPECT_GT(ann.elo.rating, 1500);
  EXPECT_GT(elo_of_skill(ann.skill.mu), 1500);
  // Of known players both models give the same chances, whatever the distance.
  for (const double distance : {-300.0, 0.0, 120.0, 900.0}) {
    const std::vector<OpenTeam> teams = {{{known(1500 + distance)}, 0}, {{known(1500)}, 0}};
    const EvenMatch match = even_match(teams, {0, 3000});
    EXPECT_NEAR(match.chances[0].expected, elo_score(distance), 1e-9);
    EXPECT_NEAR(match.chances[0].interval.half_width(), 0, 1e-9);
  }
}

// The first match of two new players, by hand: g(350) and the step of Glicko-1 with the drift of one match.
TEST(Standing, TheFirstDuel) {
  Standing a, b;
  play(a, b, 1);
  const double q = std::log(10) / 400, g = 1 / std::sqrt(1 + 3 * q * q * 350 * 350 / (M_PI * M_PI));
  const double information = q * q * g * g / 4, variance = 1 / (1 / (350.0 * 350 + 3.5 * 3.5) + information);
  EXPECT_NEAR(a.elo.error, std::sqrt(variance), 0.01);
  EXPECT_NEAR(a.elo.rating, 1500 + q * variance * g / 2, 0.01);
  EXPECT_NEAR(a.elo.rating + b.elo.rating, 3000, 1e-9);
}

// People whose true ratings are spread as new ones are taken to be play bots of known ratings, and each other: the
// 95% intervals hold the truth about as often as they say, after few matches and after many.
TEST(Standing, IntervalsHoldTheTruth) {
  constexpr int kPeople = 400;
  std::vector<double> truth;
  std::vector<Standing> people(kPeople);
  Random random(Key(5));
  for (int i = 0; i < kPeople; ++i) truth.push_back(kNewRating + kNewError * normal(random));
  const auto outcome = [&](double difference) { return random.uniform() < elo_score(difference) ? 1.0 : 0.0; };
  for (int round = 1; round <= 60; ++round) {
    for (int i = 0; i < kPeople; ++i) {
      if (random.below(2) == 0) {
        const double rating = 1000 + 250 * random.below(5);
        Standing bot = known(rating);
        play(people[i], bot, outcome(truth[i] - rating));
      } else if (const int j = random.below(kPeople); j != i) {
        play(people[i], people[j], outcome(truth[i] - truth[j]));
      }
    }
    if (round != 5 && round != 60) continue;
    int held = 0, narrower = 0;
    double error = 0;
    for (int i = 0; i < kPeople; ++i) {
      const double off = people[i].elo.rating - truth[i];
      held += std::fabs(off) <= kZ95 * people[i].elo.error;
      narrower += std::fabs(off) <= kZ95 * people[i].elo.error / 2;
      error += people[i].elo.error / kPeople;
    }
    // Of 400 independent ones 95% would be 380, give or take 9.
    EXPECT_GT(held, 0.9 * kPeople) << round;
    EXPECT_LT(narrower, 0.85 * kPeople) << "intervals twice as narrow would do as well, in round " << round;
    EXPECT_LT(error, round == 5 ? 250 : 90);
  }
}

TEST(Standing, FollowsWhoLearns) {
  Standing learner;
  Random random(Key(2));
  const auto month = [&](double truth) {
    for (int i = 0; i < 400; ++i) {
      Standing bot = known(1500);
      play(learner, bot, random.uniform() < elo_score(truth - 1500) ? 1 : 0);
    }
    EXPECT_NEAR(learner.elo.rating, truth, 2.6 * learner.elo.error) << truth;
    EXPECT_LT(learner.elo.error, 60);
    EXPECT_GT(learner.elo.error, 25) << "nobody is ever known exactly who may still change";
  };
  month(1400);
  month(1700);
}

TEST(Standing, AbsurdMatchesLeaveNumbers) {
  Random random(Key(3));
  std::vector<Standing> people(6);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::vector<Standing>> teams(2 + random.below(3));
    std::vector<int> ranks;
    std::vector<std::pair<std::size_t, int>> seats;
    int next = random.below(6);
    for (std::size_t t = 0; t < teams.size(); ++t) {
      ranks.push_back(1 + random.below(3));
      if (random.below(2) && t > 0) {
        teams[t].push_back(known(random.below(2) ? kLowestRating : kHighestRating));
      } else {
        seats.emplace_back(t, next);
        teams[t].push_back(people[next]);
        next = (next + 1) % 6;
      }
    }
    rate_match(teams, ranks, 1);
    for (const auto& [t, i] : seats) {
      people[i] = teams[t][0];
      const Standing& s = people[i];
      ASSERT_TRUE(std::isfinite(s.skill.mu) && std::isfinite(s.skill.sigma) && s.skill.sigma > 0) << round;
      ASSERT_TRUE(std::isfinite(s.elo.rating) && s.elo.error > 0 && s.elo.error <= kNewError) << round;
    }
  }
}

// ---- which bot makes a match even ----

// The model's chances, written out, where the bots have a skill.
std::vector<double> chances(const std::vector<OpenTeam>& teams, double bot) {
  double c2 = 0, sum = 0;
  std::vector<double> mu;
  for (const OpenTeam& team : teams) {
    mu.push_back(team.bots * bot);
    c2 += 25.0 / 6 * 25.0 / 6;
    for (const Standing& player : team.players) {
      mu.back() += player.skill.mu;
      c2 += player.skill.sigma * player.skill.sigma;
    }
  }
  for (double& x : mu) sum += x = std::exp((x - 100) / std::sqrt(c2));
  for (double& x : mu) x /= sum;
  return mu;
}

double divergence(const std::vector<double>& chances) {
  double sum = 0;
  for (double p : chances)
    sum -= std::log(p * static_cast<double>(chances.size())) / static_cast<double>(chances.size());
  return sum;
}

TEST(EvenMatch, NoOtherBotMakesItMoreEven) {
  Random random(Key(8));
  int inside = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<OpenTeam> teams(2 + random.below(3));
    for (OpenTeam& team : teams) {
      for (int i = 1 + random.below(5); i > 0; --i)
        team.players.push_back(person(25 + 6 * normal(random), random.uniform(0.5f, 8)));
      team.bots = random.below(3);
    }
    teams[0].bots = teams[1].bots + 1;
    const Interval range{900, 2100};
    const EvenMatch found = even_match(teams, range);
    ASSERT_EQ(found.rating, std::round(found.rating));
    ASSERT_GE(found.rating, range.low);
    ASSERT_LE(found.rating, range.high);
    double best = HUGE_VAL, at = 0;
    for (double rating = range.low; rating <= range.high; rating += 1)
      if (const double now = divergence(chances(teams, skill_of_elo(rating))); now < best) best = now, at = rating;
    EXPECT_NEAR(found.rating, at, 1.01) << trial;
    const std::vector<double> wanted = chances(teams, skill_of_elo(found.rating));
    for (std::size_t t = 0; t < teams.size(); ++t) EXPECT_NEAR(found.chances[t].expected, wanted[t], 1e-9);
    if (found.rating == range.low || found.rating == range.high) continue;
    ++inside;
    if (teams.size() == 2) {
      EXPECT_NEAR(found.chances[0].expected, 0.5, 0.002) << "half a point of two bots";
    }
  }
  EXPECT_GT(inside, 50);
}

TEST(EvenMatch, ABotForNinePeople) {
  std::vector<OpenTeam> teams(2);
  for (int i = 0; i < 5; ++i) teams[0].players.push_back(person(30, 2));
  for (int i = 0; i < 4; ++i) teams[1].players.push_back(person(29, 2));
  teams[1].bots = 1;
  const EvenMatch even = even_match(teams, {0, 4000});
  EXPECT_EQ(even.rating, std::round(elo_of_skill(34))) << "what the four lack";
  EXPECT_NEAR(even.chances[1].expected, 0.5, 0.001);
  EXPECT_LT(even.chances[1].interval.low, 0.4);
  EXPECT_GT(even.chances[1].interval.high, 0.6);
  const EvenMatch weak = even_match(teams, {0, 1500});
  EXPECT_EQ(weak.rating, 1500);
  EXPECT_LT(weak.chances[1].expected, 0.4);
}

// What the interval is of: the chance if skills were known, as they may be.
TEST(EvenMatch, IntervalsAreThoseOfTheSkills) {
  Random random(Key(9));
  for (const std::size_t count : {2u, 3u}) {
    std::vector<OpenTeam> teams = {{{person(27, 3), person(22, 1)}, 0}, {{person(24, 2)}, 1}, {{person(45, 4)}, 0}};
    teams.resize(count);
    const EvenMatch match = even_match(teams, {1000, 2000});
    std::vector<std::vector<double>> drawn(count);
    for (int i = 0; i < 20'000; ++i) {
      std::vector<OpenTeam> true_teams = teams;
      for (OpenTeam& team : true_teams)
        for (Standing& player : team.players) player.skill = {player.skill.mu + player.skill.sigma * normal(random), 0};
      const std::vector<double> p = chances(true_teams, skill_of_elo(match.rating));
      for (std::size_t t = 0; t < count; ++t) drawn[t].push_back(p[t]);
    }
    for (std::size_t t = 0; t < count; ++t) {
      std::sort(drawn[t].begin(), drawn[t].end());
      const double tolerance = count == 2 ? 0.015 : 0.06;  // of three teams the interval is an approximation
      EXPECT_NEAR(match.chances[t].interval.low, drawn[t][500], tolerance) << count << t;
      EXPECT_NEAR(match.chances[t].interval.high, drawn[t][19'500], tolerance) << count << t;
    }
  }
}

TEST(EvenMatch, APairGoesByElo) {
  Standing ann = person(10, 1);
  ann.elo = {1720, 60};
  const std::vector<OpenTeam> teams = {{{}, 1}, {{ann}, 0}};
  const EvenMatch even = even_match(teams, {800, 2400});
  EXPECT_EQ(even.rating, 1720);
  EXPECT_EQ(even.chances[1].expected, 0.5);
  EXPECT_NEAR(even.chances[1].interval.high, elo_score(kZ95 * 60), 1e-12);
  const EvenMatch weak = even_match(teams, {800, 1400});
  EXPECT_EQ(weak.rating, 1400);
  EXPECT_NEAR(weak.chances[0].expected + weak.chances[1].expected, 1, 1e-12);
  Random random(Key(1));
  double mean = 0;
  for (int i = 0; i < 20'000; ++i) mean += elo_score(1720 + 60 * normal(random) - 1400) / 20'000;
  EXPECT_NEAR(weak.chances[1].expected, mean, 0.005);
}

TEST(EvenMatch, WhereTheBotsMakeNoDifferenceTheyAreAsThePlayers) {
  const std::vector<OpenTeam> teams = {{{person(20, 3)}, 1}, {{person(30, 3)}, 1}};
  EXPECT_EQ(even_match(teams, {0, 4000}).rating, 1500);
  EXPECT_EQ(even_match(teams, {1600, 4000}).rating, 1600);
  const std::vector<OpenTeam> bots = {{{}, 2}, {{}, 2}};
  EXPECT_EQ(even_match(bots, {0, 4000}).rating, 1500);
}

}  // namespace
}  // namespace rival::records
