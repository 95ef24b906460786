#include "train/learner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/index.hpp"
#include "nn/kernels.hpp"

namespace rival {
namespace {

constexpr std::size_t kBlockBytes = 512 * 1024;  // of the activations of samples that go forward and back together:
                                                 // they stay in the core's own cache
constexpr std::size_t kChunk = 2048;             // parameters that are reduced together
constexpr const char* kRemedy = "; a lower learning_rate or rewards of order 1 usually help";
constexpr double kLeastDeviation = 0.3;  // of advantages, in the unit of returns
constexpr float kBeta1 = 0.9f, kBeta2 = 0.999f, kEpsilon = 1e-5f;

// Samples in a block: a power of two, 128 to 512.
int block_rows(const Network& network) {
  int width = 4 * network.memory_size();  // of activations and their gradients
  for (const Operation& op : network.operations()) {
    const Buffer& out = network.buffers()[op.out];
    if (out.wide) continue;
    if (op.kind == OperationKind::copy || op.kind == OperationKind::largest) width += op.columns;
    if (op.kind != OperationKind::dense) continue;
    width += out.entities >= 0 ? out.places / 2 * out.columns : 2 * out.columns;
    if (op.in == kObservationBuffer) width += op.rows;
  }
  int rows = 512;
  while (rows > 128 && index(rows * width) * sizeof(std::uint16_t) > kBlockBytes) rows /= 2;
  return rows;
}

template <class T>
void shuffle(std::vector<T>& items, Random& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(static_cast<int>(i))]);
}

// The name of the first quantity that is not finite, or null.
const char* not_finite(const PpoStatistics& sum, double norm) {
  if (!std::isfinite(sum.policy_loss)) return "the policy loss";
  if (!std::isfinite(sum.value_loss)) return "the value loss";
  if (!std::isfinite(sum.entropy)) return "the entropy";
  if (!std::isfinite(norm)) return "the gradient";
  return nullptr;
}

Result<void> add_up(Reduction& reduction, PpoStatistics& sum, std::span<float> gradients) {
  double values[] = {sum.rows, sum.policy_loss, sum.value_loss, sum.entropy, sum.kl, sum.clipped};
  if (auto ok = reduction.sum(values); !ok) return ok;
  sum = {values[0], values[1], values[2], values[3], values[4], values[5]};
  return reduction.sum(gradients);
}

}  // namespace

// What belongs to one rollout.
struct Learner::Shard {
  std::vector<float> gradients;
  std::vector<Minibatch> minibatches;
  PpoStatistics statistics;
  // Networks with memory: the samples of a minibatch, gathered.
  std::vector<int> order;
};

// What belongs to one thread.
struct Learner::Member {
  std::unique_ptr<Executor> executor;
  int max_rows = 0;
  std::vector<float> head_gradients;
  std::vector<std::byte> inputs;
  std::vector<std::uint8_t> masks;
  std::vector<std::int32_t> choices;
  std::vector<float> raw, log_probability, advantages, targets;
  std::vector<int> previous, initial, row_of;

  void reserve(const Backend& backend, const HeadLayout& layout, int rows) {
    if (rows <= max_rows) return;
    max_rows = std::max(rows, max_rows + max_rows / 2);
    executor = backend.make_executor(max_rows);
    head_gradients.resize(index(max_rows) * layout.head_size());
  }
};

Learner::Learner(const Network& network, const HeadLayout& layout, const Backend& backend, Team& team, int shards,
                 std::vector<float> parameters, Reduction* reduction)
    : network_(network),
      layout_(layout),
      backend_(backend),
      team_(team),
      reduction_(reduction),
      parameters_(std::move(parameters)),
      averaged_(parameters_),
      gradients_(parameters_.size()),
      first_moment_(parameters_.size()),
      second_moment_(parameters_.size()),
      weights_(backend.make_weights()) {
  for (int i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>());
    shards_.back()->gradients.resize(parameters_.size());
  }
  for (int i = 0; i < team.size(); ++i) members_.push_back(std::make_unique<Member>());
  pack();
}

Learner::~Learner() = default;

void Learner::pack() {
  backend_.pack(parameters_, *weights_);
}

Result<void> Learner::normalise(std::span<Samples* const> samples, const UpdateOptions& options) {
  double sums[5] = {};
  auto& [count, advantage, advantage2, target, target2] = sums;
  for (const Samples* shard : samples) {
    const Samples& s = *shard;
    count += s.count;
    for (std::size_t i = 0; i < index(s.count); ++i) {
      const double a = static_cast<double>(s.advantage[i]), t = static_cast<double>(s.target[i]);
      advantage += a, advantage2 += a * a, target += t, target2 += t * t;
    }
  }
  if (reduction_)
    if (auto ok = reduction_->sum(sums); !ok) return ok;
  if (count == 0) return {};
  if (!std::isfinite(advantage2) || !std::isfinite(target2))
    return Error{std::string("the returns are not finite") + kRemedy};
  const double mean = target / count, variance = std::max(target2 / count - mean * mean, 0.0);
  // A running mean and variance of the returns: all that was seen at first, then mostly of late.
  const double share = count / (count + value_weight);
  const double old_mean = value_mean, old_scale = value_scale;
  const double second = (1 - share) * (value_weight > 0 ? value_scale * value_scale + value_mean * value_mean : 0) +
                        share * (variance + mean * mean);
  value_mean = (1 - share) * value_mean + share * mean;
  value_scale = std::max(std::sqrt(std::max(second - value_mean * value_mean, 0.0)), 1e-3);
  if (options.steady && value_weight > 0) value_scale = std::max(value_scale, old_scale);
  value_weight = std::min(value_weight + count, 20 * count);
  const Operation& head = network_.operation("head");
  const auto width = index(head.columns), column = width - 1;  // targets' logits are not its own
  for (std::vector<float>* p : {&parameters_, &averaged_}) {
    for (std::size_t i = 0; i < index(head.rows); ++i)
      (*p)[head.weight + i * width + column] *= static_cast<float>(old_scale / value_scale);
    float& bias = (*p)[head.bias + column];
    bias = static_cast<float>((old_scale * static_cast<double>(bias) + old_mean - value_mean) / value_scale);
  }
  pack();

  const double advantage_mean = advantage / count;
  const double deviation = std::sqrt(std::max(advantage2 / count - advantage_mean * advantage_mean, 0.0));
  // Before any reward differs the advantages are the value head's own noise: to divide by so small a deviation would
  // make it the policy's teacher at full strength, and the policy would collapse before its first success.
  const auto shift = static_cast<float>(advantage_mean);
  const auto factor = static_cast<float>(1 / std::max(deviation, (options.steady ? 1 : kLeastDeviation) * value_scale));
  const auto value_shift = static_cast<float>(value_mean), value_factor = static_cast<float>(1 / value_scale);
  team_.run([&](int member) {
    for (std::size_t shard = member; shard < samples.size(); shard += index(team_.size())) {
      Samples& s = *samples[shard];
      for (std::size_t i = 0; i < index(s.count); ++i) {
        if (options.loss == LossKind::ppo) s.advantage[i] = (s.advantage[i] - shift) * factor;
        s.target[i] = (s.target[i] - value_shift) * value_factor;
      }
    }
  });
  return {};
}

// Whole sequences: a minibatch takes every sample of some of the players, in blocks of a few players each, whose
// samples stand one player after the other, in order of time.
void Learner::plan_sequences(Shard& shard, const Samples& s, int minibatches, Random& random) {
  const std::size_t count = s.count;
  const int players = 1 + (s.count ? *std::max_element(s.player.begin(), s.player.begin() + s.count) : 0);
  std::vector<int> first(players + 1), by_player(count), order(players);
  for (std::size_t i = 0; i < count; ++i) ++first[index(s.player[i]) + 1];
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<int> next(first.begin(), first.end() - 1);
  for (std::size_t i = 0; i < count; ++i) by_player[next[s.player[i]]++] = static_cast<int>(i);
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, random);

  shard.order.clear();
  const int most = block_rows(network_);
  int last_minibatch = -1;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t player = order[i];
    const int size = first[player + 1] - first[player];
    if (size == 0) continue;
    const auto k = static_cast<int>(i * index(minibatches) / order.size());
    std::vector<Block>& blocks = shard.minibatches[k];
    if (k != last_minibatch || blocks.back().count + size > most)
      blocks.push_back({static_cast<int>(shard.order.size()), 0});
    last_minibatch = k;
    blocks.back().count += size;
    shard.order.insert(shard.order.end(), by_player.begin() + first[player], by_player.begin() + first[player + 1]);
  }
}

// Deals the samples of every rollout out to the minibatches of one epoch.
Result<void> Learner::plan(std::span<Samples* const> samples, const UpdateOptions& options, Key key) {
  const int minibatches = options.minibatches;
  const std::size_t first_shard = reduction_ ? reduction_->process() * samples.size() : 0;
  for (std::size_t l = 0; l < samples.size(); ++l) {
    Shard& shard = *shards_[l];
    const Samples& s = *samples[l];
    Random random(key.split(first_shard + l));
    shard.minibatches.assign(minibatches, {});
    if (network_.memory_size()) {
      plan_sequences(shard, s, minibatches, random);
      continue;
    }
    // Blocks of samples as they lie: one time step of many matches, or a few steps. Smaller blocks where there are few.
    int size = block_rows(network_);
    while (size > kRowsMultiple && s.count / size < minibatches) size /= 2;
    std::vector<Block> blocks;
    for (int first = 0; first < s.count; first += size) {
      int count = std::min(size, s.count - first);
      if (s.count >= kRowsMultiple && count % kRowsMultiple) count -= count % kRowsMultiple;
      if (count) blocks.push_back({first, count});
    }
    shuffle(blocks, random);
    for (std::size_t i = 0; i < blocks.size(); ++i)
      shard.minibatches[i * index(minibatches) / blocks.size()].push_back(blocks[i]);
  }
  minibatch_rows_.assign(minibatches, 0);
  for (const auto& shard : shards_)
    for (int k = 0; k < minibatches; ++k)
      for (const Block& block : shard->minibatches[k]) minibatch_rows_[k] += block.count;
  return reduction_ ? reduction_->sum(minibatch_rows_) : Result<void>{};
}

PpoStatistics Learner::shard_gradients(Member& member, Shard& shard, const Samples& s, int minibatch,
                                       const PpoLoss& loss, const std::function<bool()>& stopped) {
  const std::size_t stride = backend_.input_stride();
  const auto mask_size = index(layout_.mask_size), choice_count = index(layout_.choice_count()),
             value_count = index(layout_.value_count);
  const float* log_std = parameters_.data() + network_.log_std();
  float* log_std_gradients = shard.gradients.data() + network_.log_std();
  PpoStatistics statistics;
  for (const Block& block : shard.minibatches[minibatch]) {
    if (stopped()) break;
    const int rows_padded = network_.memory_size() ? padded_rows(block.count) : block.count;
    member.reserve(backend_, layout_, std::max(rows_padded, block_rows(network_)));
    const auto first = index(block.first), count = index(block.count);
    const std::byte* inputs = s.inputs.data() + first * stride;
    PpoRows rows{s.masks.data() + first * mask_size, s.choices.data() + first * choice_count,
                 s.raw.data() + first * value_count, s.log_probability.data() + first,
                 s.advantage.data() + first,         s.target.data() + first};
    MemoryRows memory;
    if (network_.memory_size()) {
      const std::size_t room = rows_padded;
      member.inputs.resize(room * stride), member.masks.resize(count * mask_size),
          member.choices.resize(count * choice_count);
      member.raw.resize(count * value_count), member.previous.resize(room), member.initial.resize(room);
      for (auto* column : {&member.log_probability, &member.advantages, &member.targets}) column->resize(count);
      member.row_of.resize(s.count);
      for (std::size_t r = 0; r < count; ++r) {
        const std::size_t i = shard.order[first + r];
        member.row_of[i] = static_cast<int>(r);
        std::memcpy(member.inputs.data() + r * stride, s.inputs.data() + i * stride, stride);
        std::copy_n(s.masks.data() + i * mask_size, mask_size, member.masks.data() + r * mask_size);
        std::copy_n(s.choices.data() + i * choice_count, choice_count, member.choices.data() + r * choice_count);
        std::copy_n(s.raw.data() + i * value_count, value_count, member.raw.data() + r * value_count);
        member.log_probability[r] = s.log_probability[i];
        member.advantages[r] = s.advantage[i];
        member.targets[r] = s.target[i];
        member.previous[r] = s.previous[i] >= 0 ? member.row_of[s.previous[i]] : -1;
        member.initial[r] = s.initial[i];
      }
      std::memset(member.inputs.data() + count * stride, 0, (room - count) * stride);
      std::fill(member.previous.begin() + block.count, member.previous.end(), -1);
      std::fill(member.initial.begin() + block.count, member.initial.end(), -1);
      inputs = member.inputs.data();
      rows = {member.masks.data(),           member.choices.data(),    member.raw.data(),
              member.log_probability.data(), member.advantages.data(), member.targets.data()};
      memory = {member.previous.data(), member.initial.data(), s.initial_states.data()};
    }
    const float* heads = member.executor->forward(*weights_, inputs, rows_padded, memory);
    std::fill_n(member.head_gradients.begin() + block.count * layout_.head_size(),
                (rows_padded - block.count) * layout_.head_size(), 0.0f);
    statistics.add(
        ppo_loss(layout_, loss, heads, log_std, rows, block.count, member.head_gradients.data(), log_std_gradients));
    if (stopped()) break;  // a wide network takes its time for either
    member.executor->backward(*weights_, member.head_gradients.data(), shard.gradients.data());
  }
  return statistics;
}

Result<UpdateStatistics> Learner::update(std::span<Samples* const> samples, const UpdateOptions& options, Key key,
                                         const UpdateHooks& hooks) {
  check(samples.size() == shards_.size(), "a learner was made for another number of shards");
  if (auto ok = normalise(samples, options); !ok) return ok.error();
  const std::size_t chunks = (parameters_.size() + kChunk - 1) / kChunk;
  std::vector<double> chunk_squares(chunks);
  std::vector<const float*> parts;
  for (const auto& shard : shards_) parts.push_back(shard->gradients.data());
  UpdateStatistics statistics;
  PpoStatistics epoch_statistics, sum;  // of one epoch, and of one minibatch
  const std::int64_t first_step = adam_steps_ + 1;
  std::string failure;
  std::atomic<bool> stopping = false;
  const std::function<bool()> stopped = [&] {
    if (options.stop && !stopping.load(std::memory_order_relaxed) && (*options.stop)()) stopping = true;
    return stopping.load(std::memory_order_relaxed);
  };
  std::int64_t over = options.epochs * options.minibatches;  // minibatches, those without samples included

  // Members meet four times a minibatch. What every member needs to know about it, every member works out.
  team_.run([&](int member) {
    const std::size_t threads = team_.size();
    const std::size_t mine = member;
    const auto on_caller = [&](const std::function<void()>& hook) {
      if (!hook) return;
      team_.barrier();
      if (member == 0) hook();
      team_.barrier();
    };
    for (int epoch = 0; epoch < options.epochs; ++epoch) {
      team_.barrier();  // nobody still reads the last epoch's plan, whose last minibatches may be empty
      if (member == 0) {
        if (auto ok = plan(samples, options, key.split(static_cast<std::uint64_t>(epoch))); !ok)
          failure = ok.error().message;
        epoch_statistics = {};
      }
      team_.barrier();
      if (!failure.empty()) return;
      for (int k = 0; k < options.minibatches; ++k) {
        const double rows = minibatch_rows_[k];
        if (rows == 0) continue;
        on_caller(hooks.before_gradients);
        const PpoLoss loss{.likelihood = options.loss == LossKind::likelihood,
                           .clip = static_cast<float>(options.clip),
                           .entropy = static_cast<float>(options.entropy),
                           .value = static_cast<float>(options.value),
                           .weight = static_cast<float>(1 / rows)};
        for (std::size_t l = mine; l < shards_.size(); l += threads) {
          std::fill(shards_[l]->gradients.begin(), shards_[l]->gradients.end(), 0.0f);
          shards_[l]->statistics = shard_gradients(*members_[mine], *shards_[l], *samples[l], k, loss, stopped);
        }
        team_.barrier();
        if (reduction_) {
          if (member == 0) {
            double all[] = {stopping ? 1.0 : 0.0};
            if (auto ok = reduction_->sum(all); !ok) failure = ok.error().message;
            stopping = all[0] > 0;
          }
          team_.barrier();
          if (!failure.empty()) return;
        }
        if (stopping) {  // nobody asks again before the next barrier: all see the same
          if (member == 0) over = epoch * options.minibatches + k;
          return;
        }
        for (std::size_t c = mine; c < chunks; c += threads) {
          const std::size_t begin = c * kChunk, end = std::min(parameters_.size(), begin + kChunk);
          kernels::sum_parts(parts.data(), static_cast<int>(parts.size()), begin, end, gradients_.data());
          chunk_squares[c] = kernels::sum_of_squares(gradients_.data() + begin, end - begin);
        }
        if (mine == 0) {
          sum = {};
          for (const auto& shard : shards_) sum.add(shard->statistics);
        }
        team_.barrier();
        if (reduction_) {
          if (member == 0)
            if (auto ok = add_up(*reduction_, sum, gradients_); !ok) failure = ok.error().message;
          team_.barrier();
          if (!failure.empty()) return;
          for (std::size_t c = mine; c < chunks; c += threads) {
            const std::size_t begin = c * kChunk, end = std::min(parameters_.size(), begin + kChunk);
            chunk_squares[c] = kernels::sum_of_squares(gradients_.data() + begin, end - begin);
          }
          team_.barrier();
        }
        on_caller(hooks.after_gradients);
        double squares = 0;
        for (double s : chunk_squares) squares += s;
        const double norm = std::sqrt(squares);
        const char* what = not_finite(sum, norm);
        if (member == 0) {
          epoch_statistics.add(sum);
          statistics.loss.add(sum);
          statistics.gradient_norm += norm;
          ++statistics.minibatches;
          if (what)
            failure = fmt::format("{} is not finite in epoch {}, minibatch {}{}", what, epoch + 1, k + 1, kRemedy);
        }
        if (what) return;
        on_caller(hooks.before_apply);
        const double t = static_cast<double>(first_step + epoch * options.minibatches + k);
        const auto rate = static_cast<float>(options.learning_rate / (1 - std::pow(static_cast<double>(kBeta1), t)));
        const auto correction = static_cast<float>(1 / std::sqrt(1 - std::pow(static_cast<double>(kBeta2), t)));
        const auto scale = static_cast<float>(norm > options.gradient_norm ? options.gradient_norm / norm : 1.0);
        for (std::size_t c = mine; c < chunks; c += threads) {
          const std::size_t begin = c * kChunk, count = std::min(parameters_.size() - begin, kChunk);
          kernels::adam(parameters_.data() + begin, first_moment_.data() + begin, second_moment_.data() + begin,
                        gradients_.data() + begin, count, scale, rate, correction, kBeta1, kBeta2, kEpsilon);
        }
        team_.barrier();
        on_caller(hooks.after_apply);
        backend_.pack(parameters_, *weights_, member, team_.size());
        team_.barrier();
      }
    }
  });
  if (!failure.empty()) return Error{failure};
  statistics.stopped = stopping;
  if (over == 0) return statistics;
  adam_steps_ += over;
  const auto rate = static_cast<float>(
      std::min(1.0, static_cast<double>(over) / (options.averaged_share * static_cast<double>(adam_steps_))));
  for (std::size_t i = 0; i < parameters_.size(); ++i) averaged_[i] += rate * (parameters_[i] - averaged_[i]);
  statistics.last_kl = epoch_statistics.rows > 0 ? epoch_statistics.kl / epoch_statistics.rows : 0;
  statistics.gradient_norm /= std::max(1, statistics.minibatches);
  return statistics;
}

}  // namespace rival
