// rival bench serve BOT: a bot server under the load of many game servers (serve/load.hpp), or of clients over HTTP
// (serve/http_load.hpp).

#include "cli/bench_serve.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstring>

#include "base/number.hpp"
#include "cli/serve.hpp"
#include "serve/client.hpp"
#include "serve/http_load.hpp"
#include "serve/load.hpp"
#include "serve/server.hpp"
#include "serve/tls.hpp"

namespace rival::cli {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

// A server in a process of its own, so that its processor time is told apart from the load's.
class ServerProcess {
 public:
  // Errors: what the server says.
  static Result<std::unique_ptr<ServerProcess>> start(const ServeLoad& load, const Games& games) {
    int ends[2];
    if (::pipe(ends) != 0) return Error{fmt::format("no pipe can be made: {}", std::strerror(errno))};
    const pid_t process = ::fork();
    if (process < 0) return Error{fmt::format("no process can be started: {}", std::strerror(errno))};
    if (process == 0) {
      ::close(ends[0]);
      std::signal(SIGTERM, SIG_DFL);  // until the server takes it: what this process does with it is not for its child
      serve(load, games, ends[1]);
    }
    ::close(ends[1]);
    std::string said;
    char bytes[512];
    while (!said.ends_with('\n')) {
      const ssize_t got = ::read(ends[0], bytes, sizeof bytes);
      if (got <= 0) break;
      said.append(bytes, static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    std::unique_ptr<ServerProcess> started(new ServerProcess(process));
    const std::optional<std::int64_t> port = read_whole(said.substr(0, said.find('\n')));
    if (!port) return Error{said.empty() ? "the server ended before it began" : said};
    started->port_ = static_cast<int>(*port);
    return started;
  }

  ~ServerProcess() { end(); }

  int port() const { return port_; }

  // Ends it. The processor time that it took.
  double end() {
    if (process_ < 0) return 0;
    ::kill(process_, SIGTERM);
    rusage used{};
    int status = 0;
    while (::wait4(process_, &status, 0, &used) < 0 && errno == EINTR) continue;
    process_ = -1;
    return seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  }

 private:
  explicit ServerProcess(pid_t process) : process_(process) {}

  // Of the new process; says its port, or what is wrong, in a line.
  [[noreturn]] static void serve(const ServeLoad& load, const Games& games, int out) {
    const auto say = [out](const std::string& line) {
      [[maybe_unused]] const ssize_t written = ::write(out, line.data(), line.size());
      ::close(out);
    };
    serve::Directory directory(hosted_loader(games, ""));
    serve::ServerOptions options;
    options.port = 0;
    options.batcher.threads = load.threads;
    const Result<void> added = directory.add(load.bot, "bot");
    if (!added) {
      say(added.error().message + "\n");
      ::_exit(1);
    }
    {
      const Result<std::unique_ptr<serve::Server>> server = serve::Server::listen(directory, options);
      say(server ? fmt::format("{}\n", server.value()->port()) : server.error().message + "\n");
      if (server) server.value()->run();
    }
    ::_exit(0);
  }

  pid_t process_;
  int port_ = 0;
};

// Which server, and which of its bots.
struct ServedBot {
  std::string host = "127.0.0.1";
  int port = 0;
  std::string token = {}, bot = {};
  std::shared_ptr<serve::TlsContext> tls = nullptr;  // null: without
};

void figure(Console& console, const char* label, const std::string& value) {
  console.print("  {:<42} {}\n", label, console.bold(value));
}

Result<Json> measure_ticks(const ServeLoad& wanted, const ServedBot& target, Console& console) {
  const int sessions = wanted.sessions.value_or(1000);
  const double rate = wanted.rate.value_or(60);
  const serve::LoadOptions load{.host = target.host,
                                .port = target.port,
                                .token = target.token,
                                .tls = target.tls,
                                .bot = target.bot,
                                .bots = sessions,
                                .rate = rate,
                                .seconds = wanted.seconds,
                                .budget_ms = 1000 / rate};
  console.print("{} bots, {} decisions a second each, for {} s\n", grouped(sessions), with_digits(rate, 4),
                with_digits(wanted.seconds, 4));
  const Result<serve::LoadResult> put = serve::put_load(load);
  if (!put) return put.error();
  const serve::LoadResult& result = put.value();
  const double asked = std::max<double>(1, static_cast<double>(result.asked));
  const double answered = static_cast<double>(result.decisions) / result.seconds;
  figure(console, "decisions a second", grouped(std::llround(answered)));
  figure(console, "milliseconds: median, 99%, 99.9%",
         fmt::format("{:.2f}, {:.2f}, {:.2f}", result.p50_ms, result.p99_ms, result.p999_ms));
  figure(console, "answered after their time",
         fmt::format("{:.3f}%", 100 * static_cast<double>(result.missed) / asked));
  return Json{{"sessions", sessions},
              {"connections", result.connections},
              {"rate", rate},
              {"decisions_per_second", answered},
              {"p50_ms", result.p50_ms},
              {"p99_ms", result.p99_ms},
              {"p999_ms", result.p999_ms},
              {"worst_ms", result.worst_ms},
              {"budget_ms", load.budget_ms},
              {"missed_share", static_cast<double>(result.missed) / asked},
              {"late_share", static_cast<double>(result.late) / asked},
              {"seconds", result.seconds}};
}

Result<Json> measure_http(const ServeLoad& wanted, const ServedBot& target, Console& console) {
  const serve::HttpLoadOptions load{.host = target.host,
                                    .port = target.port,
                                    .token = target.token,
                                    .bot = target.bot,
                                    .connections = wanted.sessions.value_or(8),
                                    .seconds = wanted.seconds};
  console.print("{} connections that ask for a prediction, again and again, for {} s\n", load.connections,
                with_digits(wanted.seconds, 4));
  const Result<serve::HttpLoadResult> put = serve::put_http_load(load);
  if (!put) return put.error();
  const serve::HttpLoadResult& result = put.value();
  const double answered = static_cast<double>(result.requests) / result.seconds;
  figure(console, "requests a second", grouped(std::llround(answered)));
  figure(console, "milliseconds: median, 99%", fmt::format("{:.2f}, {:.2f}", result.p50_ms, result.p99_ms));
  return Json{{"connections", load.connections},
              {"requests_per_second", answered},
              {"p50_ms", result.p50_ms},
              {"p99_ms", result.p99_ms},
              {"seconds", result.seconds}};
}

}  // namespace

Result<Outcome> bench_serve(const ServeLoad& wanted, const Games& games, Console& console) {
  if (wanted.http && wanted.rate)
    wrong_usage(Error{"--rate is not for --http: a connection asks as soon as it has its answer"});
  ServedBot target{.bot = wanted.bot};
  std::unique_ptr<ServerProcess> own;
  if (wanted.url.empty()) {
    Result<std::unique_ptr<ServerProcess>> started = ServerProcess::start(wanted, games);
    if (!started) return started.error();
    own = std::move(started.value());
    target.port = own->port();
    target.bot = "bot";
  } else {
    const Result<serve::HostPort> place = serve::parse_address(wanted.url);
    if (!place) return usage_error({"--url: " + place.error().message});
    target.host = place.value().host;
    target.port = place.value().port;
    if (place.value().tls && wanted.http) wrong_usage(Error{"--http does not speak TLS: give an address with http://"});
    if (place.value().tls) {
      const auto tls = serve::tls_client(wanted.ca_file);
      if (!tls) return tls.error();
      target.tls = tls.value();
    }
  }
  if (!wanted.token_file.empty()) {
    const Result<std::string> token = read_token(wanted.token_file);
    if (!token) return token.error();
    target.token = token.value();
  }
  Result<Json> measured = wanted.http ? measure_http(wanted, target, console) : measure_ticks(wanted, target, console);
  if (!measured) return measured.error();
  const double processor = own ? own->end() : 0;
  measured.value()["server_cpu_seconds"] = processor;
  if (own) figure(console, "seconds of a processor, of the server", fmt::format("{:.2f}", processor));
  return Outcome{measured.value()};
}

}  // namespace rival::cli
