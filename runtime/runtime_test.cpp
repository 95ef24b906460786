// The runtime against the trainer's own player, decision by decision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "agent/player.hpp"
#include "base/file.hpp"
#include "base/temporary_folder.hpp"
#include "games/catalog.hpp"
#include "runtime/rival_runtime.h"
#include "tests/subprocess.hpp"

namespace rival {
namespace {

constexpr float kTolerance = 1e-5f;

// Something of everything, and entities of which some are not there.
void show_anything(const Spec& spec, Random random, Observation out) {
  for (float& x : out.row()) x = random.below(3) ? random.uniform(-3, 3) : 0;
  for (std::size_t p = 0; p < spec.observation.size(); ++p) {
    const ObservationPart& part = spec.observation[p];
    if (part.kind != ObservationPart::Kind::entities) continue;
    for (int i = 0; i < part.count(); ++i) {
      float* entity = out.part(static_cast<int>(p)) + i * part.features();
      if (random.below(3))
        entity[0] = 1;
      else
        std::fill_n(entity, part.features(), 0.0f);
    }
  }
}

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
    show_anything(spec(), Random(key.split(static_cast<std::uint64_t>(2 * steps + seat))), out);
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

// Entities that stand alone, or beside nothing but grids: where these are convolved, nothing is flat.
template <bool grids>
struct NoVectors : Everything {
  static Spec spec() {
    Spec spec = Everything::spec();
    const auto part = [&](int p) { return spec.observation[static_cast<std::size_t>(p)]; };
    spec.observation = grids ? std::vector{part(0), part(1), part(3), part(4)} : std::vector{part(1), part(4)};
    spec.action[1].entities = grids ? 1 : 0;
    spec.action[3].entities = grids ? 3 : 1;
    return spec;
  }
  void observe(int seat, Observation out) const {
    show_anything(spec(), Random(key.split(static_cast<std::uint64_t>(2 * steps + seat))), out);
  }
};

Bot make_bot(const Spec& spec, const NetworkOptions& options, std::uint64_t seed = 1) {
  Bot bot = untrained_bot(spec.name, Network::make(spec, options).value(), Key(seed));
  Random random(Key(seed).split(1));
  for (float& p : bot.parameters) p = 1.3f * p + random.uniform(-0.05f, 0.05f);
  std::size_t column = 0;
  for (const ObservationPart& part : spec.observation)
    for (int i = 0; i < part.size(); ++i, ++column) {
      const float mean = random.uniform(-0.2f, 0.2f), scale = random.uniform(0.5f, 1.5f);
      if (part.kind == ObservationPart::Kind::entities) continue;  // as in training
      bot.scale.mean[column] = mean, bot.scale.scale[column] = scale;
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
  EXPECT_LE(found.other_choices, 1);            // what is drawn may lie where rounding decides between two choices
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

template <class Game>
void expect_alike_on_every_instruction_set(const NetworkOptions& options) {
  const Bot bot = make_bot(Game::spec(), options);
  Loaded loaded(bot);
  ASSERT_NE(loaded.bot, nullptr) << loaded.error;
  for (const std::string& isa : instructions(loaded.bot)) {
    SCOPED_TRACE(std::string(word_of(options.grid.value)) + " " + std::to_string(options.memory) + " " +
                 std::to_string(options.entity_inner) + " " + isa);
    ASSERT_TRUE(rival_bot_set_isa(loaded.bot, isa.c_str()));
    EXPECT_EQ(rival_bot_isa(loaded.bot), isa);
    const Found found = compare(Game::spec(), &BatchOf<Game>::make, bot, loaded.bot, 1, {}, 4, 40);
    EXPECT_GE(found.decisions, 200);
    expect_alike(found);
  }
}

TEST(Runtime, EveryLayerOnEveryInstructionSet) {
  for (const GridReading grid : {GridReading::automatic, GridReading::flat, GridReading::convolution})
    for (const int memory : {0, 24})
      for (const int inner : {0, 32, 45})
        expect_alike_on_every_instruction_set<Everything>(
            {.hidden = {40, 24}, .memory = memory, .entity = 20, .entity_inner = inner, .grid = grid});
}

TEST(Runtime, EntitiesWithoutFlatParts) {
  for (const int memory : {0, 24})
    for (const int inner : {0, 32, 45}) {
      const NetworkOptions options{
          .hidden = {40, 24}, .memory = memory, .entity = 52, .entity_inner = inner, .grid = GridReading::convolution};
      expect_alike_on_every_instruction_set<NoVectors<true>>(options);
      expect_alike_on_every_instruction_set<NoVectors<false>>(options);
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
  for (const int inner : {0, 32, 45}) {
    const Bot bot = make_bot(Choices::spec(), {.hidden = {33, 17}, .memory = 17, .entity_inner = inner});
    Loaded loaded(bot);
    ASSERT_NE(loaded.bot, nullptr) << loaded.error;
    for (const float temperature : {0.0f, 1e-9f, 0.3f, 1.0f, 4.0f}) {
      SCOPED_TRACE(temperature);
      expect_alike(compare(Choices::spec(), &BatchOf<Choices>::make, bot, loaded.bot, temperature, {}, 8, 40));
    }
  }
}

// As all bots were once.
TEST(Runtime, EntitiesOfAFileThatDoesNotSayAreReadAlone) {
  const Bot bot = make_bot(Choices::spec(), {.hidden = {8}, .entity_inner = 0});
  TensorFile file = bot.to_tensors();
  std::string& about = file.metadata["rival"];
  const std::string field = "\"entity_inner\":0,";
  ASSERT_NE(about.find(field), std::string::npos) << about;
  about.erase(about.find(field), field.size());
  Loaded loaded(to_safetensors(file));
  ASSERT_NE(loaded.bot, nullptr) << loaded.error;
  expect_alike(compare(Choices::spec(), &BatchOf<Choices>::make, bot, loaded.bot, 1, {}, 4, 40));
}

TEST(Runtime, ReactsAndRepeatsAsTheTrainer) {
  const Bot bot = make_bot(Choices::spec(), {.hidden = {32}, .memory = -1});
  Loaded loaded(bot);
  ASSERT_NE(loaded.bot, nullptr) << loaded.error;
  for (const Limits limits : {Limits{0, 3}, Limits{1, 1}, Limits{4, 1}, Limits{3, 4}, Limits{40, 2}}) {
    SCOPED_TRACE(std::to_string(limits.reaction_steps) + ", " + std::to_string(limits.every));
    const Found found = compare(Choices::spec(), &BatchOf<Choices>::make, bot, loaded.bot, 1, limits, 4, 100);
    EXPECT_EQ(found.repeated > 0, limits.every > 1);
    expect_alike(found);
  }
}

TEST(Runtime, PlaysAsItsFileSays) {
  Bot bot = make_bot(Everything::spec(), {.hidden = {8}});
  bot.limits = {3, 5};
  bot.temperature = 0.25f;
  const Loaded loaded(bot);
  ASSERT_NE(loaded.bot, nullptr) << loaded.error;
  const rival_options options = rival_bot_options(loaded.bot);
  EXPECT_EQ(options.temperature, 0.25f);
  EXPECT_EQ(options.reaction_steps, 3);
  EXPECT_EQ(options.every, 5);
  bot.temperature.reset();
  EXPECT_EQ(rival_bot_options(Loaded(bot).bot).temperature, 1);

  const Spec spec = Everything::spec();
  for (int p = 0; p < static_cast<int>(spec.observation.size()); ++p) {
    const rival_part* part = rival_bot_observation_part(loaded.bot, p);
    ASSERT_NE(part, nullptr);
    EXPECT_EQ(part->name, spec.observation[static_cast<std::size_t>(p)].name);
    EXPECT_EQ(part->offset, RowLayout(spec).observation_offset[static_cast<std::size_t>(p)]);
  }
  EXPECT_EQ(rival_bot_observation_part(loaded.bot, 5), nullptr);
  EXPECT_EQ(rival_bot_action_part(loaded.bot, 6), nullptr);
  EXPECT_EQ(rival_bot_action_part(loaded.bot, -1), nullptr);
  const rival_part* card = rival_bot_action_part(loaded.bot, 3);
  EXPECT_EQ(card->kind, RIVAL_TARGET);
  EXPECT_EQ(card->when, 1);  // `order` is the second of the choices
  EXPECT_EQ(card->when_choices, 0x12u);
}

TEST(Runtime, LimitsInHumanUnitsAreTheTrainers) {
  Spec spec = Everything::spec();
  for (const float per_step : {0.1f, 1.0f / 60, 1.0f / 30, 0.25f}) {
    spec.seconds_per_step = per_step;
    for (const double reaction : {0.0, 1.0, 100.0, 250.0, 999.9})
      for (const double actions : {0.0, 1.0, 59.5, 180.0, 1e5}) {
        const Limits limits = limits_for(spec, reaction, actions).value();
        rival_options options{1, 7, 7};
        const double seconds = static_cast<double>(per_step);
        if (limits.every > 1000) {
          EXPECT_EQ(rival_options_limit(&options, seconds, reaction, actions), 0);
          continue;
        }
        ASSERT_EQ(rival_options_limit(&options, seconds, reaction, actions), 1);
        EXPECT_EQ(options.reaction_steps, limits.reaction_steps);
        EXPECT_EQ(options.every, limits.every);
      }
  }
  rival_options options{1, 7, 7};
  EXPECT_EQ(rival_options_limit(&options, 0, 100, 0), 0);
  EXPECT_EQ(rival_options_limit(&options, 0.1, -1, 0), 0);
  EXPECT_EQ(rival_options_limit(&options, 0.1, 0, 0.5), 0);
  EXPECT_EQ(options.reaction_steps, 7);
}

TEST(Runtime, KeysAreTheTrainers) {
  EXPECT_EQ(rival_key(5), Key(5).bits());
  EXPECT_EQ(rival_key_split(rival_key(5), 1000), Key(5).split(1000).bits());
}

TEST(Runtime, AnActorThatWasShownNothingDoesNothing) {
  const Loaded loaded(make_bot(Everything::spec(), {.hidden = {8}}));
  const Actor actor(loaded.bot, nullptr);
  std::int32_t choices[4] = {9, 9, 9, 9};
  float values[3];
  const std::vector<std::uint8_t> mask(15, 1);
  EXPECT_EQ(rival_actor_act(actor.actor, mask.data(), 1, choices, values), -1);
  EXPECT_EQ(choices[0], 9);
  EXPECT_EQ(rival_actor_value(actor.actor), 0);
  const std::vector<float> row(static_cast<std::size_t>(rival_bot_observation_size(loaded.bot)));
  EXPECT_EQ(rival_actor_observe(actor.actor, 4, row.data()), 1);
  EXPECT_EQ(rival_actor_observe(actor.actor, 3, row.data()), 0);
  EXPECT_EQ(rival_actor_act(actor.actor, mask.data(), 1, choices, values), 1);
  const rival_options hot{-1, 0, 1}, slow{1, 1001, 1}, never{1, 0, 0};
  for (const rival_options* wrong : {&hot, &slow, &never}) EXPECT_EQ(rival_actor_memory(loaded.bot, wrong), 0u);
}

// What is wrong with a file is named, with its place.
TEST(Runtime, RefusesMalformedFiles) {
  const TensorFile good = make_bot(Everything::spec(), {.hidden = {8, 6}}).to_tensors();
  const std::string bytes = to_safetensors(good);
  const auto error = [](const std::string& file) {
    const Loaded loaded(file);
    return loaded.bot ? std::string("read") : std::string(loaded.error);
  };
  const auto with = [&](const std::string& what, const std::string& instead) {
    std::string file = bytes;
    const std::size_t at = file.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    EXPECT_EQ(what.size(), instead.size());
    return error(file.replace(at, what.size(), instead));
  };
  const auto metadata = [&](const char* key, const std::string& what, const std::string& instead) {
    TensorFile file = good;
    std::string& text = file.metadata[key];
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), instead);
    return error(to_safetensors(file));
  };
  ASSERT_EQ(error(bytes), "read");
  EXPECT_EQ(error(""), "too short for a safetensors file");
  EXPECT_EQ(error(bytes.substr(0, 100)), "no safetensors file, or cut short: its header is longer than the file");
  EXPECT_EQ(error(bytes.substr(0, bytes.size() - 1)),
            "the tensor 'value.mean_and_scale' reaches beyond the end of the file: is it cut short?");
  EXPECT_EQ(error(bytes + "x"), "bytes behind the last tensor belong to no tensor");
  EXPECT_EQ(with("\"trunk.1.weight\"", "\"trunk.9.weight\""), "the tensor 'trunk.1.weight' is missing");
  EXPECT_EQ(with("\"shape\":[8,6]", "\"shape\":[6,8]"), "the tensor 'trunk.1.weight' has another shape than [8, 6]");
  EXPECT_EQ(with("\"F32\"", "\"I32\""), "the tensor 'encoder.units.weight' is not F32");
  EXPECT_EQ(with("\"F32\"", "\"F99\""), "the tensor 'encoder.units.weight' has an unknown dtype");
  EXPECT_EQ(with("\"trunk.1.weight\"", "\"trunk.0.weight\""), "the header has 'trunk.0.weight' twice");
  EXPECT_EQ(with("\"trunk.1.weight\":", "\"trunk.1.weight\";"),
            "the header is no valid JSON at its byte " + std::to_string(bytes.find("\"trunk.1.weight\"") + 8));
  EXPECT_EQ(metadata("rival", "\"hidden\":[8,6]", "\"hidden\":[8,6.5]"),
            "the metadata 'rival': 'hidden' must be a whole number from 1 to 8192");
  EXPECT_EQ(metadata("rival", "\"memory\":0", "\"memory\":4"),
            "the metadata 'rival': 'memory' must be 0 or the last hidden width");
  for (const char* inner : {"-1", "1025", "1.5", "\"2\"", "32,\"entity_inner\":32"}) {
    const bool twice = std::strchr(inner, ',') != nullptr;
    EXPECT_EQ(metadata("rival", "\"entity_inner\":32", std::string("\"entity_inner\":") + inner),
              twice ? "the metadata 'rival': 'entity_inner' is there twice"
                    : "the metadata 'rival': 'entity_inner' must be a whole number from 0 to 1024");
  }
  EXPECT_EQ(metadata("rival", "\"entity_inner\":32", "\"entity_inner\":0"),
            "the tensor 'encoder.units.weight' has another shape than [3, 64]");
  EXPECT_EQ(with("\"encoder.units.1.weight\"", "\"encoder.units.2.weight\""),
            "the tensor 'encoder.units.1.weight' is missing");
  EXPECT_EQ(metadata("rival", "\"format\":1", "\"format\":2"),
            "the metadata 'rival': 'format' is newer than this runtime reads (1): take a newer rival_runtime.c");
  EXPECT_EQ(metadata("rival", "{", "["), "the metadata 'rival' is no valid JSON object");
  EXPECT_EQ(metadata("parts", "\"kind\":\"grid\"", "\"kind\":\"cube\""),
            "the metadata 'parts', observation 0: 'kind' must be vector, grid or entities");
  EXPECT_EQ(metadata("parts", "\"part\":2", "\"part\":0"),
            "the metadata 'parts', action 3, when: 'part' must be an earlier choice among at most 64 that depends on "
            "nothing itself");
  TensorFile bare = good;
  bare.metadata.clear();
  EXPECT_EQ(error(to_safetensors(bare)), "the metadata 'rival' is missing: not a bot of Rival");
  Bot ruined = make_bot(Everything::spec(), {.hidden = {8}});
  ruined.parameters.back() = NAN;
  EXPECT_EQ(error(to_safetensors(ruined.to_tensors())),
            "the tensor 'action.log_std' holds a value that is not finite; the bot is ruined");
}

TEST(Runtime, RefusesMemoryThatIsTooSmall) {
  const std::string file = to_safetensors(make_bot(Everything::spec(), {.hidden = {8}}).to_tensors());
  std::vector<unsigned char> memory(rival_bot_memory(file.size()));
  char error[RIVAL_ERROR_SIZE] = "";
  EXPECT_EQ(rival_bot_load(file.data(), file.size(), memory.data(), memory.size() - 1, error), nullptr);
  EXPECT_STREQ(error, "the memory is too small: see rival_bot_memory()");
  EXPECT_EQ(rival_bot_memory(SIZE_MAX), 0u);
  // Wherever it begins.
  memory.resize(memory.size() + 63);
  for (const int shift : {0, 1, 8, 63})
    EXPECT_NE(rival_bot_load(file.data(), file.size(), memory.data() + shift, memory.size() - 63, nullptr), nullptr);
}

// What docs/ship-a-bot.md shows.
TEST(Runtime, TheExamplesOfTheGuidePlay) {
  const TemporaryFolder folder;
  const GameEntry game = built_in("connect_four");
  ASSERT_TRUE(save_bot(make_bot(game.spec, {}), folder.file("bot")).ok());
  const std::string root = RIVAL_SOURCE_DIR, runtime = root + "/runtime/rival_runtime.c", out = folder.file("play");
  const std::string examples = root + "/examples/ship_a_bot/", bot = " " + folder.file("bot");
  for (const std::string& line :
       {"gcc -std=c99 -I" + root + "/runtime " + examples + "play.c " + runtime + " -o " + out + " -lm && " + out + bot,
        "gcc -std=c99 -c " + runtime + " -o " + out + ".o && g++ -std=c++11 -I" + root + "/runtime " + examples +
            "play.cpp " + out + ".o -o " + out + " -lm && " + out + bot,
        "gcc -shared -fPIC " + runtime + " -o " + out + ".so -lm && python3 " + examples + "play.py " + out + ".so" +
            bot}) {
    const Finished played = run_shell(line);
    EXPECT_EQ(played.exit_code, 0) << line << "\n" << played.output;
    EXPECT_EQ(played.output.substr(0, 7), "column ") << played.output;
  }
}

constexpr const char* kWarnings = " -Wall -Wextra -pedantic -Werror -Wconversion -O2 ";

// A way to compile; where the compiler does not even do an empty file, it is not there.
struct Mode {
  const char *name, *command, *run;  // `run`: what runs its programs; null: nothing is run
};

void PrintTo(const Mode& mode, std::ostream* out) {
  *out << mode.command;
}

void expect_compiles_without_a_warning(const Mode& mode) {
  const Finished compiled =
      run_shell(mode.command + std::string(kWarnings) + "-c " RIVAL_SOURCE_DIR "/runtime/rival_runtime.c -o /dev/null");
  EXPECT_EQ(compiled.exit_code, 0) << compiled.output;
}

void expect_plays_as_here(const Mode& mode) {
  if (!mode.run) return;  // is compiled only
  const TemporaryFolder folder;
  const Bot bot = make_bot(Choices::spec(), {.hidden = {33, 17}, .memory = 17});
  Loaded here(bot);
  ASSERT_TRUE(save_bot(bot, folder.file("bot")).ok());
  const auto width = static_cast<std::size_t>(bot.network.observation_size());
  std::vector<float> rows(50 * width);
  Random random(Key(6));
  for (float& x : rows) x = random.below(3) ? random.uniform(-3, 3) : 0;
  ASSERT_TRUE(write_file_atomically(folder.file("rows"), std::string_view(reinterpret_cast<const char*>(rows.data()),
                                                                          rows.size() * sizeof(float)))
                  .ok());
  const std::string sources = RIVAL_SOURCE_DIR "/runtime/rival_runtime.c " RIVAL_SOURCE_DIR "/runtime/play_rows.c";
  const Finished built =
      run_shell(mode.command + std::string(kWarnings) + sources + " -o " + folder.file("play") + " -lm");
  ASSERT_EQ(built.exit_code, 0) << built.output;
  const Finished played = run_shell(mode.run + (" " + folder.file("play")) + " " + folder.file("bot") + " " +
                                    folder.file("rows") + " 2> " + folder.file("isa"));
  ASSERT_EQ(played.exit_code, 0) << played.output;
  std::istringstream there(played.output);
  const Actor actor(here.bot, nullptr);
  std::vector<float> p(static_cast<std::size_t>(rival_bot_mask_size(here.bot)));
  const std::vector<std::uint8_t> mask(p.size(), 1);
  for (std::size_t row = 0; row < 50; ++row) {
    ASSERT_EQ(rival_actor_observe(actor.actor, static_cast<int>(row), rows.data() + row * width), 1);
    ASSERT_EQ(rival_actor_probabilities(actor.actor, mask.data(), p.data()), 1);
    float other;
    for (const float mine : p) ASSERT_TRUE(there >> other && std::fabs(other - mine) <= kTolerance) << row;
    ASSERT_TRUE(there >> other && std::fabs(other - rival_actor_value(actor.actor)) <= kTolerance) << row;
  }
}

class RuntimeMode : public testing::TestWithParam<Mode> {};
TEST_P(RuntimeMode, CompilesWithoutAWarning) {
  expect_compiles_without_a_warning(GetParam());
}
TEST_P(RuntimeMode, PlaysAsHere) {
  expect_plays_as_here(GetParam());
}
INSTANTIATE_TEST_SUITE_P(, RuntimeMode,
                         testing::Values(Mode{"gcc_c99", "gcc -std=c99", nullptr}, Mode{"gcc_c11", "gcc -std=c11", ""},
                                         Mode{"gcc_cpp20", "g++ -x c++ -std=c++20", nullptr}),
                         [](const auto& mode) { return mode.param.name; });

// With compilers that only CI has (scripts/install-deps ci).
class OtherCompilersSlow : public testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    const TemporaryFolder folder;
    const std::string probe = "echo '#include <math.h>\nint main(void) { return 0; }' > " + folder.file("probe.c") +
                              " && " + GetParam().command + " " + folder.file("probe.c") + " -o " +
                              folder.file("probe") + (GetParam().run ? " -lm && " : " -c");
    const std::string runs = GetParam().run ? GetParam().run + (" " + folder.file("probe")) : "";
    if (run_shell(probe + runs).exit_code != 0) GTEST_SKIP() << GetParam().name << " is not installed";
  }
};
TEST_P(OtherCompilersSlow, CompilesWithoutAWarning) {
  expect_compiles_without_a_warning(GetParam());
}
TEST_P(OtherCompilersSlow, PlaysAsHere) {
  expect_plays_as_here(GetParam());
}
INSTANTIATE_TEST_SUITE_P(, OtherCompilersSlow,
                         testing::Values(Mode{"gcc_32_bits", "gcc -m32 -std=c99", ""},
                                         Mode{"clang_c99", "clang-14 -std=c99", nullptr},
                                         Mode{"clang_c11", "clang-14 -std=c11", nullptr},
                                         Mode{"clang_cpp20", "clang++-14 -x c++ -std=c++20", nullptr},
                                         Mode{"arm64", "aarch64-linux-gnu-gcc -std=c99 -static", "qemu-aarch64"}),
                         [](const auto& mode) { return mode.param.name; });

}  // namespace
}  // namespace rival
