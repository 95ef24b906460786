// The plug-in, with models that LibTorch makes here.
#include <gtest/gtest.h>
#include <torch/script.h>
#include <zip.h>

#include "base/file.hpp"
#include "base/temporary_folder.hpp"
#include "serve/model_file.hpp"
#include "serve/models_http.hpp"
#include "serve/sample_http.hpp"
#include "serve/sample_model.hpp"
#include "serve/server.hpp"

namespace rival::serve {
namespace {

namespace http = boost::beast::http;

class TorchTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(setenv("RIVAL_PLUGINS", RIVAL_TORCH_PLUGINS, 1), 0);
    const Result<TensorLibrary*> found = torch_library();
    ASSERT_TRUE(found) << found.error().message;
    library_ = found.value();
  }

  // A file of a model with this source, and a weight w of 2 x 3: 0, 1, ... 5.
  std::string script(const std::string& source, const std::string& name = "model.pt") {
    torch::jit::Module module("Model");
    module.register_parameter("w", torch::arange(6, torch::kFloat).reshape({2, 3}), false);
    module.define(source);
    module.save(folder_.file(name));
    return folder_.file(name);
  }
  std::shared_ptr<TensorModel> model(const std::string& source) {
    const Result<LoadedModel> loaded = read_model_file(*library_, script(source));
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded ? loaded.value().model : nullptr;
  }
  // An archive of these entries.
  std::string archive(const std::vector<std::pair<std::string, std::string>>& entries,
                      const std::string& name = "model.mar") {
    zip_t* zip = zip_open(folder_.file(name).c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    for (const auto& [entry, bytes] : entries)
      zip_file_add(zip, entry.c_str(), zip_source_buffer(zip, bytes.data(), bytes.size(), 0), ZIP_FL_ENC_UTF_8);
    EXPECT_EQ(zip_close(zip), 0);
    return folder_.file(name);
  }
  std::string error(const std::string& path) {
    const Result<LoadedModel> loaded = read_model_file(*library_, path);
    return loaded ? "" : loaded.error().message;
  }

  TemporaryFolder folder_;
  TensorLibrary* library_ = nullptr;
};

const char* const kLinear = "def forward(self, x):\n  return torch.matmul(x, self.w)\n";
const char* const kManifest =
    R"({"model": {"modelName": "linear", "modelVersion": "2.0", "serializedFile": "l.pt", "handler": "base_handler"}})";

TEST_F(TorchTest, ComputesWhatTheScriptSays) {
  const auto linear = model(kLinear);
  EXPECT_EQ(linear->inputs(), std::vector<std::string>{"x"});
  const Result<std::vector<TensorData>> said = linear->run(std::vector<TensorData>{floats({2, 2}, {1, 0, 1, 1})});
  ASSERT_TRUE(said) << said.error().message;
  ASSERT_EQ(said.value().size(), 1u);
  EXPECT_EQ(said.value()[0].name, "output");
  EXPECT_EQ(said.value()[0].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(floats_of(said.value()[0]), (std::vector<float>{0, 1, 2, 3, 5, 7}));
}

TEST_F(TorchTest, GivesSeveralTensorsByTheirNames) {
  const auto names = [&](const std::string& source) {
    const auto said = model(source)->run(std::vector<TensorData>{floats({1}, {1})});
    std::string all;
    if (!said) return said.error().message;
    for (const TensorData& each : said.value()) all += each.name + " ";
    return all;
  };
  EXPECT_EQ(names("def forward(self, x):\n  return x, (x, x)\n"), "output_0 output_1_0 output_1_1 ");
  EXPECT_EQ(names("def forward(self, x):\n  return [x, x]\n"), "output_0 output_1 ");
  EXPECT_EQ(names("def forward(self, x):\n  return {\"policy\": x, \"value\": x}\n"), "policy value ");
  EXPECT_EQ(names("def forward(self, x):\n  return x.half()\n"), "output ");
  EXPECT_NE(names("def forward(self, x):\n  return 1\n").find("the model gives a Int"), std::string::npos);
  EXPECT_NE(names("def forward(self, x, y):\n  return x + y\n").find("takes 2 inputs, not 1"), std::string::npos);
  EXPECT_EQ(names("def forward(self, x, y: int = 2):\n  return x + y\n"), "output ");
}

TEST_F(TorchTest, TakesEveryDatatype) {
  const auto same = model("def forward(self, x):\n  return x\n");
  for (const Datatype datatype : {Datatype::boolean, Datatype::uint8, Datatype::int8, Datatype::int16, Datatype::int32,
                                  Datatype::int64, Datatype::fp32, Datatype::fp64}) {
    const TensorData tensor{
        .name = "x", .datatype = datatype, .shape = {1, 2}, .bytes = std::string(2 * bytes_of(datatype), '\0')};
    const auto said = same->run(std::vector<TensorData>{tensor});
    ASSERT_TRUE(said) << said.error().message;
    EXPECT_EQ(said.value()[0].datatype, datatype);
    EXPECT_EQ(said.value()[0].bytes, tensor.bytes);
  }
}

TEST_F(TorchTest, WhatTheModelThrowsIsAnErrorInItsWords) {
  const auto linear = model(kLinear);
  const auto wrong = linear->run(std::vector<TensorData>{floats({1, 3}, {1, 0, 1})});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("cannot be multiplied"), std::string::npos) << wrong.error().message;
  EXPECT_EQ(wrong.error().message.find('\n'), std::string::npos);
  const auto raises = model("def forward(self, x):\n  assert x.size(0) == 9, \"nine rows\"\n  return x\n")
                          ->run(std::vector<TensorData>{floats({1}, {1})});
  ASSERT_FALSE(raises);
  EXPECT_NE(raises.error().message.find("nine rows"), std::string::npos) << raises.error().message;
}

TEST_F(TorchTest, ReadsArchives) {
  const std::string bytes = read_file(script(kLinear)).value();
  const Result<LoadedModel> loaded =
      read_model_file(*library_, archive({{"MAR-INF/MANIFEST.json", kManifest}, {"l.pt", bytes}}));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded.value().name, "linear");
  EXPECT_EQ(loaded.value().version, "2.0");
  EXPECT_TRUE(loaded.value().model->run(std::vector<TensorData>{floats({1, 2}, {1, 0})}));
}

TEST_F(TorchTest, WhatIsNoModelIsAnErrorThatNamesIt) {
  const std::string bytes = read_file(script(kLinear)).value();
  ASSERT_TRUE(write_file_atomically(folder_.file("bad.pt"), "no model"));
  EXPECT_NE(error(folder_.file("bad.pt")).find("bad.pt is no TorchScript"), std::string::npos);
  ASSERT_TRUE(write_file_atomically(folder_.file("cut.pt"), bytes.substr(0, bytes.size() / 2)));
  EXPECT_NE(error(folder_.file("cut.pt")), "");
  ASSERT_TRUE(write_file_atomically(folder_.file("bad.mar"), "no archive"));
  EXPECT_NE(error(folder_.file("bad.mar")).find("is no zip archive"), std::string::npos);
  EXPECT_NE(error(folder_.file("none.mar")).find("is no file"), std::string::npos);
  EXPECT_NE(error(folder_.file("model.onnx")).find("TorchScript is called .pt"), std::string::npos);
  EXPECT_NE(error(archive({{"a", "b"}})).find("has no entry 'MAR-INF/MANIFEST.json'"), std::string::npos);
  EXPECT_NE(error(archive({{"MAR-INF/MANIFEST.json", kManifest}})).find("has no entry 'l.pt'"), std::string::npos);
  EXPECT_NE(error(archive({{"MAR-INF/MANIFEST.json", std::string(2 << 20, ' ')}})).find("is the most"),
            std::string::npos);
  EXPECT_NE(error(archive({{"MAR-INF/MANIFEST.json", kManifest}, {"l.pt", "no model"}})).find("l.pt is no Torch"),
            std::string::npos);
  std::vector<std::pair<std::string, std::string>> many = {{"MAR-INF/MANIFEST.json", kManifest}};
  for (int i = 0; i < 4096; ++i) many.emplace_back("f" + std::to_string(i), "");
  EXPECT_NE(error(archive(many)).find("more than 4096 entries"), std::string::npos);
  std::string damaged = read_file(archive({{"MAR-INF/MANIFEST.json", kManifest}, {"l.pt", bytes}})).value();
  for (std::size_t i = damaged.size() / 3; i < damaged.size() / 2; ++i) damaged[i] = static_cast<char>(damaged[i] ^ 85);
  ASSERT_TRUE(write_file_atomically(folder_.file("damaged.mar"), damaged));
  EXPECT_NE(error(folder_.file("damaged.mar")), "");
}

TEST_F(TorchTest, AreServedWithoutAnyBot) {
  const auto models = std::make_shared<ModelsHttp>(
      ModelsOptions{.settings = {}, .load = [&](const std::string& path) { return read_model_file(*library_, path); }});
  ASSERT_TRUE(models->add(script(kLinear, "linear.pt"), ""));
  Directory none([](const std::string&) -> Result<Hosted> { return Error{"there are no bots"}; });
  const auto server = Server::listen(none, {.port = 0, .models = models});
  ASSERT_TRUE(server) << server.error().message;
  std::thread thread([&] { server.value()->run(); });
  const auto said = http_ask(server.value()->port(), http::verb::post, "/predictions/linear", "[1.0, 1.0]");
  EXPECT_EQ(said.result_int(), 200u);
  EXPECT_EQ(said.body(), "[\n  3.0,\n  5.0,\n  7.0\n]\n");
  server.value()->stop();
  thread.join();
}

}  // namespace
}  // namespace rival::serve
