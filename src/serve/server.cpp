#include "serve/server.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <condition_variable>
#include <csignal>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/json.hpp"
#include "base/number.hpp"
#include "base/secret.hpp"
#include "serve/assets.hpp"
#include "serve/awaiting.hpp"
#include "serve/connection.hpp"
#include "serve/fault.hpp"
#include "serve/inference_http.hpp"
#include "serve/models_http.hpp"
#include "serve/tls.hpp"

namespace rival::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using Json = nlohmann::ordered_json;
using Response = http::response<http::string_body>;

// A body is as long as a message may be at most; of who does not show the token no longer than this.
constexpr std::size_t kLargestHead = 16 << 10, kLargestBody = 64 << 10;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr auto kRequestTime = std::chrono::seconds(30);
constexpr auto kLastWords = std::chrono::seconds(1);  // for clients to answer that their connection is closed
constexpr rlim_t kOtherDescriptors = 256;             // files of bots, pipes...
constexpr const char* kPlay = "/v1/play";
constexpr const char* kTokenNeeded = "a token is needed: Authorization: Bearer TOKEN";
const std::set<std::string_view> kPaths = {"/", "/livez", "/readyz", "/bots", "/metrics", kPlay};

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

asio::ip::address address_of(const std::string& host, beast::error_code& code) {
  return asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, code);
}

class ServerOfSockets final : public Server {
 public:
  ServerOfSockets(Directory& directory, const ServerOptions& options)
      : options_(options),
        acceptor_(io_),
        signals_(io_),
        batcher_(with_metrics()),
        playing_{directory, options_, metrics_, batcher_, io_, watching_},
        inference_(std::make_shared<InferenceHttp>(playing_)) {
    options_.endpoints.push_back(inference_);
  }
  // Endpoints answer from threads of their own: the last answer that is due comes before the end of what it is for.
  ~ServerOfSockets() override {
    end_frontend();
    std::unique_lock lock(due_mutex_);
    none_due_.wait(lock, [this] { return due_ == 0; });
  }

  Result<void> open();
  int port() const override { return acceptor_.local_endpoint().port(); }
  int frontend_port() const override { return frontend_ ? frontend_->port() : 0; }
  void run() override;
  void stop() override {
    asio::post(io_, [this] { end(); });
  }
  void reload() override {
    asio::post(renewing_, [this] { renew(); });
  }
  const Metrics& metrics() const override { return metrics_; }

 private:
  BatcherOptions with_metrics() {
    BatcherOptions batcher = options_.batcher;
    batcher.on_batch = [this](const Hosted& bot, int rows, std::chrono::nanoseconds took) {
      metrics_.computed(bot, rows, took);
    };
    return batcher;
  }

  void log(const char* event, Json fields = Json::object()) const {
    if (!options_.log) return;
    Json line = {{"event", event}};
    line.update(fields);
    options_.log(json_text(line));
  }

  asio::awaitable<void> accept();
  void shake_hands(tcp::socket socket, std::shared_ptr<void> held);
  void begin(tcp::socket socket, std::shared_ptr<void> held);
  asio::awaitable<void> serve(Socket stream);
  asio::awaitable<void> watch_signals();
  asio::awaitable<void> finish();
  asio::awaitable<void> expire();
  Endpoint* endpoint_of(std::string_view path) const;
  void deliver(Endpoint& endpoint, HttpRequest request, std::function<void(HttpAnswer)> reply);
  asio::awaitable<Response> ask(Endpoint& endpoint, Request& request, std::string_view path);
  void ask_for_frontend(HttpRequest request, std::function<void(HttpAnswer)> reply);
  void end_frontend();
  Response answer(const Request& request, std::string_view path);
  bool allowed(std::string_view authorization) const;
  bool allowed(const Request& request) const;
  std::optional<Response> refusal(const Request& request, Access wanted);
  void end();
  void renew();
  void apply(const ServerOptions& fresh);
  void make_room() const;
  Json needs_restart(const ServerOptions& fresh) const;
  void leave(Connection* connection);
  void end_if_idle();

  ServerOptions options_;
  std::atomic<int> sockets_{0};
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::signal_set signals_;
  Metrics metrics_;
  std::set<Connection*> connections_;  // that play
  int asked_ = 0;                      // requests that are not answered yet
  Batcher batcher_;                    // its threads post to io_: gone before that
  Playing playing_;
  std::shared_ptr<InferenceHttp> inference_;
  std::optional<TlsRelay> tls_;
  asio::thread_pool watching_{1}, renewing_{1};  // gone before what they use; both read bots, which takes its time
  std::mutex due_mutex_;
  std::condition_variable none_due_;
  int due_ = 0;  // answers of endpoints
  std::unique_ptr<Frontend> frontend_;
};

// Others than this machine must show a token.
Result<void> closed_to_others(const ServerOptions& options) {
  beast::error_code code;
  const asio::ip::address address = address_of(options.host, code);
  if (code) return usage_error({fmt::format("'{}' is no address of a network: 127.0.0.1, 0.0.0.0, ::1", options.host)});
  if (!address.is_loopback() && options.token.empty())
    return usage_error(
        {fmt::format("others than this machine can connect to {}:{}: give --token-file FILE, with a secret "
                     "that they must show",
                     options.host, options.port)});
  return {};
}

Result<void> ServerOfSockets::open() {
  if (Result<void> closed = closed_to_others(options_); !closed) return closed;
  beast::error_code code;
  const std::string place = fmt::format("{}:{}", options_.host, options_.port);
  const tcp::endpoint endpoint(address_of(options_.host, code), static_cast<asio::ip::port_type>(options_.port));
  const auto failed = [&] { return Error{fmt::format("cannot listen on {}: {}", place, code.message())}; };
  if (acceptor_.open(endpoint.protocol(), code); code) return failed();
  if (options_.tls) tls_.emplace();
  make_room();
  acceptor_.set_option(asio::socket_base::reuse_address(true), code);
  if (acceptor_.bind(endpoint, code); code) return failed();
  if (acceptor_.listen(asio::socket_base::max_listen_connections, code); code) return failed();
  if (!options_.frontend) return {};
  Result<std::unique_ptr<Frontend>> frontend =
      options_.frontend([this](HttpRequest request, std::function<void(HttpAnswer)> reply) {
        asio::post(io_, [this, request = std::move(request), reply = std::move(reply)]() mutable {
          ask_for_frontend(std::move(request), std::move(reply));
        });
      });
  if (!frontend) return frontend.error();
  frontend_ = std::move(frontend.value());
  return {};
}

void ServerOfSockets::run() {
  asio::co_spawn(io_, accept(), asio::detached);
  asio::co_spawn(io_, watch_signals(), asio::detached);
  asio::co_spawn(io_, expire(), asio::detached);
  io_.run();
  end_frontend();
}

// Its last calls still get answers, from this thread.
void ServerOfSockets::end_frontend() {
  if (!frontend_) return;
  const std::future<void> ended = std::async(std::launch::async, [this] { frontend_.reset(); });
  while (ended.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    io_.restart();
    io_.run_for(std::chrono::milliseconds(5));
  }
}

asio::awaitable<void> ServerOfSockets::watch_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) signals_.add(signal);
  for (;;) {
    beast::error_code code;
    const int signal = co_await signals_.async_wait(into(code));
    if (code) co_return;
    if (signal == SIGHUP)
      reload();
    else
      end();
  }
}

// On the thread for it.
void ServerOfSockets::renew() {
  std::optional<ServerOptions> fresh;
  const Result<void> read = [&]() -> Result<void> {
    if (!options_.renew) return playing_.directory.reload();
    const Result<Renewal> renewal = options_.renew();
    if (!renewal) return renewal.error();
    fresh = renewal.value().options;
    ServerOptions in_force = *fresh;
    in_force.host = options_.host;  // which stays
    for (const ServerOptions* each : {&*fresh, &in_force})
      if (Result<void> closed = closed_to_others(*each); !closed) return closed;
    return playing_.directory.serve(renewal.value().bots);
  }();
  asio::post(io_, [this, read, fresh = std::move(fresh)] {
    if (!read) return log("reload failed", {{"error", read.error().message}});
    Json said = {{"bots", Json::array()}};
    for (const auto& bot : playing_.directory.all()) said["bots"].push_back(bot->name);
    if (fresh) {
      apply(*fresh);
      if (Json names = needs_restart(*fresh); !names.empty()) said["needs_restart"] = std::move(names);
    }
    log("reloaded", std::move(said));
  });
}

void ServerOfSockets::apply(const ServerOptions& fresh) {
  options_.token = fresh.token;
  options_.most_connections = fresh.most_connections;
  options_.most_seats = fresh.most_seats;
  options_.idle = fresh.idle;
  options_.drain = fresh.drain;
  if (options_.tls && fresh.tls) options_.tls = fresh.tls;
  make_room();
}

// Descriptors for all connections, which with TLS take two more each; often no more than 1024 are allowed at first.
void ServerOfSockets::make_room() const {
  const rlim_t wanted = static_cast<rlim_t>(options_.most_connections) * (options_.tls ? 3 : 1) + kOtherDescriptors;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
    log("few descriptors", {{"allowed", limit.rlim_cur}, {"wanted", wanted}});
}

// The options that differ and are as they were.
Json ServerOfSockets::needs_restart(const ServerOptions& fresh) const {
  Json names = Json::array();
  const auto differ = [&](const char* name, const auto& now, const auto& wanted) {
    if (now != wanted) names.push_back(name);
  };
  differ("host", options_.host, fresh.host);
  differ("port", options_.port, fresh.port);
  differ("tls", options_.tls != nullptr, fresh.tls != nullptr);
  differ("threads", options_.batcher.threads, fresh.batcher.threads);
  differ("wait_ms", options_.batcher.wait, fresh.batcher.wait);
  return names;
}

// The first time: no new sessions, and those that there are may end. The second time: now.
void ServerOfSockets::end() {
  if (std::exchange(playing_.ending, true)) {
    io_.stop();
    return;
  }
  end_if_idle();
  if (io_.stopped()) return;
  if (frontend_) frontend_->drain();
  log("draining", {{"connections", connections_.size()}, {"sequences", inference_->sequences()}});
  for (Connection* connection : connections_) connection->drain();
  asio::co_spawn(io_, finish(), asio::detached);
}

void ServerOfSockets::end_if_idle() {
  if (playing_.ending && connections_.empty() && asked_ == 0 && inference_->sequences() == 0) io_.stop();
}

asio::awaitable<void> ServerOfSockets::expire() {
  asio::steady_timer timer(io_);
  beast::error_code code;
  while (!code) {
    timer.expires_after(std::chrono::seconds(1));
    co_await timer.async_wait(into(code));
    inference_->expire();
    end_if_idle();
  }
}

// When the time for it is over, sessions are ended.
asio::awaitable<void> ServerOfSockets::finish() {
  asio::steady_timer timer(io_, options_.drain);
  beast::error_code code;
  co_await timer.async_wait(into(code));
  for (Connection* connection : connections_) connection->close(websocket::close_code::going_away);
  timer.expires_after(kLastWords);
  co_await timer.async_wait(into(code));
  io_.stop();
}

void ServerOfSockets::leave(Connection* connection) {
  connections_.erase(connection);
  metrics_.connection(-1);
  log("left", {{"connections", connections_.size()}});
  end_if_idle();
}

asio::awaitable<void> ServerOfSockets::accept() {
  for (;;) {
    beast::error_code code;
    tcp::socket socket = co_await acceptor_.async_accept(into(code));
    if (!acceptor_.is_open()) co_return;
    if (code) {  // out of descriptors, say: that passes
      asio::steady_timer pause(io_, std::chrono::milliseconds(50));
      co_await pause.async_wait(into(code));
      continue;
    }
    if (sockets_ >= options_.most_connections) {
      metrics_.refused("connections");
      continue;  // which closes it
    }
    socket.set_option(tcp::no_delay(true), code);
    ++sockets_;
    std::shared_ptr<void> held(nullptr, [this](void*) { --sockets_; });
    if (options_.tls)
      shake_hands(std::move(socket), std::move(held));
    else
      begin(std::move(socket), std::move(held));
  }
}

void ServerOfSockets::shake_hands(tcp::socket socket, std::shared_ptr<void> held) {
  tls_->accept(options_.tls, std::move(socket), io_, held, [this, held](const auto& plain) {
    asio::post(io_, [this, held, plain]() mutable {
      if (plain)
        begin(std::move(*plain.value()), std::move(held));
      else
        metrics_.refused("tls");
    });
  });
}

// `held` goes when the connection does.
void ServerOfSockets::begin(tcp::socket socket, std::shared_ptr<void> held) {
  asio::co_spawn(io_, serve(Socket(std::move(socket))), [held = std::move(held)](const std::exception_ptr&) {});
}

bool ServerOfSockets::allowed(std::string_view authorization) const {
  return options_.token.empty() || shows_token(authorization, options_.token);
}

bool ServerOfSockets::allowed(const Request& request) const {
  return allowed(view(request[http::field::authorization]));
}

// A page of another origin, in a browser on this machine, is not to play: neither one that says so, nor one whose name
// has come to mean this machine.
bool foreign(const Request& request) {
  const std::string_view origin = view(request[http::field::origin]), host = view(request[http::field::host]);
  if (origin.empty()) return false;
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos || origin.substr(scheme + 3) != host) return true;
  const std::string_view name = host.substr(0, host.find(':'));
  return name != "localhost" && name != "127.0.0.1" && !host.starts_with("[::1]");
}

Response reply(const Request& request, http::status status, std::string body, const char* type = "application/json") {
  Response response(status, request.version());
  response.set(http::field::content_type, type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (status == http::status::unauthorized) response.set(http::field::www_authenticate, "Bearer");
  response.keep_alive(request.keep_alive());
  response.body() = std::move(body);
  if (type == std::string_view("application/json")) response.body() += "\n";
  response.prepare_payload();
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

Response fault(const Request& request, http::status status, const std::string& what) {
  return reply(request, status, json_text(Json{{"error", what}}));
}

// What is said to who may not ask; nothing: they may.
std::optional<Response> ServerOfSockets::refusal(const Request& request, Access wanted) {
  if (foreign(request)) return fault(request, http::status::forbidden, "a page of another origin may not ask");
  if (wanted == Access::anyone || allowed(request)) return {};
  metrics_.refused("token");
  return fault(request, http::status::unauthorized, kTokenNeeded);
}

Response ServerOfSockets::answer(const Request& request, std::string_view path) {
  if (std::optional<Response> no = refusal(request, Access::anyone)) return std::move(*no);
  if (!kPaths.contains(path))
    return fault(request, http::status::not_found,
                 "there is no such path: /livez, /readyz, /bots, /metrics, /v1/play for WebSockets, and for clients of "
                 "other servers /predictions, /models, /v1/models and /v2");
  if (request.method() != http::verb::get && request.method() != http::verb::head)
    return fault(request, http::status::method_not_allowed, "only GET is known");
  if (path == "/")
    return reply(request, http::status::ok, std::string(embedded::status_html), "text/html; charset=utf-8");
  if (path == "/livez") return reply(request, http::status::ok, json_text(Json{{"status", "live"}}));
  if (path == "/readyz")
    return playing_.ending ? fault(request, http::status::service_unavailable, "draining")
                           : reply(request, http::status::ok, json_text(Json{{"status", "ready"}}));
  if (std::optional<Response> no = refusal(request, Access::play)) return std::move(*no);
  if (path == "/metrics")
    return reply(request, http::status::ok, metrics_.text() + (options_.models ? options_.models->metrics() : ""),
                 "text/plain; version=0.0.4");
  if (path == kPlay)
    return playing_.ending ? fault(request, http::status::service_unavailable, "draining")
                           : fault(request, http::status::upgrade_required, "this path is for WebSockets");
  Json bots = Json::array();
  for (const std::shared_ptr<const Hosted>& bot : playing_.directory.all()) bots.push_back(described(*bot));
  const Metrics::Totals totals = metrics_.totals();
  return reply(request, http::status::ok,
               json_text(Json{{"bots", std::move(bots)},
                              {"connections", totals.connections},
                              {"sessions", totals.sessions},
                              {"seats", totals.seats},
                              {"decisions", totals.decisions},
                              {"missed", totals.missed},
                              {"late", totals.late}}));
}

// Null: no endpoint knows the path.
Endpoint* ServerOfSockets::endpoint_of(std::string_view path) const {
  for (const std::shared_ptr<Endpoint>& each : options_.endpoints)
    if (each->access(path)) return each.get();
  return nullptr;
}

// `reply` is called on the server's thread, whenever the answer comes, or never if the server ends before.
void ServerOfSockets::deliver(Endpoint& endpoint, HttpRequest request, std::function<void(HttpAnswer)> reply) {
  // Whoever answers may keep the function: what waits in it must not outlive the server.
  const auto waiting = std::make_shared<std::function<void(HttpAnswer)>>(std::move(reply));
  {
    const std::scoped_lock lock(due_mutex_);
    ++due_;
  }
  endpoint.answer(std::move(request), [this, waiting](HttpAnswer answer) {
    asio::post(io_, [reply = std::move(*waiting), answer = std::move(answer)]() mutable { reply(std::move(answer)); });
    *waiting = nullptr;
    const std::scoped_lock lock(due_mutex_);
    if (--due_ == 0) none_due_.notify_all();
  });
}

// What an endpoint answers, whenever it does.
asio::awaitable<Response> ServerOfSockets::ask(Endpoint& endpoint, Request& request, std::string_view path) {
  std::optional<Response> no = refusal(request, *endpoint.access(path));
  if (no) co_return std::move(*no);
  const std::string_view target = view(request.target());
  HttpRequest asked{.method = std::string(view(request.method_string())),
                    .path = std::string(path),
                    .query = std::string(target.substr(std::min(target.size(), path.size() + 1))),
                    .headers = {},
                    .body = std::move(request.body()),
                    .trusted = allowed(request)};
  for (const auto& field : request) {
    std::string name(view(field.name_string()));
    for (char& c : name) c = to_lower(c);
    asked.headers.emplace(std::move(name), view(field.value()));
  }
  const HttpAnswer said = co_await asio::async_initiate<decltype(asio::use_awaitable), void(HttpAnswer)>(
      [this, &endpoint, &asked](auto handler) {
        const auto held = std::make_shared<decltype(handler)>(std::move(handler));  // a function can be copied
        deliver(endpoint, std::move(asked), [held](HttpAnswer answer) { std::move (*held)(std::move(answer)); });
      },
      asio::use_awaitable);
  Response response = reply(request, static_cast<http::status>(said.status), said.body, said.type.c_str());
  for (const auto& [name, value] : said.headers) response.set(name, value);
  co_return response;
}

// On the server's thread.
void ServerOfSockets::ask_for_frontend(HttpRequest request, std::function<void(HttpAnswer)> reply) {
  Endpoint* endpoint = endpoint_of(request.path);
  const std::string label = endpoint ? endpoint->label(request.path) : "other";
  const auto refuse = [&](int status, const char* what) {
    metrics_.request(label, status);
    reply(serve::fault(status, what));
  };
  if (!endpoint) return refuse(404, "there is no such path");
  request.trusted = allowed(header(request, "authorization"));
  if (endpoint->access(request.path) != Access::anyone && !request.trusted) {
    metrics_.refused("token");
    return refuse(401, kTokenNeeded);
  }
  ++asked_;
  deliver(*endpoint, std::move(request), [this, label, reply = std::move(reply)](HttpAnswer answer) {
    metrics_.request(label, answer.status);
    reply(std::move(answer));
    --asked_;
    end_if_idle();
  });
}

asio::awaitable<void> ServerOfSockets::serve(Socket stream) {
  beast::flat_buffer buffer(kLargestHead + kLargestBody);
  for (;;) {
    beast::error_code code;
    http::request_parser<http::string_body> parser;
    parser.header_limit(kLargestHead);
    parser.body_limit(options_.largest_frame);
    stream.expires_after(kRequestTime);
    co_await http::async_read_header(stream, buffer, parser, into(code));
    if (!code && !parser.is_done()) {
      const bool trusted = allowed(parser.get()) && !foreign(parser.get());
      const bool waits = beast::iequals(parser.get()[http::field::expect], "100-continue");
      if (!trusted && parser.content_length_remaining().value_or(kLargestBody + 1) > kLargestBody)
        code = http::error::body_limit;
      else if (waits)
        co_await asio::async_write(stream, asio::buffer(kContinue), into(code));
      if (!code) co_await http::async_read(stream, buffer, parser, into(code));
    }
    if (code == http::error::body_limit) {
      const std::string what =
          fmt::format("a body has {} bytes at most, without the token {}", options_.largest_frame, kLargestBody);
      Response refusal = fault(parser.get(), http::status::payload_too_large, what);
      refusal.keep_alive(false);
      beast::error_code ignored;
      co_await http::async_write(stream, refusal, into(ignored));
    }
    if (code) {
      if (code != http::error::end_of_stream && code != beast::error::timeout) metrics_.refused("request");
      co_return;
    }
    Request request = parser.release();
    std::string_view path = view(request.target());
    path = path.substr(0, path.find('?'));
    if (websocket::is_upgrade(request) && path == kPlay && allowed(request) && !foreign(request) && !playing_.ending) {
      stream.expires_never();
      metrics_.request(kPlay, 101);
      metrics_.connection(1);
      const auto connection = std::make_shared<Connection>(playing_, std::move(stream));
      connections_.insert(connection.get());
      log("joined", {{"connections", connections_.size()}});
      co_await connection->run(request);
      leave(connection.get());
      co_return;
    }
    Endpoint* endpoint = endpoint_of(path);
    stream.expires_never();
    ++asked_;
    Response response;  // gcc 12 destroys what a conditional co_await gives
    if (endpoint)
      response = co_await ask(*endpoint, request, path);
    else
      response = answer(request, path);
    stream.expires_after(kRequestTime);
    const std::string label = endpoint ? endpoint->label(path) : kPaths.contains(path) ? std::string(path) : "other";
    metrics_.request(label, static_cast<int>(response.result_int()));
    co_await http::async_write(stream, response, into(code));
    --asked_;
    end_if_idle();
    if (code || !response.keep_alive()) co_return;
  }
}

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(Directory& directory, const ServerOptions& options) {
  auto server = std::make_unique<ServerOfSockets>(directory, options);
  if (Result<void> opened = server->open(); !opened) return opened.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace rival::serve
