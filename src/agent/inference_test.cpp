#include "agent/inference.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "agent/player.hpp"
#include "base/temporary_folder.hpp"

namespace rival {
namespace {

// Two seats at once see numbers that their choices stir; one part and the value count only with some choices.
struct Stir {
  Key key;
  int steps = 0;
  static Spec spec() {
    return {.name = "stir",
            .seats = 2,
            .observation = {ObservationPart::vector("numbers", 5), ObservationPart::entities("units", 3, 2)},
            .action = {ActionPart::discrete("choice", 4), ActionPart::target("unit", 1, 3).when(0, {1, 2}),
                       ActionPart::continuous("push", 1, -2, 2).when(0, {3})},
            .simultaneous = true,
            .max_steps = 12};
  }
  void reset(const Settings&, Key k) { *this = {k}; }
  SeatSet to_act() const { return SeatSet::first(2); }
  void observe(int seat, Observation out) const {
    Random random(key.split(static_cast<std::uint64_t>(2 * steps + seat)));
    for (int i = 0; i < 5; ++i) out[i] = random.uniform(-3, 3);
    for (int unit = 0; unit < 3; ++unit) {
      if (random.below(2)) continue;
      out.part(1)[2 * unit] = 1;
      out.part(1)[2 * unit + 1] = random.uniform(-1, 1);
    }
  }
  void legal(int seat, Mask mask) const {
    for (int c = 0; c < 4; ++c)
      if (c != (steps + seat) % 4) mask.allow(0, c);
    for (int c = 0; c < 3; ++c) mask.allow(1, c);
  }
  void step(const Actions& actions, Key, Rewards) {
    key = key.split(static_cast<std::uint64_t>(actions.choice(0) + 4 * actions.choice(1, 1)));
    ++steps;
  }
  Status status() const { return steps == 12 ? Status::finished : Status::running; }
};

Bot make_bot(int memory) {
  const Spec spec = Stir::spec();
  Bot bot{.game = spec.name,
          .network = Network::make(spec, {.hidden = {24, 16}, .memory = memory}).value(),
          .parameters = {},
          .scale = {}};
  Random random(Key(3));
  bot.parameters.resize(bot.network.parameter_count());
  for (float& p : bot.parameters) p = random.uniform(-0.4f, 0.4f);
  bot.scale.mean.assign(bot.network.observation_size(), 0.1f);
  bot.scale.scale.assign(bot.network.observation_size(), 1.5f);
  return bot;
}

// The bot as its file tells it, with no game at hand, plays for a thousand players as it does in matches.
TEST(Inference, AThousandSlotsFromPlainArraysAreAsMatches) {
  for (int memory : {0, 16}) {
    const TemporaryFolder folder;
    ASSERT_TRUE(save_bot(make_bot(memory), folder.file("bot")).ok());
    const TensorFile file = load_safetensors(folder.file("bot")).value();
    const Spec told = bot_spec(file, "bot").value();
    const auto shared = std::make_shared<const SharedBot>(Bot::from_tensors(file, told, "bot").value());
    constexpr int kMatches = 500, kSlots = 2 * kMatches;
    Inference inference(shared, kSlots);
    BotAgent agent(load_bot(folder.file("bot"), Stir::spec()).value(), Stir::spec(), 1);
    BatchOf<Stir> batch(kMatches);
    BatchRows rows(batch);
    std::vector<int> places(kSlots);
    std::iota(places.begin(), places.end(), 0);
    std::vector<std::int32_t> choices(rows.choices.size());
    std::vector<float> values(rows.values.size()), expected(kSlots), found(kSlots);
    for (int round = 0; round < 2; ++round) {
      batch.start_all({}, Key(7).split(static_cast<std::uint64_t>(round)));
      for (int match = 0; match < kMatches; ++match) agent.match_started(match);
      inference.forget(0, kSlots);
      for (std::uint64_t step = 0; step < 12; ++step) {
        ASSERT_TRUE(rows.observe().ok());
        agent.estimate(rows.decisions(), expected.data());
        agent.act(rows.decisions(), Key(8).split(step), rows.choices.data(), rows.values.data());
        const InferenceRows in{places, rows.observations.data(), rows.masks.data(), places.data()};
        inference.values(in, found.data());
        inference.act(in, Key(8).split(step), 1, choices.data(), values.data());
        EXPECT_EQ(found, expected);
        ASSERT_EQ(choices, rows.choices) << "step " << step << ", memory " << memory;
        ASSERT_EQ(values, rows.values);
        ASSERT_TRUE(rows.take(rows.acting(), "the bot").ok());
        ASSERT_TRUE(rows.step().ok());
      }
    }
  }
}

TEST(Inference, SlotsRememberAndForget) {
  const auto shared = std::make_shared<const SharedBot>(make_bot(16));
  Inference inference(shared, 3);
  const std::vector<float> observations(std::size_t{3} * 11, 0.5f);
  const std::vector<std::uint8_t> masks(std::size_t{3} * 7, 1);
  const std::vector<int> all = {0, 1, 2}, last = {2};
  std::vector<std::int32_t> choices(6);
  std::vector<float> pushes(3), fresh(3), later(3);
  const InferenceRows rows{all, observations.data(), masks.data(), all.data()};
  inference.values(rows, fresh.data());
  inference.values(rows, later.data());
  EXPECT_EQ(later, fresh) << "to look is not to play";
  inference.act({last, observations.data(), masks.data(), last.data()}, Key(1), 0, choices.data(), pushes.data());
  inference.values(rows, later.data());
  EXPECT_EQ(later[0], fresh[0]);
  EXPECT_NE(later[2], fresh[2]);
  inference.forget(2);
  inference.values(rows, later.data());
  EXPECT_EQ(later, fresh);
}

TEST(SharedBot, PacksItsWeightsOnce) {
  const SharedBot shared(make_bot(0));
  const SharedBot::Packed* packed = &shared.packed(Precision::f32);
  EXPECT_EQ(&shared.packed(Precision::f32), packed);
  EXPECT_NE(packed->weights.get(), nullptr);
}

}  // namespace
}  // namespace rival
