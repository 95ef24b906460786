#include "rating/weng_lin.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rival {
namespace {

TEST(WengLin, TheDefaultDuel) {
  const std::vector<std::vector<Skill>> teams = {{Skill{}}, {Skill{}}};
  const int won[] = {1, 2}, tied[] = {1, 1};
  const auto rated = rate_teams(teams, won);
  EXPECT_NEAR(rated[0][0].mu, 27.63523, 5e-6);  // 25 + sigma^2 / (2 c), c^2 = 2 (sigma^2 + beta^2)
  EXPECT_NEAR(rated[0][0].sigma, 8.06551, 5e-6);
  EXPECT_NEAR(rated[1][0].mu, 22.36477, 5e-6);
  EXPECT_NEAR(rated[1][0].sigma, 8.06551, 5e-6);
  const auto even = rate_teams(teams, tied);
  EXPECT_NEAR(even[0][0].mu, 25, 1e-12);
  EXPECT_LT(even[0][0].sigma, 25.0 / 3);
}

TEST(WengLin, TeamsShareWhatTheyEarn) {
  const std::vector<std::vector<Skill>> teams = {{{25, 8}, {25, 4}}, {{30, 2}, {30, 2}}, {{20, 6}}};
  const int ranks[] = {1, 2, 3};
  const auto rated = rate_teams(teams, ranks);
  const double sure = rated[0][1].mu - 25, unsure = rated[0][0].mu - 25;
  EXPECT_GT(sure, 0);
  EXPECT_NEAR(unsure / sure, 4, 1e-9);  // in proportion to the variances
  EXPECT_LT(rated[2][0].mu, 20);
  for (std::size_t t = 0; t < teams.size(); ++t)
    for (std::size_t i = 0; i < teams[t].size(); ++i) EXPECT_LT(rated[t][i].sigma, teams[t][i].sigma);
}

// PlackettLuce(tau=0).rate(teams, ranks=ranks) of the package openskill, 6.2.0.
TEST(WengLin, AgreesWithAPublishedImplementation) {
  const auto expect = [](const std::vector<std::vector<Skill>>& teams, const std::vector<int>& ranks,
                         const std::vector<std::vector<Skill>>& wanted) {
    const auto rated = rate_teams(teams, ranks);
    for (std::size_t t = 0; t < teams.size(); ++t)
      for (std::size_t i = 0; i < teams[t].size(); ++i) {
        EXPECT_NEAR(rated[t][i].mu, wanted[t][i].mu, 1e-8);
        EXPECT_NEAR(rated[t][i].sigma, wanted[t][i].sigma, 1e-8);
      }
  };
  expect({{{27, 4}, {20, 6}}, {{30, 3}}, {{25, 8}, {24, 2}, {18, 5}}}, {2, 1, 3},
         {{{27.6838985673, 3.9756153787}, {21.5387717765, 5.9173839701}},
          {{30.5909660461, 2.9992595984}},
          {{18.0619805137, 7.7073849827}, {23.5663737821, 1.9955064591}, {15.2898361381, 4.9293684164}}});
  expect({{{25, 8}}, {{26, 7.5}}, {{27, 7}}, {{28, 6.5}}, {{29, 6}}, {{30, 5.5}}, {{31, 5}}, {{32, 4.5}}},
         {3, 1, 4, 2, 5, 9, 8, 6},
         {{{26.9002133185, 7.9341787722}},
          {{28.3277143664, 7.4843012492}},
          {{27.9753555291, 6.9406873656}},
          {{29.4587337897, 6.4797755919}},
          {{29.2331002227, 5.9537585478}},
          {{27.5957166300, 5.4444923936}},
          {{30.0815941482, 4.9611321742}},
          {{31.6808152396, 4.4790529437}}});
}

TEST(WengLin, ATieIsTheMeanOfItsOrders) {
  const std::vector<std::vector<Skill>> teams = {{{25, 8}}, {{30, 6}}, {{22, 7}}, {{27, 3}}, {{20, 5}}};
  std::vector<std::vector<Skill>> mean = teams;
  for (auto& team : mean) team[0].mu = 0;
  for (const std::vector<int>& ranks : {std::vector{1, 2, 3, 4, 5},
                                        {1, 3, 2, 4, 5},
                                        {2, 1, 3, 4, 5},
                                        {2, 3, 1, 4, 5},
                                        {3, 1, 2, 4, 5},
                                        {3, 2, 1, 4, 5}})
    for (std::size_t t = 0; t < teams.size(); ++t) mean[t][0].mu += rate_teams(teams, ranks)[t][0].mu / 6;
  const auto tied = rate_teams(teams, std::vector{1, 1, 1, 2, 3});
  for (std::size_t t = 0; t < teams.size(); ++t) EXPECT_NEAR(tied[t][0].mu, mean[t][0].mu, 1e-9);
}

TEST(WengLin, TiedWinnersGainMoreThanTheThird) {
  for (std::size_t count : {3u, 4u, 5u, 8u, 12u}) {
    const std::vector<std::vector<Skill>> teams(count, {Skill{}});
    std::vector<int> ranks(count);
    for (std::size_t t = 0; t < count; ++t) ranks[t] = t < 2 ? 1 : static_cast<int>(t);
    const auto rated = rate_teams(teams, ranks);
    EXPECT_EQ(rated[0][0].mu, rated[1][0].mu);
    EXPECT_GT(rated[1][0].mu, rated[2][0].mu) << count;
    double sum = 0;
    for (const auto& team : rated) sum += team[0].mu - 25;
    EXPECT_NEAR(sum, 0, 1e-9);
  }
  // Large ties, of which all orders cannot be counted, hardly differ from those of which they can.
  const std::vector<std::vector<Skill>> ten(12, {Skill{}});
  std::vector<int> ranks(12, 1);
  ranks[10] = ranks[11] = 2;
  const double counted = rate_teams(ten, ranks)[0][0].mu;
  ranks[10] = 1;
  EXPECT_NEAR(rate_teams(ten, ranks)[0][0].mu, counted, 0.5);
  EXPECT_LT(rate_teams(ten, ranks)[0][0].mu, counted);
}

TEST(WengLin, WhoIsKnownExactlyStays) {
  const std::vector<std::vector<Skill>> teams = {{{25, 0}}, {{25, 0}, {20, 0}}, {Skill{}}};
  const auto rated = rate_teams(teams, std::vector{1, 2, 3});
  EXPECT_EQ(rated[0][0], teams[0][0]);
  EXPECT_EQ(rated[1][1], teams[1][1]);
  EXPECT_LT(rated[2][0].mu, 25);
}

TEST(WengLin, NoDistanceIsTooLarge) {
  const std::vector<std::vector<Skill>> teams = {
      {{9000, 0}}, {{-9000, 0}}, {Skill{}}, {{-9000, 2}}, {{30, 0}, {9000, 3}}};
  for (const std::vector<int>& ranks : {std::vector{1, 2, 3, 4, 5}, {1, 1, 1, 1, 1}, {2, 1, 1, 1, 2}, {5, 4, 3, 2, 1}})
    for (const std::vector<Skill>& team : rate_teams(teams, ranks))
      for (const Skill& skill : team) {
        EXPECT_TRUE(std::isfinite(skill.mu) && std::isfinite(skill.sigma)) << skill.mu << " " << skill.sigma;
        EXPECT_LE(skill.sigma, 25.0 / 3);
      }
}

TEST(WengLin, StrongerTeamsRiseAboveWeaker) {
  std::vector<std::vector<Skill>> teams = {{Skill{}}, {Skill{}}};
  for (int match = 0; match < 100; ++match) {
    const int ranks[] = {match % 4 == 0 ? 2 : 1, match % 4 == 0 ? 1 : 2};
    teams = rate_teams(teams, ranks);
  }
  EXPECT_GT(teams[0][0].mu, teams[1][0].mu + 3);
  EXPECT_GT(teams[0][0].ordinal(), teams[1][0].ordinal());
}

// Glickman's worked example.
TEST(Glicko2, WorkedExample) {
  const std::vector<GlickoResult> results = {{1400, 30, 1}, {1550, 100, 0}, {1700, 300, 0}};
  const Glicko after = rate_glicko({1500, 200, 0.06}, results, 0.5);
  EXPECT_NEAR(after.rating, 1464.05, 0.02);
  EXPECT_NEAR(after.deviation, 151.517, 0.002);
  EXPECT_NEAR(after.volatility, 0.059996, 1e-6);
  const Glicko idle = rate_glicko({1500, 200, 0.06}, {});
  EXPECT_EQ(idle.rating, 1500);
  EXPECT_NEAR(idle.deviation, 200.2714, 0.001);
}

TEST(Glicko2, NoDistanceIsTooLarge) {
  for (const double opponent : {-20'000.0, 20'000.0})
    for (const double score : {0.0, 0.5, 1.0}) {
      const std::vector<GlickoResult> results = {{opponent, 0, score}};
      const Glicko after = rate_glicko({1500, 350, 0.02}, results);
      EXPECT_TRUE(std::isfinite(after.rating)) << opponent << " " << score;
      EXPECT_NEAR(after.deviation, 350, 1) << "such a match says nothing that was not known";
      if (score == (opponent < 0 ? 1 : 0)) {
        EXPECT_NEAR(after.rating, 1500, 1e-6);
      }
    }
}

}  // namespace
}  // namespace rival
