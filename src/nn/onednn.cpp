#include "nn/onednn.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/index.hpp"
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

// Where a row begins, `stride` elements from row to row.
std::ptrdiff_t offset(int row, int stride) {
  return static_cast<std::ptrdiff_t>(row) * stride;
}

template <class T>
void copy_rows(const T* from, int from_stride, T* to, int to_stride, int rows, int columns) {
  for (int r = 0; r < rows; ++r) std::copy_n(from + offset(r, from_stride), columns, to + offset(r, to_stride));
}

memory::desc plain(int rows, int columns, DataType type) {
  return memory::desc({rows, columns}, type, memory::dims{columns, 1});
}
memory::desc transposed(int rows, int columns, DataType type) {
  return memory::desc({rows, columns}, type, memory::dims{1, rows});
}

// The layout oneDNN wants for the weights of x[rows x in] w[in x out].
memory::desc best_weights(int in, int out, DataType type) {
  const dnnl::matmul::desc product({memory::dims{kBlock, in}, type, memory::format_tag::ab},
                                   {memory::dims{in, out}, type, memory::format_tag::any},
                                   {memory::dims{kBlock, out}, DataType::f32, memory::format_tag::ab});
  return dnnl::matmul::primitive_desc(product, cpu()).weights_desc();
}

std::atomic<int> products_by_loops = 0;

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
    if (std::string_view(primitive.impl_info_str()).starts_with("ref")) ++products_by_loops;
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

// The matrices of a network's operations that have parameters, in order; that of a context after its operation's own.
std::vector<Matrix> matrices_of(const Network& net, DataType type) {
  std::vector<Matrix> all;
  for (const Operation& op : net.operations())
    for (const auto& [first, rows] : {std::pair(0, op.own_rows()), std::pair(op.own_rows(), op.context_columns)})
      if (rows)
        all.push_back({rows, op.columns, op.weight + index(first) * op.columns, op.bias,
                       best_weights(rows, op.columns, type), best_weights(op.columns, rows, type)});
  return all;
}

// The products of one matrix, compiled for each number of rows met.
template <class T>
class Layer {
 public:
  // `stride`: elements between rows of x. F32 output if `wide` (heads, gates), else T. `adds`: to what is in y, instead
  // of the bias.
  Layer(const Matrix& matrix, int stride, bool relu, bool wide, bool adds = false)
      : matrix_(&matrix), stride_(stride), relu_(relu), wide_(wide), adds_(adds) {}

  int in() const { return matrix_->in; }
  int out() const { return matrix_->out; }

  void forward(const dnnl::stream& stream, const OnednnWeights::Packed& w, const T* x, int rows, void* y) {
    const std::size_t size = wide_ ? sizeof(float) : sizeof(T);
    for_blocks(rows, [&](int first, int count) {
      get(forward_, count,
          [&] {
            return Product(plain(count, in(), type_of<T>()), matrix_->forward_layout,
                           plain(count, out(), wide_ ? DataType::f32 : type_of<T>()), !adds_, relu_, adds_);
          })
          .run(stream, together(x, first, count), w.forward.get_data_handle(),
               static_cast<std::byte*>(y) + index(offset(first, out())) * size, w.bias.data());
    });
  }

  // dx = dy w^T, or dx += if `accumulate` (always or never for one layer); dx is [rows x in], dense.
  void backward_data(const dnnl::stream& stream, const OnednnWeights::Packed& w, const T* dy, int rows, T* dx,
                     bool accumulate = false) {
    for_blocks(rows, [&](int first, int count) {
      get(backward_, count, [&] {
        return Product(plain(count, out(), type_of<T>()), matrix_->backward_layout, plain(count, in(), type_of<T>()),
                       false, false, accumulate);
      }).run(stream, dy + offset(first, out()), w.backward.get_data_handle(), dx + offset(first, in()));
    });
  }

  // dw += x^T dy.
  void backward_weights(const dnnl::stream& stream, const T* x, const T* dy, int rows, float* gradients) {
    for_blocks(rows, [&](int first, int count) {
      get(gradient_, count, [&] {
        return Product(transposed(in(), count, type_of<T>()), plain(count, out(), type_of<T>()),
                       plain(in(), out(), DataType::f32), false, false, true);
      }).run(stream, together(x, first, count), dy + offset(first, out()), gradients + matrix_->weight);
    });
  }

  float* bias_gradient(float* gradients) const { return gradients + matrix_->bias; }

 private:
  // The rows from `first` on, one directly after another: in bf16 oneDNN multiplies others by loops, a hundred times
  // slower.
  const T* together(const T* x, int first, int count) {
    x += offset(first, stride_);
    if (stride_ == in()) return x;
    together_.resize(index(kBlock) * in());
    copy_rows(x, stride_, together_.data(), in(), count, in());
    return together_.data();
  }
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
  std::vector<T> together_;
  bool relu_, wide_, adds_;
  std::map<int, Product> forward_, backward_, gradient_;
};

// Copies the 3x3 patches of a convolution into rows [cells x patch].
template <class T>
void gather_patches(const Convolution& layer, const T* x, T* patches) {
  for (int oy = 0; oy < layer.out_height; ++oy)
    for (int ox = 0; ox < layer.out_width; ++ox)
      for (int ky = 0; ky < 3; ++ky)
        for (int kx = 0; kx < 3; ++kx, patches += layer.channels) {
          const int y = oy * layer.stride + ky - 1, xx = ox * layer.stride + kx - 1;
          if (y < 0 || y >= layer.height || xx < 0 || xx >= layer.width) {
            std::fill_n(patches, layer.channels, T{});
          } else if (layer.planes) {
            for (int c = 0; c < layer.channels; ++c) patches[c] = x[(c * layer.height + y) * layer.width + xx];
          } else {
            std::copy_n(x + (y * layer.width + xx) * layer.channels, layer.channels, patches);
          }
        }
}

// The transpose of gather_patches, in f32: adds each patch's gradient to its cells (cell-by-cell layout).
void scatter_patches(const Convolution& layer, const float* patches, float* dx) {
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

// Room for `size` elements, which are not kept when more are needed.
template <class T>
T* room(std::vector<T>& all, std::size_t size) {
  if (all.size() < size) all.resize(size);
  return all.data();
}

template <class T>
class OnednnExecutor final : public Executor {
 public:
  OnednnExecutor(const Network& net, const std::vector<Matrix>& matrices, int stride, int max_rows)
      : net_(net), stream_(cpu()), stride_(stride), max_rows_(max_rows) {
    for (const Buffer& shape : net.buffers()) {
      Stored& b = stored_.emplace_back();
      b.shape = shape;
      b.narrow = !shape.wide && shape.entities < 0;
      const std::size_t size = index(max_rows) * shape.size();
      if (stored_.size() - 1 == kObservationBuffer) continue;
      if (shape.wide) {
        b.wide.resize(size);
      } else if (shape.entities < 0) {
        b.values.resize(size);
        b.gradients.resize(size);
      } else if (shape.entities == static_cast<int>(stored_.size()) - 1) {
        b.begin.resize(index(max_rows) + 1);
        b.slot.resize(index(max_rows) * shape.places + kRowsMultiple);
      }
    }
    std::size_t matrix = 0;
    for (const Operation& op : net.operations()) {
      Step& step = steps_.emplace_back();
      step.op = &op;
      if (!op.rows) continue;
      const bool wide = op.kind == OperationKind::mingru || op.kind == OperationKind::targets || shape(op.out).wide;
      const int columns = op.kind == OperationKind::convolution ? op.rows
                          : op.in == kObservationBuffer         ? stride
                                                                : shape(op.in).columns;
      step.matrix = matrix;
      step.layer.emplace(matrices[matrix++], columns, op.relu, wide, op.context >= 0);
      if (op.context >= 0) step.context.emplace(matrices[matrix++], shape(op.context).columns, false, false);
      if (op.kind == OperationKind::dense) stored(op.in).narrow = !shape(op.in).wide;
    }
    std::vector<char> written(stored_.size());
    for (std::size_t i = steps_.size(); i-- > 0;) {
      const auto adds = [&](int buffer) { return std::exchange(written[buffer], 1) != 0; };
      steps_[i].adds = adds(steps_[i].op->in);
      if (steps_[i].op->encodings >= 0) steps_[i].adds_to_encodings = adds(steps_[i].op->encodings);
    }
  }

  void encode(const ObservationScale& scale, const float* observations, int rows, std::byte* inputs) override {
    kernels::encode(observations, scale.mean.data(), scale.scale.data(), rows, net_.observation_size(),
                    reinterpret_cast<T*>(inputs), stride_);
  }

  const float* forward(const Weights& weights, const std::byte* inputs, int rows, const MemoryRows& memory) override {
    check(rows >= 1 && rows <= max_rows_, "a forward pass over more rows than the executor was made for");
    const OneThread one_thread;
    packed_ = static_cast<const OnednnWeights&>(weights).matrices.data();
    input_ = reinterpret_cast<const T*>(inputs);
    rows_ = rows;
    memory_rows_ = memory;
    for (Step& step : steps_) forward(step);
    return stored_[kHeadBuffer].wide.data();
  }

  const float* states() const override { return states_; }

  void backward(const Weights& weights, const float* head_gradients, float* gradients) override {
    const OneThread one_thread;
    packed_ = static_cast<const OnednnWeights&>(weights).matrices.data();
    head_gradients_ = head_gradients;
    for (std::size_t i = steps_.size(); i-- > 0;) backward(steps_[i], gradients);
  }

 private:
  // A buffer in the present pass. Of entities only those that are there are kept, of all rows one after another; their
  // number is padded with zeros to a multiple.
  struct Stored {
    Buffer shape;
    std::vector<T> values, gradients;
    std::vector<float> wide;            // the values, if the shape is wide
    std::vector<float> wide_gradients;  // in the place of gradients, of wide shapes and of entities' encodings
    std::vector<int> begin, slot;       // of the entities themselves; see kernels::EntityRows
    int count = 0;                      // of these, padded
    bool narrow = false;                // its gradients are in `gradients`
  };
  // An operation, with what it keeps for the way back.
  struct Step {
    const Operation* op = nullptr;
    std::size_t matrix = 0;
    std::optional<Layer<T>> layer, context;  // the context's matrix is the one after the layer's
    // Whether its gradients by what it reads are added to others that are there already.
    bool adds = false, adds_to_encodings = false;
    std::vector<T> context_rows;     // what the context gives to each row's places, then the gradients by that
    std::vector<T> patches;          // convolution
    std::vector<float> queries;      // targets
    std::vector<float> gates, z, h;  // mingru
  };

  Stored& stored(int buffer) { return stored_[buffer]; }
  const Buffer& shape(int buffer) const { return stored_[buffer].shape; }
  std::size_t size_of(int columns) const { return index(rows_) * columns; }

  // Places of all rows together.
  int places(int buffer) {
    const int entities = shape(buffer).entities;
    return entities < 0 ? rows_ * shape(buffer).places : stored(entities).count;
  }
  std::size_t elements(int buffer) { return index(offset(places(buffer), shape(buffer).columns)); }
  const T* values(int buffer) { return buffer == kObservationBuffer ? input_ : stored(buffer).values.data(); }
  int row_stride(int buffer) const { return buffer == kObservationBuffer ? stride_ : shape(buffer).size(); }
  const float* wide_gradients(int buffer) {
    return buffer == kHeadBuffer ? head_gradients_ : stored(buffer).wide_gradients.data();
  }
  // Whether anything asks for the gradients by a buffer.
  bool has_gradients(int buffer) const { return buffer != kObservationBuffer && shape(buffer).entities != buffer; }
  kernels::EntityRows entity_rows(int buffer) {
    const Stored& entities = stored(shape(buffer).entities);
    return {entities.begin.data(), entities.slot.data(), rows_, shape(buffer).columns};
  }

  void forward(Step& step) {
    switch (step.op->kind) {
      case OperationKind::copy:
        return copy(*step.op);
      case OperationKind::entities:
        return find_entities(*step.op);
      case OperationKind::dense:
        return dense(step);
      case OperationKind::convolution:
        return convolve(step);
      case OperationKind::largest:
        return kernels::pool_entities(values(step.op->in), entity_rows(step.op->in),
                                      stored(step.op->out).values.data() + step.op->out_column,
                                      shape(step.op->out).columns);
      case OperationKind::mingru:
        return remember(step);
      case OperationKind::targets:
        return choose_targets(step);
    }
  }

  void backward(Step& step, float* gradients) {
    switch (step.op->kind) {
      case OperationKind::copy:
        return copy_backward(*step.op);
      case OperationKind::entities:
        return;
      case OperationKind::dense:
        return dense_backward(step, gradients);
      case OperationKind::convolution:
        return convolve_backward(step, gradients);
      case OperationKind::largest:
        return largest_backward(step);
      case OperationKind::mingru:
        return remember_backward(step, gradients);
      case OperationKind::targets:
        return choose_targets_backward(step, gradients);
    }
  }

  void copy(const Operation& op) {
    if (shape(op.out).wide)
      copy_rows(stored(op.in).wide.data() + op.in_column, row_stride(op.in), stored(op.out).wide.data() + op.out_column,
                row_stride(op.out), rows_, op.columns);
    else
      copy_rows(values(op.in) + op.in_column, row_stride(op.in), stored(op.out).values.data() + op.out_column,
                row_stride(op.out), rows_, op.columns);
  }

  // No column is copied to two places.
  void copy_backward(const Operation& op) {
    if (!has_gradients(op.in)) return;
    if (shape(op.in).wide)
      copy_rows(wide_gradients(op.out) + op.out_column, row_stride(op.out),
                room(stored(op.in).wide_gradients, size_of(shape(op.in).size())) + op.in_column, row_stride(op.in),
                rows_, op.columns);
    else
      copy_rows<T>(stored(op.out).gradients.data() + op.out_column, row_stride(op.out),
                   stored(op.in).gradients.data() + op.in_column, row_stride(op.in), rows_, op.columns);
  }

  void find_entities(const Operation& op) {
    Stored& b = stored(op.out);
    const int features = b.shape.columns;
    T* found = room(b.values, (size_of(b.shape.places) + kRowsMultiple) * index(features));
    int n = 0;
    for (int r = 0; r < rows_; ++r) {
      b.begin[r] = n;
      const T* x = values(op.in) + offset(r, row_stride(op.in)) + op.in_column;
      for (int i = 0; i < b.shape.places; ++i, x += features) {
        if (is_zero(*x)) continue;
        std::copy_n(x, features, found + offset(n, features));
        b.slot[n++] = i;
      }
    }
    b.begin[rows_] = n;
    b.count = padded_rows(n);
    std::fill_n(found + offset(n, features), offset(b.count - n, features), T{});
  }

  void dense(Step& step) {
    const Operation& op = *step.op;
    Stored& y = stored(op.out);
    void* out = y.shape.wide ? static_cast<void*>(y.wide.data()) : room(y.values, elements(op.out));
    if (step.context) {
      T* rows = room(step.context_rows, size_of(op.columns));
      step.context->forward(stream_, packed_[step.matrix + 1], values(op.context), rows_, rows);
      const std::vector<int>& begin = stored(y.shape.entities).begin;
      T* to = y.values.data();
      for (int r = 0; r < rows_; ++r)
        for (int i = begin[r]; i < begin[r + 1]; ++i, to += op.columns)
          std::copy_n(rows + offset(r, op.columns), op.columns, to);
      std::fill_n(to, offset(places(op.out) - begin[rows_], op.columns), T{});
    }
    step.layer->forward(stream_, packed_[step.matrix], values(op.in) + op.in_column, places(op.in), out);
  }

  // The gradients by what an operation's product gives, as the products take them.
  T* narrow(const float* wide, std::size_t size) {
    T* dy = room(narrowed_, size);
    kernels::convert(wide, size, dy);
    return dy;
  }

  // From dy, the gradients by `count` rows of x w + b before its ReLU, of which y is the result.
  void product_backward(Step& step, const T* x, T* dy, const T* y, int count, float* gradients) {
    kernels::relu_backward(dy, y, count, step.layer->out(), step.layer->bias_gradient(gradients));
    step.layer->backward_weights(stream_, x, dy, count, gradients);
  }

  void dense_backward(Step& step, float* gradients) {
    const Operation& op = *step.op;
    Stored& y = stored(op.out);
    const int count = places(op.out);
    if (count == 0) return;
    T* dy = y.narrow ? y.gradients.data() : narrow(wide_gradients(op.out), elements(op.out));
    product_backward(step, values(op.in) + op.in_column, dy, op.relu ? y.values.data() : nullptr, count, gradients);
    if (step.context) {
      kernels::sum_entities(dy, entity_rows(op.out), step.context_rows.data());
      step.context->backward_weights(stream_, values(op.context), step.context_rows.data(), rows_, gradients);
    }
    if (has_gradients(op.in))
      step.layer->backward_data(stream_, packed_[step.matrix], dy, count,
                                room(stored(op.in).gradients, elements(op.in)), step.adds);
  }

  void convolve(Step& step) {
    const Operation& op = *step.op;
    const int size = op.convolution.cells() * op.convolution.patch();
    T* patches = room(step.patches, size_of(size));
    for (int r = 0; r < rows_; ++r)
      gather_patches(op.convolution, values(op.in) + offset(r, row_stride(op.in)) + op.in_column,
                     patches + offset(r, size));
    step.layer->forward(stream_, packed_[step.matrix], patches, places(op.out), stored(op.out).values.data());
  }

  void convolve_backward(Step& step, float* gradients) {
    const Operation& op = *step.op;
    const int count = places(op.out), size = op.convolution.cells() * op.convolution.patch();
    T* dy = stored(op.out).gradients.data();
    product_backward(step, step.patches.data(), dy, stored(op.out).values.data(), count, gradients);
    if (!has_gradients(op.in)) return;
    const std::size_t patches = size_of(size);
    T* dpatches = room(narrowed_, patches);
    step.layer->backward_data(stream_, packed_[step.matrix], dy, count, dpatches);
    float *wide = room(wide_[0], patches), *dx = room(wide_[1], elements(op.in));
    widen(dpatches, patches, wide);
    std::fill_n(dx, elements(op.in), 0.0f);
    for (int r = 0; r < rows_; ++r)
      scatter_patches(op.convolution, wide + offset(r, size), dx + offset(r, shape(op.in).size()));
    kernels::convert(dx, elements(op.in), stored(op.in).gradients.data());
  }

  void largest_backward(Step& step) {
    const Operation& op = *step.op;
    const Stored &e = stored(op.in), &y = stored(op.out);
    const std::size_t size = elements(op.in);
    if (size == 0) return;
    float* all = room(stored(op.in).wide_gradients, size);
    float* de = step.adds ? room(wide_[0], size) : all;
    kernels::pool_entities_backward(e.values.data(), entity_rows(op.in), y.values.data() + op.out_column,
                                    y.gradients.data() + op.out_column, y.shape.columns, de);
    const int n = stored(e.shape.entities).begin[rows_];
    std::fill(de + offset(n, op.columns), de + size, 0.0f);
    if (step.adds) kernels::add(de, size, all);
  }

  void remember(Step& step) {
    const int m = step.op->rows;
    const std::size_t count = size_of(m);
    const T* x = values(step.op->in);
    room(step.gates, 2 * count), room(step.z, count), room(step.h, count);
    step.layer->forward(stream_, packed_[step.matrix], x, rows_, step.gates.data());
    kernels::mingru_forward(step.gates.data(), rows_, m, memory_rows_.previous, memory_rows_.initial,
                            memory_rows_.states, step.z.data(), step.h.data());
    float* y = room(wide_[0], count);
    widen(x, count, y);
    kernels::add(step.h.data(), count, y);
    kernels::convert(y, count, stored(step.op->out).values.data());
    states_ = step.h.data();
  }

  // Of y = x + h.
  void remember_backward(Step& step, float* gradients) {
    const int m = step.op->rows;
    const std::size_t count = size_of(m);
    const T* dy = stored(step.op->out).gradients.data();
    T* dx = stored(step.op->in).gradients.data();
    float *dh = room(wide_[0], count), *dgates = room(wide_[1], 2 * count);
    widen(dy, count, dh);
    kernels::mingru_backward(step.gates.data(), step.z.data(), step.h.data(), rows_, m, memory_rows_.previous,
                             memory_rows_.initial, memory_rows_.states, dh, dgates);
    T* narrow_gates = narrow(dgates, 2 * count);
    product_backward(step, values(step.op->in), narrow_gates, nullptr, rows_, gradients);
    step.layer->backward_data(stream_, packed_[step.matrix], narrow_gates, rows_, dx);
    widen(dy, count, dh);
    widen(dx, count, dgates);
    kernels::add(dgates, count, dh);
    kernels::convert(dh, count, dx);
  }

  void choose_targets(Step& step) {
    const Operation& op = *step.op;
    float* queries = room(step.queries, size_of(op.columns));
    step.layer->forward(stream_, packed_[step.matrix], values(op.in), rows_, queries);
    const int stride = shape(op.out).columns;
    float* logits = stored(op.out).wide.data() + op.out_column;
    for (int r = 0; r < rows_; ++r) std::fill_n(logits + offset(r, stride), shape(op.encodings).places, 0.0f);
    kernels::target_logits(values(op.encodings), entity_rows(op.encodings), queries, op.scale(), logits, stride);
  }

  void choose_targets_backward(Step& step, float* gradients) {
    const Operation& op = *step.op;
    const std::size_t size = elements(op.encodings);
    float* de = room(stored(op.encodings).wide_gradients, size);
    if (!step.adds_to_encodings) std::fill_n(de, size, 0.0f);
    float* dq = room(wide_[0], size_of(op.columns));
    kernels::target_logits_backward(values(op.encodings), entity_rows(op.encodings), step.queries.data(),
                                    wide_gradients(op.out) + op.out_column, shape(op.out).columns, op.scale(), dq, de);
    T* dy = narrow(dq, size_of(op.columns));
    product_backward(step, values(op.in), dy, nullptr, rows_, gradients);
    step.layer->backward_data(stream_, packed_[step.matrix], dy, rows_, stored(op.in).gradients.data(), step.adds);
  }

  const Network& net_;
  dnnl::stream stream_;
  int stride_, max_rows_;
  std::vector<Stored> stored_;  // per buffer
  std::vector<Step> steps_;     // per operation
  std::vector<T> narrowed_;     // of the step at hand
  std::vector<float> wide_[2];
  // Of the present pass.
  const OnednnWeights::Packed* packed_ = nullptr;
  const T* input_ = nullptr;
  const float *head_gradients_ = nullptr, *states_ = nullptr;
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
                                   std::vector<float>(matrix.out)});
    return weights;
  }

  void pack(std::span<const float> parameters, Weights& weights, int part, int parts) const override {
    const OneThread one_thread;
    require_code_memory();
    const dnnl::stream stream(cpu());
    auto& packed = static_cast<OnednnWeights&>(weights).matrices;
    for (std::size_t i = 0; i < matrices_.size(); ++i) {
      if (static_cast<int>(i % index(parts)) != part) continue;
      const Matrix& matrix = matrices_[i];
      float* w = const_cast<float*>(parameters.data()) + matrix.weight;
      memory forward({memory::dims{matrix.in, matrix.out}, DataType::f32, memory::format_tag::ab}, cpu(), w);
      memory backward({memory::dims{matrix.out, matrix.in}, DataType::f32, memory::format_tag::ba}, cpu(), w);
      dnnl::reorder(forward, packed[i].forward).execute(stream, forward, packed[i].forward);
      dnnl::reorder(backward, packed[i].backward).execute(stream, backward, packed[i].backward);
      const auto bias = parameters.subspan(matrix.bias, matrix.out);
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

int onednn_products_by_loops() {
  return products_by_loops;
}

double measure_peak_gflops(Precision precision) {
  static_cast<void>(limit_isa());  // make_backend() and the program tell of an error
  const OneThread one_thread;
  const DataType type = precision == Precision::f32 ? DataType::f32 : DataType::bf16;
  const dnnl::stream stream(cpu());
  double best = 0;
  for (int size : {256, 512, 1024}) {
    const memory::desc layout = best_weights(size, size, type);
    Product product(plain(size, size, type), layout, plain(size, size, DataType::f32), false, false, false);
    memory x(plain(size, size, type), cpu()), w(layout, cpu()), y(plain(size, size, DataType::f32), cpu());
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
