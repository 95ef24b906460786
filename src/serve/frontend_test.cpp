// A server with a frontend of the test's own, which asks as a plug-in does.
#include "serve/frontend.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "serve/sample_server.hpp"

namespace rival::serve {
namespace {

class FakeFrontend final : public Frontend {
 public:
  explicit FakeFrontend(Ask ask) : ask_(std::move(ask)) {}
  // As a plug-in: no call is left without its answer.
  ~FakeFrontend() override {
    while (asked_ != answered_) std::this_thread::yield();
  }
  int port() const override { return 7; }
  void drain() override {}

  HttpAnswer call(HttpRequest request) { return begin(std::move(request)).get(); }
  std::future<HttpAnswer> begin(HttpRequest request) {
    const auto answer = std::make_shared<std::promise<HttpAnswer>>();
    ++asked_;
    ask_(std::move(request), [this, answer](HttpAnswer said) {
      answer->set_value(std::move(said));
      ++answered_;
    });
    return answer->get_future();
  }

 private:
  Ask ask_;
  std::atomic<int> asked_{0}, answered_{0};
};

struct FrontendTest : testing::Test {
  ServerOptions options() {
    return {.frontend = [this](Ask ask) -> Result<std::unique_ptr<Frontend>> {
      auto made = std::make_unique<FakeFrontend>(std::move(ask));
      frontend = made.get();
      return std::unique_ptr<Frontend>(std::move(made));
    }};
  }
  static HttpRequest predictions() {
    return {.method = "POST", .path = "/predictions/sample", .query = "", .headers = {}, .body = "[[1, 2, 3, 4, 5]]"};
  }
  static HttpRequest get(const std::string& path) {
    return {.method = "GET", .path = path, .query = "", .headers = {}, .body = ""};
  }

  FakeFrontend* frontend = nullptr;
};

TEST_F(FrontendTest, AsksTheEndpointsAndIsCounted) {
  const Running server(options());
  EXPECT_EQ(server.frontend_port(), 7);
  const HttpAnswer answer = frontend->call(predictions());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(nlohmann::json::parse(answer.body)[0]["choices"].size(), 2);
  EXPECT_EQ(frontend->call(get("/predictions/nobody")).status, 405);
  EXPECT_EQ(frontend->call(get("/nowhere")).status, 404);
  const std::string metrics = server.metrics();
  EXPECT_NE(metrics.find("path=\"/predictions\""), std::string::npos) << metrics;
  EXPECT_EQ(server.totals().decisions, 1);
}

TEST_F(FrontendTest, TheTokenIsAskedFor) {
  ServerOptions guarded = options();
  guarded.token = "a token that is long";
  const Running server(guarded);
  HttpRequest request = predictions();
  EXPECT_EQ(frontend->call(request).status, 401);
  request.headers["authorization"] = "Bearer a token that is wrong";
  EXPECT_EQ(frontend->call(request).status, 401);
  request.headers["authorization"] = "Bearer a token that is long";
  EXPECT_EQ(frontend->call(request).status, 200);
  EXPECT_EQ(frontend->call(get("/ping")).status, 200);
}

TEST_F(FrontendTest, ManyThreadsAtOnce) {
  const Running server(options());
  std::vector<std::thread> threads;
  std::atomic<int> answered{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int n = 0; n < 100; ++n) answered += frontend->call(predictions()).status == 200 ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 400);
}

TEST_F(FrontendTest, WhatWasAskedBeforeTheEndIsAnswered) {
  std::vector<std::future<HttpAnswer>> asked;
  {
    Running server(options());
    for (int n = 0; n < 50; ++n) asked.push_back(frontend->begin(predictions()));
    server.end();
    for (int n = 0; n < 50; ++n) asked.push_back(frontend->begin(predictions()));
    server.wait();
  }
  for (auto& answer : asked) EXPECT_EQ(answer.get().status, 200);
}

TEST_F(FrontendTest, OneThatCannotListenIsTheServersError) {
  Directory directory([](const std::string&) { return sample_bot(); });
  const auto server =
      Server::listen(directory, {.port = 0, .frontend = [](const Ask&) -> Result<std::unique_ptr<Frontend>> {
                                   return Error{"the port is taken"};
                                 }});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().message, "the port is taken");
}

}  // namespace
}  // namespace rival::serve
