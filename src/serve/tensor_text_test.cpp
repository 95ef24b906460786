#include "serve/tensor_text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/json.hpp"
#include "serve/sample_model.hpp"

namespace rival::serve {
namespace {

using nlohmann::json;

TEST(TensorText, ListsAreTensorsAsInPython) {
  const auto read = [](const char* text) { return tensor_of(json::parse(text), "it").value(); };
  const TensorData matrix = read("[[1, 2.5], [3, 4], [5, 6]]");
  EXPECT_EQ(matrix.datatype, Datatype::fp32);
  EXPECT_EQ(matrix.shape, (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(floats_of(matrix), (std::vector<float>{1, 2.5f, 3, 4, 5, 6}));
  EXPECT_EQ(json_text(lists_of(matrix)), "[[1.0,2.5],[3.0,4.0],[5.0,6.0]]");
  EXPECT_EQ(read("[1, 2]").datatype, Datatype::int64);
  EXPECT_EQ(json_text(lists_of(read("[1, -2]"))), "[1,-2]");
  EXPECT_EQ(read("[true]").datatype, Datatype::boolean);
  EXPECT_EQ(json_text(lists_of(read("[true, false]"))), "[true,false]");
  EXPECT_TRUE(read("5").shape.empty());
  EXPECT_EQ(json_text(lists_of(read("5"))), "5");
  EXPECT_EQ(read("[[], []]").shape, (std::vector<std::int64_t>{2, 0}));
  TensorData strange = floats({2}, {1, 2});
  const float infinite = HUGE_VALF;
  std::memcpy(strange.bytes.data(), &infinite, sizeof infinite);
  EXPECT_EQ(json_text(lists_of(strange)), "[null,2.0]");
}

TEST(TensorText, WhatIsNoTensorIsAnErrorThatSaysWhy) {
  const auto error = [](const char* text) {
    const Result<TensorData> read = tensor_of(json::parse(text), "it");
    return read ? "" : read.error().message;
  };
  EXPECT_EQ(error("[[1, 2], [3]]"), "it has lists of 2 and of 1 at one depth: all must be as long");
  EXPECT_EQ(error("[[1], 2]"), "it has lists in one place, and none in another");
  EXPECT_EQ(error("[1, [2]]"), "it is deeper in one place than in another");
  EXPECT_EQ(error("[1, \"a\"]"), "it has an element that does not fit: \"a\"");
  EXPECT_EQ(error("[1, true]"), "it has both numbers and true or false");
  EXPECT_EQ(error("[1e300, 1.5]"), "it has an element that does not fit: 1e+300");
  EXPECT_EQ(error("[18446744073709551615]"), "it has an element that does not fit: 18446744073709551615");
}

TEST(TensorText, ReadsEveryDatatypeOfTheProtocol) {
  const auto data = [](const std::string& datatype, const std::string& numbers) {
    const InferText text{json::parse("{\"inputs\": [{\"name\": \"a\", \"datatype\": \"" + datatype +
                                     "\", \"shape\": [1, 2], \"data\": " + numbers + "}]}"),
                         ""};
    const Result<TensorRequest> read = read_tensors(text);
    return read ? json_text(lists_of(read.value().inputs[0])) : read.error().message;
  };
  for (const char* datatype : {"UINT8", "INT8", "INT16", "INT32", "INT64"})
    EXPECT_EQ(data(datatype, "[1, 100]"), "[[1,100]]") << datatype;
  for (const char* datatype : {"FP32", "FP64"}) EXPECT_EQ(data(datatype, "[[1.5, -2]]"), "[[1.5,-2.0]]") << datatype;
  EXPECT_EQ(data("BOOL", "[true, 0]"), "[[true,false]]");
  EXPECT_EQ(data("INT8", "[1, 200]"), "the 'data' of the input 'a' has an element that does not fit: 200");
  EXPECT_EQ(data("UINT8", "[1, -1]"), "the 'data' of the input 'a' has an element that does not fit: -1");
  EXPECT_EQ(data("FP32", "[1]"),
            "the 'data' of the input 'a' has lists of 2 and of 1 at one depth: all must be as long");
  EXPECT_EQ(data("FP16", "[1, 2]"),
            "the input 'a' has the datatype 'FP16'; it may be BOOL, UINT8, INT8, INT16, INT32, INT64, FP32, FP64");
}

TEST(TensorText, BinaryTensorsAreTakenInTurnAndGivenBack) {
  const std::vector<float> numbers = {1, 2, 3};
  const std::string bytes(reinterpret_cast<const char*>(numbers.data()), 12);
  const auto parsed = json::parse(R"({"inputs": [
      {"name": "b", "datatype": "FP32", "shape": [2], "parameters": {"binary_data_size": 8}},
      {"name": "a", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": 4}}],
      "outputs": [{"name": "output", "parameters": {"binary_data": true}}]})");
  Result<TensorRequest> read = read_tensors({parsed, bytes});
  ASSERT_TRUE(read) << read.error().message;
  const Result<std::vector<TensorData>> ordered = in_order(read->inputs, {"a", "b", "c"});
  ASSERT_TRUE(ordered) << ordered.error().message;
  EXPECT_EQ(floats_of(ordered.value()[0]), std::vector<float>{3});
  EXPECT_EQ(in_order(read->inputs, {"x", "y"}).value()[0].name, "b") << "in their own order";
  EXPECT_EQ(in_order(read->inputs, {"a", "c", "b"}).error().message, "the input 'c' is missing");
  EXPECT_FALSE(in_order(read->inputs, {"a", "c"}));
  TensorData output = floats({1, 3}, numbers);
  output.name = "output";
  const Result<HttpAnswer> written = write_tensors(read.value(), "m", "1", {output});
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_TRUE(written.value().body.ends_with(bytes));
  EXPECT_FALSE(write_tensors(read.value(), "m", "1", {}));
  EXPECT_FALSE(read_tensors({parsed, bytes + "x"}));
  EXPECT_FALSE(read_tensors({parsed, std::string_view(bytes).substr(1)}));
}

}  // namespace
}  // namespace rival::serve
