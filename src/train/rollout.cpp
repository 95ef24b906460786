#include "train/rollout.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "agent/scripted.hpp"

namespace rival {
namespace {

constexpr int kRowsMultiple = 32;  // forward passes are padded to a multiple, so that few shapes are compiled
constexpr int kNoteEvery = 8;      // steps between those whose observations the normaliser counts

int padded(int rows) {
  return (rows + kRowsMultiple - 1) / kRowsMultiple * kRowsMultiple;
}

std::size_t times(int a, int b) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

// The part of a match's key that decides its opening: beyond those of its steps, which the batch draws from.
constexpr std::uint64_t kOpening = std::uint64_t{1} << 63;

bool all_finite(const float* x, std::size_t count) {
  float zero = 0;
  for (std::size_t i = 0; i < count; ++i) zero += x[i] * 0.0f;
  return zero == 0;
}

}  // namespace

Rollout::Rollout(std::unique_ptr<Batch> batch, const Backend& backend, const Network& network, int horizon,
                 int past_matches, double opening_share)
    : batch_(std::move(batch)),
      random_(random_agent()),
      layout_(batch_->spec()),
      memory_size_(network.memory().size),
      stride_(backend.input_stride()),
      past_matches_(past_matches),
      opening_share_(opening_share) {
  const int rows = batch_->rows(), matches = batch_->matches(), seats = batch_->spec().seats;
  const int room = padded(rows), capacity = rows * horizon + 2 * room;
  const auto observation_size = batch_->layout().observation_size;
  observations_.resize(times(room, observation_size));
  masks_.resize(times(room, std::max(1, layout_.mask_size)));
  seats_.resize(static_cast<std::size_t>(rows));
  choices_.resize(times(rows, layout_.choice_count()));
  values_.resize(times(rows, layout_.value_count));
  gathered_observations_.resize(times(room, observation_size));
  gathered_masks_.resize(times(room, std::max(1, layout_.mask_size)));
  scratch_choices_.resize(times(room, layout_.choice_count()));
  scratch_raw_.resize(times(room, layout_.value_count));
  scratch_log_.resize(static_cast<std::size_t>(room));
  scratch_inputs_.resize(times(room, stride_));
  scratch_initial_.resize(static_cast<std::size_t>(room));
  scratch_previous_.assign(static_cast<std::size_t>(room), -1);

  samples_.inputs.resize(times(capacity, stride_));
  samples_.masks.resize(times(capacity, layout_.mask_size));
  samples_.choices.resize(times(capacity, layout_.choice_count()));
  samples_.raw.resize(times(capacity, layout_.value_count));
  for (auto* column : {&samples_.log_probability, &samples_.value, &samples_.advantage, &samples_.target})
    column->resize(static_cast<std::size_t>(capacity));
  for (auto* column : {&samples_.previous, &samples_.player, &samples_.initial})
    column->resize(static_cast<std::size_t>(capacity));
  sample_at_.resize(times(horizon, rows));
  rewards_.resize(times(horizon, matches * seats));
  status_.resize(times(horizon, matches));
  last_sample_.resize(times(matches, seats));
  states_.resize(times(matches, seats * memory_size_));
  returns_.resize(times(matches, seats));
  episode_number_.resize(static_cast<std::size_t>(matches));
  random_steps_.resize(static_cast<std::size_t>(matches));
  for (const FlatColumns& flat : network.flat())
    for (int c = flat.first; flat.normalised && c < flat.first + flat.size; ++c)
      noted_columns_.push_back(static_cast<std::size_t>(c));
  column_sums_.resize(static_cast<std::size_t>(observation_size));
  column_squares_.resize(static_cast<std::size_t>(observation_size));
}

void Rollout::start(const Settings& settings, Key key) {
  settings_ = settings;
  key_ = key;
  mean_length_ = 0;
  std::fill(episode_number_.begin(), episode_number_.end(), 0);
  std::vector<int> all(static_cast<std::size_t>(batch_->matches()));
  std::iota(all.begin(), all.end(), 0);
  std::vector<Key> keys;
  for (int m : all) keys.push_back(key_.split(static_cast<std::uint64_t>(m)).split(0));
  batch_->start(all, settings_, keys);
  std::fill(random_steps_.begin(), random_steps_.end(), 0);
  std::fill(states_.begin(), states_.end(), 0.0f);
  std::fill(returns_.begin(), returns_.end(), 0.0f);
}

void Rollout::open_match(int match, Key key) {
  Random random(key.split(kOpening));
  const int most = static_cast<int>(mean_length_ / 2);
  const bool opening = static_cast<double>(random.uniform()) < opening_share_ && most > 0;
  random_steps_[static_cast<std::size_t>(match)] = opening ? 1 + random.below(most) : 0;
}

bool Rollout::is_past(int row) const {
  const int match = row / batch_->rows_per_match();
  if (!past_active_ || match < batch_->matches() - past_matches_) return false;
  const Spec& spec = batch_->spec();
  return spec.team_of(seats_[static_cast<std::size_t>(row)]) != match % spec.team_count();
}

Result<void> Rollout::check_rows(int step) const {
  const RowLayout& layout = batch_->layout();
  const auto fail = [&](int row, const std::string& what) -> Result<void> {
    return Error{"game '" + batch_->spec().name + "': " + what + " for seat " +
                 std::to_string(seats_[static_cast<std::size_t>(row)]) + " at step " +
                 std::to_string(batch_->steps(row / batch_->rows_per_match())) + " of a match (step " +
                 std::to_string(step) + " of the iteration); `rival check " + batch_->spec().name +
                 "` shows it in isolation"};
  };
  const std::size_t size = static_cast<std::size_t>(layout.observation_size);
  for (int row = 0; row < batch_->rows(); ++row) {
    if (seats_[static_cast<std::size_t>(row)] < 0) continue;
    const float* x = observations_.data() + static_cast<std::size_t>(row) * size;
    if (!all_finite(x, size)) {
      const auto bad = std::find_if(x, x + size, [](float v) { return !std::isfinite(v); }) - x;
      return fail(row, "the observation's value " + std::to_string(bad) + " is not finite");
    }
    const std::uint8_t* mask = masks_.data() + times(row, layout.mask_size);
    for (std::size_t part = 0; part < layout_.discrete.size(); ++part) {
      std::uint8_t any = 0;
      for (int c = 0; c < layout_.discrete[part]; ++c) any |= *mask++;
      if (!any) return fail(row, "the mask allows no choice of discrete part " + std::to_string(part));
    }
  }
  return {};
}

void Rollout::note_columns() {
  const auto size = static_cast<std::size_t>(batch_->layout().observation_size);
  for (int row = 0; row < batch_->rows(); ++row) {
    if (seats_[static_cast<std::size_t>(row)] < 0) continue;
    seen_ += 1;
    const float* x = observations_.data() + static_cast<std::size_t>(row) * size;
    for (std::size_t i : noted_columns_) {
      const double v = static_cast<double>(x[i]);
      column_sums_[i] += v;
      column_squares_[i] += v * v;
    }
  }
}

void Rollout::act(Executor& executor, const Policy& policy, std::span<const int> rows, Key key, bool learn, int step) {
  const int count = static_cast<int>(rows.size());
  if (count == 0) return;
  const auto observation_size = static_cast<std::size_t>(batch_->layout().observation_size);
  const auto mask_size = static_cast<std::size_t>(layout_.mask_size);
  const auto choice_count = static_cast<std::size_t>(layout_.choice_count());
  const auto value_count = static_cast<std::size_t>(layout_.value_count);
  const bool all = count == batch_->rows();

  const float* observations = observations_.data();
  const std::uint8_t* masks = masks_.data();
  if (!all) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<std::size_t>(rows[i]);
      std::memcpy(gathered_observations_.data() + i * observation_size, observations_.data() + row * observation_size,
                  observation_size * sizeof(float));
      std::copy_n(masks_.data() + row * mask_size, mask_size, gathered_masks_.data() + i * mask_size);
    }
    observations = gathered_observations_.data();
    masks = gathered_masks_.data();
  }

  const auto first = static_cast<std::size_t>(samples_.count);
  std::byte* inputs =
      learn ? samples_.inputs.data() + first * static_cast<std::size_t>(stride_) : scratch_inputs_.data();
  std::int32_t* choices = learn ? samples_.choices.data() + first * choice_count : scratch_choices_.data();
  float* raw = learn ? samples_.raw.data() + first * value_count : scratch_raw_.data();
  float* log_probability = learn ? samples_.log_probability.data() + first : scratch_log_.data();
  const int seats = batch_->spec().seats, per_match = batch_->rows_per_match();
  const auto player = [&](int row) {
    return static_cast<std::size_t>(row / per_match * seats + seats_[static_cast<std::size_t>(row)]);
  };

  executor.encode(*policy.scale, observations, count, inputs);
  MemoryRows memory;
  if (memory_size_) {
    for (std::size_t i = 0; i < rows.size(); ++i) scratch_initial_[i] = static_cast<int>(player(rows[i]));
    std::fill(scratch_initial_.begin() + count, scratch_initial_.end(), -1);
    memory = {scratch_previous_.data(), scratch_initial_.data(), states_.data()};
  }
  const float* heads = executor.forward(*policy.weights, inputs, padded(count), memory);
  sample_actions(layout_, heads, policy.log_std, masks, count, key, policy.temperature,
                 {choices, raw, log_probability});

  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<std::size_t>(rows[i]);
    std::copy_n(choices + i * choice_count, choice_count, choices_.data() + row * choice_count);
    if (memory_size_)
      std::copy_n(executor.states() + i * static_cast<std::size_t>(memory_size_), memory_size_,
                  states_.data() + player(rows[i]) * static_cast<std::size_t>(memory_size_));
  }
  if (value_count)
    for (std::size_t i = 0; i < rows.size(); ++i)
      scale_values(layout_, raw + i * value_count, 1, values_.data() + static_cast<std::size_t>(rows[i]) * value_count);
  if (!learn) return;

  std::copy_n(masks, static_cast<std::size_t>(count) * mask_size, samples_.masks.data() + first * mask_size);
  const auto head_size = static_cast<std::size_t>(layout_.head_size());
  int* sample_at = sample_at_.data() + times(step, batch_->rows());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t sample = first + i, who = player(rows[i]);
    samples_.value[sample] = policy.value_mean + policy.value_scale * heads[(i + 1) * head_size - 1];
    samples_.player[sample] = static_cast<int>(who);
    samples_.previous[sample] = last_sample_[who] >= 0 ? last_sample_[who] : -1;
    samples_.initial[sample] = last_sample_[who] == -1 ? static_cast<int>(who) : -1;
    last_sample_[who] = static_cast<int>(sample);
    sample_at[rows[i]] = static_cast<int>(sample);
  }
  samples_.count += count;
}

Result<void> Rollout::step_matches(Executor& executor, const Policy& policy, int step) {
  const Spec& spec = batch_->spec();
  const int seats = spec.seats, matches = batch_->matches();
  float* rewards = rewards_.data() + times(step, matches * seats);
  Status* status = status_.data() + times(step, matches);
  batch_->step({choices_.data(), values_.data()}, {rewards, status});
  if (!all_finite(rewards, times(matches, seats))) {
    const auto bad = static_cast<int>(
        std::find_if(rewards, rewards + matches * seats, [](float v) { return !std::isfinite(v); }) - rewards);
    return Error{"game '" + spec.name + "': the reward or result of seat " + std::to_string(bad % seats) +
                 " is not finite at step " + std::to_string(batch_->steps(bad / seats)) + " of a match; `rival check " +
                 spec.name + "` shows it in isolation"};
  }
  for (std::size_t i = 0; i < returns_.size(); ++i) returns_[i] += rewards[i];

  std::vector<int> ended;
  std::vector<Key> keys;
  for (int m = 0; m < matches; ++m) {
    if (status[m] == Status::running) continue;
    const auto k = static_cast<std::size_t>(m);
    if (status[m] == Status::truncated) {
      // What would have followed is worth the value of where the match was cut.
      for (int seat = 0; seat < seats; ++seat) {
        const std::size_t who = k * static_cast<std::size_t>(seats) + static_cast<std::size_t>(seat);
        if (last_sample_[who] < 0) continue;
        batch_->observe_seat(m, seat, gathered_observations_.data(), nullptr);
        executor.encode(*policy.scale, gathered_observations_.data(), 1, scratch_inputs_.data());
        scratch_initial_[0] = static_cast<int>(who);
        std::fill(scratch_initial_.begin() + 1, scratch_initial_.end(), -1);
        const MemoryRows memory{scratch_previous_.data(), scratch_initial_.data(), states_.data()};
        const float* heads = executor.forward(*policy.weights, scratch_inputs_.data(), kRowsMultiple,
                                              memory_size_ ? memory : MemoryRows{});
        finals_.push_back(
            {step, static_cast<int>(who), policy.value_mean + policy.value_scale * heads[layout_.head_size() - 1]});
      }
    }
    float score = 0;
    int learners = 0;
    for (int seat = 0; seat < seats; ++seat) {
      const std::size_t who = k * static_cast<std::size_t>(seats) + static_cast<std::size_t>(seat);
      const bool past = past_active_ && m >= matches - past_matches_ && spec.team_of(seat) != m % spec.team_count();
      if (!past) score += returns_[who], ++learners;
      returns_[who] = 0;
      last_sample_[who] = -2;  // starts anew: no previous sample, and no state
      std::fill_n(states_.begin() + static_cast<std::ptrdiff_t>(who) * memory_size_, memory_size_, 0.0f);
    }
    episodes_.push_back({step, m, score / static_cast<float>(std::max(1, learners)), batch_->steps(m)});
    ended.push_back(m);
    keys.push_back(key_.split(static_cast<std::uint64_t>(m)).split(++episode_number_[k]));
    mean_length_ += (batch_->steps(m) - mean_length_) * (mean_length_ > 0 ? 0.01 : 1.0);
    open_match(m, keys.back());
  }
  if (!ended.empty()) batch_->start(ended, settings_, keys);
  return {};
}

Result<void> Rollout::collect(Executor& executor, const Policy& policy, const Policy* past, int steps, Key key,
                              float discount, float lambda) {
  past_active_ = past != nullptr && past_matches_ > 0;
  samples_.count = 0;
  finals_.clear();
  episodes_.clear();
  decisions_ = 0;
  seen_ = 0;
  std::fill(column_sums_.begin(), column_sums_.end(), 0.0);
  std::fill(column_squares_.begin(), column_squares_.end(), 0.0);
  std::fill(last_sample_.begin(), last_sample_.end(), -1);
  std::fill(sample_at_.begin(), sample_at_.begin() + static_cast<std::ptrdiff_t>(times(steps, batch_->rows())), -1);
  initial_states_ = states_;

  for (int step = 0; step <= steps; ++step) {
    batch_->observe({observations_.data(), masks_.data(), seats_.data()});
    if (auto ok = check_rows(step); !ok) return ok;
    learner_rows_.clear(), past_rows_.clear(), random_rows_.clear();
    for (int row = 0; row < batch_->rows(); ++row) {
      if (seats_[static_cast<std::size_t>(row)] < 0) continue;
      const bool random = random_steps_[static_cast<std::size_t>(row / batch_->rows_per_match())] > 0;
      (random ? random_rows_ : is_past(row) ? past_rows_ : learner_rows_).push_back(row);
    }
    if (step == steps) break;
    if (step % kNoteEvery == 0) note_columns();
    const Key step_key = key.split(static_cast<std::uint64_t>(step));
    act(executor, policy, learner_rows_, step_key.split(0), true, step);
    if (!past_rows_.empty()) act(executor, *past, past_rows_, step_key.split(1), false, step);
    random_->act({batch_.get(), random_rows_, observations_.data(), masks_.data(), seats_.data()}, step_key.split(2),
                 choices_.data(), values_.data());
    for (int& left : random_steps_) left -= left > 0;
    decisions_ += static_cast<std::int64_t>(learner_rows_.size() + past_rows_.size());
    if (auto ok = step_matches(executor, policy, step); !ok) return ok;
  }
  finish(executor, policy, steps, discount, lambda);
  return {};
}

// Walks back through time, carrying for each player what followed its last decision.
void Rollout::finish(Executor& executor, const Policy& policy, int steps, float discount, float lambda) {
  struct Carry {
    float value = 0, advantage = 0, reward = 0;
    bool known = false;  // whether `value` is: false after the last decision of a player who is not to act at the end
  };
  const int seats = batch_->spec().seats, matches = batch_->matches(), rows = batch_->rows();
  std::vector<Carry> carry(times(matches, seats));

  // Values of the observations at the end, of the learner's seats that are to act. The states must not advance.
  const int count = static_cast<int>(learner_rows_.size());
  if (count) {
    const auto observation_size = static_cast<std::size_t>(batch_->layout().observation_size);
    for (std::size_t i = 0; i < learner_rows_.size(); ++i) {
      std::memcpy(gathered_observations_.data() + i * observation_size,
                  observations_.data() + static_cast<std::size_t>(learner_rows_[i]) * observation_size,
                  observation_size * sizeof(float));
      const int row = learner_rows_[i];
      scratch_initial_[i] = seat_index(row / batch_->rows_per_match(), seats_[static_cast<std::size_t>(row)]);
    }
    std::fill(scratch_initial_.begin() + count, scratch_initial_.end(), -1);
    executor.encode(*policy.scale, gathered_observations_.data(), count, scratch_inputs_.data());
    const MemoryRows memory{scratch_previous_.data(), scratch_initial_.data(), states_.data()};
    const float* heads =
        executor.forward(*policy.weights, scratch_inputs_.data(), padded(count), memory_size_ ? memory : MemoryRows{});
    for (std::size_t i = 0; i < learner_rows_.size(); ++i) {
      Carry& c = carry[static_cast<std::size_t>(scratch_initial_[i])];
      c.value =
          policy.value_mean + policy.value_scale * heads[(i + 1) * static_cast<std::size_t>(layout_.head_size()) - 1];
      c.known = true;
    }
  }

  for (int step = steps - 1; step >= 0; --step) {
    const float* rewards = rewards_.data() + times(step, matches * seats);
    const Status* status = status_.data() + times(step, matches);
    for (int m = 0; m < matches; ++m) {
      if (status[m] == Status::running) continue;
      for (int seat = 0; seat < seats; ++seat) carry[static_cast<std::size_t>(seat_index(m, seat))] = {0, 0, 0, true};
    }
    while (!finals_.empty() && finals_.back().step == step) {
      carry[static_cast<std::size_t>(finals_.back().player)].value = finals_.back().value;
      finals_.pop_back();
    }
    for (std::size_t i = 0; i < carry.size(); ++i) carry[i].reward += rewards[i];
    const int* sample_at = sample_at_.data() + times(step, rows);
    for (int row = 0; row < rows; ++row) {
      if (sample_at[row] < 0) continue;
      const auto sample = static_cast<std::size_t>(sample_at[row]);
      Carry& c = carry[static_cast<std::size_t>(samples_.player[sample])];
      const float value = samples_.value[sample];
      float advantage = 0;  // unknown: learns nothing
      if (c.known) advantage = c.reward + discount * c.value - value + discount * lambda * c.advantage;
      samples_.advantage[sample] = advantage;
      samples_.target[sample] = value + advantage;
      c = {value, advantage, 0, true};
    }
  }
}

}  // namespace rival
