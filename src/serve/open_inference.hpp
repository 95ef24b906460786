// The Open Inference Protocol, version 2, over HTTP: what clients send and get, in JSON and with the extension of
// binary tensors (docs/moving-from-torchserve.md). Pure functions that take any bytes from outside.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fields.hpp"
#include "base/result.hpp"
#include "serve/batcher.hpp"
#include "serve/endpoint.hpp"
#include "serve/rows.hpp"

namespace rival::serve {

// A request in its two parts.
struct InferText {
  nlohmann::json json;
  std::string_view binary;  // of the body: tensors, in the order in which the JSON names them
};
// `json_bytes`: what the header Inference-Header-Content-Length says; "": the body is JSON alone. Of JSON at most
// `most`.
Result<InferText> split_infer(std::string_view body, std::string_view json_bytes, std::size_t most = kMostJson);

// The object `parameters` of a request or a tensor, which may be absent, and one of it that is true or false: false
// where it is absent.
const nlohmann::json& infer_parameters(const nlohmann::json& thing);
bool infer_flag(const JsonFields& parameters, const char* name, std::optional<Error>& error);

// The binary elements of an input, so many `bytes`, off the front of what follows the JSON. Nothing: they are in the
// JSON, or something is amiss.
std::optional<std::string_view> take_binary(const nlohmann::json& input, const std::string& name, std::size_t bytes,
                                            std::string_view& binary, std::optional<Error>& error);

// An answer, and the binary elements of its outputs, if any are such.
HttpAnswer infer_answer(const nlohmann::ordered_json& said, std::string_view binary, bool any_binary);

// Of /v2/models/NAME/versions/VERSION/..., the parts of which become those without it: VERSION; "": none is named.
std::string take_version(std::vector<std::string>& parts);

// Which requests belong together, by Triton's parameters.
struct Sequence {
  std::string id;  // as it stands in the JSON: 42, "a"; "": it belongs to none
  bool start = false, end = false;
};
Result<Sequence> read_sequence(const InferText& text);

enum class Tensor { choices, values, probabilities, value };

struct InferRequest {
  struct Output {
    Tensor tensor;
    bool binary;
  };
  std::string id;
  Rows rows;
  std::vector<Output> outputs;
  std::chrono::microseconds timeout{};  // 0: none

  bool estimates() const;  // some output is one
};
// Errors name the tensor and the field.
Result<InferRequest> read_infer(const InferText& text, const RowSizes& sizes);

// `answer` is in time, with estimates where the request has them.
HttpAnswer write_infer(const InferRequest& request, std::string_view model, std::string_view version,
                       const RowSizes& sizes, const Answered& answer);

// What a client is told of a bot.
nlohmann::ordered_json infer_metadata(std::string_view model, std::string_view version, const RowSizes& sizes);

}  // namespace rival::serve
