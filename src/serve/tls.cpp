#include "serve/tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ssl.hpp>
#include <future>
#include <optional>

#include "base/file.hpp"
#include "serve/awaiting.hpp"

namespace rival::serve {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::beast::error_code;
using Clock = std::chrono::steady_clock;
using Plain = std::shared_ptr<tcp::socket>;

struct TlsContext {
  explicit TlsContext(ssl::context::method method) : context(method) {
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  }
  ssl::context context;
};

namespace {

constexpr auto kHandshake = std::chrono::seconds(10);
constexpr auto kStalled = std::chrono::seconds(30);  // without the peer taking anything
constexpr auto kGoodbye = std::chrono::seconds(2);   // for the peer to say that it has ended too
constexpr std::size_t kBuffer = 16 << 10;            // a record of TLS

// What the far end says while hands are shaken.
std::string said_by_peer(const error_code& code, SSL* ssl) {
  const long verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK)
    return fmt::format("its certificate is not trusted: {}", X509_verify_cert_error_string(verified));
  const char* const reason = ERR_reason_error_string(static_cast<unsigned long>(code.value()));
  const bool of_tls = code.category() == asio::error::get_ssl_category() && reason;
  return "no connection by TLS can be made: " + (of_tls ? reason : code.message());
}

// A connection, and the socket at whose other end its bytes are plain.
class Passage : public std::enable_shared_from_this<Passage> {
 public:
  Passage(asio::io_context& io, std::shared_ptr<TlsContext> context, std::shared_ptr<void> held)
      : io_(io), context_(std::move(context)), outer_(io, context_->context), inner_(io), held_(std::move(held)) {}

  void accept(tcp::socket::native_handle_type peer, tcp protocol, asio::io_context& plain, TlsRelay::Ready ready) {
    error_code code;
    outer_.next_layer().assign(protocol, peer, code);
    watch_from(kHandshake);
    co_spawn(io_, greeted(ssl::stream_base::server, plain, std::move(ready)), asio::detached);
  }

  void connect(std::string host, int port, std::chrono::milliseconds timeout, asio::io_context& plain,
               TlsRelay::Ready ready) {
    watch_from(timeout);
    co_spawn(io_, reach(std::move(host), port, plain, std::move(ready)), asio::detached);
  }

 private:
  // The connection is closed if it is not on by then.
  void within(std::chrono::milliseconds time) { until_ = Clock::now() + time, allowed_ = time; }
  std::string late() const { return fmt::format("no answer within {} ms", allowed_.count()); }
  void watch_from(std::chrono::milliseconds time) {
    within(time);
    co_spawn(io_, watch(std::min<std::chrono::milliseconds>(time, std::chrono::seconds(1))), asio::detached);
  }
  asio::awaitable<void> watch(std::chrono::milliseconds period) {
    const auto self = shared_from_this();
    asio::steady_timer timer(io_);
    while (!over_) {
      timer.expires_after(period);
      error_code code;
      co_await timer.async_wait(into(code));
      if (!until_ || Clock::now() < *until_) continue;
      late_ = true;
      close();
    }
  }

  asio::awaitable<void> reach(std::string host, int port, asio::io_context& plain, TlsRelay::Ready ready) {
    const auto self = shared_from_this();
    error_code code;
    tcp::resolver resolver(io_);
    const auto found = co_await resolver.async_resolve(host, std::to_string(port), into(code));
    if (!code) co_await asio::async_connect(outer_.next_layer(), found, into(code));
    if (code) co_return fail(late_ ? late() : code.message(), ready);
    outer_.next_layer().set_option(tcp::no_delay(true), code);
    outer_.set_verify_callback(ssl::host_name_verification(host), code);
    asio::ip::make_address(host, code);
    if (code) SSL_set_tlsext_host_name(outer_.native_handle(), host.c_str());  // addresses are no names
    co_await greeted(ssl::stream_base::client, plain, std::move(ready));
  }

  asio::awaitable<void> greeted(ssl::stream_base::handshake_type side, asio::io_context& plain, TlsRelay::Ready ready) {
    const auto self = shared_from_this();
    error_code code;
    co_await outer_.async_handshake(side, into(code));
    if (code) co_return fail(late_ ? late() : said_by_peer(code, outer_.native_handle()), ready);
    until_.reset();
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      co_return fail(error_code(errno, boost::system::system_category()).message(), ready);
    inner_.assign(asio::local::stream_protocol(), ends[0], code);
    // Nothing that is done with it depends on the protocol.
    const auto end = std::make_shared<tcp::socket>(plain);
    end->assign(tcp::v4(), ends[1], code);
    co_spawn(io_, inwards(), asio::detached);
    ready(end);
    co_await outwards();
  }

  void fail(const std::string& why, const TlsRelay::Ready& ready) {
    end();
    ready(Error{why});
  }

  asio::awaitable<void> inwards() {
    const auto self = shared_from_this();
    error_code code;
    while (!code) {
      const std::size_t size = co_await outer_.async_read_some(asio::buffer(in_), into(code));
      if (!code) co_await asio::async_write(inner_, asio::buffer(in_, size), into(code));
    }
    inner_.shutdown(asio::socket_base::shutdown_send, code);
  }

  asio::awaitable<void> outwards() {
    error_code code;
    while (!code) {
      const std::size_t size = co_await inner_.async_read_some(asio::buffer(out_), into(code));
      if (code) break;
      within(kStalled);
      co_await asio::async_write(outer_, asio::buffer(out_, size), into(code));
      until_.reset();
    }
    within(kGoodbye);
    co_await outer_.async_shutdown(into(code));
    end();
  }

  void end() {
    close();
    over_ = true;
    held_.reset();
  }

  void close() {
    error_code ignored;
    outer_.next_layer().close(ignored);
    inner_.close(ignored);
  }

  asio::io_context& io_;
  const std::shared_ptr<TlsContext> context_;
  ssl::stream<tcp::socket> outer_;
  asio::local::stream_protocol::socket inner_;
  std::shared_ptr<void> held_;
  std::array<char, kBuffer> in_, out_;
  std::optional<Clock::time_point> until_;
  std::chrono::milliseconds allowed_{};
  bool late_ = false, over_ = false;
};

}  // namespace

Result<std::shared_ptr<TlsContext>> tls_server(const std::string& certificate, const std::string& key) {
  const Result<std::string> chain = read_file(certificate), secret = read_file(key);
  if (!chain) return chain.error();
  if (!secret) return secret.error();
  auto tls = std::make_shared<TlsContext>(ssl::context::tls_server);
  error_code code;
  tls->context.use_certificate_chain(asio::buffer(chain.value()), code);
  if (code) return Error{fmt::format("{}: this is no certificate in PEM form", certificate)};
  // Without this OpenSSL would ask whoever sits at the terminal.
  tls->context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); }, code);
  tls->context.use_private_key(asio::buffer(secret.value()), ssl::context::pem, code);
  if (code)
    return Error{fmt::format("{}: this is no private key in PEM form, without a password, that belongs to {}", key,
                             certificate)};
  if (SSL_CTX_check_private_key(tls->context.native_handle()) != 1)
    return Error{fmt::format("{}: the key does not belong to the certificate {}", key, certificate)};
  return tls;
}

Result<std::shared_ptr<TlsContext>> tls_client(const std::string& ca_file) {
  auto tls = std::make_shared<TlsContext>(ssl::context::tls_client);
  error_code code;
  if (ca_file.empty()) {
    tls->context.set_default_verify_paths(code);
  } else {
    const Result<std::string> authority = read_file(ca_file);
    if (!authority) return authority.error();
    tls->context.add_certificate_authority(asio::buffer(authority.value()), code);
  }
  if (code) return Error{fmt::format("{}: this is no certificate in PEM form", ca_file)};
  tls->context.set_verify_mode(ssl::verify_peer, code);
  return tls;
}

TlsRelay::TlsRelay() : work_(asio::make_work_guard(io_)), thread_([this] { io_.run(); }) {}

TlsRelay::~TlsRelay() {
  io_.stop();
  thread_.join();
}

void TlsRelay::accept(std::shared_ptr<TlsContext> context, tcp::socket peer, asio::io_context& io,
                      std::shared_ptr<void> held, Ready ready) {
  error_code code;
  const tcp protocol = peer.local_endpoint(code).protocol();
  const auto handle = peer.release(code);
  if (code) return ready(Error{code.message()});
  const auto passage = std::make_shared<Passage>(io_, std::move(context), std::move(held));
  asio::post(io_,
             [=, &io, ready = std::move(ready)]() mutable { passage->accept(handle, protocol, io, std::move(ready)); });
}

Result<Plain> TlsRelay::connect(std::shared_ptr<TlsContext> context, const std::string& host, int port,
                                std::chrono::milliseconds timeout, asio::io_context& io) {
  const auto passage = std::make_shared<Passage>(io_, std::move(context), nullptr);
  std::promise<Result<Plain>> promise;
  std::future<Result<Plain>> reached = promise.get_future();
  asio::post(io_, [&] {
    passage->connect(host, port, timeout, io, [&promise](Result<Plain> plain) { promise.set_value(std::move(plain)); });
  });
  return reached.get();
}

}  // namespace rival::serve
