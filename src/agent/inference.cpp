#include "agent/inference.hpp"

#include <algorithm>
#include <cmath>

#include "base/finite.hpp"
#include "base/index.hpp"

namespace rival {

const SharedBot::Packed& SharedBot::packed(Precision precision) const {
  const std::lock_guard lock(mutex_);
  Packed& packed = packed_[precision];
  if (packed.weights) return packed;
  auto made = make_backend("onednn", bot_.network, precision);
  check(made.ok(), "no backend for a bot");
  packed.backend = std::move(*made);
  packed.weights = packed.backend->make_weights();
  packed.backend->pack(bot_.parameters, *packed.weights);
  return packed;
}

// Many rows at once.
struct Inference::Batched {
  static constexpr int kRows = 256;
  const SharedBot::Packed& packed;
  std::unique_ptr<Executor> executor;
  std::vector<std::byte> inputs;
  std::vector<float> observations;
  std::vector<int> initial, previous;

  Batched(const SharedBot& shared, Precision precision)
      : packed(shared.packed(precision)), executor(packed.backend->make_executor(kRows)) {
    inputs.resize(index(kRows) * packed.backend->input_stride());
    observations.resize(index(kRows) * shared.bot().network.observation_size());
    initial.resize(kRows);
    previous.assign(kRows, -1);
  }
};

Inference::Inference(std::shared_ptr<const SharedBot> shared, int slots, Precision precision)
    : shared_(std::move(shared)), layout_(shared_->bot().network.action()), precision_(precision) {
  if (OneRow::takes(bot().network)) one_row_.emplace(bot().network);
  resize(slots);
}

Inference::~Inference() = default;

void Inference::resize(int slots) {
  slots_ = slots;
  memory_.resize(index(slots) * bot().network.memory_size());
}

void Inference::forget(int first_slot, int count) {
  const std::size_t m = bot().network.memory_size();
  std::fill_n(memory_.begin() + static_cast<std::ptrdiff_t>(index(first_slot) * m), index(count) * m, 0.0f);
}

std::span<float> Inference::memory(int slot) {
  const std::size_t m = bot().network.memory_size();
  return {memory_.data() + index(slot) * m, m};
}

std::span<const float> Inference::memory(int slot) const {
  const std::size_t m = bot().network.memory_size();
  return {memory_.data() + index(slot) * m, m};
}

const float* Inference::decide(const float* observation, float* state) {
  check(one_row_.has_value(), "decide() is for networks without convolutions");
  return one_row_->forward(bot().parameters, bot().scale, observation, state);
}

const float* Inference::forward(const InferenceRows& in, bool advance) {
  const Network& net = bot().network;
  const std::size_t count = in.rows.size();
  const std::size_t observation_size = net.observation_size();
  const std::size_t head_size = net.head_size();
  const std::size_t m = net.memory_size();
  heads_.resize(count * head_size);

  constexpr std::size_t kFewRows = 4;
  if (count <= kFewRows && one_row_) {
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<float> kept;
      float* state = m ? memory_.data() + index(in.slots[i]) * m : nullptr;
      if (m && !advance) kept.assign(state, state + m);
      const float* heads = decide(in.observations + index(in.rows[i]) * observation_size, state);
      if (m && !advance) std::copy(kept.begin(), kept.end(), state);
      std::copy_n(heads, head_size, heads_.data() + i * head_size);
    }
    return finite_heads();
  }

  if (!batched_) batched_ = std::make_unique<Batched>(*shared_, precision_);
  Batched& b = *batched_;
  for (std::size_t first = 0; first < count; first += Batched::kRows) {
    const std::size_t rows = std::min<std::size_t>(Batched::kRows, count - first);
    for (std::size_t i = 0; i < rows; ++i) {
      std::copy_n(in.observations + index(in.rows[first + i]) * observation_size, observation_size,
                  b.observations.data() + i * observation_size);
      if (m) b.initial[i] = in.slots[first + i];
    }
    b.executor->encode(bot().scale, b.observations.data(), static_cast<int>(rows), b.inputs.data());
    const float* heads = b.executor->forward(*b.packed.weights, b.inputs.data(), static_cast<int>(rows),
                                             {b.previous.data(), b.initial.data(), memory_.data()});
    std::copy_n(heads, rows * head_size, heads_.data() + first * head_size);
    if (m && advance)
      for (std::size_t i = 0; i < rows; ++i)
        std::copy_n(b.executor->states() + i * m, m, memory_.data() + index(b.initial[i]) * m);
  }
  return finite_heads();
}

// Weights that are each finite may still overflow in their sums. Nothing is known then: all choices are as good.
const float* Inference::finite_heads() {
  if (!all_finite(heads_.data(), heads_.size()))
    std::replace_if(
        heads_.begin(), heads_.end(), [](float x) { return !std::isfinite(x); }, 0.0f);
  return heads_.data();
}

void Inference::probabilities_of(std::size_t i, const std::uint8_t* mask, float temperature, float* out) const {
  action_probabilities(layout_, heads_.data() + i * index(layout_.head_size()), mask, 1,
                       temperature > 0 ? temperature : 1.0f, out);
}

float Inference::value_of(std::size_t i) const {
  const std::size_t head_size = index(layout_.head_size());
  return bot().value_mean + bot().value_scale * heads_[i * head_size + head_size - 1];
}

void Inference::act(const InferenceRows& in, Key key, float temperature, std::int32_t* choices, float* values,
                    float* probabilities, float* expected) {
  const float* heads = forward(in, true);
  const std::size_t mask_size = layout_.mask_size;
  const float* log_std = bot().parameters.data() + bot().network.log_std();
  std::vector<float> raw(layout_.value_count);
  float log_probability;
  for (std::size_t i = 0; i < in.rows.size(); ++i) {
    const std::size_t row = in.rows[i];
    sample_actions(layout_, heads + i * index(layout_.head_size()), log_std, in.masks + row * mask_size, 1,
                   key.split(row), temperature,
                   {choices + row * index(layout_.choice_count()), raw.data(), &log_probability});
    scale_values(layout_, raw.data(), 1, values + row * index(layout_.value_count));
    if (probabilities) probabilities_of(i, in.masks + row * mask_size, temperature, probabilities + row * mask_size);
    if (expected) expected[row] = value_of(i);
  }
}

void Inference::probabilities(const InferenceRows& in, float temperature, float* out) {
  forward(in, false);
  const std::size_t mask_size = layout_.mask_size;
  for (std::size_t i = 0; i < in.rows.size(); ++i) {
    const std::size_t row = in.rows[i];
    float* p = out + row * mask_size;
    probabilities_of(i, in.masks + row * mask_size, temperature, p);
    if (temperature > 0) continue;
    for (int size : layout_.discrete) {
      const auto best = std::max_element(p, p + size) - p;
      for (int c = 0; c < size; ++c) p[c] = c == best ? 1.0f : 0.0f;
      p += size;
    }
  }
}

void Inference::values(const InferenceRows& in, float* out) {
  forward(in, false);
  for (std::size_t i = 0; i < in.rows.size(); ++i) out[in.rows[i]] = value_of(i);
}

}  // namespace rival
