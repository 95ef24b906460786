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
#include "serve/watched.hpp"

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
  boost::asio::thread_pool& watching;  // one thread, on which all that is watched is looked at
  bool ending = false;                 // no new sessions
  std::int64_t seats = 0;              // of all sessions
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
  // Seats that are watched.
  struct Watch {
    std::string bot;
    RowSizes sizes;
    int seats = 0;
    std::unique_ptr<Watched> watched;  // of the watching thread; null: it could not be
  };
  // A session: that plays, or that is watched.
  struct Open {
    std::shared_ptr<Session> session;
    std::shared_ptr<Watch> watch;
    Clock::time_point last;

    int seats() const { return session ? session->seats() : watch->seats; }
  };
  using Sessions = std::map<std::uint32_t, Open>;

  void hear(const std::string& text);
  // What is to be answered; null: that comes later, by answer(), which adds `where`.
  Result<nlohmann::ordered_json> obey(const nlohmann::json& wish, const nlohmann::ordered_json& where);
  Result<nlohmann::ordered_json> open(const nlohmann::json& wish);
  Result<nlohmann::ordered_json> watch(const nlohmann::json& wish, const nlohmann::ordered_json& where);
  Result<nlohmann::ordered_json> substitute(const nlohmann::json& wish, nlohmann::ordered_json where);
  Result<nlohmann::ordered_json> forget(Open& open, const nlohmann::json& wish);
  Result<Sessions::iterator> find(const nlohmann::json& wish, const char* verb);
  Result<std::int64_t> free_seats(const nlohmann::json& wish);
  std::uint32_t begin(std::shared_ptr<Session> session);
  void answer(const Result<nlohmann::ordered_json>& what, nlohmann::ordered_json where);
  void tick(std::string frame);
  std::string too_many(std::size_t bytes) const;
  void see(std::string frame);
  void end_session(Sessions::iterator at);
  boost::asio::awaitable<void> expire();
  void cut_off(const char* why);
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
  Sessions sessions_;
  std::uint32_t next_ = 1;
  std::deque<Message> outgoing_;
  std::size_t unsent_ = 0, waiting_bytes_ = 0;
  std::optional<boost::beast::websocket::close_code> closing_;
  bool accepted_ = false, writing_ = false, closed_ = false, ended_ = false;
  int errors_ = 0, waiting_ = 0;
};

}  // namespace rival::serve
