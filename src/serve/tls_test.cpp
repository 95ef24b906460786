#include "serve/tls.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>
#include <thread>

#include "base/file.hpp"
#include "serve/client.hpp"
#include "serve/load.hpp"
#include "serve/sample_certificate.hpp"
#include "serve/sample_server.hpp"

namespace rival::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;

std::shared_ptr<TlsContext> of_server(const SampleCertificate& sample) {
  return tls_server(sample.certificate(), sample.key()).value();
}

// A client without any of our code.
class Browser {
 public:
  Browser(int port, ssl::context::method method = ssl::context::tls_client) : context_(method), stream_(io_, context_) {
    stream_.next_layer().connect({asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
    stream_.handshake(ssl::stream_base::client, code);
  }
  // The answer; then the connection is ended by both.
  http::response<http::string_body> get(const std::string& path) {
    http::request<http::string_body> request(http::verb::get, path, 11);
    request.set(http::field::host, "127.0.0.1");
    http::write(stream_, request, code);
    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(stream_, buffer, response, code);
    return response;
  }
  ssl::stream<tcp::socket>& stream() { return stream_; }

  beast::error_code code;

 private:
  asio::io_context io_;
  ssl::context context_;
  ssl::stream<tcp::socket> stream_;
};

class Tls : public testing::Test {
 protected:
  ServerOptions options(std::string token = "") { return {.token = std::move(token), .tls = of_server(sample_)}; }
  std::string address(const Running& server) { return "https://127.0.0.1:" + std::to_string(server.port()); }
  BotServer::Options trusting() { return {.token = {}, .ca_file = sample_.certificate()}; }

  SampleCertificate sample_;
};

TEST_F(Tls, CarriesHttp) {
  Running server(options());
  Browser browser(server.port());
  ASSERT_FALSE(browser.code) << browser.code.message();
  EXPECT_EQ(browser.get("/livez").result(), http::status::ok);
  EXPECT_NE(browser.get("/bots").body().find("sample"), std::string::npos) << "on the same connection";
  browser.stream().shutdown(browser.code);
  EXPECT_FALSE(browser.code) << "both have said that it ends: " << browser.code.message();
}

TEST_F(Tls, CarriesTicksOfAnySize) {
  Running server(options());
  BotServer client = BotServer::connect(address(server), trusting()).value();
  const SessionInfo session = client.open("sample", 60'000).value();
  Inference alone(sample_bot().bot, 3, Precision::f32);
  const SampleRows few(3, 1), many(60'000, 2);  // two megabytes each way
  const Result<Actions> acted = client.act(session, few.seats, few.observations, few.masks);
  ASSERT_TRUE(acted) << acted.error().message;
  const std::vector<int> places = {0, 1, 2};
  std::vector<std::int32_t> choices(6);
  std::vector<float> values(3);
  alone.act({places, few.observations.data(), few.masks.data(), places.data()}, Key(1), 0, choices.data(),
            values.data());
  EXPECT_EQ(acted.value().choices, choices);
  std::vector<std::uint32_t> ticks;
  for (int n = 0; n < 8; ++n) ticks.push_back(client.ask(session, many.seats, many.observations, many.masks).value());
  for (const std::uint32_t tick : ticks) {
    const Result<Actions> answer = client.answer(session, tick);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer.value().choices.size(), 120'000u);
  }
}

TEST_F(Tls, ClientsTrustNoOther) {
  Running server(options());
  const auto error = [&](const std::string& where, const std::string& ca_file) {
    const Result<BotServer> connected = BotServer::connect(where, {.token = {}, .ca_file = ca_file});
    return connected ? "" : connected.error().message;
  };
  EXPECT_EQ(error(address(server), sample_.certificate()), "");
  EXPECT_EQ(error(address(server), ""), address(server) + ": its certificate is not trusted: self-signed certificate");
  const SampleCertificate other;
  EXPECT_NE(error(address(server), other.certificate()).find("is not trusted"), std::string::npos);
  const std::string by_name = "https://localhost:" + std::to_string(server.port());
  EXPECT_NE(error(by_name, sample_.certificate()).find("is not trusted"), std::string::npos) << "it is for 127.0.0.1";
  EXPECT_EQ(error(address(server), sample_.key()), sample_.key() + ": this is no certificate in PEM form");
  Running plain;
  EXPECT_NE(error(address(plain), sample_.certificate()).find("no connection by TLS can be made"), std::string::npos);
  EXPECT_FALSE(BotServer::connect(server.address())) << "http:// to a server that speaks TLS";
}

TEST_F(Tls, WaitsForNoServerForEver) {
  asio::io_context io;
  tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
  const std::string where = "https://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  const Result<BotServer> server =
      BotServer::connect(where, {.timeout = std::chrono::milliseconds(100), .ca_file = sample_.certificate()});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().message, where + ": no answer within 100 ms");
}

TEST_F(Tls, WhoDoesNotSpeakItHarmsNobody) {
  Running server(options());
  BotServer client = BotServer::connect(address(server), trusting()).value();
  const SessionInfo session = client.open("sample").value();
  const SampleRows rows(1, 1);
  asio::io_context io;
  std::vector<tcp::socket> stalled;
  for (int n = 0; n < 30; ++n) {
    tcp::socket socket(io);
    socket.connect({asio::ip::address_v4::loopback(), static_cast<unsigned short>(server.port())});
    beast::error_code ignored;
    if (n % 3 == 1) asio::write(socket, asio::buffer("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", 33), ignored);
    if (n % 3 == 2)
      asio::write(socket, asio::buffer("\x16\x03\x01\x02\x00\x01", 6), ignored);  // the first of a handshake
    stalled.push_back(std::move(socket));
    Browser left(server.port());  // and whoever leaves without a word
  }
  EXPECT_TRUE(client.act(session, rows.seats, rows.observations));
  const Result<BotServer> another = BotServer::connect(address(server), trusting());
  EXPECT_TRUE(another) << another.error().message;
  for (int i = 0; i < 500 && server.metrics().find("rival_refused_total{reason=\"tls\"}") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_NE(server.metrics().find("rival_refused_total{reason=\"tls\"}"), std::string::npos) << server.metrics();
}

TEST_F(Tls, ConnectionsThatShakeHandsCount) {
  ServerOptions few = options();
  few.most_connections = 2;
  Running server(few);
  asio::io_context io;
  const tcp::endpoint place(asio::ip::address_v4::loopback(), static_cast<unsigned short>(server.port()));
  std::optional<tcp::socket> one(tcp::socket{io}), two(tcp::socket{io});
  one->connect(place), two->connect(place);
  BotServer::Options quick = trusting();
  EXPECT_FALSE(BotServer::connect(address(server), quick));
  one.reset(), two.reset();
  bool connected = false;
  for (int i = 0; i < 200 && !connected; ++i) {
    connected = BotServer::connect(address(server), quick).ok();
    if (!connected) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(connected) << "those that have gone are not counted for ever";
}

TEST_F(Tls, ThereAreDescriptorsForAllConnections) {
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  if (usual.rlim_max < 3000) GTEST_SKIP() << "skipped: fewer files may be open here (ulimit -Hn)";
  rlimit few = usual;
  few.rlim_cur = 512;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  ServerOptions many = options();
  many.most_connections = 800;
  Running server(many);
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_GT(few.rlim_cur, 3u * 800);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
}

TEST_F(Tls, OldVersionsAreRefused) {
  Running server(options());
  EXPECT_TRUE(Browser(server.port(), ssl::context::tlsv11_client).code);
  EXPECT_FALSE(Browser(server.port(), ssl::context::tlsv12_client).code);
  EXPECT_FALSE(Browser(server.port(), ssl::context::tlsv13_client).code);
}

TEST_F(Tls, WantsTokensAsEver) {
  const std::string token = "a-secret-of-some-length";
  Running server(options(token));
  EXPECT_EQ(Browser(server.port()).get("/bots").result(), http::status::unauthorized);
  BotServer::Options shows = trusting();
  EXPECT_FALSE(BotServer::connect(address(server), shows));
  shows.token = token;
  EXPECT_TRUE(BotServer::connect(address(server), shows));
  Directory directory([](const std::string&) { return sample_bot(); });
  ServerOptions open = options();
  open.host = "0.0.0.0", open.port = 0;
  EXPECT_FALSE(Server::listen(directory, open));
}

TEST_F(Tls, AReloadTakesTheNewCertificate) {
  std::atomic<int> reloaded{0}, failed{0};
  ServerOptions with = options();
  with.log = [&](const std::string& line) {
    reloaded += line.find("\"reloaded\"") != std::string::npos;
    failed += line.find("\"reload failed\"") != std::string::npos;
  };
  with.renew = [this]() -> Result<Renewal> {
    const auto tls = tls_server(sample_.certificate(), sample_.key());
    if (!tls) return tls.error();
    return Renewal{{.port = 0, .tls = tls.value()}, {{"sample", "x"}}};
  };
  Running server(with);
  BotServer before = BotServer::connect(address(server), trusting()).value();
  const SessionInfo session = before.open("sample").value();
  sample_.renew();
  EXPECT_FALSE(BotServer::connect(address(server), trusting())) << "not yet";
  const auto reload = [&](const std::atomic<int>& outcome) {
    server.reload();
    for (int i = 0; i < 500 && outcome == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return outcome == 1;
  };
  ASSERT_TRUE(reload(reloaded));
  EXPECT_TRUE(BotServer::connect(address(server), trusting()));
  const SampleRows rows(1, 1);
  EXPECT_TRUE(before.act(session, rows.seats, rows.observations)) << "who is connected stays so";

  // A broken one leaves things as they are.
  const TemporaryFolder folder;
  BotServer::Options trusting_it = trusting();
  trusting_it.ca_file = folder.file("copy.pem");
  ASSERT_TRUE(write_file_atomically(trusting_it.ca_file, read_file(sample_.certificate()).value()));
  ASSERT_TRUE(write_file_atomically(sample_.certificate(), "nonsense"));
  ASSERT_TRUE(reload(failed));
  EXPECT_TRUE(BotServer::connect(address(server), trusting_it));
  EXPECT_TRUE(before.act(session, rows.seats, rows.observations));
}

TEST_F(Tls, WrongFilesAreNamed) {
  const TemporaryFolder folder;
  const auto error = [](const std::string& certificate, const std::string& key) {
    const auto made = tls_server(certificate, key);
    return made ? "" : made.error().message;
  };
  const std::string certificate = sample_.certificate(), key = sample_.key(), none = folder.file("none");
  EXPECT_EQ(error(certificate, key), "");
  EXPECT_NE(error(none, key).find(none), std::string::npos);
  EXPECT_NE(error(certificate, none).find(none), std::string::npos);
  EXPECT_EQ(error(key, key), key + ": this is no certificate in PEM form");
  EXPECT_TRUE(error(certificate, certificate).starts_with(certificate + ": this is no private key in PEM form"));
  const SampleCertificate other;
  EXPECT_TRUE(error(certificate, other.key()).starts_with(other.key() + ": "));
  EXPECT_NE(error(certificate, other.key()).find("belong"), std::string::npos);
  const std::string locked = folder.file("locked.pem");
  ASSERT_EQ(
      std::system(
          ("openssl ec -in '" + key + "' -aes128 -passout pass:secret -out '" + locked + "' 2>/dev/null").c_str()),
      0);
  EXPECT_NE(error(certificate, locked).find("without a password"), std::string::npos) << error(certificate, locked);
  EXPECT_NE(tls_client(none).error().message.find(none), std::string::npos);
}

TEST_F(Tls, BearsALoad) {
  Running server(options());
  const Result<LoadResult> put = put_load({.port = server.port(),
                                           .tls = tls_client(sample_.certificate()).value(),
                                           .bot = "sample",
                                           .bots = 90,
                                           .bots_a_server = 20,
                                           .rate = 20,
                                           .seconds = 1,
                                           .budget_ms = 5000});
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(put.value().decisions, 90 * 20);
  EXPECT_EQ(put.value().missed, 0);
}

TEST_F(Tls, ServersMayEndMeanwhile) {
  for (int round = 0; round < 15; ++round) {
    auto server = std::make_unique<Running>(options());
    const std::string where = address(*server);
    std::thread clients([&] {
      for (int n = 0; n < 4; ++n) (void)BotServer::connect(where, trusting()).ok();
    });
    std::this_thread::sleep_for(std::chrono::microseconds(500 * round));
    server.reset();
    clients.join();
  }
}

}  // namespace
}  // namespace rival::serve
