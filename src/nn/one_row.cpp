#include "nn/one_row.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "nn/isa.hpp"
#include "nn/kernels.hpp"

namespace rival {

OneRow::OneRow(const Network& network) : net_(network) {
  limit_isa();
  int width = std::max(net_.observation_size(), net_.head_size());
  for (const DenseLayer& layer : net_.trunk()) width = std::max({width, layer.in, layer.out});
  for (const TargetHead& target : net_.targets()) width = std::max(width, target.query.out);
  for (auto& row : row_) row.resize(static_cast<std::size_t>(width));
  int encodings = 0;
  for (const EntityEncoder& encoder : net_.encoders()) encodings += encoder.count * encoder.layer.out;
  encodings_.resize(static_cast<std::size_t>(encodings));
  heads_.resize(static_cast<std::size_t>(net_.head_size()));
  gates_.resize(static_cast<std::size_t>(2 * net_.memory().size));
}

const float* OneRow::forward(std::span<const float> parameters, const ObservationScale& scale, const float* observation,
                             float* state) {
  check(takes(net_), "a single row of a network with convolutions");
  const float* p = parameters.data();
  const auto dense = [p](const DenseLayer& layer, const float* in, float* out) {
    kernels::dense_row(in, p + layer.weight, p + layer.bias, layer.in, layer.out, layer.relu, out);
  };
  float *x = row_[0].data(), *y = row_[1].data();
  kernels::encode(observation, scale.mean.data(), scale.scale.data(), 1, net_.observation_size(), x, 0);
  float* encoding = encodings_.data();
  if (!net_.encoders().empty()) {
    float* out = y;
    for (const FlatColumns& flat : net_.flat()) out = std::copy_n(x + flat.first, flat.size, out);
    for (const EntityEncoder& encoder : net_.encoders()) {
      const int width = encoder.layer.out;
      std::fill_n(out, width, 0.0f);
      for (int i = 0; i < encoder.count; ++i, encoding += width) {
        const float* entity = x + encoder.first + i * encoder.layer.in;
        if (entity[0] == 0) {
          std::fill_n(encoding, width, 0.0f);
          continue;
        }
        dense(encoder.layer, entity, encoding);
        for (int c = 0; c < width; ++c) out[c] = std::max(out[c], encoding[c]);
      }
      out += width;
    }
    std::swap(x, y);
  }
  for (const DenseLayer& layer : net_.trunk()) {
    dense(layer, x, y);
    std::swap(x, y);
  }
  if (const int m = net_.memory().size) {
    check(state != nullptr, "a single row of a network with memory needs its state");
    kernels::dense_row(x, p + net_.memory().weight, p + net_.memory().bias, m, 2 * m, false, gates_.data());
    for (int i = 0; i < m; ++i) {
      const float z = 1 / (1 + std::exp(-gates_[static_cast<std::size_t>(i)]));
      state[i] += z * (gates_[static_cast<std::size_t>(m + i)] - state[i]);
      x[i] += state[i];
    }
  }
  dense(net_.head(), x, y);
  if (net_.targets().empty()) return y;
  float* heads = heads_.data();
  for (const HeadColumns& columns : net_.head_columns())
    std::copy_n(y + columns.from, columns.size, heads + columns.to);
  for (const TargetHead& target : net_.targets()) {
    dense(target.query, x, y);
    const float* e = encodings_.data();
    for (int k = 0; k < target.encoder; ++k) {
      const EntityEncoder& before = net_.encoders()[static_cast<std::size_t>(k)];
      e += before.count * before.layer.out;
    }
    const int width = target.query.out;
    const float shrink = target.scale();
    for (int i = 0; i < net_.encoders()[static_cast<std::size_t>(target.encoder)].count; ++i, e += width) {
      float sum = 0;
      for (int c = 0; c < width; ++c) sum += y[c] * e[c];
      heads[target.column + i] = shrink * sum;
    }
  }
  return heads;
}

}  // namespace rival
