// TLS, beside those who speak over it: a thread passes bytes between the encrypted connections and local sockets, at
// whose other ends servers and clients read and write as on any connection.
#pragma once

#include <boost/asio.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/result.hpp"

namespace rival::serve {

// Who one is, or who is trusted: TLS 1.2 and 1.3. Never changes.
struct TlsContext;

// Of a server: PEM files, the certificate with those that lead to one that clients know. Errors name the file.
Result<std::shared_ptr<TlsContext>> tls_server(const std::string& certificate, const std::string& key);
// Of a client, which wants a certificate of the host's name or address: one that an authority of the PEM file vouches
// for; "": one of the system.
Result<std::shared_ptr<TlsContext>> tls_client(const std::string& ca_file);

// A connection has buffers of fixed size, each way. It ends when both sides have said so, when one breaks, or when the
// peer takes nothing for half a minute. Thread-safe.
class TlsRelay {
 public:
  TlsRelay();
  ~TlsRelay();  // ends all connections at once

  // The server's side. `ready` is called once, on the relay's thread, with the plain end, which is on `io`; or with an
  // Error: the peer speaks no TLS, or has not done so within ten seconds. `held` is let go when the connection has
  // ended.
  using Ready = std::function<void(Result<std::shared_ptr<boost::asio::ip::tcp::socket>>)>;
  void accept(std::shared_ptr<TlsContext> context, boost::asio::ip::tcp::socket peer, boost::asio::io_context& io,
              std::shared_ptr<void> held, Ready ready);

  // The client's side; waits. Errors say what is wrong, without the address.
  Result<std::shared_ptr<boost::asio::ip::tcp::socket>> connect(std::shared_ptr<TlsContext> context,
                                                                const std::string& host, int port,
                                                                std::chrono::milliseconds timeout,
                                                                boost::asio::io_context& io);

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace rival::serve
