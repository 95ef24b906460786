#include "serve/open_inference.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "base/json.hpp"

namespace rival::serve {
namespace {

using namespace std::chrono_literals;

const RowSizes kSizes = {.observation = 2, .mask = 3, .choices = 1, .values = 1, .parts = {3}, .names = {"move"}};

Result<InferRequest> read(const std::string& body, const std::string& json_bytes = "", const RowSizes& sizes = kSizes) {
  const Result<InferText> text = split_infer(body, json_bytes);
  if (!text) return text.error();
  return read_infer(text.value(), sizes);
}

template <class T>
std::string bytes(const std::vector<T>& elements) {
  return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T)};
}

const std::string kObservation =
    R"({"name": "observation", "datatype": "FP32", "shape": [2, 2], "data": [1, 2, 3, 4]})";

TEST(OpenInference, ReadsDataFlatOrNestedOrBinary) {
  const std::vector<float> observations = {1, 2, 3, 4.5};
  const std::vector<std::uint8_t> masks = {1, 0, 1, 0, 1, 0};
  const std::string flat =
      R"({"inputs": [{"name": "observation", "datatype": "FP32", "shape": [2, 2], "data": [1, 2, 3, 4.5]},
          {"name": "mask", "datatype": "BOOL", "shape": [2, 3], "data": [true, false, true, false, true, false]}]})";
  const std::string nested =
      R"({"inputs": [{"name": "mask", "datatype": "UINT8", "shape": [2, 3], "data": [[1, 0, 1], [0, 1, 0]]},
          {"name": "observation", "datatype": "FP32", "shape": [2, 2], "data": [[1, 2], [3, 4.5]]}]})";
  // Of odd length, so that the numbers stand at an odd address.
  std::string binary =
      R"({"inputs": [{"name": "mask", "datatype": "BOOL", "shape": [2, 3], "parameters": {"binary_data_size": 6}},
          {"name": "observation", "datatype": "FP32", "shape": [2, 2], "parameters": {"binary_data_size": 16}}]})";
  if (binary.size() % 2 == 0) binary += ' ';
  const std::string size = std::to_string(binary.size());
  for (const auto& [body, json_bytes] : {std::pair(flat, std::string()), std::pair(nested, std::string()),
                                         std::pair(binary + bytes(masks) + bytes(observations), size)}) {
    const Result<InferRequest> request = read(body, json_bytes);
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(request.value().rows.count, 2);
    EXPECT_EQ(request.value().rows.observations, observations);
    EXPECT_EQ(request.value().rows.masks, masks);
    ASSERT_EQ(request.value().outputs.size(), 2u);
    EXPECT_EQ(request.value().outputs[0].tensor, Tensor::choices);
    EXPECT_EQ(request.value().outputs[1].tensor, Tensor::values);
    EXPECT_FALSE(request.value().outputs[0].binary);
    EXPECT_FALSE(request.value().estimates());
  }
  EXPECT_EQ(read(R"({"inputs": [)" + kObservation + "]}").value().rows.masks, std::vector<std::uint8_t>(6, 1));
}

TEST(OpenInference, ReadsOutputsAndParameters) {
  const Result<InferRequest> request = read(R"({"id": "a7", "inputs": [)" + kObservation + R"(],
      "parameters": {"binary_data_output": true, "timeout": 2500, "priority": 1, "something": "else"},
      "outputs": [{"name": "value"}, {"name": "choices", "parameters": {"binary_data": false}}]})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request.value().id, "a7");
  EXPECT_EQ(request.value().timeout, 2500us);
  ASSERT_EQ(request.value().outputs.size(), 2u);
  EXPECT_EQ(request.value().outputs[0].tensor, Tensor::value);
  EXPECT_TRUE(request.value().outputs[0].binary);
  EXPECT_EQ(request.value().outputs[1].tensor, Tensor::choices);
  EXPECT_FALSE(request.value().outputs[1].binary);
  EXPECT_TRUE(request.value().estimates());
}

TEST(OpenInference, ErrorsNameTheTensorAndTheField) {
  const auto input = [](const std::string& rest) { return R"({"inputs": [{"name": "observation", )" + rest + "}]}"; };
  const auto with = [](const std::string& more) { return R"({"inputs": [)" + kObservation + "]" + more + "}"; };
  for (const auto& [body, error] : std::vector<std::pair<std::string, std::string>>{
           {"", "the request: no valid JSON"},
           {"[]", "the request: must be an object, not a list"},
           {"{}", "the request: 'inputs' is missing"},
           {R"({"inputs": []})", "the input 'observation' is missing"},
           {R"({"inputs": [3]})", "an input: must be an object, not 3"},
           {R"({"inputs": [{"name": "obs", "datatype": "FP32", "shape": [1, 2]}]})",
            "unknown input 'obs'; did you mean 'observation'? Known: observation, mask"},
           {input(R"("datatype": "FP64", "shape": [1, 2], "data": [1, 2])"),
            "the input 'observation' has the datatype FP64; observation takes FP32"},
           {input(R"("datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3])"),
            "the input 'observation' has the shape [1, 3]; it takes [rows, 2], with 1 to 16384 rows"},
           {input(R"("datatype": "FP32", "shape": [16385, 2], "data": [])"),
            "the input 'observation' has the shape [16385, 2]; it takes [rows, 2], with 1 to 16384 rows"},
           {input(R"("datatype": "FP32", "shape": [-1, 2], "data": [1, 2])"),
            "an input: 'shape' must be a whole number from 0 to 2147483647, not -1"},
           {input(R"("datatype": "FP32", "shape": [2, 2], "data": [1, 2, 3])"),
            "the input 'observation' has 'data' that must be a list of 4 numbers"},
           {input(R"("datatype": "FP32", "shape": [2, 2], "data": [[1, 2], [3]])"),
            "the input 'observation' has 'data' that at row 1: must be a list of 2 numbers"},
           {input(R"("datatype": "FP32", "shape": [2, 2], "data": [[1, 2]])"),
            "the input 'observation' has 'data' that must have 2 rows, not 1"},
           {input(R"("datatype": "FP32", "shape": [1, 2])"),
            "the input 'observation' has 'data' that must be a list of 2 numbers"},
           {input(R"("datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8})"),
            "the input 'observation' has 8 binary bytes, of which 0 are there; its shape takes 8"},
           {with(R"(, "outputs": [{"name": "chioces"}])"),
            "unknown output 'chioces'; did you mean 'choices'? Known: choices, values, probabilities, value"},
           {with(R"(, "outputs": [{"name": "value"}, {"name": "value"}])"), "the output 'value' is there twice"},
           {with(R"(, "outputs": [{"name": "choices", "parameters": {"classification": 2}}])"),
            "the output 'choices' is given as it is: neither classes nor shared memory"},
           {with(R"(, "parameters": {"binary_data_output": 1})"),
            "the request's parameters: 'binary_data_output' must be true or false"},
           {with(R"(, "parameters": [])"), "the request's parameters: must be an object, not a list"},
           {R"({"inputs": [)" + kObservation + "," + kObservation + "]}", "the input 'observation' is there twice"},
           {R"({"inputs": [)" + kObservation +
                R"(, {"name": "mask", "datatype": "BOOL", "shape": [1, 3], "data": [1, 1, 1]}]})",
            "the input 'mask' has 1 rows, 'observation' 2"},
           {R"({"inputs": [)" + kObservation +
                R"(, {"name": "mask", "datatype": "BOOL", "shape": [2, 3], "data": [1, 1, 1, 0, 0, 0]}]})",
            "row 1: the mask allows no choice of 'move'"},
           {std::string(2 << 20, ' '),
            "the request has 2097152 bytes of JSON; 1048576 is the most: send tensors as binary data"}}) {
    const Result<InferRequest> request = read(body);
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(request.error().message, error) << body;
  }
  const std::string one = with("");
  EXPECT_EQ(read(one + "abc", std::to_string(one.size())).error().message, "3 bytes after the last binary input");
  EXPECT_EQ(read("{}", "3").error().message,
            "Inference-Header-Content-Length must be a whole number from 0 to 2, not '3'");
  const std::string binary = input(R"("datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8})");
  EXPECT_EQ(read(binary + bytes(std::vector<float>{1, NAN}), std::to_string(binary.size())).error().message,
            "row 0: observation[1] is nan");
}

TEST(OpenInference, OutputsHaveLimits) {
  const RowSizes wide = {.observation = 1, .mask = 1000, .choices = 1, .parts = {1000}, .names = {"move"}};
  const auto ask = [&](int rows, const std::string& binary) {
    const std::string json =
        R"({"inputs": [{"name": "observation", "datatype": "FP32", "shape": [)" + std::to_string(rows) +
        R"(, 1], "parameters": {"binary_data_size": )" + std::to_string(4 * rows) +
        R"(}}], "outputs": [{"name": "probabilities", "parameters": {"binary_data": )" + binary + "}}]}";
    return read(json + std::string(static_cast<std::size_t>(4 * rows), '\0'), std::to_string(json.size()), wide);
  };
  EXPECT_TRUE(ask(262, "false"));
  EXPECT_EQ(ask(263, "false").error().message,
            "the output 'probabilities' would have 263000 numbers; 262144 is the most, or 4194304 as binary data");
  EXPECT_TRUE(ask(4194, "true"));
  EXPECT_FALSE(ask(4195, "true"));
}

TEST(OpenInference, ReadsSequences) {
  const auto sequence = [](const std::string& parameters) {
    return read_sequence(split_infer(R"({"parameters": )" + parameters + "}", "").value());
  };
  EXPECT_EQ(sequence("{}").value().id, "");
  EXPECT_EQ(sequence(R"({"sequence_id": 0})").value().id, "");
  EXPECT_EQ(sequence(R"({"sequence_id": ""})").value().id, "");
  const Sequence number = sequence(R"({"sequence_id": 42, "sequence_start": true})").value();
  EXPECT_EQ(number.id, "42");
  EXPECT_TRUE(number.start);
  EXPECT_FALSE(number.end);
  EXPECT_EQ(sequence(R"({"sequence_id": "42"})").value().id, "\"42\"");
  EXPECT_EQ(sequence(R"({"sequence_start": true})").error().message,
            "'sequence_start' and 'sequence_end' need a 'sequence_id'");
  EXPECT_EQ(sequence(R"({"sequence_id": -1})").error().message,
            "the request's parameters: 'sequence_id' must be a text or a whole number");
  EXPECT_EQ(sequence(R"({"sequence_id": ")" + std::string(300, 'a') + "\"}").error().message,
            "a 'sequence_id' of 302 bytes; 256 is the most");
}

TEST(OpenInference, WritesJsonAndBinary) {
  const std::vector<std::int32_t> choices = {2, 0};
  const std::vector<float> values = {0.5, -1}, probabilities = {0, 0.25, 0.75, 1, 0, 0}, expected = {1, 2};
  const Answered answer{
      .rows = 2, .choices = choices, .values = values, .probabilities = probabilities, .expected = expected};
  InferRequest request{.id = "7", .rows = {}, .outputs = {{Tensor::choices, false}, {Tensor::value, false}}};
  const HttpAnswer json = write_infer(request, "demo", "v", kSizes, answer);
  EXPECT_EQ(json.type, "application/json");
  EXPECT_EQ(json.body, R"({"model_name":"demo","model_version":"v","id":"7","outputs":[)"
                       R"({"name":"choices","datatype":"INT32","shape":[2,1],"data":[2,0]},)"
                       R"({"name":"value","datatype":"FP32","shape":[2,1],"data":[1.0,2.0]}]})");
  request.outputs = {{Tensor::choices, true}, {Tensor::values, false}, {Tensor::probabilities, true}};
  const HttpAnswer binary = write_infer(request, "demo", "v", kSizes, answer);
  EXPECT_EQ(binary.type, "application/octet-stream");
  ASSERT_EQ(binary.headers.size(), 1u);
  EXPECT_EQ(binary.headers[0].first, "Inference-Header-Content-Length");
  const std::size_t size = std::stoul(binary.headers[0].second);
  EXPECT_EQ(binary.body.substr(0, size),
            R"({"model_name":"demo","model_version":"v","id":"7","outputs":[)"
            R"({"name":"choices","datatype":"INT32","shape":[2,1],"parameters":{"binary_data_size":8}},)"
            R"({"name":"values","datatype":"FP32","shape":[2,1],"data":[0.5,-1.0]},)"
            R"({"name":"probabilities","datatype":"FP32","shape":[2,3],"parameters":{"binary_data_size":24}}]})");
  EXPECT_EQ(binary.body.substr(size), bytes(choices) + bytes(probabilities));
}

TEST(OpenInference, MetadataHasWhatTheGameHas) {
  EXPECT_EQ(
      json_text(infer_metadata("demo", "v", kSizes)),
      R"({"name":"demo","versions":["v"],"platform":"rival","inputs":[)"
      R"({"name":"observation","datatype":"FP32","shape":[-1,2]},{"name":"mask","datatype":"BOOL","shape":[-1,3]}],)"
      R"("outputs":[{"name":"choices","datatype":"INT32","shape":[-1,1]},)"
      R"({"name":"values","datatype":"FP32","shape":[-1,1]},)"
      R"({"name":"probabilities","datatype":"FP32","shape":[-1,3]},)"
      R"({"name":"value","datatype":"FP32","shape":[-1,1]}]})");
  const RowSizes steering = {.observation = 4, .values = 2, .parts = {}, .names = {}};
  EXPECT_EQ(json_text(infer_metadata("car", "v", steering)),
            R"({"name":"car","versions":["v"],"platform":"rival","inputs":[)"
            R"({"name":"observation","datatype":"FP32","shape":[-1,4]}],)"
            R"("outputs":[{"name":"values","datatype":"FP32","shape":[-1,2]},)"
            R"({"name":"value","datatype":"FP32","shape":[-1,1]}]})");
  const std::string body =
      R"({"inputs": [{"name": "observation", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]})";
  ASSERT_TRUE(read(body, "", steering));
  EXPECT_TRUE(read(body, "", steering).value().rows.masks.empty());
}

}  // namespace
}  // namespace rival::serve
