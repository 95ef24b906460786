#include "serve/client.hpp"

#include <fmt/format.h>

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/index.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/number.hpp"
#include "serve/tls.hpp"

namespace rival::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using Json = nlohmann::json;

// What a server says, which may be anything.
std::string text_of(const Json& said) {
  return said.is_string() ? said.get<std::string>() : json_text(said);
}

}  // namespace

Result<HostPort> parse_address(const std::string& address) {
  constexpr std::string_view kScheme = "http://", kTls = "https://";
  const bool tls = address.starts_with(kTls);
  const std::size_t scheme = tls ? kTls.size() : address.starts_with(kScheme) ? kScheme.size() : 0;
  std::string place = address.substr(scheme);
  place = place.substr(0, place.find('/'));
  const std::size_t colon = place.rfind(':');
  const std::optional<std::int64_t> port =
      colon == std::string::npos ? std::nullopt : read_whole(place.substr(colon + 1));
  if (!port || *port < 1 || *port > 65535 || colon == 0)
    return Error{fmt::format("'{}' is no address of a server, as in http://127.0.0.1:8765", address)};
  std::string host = place.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return HostPort{host, static_cast<int>(*port), tls};
}

Result<SessionInfo> read_opened(const Json& answer, const std::string& place) {
  if (answer.is_object() && answer.contains("error"))
    return Error{fmt::format("{}: {}", place, text_of(answer["error"]))};
  constexpr int kLargest = 1 << 24;
  std::optional<Error> error;
  JsonFields fields(answer, place, error);
  SessionInfo session{.number = static_cast<std::uint32_t>(fields.whole<std::int64_t>("opened", {0, UINT32_MAX})),
                      .seats = fields.whole<int>("seats", {1}),
                      .bot = fields.text("bot"),
                      .version = fields.text("version"),
                      .game = fields.text("game"),
                      .memory = fields.field("memory") == true};
  session.sizes.observation = fields.whole<int>("observation", {1, kLargest});
  session.sizes.values = fields.whole<int>("values", {0, kLargest});
  for (const Json& part : fields.list("parts", 1024)) {
    JsonFields of(part, place + ": a part", error);
    session.sizes.names.push_back(of.text("name"));
    session.sizes.parts.push_back(of.whole<int>("choices", {1, kLargest / 1024}));
    session.sizes.mask += session.sizes.parts.back();
    ++session.sizes.choices;
  }
  if (error) return *error;
  return session;
}

struct BotServer::Connection {
  std::string address;
  Options options;
  std::optional<TlsRelay> tls;
  asio::io_context io{1};
  websocket::stream<tcp::socket> stream{io};
  std::uint32_t next_tick = 0, next_id = 0;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::string> answers;  // by session and tick; not asked for yet
  std::map<std::uint32_t, std::string> ended;                              // sessions, and why
  bool draining = false;
  std::string lost;  // why there is no connection any more

  Error wrong(const std::string& what) const { return {address + ": " + what}; }

  // Runs what `start` begins, which calls its argument when it is done.
  template <class Start>
  Result<void> wait(const Start& start) {
    if (!lost.empty()) return wrong(lost);
    std::optional<beast::error_code> done;
    start([&done](beast::error_code code, auto...) { done = code; });
    io.restart();
    io.run_for(options.timeout);
    if (!done) {
      lost = fmt::format("no answer within {} ms", options.timeout.count());
      beast::error_code ignored;
      stream.next_layer().close(ignored);
      io.restart();
      io.run();  // what was begun ends, before what it writes to goes
    } else if (*done) {
      lost = *done == websocket::error::upgrade_declined
                 ? "it takes no connection: a token is needed, or it is about to end"
                 : done->message();
    }
    if (!lost.empty()) return wrong(lost);
    return {};
  }

  Result<void> reach(const HostPort& place) {
    tcp::socket& socket = stream.next_layer();
    if (place.tls) {
      const auto context = tls_client(options.ca_file);
      if (!context) return context.error();
      const auto plain = tls.emplace().connect(context.value(), place.host, place.port, options.timeout, io);
      if (!plain) return wrong(plain.error().message);
      socket = std::move(*plain.value());
      return {};
    }
    beast::error_code code;
    tcp::resolver resolver(io);
    const auto found = resolver.resolve(place.host, std::to_string(place.port), code);
    if (code) return wrong(code.message());
    Result<void> connected = wait([&](auto done) { asio::async_connect(socket, found, std::move(done)); });
    if (connected) socket.set_option(tcp::no_delay(true), code);
    return connected;
  }

  Result<void> write(const std::string& bytes, bool binary) {
    stream.binary(binary);
    return wait([&](auto done) { stream.async_write(asio::buffer(bytes), std::move(done)); });
  }

  // A message that is none of those that come unasked.
  Result<Json> read_reply() {
    for (;;) {
      std::string message;
      auto buffer = asio::dynamic_buffer(message);
      if (Result<void> read = wait([&](auto done) { stream.async_read(buffer, std::move(done)); }); !read)
        return read.error();
      if (stream.got_binary()) {
        std::uint32_t place[2] = {};
        if (message.size() < kTickHeader) return wrong("an answer that is too short");
        std::copy_n(message.data() + 4, sizeof place, reinterpret_cast<char*>(place));
        answers[{place[0], place[1]}] = std::move(message);
        return Json();
      }
      Result<Json> parsed = parse_json(message, address);
      if (!parsed) return parsed.error();
      Json& said = parsed.value();
      if (!said.is_object()) return wrong("what it says is no JSON object");
      if (said.contains("draining"))
        draining = true;
      else if (said.contains("expired") && said["expired"].is_number_unsigned())
        ended[said["expired"]] = text_of(said.value("reason", Json("it has expired")));
      else
        return std::move(said);
    }
  }

  // What it answers to a wish.
  Result<Json> wish(Json what) {
    const std::uint32_t id = next_id++;
    what["id"] = id;
    if (Result<void> said = write(json_text(what), false); !said) return said.error();
    for (;;) {
      Result<Json> reply = read_reply();
      if (!reply) return reply.error();
      if (!reply->is_object() || !reply->contains("id") || (*reply)["id"] != id) continue;
      if (reply->contains("error")) return wrong(text_of((*reply)["error"]));
      return std::move(reply.value());
    }
  }
};

BotServer::BotServer(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
BotServer::BotServer(BotServer&&) noexcept = default;
BotServer& BotServer::operator=(BotServer&&) noexcept = default;
BotServer::~BotServer() {
  if (!connection_ || !connection_->lost.empty()) return;
  (void)connection_->wait(
      [&](auto done) { connection_->stream.async_close(websocket::close_code::normal, std::move(done)); });
}

bool BotServer::draining() const {
  return connection_->draining;
}

Result<BotServer> BotServer::connect(const std::string& address, const Options& options) {
  const Result<HostPort> place = parse_address(address);
  if (!place) return place.error();
  auto connection = std::make_unique<Connection>();
  connection->address = address;
  connection->options = options;
  if (Result<void> reached = connection->reach(place.value()); !reached) return reached.error();
  connection->stream.set_option(
      websocket::stream_base::decorator([token = options.token](websocket::request_type& request) {
        if (!token.empty()) request.set(beast::http::field::authorization, "Bearer " + token);
      }));
  const std::string host = fmt::format("{}:{}", place.value().host, place.value().port);
  if (Result<void> greeted =
          connection->wait([&](auto done) { connection->stream.async_handshake(host, "/v1/play", std::move(done)); });
      !greeted)
    return greeted.error();
  return BotServer(std::move(connection));
}

Result<SessionInfo> BotServer::open(const std::string& bot, int seats, std::span<const std::int32_t> fallback) {
  Json what = {{"open", bot}, {"seats", seats}};
  if (!fallback.empty()) what["fallback"] = std::vector<std::int32_t>(fallback.begin(), fallback.end());
  const Result<Json> reply = connection_->wish(std::move(what));
  if (!reply) return reply.error();
  return read_opened(reply.value(), connection_->address);
}

Result<void> BotServer::forget(const SessionInfo& session, std::span<const std::uint32_t> seats) {
  Json what = {{"forget", session.number}};
  if (!seats.empty()) what["seats"] = std::vector<std::uint32_t>(seats.begin(), seats.end());
  const Result<Json> reply = connection_->wish(std::move(what));
  if (!reply) return reply.error();
  return {};
}

Result<void> BotServer::close(const SessionInfo& session) {
  const Result<Json> reply = connection_->wish({{"close", session.number}});
  if (!reply) return reply.error();
  return {};
}

Result<SessionInfo> BotServer::watch(const std::string& run, int seats) {
  Result<Json> reply = connection_->wish({{"watch", run}, {"seats", seats}});
  if (!reply) return reply.error();
  (*reply)["opened"] = reply->value("watched", Json());
  return read_opened(reply.value(), connection_->address);
}

Result<Substituted> BotServer::substitute(const SessionInfo& watched, int seat, std::optional<RatingEstimate> record) {
  Json what = {{"substitute", watched.number}, {"seat", seat}};
  if (record) what["rating"] = record->rating, what["error"] = record->error;
  const Result<Json> reply = connection_->wish(std::move(what));
  if (!reply) return reply.error();
  const Result<SessionInfo> session = read_opened(reply.value(), connection_->address);
  if (!session) return session.error();
  std::optional<Error> error;
  JsonFields fields(reply.value(), connection_->address, error);
  Substituted out{session.value(),
                  {.rating = fields.real("rating"),
                   .interval = {fields.real("low"), fields.real("high")},
                   .decisions = fields.whole<int>("decisions", {0})}};
  if (error) return *error;
  return out;
}

Result<void> BotServer::saw(const SessionInfo& watched, std::span<const std::uint32_t> seats,
                            std::span<const float> observations, std::span<const std::uint8_t> masks,
                            std::span<const std::int32_t> choices, std::span<const float> values, bool tells) {
  const RowSizes& sizes = watched.sizes;
  const std::size_t rows = seats.size();
  if (observations.size() != rows * index(sizes.observation) || masks.size() != rows * index(sizes.mask) ||
      choices.size() != rows * index(sizes.choices) || values.size() != rows * index(sizes.values))
    return connection_->wrong(fmt::format("{} seats need {} numbers, {} masks, {} choices and {} values each", rows,
                                          sizes.observation, sizes.mask, sizes.choices, sizes.values));
  const TickHeader header{watched.number, connection_->next_tick++, 0, static_cast<std::uint32_t>(rows)};
  return connection_->write(seen_frame(header, seats, observations, masks, choices, values, tells), true);
}

Result<std::uint32_t> BotServer::ask(const SessionInfo& session, std::span<const std::uint32_t> seats,
                                     std::span<const float> observations, std::span<const std::uint8_t> masks,
                                     std::chrono::microseconds budget) {
  const std::size_t rows = seats.size();
  if (observations.size() != rows * index(session.sizes.observation) ||
      (!masks.empty() && masks.size() != rows * index(session.sizes.mask)))
    return connection_->wrong(fmt::format("{} seats need {} numbers each, and {} masks", rows,
                                          session.sizes.observation, session.sizes.mask));
  const std::uint32_t tick = connection_->next_tick++;
  const std::vector<std::uint8_t> all(masks.empty() ? rows * index(session.sizes.mask) : 0, 1);
  const TickHeader header{session.number, tick, static_cast<std::uint32_t>(budget.count()),
                          static_cast<std::uint32_t>(rows)};
  const std::string frame = tick_frame(header, seats, observations, masks.empty() ? all : masks);
  if (Result<void> sent = connection_->write(frame, true); !sent) return sent.error();
  return tick;
}

Result<Actions> BotServer::answer(const SessionInfo& session, std::uint32_t tick) {
  for (;;) {
    if (auto found = connection_->answers.extract({session.number, tick}); !found.empty()) {
      const Result<AnswerView> view = read_answer(found.mapped(), session.sizes);
      if (!view) return connection_->wrong(view.error().message);
      return Actions{.late = view.value().late,
                     .choices = {view.value().choices.begin(), view.value().choices.end()},
                     .values = {view.value().values.begin(), view.value().values.end()},
                     .took = std::chrono::microseconds(view.value().header.budget)};
    }
    const Result<Json> reply = connection_->read_reply();
    if (!reply) return reply.error();
    const Json& said = reply.value();
    if (!said.is_object() || !said.contains("error")) continue;
    const bool ours =
        said.contains("session") && said["session"] == session.number && said.contains("tick") && said["tick"] == tick;
    if (ours || !said.contains("tick")) {
      const auto why = connection_->ended.find(session.number);
      return connection_->wrong(fmt::format("session {}: {}{}", session.number, text_of(said["error"]),
                                            why == connection_->ended.end() ? "" : ": " + why->second));
    }
  }
}

Result<Actions> BotServer::act(const SessionInfo& session, std::span<const std::uint32_t> seats,
                               std::span<const float> observations, std::span<const std::uint8_t> masks,
                               std::chrono::microseconds budget) {
  const Result<std::uint32_t> tick = ask(session, seats, observations, masks, budget);
  if (!tick) return tick.error();
  return answer(session, tick.value());
}

}  // namespace rival::serve
