#include "player/rating_scale.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace rival {
namespace {

constexpr int kSize = 6, kChoices = 4;

Spec spec() {
  return {.name = "sample",
          .seats = 2,
          .observation = {ObservationPart::vector("numbers", kSize)},
          .action = {ActionPart::discrete("choice", kChoices), ActionPart::discrete("other", 3)}};
}

std::shared_ptr<const SharedBot> bot(std::uint64_t salt, int memory) {
  Bot bot{.game = "sample",
          .network = Network::make(spec(), {.hidden = {16, 8}, .memory = memory}).value(),
          .parameters = {},
          .scale = {}};
  Random random{Key(salt)};
  bot.parameters.resize(bot.network.parameter_count());
  for (float& p : bot.parameters) p = random.uniform(-1, 1);
  bot.scale.mean.assign(kSize, 0);
  bot.scale.scale.assign(kSize, 1);
  return std::make_shared<const SharedBot>(std::move(bot));
}

// Two bots, the second of which is taken to be stronger, each from warm to cold.
std::shared_ptr<RatingScale> sample_scale(int memory = 0, int reaction_steps = 0) {
  auto scale = std::make_shared<RatingScale>();
  scale->players = {{"first", bot(1, memory), 0}, {"second", bot(2, memory), reaction_steps}};
  for (int level = 0; level < 20; ++level) {
    const int of = level / 10;
    scale->levels.push_back({1000.0 + 25 * level, of, 3.0f / static_cast<float>(1 + level % 10)});
  }
  return scale;
}

// Random rows, and one player's decisions at them.
struct Decisions {
  std::vector<int> rows, slots;
  std::vector<float> observations;
  std::vector<std::uint8_t> masks;
  std::vector<std::int32_t> choices;

  Decisions(int count, Key key) : rows(count), slots(count), choices(2 * count) {
    Random random{key};
    std::iota(rows.begin(), rows.end(), 0);
    std::iota(slots.begin(), slots.end(), 0);
    for (int i = 0; i < count * kSize; ++i) observations.push_back(random.uniform(-2, 2));
    for (int i = 0; i < count; ++i) masks.insert(masks.end(), {0, 1, 1, 1, 1, 1, 1});
  }
  InferenceRows in() const { return {rows, observations.data(), masks.data(), slots.data()}; }
};

// How often the interval holds the truth, over players of all levels, and how far off the ratings are.
struct Trial {
  double covered = 0, error = 0, width = 0;
};
Trial observe_all(int decisions, bool shuffled) {
  const auto scale = sample_scale();
  const int levels = static_cast<int>(scale->levels.size()), copies = 10, players = levels * copies;
  RatingObserver observer(scale, players);
  Trial trial;
  for (int step = 0; step < decisions; ++step) {
    Decisions made(players, Key(7).split(step));
    std::vector<int> at(players);
    for (int p = 0; p < players; ++p) at[index(p)] = p % levels;
    std::vector<float> values;
    RatingObserver players_themselves(scale, players);
    players_themselves.act(made.in(), at, Key(8).split(step), made.choices.data(), values.data());
    if (shuffled) std::rotate(made.choices.begin(), made.choices.begin() + 2 * (levels / 2 + 3), made.choices.end());
    observer.observe(made.in(), made.choices.data());
  }
  for (int p = 0; p < players; ++p) {
    const double truth = scale->levels[index(p % levels)].rating;
    const RatingBelief belief = observer.belief(p);
    EXPECT_EQ(belief.decisions, decisions);
    trial.covered += (belief.interval.low <= truth && truth <= belief.interval.high) / static_cast<double>(players);
    trial.error += std::abs(belief.rating - truth) / players;
    trial.width += 2 * belief.interval.half_width() / players;
  }
  return trial;
}

TEST(RatingObserver, IntervalsHoldTheRatingAndNarrow) {
  const Trial few = observe_all(5, false), many = observe_all(100, false);
  EXPECT_GT(few.covered, 0.9);
  EXPECT_GT(many.covered, 0.9);
  EXPECT_LT(many.error, few.error / 2);
  EXPECT_LT(many.width, few.width / 2);
}

TEST(RatingObserver, DecisionsOfSomebodyElseTellAnotherRating) {
  EXPECT_LT(observe_all(100, true).covered, 0.3);
}

TEST(RatingObserver, KnowsNothingBeforehandButWhatARecordSays) {
  const auto scale = sample_scale();
  RatingObserver observer(scale, 1);
  const double low = scale->levels.front().rating, high = scale->levels.back().rating;
  const RatingBelief nothing = observer.belief(0);
  EXPECT_LE(nothing.interval.low, low + 25);
  EXPECT_GE(nothing.interval.high, high - 25);
  const RatingBelief record = observer.belief(0, RatingEstimate{1200, 30});
  EXPECT_NEAR(record.rating, 1200, 5);
  EXPECT_NEAR(record.interval.half_width(), 59, 20);
  EXPECT_EQ(observer.belief(0, RatingEstimate{1200, 0}).interval.low, 1200);
}

TEST(RatingObserver, ForgetsWhenAsked) {
  RatingObserver observer(sample_scale(), 2);
  Decisions made(2, Key(1));
  made.choices.assign(4, 1);
  observer.observe(made.in(), made.choices.data());
  const double seen = observer.belief(1).rating;
  EXPECT_NE(seen, observer.belief(1, RatingEstimate{1300, 10}).rating);
  observer.begin_match(1);
  EXPECT_EQ(observer.belief(1).rating, seen) << "how it plays stays known";
  observer.forget(0);
  EXPECT_EQ(observer.belief(0).decisions, 0);
  EXPECT_EQ(observer.belief(1).decisions, 1);
  observer.observe(made.in(), made.choices.data(), false);
  EXPECT_EQ(observer.belief(1).rating, seen) << "what does not tell";
}

// A bot that steps in decides as it would have had it been there from the start: its memory, and what it saw late.
TEST(RatingObserver, PlaysOnAsIfItHadBeenThere) {
  const auto scale = sample_scale(8, 2);
  RatingObserver observer(scale, 3);
  Inference alone(scale->players[1].bot, 3);
  DelayLine late(3, kSize, 2);
  std::vector<float> values, seen;
  for (int step = 0; step < 6; ++step) {
    Decisions made(3, Key(3).split(step));
    std::vector<std::int32_t> expected(6);
    seen.clear();
    for (int slot = 0; slot < 3; ++slot) {
      const float* row = late.shown(slot, step, made.observations.data() + slot * kSize);
      seen.insert(seen.end(), row, row + kSize);
    }
    alone.act({made.rows, seen.data(), made.masks.data(), made.slots.data()}, Key(step), 3.0f / 5, expected.data(),
              values.data());
    if (step < 4) {  // somebody else decides
      made.choices.assign(6, 1);
      observer.observe(made.in(), made.choices.data());
      continue;
    }
    const std::vector<int> levels(3, 14);
    observer.act(made.in(), levels, Key(step), made.choices.data(), values.data());
    EXPECT_EQ(made.choices, expected);
    for (int slot = 0; slot < 3; ++slot)
      EXPECT_TRUE(std::ranges::equal(observer.memory(slot, 1), std::as_const(alone).memory(slot)));
  }
}

}  // namespace
}  // namespace rival
