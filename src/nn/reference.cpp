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

void relu_backward(const Rows& y, Rows& dy) {
  for (std::size_t i = 0; i < y.size(); ++i)
    if (!(y[i] > 0)) dy[i] = 0;
}

// Where input channel c of cell (y, x) lies: the observation holds plane after plane, later layers cell after cell.
int cell_at(const ConvolutionLayer& layer, bool planes, int c, int y, int x) {
  return planes ? (c * layer.height + y) * layer.width + x : (y * layer.width + x) * layer.channels + c;
}

// Calls use(output index, input index, weight index) for every product of the convolution of one row.
template <class Use>
void for_each_product(const ConvolutionLayer& layer, bool planes, Use use) {
  for (int oy = 0; oy < layer.out_height; ++oy)
    for (int ox = 0; ox < layer.out_width; ++ox)
      for (int ky = 0; ky < 3; ++ky)
        for (int kx = 0; kx < 3; ++kx) {
          const int y = oy * layer.stride + ky - 1, x = ox * layer.stride + kx - 1;
          if (y < 0 || y >= layer.height || x < 0 || x >= layer.width) continue;
          for (int c = 0; c < layer.channels; ++c)
            for (int o = 0; o < layer.out_channels; ++o)
              use((oy * layer.out_width + ox) * layer.out_channels + o, cell_at(layer, planes, c, y, x),
                  ((ky * 3 + kx) * layer.channels + c) * layer.out_channels + o);
        }
}

class ReferenceExecutor final : public Executor {
 public:
  explicit ReferenceExecutor(const Network& network) : net_(network) {}

  void encode(const ObservationScale& scale, const float* observations, int rows, std::byte* inputs) override {
    float* out = reinterpret_cast<float*>(inputs);
    for (int r = 0; r < rows; ++r)
      for (int i = 0; i < net_.observation_size(); ++i) {
        const std::size_t k = static_cast<std::size_t>(i);
        const int at = r * net_.observation_size() + i;
        out[at] = std::clamp((observations[at] - scale.mean[k]) * scale.scale[k], -10.0f, 10.0f);
      }
  }

  const float* forward(const Weights& weights, const std::byte* inputs, int rows, const MemoryRows& memory) override {
    const float* p = static_cast<const ReferenceWeights&>(weights).parameters.data();
    const float* observation = reinterpret_cast<const float*>(inputs);
    rows_ = rows;
    observation_ = observation;
    memory_rows_ = memory;
    const auto sized = [&](int columns) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns); };

    convolved_.clear();
    for (const ConvolutionStack& stack : net_.convolutions()) {
      std::vector<Rows> outputs;
      for (std::size_t l = 0; l < stack.layers.size(); ++l) {
        const ConvolutionLayer& layer = stack.layers[l];
        Rows y(sized(layer.out_size()));
        for (int r = 0; r < rows; ++r) {
          const float* x = l == 0 ? observation + r * net_.observation_size() + stack.first
                                  : outputs[l - 1].data() + r * stack.layers[l - 1].out_size();
          float* out = y.data() + r * layer.out_size();
          for (int i = 0; i < layer.out_size(); ++i)
            out[i] = p[layer.bias + static_cast<std::size_t>(i % layer.out_channels)];
          for_each_product(layer, l == 0, [&](int o, int i, int w) {
            out[o] += x[i] * p[layer.weight + static_cast<std::size_t>(w)];
          });
          for (int i = 0; i < layer.out_size(); ++i) out[i] = std::max(out[i], 0.0f);
        }
        outputs.push_back(std::move(y));
      }
      convolved_.push_back(std::move(outputs));
    }

    encoded_.clear();
    for (const EntityEncoder& encoder : net_.encoders()) {
      Rows e(sized(encoder.count * encoder.layer.out));
      for (int r = 0; r < rows; ++r)
        for (int i = 0; i < encoder.count; ++i)
          if (const float* x = entity(encoder, r, i))
            dense_forward(x, p + encoder.layer.weight, p + encoder.layer.bias, 1, encoder.layer.in, encoder.layer.out,
                          true, e.data() + (r * encoder.count + i) * encoder.layer.out);
      encoded_.push_back(std::move(e));
    }

    trunk_.assign(1, Rows(sized(net_.trunk_in())));
    for (int r = 0; r < rows; ++r) {
      float* out = trunk_[0].data() + r * net_.trunk_in();
      for (const FlatColumns& flat : net_.flat())
        out = std::copy_n(observation + r * net_.observation_size() + flat.first, flat.size, out);
      for (std::size_t s = 0; s < convolved_.size(); ++s) {
        const int size = net_.convolutions()[s].layers.back().out_size();
        out = std::copy_n(convolved_[s].back().data() + r * size, size, out);
      }
      for (std::size_t k = 0; k < encoded_.size(); ++k)
        for (int c = 0; c < net_.encoders()[k].layer.out; ++c) {
          const int first = first_largest(k, r, c);
          *out++ = first < 0 ? 0 : encoding(k, r, first)[c];
        }
    }
    for (const DenseLayer& layer : net_.trunk()) {
      Rows y(sized(layer.out));
      dense_forward(trunk_.back().data(), p + layer.weight, p + layer.bias, rows, layer.in, layer.out, layer.relu,
                    y.data());
      trunk_.push_back(std::move(y));
    }

    features_ = trunk_.back();
    if (const int m = net_.memory().size) {
      gates_.assign(sized(2 * m), 0);
      dense_forward(trunk_.back().data(), p + net_.memory().weight, p + net_.memory().bias, rows, m, 2 * m, false,
                    gates_.data());
      z_.assign(sized(m), 0), h_.assign(sized(m), 0);
      for (int r = 0; r < rows; ++r)
        for (int i = 0; i < m; ++i) {
          const float z = 1 / (1 + std::exp(-gates_[static_cast<std::size_t>(r * 2 * m + i)]));
          const float c = gates_[static_cast<std::size_t>(r * 2 * m + m + i)], was = before(r, i);
          z_[static_cast<std::size_t>(r * m + i)] = z;
          h_[static_cast<std::size_t>(r * m + i)] = was + z * (c - was);
          features_[static_cast<std::size_t>(r * m + i)] += h_[static_cast<std::size_t>(r * m + i)];
        }
    }
    const DenseLayer& head = net_.head();
    Rows own(sized(head.out));
    dense_forward(features_.data(), p + head.weight, p + head.bias, rows, head.in, head.out, false, own.data());
    heads_.assign(sized(net_.head_size()), 0);
    for (int r = 0; r < rows; ++r)
      for (const HeadColumns& columns : net_.head_columns())
        std::copy_n(own.data() + r * head.out + columns.from, columns.size,
                    heads_.data() + r * net_.head_size() + columns.to);
    queries_.clear();
    for (const TargetHead& target : net_.targets()) {
      const auto k = static_cast<std::size_t>(target.encoder);
      const int width = target.query.out;
      Rows q(sized(width));
      dense_forward(features_.data(), p + target.query.weight, p + target.query.bias, rows, head.in, width, false,
                    q.data());
      for (int r = 0; r < rows; ++r)
        for (int i = 0; i < net_.encoders()[k].count; ++i) {
          float sum = 0;
          for (int c = 0; c < width; ++c) sum += q[static_cast<std::size_t>(r * width + c)] * encoding(k, r, i)[c];
          heads_[static_cast<std::size_t>(r * net_.head_size() + target.column + i)] = sum * target.scale();
        }
      queries_.push_back(std::move(q));
    }
    return heads_.data();
  }

  const float* states() const override { return h_.data(); }

  void backward(const Weights& weights, const float* head_gradients, float* g) override {
    const float* p = static_cast<const ReferenceWeights&>(weights).parameters.data();
    const DenseLayer& head = net_.head();
    Rows own(static_cast<std::size_t>(rows_ * head.out));
    for (int r = 0; r < rows_; ++r)
      for (const HeadColumns& columns : net_.head_columns())
        std::copy_n(head_gradients + r * net_.head_size() + columns.to, columns.size,
                    own.data() + r * head.out + columns.from);
    Rows d(features_.size());
    dense_backward(features_.data(), p + head.weight, own.data(), rows_, head.in, head.out, g + head.weight,
                   g + head.bias, d.data());

    std::vector<Rows> dencoded;
    for (const Rows& e : encoded_) dencoded.emplace_back(e.size());
    for (std::size_t t = 0; t < net_.targets().size(); ++t) {
      const TargetHead& target = net_.targets()[t];
      const auto k = static_cast<std::size_t>(target.encoder);
      const int width = target.query.out, count = net_.encoders()[k].count;
      Rows dq(queries_[t].size()), dx(d.size());
      for (int r = 0; r < rows_; ++r)
        for (int i = 0; i < count; ++i) {
          const float slope = head_gradients[r * net_.head_size() + target.column + i] * target.scale();
          for (int c = 0; c < width; ++c) {
            const auto q = static_cast<std::size_t>(r * width + c);
            dq[q] += slope * encoding(k, r, i)[c];
            dencoded[k][static_cast<std::size_t>((r * count + i) * width + c)] += slope * queries_[t][q];
          }
        }
      dense_backward(features_.data(), p + target.query.weight, dq.data(), rows_, head.in, width,
                     g + target.query.weight, g + target.query.bias, dx.data());
      for (std::size_t i = 0; i < d.size(); ++i) d[i] += dx[i];
    }

    if (const int m = net_.memory().size) {
      Rows dh = d, dgates(gates_.size());
      for (int r = rows_ - 1; r >= 0; --r)
        for (int i = 0; i < m; ++i) {
          const std::size_t at = static_cast<std::size_t>(r * m + i);
          const float c = gates_[static_cast<std::size_t>(r * 2 * m + m + i)], z = z_[at];
          dgates[static_cast<std::size_t>(r * 2 * m + i)] = dh[at] * (c - before(r, i)) * z * (1 - z);
          dgates[static_cast<std::size_t>(r * 2 * m + m + i)] = dh[at] * z;
          if (memory_rows_.previous && memory_rows_.previous[r] >= 0)
            dh[static_cast<std::size_t>(memory_rows_.previous[r] * m + i)] += dh[at] * (1 - z);
        }
      Rows dx(d.size());
      dense_backward(trunk_.back().data(), p + net_.memory().weight, dgates.data(), rows_, m, 2 * m,
                     g + net_.memory().weight, g + net_.memory().bias, dx.data());
      for (std::size_t i = 0; i < d.size(); ++i) d[i] += dx[i];
    }

    for (std::size_t l = net_.trunk().size(); l-- > 0;) {
      const DenseLayer& layer = net_.trunk()[l];
      relu_backward(trunk_[l + 1], d);
      Rows dx(trunk_[l].size());
      dense_backward(trunk_[l].data(), p + layer.weight, d.data(), rows_, layer.in, layer.out, g + layer.weight,
                     g + layer.bias, dx.data());
      d = std::move(dx);
    }

    int column = net_.trunk_in();
    for (std::size_t k = net_.encoders().size(); k-- > 0;) {
      const EntityEncoder& encoder = net_.encoders()[k];
      const int width = encoder.layer.out;
      column -= width;
      for (int r = 0; r < rows_; ++r)
        for (int c = 0; c < width; ++c)
          if (const int first = first_largest(k, r, c); first >= 0)
            dencoded[k][static_cast<std::size_t>((r * encoder.count + first) * width + c)] +=
                d[static_cast<std::size_t>(r * net_.trunk_in() + column + c)];
      relu_backward(encoded_[k], dencoded[k]);
      Rows unused(static_cast<std::size_t>(encoder.layer.in));
      for (int r = 0; r < rows_; ++r)
        for (int i = 0; i < encoder.count; ++i)
          if (const float* x = entity(encoder, r, i))
            dense_backward(x, p + encoder.layer.weight, dencoded[k].data() + (r * encoder.count + i) * width, 1,
                           encoder.layer.in, width, g + encoder.layer.weight, g + encoder.layer.bias, unused.data());
    }
    for (std::size_t s = net_.convolutions().size(); s-- > 0;) {
      const ConvolutionStack& stack = net_.convolutions()[s];
      const int size = stack.layers.back().out_size();
      column -= size;
      Rows dy(static_cast<std::size_t>(rows_ * size));
      for (int r = 0; r < rows_; ++r) std::copy_n(d.data() + r * net_.trunk_in() + column, size, dy.data() + r * size);
      for (std::size_t l = stack.layers.size(); l-- > 0;) {
        const ConvolutionLayer& layer = stack.layers[l];
        relu_backward(convolved_[s][l], dy);
        const int in_size = layer.channels * layer.height * layer.width;
        Rows dx(static_cast<std::size_t>(rows_ * in_size));
        for (int r = 0; r < rows_; ++r) {
          const float* x = l == 0 ? observation_ + r * net_.observation_size() + stack.first
                                  : convolved_[s][l - 1].data() + r * in_size;
          const float* dout = dy.data() + r * layer.out_size();
          float* din = dx.data() + r * in_size;
          for (int i = 0; i < layer.out_size(); ++i)
            g[layer.bias + static_cast<std::size_t>(i % layer.out_channels)] += dout[i];
          for_each_product(layer, l == 0, [&](int o, int i, int w) {
            g[layer.weight + static_cast<std::size_t>(w)] += x[i] * dout[o];
            din[i] += p[layer.weight + static_cast<std::size_t>(w)] * dout[o];
          });
        }
        dy = std::move(dx);
      }
    }
  }

 private:
  // Component i of the state that row r continues from.
  float before(int r, int i) const {
    const int m = net_.memory().size;
    if (memory_rows_.previous && memory_rows_.previous[r] >= 0)
      return h_[static_cast<std::size_t>(memory_rows_.previous[r] * m + i)];
    if (memory_rows_.initial && memory_rows_.initial[r] >= 0)
      return memory_rows_.states[memory_rows_.initial[r] * m + i];
    return 0;
  }

  // Entity i of row r as observed, or null if it is not there.
  const float* entity(const EntityEncoder& encoder, int r, int i) const {
    const float* x = observation_ + r * net_.observation_size() + encoder.first + i * encoder.layer.in;
    return x[0] != 0 ? x : nullptr;
  }
  // Its encoding by encoder k; zero if it is not there.
  const float* encoding(std::size_t k, int r, int i) const {
    const EntityEncoder& encoder = net_.encoders()[k];
    return encoded_[k].data() + (r * encoder.count + i) * encoder.layer.out;
  }
  // The first entity of row r that has the largest value in column c of its encoding, or -1 without entities.
  int first_largest(std::size_t k, int r, int c) const {
    int best = -1;
    for (int i = 0; i < net_.encoders()[k].count; ++i)
      if (entity(net_.encoders()[k], r, i) && (best < 0 || encoding(k, r, i)[c] > encoding(k, r, best)[c])) best = i;
    return best;
  }

  const Network& net_;
  int rows_ = 0;
  const float* observation_ = nullptr;
  MemoryRows memory_rows_;
  std::vector<std::vector<Rows>> convolved_;  // per stack, per layer
  std::vector<Rows> trunk_;                   // input, then each layer's output
  std::vector<Rows> encoded_;                 // per encoder
  std::vector<Rows> queries_;                 // per target head
  Rows gates_, z_, h_, features_, heads_;
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
