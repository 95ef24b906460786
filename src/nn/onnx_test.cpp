#include "nn/onnx.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/protobuf.hpp"

// That the numbers agree with ONNX Runtime's is tested in tests/interop.
namespace rival {
namespace {

Spec sample_spec() {
  Spec spec;
  spec.name = "sample";
  spec.observation = {ObservationPart::vector("state", 3), ObservationPart::grid("board", 2, 4, 5),
                      ObservationPart::entities("units", 3, 4)};
  spec.action = {ActionPart::discrete("move", 4), ActionPart::target("whom", 2, 3),
                 ActionPart::continuous("force", 2, -1, 3), ActionPart::target("whom_else", 2, 3)};
  return spec;
}

std::string sample_model(const NetworkOptions& network_options, const OnnxOptions& options) {
  const Network network = Network::make(sample_spec(), network_options).value();
  const std::vector<float> parameters = network.initial_parameters(Key(1));
  const std::vector<float> row(network.observation_size(), 1.0f);
  return to_onnx(network, parameters, {row, row}, HeadLayout(sample_spec()), options);
}

std::vector<std::string> fields(std::string_view message, std::uint32_t field) {
  std::vector<std::string> found;
  ProtoReader reader(message);
  while (reader.next())
    if (reader.field() == field && reader.type() == WireType::bytes) found.emplace_back(reader.bytes());
  EXPECT_TRUE(reader.ok());
  return found;
}

std::vector<std::string> names(const std::vector<std::string>& messages, std::uint32_t field) {
  std::vector<std::string> found;
  for (const std::string& message : messages) found.push_back(fields(message, field).at(0));
  return found;
}

TEST(Onnx, TheGraphDefinesEveryNameOnceAndBeforeItsUse) {
  for (const GridReading grid : {GridReading::flat, GridReading::convolution})
    for (const int memory : {0, 8}) {
      const std::string model = sample_model({.hidden = {16, 8}, .memory = memory, .grid = grid}, {});
      const std::string graph = fields(model, 7).at(0);
      std::vector<std::string> inputs = {"observation", "mask"}, outputs = {"logits", "mean", "std", "value"};
      if (memory > 0) {
        inputs.insert(inputs.begin() + 1, "memory_in");
        outputs.insert(outputs.begin(), "memory_out");
      }
      EXPECT_EQ(names(fields(graph, 11), 1), inputs);
      EXPECT_EQ(names(fields(graph, 12), 1), outputs);

      std::set<std::string> known;
      for (const std::string& name : inputs) EXPECT_TRUE(known.insert(name).second);
      for (const std::string& name : names(fields(graph, 5), 8)) EXPECT_TRUE(known.insert(name).second) << name;
      std::set<std::string> used;
      for (const std::string& node : fields(graph, 1)) {
        for (const std::string& name : fields(node, 1)) {
          EXPECT_TRUE(known.contains(name)) << name;
          used.insert(name);
        }
        for (const std::string& name : fields(node, 2)) EXPECT_TRUE(known.insert(name).second) << name;
      }
      for (const std::string& name : outputs) EXPECT_TRUE(known.contains(name));
      for (const std::string& name : inputs) EXPECT_TRUE(used.contains(name));
    }
}

TEST(Onnx, MetadataComesBack) {
  const std::map<std::string, std::string> metadata = {{"rival", R"({"game":"sample"})"}, {"empty", ""}};
  EXPECT_EQ(onnx_metadata(sample_model({.hidden = {8}}, {.metadata = metadata}), "x.onnx").value(), metadata);
  EXPECT_TRUE(onnx_metadata(sample_model({.hidden = {8}}, {}), "x.onnx").value().empty());
}

TEST(Onnx, OtherBytesAreAnError) {
  const std::string model = sample_model({.hidden = {8}}, {.metadata = {{"a", "b"}}});
  EXPECT_EQ(onnx_metadata("", "x.onnx").error().message, "x.onnx: no ONNX model, or damaged");
  EXPECT_FALSE(onnx_metadata("{}", "x"));
  EXPECT_FALSE(onnx_metadata(std::string_view(model).substr(0, model.size() / 2), "x"));
  EXPECT_FALSE(onnx_metadata(std::string_view(model).substr(0, model.size() - 1), "x"));
  EXPECT_FALSE(onnx_metadata(model + '\x72', "x"));
  const ProtoWriter entry = ProtoWriter().add_bytes(1, "a").add_bytes(2, "c");
  EXPECT_EQ(onnx_metadata(model + ProtoWriter().add_message(14, entry).bytes(), "x").error().message,
            "x: the ONNX model has a metadata key twice");
  EXPECT_FALSE(onnx_metadata(model + ProtoWriter().add_bytes(14, "\x0a\x7f").bytes(), "x"));
}

}  // namespace
}  // namespace rival
