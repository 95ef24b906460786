#include "serve/http_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/index.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "rival/random.hpp"
#include "serve/awaiting.hpp"

namespace rival::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr auto kWarmUp = std::chrono::seconds(1);

struct Shared {
  const HttpLoadOptions& options;
  asio::io_context io{1};
  Clock::time_point begin, end;  // of what counts
  std::vector<float> samples;    // milliseconds
  std::optional<Error> error;

  void fail(const std::string& what) {
    if (!error) error = Error{fmt::format("{}:{}: {}", options.host, options.port, what)};
    io.stop();
  }
};

// How many numbers a row of the bot has, from what the server says of it.
Result<int> row_size(const std::string& metadata) {
  const Result<nlohmann::json> said = parse_json(metadata, "what the server says of the bot");
  if (!said) return said.error();
  std::optional<Error> error;
  JsonFields fields(said.value(), "what the server says of the bot", error);
  for (const nlohmann::json& input : fields.list("inputs", 16)) {
    JsonFields of(input, "an input", error);
    if (of.text("name") != "observation") continue;
    const std::vector<int> shape = of.wholes<int>("shape", 2, {-1, 1 << 24});
    if (shape.size() == 2 && shape[1] > 0) return shape[1];
  }
  return error.value_or(Error{"the server does not say how many numbers an observation has"});
}

// A connection that asks, again and again.
class Client {
 public:
  Client(Shared& shared, int number) : shared_(shared), number_(number), stream_(shared.io) {}

  asio::awaitable<void> run() {
    const HttpLoadOptions& options = shared_.options;
    beast::error_code code;
    tcp::resolver resolver(shared_.io);
    const auto there = resolver.resolve(options.host, std::to_string(options.port), code);
    if (!code) co_await stream_.async_connect(there, into(code));
    if (code) co_return shared_.fail(code.message());
    stream_.socket().set_option(tcp::no_delay(true), code);
    co_await ask(http::verb::get, "/v2/models/" + options.bot, "");
    if (shared_.error) co_return;
    const Result<int> size = row_size(answer_);
    if (!size) co_return shared_.fail(size.error().message);
    Random random(Key(options.seed).split(static_cast<std::uint64_t>(number_)));
    std::vector<int> row(index(size.value()));
    for (int& x : row) x = random.below(2);
    const std::string body = json_text(nlohmann::json{{"observation", {row}}}), path = "/predictions/" + options.bot;
    while (Clock::now() < shared_.end && !shared_.error) {
      const Clock::time_point asked = Clock::now();
      co_await ask(http::verb::post, path, body);
      const Clock::time_point answered = Clock::now();
      if (asked >= shared_.begin && answered <= shared_.end)
        shared_.samples.push_back(std::chrono::duration<float, std::milli>(answered - asked).count());
    }
  }

 private:
  asio::awaitable<void> ask(http::verb verb, const std::string& path, const std::string& body) {
    http::request<http::string_body> request(verb, path, 11, body);
    request.set(http::field::host, shared_.options.host);
    if (!shared_.options.token.empty()) request.set(http::field::authorization, "Bearer " + shared_.options.token);
    request.prepare_payload();
    beast::error_code code;
    co_await http::async_write(stream_, request, into(code));
    http::response<http::string_body> response;
    if (!code) co_await http::async_read(stream_, buffer_, response, into(code));
    answer_ = std::move(response.body());
    if (code)
      shared_.fail(code.message());
    else if (response.result() != http::status::ok)
      shared_.fail(fmt::format("{}: {}", response.result_int(), answer_));
  }

  Shared& shared_;
  int number_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::string answer_;
};

}  // namespace

Result<HttpLoadResult> put_http_load(const HttpLoadOptions& options) {
  Shared shared{.options = options};
  shared.begin = Clock::now() + kWarmUp;
  shared.end =
      shared.begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  std::vector<std::unique_ptr<Client>> clients;
  for (int n = 0; n < options.connections; ++n) {
    clients.push_back(std::make_unique<Client>(shared, n));
    asio::co_spawn(shared.io, clients.back()->run(), asio::detached);
  }
  shared.io.run();
  if (shared.error) return *shared.error;
  HttpLoadResult result{.requests = static_cast<std::int64_t>(shared.samples.size()), .seconds = options.seconds};
  if (shared.samples.empty()) return Error{"the server answered nothing in the time that counts"};
  std::sort(shared.samples.begin(), shared.samples.end());
  const auto quantile = [&](double share) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(shared.samples.size()));
    return static_cast<double>(shared.samples[std::min(at, shared.samples.size() - 1)]);
  };
  result.p50_ms = quantile(0.5);
  result.p99_ms = quantile(0.99);
  return result;
}

}  // namespace rival::serve
