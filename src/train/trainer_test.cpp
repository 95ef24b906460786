#include "train/trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>

#include "agent/player.hpp"
#include "games/cartpole/cartpole.hpp"
#include "games/catalog.hpp"

namespace rival {
namespace {

TrainConfig small() {
  TrainConfig config;
  config.rows = 64;
  config.horizon = 16;
  config.network.hidden = {16, 16};
  return config;
}

std::vector<float> train(const GameEntry& entry, const TrainConfig& config, int iterations) {
  auto trainer = Trainer::make(entry, config);
  EXPECT_TRUE(trainer.ok());
  for (int i = 0; i < iterations; ++i) EXPECT_TRUE(trainer.value()->iterate(0.1 * i).ok());
  return trainer.value()->bot().parameters;
}

class EveryGame : public testing::TestWithParam<std::string> {};

TEST_P(EveryGame, SameSeedSameBytesWhateverTheThreads) {
  TrainConfig config = small();
  config.threads = 1;
  const std::vector<float> one = train(built_in(GetParam()), config, 4);
  EXPECT_EQ(train(built_in(GetParam()), config, 4), one);
  for (int threads : {2, 3, 8}) {
    config.threads = threads;
    EXPECT_EQ(train(built_in(GetParam()), config, 4), one) << threads;
  }
  config.seed = 2;
  EXPECT_NE(train(built_in(GetParam()), config, 4), one);
}

TEST_P(EveryGame, LearnsWithMemoryToo) {
  TrainConfig config = small();
  config.network.memory = 16;
  config.threads = 1;
  const std::vector<float> one = train(built_in(GetParam()), config, 3);
  config.threads = 2;
  EXPECT_EQ(train(built_in(GetParam()), config, 3), one);
}

INSTANTIATE_TEST_SUITE_P(Trainer, EveryGame,
                         testing::Values("cartpole", "pendulum", "tic_tac_toe", "kuhn_poker", "pig"),
                         [](const auto& name) { return name.param; });

TEST(Trainer, GoesOnFromItsState) {
  const GameEntry entry = built_in("tic_tac_toe");
  auto first = Trainer::make(entry, small());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(first.value()->iterate().ok());
  std::vector<Trainer::SavedMember> past;
  for (const Member& member : first.value()->population().members())
    past.push_back({member.name, member.kind, *member.bot});
  ASSERT_FALSE(past.empty());
  const TensorFile state = parse_safetensors(to_safetensors(first.value()->state()), "state").value();
  std::vector<float> bytes[2];
  for (auto& result : bytes) {
    auto second = Trainer::make(entry, small());
    ASSERT_TRUE(second.value()->restore(state, past, "state").ok());
    EXPECT_EQ(second.value()->steps(), first.value()->steps());
    EXPECT_EQ(second.value()->parameters(), first.value()->parameters());
    EXPECT_EQ(second.value()->bot().parameters, first.value()->bot().parameters);
    ASSERT_TRUE(second.value()->iterate().ok());
    EXPECT_EQ(second.value()->iterations(), 4);
    result = second.value()->parameters();
  }
  EXPECT_EQ(bytes[0], bytes[1]);

  // Negative controls: a state of another game or shape, and one that is not finite.
  EXPECT_FALSE(Trainer::make(built_in("pig"), small()).value()->restore(state, {}, "state").ok());
  TrainConfig wide = small();
  wide.network.hidden = {32};
  EXPECT_FALSE(Trainer::make(entry, wide).value()->restore(state, {}, "state").ok());
  TensorFile broken = state;
  const float nan = std::nanf("");
  std::memcpy(broken.tensors[0].bytes.data(), &nan, sizeof nan);
  EXPECT_FALSE(Trainer::make(entry, small()).value()->restore(broken, {}, "state").ok());
  TensorFile odd = state;
  std::string& text = odd.metadata.at("rival.state");
  const std::size_t at = text.find("\"records\":{\"") + 11;
  text.replace(at, text.find('}', at) - at, "\"step_1\":[1,\"two\",3]");
  EXPECT_FALSE(Trainer::make(entry, small()).value()->restore(odd, past, "state").ok());

  // Each number as no program of ours writes it; a trainer that refuses a state is as it was.
  const auto trainer = std::move(Trainer::make(entry, small()).value());
  const auto complaint = [&](const char* field, const nlohmann::json& value) {
    TensorFile file = state;
    nlohmann::json j = nlohmann::json::parse(file.metadata.at("rival.state"));
    j[field] = value;
    file.metadata["rival.state"] = j.dump();
    const Result<void> restored = trainer->restore(file, past, "state");
    EXPECT_EQ(restored.ok() || trainer->steps() == 0, true);
    return restored.ok() ? std::string() : restored.error().message;
  };
  for (const nlohmann::json& wrong : {nlohmann::json(-1), nlohmann::json(1e300), nlohmann::json(INT64_MAX),
                                      nlohmann::json(UINT64_MAX), nlohmann::json("1"), nlohmann::json()}) {
    for (const char* field : {"steps", "iterations", "adam_steps", "next_past_at", "next_score", "seen"})
      EXPECT_EQ(complaint(field, wrong).find("state: the training state: '" + std::string(field) + "' must be "), 0u)
          << field << ": " << complaint(field, wrong);
  }
  EXPECT_NE(complaint("records", {{"step_1", {1, -2, 3}}}), "");
  EXPECT_NE(complaint("records", {{"step_1", {1, 2}}}), "");
  EXPECT_NE(complaint("value", {0, 0, 1}), "");
  EXPECT_NE(complaint("value", {0, 1}), "");
  EXPECT_NE(complaint("hidden", {64.5, 64}), "");
  EXPECT_NE(complaint("scores", std::vector<float>(101, 0.5f)), "");
  EXPECT_NE(complaint("format", 1e300), "");
  EXPECT_EQ(complaint("seen", 12), "");
}

// Stops at every place in turn where the trainer asks: what it then is, is either what it was or a smaller update.
TEST(Trainer, StopsBetweenStepsAndMinibatches) {
  const GameEntry game = built_in("tic_tac_toe");
  const auto made = [&](int threads) {
    TrainConfig config = small();
    config.threads = threads;
    return std::move(Trainer::make(game, config).value());
  };
  auto whole = made(1);
  int asked = 0;
  whole->stop = [&] { return ++asked, false; };
  const IterationReport all = whole->iterate().value();
  EXPECT_FALSE(all.interrupted);
  auto free = made(1);
  ASSERT_TRUE(free->iterate());
  EXPECT_EQ(free->parameters(), whole->parameters());  // to ask changes nothing

  int dropped = 0, shortened = 0;
  for (int threads : {1, 2})
    for (int at = 1; at <= asked; at += 5) {
      auto trainer = made(threads);
      const std::vector<float> before = trainer->parameters();
      std::atomic<int> count = 0;
      trainer->stop = [&] { return ++count >= at; };
      const auto report = trainer->iterate();
      ASSERT_TRUE(report);
      EXPECT_TRUE(report.value().interrupted);
      if (trainer->iterations() == 0) {
        ++dropped;
        EXPECT_EQ(trainer->steps(), 0);
        EXPECT_EQ(trainer->parameters(), before);
      } else {
        shortened += report.value().updated_rows > 0;
        EXPECT_EQ(trainer->steps(), all.steps);
        EXPECT_LT(report.value().updated_rows, all.updated_rows);
      }
      // It goes on, and so does another one from its state.
      auto other = made(1);
      ASSERT_TRUE(other->restore(trainer->state(), {}, "state"));
      EXPECT_EQ(other->parameters(), trainer->parameters());
      trainer->stop = {};
      ASSERT_TRUE(trainer->iterate());
      ASSERT_TRUE(other->iterate());
      for (float p : trainer->parameters()) ASSERT_TRUE(std::isfinite(p));
      if (dropped == 1 && trainer->iterations() == 1) {
        EXPECT_EQ(trainer->parameters(), free->parameters());  // as if it had never been stopped
      }
    }
  EXPECT_GT(dropped, 2);
  EXPECT_GT(shortened, 2);
}

TEST(Trainer, CallsItsHooksInOrder) {
  TrainConfig config = small();
  config.epochs = 1, config.minibatches = 2;
  auto trainer = Trainer::make(built_in("tic_tac_toe"), config);
  std::string calls;
  Trainer& t = *trainer.value();
  t.hooks = {.before_collect = [&] { calls += "c"; },
             .after_collect = [&] { calls += "C"; },
             .before_gradients = [&] { calls += "g"; },
             .after_gradients = [&] { calls += t.gradients()[0] != 0 ? "G" : "?"; },
             .before_apply = [&] { calls += "a"; },
             .after_apply = [&] { calls += "A"; }};
  ASSERT_TRUE(t.iterate().ok());
  EXPECT_EQ(calls, "cCgGaAgGaA");
}

// CartPole, but after some steps it gives what a game must not give.
template <int kind>
struct Misbehaving : CartPole {
  static Spec spec() {
    Spec s = CartPole::spec();
    s.name = "misbehaving";
    return s;
  }
  int steps = 0;
  void reset(const Settings& settings, Key key) {
    CartPole::reset(settings, key);
    steps = 0;
  }
  void step(const Actions& actions, Key key, Rewards rewards) {
    CartPole::step(actions, key, rewards);
    if (++steps == 5 && kind == 0) rewards[0] = std::nanf("");
    if (steps == 5 && kind == 3) rewards[0] = 3e38f;
  }
  void observe(int seat, Observation out) const {
    CartPole::observe(seat, out);
    if (steps == 5 && kind == 1) out[2] = HUGE_VALF;
  }
  void legal(int, Mask mask) const {
    if (steps == 5 && kind == 2) return;
    mask.allow(0);
    mask.allow(1);
  }
};

template <int kind>
std::string complaint() {
  auto trainer = Trainer::make(game_entry<Misbehaving<kind>>(), small());
  for (int i = 0; i < 5; ++i) {
    const auto report = trainer.value()->iterate();
    if (report.ok()) continue;
    for (float p : trainer.value()->parameters()) EXPECT_TRUE(std::isfinite(p));
    return report.error().message;
  }
  return "";
}

TEST(Trainer, SaysWhatAGameDidWrong) {
  EXPECT_NE(complaint<0>().find("step 4, seat 0: its reward or result is nan"), std::string::npos) << complaint<0>();
  EXPECT_NE(complaint<1>().find("step 5, seat 0: value 2 of 'state' in its observation is inf"), std::string::npos)
      << complaint<1>();
  EXPECT_NE(complaint<2>().find("mask allows no choice"), std::string::npos) << complaint<2>();
  EXPECT_NE(complaint<3>().find("the returns are not finite"), std::string::npos) << complaint<3>();
  EXPECT_EQ(complaint<4>(), "");  // the control: nothing wrong
}

// Pays what the test says, and shows nothing.
struct Paying {
  static inline float pay = 1;
  int steps = 0;
  static Spec spec() {
    return {.name = "paying",
            .observation = {ObservationPart::grid("nothing", 1, 1, 1)},
            .action = {ActionPart::discrete("a", 2)}};
  }
  void reset(const Settings&, Key) { steps = 0; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const { out[0] = 1; }
  void step(const Actions&, Key, Rewards rewards) {
    ++steps;
    rewards[0] = pay;
  }
  Status status() const { return steps == 4 ? Status::finished : Status::running; }
};

// The same with targets, whose logits are head columns that the head's dense layer has not.
struct PayingTargets : Paying {
  static Spec spec() {
    Spec spec = Paying::spec();
    spec.name = "paying_targets";
    spec.observation.push_back(ObservationPart::entities("things", 3, 1));
    spec.action.push_back(ActionPart::target("which", 1, 3));
    return spec;
  }
  void observe(int, Observation out) const {
    for (int i = 0; i < 4; ++i) out[i] = 1;
  }
};

template <class G>
void new_units_leave_predictions_alone() {
  TrainConfig config = small();
  config.learning_rate = 1e-7;  // nothing else moves them
  auto trainer = Trainer::make(game_entry<G>(), config);
  const auto prediction = [&] {
    BotAgent agent(trainer.value()->bot(), G::spec());
    const float observation[] = {1, 1, 1, 1};
    const float* heads = agent.decide(observation, nullptr);
    return agent.bot().value_mean + agent.bot().value_scale * heads[agent.bot().network.value_column()];
  };
  const float before = prediction();
  for (int i = 0; i < 20; ++i) {
    Paying::pay = static_cast<float>(1 << std::min(i, 10));
    ASSERT_TRUE(trainer.value()->iterate().ok());
    EXPECT_NEAR(prediction(), before, 1) << i;
  }
  EXPECT_GT(trainer.value()->bot().value_mean, 500);  // the control: the units did change
}

TEST(Trainer, NewUnitsOfTheReturnsLeaveTheBotsPredictionsAlone) {
  new_units_leave_predictions_alone<Paying>();
  new_units_leave_predictions_alone<PayingTargets>();
}

// Both choose at once; who chooses 1 takes `pay` from the other.
struct Taking {
  static inline float pay = 1;
  std::array<int, 2> choices = {-1, -1};

  static Spec spec() {
    return {.name = "taking",
            .seats = 2,
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::discrete("take", 2)},
            .simultaneous = true,
            .max_steps = 1};
  }
  void reset(const Settings&, Key) { *this = {}; }
  SeatSet to_act() const { return SeatSet::first(2); }
  void observe(int, Observation) const {}
  void step(const Actions& actions, Key, Rewards) { choices = {actions.choice(0), actions.choice(1)}; }
  Status status() const { return choices[0] < 0 ? Status::running : Status::finished; }
  float result(int team) const { return pay * static_cast<float>(choices[team] - choices[1 - team]); }
};

TEST(Trainer, WhereBothChooseAtOnceTheEntropyBonusIsMeasuredByTheLargestPayoffs) {
  TrainConfig config;
  config.learning_rate = 1e-2;
  auto trainer = Trainer::make(game_entry<Taking>(), config);
  ASSERT_TRUE(trainer.ok());
  double entropy = 0;
  Taking::pay = 1;
  for (int i = 0; i < 60; ++i) entropy = trainer.value()->iterate(0.5).value().entropy;
  EXPECT_LT(entropy, 0.3);
  Taking::pay = 0.01f;  // next to nothing by now, though all that differs
  for (int i = 0; i < 200; ++i) entropy = trainer.value()->iterate(0.5).value().entropy;
  EXPECT_GT(entropy, 0.95 * std::log(2.0));
}

// The same, `steps` times over, of which its Spec says nothing.
template <int steps>
struct TakingOften : Taking {
  int left = steps;
  static Spec spec() {
    Spec spec = Taking::spec();
    spec.max_steps = 0;
    return spec;
  }
  void reset(const Settings&, Key) { *this = {}; }
  void step(const Actions& actions, Key key, Rewards rewards) {
    Taking::step(actions, key, rewards);
    --left;
  }
  Status status() const { return left > 0 ? Status::running : Status::finished; }
};

TEST(Trainer, WhetherPlayMustBeMixedIsMeasuredByTheLengthOfMatchesWhereItIsNotKnown) {
  const auto horizon = [](const GameEntry& game) {
    return Trainer::make(game, {}).value()->resolved().options.horizon;
  };
  EXPECT_EQ(horizon(game_entry<TakingOften<16>>()), 128);
  EXPECT_EQ(horizon(game_entry<TakingOften<17>>()), 32);
  EXPECT_EQ(horizon(game_entry<TakingOften<1000>>()), 32);
}

// Things seen in units of their own: places in pixels, speeds in thousandths, a flag, a picture of bytes.
struct Pixels {
  int steps = 0;
  static Spec spec() {
    return {.name = "pixels",
            .observation = {ObservationPart::entities("things", 4, 4), ObservationPart::grid("picture", 2, 2, 2)},
            .action = {ActionPart::discrete("act", 2)},
            .max_steps = 4};
  }
  void reset(const Settings&, Key) { steps = 0; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    for (int thing = 0; thing < 1 + steps % 2; ++thing) {
      const float row[] = {1, 800, -0.001f, thing == 1 ? 1.0f : 0.0f};
      std::copy(std::begin(row), std::end(row), out.part(0) + thing * 4);
    }
    out.at(1, 0, 0, 1) = 200;
    out.at(1, 1, 1, 1) = 1;
  }
  void step(const Actions&, Key, Rewards) { ++steps; }
  Status status() const { return steps == 4 ? Status::finished : Status::running; }
};

TEST(Trainer, BringsWhatEntitiesAndGridsShowToOrderOne) {
  TrainConfig config;
  config.network.grid = "flat";
  auto trainer = Trainer::make(game_entry<Pixels>(), config);
  ASSERT_TRUE(trainer.ok());
  ASSERT_TRUE(trainer.value()->iterate().ok());
  const Bot bot = trainer.value()->bot();
  std::vector<float> expected;
  for (int thing = 0; thing < 4; ++thing) expected.insert(expected.end(), {1, 4.0f / 800, 100, 1});
  expected.insert(expected.end(), {0.02f, 0.02f, 0.02f, 0.02f, 1, 1, 1, 1});
  ASSERT_EQ(bot.scale.scale.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(bot.scale.scale[i], expected[i], 1e-5 * expected[i]);
  for (float mean : bot.scale.mean) EXPECT_EQ(mean, 0);

  auto next = Trainer::make(game_entry<Pixels>(), config);
  next.value()->start_from(bot);
  ASSERT_TRUE(next.value()->iterate().ok());
  const std::vector<float> after = next.value()->bot().scale.scale;
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(after[i], expected[i], 1e-3 * expected[i]);
}

// Every step costs the same, whatever is done; matches are cut short after `steps`, or end there.
template <Status ending>
struct Treadmill {
  int step_count = 0;
  float noise = 0;

  static Spec spec() {
    return {.name = "treadmill",
            .observation = {ObservationPart::vector("noise", 4)},
            .action = {ActionPart::discrete("act", 3)},
            .max_steps = 20};
  }
  void reset(const Settings&, Key key) { *this = {0, Random(key).uniform()}; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const {
    for (int i = 0; i < 4; ++i) out[i] = std::sin(static_cast<float>(i + 1) * (noise + static_cast<float>(step_count)));
  }
  void step(const Actions&, Key, Rewards rewards) {
    rewards[0] = -1;
    ++step_count;
  }
  Status status() const { return step_count < 20 ? Status::running : ending; }
};

TEST(Trainer, NoiseOfTheValueHeadTeachesNothing) {
  auto trainer = Trainer::make(game_entry<Treadmill<Status::truncated>>(), {});
  ASSERT_TRUE(trainer.ok());
  double entropy = 0;
  for (int i = 0; i < 100; ++i) entropy = trainer.value()->iterate(0.5).value().entropy;
  EXPECT_GT(entropy, 0.98 * std::log(3.0));
}

TEST(Trainer, LooksNoFurtherThanAShareOfTheLengthAtWhichMatchesAreCut) {
  const auto discount = [](const GameEntry& game, double look_ahead) {
    TrainConfig config = small();
    config.look_ahead = look_ahead;
    auto trainer = Trainer::make(game, config);
    double last = 0;
    for (int i = 0; i < 20; ++i) last = trainer.value()->iterate().value().discount;
    return last;
  };
  const GameEntry cut = game_entry<Treadmill<Status::truncated>>(), ended = game_entry<Treadmill<Status::finished>>();
  EXPECT_NEAR(discount(cut, -1), 1 - 1 / (0.3 * 20), 1e-6);
  EXPECT_NEAR(discount(cut, 0.5), 1 - 1 / (0.5 * 20), 1e-6);
  EXPECT_NEAR(discount(cut, 0), 0.99, 1e-6);
  EXPECT_NEAR(discount(ended, -1), 0.99, 1e-6);
}

TEST(Trainer, LearnsCartPole) {
  auto trainer = Trainer::make(built_in("cartpole"), {});
  while (trainer.value()->steps() < 4'000'000 && trainer.value()->score().value_or(0) < 475)
    ASSERT_TRUE(trainer.value()->iterate().ok());
  EXPECT_GE(*trainer.value()->score(), 475);
  // The control: with no learning rate to speak of, nothing is learnt.
  TrainConfig idle;
  idle.learning_rate = 1e-7;
  auto control = Trainer::make(built_in("cartpole"), idle);
  while (control.value()->steps() < 500'000) ASSERT_TRUE(control.value()->iterate().ok());
  EXPECT_LT(*control.value()->score(), 60);
}

}  // namespace
}  // namespace rival
