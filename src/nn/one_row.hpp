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
  // An operation, with what it says looked up.
  struct Step {
    const Operation* op;
    const float* in;
    float* out;
    // Places, and floats from one to the next.
    int places, in_stride, out_stride;
    // Which places there are: those whose number here is not 0; null: all.
    const float* there;
    int there_stride;
    const float* encodings;  // targets
    const float* context;    // dense; null: none
    float* largest;          // dense: also the largest of each column over the places; null: nobody asks
  };

  const Network& net_;
  hwy::AlignedFreeUniquePtr<float[]> values_;  // of the buffers, and the product of the operation at hand
  float *observation_, *heads_, *product_;
  std::vector<Step> steps_;
};

}  // namespace rival
