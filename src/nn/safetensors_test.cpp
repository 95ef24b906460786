#include "nn/safetensors.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/temporary_folder.hpp"

namespace rival {
namespace {

std::string with_header(const std::string& header, const std::string& data) {
  std::string bytes;
  for (std::size_t i = 0; i < 8; ++i) bytes += static_cast<char>((header.size() >> (8 * i)) & 0xff);
  return bytes + header + data;
}

std::string tensor(const std::string& name, const std::string& fields) {
  return std::string("\"") + name + "\":{" + fields + "}";
}

const std::string kGood = tensor("a", R"("dtype":"F32","shape":[1],"data_offsets":[0,4])");

// The message of the error, or "" if the bytes are accepted.
std::string problem(const std::string& header, const std::string& data) {
  const Result<TensorFile> file = parse_safetensors(with_header(header, data), "bot.safetensors");
  return file ? "" : file.error().message;
}

TEST(Safetensors, GoldenBytes) {
  const std::vector<float> values = {1, -2};
  const TensorFile file{{Tensor::f32("w", {2, 1}, values)}, {{"rival", "{}"}}};
  const std::string header =
      R"({"__metadata__":{"rival":"{}"},"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(to_safetensors(file), with_header(padded, std::string("\0\0\x80\x3f\0\0\0\xc0", 8)));
}

TEST(Safetensors, RoundTrip) {
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6}, scalar = {7};
  TensorFile file;
  file.tensors = {Tensor::f32("policy.0.weight", {2, 3}, weights),
                  Tensor::f32("empty", {0, 5}, {}),
                  {"steps", "I64", {1}, std::string("\x2a\0\0\0\0\0\0\0", 8)},
                  Tensor::f32("scale", {}, scalar)};
  file.metadata = {{"rival", R"({"hidden":[64,64]})"}, {"quotes \" and \n", "ä"}};
  TemporaryFolder folder;
  ASSERT_TRUE(save_safetensors(folder.file("x.safetensors"), file));
  const TensorFile back = load_safetensors(folder.file("x.safetensors")).value();
  ASSERT_EQ(back.tensors.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(back.tensors[i].name, file.tensors[i].name);
    EXPECT_EQ(back.tensors[i].dtype, file.tensors[i].dtype);
    EXPECT_EQ(back.tensors[i].shape, file.tensors[i].shape);
    EXPECT_EQ(back.tensors[i].bytes, file.tensors[i].bytes);
  }
  EXPECT_EQ(back.metadata, file.metadata);
  EXPECT_EQ(back.find("policy.0.weight")->floats(), weights);
  EXPECT_EQ(back.find("scale")->elements(), 1);
  EXPECT_EQ(to_safetensors(back), to_safetensors(file));
}

TEST(Safetensors, NoTensorsAtAll) {
  EXPECT_TRUE(parse_safetensors(with_header("{}", ""), "x").value().tensors.empty());
  EXPECT_TRUE(parse_safetensors(to_safetensors({}), "x"));
}

TEST(Safetensors, FindSaysWhatIsThereInstead) {
  const std::vector<float> values = {1, 2};
  TensorFile file{{Tensor::f32("w", {2}, values), {"i", "I8", {2}, "ab"}}, {}};
  const std::vector<std::int64_t> two = {2}, three = {3};
  EXPECT_TRUE(file.find_f32("w", two, "f"));
  EXPECT_EQ(file.find_f32("w", three, "f").error().message, "f: the tensor 'w' has the shape [2], not [3]");
  EXPECT_EQ(file.find_f32("i", two, "f").error().message, "f: the tensor 'i' is I8, not F32");
  EXPECT_EQ(file.find_f32("b", two, "f").error().message, "f: the tensor 'b' is missing");
}

TEST(Safetensors, ReadsOtherTypesAndAnyOrder) {
  const std::string header =
      "{" + tensor("b", R"("data_offsets":[4,8],"shape":[2],"dtype":"BF16")") + "," + kGood + "}  ";
  const TensorFile file = parse_safetensors(with_header(header, "aaaabbbb"), "x").value();
  EXPECT_EQ(file.tensors[0].name, "a");
  EXPECT_EQ(file.tensors[1].bytes, "bbbb");
}

TEST(Safetensors, EveryShorterFileIsAnError) {
  const std::vector<float> values = {1, 2, 3};
  const std::string bytes = to_safetensors({{Tensor::f32("w", {3}, values)}, {{"rival", "{}"}}});
  ASSERT_TRUE(parse_safetensors(bytes, "x"));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(parse_safetensors(std::string_view(bytes).substr(0, size), "x")) << size;
  EXPECT_FALSE(parse_safetensors(bytes + "x", "x"));
}

TEST(Safetensors, MalformedFilesAreErrorsThatNameThePlace) {
  ASSERT_EQ(problem("{" + kGood + "}", "0123"), "");
  struct Case {
    std::string header, data, message;
  };
  const auto one = [](const std::string& fields) { return "{" + tensor("a", fields) + "}"; };
  const std::vector<Case> cases = {
      {"[1]", "", "does not begin with '{'"},
      {"{", "", "no valid JSON"},
      {"{}{}", "", "no valid JSON"},
      {"{\"a\":1}", "", "'a' is no object"},
      {"{\"a\":[[[[", "", "'a' is no object"},
      {"{\"\xff\":{}}", "", "no valid JSON"},
      {one(""), "", "'a' has no dtype"},
      {one(R"("dtype":"F32")"), "", "'a' has no shape"},
      {one(R"("dtype":"F32","shape":[1])"), "0123", "'a' has no data_offsets"},
      {one(R"("dtype":"F31","shape":[1],"data_offsets":[0,4])"), "0123", "unknown dtype 'F31'"},
      {one(R"("dtype":32,"shape":[1],"data_offsets":[0,4])"), "0123", "dtype of the wrong kind"},
      {one(R"("dtype":"F32","shape":1,"data_offsets":[0,4])"), "0123", "shape of the wrong kind"},
      {one(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), "0123", "no whole number from 0 up"},
      {one(R"("dtype":"F32","shape":[1.5],"data_offsets":[0,4])"), "0123", "no whole number from 0 up"},
      {one(R"("dtype":"F32","shape":[[1]],"data_offsets":[0,4])"), "0123", "no whole number from 0 up"},
      {one(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4])"), "0123", "too large"},
      {one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])"), "", "does not fit"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), "0123", "'a' has 4 bytes, which does not fit"},
      {one(R"("dtype":"F32","shape":[1],"data_offsets":[0])"), "0123", "two numbers in data_offsets"},
      {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4,8])"), "0123", "two numbers in data_offsets"},
      {one(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), "0123", "ends before it begins"},
      {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), "012", "beyond the end of the file"},
      {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), "01234", "last 1 bytes belong to no tensor"},
      {one(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), "01234567", "belong to no tensor"},
      {one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1)"), "0123", "unknown field 'x'"},
      {one(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])"), "0123", "'dtype' twice"},
      {"{" + kGood + "," + kGood + "}", "0123", "has 'a' twice"},
      {"{" + kGood + "," + tensor("b", R"("dtype":"F32","shape":[1],"data_offsets":[2,6])") + "}", "012345",
       "'b' shares bytes with another"},
      {R"({"__metadata__":{"k":1}})", "", "metadata key 'k' is no string"},
      {R"({"__metadata__":{"k":{}}})", "", "metadata key 'k' is no string"},
      {R"({"__metadata__":{"k":"1","k":"2"}})", "", "the key 'k' twice"},
      {R"({"__metadata__":[]})", "", "'__metadata__' is no object"},
      {R"({"__metadata__":{},"__metadata__":{}})", "", "'__metadata__' twice"},
  };
  for (const Case& c : cases) {
    const std::string message = problem(c.header, c.data);
    EXPECT_TRUE(message.starts_with("bot.safetensors: ")) << c.header << "\n" << message;
    EXPECT_NE(message.find(c.message), std::string::npos) << c.header << "\n" << message;
  }
}

TEST(Safetensors, AHeaderLengthBeyondTheFileIsAnError) {
  for (const char top : {'\0', '\x7f', '\xff'}) {
    std::string bytes = with_header("{}", "");
    bytes[7] = top;
    bytes[1] = 1;
    const Result<TensorFile> file = parse_safetensors(bytes, "x");
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().message.find("claims a header of"), std::string::npos);
  }
}

}  // namespace
}  // namespace rival
