#include "agent/limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace rival {
namespace {

// Two seats at once see the step's number; seat 1 is away from step 4 to 7. Choice 3 is forbidden at every fifth step.
// Seat s's `where` counts only with the choices 1 and 2.
struct Ticks {
  int steps = 0;
  static Spec spec() {
    return {.name = "ticks",
            .description = "the time",
            .seats = 2,
            .observation = {ObservationPart::vector("now", 2)},
            .action = {ActionPart::discrete("what", 4), ActionPart::discrete("where", 3).when(0, {1, 2}),
                       ActionPart::continuous("push", 1, 0, 100)},
            .simultaneous = true,
            .seconds_per_step = 0.1f};
  }
  void reset(const Settings&, Key) { steps = 0; }
  SeatSet to_act() const { return steps >= 4 && steps <= 7 ? SeatSet::one(0) : SeatSet::first(2); }
  void observe(int seat, Observation out) const {
    out[0] = static_cast<float>(steps);
    out[1] = static_cast<float>(seat);
  }
  void legal(int, Mask mask) const {
    for (int c = 0; c < 3; ++c) mask.allow(0, c);
    if (steps % 5 != 0) mask.allow(0, 3);
    for (int c = steps % 2; c < 3; ++c) mask.allow(1, c);
  }
  void step(const Actions&, Key, Rewards) { ++steps; }
  Status status() const { return steps == 20 ? Status::finished : Status::running; }
};

// Always chooses (3, 2) and pushes by the time it saw; writes down who decided when, having seen what.
struct Diary {
  struct Entry {
    int match, seat, step, saw;
    bool operator==(const Entry&) const = default;
  };
  std::vector<Entry> entries;
  int what = 3;
};

class Writer final : public Agent {
 public:
  explicit Writer(Diary& diary) : diary_(diary) {}
  std::string name() const override { return "writer"; }
  void act(const Decisions& d, Key, std::int32_t* choices, float* values) override {
    for (int row : d.rows) {
      const float* seen = d.observations + 2 * row;
      EXPECT_EQ(seen[1], static_cast<float>(d.seats[row]));
      diary_.entries.push_back({row / 2, d.seats[row], d.batch->steps(row / 2), static_cast<int>(seen[0])});
      choices[2 * row] = d.masks[7 * row + diary_.what] ? diary_.what : 1;
      choices[2 * row + 1] = 2;
      values[row] = seen[0];
    }
  }
  bool probabilities(const Decisions& d, float* p) override {
    for (int row : d.rows) std::fill_n(p + 7 * row, 7, 0.25f);
    return true;
  }

 private:
  Diary& diary_;
};

// Plays an agent in both seats of both matches and keeps what it did.
struct Play {
  std::unique_ptr<Batch> batch = BatchOf<Ticks>::make(2);
  std::vector<float> observations = std::vector<float>(8), values = std::vector<float>(4);
  std::vector<std::uint8_t> masks = std::vector<std::uint8_t>(28);
  std::vector<std::int8_t> seats = std::vector<std::int8_t>(4);
  std::vector<std::int32_t> choices = std::vector<std::int32_t>(8);
  std::vector<int> rows;

  void start(Agent& agent, int match) {
    const Key key(1);
    batch->start({&match, 1}, {}, {&key, 1});
    agent.match_started(match);
  }
  Decisions observe() {
    batch->observe({observations.data(), masks.data(), seats.data()});
    rows.clear();
    for (int row = 0; row < 4; ++row)
      if (seats[row] >= 0) rows.push_back(row);
    return {batch.get(), rows, observations.data(), masks.data(), seats.data()};
  }
  void step(Agent& agent) {
    agent.act(observe(), Key(3), choices.data(), values.data());
    for (int row : rows)
      for (int part = 0; part < 2; ++part) EXPECT_TRUE(masks[7 * row + 4 * part + choices[2 * row + part]]);
    std::vector<float> rewards(4);
    Status status[2];
    batch->step({choices.data(), values.data()}, {rewards.data(), status});
  }
};

TEST(Limits, AreStepsThatAreNeverFasterThanAsked) {
  const Spec spec = Ticks::spec();
  const auto made = [&](double ms, double apm) { return limits_for(spec, ms, apm).value(); };
  EXPECT_EQ(made(0, 0), Limits{});
  EXPECT_EQ(made(200, 0), (Limits{2, 1}));
  EXPECT_EQ(made(201, 0), (Limits{3, 1}));
  EXPECT_EQ(made(1, 0), (Limits{1, 1}));
  EXPECT_EQ(made(0, 600), (Limits{0, 1}));
  EXPECT_EQ(made(0, 599), (Limits{0, 2}));
  EXPECT_EQ(made(250, 180), (Limits{3, 4}));
  EXPECT_EQ(made(0, 1e9), (Limits{0, 1}));
  for (const auto& [ms, apm] : {std::pair{-1.0, 0.0}, {20'000.0, 0.0}, {0.0, -5.0}, {0.0, 0.5}, {NAN, 0.0}, {0.0, NAN}})
    EXPECT_FALSE(limits_for(spec, ms, apm).ok()) << ms << " " << apm;
  Spec turns = spec;
  turns.seconds_per_step = 0;
  EXPECT_TRUE(limits_for(turns, 0, 0).ok());
  EXPECT_NE(limits_for(turns, 200, 0).error().message.find("'ticks' is played in turns"), std::string::npos);
}

TEST(LimitedAgent, SeesWhatWasShownBefore) {
  Diary diary;
  LimitedAgent agent(std::make_unique<Writer>(diary), Ticks::spec(), {.reaction_steps = 3});
  Play play;
  play.start(agent, 0), play.start(agent, 1);
  for (int step = 0; step < 12; ++step) {
    diary.entries.clear();
    play.step(agent);
    // Seat 1, away from 4 to 7, sees what it saw last before it left until 3 steps after it is back.
    const int of_seat[] = {std::max(0, step - 3), step < 4 ? 0 : step < 11 ? 3 : step - 3};
    const std::size_t seats = step >= 4 && step <= 7 ? 1 : 2;
    ASSERT_EQ(diary.entries.size(), 2 * seats);
    for (const Diary::Entry& e : diary.entries) EXPECT_EQ(e.saw, of_seat[e.seat]) << step << " seat " << e.seat;
  }
  play.start(agent, 1);  // forgets that match alone
  diary.entries.clear();
  play.step(agent);
  EXPECT_EQ(diary.entries, (std::vector<Diary::Entry>{{0, 0, 12, 9}, {0, 1, 12, 9}, {1, 0, 0, 0}, {1, 1, 0, 0}}));
}

TEST(LimitedAgent, DecidesEverySoOften) {
  Diary diary;
  LimitedAgent agent(std::make_unique<Writer>(diary), Ticks::spec(), {.reaction_steps = 1, .every = 4});
  Play play;
  play.start(agent, 0), play.start(agent, 1);
  std::vector<int> decided;
  for (int step = 0; step < 20; ++step) {
    diary.entries.clear();
    const Decisions now = play.observe();
    std::vector<float> p(28, -1);
    for (int again = 0; again < 2; ++again) ASSERT_TRUE(agent.probabilities(now, p.data()));
    play.step(agent);
    bool seat_0 = false;
    for (const Diary::Entry& e : diary.entries) seat_0 |= e.match == 0 && e.seat == 0;
    if (seat_0) decided.push_back(step);
    EXPECT_EQ(p[0] == 0.25f, seat_0);
    if (!seat_0) {
      EXPECT_EQ(p[play.choices[0]], 1) << step;
      EXPECT_EQ(play.values[0], static_cast<float>(std::max(0, decided.back() - 1)));
      EXPECT_EQ(p[4 + play.choices[1]], 1) << step;
      // `where` counts along with choice 1 only; else the lowest that is allowed.
      EXPECT_EQ(play.choices[1], play.choices[0] == 1 ? 2 : step % 2) << step;
    }
  }
  // At 0 choice 3 is forbidden: 1 is held. At 4 it is 3, which 5 forbids: it decides anew and counts from there.
  EXPECT_EQ(decided, (std::vector{0, 4, 5, 9, 10, 14, 15, 19}));
}

TEST(LimitedAgent, WithoutLimitsChangesNothing) {
  Diary plain, limited;
  Writer writer(plain);
  LimitedAgent agent(std::make_unique<Writer>(limited), Ticks::spec(), {});
  for (Agent* a : {static_cast<Agent*>(&writer), static_cast<Agent*>(&agent)}) {
    Play play;
    play.start(*a, 0), play.start(*a, 1);
    for (int step = 0; step < 20; ++step) play.step(*a);
  }
  EXPECT_EQ(plain.entries, limited.entries);
  EXPECT_EQ(plain.entries.size(), 72u);
}

}  // namespace
}  // namespace rival
