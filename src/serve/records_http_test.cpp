#include "serve/records_http.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <future>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/json.hpp"
#include "base/temporary_folder.hpp"
#include "serve/sample_server.hpp"

namespace rival::serve {
namespace {

using Json = nlohmann::ordered_json;

std::string duel(const std::string& key, const std::string& winner = "ann", const std::string& loser = "bob") {
  const auto team = [](int rank, const std::string& id) { return Json{{"rank", rank}, {"players", {{{"id", id}}}}}; };
  return json_text(Json{{"game", "chess"}, {"key", key}, {"teams", {team(1, winner), team(2, loser)}}});
}

std::future<HttpAnswer> ask_later(Endpoint& endpoint, HttpRequest request) {
  const auto promise = std::make_shared<std::promise<HttpAnswer>>();
  endpoint.answer(std::move(request), [promise](HttpAnswer answer) { promise->set_value(std::move(answer)); });
  return promise->get_future();
}

HttpAnswer ask(Endpoint& endpoint, const std::string& method, const std::string& path, const std::string& query = "",
               const std::string& body = "") {
  return ask_later(endpoint, {.method = method, .path = path, .query = query, .headers = {}, .body = body}).get();
}

HttpAnswer post(Endpoint& endpoint, const std::string& body) {
  return ask(endpoint, "POST", "/v1/records/results", "", body);
}

class RecordsHttp : public testing::Test {
 protected:
  std::shared_ptr<Endpoint> open(const RecordsOptions& options = {},
                                 std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    return records_endpoint(records::Records::open(path_, patience).value(), options);
  }
  // What goes wrong is text.
  static std::string error(const HttpAnswer& answer) {
    const Json json = Json::parse(answer.body, nullptr, false);
    return json.is_object() && json.contains("error") ? json["error"].get<std::string>() : "no error: " + answer.body;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("records.db");
};

TEST_F(RecordsHttp, FromAResultToALeaderboard) {
  const auto endpoint = open();
  EXPECT_EQ(endpoint->access("/v1/records/results"), Access::play);
  EXPECT_EQ(endpoint->access("/v1/records/whatever"), Access::play);
  EXPECT_EQ(endpoint->access("/v1/recordsx"), std::nullopt);
  EXPECT_EQ(endpoint->label("/v1/records/players/ann"), "/v1/records/players/");
  EXPECT_EQ(endpoint->label("/v1/records/whatever"), "/v1/records/");
  const std::string strange = "a/b c%ö";
  const HttpAnswer first = post(*endpoint, duel("1", strange));
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(post(*endpoint, duel("2")).status, 200);
  EXPECT_EQ(post(*endpoint, duel("1", strange)).body, first.body);
  const HttpAnswer player = ask(*endpoint, "GET", "/v1/records/players/a%2Fb%20c%25%C3%B6", "game=chess");
  ASSERT_EQ(player.status, 200) << player.body;
  EXPECT_EQ(Json::parse(player.body), Json::parse(first.body)["players"][0]);
  EXPECT_EQ(Json::parse(player.body)["wins"], 1);

  const HttpAnswer page = ask(*endpoint, "GET", "/v1/records/leaderboard", "game=chess&limit=2");
  ASSERT_EQ(page.status, 200) << page.body;
  const Json top = Json::parse(page.body);
  ASSERT_EQ(top["players"].size(), 2u);
  EXPECT_EQ(top["players"][0]["place"], 1);
  std::string next;
  for (const char c : top["next"].get<std::string>()) next += c == '%' ? "%25" : c == '/' ? "%2F" : std::string(1, c);
  const Json rest =
      Json::parse(ask(*endpoint, "GET", "/v1/records/leaderboard", "game=chess&limit=2&after=" + next).body);
  ASSERT_EQ(rest["players"].size(), 1u);
  EXPECT_EQ(rest["players"][0]["id"], "bob");
  EXPECT_EQ(rest["players"][0]["place"], 3);
  EXPECT_FALSE(rest.contains("next"));
}

TEST_F(RecordsHttp, ABotForNinePeople) {
  const auto endpoint = open();
  Json wish = Json::parse(R"({"game":"lanes","lowest":900,"highest":2000,"teams":[{"players":[],"bots":0},)"
                          R"({"players":[],"bots":1}]})");
  for (int i = 0; i < 9; ++i) wish["teams"][i < 5 ? 0 : 1]["players"].push_back({{"id", std::to_string(i)}});
  const HttpAnswer answer = ask(*endpoint, "POST", "/v1/records/match", "", json_text(wish));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json match = Json::parse(answer.body);
  EXPECT_NEAR(match["rating"].get<double>(), records::kNewRating, 1e-6);
  EXPECT_NEAR(match["teams"][1]["expected"].get<double>(), 0.5, 1e-9);
  EXPECT_LT(match["teams"][1]["low"].get<double>(), 0.2);
  EXPECT_GT(match["teams"][1]["high"].get<double>(), 0.8);
}

TEST_F(RecordsHttp, ErrorsHaveTheirNumbers) {
  const auto endpoint = open({.largest_body = 1000});
  const auto expect = [&](int status, const std::string& what, const HttpAnswer& answer) {
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_EQ(error(answer), what);
  };
  expect(400, "the result: no valid JSON", post(*endpoint, "{"));
  expect(400, "the result: 'key' must be of 1 to 128 bytes", post(*endpoint, duel("")));
  expect(413, "the body has 1001 bytes; at most 1000 are possible", post(*endpoint, std::string(1001, ' ')));
  EXPECT_EQ(post(*endpoint, duel("1")).status, 200);
  expect(409, "'key': another result was posted with the key '1' before: a new result takes a new key",
         post(*endpoint, duel("1", "bob", "ann")));
  const std::string players = "/v1/records/players/", board = "/v1/records/leaderboard";
  expect(404, "'zoe' has had no match of 'chess'", ask(*endpoint, "GET", players + "zoe", "game=chess"));
  expect(404, "'ann' has had no match of 'go'", ask(*endpoint, "GET", players + "ann", "game=go"));
  expect(404, "'' has had no match of 'go'", ask(*endpoint, "GET", players, "game=go"));
  expect(400, "'game' is missing: ?game=NAME", ask(*endpoint, "GET", players + "ann"));
  expect(400, "the player's id has a '%' without two hexadecimal digits after it",
         ask(*endpoint, "GET", players + "a%", "game=chess"));
  expect(400, "unknown parameter 'gane'; did you mean 'game'? Known: game",
         ask(*endpoint, "GET", players + "a", "gane=x"));
  expect(400, "'limit' must be a whole number from 1 to 1000, not '0'",
         ask(*endpoint, "GET", board, "game=chess&limit=0"));
  expect(400, "'after' must be what an answer before gave as 'next'",
         ask(*endpoint, "GET", board, "game=chess&after=5"));
  expect(400, "'bots' must be yes or no", ask(*endpoint, "GET", board, "game=chess&bots=1"));
  expect(405, "only GET is known", ask(*endpoint, "POST", board, "game=chess"));
  expect(405, "only POST is known", ask(*endpoint, "GET", "/v1/records/results"));
  expect(404,
         "there is no such path: /v1/records/results, /v1/records/players/ID, /v1/records/leaderboard and "
         "/v1/records/match",
         ask(*endpoint, "GET", "/v1/records/player"));
  expect(400, "the match: 'game' is missing", ask(*endpoint, "POST", "/v1/records/match", "", "{}"));
}

TEST_F(RecordsHttp, ManyWhoPostTheSameAtOnceGetOneAnswer) {
  const auto endpoint = open();
  constexpr int kThreads = 8, kKeys = 12;
  std::vector<std::vector<std::string>> answers(kThreads, std::vector<std::string>(kKeys));
  std::vector<std::thread> threads;
  std::atomic<int> conflicts{0}, taken{0};
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kKeys; ++i) {
        answers[t][i] = post(*endpoint, duel(std::to_string(i))).body;
        // Of one key each thread has another result: one of them is taken.
        const HttpAnswer own = post(*endpoint, duel("own" + std::to_string(i), std::to_string(t)));
        ++(own.status == 409 ? conflicts : taken);
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (int t = 1; t < kThreads; ++t) EXPECT_EQ(answers[t], answers[0]);
  EXPECT_EQ(taken, kKeys);
  EXPECT_EQ(conflicts, (kThreads - 1) * kKeys);
  const Json ann = Json::parse(ask(*endpoint, "GET", "/v1/records/players/ann", "game=chess").body);
  EXPECT_EQ(ann["wins"], kKeys);
}

// Another process that holds the file.
class Lock {
 public:
  explicit Lock(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &database_), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  }
  Lock(const Lock&) = delete;
  ~Lock() { sqlite3_close(database_); }

 private:
  sqlite3* database_ = nullptr;
};

TEST_F(RecordsHttp, WhoComesToALockedFileIsTold) {
  const auto endpoint = open({}, std::chrono::milliseconds(20));
  {
    const Lock lock(path_);
    const HttpAnswer answer = post(*endpoint, duel("1"));
    EXPECT_EQ(answer.status, 503);
    EXPECT_NE(error(answer).find("another process holds it; nothing was recorded"), std::string::npos) << answer.body;
    EXPECT_EQ(ask(*endpoint, "GET", "/v1/records/players/ann", "game=chess").status, 404);
  }
  EXPECT_EQ(post(*endpoint, duel("1")).status, 200);
}

TEST_F(RecordsHttp, AFullQueueTakesNoMoreAndLosesNothing) {
  auto endpoint = open({.most_waiting = 3});
  std::vector<std::future<HttpAnswer>> answers;
  {
    const Lock lock(path_);
    for (int i = 0; i < 20; ++i)
      answers.push_back(ask_later(*endpoint, {.method = "POST",
                                              .path = "/v1/records/results",
                                              .query = {},
                                              .headers = {},
                                              .body = duel(std::to_string(i))}));
  }
  endpoint.reset();  // it answers what it was asked
  std::set<std::string> taken;
  int refused = 0;
  for (int i = 0; i < 20; ++i) {
    const HttpAnswer answer = answers[i].get();
    if (answer.status == 200) {
      taken.insert(std::to_string(i));
      continue;
    }
    ++refused;
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(error(answer), "3 requests for records wait for the disk already: try again in a second");
    EXPECT_EQ(answer.headers.at(0).second, "1");
  }
  EXPECT_GE(refused, 14) << "three wait, and three are worked off at most";
  EXPECT_GE(taken.size(), 3u);
  endpoint = open();
  const Json ann = Json::parse(ask(*endpoint, "GET", "/v1/records/players/ann", "game=chess").body);
  EXPECT_EQ(ann["matches"], taken.size());
}

// ---- over the network ----

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

http::response<http::string_body> ask(int port, http::verb verb, const std::string& target,
                                      const std::string& body = "", const std::string& token = "") {
  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  socket.connect({asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
  http::request<http::string_body> request(verb, target, 11, body);
  request.set(http::field::host, "127.0.0.1");
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  request.prepare_payload();
  http::write(socket, request);
  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(socket, buffer, response);
  return response;
}

TEST_F(RecordsHttp, TheServerAnswersToWhoShowsTheToken) {
  const std::string token = "a-secret-of-some-length";
  {
    const Running server({.token = token, .endpoints = {open()}});
    EXPECT_EQ(ask(server.port(), http::verb::post, "/v1/records/results", duel("1")).result(),
              http::status::unauthorized);
    const auto posted = ask(server.port(), http::verb::post, "/v1/records/results", duel("1"), token);
    EXPECT_EQ(posted.result(), http::status::ok) << posted.body();
    const auto again = ask(server.port(), http::verb::post, "/v1/records/results", duel("1"), token);
    EXPECT_EQ(again.body(), posted.body());
    const auto player = ask(server.port(), http::verb::get, "/v1/records/players/%61nn?game=chess", "", token);
    EXPECT_EQ(Json::parse(player.body())["matches"], 1);
    EXPECT_EQ(ask(server.port(), http::verb::get, "/v1/records/x", "", token).result(), http::status::not_found);
    const std::string metrics = server.metrics();
    EXPECT_NE(metrics.find(R"(rival_http_requests_total{path="/v1/records/results",status="200"} 2)"),
              std::string::npos)
        << metrics;
  }
  const Running without({.token = token});
  EXPECT_EQ(ask(without.port(), http::verb::post, "/v1/records/results", duel("1"), token).result(),
            http::status::not_found);
}

// Tells when it is asked.
class Watched final : public Endpoint {
 public:
  explicit Watched(std::shared_ptr<Endpoint> of) : of_(std::move(of)) {}
  std::optional<Access> access(std::string_view path) const override { return of_->access(path); }
  std::string label(std::string_view path) const override { return of_->label(path); }
  void answer(HttpRequest request, std::function<void(HttpAnswer)> reply) override {
    of_->answer(std::move(request), std::move(reply));
    asked.set_value();
  }
  std::promise<void> asked;

 private:
  std::shared_ptr<Endpoint> of_;
};

// An answer that is due when the server ends comes before the end of what it is for.
TEST_F(RecordsHttp, TheServerMayEndWhileAResultWaits) {
  const auto endpoint = open();
  for (int round = 0; round < 3; ++round) {
    const auto watched = std::make_shared<Watched>(endpoint);
    auto lock = std::make_unique<Lock>(path_);
    auto server = std::make_unique<Running>(ServerOptions{.endpoints = {watched}});
    asio::io_context io;
    asio::ip::tcp::socket socket(io);
    socket.connect({asio::ip::address_v4::loopback(), static_cast<unsigned short>(server->port())});
    const std::string body = duel(std::to_string(round));
    asio::write(socket, asio::buffer("POST /v1/records/results HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                                     std::to_string(body.size()) + "\r\n\r\n" + body));
    watched->asked.get_future().wait();
    std::thread ending([&] { server.reset(); });
    lock.reset();
    ending.join();
  }
  const Json ann = Json::parse(ask(*endpoint, "GET", "/v1/records/players/ann", "game=chess").body);
  EXPECT_EQ(ann["matches"], 3);
}

}  // namespace
}  // namespace rival::serve
