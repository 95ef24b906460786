// Messages of gRPC from anywhere, and answers: translating them does not crash, and what becomes of a request has its
// tensors where it says. The first byte says which of them the rest is.
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "base/number.hpp"
#include "grpc/translate.hpp"

using namespace rival;
using namespace rival::serve;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (data[0] % 2 == 0) {
    inference::ModelInferRequest request;
    if (!request.ParseFromString(rest)) return 0;
    const Result<HttpRequest> http = infer_to_http(request);
    if (!http) return 0;
    const HttpRequest& asked = http.value();
    const auto json = read_whole(asked.headers.at("inference-header-content-length"));
    check(json && static_cast<std::size_t>(*json) <= asked.body.size(), "there is JSON");
    check(asked.path.find('?') == std::string::npos && asked.path.find(' ') == std::string::npos, "a path is one");
    return 0;
  }
  HttpAnswer answer{.body = rest};
  answer.headers.emplace_back("Inference-Header-Content-Length", std::to_string(data[1]));
  inference::ModelInferResponse response;
  inference::ModelMetadataResponse metadata;
  (void)infer_from_http(answer, size % 2 == 0, response).ok();
  (void)metadata_from_http(answer, metadata).ok();
  (void)fault_of(answer);
  return 0;
}
