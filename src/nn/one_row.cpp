#include "nn/one_row.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.hpp"
#include "base/index.hpp"
#include "nn/isa.hpp"
#include "nn/kernels.hpp"

namespace rival {

OneRow::OneRow(const Network& network) : net_(network) {
  check(takes(network), "a single row of a network with convolutions");
  static_cast<void>(limit_isa());    // make_backend() and the program tell of an error
  constexpr std::size_t kLine = 16;  // floats in a line of the cache, where each buffer begins
  const auto room = [](int size) { return (index(size) + kLine - 1) / kLine * kLine; };
  int width = 0;
  std::size_t total = 0;
  for (const Operation& op : net_.operations()) width = std::max(width, op.columns);
  for (const Buffer& shape : net_.buffers()) total += room(shape.size());
  values_ = hwy::AllocateAligned<float>(total + room(width));
  std::vector<float*> at;  // per buffer
  float* next = values_.get();
  for (const Buffer& shape : net_.buffers()) at.push_back(std::exchange(next, next + room(shape.size())));
  observation_ = at[kObservationBuffer], heads_ = at[kHeadBuffer], product_ = next;

  for (const Operation& op : net_.operations()) {
    if (op.kind == OperationKind::entities) {  // they stay where they are
      at[op.out] = at[op.in] + op.in_column;
      continue;
    }
    // Of what the operation goes over, place by place.
    const Buffer& in = net_.buffers()[op.in];
    const Buffer& over = op.kind == OperationKind::dense     ? net_.buffers()[op.out]
                         : op.kind == OperationKind::targets ? net_.buffers()[op.encodings]
                                                             : in;
    Step step{&op, at[op.in] + op.in_column, at[op.out] + op.out_column, over.places, in.columns, over.columns};
    if (over.entities >= 0) step.there = at[over.entities], step.there_stride = net_.buffers()[over.entities].columns;
    if (op.kind == OperationKind::targets) step.encodings = at[op.encodings];
    if (op.context >= 0) step.context = at[op.context];
    if (op.kind == OperationKind::largest) {
      const auto encoder = std::find_if(steps_.begin(), steps_.end(), [&](const Step& s) { return s.out == step.in; });
      check(encoder != steps_.end(), "the largest of what no operation makes");
      encoder->largest = step.out;
      continue;
    }
    steps_.push_back(step);
  }
}

const float* OneRow::forward(std::span<const float> parameters, const ObservationScale& scale, const float* observation,
                             float* state) {
  kernels::encode(observation, scale.mean.data(), scale.scale.data(), 1, net_.observation_size(), observation_, 0);
  for (const Step& step : steps_) {
    const Operation& op = *step.op;
    const float *x = step.in, *there = step.there;
    float* y = step.out;
    const float *w = parameters.data() + op.weight, *b = parameters.data() + op.bias;
    if (step.context) {  // the same at every place, as a bias is
      kernels::dense_row(step.context, w + index(op.own_rows()) * op.columns, b, op.context_columns, op.columns, false,
                         product_);
      b = product_;
    }
    const auto product = [&](const float* from, float* to) {
      kernels::dense_row(from, w, b, op.own_rows(), op.columns, op.relu, to);
    };
    switch (op.kind) {
      case OperationKind::copy:
        std::copy_n(x, op.columns, y);
        break;
      case OperationKind::dense: {
        float* largest = step.largest;
        if (largest) std::fill_n(largest, op.columns, 0.0f);
        for (int i = 0; i < step.places; ++i, x += step.in_stride, y += step.out_stride, there += step.there_stride) {
          if (there && *there == 0) {
            std::fill_n(y, op.columns, 0.0f);
            continue;
          }
          product(x, y);
          if (largest)
            for (int c = 0; c < op.columns; ++c) largest[c] = std::max(largest[c], y[c]);
        }
        break;
      }
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
        const float *query = product_, *e = step.encodings;
        const float shrink = op.scale();
        product(x, product_);
        for (int i = 0; i < step.places; ++i, e += op.columns) {
          float sum = 0;
          for (int c = 0; c < op.columns; ++c) sum += query[c] * e[c];
          y[i] = shrink * sum;
        }
        break;
      }
      case OperationKind::entities:     // looked up beforehand
      case OperationKind::largest:      // a part of the product before
      case OperationKind::convolution:  // see takes()
        break;
    }
  }
  return heads_;
}

}  // namespace rival
