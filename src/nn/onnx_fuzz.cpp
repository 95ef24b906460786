// ONNX models from anywhere: reading their metadata does not crash, and holds no more than the file does.
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "nn/onnx.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto metadata = rival::onnx_metadata({reinterpret_cast<const char*>(data), size}, "input");
  std::size_t held = 0;
  if (metadata)
    for (const auto& [key, value] : metadata.value()) held += key.size() + value.size();
  rival::check(held <= size, "no more than the file");
  return 0;
}
