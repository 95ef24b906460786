#include "serve/model_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "base/file.hpp"
#include "base/json_fields.hpp"
#include "base/names.hpp"
#include "base/plugin.hpp"

namespace rival::serve {
namespace {

constexpr const char* kManifest = "MAR-INF/MANIFEST.json";
constexpr std::size_t kMostManifest = 1 << 20, kMostModel = std::size_t{4} << 30;  // bytes

}  // namespace

Result<TensorLibrary*> torch_library() {
  static const Result<void*> found = find_in_plugin("torch", kTorchLibrary,
                                                    "PyTorch models need it: install libtorch-dev and libzip-dev "
                                                    "(scripts/install-deps plugins) and build again");
  if (!found) return found.error();
  return reinterpret_cast<TorchLibrary*>(found.value())();
}

Result<Manifest> read_manifest(std::string_view text, const std::string& archive) {
  const std::string place = fmt::format("{}: {}", archive, kManifest);
  const Result<nlohmann::json> parsed = parse_json(text, place);
  if (!parsed) return parsed.error();
  std::optional<Error> error;
  const JsonFields fields(parsed.value(), place, error);
  JsonFields model(fields.field("model"), place + ": 'model'", error);
  Manifest manifest{.name = model.text("modelName"), .version = "1.0"};
  if (model.has("modelVersion")) manifest.version = model.text("modelVersion");
  const std::string handler = model.has("handler") ? model.text("handler") : "";
  if (!error && !handler.empty() && handler != "base_handler")
    return Error{fmt::format(
        "{}: its handler '{}' is Python, which does not run here: archive the model anew with --handler base_handler, "
        "which takes and gives tensors as they are, and do what the handler does in the model or in the client",
        archive, handler)};
  if (!error && model.has("modelFile") && model.text("modelFile") != "")
    return Error{
        fmt::format("{}: its model is Python ({}), with weights: save it as TorchScript (torch.jit.script), "
                    "and archive it anew without --model-file",
                    archive, model.text("modelFile"))};
  manifest.file = model.text("serializedFile");
  if (error) return *error;
  for (const std::string& name : {manifest.name, manifest.version})
    if (!is_plain_file_name(name))
      return Error{
          fmt::format("{}: '{}' is no name or version of a model: letters, digits, '-', '_' and '.'", place, name)};
  if (!manifest.file.ends_with(".pt"))
    return Error{fmt::format("{}: its model '{}' is no TorchScript (.pt)", archive, manifest.file)};
  return manifest;
}

Result<LoadedModel> read_model_file(TensorLibrary& library, const std::string& path) {
  LoadedModel loaded{.name = std::filesystem::path(path).stem().string(), .version = "1.0"};
  std::string bytes, place = path;
  if (path.ends_with(".mar")) {
    if (Result<PathKind> kind = path_kind(path); !kind || kind.value() != PathKind::file)
      return kind ? Error{path + " is no file"} : kind.error();
    const Result<std::string> text = library.read_entry(path, kManifest, kMostManifest);
    if (!text) return text.error();
    const Result<Manifest> manifest = read_manifest(text.value(), path);
    if (!manifest) return manifest.error();
    Result<std::string> model = library.read_entry(path, manifest.value().file, kMostModel);
    if (!model) return model.error();
    loaded.name = manifest.value().name, loaded.version = manifest.value().version;
    bytes = std::move(model.value());
    place += ": " + manifest.value().file;
  } else if (path.ends_with(".pt")) {
    Result<std::string> model = read_file(path);
    if (!model) return model.error();
    bytes = std::move(model.value());
  } else {
    return Error{path + " is no model: TorchScript is called .pt, an archive of it .mar"};
  }
  Result<std::unique_ptr<TensorModel>> model = library.read_model(bytes, place);
  if (!model) return model.error();
  loaded.model = std::move(model.value());
  return loaded;
}

}  // namespace rival::serve
