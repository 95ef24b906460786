#include "serve/models_http.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "base/file.hpp"
#include "base/json_fields.hpp"
#include "base/names.hpp"
#include "base/number.hpp"
#include "base/secret.hpp"
#include "serve/fault.hpp"
#include "serve/http_text.hpp"
#include "serve/tensor_text.hpp"

namespace rival::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostBody = 64 << 10;  // of a request to register
constexpr int kMostWorkers = 256, kMostBatch = 4096;
constexpr std::size_t kMostModels = 1024;

HttpAnswer status(const std::string& what, int code = 200) {
  return {.status = code, .body = json_text(Json{{"status", what}}, 2)};
}

int status_of(ModelAnswer::Kind kind) {
  switch (kind) {
    case ModelAnswer::Kind::done:
      return 200;
    case ModelAnswer::Kind::unread:
      return 400;
    case ModelAnswer::Kind::refused:
      return 503;
    default:
      return 500;
  }
}

// "2026-01-31T12:00:00.123Z"
std::string utc(std::chrono::system_clock::time_point time) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(since.count() / 1000)),
                     since.count() % 1000);
}

// What a request to the management says, in its query or as JSON. The first thing amiss stays.
class Said {
 public:
  explicit Said(const HttpRequest& request) : query_(request.query) {
    if (!header(request, "content-type").starts_with("application/json") || request.body.empty()) return;
    const Result<nlohmann::json> parsed = parse_json(request.body, "the body");
    if (request.body.size() > kMostBody || !parsed || !parsed.value().is_object()) {
      amiss_ = "the body is no JSON object that is known";
      return;
    }
    for (const auto& [key, value] : parsed.value().items())
      fields_[key] = value.is_string() ? value.get<std::string>() : json_text(value);
  }

  std::string text(const std::string& name) const {
    const auto field = fields_.find(name);
    return field != fields_.end() ? field->second : query_value(query_, name).value_or("");
  }
  int whole(const char* name, int otherwise, int low, int high) {
    const std::string said = text(name);
    if (said.empty()) return otherwise;
    const Result<int> value = parse_number<int>(name, said, {low, high});
    if (value) return value.value();
    if (amiss_.empty()) amiss_ = value.error().message;
    return otherwise;
  }
  bool flag(const char* name, bool otherwise) const {
    const std::string said = text(name);
    return said.empty() ? otherwise : said == "true";
  }
  const std::string& amiss() const { return amiss_; }

 private:
  std::string query_, amiss_;
  std::map<std::string, std::string> fields_;
};

}  // namespace

ModelsHttp::ModelsHttp(ModelsOptions options)
    : options_(std::move(options)), managing_([this] {
        std::unique_lock lock(mutex_);
        for (;;) {
          changed_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
          if (tasks_.empty()) return;
          const std::function<void()> task = std::move(tasks_.front());
          tasks_.pop_front();
          lock.unlock();
          task();
          lock.lock();
        }
      }) {}

ModelsHttp::~ModelsHttp() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  managing_.join();
}

Result<void> ModelsHttp::serve(LoadedModel loaded, const std::string& name, std::string url, bool at_startup,
                               const ModelSettings& settings) {
  ModelInfo info{.name = name.empty() ? loaded.name : name,
                 .version = std::move(loaded.version),
                 .url = std::move(url),
                 .at_startup = at_startup};
  if (!is_plain_file_name(info.name))
    return Error{fmt::format("'{}' is no name of a model: letters, digits, '-', '_' and '.'", info.name)};
  if (options_.taken && options_.taken(info.name))
    return Error{fmt::format("'{}' is a bot: give the model another name", info.name)};
  return models_.add(std::move(info), std::move(loaded.model), settings);
}

Result<void> ModelsHttp::add(const std::string& path, const std::string& name) {
  Result<LoadedModel> loaded = options_.load(path);
  if (!loaded) return loaded.error();
  const std::string url = path.substr(path.rfind('/') + 1);
  return serve(std::move(loaded.value()), name, url, true, options_.settings);
}

bool ModelsHttp::takes(const Parts& parts, const HttpRequest& request) const {
  const auto has = [&](std::size_t at) { return parts.size() > at && models_.has(parts[at]); };
  if (parts[0] == "models") return !is_read(request) || has(1);
  if (parts[0] == "predictions" || parts[0] == "explanations") return has(1);
  if (parts.size() < 3 || parts[1] != "models") return false;
  return models_.has(parts[0] == "v1" ? parts[2].substr(0, parts[2].find(':')) : parts[2]);
}

bool ModelsHttp::manages(const HttpRequest& request) const {
  return !options_.management_token.empty() && shows_token(header(request, "authorization"), options_.management_token);
}

void ModelsHttp::answer(const Parts& parts, HttpRequest request, bool ending, const Reply& asker) {
  const Reply reply = [this, asker](HttpAnswer answer) {
    ++answered_[std::clamp(answer.status / 100, 0, 5)];
    asker(std::move(answer));
  };
  if (parts[0] == "predictions") return predict(parts, std::move(request), reply);
  if (parts[0] == "explanations") return reply(torchserve_fault(404, "models have no explanations here"));
  if (parts[0] == "v1") return kserve(parts, std::move(request), ending, reply);
  if (parts[0] == "v2") return open_inference(parts, std::move(request), ending, reply);
  manage(parts, request, reply);
}

HttpAnswer ModelsHttp::missing(const std::string& name, const std::string& version) const {
  if (!models_.has(name)) return torchserve_fault(404, "Model not found: " + name);
  return torchserve_fault(404, fmt::format("Model version: {} does not exist for model: {}", version, name),
                          "ModelVersionNotFoundException");
}

// ---- predictions ----

void ModelsHttp::ask(ServedModel& model, HttpRequest request, const Reply& reply, Tell tell, Read read, Write write) {
  const auto held = std::make_shared<const HttpRequest>(std::move(request));
  model.ask({.read = [held, read = std::move(read)] { return read(*held); },
             .answer =
                 [reply, tell, write = std::move(write)](const ModelAnswer& answer) {
                   if (answer.kind != ModelAnswer::Kind::done) return reply(tell(status_of(answer.kind), answer.amiss));
                   Result<HttpAnswer> written = write(answer.outputs);
                   reply(written ? std::move(written.value()) : tell(400, written.error().message));
                 },
             .bytes = held->body.size()});
}

void ModelsHttp::predict(const Parts& parts, HttpRequest request, const Reply& reply) {
  if (parts.size() > 3) return reply(torchserve_fault(404, "the path is /predictions/MODEL or .../MODEL/VERSION"));
  if (const std::string amiss = amiss_in_method(request, {"POST", "PUT"}); !amiss.empty())
    return reply(torchserve_fault(405, amiss));
  if (const std::string amiss = amiss_in_encoding(request); !amiss.empty()) return reply(torchserve_fault(400, amiss));
  const Served model = models_.find(parts[1], parts.size() == 3 ? parts[2] : "");
  if (!model) return reply(missing(parts[1], parts.size() == 3 ? parts[2] : ""));
  const auto listed = std::make_shared<bool>(false);
  ask(
      *model, std::move(request), reply, [](int status, const auto& what) { return torchserve_fault(status, what); },
      [listed](const HttpRequest& asked) -> Result<std::vector<TensorData>> {
        const Parts form = form_values(header(asked, "content-type"), asked.body, {"data", "body"});
        if (form.size() > 1) return Error{fmt::format("the form has {} values of one name: send one", form.size())};
        Result<Instances> read = read_model_body(form.empty() ? asked.body : form[0], false);
        if (!read) return read.error();
        *listed = read->listed;
        return std::vector<TensorData>{std::move(read->tensor)};
      },
      [listed](const std::vector<TensorData>& outputs) -> Result<HttpAnswer> {
        return HttpAnswer{.body = json_text(model_predictions(outputs, *listed), 2)};
      });
}

void ModelsHttp::kserve(const Parts& parts, HttpRequest request, bool ending, const Reply& reply) {
  const std::size_t colon = parts[2].find(':');
  const std::string name = parts[2].substr(0, colon), verb = colon == std::string::npos ? "" : parts[2].substr(colon);
  if (parts.size() > 3 || (!verb.empty() && verb != ":predict")) return reply(fault(404, kUnknownPath));
  const bool predicts = !verb.empty();
  const std::string method = predicts ? amiss_in_method(request, {"POST"}) : amiss_in_method(request, {"GET", "HEAD"});
  if (!method.empty()) return reply(fault(405, method));
  const Served model = models_.find(name);
  if (!model) return reply(fault(404, "Model not found: " + name));
  if (!predicts) {
    if (ending) return reply(fault(503, kEnding));
    return reply({.body = json_text(Json{{"name", name}, {"ready", !model->workers().empty()}})});
  }
  if (const std::string amiss = amiss_in_encoding(request); !amiss.empty()) return reply(fault(400, amiss));
  ask(
      *model, std::move(request), reply, fault,
      [](const HttpRequest& asked) -> Result<std::vector<TensorData>> {
        Result<Instances> read = read_model_body(asked.body, true);
        if (!read) return read.error();
        return std::vector<TensorData>{std::move(read->tensor)};
      },
      [](const std::vector<TensorData>& outputs) -> Result<HttpAnswer> {
        return HttpAnswer{.body = json_text(model_predictions(outputs, true))};
      });
}

void ModelsHttp::open_inference(Parts parts, HttpRequest request, bool ending, const Reply& reply) {
  const std::string version = take_version(parts);
  const bool infers = parts.size() == 4 && parts[3] == "infer", ready = parts.size() == 4 && parts[3] == "ready";
  if (parts.size() > 3 && !infers && !ready) return reply(fault(404, kUnknownPath));
  const std::string method = infers ? amiss_in_method(request, {"POST"}) : amiss_in_method(request, {"GET", "HEAD"});
  if (!method.empty()) return reply(fault(405, method));
  const Served model = models_.find(parts[2], version);
  if (!model) return reply(fault(404, fmt::format("'{}' has no version {}", parts[2], version)));
  if (infers) return infer(model, std::move(request), reply);
  if (ready) {
    if (ending || model->workers().empty()) return reply(fault(503, ending ? kEnding : "the model has no worker"));
    return reply({.body = json_text(Json{{"name", parts[2]}, {"ready", true}})});
  }
  Json versions = Json::array(), inputs = Json::array();
  for (const Served& each : models_.versions(parts[2])) versions.push_back(each->info().version);
  // TorchScript says neither what its tensors are made of nor how long they are.
  for (const std::string& name : model->model().inputs())
    inputs.push_back({{"name", name}, {"datatype", "ANY"}, {"shape", {-1}}});
  reply({.body = json_text(Json{{"name", parts[2]},
                                {"versions", std::move(versions)},
                                {"platform", "pytorch_libtorch"},
                                {"inputs", std::move(inputs)},
                                {"outputs", Json::array()}})});
}

void ModelsHttp::infer(const Served& model, HttpRequest request, const Reply& reply) {
  if (const std::string amiss = amiss_in_encoding(request); !amiss.empty()) return reply(fault(400, amiss));
  const auto wanted = std::make_shared<TensorRequest>();
  ask(
      *model, std::move(request), reply, fault,
      [wanted, names = model->model().inputs()](const HttpRequest& asked) -> Result<std::vector<TensorData>> {
        const Result<InferText> text =
            split_infer(asked.body, header(asked, "inference-header-content-length"), kMostTensorJson);
        if (!text) return text.error();
        Result<TensorRequest> read = read_tensors(text.value());
        if (!read) return read.error();
        *wanted = std::move(read.value());
        return in_order(std::move(wanted->inputs), names);
      },
      [wanted, info = model->info()](const std::vector<TensorData>& outputs) {
        return write_tensors(*wanted, info.name, info.version, outputs);
      });
}

// ---- management ----

void ModelsHttp::manage(const Parts& parts, const HttpRequest& request, const Reply& reply) {
  if (is_read(request)) return reply(describe(parts));
  if (!amiss_in_method(request, {"POST", "PUT", "DELETE"}).empty())
    return reply(
        torchserve_fault(405, "Requested method is not allowed: GET, POST /models, PUT and DELETE /models/MODEL"));
  if (options_.management_token.empty())
    return reply(torchserve_fault(403,
                                  "models are neither registered nor changed here: the server was started without "
                                  "--management-token-file FILE",
                                  "InvalidKeyException"));
  if (!manages(request))
    return reply(
        torchserve_fault(401, "the management token is needed: Authorization: Bearer TOKEN", "InvalidKeyException"));
  {
    const std::scoped_lock lock(mutex_);
    tasks_.push_back([this, parts, request, reply] { reply(changed(parts, request)); });
  }
  changed_.notify_all();
}

HttpAnswer ModelsHttp::changed(const Parts& parts, const HttpRequest& request) {
  if (parts.size() == 1 && request.method == "POST") return enrol(request);
  if (parts.size() == 1 || parts.size() > 4 || request.method == "POST")
    return torchserve_fault(405, "Requested method is not allowed: POST /models registers, PUT scales a model");
  const std::string &name = parts[1], version = parts.size() > 2 ? parts[2] : "";
  if (request.method == "PUT" && parts.size() < 4) return scale(parts, request);
  if (request.method == "PUT" && parts[3] == "set-default") {
    if (models_.make_default(name, version) != Models::Change::done) {
      if (!models_.has(name)) return missing(name, version);
      return torchserve_fault(404, fmt::format("Model version {} does not exist for model {}", version, name),
                              "ModelVersionNotFoundException");
    }
    return status(fmt::format("Default version successfully updated for model \"{}\" to \"{}\"", name, version));
  }
  if (parts.size() == 4) return torchserve_fault(404, kUnknownPath, "ResourceNotFoundException");
  switch (models_.remove(name, version)) {
    case Models::Change::done:
      return status(fmt::format("Model \"{}\" unregistered", name));
    case Models::Change::is_default:
      return torchserve_fault(403, "Cannot remove default version for model " + name);
    default:
      return missing(name, version);
  }
}

HttpAnswer ModelsHttp::enrol(const HttpRequest& request) {
  Said said(request);
  const std::string url = said.text("url"), name = said.text("model_name");
  ModelSettings settings = options_.settings;
  settings.batch_size = said.whole("batch_size", settings.batch_size, 1, kMostBatch);
  settings.batch_delay = std::chrono::milliseconds(
      said.whole("max_batch_delay", static_cast<int>(settings.batch_delay.count()), 0, 600'000));
  settings.workers = said.whole("initial_workers", 0, 0, kMostWorkers);
  settings.timeout =
      std::chrono::seconds(said.whole("response_timeout", static_cast<int>(settings.timeout.count()), 1, 86'400));
  if (!said.amiss().empty()) return torchserve_fault(400, said.amiss());
  if (url.empty()) return torchserve_fault(400, "Parameter url is required.");
  if (const std::string handler = said.text("handler"); !handler.empty() && handler != "base_handler")
    return torchserve_fault(400, fmt::format("the handler '{}' is Python, which does not run here", handler));
  if (options_.store.empty())
    return torchserve_fault(403, "there are no files to register: the server was started without --model-store FOLDER",
                            "InvalidKeyException");
  if (url.find("://") != std::string::npos)
    return torchserve_fault(400, "nothing is downloaded: url names a file in the model store: " + url);
  if (!is_plain_file_name(url)) return torchserve_fault(404, "Relative path is not allowed in url: " + url);
  const std::string path = options_.store + "/" + url;
  if (const auto kind = path_kind(path); !kind || kind.value() != PathKind::file)
    return torchserve_fault(404, "Model not found at: " + url);
  if (models_.all().size() >= kMostModels)
    return torchserve_fault(503, fmt::format("{} models are registered, which is the most", kMostModels));
  Result<LoadedModel> loaded = options_.load(path);
  if (!loaded) {
    // Whoever registers knows the store's files by their names alone.
    std::string what = loaded.error().message;
    if (const std::size_t at = what.find(path); at != std::string::npos) what.replace(at, path.size(), url);
    return torchserve_fault(400, what, "InvalidModelException");
  }
  const std::string called = name.empty() ? loaded->name : name, version = loaded->version;
  const bool known = models_.find(called, version) != nullptr;
  if (Result<void> served = serve(std::move(loaded.value()), name, url, false, settings); !served)
    return torchserve_fault(known ? 409 : 400, served.error().message);
  if (settings.workers == 0)
    return status(
        fmt::format("Model \"{}\" Version: {} registered with 0 initial workers. Use scale workers API to "
                    "add workers for the model.",
                    called, version));
  if (!said.flag("synchronous", true)) return status("Processing worker updates...", 202);
  return status(
      fmt::format("Model \"{}\" Version: {} registered with {} initial workers", called, version, settings.workers));
}

HttpAnswer ModelsHttp::scale(const Parts& parts, const HttpRequest& request) {
  Said said(request);
  const std::string version = parts.size() > 2 ? parts[2] : said.text("model_version");
  const int least = said.whole("min_worker", 1, 0, kMostWorkers),
            most = said.whole("max_worker", least, 0, kMostWorkers);
  if (!said.amiss().empty()) return torchserve_fault(400, said.amiss());
  if (most < least) return torchserve_fault(400, "max_worker cannot be less than min_worker.");
  const Served model = models_.find(parts[1], version);
  if (!model) return missing(parts[1], version);
  model->scale(least);
  if (!said.flag("synchronous", false)) return status("Processing worker updates...", 202);
  return status(fmt::format("Workers scaled to {} for model: {}{}", least, parts[1],
                            version.empty() ? "" : ", version: " + version));
}

HttpAnswer ModelsHttp::describe(const Parts& parts) const {
  const std::string version = parts.size() > 2 ? parts[2] : "";
  if (parts.size() > 3) return torchserve_fault(404, kUnknownPath, "ResourceNotFoundException");
  std::vector<Served> asked = models_.versions(parts[1]);
  if (version != "all") asked = {models_.find(parts[1], version)};
  if (asked.empty() || !asked[0]) return missing(parts[1], version);
  Json list = Json::array();
  for (const Served& model : asked) {
    const ModelInfo& info = model->info();
    const ModelSettings& settings = model->settings();
    Json workers = Json::array();
    for (const ServedModel::Worker& worker : model->workers())
      workers.push_back({{"id", std::to_string(worker.id)},
                         {"startTime", utc(worker.since)},
                         {"status", "READY"},
                         {"memoryUsage", 0},
                         {"pid", ::getpid()},
                         {"gpu", false},
                         {"gpuUsage", "N/A"}});
    const int waiting = model->waiting();
    list.push_back(
        {{"modelName", info.name},
         {"modelVersion", info.version},
         {"modelUrl", info.url},
         {"runtime", "libtorch"},
         {"minWorkers", workers.size()},
         {"maxWorkers", workers.size()},
         {"batchSize", settings.batch_size},
         {"maxBatchDelay", settings.batch_delay.count()},
         {"responseTimeout", settings.timeout.count()},
         {"deviceType", "cpu"},
         {"loadedAtStartup", info.at_startup},
         {"workers", std::move(workers)},
         {"jobQueueStatus", {{"remainingCapacity", settings.queue - waiting}, {"pendingRequests", waiting}}}});
  }
  return {.body = json_text(list, 2)};
}

std::string ModelsHttp::metrics() const {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  std::string text;
  const auto begin = [&](const char* name, const char* what) {
    text += fmt::format("# HELP {0} {1}\n# TYPE {0} counter\n", name, what);
  };
  for (const int digit : {2, 4, 5}) {
    const std::string name = fmt::format("Requests{}XX", digit);
    begin(name.c_str(), "Answers of models over HTTP, by status");
    text += fmt::format("{}{{Level=\"Host\",Hostname=\"{}\"}} {}\n", name, host, answered_[digit].load());
  }
  struct Counter {
    const char *name, *what;
    std::int64_t ServedModel::Counts::*count;
  };
  constexpr Counter kCounters[] = {
      {"ts_inference_requests_total", "Requests for a model", &ServedModel::Counts::requests},
      {"ts_inference_latency_microseconds", "Reading, computing and answering them", &ServedModel::Counts::compute_us},
      {"ts_queue_latency_microseconds", "Waiting before that", &ServedModel::Counts::queue_us}};
  for (const Counter& counter : kCounters) {
    begin(counter.name, counter.what);
    for (const Served& standard : models_.all())
      for (const Served& model : models_.versions(standard->info().name))
        text += fmt::format("{}{{model_name=\"{}\",model_version=\"{}\",hostname=\"{}\"}} {}\n", counter.name,
                            model->info().name, model->info().version, host, model->counts().*counter.count);
  }
  return text;
}

}  // namespace rival::serve
