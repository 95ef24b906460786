// A load of clients that ask for predictions over HTTP, a row at a time (docs/moving-from-torchserve.md). Closed loop:
// each asks again as soon as it has its answer, which shows how much the server does, but hides how long others would
// have waited; load.hpp is for that.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace rival::serve {

struct HttpLoadOptions {
  std::string host = "127.0.0.1";
  int port = 8765;
  std::string token;
  std::string bot;      // its name at the server
  int connections = 8;  // which are kept open
  double seconds = 10;  // that count; a second before them does not
  std::uint64_t seed = 1;
};

struct HttpLoadResult {
  std::int64_t requests = 0;  // answered in the seconds that count
  double seconds = 0;
  double p50_ms = 0, p99_ms = 0;
};

// Observations are random numbers. Errors: no server, or what it complains of.
Result<HttpLoadResult> put_http_load(const HttpLoadOptions& options);

}  // namespace rival::serve
