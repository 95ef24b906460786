#include "train/samples.hpp"

#include <algorithm>

#include "base/index.hpp"
#include "game/rows.hpp"

namespace rival {

Demonstrations::Demonstrations(const Spec& spec, const Backend& backend, ObservationScale scale)
    : layout_(spec),
      scale_(std::move(scale)),
      stride_(backend.input_stride()),
      executor_(backend.make_executor(kRowsMultiple)) {}

void Demonstrations::add(int player, const float* observation, const std::uint8_t* mask, const std::int32_t* choices,
                         const float* values, float target) {
  Samples& s = samples_;
  s.inputs.resize(s.inputs.size() + stride_);
  executor_->encode(scale_, observation, 1, s.inputs.data() + s.inputs.size() - stride_);
  s.masks.insert(s.masks.end(), mask, mask + layout_.mask_size);
  s.choices.insert(s.choices.end(), choices, choices + layout_.choice_count());
  s.raw.resize(s.raw.size() + index(layout_.value_count));
  raw_values(layout_, values, 1, s.raw.data() + s.raw.size() - layout_.value_count);
  s.log_probability.push_back(0);
  s.value.push_back(0);
  s.advantage.push_back(1);
  s.target.push_back(target);
  s.initial.push_back(-1);
  s.player.push_back(player);
  if (index(player) >= last_.size()) last_.resize(index(player) + 1, -1);
  s.previous.push_back(last_[index(player)]);
  last_[index(player)] = s.count++;
}

void Demonstrations::clear() {
  samples_ = {};
  last_.clear();
}

Result<Samples> samples_of(std::span<const Replay> replays, int seat, const BatchFactory& factory,
                           const Backend& backend, const ObservationScale& scale) {
  std::unique_ptr<Demonstrations> all;
  int matches = 0;
  for (const Replay& replay : replays) {
    Result<ReplayPlayer> player = ReplayPlayer::open(replay, factory);
    if (!player) return player.error();
    const Batch& batch = player->batch();
    const Spec& spec = batch.spec();
    const RowLayout& layout = batch.layout();
    if (!all) all = std::make_unique<Demonstrations>(spec, backend, scale);
    Samples& samples = all->samples();
    std::vector<float> observations(spec.seats * layout.observation_size);
    std::vector<std::uint8_t> masks(spec.seats * layout.mask_size);
    const int first = samples.count;
    while (!player->done()) {
      SeatSet acting = batch.to_act(0);
      for (int s = 0; s < spec.seats; ++s) {
        if (seat >= 0 && s != seat) acting = acting.without(s);
        if (!acting.contains(s)) continue;
        batch.observe_seat(0, s, observations.data() + s * layout.observation_size,
                           masks.data() + s * layout.mask_size);
      }
      if (Result<void> stepped = player->step(); !stepped) return stepped.error();
      for (; !acting.empty(); acting = acting.without(acting.lowest())) {
        const int s = acting.lowest(), row = batch.rows_per_match() > 1 ? s : 0;
        all->add(matches * spec.seats + s, observations.data() + s * layout.observation_size,
                 masks.data() + s * layout.mask_size, player->actions().choices + row * layout.choice_count,
                 player->actions().values + row * layout.value_count, 0);
      }
    }
    const bool finished = batch.status(0) == Status::finished;
    for (int i = first; finished && i < samples.count; ++i)
      samples.target[i] = batch.result(0, spec.team_of(samples.player[i] % spec.seats));
    ++matches;
  }
  return all ? std::move(all->samples()) : Samples();
}

}  // namespace rival
