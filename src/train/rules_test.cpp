// Rules that are drawn for every match: what the player sees of them, and what it makes of that.

#include <gtest/gtest.h>

#include <cstring>

#include "agent/player.hpp"
#include "agent/transplant.hpp"
#include "base/index.hpp"
#include "base/temporary_folder.hpp"
#include "match/match.hpp"
#include "nn/reference.hpp"
#include "train/rollout.hpp"
#include "train/run.hpp"

namespace rival {
namespace {

enum class Number { hidden, shown, unknown };

// Every seat that plays names a number, once; the right one is a parameter, as is how many play. What a seat observes
// says nothing, or both parameters as a player who sees rules would; or nobody can know the number, for the rules draw
// it themselves.
template <Number kind>
struct Dial {
  static Spec spec() {
    return {.name = "dial",
            .description = "name the number",
            .seats = 2,
            .teams = {0, 0},
            .observation = {ObservationPart::vector("sight", 2)},
            .action = {ActionPart::discrete("number", 5)},
            .parameters = {{"number", 2, 0, 4, "what to name", 1}, {"players", 2, 1, 2, "how many play", 1}},
            .simultaneous = true,
            .max_steps = 1};
  }
  void reset(const Settings& settings, Key key) {
    *this = {};
    number = kind == Number::unknown ? Random(key).below(5) : static_cast<int>(settings.parameters[0]);
    players = static_cast<int>(settings.parameters[1]);
  }
  SeatSet playing() const { return SeatSet::first(players); }
  SeatSet to_act() const { return over ? SeatSet::none() : playing(); }
  void observe(int, Observation out) const {
    if (kind != Number::shown) return;
    out[0] = static_cast<float>(number) / 2 - 1;
    out[1] = 2 * static_cast<float>(players) - 3;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    over = true;
    for (int seat = 0; seat < players; ++seat) rewards[seat] += actions.choice(seat) == number ? 1.0f : 0.0f;
  }
  Status status() const { return over ? Status::finished : Status::running; }
  int number = 0, players = 0;
  bool over = false;
};

TrainConfig small() {
  TrainConfig config;
  config.rows = 128;
  config.horizon = 8;
  config.threads = 1;
  config.network.hidden = {32};
  config.parameters = "number=any,players=any";
  config.steps = 100'000;
  return config;
}

TEST(DrawnRules, StandBehindEveryObservationThatIsLearntFrom) {
  using G = Dial<Number::shown>;
  MatchSettings settings = default_settings(G::spec());
  ASSERT_TRUE(draw_parameters(G::spec(), std::vector<std::string>{"all=any"}, "", settings));
  const std::vector<ObservedParameter> rules = observed_parameters(G::spec(), settings);
  const Network network = Network::make(with_rules(G::spec(), rules), {.hidden = {4}}).value();
  ASSERT_EQ(network.observation_size(), 4);
  const std::vector<float> parameters(network.parameter_count(), 0.0f);
  const std::unique_ptr<Backend> backend = make_reference_backend(network);
  const std::unique_ptr<Weights> weights = backend->make_weights();
  backend->pack(parameters, *weights);
  ASSERT_EQ(backend->input_stride(), static_cast<int>(4 * sizeof(float)));
  const ObservationScale scale{{0, 0, 0, 0}, {1, 1, 1, 1}};
  for (const Limits& limits : {Limits{}, Limits{.reaction_steps = 1, .every = 1}}) {
    Rollout rollout(BatchOf<G>::make(30), *backend, network, {.horizon = 16, .limits = limits, .rules = rules});
    const auto executor = backend->make_executor(rollout.max_rows());
    rollout.start(settings, Key(3));
    ASSERT_TRUE(rollout.collect(*executor, {weights.get(), &scale, parameters.data() + network.log_std(), 0, 1}, {},
                                {.steps = 16}, Key(4)));
    const Samples& samples = rollout.samples();
    ASSERT_GT(samples.count, 16 * 30);
    int alone = 0;
    for (int i = 0; i < samples.count; ++i) {
      float input[4];
      std::memcpy(input, samples.inputs.data() + index(i) * sizeof input, sizeof input);
      ASSERT_TRUE(limits.any() || (input[0] == input[2] && input[1] == input[3])) << i;
      ASSERT_TRUE(std::abs(input[2]) <= 1 && std::abs(input[3]) == 1) << i;
      alone += input[3] < 0;
    }
    EXPECT_NEAR(alone / static_cast<double>(samples.count), 1 / 3.0, 0.1);  // each of two has a row of its own
    // The statistics of columns are those of the rows.
    EXPECT_NEAR(rollout.seen().sum[2], rollout.seen().sum[0], 1e-6);
    EXPECT_NEAR(rollout.seen().square[3], rollout.seen().rows, 1e-6);
  }
}

// The mean return when all matches are under these settings.
double score(const GameEntry& game, const Bot& bot, Settings settings) {
  BotAgent agent(bot, game.spec);
  const auto played = play_matches(game, agent, nullptr, Key(5), {.matches = 50, .settings = std::move(settings)});
  EXPECT_TRUE(played.ok()) << played.error().message;
  return played ? played.value().score.value : 0;
}

template <Number kind>
Bot learnt() {
  auto trainer = Trainer::make(game_entry<Dial<kind>>(), small());
  EXPECT_TRUE(trainer.ok()) << trainer.error().message;
  while (trainer.value()->steps() < 100'000) EXPECT_TRUE(trainer.value()->iterate().ok());
  return trainer.value()->bot();
}

TEST(DrawnRules, AreLearntOverTheirRangeByWhoSeesThem) {
  const auto game = game_entry<Dial<Number::hidden>>(), unknown = game_entry<Dial<Number::unknown>>();
  const Bot bot = learnt<Number::hidden>(), blind = learnt<Number::unknown>();
  EXPECT_EQ(bot.rules, (std::vector<ObservedParameter>{{"number", 0, 4}, {"players", 1, 2}}));
  double of_chance = 0;
  for (int number = 0; number < 5; ++number)
    for (int players = 1; players <= 2; ++players) {
      const Settings settings{{static_cast<float>(number), static_cast<float>(players)}};
      EXPECT_GE(score(game, bot, settings), 0.99) << number;
      of_chance += score(unknown, blind, settings) / 10;
    }
  EXPECT_LT(of_chance, 0.4);
}

TEST(DrawnRules, BotsRememberThemAndGoOnOverAnotherRange) {
  const auto game = game_entry<Dial<Number::hidden>>();
  const Bot bot = learnt<Number::hidden>();
  const TensorFile file = bot.to_tensors();
  const Result<Bot> again = Bot::from_tensors(file, game.spec, "dial");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again.value().rules, bot.rules);
  EXPECT_EQ(score(game, again.value(), {{3, 1}}), score(game, bot, {{3, 1}}));
  EXPECT_EQ(bot_spec(file, "dial").value().observation.size(), 1u);

  Spec without = game.spec;
  without.parameters.pop_back();
  const Result<Bot> lost = Bot::from_tensors(file, without, "dial");
  ASSERT_FALSE(lost.ok());
  EXPECT_NE(lost.error().message.find("it sees the parameter 'players', which there is no more"), std::string::npos)
      << lost.error().message;

  // The same values mean the same to it, whatever the range and the order.
  Spec wider = game.spec;
  wider.parameters[0].high = 20;
  const auto grown = transplant(file, "dial", wider, {{"players", 1, 2}, {"number", 0, 20}}, {}, Key(1));
  ASSERT_TRUE(grown.ok()) << grown.error().message;
  EXPECT_TRUE(grown.value().exact) << grown.value().text();
  GameEntry now = game;
  now.spec = wider;
  for (int number = 0; number < 5; ++number)
    EXPECT_EQ(score(now, grown.value().bot, {{static_cast<float>(number), 2}}), 1) << number;
  const auto narrower = transplant(file, "dial", game.spec, {{"number", 0, 4}}, {}, Key(1));
  ASSERT_TRUE(narrower.ok());
  EXPECT_FALSE(narrower.value().exact);
  EXPECT_NE(narrower.value().text().find("players dropped"), std::string::npos) << narrower.value().text();
}

TEST(DrawnRules, RunsGoOnWithThem) {
  const TemporaryFolder folder;
  const auto game = game_entry<Dial<Number::hidden>>();
  const auto run = [&](const TrainConfig& config, bool resume) {
    std::atomic<bool> stop = false;
    return run_training(
        game, config,
        {.folder = folder.file("run"), .resume = resume, .stop = &stop, .on_progress = [&](const RunProgress&) {
           stop = true;
         }});
  };
  const auto began = run(small(), false);
  ASSERT_TRUE(began.ok()) << began.error().message;
  const auto went_on = run(small(), true);
  ASSERT_TRUE(went_on.ok()) << went_on.error().message;
  EXPECT_GT(went_on.value().steps, began.value().steps);
  EXPECT_EQ(load_bot(folder.file("run/bots/latest.safetensors"), game.spec).value().rules.size(), 2u);

  const std::string before = read_file(folder.file("run/config.toml")).value();
  for (const char* other : {"number=0..3,players=any", "players=any", "number=1"}) {
    TrainConfig config = small();
    config.parameters = other;
    const auto refused = run(config, true);
    ASSERT_FALSE(refused.ok()) << other;
    EXPECT_NE(refused.error().message.find("sees number from 0 to 4 and players from 1 to 2"), std::string::npos)
        << refused.error().message;
  }
  EXPECT_EQ(read_file(folder.file("run/config.toml")).value(), before);
  EXPECT_TRUE(run(small(), true).ok());
}

}  // namespace
}  // namespace rival
