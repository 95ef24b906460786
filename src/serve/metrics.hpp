// What the server counts, in the text format of Prometheus.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "serve/batcher.hpp"

namespace rival::serve {

// Thread-safe. Times are from a tick's arrival to its answer, with bounds at 1, 2, 4, 8, 16 and 33 ms and around them.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  void answered(const Hosted& bot, const Answered& answer);
  void computed(const Hosted& bot, int rows, std::chrono::nanoseconds took);
  void session(const Hosted& bot, int seats, int by);  // by: 1 opened, -1 ended
  void connection(int by);
  // Something that was refused: "token", "frame", "request", "limit", "slow", "tls".
  void refused(std::string_view why);
  void request(std::string_view path, int status);

  struct Totals {
    std::int64_t connections = 0, sessions = 0, seats = 0, decisions = 0, missed = 0, late = 0;
  };
  Totals totals() const;
  std::string text() const;

 private:
  struct All;
  std::unique_ptr<All> all_;
};

}  // namespace rival::serve
