// Tensors as clients send and get them: lists of numbers, and the Open Inference Protocol's. Pure functions that take
// any bytes from outside.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "serve/endpoint.hpp"
#include "serve/open_inference.hpp"
#include "serve/tensor_model.hpp"

namespace rival::serve {

inline constexpr std::size_t kMostTensorJson = std::size_t{16} << 20;  // bytes of JSON in a request for a model

// "FP32".
std::string_view name_of(Datatype datatype);

// A tensor of lists in lists, all of a depth as long, as torch.tensor() makes it: of numbers FP32, of whole ones alone
// INT64, of true and false BOOL. `what` is how errors name it.
Result<TensorData> tensor_of(const nlohmann::json& lists, const std::string& what);

// Back: lists in lists, of a tensor without dimensions its element. What is not finite is null.
nlohmann::ordered_json lists_of(const TensorData& tensor);

// What TorchServe's clients send for a prediction: what its handlers make a batch of, one instance, or a list of them.
struct Instances {
  TensorData tensor;    // with the instances as its first dimension
  bool listed = false;  // {"instances": [...]}, to which the answer is {"predictions": [...]}
};
Result<Instances> read_model_body(std::string_view body, bool listed_only);
nlohmann::ordered_json model_predictions(const std::vector<TensorData>& outputs, bool listed);

// A request to /v2/models/.../infer.
struct TensorRequest {
  struct Output {
    std::string name;
    bool binary;
  };
  std::string id;
  std::vector<TensorData> inputs;
  std::vector<Output> outputs;  // none: all
  bool binary = false;          // those that are not named
};
Result<TensorRequest> read_tensors(const InferText& text);
// The inputs as the model takes them: by its names, or, where no name is one of those, by their order. Errors name
// them.
Result<std::vector<TensorData>> in_order(std::vector<TensorData> inputs, const std::vector<std::string>& names);
// Error: an output that was asked for is none of the model's.
Result<HttpAnswer> write_tensors(const TensorRequest& request, std::string_view model, std::string_view version,
                                 const std::vector<TensorData>& outputs);

}  // namespace rival::serve
