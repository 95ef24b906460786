// A game server that plays: one WebSocket, with any number of sessions (docs/formats/serve.md).
#pragma once

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "serve/batcher.hpp"
#include "serve/hosted.hpp"
#include "serve/metrics.hpp"
#include "serve/server.hpp"

namespace rival::serve {

using Socket = boost::beast::tcp_stream;
using Request = boost::beast::http::request<boost::beast::http::string_body>;

// A bot as clients are told of it.
nlohmann::ordered_json described(const Hosted& bot);

// What all connections of a server share, on its thread alone.
struct Playing {
  Directory& directory;
  const ServerOptions& options;
  Metrics& metrics;
  Batcher& batcher;
  boost::asio::io_context& io;
  bool ending = false;     // no new sessions
  std::int64_t seats = 0;  // of all sessions
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Playing& playing, Socket stream) : playing_(playing), stream_(std::move(stream)) {}

  // Until the connection ends.
  boost::asio::awaitable<void> run(const Request& upgrade);
  // Asks for its sessions to end, and closes when they have.
  void drain();
  // Closes, once all that was said is written.
  void close(boost::beast::websocket::close_code why);

 private:
  struct Open {
    std::shared_ptr<Session> session;
    Clock::time_point last;
  };

  void hear(const std::string& text);
  Result<nlohmann::ordered_json> obey(const nlohmann::json& wish);
  Result<nlohmann::ordered_json> open(const nlohmann::json& wish);
  void tick(std::string frame);
  void end_session(std::map<std::uint32_t, Open>::iterator at);
  boost::asio::awaitable<void> expire();
  void say(const nlohmann::ordered_json& what);
  void complain(const std::string& what, nlohmann::ordered_json where);
  void send(std::string bytes, bool binary);
  void start_writing();
  boost::asio::awaitable<void> write();

  struct Message {
    std::string bytes;
    bool binary;
  };

  Playing& playing_;
  boost::beast::websocket::stream<Socket> stream_;
  std::map<std::uint32_t, Open> sessions_;
  std::uint32_t next_ = 1;
  std::deque<Message> outgoing_;
  std::size_t unsent_ = 0;
  std::optional<boost::beast::websocket::close_code> closing_;
  bool accepted_ = false, writing_ = false, closed_ = false, ended_ = false;
  int errors_ = 0, waiting_ = 0;
};

}  // namespace rival::serve
