#include "nn/network.hpp"

#include <algorithm>
#include <cmath>

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
  std::vector<std::vector<double>> vectors(static_cast<std::size_t>(count),
                                           std::vector<double>(static_cast<std::size_t>(length)));
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
      const double x = tall ? vectors[static_cast<std::size_t>(c)][static_cast<std::size_t>(r)]
                            : vectors[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)];
      w[static_cast<std::size_t>(r) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(c)] =
          gain * static_cast<float>(x);
    }
}

}  // namespace

std::size_t Network::add_parameter(std::string name, int rows, int columns) {
  const std::size_t offset = parameter_count_;
  parameters_.push_back({std::move(name), offset, rows, columns});
  parameter_count_ += parameters_.back().size();
  return offset;
}

DenseLayer Network::dense(std::string name, int in, int out, bool relu) {
  DenseLayer layer{name, in, out, relu, 0, 0};
  layer.weight = add_parameter(name + ".weight", in, out);
  layer.bias = add_parameter(name + ".bias", 0, out);
  return layer;
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
    if (width < 1 || width > 8192)
      return Error{"network: a hidden width must be 1 to 8192, is " + std::to_string(width)};
  if (options.memory == -1) net.options_.memory = net.options_.hidden.back();
  const int memory = net.options_.memory;
  if (memory != 0 && memory != net.options_.hidden.back())
    return Error{"network: memory must be 0, -1 or the last hidden width, " +
                 std::to_string(net.options_.hidden.back())};
  if (options.entity < 1 || options.entity > 1024)
    return Error{"network: entity must be 1 to 1024, is " + std::to_string(options.entity)};

  int trunk_in = 0;
  bool convolved = false, flat_grid = false;
  std::vector<int> encoder_of(spec.observation.size(), -1);
  for (std::size_t p = 0; p < spec.observation.size(); ++p) {
    const ObservationPart& part = spec.observation[p];
    const int first = layout.observation_offset[p];
    const bool grid = part.kind == ObservationPart::Kind::grid;
    if (grid && (options.grid == GridReading::convolution ||
                 (options.grid == GridReading::automatic && part.size() > kLargeGrid))) {
      ConvolutionStack stack{first, {}};
      int channels = part.channels, height = part.height, width = part.width, out_channels = 16;
      do {
        ConvolutionLayer layer;
        layer.name = "encoder." + part.name + "." + std::to_string(stack.layers.size());
        layer.planes = stack.layers.empty();
        layer.channels = channels, layer.height = height, layer.width = width;
        layer.stride = height * width > kLastStackCells ? 2 : 1;
        layer.out_channels = out_channels;
        layer.out_height = (height - 1) / layer.stride + 1, layer.out_width = (width - 1) / layer.stride + 1;
        layer.weight = net.add_parameter(layer.name + ".weight", layer.patch(), out_channels);
        layer.bias = net.add_parameter(layer.name + ".bias", 0, out_channels);
        stack.layers.push_back(layer);
        channels = out_channels, height = layer.out_height, width = layer.out_width;
        out_channels = std::min(2 * out_channels, 64);
      } while (height * width > kLastStackCells);
      net.convolutions_.push_back(stack);
      convolved = true;
    } else if (part.kind == ObservationPart::Kind::entities) {
      encoder_of[p] = static_cast<int>(net.encoders_.size());
      net.encoders_.push_back(
          {first, part.count(), net.dense("encoder." + part.name, part.features(), options.entity, true)});
    } else {
      flat_grid |= grid;
      net.flat_.push_back({first, part.size(), !grid});
      trunk_in += part.size();
    }
  }
  for (const ConvolutionStack& stack : net.convolutions_) trunk_in += stack.layers.back().out_size();
  trunk_in += static_cast<int>(net.encoders_.size()) * options.entity;
  net.options_.grid = !convolved ? GridReading::flat : flat_grid ? GridReading::automatic : GridReading::convolution;

  int in = trunk_in;
  for (std::size_t i = 0; i < net.options_.hidden.size(); ++i) {
    net.trunk_.push_back(net.dense("trunk." + std::to_string(i), in, net.options_.hidden[i], true));
    in = net.options_.hidden[i];
  }
  if (memory != 0) {
    net.memory_ = {"memory", memory, 0, 0};
    net.memory_.weight = net.add_parameter("memory.weight", in, 2 * in);
    net.memory_.bias = net.add_parameter("memory.bias", 0, 2 * in);
  }
  const auto own_columns = [&](int to, int size) {  // of the head's dense layer
    if (size == 0) return;
    const int from = net.head_columns_.empty() ? 0 : net.head_columns_.back().from + net.head_columns_.back().size;
    if (!net.head_columns_.empty() && net.head_columns_.back().to + net.head_columns_.back().size == to)
      net.head_columns_.back().size += size;
    else
      net.head_columns_.push_back({from, to, size});
  };
  std::vector<std::size_t> target_parts;
  for (std::size_t p = 0; p < spec.action.size(); ++p) {
    if (spec.action[p].kind == ActionPart::Kind::target)
      target_parts.push_back(p);
    else if (spec.action[p].is_choice())
      own_columns(layout.mask_offset[p], spec.action[p].size);
  }
  own_columns(net.mask_size_, net.value_count_ + 1);
  net.head_ = net.dense("head", in, net.head_columns_.back().from + net.head_columns_.back().size, false);
  for (std::size_t p : target_parts)
    net.targets_.push_back({encoder_of[static_cast<std::size_t>(spec.action[p].entities)], layout.mask_offset[p],
                            net.dense("target." + spec.action[p].name, in, options.entity, false)});
  net.log_std_ = net.value_count_ ? net.add_parameter("action.log_std", 0, net.value_count_) : 0;
  net.list_operations();
  return net;
}

void Network::list_operations() {
  const auto buffer = [this](const Buffer& b) {
    buffers_.push_back(b);
    return static_cast<int>(buffers_.size()) - 1;
  };
  const auto dense = [this](const DenseLayer& layer, int in, int out) {
    operations_.push_back({.kind = OperationKind::dense,
                           .in = in,
                           .out = out,
                           .name = layer.name,
                           .rows = layer.in,
                           .columns = layer.out,
                           .weight = layer.weight,
                           .bias = layer.bias,
                           .relu = layer.relu});
  };
  buffer({.columns = observation_size_});
  buffer({.columns = head_size(), .wide = true});

  int x = kObservationBuffer, column = 0;
  if (!convolutions_.empty() || !encoders_.empty()) {
    x = buffer({.columns = trunk_in()});
    for (const FlatColumns& flat : flat_) {
      operations_.push_back({.kind = OperationKind::copy,
                             .in = kObservationBuffer,
                             .out = x,
                             .in_column = flat.first,
                             .out_column = column,
                             .columns = flat.size});
      column += flat.size;
    }
  }
  for (const ConvolutionStack& stack : convolutions_) {
    int in = kObservationBuffer;
    for (const ConvolutionLayer& layer : stack.layers) {
      const int out = buffer({.columns = layer.out_channels, .places = layer.cells()});
      operations_.push_back({.kind = OperationKind::convolution,
                             .in = in,
                             .out = out,
                             .in_column = layer.planes ? stack.first : 0,
                             .name = layer.name,
                             .rows = layer.patch(),
                             .columns = layer.out_channels,
                             .weight = layer.weight,
                             .bias = layer.bias,
                             .relu = true,
                             .convolution = layer});
      in = out;
    }
    const int size = stack.layers.back().out_size();
    operations_.push_back({.kind = OperationKind::copy, .in = in, .out = x, .out_column = column, .columns = size});
    column += size;
  }
  std::vector<int> encodings;
  for (const EntityEncoder& encoder : encoders_) {
    const int entities = buffer({.columns = encoder.layer.in, .places = encoder.count});
    buffers_.back().entities = entities;
    operations_.push_back(
        {.kind = OperationKind::entities, .in = kObservationBuffer, .out = entities, .in_column = encoder.first});
    encodings.push_back(buffer({.columns = encoder.layer.out, .places = encoder.count, .entities = entities}));
    dense(encoder.layer, entities, encodings.back());
    operations_.push_back({.kind = OperationKind::largest,
                           .in = encodings.back(),
                           .out = x,
                           .out_column = column,
                           .columns = encoder.layer.out});
    column += encoder.layer.out;
  }

  for (const DenseLayer& layer : trunk_) {
    const int out = buffer({.columns = layer.out});
    dense(layer, x, out);
    x = out;
  }
  if (memory_.size) {
    const int out = buffer({.columns = memory_.size});
    operations_.push_back({.kind = OperationKind::mingru,
                           .in = x,
                           .out = out,
                           .name = memory_.name,
                           .rows = memory_.size,
                           .columns = 2 * memory_.size,
                           .weight = memory_.weight,
                           .bias = memory_.bias});
    x = out;
  }

  // The gradients by what the heads read are summed in the order: head, targets.
  for (std::size_t t = targets_.size(); t-- > 0;)
    operations_.push_back({.kind = OperationKind::targets,
                           .in = x,
                           .out = kHeadBuffer,
                           .out_column = targets_[t].column,
                           .name = targets_[t].query.name,
                           .rows = targets_[t].query.in,
                           .columns = targets_[t].query.out,
                           .weight = targets_[t].query.weight,
                           .bias = targets_[t].query.bias,
                           .encodings = encodings[static_cast<std::size_t>(targets_[t].encoder)]});
  const int own = targets_.empty() ? kHeadBuffer : buffer({.columns = head_.out, .wide = true});
  dense(head_, x, own);
  if (own != kHeadBuffer)
    for (const HeadColumns& columns : head_columns_)
      operations_.push_back({.kind = OperationKind::copy,
                             .in = own,
                             .out = kHeadBuffer,
                             .in_column = columns.from,
                             .out_column = columns.to,
                             .columns = columns.size});
}

double Network::forward_multiply_adds() const {
  double sum = 0;
  for (const ConvolutionStack& stack : convolutions_)
    for (const ConvolutionLayer& layer : stack.layers)
      sum += static_cast<double>(layer.cells()) * layer.patch() * layer.out_channels;
  for (const EntityEncoder& encoder : encoders_)
    sum += static_cast<double>(encoder.count) * encoder.layer.in * encoder.layer.out;
  for (const TargetHead& target : targets_)
    sum += static_cast<double>(target.query.in + encoders_[static_cast<std::size_t>(target.encoder)].count) *
           target.query.out;
  for (const DenseLayer& layer : trunk_) sum += static_cast<double>(layer.in) * layer.out;
  sum += 2.0 * memory_.size * memory_.size;
  return sum + static_cast<double>(head_.in) * head_.out;
}

std::vector<float> Network::initial_parameters(Key key) const {
  std::vector<float> p(parameter_count_, 0.0f);
  Random random(key);
  const auto fill = [&](std::size_t offset, int rows, int columns, float gain) {
    orthogonal({p.data() + offset, static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)}, rows, columns,
               gain, random);
  };
  const float relu_gain = std::sqrt(2.0f);
  for (const ConvolutionStack& stack : convolutions_)
    for (const ConvolutionLayer& layer : stack.layers) fill(layer.weight, layer.patch(), layer.out_channels, relu_gain);
  for (const EntityEncoder& encoder : encoders_)
    fill(encoder.layer.weight, encoder.layer.in, encoder.layer.out, relu_gain);
  for (const DenseLayer& layer : trunk_) fill(layer.weight, layer.in, layer.out, relu_gain);
  for (const TargetHead& target : targets_) fill(target.query.weight, target.query.in, target.query.out, 0.01f);
  if (memory_.size) fill(memory_.weight, memory_.size, 2 * memory_.size, 1.0f);

  std::vector<float> policy(static_cast<std::size_t>(head_.in) * static_cast<std::size_t>(head_.out - 1));
  std::vector<float> value(static_cast<std::size_t>(head_.in));
  if (head_.out > 1) orthogonal(policy, head_.in, head_.out - 1, 0.01f, random);
  orthogonal(value, head_.in, 1, 1.0f, random);
  for (int r = 0; r < head_.in; ++r) {
    float* row = p.data() + head_.weight + static_cast<std::ptrdiff_t>(r) * head_.out;
    std::copy_n(policy.data() + static_cast<std::ptrdiff_t>(r) * (head_.out - 1), head_.out - 1, row);
    row[head_.out - 1] = value[static_cast<std::size_t>(r)];
  }
  return p;
}

}  // namespace rival
