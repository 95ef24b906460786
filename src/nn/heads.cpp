#include "nn/heads.hpp"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/heads.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h must come first.
#include "base/index.hpp"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

// Rows are handled a vector's worth at a time, a lane per row: their columns are first transposed into a small tile
// (column after column), so that no sum goes across lanes and every instruction set gives the same order of additions.

HWY_BEFORE_NAMESPACE();
namespace rival::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

constexpr float kForbidden = -1e9f;    // the logit of a masked choice
constexpr float kLargestLogit = 1e8f;  // of an allowed one, up or down
constexpr float kHalfLog2Pi = 0.91893853f;

struct Tile {
  std::vector<float> logits, p;  // [columns x lanes]
};

Tile& tile_for(int columns) {
  thread_local Tile tile;
  const std::size_t size = index(columns + 1) * hn::Lanes(D());
  if (tile.logits.size() < size) tile.logits.resize(size), tile.p.resize(size);
  return tile;
}

float largest_magnitude(const float* x, int size) {
  float largest = 0;
  for (int i = 0; i < size; ++i) largest = std::max(largest, std::fabs(x[i]));
  return largest;
}

// Transposes the logits of `lanes` rows (repeating the last row beyond `count`), with forbidden choices masked out. A
// temperature so low that it would take a row's logits out of range is raised for that row: it is as good as 0 there.
void load_tile(const float* heads, int head_size, const std::uint8_t* masks, int mask_size, int count, int lanes,
               float inverse_temperature, float* tile) {
  for (int r = 0; r < count; ++r) {
    const float* h = heads + static_cast<std::ptrdiff_t>(r) * head_size;
    const std::uint8_t* m = masks + static_cast<std::ptrdiff_t>(r) * mask_size;
    const auto fill = [&](float scale) {
      float largest = 0;
      for (int c = 0; c < mask_size; ++c) {
        const float logit = h[c] * scale;
        largest = std::max(largest, std::fabs(logit));
        tile[c * lanes + r] = m[c] ? logit : kForbidden;
      }
      return largest;
    };
    if (!(fill(std::min(inverse_temperature, kLargestLogit)) <= kLargestLogit))
      fill(kLargestLogit / largest_magnitude(h, mask_size));
  }
  if (count == lanes) return;
  for (int c = 0; c < mask_size; ++c) {
    float* column = tile + c * lanes;
    std::fill(column + count, column + lanes, column[count - 1]);
  }
}

// Of one part's columns: probabilities into p, and log of the normaliser (to subtract from logits). Where nothing is
// allowed, the probabilities are zero.
V softmax(const float* logits, int size, int lanes, float* p) {
  const D d;
  V top = hn::LoadU(d, logits);
  for (int c = 1; c < size; ++c) top = hn::Max(top, hn::LoadU(d, logits + c * lanes));
  V sum = hn::Zero(d);
  for (int c = 0; c < size; ++c) {
    const V e = hn::Exp(d, hn::Max(hn::Sub(hn::LoadU(d, logits + c * lanes), top), hn::Set(d, -80.0f)));
    const V allowed = hn::IfThenElseZero(hn::Gt(hn::LoadU(d, logits + c * lanes), hn::Set(d, 0.5f * kForbidden)), e);
    hn::StoreU(allowed, d, p + c * lanes);
    sum = hn::Add(sum, allowed);
  }
  sum = hn::IfThenElse(hn::Gt(sum, hn::Zero(d)), sum, hn::Set(d, 1.0f));
  const V inverse = hn::Div(hn::Set(d, 1.0f), sum);
  for (int c = 0; c < size; ++c) hn::StoreU(hn::Mul(hn::LoadU(d, p + c * lanes), inverse), d, p + c * lanes);
  return hn::Add(top, hn::Log(d, sum));
}

// The lowest allowed choice of one row's part, or 0.
int lowest_allowed(const float* logits, int size, int lanes) {
  for (int c = 0; c < size; ++c)
    if (logits[c * lanes] > 0.5f * kForbidden) return c;
  return 0;
}

void sample(const HeadLayout& layout, const float* heads, const float* log_std, const std::uint8_t* masks, int rows,
            Key key, float temperature, const SampledActions& out) {
  const D d;
  const int n = static_cast<int>(hn::Lanes(d));
  const int head_size = layout.head_size(), parts = layout.choice_count();
  Tile& tile = tile_for(std::max(1, layout.mask_size));
  float uniform[64], total[64], chosen[64];
  const bool greedy = temperature <= 0;
  for (int first = 0; first < rows; first += n) {
    const int count = std::min(n, rows - first);
    load_tile(heads + static_cast<std::ptrdiff_t>(first) * head_size, head_size,
              masks + static_cast<std::ptrdiff_t>(first) * layout.mask_size, layout.mask_size, count, n,
              greedy ? 1.0f : 1 / temperature, tile.logits.data());
    std::fill(total, total + n, 0.0f);
    for (int part = 0; part < parts; ++part) {
      const int size = layout.discrete[part];
      const int column = layout.column[part];
      const float* logits = tile.logits.data() + column * n;
      float* p = tile.p.data();
      std::int32_t* choices = out.choices + static_cast<std::ptrdiff_t>(first) * parts;
      std::uint64_t counted = 0;  // bit r: it counts in row r
      for (int r = 0; r < count; ++r)
        counted |= static_cast<std::uint64_t>(layout.counts(part, choices + r * parts)) << r;
      if (!counted) {
        for (int r = 0; r < count; ++r) choices[r * parts + part] = lowest_allowed(logits + r, size, n);
        continue;
      }
      const V normaliser = softmax(logits, size, n, p);
      V choice = hn::Zero(d);
      if (greedy) {
        V best = hn::LoadU(d, p);
        for (int c = 1; c < size; ++c) {
          const V pc = hn::LoadU(d, p + c * n);
          choice = hn::IfThenElse(hn::Gt(pc, best), hn::Set(d, static_cast<float>(c)), choice);
          best = hn::Max(best, pc);
        }
      } else {
        for (int r = 0; r < n; ++r)
          uniform[r] = Random(key.split(static_cast<std::uint64_t>(first + r) * 64 + static_cast<std::uint64_t>(part)))
                           .uniform();
        // The inverse of the cumulative distribution; the last allowed choice takes what rounding leaves over.
        V left = hn::LoadU(d, uniform);
        auto open = hn::Eq(left, left);
        for (int c = 0; c < size; ++c) {
          const V pc = hn::LoadU(d, p + c * n);
          choice = hn::IfThenElse(hn::And(open, hn::Gt(pc, hn::Zero(d))), hn::Set(d, static_cast<float>(c)), choice);
          left = hn::Sub(left, pc);
          open = hn::And(open, hn::Ge(left, hn::Zero(d)));
        }
      }
      hn::StoreU(choice, d, chosen);
      float log_z[64];
      hn::StoreU(normaliser, d, log_z);
      for (int r = 0; r < count; ++r) {
        const bool counts = counted >> r & 1;
        const int c = counts ? static_cast<int>(chosen[r]) : lowest_allowed(logits + r, size, n);
        choices[r * parts + part] = c;
        if (counts) total[r] += logits[c * n + r] - log_z[r];
      }
    }
    for (int r = 0; r < count; ++r) {
      const float* mean = heads + static_cast<std::ptrdiff_t>(first + r) * head_size + layout.mask_size;
      const std::int32_t* choices = out.choices + static_cast<std::ptrdiff_t>(first + r) * parts;
      for (int i = 0; i < layout.value_count; ++i) {
        if (!layout.value_counts(i, choices)) {
          out.raw[static_cast<std::ptrdiff_t>(first + r) * layout.value_count + i] = 0;
          continue;
        }
        Random random(key.split(static_cast<std::uint64_t>(first + r) * 64 + 32).split(static_cast<std::uint64_t>(i)));
        const float u = 1 - random.uniform(), w = random.uniform();
        const float noise = std::sqrt(-2 * std::log(u)) * std::cos(6.2831853f * w) * (greedy ? 0 : temperature);
        out.raw[static_cast<std::ptrdiff_t>(first + r) * layout.value_count + i] =
            mean[i] + noise * std::exp(log_std[i]);
        total[r] += -0.5f * noise * noise - log_std[i] - kHalfLog2Pi;
      }
      out.log_probability[first + r] = total[r];
    }
  }
}

void probabilities(const HeadLayout& layout, const float* heads, const std::uint8_t* masks, int rows, float temperature,
                   float* out) {
  const D d;
  const int n = static_cast<int>(hn::Lanes(d));
  Tile& tile = tile_for(std::max(1, layout.mask_size));
  for (int first = 0; first < rows; first += n) {
    const int count = std::min(n, rows - first);
    load_tile(heads + static_cast<std::ptrdiff_t>(first) * layout.head_size(), layout.head_size(),
              masks + static_cast<std::ptrdiff_t>(first) * layout.mask_size, layout.mask_size, count, n,
              1 / temperature, tile.logits.data());
    int column = 0;
    for (int size : layout.discrete) {
      softmax(tile.logits.data() + column * n, size, n, tile.p.data());
      for (int r = 0; r < count; ++r)
        for (int c = 0; c < size; ++c)
          out[static_cast<std::ptrdiff_t>(first + r) * layout.mask_size + column + c] = tile.p[c * n + r];
      column += size;
    }
  }
}

// As many rows as a vector has lanes, of those that a loss is summed over; behind the last row it is repeated, with
// weight 0.
struct LossBlock {
  const HeadLayout& layout;
  const PpoRows& in;
  const float* log_std;
  Tile& tile;
  int lanes;
  int first = 0, count = 0;      // rows
  const float* heads = nullptr;  // of the first row
  float weight[64], logp[64], old_logp[64], advantage[64], slope[64], error[64];
  // Per part [lanes]: its entropy, the probability that it counts, whether it does (1 or 0), and the entropy that the
  // parts which depend on it are expected to add. What each of its choices makes them add is taken off its log p in the
  // tile, for the gradient.
  float *entropies, *likely, *counted, *dependent;
  float* value_likely;  // [values x lanes] the probability that a value counts

  LossBlock(const HeadLayout& of, const PpoRows& rows, const float* deviations, int width)
      : layout(of), in(rows), log_std(deviations), tile(tile_for(std::max(1, of.mask_size))), lanes(width) {
    thread_local std::vector<float> per_part;
    const int size = of.choice_count() * lanes;
    per_part.resize(index(4 * size + of.value_count * lanes) + 1);
    entropies = per_part.data();
    likely = entropies + size;
    counted = likely + size;
    dependent = counted + size;
    value_likely = dependent + size;
    std::fill(value_likely, value_likely + of.value_count * lanes, 1.0f);
  }

  void take(const float* all_heads, int first_row, int rows, bool likelihood) {
    const int head_size = layout.head_size(), block_size = layout.choice_count() * lanes;
    first = first_row;
    count = std::min(lanes, rows - first);
    heads = all_heads + static_cast<std::ptrdiff_t>(first) * head_size;
    load_tile(heads, head_size, in.masks + static_cast<std::ptrdiff_t>(first) * layout.mask_size, layout.mask_size,
              count, lanes, 1.0f, tile.logits.data());
    for (int r = 0; r < lanes; ++r) {
      const int row = first + std::min(r, count - 1);
      weight[r] = r < count ? 1.0f : 0.0f;
      old_logp[r] = likelihood ? 0 : in.log_probability[row];
      advantage[r] = in.advantages[row];
      error[r] = heads[std::min(r, count - 1) * head_size + head_size - 1] - in.targets[row];
      logp[r] = 0;
    }
    std::fill(likely, likely + 2 * block_size, 1.0f);
    std::fill(dependent, dependent + block_size, 0.0f);
  }

  // By the row's place in the block; behind the last row, of the last one.
  const std::int32_t* choices(int r) const {
    return in.choices + static_cast<std::ptrdiff_t>(first + std::min(r, count - 1)) * layout.choice_count();
  }
  // How far the value that was chosen lies from its mean, in standard deviations.
  float deviation(int r, int value, float inverse) const {
    return (in.raw[static_cast<std::ptrdiff_t>(first + r) * layout.value_count + value] -
            heads[r * layout.head_size() + layout.mask_size + value]) *
           inverse;
  }
  float value_entropy(int value) const { return log_std[value] + 0.5f + kHalfLog2Pi; }
};

// Adds the entropy `h` of what counts only with `choices` of part `on`; returns the probability that it does.
V add_conditional(LossBlock& b, int on, std::uint64_t choices, V h, V& sum) {
  const D d;
  V probability = hn::Zero(d);
  for (std::uint64_t left = choices; left; left &= left - 1) {
    const int at = (b.layout.column[on] + __builtin_ctzll(left)) * b.lanes;
    probability = hn::Add(probability, hn::LoadU(d, b.tile.p.data() + at));
    hn::StoreU(hn::Sub(hn::LoadU(d, b.tile.logits.data() + at), h), d, b.tile.logits.data() + at);
  }
  const V expected = hn::Mul(probability, h);
  sum = hn::Add(sum, expected);
  hn::StoreU(hn::Add(hn::LoadU(d, b.dependent + on * b.lanes), expected), d, b.dependent + on * b.lanes);
  return probability;
}

// The log probabilities of what was chosen; returns the entropies.
V forward(LossBlock& b) {
  const D d;
  const HeadLayout& layout = b.layout;
  const int n = b.lanes, values = layout.value_count;
  float of_values = 0;
  for (int i = 0; i < values; ++i)
    if (layout.value_when_part[i] < 0) of_values += b.value_entropy(i);
  V entropy = hn::Set(d, of_values);
  for (int part = 0; part < layout.choice_count(); ++part) {
    const int size = layout.discrete[part];
    const int column = layout.column[part];
    float* logits = b.tile.logits.data() + column * n;
    float* p = b.tile.p.data() + column * n;
    const V normaliser = softmax(logits, size, n, p);
    V h = hn::Zero(d);
    for (int c = 0; c < size; ++c) {
      const V l = hn::Sub(hn::LoadU(d, logits + c * n), normaliser);
      hn::StoreU(l, d, logits + c * n);
      h = hn::Sub(h, hn::Mul(hn::LoadU(d, p + c * n), l));
    }
    hn::StoreU(h, d, b.entropies + part * n);
    for (int r = 0; r < n; ++r) {
      const std::int32_t* choices = b.choices(r);
      if (layout.counts(part, choices))
        b.logp[r] += logits[choices[part] * n + r];
      else
        b.counted[part * n + r] = 0;
    }
    if (const int on = layout.when_part[part]; on < 0)
      entropy = hn::Add(entropy, h);
    else
      hn::StoreU(add_conditional(b, on, layout.when_choices[part], h, entropy), d, b.likely + part * n);
  }
  for (int i = 0; i < values; ++i)
    if (const int on = layout.value_when_part[i]; on >= 0)
      hn::StoreU(add_conditional(b, on, layout.value_when_choices[i], hn::Set(d, b.value_entropy(i)), entropy), d,
                 b.value_likely + i * n);
  for (int r = 0; r < b.count && values; ++r)
    for (int i = 0; i < values; ++i) {
      if (!layout.value_counts(i, b.choices(r))) continue;
      const float u = b.deviation(r, i, std::exp(-b.log_std[i]));
      b.logp[r] += -0.5f * u * u - b.log_std[i] - kHalfLog2Pi;
    }
  return entropy;
}

// From the slopes by log p to the gradients by the heads.
void backward(const LossBlock& b, const PpoLoss& loss, float* dheads, float* dlog_std) {
  const D d;
  const HeadLayout& layout = b.layout;
  const int n = b.lanes, head_size = layout.head_size(), values = layout.value_count;
  float lane[64];
  dheads += static_cast<std::ptrdiff_t>(b.first) * head_size;
  const V s = hn::LoadU(d, b.slope), bonus = hn::Set(d, loss.entropy * loss.weight);
  for (int part = 0; part < layout.choice_count(); ++part) {
    const int size = layout.discrete[part];
    const int column = layout.column[part];
    const V h = hn::Add(hn::LoadU(d, b.entropies + part * n), hn::LoadU(d, b.dependent + part * n));
    const V part_bonus = hn::Mul(bonus, hn::LoadU(d, b.likely + part * n));
    const V part_slope = hn::Mul(s, hn::LoadU(d, b.counted + part * n));
    for (int c = 0; c < size; ++c) {
      const V p = hn::LoadU(d, b.tile.p.data() + (column + c) * n);
      const V l = hn::LoadU(d, b.tile.logits.data() + (column + c) * n);
      const V g = hn::Mul(p, hn::Sub(hn::Mul(part_bonus, hn::Add(l, h)), part_slope));
      hn::StoreU(g, d, lane);
      for (int r = 0; r < b.count; ++r) dheads[r * head_size + column + c] = lane[r];
    }
    for (int r = 0; r < b.count; ++r)
      if (const std::int32_t* choices = b.choices(r); layout.counts(part, choices))
        dheads[r * head_size + column + choices[part]] += b.slope[r];
  }
  for (int r = 0; r < b.count; ++r) {
    float* row = dheads + r * head_size;
    for (int i = 0; i < values; ++i) {
      const float value_bonus = loss.entropy * loss.weight * b.value_likely[i * n + r];
      if (!layout.value_counts(i, b.choices(r))) {
        row[layout.mask_size + i] = 0;
        dlog_std[i] -= value_bonus;
        continue;
      }
      const float inverse = std::exp(-b.log_std[i]);
      const float u = b.deviation(r, i, inverse);
      row[layout.mask_size + i] = b.slope[r] * u * inverse;
      dlog_std[i] += b.slope[r] * (u * u - 1) - value_bonus;
    }
    row[head_size - 1] = loss.value * loss.weight * b.error[r];
  }
}

PpoStatistics loss_rows(const HeadLayout& layout, const PpoLoss& loss, const float* heads, const float* log_std,
                        const PpoRows& in, int rows, float* dheads, float* dlog_std) {
  const D d;
  const int n = static_cast<int>(hn::Lanes(d));
  LossBlock block(layout, in, log_std, n);
  const V zero = hn::Zero(d), one = hn::Set(d, 1.0f);
  V policy_sum = zero, value_sum = zero, entropy_sum = zero, kl_sum = zero, clipped_sum = zero;
  for (int first = 0; first < rows; first += n) {
    block.take(heads, first, rows, loss.likelihood);
    const V entropy = forward(block);
    const V w = hn::LoadU(d, block.weight), advantage = hn::LoadU(d, block.advantage), logp = hn::LoadU(d, block.logp);
    V s = hn::Neg(advantage);  // d loss / d log p of the action, per row
    if (loss.likelihood) {
      policy_sum = hn::Sub(policy_sum, hn::Mul(w, hn::Mul(advantage, logp)));
    } else {
      const V log_ratio = hn::Min(hn::Sub(logp, hn::LoadU(d, block.old_logp)), hn::Set(d, 20.0f));
      const V ratio = hn::Exp(d, log_ratio);
      const V clipped = hn::Min(hn::Max(ratio, hn::Set(d, 1 - loss.clip)), hn::Set(d, 1 + loss.clip));
      const V gain = hn::Mul(ratio, advantage), gain_clipped = hn::Mul(clipped, advantage);
      const auto inside = hn::Le(gain, gain_clipped);
      policy_sum = hn::Sub(policy_sum, hn::Mul(w, hn::Min(gain, gain_clipped)));
      kl_sum = hn::Add(kl_sum, hn::Mul(w, hn::Sub(hn::Sub(ratio, one), log_ratio)));
      clipped_sum = hn::Add(clipped_sum, hn::IfThenZeroElse(inside, w));
      s = hn::IfThenElseZero(inside, hn::Neg(gain));
    }
    hn::StoreU(hn::Mul(s, hn::Set(d, loss.weight)), d, block.slope);
    entropy_sum = hn::Add(entropy_sum, hn::Mul(w, entropy));
    const V e = hn::LoadU(d, block.error);
    value_sum = hn::Add(value_sum, hn::Mul(w, hn::Mul(e, e)));
    backward(block, loss, dheads, dlog_std);
  }
  PpoStatistics statistics;
  float lane[64];
  const auto sum = [&](V v) {
    hn::StoreU(v, d, lane);
    double total = 0;
    for (int r = 0; r < n; ++r) total += static_cast<double>(lane[r]);
    return total;
  };
  statistics.rows = rows;
  statistics.policy_loss = sum(policy_sum);
  statistics.value_loss = 0.5 * sum(value_sum);
  statistics.entropy = sum(entropy_sum);
  statistics.kl = sum(kl_sum);
  statistics.clipped = sum(clipped_sum);
  return statistics;
}

}  // namespace rival::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rival {

HWY_EXPORT(sample);
HWY_EXPORT(probabilities);
HWY_EXPORT(loss_rows);

HeadLayout::HeadLayout(const std::vector<ActionPart>& action) {
  std::vector<int> number;  // of each part among the discrete ones
  for (const ActionPart& part : action) {
    const int on = part.when_part < 0 ? -1 : number[part.when_part];
    number.push_back(choice_count());
    if (part.is_choice()) {
      discrete.push_back(part.size);
      column.push_back(mask_size);
      when_part.push_back(on);
      when_choices.push_back(part.when_choices);
      mask_size += part.size;
    } else {
      const std::size_t size = part.size;
      value_count += part.size;
      low.insert(low.end(), size, part.low);
      high.insert(high.end(), size, part.high);
      value_when_part.insert(value_when_part.end(), size, on);
      value_when_choices.insert(value_when_choices.end(), size, part.when_choices);
    }
  }
}

void sample_actions(const HeadLayout& layout, const float* heads, const float* log_std, const std::uint8_t* masks,
                    int rows, Key key, float temperature, const SampledActions& out) {
  HWY_DYNAMIC_DISPATCH(sample)(layout, heads, log_std, masks, rows, key, temperature, out);
}

void action_probabilities(const HeadLayout& layout, const float* heads, const std::uint8_t* masks, int rows,
                          float temperature, float* out) {
  HWY_DYNAMIC_DISPATCH(probabilities)(layout, heads, masks, rows, temperature, out);
}

void log_probabilities(const HeadLayout& layout, const float* heads, const float* log_std, const std::uint8_t* masks,
                       int rows, const std::int32_t* choices, const float* raw, float* log_probability) {
  for (int r = 0; r < rows; ++r) {
    float total = 0;
    for (int part = 0; part < layout.choice_count(); ++part) {
      if (!layout.counts(part, choices)) continue;
      const int first = layout.column[part];
      const int end = first + layout.discrete[part];
      float most = -std::numeric_limits<float>::infinity(), sum = 0;
      for (int c = first; c < end; ++c)
        if (masks[c]) most = std::max(most, heads[c]);
      for (int c = first; c < end; ++c)
        if (masks[c]) sum += std::exp(heads[c] - most);
      total += heads[first + choices[part]] - most - std::log(sum);
    }
    for (int i = 0; i < layout.value_count; ++i) {
      if (!layout.value_counts(i, choices)) continue;
      const float noise = (raw[i] - heads[layout.mask_size + i]) * std::exp(-log_std[i]);
      total += -0.5f * noise * noise - log_std[i] - HWY_NAMESPACE::kHalfLog2Pi;
    }
    log_probability[r] = total;
    heads += layout.head_size(), masks += layout.mask_size;
    choices += layout.choice_count(), raw += layout.value_count;
  }
}

void scale_values(const HeadLayout& layout, const float* raw, int rows, float* values) {
  const std::size_t n = layout.value_count;
  for (std::size_t r = 0; r < index(rows); ++r)
    for (std::size_t i = 0; i < n; ++i)
      values[r * n + i] =
          layout.low[i] + 0.5f * (std::clamp(raw[r * n + i], -1.0f, 1.0f) + 1) * (layout.high[i] - layout.low[i]);
}

void raw_values(const HeadLayout& layout, const float* values, int rows, float* raw) {
  const std::size_t n = layout.value_count;
  for (std::size_t r = 0; r < index(rows); ++r)
    for (std::size_t i = 0; i < n; ++i)
      raw[r * n + i] = 2 * (values[r * n + i] - layout.low[i]) / (layout.high[i] - layout.low[i]) - 1;
}

void PpoStatistics::add(const PpoStatistics& other) {
  rows += other.rows;
  policy_loss += other.policy_loss;
  value_loss += other.value_loss;
  entropy += other.entropy;
  kl += other.kl;
  clipped += other.clipped;
}

PpoStatistics ppo_loss(const HeadLayout& layout, const PpoLoss& loss, const float* heads, const float* log_std,
                       const PpoRows& rows, int count, float* head_gradients, float* log_std_gradients) {
  return HWY_DYNAMIC_DISPATCH(loss_rows)(layout, loss, heads, log_std, rows, count, head_gradients, log_std_gradients);
}

}  // namespace rival
#endif  // HWY_ONCE
