// safetensors: named tensors and a map of strings in one file, which any safetensors reader reads.
// The format: https://huggingface.co/docs/safetensors (8 bytes of header length, a JSON header, the tensors' bytes).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "base/result.hpp"

namespace rival {

struct Tensor {
  std::string name;
  std::string dtype;  // "F32"; of other files also "F16", "BF16", "I64", ...: kept as they are
  std::vector<std::int64_t> shape;
  std::string bytes;  // little-endian, row by row

  static Tensor f32(std::string name, std::vector<std::int64_t> shape, std::span<const float> values);

  // The values of an F32 tensor; a bug if it is of another type (see TensorFile::find_f32).
  std::vector<float> floats() const;
  std::int64_t elements() const;
};

struct TensorFile {
  std::vector<Tensor> tensors;  // in the order of their bytes; names differ
  std::map<std::string, std::string> metadata;

  // Null if there is no such tensor.
  const Tensor* find(std::string_view name) const;
  // The tensor of this name if it is F32 and of this shape; else an error that says what is there instead. `file` is
  // how the error names the file.
  Result<const Tensor*> find_f32(std::string_view name, std::span<const std::int64_t> shape,
                                 std::string_view file) const;
};

// Reads a whole file. Strict: the bytes may come from anyone. An error names `file`, the tensor and its field: a header
// that is longer than the file or than 100 MB, is no JSON or has a key twice; a type, a shape and offsets that do not
// fit together; bytes that belong to no tensor or to two.
Result<TensorFile> parse_safetensors(std::string_view bytes, std::string_view file);

// The bytes of a file; the same tensors and metadata always give the same bytes. Names must differ, and a tensor's
// bytes must fit its type and shape.
std::string to_safetensors(const TensorFile& tensors);

Result<TensorFile> load_safetensors(const std::string& path);
Result<void> save_safetensors(const std::string& path, const TensorFile& tensors,
                              Durability durability = Durability::process_crash, FileSystem& files = file_system());

}  // namespace rival
