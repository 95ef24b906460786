// Computing with a Network: forward passes and gradients, by a backend.
//
//   reference   textbook loops in f32: what every other backend is tested against, and how one learns the code
//   onednn      matrix products by oneDNN in bf16 (where the processor has it) or f32, everything else by kernels.hpp
//
// One Backend serves all threads; each thread has its own Executor; packed Weights are read by all executors at once.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"
#include "base/words.hpp"
#include "nn/network.hpp"

namespace rival {

enum class Precision { f32, bf16 };
template <>
inline constexpr std::array<Word<Precision>, 2> kWords<Precision>{{{"f32", Precision::f32}, {"bf16", Precision::bf16}}};
std::string to_string(Precision precision);

// bf16 where the processor multiplies it natively (AMX or AVX-512 BF16), else f32.
Precision best_precision();
// The instruction set that kernels and oneDNN use: "amx", "avx512_bf16", "avx512", "avx2", "sse4", "neon"... The
// environment variable RIVAL_ISA=avx512|avx2 lowers it; it must be set before the process computes anything.
std::string isa_name();

// How an observation is normalised: (x - mean) * scale, clipped to +-10. The mean of grids and entities is 0, so that
// what is not there stays 0, and the scale of an entity's first feature, by which it is there, is 1.
struct ObservationScale {
  std::vector<float> mean, scale;  // [observation_size]
};

// A network's parameters, laid out for a backend's products. Made and filled by the backend.
class Weights {
 public:
  virtual ~Weights() = default;
};

// The recurrent part of a forward pass (networks with memory only). Row r continues from row previous[r] of the same
// pass, or, where that is -1, from state initial[r]'s row of `states` (all zero if initial[r] is -1).
struct MemoryRows {
  const int* previous = nullptr;  // [rows]; each less than its row
  const int* initial = nullptr;   // [rows]
  const float* states = nullptr;  // [any x memory size]
};

// Products are compiled for each number of rows they meet: callers whose rows come in any number pad them to a
// multiple, so that few are.
inline constexpr int kRowsMultiple = 32;
constexpr int padded_rows(int rows) {
  return (rows + kRowsMultiple - 1) / kRowsMultiple * kRowsMultiple;
}

// Not thread-safe: one per thread. Passes are over at most max_rows rows.
class Executor {
 public:
  virtual ~Executor() = default;

  // Observation rows [rows x observation_size] -> input rows of Backend::input_stride() bytes each.
  virtual void encode(const ObservationScale& scale, const float* observations, int rows, std::byte* inputs) = 0;

  // Returns the head columns, [rows x head_size], valid until the next call. Keeps what backward() needs.
  // `inputs` must stay valid until then.
  virtual const float* forward(const Weights& weights, const std::byte* inputs, int rows,
                               const MemoryRows& memory = {}) = 0;

  // The memory's states after the last forward pass, [rows x memory size].
  virtual const float* states() const = 0;

  // Adds to `gradients` [parameter_count] those of a loss whose gradients by the last forward pass's head columns are
  // `head_gradients` [rows x head_size]. (The entries of log_std are the loss's own business.)
  virtual void backward(const Weights& weights, const float* head_gradients, float* gradients) = 0;
};

// Thread-safe.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;
  virtual Precision precision() const = 0;
  virtual int input_stride() const = 0;

  virtual std::unique_ptr<Weights> make_weights() const = 0;
  // Packs share `part` of `parts` of the parameters, so that threads can split the work. All shares must be packed
  // before a forward pass.
  virtual void pack(std::span<const float> parameters, Weights& weights, int part = 0, int parts = 1) const = 0;
  virtual std::unique_ptr<Executor> make_executor(int max_rows) const = 0;
};

enum class BackendKind { onednn, reference };
template <>
inline constexpr std::array<Word<BackendKind>, 2> kWords<BackendKind>{
    {{"onednn", BackendKind::onednn}, {"reference", BackendKind::reference}}};

// `network` must outlive the backend. The reference computes in f32 whatever the precision.
Result<std::unique_ptr<Backend>> make_backend(Named<BackendKind> kind, const Network& network, Precision precision);

}  // namespace rival
