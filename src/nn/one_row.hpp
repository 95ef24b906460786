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
  static bool takes(const Network& network) { return network.convolutions().empty(); }

  // `network` must outlive it.
  explicit OneRow(const Network& network);

  // The head columns [head_size] of one observation row, valid until the next call. `state` [memory size] is read and
  // replaced; null in networks without memory. No allocation.
  const float* forward(std::span<const float> parameters, const ObservationScale& scale, const float* observation,
                       float* state);

 private:
  const Network& net_;
  std::vector<float> row_[2], gates_;
  std::vector<float> encodings_, heads_;  // networks with entities
};

}  // namespace rival
