#include "serve/inference_http.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/json.hpp"
#include "base/number.hpp"
#include "serve/fault.hpp"
#include "serve/http_text.hpp"
#include "serve/models_http.hpp"
#include "serve/predictions.hpp"

namespace rival::serve {
namespace {

using Json = nlohmann::ordered_json;

// The paths that are answered, by how they begin.
constexpr std::string_view kPing = "/ping";
constexpr std::string_view kFamilies[] = {kPing, "/predictions", "/explanations", "/models", "/v1/models", "/v2"};
constexpr std::string_view kHealth[] = {kPing, "/v2/health/live", "/v2/health/ready"};

}  // namespace

InferenceHttp::InferenceHttp(Playing& playing)
    : playing_(playing),
      random_(Key(static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()))) {}

std::optional<Access> InferenceHttp::access(std::string_view path) const {
  if (std::find(std::begin(kHealth), std::end(kHealth), path) != std::end(kHealth)) return Access::anyone;
  const std::string family = label(path);
  if (family.empty()) return {};
  // Models are managed by another token, for which answer() looks.
  return models() && family == "/models" ? Access::anyone : Access::play;
}

ModelsHttp* InferenceHttp::models() const {
  return playing_.options.models.get();
}

std::string InferenceHttp::label(std::string_view path) const {
  for (const std::string_view family : kFamilies)
    if (path.starts_with(family) && (path.size() == family.size() || path[family.size()] == '/'))
      return std::string(family);
  return "";
}

void InferenceHttp::answer(HttpRequest request, Reply reply) {
  const Parts parts = path_parts(request.path);
  const bool of_model = models() && models()->takes(parts, request);
  if (of_model && (parts[0] == "v1" || parts[0] == "v2"))
    return models()->answer(parts, std::move(request), playing_.ending, reply);
  if (parts[0] == "v2") return open_inference(parts, request, reply);
  if (parts[0] == "v1") return kserve(parts, request, reply);
  const Reply with_id = [reply = std::move(reply), id = request_id()](HttpAnswer answer) {
    answer.headers.emplace_back("x-request-id", id);
    reply(std::move(answer));
  };
  if (models() && parts[0] == "models" && is_read(request) && !request.trusted && !models()->manages(request))
    return with_id(torchserve_fault(401, "a token is needed: Authorization: Bearer TOKEN", "InvalidKeyException"));
  if (of_model) return models()->answer(parts, std::move(request), playing_.ending, with_id);
  torchserve(parts, request, with_id);
}

// ---- what the protocols have in common ----

Result<std::shared_ptr<const Hosted>> InferenceHttp::find(const std::string& model, const std::string& version) {
  Result<std::shared_ptr<const Hosted>> found = playing_.directory.find(model);
  if (found && !version.empty() && version != found.value()->version)
    return Error{fmt::format("'{}' is served in version {}, not {}", model, found.value()->version, version)};
  return found;
}

// As many as there are threads that compute, so that each has its share.
std::shared_ptr<Session> InferenceHttp::without_seats(const std::shared_ptr<const Hosted>& bot) {
  Shared& shared = shared_[bot->name];
  if (shared.bot != bot) {
    shared = {.bot = bot, .sessions = {}};
    for (int n = 0; n < playing_.batcher.threads(); ++n) shared.sessions.push_back(playing_.batcher.open(bot, 0, {}));
  }
  return shared.sessions[shared.next++ % shared.sessions.size()];
}

void InferenceHttp::decide(std::shared_ptr<Session> session, std::shared_ptr<const Rows> rows, Asked asked, Write write,
                           const Reply& reply) {
  asked.rows = rows->count;
  asked.seats = rows->seats, asked.observations = rows->observations, asked.masks = rows->masks;
  // Whoever holds the session last, it ends on its own; this endpoint may be gone by then.
  Session& asks = *session;
  playing_.batcher.decide(
      std::move(session), asked,
      [&metrics = playing_.metrics, &asks, rows, write = std::move(write), reply](const Answered& answer) {
        metrics.answered(asks.bot(), answer);
        reply(write(answer));
      });
}

// ---- /v2: the Open Inference Protocol ----

void InferenceHttp::open_inference(const Parts& parts, const HttpRequest& request, const Reply& reply) {
  const auto only = [&](std::initializer_list<const char*> methods) {
    const std::string amiss = amiss_in_method(request, methods);
    if (!amiss.empty()) reply(fault(405, amiss));
    return amiss.empty();
  };
  const auto say = [&](const Json& json) { reply({.body = json_text(json)}); };
  if (parts.size() == 3 && parts[1] == "repository" && parts[2] == "index") {
    if (!only({"POST"})) return;
    Json list = Json::array();
    for (const auto& bot : playing_.directory.all())
      list.push_back({{"name", bot->name}, {"version", bot->version}, {"state", "READY"}});
    if (models())
      for (const auto& model : models()->models().all())
        list.push_back({{"name", model->info().name}, {"version", model->info().version}, {"state", "READY"}});
    return say(list);
  }
  if (parts.size() > 1 && parts[1] == "repository")
    return reply(fault(400, "bots are named when the server is started; SIGHUP has it read their files again"));
  if (parts.size() == 1) {
    if (only({"GET", "HEAD"}))
      say({{"name", "rival"},
           {"version", RIVAL_VERSION},
           {"extensions", {"binary_tensor_data", "sequence", "sequence(string_id)"}}});
    return;
  }
  if (parts.size() == 3 && parts[1] == "health" && (parts[2] == "live" || parts[2] == "ready")) {
    if (!only({"GET", "HEAD"})) return;
    if (parts[2] == "live") return say({{"live", true}});
    return playing_.ending ? reply(fault(503, kEnding)) : say({{"ready", true}});
  }
  Parts rest = parts;
  const std::string version = take_version(rest);
  rest.erase(rest.begin());  // models, NAME, what
  const bool infers = rest.size() == 3 && rest[2] == "infer", ready = rest.size() == 3 && rest[2] == "ready";
  if (rest[0] != "models" || rest.size() < 2 || (rest.size() > 2 && !infers && !ready))
    return reply(fault(404, kUnknownPath));
  if (infers) {
    if (only({"POST"})) infer(rest[1], version, request, reply);
    return;
  }
  if (!only({"GET", "HEAD"})) return;
  const auto found = find(rest[1], version);
  if (!found) return reply(fault(404, found.error().message));
  const Hosted& bot = *found.value();
  if (!ready) return say(infer_metadata(rest[1], bot.version, bot.sizes));
  if (playing_.ending) return reply(fault(503, kEnding));
  say({{"name", rest[1]}, {"ready", true}});
}

void InferenceHttp::infer(const std::string& model, const std::string& version, const HttpRequest& request,
                          const Reply& reply) {
  const Clock::time_point arrived = Clock::now();
  const auto refuse = [&](int status, const std::string& what) { reply(fault(status, what)); };
  const std::string amiss = amiss_in_encoding(request);
  if (!amiss.empty()) return refuse(400, amiss);
  const Result<InferText> text = split_infer(request.body, header(request, "inference-header-content-length"));
  if (!text) return refuse(400, text.error().message);
  const Result<Sequence> read = read_sequence(text.value());
  if (!read) return refuse(400, read.error().message);
  const Sequence& sequence = read.value();

  // A sequence stays with the version that it began with.
  std::shared_ptr<Session> session;
  std::shared_ptr<const Hosted> bot;
  auto at = sequences_.find({model, sequence.id});
  const bool goes_on = !sequence.id.empty() && !sequence.start;
  if (goes_on && at == sequences_.end())
    return refuse(400, fmt::format("there is no sequence {} of '{}': its first request needs 'sequence_start'",
                                   sequence.id, model));
  if (goes_on && !at->second.session)
    return refuse(400, fmt::format("the sequence {} of '{}' has expired: no request for {} seconds; 'sequence_start' "
                                   "begins it again",
                                   sequence.id, model, playing_.options.idle.count()));
  if (goes_on && (version.empty() || version == at->second.session->bot().version)) {
    session = at->second.session;
  } else {
    const auto found = find(model, version);
    if (!found) return refuse(404, found.error().message);
    if (goes_on)
      return refuse(
          400, fmt::format("the sequence {} began with version {}", sequence.id, at->second.session->bot().version));
    bot = found.value();
  }
  const RowSizes& sizes = session ? session->bot().sizes : bot->sizes;
  Result<InferRequest> asks = read_infer(text.value(), sizes);
  if (!asks) return refuse(400, asks.error().message);
  const int rows = asks.value().rows.count;

  if (sequence.start) {
    if (playing_.ending) return refuse(503, kEnding);
    const int given_back = at != sequences_.end() && at->second.session ? at->second.session->seats() : 0;
    const std::int64_t free = playing_.options.most_seats - playing_.seats + given_back;
    if (rows > free) {
      playing_.metrics.refused("seats");
      return refuse(503, fmt::format("{} seats are more than are free: {}", rows, free));
    }
    if (at != sequences_.end()) end(at);
    session = playing_.batcher.open(bot, rows, {});
    at = sequences_.insert_or_assign({model, sequence.id}, Open{session, Clock::now()}).first;
    ++running_;
    playing_.seats += rows;
    playing_.metrics.session(*bot, rows, 1);
  } else if (!session) {
    session = without_seats(bot);
  } else if (rows != session->seats()) {
    return refuse(400, fmt::format("{} rows, but the sequence {} began with {}", rows, sequence.id, session->seats()));
  }
  if (!sequence.id.empty()) at->second.last = Clock::now();
  if (sequence.end) end(at);

  Asked asked{.arrived = arrived, .estimates = asks.value().estimates()};
  const std::chrono::microseconds timeout = asks.value().timeout;
  if (timeout.count() > 0) asked.deadline = arrived + timeout;
  const auto held = std::make_shared<const InferRequest>(std::move(asks.value()));
  const Session& of = *session;
  decide(
      std::move(session), {held, &held->rows}, asked,
      [held, model, &of, timeout](const Answered& answer) {
        if (answer.late) return fault(503, fmt::format("not computed within {} microseconds", timeout.count()));
        return write_infer(*held, model, of.bot().version, of.bot().sizes, answer);
      },
      reply);
}

// Its session ends with its last answer.
void InferenceHttp::end(Sequences::iterator at) {
  if (const std::shared_ptr<Session>& session = at->second.session) {
    --running_;
    playing_.seats -= session->seats();
    playing_.metrics.session(session->bot(), session->seats(), -1);
  }
  sequences_.erase(at);
}

void InferenceHttp::expire() {
  const Clock::time_point now = Clock::now();
  for (auto at = sequences_.begin(); at != sequences_.end();) {
    const auto next = std::next(at);
    if (now - at->second.last > playing_.options.idle) {
      const bool ran = at->second.session != nullptr;
      const Sequences::key_type key = at->first;
      end(at);
      if (ran) sequences_.insert_or_assign(key, Open{nullptr, now});
    }
    at = next;
  }
}

// ---- /v1/models: KServe's first protocol ----

void InferenceHttp::kserve(const Parts& parts, const HttpRequest& request, const Reply& reply) {
  const auto refuse = [&](int status, const std::string& what) { reply(fault(status, what)); };
  constexpr std::string_view kPredict = ":predict", kExplain = ":explain";
  const std::string& name = parts.back();
  if (parts.size() > 3) return refuse(404, kUnknownPath);
  if (name.ends_with(kExplain)) return refuse(404, "bots have no explanations");
  const bool predicts = parts.size() == 3 && name.ends_with(kPredict);
  const std::string amiss = predicts ? amiss_in_method(request, {"POST"}) : amiss_in_method(request, {"GET", "HEAD"});
  if (!amiss.empty()) return refuse(405, amiss);
  if (parts.size() == 2) {
    Json names = Json::array();
    for (const auto& bot : playing_.directory.all()) names.push_back(bot->name);
    if (models())
      for (const auto& model : models()->models().all()) names.push_back(model->info().name);
    return reply({.body = json_text(Json{{"models", std::move(names)}})});
  }
  const auto found = find(predicts ? name.substr(0, name.size() - kPredict.size()) : name, "");
  if (!found) return refuse(404, found.error().message);
  if (!predicts) {
    if (playing_.ending) return refuse(503, kEnding);
    return reply({.body = json_text(Json{{"name", name}, {"ready", true}})});
  }
  const std::string encoded = amiss_in_encoding(request);
  if (!encoded.empty()) return refuse(400, encoded);
  Result<Rows> rows = read_instances(request.body, found.value()->sizes);
  if (!rows) return refuse(400, rows.error().message);
  decide(
      without_seats(found.value()), std::make_shared<const Rows>(std::move(rows.value())), {},
      [bot = found.value()](const Answered& answer) {
        return HttpAnswer{.body = json_text(Json{{"predictions", predictions(bot->sizes, answer)}})};
      },
      reply);
}

// ---- TorchServe ----

// Among models in TorchServe's words: whoever asks may not know of bots.
std::string InferenceHttp::not_found(const std::string& name, const Error& of_bot) const {
  return models() ? "Model not found: " + name : of_bot.message;
}

void InferenceHttp::torchserve(const Parts& parts, const HttpRequest& request, const Reply& reply) {
  const auto refuse = [&](int status, const std::string& what) { reply(torchserve_fault(status, what)); };
  const auto say = [&](const Json& json) { reply({.body = json_text(json, 2)}); };
  if (parts[0] == "ping") {
    const Json status = {{"status", playing_.ending ? "Unhealthy" : "Healthy"}};
    return reply({.status = playing_.ending ? 503 : 200, .body = json_text(status, 2)});
  }
  if (parts[0] == "explanations") return refuse(404, "bots have no explanations");
  if (parts[0] == "predictions") return predict(parts, request, reply);
  if (!is_read(request))
    return refuse(405,
                  "bots are neither registered nor scaled here, and archives (.mar) are not served: start the server "
                  "with the bots' files or runs; SIGHUP has it read them again");
  if (parts.size() == 1) return reply(list(request.query));
  if (parts.size() > 3) return refuse(404, kUnknownPath);
  const auto found = find(parts[1], parts.size() == 2 || parts[2] == "all" ? "" : parts[2]);
  if (!found) return refuse(404, not_found(parts[1], found.error()));
  say(Json::array({model(*found.value())}));
}

void InferenceHttp::predict(const Parts& parts, const HttpRequest& request, const Reply& reply) {
  const auto refuse = [&](int status, const std::string& what) { reply(torchserve_fault(status, what)); };
  if (parts.size() < 2 || parts.size() > 3) return refuse(404, "the path is /predictions/MODEL or .../MODEL/VERSION");
  const std::string amiss = amiss_in_method(request, {"POST", "PUT"});
  if (!amiss.empty()) return refuse(405, amiss);
  const std::string encoded = amiss_in_encoding(request);
  if (!encoded.empty()) return refuse(400, encoded);
  const auto found = find(parts[1], parts.size() == 3 ? parts[2] : "");
  if (!found) return refuse(404, not_found(parts[1], found.error()));
  const Parts form = form_values(header(request, "content-type"), request.body, {"data", "body"});
  if (form.size() > 1)
    return refuse(400, fmt::format("the form has {} values of one name: send all rows in one", form.size()));
  Result<Rows> rows = read_predictions(form.empty() ? request.body : form[0], found.value()->sizes);
  if (!rows) return refuse(400, rows.error().message);
  decide(
      without_seats(found.value()), std::make_shared<const Rows>(std::move(rows.value())), {},
      [bot = found.value()](const Answered& answer) {
        return HttpAnswer{.body = json_text(predictions(bot->sizes, answer), 2)};
      },
      reply);
}

// Some of the bots and models, and where the next ones begin.
HttpAnswer InferenceHttp::list(std::string_view query) const {
  const auto number = [&](const char* name, std::int64_t otherwise) {
    const std::optional<std::int64_t> read = read_whole(query_value(query, name).value_or(""));
    return static_cast<std::size_t>(std::max<std::int64_t>(read.value_or(otherwise), 0));
  };
  std::vector<std::pair<std::string, std::string>> all;  // by name
  for (const auto& bot : playing_.directory.all()) all.emplace_back(bot->name, bot->name);
  if (models())
    for (const auto& model : models()->models().all()) all.emplace_back(model->info().name, model->info().url);
  std::sort(all.begin(), all.end());
  const std::size_t first = std::min(number("next_page_token", 0), all.size());
  const std::size_t count = std::min(std::max<std::size_t>(number("limit", 100), 1), all.size() - first);
  Json said = Json::object();
  if (first + count < all.size()) said["nextPageToken"] = std::to_string(first + count);
  Json& list = said["models"] = Json::array();
  for (std::size_t i = first; i < first + count; ++i)
    list.push_back({{"modelName", all[i].first}, {"modelUrl", all[i].second}});
  return {.body = json_text(said, 2)};
}

Json InferenceHttp::model(const Hosted& bot) const {
  const int threads = playing_.batcher.threads();
  Json workers = Json::array();
  for (int n = 0; n < threads; ++n) workers.push_back({{"id", std::to_string(n)}, {"status", "READY"}, {"gpu", false}});
  const double wait = std::chrono::duration<double, std::milli>(playing_.options.batcher.wait).count();
  return {{"modelName", bot.name},
          {"modelVersion", bot.version},
          {"modelUrl", bot.name},
          {"runtime", "rival"},
          {"minWorkers", threads},
          {"maxWorkers", threads},
          {"batchSize", kMostRows},
          {"maxBatchDelay", wait},
          {"loadedAtStartup", bot.name.find('@') == std::string::npos},
          {"workers", std::move(workers)}};
}

std::string InferenceHttp::request_id() {
  std::string id;
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) id += '-';
    const int value = digit == 12 ? 4 : digit == 16 ? 8 + random_.below(4) : random_.below(16);  // UUID, version 4
    id += "0123456789abcdef"[value];
  }
  return id;
}

}  // namespace rival::serve
