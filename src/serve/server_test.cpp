#include "serve/server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/json.hpp"
#include "serve/load.hpp"
#include "serve/sample_http.hpp"
#include "serve/sample_server.hpp"

namespace rival::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using Json = nlohmann::ordered_json;

// A game server, of which each call waits.
class Client {
 public:
  explicit Client(int port, const std::string& token = "", const std::string& origin = "",
                  const std::string& host = "127.0.0.1")
      : stream_(io_) {
    beast::get_lowest_layer(stream_).connect(
        tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)));
    stream_.set_option(websocket::stream_base::decorator([=](websocket::request_type& request) {
      if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
      if (!origin.empty()) request.set(http::field::origin, origin);
    }));
    stream_.handshake(host, "/v1/play", code);
  }

  void say(const std::string& text, bool binary = false) {
    stream_.binary(binary);
    stream_.write(asio::buffer(text), code);
  }
  std::string hear() {
    std::string text;
    auto buffer = asio::dynamic_buffer(text);
    stream_.read(buffer, code);
    return text;
  }
  Json wish(const Json& what) {
    say(json_text(what));
    return Json::parse(hear(), nullptr, false);
  }
  // The choices of the answer.
  std::vector<std::int32_t> act(std::uint32_t session, const SampleRows& rows, std::uint32_t budget = 0) {
    say(rows.frame(session, 5, budget), true);
    const std::string answer = hear();
    const Result<AnswerView> view = read_answer(answer, sample_bot().sizes);
    EXPECT_TRUE(view) << answer;
    if (!view) return {};
    EXPECT_EQ(view.value().header.tick, 5u);
    return {view.value().choices.begin(), view.value().choices.end()};
  }
  void vanish() { beast::get_lowest_layer(stream_).close(); }

  beast::error_code code;

 private:
  asio::io_context io_;
  websocket::stream<tcp::socket> stream_;
};

http::response<http::string_body> get(int port, const std::string& path, const std::string& token = "",
                                      http::verb verb = http::verb::get) {
  return http_ask(port, verb, path, "",
                  token.empty() ? HttpFields{} : HttpFields{{"Authorization", "Bearer " + token}});
}

TEST(Server, PlaysSessions) {
  Running server;
  Client client(server.port());
  const Json opened = client.wish({{"open", "sample"}, {"seats", 3}, {"id", "a"}});
  EXPECT_EQ(opened["opened"], 1);
  EXPECT_EQ(opened["id"], "a");
  EXPECT_EQ(opened["game"], "sample");
  EXPECT_EQ(opened["observation"], 5);
  EXPECT_EQ(opened["parts"][1]["choices"], 2);
  EXPECT_EQ(opened["values"], 1);
  EXPECT_TRUE(opened["memory"].get<bool>());
  EXPECT_EQ(client.wish({{"open", "sample"}})["opened"], 2);
  const SampleRows rows(3, 1);
  const std::vector<std::int32_t> first = client.act(1, rows);
  ASSERT_EQ(first.size(), 6u);
  for (std::size_t i = 0; i < 6; i += 2) EXPECT_GT(first[i], 0) << "choice 0 is masked";
  client.act(1, SampleRows(3, 2));
  EXPECT_EQ(client.wish({{"forget", 1}}), Json({{"forgotten", 1}}));
  EXPECT_EQ(client.act(1, rows), first);
  EXPECT_TRUE(soon([&] { return server.totals().decisions == 9; }));
  EXPECT_EQ(server.totals().sessions, 2);
  EXPECT_EQ(server.totals().seats, 4);
  EXPECT_EQ(client.wish({{"close", 1}}), Json({{"closed", 1}}));
  client.vanish();
  EXPECT_TRUE(soon([&] { return server.totals().sessions == 0 && server.totals().connections == 0; }));
}

TEST(Server, ErrorsNameTheThingAndTheConnectionGoesOn) {
  Running server({.most_seats = 10});
  Client client(server.port());
  const auto error = [&](const Json& wish) { return client.wish(wish)["error"].get<std::string>(); };
  EXPECT_EQ(error({{"open", "simple"}}), "unknown bot 'simple'; did you mean 'sample'? Known: sample");
  EXPECT_EQ(error({{"open", "sample"}, {"seats", 11}}), "11 seats are more than are free: 10");
  EXPECT_EQ(error({{"open", "sample"}, {"seats", 0}}), "'seats' is a whole number of at least 1");
  EXPECT_EQ(error({{"open", 3}}), "'open' is the name of a bot");
  EXPECT_EQ(error({{"open", "sample"}, {"fallback", {0}}}), "'fallback' is a list of 2 choices");
  EXPECT_EQ(error({{"open", "sample"}, {"fallback", {0, 2}}}), "'fallback': 'other' has choices 0 to 1");
  EXPECT_EQ(error({{"close", 1}}), "'close': there is no such session");
  EXPECT_EQ(error({{"forget", "x"}}), "'forget': there is no such session");
  EXPECT_EQ(error(Json::object()), "a message has one of 'open', 'watch', 'substitute', 'forget' and 'close'");
  EXPECT_EQ(error(Json::array()), "a text message is a JSON object");
  for (const int depth : {40, 20'000}) {  // what comes back is no deeper than can be written
    client.say(R"({"open": "sample", "id": )" + std::string(depth, '[') + std::string(depth, ']') + "}");
    EXPECT_EQ(Json::parse(client.hear(), nullptr, false)["error"],
              "a text message: objects and lists are more than 32 deep");
  }
  EXPECT_EQ(error({{"open", std::string(100'000, 'x')}}), "a text message of 100011 bytes: at most 65536 are possible");
  client.wish({{"open", "sample"}, {"seats", 3}});
  EXPECT_EQ(error({{"forget", 1}, {"seats", {3}}}), "'seats': the session has seats 0 to 2");

  SampleRows rows(3, 1);
  rows.observations[0] = INFINITY;
  client.say(rows.frame(1, 77), true);
  const Json wrong = Json::parse(client.hear(), nullptr, false);
  EXPECT_EQ(wrong["error"], "row 0 (seat 0): observation[0] is inf");
  EXPECT_EQ(wrong["session"], 1);
  EXPECT_EQ(wrong["tick"], 77);
  client.say(rows.frame(9, 78), true);
  EXPECT_EQ(Json::parse(client.hear(), nullptr, false)["error"],
            "there is no such session: it may have expired, or was closed");
  EXPECT_EQ(client.act(1, SampleRows(3, 1)).size(), 6u);

  // But not for ever.
  Client flood(server.port());
  int answers = 0;
  while (!flood.code && answers < 1000) flood.wish("nonsense"), ++answers;
  EXPECT_EQ(flood.code, websocket::error::closed);
  EXPECT_LT(answers, 150);
  EXPECT_EQ(client.act(1, SampleRows(3, 1)).size(), 6u) << "others are not harmed";
}

// A substitute that is asked for before the server knows that there is none: both wishes are answered.
TEST(Server, EveryWishIsAnsweredWhereNobodyCanBeWatched) {
  Running running({}, [](const std::string&) { return Error{"the run has no ladder"}; });
  Client client(running.port());
  client.say(json_text(Json{{"watch", "sample"}, {"seats", 2}, {"id", "w"}}));
  client.say(json_text(Json{{"substitute", 1}, {"seat", 0}, {"id", "s"}}));
  std::map<std::string, std::string> errors;
  for (int n = 0; n < 2; ++n) {
    const Json said = Json::parse(client.hear(), nullptr, false);
    errors[said["id"]] = said["error"];
  }
  EXPECT_EQ(errors["w"], "the run has no ladder");
  EXPECT_NE(errors["s"].find("there is no such session"), std::string::npos) << errors["s"];
}

TEST(Server, WantsItsTokenAndNoPagesOfOthers) {
  const std::string token = "a-secret-of-some-length";
  Running server({.token = token});
  EXPECT_EQ(get(server.port(), "/livez").result(), http::status::ok);
  EXPECT_EQ(get(server.port(), "/readyz").result(), http::status::ok);
  EXPECT_EQ(get(server.port(), "/").result(), http::status::ok);
  for (const char* path : {"/bots", "/metrics"}) {
    EXPECT_EQ(get(server.port(), path).result(), http::status::unauthorized) << path;
    EXPECT_EQ(get(server.port(), path, token + "x").result(), http::status::unauthorized) << path;
    EXPECT_EQ(get(server.port(), path, "a-secret-of-some-lengtH").result(), http::status::unauthorized) << path;
    EXPECT_EQ(get(server.port(), path, token).result(), http::status::ok) << path;
  }
  EXPECT_EQ(get(server.port(), "/nothing", token).result(), http::status::not_found);
  EXPECT_EQ(get(server.port(), "/bots", token, http::verb::post).result(), http::status::method_not_allowed);
  EXPECT_EQ(get(server.port(), "/v1/play", token).result(), http::status::upgrade_required);
  EXPECT_EQ(Client(server.port()).code, websocket::error::upgrade_declined);
  EXPECT_EQ(Client(server.port(), token, "http://elsewhere.example").code, websocket::error::upgrade_declined);
  EXPECT_FALSE(Client(server.port(), token, "http://127.0.0.1").code);
  EXPECT_EQ(Client(server.port(), token, "http://rebound.example", "rebound.example").code,
            websocket::error::upgrade_declined);

  Directory directory([](const std::string&) { return sample_bot(); });
  const auto open = Server::listen(directory, {.host = "0.0.0.0", .port = 0});
  ASSERT_FALSE(open);
  EXPECT_NE(open.error().message.find("give --token-file"), std::string::npos);
  const auto taken = Server::listen(directory, {.port = server.port()});
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find("Address already in use"), std::string::npos) << taken.error().message;
}

TEST(Server, CountsForPrometheus) {
  Running server;
  Client client(server.port());
  client.wish({{"open", "sample"}, {"seats", 3}});
  client.act(1, SampleRows(3, 1));
  const std::string text = get(server.port(), "/metrics").body();
  for (const char* line :
       {"rival_decisions_total{bot=\"sample\",version=\"1\"} 3", "rival_seats{bot=\"sample\",version=\"1\"} 3",
        "rival_answer_seconds_bucket{bot=\"sample\",version=\"1\",le=\"0.016\"}", "rival_connections 1",
        "rival_deadlines_missed_total{bot=\"sample\",version=\"1\"} 0"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
}

TEST(Server, TellsOfSessionsThatExpire) {
  Running server({.idle = std::chrono::seconds(0)});
  Client client(server.port());
  client.say(R"({"open": "sample"})");
  client.hear();
  const Json expired = Json::parse(client.hear(), nullptr, false);
  EXPECT_EQ(expired["expired"], 1);
  EXPECT_TRUE(soon([&] { return server.totals().sessions == 0; }));
}

TEST(Server, NewSessionsTakeTheNewVersionAndOldOnesStay) {
  Running server;
  Client client(server.port());
  EXPECT_EQ(client.wish({{"open", "sample"}})["version"], "1");
  const SampleRows rows(1, 3);
  client.act(1, rows);
  client.wish({{"forget", 1}});
  server.publish(2);
  EXPECT_EQ(client.wish({{"open", "sample"}})["version"], "2");
  client.act(1, rows);
  EXPECT_TRUE(soon([&] {
    const std::string text = server.metrics();
    return text.find("rival_decisions_total{bot=\"sample\",version=\"1\"} 2") != std::string::npos &&
           text.find("rival_sessions{bot=\"sample\",version=\"2\"} 1") != std::string::npos;
  }));
}

// What a server logs, from its thread.
class Log {
 public:
  std::function<void(const std::string&)> writer() {
    return [this](const std::string& line) {
      const std::scoped_lock lock(mutex_);
      lines_.push_back(Json::parse(line, nullptr, false));
    };
  }
  // The last line of that event; null if there is none.
  Json last(const std::string& event) {
    const std::scoped_lock lock(mutex_);
    const auto line = std::find_if(lines_.rbegin(), lines_.rend(), [&](const Json& l) { return l["event"] == event; });
    return line == lines_.rend() ? Json() : *line;
  }

 private:
  std::mutex mutex_;
  std::vector<Json> lines_;
};

TEST(Server, ReloadsItsOptionsAndBots) {
  const std::string first = "a-secret-of-some-length", second = "another-secret-of-that-length";
  Log log;
  std::mutex mutex;
  Result<Renewal> next = Error{"serve.toml:3: there is something wrong"};
  ServerOptions options{.token = first, .log = log.writer()};
  options.renew = [&] {
    const std::scoped_lock lock(mutex);
    return next;
  };
  const auto renew = [&](const Result<Renewal>& with) {
    const std::scoped_lock lock(mutex);
    next = with;
  };
  Running server(options);
  Client client(server.port(), first);
  EXPECT_EQ(client.wish({{"open", "sample"}, {"seats", 2}})["opened"], 1);

  server.reload();
  ASSERT_TRUE(soon([&] { return !log.last("reload failed").is_null(); }));
  EXPECT_EQ(log.last("reload failed")["error"], "serve.toml:3: there is something wrong");
  EXPECT_EQ(get(server.port(), "/bots", first).result(), http::status::ok) << "all is as it was";

  // An address that is open to others without a token is refused as at the start, and the bots stay too.
  renew(Renewal{{.host = "0.0.0.0"}, {{"other", "x"}}});
  server.reload();
  ASSERT_TRUE(soon(
      [&] { return log.last("reload failed")["error"].get<std::string>().find("--token-file") != std::string::npos; }));
  EXPECT_EQ(get(server.port(), "/bots", first).result(), http::status::ok);
  EXPECT_EQ(client.wish({{"open", "sample"}})["opened"], 2);

  Renewal fresh{{.port = 1, .token = second, .most_seats = 4}, {{"other", "x"}}};
  fresh.options.batcher.threads = 3;
  renew(fresh);
  server.reload();
  ASSERT_TRUE(soon([&] { return !log.last("reloaded").is_null(); }));
  const Json said = log.last("reloaded");
  EXPECT_EQ(said["bots"], Json({"other"}));
  EXPECT_EQ(said["needs_restart"], Json({"port", "threads"}));
  EXPECT_EQ(json_text(said).find(second), std::string::npos) << "secrets are not logged";
  EXPECT_EQ(get(server.port(), "/bots", first).result(), http::status::unauthorized);
  EXPECT_EQ(get(server.port(), "/bots", second).result(), http::status::ok);
  // Who plays goes on, with a bot that is no more; new sessions get what is there.
  EXPECT_EQ(client.act(1, SampleRows(2, 1)).size(), 4u);
  EXPECT_EQ(client.wish({{"open", "sample"}})["error"], "unknown bot 'sample'; Known: other");
  EXPECT_EQ(client.wish({{"open", "other"}, {"seats", 2}})["error"], "2 seats are more than are free: 1");
  EXPECT_EQ(client.wish({{"open", "other"}})["opened"], 3);
}

TEST(Server, AReloadDoesNotOpenItToOthers) {
  const std::string token = "a-secret-of-some-length";
  Log log;
  ServerOptions options{.host = "0.0.0.0", .token = token, .log = log.writer()};
  options.renew = [] { return Renewal{{.host = "127.0.0.1"}, {{"sample", "x"}}}; };  // but it listens where it did
  Running server(options);
  server.reload();
  ASSERT_TRUE(soon([&] { return !log.last("reload failed").is_null(); }));
  EXPECT_NE(log.last("reload failed")["error"].get<std::string>().find("--token-file"), std::string::npos);
  EXPECT_EQ(get(server.port(), "/bots").result(), http::status::unauthorized);
  EXPECT_EQ(get(server.port(), "/bots", token).result(), http::status::ok);
}

TEST(Server, EndsWhenItsSessionsHave) {
  Running server;
  Client client(server.port()), idle(server.port());
  client.wish({{"open", "sample"}});
  idle.wish({{"close", 5}});  // an answer: it is connected
  server.end();
  EXPECT_EQ(client.hear(), R"({"draining":30})");
  idle.hear();
  EXPECT_EQ(idle.code, websocket::error::closed);
  EXPECT_EQ(client.act(1, SampleRows(1, 1)).size(), 2u);
  EXPECT_NE(client.wish({{"open", "sample"}})["error"].get<std::string>().find("about to end"), std::string::npos);
  EXPECT_EQ(client.wish({{"close", 1}}), Json({{"closed", 1}}));
  client.hear();
  EXPECT_EQ(client.code, websocket::error::closed);
  server.wait();
}

TEST(Server, MayEndWhileGameServersConnect) {
  for (int round = 0; round < 30; ++round) {
    auto server = std::make_unique<Running>();
    const LoadOptions load{.port = server->port(), .bot = "none", .bots = 1000, .bots_a_server = 50};
    std::thread loading([&] { EXPECT_FALSE(put_load(load)); });
    std::this_thread::sleep_for(std::chrono::microseconds(200 * round));
    server.reset();
    loading.join();
  }
}

TEST(Server, ClientsThatVanishAndSpeakNonsenseHarmNobody) {
  Running server({.largest_frame = 4096});
  Client good(server.port());
  good.wish({{"open", "sample"}, {"seats", 3}});
  Random random(Key(1));
  for (int n = 0; n < 60; ++n) {
    Client bad(server.port());
    bad.wish({{"open", "sample"}, {"seats", 3}});
    std::string bytes(static_cast<std::size_t>(random.below(6000)), ' ');
    for (char& c : bytes) c = static_cast<char>(random.below(256));
    if (n % 3 == 0) bytes = SampleRows(3, static_cast<std::uint64_t>(n)).frame(1, 1);
    bad.say(bytes, n % 2 == 0);
    if (n % 5 != 0) bad.vanish();
    // Half a request, or none.
    asio::io_context io;
    tcp::socket raw(io);
    raw.connect(tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<unsigned short>(server.port())));
    beast::error_code ignored;
    asio::write(raw, asio::buffer(bytes.substr(0, bytes.size() / 2)), ignored);
    if (n % 10 == 0) {
      EXPECT_EQ(good.act(1, SampleRows(3, 1)).size(), 6u);
    }
  }
  EXPECT_EQ(good.act(1, SampleRows(3, 1)).size(), 6u);
  EXPECT_TRUE(soon([&] { return server.totals().sessions == 1; }));
}

TEST(Server, AnswersUnderLoad) {
  Running server;
  const Result<LoadResult> put = put_load({.port = server.port(),
                                           .bot = "sample",
                                           .bots = 90,
                                           .bots_a_server = 20,
                                           .rate = 20,
                                           .seconds = 1,
                                           .budget_ms = 5000});
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(put.value().connections, 5);
  EXPECT_EQ(put.value().decisions, 90 * 20);
  EXPECT_EQ(put.value().missed, 0);
  EXPECT_GT(put.value().p99_ms, 0);
  EXPECT_LE(put.value().p50_ms, put.value().p99_ms);
  const Result<LoadResult> wrong = put_load({.port = server.port(), .bot = "simple"});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("did you mean 'sample'"), std::string::npos) << wrong.error().message;
}

}  // namespace
}  // namespace rival::serve
