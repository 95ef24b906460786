#include "train/samples.hpp"

#include <algorithm>

#include "game/rows.hpp"
#include "nn/heads.hpp"

namespace rival {

Result<Samples> samples_of(std::span<const Replay> replays, int seat, const BatchFactory& factory,
                           const Backend& backend, const ObservationScale& scale) {
  const std::size_t stride = backend.input_stride();
  const std::unique_ptr<Executor> executor = backend.make_executor(kRowsMultiple);
  Samples samples;
  int matches = 0;
  for (const Replay& replay : replays) {
    Result<ReplayPlayer> player = ReplayPlayer::open(replay, factory);
    if (!player) return player.error();
    const Batch& batch = player->batch();
    const Spec& spec = batch.spec();
    const RowLayout& layout = batch.layout();
    const HeadLayout heads(spec);
    std::vector<float> observations(spec.seats * layout.observation_size);
    std::vector<std::uint8_t> masks(spec.seats * layout.mask_size);
    const int first = samples.count;
    std::vector<int> last(spec.seats, -1);
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
        samples.inputs.resize(samples.inputs.size() + stride);
        executor->encode(scale, observations.data() + s * layout.observation_size, 1,
                         samples.inputs.data() + samples.inputs.size() - stride);
        const std::uint8_t* mask = masks.data() + s * layout.mask_size;
        samples.masks.insert(samples.masks.end(), mask, mask + layout.mask_size);
        const std::int32_t* choices = player->actions().choices + row * layout.choice_count;
        samples.choices.insert(samples.choices.end(), choices, choices + layout.choice_count);
        samples.raw.resize(samples.raw.size() + layout.value_count);
        raw_values(heads, player->actions().values + row * layout.value_count, 1,
                   samples.raw.data() + samples.raw.size() - layout.value_count);
        samples.player.push_back(matches * spec.seats + s);
        samples.previous.push_back(last[s]);
        last[s] = samples.count++;
      }
    }
    const bool finished = batch.status(0) == Status::finished;
    for (int i = first; i < samples.count; ++i) {
      const int team = spec.team_of(samples.player[i] % spec.seats);
      samples.target.push_back(finished ? batch.result(0, team) : 0);
    }
    ++matches;
  }
  const std::size_t count = samples.count;
  samples.advantage.assign(count, 1);
  samples.log_probability.assign(count, 0);
  samples.value.assign(count, 0);
  samples.initial.assign(count, -1);
  return samples;
}

}  // namespace rival
