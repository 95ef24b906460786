#include "train/reduction.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <cmath>
#include <thread>

#include "games/cartpole/cartpole.hpp"
#include "games/catalog.hpp"
#include "train/trainer.hpp"

namespace rival {
namespace {

constexpr int kProcesses = 2;

// "Processes" that are threads of this one.
struct Meeting {
  std::barrier<> here{kProcesses};
  std::vector<double> sums;
  bool broken = false;
};

class ThreadReduction : public Reduction {
 public:
  ThreadReduction(Meeting& meeting, int process) : meeting_(meeting), process_(process) {}
  int process() const override { return process_; }
  Result<void> sum(std::span<float> values) override { return add(values); }
  Result<void> sum(std::span<double> values) override { return add(values); }
  int calls = 0;
  int broken_at = -1;  // the call of process 0 at which the connection breaks

 private:
  template <class T>
  Result<void> add(std::span<T> values) {
    if (calls++ == broken_at) meeting_.broken = true;
    if (process_ == 0) meeting_.sums.assign(values.begin(), values.end());
    meeting_.here.arrive_and_wait();
    if (process_ == 1) {
      EXPECT_EQ(meeting_.sums.size(), values.size());
      for (std::size_t i = 0; i < values.size(); ++i) meeting_.sums[i] += static_cast<double>(values[i]);
    }
    meeting_.here.arrive_and_wait();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(meeting_.sums[i]);
    const bool broken = meeting_.broken;
    meeting_.here.arrive_and_wait();
    if (broken) return Error{"the other process can't be reached"};
    return {};
  }

  Meeting& meeting_;
  int process_;
};

template <class Work>
void in_both(const Work& work) {
  std::jthread other([&] { work(1); });
  work(0);
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(std::isfinite(a[i]) && std::isfinite(b[i])) << i;
    largest = std::max(largest, std::abs(static_cast<double>(a[i] - b[i])));
  }
  return largest;
}

TEST(Reduction, TwoLearnersWithHalfTheSamplesEachAreOneWithAll) {
  constexpr int kShards = 4, kSteps = 16;
  const GameEntry& game = built_in("cartpole");
  for (int memory : {0, 16}) {
    const Network network = Network::make(game.spec, {.hidden = {16, 16}, .memory = memory}).value();
    const auto backend = make_backend("onednn", network, Precision::f32).value();
    const HeadLayout layout(game.spec);
    const std::vector<float> parameters = network.initial_parameters(Key(1), 16);
    const std::size_t columns = network.observation_size();
    const ObservationScale scale{std::vector<float>(columns, 0.0f), std::vector<float>(columns, 1.0f)};
    const auto weights = backend->make_weights();
    backend->pack(parameters, *weights);
    std::vector<Samples> samples;
    for (int shard = 0; shard < kShards; ++shard) {
      Rollout rollout(game.make_batch(16), *backend, network, {.horizon = kSteps});
      rollout.start(default_settings(game.spec), Key(2).split(shard));
      const auto executor = backend->make_executor(rollout.max_rows());
      const Policy policy{weights.get(), &scale, parameters.data() + network.log_std(), 0, 1};
      ASSERT_TRUE(rollout.collect(*executor, policy, {}, {.steps = kSteps}, Key(3).split(shard)).ok());
      samples.push_back(rollout.samples());
    }

    // Of `count` shards from `first`.
    const auto learnt = [&](int first, int count, Reduction* reduction) {
      std::vector<Samples> own(samples.begin() + first, samples.begin() + first + count);
      std::vector<Samples*> shards;
      for (Samples& s : own) shards.push_back(&s);
      Team team(1);
      Learner learner(network, layout, *backend, team, count, parameters, reduction);
      for (int update = 0; update < 2; ++update) {
        auto statistics = learner.update(shards, {}, Key(4).split(update));
        if (!statistics) return ADD_FAILURE() << statistics.error().message, learner.parameters();
        EXPECT_EQ(statistics->minibatches, 16);
      }
      return learner.parameters();
    };
    const std::vector<float> one = learnt(0, kShards, nullptr);
    Meeting meeting;
    std::vector<float> two[kProcesses];
    in_both([&](int process) {
      ThreadReduction reduction(meeting, process);
      two[process] = learnt(process * kShards / 2, kShards / 2, &reduction);
    });
    EXPECT_EQ(two[0], two[1]) << memory;
    EXPECT_LT(distance(one, two[0]), 2e-4) << memory;  // sums are rounded in another order
    EXPECT_GT(distance(one, learnt(0, kShards / 2, nullptr)), 2e-3) << "the control, memory " << memory;
  }
}

struct Trained {
  std::vector<float> parameters;
  ObservationScale scale;
  std::int64_t steps = 0;
  std::optional<double> score;
  std::string error;
  std::vector<bool> interrupted;
};

// Some iterations; in the one with number `stop_in`, `stop` says so while it collects or learns.
Trained train(const GameEntry& game, Reduction* reduction, int stop_in = -1, bool stop_learning = false) {
  TrainConfig config;
  config.rows = 256;
  config.horizon = 16;
  config.threads = 2;
  config.network.hidden = {16, 16};
  auto made = Trainer::make(game, config, reduction);
  EXPECT_TRUE(made.ok());
  Trainer& trainer = **made;
  Trained result;
  for (int i = 0; i < 6; ++i) {
    bool learning = false;
    trainer.hooks.before_gradients = [&] { learning = true; };
    trainer.stop = [&] { return i == stop_in && learning == stop_learning; };
    Result<IterationReport> report = trainer.iterate(0.1 * i);
    if (!report) {
      result.error = report.error().message;
      return result;
    }
    result.interrupted.push_back(report->interrupted);
  }
  result.parameters = trainer.parameters();
  result.scale = trainer.bot().scale;
  result.steps = trainer.steps();
  result.score = trainer.score();
  return result;
}

TEST(Reduction, TwoTrainersTrainOnePlayer) {
  for (const char* game : {"cartpole", "connect_four"}) {
    const Trained alone = train(built_in(game), nullptr);
    Meeting meeting;
    Trained both[kProcesses];
    in_both([&](int process) {
      ThreadReduction reduction(meeting, process);
      both[process] = train(built_in(game), &reduction);
    });
    EXPECT_EQ(both[0].parameters, both[1].parameters) << game;
    EXPECT_EQ(both[0].scale.mean, both[1].scale.mean) << game;
    EXPECT_EQ(both[0].steps, both[1].steps) << game;
    EXPECT_GT(static_cast<double>(both[0].steps), 1.9 * static_cast<double>(alone.steps)) << game;
    EXPECT_NE(both[0].parameters, alone.parameters) << game;
    if (game == std::string("cartpole")) {
      EXPECT_NE(both[0].score, both[1].score) << "each plays its own matches";
    }
  }
}

TEST(Reduction, ToStopOneStopsAll) {
  for (bool learning : {false, true}) {
    Meeting meeting;
    Trained both[kProcesses];
    in_both([&](int process) {
      ThreadReduction reduction(meeting, process);
      both[process] = train(built_in("cartpole"), &reduction, process == 1 ? 3 : -1, learning);
    });
    const std::vector<bool> expected{false, false, false, true, false, false};
    for (const Trained& trained : both) EXPECT_EQ(trained.interrupted, expected) << learning;
    EXPECT_EQ(both[0].parameters, both[1].parameters) << learning;
    EXPECT_EQ(both[0].steps, both[1].steps) << learning;
  }
}

// Gives no number as a reward, after some steps.
struct Broken : CartPole {
  int steps = 0;
  void reset(const Settings& settings, Key key) { CartPole::reset(settings, key), steps = 0; }
  void step(const Actions& actions, Key key, Rewards rewards) {
    CartPole::step(actions, key, rewards);
    if (++steps == 8) rewards[0] = NAN;
  }
};

TEST(Reduction, AGameThatFailsInOneProcessEndsTheTrainingInAll) {
  Meeting meeting;
  Trained both[kProcesses];
  in_both([&](int process) {
    ThreadReduction reduction(meeting, process);
    both[process] = train(process == 1 ? game_entry<Broken>() : built_in("cartpole"), &reduction);
  });
  EXPECT_NE(both[0].error.find("the game failed in another process"), std::string::npos) << both[0].error;
  EXPECT_NE(both[1].error.find("reward"), std::string::npos) << both[1].error;
}

TEST(Reduction, ABrokenConnectionEndsTheTraining) {
  Meeting whole;
  int calls = 0;
  in_both([&](int process) {
    ThreadReduction reduction(whole, process);
    train(built_in("cartpole"), &reduction);
    if (process == 0) calls = reduction.calls;
  });
  ASSERT_GT(calls, 100);
  for (int at : {0, 1, 2, 3, 4, 5, calls - 1}) {  // in each of the places where there is something to add up
    Meeting meeting;
    Trained both[kProcesses];
    in_both([&](int process) {
      ThreadReduction reduction(meeting, process);
      if (process == 0) reduction.broken_at = at;
      both[process] = train(built_in("cartpole"), &reduction);
    });
    for (const Trained& trained : both)
      EXPECT_NE(trained.error.find("the other process can't be reached"), std::string::npos) << at << trained.error;
  }
}

}  // namespace
}  // namespace rival
