#include "serve/batcher.hpp"

#include <gtest/gtest.h>

#include <future>

#include "serve/sample_bot.hpp"

namespace rival::serve {
namespace {

using namespace std::chrono_literals;

struct Acted {
  bool late = false, missed = false;
  std::vector<std::int32_t> choices;
  std::vector<float> values, probabilities = {}, expected = {};
};

void decide(Batcher& batcher, const std::shared_ptr<Session>& session, const SampleRows& rows,
            std::function<void(const Answered&)> answer, std::chrono::microseconds budget = {},
            Clock::time_point arrived = Clock::now(), bool estimates = false) {
  const auto held = std::make_shared<const SampleRows>(rows);
  Asked asked{.rows = static_cast<int>(rows.seats.size()),
              .seats = held->seats,
              .observations = held->observations,
              .masks = held->masks,
              .arrived = arrived,
              .estimates = estimates};
  if (budget.count() > 0) asked.deadline = arrived + budget;
  batcher.decide(session, asked, [answer = std::move(answer), held](const Answered& what) { answer(what); });
}

std::future<Acted> ask(Batcher& batcher, const std::shared_ptr<Session>& session, const SampleRows& rows,
                       std::chrono::microseconds budget = {}, Clock::time_point arrived = Clock::now(),
                       bool estimates = false) {
  auto promise = std::make_shared<std::promise<Acted>>();
  std::future<Acted> future = promise->get_future();
  const auto answered = [promise](const Answered& answer) {
    promise->set_value({answer.late,
                        answer.missed,
                        {answer.choices.begin(), answer.choices.end()},
                        {answer.values.begin(), answer.values.end()},
                        {answer.probabilities.begin(), answer.probabilities.end()},
                        {answer.expected.begin(), answer.expected.end()}});
  };
  decide(batcher, session, rows, answered, budget, arrived, estimates);
  return future;
}

// The bot by itself: what it does in `seats` seats, one row after the other.
class Alone {
 public:
  Alone(const Hosted& bot, int seats) : inference_(bot.bot, seats) {}
  void forget(int seat) { inference_.forget(seat); }
  Acted act(const SampleRows& rows) {
    Acted acted;
    for (std::size_t row = 0; row < rows.seats.size(); ++row) {
      const int at = static_cast<int>(row), slot = static_cast<int>(rows.seats[row]);
      std::vector<std::int32_t> choices(2 * rows.seats.size());
      std::vector<float> values(rows.seats.size());
      inference_.act({{&at, 1}, rows.observations.data(), rows.masks.data(), &slot}, Key(1), 0, choices.data(),
                     values.data());
      acted.choices.insert(acted.choices.end(), {choices[2 * row], choices[2 * row + 1]});
      acted.values.push_back(values[row]);
    }
    return acted;
  }

 private:
  Inference inference_;
};

void expect_same(const Acted& a, const Acted& b) {
  EXPECT_EQ(a.choices, b.choices);
  ASSERT_EQ(a.values.size(), b.values.size());
  for (std::size_t i = 0; i < a.values.size(); ++i) EXPECT_NEAR(a.values[i], b.values[i], 1e-4) << i;
}

TEST(Batcher, DecidesAsTheBotDoesWithAMemoryForEverySeat) {
  for (const int threads : {1, 3}) {
    Batcher batcher({.threads = threads, .precision = Precision::f32});
    const auto bot = std::make_shared<const Hosted>(sample_bot());
    constexpr int kSessions = 5, kSeats = 4;
    std::vector<std::shared_ptr<Session>> sessions;
    std::vector<std::unique_ptr<Alone>> alone;
    for (int s = 0; s < kSessions; ++s) {
      sessions.push_back(batcher.open(bot, kSeats, {}));
      alone.push_back(std::make_unique<Alone>(*bot, kSeats));
    }
    for (std::uint64_t tick = 0; tick < 20; ++tick) {
      std::vector<std::future<Acted>> acted;
      std::vector<SampleRows> rows;
      for (int s = 0; s < kSessions; ++s) {
        rows.emplace_back(1 + static_cast<int>(tick + static_cast<std::uint64_t>(s)) % kSeats,
                          100 * tick + static_cast<std::uint64_t>(s));
        acted.push_back(ask(batcher, sessions[static_cast<std::size_t>(s)], rows.back()));
      }
      for (std::size_t s = 0; s < kSessions; ++s) expect_same(acted[s].get(), alone[s]->act(rows[s]));
    }
  }
}

TEST(Batcher, KeepsTheOrderOfASession) {
  Batcher batcher({.wait = 20ms, .precision = Precision::f32});
  const auto bot = std::make_shared<const Hosted>(sample_bot());
  const auto session = batcher.open(bot, 1, {});
  Alone alone(*bot, 1);
  std::vector<std::future<Acted>> acted;
  std::vector<SampleRows> rows;
  for (std::uint64_t n = 0; n < 10; ++n) {
    rows.emplace_back(1, n);
    acted.push_back(ask(batcher, session, rows.back()));
    if (n == 4) batcher.forget(session, {0});
  }
  for (std::size_t n = 0; n < 10; ++n) {
    expect_same(acted[n].get(), alone.act(rows[n]));
    if (n == 4) alone.forget(0);
  }
}

// Two hundred ticks of a session are computed one after the other; one of another that arrives meanwhile has its turn.
TEST(Batcher, ASessionThatAsksForMuchDoesNotHoldUpOthers) {
  Batcher batcher({.wait = std::chrono::milliseconds(50), .precision = Precision::f32});
  const auto bot = std::make_shared<const Hosted>(sample_bot());
  const auto much = batcher.open(bot, 1, {}), little = batcher.open(bot, 1, {});
  const SampleRows rows(1, 1);
  constexpr int kTicks = 200;
  int answers = 0, others = 0, before = -1;  // of the batcher's thread
  std::promise<void> all;
  for (int n = 0; n < kTicks; ++n)
    decide(batcher, much, rows, [&, n](const Answered&) {
      if (n == 0)
        decide(batcher, little, rows, [&](const Answered&) {
          before = answers;
          ++others;
        });
      if (++answers == kTicks) all.set_value();
    });
  all.get_future().wait();
  EXPECT_EQ(others, 1);
  EXPECT_LE(before, 3);
}

TEST(Batcher, WhatNobodyWaitsForIsNotComputed) {
  Batcher batcher({.wait = std::chrono::milliseconds(50), .precision = Precision::f32});
  const auto bot = std::make_shared<const Hosted>(sample_bot());
  const auto session = batcher.open(bot, 1, {});
  const SampleRows rows(1, 1);
  constexpr int kTicks = 200;
  int answers = 0, computed = 0;
  std::promise<void> all;
  for (int n = 0; n < kTicks; ++n)
    decide(batcher, session, rows, [&](const Answered& answer) {
      session->abandon();
      computed += answer.abandoned ? 0 : 1;
      if (++answers == kTicks) all.set_value();
    });
  all.get_future().wait();
  EXPECT_EQ(computed, 1);
}

// A session that comes into the place of another one remembers nothing of it.
TEST(Batcher, MemoriesOfSessionsThatEndedAreGivenToOthersEmpty) {
  Batcher batcher({.precision = Precision::f32});
  const auto bot = std::make_shared<const Hosted>(sample_bot());
  const SampleRows first(3, 1), second(3, 2);
  for (int round = 0; round < 50; ++round) {
    const auto session = batcher.open(bot, 3, {});
    Alone alone(*bot, 3);
    expect_same(ask(batcher, session, first).get(), alone.act(first));
    expect_same(ask(batcher, session, second).get(), alone.act(second));
  }
}

TEST(Batcher, ASessionKeepsItsVersion) {
  Batcher batcher({.precision = Precision::f32});
  const auto old = std::make_shared<const Hosted>(sample_bot(1)),
             present = std::make_shared<const Hosted>(sample_bot(2));
  const auto before = batcher.open(old, 8, {}), after = batcher.open(present, 8, {});
  Alone old_alone(*old, 8), present_alone(*present, 8);
  int differ = 0;
  for (std::uint64_t tick = 0; tick < 10; ++tick) {
    const SampleRows rows(8, tick);
    auto a = ask(batcher, before, rows), b = ask(batcher, after, rows);
    const Acted of_old = a.get(), of_present = b.get();
    differ += of_old.choices != of_present.choices;
    expect_same(of_old, old_alone.act(rows));
    expect_same(of_present, present_alone.act(rows));
  }
  EXPECT_GT(differ, 0);
}

TEST(Batcher, WhatComesTooLateGetsTheFallbackAndIsNotRemembered) {
  Batcher batcher({.precision = Precision::f32});
  const auto bot = std::make_shared<const Hosted>(sample_bot());
  const auto plain = batcher.open(bot, 2, {}), declared = batcher.open(bot, 2, {3, 1}),
             forbidden = batcher.open(bot, 2, {0, 1});
  Alone alone(*bot, 2);
  const SampleRows rows(2, 1), others(2, 2);
  const Clock::time_point long_ago = Clock::now() - 1s;
  const Acted late = ask(batcher, plain, others, 1ms, long_ago).get();
  EXPECT_TRUE(late.late);
  EXPECT_TRUE(late.missed);
  EXPECT_EQ(late.choices, (std::vector<std::int32_t>{1, 0, 1, 0}));  // the first that is allowed
  EXPECT_EQ(late.values, (std::vector<float>{0, 0}));
  EXPECT_EQ(ask(batcher, declared, rows, 1ms, long_ago).get().choices, (std::vector<std::int32_t>{3, 1, 3, 1}));
  EXPECT_EQ(ask(batcher, forbidden, rows, 1ms, long_ago).get().choices, (std::vector<std::int32_t>{1, 1, 1, 1}));
  const Acted in_time = ask(batcher, plain, rows, 5s).get();
  EXPECT_FALSE(in_time.late);
  EXPECT_FALSE(in_time.missed);
  expect_same(in_time, alone.act(rows));
}

// A burst whose time is over before it begins does not make late what comes after it.
TEST(Batcher, IsInTimeAgainOnceThereIsTime) {
  Batcher batcher({.precision = Precision::f32});
  const auto session = batcher.open(std::make_shared<const Hosted>(sample_bot()), 256, {});
  const SampleRows many(256, 1);
  int late = 0;
  for (int n = 0; n < 50; ++n) late += ask(batcher, session, many, 1us).get().late;  // a microsecond is not enough
  EXPECT_GT(late, 25);
  late = 0;
  for (int n = 0; n < 50; ++n) late += ask(batcher, session, many, 1s).get().late;
  EXPECT_EQ(late, 0);
}

TEST(Batcher, ABotThatReactsLaterActsOnWhatItWasShown) {
  constexpr int kDelay = 2;
  Batcher batcher({.precision = Precision::f32});
  const auto bot = std::make_shared<const Hosted>(sample_bot(1, kDelay));
  const auto session = batcher.open(bot, 2, {});
  Alone alone(*bot, 2);
  for (std::uint64_t tick = 0; tick < 10; ++tick)
    expect_same(ask(batcher, session, SampleRows(2, tick)).get(),
                alone.act(SampleRows(2, tick < kDelay ? 0 : tick - kDelay)));
}

TEST(Batcher, RowsWithoutASeatBeginWithAnEmptyMemory) {
  Batcher batcher({.threads = 2, .precision = Precision::f32});
  const auto bot = std::make_shared<const Hosted>(sample_bot());
  const auto seatless = batcher.open(bot, 0, {}), seated = batcher.open(bot, 3, {});
  Alone alone(*bot, 3);
  const SampleRows rows(3, 1);
  const Acted fresh = alone.act(rows);
  expect_same(ask(batcher, seated, rows).get(), fresh);
  std::vector<std::future<Acted>> asked;
  for (int n = 0; n < 20; ++n) asked.push_back(ask(batcher, seatless, rows));
  for (std::future<Acted>& one : asked) expect_same(one.get(), fresh);
  expect_same(ask(batcher, seated, rows).get(), alone.act(rows));  // whose memory nobody else had
  const auto reacts = batcher.open(std::make_shared<const Hosted>(sample_bot(1, 2)), 0, {});
  for (int n = 0; n < 3; ++n) expect_same(ask(batcher, reacts, rows).get(), fresh);
}

// With the decisions, from the same memories, and without moving them twice.
TEST(Batcher, GivesProbabilitiesAndExpectedReturns) {
  Batcher batcher({.precision = Precision::f32});
  const auto bot = std::make_shared<const Hosted>(sample_bot());
  const auto session = batcher.open(bot, 7, {});
  Alone alone(*bot, 7);
  Inference inference(bot->bot, 7);
  std::vector<int> places(7);
  for (int i = 0; i < 7; ++i) places[static_cast<std::size_t>(i)] = i;
  for (std::uint64_t tick = 0; tick < 3; ++tick) {
    const SampleRows rows(7, tick);
    const InferenceRows in{places, rows.observations.data(), rows.masks.data(), places.data()};
    std::vector<float> probabilities(7 * 6), expected(7), values(7);
    std::vector<std::int32_t> choices(7 * 2);
    inference.probabilities(in, 1, probabilities.data());
    inference.values(in, expected.data());
    inference.act(in, Key(1), 0, choices.data(), values.data());
    const Acted acted = ask(batcher, session, rows, {}, Clock::now(), true).get();
    expect_same(acted, alone.act(rows));
    ASSERT_EQ(acted.probabilities.size(), probabilities.size());
    ASSERT_EQ(acted.expected.size(), expected.size());
    for (std::size_t i = 0; i < probabilities.size(); ++i)
      EXPECT_NEAR(acted.probabilities[i], probabilities[i], 1e-4) << i;
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(acted.expected[i], expected[i], 1e-4) << i;
  }
  EXPECT_TRUE(ask(batcher, session, SampleRows(7, 1)).get().probabilities.empty());
}

TEST(Batcher, SessionsMayOutliveIt) {
  std::shared_ptr<Session> session;
  std::future<Acted> acted;
  {
    Batcher batcher({.wait = 10s, .precision = Precision::f32});
    session = batcher.open(std::make_shared<const Hosted>(sample_bot()), 1, {});
    acted = ask(batcher, session, SampleRows(1, 1));
  }
  EXPECT_EQ(acted.get().choices.size(), 2u);  // what was asked is answered
}

TEST(Directory, ServesByNameAndReadsAgain) {
  std::uint64_t version = 1;
  bool broken = false;
  std::vector<std::string> asked;
  Directory directory([&](const std::string& typed) -> Result<Hosted> {
    asked.push_back(typed);
    if (broken) return Error{typed + " cannot be read"};
    return sample_bot(version);
  });
  ASSERT_TRUE(directory.add("runs/demo/"));
  ASSERT_TRUE(directory.add("runs/demo/bots/best.safetensors"));
  ASSERT_TRUE(directory.add("runs/demo@900", "easy"));
  EXPECT_EQ(directory.add("other/demo").error().message,
            "two bots would be called 'demo': give one another name, as in other=other/demo");
  EXPECT_EQ(directory.all().size(), 3u);
  EXPECT_EQ(directory.find("best").value()->version, "1");
  EXPECT_EQ(directory.find("hard").error().message, "unknown bot 'hard'; Known: best, demo, easy");
  EXPECT_EQ(directory.find("demo@1200").value()->name, "demo@1200");
  EXPECT_EQ(asked.back(), "runs/demo@1200");
  for (const char* path : {"demo@", "demo@x", "demo@/../other", "demo@1200/../../other"}) {
    EXPECT_FALSE(directory.find(path)) << path;
    EXPECT_EQ(asked.back(), "runs/demo@1200") << "nothing is read for " << path;
  }

  const auto held = directory.find("demo").value();
  version = 2;
  ASSERT_TRUE(directory.reload());
  EXPECT_EQ(held->version, "1");
  EXPECT_EQ(directory.find("demo").value()->version, "2");
  broken = true;
  const Result<void> failed = directory.reload();
  ASSERT_FALSE(failed);
  EXPECT_EQ(directory.find("demo").value()->version, "2");
}

TEST(Directory, ServesAnotherOfferInOneStep) {
  std::map<std::string, std::uint64_t> versions = {{"a", 1}, {"a@900", 1}, {"b", 1}, {"c", 1}};
  Directory directory([&](const std::string& typed) -> Result<Hosted> {
    if (!versions.contains(typed)) return Error{"no " + typed};
    return sample_bot(versions[typed]);
  });
  const auto names = [&] {
    std::string text;
    for (const auto& bot : directory.all()) text += bot->name + "=" + bot->version + " ";
    return text;
  };
  ASSERT_TRUE(directory.serve({{"one", "a"}, {"two", "b"}}));
  ASSERT_TRUE(directory.find("one@900"));
  EXPECT_EQ(names(), "one=1 one@900=1 two=1 ");
  const auto held = directory.find("two").value(), same = directory.find("one").value();

  // One that cannot be read: nothing has changed, not even what came before it.
  versions["a"] = 2;
  EXPECT_EQ(directory.serve({{"one", "a"}, {"two", "nowhere"}}).error().message, "no nowhere");
  EXPECT_EQ(names(), "one=1 one@900=1 two=1 ");

  versions = {{"a", 1}, {"a@900", 3}, {"c", 5}};
  ASSERT_TRUE(directory.serve({{"one", "a"}, {"three", "c"}}));
  EXPECT_EQ(names(), "one=1 one@900=3 three=5 ");
  EXPECT_EQ(directory.find("one").value(), same) << "what has not changed is the same";
  EXPECT_EQ(held->version, "1") << "who plays goes on";
  EXPECT_FALSE(directory.find("two"));

  // The name of another run now: what was asked for of the one before goes with it.
  ASSERT_TRUE(directory.serve({{"one", "c"}}));
  EXPECT_EQ(names(), "one=5 ");
  versions.erase("c");
  EXPECT_FALSE(directory.reload());
  EXPECT_EQ(names(), "one=5 ");
}

}  // namespace
}  // namespace rival::serve
