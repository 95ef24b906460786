// The fast backend's forward pass of a single row: in f32, by kernels.hpp alone, from the parameters as they are.
// Microseconds for a small network, where a pass of oneDNN costs most of its time before the first product.
#pragma once

#include <span>
#include <vector>

#include "nn/backend.hpp"

namespace rival {

// Not thread-safe: one per thread.
class OneRow {
 public:
  // Whether it computes such networks: those without convolutions.
  static bool takes(const Network& network) { return !network.has(OperationKind::convolution); }

  // `network` must outlive it.
  explicit OneRow(const Network& network);

  // The head columns [head_size] of one observation row, valid until the next call. `state` [memory size] is read and
  // replaced; null in networks without memory. No allocation.
  const float* forward(std::span<const float> parameters, const ObservationScale& scale, const float* observation,
                       float* state);

 private:
  const Buffer& shape(int buffer) const { return net_.buffers()[static_cast<std::size_t>(buffer)]; }
  float* at(int buffer) const { return at_[static_cast<std::size_t>(buffer)]; }
  bool is_there(const Buffer& shape, int place) const {
    return shape.entities < 0 || at(shape.entities)[place * this->shape(shape.entities).columns] != 0;
  }

  const Network& net_;
  std::vector<std::vector<float>> values_;  // per buffer
  std::vector<float*> at_;                  // per buffer: its values, which entities share with the observation
  std::vector<float> product_;              // of the operation at hand
};

}  // namespace rival
