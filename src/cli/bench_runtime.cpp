// rival bench runtime BOT: the bot inside a game (runtime/rival_runtime.c), one decision at a time on one core.

#include "cli/bench_runtime.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "agent/player.hpp"
#include "base/check.hpp"
#include "base/file.hpp"
#include "cli/player.hpp"
#include "runtime/object_size.hpp"
#include "runtime/rival_runtime.h"

namespace rival::cli {
namespace {

using Clock = std::chrono::steady_clock;

// What the bot saw in matches in which it played all seats.
struct Shown {
  int count = 0;
  std::vector<float> observations;
  std::vector<std::uint8_t> masks;
};

Result<Shown> watch_matches(const GameEntry& game, const std::shared_ptr<const SharedBot>& bot, int wanted) {
  constexpr int kMatches = 16;
  const std::unique_ptr<Batch> batch = game.make_batch(kMatches);
  const Settings settings = default_settings(game.spec);
  batch->start_all(settings, Key(1));
  BatchRows rows(*batch);
  BotAgent agent(bot, game.spec, 1);
  RulesSight sight(game.spec, bot->bot().rules);
  const auto width = bot->bot().network.observation_size();
  Shown shown;
  for (std::uint64_t step = 0; shown.count < wanted; ++step) {
    if (Result<void> seen = rows.observe(); !seen) return seen.error();
    const float* seen_rows = sight.rows(*batch, rows.acting(), rows.observations.data());
    for (int row : rows.acting()) {
      const float* observation = seen_rows + static_cast<std::ptrdiff_t>(row) * width;
      shown.observations.insert(shown.observations.end(), observation, observation + width);
      shown.masks.insert(shown.masks.end(), rows.mask(row), rows.mask(row) + batch->layout().mask_size);
      ++shown.count;
    }
    agent.act(rows.decisions(), Key(2).split(step), rows.choices.data(), rows.values.data());
    if (Result<void> stepped = rows.step(); !stepped) return stepped.error();
    for (int match = 0; match < kMatches; ++match) {
      if (rows.status[match] == Status::running) continue;
      const Key key = Key(3).split(step).split(static_cast<std::uint64_t>(match));
      batch->start({&match, 1}, settings, {&key, 1});
      agent.match_started(match);
    }
  }
  return shown;
}

}  // namespace

Result<RuntimeFigures> measure_runtime(const GameEntry& game, const std::string& name, Bot trained, double seconds) {
  const std::string file = to_safetensors(trained.to_tensors());
  std::vector<unsigned char> memory(rival_bot_memory(file.size()));
  char error[RIVAL_ERROR_SIZE] = "";
  const rival_bot* bot = rival_bot_load(file.data(), file.size(), memory.data(), memory.size(), error);
  if (!bot) return Error{name + ": " + error};
  const rival_options options{1, 0, 1};
  std::vector<unsigned char> actor_memory(rival_actor_memory(bot, &options));
  rival_actor* actor = rival_actor_make(bot, &options, actor_memory.data(), actor_memory.size());
  if (!actor) return Error{name + ": no actor can be made of it"};

  const auto shared = std::make_shared<const SharedBot>(std::move(trained));
  const Result<Shown> shown = watch_matches(game, shared, 2000);
  if (!shown) return shown.error();
  const std::size_t width = rival_bot_observation_size(bot);
  const std::size_t masks = rival_bot_mask_size(bot);
  const std::size_t count = shown.value().count;
  check(shown.value().observations.size() == count * width, "rows of the size that the runtime reads");
  const auto observation = [&](std::size_t row) { return shown.value().observations.data() + row * width; };
  const auto mask = [&](std::size_t row) { return shown.value().masks.data() + row * masks; };

  // Each row as the first of a match.
  std::vector<int> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = static_cast<int>(i);
  Inference inference(shared, shown.value().count);
  std::vector<float> expected(count * masks + 1), p(masks + 1);
  inference.probabilities({rows, observation(0), mask(0), rows.data()}, 1, expected.data());
  float difference = 0;
  for (std::size_t i = 0; i < count; ++i) {
    rival_actor_begin(actor);
    rival_actor_observe(actor, 0, observation(i));
    rival_actor_probabilities(actor, mask(i), p.data());
    for (std::size_t c = 0; c < masks; ++c)
      difference = std::max(difference, std::fabs(p[c] - expected[i * masks + c]));
  }

  std::vector<std::int32_t> choices(rival_bot_choice_count(bot) + 1);
  std::vector<float> values(rival_bot_value_count(bot) + 1);
  // The quickest pass over the rows: whatever else the machine does only makes them slower.
  double quickest = HUGE_VAL;
  std::uint64_t key = 1;
  const auto since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  const auto first = Clock::now();
  do {
    const auto begin = Clock::now();
    rival_actor_begin(actor);
    for (std::size_t i = 0; i < count; ++i) {
      rival_actor_observe(actor, static_cast<int>(i), observation(i));
      rival_actor_act(actor, mask(i), ++key, choices.data(), values.data());
    }
    quickest = std::min(quickest, since(begin));
  } while (since(first) < seconds);
  return RuntimeFigures{1e6 * quickest / static_cast<double>(count), memory.size() + actor_memory.size(), difference,
                        rival_bot_isa(bot)};
}

Result<Outcome> bench_runtime(const std::string& name, double seconds, const Games& games, Console& console) {
  const Result<BotName> found = find_bot(name);
  if (!found) return found.error();
  const std::string& path = found.value().path;
  const Result<GameEntry> game = game_of(games, path, "");
  if (!game) return game.error();
  Result<Bot> trained = load_bot(path, game.value().spec);
  if (!trained) return trained.error();
  Result<RuntimeFigures> measured = measure_runtime(game.value(), path, std::move(*trained), seconds);
  if (!measured) return measured.error();

  Json json{{"game", game.value().spec.name},
            {"decision_microseconds", measured->microseconds},
            {"memory_bytes", measured->memory_bytes},
            {"max_difference", measured->max_difference},
            {"isa", measured->isa}};
  if (kRuntimeObjectBytes > 0) json["object_bytes"] = kRuntimeObjectBytes;
  console.print("{} inside a game, {} ({}), one core\n", path, game.value().spec.name, measured->isa);
  const auto figure = [&console](const char* label, const std::string& value) {
    console.print("  {:<52} {}\n", label, console.bold(value));
  };
  figure("microseconds for one decision", fmt::format("{:.2f}", measured->microseconds));
  figure("bytes of memory, the bot and one actor", grouped(static_cast<long long>(measured->memory_bytes)));
  if (kRuntimeObjectBytes > 0) figure("bytes of code and constants", grouped(kRuntimeObjectBytes));
  figure("largest difference of a probability from the trainer's", fmt::format("{:.1e}", measured->max_difference));
  return Outcome{json};
}

}  // namespace rival::cli
