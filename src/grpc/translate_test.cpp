#include "grpc/translate.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

namespace rival::serve {
namespace {

inference::ModelInferRequest request_with(std::initializer_list<float> numbers) {
  inference::ModelInferRequest request;
  request.set_model_name("demo@1200");
  auto& input = *request.add_inputs();
  input.set_name("observation"), input.set_datatype("FP32");
  input.add_shape(1), input.add_shape(static_cast<std::int64_t>(numbers.size()));
  for (const float number : numbers) input.mutable_contents()->add_fp32_contents(number);
  return request;
}

TEST(Translate, ARequestIsThatOfHttpWithBinaryTensors) {
  inference::ModelInferRequest request = request_with({1.5f, -2});
  request.set_id("7");
  (*request.mutable_parameters())["sequence_id"].set_int64_param(42);
  (*request.mutable_parameters())["sequence_start"].set_bool_param(true);
  request.add_outputs()->set_name("choices");
  Result<HttpRequest> http = infer_to_http(request);
  ASSERT_TRUE(http);
  EXPECT_EQ(http->method, "POST");
  EXPECT_EQ(http->path, "/v2/models/demo%401200/infer");
  const std::size_t size = std::stoul(http->headers.at("inference-header-content-length"));
  const auto json = nlohmann::json::parse(http->body.substr(0, size));
  EXPECT_EQ(json, nlohmann::json::parse(R"({"id": "7",
    "parameters": {"sequence_id": 42, "sequence_start": true, "binary_data_output": true},
    "inputs": [{"name": "observation", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}}],
    "outputs": [{"name": "choices", "parameters": {"binary_data": true}}]})"));
  const float numbers[] = {1.5f, -2};
  ASSERT_EQ(http->body.size(), size + sizeof numbers);
  EXPECT_EQ(std::memcmp(http->body.data() + size, numbers, sizeof numbers), 0);
}

TEST(Translate, RawTensorsAreTheSame) {
  const inference::ModelInferRequest typed = request_with({1.5f, -2});
  inference::ModelInferRequest raw = typed;
  const float numbers[] = {1.5f, -2};
  raw.mutable_inputs(0)->clear_contents();
  raw.add_raw_input_contents(numbers, sizeof numbers);
  EXPECT_EQ(infer_to_http(raw)->body, infer_to_http(typed)->body);
}

TEST(Translate, TensorsThatAreNotWhereTheyShouldBeAreNamed) {
  inference::ModelInferRequest both = request_with({1});
  both.add_raw_input_contents("four");
  EXPECT_EQ(infer_to_http(both).error().message,
            "the input 'observation' has both 'contents' and 'raw_input_contents'");
  both.add_raw_input_contents("four");
  EXPECT_EQ(infer_to_http(both).error().message, "1 inputs, but 2 'raw_input_contents'");
  inference::ModelInferRequest bytes = request_with({1});
  bytes.mutable_inputs(0)->set_datatype("BYTES");
  EXPECT_EQ(infer_to_http(bytes).error().message,
            "the input 'observation' has the datatype 'BYTES', which 'contents' cannot hold here");
}

TEST(Translate, AnAnswerIsInFieldsOrRaw) {
  const std::int32_t choices[] = {3, -1};
  HttpAnswer answer{.body = R"({"model_name":"demo","model_version":"5","id":"7","outputs":[{"name":"choices",
    "datatype":"INT32","shape":[2,1],"parameters":{"binary_data_size":8}}]})"};
  answer.headers.emplace_back("Inference-Header-Content-Length", std::to_string(answer.body.size()));
  answer.body.append(reinterpret_cast<const char*>(choices), sizeof choices);
  inference::ModelInferResponse typed, raw;
  ASSERT_TRUE(infer_from_http(answer, false, typed));
  ASSERT_TRUE(infer_from_http(answer, true, raw));
  EXPECT_EQ(typed.model_version(), "5");
  EXPECT_EQ(typed.id(), "7");
  ASSERT_EQ(typed.outputs(0).contents().int_contents_size(), 2);
  EXPECT_EQ(typed.outputs(0).contents().int_contents(1), -1);
  EXPECT_EQ(typed.raw_output_contents_size(), 0);
  EXPECT_EQ(raw.outputs(0).shape(0), 2);
  EXPECT_EQ(raw.raw_output_contents(0), answer.body.substr(answer.body.size() - sizeof choices));
}

TEST(Translate, AnAnswerOfAnotherKindIsAnError) {
  inference::ModelInferResponse response;
  inference::ModelMetadataResponse metadata;
  for (const char* body : {"", "[]", "{}", R"({"model_name":1})", R"({"model_name":"a","model_version":"1"})"}) {
    EXPECT_FALSE(infer_from_http({.body = body}, true, response)) << body;
    EXPECT_FALSE(metadata_from_http({.body = body}, metadata)) << body;
  }
  EXPECT_EQ(fault_of({.status = 400, .body = R"({"error":"no"})"}), "no");
  EXPECT_EQ(fault_of({.status = 400, .body = R"({"code":400,"message":"no"})"}), "no");
  EXPECT_EQ(fault_of({.status = 500, .body = "oops"}), "the server answered 500");
}

}  // namespace
}  // namespace rival::serve
