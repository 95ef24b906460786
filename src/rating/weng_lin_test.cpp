#include "rating/weng_lin.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace rival
