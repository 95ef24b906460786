// The fast backend's forward pass of a single row: in f32, by kernels.hpp alone, from the parameters as they are.
// Microseconds for a small network, where a pass of oneDNN costs most of its time before the first product.
#pragma once

#include <hwy/aligned_allocator.h>

#include <span>
#include <vector>

#include "nn/backend.hpp"

namespace rival {

// Not thread-safe: one per thread.
class OneRow {
 public:
  // Whether it computes such networks: those without convolutions.
  static bool takes(const Network& network) { return !network.has(OperationKind::convolution); }

  // `network`, which it must take, must outlive it.
  explicit OneRow(const Network& network);

  // The head columns [head_size] of one observation row, valid until the next call. `state` [memory size] is read and
  // replaced; null in networks without memory. No allocation.
  const float* forward(std::span<const float> parameters, const ObservationScale& scale, const float* observation,
                       float* state);

 private:
  const Buffer& shape(int buffer) const { return net_.buffers()[static_cast<std::size_t>(buffer)]; }
  float* at(int buffer) const { return at_[static_cast<std::size_t>(buffer)]; }
  // Which places of a buffer there are.
  struct Presence {
    const float* first;  // features of the entities; null: all are there
    int stride;
    bool operator()(int place) const { return !first || first[place * stride] != 0; }
  };
  Presence presence(int buffer) const {
    const int entities = shape(buffer).entities;
    return entities < 0 ? Presence{nullptr, 0} : Presence{at(entities), shape(entities).columns};
  }

  const Network& net_;
  hwy::AlignedFreeUniquePtr<float[]> values_;
  std::vector<float*> at_;  // per buffer: its values, which entities share with the observation
  float* product_;          // of the operation at hand
};

}  // namespace rival
