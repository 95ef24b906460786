#include "serve/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/index.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "rival/random.hpp"
#include "serve/awaiting.hpp"
#include "serve/client.hpp"
#include "serve/tick.hpp"
#include "serve/tls.hpp"

namespace rival::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr double kWarmUp = 1, kLastAnswers = 2;  // seconds
constexpr auto kConnect = std::chrono::seconds(10);

struct Sample {
  float ms;
  int decisions;
};

struct Shared {
  const LoadOptions& options;
  std::optional<TlsRelay> tls;
  asio::io_context io{1};
  Clock::time_point begin;
  std::vector<Sample> samples;
  LoadResult result;
  std::optional<Error> error;

  void fail(const std::string& what) {
    if (!error) error = Error{what};
    io.stop();
  }
};

// One game server.
class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Shared& shared, int number, int bots) : shared_(shared), number_(number), bots_(bots), stream_(shared.io) {}

  asio::awaitable<void> connect() {
    const LoadOptions& options = shared_.options;
    const std::string place = fmt::format("{}:{}", options.host, options.port);
    beast::error_code code;
    tcp::socket& socket = beast::get_lowest_layer(stream_).socket();
    if (options.tls) {
      const auto plain = shared_.tls->connect(options.tls, options.host, options.port, kConnect, shared_.io);
      if (!plain) co_return shared_.fail(fmt::format("cannot connect to {}: {}", place, plain.error().message));
      socket = std::move(*plain.value());
    } else {
      tcp::resolver resolver(shared_.io);
      const auto there = resolver.resolve(options.host, std::to_string(options.port), code);
      if (!code) co_await beast::get_lowest_layer(stream_).async_connect(there, into(code));
      if (code) co_return shared_.fail(fmt::format("cannot connect to {}: {}", place, code.message()));
      socket.set_option(tcp::no_delay(true), code);
    }
    stream_.set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
      if (!options.token.empty()) request.set(beast::http::field::authorization, "Bearer " + options.token);
    }));
    co_await stream_.async_handshake(options.host, "/v1/play", into(code));
    if (code) co_return shared_.fail(fmt::format("{} does not take a connection: {}", place, code.message()));
    const std::string wish = json_text(Json{{"open", options.bot}, {"seats", bots_}});
    co_await stream_.async_write(asio::buffer(wish), into(code));
    std::string text;
    auto buffer = asio::dynamic_buffer(text);
    if (!code) co_await stream_.async_read(buffer, into(code));
    if (code) co_return shared_.fail("the server opens no session: " + code.message());
    const Result<nlohmann::json> answer = parse_json(text, place);
    const Result<SessionInfo> opened = answer ? read_opened(answer.value(), place) : answer.error();
    if (!opened) co_return shared_.fail(opened.error().message);
    prepare(opened.value());
  }

  asio::awaitable<void> send() {
    const auto self = shared_from_this();
    beast::error_code code;
    asio::steady_timer timer(shared_.io);
    stream_.binary(true);
    for (std::uint32_t tick = 0; tick < ticks(); ++tick) {
      timer.expires_at(due(tick));
      co_await timer.async_wait(into(code));
      std::memcpy(frame_.data() + 8, &tick, sizeof tick);
      co_await stream_.async_write(asio::buffer(frame_), into(code));
      if (code) co_return;
    }
  }

  asio::awaitable<void> receive() {
    const auto self = shared_from_this();
    beast::error_code code;
    std::string answer;
    for (std::uint32_t n = 0; n < ticks(); ++n) {
      answer.clear();
      auto buffer = asio::dynamic_buffer(answer);
      co_await stream_.async_read(buffer, into(code));
      if (code) co_return shared_.fail("the server has ended the connection: " + code.message());
      if (stream_.got_text()) co_return shared_.fail("the server complains: " + answer);
      const Result<AnswerView> view = read_answer(answer, sizes_);
      if (!view) co_return shared_.fail(view.error().message);
      note(view.value());
    }
    co_await stream_.async_close(websocket::close_code::normal, into(code));
  }

  // Decisions that were due in the seconds that count.
  std::int64_t asked() const {
    std::int64_t asked = 0;
    for (std::uint32_t tick = 0; tick < ticks(); ++tick) asked += counts(tick) ? bots_ : 0;
    return asked;
  }

 private:
  std::uint32_t ticks() const {
    return static_cast<std::uint32_t>(std::llround((shared_.options.seconds + kWarmUp) * shared_.options.rate));
  }
  // The servers' ticks are not all at the same moment.
  Clock::time_point due(std::uint32_t tick) const {
    const int servers = (shared_.options.bots + shared_.options.bots_a_server - 1) / shared_.options.bots_a_server;
    const double at = (tick + static_cast<double>(number_) / servers) / shared_.options.rate;
    return shared_.begin + std::chrono::nanoseconds(std::llround(1e9 * at));
  }
  bool counts(std::uint32_t tick) const { return due(tick) >= shared_.begin + std::chrono::duration<double>(kWarmUp); }

  void prepare(const SessionInfo& session) {
    sizes_ = session.sizes;
    Random random(Key(shared_.options.seed).split(static_cast<std::uint64_t>(number_)));
    std::vector<std::uint32_t> seats;
    for (int seat = 0; seat < bots_; ++seat) seats.push_back(static_cast<std::uint32_t>(seat));
    std::vector<float> observations(index(bots_) * index(sizes_.observation));
    for (float& x : observations) x = static_cast<float>(random.below(2));
    const std::vector<std::uint8_t> masks(index(bots_) * index(sizes_.mask), 1);
    frame_ = tick_frame({.session = session.number,
                         .budget = static_cast<std::uint32_t>(std::llround(1000 * shared_.options.budget_ms)),
                         .rows = static_cast<std::uint32_t>(bots_)},
                        seats, observations, masks);
  }

  void note(const AnswerView& answer) {
    if (!counts(answer.header.tick)) return;
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - due(answer.header.tick)).count();
    const int rows = static_cast<int>(answer.header.rows);
    shared_.samples.push_back({static_cast<float>(ms), rows});
    shared_.result.decisions += rows;
    if (answer.late) shared_.result.late += rows;
    if (answer.late || ms > shared_.options.budget_ms) shared_.result.missed += rows;
  }

  Shared& shared_;
  int number_, bots_;
  websocket::stream<beast::tcp_stream> stream_;
  RowSizes sizes_;
  std::string frame_;
};

}  // namespace

Result<LoadResult> put_load(const LoadOptions& options) {
  Shared shared{.options = options};
  if (options.tls) shared.tls.emplace();
  std::vector<std::shared_ptr<Client>> clients;
  for (int left = options.bots; left > 0; left -= options.bots_a_server)
    clients.push_back(
        std::make_shared<Client>(shared, static_cast<int>(clients.size()), std::min(left, options.bots_a_server)));
  for (const auto& client : clients) asio::co_spawn(shared.io, client->connect(), asio::detached);
  shared.io.run();
  if (shared.error) return *shared.error;
  shared.io.restart();
  shared.begin = Clock::now() + std::chrono::milliseconds(100);
  for (const auto& client : clients) {
    asio::co_spawn(shared.io, client->send(), asio::detached);
    asio::co_spawn(shared.io, client->receive(), asio::detached);
  }
  shared.io.run_until(shared.begin + std::chrono::duration_cast<Clock::duration>(
                                         std::chrono::duration<double>(kWarmUp + options.seconds + kLastAnswers)));
  if (shared.error) return *shared.error;
  LoadResult result = shared.result;
  for (const auto& client : clients) result.asked += client->asked();
  result.missed += result.asked - result.decisions;
  result.seconds = options.seconds;
  result.connections = static_cast<int>(clients.size());
  std::sort(shared.samples.begin(), shared.samples.end(), [](const Sample& a, const Sample& b) { return a.ms < b.ms; });
  // What was not answered is the worst of all.
  const auto quantile = [&](double share) {
    double left = share * static_cast<double>(result.asked);
    for (const Sample& sample : shared.samples)
      if ((left -= sample.decisions) <= 0) return static_cast<double>(sample.ms);
    return 1000 * (options.seconds + kLastAnswers);
  };
  result.p50_ms = quantile(0.5);
  result.p99_ms = quantile(0.99);
  result.p999_ms = quantile(0.999);
  result.worst_ms = quantile(1);
  return result;
}

}  // namespace rival::serve
