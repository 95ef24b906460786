// gRPC for the bot server, as a plug-in: each call is translated into the request over HTTP that means the same, and
// asked of the same endpoints.

#include <fmt/format.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/plugin.hpp"
#include "grpc/translate.hpp"
#include "open_inference.grpc.pb.h"
#include "serve/frontend.hpp"
#include "torchserve_inference.grpc.pb.h"
#include "torchserve_management.grpc.pb.h"

namespace rival::serve {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using grpc::Status;
using grpc::StatusCode;
using Fill = std::function<Result<void>(const HttpAnswer&)>;  // a response, of an answer with status 200

constexpr auto kLastCalls = std::chrono::seconds(1);     // to be answered when the server ends
constexpr unsigned kCertificateSeconds = 30;             // after which its file is looked at again
constexpr std::size_t kMemory = std::size_t{512} << 20;  // of all connections, about
constexpr int kCallsOfConnection = 256, kIdleMilliseconds = 600'000;

Status status_of(const HttpAnswer& answer) {
  if (answer.status / 100 == 2) return Status::OK;
  const StatusCode code = [&] {
    switch (answer.status) {
      case 400:
        return StatusCode::INVALID_ARGUMENT;
      case 401:
        return StatusCode::UNAUTHENTICATED;
      case 403:
        return StatusCode::PERMISSION_DENIED;
      case 404:
        return StatusCode::NOT_FOUND;
      case 405:
        return StatusCode::UNIMPLEMENTED;
      case 409:
        return StatusCode::ALREADY_EXISTS;
      case 413:
      case 429:
      case 507:
        return StatusCode::RESOURCE_EXHAUSTED;
      case 408:
      case 503:
        return StatusCode::UNAVAILABLE;
      default:
        return StatusCode::INTERNAL;
    }
  }();
  return {code, fault_of(answer)};
}

Status invalid(const Error& error) {
  return {StatusCode::INVALID_ARGUMENT, error.message};
}

// What calls have in common: who asks, and how it is asked.
class Calls {
 public:
  explicit Calls(const Ask& ask) : ask_(ask) {}

  void ask(const CallbackServerContext& context, HttpRequest request, std::function<void(HttpAnswer)> reply) const {
    const auto shown = context.client_metadata().find("authorization");
    if (shown != context.client_metadata().end())
      request.headers["authorization"] = std::string(shown->second.data(), shown->second.size());
    ask_(std::move(request), std::move(reply));
  }

  // A call with one answer, of which `fill` makes the response.
  ServerUnaryReactor* one(CallbackServerContext* context, HttpRequest request, Fill fill) const {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    ask(*context, std::move(request), [reactor, fill = std::move(fill)](const HttpAnswer& answer) {
      Status status = status_of(answer);
      if (status.ok())
        if (const Result<void> filled = fill(answer); !filled)
          status = Status(StatusCode::INTERNAL, filled.error().message);
      reactor->Finish(status);
    });
    return reactor;
  }

  static ServerUnaryReactor* refuse(CallbackServerContext* context, const Status& status) {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(status);
    return reactor;
  }

 private:
  const Ask& ask_;
};

HttpRequest get(std::string path, std::string query = "") {
  return {.method = "GET", .path = std::move(path), .query = std::move(query), .headers = {}, .body = ""};
}

// Requests of one stream, answered in turn. Deletes itself when the stream ends.
class InferStream final
    : public grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse> {
 public:
  InferStream(const Calls& calls, const CallbackServerContext& context) : calls_(calls), context_(context) {
    StartRead(&request_);
  }

  void OnReadDone(bool there) override {
    if (!there) return Finish(Status::OK);
    response_.Clear();
    Result<HttpRequest> http = infer_to_http(request_);
    if (!http) {
      response_.set_error_message(http.error().message);
      return StartWrite(&response_);
    }
    calls_.ask(context_, std::move(http.value()),
               [this, raw = request_.raw_input_contents_size() > 0](const auto& got) {
                 if (const Status status = status_of(got); !status.ok())
                   response_.set_error_message(status.error_message());
                 else if (const auto filled = infer_from_http(got, raw, *response_.mutable_infer_response()); !filled)
                   response_.set_error_message(filled.error().message);
                 StartWrite(&response_);
               });
  }
  void OnWriteDone(bool written) override {
    if (!written) return Finish(Status::CANCELLED);
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  const Calls& calls_;
  const CallbackServerContext& context_;
  inference::ModelInferRequest request_;
  inference::ModelStreamInferResponse response_;
};

class OpenInference final : public inference::GRPCInferenceService::CallbackService {
 public:
  explicit OpenInference(const Ask& ask) : calls_(ask) {}

  ServerUnaryReactor* ServerLive(CallbackServerContext* context, const inference::ServerLiveRequest*,
                                 inference::ServerLiveResponse* response) override {
    return calls_.one(context, get("/v2/health/live"), [response](const HttpAnswer&) {
      response->set_live(true);
      return Result<void>();
    });
  }
  ServerUnaryReactor* ServerReady(CallbackServerContext* context, const inference::ServerReadyRequest*,
                                  inference::ServerReadyResponse* response) override {
    return ready(context, "/v2/health/ready", response);
  }
  ServerUnaryReactor* ModelReady(CallbackServerContext* context, const inference::ModelReadyRequest* request,
                                 inference::ModelReadyResponse* response) override {
    return ready(context, model_path(request->name(), request->version(), "/ready"), response);
  }
  ServerUnaryReactor* ServerMetadata(CallbackServerContext* context, const inference::ServerMetadataRequest*,
                                     inference::ServerMetadataResponse* response) override {
    return calls_.one(context, get("/v2"), [response](const HttpAnswer& answer) {
      const auto json = nlohmann::json::parse(answer.body, nullptr, false);
      response->set_name(json.value("name", ""));
      response->set_version(json.value("version", ""));
      response->add_extensions("sequence");
      return Result<void>();
    });
  }
  ServerUnaryReactor* ModelMetadata(CallbackServerContext* context, const inference::ModelMetadataRequest* request,
                                    inference::ModelMetadataResponse* response) override {
    return calls_.one(context, get(model_path(request->name(), request->version())),
                      [response](const HttpAnswer& answer) { return metadata_from_http(answer, *response); });
  }
  ServerUnaryReactor* ModelInfer(CallbackServerContext* context, const inference::ModelInferRequest* request,
                                 inference::ModelInferResponse* response) override {
    Result<HttpRequest> http = infer_to_http(*request);
    if (!http) return Calls::refuse(context, invalid(http.error()));
    return calls_.one(context, std::move(http.value()),
                      [response, raw = request->raw_input_contents_size() > 0](const HttpAnswer& answer) {
                        return infer_from_http(answer, raw, *response);
                      });
  }
  grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse>* ModelStreamInfer(
      CallbackServerContext* context) override {
    return new InferStream(calls_, *context);
  }
  ServerUnaryReactor* RepositoryIndex(CallbackServerContext* context, const inference::RepositoryIndexRequest*,
                                      inference::RepositoryIndexResponse* response) override {
    HttpRequest index = get("/v2/repository/index");
    index.method = "POST";
    return calls_.one(context, std::move(index), [response](const HttpAnswer& answer) {
      for (const auto& said : nlohmann::json::parse(answer.body, nullptr, false)) {
        auto& model = *response->add_models();
        model.set_name(said.value("name", ""));
        model.set_version(said.value("version", ""));
        model.set_state(said.value("state", ""));
      }
      return Result<void>();
    });
  }

 private:
  // What is not ready is an answer, and no error.
  template <class Response>
  ServerUnaryReactor* ready(CallbackServerContext* context, std::string path, Response* response) {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    calls_.ask(*context, get(std::move(path)), [reactor, response](const HttpAnswer& answer) {
      response->set_ready(answer.status == 200);
      reactor->Finish(answer.status == 503 ? Status::OK : status_of(answer));
    });
    return reactor;
  }

  Calls calls_;
};

namespace torchserve_inference = org::pytorch::serve::grpc::inference;
namespace torchserve_management = org::pytorch::serve::grpc::management;

class TorchServeInference final : public torchserve_inference::InferenceAPIsService::CallbackService {
 public:
  explicit TorchServeInference(const Ask& ask) : calls_(ask) {}

  ServerUnaryReactor* Ping(CallbackServerContext* context, const google::protobuf::Empty*,
                           torchserve_inference::TorchServeHealthResponse* response) override {
    ServerUnaryReactor* reactor = context->DefaultReactor();
    calls_.ask(*context, get("/ping"), [reactor, response](const HttpAnswer& answer) {
      response->set_health(answer.body);
      reactor->Finish(Status::OK);
    });
    return reactor;
  }
  ServerUnaryReactor* Predictions(CallbackServerContext* context,
                                  const torchserve_inference::PredictionsRequest* request,
                                  torchserve_inference::PredictionResponse* response) override {
    if (request->input_size() != 1)
      return Calls::refuse(context, {StatusCode::INVALID_ARGUMENT,
                                     fmt::format("'input' must have one entry, not {}", request->input_size())});
    std::string path = "/predictions/" + percent_encoded(request->model_name());
    if (!request->model_version().empty()) path += "/" + percent_encoded(request->model_version());
    HttpRequest http = get(std::move(path));
    http.method = "POST";
    http.body = request->input().begin()->second;
    return calls_.one(context, std::move(http), [response](const HttpAnswer& answer) {
      response->set_prediction(answer.body);
      return Result<void>();
    });
  }

 private:
  Calls calls_;
};

using Said = torchserve_management::ManagementResponse;

class TorchServeManagement final : public torchserve_management::ManagementAPIsService::CallbackService {
 public:
  explicit TorchServeManagement(const Ask& ask) : calls_(ask) {}

  ServerUnaryReactor* DescribeModel(CallbackServerContext* context,
                                    const torchserve_management::DescribeModelRequest* request, Said* said) override {
    return manage(context, "GET", path(*request), {}, said);
  }
  ServerUnaryReactor* ListModels(CallbackServerContext* context,
                                 const torchserve_management::ListModelsRequest* request, Said* said) override {
    return manage(context, "GET", "/models",
                  {{"limit", number(request->limit())}, {"next_page_token", number(request->next_page_token())}}, said);
  }
  ServerUnaryReactor* RegisterModel(CallbackServerContext* context,
                                    const torchserve_management::RegisterModelRequest* request, Said* said) override {
    return manage(context, "POST", "/models",
                  {{"url", request->url()},
                   {"model_name", request->model_name()},
                   {"handler", request->handler()},
                   {"runtime", request->runtime()},
                   {"batch_size", number(request->batch_size())},
                   {"max_batch_delay", number(request->max_batch_delay())},
                   {"initial_workers", number(request->initial_workers())},
                   {"response_timeout", number(request->response_timeout())},
                   {"synchronous", request->synchronous() ? "true" : ""}},
                  said);
  }
  ServerUnaryReactor* ScaleWorker(CallbackServerContext* context,
                                  const torchserve_management::ScaleWorkerRequest* request, Said* said) override {
    return manage(context, "PUT", path(*request),
                  {{"min_worker", number(request->min_worker())},
                   {"max_worker", number(request->max_worker())},
                   {"synchronous", request->synchronous() ? "true" : ""},
                   {"timeout", number(request->timeout())}},
                  said);
  }
  ServerUnaryReactor* SetDefault(CallbackServerContext* context,
                                 const torchserve_management::SetDefaultRequest* request, Said* said) override {
    return manage(context, "PUT", path(*request) + "/set-default", {}, said);
  }
  ServerUnaryReactor* UnregisterModel(CallbackServerContext* context,
                                      const torchserve_management::UnregisterModelRequest* request,
                                      Said* said) override {
    return manage(context, "DELETE", path(*request), {}, said);
  }

 private:
  // A field that is 0 is one that was not said.
  static std::string number(int value) { return value == 0 ? "" : std::to_string(value); }
  template <class Request>
  static std::string path(const Request& request) {
    std::string path = "/models/" + percent_encoded(request.model_name());
    return request.model_version().empty() ? path : path + "/" + percent_encoded(request.model_version());
  }

  ServerUnaryReactor* manage(CallbackServerContext* context, const char* method, std::string path,
                             std::initializer_list<std::pair<const char*, std::string>> parameters, Said* said) {
    HttpRequest http = get(std::move(path));
    http.method = method;
    for (const auto& [name, value] : parameters)
      if (!value.empty())
        http.query += fmt::format("{}{}={}", http.query.empty() ? "" : "&", name, percent_encoded(value));
    return calls_.one(context, std::move(http), [said](const HttpAnswer& answer) {
      said->set_msg(answer.body);
      return Result<void>();
    });
  }

  Calls calls_;
};

class GrpcFrontend final : public Frontend {
 public:
  explicit GrpcFrontend(Ask ask) : ask_(std::move(ask)) {}
  ~GrpcFrontend() override {
    if (!server_) return;
    server_->Shutdown(std::chrono::system_clock::now() + kLastCalls);
    server_->Wait();
  }

  bool listen(const GrpcOptions& options) {
    // Its log is for who asks for it; what goes wrong here, callers are told.
    if (!std::getenv("GRPC_VERBOSITY")) gpr_set_log_function([](gpr_log_func_args*) {});
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    const bool six = options.host.find(':') != std::string::npos;
    const std::string host = six ? "[" + options.host + "]" : options.host;
    builder.AddListeningPort(fmt::format("{}:{}", host, options.port), credentials(options), &port_);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kCallsOfConnection);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMilliseconds);
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.largest_message));
    builder.SetResourceQuota(grpc::ResourceQuota("rival").Resize(kMemory));
    builder.RegisterService(&open_inference_);
    builder.RegisterService(&inference_);
    builder.RegisterService(&management_);
    server_ = builder.BuildAndStart();
    return server_ && port_ != 0;
  }

  int port() const override { return port_; }
  void drain() override { server_->GetHealthCheckService()->SetServingStatus(false); }

 private:
  static std::shared_ptr<grpc::ServerCredentials> credentials(const GrpcOptions& options) {
    if (options.certificate_file.empty()) return grpc::InsecureServerCredentials();
    namespace tls = grpc::experimental;
    tls::TlsServerCredentialsOptions wanted(std::make_shared<tls::FileWatcherCertificateProvider>(
        options.key_file, options.certificate_file, kCertificateSeconds));
    wanted.watch_identity_key_cert_pairs();
    wanted.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    return tls::TlsServerCredentials(wanted);
  }

  const Ask ask_;
  OpenInference open_inference_{ask_};
  TorchServeInference inference_{ask_};
  TorchServeManagement management_{ask_};
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;  // gone before its services
};

}  // namespace
}  // namespace rival::serve

RIVAL_PLUGIN

extern "C" __attribute__((visibility("default"))) rival::serve::Frontend* rival_grpc_listen(
    const rival::serve::GrpcOptions& options, rival::serve::Ask ask, std::string& error) {
  auto frontend = std::make_unique<rival::serve::GrpcFrontend>(std::move(ask));
  if (frontend->listen(options)) return frontend.release();
  error = fmt::format("cannot listen for gRPC on {}:{}: is the port taken, or the address another machine's?",
                      options.host, options.port);
  return nullptr;
}
