#include "game/match_settings.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace rival {
namespace {

// A game that remembers its settings, and lets as many seats play as a parameter says.
struct Tunable {
  static Spec spec() {
    return {.name = "tunable",
            .seats = 3,
            .observation = {ObservationPart::vector("size", 1)},
            .action = {ActionPart::discrete("move", 2)},
            .parameters = {{"size", 3, 1, 3, "seats that play", 1},
                           {"pace", 0.5f, 0.1f, 2, ""},
                           {"luck", 0.3f, 0.1f, 12.9f, "", 0.1f}},
            .simultaneous = true};
  }
  void reset(const Settings& settings, Key) { size = settings.parameters[0]; }
  SeatSet playing() const { return SeatSet::first(static_cast<int>(size)); }
  SeatSet to_act() const { return playing(); }
  void observe(int, Observation out) const { out[0] = size; }
  void step(const Actions&, Key, Rewards) {}
  Status status() const { return Status::running; }
  float size = 0;
};

MatchSettings drawn(const std::vector<std::string>& assignments) {
  MatchSettings settings = default_settings(Tunable::spec());
  const Result<void> set = draw_parameters(Tunable::spec(), assignments, "", settings);
  EXPECT_TRUE(set.ok()) << set.error().message;
  return settings;
}

Key key(int match) {
  return Key(7).split(static_cast<std::uint64_t>(match));
}

TEST(MatchSettings, EveryAllowedValueIsAsLikely) {
  const MatchSettings settings = drawn({"size=1..3", "luck=0.2..0.6", "pace=0.5..1.5"});
  constexpr int kMatches = 30'000;
  std::map<float, int> sizes, lucks;
  double sum = 0, square = 0;
  for (int match = 0; match < kMatches; ++match) {
    const Settings one = settings.draw(key(match));
    ASSERT_TRUE(fits(Tunable::spec(), one).ok());
    ++sizes[one.parameters[0]], ++lucks[one.parameters[2]];
    const double pace = static_cast<double>(one.parameters[1]);
    ASSERT_TRUE(pace >= 0.5 && pace <= 1.5);
    sum += pace, square += pace * pace;
  }
  ASSERT_EQ(sizes.size(), 3u);
  for (const auto& [size, count] : sizes) EXPECT_NEAR(count, kMatches / 3, 5 * std::sqrt(kMatches * 2 / 9.0)) << size;
  ASSERT_EQ(lucks.size(), 5u);
  for (float luck : {0.2f, 0.3f, 0.4f, 0.5f, 0.6f})
    EXPECT_NEAR(lucks[luck], kMatches / 5, 5 * std::sqrt(kMatches * 4 / 25.0)) << luck;
  const double mean = sum / kMatches;
  EXPECT_NEAR(mean, 1, 0.01);
  EXPECT_NEAR(square / kMatches - mean * mean, 1 / 12.0, 0.005);
}

TEST(MatchSettings, DrawsComeOfTheKeyAlone) {
  const MatchSettings one = drawn({"size=1..3"}), both = drawn({"size=1..3", "pace=any"});
  EXPECT_EQ(both.draw(key(1)), both.draw(key(1)));
  EXPECT_NE(both.draw(key(1)), both.draw(key(2)));
  int alike = 0;
  for (int match = 0; match < 300; ++match) {
    EXPECT_EQ(one.draw(key(match)).parameters[0], both.draw(key(match)).parameters[0]);  // whatever else is drawn
    EXPECT_EQ(one.draw(key(match)).parameters[1], 0.5f);
    const float first = Random(key(match)).uniform(), pace = both.draw(key(match)).parameters[1];
    alike += std::abs((pace - 0.1f) / 1.9f - first) < 0.01f;  // nor are they what the rules draw first
  }
  EXPECT_LT(alike, 20);
}

TEST(MatchSettings, ListsDrawTheirValues) {
  std::map<float, int> sizes;
  for (int match = 0; match < 1000; ++match) ++sizes[drawn({"size=3,1"}).draw(key(match)).parameters[0]];
  EXPECT_EQ(sizes.size(), 2u);
  EXPECT_NEAR(sizes[1], 500, 80);
}

TEST(MatchSettings, AreWhatTheLastAssignmentSays) {
  EXPECT_TRUE(drawn({"size=2"}).drawn.empty());
  EXPECT_EQ(drawn({"size=2..2"}), drawn({"size=2"}));
  EXPECT_EQ(drawn({"size=any"}), drawn({"size=1..3"}));
  EXPECT_EQ(drawn({"pace=any", "size=any"}), drawn({"size=any", "pace=any"}));
  EXPECT_EQ(drawn({"size=1..3", "size=2"}), drawn({"size=2"}));
  EXPECT_EQ(drawn({"all=any"}).drawn.size(), 3u);
  EXPECT_EQ(drawn({"all=any", "size=2", "luck=1"}), drawn({"pace=any", "size=2", "luck=1"}));
}

TEST(MatchSettings, ErrorsSayWhatIsAllowed) {
  const std::pair<const char*, const char*> cases[] = {
      {"size=0..3", "x: size must be a whole number from 1 to 3, not '0' as in '0..3'"},
      {"size=1..4", "not '4' as in '1..4'"},
      {"size=1..2.5", "not '2.5' as in"},
      {"size=3..1", "x: size: nothing lies in the range '3..1'"},
      {"size=..3", "not '' as in '..3'"},
      {"size=1,5", "not '5' as in '1,5'"},
      {"size=1,", "not '' as in '1,'"},
      {"size=1-3", "size must be a whole number from 1 to 3, not '1-3'"},
      {"luck=0.25..1", "in steps of 0.1, not '0.25'"},
      {"siz=1..3", "did you mean 'size'"},
      {"all=1..3", "x: all must be 'any'"},
      {"size", "NAME=VALUE"},
  };
  for (const auto& [assignment, part] : cases) {
    MatchSettings settings = default_settings(Tunable::spec());
    const std::string one[] = {assignment};
    const Result<void> set = draw_parameters(Tunable::spec(), one, "x: ", settings);
    ASSERT_FALSE(set.ok()) << assignment;
    EXPECT_NE(set.error().message.find(part), std::string::npos) << set.error().message;
  }
  Settings single = default_settings(Tunable::spec());
  const std::string range[] = {"size=1..3"};
  const Result<void> set = set_parameters(Tunable::spec(), range, "x: ", single);
  ASSERT_FALSE(set.ok());
  EXPECT_EQ(set.error().message.find("x: size must be one value here"), 0u) << set.error().message;
}

TEST(MatchSettings, HaveAText) {
  const auto text = [](const std::vector<std::string>& all) { return settings_text(Tunable::spec(), drawn(all)); };
  EXPECT_EQ(text({}), "");
  EXPECT_EQ(text({"size=1..3"}), "size=1..3");
  EXPECT_EQ(text({"pace=0.1..2", "size=2", "luck=0.1,0.3"}), "size=2 pace=0.1..2 luck=0.1,0.3");
}

TEST(MatchSettings, CoverThoseThatTheyMightBe) {
  const auto cover = [](const std::vector<std::string>& own, const std::vector<std::string>& played) {
    return drawn(own).cover(drawn(played));
  };
  EXPECT_TRUE(cover({}, {}));
  EXPECT_TRUE(cover({"size=1..2"}, {"size=2"}));
  EXPECT_TRUE(cover({"size=any"}, {}));
  EXPECT_TRUE(cover({"luck=0.1..1"}, {"luck=0.2..0.4"}));
  EXPECT_TRUE(cover({"luck=0.1..1"}, {"luck=0.2,0.4"}));
  EXPECT_TRUE(cover({"size=1,3"}, {"size=3"}));
  EXPECT_FALSE(cover({}, {"size=2"}));
  EXPECT_FALSE(cover({"size=1..2"}, {}));
  EXPECT_FALSE(cover({"size=1..2"}, {"size=1..3"}));
  EXPECT_FALSE(cover({"size=1..2"}, {"size=1,3"}));
  EXPECT_FALSE(cover({"size=1,3"}, {"size=2"}));
  EXPECT_FALSE(cover({"size=1,3"}, {"size=1..3"}));
  EXPECT_FALSE(cover({"size=1..2"}, {"size=1", "pace=1"}));
}

TEST(MatchSettings, FitOrNameWhatDoesNot) {
  const MatchSettings good = drawn({"size=1..2", "luck=0.1,0.3"});
  EXPECT_TRUE(fits(Tunable::spec(), good).ok());
  const auto bad = [&](auto change) {
    MatchSettings settings = good;
    change(settings.drawn[0]);
    return !fits(Tunable::spec(), settings).ok();
  };
  EXPECT_TRUE(bad([](DrawnParameter& one) { one.parameter = 3; }));
  EXPECT_TRUE(bad([](DrawnParameter& one) { one.high = 4; }));
  EXPECT_TRUE(bad([](DrawnParameter& one) { one.low = 3; }));
  EXPECT_TRUE(bad([](DrawnParameter& one) { one.step = 0; }));
  EXPECT_TRUE(bad([](DrawnParameter& one) { one.values = {1, 2.5f}; }));
}

TEST(MatchSettings, EveryMatchOfABatchIsUnderItsOwn) {
  const MatchSettings settings = drawn({"size=1..3", "pace=any"});
  BatchOf<Tunable> batch(40), copy(1);
  std::vector<int> all;
  std::vector<Key> keys;
  for (int match = 0; match < 40; ++match) all.push_back(match), keys.push_back(key(match));
  start_matches(batch, all, settings, keys);
  for (int match : all) {
    EXPECT_EQ(batch.settings(match), settings.draw(key(match)));
    EXPECT_EQ(static_cast<float>(batch.playing(match).count()), settings.draw(key(match)).parameters[0]);
  }
  ASSERT_TRUE(copy.copy_match(batch, 5, 0));
  EXPECT_EQ(copy.settings(0), batch.settings(5));
}

TEST(RulesSight, ShowsTheRulesOfTheMatchBehindEachRow) {
  const Spec spec = Tunable::spec();
  const MatchSettings settings = drawn({"size=1..3", "pace=0.5..1.5"});
  const std::vector<ObservedParameter> observed = observed_parameters(spec, settings);
  ASSERT_EQ(observed, (std::vector<ObservedParameter>{{"size", 1, 3}, {"pace", 0.5f, 1.5f}}));
  ASSERT_EQ(with_rules(spec, observed).observation.size(), 2u);
  EXPECT_EQ(with_rules(spec, observed).observation.back().size(), 2);
  EXPECT_TRUE(observed_parameters(spec, drawn({"size=2"})).empty());
  EXPECT_EQ(with_rules(spec, {}).observation.size(), 1u);

  BatchOf<Tunable> batch(2);
  const int matches[] = {0, 1};
  batch.start({matches, 1}, {{3, 0.75f, 0.3f}}, std::vector{key(0)});
  batch.start({matches + 1, 1}, {{1, 1.5f, 0.3f}}, std::vector{key(1)});
  RulesSight sight(spec, observed);
  const std::vector<float> shown = {10, 11, 12, 13, 14, 15};  // three rows a match
  const int rows[] = {0, 2, 3};
  const float* seen = sight.rows(batch, rows, shown.data());
  const auto row = [&](int r) { return std::vector<float>(seen + 3 * r, seen + 3 * r + 3); };
  EXPECT_EQ(row(0), (std::vector<float>{10, 1, -0.5f}));
  EXPECT_EQ(row(2), (std::vector<float>{12, 1, -0.5f}));
  EXPECT_EQ(row(3), (std::vector<float>{13, -1, 1}));
  EXPECT_FALSE(batch.failure());
  RulesSight none(spec, {});
  EXPECT_EQ(none.rows(batch, rows, shown.data()), shown.data());
}

TEST(RulesSight, RulesOutOfItsRangeAreAnErrorThatNamesThem) {
  BatchOf<Tunable> batch(2);
  batch.start_all({{3, 0.5f, 0.3f}}, Key(1));
  RulesSight sight(Tunable::spec(), {{"size", 1, 2}});
  sight.who = "agent 'duo'";
  float out = 0;
  sight.write(batch, 1, &out);
  ASSERT_TRUE(batch.failure());
  EXPECT_NE(
      batch.sound().error().message.find("match 1, step 0: agent 'duo' learnt to play with size from 1 to 2, not 3"),
      std::string::npos)
      << batch.sound().error().message;
}

}  // namespace
}  // namespace rival
