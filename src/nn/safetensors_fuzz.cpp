// safetensors from anywhere: no crash, and what is accepted survives being written and read again.
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "nn/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rival;
  const auto read = parse_safetensors({reinterpret_cast<const char*>(data), size}, "input");
  if (!read) return 0;
  const std::string bytes = to_safetensors(read.value());
  const auto again = parse_safetensors(bytes, "output");
  check(again.ok(), "what is written can be read");
  check(to_safetensors(again.value()) == bytes, "and is the same");
  return 0;
}
