#include "serve/models_http.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/temporary_folder.hpp"
#include "serve/sample_http.hpp"
#include "serve/sample_model.hpp"
#include "serve/sample_server.hpp"

namespace rival::serve {
namespace {

namespace http = boost::beast::http;
using Json = nlohmann::ordered_json;

const HttpFields kManager = {{"Authorization", "Bearer 0123456789abcdef"}};

struct Said {
  int status;
  Json json;
  std::string body;

  std::string message() const { return json.is_object() ? json.value("message", json.value("error", body)) : body; }
};

class ModelsHttpTest : public testing::Test {
 protected:
  // A server of the sample bot, and of the model `twice`.
  void begin(const std::string& management_token = "0123456789abcdef", const std::string& token = "",
             const ModelSettings& settings = {}) {
    for (const char* name : {"twice.pt", "other.pt"})
      ASSERT_TRUE(write_file_atomically(folder_.file(name), "anything"));
    models_ =
        std::make_shared<ModelsHttp>(ModelsOptions{.management_token = management_token,
                                                   .store = folder_.path(),
                                                   .settings = settings,
                                                   .load = [this](const std::string& path) -> Result<LoadedModel> {
                                                     if (path.ends_with("other.pt"))
                                                       return Error{path + " is no model"};
                                                     return LoadedModel{"twice", version_, sample_};
                                                   },
                                                   .taken = [](const std::string& name) { return name == "sample"; }});
    ASSERT_TRUE(models_->add(folder_.file("twice.pt"), ""));
    ServerOptions options{.token = token, .models = models_};
    server_ = std::make_unique<Running>(options);
  }
  Said ask(http::verb verb, const std::string& path, const std::string& body = "", const HttpFields& fields = {}) {
    const auto response = http_ask(server_->port(), verb, path, body, fields);
    return {static_cast<int>(response.result_int()), Json::parse(response.body(), nullptr, false), response.body()};
  }
  Said post(const std::string& path, const std::string& body, const HttpFields& fields = {}) {
    return ask(http::verb::post, path, body, fields);
  }
  Said get(const std::string& path, const HttpFields& fields = {}) { return ask(http::verb::get, path, "", fields); }

  TemporaryFolder folder_;
  std::string version_ = "1.0";
  std::shared_ptr<SampleModel> sample_ = std::make_shared<SampleModel>();
  std::shared_ptr<ModelsHttp> models_;
  std::unique_ptr<Running> server_;
};

TEST_F(ModelsHttpTest, PredictsAsTorchServeDoes) {
  begin();
  EXPECT_EQ(post("/predictions/twice", "[1.5, 2.0]").json, Json::parse("[3.0, 4.0]"));
  EXPECT_EQ(post("/predictions/twice/1.0", "[[1.5], [2.0]]").json, Json::parse("[[3.0], [4.0]]"));
  EXPECT_EQ(post("/predictions/twice", R"({"data": [1.5]})").json, Json::parse("[3.0]"));
  EXPECT_EQ(post("/predictions/twice", R"({"instances": [[1.5], [2.0]]})").json,
            Json::parse(R"({"predictions": [[3.0], [4.0]]})"));
  EXPECT_EQ(sample_->rows(), (std::vector<std::int64_t>{1, 1, 1, 2})) << "what is no list of instances is one";
  EXPECT_EQ(post("/predictions/twice", "data=[0.5]", {{"Content-Type", "application/x-www-form-urlencoded"}}).json,
            Json::parse("[1.0]"));
  EXPECT_EQ(post("/v1/models/twice:predict", R"({"instances": [[1.5]]})").json,
            Json::parse(R"({"predictions": [[3.0]]})"));
  EXPECT_EQ(get("/v1/models/twice").json, Json::parse(R"({"name": "twice", "ready": true})"));
  EXPECT_EQ(get("/v1/models").json, Json::parse(R"({"models": ["sample", "twice"]})"));
  EXPECT_EQ(get("/ping").json["status"], "Healthy");
}

TEST_F(ModelsHttpTest, SpeaksTheOpenInferenceProtocol) {
  begin();
  const Json meta = get("/v2/models/twice").json;
  EXPECT_EQ(meta["inputs"][0]["name"], "x");
  EXPECT_EQ(meta["versions"], Json::array({"1.0"}));
  EXPECT_EQ(get("/v2/models/twice/ready").status, 200);
  const std::string asks =
      R"({"id": "a", "inputs": [{"name": "x", "datatype": "FP32", "shape": [2, 1], "data": [1.5, 2.0]}]})";
  const Said said = post("/v2/models/twice/versions/1.0/infer", asks);
  EXPECT_EQ(said.json, Json::parse(R"({"model_name": "twice", "model_version": "1.0", "id": "a", "outputs": [
      {"name": "output", "datatype": "FP32", "shape": [2, 1], "data": [3.0, 4.0]}]})"))
      << said.body;
  EXPECT_EQ(post("/v2/models/twice/versions/9/infer", asks).status, 404);
  EXPECT_EQ(post("/v2/models/twice/infer", "{}").status, 400);
  EXPECT_EQ(post("/v2/repository/index", "").json.size(), 2u);
}

TEST_F(ModelsHttpTest, WhatWaitsIsBoundedInBytesByEachProtocol) {
  const std::string row = "[1.5, 2.0]", listed = R"({"instances": [[1.5]]})",
                    tensor = R"({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [1.5]}]})";
  const auto statuses = [&] {
    return std::vector{post("/predictions/twice", row).status, post("/v1/models/twice:predict", listed).status,
                       post("/v2/models/twice/infer", tensor).status};
  };
  begin("0123456789abcdef", "", {.queue_bytes = tensor.size()});
  EXPECT_EQ(statuses(), (std::vector{200, 200, 200}));
  begin("0123456789abcdef", "", {.queue_bytes = row.size() - 1});
  EXPECT_EQ(statuses(), (std::vector{503, 503, 503}));
}

TEST_F(ModelsHttpTest, ErrorsAreInTheShapeOfTheProtocol) {
  begin();
  const Said failed = post("/predictions/twice", "[-1.0]");
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.json, Json::parse(R"({"code": 500, "type": "InternalServerException",
                                         "message": "a negative number"})"));
  EXPECT_EQ(post("/predictions/twice", "[1").status, 400);
  EXPECT_EQ(post("/predictions/twice", "null").status, 400);
  EXPECT_EQ(get("/predictions/twice").status, 405);
  EXPECT_EQ(post("/predictions/twice/9", "[1.0]").message(), "Model version: 9 does not exist for model: twice");
  EXPECT_EQ(post("/predictions/none", "[1.0]").status, 404);
  EXPECT_EQ(get("/models/none").status, 404);
  EXPECT_EQ(post("/explanations/twice", "[1.0]").status, 404);
  EXPECT_EQ(post("/v1/models/twice:predict", "[1.0]").status, 400);
}

TEST_F(ModelsHttpTest, ModelsAreRegisteredScaledAndRemoved) {
  begin();
  version_ = "2.0";
  const Said more =
      post("/models?url=twice.pt&initial_workers=1&batch_size=4&max_batch_delay=5&response_timeout=7", "", kManager);
  EXPECT_EQ(more.json["status"], "Model \"twice\" Version: 2.0 registered with 1 initial workers") << more.body;
  const Json described = get("/models/twice/2.0").json[0];
  EXPECT_EQ(described["batchSize"], 4);
  EXPECT_EQ(described["maxBatchDelay"], 5);
  EXPECT_EQ(described["responseTimeout"], 7);
  EXPECT_EQ(described["loadedAtStartup"], false);
  EXPECT_EQ(described["workers"].size(), 1u);
  EXPECT_EQ(get("/models/twice/all").json.size(), 2u);
  EXPECT_EQ(get("/models/twice").json[0]["modelVersion"], "1.0");
  EXPECT_EQ(get("/models").json["models"].size(), 2u) << "one is the bot";
  EXPECT_EQ(post("/models?url=twice.pt", "", kManager).status, 409);
  EXPECT_EQ(ask(http::verb::delete_, "/models/twice", "", kManager).message(),
            "Cannot remove default version for model twice");
  EXPECT_EQ(ask(http::verb::put, "/models/twice/2.0/set-default", "", kManager).json["status"],
            "Default version successfully updated for model \"twice\" to \"2.0\"");
  EXPECT_EQ(ask(http::verb::put, "/models/twice/3.0/set-default", "", kManager).status, 404);
  EXPECT_EQ(ask(http::verb::put, "/models/twice?min_worker=3&synchronous=true", "", kManager).json["status"],
            "Workers scaled to 3 for model: twice");
  EXPECT_EQ(ask(http::verb::put, "/models/twice?min_worker=2&max_worker=1", "", kManager).message(),
            "max_worker cannot be less than min_worker.");
  EXPECT_EQ(ask(http::verb::put, "/models/twice?min_worker=0", "", kManager).status, 202);
  EXPECT_EQ(post("/predictions/twice", "[1.0]").status, 503);
  EXPECT_EQ(ask(http::verb::delete_, "/models/twice/1.0", "", kManager).json["status"], "Model \"twice\" unregistered");
  EXPECT_EQ(ask(http::verb::delete_, "/models/twice/2.0", "", kManager).status, 200);
  EXPECT_EQ(ask(http::verb::delete_, "/models/twice", "", kManager).status, 404);
  EXPECT_EQ(post("/models", R"({"url": "twice.pt", "model_name": "own", "initial_workers": 1})",
                 {kManager[0], {"Content-Type", "application/json"}})
                .json["status"],
            "Model \"own\" Version: 2.0 registered with 1 initial workers");
  EXPECT_EQ(post("/predictions/own", "[1.0]").json, Json::parse("[2.0]"));
}

TEST_F(ModelsHttpTest, OnlyFilesOfTheStoreAreRegistered) {
  begin();
  const auto error = [&](const std::string& query, int status) {
    const Said said = post("/models?" + query, "", kManager);
    EXPECT_EQ(said.status, status) << query << said.body;
    EXPECT_EQ(said.body.find(folder_.path()), std::string::npos) << said.body;
    return said.message();
  };
  EXPECT_EQ(error("", 400), "Parameter url is required.");
  for (const char* url : {"../twice.pt", "a/twice.pt", "/twice.pt", "..", ".hidden.pt"})
    EXPECT_EQ(error(std::string("url=") + url, 404), std::string("Relative path is not allowed in url: ") + url);
  EXPECT_NE(error("url=https://a/b.mar", 400).find("nothing is downloaded"), std::string::npos);
  EXPECT_EQ(error("url=none.pt", 404), "Model not found at: none.pt");
  EXPECT_EQ(error("url=other.pt", 400), "other.pt is no model");
  EXPECT_EQ(error("url=twice.pt&model_name=sample", 400), "'sample' is a bot: give the model another name");
  EXPECT_EQ(error("url=twice.pt&model_name=a%20b", 400),
            "'a b' is no name of a model: letters, digits, '-', '_' and '.'");
  EXPECT_EQ(error("url=twice.pt&batch_size=0", 400), "batch_size must be a whole number from 1 to 4096, not '0'");
  EXPECT_NE(error("url=twice.pt&handler=mine.py", 400).find("'mine.py' is Python"), std::string::npos);
}

TEST_F(ModelsHttpTest, ManagementHasATokenOfItsOwn) {
  begin("0123456789abcdef", "a token to play with");
  const HttpFields player = {{"Authorization", "Bearer a token to play with"}};
  EXPECT_EQ(post("/models?url=twice.pt", "").status, 401);
  EXPECT_EQ(post("/models?url=twice.pt", "", player).status, 401);
  EXPECT_EQ(ask(http::verb::delete_, "/models/twice", "", player).status, 401);
  EXPECT_EQ(get("/models/twice").status, 401);
  EXPECT_EQ(get("/models").status, 401);
  EXPECT_EQ(get("/models", player).status, 200);
  EXPECT_EQ(get("/models", kManager).status, 200);
  EXPECT_EQ(post("/predictions/twice", "[1.0]").status, 401);
  EXPECT_EQ(post("/predictions/twice", "[1.0]", kManager).status, 401) << "who manages does not play";
  EXPECT_EQ(post("/predictions/twice", "[1.0]", player).status, 200);
}

TEST_F(ModelsHttpTest, WithoutAManagementTokenNobodyRegisters) {
  begin("");
  const Said said = post("/models?url=twice.pt", "", {{"Authorization", "Bearer "}});
  EXPECT_EQ(said.status, 403);
  EXPECT_NE(said.message().find("--management-token-file"), std::string::npos) << said.body;
  EXPECT_EQ(ask(http::verb::delete_, "/models/twice").status, 403);
  EXPECT_EQ(ask(http::verb::put, "/models/sample").status, 403);
}

TEST_F(ModelsHttpTest, CountsByTorchServesNames) {
  begin();
  EXPECT_EQ(post("/predictions/twice", "[1.0]").status, 200);
  EXPECT_EQ(post("/predictions/twice", "[-1.0]").status, 500);
  const auto has = [&](const std::string& line) { return get("/metrics").body.find(line) != std::string::npos; };
  EXPECT_TRUE(has("ts_inference_requests_total{model_name=\"twice\",model_version=\"1.0\",hostname=\""));
  EXPECT_TRUE(has("ts_queue_latency_microseconds{"));
  EXPECT_TRUE(has("ts_inference_latency_microseconds{"));
  EXPECT_TRUE(has("Requests2XX{Level=\"Host\",Hostname=\""));
  EXPECT_TRUE(has("rival_connections")) << "beside ours";
}

TEST(ModelFile, AnArchiveSaysWhatItNeeds) {
  const auto error = [](const std::string& model) {
    const Result<Manifest> read = read_manifest("{\"model\": {" + model + "}}", "a.mar");
    return read ? "" : read.error().message;
  };
  const std::string sound = R"("modelName": "m", "serializedFile": "m.pt", "modelVersion": "2.0")";
  EXPECT_EQ(error(sound), "");
  EXPECT_EQ(error(sound + R"(, "handler": "base_handler")"), "");
  EXPECT_EQ(read_manifest("{\"model\": {" + sound + "}}", "a.mar").value().version, "2.0");
  EXPECT_TRUE(error(sound + R"(, "handler": "mine.py:handle")")
                  .starts_with("a.mar: its handler 'mine.py:handle' is Python, which does not run here"));
  EXPECT_NE(error(sound + R"(, "handler": "image_classifier")").find("'image_classifier'"), std::string::npos);
  EXPECT_NE(error(sound + R"(, "modelFile": "model.py")").find("model.py"), std::string::npos);
  EXPECT_NE(error(R"("modelName": "m", "serializedFile": "m.onnx")"), "");
  EXPECT_NE(error(R"("modelName": "../m", "serializedFile": "m.pt")"), "");
  EXPECT_NE(error(R"("modelName": "m")"), "");
  for (const char* text : {"", "[]", "{}", "{\"model\": 1}"}) EXPECT_FALSE(read_manifest(text, "a.mar")) << text;
}

}  // namespace
}  // namespace rival::serve
