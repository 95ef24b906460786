// The shape of a policy-and-value network, built from a game's Spec alone, over one flat vector of f32 parameters.
//
//   vectors, small grids  ----------------------------+
//   large grids  --> convolutions  -------------------+--> trunk of dense layers --> (MinGRU memory) --> heads
//   entities  --> shared layer  --> largest of each --+                                                    |
//                      +------------ dot products with queries: logits of targets -------------------------+
//
// The head columns: the logits of all discrete and target action parts (RowLayout::mask_size), the means of all
// continuous values (RowLayout::value_count), then one value (normalised; see train/). The logits of targets come from
// queries, everything else from one dense layer.
//
// A Network says only what there is and where its parameters lie: a list of operations over buffers, from which the
// backends (backend.hpp), single decisions (one_row.hpp), the export (onnx.hpp) and growing (agent/transplant.hpp)
// work.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/index.hpp"
#include "base/result.hpp"
#include "base/words.hpp"
#include "rival/game.hpp"

namespace rival {

// How grids of the observation are read.
enum class GridReading {
  automatic,  // those of more than 1024 numbers by convolutions
  flat,
  convolution,
};
template <>
inline constexpr std::array<Word<GridReading>, 3> kWords<GridReading>{
    {{"auto", GridReading::automatic}, {"flat", GridReading::flat}, {"convolution", GridReading::convolution}}};

struct NetworkOptions {
  std::vector<int> hidden;  // widths of the trunk's layers; empty: chosen from the size of the observation
  int memory = 0;           // width of the MinGRU; 0: none; else the last hidden width, or -1 for just that
  int entity = 64;          // width of the encoding of entities
  // Width of the first of two layers that read each entity along with what else is seen, so that what it is to the
  // player can be told (how near it is, say, where both have a place). 0: one layer reads it alone.
  int entity_inner = 32;
  Named<GridReading> grid = GridReading::automatic;

  bool operator==(const NetworkOptions&) const = default;
};

// A 3x3 convolution with padding 1, then ReLU. Input and output are stored cell by cell, a cell's channels together,
// but for an input of planes. w is [9 * channels x out_channels], its rows ordered by (ky, kx, channel).
struct Convolution {
  int channels = 0, height = 0, width = 0;              // input
  int out_channels = 0, out_height = 0, out_width = 0;  // output
  int stride = 1;
  bool planes = false;  // the input is the observation's: plane after plane

  int cells() const { return out_height * out_width; }
  int patch() const { return 9 * channels; }
  int in_size() const { return channels * height * width; }
  int out_size() const { return cells() * out_channels; }
};

// What operations read and write: for each row of a pass, `places` times `columns` numbers, place after place.
struct Buffer {
  int columns = 0;
  int places = 1;
  // If it holds something of each entity of a part: the buffer of these entities, else -1. An entity is there if its
  // first feature is not 0; what is kept of one that is not there is 0.
  int entities = -1;
  bool wide = false;  // f32 whatever the precision

  int size() const { return places * columns; }
};
inline constexpr int kObservationBuffer = 0, kHeadBuffer = 1;

enum class OperationKind {
  copy,         // y = x, `columns` of them
  entities,     // y = the entities that x holds
  dense,        // y = x w + b, then ReLU if `relu`, at each place
  convolution,  // see Convolution
  largest,      // y = the largest value of each column of x over the entities, 0 if there is none
  mingru,       // y = x + h, see below
  targets,      // y_i = query . e_i / sqrt(columns) with query = x w + b, for entity i's encoding e_i; 0 if not there
};

// One step of a network, from one buffer to another. Copy, entities and convolution read a row from column `in_column`
// on, copy, largest and targets write it from column `out_column` on; the others are of whole buffers.
//
// mingru: a minimal gated recurrent unit whose gates do not look at the previous state (Feng et al., "Were RNNs All We
// Needed?", 2024): (a, c) = x w + b; z = sigmoid(a); h = h' + z (c - h'). w is [size x 2 size].
// largest: pooling a variable set of units by its maximum is OpenAI Five's (2019).
struct Operation {
  OperationKind kind = OperationKind::copy;
  int in = 0, out = 0;                // buffers
  int in_column = 0, out_column = 0;  // the first that it reads and writes
  std::string name = {};              // of its parameters, if it has any
  int rows = 0, columns = 0;          // of w, row-major; rows is 0 if there are no parameters
  std::size_t weight = 0, bias = 0;   // offsets into the parameters
  bool relu = false;
  // dense: the first so many columns of the buffer `context` follow x at each place, the same at all places of a row,
  // and the last rows of w are theirs. They are columns of the observation.
  int context = -1, context_columns = 0;
  int encodings = -1;            // targets: the buffer of e
  Convolution convolution = {};  // convolution

  int own_rows() const { return rows - context_columns; }                     // of w, for x itself
  float scale() const { return 1 / std::sqrt(static_cast<float>(columns)); }  // targets: of the dot products
};

// A named, shaped piece of the parameters; shape [rows x columns], or [columns] when rows is 0.
struct ParameterView {
  std::string name;
  std::size_t offset = 0;
  int rows = 0, columns = 0;
  std::size_t size() const { return index(rows ? rows : 1) * columns; }
};

class Network {
 public:
  // Error if the options make no sense for the Spec.
  static Result<Network> make(const Spec& spec, const NetworkOptions& options);

  // With what was left to choose resolved; grid stays automatic only where some grids are convolved and others are not.
  const NetworkOptions& options() const { return options_; }
  // The parts of the Spec that it was made for.
  const std::vector<ObservationPart>& observation() const { return observation_; }
  const std::vector<ActionPart>& action() const { return action_; }
  int observation_size() const { return observation_size_; }
  int mask_size() const { return mask_size_; }
  int value_count() const { return value_count_; }
  int head_size() const { return mask_size_ + value_count_ + 1; }
  int value_column() const { return mask_size_ + value_count_; }

  // A pass is over all operations in this order, and its gradients in the reverse one.
  const std::vector<Operation>& operations() const { return operations_; }
  const std::vector<Buffer>& buffers() const { return buffers_; }

  // That of this name, which there must be: "encoder.PART" (its second layer "encoder.PART.1"; of a grid's convolutions
  // "encoder.PART.0" and so on),
  // "trunk.0" and so on, "memory", "head", "target.PART".
  const Operation& operation(std::string_view name) const;
  bool has(OperationKind kind) const;

  int memory_size() const { return options_.memory; }
  // The observation's columns that are normalised, each by itself: those of vectors.
  const std::vector<int>& normalised() const { return normalised_; }
  // The others, in sets that share a scale, since they mean the same: a feature of all entities of a part (but the
  // first, which says whether one is there), and a channel of a grid.
  const std::vector<std::vector<int>>& alike() const { return alike_; }
  // Offset of the logarithms of the standard deviations of the continuous values: value_count() of them.
  std::size_t log_std() const { return log_std_; }

  const std::vector<ParameterView>& parameters() const { return parameters_; }
  std::size_t parameter_count() const { return parameter_count_; }
  // Multiply-adds of one forward pass of one row, all entities being there.
  double forward_multiply_adds() const;

  // Orthogonal weights (Saxe et al., 2013) with gain sqrt(2) before ReLU, 0.01 for the policy's and 1 for the value's
  // columns; zero biases, but those by which units of the memory forget: they fade within spans from two decisions to
  // about `memory_span` of them, evenly by their logarithm (after Tallec and Ollivier, "Can recurrent neural networks
  // warp time?", 2018). 1: all within two.
  std::vector<float> initial_parameters(Key key, double memory_span = 1) const;

 private:
  std::size_t add_parameter(std::string name, int rows, int columns);
  Operation with_parameters(Operation operation);

  NetworkOptions options_;
  std::vector<ObservationPart> observation_;
  std::vector<ActionPart> action_;
  int observation_size_ = 0, mask_size_ = 0, value_count_ = 0;
  std::vector<Operation> operations_;
  std::vector<Buffer> buffers_;
  std::vector<int> normalised_;
  std::vector<std::vector<int>> alike_;
  std::size_t log_std_ = 0;
  std::vector<ParameterView> parameters_;
  std::size_t parameter_count_ = 0;
};

}  // namespace rival
