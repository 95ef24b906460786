// Requests for models, and what archives say of themselves, from anywhere: reading them does not crash, and what is
// accepted has as many bytes as its shape asks for. The first two bytes say how much of the rest is JSON; the third,
// whose rest it is.
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "serve/model_file.hpp"
#include "serve/tensor_text.hpp"

using namespace rival;
using namespace rival::serve;

namespace {

void expect_whole(const TensorData& tensor) {
  std::size_t elements = 1;
  for (const std::int64_t size : tensor.shape) elements *= static_cast<std::size_t>(size);
  check(tensor.bytes.size() == elements * bytes_of(tensor.datatype), "a tensor is whole");
  (void)lists_of(tensor);
}

void body(std::string_view text, bool listed_only) {
  const Result<Instances> read = read_model_body(text, listed_only);
  if (!read) return;
  expect_whole(read.value().tensor);
  (void)model_predictions({read.value().tensor}, read.value().listed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 3, size - 3);
  switch (data[2] % 3) {
    case 0: {
      const Result<InferText> text = split_infer(rest, std::to_string(data[0] + 256 * data[1]));
      if (!text) return 0;
      const Result<TensorRequest> request = read_tensors(text.value());
      if (!request) return 0;
      for (const TensorData& input : request.value().inputs) expect_whole(input);
      (void)in_order(request.value().inputs, {"a", "b"}).ok();
      (void)write_tensors(request.value(), "m", "1", request.value().inputs).ok();
      break;
    }
    case 1:
      body(rest, false);
      body(rest, true);
      break;
    default:
      if (const Result<Manifest> manifest = read_manifest(rest, "a.mar"))
        check(!manifest.value().name.empty() && manifest.value().file.ends_with(".pt"), "a manifest names a model");
  }
  return 0;
}
