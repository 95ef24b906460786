// The runtime against the trainer's own player, decision by decision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "agent/player.hpp"
#include "games/catalog.hpp"
#include "runtime/rival_runtime.h"

namespace rival {
namespace {

constexpr float kTolerance = 1e-5f;

// Every kind of part and layer at once, of which seats see something new at each step.
struct Everything {
  Key key;
  int steps = 0;
  static Spec spec() {
    return {.name = "everything",
            .seats = 2,
            .observation = {ObservationPart::grid("small", 2, 3, 5), ObservationPart::entities("units", 4, 3),
                            ObservationPart::vector("numbers", 7), ObservationPart::grid("large", 3, 19, 21),
                            ObservationPart::entities("\"cards\" \\ \xc3\xa9", 3, 2)},
            .action = {ActionPart::continuous("aim", 2, -2, 3), ActionPart::target("unit", 1, 4),
                       ActionPart::discrete("order", 5), ActionPart::target("card", 4, 3).when(2, {1, 4}),
                       ActionPart::continuous("force", 1, 0, 0.1f).when(2, {0, 3}),
                       ActionPart::discrete("mode", 3).when(2, {2})},
            .simultaneous = true,
            .max_steps = 30,
            .seconds_per_step = 0.1f};
  }
  void reset(const Settings&, Key k) { *this = {k}; }
  SeatSet to_act() const { return steps % 5 == 3 ? SeatSet::one(1) : SeatSet::first(2); }
  void observe(int seat, Observation out) const {
    Random random(key.split(static_cast<std::uint64_t>(2 * steps + seat)));
    for (float& x : out.row()) x = random.below(3) ? random.uniform(-3, 3) : 0;
    for (int part : {1, 4}) {
      const int count = part == 1 ? 4 : 3, features = part == 1 ? 3 : 2;
      for (int i = 0; i < count; ++i) {
        float* entity = out.part(part) + i * features;
        if (random.below(3))
          entity[0] = 1;
        else
          std::fill_n(entity, features, 0.0f);
      }
    }
  }
  void legal(int, Mask mask) const {
    Random random(key.split(static_cast<std::uint64_t>(steps)).split(9));
    for (int part : {1, 2, 3, 5}) {
      const int size = part == 1 ? 4 : part == 2 ? 5 : 3, always = random.below(size);
      for (int c = 0; c < size; ++c)
        if (c == always || random.below(2)) mask.allow(part, c);
    }
  }
  void step(const Actions& actions, Key, Rewards) {
    key = key.split(static_cast<std::uint64_t>(actions.choice(1, 2)));
    ++steps;
  }
  Status status() const { return steps == 30 ? Status::finished : Status::running; }
};

Bot make_bot(const Spec& spec, const NetworkOptions& options, std::uint64_t seed = 1) {
  Bot bot{.game = spec.name, .network = Network::make(spec, options).value(), .parameters = {}, .scale = {}};
  bot.parameters = bot.network.initial_parameters(Key(seed));
  Random random(Key(seed).split(1));
  for (float& p : bot.parameters) p = 1.3f * p + random.uniform(-0.05f, 0.05f);
  for (int i = 0; i < bot.network.observation_size(); ++i) {
    bot.scale.mean.push_back(random.uniform(-0.2f, 0.2f));
    bot.scale.scale.push_back(random.uniform(0.5f, 1.5f));
  }
  for (const EntityEncoder& encoder : bot.network.encoders())  // as in training
    for (int i = 0; i < encoder.count * encoder.layer.in; ++i) {
      bot.scale.mean[static_cast<std::size_t>(encoder.first + i)] = 0;
      bot.scale.scale[static_cast<std::size_t>(encoder.first + i)] = 1;
    }
  bot.value_mean = 0.1f;
  bot.value_scale = 0.7f;
  return bot;
}

// A bot of the runtime with its memory.
struct Loaded {
  explicit Loaded(const std::string& file) : memory(rival_bot_memory(file.size())) {
    bot = rival_bot_load(file.data(), file.size(), memory.data(), memory.size(), error);
  }
  explicit Loaded(const Bot& made) : Loaded(to_safetensors(made.to_tensors())) {}

  std::vector<unsigned char> memory;
  char error[RIVAL_ERROR_SIZE] = "";
  rival_bot* bot = nullptr;
};

struct Actor {
  Actor(const rival_bot* bot, const rival_options* options) : memory(rival_actor_memory(bot, options)) {
    actor = rival_actor_make(bot, options, memory.data(), memory.size());
  }
  std::vector<unsigned char> memory;
  rival_actor* actor;
};

std::vector<std::string> instructions(rival_bot* bot) {
  std::vector<std::string> names;
  for (const char* name : {"plain", "sse2", "avx2", "avx512", "neon", "wasm"})
    if (rival_bot_set_isa(bot, name)) names.emplace_back(name);
  return names;
}

struct Found {
  int decisions = 0, repeated = 0, other_choices = 0;
  float probability = 0, value = 0, continuous = 0;  // largest differences
};

// Plays `steps` steps of `matches` matches by the trainer's player, and asks the runtime at each decision.
Found compare(const Spec& spec, const BatchFactory& make_batch, const Bot& bot, rival_bot* loaded, float temperature,
              Limits limits, int matches, int steps) {
  Found found;
  const std::unique_ptr<Batch> batch = make_batch(matches);
  const auto agent = make_player(std::make_shared<const SharedBot>(bot), spec,
                                 {.temperature = temperature, .limits = limits, .precision = Precision::f32});
  const rival_options options{temperature, limits.reaction_steps, limits.every};
  std::vector<Actor> actors;
  for (int i = 0; i < matches * spec.seats; ++i) actors.emplace_back(loaded, &options);
  const Settings settings = default_settings(spec);
  batch->start_all(settings, Key(2));
  BatchRows rows(*batch);
  const auto masks = static_cast<std::size_t>(batch->layout().mask_size);
  const auto choices = static_cast<std::size_t>(batch->layout().choice_count);
  const auto values = static_cast<std::size_t>(batch->layout().value_count);
  std::vector<float> probabilities(rows.masks.size() + 1), expected(static_cast<std::size_t>(batch->rows()));
  std::vector<float> p(masks + 1), own_values(values + 1);
  std::vector<std::int32_t> own_choices(choices + 1);
  const auto differ = [](float& most, float a, float b) { most = std::max(most, std::fabs(a - b)); };
  for (int step = 0; step < steps; ++step) {
    EXPECT_TRUE(rows.observe().ok());
    const Key key = Key(3).split(static_cast<std::uint64_t>(step));
    const bool known = agent->probabilities(rows.decisions(), probabilities.data());
    EXPECT_TRUE(agent->estimate(rows.decisions(), expected.data()));
    agent->act(rows.decisions(), key, rows.choices.data(), rows.values.data());
    for (int row : rows.acting()) {
      const auto r = static_cast<std::size_t>(row);
      const int match = rows.match_of(row);
      rival_actor* actor = actors[static_cast<std::size_t>(match * spec.seats + rows.seats[r])].actor;
      EXPECT_EQ(rival_actor_observe(actor, batch->steps(match), rows.observation(row)), 1);
      EXPECT_EQ(rival_actor_probabilities(actor, rows.mask(row), p.data()), 1);
      for (std::size_t c = 0; known && c < masks; ++c) differ(found.probability, p[c], probabilities[r * masks + c]);
      differ(found.value, rival_actor_value(actor), expected[r]);
      const int decided =
          rival_actor_act(actor, rows.mask(row), key.split(r).bits(), own_choices.data(), own_values.data());
      found.repeated += decided == 0;
      for (std::size_t i = 0; i < choices; ++i) found.other_choices += own_choices[i] != rows.choices[r * choices + i];
      for (std::size_t i = 0; i < values; ++i) differ(found.continuous, own_values[i], rows.values[r * values + i]);
      ++found.decisions;
    }
    EXPECT_TRUE(rows.step().ok());
    for (int match = 0; match < matches; ++match) {
      if (rows.status[static_cast<std::size_t>(match)] == Status::running) continue;
      const Key again = Key(4).split(static_cast<std::uint64_t>(step)).split(static_cast<std::uint64_t>(match));
      batch->start({&match, 1}, settings, {&again, 1});
      agent->match_started(match);
      for (int seat = 0; seat < spec.seats; ++seat)
        rival_actor_begin(actors[static_cast<std::size_t>(match * spec.seats + seat)].actor);
    }
  }
  return found;
}

void expect_alike(const Found& found) {
  EXPECT_LE(found.probability, kTolerance);
  EXPECT_LE(found.value, 2 * kTolerance);
  EXPECT_LE(found.continuous, 5 * kTolerance);  // in units of their ranges
  EXPECT_EQ(found.other_choices, 0);
}

TEST(Runtime, PlaysAllGamesOfTheCatalogAsTheTrainer) {
  for (const GameEntry& game : catalog())
    for (const bool memory : {false, true}) {
      SCOPED_TRACE(game.spec.name + (memory ? " with memory" : ""));
      const Bot bot = make_bot(game.spec, {.memory = memory ? -1 : 0});
      Loaded loaded(bot);
      ASSERT_NE(loaded.bot, nullptr) << loaded.error;
      EXPECT_EQ(rival_bot_game(loaded.bot), game.spec.name);
      const Found found = compare(game.spec, game.make_batch, bot, loaded.bot, 1, {}, 16, 80);
      EXPECT_GE(found.decisions, 1000);
      expect_alike(found);
    }
}

TEST(Runtime, EveryLayerOnEveryInstructionSet) {
  for (const char* grid : {"auto", "flat", "convolution"})
    for (const int memory : {0, 24}) {
      const Bot bot =
          make_bot(Everything::spec(),
                   {.hidden = {40, 24}, .memory = memory, .entity = 20, .grid = from_word<GridReading>(grid).value()});
      Loaded loaded(bot);
      ASSERT_NE(loaded.bot, nullptr) << loaded.error;
      for (const std::string& isa : instructions(loaded.bot)) {
        SCOPED_TRACE(std::string(grid) + " " + std::to_string(memory) + " " + isa);
        ASSERT_TRUE(rival_bot_set_isa(loaded.bot, isa.c_str()));
        EXPECT_EQ(rival_bot_isa(loaded.bot), isa);
        const Found found = compare(Everything::spec(), &BatchOf<Everything>::make, bot, loaded.bot, 1, {}, 9, 70);
        EXPECT_GE(found.decisions, 1000);
        expect_alike(found);
      }
    }
}

// Games with continuous actions give no probabilities; these have the same network without them.
struct Choices : Everything {
  static Spec spec() {
    Spec spec = Everything::spec();
    std::erase_if(spec.action, [](const ActionPart& part) { return !part.is_choice(); });
    for (ActionPart& part : spec.action)
      if (part.when_part >= 0) part.when_part = 1;
    return spec;
  }
  void legal(int, Mask mask) const {
    Random random(key.split(static_cast<std::uint64_t>(steps)).split(9));
    const int sizes[] = {4, 5, 3, 3};
    for (int part = 0; part < 4; ++part) {
      const int always = random.below(sizes[part]);
      for (int c = 0; c < sizes[part]; ++c)
        if (c == always || random.below(2)) mask.allow(part, c);
    }
  }
  void step(const Actions& actions, Key, Rewards) {
    key = key.split(static_cast<std::uint64_t>(actions.choice(1, 1)));
    ++steps;
  }
};

TEST(Runtime, ProbabilitiesOfEveryLayerAtEveryTemperature) {
  const Bot bot = make_bot(Choices::spec(), {.hidden = {33, 17}, .memory = 17});
  Loaded loaded(bot);
  ASSERT_NE(loaded.bot, nullptr) << loaded.error;
  for (const float temperature : {0.0f, 1e-9f, 0.3f, 1.0f, 4.0f}) {
    SCOPED_TRACE(temperature);
    expect_alike(compare(Choices::spec(), &BatchOf<Choices>::make, bot, loaded.bot, temperature, {}, 16, 80));
  }
}

TEST(Runtime, ReactsAndRepeatsAsTheTrainer) {
  const Bot bot = make_bot(Choices::spec(), {.hidden = {32}, .memory = -1});
  Loaded loaded(bot);
  ASSERT_NE(loaded.bot, nullptr) << loaded.error;
  for (const Limits limits : {Limits{0, 3}, Limits{1, 1}, Limits{4, 1}, Limits{3, 4}, Limits{40, 2}}) {
    SCOPED_TRACE(std::to_string(limits.reaction_steps) + ", " + std::to_string(limits.every));
    const Found found = compare(Choices::spec(), &BatchOf<Choices>::make, bot, loaded.bot, 1, limits, 8, 200);
    EXPECT_EQ(found.repeated > 0, limits.every > 1);
    expect_alike(found);
  }
}

}  // namespace
}  // namespace rival
