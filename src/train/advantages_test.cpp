#include "train/advantages.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "base/index.hpp"

namespace rival {
namespace {

constexpr int kMatches = 4, kSeats = 3, kPlayers = kMatches * kSeats;

// Arbitrary trajectories: one row for every time, of which the last is only there to be valued.
struct World {
  struct Row {
    float reward[kPlayers], value[kPlayers];
    std::optional<float> bootstrap[kPlayers];  // where the match is truncated in this step
    bool acting[kPlayers], explored[kPlayers];
    Status status[kMatches];
    std::uint8_t stepped[kMatches];
    bool cut[kMatches];
  };
  std::vector<Row> rows;
  float discount, lambda;

  World(int steps, float per_step, float per_decision, Key key)
      : rows(index(steps + 1)), discount(per_step), lambda(per_decision) {
    Random random(key);
    for (Row& row : rows) {
      for (int m = 0; m < kMatches; ++m) {
        const float end = random.uniform();
        row.status[m] = end < 0.05f ? Status::finished : end < 0.1f ? Status::truncated : Status::running;
        row.cut[m] = row.status[m] == Status::running && random.uniform() < 0.05f;
        row.stepped[m] = random.uniform() < 0.8f;
      }
      for (int p = 0; p < kPlayers; ++p) {
        row.reward[p] = random.uniform() - 0.5f;
        row.value[p] = 4 * random.uniform();
        row.acting[p] = random.uniform() < 0.3f;
        row.explored[p] = random.uniform() < 0.2f;
        if (row.status[p / kSeats] == Status::truncated && random.uniform() < 0.8f) row.bootstrap[p] = random.uniform();
      }
    }
  }

  // The formula of generalised_advantages(), forward in time and anew for each decision, as far as it is known at
  // `horizon`. Empty: the player's next decision is still to come.
  std::optional<double> advantage(int time, int player, int horizon) const {
    const int match = player / kSeats;
    const Row& decided = rows[time];
    double reward = 0, passed = 1, next_value = 0, next_advantage = 0;
    for (bool over = false; !over;) {
      const Row& row = rows[time++];
      reward += passed * static_cast<double>(row.reward[player]);
      if (row.stepped[match]) passed *= static_cast<double>(discount);
      over = true;
      if (row.cut[match]) return 0;
      if (row.status[match] != Status::running) {
        next_value = static_cast<double>(row.bootstrap[player].value_or(0.0f));
      } else if (rows[time].acting[player]) {
        next_value = static_cast<double>(rows[time].value[player]);
        if (time < horizon) next_advantage = advantage(time, player, horizon).value_or(0);
      } else {
        if (time == horizon) return std::nullopt;
        over = false;
      }
    }
    const double worth = reward + passed * (next_value + static_cast<double>(lambda) * next_advantage) -
                         static_cast<double>(decided.value[player]);
    return decided.explored[player] ? std::max(worth, 0.0) : worth;
  }
};

struct Parameters {
  float discount, lambda;
};
class GeneralisedAdvantages : public testing::TestWithParam<Parameters> {};

// Collections of a few steps one after another: most decisions see their next one, some only collections later.
TEST_P(GeneralisedAdvantages, AreTheTextbooks) {
  constexpr int kSteps = 7, kCollections = 40;
  const World world(kSteps * kCollections, GetParam().discount, GetParam().lambda, Key(1));
  struct Decision {
    int time, player;
  };
  std::vector<Decision> carried;
  std::vector<WaitingDecision> waiting;
  int known = 0, twice = 0;
  for (int begin = 0; begin < kSteps * kCollections; begin += kSteps) {
    const int horizon = begin + kSteps;
    std::vector<Decision> decisions = carried;
    std::vector<float> rewards, value;
    std::vector<Status> status;
    std::vector<std::uint8_t> stepped;
    std::vector<Trajectories::Cut> cuts;
    std::vector<Trajectories::Bootstrap> bootstraps;
    std::vector<int> player, first_at;
    std::vector<std::uint8_t> explored;
    for (int t = begin; t < horizon; ++t) {
      const World::Row& row = world.rows[t];
      rewards.insert(rewards.end(), row.reward, row.reward + kPlayers);
      status.insert(status.end(), row.status, row.status + kMatches);
      stepped.insert(stepped.end(), row.stepped, row.stepped + kMatches);
      first_at.push_back(static_cast<int>(decisions.size()));
      for (int m = 0; m < kMatches; ++m)
        if (row.cut[m]) cuts.push_back({t - begin, m});
      for (int p = 0; p < kPlayers; ++p) {
        if (row.bootstrap[p]) bootstraps.push_back({t - begin, p, *row.bootstrap[p]});
        if (row.acting[p]) decisions.push_back({t, p});
      }
    }
    first_at.push_back(static_cast<int>(decisions.size()));
    for (int p = 0; p < kPlayers; ++p)
      if (world.rows[horizon].acting[p]) bootstraps.push_back({kSteps, p, world.rows[horizon].value[p]});
    for (const Decision& d : decisions) {
      player.push_back(d.player);
      value.push_back(world.rows[d.time].value[d.player]);
      explored.push_back(world.rows[d.time].explored[d.player]);
    }

    std::vector<float> advantages(decisions.size());
    waiting = generalised_advantages({.steps = kSteps,
                                      .matches = kMatches,
                                      .seats = kSeats,
                                      .rewards = rewards,
                                      .status = status,
                                      .stepped = stepped,
                                      .cuts = cuts,
                                      .bootstraps = bootstraps,
                                      .player = player,
                                      .value = value,
                                      .explored = explored,
                                      .first_at = first_at,
                                      .waiting = waiting},
                                     world.discount, world.lambda, advantages);
    std::vector<Decision> still;
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      const auto [time, who] = decisions[i];
      const std::optional<double> textbook = world.advantage(time, who, horizon);
      ASSERT_NEAR(static_cast<double>(advantages[i]), textbook.value_or(0), 1e-4) << "player " << who << " at " << time;
      known += textbook.has_value();
      twice += !textbook && time < begin;
      if (textbook) continue;
      ASSERT_LT(still.size(), waiting.size());
      ASSERT_EQ(waiting[still.size()].decision, static_cast<int>(i));
      waiting[still.size()].decision = static_cast<int>(still.size());
      still.push_back(decisions[i]);
    }
    ASSERT_EQ(still.size(), waiting.size());
    carried = still;
  }
  EXPECT_GT(known, 500);
  EXPECT_GT(twice, 3);
}
INSTANTIATE_TEST_SUITE_P(All, GeneralisedAdvantages,
                         testing::Values(Parameters{1, 1}, Parameters{1, 0}, Parameters{0.9f, 1},
                                         Parameters{0.97f, 0.8f}));

TEST(ShareRewards, BetweenTeamMatesAndAgainstTheOthers) {
  const Spec spec{.seats = 5, .teams = {0, 0, 1, 1, 1}};
  const SeatSet playing = SeatSet::first(5).without(4);
  const auto shared = [&](float spirit, float rivalry) {
    std::vector<float> rewards{1, 3, 10, 20, 7};
    share_rewards(spec, playing, spirit, rivalry, rewards);
    return rewards;
  };
  EXPECT_EQ(shared(0, 0), (std::vector<float>{1, 3, 10, 20, 7}));
  EXPECT_EQ(shared(1, 0), (std::vector<float>{2, 2, 15, 15, 7}));
  EXPECT_EQ(shared(0.5f, 0), (std::vector<float>{1.5f, 2.5f, 12.5f, 17.5f, 7}));
  EXPECT_EQ(shared(0, 1), (std::vector<float>{-14, -12, 8, 18, 7}));
  EXPECT_EQ(shared(0.5f, 0.5f), (std::vector<float>{-6, -5, 11.5f, 16.5f, 7}));
}

TEST(ShareRewards, LeavesThemWhereThereIsNobodyToShareWith) {
  std::vector<float> rewards{1, 3};
  share_rewards({.seats = 2}, SeatSet::first(2), 1, 0, rewards);  // each a team of its own
  EXPECT_EQ(rewards, (std::vector<float>{1, 3}));
  share_rewards({.seats = 2, .teams = {0, 0}}, SeatSet::first(2), 0, 1, rewards);  // no other team
  EXPECT_EQ(rewards, (std::vector<float>{1, 3}));
  share_rewards({.seats = 2}, SeatSet::one(1), 0, 1, rewards);  // the other does not take part
  EXPECT_EQ(rewards, (std::vector<float>{1, 3}));
}

}  // namespace
}  // namespace rival
