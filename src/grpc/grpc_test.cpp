// The plug-in's code, linked: a server of the sample bot, asked by generated clients.

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/temporary_folder.hpp"
#include "open_inference.grpc.pb.h"
#include "serve/frontend.hpp"
#include "serve/models_http.hpp"
#include "serve/sample_http.hpp"
#include "serve/sample_model.hpp"
#include "serve/sample_server.hpp"
#include "torchserve_inference.grpc.pb.h"
#include "torchserve_management.grpc.pb.h"

extern "C" rival::serve::Frontend* rival_grpc_listen(const rival::serve::GrpcOptions& options, rival::serve::Ask ask,
                                                     std::string& error);

namespace rival::serve {
namespace {

using grpc::ClientContext;
using grpc::StatusCode;
using inference::GRPCInferenceService;

ListenFrontend linked(int port = 0, std::size_t largest = 1 << 20) {
  return [=](Ask ask) -> Result<std::unique_ptr<Frontend>> {
    std::string error;
    std::unique_ptr<Frontend> frontend(
        rival_grpc_listen({.port = port, .largest_message = largest}, std::move(ask), error));
    if (!frontend) return Error{error};
    return frontend;
  };
}

ServerOptions with_grpc(ServerOptions options = {}) {
  options.frontend = linked();
  return options;
}

inference::ModelInferRequest request_of(const SampleRows& rows) {
  inference::ModelInferRequest request;
  request.set_model_name("sample");
  const auto count = static_cast<std::int64_t>(rows.seats.size());
  auto& observation = *request.add_inputs();
  observation.set_name("observation"), observation.set_datatype("FP32");
  observation.add_shape(count), observation.add_shape(5);
  for (const float number : rows.observations) observation.mutable_contents()->add_fp32_contents(number);
  auto& mask = *request.add_inputs();
  mask.set_name("mask"), mask.set_datatype("BOOL");
  mask.add_shape(count), mask.add_shape(6);
  for (const std::uint8_t allowed : rows.masks) mask.mutable_contents()->add_bool_contents(allowed != 0);
  return request;
}

class Grpc : public testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    server_ = std::make_unique<Running>(with_grpc(std::move(options)));
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->frontend_port()),
                                   grpc::InsecureChannelCredentials());
    stub_ = GRPCInferenceService::NewStub(channel_);
  }
  grpc::Status infer(const inference::ModelInferRequest& request, inference::ModelInferResponse& response,
                     const std::string& token = "") {
    ClientContext context;
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    return stub_->ModelInfer(&context, request, &response);
  }
  // The same rows over HTTP.
  nlohmann::json over_http(const SampleRows& rows, const nlohmann::json& parameters = nlohmann::json::object()) {
    const nlohmann::json request = {
        {"parameters", parameters},
        {"inputs",
         {{{"name", "observation"},
           {"datatype", "FP32"},
           {"shape", {rows.seats.size(), 5}},
           {"data", rows.observations}},
          {{"name", "mask"}, {"datatype", "UINT8"}, {"shape", {rows.seats.size(), 6}}, {"data", rows.masks}}}}};
    const auto answer =
        http_ask(server_->port(), boost::beast::http::verb::post, "/v2/models/sample/infer", request.dump());
    return nlohmann::json::parse(answer.body());
  }

  std::unique_ptr<Running> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<GRPCInferenceService::Stub> stub_;
};

TEST_F(Grpc, AnswersAsOverHttp) {
  start();
  const SampleRows rows(7, 3);
  inference::ModelInferResponse typed, raw;
  inference::ModelInferRequest request = request_of(rows);
  request.set_id("a");
  ASSERT_TRUE(infer(request, typed).ok());
  const nlohmann::json same = over_http(rows);
  EXPECT_EQ(typed.id(), "a");
  EXPECT_EQ(typed.model_version(), same["model_version"].get<std::string>());
  ASSERT_EQ(typed.outputs_size(), 2);
  const auto& choices = typed.outputs(0).contents().int_contents();
  EXPECT_EQ(std::vector<int>(choices.begin(), choices.end()), same["outputs"][0]["data"].get<std::vector<int>>());
  const auto& values = typed.outputs(1).contents().fp32_contents();
  EXPECT_EQ(std::vector<float>(values.begin(), values.end()), same["outputs"][1]["data"].get<std::vector<float>>());

  for (auto& input : *request.mutable_inputs()) input.clear_contents();
  request.add_raw_input_contents(rows.observations.data(), rows.observations.size() * sizeof(float));
  request.add_raw_input_contents(rows.masks.data(), rows.masks.size());
  request.add_outputs()->set_name("probabilities");
  ASSERT_TRUE(infer(request, raw).ok());
  ASSERT_EQ(raw.raw_output_contents_size(), 1);
  EXPECT_EQ(raw.raw_output_contents(0).size(), 7 * 6 * sizeof(float));
}

TEST_F(Grpc, ASequenceRemembersAsOverHttp) {
  start();
  bool differs = false;
  for (int step = 0; step < 4; ++step) {
    const SampleRows rows(3, static_cast<std::uint64_t>(step) + 1);
    inference::ModelInferRequest request = request_of(rows);
    (*request.mutable_parameters())["sequence_id"].set_int64_param(5);
    (*request.mutable_parameters())["sequence_start"].set_bool_param(step == 0);
    (*request.mutable_parameters())["sequence_end"].set_bool_param(step == 3);
    inference::ModelInferResponse response, forgetful;
    ASSERT_TRUE(infer(request, response).ok());
    ASSERT_TRUE(infer(request_of(rows), forgetful).ok());
    const nlohmann::json same =
        over_http(rows, {{"sequence_id", 6}, {"sequence_start", step == 0}, {"sequence_end", step == 3}});
    const auto& values = response.outputs(1).contents().fp32_contents();
    EXPECT_EQ(std::vector<float>(values.begin(), values.end()), same["outputs"][1]["data"].get<std::vector<float>>());
    differs |= forgetful.outputs(1).contents().fp32_contents(0) != values[0];
  }
  EXPECT_TRUE(differs) << "a memory changes nothing";
}

TEST_F(Grpc, AStreamAnswersInTurnAndGoesOnAfterAnError) {
  start();
  ClientContext context;
  const auto stream = stub_->ModelStreamInfer(&context);
  inference::ModelStreamInferResponse response;
  for (int step = 0; step < 3; ++step) {
    inference::ModelInferRequest request = request_of(SampleRows(2, 1));
    request.set_id(std::to_string(step));
    if (step == 1) request.set_model_name("nobody");
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&response));
    if (step == 1)
      EXPECT_NE(response.error_message().find("nobody"), std::string::npos) << response.error_message();
    else
      EXPECT_EQ(response.infer_response().id(), std::to_string(step));
  }
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(Grpc, TellsOfServerAndModels) {
  start();
  {
    ClientContext context;
    inference::ServerLiveResponse live;
    ASSERT_TRUE(stub_->ServerLive(&context, {}, &live).ok());
    EXPECT_TRUE(live.live());
  }
  {
    ClientContext context;
    inference::ServerReadyResponse ready;
    ASSERT_TRUE(stub_->ServerReady(&context, {}, &ready).ok());
    EXPECT_TRUE(ready.ready());
  }
  {
    ClientContext context;
    inference::ServerMetadataResponse server;
    ASSERT_TRUE(stub_->ServerMetadata(&context, {}, &server).ok());
    EXPECT_EQ(server.name(), "rival");
    EXPECT_NE(server.version(), "");
  }
  {
    ClientContext context;
    inference::ModelMetadataRequest of;
    of.set_name("sample");
    inference::ModelMetadataResponse model;
    ASSERT_TRUE(stub_->ModelMetadata(&context, of, &model).ok());
    EXPECT_EQ(model.versions(0), "1");
    EXPECT_EQ(model.inputs(0).name(), "observation");
    EXPECT_EQ(model.inputs(0).shape(1), 5);
    EXPECT_EQ(model.outputs_size(), 4);
  }
  {
    ClientContext context;
    inference::RepositoryIndexResponse list;
    ASSERT_TRUE(stub_->RepositoryIndex(&context, {}, &list).ok());
    ASSERT_EQ(list.models_size(), 1);
    EXPECT_EQ(list.models(0).state(), "READY");
  }
  ClientContext context;
  inference::ModelReadyRequest of;
  of.set_name("nobody");
  inference::ModelReadyResponse ready;
  EXPECT_EQ(stub_->ModelReady(&context, of, &ready).error_code(), StatusCode::NOT_FOUND);
}

TEST_F(Grpc, SpeaksTorchServe) {
  start();
  namespace apis = org::pytorch::serve::grpc;
  const auto inference = apis::inference::InferenceAPIsService::NewStub(channel_);
  const auto management = apis::management::ManagementAPIsService::NewStub(channel_);
  {
    ClientContext context;
    apis::inference::TorchServeHealthResponse health;
    ASSERT_TRUE(inference->Ping(&context, {}, &health).ok());
    EXPECT_EQ(nlohmann::json::parse(health.health())["status"], "Healthy");
  }
  {
    ClientContext context;
    apis::inference::PredictionsRequest request;
    request.set_model_name("sample");
    (*request.mutable_input())["data"] = R"([[1, 2, 3, 4, 5]])";
    apis::inference::PredictionResponse response;
    ASSERT_TRUE(inference->Predictions(&context, request, &response).ok());
    EXPECT_EQ(nlohmann::json::parse(response.prediction())[0]["choices"].size(), 2);
  }
  {
    ClientContext context;
    apis::management::ManagementResponse response;
    ASSERT_TRUE(management->ListModels(&context, {}, &response).ok());
    EXPECT_EQ(nlohmann::json::parse(response.msg())["models"][0]["modelName"], "sample");
  }
  ClientContext context;
  apis::management::UnregisterModelRequest request;
  request.set_model_name("sample");
  apis::management::ManagementResponse response;
  const grpc::Status refused = management->UnregisterModel(&context, request, &response);
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.error_message(), "");
}

TEST_F(Grpc, ServesModelsAndManagesThem) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.file("twice.pt"), "anything"));
  ModelsOptions models{.management_token = "a token for managing", .store = folder.path(), .settings = {}};
  models.load = [](const std::string&) -> Result<LoadedModel> {
    return LoadedModel{"twice", "1.0", std::make_shared<SampleModel>()};
  };
  start({.token = "a token for playing", .models = std::make_shared<ModelsHttp>(std::move(models))});
  namespace apis = org::pytorch::serve::grpc;
  const auto management = apis::management::ManagementAPIsService::NewStub(channel_);
  apis::management::RegisterModelRequest wish;
  wish.set_url("twice.pt"), wish.set_initial_workers(1), wish.set_synchronous(true);
  apis::management::ManagementResponse said;
  {
    ClientContext context;
    context.AddMetadata("authorization", "Bearer a token for playing");
    EXPECT_EQ(management->RegisterModel(&context, wish, &said).error_code(), StatusCode::UNAUTHENTICATED);
  }
  {
    ClientContext context;
    context.AddMetadata("authorization", "Bearer a token for managing");
    const grpc::Status registered = management->RegisterModel(&context, wish, &said);
    ASSERT_TRUE(registered.ok()) << registered.error_message();
    EXPECT_NE(said.msg().find("registered with 1 initial workers"), std::string::npos) << said.msg();
  }
  inference::ModelInferRequest request;
  request.set_model_name("twice");
  auto& input = *request.add_inputs();
  input.set_name("x"), input.set_datatype("FP32");
  input.add_shape(1), input.add_shape(2);
  input.mutable_contents()->add_fp32_contents(1.5f), input.mutable_contents()->add_fp32_contents(2);
  inference::ModelInferResponse response;
  const grpc::Status inferred = infer(request, response, "a token for playing");
  ASSERT_TRUE(inferred.ok()) << inferred.error_message();
  ASSERT_EQ(response.outputs_size(), 1);
  ASSERT_EQ(response.outputs(0).contents().fp32_contents_size(), 2);
  EXPECT_EQ(response.outputs(0).contents().fp32_contents(0), 3);
  input.mutable_contents()->set_fp32_contents(0, -1);
  EXPECT_EQ(infer(request, response, "a token for playing").error_code(), StatusCode::INTERNAL);
  apis::management::UnregisterModelRequest gone;
  gone.set_model_name("twice");
  ClientContext context;
  context.AddMetadata("authorization", "Bearer a token for managing");
  EXPECT_TRUE(management->UnregisterModel(&context, gone, &said).ok());
}

TEST_F(Grpc, WrongRequestsAreRefusedByName) {
  start();
  inference::ModelInferResponse response;
  inference::ModelInferRequest wrong = request_of(SampleRows(2, 1));
  wrong.mutable_inputs(0)->set_shape(1, 6);
  const grpc::Status shape = infer(wrong, response);
  EXPECT_EQ(shape.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(shape.error_message().find("observation"), std::string::npos) << shape.error_message();
  wrong = request_of(SampleRows(2, 1));
  wrong.set_model_version("9");
  EXPECT_EQ(infer(wrong, response).error_code(), StatusCode::NOT_FOUND);
  wrong = request_of(SampleRows(60'000, 1));  // more than a MiB
  EXPECT_EQ(infer(wrong, response).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(infer(request_of(SampleRows(2, 1)), response).ok());
}

TEST_F(Grpc, WantsTheToken) {
  start({.token = "a long enough token"});
  inference::ModelInferResponse response;
  EXPECT_EQ(infer(request_of(SampleRows(1, 1)), response).error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(infer(request_of(SampleRows(1, 1)), response, "another long token").error_code(),
            StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(infer(request_of(SampleRows(1, 1)), response, "a long enough token").ok());
  ClientContext context;
  inference::ServerReadyResponse ready;
  EXPECT_TRUE(stub_->ServerReady(&context, {}, &ready).ok());
  EXPECT_NE(server_->metrics().find("reason=\"token\""), std::string::npos);
}

// A sequence that runs holds the server; once it ends, so does the server, and who still asks is told.
TEST_F(Grpc, DrainsAndEnds) {
  start();
  inference::ModelInferRequest request = request_of(SampleRows(1, 1));
  (*request.mutable_parameters())["sequence_id"].set_int64_param(1);
  (*request.mutable_parameters())["sequence_start"].set_bool_param(true);
  inference::ModelInferResponse response;
  ASSERT_TRUE(infer(request, response).ok());
  ClientContext open;
  const auto stream = stub_->ModelStreamInfer(&open);  // that nobody closes
  server_->end();
  EXPECT_TRUE(soon([&] {
    ClientContext context;
    inference::ServerReadyResponse ready;
    return stub_->ServerReady(&context, {}, &ready).ok() && !ready.ready();
  }));
  (*request.mutable_parameters())["sequence_start"].set_bool_param(false);
  (*request.mutable_parameters())["sequence_end"].set_bool_param(true);
  EXPECT_TRUE(infer(request, response).ok());
  server_->wait();
  EXPECT_EQ(infer(request_of(SampleRows(1, 1)), response).error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(Grpc, ManyClientsAtOnceGetTheirOwnAnswers) {
  start();
  std::vector<std::thread> clients;
  std::atomic<int> answered{0};
  for (int client = 0; client < 8; ++client)
    clients.emplace_back([&, client] {
      const SampleRows rows(client + 1, static_cast<std::uint64_t>(client));
      const nlohmann::json same = over_http(rows);
      for (int n = 0; n < 50; ++n) {
        inference::ModelInferResponse response;
        ASSERT_TRUE(infer(request_of(rows), response).ok());
        const auto& values = response.outputs(1).contents().fp32_contents();
        ASSERT_EQ(values.size(), client + 1);
        // What it is computed together with may change its last bits.
        for (int row = 0; row <= client; ++row)
          EXPECT_NEAR(values[row], same["outputs"][1]["data"][row].get<float>(), 1e-5);
        ++answered;
      }
    });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, 8 * 50);
}

TEST(GrpcListening, APortThatIsTakenIsAnError) {
  const Running server(with_grpc());
  Directory directory([](const std::string&) { return sample_bot(); });
  ServerOptions options{.port = 0};
  options.frontend = linked(server.frontend_port());
  const auto second = Server::listen(directory, options);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("cannot listen for gRPC on 127.0.0.1:"), std::string::npos)
      << second.error().message;
}

TEST(GrpcListening, AServerThatNeverRunsEnds) {
  Directory directory([](const std::string&) { return sample_bot(); });
  ServerOptions options{.port = 0};
  options.frontend = linked();
  const auto server = Server::listen(directory, options);
  ASSERT_TRUE(server);
  EXPECT_GT(server.value()->frontend_port(), 0);
}

}  // namespace
}  // namespace rival::serve
