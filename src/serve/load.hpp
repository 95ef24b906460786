// A load of game servers for a bot server: many bots that must act so many times a second. Open loop: every tick has
// its time, whether the one before is answered or not, and its latency counts from then, so that a server that falls
// behind cannot hide it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace rival::serve {

struct TlsContext;

struct LoadOptions {
  std::string host = "127.0.0.1";
  int port = 8765;
  std::string token;
  std::shared_ptr<TlsContext> tls = nullptr;  // of a client (serve/tls.hpp); null: without
  std::string bot;                            // its name at the server
  int bots = 1000;                            // in all
  int bots_a_server = 100;                    // of a connection, which sends a frame with all of them each tick
  double rate = 60;                           // ticks a second
  double seconds = 10;                        // that count; a second before them does not
  double budget_ms = 16;                      // within which a tick is to be answered
  std::uint64_t seed = 1;
};

struct LoadResult {
  std::int64_t asked = 0;      // decisions that were due in the seconds that count
  std::int64_t decisions = 0;  // of these, answered
  std::int64_t missed = 0;     // answered after their time, by the fallback or not at all
  std::int64_t late = 0;       // by the fallback
  double seconds = 0;
  double p50_ms = 0, p99_ms = 0, p999_ms = 0, worst_ms = 0;  // of decisions
  int connections = 0;
};

// Observations are random numbers, masks allow all. Errors: no server, or what it complains of.
Result<LoadResult> put_load(const LoadOptions& options);

}  // namespace rival::serve
