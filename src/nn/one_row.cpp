#include "nn/one_row.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.hpp"
#include "nn/isa.hpp"
#include "nn/kernels.hpp"

namespace rival {

OneRow::OneRow(const Network& network) : net_(network) {
  check(takes(network), "a single row of a network with convolutions");
  limit_isa();
  constexpr std::size_t kLine = 16;  // floats in a line of the cache, where each buffer begins
  const auto room = [](int size) { return (static_cast<std::size_t>(size) + kLine - 1) / kLine * kLine; };
  int width = 0;
  std::size_t total = 0;
  for (const Operation& op : net_.operations()) width = std::max(width, op.columns);
  for (const Buffer& shape : net_.buffers()) total += room(shape.size());
  values_ = hwy::AllocateAligned<float>(total + room(width));
  float* next = values_.get();
  for (const Buffer& shape : net_.buffers()) at_.push_back(std::exchange(next, next + room(shape.size())));
  product_ = next;
}

const float* OneRow::forward(std::span<const float> parameters, const ObservationScale& scale, const float* observation,
                             float* state) {
  kernels::encode(observation, scale.mean.data(), scale.scale.data(), 1, net_.observation_size(),
                  at_[kObservationBuffer], 0);
  for (const Operation& op : net_.operations()) {
    const float* x = at(op.in) + op.in_column;
    float* y = at(op.out) + op.out_column;
    const auto product = [&](const float* from, float* to) {
      kernels::dense_row(from, parameters.data() + op.weight, parameters.data() + op.bias, op.rows, op.columns, op.relu,
                         to);
    };
    switch (op.kind) {
      case OperationKind::copy:
        std::copy_n(x, op.columns, y);
        break;
      case OperationKind::entities:
        at_[static_cast<std::size_t>(op.out)] = const_cast<float*>(x);
        break;
      case OperationKind::dense: {
        const int places = shape(op.out).places, in = shape(op.in).columns, out = shape(op.out).columns;
        const Presence there = presence(op.out);
        for (int i = 0; i < places; ++i, x += in, y += out) {
          if (there(i))
            product(x, y);
          else
            std::fill_n(y, op.columns, 0.0f);
        }
        break;
      }
      case OperationKind::convolution:  // see takes()
        break;
      case OperationKind::largest:
        std::fill_n(y, op.columns, 0.0f);
        for (int i = 0, places = shape(op.in).places; i < places; ++i, x += op.columns)
          for (int c = 0; c < op.columns; ++c) y[c] = std::max(y[c], x[c]);
        break;
      case OperationKind::mingru: {
        check(state != nullptr, "a single row of a network with memory needs its state");
        const int m = op.rows;
        const float* gates = product_;
        product(x, product_);
        for (int i = 0; i < m; ++i) {
          const float z = 1 / (1 + std::exp(-gates[i]));
          state[i] += z * (gates[m + i] - state[i]);
          y[i] = x[i] + state[i];
        }
        break;
      }
      case OperationKind::targets: {
        const float *query = product_, *e = at(op.encodings);
        const float shrink = op.scale();
        product(x, product_);
        for (int i = 0; i < shape(op.encodings).places; ++i, e += op.columns) {
          float sum = 0;
          for (int c = 0; c < op.columns; ++c) sum += query[c] * e[c];
          y[i] = shrink * sum;
        }
      }
    }
  }
  return at(kHeadBuffer);
}

}  // namespace rival
