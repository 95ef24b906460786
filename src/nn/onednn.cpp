#include "nn/onednn.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <type_traits>

#include "base/machine.hpp"
#include "nn/isa.hpp"
#include "nn/kernels.hpp"

// From libgomp, which Debian's oneDNN uses; declared here so that any compiler can build this file.
extern "C" {
void omp_set_num_threads(int);
int omp_get_max_threads(void);
}

namespace rival {
namespace {

using dnnl::memory;
using DataType = memory::data_type;

constexpr int kBlock = 512;  // rows of one product: stays in the caches, and few distinct shapes to compile

// oneDNN crashes where there is no memory into which to write the code of what it is to do.
void require_code_memory() {
  constexpr double kAmple = 4e6;
  if (!address_space_left(kAmple)) throw std::bad_alloc();
}

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// oneDNN decides by the calling thread's OpenMP setting; one thread while this lives.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

template <class T>
constexpr DataType type_of() {
  return std::is_same_v<T, float> ? DataType::f32 : DataType::bf16;
}

memory::desc plain(int rows, int columns, DataType type, int stride) {
  return memory::desc({rows, columns}, type, memory::dims{stride, 1});
}
memory::desc transposed(int rows, int columns, DataType type, int stride) {
  return memory::desc({rows, columns}, type, memory::dims{1, stride});
}

// The layout oneDNN wants for the weights of x[rows x in] w[in x out].
memory::desc best_weights(int in, int out, DataType type) {
  const dnnl::matmul::desc product({memory::dims{kBlock, in}, type, memory::format_tag::ab},
                                   {memory::dims{in, out}, type, memory::format_tag::any},
                                   {memory::dims{kBlock, out}, DataType::f32, memory::format_tag::ab});
  return dnnl::matmul::primitive_desc(product, cpu()).weights_desc();
}

// A compiled matrix product dst = src weights [+ bias] [+ dst] [ReLU].
class Product {
 public:
  Product(const memory::desc& src, const memory::desc& weights, const memory::desc& dst, bool bias, bool relu,
          bool accumulate) {
    dnnl::post_ops ops;
    if (accumulate) ops.append_sum(1.0f);
    if (relu) ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0, 0);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(ops);
    const memory::desc bias_desc({1, dst.dims()[1]}, DataType::f32, memory::format_tag::ab);
    const auto desc = bias ? dnnl::matmul::desc(src, weights, bias_desc, dst) : dnnl::matmul::desc(src, weights, dst);
    require_code_memory();
    const dnnl::matmul::primitive_desc primitive(desc, attributes, cpu());
    product_ = dnnl::matmul(primitive);
    memories_ = {memory(src, cpu(), nullptr), memory(weights, cpu(), nullptr), memory(dst, cpu(), nullptr)};
    if (bias) memories_.emplace_back(bias_desc, cpu(), nullptr);
    static constexpr int kArguments[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS};
    for (std::size_t i = 0; i < memories_.size(); ++i) arguments_.push_back({kArguments[i], memories_[i].get()});
  }

  void run(const dnnl::stream& stream, const void* src, const void* weights, void* dst, const float* bias = nullptr) {
    memories_[0].set_data_handle(const_cast<void*>(src));
    memories_[1].set_data_handle(const_cast<void*>(weights));
    memories_[2].set_data_handle(dst);
    if (memories_.size() > 3) memories_[3].set_data_handle(const_cast<float*>(bias));
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(product_.get(), stream.get(), static_cast<int>(arguments_.size()), arguments_.data()),
        "a matrix product failed");
  }

 private:
  dnnl::matmul product_;
  std::vector<memory> memories_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

// One matrix of parameters as oneDNN has it.
struct Matrix {
  int in = 0, out = 0;
  std::size_t weight = 0, bias = 0;
  memory::desc forward_layout, backward_layout;
};

struct OnednnWeights final : Weights {
  struct Packed {
    memory forward, backward;
    std::vector<float> bias;
  };
  std::vector<Packed> matrices;
};

// All matrices of a network, in the order: convolutions, entity encoders, trunk, memory, head, target queries.
std::vector<Matrix> matrices_of(const Network& net, DataType type) {
  std::vector<Matrix> all;
  const auto add = [&](int in, int out, std::size_t weight, std::size_t bias) {
    all.push_back({in, out, weight, bias, best_weights(in, out, type), best_weights(out, in, type)});
  };
  for (const ConvolutionStack& stack : net.convolutions())
    for (const ConvolutionLayer& layer : stack.layers) add(layer.patch(), layer.out_channels, layer.weight, layer.bias);
  const auto add_dense = [&](const DenseLayer& layer) { add(layer.in, layer.out, layer.weight, layer.bias); };
  for (const EntityEncoder& encoder : net.encoders()) add_dense(encoder.layer);
  for (const DenseLayer& layer : net.trunk()) add_dense(layer);
  if (net.memory().size) add(net.memory().size, 2 * net.memory().size, net.memory().weight, net.memory().bias);
  add_dense(net.head());
  for (const TargetHead& target : net.targets()) add_dense(target.query);
  return all;
}

template <class T>
using Buffer = std::vector<T>;

// The products of one matrix, compiled for each number of rows met.
template <class T>
class Layer {
 public:
  // `stride`: elements between rows of x. F32 output if `wide` (heads, gates), else T.
  Layer(const Matrix& matrix, int stride, bool relu, bool wide)
      : matrix_(&matrix), stride_(stride), relu_(relu), wide_(wide) {}

  int in() const { return matrix_->in; }
  int out() const { return matrix_->out; }

  void forward(const dnnl::stream& stream, const OnednnWeights::Packed& w, const T* x, int rows, void* y) {
    const std::size_t size = wide_ ? sizeof(float) : sizeof(T);
    for_blocks(rows, [&](int first, int count) {
      get(forward_, count,
          [&] {
            return Product(plain(count, in(), type_of<T>(), stride_), matrix_->forward_layout,
                           plain(count, out(), wide_ ? DataType::f32 : type_of<T>(), out()), true, relu_, false);
          })
          .run(stream, x + at(first, stride_), w.forward.get_data_handle(),
               static_cast<std::byte*>(y) + static_cast<std::size_t>(at(first, out())) * size, w.bias.data());
    });
  }

  // dx = dy w^T, or dx += if `accumulate` (always or never for one layer); dx is [rows x in], dense.
  void backward_data(const dnnl::stream& stream, const OnednnWeights::Packed& w, const T* dy, int rows, T* dx,
                     bool accumulate = false) {
    for_blocks(rows, [&](int first, int count) {
      get(backward_, count, [&] {
        return Product(plain(count, out(), type_of<T>(), out()), matrix_->backward_layout,
                       plain(count, in(), type_of<T>(), in()), false, false, accumulate);
      }).run(stream, dy + at(first, out()), w.backward.get_data_handle(), dx + at(first, in()));
    });
  }

  // dw += x^T dy.
  void backward_weights(const dnnl::stream& stream, const T* x, const T* dy, int rows, float* gradients) {
    for_blocks(rows, [&](int first, int count) {
      get(gradient_, count, [&] {
        return Product(transposed(in(), count, type_of<T>(), stride_), plain(count, out(), type_of<T>(), out()),
                       plain(in(), out(), DataType::f32, out()), false, false, true);
      }).run(stream, x + at(first, stride_), dy + at(first, out()), gradients + matrix_->weight);
    });
  }

  float* bias_gradient(float* gradients) const { return gradients + matrix_->bias; }

 private:
  static std::ptrdiff_t at(int row, int stride) { return static_cast<std::ptrdiff_t>(row) * stride; }
  template <class Run>
  static void for_blocks(int rows, Run run) {
    for (int first = 0; first < rows; first += kBlock) run(first, std::min(kBlock, rows - first));
  }
  template <class Make>
  static Product& get(std::map<int, Product>& products, int rows, Make make) {
    auto found = products.find(rows);
    if (found == products.end()) found = products.emplace(rows, make()).first;
    return found->second;
  }

  const Matrix* matrix_;
  int stride_;
  bool relu_, wide_;
  std::map<int, Product> forward_, backward_, gradient_;
};

// Copies the 3x3 patches of a convolution into rows [cells x patch]; `transposed` adds patches back instead.
template <class T, bool planes>
void gather_patches(const ConvolutionLayer& layer, const T* x, T* patches) {
  for (int oy = 0; oy < layer.out_height; ++oy)
    for (int ox = 0; ox < layer.out_width; ++ox)
      for (int ky = 0; ky < 3; ++ky)
        for (int kx = 0; kx < 3; ++kx, patches += layer.channels) {
          const int y = oy * layer.stride + ky - 1, xx = ox * layer.stride + kx - 1;
          if (y < 0 || y >= layer.height || xx < 0 || xx >= layer.width) {
            std::fill_n(patches, layer.channels, T{});
          } else if (planes) {
            for (int c = 0; c < layer.channels; ++c) patches[c] = x[(c * layer.height + y) * layer.width + xx];
          } else {
            std::copy_n(x + (y * layer.width + xx) * layer.channels, layer.channels, patches);
          }
        }
}

// The transpose of gather_patches, in f32: adds each patch's gradient to its cells (cell-by-cell layout).
void scatter_patches(const ConvolutionLayer& layer, const float* patches, float* dx) {
  for (int oy = 0; oy < layer.out_height; ++oy)
    for (int ox = 0; ox < layer.out_width; ++ox)
      for (int ky = 0; ky < 3; ++ky)
        for (int kx = 0; kx < 3; ++kx, patches += layer.channels) {
          const int y = oy * layer.stride + ky - 1, x = ox * layer.stride + kx - 1;
          if (y < 0 || y >= layer.height || x < 0 || x >= layer.width) continue;
          float* cell = dx + (y * layer.width + x) * layer.channels;
          for (int c = 0; c < layer.channels; ++c) cell[c] += patches[c];
        }
}

void widen(const float* x, std::size_t count, float* out) {
  std::copy_n(x, count, out);
}
void widen(const Bf16* x, std::size_t count, float* out) {
  kernels::convert(x, count, out);
}

bool is_zero(float x) {
  return x == 0;
}
bool is_zero(Bf16 x) {
  return (x.bits & 0x7fff) == 0;
}

template <class T>
class OnednnExecutor final : public Executor {
 public:
  OnednnExecutor(const Network& net, const std::vector<Matrix>& matrices, int stride, int max_rows)
      : net_(net),
        stream_(cpu()),
        stride_(stride),
        max_rows_(max_rows),
        copied_(!net.convolutions().empty() || !net.encoders().empty()) {
    const auto sized = [&](int columns) {
      return static_cast<std::size_t>(max_rows) * static_cast<std::size_t>(columns);
    };
    std::size_t next = 0;
    for (const ConvolutionStack& stack : net.convolutions())
      for (const ConvolutionLayer& layer : stack.layers) {
        convolutions_.push_back({Layer<T>(matrices[next++], layer.patch(), true, false),
                                 Buffer<T>(sized(layer.cells() * layer.patch())), Buffer<T>(sized(layer.out_size()))});
      }
    first_encoder_ = next;
    for (const EntityEncoder& encoder : net.encoders()) {
      const std::size_t most = sized(encoder.count) + kRowsMultiple;
      encoders_.push_back({.layer = Layer<T>(matrices[next++], encoder.layer.in, true, false),
                           .begin = std::vector<int>(static_cast<std::size_t>(max_rows) + 1),
                           .slot = std::vector<int>(most)});
    }
    if (copied_) trunk_input_.resize(sized(net.trunk_in()));
    first_trunk_ = next;
    int width = std::max(net.head_size(), copied_ ? net.trunk_in() : 0);
    for (std::size_t l = 0; l < net.trunk().size(); ++l) {
      trunk_.emplace_back(matrices[next++], l == 0 && !copied_ ? stride : net.trunk()[l].in, true, false);
      activations_.emplace_back(sized(net.trunk()[l].out));
      width = std::max(width, net.trunk()[l].out);
    }
    if (const int m = net.memory().size) {
      memory_.emplace_back(matrices[next++], m, false, true);
      gates_.resize(sized(2 * m)), z_.resize(sized(m)), h_.resize(sized(m)), features_.resize(sized(m));
      wide_.resize(sized(2 * m));
      width = std::max(width, 2 * m);
    }
    first_head_ = next;
    head_.emplace_back(matrices[next++], net.head().in, false, true);
    heads_.resize(sized(net.head_size()));
    for (const TargetHead& target : net.targets()) {
      targets_.push_back(
          {Layer<T>(matrices[next++], target.query.in, false, true), Buffer<float>(sized(target.query.out))});
      width = std::max(width, target.query.out);
    }
    if (!targets_.empty()) own_heads_.resize(sized(net.head().out));
    for (auto& d : gradients_) d.resize(sized(width));
  }

  void encode(const ObservationScale& scale, const float* observations, int rows, std::byte* inputs) override {
    kernels::encode(observations, scale.mean.data(), scale.scale.data(), rows, net_.observation_size(),
                    reinterpret_cast<T*>(inputs), stride_);
  }

  const float* forward(const Weights& weights, const std::byte* inputs, int rows, const MemoryRows& memory) override {
    check(rows >= 1 && rows <= max_rows_, "a forward pass over more rows than the executor was made for");
    const OneThread one_thread;
    const auto& packed = static_cast<const OnednnWeights&>(weights).matrices;
    input_ = reinterpret_cast<const T*>(inputs);
    rows_ = rows;
    memory_rows_ = memory;
    const T* x = input_;
    if (copied_) {
      fill_trunk_input(packed);
      x = trunk_input_.data();
    }
    for (std::size_t l = 0; l < trunk_.size(); ++l) {
      trunk_[l].forward(stream_, packed[first_trunk_ + l], x, rows, activations_[l].data());
      x = activations_[l].data();
    }
    if (const int m = net_.memory().size) {
      memory_[0].forward(stream_, packed[first_head_ - 1], x, rows, gates_.data());
      kernels::mingru_forward(gates_.data(), rows, m, memory.previous, memory.initial, memory.states, z_.data(),
                              h_.data());
      const std::size_t count = static_cast<std::size_t>(rows) * static_cast<std::size_t>(m);
      widen(x, count, wide_.data());
      kernels::add(h_.data(), count, wide_.data());
      kernels::convert(wide_.data(), count, features_.data());
      x = features_.data();
    }
    if (targets_.empty()) {
      head_[0].forward(stream_, packed[first_head_], x, rows, heads_.data());
    } else {
      head_[0].forward(stream_, packed[first_head_], x, rows, own_heads_.data());
      choose_targets(packed, x);
    }
    return heads_.data();
  }

  const float* states() const override { return h_.data(); }

  void backward(const Weights& weights, const float* head_gradients, float* gradients) override {
    const OneThread one_thread;
    const auto& packed = static_cast<const OnednnWeights&>(weights).matrices;
    T *d = gradients_[0].data(), *dx = gradients_[1].data();
    const T* features = net_.memory().size ? features_.data() : activations_.back().data();
    if (!targets_.empty()) {
      for (int r = 0; r < rows_; ++r)
        for (const HeadColumns& columns : net_.head_columns())
          std::copy_n(head_gradients + offset(r, net_.head_size()) + columns.to, columns.size,
                      own_heads_.data() + offset(r, net_.head().out) + columns.from);
      kernels::convert(own_heads_.data(), size_of(net_.head().out), d);
    } else {
      kernels::convert(head_gradients, size_of(net_.head_size()), d);
    }
    kernels::relu_backward(d, static_cast<const T*>(nullptr), rows_, head_[0].out(), head_[0].bias_gradient(gradients));
    head_[0].backward_weights(stream_, features, d, rows_, gradients);
    head_[0].backward_data(stream_, packed[first_head_], d, rows_, dx);
    std::swap(d, dx);
    for (Encoder& encoder : encoders_) encoder.targeted = false;
    for (std::size_t t = 0; t < targets_.size(); ++t)
      backward_target(packed, t, head_gradients, features, d, dx, gradients);

    if (net_.memory().size) backward_memory(packed[first_head_ - 1], d, dx, gradients);

    for (std::size_t l = trunk_.size(); l-- > 0;) {
      Layer<T>& layer = trunk_[l];
      const bool first = l == 0;
      const T* x = !first ? activations_[l - 1].data() : copied_ ? trunk_input_.data() : input_;
      kernels::relu_backward(d, activations_[l].data(), rows_, layer.out(), layer.bias_gradient(gradients));
      layer.backward_weights(stream_, x, d, rows_, gradients);
      if (first && !copied_) return;
      layer.backward_data(stream_, packed[first_trunk_ + l], d, rows_, dx);
      std::swap(d, dx);
    }
    int column = net_.trunk_in();
    backward_encoders(d, column, gradients);
    backward_convolutions(packed, d, column, gradients);
  }

 private:
  struct Convolution {
    Layer<T> layer;
    Buffer<T> patches, output;
  };
  // The entities that are there, of all rows, one after another; their number is padded with zeros to a multiple.
  struct Encoder {
    Layer<T> layer;
    std::vector<int> begin, slot;  // see kernels::EntityRows
    int count = 0;                 // padded
    Buffer<T> inputs, encodings, gradients;
    Buffer<float> wide_gradients;
    bool targeted = false;  // wide_gradients holds a part of this pass's gradient already
  };
  struct Target {
    Layer<T> layer;
    Buffer<float> queries;
  };

  kernels::EntityRows entity_rows(const Encoder& encoder) const {
    return {encoder.begin.data(), encoder.slot.data(), rows_, encoder.layer.out()};
  }
  std::size_t size_of(int columns) const { return static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns); }

  void fill_trunk_input(const std::vector<OnednnWeights::Packed>& packed) {
    int column = 0;
    for (const FlatColumns& flat : net_.flat()) {
      for (int r = 0; r < rows_; ++r)
        std::copy_n(input_ + offset(r, stride_) + flat.first, flat.size,
                    trunk_input_.data() + offset(r, net_.trunk_in()) + column);
      column += flat.size;
    }
    convolve(packed, column);
    for (std::size_t k = 0; k < encoders_.size(); ++k) {
      encode_entities(packed[first_encoder_ + k], net_.encoders()[k], encoders_[k]);
      kernels::pool_entities(encoders_[k].encodings.data(), entity_rows(encoders_[k]), trunk_input_.data() + column,
                             net_.trunk_in());
      column += encoders_[k].layer.out();
    }
  }

  void encode_entities(const OnednnWeights::Packed& packed, const EntityEncoder& shape, Encoder& encoder) {
    const int features = shape.layer.in;
    encoder.inputs.resize((size_of(shape.count) + kRowsMultiple) * static_cast<std::size_t>(features));
    int n = 0;
    for (int r = 0; r < rows_; ++r) {
      encoder.begin[static_cast<std::size_t>(r)] = n;
      const T* x = input_ + offset(r, stride_) + shape.first;
      for (int i = 0; i < shape.count; ++i, x += features) {
        if (is_zero(*x)) continue;
        std::copy_n(x, features, encoder.inputs.data() + offset(n, features));
        encoder.slot[static_cast<std::size_t>(n++)] = i;
      }
    }
    encoder.begin[static_cast<std::size_t>(rows_)] = n;
    encoder.count = padded_rows(n);
    std::fill_n(encoder.inputs.data() + offset(n, features), offset(encoder.count - n, features), T{});
    encoder.encodings.resize(
        std::max(encoder.encodings.size(), static_cast<std::size_t>(offset(encoder.count, encoder.layer.out()))));
    encoder.layer.forward(stream_, packed, encoder.inputs.data(), encoder.count, encoder.encodings.data());
  }

  void choose_targets(const std::vector<OnednnWeights::Packed>& packed, const T* features) {
    const int head_size = net_.head_size();
    for (int r = 0; r < rows_; ++r)
      for (const HeadColumns& columns : net_.head_columns())
        std::copy_n(own_heads_.data() + offset(r, net_.head().out) + columns.from, columns.size,
                    heads_.data() + offset(r, head_size) + columns.to);
    for (std::size_t t = 0; t < targets_.size(); ++t) {
      const TargetHead& shape = net_.targets()[t];
      Target& target = targets_[t];
      const Encoder& encoder = encoders_[static_cast<std::size_t>(shape.encoder)];
      target.layer.forward(stream_, packed[first_head_ + 1 + t], features, rows_, target.queries.data());
      const int count = net_.encoders()[static_cast<std::size_t>(shape.encoder)].count;
      for (int r = 0; r < rows_; ++r) std::fill_n(heads_.data() + offset(r, head_size) + shape.column, count, 0.0f);
      kernels::target_logits(encoder.encodings.data(), entity_rows(encoder), target.queries.data(), shape.scale(),
                             heads_.data() + shape.column, head_size);
    }
  }

  // Adds to d, the gradient by the features, and to the encoder's gradients.
  void backward_target(const std::vector<OnednnWeights::Packed>& packed, std::size_t t, const float* head_gradients,
                       const T* features, T* d, T* scratch, float* gradients) {
    const TargetHead& shape = net_.targets()[t];
    Target& target = targets_[t];
    Encoder& encoder = encoders_[static_cast<std::size_t>(shape.encoder)];
    const int width = target.layer.out();
    const auto size = static_cast<std::size_t>(offset(encoder.count, width));
    if (encoder.wide_gradients.size() < size) encoder.wide_gradients.resize(size);
    if (!encoder.targeted) std::fill_n(encoder.wide_gradients.data(), size, 0.0f);
    encoder.targeted = true;
    query_gradients_.resize(std::max(query_gradients_.size(), size_of(width)));
    kernels::target_logits_backward(encoder.encodings.data(), entity_rows(encoder), target.queries.data(),
                                    head_gradients + shape.column, net_.head_size(), shape.scale(),
                                    query_gradients_.data(), encoder.wide_gradients.data());
    kernels::convert(query_gradients_.data(), size_of(width), scratch);
    kernels::relu_backward(scratch, static_cast<const T*>(nullptr), rows_, width,
                           target.layer.bias_gradient(gradients));
    target.layer.backward_weights(stream_, features, scratch, rows_, gradients);
    target.layer.backward_data(stream_, packed[first_head_ + 1 + t], scratch, rows_, d, true);
  }

  void backward_encoders(const T* d, int& column, float* gradients) {
    for (std::size_t k = encoders_.size(); k-- > 0;) {
      Encoder& encoder = encoders_[k];
      const int width = encoder.layer.out(), n = encoder.begin[static_cast<std::size_t>(rows_)];
      column -= width;
      if (encoder.count == 0) continue;
      const auto size = static_cast<std::size_t>(offset(encoder.count, width));
      pooled_gradients_.resize(std::max(pooled_gradients_.size(), size));
      kernels::pool_entities_backward(encoder.encodings.data(), entity_rows(encoder), trunk_input_.data() + column,
                                      d + column, net_.trunk_in(), pooled_gradients_.data());
      std::fill_n(pooled_gradients_.data() + offset(n, width), offset(encoder.count - n, width), 0.0f);
      if (encoder.targeted) kernels::add(encoder.wide_gradients.data(), size, pooled_gradients_.data());
      encoder.gradients.resize(std::max(encoder.gradients.size(), size));
      kernels::convert(pooled_gradients_.data(), size, encoder.gradients.data());
      kernels::relu_backward(encoder.gradients.data(), encoder.encodings.data(), encoder.count, width,
                             encoder.layer.bias_gradient(gradients));
      encoder.layer.backward_weights(stream_, encoder.inputs.data(), encoder.gradients.data(), encoder.count,
                                     gradients);
    }
  }

  void convolve(const std::vector<OnednnWeights::Packed>& packed, int& column) {
    std::size_t next = 0;
    for (const ConvolutionStack& stack : net_.convolutions()) {
      for (std::size_t l = 0; l < stack.layers.size(); ++l, ++next) {
        const ConvolutionLayer& layer = stack.layers[l];
        Convolution& here = convolutions_[next];
        for (int r = 0; r < rows_; ++r) {
          T* patches = here.patches.data() + offset(r, layer.cells() * layer.patch());
          if (l == 0)
            gather_patches<T, true>(layer, input_ + offset(r, stride_) + stack.first, patches);
          else
            gather_patches<T, false>(
                layer, convolutions_[next - 1].output.data() + offset(r, stack.layers[l - 1].out_size()), patches);
        }
        here.layer.forward(stream_, packed[next], here.patches.data(), rows_ * layer.cells(), here.output.data());
      }
      const int size = stack.layers.back().out_size();
      for (int r = 0; r < rows_; ++r)
        std::copy_n(convolutions_[next - 1].output.data() + offset(r, size), size,
                    trunk_input_.data() + offset(r, net_.trunk_in()) + column);
      column += size;
    }
  }

  // d: the gradient by the features y = x + h; becomes the gradient by x.
  void backward_memory(const OnednnWeights::Packed& packed, T*& d, T*& dx, float* gradients) {
    const int m = net_.memory().size;
    const std::size_t count = static_cast<std::size_t>(rows_) * static_cast<std::size_t>(m);
    dh_.resize(count), dgates_.resize(2 * count);
    widen(d, count, dh_.data());
    kernels::mingru_backward(gates_.data(), z_.data(), h_.data(), rows_, m, memory_rows_.previous, memory_rows_.initial,
                             memory_rows_.states, dh_.data(), dgates_.data());
    gate_gradients_.resize(2 * count);
    kernels::convert(dgates_.data(), 2 * count, gate_gradients_.data());
    kernels::relu_backward(gate_gradients_.data(), static_cast<const T*>(nullptr), rows_, 2 * m,
                           memory_[0].bias_gradient(gradients));
    memory_[0].backward_weights(stream_, activations_.back().data(), gate_gradients_.data(), rows_, gradients);
    memory_[0].backward_data(stream_, packed, gate_gradients_.data(), rows_, dx);
    widen(d, count, dh_.data());
    widen(dx, count, dgates_.data());
    kernels::add(dgates_.data(), count, dh_.data());
    kernels::convert(dh_.data(), count, d);
  }

  void backward_convolutions(const std::vector<OnednnWeights::Packed>& packed, const T* d, int column,
                             float* gradients) {
    std::size_t next = convolutions_.size() - 1;
    for (std::size_t s = net_.convolutions().size(); s-- > 0;) {
      const ConvolutionStack& stack = net_.convolutions()[s];
      const int size = stack.layers.back().out_size();
      column -= size;
      Buffer<T> dy(static_cast<std::size_t>(offset(rows_, size)));
      for (int r = 0; r < rows_; ++r)
        std::copy_n(d + offset(r, net_.trunk_in()) + column, size, dy.data() + offset(r, size));
      for (std::size_t l = stack.layers.size(); l-- > 0; --next) {
        const ConvolutionLayer& layer = stack.layers[l];
        Convolution& here = convolutions_[next];
        const int rows = rows_ * layer.cells();
        kernels::relu_backward(dy.data(), here.output.data(), rows, layer.out_channels,
                               here.layer.bias_gradient(gradients));
        here.layer.backward_weights(stream_, here.patches.data(), dy.data(), rows, gradients);
        if (l == 0) continue;
        const std::size_t patches = static_cast<std::size_t>(rows) * static_cast<std::size_t>(layer.patch());
        Buffer<T> dpatches(patches);
        here.layer.backward_data(stream_, packed[next], dy.data(), rows, dpatches.data());
        Buffer<float> wide(patches);
        widen(dpatches.data(), patches, wide.data());
        const int in_size = stack.layers[l - 1].out_size();
        Buffer<float> din(static_cast<std::size_t>(offset(rows_, in_size)), 0.0f);
        for (int r = 0; r < rows_; ++r)
          scatter_patches(layer, wide.data() + offset(r, layer.cells() * layer.patch()),
                          din.data() + offset(r, in_size));
        dy.resize(din.size());
        kernels::convert(din.data(), din.size(), dy.data());
      }
    }
  }

  static std::ptrdiff_t offset(int row, int stride) { return static_cast<std::ptrdiff_t>(row) * stride; }

  const Network& net_;
  dnnl::stream stream_;
  int stride_, max_rows_;
  bool copied_;  // the trunk reads trunk_input_, not the observation rows themselves
  std::size_t first_encoder_ = 0, first_trunk_ = 0, first_head_ = 0;  // indices of matrices
  std::vector<Convolution> convolutions_;
  std::vector<Encoder> encoders_;
  std::vector<Target> targets_;
  std::vector<Layer<T>> trunk_, memory_, head_;  // memory_: none or one; head_: one
  Buffer<T> trunk_input_, features_, gradients_[2], gate_gradients_;
  std::vector<Buffer<T>> activations_;
  Buffer<float> own_heads_, query_gradients_, pooled_gradients_;  // networks with entities
  Buffer<float> heads_, gates_, z_, h_, wide_, dh_, dgates_;
  const T* input_ = nullptr;
  int rows_ = 0;
  MemoryRows memory_rows_;
};

class OnednnBackend final : public Backend {
 public:
  OnednnBackend(const Network& network, Precision precision)
      : net_(network),
        precision_(precision),
        type_(precision == Precision::f32 ? DataType::f32 : DataType::bf16),
        matrices_(matrices_of(network, type_)) {}

  std::string name() const override { return "onednn"; }
  Precision precision() const override { return precision_; }
  int input_stride() const override { return elements() * (precision_ == Precision::f32 ? 4 : 2); }

  std::unique_ptr<Weights> make_weights() const override {
    auto weights = std::make_unique<OnednnWeights>();
    for (const Matrix& matrix : matrices_)
      weights->matrices.push_back({memory(matrix.forward_layout, cpu()), memory(matrix.backward_layout, cpu()),
                                   std::vector<float>(static_cast<std::size_t>(matrix.out))});
    return weights;
  }

  void pack(std::span<const float> parameters, Weights& weights, int part, int parts) const override {
    const OneThread one_thread;
    require_code_memory();
    const dnnl::stream stream(cpu());
    auto& packed = static_cast<OnednnWeights&>(weights).matrices;
    for (std::size_t i = 0; i < matrices_.size(); ++i) {
      if (static_cast<int>(i % static_cast<std::size_t>(parts)) != part) continue;
      const Matrix& matrix = matrices_[i];
      float* w = const_cast<float*>(parameters.data()) + matrix.weight;
      memory forward({memory::dims{matrix.in, matrix.out}, DataType::f32, memory::format_tag::ab}, cpu(), w);
      memory backward({memory::dims{matrix.out, matrix.in}, DataType::f32, memory::format_tag::ba}, cpu(), w);
      dnnl::reorder(forward, packed[i].forward).execute(stream, forward, packed[i].forward);
      dnnl::reorder(backward, packed[i].backward).execute(stream, backward, packed[i].backward);
      const auto bias = parameters.subspan(matrix.bias, static_cast<std::size_t>(matrix.out));
      std::copy(bias.begin(), bias.end(), packed[i].bias.begin());
    }
  }

  std::unique_ptr<Executor> make_executor(int max_rows) const override {
    const OneThread one_thread;
    if (precision_ == Precision::f32)
      return std::make_unique<OnednnExecutor<float>>(net_, matrices_, elements(), max_rows);
    return std::make_unique<OnednnExecutor<Bf16>>(net_, matrices_, elements(), max_rows);
  }

 private:
  int elements() const { return net_.observation_size(); }

  const Network& net_;
  Precision precision_;
  DataType type_;
  std::vector<Matrix> matrices_;
};

}  // namespace

std::unique_ptr<Backend> make_onednn_backend(const Network& network, Precision precision) {
  return std::make_unique<OnednnBackend>(network, precision);
}

double measure_peak_gflops(Precision precision) {
  limit_isa();
  const OneThread one_thread;
  const DataType type = precision == Precision::f32 ? DataType::f32 : DataType::bf16;
  const dnnl::stream stream(cpu());
  double best = 0;
  for (int size : {256, 512, 1024}) {
    const memory::desc layout = best_weights(size, size, type);
    Product product(plain(size, size, type, size), layout, plain(size, size, DataType::f32, size), false, false, false);
    memory x(plain(size, size, type, size), cpu()), w(layout, cpu()), y(plain(size, size, DataType::f32, size), cpu());
    for (memory* m : {&x, &w, &y})
      std::fill_n(static_cast<std::byte*>(m->get_data_handle()), m->get_desc().get_size(), std::byte{0});
    const double flops = 2.0 * size * size * size;
    for (int repeat = 0; repeat < 12; ++repeat) {
      const auto begin = std::chrono::steady_clock::now();
      const int count = std::max(1, static_cast<int>(2e8 / flops));
      for (int i = 0; i < count; ++i)
        product.run(stream, x.get_data_handle(), w.get_data_handle(), y.get_data_handle());
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      best = std::max(best, flops * count / seconds * 1e-9);
    }
  }
  return best;
}

}  // namespace rival
