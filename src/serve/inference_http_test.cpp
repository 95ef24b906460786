#include "serve/inference_http.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "base/json.hpp"
#include "serve/sample_http.hpp"
#include "serve/sample_server.hpp"

namespace rival::serve {
namespace {

namespace http = boost::beast::http;
using Json = nlohmann::ordered_json;

const std::string kInfer = "/v2/models/sample/infer";

struct Said {
  int status;
  Json json;
  std::string body;
};

Said ask(int port, http::verb verb, const std::string& path, const std::string& body = "",
         const HttpFields& fields = {}) {
  const auto response = http_ask(port, verb, path, body, fields);
  return {static_cast<int>(response.result_int()), Json::parse(response.body(), nullptr, false), response.body()};
}

Said post(int port, const std::string& path, const Json& body) {
  return ask(port, http::verb::post, path, json_text(body));
}

std::string error_of(const Said& said) {
  return said.json.is_object() && said.json.contains("error") ? said.json["error"].get<std::string>() : said.body;
}

Json infer_body(const SampleRows& rows, const Json& parameters = Json::object()) {
  const std::size_t count = rows.seats.size();
  return {{"inputs",
           {{{"name", "observation"}, {"datatype", "FP32"}, {"shape", {count, 5}}, {"data", rows.observations}},
            {{"name", "mask"}, {"datatype", "UINT8"}, {"shape", {count, 6}}, {"data", rows.masks}}}},
          {"parameters", parameters}};
}

// What the bot does by itself, with the memories of `inference`.
struct Acted {
  std::vector<std::int32_t> choices;
  std::vector<float> values, probabilities, expected;

  Acted(Inference& inference, const SampleRows& rows)
      : choices(2 * rows.seats.size()),
        values(rows.seats.size()),
        probabilities(6 * rows.seats.size()),
        expected(rows.seats.size()) {
    std::vector<int> places(rows.seats.begin(), rows.seats.end());
    inference.act({places, rows.observations.data(), rows.masks.data(), places.data()}, Key(1), 0, choices.data(),
                  values.data(), probabilities.data(), expected.data());
  }
};

void expect_near(const Json& data, const std::vector<float>& wanted) {
  ASSERT_EQ(data.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(data[i].get<float>(), wanted[i], 1e-4) << i;
}

TEST(InferenceHttp, InfersInJsonAndInBinary) {
  Running server;
  Inference alone(sample_bot().bot, 3);
  const SampleRows rows(3, 1);
  const Acted acted(alone, rows);
  Json body = infer_body(rows);
  body["id"] = "one";
  const Said plain = post(server.port(), kInfer, body);
  ASSERT_EQ(plain.status, 200) << plain.body;
  EXPECT_EQ(plain.json["id"], "one");
  EXPECT_EQ(plain.json["model_version"], "1");
  ASSERT_EQ(plain.json["outputs"].size(), 2u);
  EXPECT_EQ(plain.json["outputs"][0]["data"], Json(acted.choices));
  expect_near(plain.json["outputs"][1]["data"], acted.values);

  body["outputs"] = {{{"name", "probabilities"}}, {{"name", "value"}}};
  const Said estimates = post(server.port(), "/v2/models/sample/versions/1/infer", body);
  ASSERT_EQ(estimates.status, 200) << estimates.body;
  EXPECT_EQ(estimates.json["outputs"][0]["shape"], Json::array({3, 6}));
  expect_near(estimates.json["outputs"][0]["data"], acted.probabilities);
  expect_near(estimates.json["outputs"][1]["data"], acted.expected);

  const std::string json = json_text(Json{
      {"inputs",
       {{{"name", "observation"}, {"datatype", "FP32"}, {"shape", {3, 5}}, {"parameters", {{"binary_data_size", 60}}}},
        {{"name", "mask"}, {"datatype", "BOOL"}, {"shape", {3, 6}}, {"parameters", {{"binary_data_size", 18}}}}}},
      {"outputs", {{{"name", "choices"}, {"parameters", {{"binary_data", true}}}}}}});
  const auto binary = http_ask(
      server.port(), http::verb::post, kInfer,
      json + std::string(reinterpret_cast<const char*>(rows.observations.data()), 60) +
          std::string(reinterpret_cast<const char*>(rows.masks.data()), 18),
      {{"Inference-Header-Content-Length", std::to_string(json.size())}, {"Content-Type", "application/octet-stream"}});
  ASSERT_EQ(binary.result_int(), 200u) << binary.body();
  std::vector<std::int32_t> choices(6);
  ASSERT_GT(binary.body().size(), 24u);
  std::memcpy(choices.data(), binary.body().data() + binary.body().size() - 24, 24);
  EXPECT_EQ(choices, acted.choices);
  EXPECT_EQ(std::to_string(binary.body().size() - 24), binary["Inference-Header-Content-Length"]);
  EXPECT_TRUE(soon([&] { return server.totals().decisions == 9; }));
  EXPECT_EQ(server.totals().seats, 0);
}

TEST(InferenceHttp, TakesBodiesAsLongAsMessages) {
  Running server;
  constexpr std::size_t kRows = 16'000;
  const std::string json = json_text(Json{{"inputs",
                                           {{{"name", "observation"},
                                             {"datatype", "FP32"},
                                             {"shape", {kRows, 5}},
                                             {"parameters", {{"binary_data_size", kRows * 20}}}}}}});
  const HttpFields fields = {{"Inference-Header-Content-Length", std::to_string(json.size())}};
  EXPECT_EQ(ask(server.port(), http::verb::post, kInfer, json + std::string(kRows * 20, '\0'), fields).status, 200);
  Running small({.largest_frame = 10'000});
  EXPECT_EQ(ask(small.port(), http::verb::post, kInfer, json + std::string(9'000, '\0'), fields).status, 400);
  EXPECT_EQ(ask(small.port(), http::verb::post, kInfer, std::string(10'001, '\0'), fields).status, 413);
}

TEST(InferenceHttp, ASequenceRemembersAndStaysWithItsVersion) {
  Running server;
  Inference alone(sample_bot().bot, 2);
  const auto step = [&](std::uint64_t key, const Json& parameters) {
    return post(server.port(), kInfer, infer_body(SampleRows(2, key), parameters));
  };
  const auto expect_step = [&](std::uint64_t key, const Json& parameters) {
    const Acted acted(alone, SampleRows(2, key));
    const Said said = step(key, parameters);
    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.json["outputs"][0]["data"], Json(acted.choices));
    expect_near(said.json["outputs"][1]["data"], acted.values);
  };
  const Json goes_on = {{"sequence_id", 42}};
  EXPECT_EQ(error_of(step(1, goes_on)),
            "there is no sequence 42 of 'sample': its first request needs 'sequence_start'");
  expect_step(1, {{"sequence_id", 42}, {"sequence_start", true}});
  EXPECT_EQ(server.totals().seats, 2);
  expect_step(2, goes_on);
  server.publish(2);
  expect_step(1, goes_on);
  const Said fresh = step(1, Json::object());
  EXPECT_EQ(fresh.json["model_version"], "2");
  EXPECT_EQ(error_of(post(server.port(), kInfer, infer_body(SampleRows(3, 1), goes_on))),
            "3 rows, but the sequence 42 began with 2");
  EXPECT_EQ(error_of(post(server.port(), "/v2/models/sample/versions/2/infer", infer_body(SampleRows(2, 1), goes_on))),
            "the sequence 42 began with version 1");
  expect_step(3, {{"sequence_id", 42}, {"sequence_end", true}});
  EXPECT_EQ(server.totals().seats, 0);
  EXPECT_EQ(step(1, goes_on).status, 400);

  // Begun anew, twice: of the present version, and without what was.
  const Json start = {{"sequence_id", 42}, {"sequence_start", true}};
  Inference present(sample_bot(2).bot, 2);
  const Acted acted(present, SampleRows(2, 1));
  for (int n = 0; n < 2; ++n) EXPECT_EQ(step(1, start).json["outputs"][0]["data"], Json(acted.choices));
  EXPECT_EQ(server.totals().seats, 2);
  EXPECT_EQ(step(1, {{"sequence_id", 42}, {"sequence_end", true}}).status, 200);  // or the server would wait for it
}

TEST(InferenceHttp, ASequenceExpiresAndSaysSo) {
  Running server({.most_seats = 3, .idle = std::chrono::seconds(0)});
  const Json start = {{"sequence_id", "a"}, {"sequence_start", true}};
  for (const int rows : {1, 3, 2})  // begun anew: its seats are those of the last
    ASSERT_EQ(post(server.port(), kInfer, infer_body(SampleRows(rows, 1), start)).status, 200) << rows;
  EXPECT_TRUE(soon([&] { return server.totals().seats == 0; }));
  EXPECT_EQ(error_of(post(server.port(), kInfer, infer_body(SampleRows(2, 1), {{"sequence_id", "a"}}))),
            "the sequence \"a\" of 'sample' has expired: no request for 0 seconds; 'sequence_start' begins it again");
  const Said many = post(server.port(), kInfer, infer_body(SampleRows(4, 1), start));
  EXPECT_EQ(many.status, 503);
  EXPECT_EQ(error_of(many), "4 seats are more than are free: 3");
}

TEST(InferenceHttp, WithoutTimeThereIsAnError) {
  Running server({.batcher = {.wait = std::chrono::milliseconds(20)}});
  const Said late = post(server.port(), kInfer, infer_body(SampleRows(1, 1), {{"timeout", 1}}));
  EXPECT_EQ(late.status, 503);
  EXPECT_EQ(error_of(late), "not computed within 1 microseconds");
  EXPECT_EQ(post(server.port(), kInfer, infer_body(SampleRows(1, 1), {{"timeout", 30'000'000}})).status, 200);
}

TEST(InferenceHttp, AnswersTheClientsOfTorchServe) {
  Running server;
  Inference alone(sample_bot().bot, 1);
  const SampleRows rows(1, 1);
  const Acted acted(alone, rows);
  const Json by_name = {{"observation", {rows.observations}}, {"mask", {rows.masks}}};
  for (const char* path : {"/predictions/sample", "/predictions/sample/1", "/predictions/sample@900"})
    for (const http::verb verb : {http::verb::post, http::verb::put}) {
      const Said said = ask(server.port(), verb, path, json_text(by_name));
      ASSERT_EQ(said.status, 200) << said.body;
      ASSERT_EQ(said.json.size(), 1u);
      EXPECT_EQ(said.json[0]["choices"], Json(acted.choices));
      expect_near(said.json[0]["values"], acted.values);
    }
  const std::string form = "--x\r\nContent-Disposition: form-data; name=\"data\"; filename=\"rows\"\r\n\r\n" +
                           json_text(by_name) + "\r\n--x--\r\n";
  EXPECT_EQ(ask(server.port(), http::verb::post, "/predictions/sample", form,
                {{"Content-Type", "multipart/form-data; boundary=x"}})
                .json[0]["choices"],
            Json(acted.choices));
  EXPECT_EQ(ask(server.port(), http::verb::post, "/predictions/sample", form.substr(0, form.size() - 7) + form,
                {{"Content-Type", "multipart/form-data; boundary=x"}})
                .json["message"],
            "the form has 2 values of one name: send all rows in one");
  const Said instances =
      post(server.port(), "/v1/models/sample:predict",
           {{"instances", {rows.observations, {{"observation", rows.observations}, {"mask", rows.masks}}}}});
  ASSERT_EQ(instances.status, 200) << instances.body;
  EXPECT_EQ(instances.json["predictions"].size(), 2u);
  EXPECT_EQ(instances.json["predictions"][1]["choices"], Json(acted.choices));

  const auto ping = http_ask(server.port(), http::verb::get, "/ping");
  EXPECT_EQ(ping.body(), "{\n  \"status\": \"Healthy\"\n}\n");
  EXPECT_EQ(ping["x-request-id"].size(), 36u);
  EXPECT_NE(ping["x-request-id"], http_ask(server.port(), http::verb::get, "/ping")["x-request-id"]);
  const Said list = ask(server.port(), http::verb::get, "/models?limit=1");
  EXPECT_EQ(list.json["models"][0]["modelName"], "sample");
  EXPECT_EQ(list.json["nextPageToken"], "1");  // sample@900 is there since it was asked for
  EXPECT_EQ(ask(server.port(), http::verb::get, "/models?limit=1&next_page_token=1").json["models"][0]["modelName"],
            "sample@900");
  const Said model = ask(server.port(), http::verb::get, "/models/sample/all");
  EXPECT_EQ(model.json[0]["modelVersion"], "1");
  EXPECT_EQ(model.json[0]["workers"][0]["status"], "READY");
}

TEST(InferenceHttp, TellsWhatThereIs) {
  Running server;
  const auto get = [&](const std::string& path) { return ask(server.port(), http::verb::get, path); };
  EXPECT_EQ(get("/v2").json["name"], "rival");
  EXPECT_EQ(get("/v2/health/live").json, (Json{{"live", true}}));
  EXPECT_EQ(get("/v2/health/ready").json, (Json{{"ready", true}}));
  EXPECT_EQ(get("/v2/models/sample/ready").status, 200);
  EXPECT_EQ(get("/v2/models/sample/versions/1/ready").status, 200);
  EXPECT_EQ(get("/v2/models/sample").json["inputs"][0]["shape"], Json::array({-1, 5}));
  EXPECT_EQ(get("/v2/models/s%61mple/versions/1").json["name"], "sample");
  EXPECT_EQ(get("/v1/models").json, (Json{{"models", {"sample"}}}));
  EXPECT_EQ(get("/v1/models/sample").json, (Json{{"name", "sample"}, {"ready", true}}));
  EXPECT_EQ(post(server.port(), "/v2/repository/index", Json::object()).json[0]["state"], "READY");
  EXPECT_NE(server.metrics().find("rival_http_requests_total{path=\"/v2\",status=\"200\"}"), std::string::npos);
}

TEST(InferenceHttp, ErrorsAreInTheShapeOfTheProtocol) {
  Running server;
  struct Case {
    http::verb verb;
    const char *path, *body;
    int status;
    const char* message;
  };
  const char* const kNoPath = "there is no such path; docs/moving-from-torchserve.md has those that there are";
  const http::verb get = http::verb::get, post = http::verb::post;
  for (const auto& [verb, path, body, status, message] : std::vector<Case>{
           {get, "/v2/models/simple", "", 404, "unknown bot 'simple'; did you mean 'sample'? Known: sample"},
           {get, "/v2/models/sample/versions/2", "", 404, "'sample' is served in version 1, not 2"},
           {get, "/v2/models/sample/config", "", 404, kNoPath},
           {get, "/v2/models", "", 404, kNoPath},
           {get, "/v2/", "", 404, kNoPath},
           {get, "/v2/models/sample/infer", "", 405, "GET is not for this path: POST"},
           {post, "/v2/models/simple/infer", "{}", 404, "unknown bot 'simple'; did you mean 'sample'? Known: sample"},
           {post, "/v2/models/sample/infer", "{}", 400, "the request: 'inputs' is missing"},
           {post, "/v2/repository/models/sample/load", "", 400,
            "bots are named when the server is started; SIGHUP has it read their files again"},
           {post, "/v1/models/sample:explain", "{}", 404, "bots have no explanations"},
           {post, "/v1/models/sample:predict", "{}", 400, R"(the body must be {"instances": [...]})"},
           {post, "/v1/models/sample", "", 405, "POST is not for this path: GET, HEAD"}}) {
    const Said said = ask(server.port(), verb, path, body);
    EXPECT_EQ(said.status, status) << path;
    EXPECT_EQ(said.json, (Json{{"error", message}})) << path << ": " << said.body;
  }
  for (const auto& [verb, path, body, status, message] : std::vector<Case>{
           {post, "/predictions/sample", "{}", 400, "'observation' is missing"},
           {post, "/predictions", "{}", 404, "the path is /predictions/MODEL or .../MODEL/VERSION"},
           {get, "/predictions/sample", "", 405, "GET is not for this path: POST, PUT"},
           {post, "/predictions/sample/2", "{}", 404, "'sample' is served in version 1, not 2"},
           {post, "/explanations/sample", "{}", 404, "bots have no explanations"},
           {post, "/models?url=squeezenet1_1.mar", "", 405,
            "bots are neither registered nor scaled here, and archives (.mar) are not served: start the server with "
            "the bots' files or runs; SIGHUP has it read them again"},
           {get, "/models/simple", "", 404, "unknown bot 'simple'; did you mean 'sample'? Known: sample"}}) {
    const Said said = ask(server.port(), verb, path, body);
    EXPECT_EQ(said.status, status) << path;
    EXPECT_EQ(said.json["code"], status) << path;
    EXPECT_EQ(said.json["message"], message) << path;
    EXPECT_TRUE(said.json["type"].get<std::string>().ends_with("Exception"));
  }
  const Said zipped = ask(server.port(), post, "/v2/models/sample/infer", "\x1f\x8b", {{"Content-Encoding", "gzip"}});
  EXPECT_EQ(error_of(zipped), "bodies are taken as they are, not compressed: the Content-Encoding 'gzip' is not known");
}

TEST(InferenceHttp, HealthNeedsNoToken) {
  const std::string token = "a-secret-of-some-length";
  Running server({.token = token});
  for (const char* path : {"/ping", "/v2/health/live", "/v2/health/ready"})
    EXPECT_EQ(ask(server.port(), http::verb::get, path).status, 200) << path;
  const HttpFields shown = {{"Authorization", "Bearer " + token}};
  for (const char* path : {"/v2", "/v2/models/sample", "/models", "/models/sample", "/v1/models"}) {
    EXPECT_EQ(ask(server.port(), http::verb::get, path).status, 401) << path;
    EXPECT_EQ(ask(server.port(), http::verb::get, path, "", shown).status, 200) << path;
  }
  // Only those who may ask may send much.
  const std::string large(100'000, ' ');
  EXPECT_EQ(ask(server.port(), http::verb::post, kInfer, large).status, 413);
  EXPECT_EQ(ask(server.port(), http::verb::post, kInfer, large, shown).status, 400);
  EXPECT_EQ(ask(server.port(), http::verb::post, kInfer, "{}", {{"Origin", "http://elsewhere.example"}}).status, 403);
}

TEST(InferenceHttp, TheServerEndsWhenItsSequencesHave) {
  Running server;
  const auto step = [&](const Json& parameters) {
    return post(server.port(), kInfer, infer_body(SampleRows(1, 1), parameters)).status;
  };
  ASSERT_EQ(step({{"sequence_id", 1}, {"sequence_start", true}}), 200);
  server.end();
  EXPECT_TRUE(soon([&] { return ask(server.port(), http::verb::get, "/v2/health/ready").status == 503; }));
  EXPECT_EQ(ask(server.port(), http::verb::get, "/ping").json["status"], "Unhealthy");
  EXPECT_EQ(step({{"sequence_id", 2}, {"sequence_start", true}}), 503);
  EXPECT_EQ(step({{"sequence_id", 1}}), 200);
  EXPECT_EQ(step(Json::object()), 200);
  EXPECT_EQ(step({{"sequence_id", 1}, {"sequence_end", true}}), 200);
  server.wait();
}

}  // namespace
}  // namespace rival::serve
