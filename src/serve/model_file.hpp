// Files of models: TorchScript (.pt), and archives of it as torch-model-archiver makes them (.mar).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "serve/tensor_model.hpp"

namespace rival::serve {

// The plug-in's. Error: it is not there; what to do about it.
Result<TensorLibrary*> torch_library();

struct LoadedModel {
  std::string name, version;  // of an archive what it says; else the file's name, and 1.0
  std::shared_ptr<TensorModel> model;
};
// Errors name the file, and of an archive that needs Python its handler.
Result<LoadedModel> read_model_file(TensorLibrary& library, const std::string& path);

// What an archive says of itself, MAR-INF/MANIFEST.json.
struct Manifest {
  std::string name, version, file;
};
// Any text. Error: it is none, or the model is more than tensors in and out.
Result<Manifest> read_manifest(std::string_view text, const std::string& archive);

}  // namespace rival::serve
