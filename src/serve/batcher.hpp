// Decisions for many sessions: collects what has been asked for, computes it together, and answers in time.
//
// A session is a number of seats that one bot plays, each with a memory of its own. Sessions are shared out among
// threads, and a thread computes all its sessions' rows of one bot in one call. It waits for more rows no longer than
// `wait` after the first, and never past the time by which the most urgent must be computed. What cannot be answered
// in time any more gets the fallback at once, so that nothing queues behind it.
//
// Whoever has no session of its own asks a session without seats: each of its rows begins with an empty memory.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/limits.hpp"
#include "nn/backend.hpp"
#include "rival/random.hpp"
#include "serve/hosted.hpp"

namespace rival::serve {

using Clock = std::chrono::steady_clock;

class Session;

// Decisions that are asked for. What the spans show must stay until the answer has been given: let the function that
// takes it hold it.
struct Asked {
  int rows = 0;
  std::span<const std::uint32_t> seats;  // [rows] of the session, each at most once; of one without seats: none
  std::span<const float> observations;   // [rows x observation]
  std::span<const std::uint8_t> masks;   // [rows x mask]; each part allows something
  Clock::time_point arrived = Clock::now(), deadline = Clock::time_point::max();
  bool estimates = false;  // probabilities and expected returns are wanted besides
};

// What happened. The spans hold until the function that takes it returns.
struct Answered {
  int rows = 0;
  bool abandoned = false;                 // nobody waited any more: nothing was decided, nothing else stands here
  bool late = false;                      // the fallback, without computing
  bool missed = false;                    // late, or computed, but after its time
  std::chrono::nanoseconds took{};        // from its arrival
  std::span<const std::int32_t> choices;  // [rows x choices]
  std::span<const float> values;          // [rows x values]
  // Only where estimates were wanted, and not where it is late:
  std::span<const float> probabilities;  // [rows x mask] at the bot's temperature, at 1 where that is 0
  std::span<const float> expected;       // [rows] the rest of the return
};

// Where somebody who plays on for another begins, of one seat.
struct Begun {
  std::vector<float> memory;  // [Network::memory_size()] of the bot; empty: none
  std::vector<float> shown;   // [reaction_steps x observation] what the seat was shown last, or as much as it was
};

struct BatcherOptions {
  int threads = 1;
  std::chrono::microseconds wait{300};
  std::uint64_t seed = 1;
  Precision precision = best_precision();
  // Of each call to a network: for metrics. Called by the batcher's threads.
  std::function<void(const Hosted& bot, int rows, std::chrono::nanoseconds took)> on_batch = nullptr;
};

// Thread-safe.
class Batcher {
 public:
  explicit Batcher(const BatcherOptions& options);
  ~Batcher();  // answers what it has been asked

  // Seats of a bot, whose memories are empty; 0: a session without any. `fallback`: choices for late answers [choices];
  // empty, or where one is not allowed: the first that is, in each part. Continuous values are then in the middle of
  // their ranges. It ends when nobody holds it any more.
  std::shared_ptr<Session> open(std::shared_ptr<const Hosted> bot, int seats, std::vector<std::int32_t> fallback);
  // A seat that goes on where another has come to.
  std::shared_ptr<Session> open(std::shared_ptr<const Hosted> bot, Begun begun, std::vector<std::int32_t> fallback);
  // The seats' memories become empty: before those of ticks that are asked for later.
  void forget(const std::shared_ptr<Session>& session, std::vector<std::uint32_t> seats);
  // `answer` is called once, by a thread of the batcher. Decisions of a session with seats are made one after the
  // other, in the order in which they are asked for.
  void decide(std::shared_ptr<Session> session, const Asked& asked, std::function<void(const Answered&)> answer);

  // Sessions that are opened one after the other are spread over so many.
  int threads() const { return static_cast<int>(workers_.size()); }

 private:
  class Worker;
  std::vector<std::shared_ptr<Worker>> workers_;  // a session that is still held may end after the batcher
  std::atomic<std::uint64_t> opened_{0};
};

// What others may know of a session; all else is the batcher's, and looked at by one of its threads alone.
class Session {
 public:
  Session(std::shared_ptr<const Hosted> bot, int seats, std::vector<std::int32_t> fallback);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Hosted& bot() const { return *bot_; }
  int seats() const { return seats_; }
  // Nobody waits for its answers any more: what it has asked for is not computed. From any thread.
  void abandon() { abandoned_ = true; }

 private:
  friend class Batcher;
  std::shared_ptr<const Hosted> bot_;
  int seats_;
  std::vector<std::int32_t> fallback_;
  std::function<void()> ended_;  // gives its memories back
  std::atomic<bool> abandoned_{false};
  std::size_t worker_ = 0;
  std::vector<float> memory_;       // that its seat begins with; empty: none
  int first_slot_ = -1;             // of its worker's memories of the bot; -1: it has none yet
  std::uint64_t turn_ = 0;          // of its worker, in which it last took part
  std::optional<DelayLine> delay_;  // of bots that react later
  std::vector<int> steps_;          // [seats] ticks so far, of such bots
};

}  // namespace rival::serve
