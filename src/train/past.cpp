#include "train/past.hpp"

#include <algorithm>
#include <bit>
#include <span>
#include <unordered_map>
#include <vector>

#include "agent/scripted.hpp"
#include "base/hash.hpp"
#include "base/index.hpp"
#include "game/rows.hpp"

namespace rival {
namespace {

constexpr int kMatches = 16, kDecisions = 4096;

template <typename T>
std::uint64_t hash(const T* values, int count) {
  return fnv1a(std::as_bytes(std::span(values, index(count))));
}

}  // namespace

bool shows_its_past(const GameEntry& game, const MatchSettings& settings) {
  const std::unique_ptr<Batch> batch = game.make_batch(kMatches);
  const RowLayout& layout = batch->layout();
  const int seats = game.spec.seats;
  BatchRows rows(*batch);
  const std::unique_ptr<Agent> random = random_agent();
  std::vector<std::uint64_t> pasts(kMatches * seats);
  std::unordered_map<std::uint64_t, std::uint64_t> past_of;  // what a seat saw -> how it had come there
  std::uint64_t started = 0;
  const auto start = [&](const std::vector<int>& matches) {
    std::vector<Key> keys;
    for (int m : matches) {
      std::fill_n(pasts.begin() + static_cast<std::ptrdiff_t>(m) * seats, seats, 0);
      keys.push_back(Key(0).split(++started));
    }
    start_matches(*batch, matches, settings, keys);
  };
  std::vector<int> over(kMatches);
  for (int m = 0; m < kMatches; ++m) over[m] = m;
  bool again = false;
  int decisions = 0;
  for (std::uint64_t step = 0; decisions < kDecisions && step < kDecisions; ++step) {
    if (!over.empty()) start(over);
    if (!rows.observe()) return true;
    random->act(rows.decisions(), Key(1).split(step), rows.choices.data(), rows.values.data());
    for (int row : rows.acting()) {
      const int seat = rows.seats[row];
      const std::uint64_t seen =
          hash(rows.observation(row), layout.observation_size) ^ Key(2).split(static_cast<std::uint64_t>(seat)).bits();
      std::uint64_t& past = pasts[rows.match_of(row) * seats + seat];
      const auto [before, is_new] = past_of.try_emplace(seen, past);
      if (!is_new && before->second != past) return false;
      again |= !is_new;
      const std::uint64_t did[] = {past, seen, hash(rows.choice_row(row), layout.choice_count),
                                   hash(rows.value_row(row), layout.value_count)};
      past = hash(did, std::size(did));
      ++decisions;
    }
    if (!rows.step()) return true;
    over.clear();
    for (int m = 0; m < kMatches; ++m)
      if (rows.status[m] != Status::running) over.push_back(m);
  }
  return again;
}

TrainConfig with_memory_if_needed(const GameEntry& game, TrainConfig config) {
  const Spec& spec = game.spec;
  if (config.network.memory >= 0 || !spec.hidden_information || preset_of(spec) == Preset::real_time) return config;
  auto resolved = resolve(config, spec);
  if (!resolved || shows_its_past(game, resolved->settings)) return config;
  constexpr int kWidth = 128, kDecisionsAtOnce = 16384, kLeast = 32, kMost = 128;
  if (config.network.hidden.empty()) config.network.hidden = {kWidth, kWidth};
  config.network.memory = config.network.hidden.back();
  if (config.horizon == 0 && preset_of(spec) == Preset::one_team) {
    config.horizon =
        std::clamp(static_cast<int>(std::bit_ceil(static_cast<unsigned>(std::max(1, spec.max_steps)))), kLeast, kMost);
    if (config.rows == 0) config.rows = kDecisionsAtOnce / config.horizon;
  }
  return config;
}

}  // namespace rival
