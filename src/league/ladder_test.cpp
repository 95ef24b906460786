#include "league/ladder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "agent/scripted.hpp"
#include "base/index.hpp"
#include "league/ladder_file.hpp"

namespace rival {
namespace {

using Kind = LadderPlayer::Kind;

// A duel that goes exactly as the Elo model says: seat 0 and seat 1 each show how strong they are, in steps of
// 4 points, and chance decides. The three highest choices are rock, paper and scissors: of one strength, but each beats
// the next 9 times in 10.
struct Duel {
  static constexpr int kChoices = 512, kCyclic = kChoices - 3;
  static constexpr double kStep = 4;

  static Spec spec() {
    return {.name = "duel",
            .description = "",
            .source = "",
            .seats = 2,
            .observation = {ObservationPart::vector("turn", 1)},
            .action = {ActionPart::discrete("strength", kChoices)},
            .max_steps = 2};
  }
  void reset(const Settings&, Key) { *this = {}; }
  SeatSet to_act() const { return SeatSet::one(turn); }
  void observe(int, Observation out) const { out[0] = static_cast<float>(turn); }
  void step(const Actions& actions, Key key, Rewards) {
    shown[turn] = actions.choice(turn);
    if (++turn < 2) return;
    winner = Random(key).uniform() < static_cast<float>(chance(shown[0], shown[1])) ? 0 : 1;
  }
  Status status() const { return winner < 0 ? Status::running : Status::finished; }
  float result(int team) const { return team == winner ? 1.0f : -1.0f; }

  static double strength(int choice) { return choice < kCyclic ? kStep * choice : 800; }
  static double chance(int a, int b) {
    if (a < kCyclic || b < kCyclic || a == b) return elo_score(strength(a) - strength(b));
    return (b - a + 3) % 3 == 1 ? 0.9 : 0.1;
  }

  int turn = 0, winner = -1;
  int shown[2] = {0, 0};
};

class Shower final : public Agent {
 public:
  explicit Shower(int choice) : choice_(choice) {}
  std::string name() const override { return "shower"; }
  void act(const Decisions& decisions, Key, std::int32_t* choices, float*) override {
    for (int row : decisions.rows) choices[row] = choice_;
  }

 private:
  int choice_;
};

// Bot "n" is n points above random play, and falls to it as it is warmed up, first slowly and then fast.
// A step's delay costs it a twentieth.
double true_strength(const LadderPlayer& player) {
  if (player.bot.empty()) return 0;
  const double warm = static_cast<double>(player.temperature) / (1 + static_cast<double>(player.temperature));
  return std::stod(player.bot) * (1 - std::pow(warm, 1.5)) * (1 - 0.05 * player.reaction_steps);
}

Result<std::unique_ptr<Agent>> make_shower(const LadderPlayer& player) {
  if (player.kind == Kind::exploiter) return std::unique_ptr<Agent>(new Shower(Duel::kCyclic + player.name[0] - '0'));
  return std::unique_ptr<Agent>(new Shower(static_cast<int>(std::lround(true_strength(player) / Duel::kStep))));
}

LadderPlayer bot(int strength) {
  return {.name = std::to_string(strength), .kind = Kind::snapshot, .bot = std::to_string(strength)};
}

Ladder duel_ladder(std::vector<LadderPlayer> players) {
  players.insert(players.begin(), {.name = "random", .kind = Kind::random});
  return {.rules = ladder_rules(game_entry<Duel>(), {}, 0), .players = std::move(players)};
}

const std::vector<LadderPlayer> kBots = {bot(120), bot(400), bot(640), bot(800), bot(1000), bot(1240), bot(1400)};

TEST(Ladder, RatesPlayersWithinTheirErrors) {
  Ladder ladder = duel_ladder(kBots);
  ASSERT_TRUE(rate_ladder(game_entry<Duel>(), ladder, make_shower, {.target_error = 8}).ok());
  double mean = 0, squares = 0;
  for (const LadderPlayer& p : ladder.players)
    mean += (p.rating - true_strength(p)) / static_cast<double>(ladder.players.size());
  for (const LadderPlayer& p : ladder.players) {
    const double z = (p.rating - true_strength(p) - mean) / p.error;
    EXPECT_LT(std::fabs(z), 4.5) << p.name;
    squares += z * z / static_cast<double>(ladder.players.size());
    EXPECT_GT(p.matches, 0);
  }
  EXPECT_LT(squares, 2.5);
  EXPECT_EQ(ladder.players[0].rating, kRandomRating);
  EXPECT_FALSE(intransitivity_json(ladder)["elo_misleads"].get<bool>());
  // By the other rating the order is the same.
  EXPECT_GT(ladder.players[7].skill.mu, ladder.players[4].skill.mu);
  EXPECT_GT(ladder.players[4].skill.mu, ladder.players[1].skill.mu);
}

// The seat that picked the sword wins, whoever sits there.
struct ArmedDuel : Duel {
  static Spec spec() {
    Spec spec = Duel::spec();
    spec.choices = {{"arm", {"stick", "sword"}}};
    return spec;
  }
  void reset(const Settings& settings, Key) {
    *this = {};
    for (int seat : {0, 1})
      if (settings.picks.at(index(seat)) == 1) armed = seat;
  }
  float result(int team) const { return team == (armed < 0 ? winner : armed) ? 1.0f : -1.0f; }
  int armed = -1;
};

TEST(Ladder, PlaysByThePicksOfItsRules) {
  const GameEntry game = game_entry<ArmedDuel>();
  EXPECT_EQ(ladder_rules(game, Settings{{}, {-1, -1}}, 0).picks, std::vector<int>());
  for (const bool picked : {false, true}) {
    Ladder ladder = duel_ladder({bot(400)});
    ladder.rules = ladder_rules(game, Settings{{}, picked ? std::vector<int>{0, 1} : std::vector<int>{-1, -1}}, 0);
    ASSERT_TRUE(rate_ladder(game, ladder, make_shower, {.target_error = 25}).ok());
    EXPECT_NEAR(ladder.players[1].rating, picked ? 1000 : 1400, picked ? 1 : 150);
  }
}

TEST(Ladder, FlagsACycle) {
  Ladder ladder = duel_ladder({bot(400), bot(800)});
  for (const char* name : {"0", "1", "2"}) ladder.players.push_back({.name = name, .kind = Kind::exploiter});
  ASSERT_TRUE(rate_ladder(game_entry<Duel>(), ladder, make_shower, {.target_error = 10}).ok());
  const auto json = intransitivity_json(ladder);
  EXPECT_TRUE(json["elo_misleads"].get<bool>());
  ASSERT_GE(json["cycles"].size(), 1u);
  EXPECT_EQ(json["cycles"][0]["players"].dump(), R"(["0","1","2"])");
}

TEST(Ladder, ThreadsDoNotMatter) {
  Ladder ladders[3];
  for (int i = 0; i < 3; ++i) {
    ladders[i] = duel_ladder({bot(200), bot(700), bot(900)});
    LadderOptions options{.seed = i == 2 ? 2u : 1u, .threads = i == 0 ? 1 : 3, .target_error = 20};
    ASSERT_TRUE(rate_ladder(game_entry<Duel>(), ladders[i], make_shower, options).ok());
    ASSERT_TRUE(calibrate_ladder(game_entry<Duel>(), ladders[i], make_shower, options, 4, 100).ok());
  }
  EXPECT_EQ(ladders[0], ladders[1]);
  EXPECT_FALSE(ladders[0] == ladders[2]);  // another seed
}

// The root mean square error of the bots' ratings after a number of matches, spent in one way or the other.
double error_of(bool chosen, double matches) {
  Ladder ladder = duel_ladder({});
  for (int i = 0; i < 16; ++i) ladder.players.push_back(bot(120 + 120 * i));
  const int n = static_cast<int>(ladder.players.size());
  if (chosen) {
    for (LadderPlayer& p : ladder.players) p.kind = p.kind == Kind::snapshot ? Kind::baseline : p.kind;  // no rungs
    EXPECT_TRUE(rate_ladder(game_entry<Duel>(), ladder, make_shower, {.target_error = 0, .matches = matches}).ok());
  } else {
    const int each = static_cast<int>(matches) / (n * (n - 1) / 2) / 2 * 2;
    for (int i = 0; i < n; ++i)
      for (int j = i + 1; j < n; ++j) {
        const auto a = make_shower(ladder.players[i]), b = make_shower(ladder.players[j]);
        const auto sum = play_matches(game_entry<Duel>(), *a.value(), b.value().get(),
                                      Key(3).split(static_cast<std::uint64_t>(i * n + j)), {.matches = each});
        ladder.results.push_back(
            {i, j, static_cast<double>(sum.value().wins), 0, static_cast<double>(sum.value().losses)});
      }
  }
  ladder.rate();
  double squares = 0;
  for (const LadderPlayer& p : ladder.players) squares += p.error * p.error;
  return std::sqrt(squares / n);
}

TEST(Ladder, SpendsFewerMatchesThanARoundRobin) {
  const double chosen = error_of(true, 10'000), uniform = error_of(false, 16'000);
  RecordProperty("chosen_10000", std::to_string(chosen));
  RecordProperty("uniform_16000", std::to_string(uniform));
  EXPECT_LT(chosen, uniform);
}

TEST(Ladder, NothingIsPlayedTwice) {
  const LadderOptions options{.target_error = 15};
  Ladder ladder = duel_ladder({bot(300), bot(700)});
  ASSERT_TRUE(rate_ladder(game_entry<Duel>(), ladder, make_shower, options).ok());
  Ladder again = carry_over(ladder, ladder.rules, duel_ladder({bot(300), bot(700)}).players);
  again.rate();
  const double before = again.matches();
  EXPECT_EQ(before, ladder.matches());
  ASSERT_TRUE(rate_ladder(game_entry<Duel>(), again, make_shower, options).ok());
  EXPECT_EQ(again.matches(), before);

  // A newcomer plays what is missing; a bot that has changed begins again, and so do all under other rules.
  Ladder more = carry_over(ladder, ladder.rules, duel_ladder({bot(300), bot(700), bot(1000)}).players);
  EXPECT_EQ(more.matches(), before);
  ASSERT_TRUE(rate_ladder(game_entry<Duel>(), more, make_shower, options).ok());
  EXPECT_GT(more.matches(), before);
  LadderPlayer changed = bot(700);
  changed.fingerprint = 5;
  EXPECT_LT(carry_over(ladder, ladder.rules, duel_ladder({bot(300), changed}).players).matches(), before);
  LadderRules other = ladder.rules;
  other.opening = 2;
  EXPECT_EQ(carry_over(ladder, other, ladder.players).matches(), 0);
}

TEST(Ladder, StopsWhenAsked) {
  const std::atomic<bool> stop = true;
  Ladder ladder = duel_ladder(kBots);
  ASSERT_TRUE(rate_ladder(game_entry<Duel>(), ladder, make_shower, {.stop = &stop}).ok());
  EXPECT_EQ(ladder.matches(), 0);
}

// A dial for a game of so many seconds a step; 0: one without time.
void check_dial(float seconds_per_step) {
  GameEntry game = game_entry<Duel>();
  game.spec.seconds_per_step = seconds_per_step;
  Ladder ladder = duel_ladder(kBots);
  const LadderOptions options{.target_error = 10};
  ASSERT_TRUE(rate_ladder(game, ladder, make_shower, options).ok());
  ASSERT_TRUE(calibrate_ladder(game, ladder, make_shower, options).ok());
  const Calibration& calibration = *ladder.calibration;
  ASSERT_EQ(calibration.levels.size(), 8u);
  EXPECT_NEAR(calibration.low(), kRandomRating, 40);
  EXPECT_NEAR(calibration.high(), kRandomRating + 1400, 80);
  double sum = 0, before = 0;
  for (const LevelCheck& level : calibration.levels) {
    EXPECT_GE(level.matches, 1000);
    EXPECT_LT(std::fabs(level.measured - level.asked), 80);
    EXPECT_GT(level.measured, before);
    before = level.measured;
    sum += std::fabs(level.measured - level.asked);
    // Against the truth, which the ladder does not know.
    LadderPlayer player = bot(0);
    player.bot = level.setting.bot;
    player.temperature = level.setting.temperature;
    player.reaction_steps = level.setting.reaction_steps;
    EXPECT_NEAR(true_strength(player), level.asked - kRandomRating, 80) << level.asked;
  }
  EXPECT_LT(sum / 8, 50);
  // Weak levels are weak bots: none is warmed up to be weaker than the next one down.
  for (const DialSetting& setting : calibration.dial)
    if (setting.rating > kRandomRating + 200) {
      EXPECT_LT(setting.temperature, 5) << setting.rating;
    }
  // In real time they react later as well: by half a second at the bottom, and not at all at the top.
  EXPECT_EQ(calibration.dial.back().reaction_steps, 0);
  for (std::size_t i = 1; i < calibration.dial.size(); ++i)
    EXPECT_LE(calibration.dial[i].reaction_steps, calibration.dial[i - 1].reaction_steps);
  if (seconds_per_step > 0)
    EXPECT_EQ(calibration.dial.front().reaction_steps, 5);
  else
    EXPECT_EQ(calibration.dial.front().reaction_steps, 0);
}

TEST(Dial, ReachesTheRatingsAskedFor) {
  check_dial(0);
}

TEST(Dial, ReactsLaterTheWeakerItIs) {
  check_dial(0.1f);
}

TEST(Dial, Interpolates) {
  const Calibration calibration{.dial = {{"a", 9, 1000}, {"a", 1, 1100}, {"b", 3, 1100}, {"b", 0, 1300}}, .levels = {}};
  EXPECT_EQ(turn_dial(calibration, 1000).value(), (DialSetting{"a", 9, 1000}));
  EXPECT_EQ(turn_dial(calibration, 1300).value().temperature, 0);
  EXPECT_EQ(turn_dial(calibration, 1200).value().bot, "b");
  EXPECT_NEAR(turn_dial(calibration, 1200).value().temperature, 0.6, 1e-5);  // half of 3/4 is 3/8
  EXPECT_NEAR(turn_dial(calibration, 1050).value().temperature, 0.7 / 0.3, 1e-5);
  // One bot with two reactions is as two bots.
  const Calibration late{.dial = {{"a", 1, 1000, 2}, {"a", 0, 1100, 2}, {"a", 1, 1100}, {"a", 0, 1200}}, .levels = {}};
  EXPECT_EQ(turn_dial(late, 1000).value(), (DialSetting{"a", 1, 1000, 2}));
  EXPECT_EQ(turn_dial(late, 1050).value().reaction_steps, 2);
  EXPECT_EQ(turn_dial(late, 1150).value().reaction_steps, 0);
  const auto outside = turn_dial(calibration, 1400);
  ASSERT_FALSE(outside.ok());
  EXPECT_NE(outside.error().message.find("1000 to 1300"), std::string::npos) << outside.error().message;
  EXPECT_FALSE(turn_dial(calibration, std::nan("")).ok());
}

// What is never right: a dial for a rating must not be off by hundreds of points unseen. Here the bot that is checked
// is not the one that was calibrated.
TEST(Dial, ACheckCanFail) {
  Ladder ladder = duel_ladder(kBots);
  ASSERT_TRUE(rate_ladder(game_entry<Duel>(), ladder, make_shower, {.target_error = 15}).ok());
  const AgentMaker weaker = [](const LadderPlayer& player) {
    LadderPlayer other = player;
    if (player.name == "level") other.bot = std::to_string(std::stoi(player.bot) / 2);
    return make_shower(other);
  };
  ASSERT_TRUE(calibrate_ladder(game_entry<Duel>(), ladder, weaker, {.target_error = 15}).ok());
  EXPECT_GT(std::fabs(ladder.calibration->levels.back().measured - ladder.calibration->levels.back().asked), 200);
}

TEST(LadderFile, KeepsEverything) {
  Ladder ladder = duel_ladder({bot(300), bot(700)});
  ASSERT_TRUE(rate_ladder(game_entry<Duel>(), ladder, make_shower, {.target_error = 30}).ok());
  ASSERT_TRUE(calibrate_ladder(game_entry<Duel>(), ladder, make_shower, {.target_error = 30}, 3, 100).ok());
  ladder.rules.picks = {1, -1};
  ladder.rules.drawn = {{1, 0.5, 2, 0.25}, {2, 1, 3, 1, {1, 3}}};
  ladder.players.back().reaction_steps = 3;
  ladder.calibration->dial.front().reaction_steps = 4;
  ladder.calibration->levels.front().setting.reaction_steps = 5;
  std::erase_if(ladder.results, [](const PairResult& r) { return r.matches() == 0; });
  const Result<Ladder> read = parse_ladder(ladder_json(ladder).dump(), "x");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value(), ladder);
}

TEST(LadderFile, RefusesWhatDoesNotFit) {
  Ladder ladder = duel_ladder({bot(300)});
  ladder.results = {{0, 1, 1, 2, 3}};
  ladder.rate();
  ladder.calibration =
      Calibration{.dial = {{"300", 9, 1000}, {"300", 0, 1300}}, .levels = {{1000, 1010, 9, 100, {"300", 9, 1000}}}};
  const auto json = ladder_json(ladder);
  ASSERT_TRUE(parse_ladder(json.dump(), "x").ok());
  // Of version 1, which knew no reactions.
  const auto older = json.patch(nlohmann::ordered_json::parse(R"([
    {"op":"replace","path":"/version","value":1}, {"op":"remove","path":"/players/1/reaction_steps"},
    {"op":"remove","path":"/dial/0/reaction_steps"}, {"op":"remove","path":"/calibration/0/reaction_steps"}])"));
  EXPECT_EQ(parse_ladder(older.dump(), "x").value(), ladder);
  // Of version 3, which knew no picks.
  const auto old = json.patch(nlohmann::ordered_json::parse(
      R"([{"op":"replace","path":"/version","value":3}, {"op":"remove","path":"/picks"}])"));
  EXPECT_EQ(parse_ladder(old.dump(), "x").value(), ladder);
  const std::pair<const char*, const char*> cases[] = {
      {R"([{"op":"replace","path":"/version","value":6}])", "newer"},
      {R"([{"op":"remove","path":"/game"}])", "'game'"},
      {R"([{"op":"replace","path":"/picks","value":[-2]}])", "'picks'"},
      {R"([{"op":"remove","path":"/picks"}])", "'picks'"},
      {R"([{"op":"replace","path":"/results/0/second","value":7}])", "'second'"},
      {R"([{"op":"replace","path":"/results/0/wins","value":-1}])", "'wins'"},
      {R"([{"op":"add","path":"/results/1","value":{"first":0,"second":1,"wins":0,"draws":0,"losses":0}}])", "twice"},
      {R"([{"op":"replace","path":"/players/1/name","value":"random"}])", "player 1: 'name' is that of an earlier"},
      {R"([{"op":"replace","path":"/players/0/name","value":"rnd"}])", "'random'"},
      {R"([{"op":"replace","path":"/players/1/kind","value":"king"}])", "'kind'"},
      {R"([{"op":"replace","path":"/players/1/rating","value":"high"}])", "'rating'"},
      {R"([{"op":"replace","path":"/dial/1/rating","value":900}])", "below"},
      {R"([{"op":"replace","path":"/dial/1/reaction_steps","value":-1}])", "'reaction_steps'"},
      {R"([{"op":"replace","path":"/dial","value":[]}])", "two settings"},
      {R"([{"op":"replace","path":"/calibration/0/matches","value":1e300}])", "'matches'"},
      // Bots from elsewhere, or of nobody.
      {R"([{"op":"replace","path":"/dial/0/bot","value":"../../elsewhere"}])", "dial 0: 'bot' is the bot of no player"},
      {R"([{"op":"replace","path":"/dial/0/bot","value":"301"}])", "dial 0: 'bot' is the bot of no player"},
      {R"([{"op":"replace","path":"/dial/0/bot","value":""}])", "dial 0: 'bot' is the bot of no player"},
      {R"([{"op":"replace","path":"/calibration/0/bot","value":"/300"}])", "calibration 0: 'bot'"},
      {R"([{"op":"replace","path":"/players/1/bot","value":"../300"}])", "player 1: 'bot' must be a plain file name"},
      {R"([{"op":"replace","path":"/players/1/bot","value":""}])", "player 1: 'bot' must be a plain file name"},
      {R"([{"op":"replace","path":"/players/0/bot","value":"300"}])", "player 0: 'bot' must be empty"},
      {R"([{"op":"replace","path":"/players/0/kind","value":"baseline"}])", "'random'"},
      // Matches that were never played.
      {R"([{"op":"replace","path":"/results/0/losses","value":4294967296}])", "'losses' must be a whole number from 0"},
      {R"([{"op":"replace","path":"/results/0/losses","value":2.5}])", "'losses' must be a whole number from 0"},
      {R"([{"op":"replace","path":"/results/0/wins","value":16777217}])",
       "player 0: 'matches' is 6, but its results hold 16777222"},
      {R"([{"op":"replace","path":"/results/0/wins","value":1000000000}])", "more than 1000000000 matches"},
      {R"([{"op":"replace","path":"/players/1/matches","value":7}])",
       "player 1: 'matches' is 7, but its results hold 6"},
      {R"([{"op":"replace","path":"/results","value":[]}])", "'matches' is 6, but its results hold 0"},
      {R"([{"op":"replace","path":"/players","value":[]}])", "result 0: 'first'"},
      {R"([{"op":"replace","path":"/players/1/temperature","value":1e39}])", "'temperature'"},
      {R"([{"op":"replace","path":"/players/1/temperature","value":null}])", "'temperature'"},  // as NaN is written
      {R"([{"op":"replace","path":"/players/1/steps","value":9223372036854775807}])", "'steps'"},
      {R"([{"op":"replace","path":"/players/1/name","value":"\u001b[2J"}])", "'name' must be a line of text"},
      {R"([{"op":"replace","path":"/parameters","value":[1e300]}])", "'parameters'"},
  };
  for (const auto& [patch, part] : cases) {
    const Result<Ladder> read = parse_ladder(json.patch(nlohmann::ordered_json::parse(patch)).dump(), "x");
    ASSERT_FALSE(read.ok()) << patch;
    EXPECT_NE(read.error().message.find(part), std::string::npos) << read.error().message;
  }
  EXPECT_FALSE(parse_ladder("{", "x").ok());
  EXPECT_FALSE(parse_ladder("7", "x").ok());
  EXPECT_FALSE(parse_ladder(R"({"version":2,"version":2})", "x").ok());
}

// Where the file says so everywhere, matches are believed to the last one, and however many there are, nothing takes
// longer for it.
TEST(LadderFile, ManyMatchesTakeNoLonger) {
  Ladder ladder = duel_ladder({bot(300)});
  for (const double wins : {16'777'217.0, 70'000'001.0}) {
    ladder.results = {{0, 1, wins, 2, 30'000'003}};
    ladder.rate();
    Result<Ladder> read = parse_ladder(ladder_json(ladder).dump(), "x");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read.value().results[0].wins, wins);
    ASSERT_TRUE(rate_ladder(game_entry<Duel>(), read.value(), make_shower, {.target_error = 15}).ok());
    EXPECT_EQ(read.value().matches(), wins + 30'000'005);  // there was nothing left to play
    EXPECT_EQ(read.value().players[0].skill.mu > read.value().players[1].skill.mu, wins > 30'000'003);
  }
}

TEST(LadderFile, SavesWhatItCanRead) {
  Ladder ladder = duel_ladder({bot(300)});
  ladder.results = {{0, 1, 1, 2, 3}};  // not rated since
  const Result<Ladder> read = parse_ladder(ladder_json(ladder).dump(), "x");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().players[1].matches, 6);
}

TEST(LadderRules, OpeningsOnlyWhereNothingIsLeftToChance) {
  EXPECT_EQ(ladder_rules(game_entry<Duel>(), {}, 0).opening, 0);  // chance decides
}

// Pure luck for any number of seats: what is chosen does nothing, and now and then the first two are level.
template <int seats>
struct Luck {
  static Spec spec() {
    return {.name = "luck",
            .description = "",
            .source = "",
            .seats = seats,
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::discrete("nothing", 3)},
            .simultaneous = true,
            .max_steps = 1};
  }
  void reset(const Settings&, Key) { *this = {}; }
  SeatSet to_act() const { return SeatSet::first(seats); }
  void observe(int, Observation) const {}
  void step(const Actions& actions, Key key, Rewards) {
    std::uint64_t said = 0;
    for (int seat = 0; seat < seats; ++seat) said = 3 * said + static_cast<std::uint64_t>(actions.choice(seat));
    Random random(key.split(said));  // so that matches of one key differ by what players do
    for (float& p : points) p = random.uniform();
    if (random.below(4) == 0) points[0] = points[1];
    over = true;
  }
  Status status() const { return over ? Status::finished : Status::running; }
  float result(int team) const { return points[team]; }
  float points[seats] = {};
  bool over = false;
};

template <int seats>
void expect_even_ladders() {
  const GameEntry game = game_entry<Luck<seats>>();
  const AgentMaker make = [](const LadderPlayer&) { return Result<std::unique_ptr<Agent>>(random_agent()); };
  int missed = 0, misleads = 0, rated = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Ladder ladder{.rules = ladder_rules(game, {}, 1), .players = {{.name = "random", .kind = Kind::random}}};
    for (int i = 0; i < 3; ++i) ladder.players.push_back(bot(i));
    ASSERT_TRUE(rate_ladder(game, ladder, make, {.seed = seed, .threads = 1, .target_error = 25}).ok());
    for (std::size_t i = 1; i < ladder.players.size(); ++i) {
      const double error = ladder.rate().error[i];
      missed += std::fabs(ladder.players[i].rating - kRandomRating) > 1.96 * error;
      EXPECT_LT(std::fabs(ladder.players[i].rating - kRandomRating), 4 * error);
      ++rated;
    }
    misleads += intransitivity_json(ladder)["elo_misleads"].get<bool>();
    const Result<Ladder> read = parse_ladder(ladder_json(ladder).dump(), "ladder");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read.value().results, ladder.results);
  }
  EXPECT_LE(missed, rated / 10) << seats << " seats";  // of 150 that miss once in 20
  EXPECT_LE(misleads, 4) << seats << " seats";
}

TEST(Ladder, LuckMakesNobodyBetterWithAnyNumberOfSeats) {
  expect_even_ladders<2>();
  expect_even_ladders<3>();
  expect_even_ladders<5>();
  expect_even_ladders<8>();
}

TEST(Ladder, PlacingsAreReadStrictly) {
  using Json = nlohmann::json;
  Ladder ladder{.rules = {.game = "luck", .sides = 3}, .players = {{.name = "random", .kind = Kind::random}, bot(1)}};
  ladder.results = {{.first = 0, .second = 1}};
  ladder.results[0].add({true, 1, 0, 1, 7}), ladder.results[0].add({false, 0, 2, 0, 5});
  ladder.rate();
  const Json json = Json::parse(ladder_json(ladder).dump());
  const Result<Ladder> read = parse_ladder(json.dump(), "ladder");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().results, ladder.results);
  EXPECT_EQ(read.value().rules, ladder.rules);
  for (const auto& [patch, message] :
       {std::pair{R"([{"op":"replace","path":"/results/0/placings/0/alone","value":"third"}])", "alone"},
        {R"([{"op":"replace","path":"/results/0/placings/0/ahead","value":2}])", "behind"},
        {R"([{"op":"replace","path":"/results/0/placings/1/level","value":-1}])", "level"},
        {R"([{"op":"replace","path":"/results/0/placings/1/matches","value":4294967296}])", "matches"},
        {R"([{"op":"copy","from":"/results/0/placings/0","path":"/results/0/placings/-"}])", "earlier placing"}}) {
    const Result<Ladder> refused = parse_ladder(json.patch(Json::parse(patch)).dump(), "ladder");
    ASSERT_FALSE(refused.ok()) << patch;
    EXPECT_NE(refused.error().message.find(message), std::string::npos) << refused.error().message;
  }
}

}  // namespace
}  // namespace rival
