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

// Seat 1 leaves: who plays on has seen what it saw, as late as it does, and remembers it.
TEST(BotServer, ABotPlaysOnForWhoIsWatched) {
  Running running;
  BotServer server = BotServer::connect(running.address()).value();
  const Result<SessionInfo> watched = server.watch("sample", 2);
  ASSERT_TRUE(watched) << watched.error().message;
  const Hosted late = sample_bot(2, 2);
  Inference there(late.bot, 1);
  DelayLine delay(1, 5, 2);
  std::vector<std::int32_t> choices(4), expected(2);
  std::vector<float> values(2), value(1);
  const int first = 0;
  const auto decide = [&](int tick, const SampleRows& rows) {
    there.act({{&first, 1}, delay.shown(0, tick, rows.observations.data() + 5), rows.masks.data(), &first}, Key(1), 0,
              expected.data(), value.data());
  };
  for (int tick = 0; tick < 6; ++tick) {
    const SampleRows rows(2, static_cast<std::uint64_t>(tick));
    decide(tick, rows);
    choices = {1, 0, expected[0], expected[1]};  // seat 1 plays as that bot, cold
    ASSERT_TRUE(server.saw(watched.value(), rows.seats, rows.observations, rows.masks, choices, values));
  }
  const Result<Substituted> told = server.substitute(watched.value(), 1);
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_EQ(told.value().belief.rating, 1300);
  EXPECT_EQ(told.value().belief.decisions, 6);
  EXPECT_LT(told.value().belief.interval.low, 1300) << "six decisions leave doubt";
  const Result<Substituted> recorded = server.substitute(watched.value(), 1, RatingEstimate{1000, 0});
  ASSERT_TRUE(recorded) << recorded.error().message;
  EXPECT_EQ(recorded.value().belief.rating, 1000);
  EXPECT_EQ(recorded.value().session.bot, "sample@1000");

  const SessionInfo session = server.substitute(watched.value(), 1, RatingEstimate{1300, 0}).value().session;
  EXPECT_EQ(session.bot, "sample@1300");
  EXPECT_EQ(session.seats, 1);
  for (int tick = 6; tick < 9; ++tick) {
    const SampleRows rows(2, static_cast<std::uint64_t>(tick));
    decide(tick, rows);
    const std::uint32_t seat = 0;
    const Result<Actions> acted =
        server.act(session, {&seat, 1}, std::span(rows.observations).subspan(5), std::span(rows.masks).subspan(6));
    ASSERT_TRUE(acted) << acted.error().message;
    EXPECT_EQ(acted.value().choices, expected) << tick;
    EXPECT_EQ(acted.value().values, value) << tick;
  }
  EXPECT_TRUE(server.close(session)) << "the player is back";
  EXPECT_TRUE(server.forget(watched.value()));
  EXPECT_EQ(server.substitute(watched.value(), 1).value().belief.decisions, 6) << "how it plays stays known";
  EXPECT_TRUE(server.close(watched.value()));
}

TEST(BotServer, WatchingGoesWrongInWords) {
  Running running;
  BotServer server = BotServer::connect(running.address()).value();
  EXPECT_NE(server.watch("simple", 2).error().message.find("did you mean 'sample'"), std::string::npos);
  const SessionInfo watched = server.watch("sample", 2).value(), played = server.open("sample").value();
  EXPECT_NE(server.substitute(watched, 2).error().message.find("seats 0 to 1"), std::string::npos);
  EXPECT_NE(server.substitute(played, 0).error().message.find("none that is watched"), std::string::npos);
  EXPECT_NE(server.act(watched, SampleRows(2, 1).seats, SampleRows(2, 1).observations)
                .error()
                .message.find("it has no actions"),
            std::string::npos);
  EXPECT_EQ(running.totals().sessions, 1);
  EXPECT_TRUE(server.close(watched));
  EXPECT_FALSE(server.substitute(watched, 0));
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
