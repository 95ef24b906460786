// A small bot with a memory, for the tests of this folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serve/hosted.hpp"

namespace rival::serve {

inline Spec sample_spec() {
  return {.name = "sample",
          .seats = 2,
          .observation = {ObservationPart::vector("numbers", 5)},
          .action = {ActionPart::discrete("choice", 4), ActionPart::discrete("other", 2),
                     ActionPart::continuous("push", 1, -2, 2)}};
}

// `salt` makes another version.
inline Hosted sample_bot(std::uint64_t salt = 1, int reaction_steps = 0) {
  const Spec spec = sample_spec();
  Bot bot{.game = spec.name,
          .network = Network::make(spec, {.hidden = {16, 8}, .memory = 8}).value(),
          .parameters = {},
          .scale = {}};
  Random random{Key(salt)};
  bot.parameters.resize(bot.network.parameter_count());
  for (float& p : bot.parameters) p = random.uniform(-0.8f, 0.8f);
  bot.scale.mean.assign(5, 0.1f);
  bot.scale.scale.assign(5, 1.5f);
  Hosted hosted{.name = "sample",
                .version = std::to_string(salt),
                .bot = std::make_shared<const SharedBot>(std::move(bot)),
                .reaction_steps = reaction_steps};
  hosted.sizes = {
      .observation = 5, .mask = 6, .choices = 2, .values = 1, .parts = {4, 2}, .names = {"choice", "other"}};
  return hosted;
}

// Two bots, the second of which reacts two ticks late: warm and cold each, rated 1000 to 1300.
inline Substitutes sample_substitutes() {
  auto scale = std::make_shared<RatingScale>();
  Substitutes substitutes;
  for (int player = 0; player < 2; ++player) {
    const Hosted bot = sample_bot(static_cast<std::uint64_t>(player + 1), 2 * player);
    scale->players.push_back({bot.version, bot.bot, bot.reaction_steps});
    for (const float temperature : {2.0f, 0.0f}) {
      scale->levels.push_back({1000.0 + 100 * static_cast<double>(scale->levels.size()), player, temperature});
      auto level = std::make_shared<Hosted>(bot);
      level->temperature = temperature;
      substitutes.levels.push_back(std::move(level));
    }
  }
  substitutes.scale = std::move(scale);
  return substitutes;
}

// Rows of random numbers, of seats 0 and up, that allow all but choice 0.
struct SampleRows {
  std::vector<std::uint32_t> seats;
  std::vector<float> observations;
  std::vector<std::uint8_t> masks;

  SampleRows(int rows, std::uint64_t key) {
    Random random{Key(key)};
    for (int row = 0; row < rows; ++row) {
      seats.push_back(static_cast<std::uint32_t>(row));
      for (int i = 0; i < 5; ++i) observations.push_back(random.uniform(-3, 3));
      masks.insert(masks.end(), {0, 1, 1, 1, 1, 1});
    }
  }
  std::string frame(std::uint32_t session, std::uint32_t tick, std::uint32_t budget = 0) const {
    return tick_frame({session, tick, budget, static_cast<std::uint32_t>(seats.size())}, seats, observations, masks);
  }
};

}  // namespace rival::serve
