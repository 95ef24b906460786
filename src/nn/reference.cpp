#include "nn/reference.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace rival {
namespace {

struct ReferenceWeights final : Weights {
  std::vector<float> parameters;
};

using Rows = std::vector<float>;  // [rows x something]

// y[r][o] = sum_i x[r][i] w[i][o] + b[o]
void dense_forward(const float* x, const float* w, const float* b, int rows, int in, int out, bool relu, float* y) {
  for (int r = 0; r < rows; ++r)
    for (int o = 0; o < out; ++o) {
      float sum = b[o];
      for (int i = 0; i < in; ++i) sum += x[r * in + i] * w[i * out + o];
      y[r * out + o] = relu ? std::max(sum, 0.0f) : sum;
    }
}

// From dy (the gradient by y before its ReLU): dw += x^T dy, db += sum of dy, dx = dy w^T.
void dense_backward(const float* x, const float* w, const float* dy, int rows, int in, int out, float* dw, float* db,
                    float* dx) {
  for (int r = 0; r < rows; ++r)
    for (int o = 0; o < out; ++o) {
      db[o] += dy[r * out + o];
      for (int i = 0; i < in; ++i) dw[i * out + o] += x[r * in + i] * dy[r * out + o];
    }
  for (int r = 0; r < rows; ++r)
    for (int i = 0; i < in; ++i) {
      float sum = 0;
      for (int o = 0; o < out; ++o) sum += dy[r * out + o] * w[i * out + o];
      dx[r * in + i] = sum;
    }
}

void relu_backward(const float* y, int size, float* dy) {
  for (int i = 0; i < size; ++i)
    if (!(y[i] > 0)) dy[i] = 0;
}

void add(std::span<const float> x, float* to) {
  for (std::size_t i = 0; i < x.size(); ++i) to[i] += x[i];
}

// Where input channel c of cell (y, x) lies.
int cell_at(const Convolution& shape, int c, int y, int x) {
  return shape.planes ? (c * shape.height + y) * shape.width + x : (y * shape.width + x) * shape.channels + c;
}

// Calls use(output index, input index, weight index) for every product of the convolution of one row.
template <class Use>
void for_each_product(const Convolution& shape, Use use) {
  for (int oy = 0; oy < shape.out_height; ++oy)
    for (int ox = 0; ox < shape.out_width; ++ox)
      for (int ky = 0; ky < 3; ++ky)
        for (int kx = 0; kx < 3; ++kx) {
          const int y = oy * shape.stride + ky - 1, x = ox * shape.stride + kx - 1;
          if (y < 0 || y >= shape.height || x < 0 || x >= shape.width) continue;
          for (int c = 0; c < shape.channels; ++c)
            for (int o = 0; o < shape.out_channels; ++o)
              use((oy * shape.out_width + ox) * shape.out_channels + o, cell_at(shape, c, y, x),
                  ((ky * 3 + kx) * shape.channels + c) * shape.out_channels + o);
        }
}

// Each operation reads and writes the values of its buffers, and on the way back the gradients by them, to which it
// adds.
class ReferenceExecutor final : public Executor {
 public:
  explicit ReferenceExecutor(const Network& network)
      : net_(network),
        values_(network.buffers().size()),
        gradients_(network.buffers().size()),
        kept_(network.operations().size()) {}

  void encode(const ObservationScale& scale, const float* observations, int rows, std::byte* inputs) override {
    float* out = reinterpret_cast<float*>(inputs);
    for (int r = 0; r < rows; ++r)
      for (int i = 0; i < net_.observation_size(); ++i) {
        const std::size_t k = i;
        const int at = r * net_.observation_size() + i;
        out[at] = std::clamp((observations[at] - scale.mean[k]) * scale.scale[k], -10.0f, 10.0f);
      }
  }

  const float* forward(const Weights& weights, const std::byte* inputs, int rows, const MemoryRows& memory) override {
    p_ = static_cast<const ReferenceWeights&>(weights).parameters.data();
    rows_ = rows;
    memory_rows_ = memory;
    clear(values_);
    Rows& observation = values_[kObservationBuffer];
    std::copy_n(reinterpret_cast<const float*>(inputs), observation.size(), observation.begin());
    for (std::size_t i = 0; i < kept_.size(); ++i) forward(net_.operations()[i], kept_[i]);
    return values_[kHeadBuffer].data();
  }

  const float* states() const override { return states_ ? states_->data() : nullptr; }

  void backward(const Weights& weights, const float* head_gradients, float* g) override {
    p_ = static_cast<const ReferenceWeights&>(weights).parameters.data();
    clear(gradients_);
    Rows& heads = gradients_[kHeadBuffer];
    std::copy_n(head_gradients, heads.size(), heads.begin());
    for (std::size_t i = kept_.size(); i-- > 0;) backward(net_.operations()[i], kept_[i], g);
  }

 private:
  // What an operation keeps for the way back.
  struct Kept {
    Rows queries;      // targets
    Rows gates, z, h;  // mingru
  };

  const Buffer& shape(int buffer) const { return net_.buffers()[buffer]; }
  void clear(std::vector<Rows>& all) const {
    for (std::size_t b = 0; b < all.size(); ++b) all[b].assign(rows_ * net_.buffers()[b].size(), 0);
  }
  // Row r, place i of a buffer's values or gradients.
  float* at(std::vector<Rows>& all, int buffer, int r, int i = 0) const {
    return all[buffer].data() + r * shape(buffer).size() + i * shape(buffer).columns;
  }
  float* value(int buffer, int r, int i = 0) { return at(values_, buffer, r, i); }
  float* gradient(int buffer, int r, int i = 0) { return at(gradients_, buffer, r, i); }

  bool is_there(int buffer, int r, int i) {
    const int entities = shape(buffer).entities;
    return entities < 0 || *value(entities, r, i) != 0;
  }
  // What a dense layer reads there.
  Rows dense_input(const Operation& op, int r, int i) {
    const float* x = value(op.in, r, i) + op.in_column;
    Rows joined(x, x + op.own_rows());
    if (op.context >= 0) {
      const float* context = value(op.context, r);
      joined.insert(joined.end(), context, context + op.context_columns);
    }
    return joined;
  }
  // The first entity of row r that has the largest value in column c, or -1 without entities.
  int first_largest(int buffer, int r, int c) {
    int best = -1;
    for (int i = 0; i < shape(buffer).places; ++i)
      if (is_there(buffer, r, i) && (best < 0 || value(buffer, r, i)[c] > value(buffer, r, best)[c])) best = i;
    return best;
  }
  // Component i of the state that row r of a memory continues from.
  float before(const Rows& h, int m, int r, int i) const {
    if (memory_rows_.previous && memory_rows_.previous[r] >= 0) return h[memory_rows_.previous[r] * m + i];
    if (memory_rows_.initial && memory_rows_.initial[r] >= 0)
      return memory_rows_.states[memory_rows_.initial[r] * m + i];
    return 0;
  }

  void forward(const Operation& op, Kept& kept) {
    const float *w = p_ + op.weight, *b = p_ + op.bias;
    switch (op.kind) {
      case OperationKind::copy:
        for (int r = 0; r < rows_; ++r)
          std::copy_n(value(op.in, r) + op.in_column, op.columns, value(op.out, r) + op.out_column);
        break;
      case OperationKind::entities:
        for (int r = 0; r < rows_; ++r)
          std::copy_n(value(op.in, r) + op.in_column, shape(op.out).size(), value(op.out, r));
        break;
      case OperationKind::dense:
        for (int r = 0; r < rows_; ++r)
          for (int i = 0; i < shape(op.in).places; ++i)
            if (is_there(op.in, r, i))
              dense_forward(dense_input(op, r, i).data(), w, b, 1, op.rows, op.columns, op.relu,
                            value(op.out, r, i) + op.out_column);
        break;
      case OperationKind::convolution:
        for (int r = 0; r < rows_; ++r) {
          const float* x = value(op.in, r) + op.in_column;
          float* y = value(op.out, r);
          for (int i = 0; i < op.convolution.out_size(); ++i) y[i] = b[i % op.columns];
          for_each_product(op.convolution, [&](int out, int in, int k) { y[out] += x[in] * w[k]; });
          for (int i = 0; i < op.convolution.out_size(); ++i) y[i] = std::max(y[i], 0.0f);
        }
        break;
      case OperationKind::largest:
        for (int r = 0; r < rows_; ++r)
          for (int c = 0; c < op.columns; ++c) {
            const int first = first_largest(op.in, r, c);
            value(op.out, r)[op.out_column + c] = first < 0 ? 0 : value(op.in, r, first)[c];
          }
        break;
      case OperationKind::mingru: {
        const int m = op.rows;
        const std::size_t size = rows_ * m;
        kept.gates.assign(2 * size, 0), kept.z.assign(size, 0), kept.h.assign(size, 0);
        dense_forward(value(op.in, 0), w, b, rows_, m, 2 * m, false, kept.gates.data());
        for (int r = 0; r < rows_; ++r)
          for (int i = 0; i < m; ++i) {
            const std::size_t k = r * m + i;
            const float* gates = kept.gates.data() + r * 2 * m;
            const float was = before(kept.h, m, r, i);
            kept.z[k] = 1 / (1 + std::exp(-gates[i]));
            kept.h[k] = was + kept.z[k] * (gates[m + i] - was);
            value(op.out, r)[i] = value(op.in, r)[i] + kept.h[k];
          }
        states_ = &kept.h;
        break;
      }
      case OperationKind::targets:
        kept.queries.assign(rows_ * op.columns, 0);
        dense_forward(value(op.in, 0), w, b, rows_, op.rows, op.columns, false, kept.queries.data());
        for (int r = 0; r < rows_; ++r)
          for (int i = 0; i < shape(op.encodings).places; ++i) {
            const float *q = kept.queries.data() + r * op.columns, *e = value(op.encodings, r, i);
            float sum = 0;
            for (int c = 0; c < op.columns; ++c) sum += q[c] * e[c];
            value(op.out, r)[op.out_column + i] = sum * op.scale();
          }
    }
  }

  void backward(const Operation& op, Kept& kept, float* g) {
    const float* w = p_ + op.weight;
    float *dw = g + op.weight, *db = g + op.bias;
    std::vector<float> dx(op.rows);
    switch (op.kind) {
      case OperationKind::copy:
        for (int r = 0; r < rows_; ++r)
          for (int c = 0; c < op.columns; ++c)
            gradient(op.in, r)[op.in_column + c] += gradient(op.out, r)[op.out_column + c];
        break;
      case OperationKind::entities:  // nothing asks for the gradients by the observation
        break;
      case OperationKind::dense:
        for (int r = 0; r < rows_; ++r)
          for (int i = 0; i < shape(op.in).places; ++i) {
            if (!is_there(op.in, r, i)) continue;
            float* dy = gradient(op.out, r, i) + op.out_column;
            if (op.relu) relu_backward(value(op.out, r, i) + op.out_column, op.columns, dy);
            dense_backward(dense_input(op, r, i).data(), w, dy, 1, op.rows, op.columns, dw, db, dx.data());
            add(std::span(dx).first(op.own_rows()), gradient(op.in, r, i) + op.in_column);
          }
        break;
      case OperationKind::convolution:
        for (int r = 0; r < rows_; ++r) {
          const float* x = value(op.in, r) + op.in_column;
          float *dy = gradient(op.out, r), *din = gradient(op.in, r) + op.in_column;
          relu_backward(value(op.out, r), op.convolution.out_size(), dy);
          for (int i = 0; i < op.convolution.out_size(); ++i) db[i % op.columns] += dy[i];
          for_each_product(op.convolution, [&](int out, int in, int k) {
            dw[k] += x[in] * dy[out];
            din[in] += w[k] * dy[out];
          });
        }
        break;
      case OperationKind::largest:
        for (int r = 0; r < rows_; ++r)
          for (int c = 0; c < op.columns; ++c)
            if (const int first = first_largest(op.in, r, c); first >= 0)
              gradient(op.in, r, first)[c] += gradient(op.out, r)[op.out_column + c];
        break;
      case OperationKind::mingru: {
        const int m = op.rows;
        Rows dh = gradients_[op.out], dgates(kept.gates.size());
        for (int r = rows_ - 1; r >= 0; --r)
          for (int i = 0; i < m; ++i) {
            const std::size_t k = r * m + i;
            const float c = kept.gates[r * 2 * m + m + i], z = kept.z[k];
            dgates[r * 2 * m + i] = dh[k] * (c - before(kept.h, m, r, i)) * z * (1 - z);
            dgates[r * 2 * m + m + i] = dh[k] * z;
            if (memory_rows_.previous && memory_rows_.previous[r] >= 0)
              dh[memory_rows_.previous[r] * m + i] += dh[k] * (1 - z);
          }
        add(gradients_[op.out], gradient(op.in, 0));
        dx.resize(rows_ * m);
        dense_backward(value(op.in, 0), w, dgates.data(), rows_, m, 2 * m, dw, db, dx.data());
        add(dx, gradient(op.in, 0));
        break;
      }
      case OperationKind::targets: {
        Rows dq(kept.queries.size());
        for (int r = 0; r < rows_; ++r)
          for (int i = 0; i < shape(op.encodings).places; ++i) {
            const float slope = gradient(op.out, r)[op.out_column + i] * op.scale();
            const float *q = kept.queries.data() + r * op.columns, *e = value(op.encodings, r, i);
            float *de = gradient(op.encodings, r, i), *dquery = dq.data() + r * op.columns;
            for (int c = 0; c < op.columns; ++c) {
              dquery[c] += slope * e[c];
              de[c] += slope * q[c];
            }
          }
        dx.resize(rows_ * op.rows);
        dense_backward(value(op.in, 0), w, dq.data(), rows_, op.rows, op.columns, dw, db, dx.data());
        add(dx, gradient(op.in, 0));
      }
    }
  }

  const Network& net_;
  const float* p_ = nullptr;  // the parameters of this pass
  int rows_ = 0;
  MemoryRows memory_rows_;
  std::vector<Rows> values_, gradients_;  // per buffer
  std::vector<Kept> kept_;                // per operation
  const Rows* states_ = nullptr;          // of the memory
};

class ReferenceBackend final : public Backend {
 public:
  explicit ReferenceBackend(const Network& network) : net_(network) {}
  std::string name() const override { return "reference"; }
  Precision precision() const override { return Precision::f32; }
  int input_stride() const override { return static_cast<int>(sizeof(float)) * net_.observation_size(); }
  std::unique_ptr<Weights> make_weights() const override { return std::make_unique<ReferenceWeights>(); }
  void pack(std::span<const float> parameters, Weights& weights, int part, int) const override {
    if (part == 0) static_cast<ReferenceWeights&>(weights).parameters.assign(parameters.begin(), parameters.end());
  }
  std::unique_ptr<Executor> make_executor(int) const override { return std::make_unique<ReferenceExecutor>(net_); }

 private:
  const Network& net_;
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend(const Network& network) {
  return std::make_unique<ReferenceBackend>(network);
}

}  // namespace rival
