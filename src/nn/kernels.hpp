// The arithmetic around the matrix products, vectorised with Highway for the best instruction set of the processor at
// run time. All arrays are row-major and belong to the caller; rows are `stride` elements apart where a stride is
// given.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rival {

// The upper half of an f32. Conversions round to nearest even.
struct Bf16 {
  std::uint16_t bits = 0;
};

}  // namespace rival

namespace rival::kernels {

// out = clip((x - mean) * scale, -10, 10).
void encode(const float* x, const float* mean, const float* scale, int rows, int columns, float* out, int stride);
void encode(const float* x, const float* mean, const float* scale, int rows, int columns, Bf16* out, int stride);

void convert(const float* x, std::size_t count, float* out);
void convert(const float* x, std::size_t count, Bf16* out);
void convert(const Bf16* x, std::size_t count, float* out);

// dy = 0 where y = 0 (y is a ReLU's output), and sums[c] += sum over rows of dy's column c. `y` may be null: sums only.
void relu_backward(float* dy, const float* y, int rows, int columns, float* sums);
void relu_backward(Bf16* dy, const Bf16* y, int rows, int columns, float* sums);

// out = max(x + bias, 0) per row (or x + bias).
void add_bias(float* x, const float* bias, int rows, int columns, bool relu);

// The MinGRU's recurrence, in row order. gates [rows x 2 size] holds (a, c); writes z and h [rows x size], and y = x +
// h. previous, initial, states: see MemoryRows.
void mingru_forward(const float* gates, int rows, int size, const int* previous, const int* initial,
                    const float* states, float* z, float* h);
// From dh [rows x size] (overwritten: becomes the whole gradient by each h), the gradients by the gates.
void mingru_backward(const float* gates, const float* z, const float* h, int rows, int size, const int* previous,
                     const int* initial, const float* states, float* dh, float* dgates);
void add(const float* a, std::size_t count, float* out);

// The entities of many rows, those of row r being [begin[r], begin[r + 1]); entity n is number slot[n] of its row.
struct EntityRows {
  const int* begin;  // [rows + 1]
  const int* slot;   // [entities]
  int rows, width;   // width of an entity's encoding
};
// pooled = the largest value of each column over a row's entities, 0 without any; e [entities x width] is at least 0.
void pool_entities(const float* e, const EntityRows& entities, float* pooled, int stride);
void pool_entities(const Bf16* e, const EntityRows& entities, Bf16* pooled, int stride);
// de = the gradient by e: that of a pooled value goes to the first entity that attains it.
void pool_entities_backward(const float* e, const EntityRows& entities, const float* pooled, const float* dpooled,
                            int stride, float* de);
void pool_entities_backward(const Bf16* e, const EntityRows& entities, const Bf16* pooled, const Bf16* dpooled,
                            int stride, float* de);
// sums [rows x width] = the sum of each column over a row's entities.
void sum_entities(const float* e, const EntityRows& entities, float* sums);
void sum_entities(const Bf16* e, const EntityRows& entities, Bf16* sums);
// logits[slot] = scale query . e for each entity of a row; those that are not there are left alone.
void target_logits(const float* e, const EntityRows& entities, const float* query, float scale, float* logits,
                   int stride);
void target_logits(const Bf16* e, const EntityRows& entities, const float* query, float scale, float* logits,
                   int stride);
// dquery = the gradient by the queries; that by e is added to de.
void target_logits_backward(const float* e, const EntityRows& entities, const float* query, const float* dlogits,
                            int stride, float scale, float* dquery, float* de);
void target_logits_backward(const Bf16* e, const EntityRows& entities, const float* query, const float* dlogits,
                            int stride, float scale, float* dquery, float* de);

// One row times a matrix: y = relu?(x w + b), w [in x out]. For decisions one at a time.
void dense_row(const float* x, const float* w, const float* b, int in, int out, bool relu, float* y);

// Adam (Kingma and Ba, 2015): one step over `count` parameters with gradients g * gradient_scale. `rate` is the
// learning rate with the bias correction of the first moment, `root_correction` = 1 / sqrt(1 - beta2^t).
void adam(float* p, float* m, float* v, const float* g, std::size_t count, float gradient_scale, float rate,
          float root_correction, float beta1, float beta2, float epsilon);

// Sum of squares, in a fixed order.
double sum_of_squares(const float* x, std::size_t count);

// out[i] = sum over k of parts[k][i], k in order.
void sum_parts(const float* const* parts, int count, std::size_t begin, std::size_t end, float* out);

// The instruction set chosen, e.g. "AVX3_DL".
const char* target_name();

}  // namespace rival::kernels
