#include "balance/study.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "agent/scripted.hpp"
#include "balance/figures.hpp"
#include "balance/measure.hpp"
#include "balance/proposal.hpp"
#include "base/temporary_folder.hpp"
#include "game/spec.hpp"

namespace rival::balance {
namespace {

// Rock, paper, scissors that are picked beforehand; whose pick is better wins the more likely, the higher the stake.
class BiasedRps {
 public:
  static Spec spec() {
    Spec spec{.name = "biased_rps",
              .description = "rock, paper, scissors with stakes",
              .seats = 2,
              .observation = {ObservationPart::vector("nothing", 1)},
              .action = {ActionPart::discrete("reveal", 1)},
              .parameters = {{"rock_beats_scissors", 0.5f, 0.1f, 0.9f},
                             {"paper_beats_rock", 0.5f, 0.1f, 0.9f},
                             {"scissors_beat_paper", 0.5f, 0.1f, 0.9f}},
              .choices = {{"hand", {"Rock", "Paper", "Scissors"}}},
              .max_steps = 1};
    return spec;
  }
  void reset(const Settings& settings, Key key) {
    over_ = false;
    Random random(key);
    for (std::size_t seat = 0; seat < 2; ++seat) {
      pick_[seat] = settings.picks.empty() || settings.picks[seat] < 0 ? random.below(3) : settings.picks[seat];
    }
    for (std::size_t p = 0; p < 3; ++p) stake_[p] = settings.parameters[p];
  }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const { out[0] = 1; }
  void step(const Actions&, Key key, Rewards) {
    over_ = true;
    const int a = pick_[0], b = pick_[1];
    const float edge = a == b ? 0 : wins(a, b) ? stake_[a == 0 ? 0 : a] : -stake_[b == 0 ? 0 : b];
    winner_ = Random(key).uniform() < (1 + edge) / 2 ? 0 : 1;
  }
  Status status() const { return over_ ? Status::finished : Status::running; }
  float result(int team) const { return team == winner_ ? 1.0f : -1.0f; }

 private:
  static bool wins(int a, int b) {
    return (a - b + 3) % 3 == 1;
  }  // paper over rock, scissors over paper, rock over scissors
  int pick_[2] = {}, winner_ = 0;
  float stake_[3] = {};  // of the winner's pick
  bool over_ = false;
};

// The seat that goes first wins with probability 0.6 less the handicap; nobody decides anything.
class Handicap {
 public:
  static Spec spec() {
    return {.name = "handicap",
            .description = "a coin that favours the side that goes first",
            .seats = 2,
            .observation = {ObservationPart::vector("nothing", 1)},
            .action = {ActionPart::discrete("flip", 1)},
            .parameters = {{"handicap", 0, 0, 0.3f}, {"colour", 0, 0, 1}},
            .max_steps = 1};
  }
  void reset(const Settings& settings, Key) { over_ = false, handicap_ = settings.parameters[0]; }
  SeatSet to_act() const { return SeatSet::one(0); }
  void observe(int, Observation out) const { out[0] = 1; }
  void step(const Actions&, Key key, Rewards) {
    over_ = true;
    winner_ = Random(key).uniform() < 0.6f - handicap_ ? 0 : 1;
  }
  Status status() const { return over_ ? Status::finished : Status::running; }
  float result(int team) const { return team == winner_ ? 1.0f : -1.0f; }

 private:
  int winner_ = 0;
  float handicap_ = 0;
  bool over_ = false;
};

StudyOptions quick(const Spec& spec, const std::string& folder, Settings settings, std::string_view targets) {
  StudyOptions options{.folder = folder,
                       .targets = read_targets(spec, settings, targets, "targets.toml").value(),
                       .settings = settings,
                       .steps = 2000};
  options.training = {{"hidden", "8"}};
  return options;
}

double value_after(const nlohmann::ordered_json& json, const std::string& parameter, double before) {
  for (const auto& change : json["changes"])
    if (change["parameter"] == parameter) return change["to"];
  return before;
}

TEST(Measure, ResultsDoNotDependOnTheNumberOfThreads) {
  const GameEntry game = game_entry<BiasedRps>();
  const Picks picks(game.spec, 0);
  const std::vector<MakeAgent> players = {[]() -> Result<std::unique_ptr<Agent>> { return random_agent(); }};
  std::vector<std::string> texts;
  for (const int threads : {1, 3}) {
    const auto measured = measure(
        game, players, Key(4),
        {.choice = 0,
         .pairs = 700,
         .setup = [&](std::int64_t pair, Key key) { return picks.setup(default_settings(game.spec), pair, key); },
         .threads = threads});
    ASSERT_TRUE(measured) << measured.error().message;
    EXPECT_EQ(measured.value().results.size(), 1400u);
    texts.push_back(write_results(game.spec, 0, measured.value().results));
  }
  EXPECT_EQ(texts[0], texts[1]);
}

TEST(Picks, ComeEquallyOftenAndAreSwapped) {
  Spec spec{.name = "teams", .seats = 4, .teams = {0, 0, 1, 1}};
  spec.choices = {{"hero", {"A", "B", "C", "D"}}};
  const Picks picks(spec, 0);
  std::vector<int> count(4);
  for (std::int64_t pair = 0; pair < 600; ++pair) {
    const PairSetup both = picks.setup({}, pair, Key(1).split(static_cast<std::uint64_t>(pair)));
    const std::vector<int>& p = both.settings.picks;
    ASSERT_EQ(p.size(), 4u);
    EXPECT_NE(p[0], p[1]);
    EXPECT_NE(p[2], p[3]);
    EXPECT_EQ(both.swapped.picks, (std::vector<int>{p[2], p[3], p[0], p[1]}));
    for (const int option : p) ++count[static_cast<std::size_t>(option)];
  }
  for (const int n : count) EXPECT_NEAR(n, 600, 60);
}

// From random stakes to those under which best picks have these shares, each within 0.02, as the true equilibrium of
// the proposed stakes has it: a pick is worth what the other two play for between them.
void reaches_shares(int starts, std::uint64_t seed, const std::string& targets, const std::array<double, 3>& wanted) {
  const GameEntry game = game_entry<BiasedRps>();
  const TemporaryFolder folder;
  Random random{Key(seed)};
  for (int start = 0; start < starts; ++start) {
    Settings settings = default_settings(game.spec);
    for (float& stake : settings.parameters) stake = random.uniform(0.1f, 0.9f);
    const auto report = run_study(game, quick(game.spec, folder.file(std::to_string(start)), settings, targets), {});
    ASSERT_TRUE(report) << report.error().message;
    const auto& json = report.value().json;
    std::array<double, 3> stakes{};
    double sum = 0;
    for (std::size_t p = 0; p < 3; ++p)
      sum += stakes[p] = value_after(json, game.spec.parameters[p].name, static_cast<double>(settings.parameters[p]));
    // Rock: scissors beat paper; paper: rock beats scissors; scissors: paper beats rock.
    EXPECT_NEAR(stakes[2] / sum, wanted[0], 0.02) << json["changes"].dump();
    EXPECT_NEAR(stakes[0] / sum, wanted[1], 0.02) << json["changes"].dump();
    EXPECT_NEAR(stakes[1] / sum, wanted[2], 0.02) << json["changes"].dump();
  }
}

TEST(Study, BringsBiasedRockPaperScissorsToAnEquilibrium) {
  reaches_shares(1, 9, "[share]\nall = \"32.33..34.33\"\n", {1.0 / 3, 1.0 / 3, 1.0 / 3});
}

TEST(StudySlow, BringsBiasedRockPaperScissorsToTheUniformEquilibriumFromTenStarts) {
  reaches_shares(10, 1, "[share]\nall = \"32.33..34.33\"\n", {1.0 / 3, 1.0 / 3, 1.0 / 3});
}

TEST(StudySlow, BringsBiasedRockPaperScissorsToAnotherEquilibrium) {
  reaches_shares(3, 2, "[share]\nrock = \"49..51\"\npaper = \"29..31\"\nscissors = \"19..21\"\n", {0.5, 0.3, 0.2});
}

TEST(Study, HandicapsTheSideThatGoesFirst) {
  const GameEntry game = game_entry<Handicap>();
  const TemporaryFolder folder;
  StudyOptions options = quick(game.spec, folder.file("study"), default_settings(game.spec), "");
  const auto report = run_study(game, options, {});
  ASSERT_TRUE(report) << report.error().message;
  const auto& json = report.value().json;
  EXPECT_NEAR(json["seat_advantage_before"]["rate"], 0.6, 0.02);
  EXPECT_TRUE(json["met"].get<bool>()) << json.dump(1);
  EXPECT_NEAR(value_after(json, "handicap", 0), 0.1, 0.03);
  EXPECT_EQ(json["changes"].size(), 1u);  // the colour has nothing to do with it
  EXPECT_EQ(json["choices"].size(), 0u);

  // The same again is read, not played.
  const auto again = run_study(game, options, {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again.value().json["changes"], json["changes"]);
  EXPECT_EQ(again.value().json["after"], json["after"]);
  // And another study does not get into its folder.
  options.seed = 2;
  const auto other = run_study(game, options, {});
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("holds a study of another game"), std::string::npos);
}

TEST(Study, GoesOnWhereItWasStopped) {
  const GameEntry game = game_entry<Handicap>();
  const TemporaryFolder folder;
  StudyOptions options = quick(game.spec, folder.file("study"), default_settings(game.spec), "");
  std::atomic<bool> stop = false;
  options.stop = &stop;
  const auto stopped = run_study(game, options, {.on_progress = [&](const StudyProgress& progress) {
                                   if (progress.stage.starts_with("search, round 2")) stop = true;
                                 }});
  ASSERT_TRUE(stopped) << stopped.error().message;
  EXPECT_TRUE(stopped.value().stopped);
  stop = false;
  std::vector<std::string> stages;
  const auto whole = run_study(game, options, {.on_progress = [&](const StudyProgress& progress) {
                                 if (stages.empty() || stages.back() != progress.stage)
                                   stages.push_back(progress.stage);
                               }});
  ASSERT_TRUE(whole) << whole.error().message;
  ASSERT_FALSE(stages.empty());
  EXPECT_TRUE(stages.front().starts_with("search, round 2")) << stages.front();
  EXPECT_TRUE(whole.value().json["met"].get<bool>());
}

TEST(Study, MergesTheMatchesOfAnotherMachine) {
  const GameEntry game = game_entry<BiasedRps>();
  const TemporaryFolder folder;
  StudyOptions options = quick(game.spec, folder.file("one"), default_settings(game.spec), "");
  const auto one = run_study(game, options, {});
  ASSERT_TRUE(one) << one.error().message;
  options.folder = folder.file("two");
  options.seed = 2;
  options.merge = {folder.file("one")};
  const auto two = run_study(game, options, {});
  ASSERT_TRUE(two) << two.error().message;
  EXPECT_EQ(two.value().json["before"][0][1]["matches"], 2 * one.value().json["before"][0][1]["matches"].get<int>());
  options.merge = {folder.file("none")};
  options.folder = folder.file("three");
  EXPECT_FALSE(run_study(game, options, {}));
}

TEST(Study, SaysWhatCannotBeReached) {
  const GameEntry game = game_entry<Handicap>();
  const TemporaryFolder folder;
  const auto report = run_study(game,
                                quick(game.spec, folder.file("study"), default_settings(game.spec),
                                      "first = \"..45\"\n[parameters]\nhandicap = \"0..0.05\"\n"),
                                {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_FALSE(report.value().json["met"].get<bool>());
  EXPECT_NEAR(value_after(report.value().json, "handicap", 0), 0.05, 0.005);
  EXPECT_NEAR(report.value().json["worst_gap"], 10, 3);
}

TEST(Study, LeavesABalancedGameAlone) {
  const GameEntry game = game_entry<BiasedRps>();
  const TemporaryFolder folder;
  const auto report = run_study(game, quick(game.spec, folder.file("study"), default_settings(game.spec), ""), {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report.value().json["met"].get<bool>());
  EXPECT_TRUE(report.value().json["changes"].empty());
  EXPECT_TRUE(report.value().json["dominated"].empty());
  EXPECT_EQ(report.value().json["top_d"], 3);
  for (const double share : report.value().json["nash"]) EXPECT_NEAR(share, 1.0 / 3, 0.05);
}

}  // namespace
}  // namespace rival::balance
