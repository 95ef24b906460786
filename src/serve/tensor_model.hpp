// Models that take and give tensors, whatever computes them: what the server and the plug-ins that read such models
// have in common. No code of its own, so that both sides may be built with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace rival::serve {

enum class Datatype { boolean, uint8, int8, int16, int32, int64, fp32, fp64 };

constexpr std::size_t bytes_of(Datatype datatype) {
  constexpr std::size_t kBytes[] = {1, 1, 1, 2, 4, 8, 4, 8};
  return kBytes[static_cast<std::size_t>(datatype)];
}

struct TensorData {
  std::string name;
  Datatype datatype = Datatype::fp32;
  std::vector<std::int64_t> shape;
  std::string bytes;  // of its elements, row by row, as this machine has them: as many as the shape asks for
};

class TensorModel {
 public:
  virtual ~TensorModel() = default;
  // What it calls its inputs, in the order in which run() takes them.
  virtual const std::vector<std::string>& inputs() const = 0;
  // Errors, what the model throws among them, are in its own words. From several threads at a time.
  virtual Result<std::vector<TensorData>> run(std::span<const TensorData> inputs) = 0;
};

// What reads models: the plug-in `torch` has one.
class TensorLibrary {
 public:
  virtual ~TensorLibrary() = default;
  virtual std::string version() const = 0;
  // TorchScript, as torch.jit.save writes it; errors name the `place`.
  virtual Result<std::unique_ptr<TensorModel>> read_model(std::string_view bytes, const std::string& place) = 0;
  // The bytes of an entry of a zip archive, no more than `most`. Error: there is none, it is larger, or this is none.
  virtual Result<std::string> read_entry(const std::string& archive, const std::string& entry, std::size_t most) = 0;
};

// The plug-in's function: the library, which stays.
using TorchLibrary = TensorLibrary*();
inline constexpr const char* kTorchLibrary = "rival_torch_library";

}  // namespace rival::serve
