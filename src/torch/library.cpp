// The plug-in `torch`: TorchScript by LibTorch, and the zip archives in which TorchServe has models.
#include <ATen/Parallel.h>
#include <torch/script.h>
#include <torch/version.h>
#include <zip.h>

#include <algorithm>
#include <cstring>
#include <sstream>

#include "base/plugin.hpp"
#include "serve/tensor_model.hpp"

RIVAL_PLUGIN

namespace rival::serve {
namespace {

constexpr zip_int64_t kMostEntries = 4096;
constexpr int kMostOutputs = 64;

struct Pair {
  Datatype datatype;
  at::ScalarType type;
};
constexpr Pair kTypes[] = {{Datatype::boolean, at::kBool}, {Datatype::uint8, at::kByte}, {Datatype::int8, at::kChar},
                           {Datatype::int16, at::kShort},  {Datatype::int32, at::kInt},  {Datatype::int64, at::kLong},
                           {Datatype::fp32, at::kFloat},   {Datatype::fp64, at::kDouble}};

// Of what LibTorch says, what a person can use: the error itself, without the lines of its sources and of the model's
// that lead there, which also tell of the machine where the model was made.
std::string first_words(const std::exception& failure) {
  const auto* own = dynamic_cast<const c10::Error*>(&failure);
  std::string said = own ? own->what_without_backtrace() : failure.what();
  constexpr std::string_view kError = "Error: ";
  if (const std::size_t error = said.rfind(kError); error != std::string::npos) said.erase(0, error + kError.size());
  constexpr std::size_t kLongest = 500;
  said.resize(std::min(said.find('\n'), std::min(said.size(), kLongest)));
  return said;
}

// Computes on the thread that asks: the server has its own.
void compute_alone() {
  thread_local const bool once = [] {
    at::set_num_threads(1);
    return true;
  }();
  (void)once;
}

at::Tensor tensor_of(const TensorData& data) {
  for (const Pair& pair : kTypes)
    if (pair.datatype == data.datatype) {
      at::Tensor tensor = at::empty(data.shape, at::TensorOptions(pair.type));
      std::memcpy(tensor.data_ptr(), data.bytes.data(), data.bytes.size());
      return tensor;
    }
  throw std::runtime_error("a datatype that is not known");
}

TensorData data_of(const at::Tensor& given, std::string name) {
  at::Tensor tensor = given.detach().cpu();
  const at::ScalarType type = tensor.scalar_type();
  if (type == at::kHalf || type == at::kBFloat16) tensor = tensor.to(at::kFloat);
  tensor = tensor.contiguous();
  for (const Pair& pair : kTypes)
    if (pair.type == tensor.scalar_type()) {
      const auto sizes = tensor.sizes();
      return {std::move(name), pair.datatype, std::vector<std::int64_t>(sizes.begin(), sizes.end()),
              std::string(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes())};
    }
  throw std::runtime_error(std::string("an output is of the type ") + c10::toString(type) +
                           ", which is none that is served");
}

// A tensor, or a tuple, list or dictionary of them.
void add_outputs(const c10::IValue& value, const std::string& name, std::vector<TensorData>& to) {
  if (to.size() >= kMostOutputs) throw std::runtime_error("the model has more outputs than are served");
  if (value.isTensor()) {
    to.push_back(data_of(value.toTensor(), name));
  } else if (value.isTuple() || value.isList()) {
    const auto list =
        value.isTuple() ? c10::ArrayRef<c10::IValue>(value.toTupleRef().elements()).vec() : value.toListRef().vec();
    const std::string stem = name == "output" ? "output_" : name + "_";
    for (std::size_t i = 0; i < list.size(); ++i) add_outputs(list[i], stem + std::to_string(i), to);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict())
      add_outputs(entry.value(), entry.key().isString() ? entry.key().toStringRef() : name, to);
  } else {
    throw std::runtime_error("the model gives a " + value.tagKind() +
                             "; tensors, and tuples, lists and dictionaries of them, are served");
  }
}

class Script final : public TensorModel {
 public:
  explicit Script(torch::jit::Module module) : module_(std::move(module)) {
    module_.eval();
    const auto& arguments = module_.get_method("forward").function().getSchema().arguments();
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      inputs_.push_back(arguments[i].name());
      if (!arguments[i].default_value()) needed_ = i;
    }
  }

  const std::vector<std::string>& inputs() const override { return inputs_; }

  Result<std::vector<TensorData>> run(std::span<const TensorData> inputs) override try {
    compute_alone();
    if (inputs.size() < needed_ || inputs.size() > inputs_.size())
      return Error{"the model takes " + std::to_string(inputs_.size()) + " inputs, not " +
                   std::to_string(inputs.size())};
    const c10::InferenceMode guard;
    std::vector<c10::IValue> arguments;
    arguments.reserve(inputs.size());
    for (const TensorData& input : inputs) arguments.emplace_back(tensor_of(input));
    std::vector<TensorData> outputs;
    add_outputs(module_.forward(std::move(arguments)), "output", outputs);
    return outputs;
  } catch (const std::exception& failure) {
    return Error{first_words(failure)};
  } catch (...) {
    return Error{"the model threw something unknown"};
  }

 private:
  torch::jit::Module module_;
  std::vector<std::string> inputs_;
  std::size_t needed_ = 0;
};

class Torch final : public TensorLibrary {
 public:
  Torch() {
    at::set_num_threads(1);
    at::set_num_interop_threads(1);
  }

  std::string version() const override { return "LibTorch " TORCH_VERSION; }

  Result<std::unique_ptr<TensorModel>> read_model(std::string_view bytes, const std::string& place) override try {
    std::istringstream stream{std::string(bytes)};
    torch::jit::Module module = torch::jit::load(stream, at::kCPU);
    if (!module.find_method("forward")) return Error{place + ": the model has no method 'forward'"};
    return std::unique_ptr<TensorModel>(std::make_unique<Script>(std::move(module)));
  } catch (const std::exception& failure) {
    return Error{place +
                 " is no TorchScript that LibTorch " TORCH_VERSION
                 " reads: save the model by torch.jit.script or torch.jit.trace, and .save(): " +
                 first_words(failure)};
  }

  Result<std::string> read_entry(const std::string& archive, const std::string& entry, std::size_t most) override {
    int code = 0;
    const std::unique_ptr<zip_t, decltype(&zip_discard)> zip(zip_open(archive.c_str(), ZIP_RDONLY, &code),
                                                             &zip_discard);
    if (!zip) {
      zip_error_t error;
      zip_error_init_with_code(&error, code);
      const std::string said = zip_error_strerror(&error);
      zip_error_fini(&error);
      return Error{archive + " is no zip archive that can be read: " + said};
    }
    if (zip_get_num_entries(zip.get(), 0) > kMostEntries)
      return Error{archive + " has more than " + std::to_string(kMostEntries) + " entries"};
    zip_stat_t stat;
    if (zip_stat(zip.get(), entry.c_str(), 0, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE))
      return Error{archive + " has no entry '" + entry + "'"};
    if (stat.size > most)
      return Error{archive + ": the entry '" + entry + "' has " + std::to_string(stat.size) + " bytes; " +
                   std::to_string(most) + " is the most"};
    const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(zip_fopen_index(zip.get(), stat.index, 0),
                                                                  &zip_fclose);
    std::string bytes;
    // Read in pieces: an entry that says it has more than it has takes no more memory than it is long.
    constexpr std::size_t kPiece = 1 << 20;
    while (file && bytes.size() < stat.size) {
      const std::size_t begin = bytes.size();
      bytes.resize(std::min<std::size_t>(begin + kPiece, stat.size));
      const zip_int64_t got = zip_fread(file.get(), bytes.data() + begin, bytes.size() - begin);
      bytes.resize(begin + static_cast<std::size_t>(std::max<zip_int64_t>(got, 0)));
      if (got <= 0) break;
    }
    if (bytes.size() != stat.size) return Error{archive + ": the entry '" + entry + "' cannot be read: it is damaged"};
    return bytes;
  }
};

}  // namespace
}  // namespace rival::serve

extern "C" __attribute__((visibility("default"))) rival::serve::TensorLibrary* rival_torch_library() {
  static rival::serve::Torch library;
  return &library;
}
