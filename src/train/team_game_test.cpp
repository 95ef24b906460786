// What games in real time between teams ask of training: entities and targets, memory, team spirit, opponents that stay
// for whole matches, limits on reaction.
#include <gtest/gtest.h>

#include <map>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "match/match.hpp"
#include "train/trainer.hpp"

namespace rival {
namespace {

// Two teams of two. Each seat sees up to five things and may wait, or point at one: right is the one with the largest
// second number. Things change every step; the match ends after kSteps.
struct Pointing {
  static constexpr int kSteps = 12, kThings = 5;
  Key key;
  int steps = 0;
  float points[2] = {};

  static Spec spec() {
    return {.name = "pointing",
            .description = "point at the largest",
            .seats = 4,
            .teams = {0, 0, 1, 1},
            .observation = {ObservationPart::vector("clock", 2), ObservationPart::entities("things", kThings, 3)},
            .action = {ActionPart::discrete("order", 2), ActionPart::target("thing", 1, kThings).when(0, {1})},
            .simultaneous = true,
            .hidden_information = true,
            .max_steps = kSteps,
            .seconds_per_step = 0.5f};
  }
  void reset(const Settings&, Key k) { *this = {.key = k}; }
  SeatSet to_act() const { return SeatSet::first(4); }
  // The size of a thing that a seat sees, or -1 if it is not there; the last one always is.
  float thing(int seat, int i) const {
    Random random(key.split(static_cast<std::uint64_t>(steps)).split(static_cast<std::uint64_t>(seat * kThings + i)));
    return random.uniform() < 0.5f && i + 1 < kThings ? -1.0f : random.uniform();
  }
  int largest(int seat) const {
    int best = 0;
    for (int i = 1; i < kThings; ++i)
      if (thing(seat, i) > thing(seat, best)) best = i;
    return best;
  }
  void observe(int seat, Observation out) const {
    out[0] = static_cast<float>(steps) / kSteps;
    for (int i = 0; i < kThings; ++i) {
      const float size = thing(seat, i);
      if (size < 0) continue;
      float* entity = out.part(1) + 3 * i;
      entity[0] = 1, entity[1] = size, entity[2] = static_cast<float>(i) / kThings;
    }
  }
  void legal(int seat, Mask mask) const {
    mask.allow(0, 0), mask.allow(0, 1);
    for (int i = 0; i < kThings; ++i)
      if (thing(seat, i) >= 0) mask.allow(1, i);
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    for (int seat = 0; seat < 4; ++seat) {
      if (actions.choice(seat, 0) == 0) continue;
      const float reward = actions.choice(seat, 1) == largest(seat) ? 1.0f : -1.0f;
      rewards[seat] += reward / kSteps;
      points[seat / 2] += reward;
    }
    ++steps;
  }
  Status status() const { return steps < kSteps ? Status::running : Status::finished; }
  float result(int team) const {
    const float ahead = points[team] - points[1 - team];
    return ahead > 0 ? 1.0f : ahead < 0 ? -1.0f : 0.0f;
  }
};

TrainConfig config(int threads = 1) {
  TrainConfig config;
  config.rows = 512;
  config.network.hidden = {64};
  config.network.entity = 16;
  config.epochs = 4;
  config.threads = threads;
  return config;
}

Bot train(const TrainConfig& config, std::int64_t steps) {
  auto trainer = Trainer::make(game_entry<Pointing>(), config);
  EXPECT_TRUE(trainer.ok());
  while (trainer.value()->steps() < steps) {
    const auto report = trainer.value()->iterate(0.5);
    EXPECT_TRUE(report.ok()) << report.error().message;
    if (!report.ok()) break;
  }
  return trainer.value()->bot();
}

// The mean of its points a match, -1 to 1, without those for the result: 1 is perfect, 0 is to wait.
double points(const Bot& bot) {
  const GameEntry entry = game_entry<Pointing>();
  BotAgent agent(bot, entry.spec, 1);
  const auto played = play_matches(entry, agent, random_agent().get(), Key(3), {.matches = 200});
  EXPECT_TRUE(played.ok());
  return played.value().mean_return.value - (2 * played.value().score.value - 1);
}

TEST(TeamGame, LearnsToPointAtEntities) {
  const Bot bot = train(config(), 400'000);
  EXPECT_EQ(bot.network.memory_size(), 64);  // chosen from what the game says
  EXPECT_GT(points(bot), 0.8);
  EXPECT_LT(points(train(config(), 1)), 0.1);
}

TEST(TeamGame, ResultsDoNotDependOnThreads) {
  TrainConfig c = config();
  c.exploiter_share = 0;
  c.anchor_share = 0.3;
  c.reaction_ms = 400, c.actions_per_minute = 60;
  const std::vector<float> one = train(c, 60'000).parameters;
  c.threads = 3;
  EXPECT_EQ(train(c, 60'000).parameters, one);
  c.reaction_ms = 0;
  EXPECT_NE(train(c, 60'000).parameters, one);
}

// What is right changes every step: who reacts a step late cannot know.
TEST(TeamGame, LimitsHoldInTraining) {
  TrainConfig c = config();
  c.reaction_ms = 500;
  EXPECT_LT(points(train(c, 300'000)), 0.3);
}

TEST(TeamGame, OpponentsStayForWholeMatchesAndAreNoted) {
  TrainConfig c = config();
  c.past_share = 0.5;
  auto trainer = Trainer::make(game_entry<Pointing>(), c);
  while (trainer.value()->steps() < 600'000) ASSERT_TRUE(trainer.value()->iterate(0.5).ok());
  const auto& members = trainer.value()->population().members();
  ASSERT_GE(members.size(), 2u);
  EXPECT_GT(members.front().record.matches(), 20);
  EXPECT_GT(members.front().record.score(), 0.9);  // it has learnt since
}

TEST(TeamGame, AnExploiterBeatsItsTarget) {
  auto trainer = Trainer::make(game_entry<Pointing>(), config());
  ASSERT_TRUE(trainer.value()->iterate(0.5).ok());
  const Bot target = trainer.value()->bot();
  TrainConfig c = config();
  c.past_share = 1;
  auto exploiter = Trainer::make(game_entry<Pointing>(), c);
  exploiter.value()->start_from(target);
  exploiter.value()->exploit(target);
  EXPECT_EQ(exploiter.value()->bot().parameters, target.parameters);
  while (exploiter.value()->steps() < 400'000) ASSERT_TRUE(exploiter.value()->iterate(0.5).ok());
  ASSERT_EQ(exploiter.value()->population().members().size(), 1u);
  EXPECT_GT(exploiter.value()->population().members()[0].record.score(), 0.7);
}

// Seat s is given s each step.
struct Wages {
  int steps = 0;
  static Spec spec() {
    return {.name = "wages",
            .description = "rewards by seat",
            .seats = 4,
            .teams = {0, 0, 1, 1},
            .observation = {ObservationPart::vector("none", 1)},
            .action = {ActionPart::discrete("none", 2)},
            .simultaneous = true};
  }
  void reset(const Settings&, Key) { steps = 0; }
  SeatSet to_act() const { return SeatSet::first(4); }
  void observe(int, Observation) const {}
  void step(const Actions&, Key, Rewards rewards) {
    for (int seat = 0; seat < 4; ++seat) rewards[seat] += static_cast<float>(seat);
    ++steps;
  }
  Status status() const { return steps < 1 ? Status::running : Status::finished; }
};

TEST(TeamGame, TeamSpiritSharesRewardsWithinTheTeam) {
  const Network network = Network::make(Wages::spec(), {.hidden = {4}}).value();
  const auto backend = make_backend("reference", network, Precision::f32);
  const auto weights = backend.value()->make_weights();
  const std::vector<float> parameters(network.parameter_count(), 0.0f);
  backend.value()->pack(parameters, *weights);
  const ObservationScale scale{{0}, {1}};
  const Policy policy{weights.get(), &scale, parameters.data(), 0, 1};
  for (float spirit : {0.0f, 0.5f, 1.0f}) {
    Rollout rollout(BatchOf<Wages>::make(8), *backend.value(), network, {.horizon = 4});
    const auto executor = backend.value()->make_executor(rollout.max_rows());
    rollout.start({}, Key(1));
    ASSERT_TRUE(rollout.collect(*executor, policy, {}, {.steps = 4, .lambda = 1, .team_spirit = spirit}, Key(2)));
    const Samples& samples = rollout.samples();
    ASSERT_EQ(samples.count, 8 * 4 * 4);
    for (int i = 0; i < samples.count; ++i) {
      const int seat = samples.player[i] % 4;
      const float own = static_cast<float>(seat), mean = seat < 2 ? 0.5f : 2.5f;
      ASSERT_FLOAT_EQ(samples.target[i], (1 - spirit) * own + spirit * mean);
    }
  }
}

}  // namespace
}  // namespace rival
