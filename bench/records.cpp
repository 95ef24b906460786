// How many results of matches a second the bot server takes and acknowledges, over HTTP, and how often a second the
// disk is waited for without it: what bounds a single client.
// Usage: records_bench FOLDER [SECONDS]; the folder is on the disk in question.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/number.hpp"
#include "serve/records_http.hpp"
#include "serve/server.hpp"

namespace {

using namespace rival;
using Clock = std::chrono::steady_clock;
namespace asio = boost::asio;
namespace http = boost::beast::http;

double since(Clock::time_point from) {
  return std::chrono::duration<double>(Clock::now() - from).count();
}

// A page of a file that is there already is written and waited for, as a commit does with a page of its log.
double waits_a_second(const std::string& path, double seconds) {
  constexpr int kPages = 1000;
  const std::string page(4096, 'x');
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const auto write = [&](int at) {
    return ::pwrite(file, page.data(), page.size(), static_cast<off_t>(page.size()) * (at % kPages)) > 0;
  };
  for (int i = 0; i < kPages; ++i)
    if (!write(i)) return 0;
  ::fsync(file);
  int waits = 0;
  const auto begun = Clock::now();
  while (since(begun) < seconds && write(waits) && ::fdatasync(file) == 0) ++waits;
  const double rate = waits / since(begun);
  ::close(file);
  ::unlink(path.c_str());
  return rate;
}

// Keys begin with the process's number, so that they are new in a file that is there already.
std::string result(int clients, int client, int number, int a_side) {
  std::string teams;
  for (int team = 0; team < 2; ++team) {
    teams += fmt::format(R"({}{{"rank":{},"players":[)", team ? "," : "", 1 + (team + number) % 2);
    for (int i = 0; i < a_side; ++i)
      teams += fmt::format(R"({}{{"id":"player {}"}})", i ? "," : "",
                           (number % 1000 * 7 + client * 31 + team * a_side + i) % 1000);
    teams += "]}";
  }
  return fmt::format(R"({{"game":"{} a side","key":"{}-{}-{}-{}","teams":[{}]}})", a_side, ::getpid(), clients, client,
                     number, teams);
}

struct Measured {
  double rate = 0, median_ms = 0, p99_ms = 0;
};

// So many clients, each of which posts its next result when it has the answer to the one before.
Measured post_results(int port, int clients, int a_side, double seconds) {
  std::vector<double> took;
  std::mutex mutex;
  std::vector<std::thread> threads;
  std::atomic<bool> failed{false};
  const auto begun = Clock::now();
  for (int client = 0; client < clients; ++client)
    threads.emplace_back([&, client] {
      asio::io_context io;
      asio::ip::tcp::socket socket(io);
      socket.connect({asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
      boost::beast::flat_buffer buffer;
      std::vector<double> own;
      for (int number = 0; since(begun) < seconds && !failed; ++number) {
        http::request<http::string_body> request(http::verb::post, "/v1/records/results", 11,
                                                 result(clients, client, number, a_side));
        request.prepare_payload();
        const auto asked = Clock::now();
        http::write(socket, request);
        http::response<http::string_body> response;
        http::read(socket, buffer, response);
        own.push_back(1000 * since(asked));
        if (response.result() != http::status::ok) {
          fmt::print(stderr, "{}", response.body());
          failed = true;
        }
      }
      const std::scoped_lock lock(mutex);
      took.insert(took.end(), own.begin(), own.end());
    });
  for (std::thread& thread : threads) thread.join();
  if (failed || took.empty()) return {};
  std::sort(took.begin(), took.end());
  return {static_cast<double>(took.size()) / seconds, took[took.size() / 2], took[took.size() * 99 / 100]};
}

int measure(const std::string& folder, double seconds) {
  fmt::print("waits for the disk, each after a page: {} a second\n",
             with_digits(waits_a_second(folder + "/waits", seconds), 3));
  Result<records::Records> opened = records::Records::open(folder + "/records.db");
  if (!opened) return fmt::print(stderr, "{}\n", opened.error().message), 1;
  serve::ServerOptions options{.port = 0};
  options.endpoints.push_back(serve::records_endpoint(std::move(opened).value()));
  serve::Directory nothing([](const std::string&) { return Error{"no bots here"}; });
  const auto server = serve::Server::listen(nothing, options);
  if (!server) return fmt::print(stderr, "{}\n", server.error().message), 1;
  std::thread serving([&] { server.value()->run(); });
  for (const int a_side : {1, 5})
    for (const int clients : {1, 32}) {
      const Measured m = post_results(server.value()->port(), clients, a_side, seconds);
      fmt::print("{} against {}, {:>2} clients: {} results a second; half within {} ms, 99% within {} ms\n", a_side,
                 a_side, clients, with_digits(m.rate, 3), with_digits(m.median_ms, 3), with_digits(m.p99_ms, 3));
    }
  server.value()->stop();
  serving.join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fmt::print(stderr, "usage: records_bench FOLDER [SECONDS]\n"), 2;
  const auto seconds = parse_real("SECONDS", argc > 2 ? argv[2] : "5", {0.1, 3600});
  if (!seconds) return fmt::print(stderr, "{}\n", seconds.error().message), 2;
  return measure(argv[1], seconds.value());
}
