#include "serve/client.hpp"

#include <gtest/gtest.h>

#include <boost/asio.hpp>

#include "serve/sample_server.hpp"

namespace rival::serve {
namespace {

const std::string kToken = "a-secret-of-some-length";

TEST(BotServer, ActsAsTheBotDoes) {
  Running running;
  Result<BotServer> server = BotServer::connect(running.address());
  ASSERT_TRUE(server) << server.error().message;
  const Result<SessionInfo> session = server->open("sample", 3);
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_EQ(session.value().game, "sample");
  EXPECT_TRUE(session.value().memory);
  EXPECT_EQ(session.value().sizes, sample_bot().sizes);
  Inference alone(sample_bot().bot, 3);
  for (std::uint64_t tick = 0; tick < 6; ++tick) {
    const SampleRows rows(3, tick);
    if (tick == 3) {
      ASSERT_TRUE(server->forget(session.value(), std::vector<std::uint32_t>{1}));
      alone.forget(1);
    }
    const Result<Actions> acted = server->act(session.value(), rows.seats, rows.observations, rows.masks);
    ASSERT_TRUE(acted) << acted.error().message;
    const std::vector<int> places = {0, 1, 2};
    std::vector<std::int32_t> choices(6);
    std::vector<float> values(3);
    alone.act({places, rows.observations.data(), rows.masks.data(), places.data()}, Key(1), 0, choices.data(),
              values.data());
    EXPECT_EQ(acted.value().choices, choices);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(acted.value().values[i], values[i], 1e-4);
    EXPECT_FALSE(acted.value().late);
    EXPECT_GT(acted.value().took.count(), 0);
  }
}

TEST(BotServer, TicksOfManySessionsAreOnTheirWayAtOnce) {
  Running running;
  BotServer server = BotServer::connect(running.address()).value();
  std::vector<SessionInfo> sessions;
  std::vector<std::uint32_t> ticks;
  for (int s = 0; s < 20; ++s) sessions.push_back(server.open("sample", 2).value());
  const SampleRows rows(2, 1);
  for (const SessionInfo& session : sessions)
    ticks.push_back(server.ask(session, rows.seats, rows.observations).value());
  std::vector<std::int32_t> first;
  for (std::size_t s = sessions.size(); s-- > 0;) {  // in any order
    const Result<Actions> acted = server.answer(sessions[s], ticks[s]);
    ASSERT_TRUE(acted) << acted.error().message;
    if (first.empty()) first = acted.value().choices;
    EXPECT_EQ(acted.value().choices, first);
  }
}

TEST(BotServer, ErrorsSayWhatTheServerSaid) {
  Running running({.token = kToken, .idle = std::chrono::seconds(1)});
  EXPECT_NE(BotServer::connect(running.address()).error().message.find("a token is needed"), std::string::npos);
  EXPECT_NE(BotServer::connect("nowhere").error().message.find("is no address of a server"), std::string::npos);
  EXPECT_NE(BotServer::connect("http://127.0.0.1:1").error().message.find("refused"), std::string::npos);
  BotServer server = BotServer::connect(running.address(), {.token = kToken}).value();
  EXPECT_NE(server.open("simple").error().message.find("did you mean 'sample'"), std::string::npos);
  const SessionInfo session = server.open("sample", 2, std::vector<std::int32_t>{1, 1}).value();
  SampleRows rows(2, 1);
  EXPECT_NE(server.act(session, rows.seats, {}).error().message.find("2 seats need 5 numbers each"), std::string::npos);
  rows.observations[5] = INFINITY;
  EXPECT_NE(server.act(session, rows.seats, rows.observations).error().message.find("row 1 (seat 1): observation[0]"),
            std::string::npos);
  EXPECT_TRUE(server.act(session, SampleRows(2, 1).seats, SampleRows(2, 1).observations)) << "others go on";
  std::this_thread::sleep_for(std::chrono::milliseconds(2300));
  EXPECT_NE(
      server.act(session, SampleRows(2, 1).seats, SampleRows(2, 1).observations).error().message.find("no tick for"),
      std::string::npos);
  const SessionInfo another = server.open("sample").value();
  EXPECT_TRUE(server.close(another));
  EXPECT_FALSE(server.close(another));
}

TEST(BotServer, HearsThatTheServerWillEnd) {
  Running running;
  BotServer server = BotServer::connect(running.address()).value();
  const SessionInfo session = server.open("sample").value();
  EXPECT_FALSE(server.draining());
  running.end();
  const SampleRows rows(1, 1);
  for (int i = 0; i < 200 && !server.draining(); ++i) ASSERT_TRUE(server.act(session, rows.seats, rows.observations));
  EXPECT_TRUE(server.draining());
  EXPECT_FALSE(server.open("sample"));
}

TEST(BotServer, DoesNotWaitForEver) {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor silent(io, {boost::asio::ip::address_v4::loopback(), 0});
  const std::string address = "http://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  const Result<BotServer> server = BotServer::connect(address, {.timeout = std::chrono::milliseconds(100)});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().message, address + ": no answer within 100 ms");
}

}  // namespace
}  // namespace rival::serve
