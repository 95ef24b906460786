#include "serve/storm.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "base/index.hpp"
#include "base/number.hpp"
#include "serve/client.hpp"
#include "serve/sample_server.hpp"

namespace rival::serve {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A game server that behaves well: what it is told is compared with what it was told before the storm.
class Witness {
 public:
  explicit Witness(const std::string& address)
      : server_(BotServer::connect(address, {.token = "", .timeout = seconds(60)}).value()),
        session_(server_.open("sample", kSeats).value()) {
    for (std::uint64_t n = 0; n < kTicks; ++n) ticks_.emplace_back(kSeats, n);
    for (const SampleRows& tick : ticks_) wanted_.push_back(act(tick));
    EXPECT_NE(wanted_[0].choices, act(ticks_[0]).choices) << "what is remembered makes no difference";
  }

  // A match.
  void play() {
    ASSERT_TRUE(server_.forget(session_));
    for (int n = 0; n < kTicks; ++n) {
      const auto begun = Clock::now();
      const Actions now = act(ticks_[index(n)]);
      latencies_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
      ASSERT_EQ(now.choices, wanted_[index(n)].choices);
      ASSERT_EQ(now.values, wanted_[index(n)].values);
    }
  }
  double latency(double share) {
    std::sort(latencies_.begin(), latencies_.end());
    return latencies_[static_cast<std::size_t>(share * static_cast<double>(latencies_.size() - 1))];
  }
  std::size_t ticks() const { return latencies_.size(); }

 private:
  static constexpr int kSeats = 20, kTicks = 4;
  Actions act(const SampleRows& rows) {
    Result<Actions> acted = server_.act(session_, rows.seats, rows.observations, rows.masks);
    EXPECT_TRUE(acted) << acted.error().message;
    return acted ? acted.value() : Actions{};
  }

  BotServer server_;
  SessionInfo session_;
  std::vector<SampleRows> ticks_;
  std::vector<Actions> wanted_;
  std::vector<double> latencies_;
};

template <class Condition>
bool soon(Condition condition) {
  const auto until = Clock::now() + seconds(60);
  while (!condition() && Clock::now() < until) std::this_thread::sleep_for(milliseconds(10));
  return condition();
}

TEST(Storm, HarmsNobodyElse) {
  Running server({.most_connections = 60});
  Witness witness(server.address());
  {
    Storm storm(server.port(), 3, 1);
    const auto until = Clock::now() + milliseconds(1500);
    while (Clock::now() < until && !HasFatalFailure()) witness.play();
    // It was one: all have come, and were refused in all ways. Who plays goes on meanwhile, however slow the machine
    // is.
    EXPECT_TRUE(soon([&] {
      if (!HasFatalFailure()) witness.play();
      const std::string metrics = server.metrics();
      for (const char* why : {"frame", "request", "errors"})
        if (metrics.find("reason=\"" + std::string(why) + "\"") == std::string::npos) return false;
      for (int kind = 0; kind < Storm::kKinds; ++kind)
        if (storm.times(kind) == 0) return false;
      return true;
    })) << server.metrics();
  }
  witness.play();
  EXPECT_TRUE(soon([&] { return server.totals().connections == 1; })) << server.totals().connections;
  EXPECT_EQ(server.totals().sessions, 1);
  EXPECT_EQ(server.totals().seats, 20);
}

// What does not read its answers is cut off, whatever it goes on to send.
TEST(Storm, AClientThatDoesNotReadIsCutOff) {
  Running server({.most_unsent = 1 << 20});
  RawClient lazy(server.port(), 4096, seconds(20));
  ASSERT_TRUE(lazy.open(3));
  const std::string wish = RawClient::frame(1, "{\"forget\": 1, \"id\": \"" + std::string(60'000, 'x') + "\"}");
  const auto until = Clock::now() + seconds(60);
  while (server.totals().connections == 1 && Clock::now() < until) lazy.send(wish);
  EXPECT_EQ(server.totals().connections, 0);
  EXPECT_EQ(server.totals().seats, 0);
  EXPECT_NE(server.metrics().find("reason=\"slow\""), std::string::npos);
  EXPECT_TRUE(lazy.ends_within(seconds(20)));
}

// ---- for minutes (RIVAL_STORM_MINUTES), with the server in a process of its own, whose memory is looked at ----

double resident_mib(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  double pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// Products are compiled for each number of rows that is computed at once, and kept.
void compile_all(const std::string& address) {
  constexpr int kMostRows = 256;
  BotServer server = BotServer::connect(address, {.token = "", .timeout = seconds(60)}).value();
  const SessionInfo session = server.open("sample", kMostRows).value();
  for (int rows = 1; rows <= kMostRows; ++rows) {
    const SampleRows all(rows, 1);
    ASSERT_TRUE(server.act(session, all.seats, all.observations, all.masks));
  }
}

TEST(StormSlow, MemoryStaysAndNobodyElseIsHarmed) {
  int ports[2];
  ASSERT_EQ(pipe(ports), 0);
  const pid_t process = fork();
  ASSERT_GE(process, 0);
  if (process == 0) {
    Running server({.most_connections = 200, .idle = seconds(5), .drain = seconds(0)});
    const int port = server.port();
    if (write(ports[1], &port, sizeof port) != sizeof port) _exit(3);
    server.wait();
    _exit(0);
  }
  int port = 0;
  ASSERT_EQ(read(ports[0], &port, sizeof port), static_cast<ssize_t>(sizeof port));

  const char* given = std::getenv("RIVAL_STORM_MINUTES");
  const double minutes = given ? read_real(given).value_or(3) : 3;
  constexpr int kRoundSeconds = 15;
  const int rounds = std::max(2, static_cast<int>(60 * minutes / kRoundSeconds));
  const std::string address = "http://127.0.0.1:" + std::to_string(port);
  compile_all(address);
  Witness witness(address);
  double warm = 0, now = 0;
  for (int round = 0; round < rounds && !HasFatalFailure(); ++round) {
    std::int64_t clients = 0;
    {
      Storm storm(port, 4, static_cast<std::uint64_t>(round));
      const auto until = Clock::now() + seconds(kRoundSeconds);
      for (auto next = Clock::now(); Clock::now() < until && !HasFatalFailure(); next += milliseconds(1000 / 15)) {
        witness.play();
        std::this_thread::sleep_until(next);
      }
      for (int kind = 0; kind < Storm::kKinds; ++kind) clients += storm.times(kind);
    }
    ASSERT_TRUE(soon([&] {
      RawClient asks(port);
      asks.send("GET /bots HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      return asks.receive().find("\"connections\":1,") != std::string::npos;
    }));
    now = resident_mib(process);
    if (round < rounds / 2) warm = std::max(warm, now);  // it takes minutes for the most at once to have come
    std::printf("round %d of %d: %lld clients, %.1f MiB\n", round + 1, rounds, static_cast<long long>(clients), now);
    std::fflush(stdout);
  }
  std::printf("%zu ticks beside them: %.2f ms at half, %.2f ms at 99%%, %.2f ms the longest\n", witness.ticks(),
              witness.latency(0.5), witness.latency(0.99), witness.latency(1));
  EXPECT_LT(now, warm + 8);
  int status = -1;
  kill(process, SIGTERM);
  ASSERT_EQ(waitpid(process, &status, 0), process);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace rival::serve
