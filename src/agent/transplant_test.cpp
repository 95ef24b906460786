#include "agent/transplant.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "agent/parts.hpp"
#include "base/index.hpp"
#include "game/spec.hpp"

namespace rival {
namespace {

constexpr int kPlayers = 3, kTurns = 6, kRows = kPlayers * kTurns;

Bot random_bot(const Spec& spec, const NetworkOptions& options, Random& random) {
  Bot bot{.game = spec.name, .network = Network::make(spec, options).value(), .parameters = {}, .scale = {}};
  bot.parameters = bot.network.initial_parameters(Key(random.next()));
  for (float& p : bot.parameters) p += random.uniform(-0.1f, 0.1f);
  for (int i = 0; i < bot.network.observation_size(); ++i) {
    bot.scale.mean.push_back(0);
    bot.scale.scale.push_back(1);
  }
  for (int i : bot.network.normalised()) {
    bot.scale.mean[i] = random.uniform(-0.3f, 0.3f);
    bot.scale.scale[i] = random.uniform(0.5f, 2);
  }
  bot.value_mean = 0.25f, bot.value_scale = 3, bot.steps = 12345;
  return bot;
}

// The head columns and gradients of a bot over `kRows` rows: kTurns decisions of each of kPlayers.
struct Answer {
  std::vector<float> heads, gradients;
};

Answer run(const Bot& bot, const std::vector<float>& observations) {
  const auto backend = make_backend("reference", bot.network, Precision::f32).value().release();
  const std::unique_ptr<Backend> owner(backend);
  const auto weights = backend->make_weights();
  backend->pack(bot.parameters, *weights);
  const auto executor = backend->make_executor(kRows);
  std::vector<std::byte> inputs(kRows * backend->input_stride());
  executor->encode(bot.scale, observations.data(), kRows, inputs.data());
  std::vector<int> previous, initial(kRows, -1);
  for (int r = 0; r < kRows; ++r) previous.push_back(r < kPlayers ? -1 : r - kPlayers);
  const float state = 0;
  const float* heads = executor->forward(*weights, inputs.data(), kRows, {previous.data(), initial.data(), &state});
  Answer answer;
  answer.heads.assign(heads, heads + kRows * bot.network.head_size());
  Random random(Key(4));
  std::vector<float> slopes;
  for (std::size_t i = 0; i < answer.heads.size(); ++i) slopes.push_back(random.uniform(-1, 1));
  answer.gradients.assign(bot.network.parameter_count(), 0);
  executor->backward(*weights, slopes.data(), answer.gradients.data());
  return answer;
}

// What the game shows of one part: the cells by channel, row (entity) and column (feature).
using Cells = std::vector<std::vector<std::vector<float>>>;

// Whether a row of cells is within the old part; the entities beyond it are not there in situations the bot knows.
float draw(const ObservationPart& part, const ObservationPart* old, int y, int x, bool there, Random& random) {
  if (part.kind != ObservationPart::Kind::entities) return random.uniform(-2, 2);
  if (!there || (old && y >= old->count())) return 0;
  return x == 0 ? 1 : random.uniform(-2, 2);
}

struct Rows {
  std::vector<float> then, now;
};

// The same situations as the two Specs show them, matched by name. What is new in them is filled at random.
Rows situations(const Spec& then, const Spec& now, Random& random) {
  Rows rows;
  for (int r = 0; r < kRows; ++r) {
    std::vector<Cells> shown(now.observation.size());
    const auto named = [](const Spec& spec, const std::string& name) {
      return std::find_if(spec.observation.begin(), spec.observation.end(),
                          [&](const ObservationPart& part) { return part.name == name; });
    };
    for (std::size_t p = 0; p < shown.size(); ++p) {
      const ObservationPart& part = now.observation[p];
      const auto old = named(then, part.name);
      shown[p].assign(part.channels, std::vector(index(part.height), std::vector<float>(index(part.width))));
      for (auto& channel : shown[p])
        for (std::size_t y = 0; y < channel.size(); ++y) {
          const bool there = random.below(3) > 0;
          for (std::size_t x = 0; x < channel[y].size(); ++x)
            channel[y][x] = draw(part, old == then.observation.end() ? nullptr : &*old, static_cast<int>(y),
                                 static_cast<int>(x), there, random);
        }
      for (const auto& channel : shown[p])
        for (const auto& row : channel) rows.now.insert(rows.now.end(), row.begin(), row.end());
    }
    for (const ObservationPart& part : then.observation) {
      const Cells& cells = shown[index(named(now, part.name) - now.observation.begin())];
      for (int c = 0; c < part.channels; ++c)
        for (int y = 0; y < part.height; ++y)
          for (int x = 0; x < part.width; ++x) rows.then.push_back(cells[c][y][x]);
    }
  }
  return rows;
}

// The largest difference of what both say: relative to 1 or to its size.
double difference(const Spec& then, const Spec& now, const Answer& before, const Answer& after) {
  const RowLayout a(then), b(now);
  const int width = a.mask_size + a.value_count + 1, new_width = b.mask_size + b.value_count + 1;
  double worst = 0;
  for (int r = 0; r < kRows; ++r) {
    const float *x = before.heads.data() + r * width, *y = after.heads.data() + r * new_width;
    const auto compare = [&](int i, int k) {
      const double error = std::abs(static_cast<double>(x[i]) - static_cast<double>(y[k]));
      worst = std::max(worst, error / std::max(1.0, std::abs(static_cast<double>(x[i]))));
    };
    compare(width - 1, new_width - 1);
    for (std::size_t p = 0; p < then.action.size(); ++p)
      for (std::size_t q = 0; q < now.action.size(); ++q)
        for (int i = 0; i < then.action[p].size && then.action[p].name == now.action[q].name; ++i) {
          const bool choice = then.action[p].is_choice();
          compare(choice ? a.mask_offset[p] + i : a.mask_size + a.value_offset[p] + i,
                  choice ? b.mask_offset[q] + i : b.mask_size + b.value_offset[q] + i);
        }
  }
  return worst;
}

Spec random_spec(Random& random) {
  Spec spec{.name = "random"};
  spec.observation.push_back(ObservationPart::vector("self", 1 + random.below(5)));
  if (random.below(2)) spec.observation.push_back(ObservationPart::vector("team", 1 + random.below(4)));
  if (random.below(2)) spec.observation.push_back(ObservationPart::grid("map", 1 + random.below(3), 4, 3));
  spec.action.push_back(ActionPart::discrete("what", 2 + random.below(4)));
  for (const char* name : {"units", "items"}) {
    if (random.below(3) == 0) continue;
    const int count = 1 + random.below(5), part = static_cast<int>(spec.observation.size());
    spec.observation.push_back(ObservationPart::entities(name, count, 2 + random.below(4)));
    if (random.below(3)) spec.action.push_back(ActionPart::target("which_" + std::string(name), part, count));
  }
  if (random.below(2)) spec.action.push_back(ActionPart::continuous("push", 1 + random.below(3), -2, 1));
  if (random.below(2)) spec.action.push_back(ActionPart::discrete("where", 2 + random.below(4)));
  return spec;
}

NetworkOptions random_options(Random& random) {
  NetworkOptions options{.hidden = {8 + random.below(8), 8 + random.below(8)}, .entity = 5 + random.below(6)};
  if (random.below(2)) options.memory = options.hidden.back();
  options.grid = random.below(2) ? GridReading::flat : GridReading::convolution;
  return options;
}

// The game some months later.
Spec grown(const Spec& old, Random& random) {
  Spec spec = old;
  for (ObservationPart& part : spec.observation) {
    if (part.kind == ObservationPart::Kind::grid)
      part.channels += random.below(2);
    else
      part.width += random.below(3);
    if (part.kind == ObservationPart::Kind::entities) part.height += random.below(3);
  }
  for (ActionPart& part : spec.action)
    if (part.kind != ActionPart::Kind::target) part.size += random.below(3);
  if (random.below(2)) spec.observation.push_back(ObservationPart::vector("weather", 1 + random.below(3)));
  if (random.below(2)) spec.observation.push_back(ObservationPart::entities("towers", 1 + random.below(3), 3));
  if (random.below(2)) spec.action.push_back(ActionPart::discrete("emote", 3));
  const auto shuffle = [&](auto& parts) {
    for (std::size_t i = parts.size(); i > 1; --i) std::swap(parts[i - 1], parts[random.below(static_cast<int>(i))]);
  };
  std::vector<std::string> aims;
  for (const ActionPart& part : spec.action)
    aims.push_back(part.entities < 0 ? "" : spec.observation[part.entities].name);
  shuffle(spec.observation);
  for (std::size_t p = 0; p < aims.size(); ++p)
    for (std::size_t q = 0; q < spec.observation.size(); ++q)
      if (spec.observation[q].name == aims[p])
        spec.action[p].entities = static_cast<int>(q), spec.action[p].size = spec.observation[q].count();
  shuffle(spec.action);
  EXPECT_TRUE(validate(spec).ok());
  return spec;
}

NetworkOptions grown(const NetworkOptions& old, Random& random) {
  NetworkOptions options = old;
  for (int& width : options.hidden) width += random.below(2) * random.below(9);
  if (random.below(3) == 0) options.hidden.push_back(options.hidden.back() + random.below(4));
  options.memory = old.memory || random.below(2) ? options.hidden.back() : 0;
  options.entity += random.below(2) * random.below(7);
  return options;
}

TEST(Transplant, SaysTheSameInOldSituations) {
  constexpr int kPairs = 200;
  int larger = 0;
  for (int pair = 0; pair < kPairs; ++pair) {
    Random random(Key(99).split(static_cast<std::uint64_t>(pair)));
    const Spec then = random_spec(random), now = grown(then, random);
    const NetworkOptions options = random_options(random);
    const Bot old = random_bot(then, options, random);
    auto made = transplant(old.to_tensors(), "old", now, {}, grown(options, random), Key(random.next()));
    ASSERT_TRUE(made.ok()) << made.error().message;
    const Bot& bot = made->bot;
    EXPECT_TRUE(made->exact) << made->text();
    const Rows rows = situations(then, now, random);
    const Answer before = run(old, rows.then), after = run(bot, rows.now);
    EXPECT_LT(difference(then, now, before, after), 1e-6) << pair << "\n" << made->text();
    EXPECT_EQ(bot.value_mean, old.value_mean);
    EXPECT_EQ(bot.value_scale, old.value_scale);
    EXPECT_EQ(bot.steps, old.steps);
    EXPECT_LE(made->kept, old.parameters.size());
    larger += bot.parameters.size() > old.parameters.size();
    // It is a bot of the new Spec.
    EXPECT_TRUE(Bot::from_tensors(bot.to_tensors(), now, "new").ok());
  }
  EXPECT_GT(larger, kPairs * 9 / 10);
}

// The test above sees it when weights go to the wrong place: here by two parts that have changed names.
TEST(Transplant, AShuffledMapIsSeen) {
  Random random(Key(3));
  const Spec then{
      .name = "pair",
      .observation = {ObservationPart::vector("a", 3), ObservationPart::vector("b", 3)},
      .action = {ActionPart::discrete("what", 3), ActionPart::discrete("where", 3)},
  };
  const Bot old = random_bot(then, {.hidden = {16}}, random);
  const Rows rows = situations(then, then, random);
  const Answer before = run(old, rows.then);
  const auto distance = [&](const Spec& now) {
    const auto made = transplant(old.to_tensors(), "old", now, {}, {}, Key(1));
    return difference(then, then, before, run(made.value().bot, rows.now));
  };
  EXPECT_EQ(distance(then), 0);
  Spec swapped = then;
  std::swap(swapped.observation[0].name, swapped.observation[1].name);
  EXPECT_GT(distance(swapped), 0.1);
  swapped = then;
  std::swap(swapped.action[0].name, swapped.action[1].name);
  EXPECT_GT(distance(swapped), 0.1);
}

TEST(Transplant, WhatIsNewLearns) {
  Random random(Key(5));
  const Spec then{.name = "learns",
                  .observation = {ObservationPart::vector("self", 3), ObservationPart::entities("units", 3, 3)},
                  .action = {ActionPart::discrete("what", 3), ActionPart::target("which", 1, 3)}};
  Spec now = then;
  now.observation = {ObservationPart::vector("self", 4), ObservationPart::entities("units", 5, 4),
                     ObservationPart::vector("weather", 2)};
  now.action = {ActionPart::discrete("what", 4), ActionPart::target("which", 1, 5)};
  const Bot old = random_bot(then, {.hidden = {8, 8}, .entity = 6}, random);
  const auto made =
      transplant(old.to_tensors(), "old", now, {}, {.hidden = {10, 12}, .memory = 12, .entity = 8}, Key(1));
  ASSERT_TRUE(made.ok());
  const Bot& bot = made.value().bot;
  const Answer after = run(bot, situations(then, now, random).now);
  // Some gradient in every row or column that has been added beside what was there.
  const auto moves = [&](const std::string& name, int row, int column) {
    const Operation& op = bot.network.operation(name);
    const std::size_t i = op.weight + index(row * op.columns + column);
    EXPECT_EQ(bot.parameters[i], 0);
    return after.gradients[i] != 0;
  };
  const auto any_in_row = [&](const std::string& name, int row, int old_columns) {
    bool any = false;
    for (int c = 0; c < old_columns; ++c) any |= moves(name, row, c);
    return any;
  };
  EXPECT_TRUE(any_in_row("trunk.0", 3, 8)) << "the longer vector";
  EXPECT_TRUE(any_in_row("trunk.0", 4, 8) || any_in_row("trunk.0", 5, 8)) << "the new part";
  EXPECT_TRUE(any_in_row("encoder.units", 3, 6)) << "the entities' new feature";
  bool units = false, pooled = false, queries = false, choices = false, memory = false;
  for (int r = 8; r < 10; ++r) units |= any_in_row("trunk.1", r, 8);
  for (int r = 8; r < 12; ++r) units |= any_in_row("head", r, 3);
  for (int r = 12; r < 14; ++r) pooled |= any_in_row("trunk.0", r, 8);
  for (int r = 0; r < 8; ++r) {
    for (int c = 6; c < 8; ++c) queries |= moves("target.which", r, c);
    choices |= moves("head", r, 3);
    for (int c = 12; c < 20; ++c) memory |= moves("memory", r, c);
  }
  EXPECT_TRUE(units);
  EXPECT_TRUE(pooled);
  EXPECT_TRUE(queries);
  EXPECT_TRUE(choices);
  EXPECT_TRUE(memory);
}

TEST(Transplant, ContinuousValuesMeanTheSameInAnotherRange) {
  Random random(Key(8));
  Spec then{.name = "push",
            .observation = {ObservationPart::vector("self", 3)},
            .action = {ActionPart::continuous("push", 1, -2, 1)}};
  Spec now = then;
  now.action = {ActionPart::continuous("push", 2, -5, 3)};
  const Bot old = random_bot(then, {.hidden = {8}}, random);
  const auto made = transplant(old.to_tensors(), "old", now, {}, {}, Key(1));
  const Rows rows = situations(then, now, random);
  const Answer before = run(old, rows.then), after = run(made.value().bot, rows.now);
  for (std::size_t r = 0; r < kRows; ++r)
    EXPECT_NEAR(-0.5f + 1.5f * before.heads[2 * r], -1 + 4 * after.heads[3 * r], 1e-5) << r;
  const auto deviation = [](const Bot& bot, float half) {
    return half * std::exp(bot.parameters[bot.network.log_std()]);
  };
  EXPECT_NEAR(deviation(old, 1.5f), deviation(made.value().bot, 4), 1e-5);
}

TEST(Transplant, TellsWhatWasKeptDroppedAndNew) {
  Random random(Key(6));
  const Spec then{.name = "tell",
                  .observation = {ObservationPart::vector("self", 4), ObservationPart::vector("smell", 2),
                                  ObservationPart::entities("units", 3, 5)},
                  .action = {ActionPart::discrete("what", 3), ActionPart::discrete("pose", 2)}};
  Spec now = then;
  now.observation = {ObservationPart::vector("self", 5), ObservationPart::entities("units", 4, 5),
                     ObservationPart::vector("sound", 2)};
  now.action = {ActionPart::discrete("what", 5), ActionPart::target("whom", 1, 4)};
  const Bot old = random_bot(then, {.hidden = {8}}, random);
  const auto made = transplant(old.to_tensors(), "old", now, {}, {.hidden = {12}, .memory = 12}, Key(1));
  ASSERT_TRUE(made.ok());
  EXPECT_FALSE(made.value().exact);
  const std::string text = made.value().text();
  EXPECT_EQ(text.substr(0, text.find(" of the network's")),
            "observation 'self': kept, 1 value more\n"
            "observation 'units': kept, 1 place more\n"
            "observation 'sound': new\n"
            "observation 'smell': dropped: the network no longer sees it\n"
            "action 'what': kept, 2 choices more\n"
            "action 'whom': new\n"
            "action 'pose': dropped\n"
            "network: hidden layers of 8 grow to 12\n"
            "network: a memory of 12 is new\n" +
                std::to_string(made.value().kept));
}

TEST(Transplant, RefusesWhatItCannotDo) {
  Random random(Key(7));
  const Spec then{
      .name = "old", .observation = {ObservationPart::vector("self", 4)}, .action = {ActionPart::discrete("what", 3)}};
  const TensorFile file = random_bot(then, {.hidden = {8, 8}}, random).to_tensors();
  const auto message = [&](const TensorFile& from, const Spec& spec, const NetworkOptions& options) {
    const auto made = transplant(from, "old.safetensors", spec, {}, options, Key(1));
    return made.ok() ? std::string("made") : made.error().message;
  };
  EXPECT_EQ(message(file, then, {}), "made");
  EXPECT_EQ(message(file, then, {.hidden = {8, 4}}),
            "old.safetensors: its hidden layers of 8, 8 cannot shrink to 8, 4; ask for as many and as wide ones, or "
            "train anew");
  EXPECT_NE(message(file, then, {.hidden = {8}}), "made");
  Spec other = then;
  other.observation[0].name = "elsewhere";
  EXPECT_EQ(message(file, other, {}),
            "old.safetensors: made for a version of the game 'old' that has no observation part in common with it");
  other = then;  // all would fit
  other.name = "other";
  EXPECT_EQ(message(file, other, {}), "old.safetensors: a bot of the game 'old', not of 'other'");
  // A file of before bots told their parts: usable where it fits as it is.
  TensorFile untold = file;
  untold.metadata.erase("parts");
  EXPECT_EQ(message(untold, then, {.hidden = {16, 16}}), "made");
  Spec longer = then;
  longer.observation[0].width = 5;
  EXPECT_NE(message(untold, longer, {}).find("before bots told"), std::string::npos);
  // The parts: observations, actions.
  const std::pair<const char*, const char*> damages[] = {
      {"", ""},
      {R"({"name":"v","kind":"vector","size":99999999})", R"({"name":"a","kind":"discrete","size":4})"},
      {R"({"name":"v","kind":"vector","size":-1})", R"({"name":"a","kind":"discrete","size":4})"},
      {R"({"name":"v","kind":"grid","channels":9999999,"height":9999999,"width":9999999})", ""},
      {R"({"name":"v","kind":"vector","size":4})", R"({"name":"a","kind":"target","size":4,"entities":0})"},
      {R"({"name":"v","kind":"vector","size":4.5})", R"({"name":"a","kind":"discrete","size":4})"},
      {R"({"name":"v","kind":"vector","size":1e300})", R"({"name":"a","kind":"discrete","size":4})"},
      {R"({"name":"\u001b[2J","kind":"vector","size":4})", R"({"name":"a","kind":"discrete","size":4})"},
      {R"({"name":"v","kind":"vector","size":4})",
       R"({"name":"a","kind":"continuous","size":1,"low":-1,"high":1e300})"},
      {R"({"name":"v","kind":"grid","channels":16777216,"height":16777216,"width":16777216})", ""}};
  std::vector<std::string> texts{"", "[]", "{}"};
  for (const auto& [observation, action] : damages)
    texts.push_back(std::string(R"({"observation":[)") + observation + R"(],"action":[)" + action + "]}");
  for (const std::string& bad : texts) {
    TensorFile damaged = file;
    damaged.metadata["parts"] = bad;
    EXPECT_NE(message(damaged, then, {}).find("old.safetensors: the metadata 'parts'"), std::string::npos) << bad;
  }
}

TEST(Bot, WithALargeAndASmallGridComesBack) {
  Random random(Key(10));
  const Spec spec{.name = "grids",
                  .observation = {ObservationPart::grid("large", 2, 30, 30), ObservationPart::grid("small", 2, 3, 3)},
                  .action = {ActionPart::discrete("what", 3)}};
  const Bot bot = random_bot(spec, {.hidden = {8}}, random);
  EXPECT_EQ(bot.network.operation("encoder.large.0").kind, OperationKind::convolution);
  EXPECT_EQ(bot.network.operation("trunk.0").rows, 8 * 8 * 32 + 2 * 3 * 3);
  const auto again = Bot::from_tensors(bot.to_tensors(), spec, "grids.safetensors");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again.value().parameters, bot.parameters);
}

TEST(Bot, OfAnotherVersionOfTheGameIsRefused) {
  Random random(Key(9));
  const Spec then{.name = "versions",
                  .observation = {ObservationPart::vector("a", 2), ObservationPart::vector("b", 2)},
                  .action = {ActionPart::discrete("what", 3)}};
  const TensorFile file = random_bot(then, {.hidden = {8}}, random).to_tensors();
  ASSERT_TRUE(Bot::from_tensors(file, then, "v.safetensors").ok());
  Spec now = then;  // all tensors fit, but mean something else
  std::swap(now.observation[0], now.observation[1]);
  const auto bot = Bot::from_tensors(file, now, "v.safetensors");
  ASSERT_FALSE(bot.ok());
  EXPECT_EQ(
      bot.error().message,
      "v.safetensors: made for another version of the game 'versions': observation part 0 was 'a', is 'b'; `rival "
      "train versions --from v.safetensors` grows it into one of this version");
}

}  // namespace
}  // namespace rival
