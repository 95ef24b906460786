// The bot server: HTTP and WebSocket on one port (docs/formats/serve.md). Sockets on one thread, decisions on those of
// a Batcher.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "serve/batcher.hpp"
#include "serve/endpoint.hpp"
#include "serve/frontend.hpp"
#include "serve/hosted.hpp"
#include "serve/metrics.hpp"

namespace rival::serve {

class ModelsHttp;
struct Renewal;
struct TlsContext;

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8765;    // 0: any that is free
  std::string token;  // what clients must show; needed where others than this machine can connect
  std::shared_ptr<TlsContext> tls = nullptr;  // null: without (serve/tls.hpp)
  BatcherOptions batcher;
  int most_connections = 1000;
  int most_seats = 200'000;                               // of all sessions
  std::size_t most_unsent = std::size_t{64} << 20;        // bytes of answers that a client leaves unread
  std::size_t largest_frame = std::size_t{16} << 20;      // bytes, of a message from a client
  int most_waiting = 256;                                 // ticks of a connection that are not answered yet
  std::chrono::seconds idle{300};                         // after which a session without a tick expires
  std::chrono::seconds drain{30};                         // that sessions get to end before the server does
  std::vector<std::shared_ptr<Endpoint>> endpoints = {};  // what else it answers over HTTP; the first that knows a path
  ListenFrontend frontend = nullptr;  // another protocol, of which the endpoints are asked as well; null: none
  std::shared_ptr<ModelsHttp> models = nullptr;  // null: bots alone
  // Told what happens, a JSON object each: from the server's thread. Null: nobody.
  std::function<void(const std::string& line)> log = nullptr;
  // What reload() reads; on a thread of its own. Null: the bots again, and nothing else.
  std::function<Result<Renewal>()> renew = nullptr;
};

// Of the options only token, most_connections, most_seats, idle, drain and the certificate of TLS can change while a
// server runs; the log names those that differ and cannot.
struct Renewal {
  ServerOptions options;
  Offer bots;
};

class Server {
 public:
  // Listens; answers only within run(). `directory` must outlive the server. Errors name the address: it is taken, is
  // none of this machine's, or is open to others and there is no token.
  static Result<std::unique_ptr<Server>> listen(Directory& directory, const ServerOptions& options);
  virtual ~Server() = default;

  virtual int port() const = 0;
  // Of the frontend; 0: there is none.
  virtual int frontend_port() const = 0;
  // Serves until stop(), or until this process is told to end: SIGINT and SIGTERM let sessions end first, a second one
  // does not wait; SIGHUP is reload().
  virtual void run() = 0;
  // From any thread: as SIGTERM.
  virtual void stop() = 0;
  // From any thread: reads options and bots again. What goes wrong leaves all as it was, and the log says so.
  virtual void reload() = 0;
  virtual const Metrics& metrics() const = 0;
};

}  // namespace rival::serve
