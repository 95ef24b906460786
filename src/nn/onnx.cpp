#include "nn/onnx.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "base/check.hpp"
#include "base/index.hpp"
#include "base/protobuf.hpp"

// Field numbers below are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).

namespace rival {
namespace {

constexpr float kForbidden = -1e9f;  // the logit of a masked choice, as in heads.cpp

constexpr std::int64_t kIrVersion = 8, kOperatorSet = 13;
enum class Type : std::int64_t { f32 = 1, i64 = 7, boolean = 9 };  // TensorProto.DataType

using Shape = std::vector<std::int64_t>;

// Grows a GraphProto. A value of the graph goes by its name; calls return the name of what they add.
class Graph {
 public:
  std::string input(const std::string& name, Type type, std::int64_t columns) {
    graph_.add_message(11, value_info(name, type, columns));
    return name;
  }

  // Declares that the graph's result `name` is `value`.
  void output(const std::string& name, const std::string& value, std::int64_t columns) {
    node("Identity", {value}, {}, {name});
    graph_.add_message(12, value_info(name, Type::f32, columns));
  }

  std::string constant(const std::string& name, const Shape& shape, std::span<const float> values) {
    return initializer(name, Type::f32, shape, values.data(), values.size_bytes());
  }
  std::string scalar(const std::string& name, float value) { return constant(name, {}, {&value, 1}); }
  std::string integers(const std::string& name, const Shape& values) {
    return initializer(name, Type::i64, {static_cast<std::int64_t>(values.size())}, values.data(),
                       values.size() * sizeof(std::int64_t));
  }

  // Lists of integers; one alone is a number, but for `axes`.
  using Attributes = std::vector<std::pair<std::string, Shape>>;
  std::string node(const std::string& op, const std::vector<std::string>& inputs, const Attributes& attributes = {},
                   const std::vector<std::string>& outputs = {}) {
    const std::string name = fmt::format("{}_{}", op, ++nodes_);
    ProtoWriter node;
    for (const std::string& in : inputs) node.add_bytes(1, in);
    for (const std::string& out : outputs) node.add_bytes(2, out);
    if (outputs.empty()) node.add_bytes(2, name);
    node.add_bytes(3, name).add_bytes(4, op);
    for (const auto& [key, values] : attributes) node.add_message(5, attribute(key, values));
    graph_.add_message(1, node);
    return outputs.empty() ? name : outputs.front();
  }

  // x's columns [first, first + size), of `width`.
  std::string columns(const std::string& x, std::int64_t first, std::int64_t size, std::int64_t width) {
    if (first == 0 && size == width) return x;
    const std::string name = fmt::format("columns_{}", ++nodes_);
    return node("Slice", {x, integers(name + ".first", {first}), integers(name + ".end", {first + size}),
                          integers(name + ".axis", {1})});
  }

  std::string reshape(const std::string& x, const Shape& shape) {
    return node("Reshape", {x, integers(fmt::format("shape_{}", ++nodes_), shape)});
  }

  const ProtoWriter& finish(const std::string& name) { return graph_.add_bytes(2, name); }

 private:
  // [N, columns], or [N] if columns is 0.
  static ProtoWriter value_info(const std::string& name, Type type, std::int64_t columns) {
    ProtoWriter shape;
    shape.add_message(1, ProtoWriter().add_bytes(2, "N"));
    if (columns > 0) shape.add_message(1, ProtoWriter().add_int(1, columns));
    const ProtoWriter tensor = ProtoWriter().add_int(1, static_cast<std::int64_t>(type)).add_message(2, shape);
    return ProtoWriter().add_bytes(1, name).add_message(2, ProtoWriter().add_message(1, tensor));
  }

  static ProtoWriter attribute(const std::string& name, const Shape& values) {
    constexpr std::int64_t kInt = 2, kInts = 7;  // AttributeProto.AttributeType
    ProtoWriter out;
    out.add_bytes(1, name);
    if (values.size() == 1 && name != "axes") return out.add_int(3, values.front()).add_int(20, kInt);
    for (const std::int64_t value : values) out.add_int(8, value);
    return out.add_int(20, kInts);
  }

  std::string initializer(const std::string& name, Type type, const Shape& shape, const void* data, std::size_t size) {
    static_assert(std::endian::native == std::endian::little, "tensors are little-endian");
    ProtoWriter tensor;
    for (const std::int64_t extent : shape) tensor.add_int(1, extent);
    tensor.add_int(2, static_cast<std::int64_t>(type)).add_bytes(8, name);
    tensor.add_bytes(9, {static_cast<const char*>(data), size});
    graph_.add_message(5, tensor);
    return name;
  }

  ProtoWriter graph_;
  int nodes_ = 0;
};

// Adds a network's operations to a graph. What a buffer holds is [N, columns], or [N, places, columns] of entities; but
// of cells as ONNX has them, plane by plane: [N, columns, height, width].
class Exporter {
 public:
  Exporter(const Network& network, std::span<const float> parameters, Graph& graph)
      : net_(network),
        parameters_(parameters),
        graph_(graph),
        pieces_(network.buffers().size()),
        cells_(network.buffers().size()) {}

  // The heads of an observation.
  std::string heads(const std::string& observation) {
    pieces_[kObservationBuffer] = {{0, observation}};
    for (const Operation& op : net_.operations()) pieces_[op.out][op.out_column] = add(op);
    return value(kHeadBuffer);
  }

 private:
  const Buffer& shape(int buffer) const { return net_.buffers()[buffer]; }

  std::string value(int buffer) {
    auto& pieces = pieces_[buffer];
    if (pieces.size() > 1) {
      std::vector<std::string> in_order;
      for (const auto& [column, piece] : pieces) in_order.push_back(piece);
      pieces = {{0, graph_.node("Concat", in_order, {{"axis", {1}}})}};
    }
    return pieces.begin()->second;
  }

  std::string add(const Operation& op) {
    switch (op.kind) {
      case OperationKind::copy:
        return copy(op);
      case OperationKind::entities: {
        const Buffer& out = shape(op.out);
        const std::string x = graph_.columns(value(op.in), op.in_column, out.size(), shape(op.in).size());
        return graph_.reshape(x, {-1, out.places, out.columns});
      }
      case OperationKind::dense:
        return shape(op.out).entities < 0 ? dense(op) : encodings(op);
      case OperationKind::convolution:
        return convolution(op);
      case OperationKind::largest:  // no encoding is below zero, which it is without entities
        return graph_.node("ReduceMax", {value(op.in)}, {{"axes", {1}}, {"keepdims", {0}}});
      case OperationKind::mingru:
        return mingru(op);
      case OperationKind::targets:
        return targets(op);
    }
    return "";
  }

  std::string weight(const Operation& op) {
    return graph_.constant(op.name + ".weight", {op.rows, op.columns}, piece(op.weight, op.rows * op.columns));
  }
  std::string bias(const Operation& op) {
    return graph_.constant(op.name + ".bias", {op.columns}, piece(op.bias, op.columns));
  }

  std::string copy(const Operation& op) {
    const Buffer& in = shape(op.in);
    std::string x = value(op.in);
    if (cells_[op.in]) x = graph_.reshape(graph_.node("Transpose", {x}, {{"perm", {0, 2, 3, 1}}}), {-1, in.size()});
    return graph_.columns(x, op.in_column, op.columns, in.size());
  }

  std::string dense(const Operation& op) {
    const std::string x = value(op.in);
    const std::string y = graph_.node("Gemm", {x, weight(op), bias(op)});
    return op.relu ? graph_.node("Relu", {y}) : y;
  }

  // Ours: weights [ky, kx, channel, out]. ONNX's: [out, channel, ky, kx].
  std::string convolution(const Operation& op) {
    const Convolution& c = op.convolution;
    std::string x = value(op.in);
    if (c.planes)
      x = graph_.reshape(graph_.columns(x, op.in_column, c.in_size(), shape(op.in).size()),
                         {-1, c.channels, c.height, c.width});
    std::vector<float> reordered(op.rows * op.columns);
    for (int k = 0; k < 9; ++k)
      for (int in = 0; in < c.channels; ++in)
        for (int out = 0; out < c.out_channels; ++out)
          reordered[(out * c.channels + in) * 9 + k] =
              parameters_[op.weight + index((k * c.channels + in) * c.out_channels + out)];
    const std::string w = graph_.constant(op.name + ".weight", {c.out_channels, c.channels, 3, 3}, reordered);
    cells_[op.out] = true;
    x = graph_.node("Conv", {x, w, bias(op)},
                    {{"kernel_shape", {3, 3}}, {"pads", {1, 1, 1, 1}}, {"strides", {c.stride, c.stride}}});
    return graph_.node("Relu", {x});
  }

  // Zero where there is no entity.
  std::string encodings(const Operation& op) {
    const std::string presence = graph_.node(
        "Slice", {value(shape(op.out).entities), graph_.integers(op.name + ".presence", {0}),
                  graph_.integers(op.name + ".presence_end", {1}), graph_.integers(op.name + ".presence_axis", {2})});
    const std::string zero = graph_.scalar(op.name + ".absent", 0);
    const std::string absent = graph_.node("Equal", {presence, zero});
    const int own = op.own_rows();
    const std::string w = graph_.constant(op.name + ".weight", {own, op.columns}, piece(op.weight, own * op.columns));
    std::string shift = bias(op);
    if (op.context >= 0) {  // the same for all entities of a row
      const std::string context = graph_.constant(op.name + ".context", {op.context_columns, op.columns},
                                                  piece(op.weight + own * op.columns, op.context_columns * op.columns));
      const std::string seen = value(op.context);  // so far, which is what it reads
      shift = graph_.reshape(graph_.node("Gemm", {seen, context, shift}), {-1, 1, op.columns});
    }
    std::string y = graph_.node("Add", {graph_.node("MatMul", {value(op.in), w}), shift});
    if (op.relu) y = graph_.node("Relu", {y});
    return graph_.node("Where", {absent, zero, y});
  }

  std::string targets(const Operation& op) {
    const std::string scale = graph_.scalar(op.name + ".scale", op.scale());
    const std::string query = graph_.node("Mul", {dense(op), scale});
    const std::string logits = graph_.node("MatMul", {value(op.encodings), graph_.reshape(query, {-1, op.columns, 1})});
    return graph_.reshape(logits, {-1, shape(op.encodings).places});
  }

  std::string mingru(const Operation& op) {
    const std::int64_t m = op.rows;
    const std::string x = value(op.in);
    const std::string before = graph_.input("memory_in", Type::f32, m);
    const std::string gates = dense(op);
    const std::string z = graph_.node("Sigmoid", {graph_.columns(gates, 0, m, 2 * m)});
    const std::string change = graph_.node("Sub", {graph_.columns(gates, m, m, 2 * m), before});
    const std::string after = graph_.node("Add", {before, graph_.node("Mul", {z, change})});
    graph_.output("memory_out", after, m);
    return graph_.node("Add", {x, after});
  }

  std::span<const float> piece(std::size_t offset, int size) const { return parameters_.subspan(offset, size); }

  const Network& net_;
  std::span<const float> parameters_;
  Graph& graph_;
  std::vector<std::map<int, std::string>> pieces_;  // of what each buffer holds, by the first column
  std::vector<bool> cells_;                         // which buffers hold cells
};

}  // namespace

std::string to_onnx(const Network& network, std::span<const float> parameters, const ObservationScale& scale,
                    const HeadLayout& heads, const OnnxOptions& options) {
  const int observation_size = network.observation_size(), values = network.value_count();
  check(parameters.size() == network.parameter_count(), "to_onnx: parameters of another network");
  check(scale.mean.size() == index(observation_size) && scale.scale.size() == scale.mean.size(),
        "to_onnx: scale of another observation");
  check(heads.mask_size == network.mask_size() && heads.value_count == values, "to_onnx: heads of another network");
  Graph graph;

  std::string x = graph.input("observation", Type::f32, observation_size);
  x = graph.node("Sub", {x, graph.constant("observation.mean", {observation_size}, scale.mean)});
  x = graph.node("Mul", {x, graph.constant("observation.scale", {observation_size}, scale.scale)});
  x = graph.node("Clip", {x, graph.scalar("observation.low", -10), graph.scalar("observation.high", 10)});

  const std::string head = Exporter(network, parameters, graph).heads(x);

  if (const int size = network.mask_size(); size > 0) {
    const std::string mask = graph.input("mask", Type::boolean, size);
    const std::string logits = graph.columns(head, 0, size, network.head_size());
    graph.output("logits", graph.node("Where", {mask, logits, graph.scalar("forbidden", kForbidden)}), size);
  }
  if (values > 0) {
    // Raw values are in units in which the part's range is [-1, 1].
    std::vector<float> centre, half, deviation;
    for (int i = 0; i < values; ++i) {
      const std::size_t k = i;
      centre.push_back(0.5f * (heads.low[k] + heads.high[k]));
      half.push_back(0.5f * (heads.high[k] - heads.low[k]));
      deviation.push_back(half[k] * std::exp(parameters[network.log_std() + k]));
    }
    std::string mean = graph.columns(head, network.mask_size(), values, network.head_size());
    mean = graph.node("Mul", {mean, graph.constant("action.half_range", {values}, half)});
    mean = graph.node("Add", {mean, graph.constant("action.centre", {values}, centre)});
    graph.output("mean", mean, values);
    const std::string row = graph.constant("action.std", {1, values}, deviation);
    graph.output("std", graph.node("Expand", {row, graph.node("Shape", {mean})}), values);
  }
  std::string value = graph.columns(head, network.value_column(), 1, network.head_size());
  value = graph.node("Mul", {value, graph.scalar("value.scale", options.value_scale)});
  value = graph.node("Add", {value, graph.scalar("value.mean", options.value_mean)});
  graph.output("value", graph.reshape(value, {-1}), 0);

  ProtoWriter model;
  model.add_int(1, kIrVersion).add_bytes(2, "rival");
  if (!options.description.empty()) model.add_bytes(6, options.description);
  model.add_message(7, graph.finish("rival"));
  model.add_message(8, ProtoWriter().add_bytes(1, "").add_int(2, kOperatorSet));
  for (const auto& [key, text] : options.metadata)
    model.add_message(14, ProtoWriter().add_bytes(1, key).add_bytes(2, text));
  return model.bytes();
}

Result<std::map<std::string, std::string>> onnx_metadata(std::string_view bytes, const std::string& file) {
  const Error error{file + ": no ONNX model, or damaged"};
  std::map<std::string, std::string> metadata;
  bool has_version = false, has_graph = false;
  ProtoReader model(bytes);
  while (model.next()) {
    if (model.field() == 1 && model.type() == WireType::varint) has_version = true;
    if (model.field() == 7 && model.type() == WireType::bytes) has_graph = true;
    if (model.field() != 14) continue;
    if (model.type() != WireType::bytes) return error;
    std::string key, value;
    ProtoReader entry(model.bytes());
    while (entry.next()) {
      if (entry.field() > 2 || entry.type() != WireType::bytes) continue;
      (entry.field() == 1 ? key : value) = entry.bytes();
    }
    if (!entry.ok()) return error;
    if (!metadata.emplace(key, value).second) return Error{file + ": the ONNX model has a metadata key twice"};
  }
  if (!model.ok() || !has_version || !has_graph) return error;
  return metadata;
}

}  // namespace rival
