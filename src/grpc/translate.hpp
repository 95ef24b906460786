// Messages of gRPC as the requests over HTTP that mean the same (docs/moving-from-torchserve.md), and answers back.
// Pure functions of bytes from outside.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "open_inference.pb.h"
#include "serve/endpoint.hpp"

namespace rival::serve {

// "/v2/models/demo%401200/versions/3" and what follows; version "": whichever is the present one.
std::string model_path(std::string_view model, std::string_view version, std::string_view what = "");
// A part of a path or a query, with %XX for all that means something there.
std::string percent_encoded(std::string_view text);

// Error: tensors whose bytes are not where they should be.
Result<HttpRequest> infer_to_http(const inference::ModelInferRequest& request);

// Of an answer with status 200. `raw`: tensors as bytes, as Triton's client wants them; else as numbers in fields.
// Error: the answer is none of this protocol.
Result<void> infer_from_http(const HttpAnswer& answer, bool raw, inference::ModelInferResponse& response);
Result<void> metadata_from_http(const HttpAnswer& answer, inference::ModelMetadataResponse& response);

// What an answer that is no success says.
std::string fault_of(const HttpAnswer& answer);

}  // namespace rival::serve
