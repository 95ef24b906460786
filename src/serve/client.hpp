// A game server's side of the bot server, for programs in C++: one connection, any number of sessions. Calls wait for
// their answers; ask() and answer() apart let ticks of many sessions be on their way at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "player/rating_scale.hpp"
#include "serve/tick.hpp"

namespace rival::serve {

// A session, and the bot that plays it.
struct SessionInfo {
  std::uint32_t number = 0;
  int seats = 0;
  std::string bot, version, game;
  RowSizes sizes;
  bool memory = false;
};

// From the server's answer to a wish to open one. Errors: begin with `place`, and say what the server said, or which
// field of its answer is amiss.
Result<SessionInfo> read_opened(const nlohmann::json& answer, const std::string& place);

struct Actions {
  bool late = false;                  // the fallback's: there was no time to decide
  std::vector<std::int32_t> choices;  // [rows x sizes.choices]
  std::vector<float> values;          // [rows x sizes.values]
  std::chrono::microseconds took{};   // from the tick's arrival at the server
};

// Who plays on for somebody, and what was found out of that player.
struct Substituted {
  SessionInfo session;
  RatingBelief belief;
};

// Not thread-safe. Errors name the server's address, and what it said.
class BotServer {
 public:
  struct Options {
    std::string token;
    std::chrono::milliseconds timeout{10'000};  // of each call
    std::string ca_file = {};  // of https: the PEM file of who vouches for the server; "": the system's authorities
  };

  // `address`: "http://127.0.0.1:8765", or https://, which wants a certificate of that name.
  static Result<BotServer> connect(const std::string& address, const Options& options);
  static Result<BotServer> connect(const std::string& address) { return connect(address, Options()); }
  BotServer(BotServer&&) noexcept;
  BotServer& operator=(BotServer&&) noexcept;
  ~BotServer();  // ends all sessions

  // `bot`: what the server calls it; NAME@1200 is the one of that rating. `fallback`: choices for late answers.
  Result<SessionInfo> open(const std::string& bot, int seats = 1, std::span<const std::int32_t> fallback = {});
  // These seats (none: all) begin a new match.
  Result<void> forget(const SessionInfo& session, std::span<const std::uint32_t> seats = {});
  Result<void> close(const SessionInfo& session);

  // Seats of people who are to be watched, so that a bot can play on for one who leaves. `run`: what the server calls a
  // run's bot.
  Result<SessionInfo> watch(const std::string& run, int seats);
  // What watched seats were shown and did; `tells`: it was their own doing, not a substitute's. Nothing is answered.
  Result<void> saw(const SessionInfo& watched, std::span<const std::uint32_t> seats,
                   std::span<const float> observations, std::span<const std::uint8_t> masks,
                   std::span<const std::int32_t> choices, std::span<const float> values = {}, bool tells = true);
  // Who plays on for a seat that is watched: a session of one seat. `record`: what is known of the player's rating.
  Result<Substituted> substitute(const SessionInfo& watched, int seat, std::optional<RatingEstimate> record = {});

  // Sends a tick. `masks` may be empty: all is allowed. A budget of 0 is none. The value: what answer() is asked for.
  Result<std::uint32_t> ask(const SessionInfo& session, std::span<const std::uint32_t> seats,
                            std::span<const float> observations, std::span<const std::uint8_t> masks = {},
                            std::chrono::microseconds budget = {});
  Result<Actions> answer(const SessionInfo& session, std::uint32_t tick);
  Result<Actions> act(const SessionInfo& session, std::span<const std::uint32_t> seats,
                      std::span<const float> observations, std::span<const std::uint8_t> masks = {},
                      std::chrono::microseconds budget = {});

  // The server has said that it will end.
  bool draining() const;

 private:
  struct Connection;
  explicit BotServer(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

// The parts of "http://ADDRESS:PORT", or https://. Error: it is no such thing.
struct HostPort {
  std::string host;
  int port = 0;
  bool tls = false;
};
Result<HostPort> parse_address(const std::string& address);

}  // namespace rival::serve
