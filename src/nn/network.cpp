#include "nn/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/check.hpp"
#include "base/index.hpp"

namespace rival {
namespace {

constexpr int kLargeGrid = 1024;     // cells x channels above which a grid is convolved
constexpr int kSmallInput = 32;      // observations up to this size get a narrower trunk
constexpr int kLastStackCells = 64;  // convolutions go on until a grid has at most this many cells

constexpr int kMostOrthogonal = 512;  // vectors that are made orthogonal: the time it takes is their number cubed

// Rows or columns (whichever are fewer) made orthonormal by Gram-Schmidt on Gaussian numbers, times gain. Many long
// vectors of random numbers are almost orthogonal as they are: uniform ones of the same length (He et al., 2015).
void orthogonal(std::span<float> w, int rows, int columns, float gain, Random& random) {
  const bool tall = rows >= columns;
  const int count = tall ? columns : rows, length = tall ? rows : columns;
  if (count > kMostOrthogonal) {
    const float most = gain * std::sqrt(3.0f / static_cast<float>(length));
    for (float& x : w) x = random.uniform(-most, most);
    return;
  }
  std::vector<std::vector<double>> vectors(count, std::vector<double>(length));
  for (auto& v : vectors)
    for (double& x : v) {  // Box-Muller
      const double u = 1 - static_cast<double>(random.uniform());
      x = std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * static_cast<double>(random.uniform()));
    }
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    auto& v = vectors[i];
    for (std::size_t j = 0; j < i; ++j) {
      double dot = 0;
      for (std::size_t k = 0; k < v.size(); ++k) dot += v[k] * vectors[j][k];
      for (std::size_t k = 0; k < v.size(); ++k) v[k] -= dot * vectors[j][k];
    }
    double norm = 0;
    for (double x : v) norm += x * x;
    norm = std::sqrt(norm);
    for (double& x : v) x /= norm;
  }
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) {
      const double x = tall ? vectors[c][r] : vectors[r][c];
      w[index(r) * columns + index(c)] = gain * static_cast<float>(x);
    }
}

}  // namespace

std::size_t Network::add_parameter(std::string name, int rows, int columns) {
  const std::size_t offset = parameter_count_;
  parameters_.push_back({std::move(name), offset, rows, columns});
  parameter_count_ += parameters_.back().size();
  return offset;
}

Operation Network::with_parameters(Operation operation) {
  operation.weight = add_parameter(operation.name + ".weight", operation.rows, operation.columns);
  operation.bias = add_parameter(operation.name + ".bias", 0, operation.columns);
  return operation;
}

const Operation& Network::operation(std::string_view name) const {
  const auto found =
      std::find_if(operations_.begin(), operations_.end(), [&](const Operation& op) { return op.name == name; });
  check(found != operations_.end(), "a network has no operation of this name");
  return *found;
}

bool Network::has(OperationKind kind) const {
  return std::any_of(operations_.begin(), operations_.end(), [&](const Operation& op) { return op.kind == kind; });
}

Result<Network> Network::make(const Spec& spec, const NetworkOptions& options) {
  const RowLayout layout(spec);
  Network net;
  net.options_ = options;
  net.observation_ = spec.observation;
  net.action_ = spec.action;
  net.observation_size_ = layout.observation_size;
  net.mask_size_ = layout.mask_size;
  net.value_count_ = layout.value_count;

  if (net.options_.hidden.empty())
    net.options_.hidden = layout.observation_size <= kSmallInput ? std::vector{64, 64} : std::vector{128, 128};
  for (int width : net.options_.hidden)
    if (width < 1 || width > 8192) return Error{fmt::format("network: a hidden width must be 1 to 8192, is {}", width)};
  if (options.memory == -1) net.options_.memory = net.options_.hidden.back();
  const int memory = net.options_.memory;
  if (memory != 0 && memory != net.options_.hidden.back())
    return Error{fmt::format("network: memory must be 0, -1 or the last hidden width, {}", net.options_.hidden.back())};
  if (options.entity < 1 || options.entity > 1024)
    return Error{fmt::format("network: entity must be 1 to 1024, is {}", options.entity)};
  if (options.entity_inner < 0 || options.entity_inner > 1024)
    return Error{fmt::format("network: entity_inner must be 0 to 1024, is {}", options.entity_inner)};

  const auto buffer = [&](const Buffer& b) {
    net.buffers_.push_back(b);
    return static_cast<int>(net.buffers_.size()) - 1;
  };
  buffer({.columns = net.observation_size_});
  buffer({.columns = net.head_size(), .wide = true});

  const auto is_grid = [](const ObservationPart& part) { return part.kind == ObservationPart::Kind::grid; };
  const auto every = [](int from, int stride, int count) {
    std::vector<int> all(count);
    for (int i = 0; i < count; ++i) all[i] = from + i * stride;
    return all;
  };
  const auto is_convolved = [&](const ObservationPart& part) {
    return is_grid(part) && (options.grid == GridReading::convolution ||
                             (options.grid == GridReading::automatic && part.size() > kLargeGrid));
  };
  bool all_flat = true, convolved = false, flat_grid = false;
  for (const ObservationPart& part : spec.observation) {
    convolved |= is_convolved(part);
    flat_grid |= is_grid(part) && !is_convolved(part);
    all_flat &= !is_convolved(part) && part.kind != ObservationPart::Kind::entities;
  }
  net.options_.grid = !convolved ? GridReading::flat : flat_grid ? GridReading::automatic : GridReading::convolution;

  // From the observation to the trunk, which reads it as it is if all of it is flat.
  int x = all_flat ? kObservationBuffer : buffer({});
  int width = all_flat ? net.observation_size_ : 0;
  const auto write = [&](Operation op) {
    op.out = x;
    op.out_column = width;
    width += op.columns;
    net.operations_.push_back(std::move(op));
  };
  for (std::size_t p = 0; p < spec.observation.size() && !all_flat; ++p)
    if (const ObservationPart& part = spec.observation[p];
        part.kind != ObservationPart::Kind::entities && !is_convolved(part))
      write({.kind = OperationKind::copy,
             .in = kObservationBuffer,
             .in_column = layout.observation_offset[p],
             .columns = part.size()});
  const int flat = width;
  std::vector<Operation> convolutions, pooled;  // that write the rest of the trunk's input, in this order
  std::vector<int> encodings(spec.observation.size(), -1);
  for (std::size_t p = 0; p < spec.observation.size(); ++p) {
    const ObservationPart& part = spec.observation[p];
    const int first = layout.observation_offset[p];
    const std::string name = "encoder." + part.name;
    if (part.kind == ObservationPart::Kind::vector)
      for (int c = first; c < first + part.size(); ++c) net.normalised_.push_back(c);
    if (is_grid(part))
      for (int cells = part.height * part.width, channel = 0; channel < part.channels; ++channel)
        net.alike_.push_back(every(first + channel * cells, 1, cells));
    if (part.kind == ObservationPart::Kind::entities)
      for (int feature = 1; feature < part.features(); ++feature)
        net.alike_.push_back(every(first + feature, part.features(), part.count()));
    if (is_convolved(part)) {
      Convolution shape{.out_channels = part.channels, .out_height = part.height, .out_width = part.width};
      int in = kObservationBuffer, channels = 16;
      for (int i = 0; i == 0 || shape.out_height * shape.out_width > kLastStackCells; ++i) {
        shape = {.channels = shape.out_channels, .height = shape.out_height, .width = shape.out_width};
        shape.stride = shape.height * shape.width > kLastStackCells ? 2 : 1;
        shape.out_channels = channels;
        shape.out_height = (shape.height - 1) / shape.stride + 1,
        shape.out_width = (shape.width - 1) / shape.stride + 1;
        shape.planes = i == 0;
        const int out = buffer({.columns = channels, .places = shape.cells()});
        net.operations_.push_back(net.with_parameters({.kind = OperationKind::convolution,
                                                       .in = in,
                                                       .out = out,
                                                       .in_column = i == 0 ? first : 0,
                                                       .name = fmt::format("{}.{}", name, i),
                                                       .rows = shape.patch(),
                                                       .columns = channels,
                                                       .relu = true,
                                                       .convolution = shape}));
        in = out;
        channels = std::min(2 * channels, 64);
      }
      convolutions.push_back({.kind = OperationKind::copy, .in = in, .columns = shape.out_size()});
    } else if (part.kind == ObservationPart::Kind::entities) {
      const int entities = buffer({.columns = part.features(), .places = part.count()});
      net.buffers_.back().entities = entities;
      net.operations_.push_back(
          {.kind = OperationKind::entities, .in = kObservationBuffer, .out = entities, .in_column = first});
      const auto encoding = [&](int columns) {
        return buffer({.columns = columns, .places = part.count(), .entities = entities});
      };
      const bool along = options.entity_inner > 0;
      const int inner = along ? options.entity_inner : options.entity;
      encodings[p] = encoding(inner);
      net.operations_.push_back(net.with_parameters({.kind = OperationKind::dense,
                                                     .in = entities,
                                                     .out = encodings[p],
                                                     .name = name,
                                                     .rows = part.features() + (along ? flat : 0),
                                                     .columns = inner,
                                                     .relu = true,
                                                     .context = along && flat ? x : -1,
                                                     .context_columns = along ? flat : 0}));
      if (along) {
        const int in = std::exchange(encodings[p], encoding(options.entity));
        net.operations_.push_back(net.with_parameters({.kind = OperationKind::dense,
                                                       .in = in,
                                                       .out = encodings[p],
                                                       .name = name + ".1",
                                                       .rows = inner,
                                                       .columns = options.entity,
                                                       .relu = true}));
      }
      pooled.push_back({.kind = OperationKind::largest, .in = encodings[p], .columns = options.entity});
    }
  }
  for (const auto* writers : {&convolutions, &pooled})
    for (const Operation& op : *writers) write(op);
  net.buffers_[x].columns = width;

  for (std::size_t i = 0; i < net.options_.hidden.size(); ++i) {
    const int in = std::exchange(x, buffer({.columns = net.options_.hidden[i]}));
    net.operations_.push_back(net.with_parameters({.kind = OperationKind::dense,
                                                   .in = in,
                                                   .out = x,
                                                   .name = fmt::format("trunk.{}", i),
                                                   .rows = std::exchange(width, net.options_.hidden[i]),
                                                   .columns = net.options_.hidden[i],
                                                   .relu = true}));
  }
  if (memory != 0) {
    const int in = std::exchange(x, buffer({.columns = memory}));
    net.operations_.push_back(net.with_parameters(
        {.kind = OperationKind::mingru, .in = in, .out = x, .name = "memory", .rows = memory, .columns = 2 * memory}));
  }

  // The head's dense layer gives all columns but the targets' logits, in order.
  Operation head{.kind = OperationKind::dense, .in = x, .out = kHeadBuffer, .name = "head", .rows = width};
  std::vector<Operation> head_columns;
  const auto own_columns = [&](int to, int size) {
    if (size == 0) return;
    if (!head_columns.empty() && head_columns.back().out_column + head_columns.back().columns == to)
      head_columns.back().columns += size;
    else
      head_columns.push_back({.kind = OperationKind::copy,
                              .out = kHeadBuffer,
                              .in_column = head.columns,
                              .out_column = to,
                              .columns = size});
    head.columns += size;
  };
  for (std::size_t p = 0; p < spec.action.size(); ++p)
    if (spec.action[p].is_choice() && spec.action[p].kind != ActionPart::Kind::target)
      own_columns(layout.mask_offset[p], spec.action[p].size);
  own_columns(net.mask_size_, net.value_count_ + 1);
  head = net.with_parameters(head);
  std::vector<Operation> targets;
  for (std::size_t p = 0; p < spec.action.size(); ++p)
    if (spec.action[p].kind == ActionPart::Kind::target)
      targets.push_back(net.with_parameters({.kind = OperationKind::targets,
                                             .in = x,
                                             .out = kHeadBuffer,
                                             .out_column = layout.mask_offset[p],
                                             .name = "target." + spec.action[p].name,
                                             .rows = width,
                                             .columns = options.entity,
                                             .encodings = encodings[spec.action[p].entities]}));
  // On the way back, the gradients by what the heads read are summed in the order: head, targets.
  net.operations_.insert(net.operations_.end(), targets.rbegin(), targets.rend());
  if (!targets.empty()) head.out = buffer({.columns = head.columns, .wide = true});
  net.operations_.push_back(head);
  for (Operation& columns : head_columns) {
    if (targets.empty()) break;
    columns.in = head.out;
    net.operations_.push_back(columns);
  }
  net.log_std_ = net.value_count_ ? net.add_parameter("action.log_std", 0, net.value_count_) : 0;
  std::set<std::string_view> names;
  for (const ParameterView& parameter : net.parameters_)
    if (!names.insert(parameter.name).second)
      return Error{
          fmt::format("network: two parts of the observation both want parameters named '{}'; give one of them "
                      "a name without the number at its end",
                      parameter.name)};
  return net;
}

double Network::forward_multiply_adds() const {
  const auto places = [this](int buffer) { return buffers_[buffer].places; };
  double sum = 0;
  for (const Operation& op : operations_) {
    sum += (static_cast<double>(places(op.out)) * op.own_rows() + op.context_columns) * op.columns;
    if (op.encodings >= 0) sum += static_cast<double>(places(op.encodings)) * op.columns;
  }
  return sum;
}

std::vector<float> Network::initial_parameters(Key key, double memory_span) const {
  std::vector<float> p(parameter_count_, 0.0f);
  Random random(key);
  const auto fill = [&](const Operation& op, float gain) {
    orthogonal({p.data() + op.weight, index(op.rows) * op.columns}, op.rows, op.columns, gain, random);
  };
  // In the order: convolutions, dense layers, targets, memory, head.
  const float relu_gain = std::sqrt(2.0f);
  for (const OperationKind kind : {OperationKind::convolution, OperationKind::dense})
    for (const Operation& op : operations_)
      if (op.kind == kind && op.relu) fill(op, relu_gain);
  for (auto op = operations_.rbegin(); op != operations_.rend(); ++op)
    if (op->kind == OperationKind::targets) fill(*op, 0.01f);
  for (const Operation& op : operations_)
    if (op.kind == OperationKind::mingru) fill(op, 1.0f);
  for (const Operation& op : operations_)
    for (int i = 0; op.kind == OperationKind::mingru && i < op.rows; ++i)
      p[op.bias + index(i)] = -static_cast<float>(std::log(memory_span) * i / std::max(1, op.rows - 1));

  const Operation& head = operation("head");
  std::vector<float> policy(index(head.rows) * (head.columns - 1));
  std::vector<float> value(head.rows);
  if (head.columns > 1) orthogonal(policy, head.rows, head.columns - 1, 0.01f, random);
  orthogonal(value, head.rows, 1, 1.0f, random);
  for (int r = 0; r < head.rows; ++r) {
    float* row = p.data() + head.weight + static_cast<std::ptrdiff_t>(r) * head.columns;
    std::copy_n(policy.data() + static_cast<std::ptrdiff_t>(r) * (head.columns - 1), head.columns - 1, row);
    row[head.columns - 1] = value[r];
  }
  return p;
}

}  // namespace rival
