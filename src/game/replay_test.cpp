#include "game/replay.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace rival {
namespace {

// Two seats push a ball at once, one at a time when it is far out; a random wind blows.
template <int version>
struct Ball {
  static Spec spec() {
    return {.name = version == 3 ? "other_ball" : "ball",
            .description = "",
            .source = "",
            .seats = 2,
            .observation = {ObservationPart::vector("ball", version == 2 ? 3 : 2)},
            .action = {ActionPart::discrete("kick", 3), ActionPart::continuous("push", 2, -1, 1),
                       ActionPart::discrete("spin", 5).when(0, {1})},
            .parameters = {{"wind", 0.5f, 0, 1, ""}},
            .choices = {{"shoe", {"left", "right"}}},
            .data = {{"pitch", 7}},
            .simultaneous = true,
            .max_steps = 40};
  }
  void reset(const Settings& settings, Key key) {
    *this = {};
    wind = settings.parameters[0];
    place = Random(key).uniform(-1, 1);
  }
  SeatSet to_act() const { return place > 2 ? SeatSet::one(0) : place < -2 ? SeatSet::one(1) : SeatSet::first(2); }
  void observe(int seat, Observation out) const {
    out[0] = seat == 0 ? place : -place;
    out[1] = static_cast<float>(steps) / 40;
  }
  void legal(int, Mask mask) const {
    mask.allow(0);
    mask.allow(1);
    if (steps > 3) mask.allow(2);
    for (int spin = 1; spin < 5; ++spin) mask.allow(2, spin);
  }
  void step(const Actions& actions, Key key, Rewards rewards) {
    for (int seat = 0; seat < 2; ++seat)
      if (to_act().contains(seat))
        place += (seat ? -1.f : 1.f) *
                 (0.3f * static_cast<float>(actions.choice(seat)) + actions.value(seat, 1, 1) +
                  (actions.choice(seat) == 1 ? 0.1f * static_cast<float>(actions.choice(seat, 2) - 3) : 0.f));
    place += wind * Random(key).uniform(-1, version == 1 ? 1 : 1.1f);
    rewards[0] = place;
    ++steps;
  }
  Status status() const { return steps == 37 ? Status::truncated : Status::running; }

  float place = 0, wind = 0;
  int steps = 0;
};

const BatchFactory kBall = &BatchOf<Ball<1>>::make;

// A recorded match, the second of a batch of three, which is stopped after `steps` steps.
Replay record(int steps = 1000, int check_every = 16) {
  const std::unique_ptr<Batch> batch = kBall(3);
  const Settings settings{{0.25f}, {1, -1}};
  const Key key(11);
  batch->start_all(settings, key);
  ReplayRecorder recorder(*batch, 1, key.split(1), check_every);
  Random random(Key(3));
  std::vector<std::int32_t> choices(12);
  std::vector<float> values(12), rewards(6);
  std::vector<Status> status(3);
  for (int step = 0; step < steps && batch->status(1) == Status::running; ++step) {
    for (std::size_t i = 0; i < choices.size(); ++i) choices[i] = i % 2 == 0 ? random.below(2) : 1 + random.below(4);
    for (float& value : values) value = random.uniform(-1, 1);
    const ActionRows actions{choices.data(), values.data()};
    recorder.record(actions);
    batch->step(actions, {rewards.data(), status.data()});
  }
  if (batch->status(1) != Status::running) recorder.record({choices.data(), values.data()});  // adds nothing
  return recorder.finish();
}

void expect_error(const Result<void>& result, const std::string& message) {
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find(message), std::string::npos) << result.error().message;
}

TEST(Replay, PlaysTheSameMatch) {
  const Replay replay = record();
  EXPECT_EQ(replay.steps(), 37);
  EXPECT_EQ(replay.hashes.size(), 4u);
  EXPECT_EQ(replay.status, Status::truncated);
  EXPECT_LT(replay.choices.size(), 2u * 2 * 37) << "both seats act in every step: the test shows less than it should";
  const Result<void> same = verify_replay(replay, kBall);
  EXPECT_TRUE(same.ok()) << same.error().message;
}

TEST(Replay, MayStopEarly) {
  for (int steps : {0, 1, 16, 17}) {
    const Replay replay = record(steps);
    EXPECT_EQ(replay.status, Status::running);
    EXPECT_TRUE(verify_replay(replay, kBall).ok());
    EXPECT_TRUE(parse_replay(serialize(replay)).ok());
  }
}

TEST(Replay, SurvivesWritingAndReading) {
  const Replay replay = record();
  const std::vector<std::byte> bytes = serialize(replay);
  const Result<Replay> read = parse_replay(bytes);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().game, replay.game);
  EXPECT_EQ(read.value().rules, replay.rules);
  EXPECT_EQ(read.value().key, replay.key);
  EXPECT_EQ(read.value().settings.parameters, replay.settings.parameters);
  EXPECT_EQ(read.value().settings.picks, replay.settings.picks);
  EXPECT_EQ(read.value().parts, replay.parts);
  EXPECT_EQ(read.value().acting, replay.acting);
  EXPECT_EQ(read.value().choices, replay.choices);
  EXPECT_EQ(read.value().values, replay.values);
  EXPECT_EQ(read.value().hashes, replay.hashes);
  EXPECT_EQ(read.value().status, replay.status);
  EXPECT_EQ(serialize(read.value()), bytes);
  EXPECT_TRUE(verify_replay(read.value(), kBall).ok());
  EXPECT_LT(bytes.size(), 37u * 20 + 200);
}

TEST(Replay, RefusesOtherGamesAndRules) {
  const Replay replay = record();
  expect_error(verify_replay(replay, &BatchOf<Ball<3>>::make), "a replay of 'ball', not of 'other_ball'");
  expect_error(verify_replay(replay, &BatchOf<Ball<2>>::make),
               "replay of 'ball': rules differ: observation 'ball' has changed since it was recorded");
  // The same Spec, but the wind blows otherwise.
  expect_error(verify_replay(replay, &BatchOf<Ball<4>>::make), "replay of 'ball': step ");
}

// They may come from anyone, and rules count on their ranges.
TEST(Replay, RefusesSettingsOutOfRange) {
  const auto with_wind = [](float wind) {
    Replay replay = record(4);
    replay.settings.parameters[0] = wind;
    return verify_replay(replay, kBall);
  };
  EXPECT_TRUE(with_wind(0.25f).ok());
  expect_error(with_wind(1.5f), "sets parameter 'wind' to 1.5, which is not a number from 0 to 1");
  for (const float bad : {-0.1f, 3e38f, INFINITY, -INFINITY, NAN}) expect_error(with_wind(bad), "parameter 'wind'");
  const auto with_pick = [](int pick) {
    Replay replay = record(4);
    replay.settings.picks[0] = pick;
    return verify_replay(replay, kBall);
  };
  for (const int bad : {-2, 1000, INT32_MAX}) expect_error(with_pick(bad), "picks number");
}

TEST(Replay, NamesTheFirstStepThatDiffers) {
  Replay replay = record(1000, 1);
  replay.values[1] += 0.1f;
  expect_error(verify_replay(replay, kBall), "step 1: the match is in another state");

  replay = record();
  replay.key = Key(1);
  expect_error(verify_replay(replay, kBall), "step 0: the match starts from another state");

  replay = record();
  replay.acting[2] = SeatSet::none().with(7);
  EXPECT_FALSE(verify_replay(replay, kBall).ok());

  replay = record();
  replay.choices[0] = 2;
  replay.choices[1] = 0;
  expect_error(verify_replay(replay, kBall),
               "step 0: seat 0, action part 'kick': the recorded choice 2 is not allowed");
  replay.choices[1] = 3;  // spin does not count along with kick 2
  replay.choices[0] = 0;
  expect_error(verify_replay(replay, kBall), "action part 'spin': the recorded choice 3 is not allowed");
  replay.choices[1] = 0;
  replay.choices[0] = -5;
  expect_error(verify_replay(replay, kBall), "the recorded choice -5 is not allowed");

  replay = record();
  replay.values[3] = std::numeric_limits<float>::quiet_NaN();
  expect_error(verify_replay(replay, kBall), "step 0: seat 1, action part 'push': the recorded value nan");

  replay = record();
  replay.status = Status::finished;
  expect_error(verify_replay(replay, kBall), "step 37: the match and its recording differ in whether it has ended");

  replay = record();
  replay.settings.picks[0] = 2;
  expect_error(verify_replay(replay, kBall), "picks number 2 of 'shoe', which has 2 options");

  replay = record();
  replay.parts[0].size = 2;
  expect_error(verify_replay(replay, kBall), "lays out its decisions otherwise");

  replay = record();
  replay.hashes.pop_back();
  expect_error(verify_replay(replay, kBall), "incomplete");
}

TEST(Replay, NoTruncatedOrDamagedFileIsRead) {
  const std::vector<std::byte> bytes = serialize(record());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(parse_replay(std::span(bytes).first(size)).ok()) << size;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::vector<std::byte> damaged = bytes;
    damaged[i] ^= std::byte{0x10};
    EXPECT_FALSE(parse_replay(damaged).ok()) << i;
  }
  std::vector<std::byte> longer = bytes;
  longer.push_back(std::byte{0});
  expect_error(parse_replay(longer).ok() ? Result<void>() : Result<void>(parse_replay(longer).error()),
               "1 bytes too many");
}

TEST(Replay, ErrorsNameFileOffsetAndField) {
  std::vector<std::byte> bytes = serialize(record());
  const auto message = [&](std::span<const std::byte> data) {
    const Result<Replay> read = parse_replay(data, "match.rpl");
    return read.ok() ? "read" : read.error().message;
  };
  EXPECT_EQ(message({}), "match.rpl: not a replay of Rival");
  EXPECT_EQ(message(std::span(bytes).first(16)),
            "match.rpl: byte 16, field 'length of name': the file ends here; it is truncated");
  bytes[8] = std::byte{1};
  EXPECT_EQ(message(bytes),
            "match.rpl: byte 9, field 'version': is 1; this program reads version 3: record the match again");
  bytes[8] = std::byte{3};
  bytes[9] = std::byte{0x7f};
  EXPECT_EQ(message(bytes), "match.rpl: byte 9, field 'length of game': is 127, at most 64 is possible here");
}

TEST(Replay, CountsInAFileCannotMakeItAllocate) {
  Replay empty = record(0);
  std::vector<std::byte> bytes = serialize(empty);
  // The step count is followed by the status, two hashes... and the checksum: put a huge count in its place.
  const std::size_t at = bytes.size() - 8 - 4 * empty.hashes.size() - 1 - 1;
  ASSERT_EQ(bytes[at], std::byte{0});
  const std::byte huge[] = {std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0x07}};
  bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), std::begin(huge), std::end(huge));
  const Result<Replay> read = parse_replay(bytes);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().message.find("field 'step count': is 2147483647, but only"), std::string::npos)
      << read.error().message;
}

TEST(Replay, DecisionsLikeTheLastOneTakeABit) {
  Replay replay = record(0);
  replay.parts = {{true, 8, -1, 0}, {true, 32, 0, 0b10}};
  const std::size_t empty = serialize(replay).size();
  for (int step = 0; step < 800; ++step) replay.acting.push_back(SeatSet::first(2));
  replay.check_every = 800;
  replay.hashes.push_back(0);
  for (int decision = 0; decision < 1600; ++decision) replay.choices.insert(replay.choices.end(), {1, 17});
  const std::size_t same = serialize(replay).size();
  EXPECT_LE(same, empty + 310);  // three bits a step
  for (int decision = 0; decision < 1600; decision += 2) replay.choices[2 * decision] = 5;
  for (int decision = 0; decision < 1600; decision += 2) replay.choices[2 * decision + 1] = 0;
  for (int decision = 0; decision < 1600; decision += 4) replay.choices[2 * decision] = 6;
  const std::size_t other = serialize(replay).size();  // seat 0 alternates between choices that need no second part
  EXPECT_LE(other, same + 310);
  EXPECT_GE(other, same + 290);
  const Result<Replay> read = parse_replay(serialize(replay));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().choices, replay.choices);
}

TEST(Replay, SectionsSeeRulesNotProse) {
  const Spec spec = Ball<1>::spec();
  const std::vector<RuleSection> before = rule_sections(spec);
  const auto changes = [&](auto edit) {
    Spec other = spec;
    edit(other);
    return rule_changes(before, rule_sections(other));
  };
  EXPECT_EQ(changes([](Spec& s) { s.description = "another text"; }), "");
  EXPECT_EQ(changes([](Spec& s) { s.parameters[0].value = 0.75f; }), "");
  EXPECT_EQ(changes([](Spec& s) { s.seats = 3; }), "seating has changed");
  EXPECT_EQ(changes([](Spec& s) { s.teams = {0, 0}; }), "seating has changed");
  EXPECT_EQ(changes([](Spec& s) { s.max_steps = 41; }), "max_steps has changed");
  EXPECT_EQ(changes([](Spec& s) { s.action[1].high = 2; }), "action 'push' has changed");
  EXPECT_EQ(changes([](Spec& s) { s.action[2].when_choices = 4; }), "action 'spin' has changed");
  EXPECT_EQ(changes([](Spec& s) { s.data[0].hash = 8; }), "data 'pitch' has changed");
  EXPECT_EQ(changes([](Spec& s) { s.choices[0].options.push_back("none"); }), "choice 'shoe' has changed");
  EXPECT_EQ(changes([](Spec& s) { s.parameters[0].name = "storm"; }),
            "parameter 'storm' is new, parameter 'wind' is gone");
  EXPECT_EQ(changes([](Spec& s) { std::swap(s.action[0], s.action[1]); }), "their parts are in another order");
  EXPECT_EQ(changes([](Spec& s) {
              for (int i = 0; i < 6; ++i) s.data.push_back({"hero " + std::to_string(i), 1});
            }),
            "data 'hero 0' is new, data 'hero 1' is new, data 'hero 2' is new, data 'hero 3' is new and 2 more");
}

}  // namespace
}  // namespace rival
