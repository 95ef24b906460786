#include "serve/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <csignal>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/index.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/names.hpp"
#include "base/secret.hpp"
#include "serve/assets.hpp"
#include "serve/awaiting.hpp"

namespace rival::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using Json = nlohmann::ordered_json;
using Socket = beast::tcp_stream;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr std::size_t kLargestHead = 16 << 10, kLargestBody = 1 << 20;
constexpr std::size_t kMostUnsent = std::size_t{64} << 20;  // bytes that a client has not taken
constexpr int kMostSessions = 10'000;                       // of a connection
constexpr int kMostErrors = 100;                            // of a connection, before it is closed
constexpr auto kRequestTime = std::chrono::seconds(30);
constexpr auto kLastWords = std::chrono::seconds(1);  // for clients to answer that their connection is closed
constexpr const char* kPlay = "/v1/play";

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

Json described(const Hosted& bot) {
  const Network& network = bot.bot->bot().network;
  Json parts = Json::array();
  for (std::size_t p = 0; p < bot.sizes.parts.size(); ++p)
    parts.push_back({{"name", bot.sizes.names[p]}, {"choices", bot.sizes.parts[p]}});
  Json rules = Json::array();
  for (const ObservedParameter& rule : bot.bot->bot().rules)
    rules.push_back({{"name", rule.name}, {"low", rule.low}, {"high", rule.high}});
  return {{"bot", bot.name},
          {"version", bot.version},
          {"game", bot.bot->bot().game},
          {"observation", bot.sizes.observation},
          {"parts", std::move(parts)},
          {"values", bot.sizes.values},
          {"rules", std::move(rules)},
          {"memory", network.memory_size() > 0},
          {"temperature", bot.temperature},
          {"reaction_steps", bot.reaction_steps}};
}

class Connection;

class ServerOfSockets final : public Server {
 public:
  ServerOfSockets(Directory& directory, const ServerOptions& options)
      : directory_(directory), options_(options), acceptor_(io_), signals_(io_), batcher_(with_metrics()) {}

  Result<void> open();
  int port() const override { return acceptor_.local_endpoint().port(); }
  void run() override;
  void stop() override {
    asio::post(io_, [this] { end(); });
  }
  const Metrics& metrics() const override { return metrics_; }

 private:
  friend class Connection;

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
  asio::awaitable<void> serve(Socket stream);
  asio::awaitable<void> watch_signals();
  asio::awaitable<void> finish();
  Response answer(const Request& request);
  bool allowed(const Request& request) const;
  void end();
  void leave(Connection* connection);

  Directory& directory_;
  ServerOptions options_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::signal_set signals_;
  Metrics metrics_;
  bool ending_ = false;
  int sockets_ = 0;
  std::int64_t seats_ = 0;
  std::set<Connection*> connections_;  // that play
  Batcher batcher_;                    // its threads post to io_: gone before that
};

// A game server that plays: one WebSocket, with any number of sessions.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ServerOfSockets& server, Socket stream) : server_(server), stream_(std::move(stream)) {}

  asio::awaitable<void> run(const Request& upgrade);
  // Asks for its sessions to end, and closes when they have.
  void drain();
  // Closes, once all that was said is written.
  void close(websocket::close_code why);

 private:
  struct Open {
    std::shared_ptr<Session> session;
    Clock::time_point last;
  };

  void hear(const std::string& text);
  Result<Json> obey(const nlohmann::json& wish);
  Result<Json> open(const nlohmann::json& wish);
  void tick(std::string frame);
  void end_session(std::map<std::uint32_t, Open>::iterator at);
  asio::awaitable<void> expire();
  void say(const Json& what) { send(json_text(what), false); }
  void complain(const std::string& what, Json where);
  void send(std::string bytes, bool binary);
  void start_writing();
  asio::awaitable<void> write();

  struct Message {
    std::string bytes;
    bool binary;
  };

  ServerOfSockets& server_;
  websocket::stream<Socket> stream_;
  std::map<std::uint32_t, Open> sessions_;
  std::uint32_t next_ = 1;
  std::deque<Message> outgoing_;
  std::size_t unsent_ = 0;
  std::optional<websocket::close_code> closing_;
  bool accepted_ = false, writing_ = false, closed_ = false, ended_ = false;
  int errors_ = 0, waiting_ = 0;
};

// ---- the server ----

Result<void> ServerOfSockets::open() {
  beast::error_code code;
  const std::string place = fmt::format("{}:{}", options_.host, options_.port);
  const asio::ip::address address =
      asio::ip::make_address(options_.host == "localhost" ? "127.0.0.1" : options_.host, code);
  if (code)
    return usage_error({fmt::format("'{}' is no address of a network: 127.0.0.1, 0.0.0.0, ::1", options_.host)});
  if (!address.is_loopback() && options_.token.empty())
    return usage_error(
        {fmt::format("others than this machine can connect to {}: give --token-file FILE, with a secret "
                     "that they must show",
                     place)});
  const tcp::endpoint endpoint(address, static_cast<asio::ip::port_type>(options_.port));
  const auto failed = [&] { return Error{fmt::format("cannot listen on {}: {}", place, code.message())}; };
  if (acceptor_.open(endpoint.protocol(), code); code) return failed();
  acceptor_.set_option(asio::socket_base::reuse_address(true), code);
  if (acceptor_.bind(endpoint, code); code) return failed();
  if (acceptor_.listen(asio::socket_base::max_listen_connections, code); code) return failed();
  return {};
}

void ServerOfSockets::run() {
  asio::co_spawn(io_, accept(), asio::detached);
  asio::co_spawn(io_, watch_signals(), asio::detached);
  io_.run();
}

asio::awaitable<void> ServerOfSockets::watch_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) signals_.add(signal);
  for (;;) {
    beast::error_code code;
    const int signal = co_await signals_.async_wait(into(code));
    if (code) co_return;
    if (signal != SIGHUP) {
      end();
      continue;
    }
    const Result<void> read = directory_.reload();
    log(read ? "reloaded" : "reload failed", read ? Json::object() : Json{{"error", read.error().message}});
  }
}

// The first time: no new sessions, and those that there are may end. The second time: now.
void ServerOfSockets::end() {
  if (std::exchange(ending_, true) || connections_.empty()) {
    io_.stop();
    return;
  }
  log("draining", {{"connections", connections_.size()}});
  for (Connection* connection : connections_) connection->drain();
  asio::co_spawn(io_, finish(), asio::detached);
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
  if (ending_ && connections_.empty()) io_.stop();
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
    asio::co_spawn(io_, serve(Socket(std::move(socket))), [this](const std::exception_ptr&) { --sockets_; });
  }
}

bool ServerOfSockets::allowed(const Request& request) const {
  if (options_.token.empty()) return true;
  const std::string_view shown = view(request[http::field::authorization]);
  constexpr std::string_view kBearer = "Bearer ";
  return shown.starts_with(kBearer) && same_secret(shown.substr(kBearer.size()), options_.token);
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

Response ServerOfSockets::answer(const Request& request) {
  std::string_view path = view(request.target());
  path = path.substr(0, path.find('?'));
  if (foreign(request)) return fault(request, http::status::forbidden, "a page of another origin may not ask");
  const std::set<std::string_view> known = {"/", "/livez", "/readyz", "/bots", "/metrics", kPlay};
  if (!known.contains(path))
    return fault(request, http::status::not_found,
                 "there is no such path: /livez, /readyz, /bots, /metrics, and /v1/play for WebSockets");
  if (request.method() != http::verb::get && request.method() != http::verb::head)
    return fault(request, http::status::method_not_allowed, "only GET is known");
  if (path == "/")
    return reply(request, http::status::ok, std::string(embedded::status_html), "text/html; charset=utf-8");
  if (path == "/livez") return reply(request, http::status::ok, json_text(Json{{"status", "live"}}));
  if (path == "/readyz")
    return ending_ ? fault(request, http::status::service_unavailable, "draining")
                   : reply(request, http::status::ok, json_text(Json{{"status", "ready"}}));
  if (!allowed(request)) {
    metrics_.refused("token");
    return fault(request, http::status::unauthorized, "a token is needed: Authorization: Bearer TOKEN");
  }
  if (path == "/metrics") return reply(request, http::status::ok, metrics_.text(), "text/plain; version=0.0.4");
  if (path == kPlay)
    return ending_ ? fault(request, http::status::service_unavailable, "draining")
                   : fault(request, http::status::upgrade_required, "this path is for WebSockets");
  Json bots = Json::array();
  for (const std::shared_ptr<const Hosted>& bot : directory_.all()) bots.push_back(described(*bot));
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

asio::awaitable<void> ServerOfSockets::serve(Socket stream) {
  beast::flat_buffer buffer(kLargestHead + kLargestBody);
  for (;;) {
    beast::error_code code;
    http::request_parser<http::string_body> parser;
    parser.header_limit(kLargestHead);
    parser.body_limit(kLargestBody);
    stream.expires_after(kRequestTime);
    co_await http::async_read(stream, buffer, parser, into(code));
    if (code) {
      if (code != http::error::end_of_stream && code != beast::error::timeout) metrics_.refused("request");
      co_return;
    }
    const Request request = parser.release();
    std::string_view path = view(request.target());
    if (websocket::is_upgrade(request) && path == kPlay && allowed(request) && !foreign(request) && !ending_) {
      stream.expires_never();
      metrics_.request(kPlay, 101);
      metrics_.connection(1);
      const auto connection = std::make_shared<Connection>(*this, std::move(stream));
      connections_.insert(connection.get());
      log("joined", {{"connections", connections_.size()}});
      co_await connection->run(request);
      leave(connection.get());
      co_return;
    }
    const Response response = answer(request);
    const bool known = response.result() != http::status::not_found && response.result() != http::status::forbidden;
    metrics_.request(known ? path.substr(0, path.find('?')) : "other", static_cast<int>(response.result_int()));
    co_await http::async_write(stream, response, into(code));
    if (code || !response.keep_alive()) co_return;
  }
}

// ---- a connection that plays ----

asio::awaitable<void> Connection::run(const Request& upgrade) {
  const auto self = shared_from_this();
  websocket::stream_base::timeout times = websocket::stream_base::timeout::suggested(beast::role_type::server);
  times.idle_timeout = std::chrono::seconds(60);  // half of it after the last message a ping is sent
  times.keep_alive_pings = true;
  stream_.set_option(times);
  stream_.read_message_max(server_.options_.largest_frame);
  beast::error_code code;
  co_await stream_.async_accept(upgrade, into(code));
  if (!code) {
    accepted_ = true;
    asio::co_spawn(server_.io_, expire(), asio::detached);
    start_writing();  // the server may have been told to end meanwhile
  }
  for (std::size_t expected = 0; !code;) {
    std::string message;
    message.reserve(expected);  // as long as the one before, most often
    auto buffer = asio::dynamic_buffer(message);
    co_await stream_.async_read(buffer, into(code));
    if (code) break;
    expected = message.size();
    if (stream_.got_binary())
      tick(std::move(message));
    else
      hear(message);
    if (server_.ending_ && sessions_.empty()) close(websocket::close_code::going_away);
    if (closing_ || (errors_ <= kMostErrors && unsent_ <= kMostUnsent)) continue;
    server_.metrics_.refused(errors_ > kMostErrors ? "errors" : "slow");
    close(websocket::close_code::policy_error);
  }
  if (code == websocket::error::message_too_big) server_.metrics_.refused("frame");
  ended_ = true;
  while (!sessions_.empty()) end_session(sessions_.begin());
}

void Connection::end_session(std::map<std::uint32_t, Open>::iterator at) {
  const Session& session = *at->second.session;
  server_.metrics_.session(session.bot(), session.seats(), -1);
  server_.seats_ -= session.seats();
  sessions_.erase(at);
}

// Tells of sessions that were forgotten, and ends them.
asio::awaitable<void> Connection::expire() {
  const auto self = shared_from_this();
  asio::steady_timer timer(server_.io_);
  while (!ended_) {
    timer.expires_after(std::min<std::chrono::milliseconds>(std::chrono::seconds(1), server_.options_.idle));
    beast::error_code code;
    co_await timer.async_wait(into(code));
    if (code || ended_) co_return;
    for (auto at = sessions_.begin(); at != sessions_.end();) {
      const auto now = at++;
      if (Clock::now() - now->second.last < server_.options_.idle) continue;
      say({{"expired", now->first}, {"reason", fmt::format("no tick for {} seconds", server_.options_.idle.count())}});
      end_session(now);
    }
    if (server_.ending_ && sessions_.empty()) close(websocket::close_code::going_away);
  }
}

void Connection::complain(const std::string& what, Json where) {
  ++errors_;
  server_.metrics_.refused("frame");
  where["error"] = what;
  say(where);
}

// ---- control, as JSON ----

void Connection::hear(const std::string& text) {
  const Result<nlohmann::json> parsed = parse_json(text, "a text message");
  if (!parsed) return complain(parsed.error().message, Json::object());
  const nlohmann::json& wish = parsed.value();
  if (!wish.is_object()) return complain("a text message is a JSON object", Json::object());
  Json where = Json::object();
  if (wish.contains("id")) where["id"] = wish["id"];
  const Result<Json> done = obey(wish);
  if (!done) return complain(done.error().message, std::move(where));
  Json answer = done.value();
  answer.update(where);
  say(answer);
}

std::optional<std::int64_t> whole(const nlohmann::json& of, const char* key, std::int64_t low, std::int64_t high) {
  if (!of.contains(key) || !of[key].is_number_integer()) return {};
  const auto value = of[key].get<std::int64_t>();
  if (value < low || value > high) return {};
  return value;
}

Result<Json> Connection::obey(const nlohmann::json& wish) {
  static const std::map<std::string, std::vector<std::string>> kKeys = {
      {"open", {"open", "seats", "fallback", "id"}}, {"forget", {"forget", "seats", "id"}}, {"close", {"close", "id"}}};
  for (const auto& [verb, keys] : kKeys) {
    if (!wish.contains(verb)) continue;
    for (const auto& [key, value] : wish.items())
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) return unknown_name("key", key, keys);
    break;
  }
  if (wish.contains("open")) return open(wish);
  for (const char* verb : {"forget", "close"}) {
    if (!wish.contains(verb)) continue;
    const std::optional<std::int64_t> number = whole(wish, verb, 0, UINT32_MAX);
    const auto at = number ? sessions_.find(static_cast<std::uint32_t>(*number)) : sessions_.end();
    if (at == sessions_.end()) return Error{fmt::format("'{}': there is no such session", verb)};
    if (verb == std::string_view("close")) {
      end_session(at);
      return Json{{"closed", *number}};
    }
    std::vector<std::uint32_t> seats;
    const Session& session = *at->second.session;
    if (!wish.contains("seats"))
      for (int seat = 0; seat < session.seats(); ++seat) seats.push_back(static_cast<std::uint32_t>(seat));
    else if (!wish["seats"].is_array())
      return Error{"'seats' is a list of seats of the session"};
    else
      for (const nlohmann::json& seat : wish["seats"]) {
        if (!seat.is_number_integer() || seat.get<std::int64_t>() < 0 || seat.get<std::int64_t>() >= session.seats())
          return Error{fmt::format("'seats': the session has seats 0 to {}", session.seats() - 1)};
        seats.push_back(seat.get<std::uint32_t>());
      }
    at->second.last = Clock::now();
    server_.batcher_.forget(at->second.session, std::move(seats));
    return Json{{"forgotten", *number}};
  }
  return Error{"a message has one of 'open', 'forget' and 'close'"};
}

Result<Json> Connection::open(const nlohmann::json& wish) {
  if (!wish["open"].is_string()) return Error{"'open' is the name of a bot"};
  if (server_.ending_) return Error{"the server is about to end: no new sessions"};
  const std::int64_t free = server_.options_.most_seats - server_.seats_;
  const std::optional<std::int64_t> seats = wish.contains("seats") ? whole(wish, "seats", 1, INT32_MAX) : 1;
  if (!seats) return Error{"'seats' is a whole number of at least 1"};
  if (*seats > free || sessions_.size() >= kMostSessions) {
    server_.metrics_.refused("seats");
    return Error{
        fmt::format("{} seats are more than are free: {}", *seats, sessions_.size() < kMostSessions ? free : 0)};
  }
  const auto found = server_.directory_.find(wish["open"].get<std::string>());
  if (!found) return found.error();
  const Hosted& bot = *found.value();
  std::vector<std::int32_t> fallback;
  if (wish.contains("fallback")) {
    const nlohmann::json& given = wish["fallback"];
    if (!given.is_array() || given.size() != bot.sizes.parts.size())
      return Error{fmt::format("'fallback' is a list of {} choices", bot.sizes.parts.size())};
    for (std::size_t part = 0; part < given.size(); ++part) {
      if (!given[part].is_number_integer() || given[part].get<std::int64_t>() < 0 ||
          given[part].get<std::int64_t>() >= bot.sizes.parts[part])
        return Error{
            fmt::format("'fallback': '{}' has choices 0 to {}", bot.sizes.names[part], bot.sizes.parts[part] - 1)};
      fallback.push_back(given[part].get<std::int32_t>());
    }
  }
  const std::uint32_t number = next_++;
  sessions_[number] = {server_.batcher_.open(found.value(), static_cast<int>(*seats), std::move(fallback)),
                       Clock::now()};
  server_.seats_ += *seats;
  server_.metrics_.session(bot, static_cast<int>(*seats), 1);
  Json answer = {{"opened", number}, {"seats", *seats}};
  answer.update(described(bot));
  return answer;
}

// ---- ticks ----

void Connection::tick(std::string frame) {
  const Clock::time_point arrived = Clock::now();
  const Result<TickHeader> header = tick_header(frame);
  if (!header) return complain(header.error().message, Json::object());
  const auto [number, tick, budget, rows] = header.value();
  const auto where = [number = number, tick = tick] { return Json{{"session", number}, {"tick", tick}}; };
  const auto at = sessions_.find(number);
  if (at == sessions_.end()) {  // no fault of who did not hear of it yet
    Json answer = where();
    answer["error"] = "there is no such session: it may have expired, or was closed";
    return say(answer);
  }
  if (waiting_ >= server_.options_.most_waiting)
    return complain(fmt::format("{} ticks wait for their answers: no more are taken", waiting_), where());
  Open& open = at->second;
  const Result<TickView> view = read_tick(frame, open.session->bot().sizes, open.session->seats());
  if (!view) return complain(view.error().message, where());
  open.last = arrived;
  ++waiting_;
  // The connection is let go on the server's thread, whoever holds it last.
  server_.batcher_.decide(open.session, std::move(frame), view.value(), arrived,
                          [self = shared_from_this(), session = open.session](Answered answer) mutable {
                            ServerOfSockets& server = self->server_;
                            server.metrics_.answered(session->bot(), answer);
                            asio::post(server.io_, [self = std::move(self), bytes = std::move(answer.frame)]() mutable {
                              --self->waiting_;
                              self->send(std::move(bytes), true);
                            });
                          });
}

void Connection::drain() {
  if (sessions_.empty())
    close(websocket::close_code::going_away);
  else
    say({{"draining", server_.options_.drain.count()}});
}

void Connection::close(websocket::close_code why) {
  if (!closing_) closing_ = why;
  start_writing();
}

void Connection::send(std::string bytes, bool binary) {
  if (ended_ || closing_) return;
  unsent_ += bytes.size();
  outgoing_.push_back({std::move(bytes), binary});
  start_writing();
}

void Connection::start_writing() {
  if (!accepted_ || closed_ || std::exchange(writing_, true)) return;
  asio::co_spawn(server_.io_, write(), asio::detached);
}

asio::awaitable<void> Connection::write() {
  const auto self = shared_from_this();
  beast::error_code code;
  while (!outgoing_.empty() && !code) {
    const Message message = std::move(outgoing_.front());
    outgoing_.pop_front();
    stream_.binary(message.binary);
    co_await stream_.async_write(asio::buffer(message.bytes), into(code));
    unsent_ -= message.bytes.size();
  }
  if (closing_ && !code) {
    closed_ = true;
    co_await stream_.async_close(*closing_, into(code));
  }
  writing_ = false;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(Directory& directory, const ServerOptions& options) {
  auto server = std::make_unique<ServerOfSockets>(directory, options);
  if (Result<void> opened = server->open(); !opened) return opened.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace rival::serve
