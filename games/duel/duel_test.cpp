#include "games/duel/duel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agent/scripted.hpp"
#include "game/spec.hpp"
#include "match/match.hpp"
#include "rival/by_hand.hpp"

namespace rival {
namespace {

enum Unit { knight, lancer, archer, monk, shieldbearer, sniper };

Duel started(int first, int second) {
  Settings settings = default_settings(Duel::spec());
  settings.picks = {first, second};
  Duel game;
  game.reset(settings, Key(1));
  return game;
}

void place(Duel& game, int seat, int x, int y) {
  game.fighter(seat).x = x;
  game.fighter(seat).y = y;
}

bool allowed(const Duel& game, int seat, int choice) {
  const std::vector<int> choices = legal_choices(game, seat);
  return std::find(choices.begin(), choices.end(), choice) != choices.end();
}

TEST(Duel, PicksAreHonoured) {
  for (int first = 0; first < duel::kUnits; ++first)
    for (int second = 0; second < duel::kUnits; ++second) {
      const Duel game = started(first, second);
      EXPECT_EQ(game.fighter(0).unit, first);
      EXPECT_EQ(game.fighter(1).unit, second);
    }
  Settings settings = default_settings(Duel::spec());
  settings.picks = {archer, -1};
  int drawn[duel::kUnits] = {};
  for (std::uint64_t i = 0; i < 6000; ++i) {
    Duel game;
    game.reset(settings, Key(i));
    EXPECT_EQ(game.fighter(0).unit, archer);
    ++drawn[game.fighter(1).unit];
  }
  for (const int times : drawn) EXPECT_NEAR(times, 1000, 150);
}

TEST(Duel, ParametersAreHonoured) {
  const Spec spec = Duel::spec();
  Settings settings = default_settings(spec);
  const std::string numbers[] = {"lancer.damage=7.5", "lancer.health=101.5", "monk.health=80", "second.health=25"};
  ASSERT_TRUE(set_parameters(spec, numbers, "", settings).ok());
  settings.picks = {lancer, monk};
  Duel game;
  game.reset(settings, Key());
  EXPECT_EQ(game.fighter(0).damage, 7.5f);
  EXPECT_EQ(game.fighter(0).health, 101.5f);
  EXPECT_EQ(game.fighter(1).damage, duel::data().units[monk].damage);
  EXPECT_EQ(game.fighter(1).health, 100);
  // They are seen: another number, another observation.
  const std::vector<float> seen = observed(game, 0);
  for (const char* number : {"lancer.damage=8", "lancer.health=102", "monk.damage=7", "second.health=20"}) {
    Settings other = settings;
    ASSERT_TRUE(set_parameters(spec, std::vector<std::string>{number}, "", other).ok());
    game.reset(other, Key());
    EXPECT_NE(observed(game, 0), seen) << number;
  }
}

TEST(Duel, HitsReachAsFarAsTheyShould) {
  for (int unit = 0; unit < duel::kUnits; ++unit)
    for (int x = 1; x < Duel::kWidth; ++x) {
      Duel game = started(unit, knight);
      place(game, 1, x, Duel::kHeight - 1);
      game.fighter(0).aim = game.fighter(0).stats().aim;
      EXPECT_EQ(game.distance(), std::max(x, Duel::kHeight / 2));
      EXPECT_EQ(allowed(game, 0, Duel::strike), game.distance() <= game.fighter(0).stats().reach);
    }
  // A cell diagonally next to it is one away.
  Duel game = started(knight, knight);
  place(game, 1, 1, 1);
  EXPECT_TRUE(allowed(game, 0, Duel::strike));
}

TEST(Duel, HarmIsDrawn) {
  float least = 1e9f, most = 0, sum = 0;
  constexpr int kHits = 4000;
  for (std::uint64_t i = 0; i < kHits; ++i) {
    Duel game = started(knight, archer);
    place(game, 1, 1, 2);
    const float health = game.fighter(1).health;
    make_moves(game, {Duel::strike}, Key(i));
    const float harm = (health - game.fighter(1).health) / game.fighter(0).damage;
    least = std::min(least, harm);
    most = std::max(most, harm);
    sum += harm;
  }
  EXPECT_NEAR(least, 0.5f, 0.01f);
  EXPECT_NEAR(most, 1.5f, 0.01f);
  EXPECT_NEAR(sum / kHits, 1, 0.02f);
}

TEST(Duel, UnitsWalkAndBlock) {
  Duel game = started(lancer, knight);
  EXPECT_EQ(legal_choices(game, 0), (std::vector<int>{Duel::forward, Duel::left, Duel::right, Duel::wait}));
  make_moves(game, {Duel::forward});
  EXPECT_EQ(game.fighter(0).x, 2);
  make_moves(game, {Duel::forward});  // the other way
  EXPECT_EQ(game.fighter(1).x, 5);
  EXPECT_EQ(game.action_text(0, Duel::forward), "east");
  EXPECT_EQ(game.action_text(1, Duel::forward), "west");
  place(game, 1, 4, 2);
  make_moves(game, {Duel::forward});  // one of two cells
  EXPECT_EQ(game.fighter(0).x, 3);
  EXPECT_FALSE(allowed(game, 1, Duel::forward));
  place(game, 0, 3, 4);
  EXPECT_TRUE(allowed(game, 0, Duel::left));
  EXPECT_FALSE(allowed(game, 0, Duel::right));
  EXPECT_EQ(game.fighter(0).x, 3);
}

// A match and its turned image look the same to the seat that is to move.
TEST(Duel, SeatsSeeTheBoardFromTheirOwnSide) {
  Settings settings = default_settings(Duel::spec());
  ASSERT_TRUE(set_parameters(Duel::spec(), std::vector<std::string>{"second.health=0"}, "", settings).ok());
  settings.picks = {archer, archer};
  Duel game;
  game.reset(settings, Key());
  make_moves(game, {Duel::left});
  make_moves(game, {Duel::left});
  std::vector<float> first = observed(game, 0), second = observed(game, 1);
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i + 3 < first.size(); ++i) EXPECT_EQ(first[i], second[i]) << i;
  EXPECT_NE(first[first.size() - 2], second[second.size() - 2]) << "who went second";
}

TEST(Duel, TheSniperAimsAndFires) {
  Duel game = started(sniper, knight);
  const int needed = game.fighter(0).stats().aim;
  for (int i = 0; i < needed; ++i) {
    EXPECT_FALSE(allowed(game, 0, Duel::strike));
    make_moves(game, {Duel::special});
    make_moves(game, {Duel::wait});
  }
  EXPECT_TRUE(allowed(game, 0, Duel::strike));
  EXPECT_FALSE(allowed(game, 0, Duel::special));
  EXPECT_NE(game.text().find("ready to fire"), std::string::npos);

  Duel moved = game;
  make_moves(moved, {Duel::left});
  make_moves(moved, {Duel::wait});
  EXPECT_FALSE(allowed(moved, 0, Duel::strike)) << "a step loses the aim";

  Duel waited = game;
  make_moves(waited, {Duel::wait});
  place(waited, 1, 1, 2);
  make_moves(waited, {Duel::strike});
  EXPECT_TRUE(allowed(waited, 0, Duel::strike)) << "neither waiting nor being hit does";

  const float health = game.fighter(1).health;
  make_moves(game, {Duel::strike});
  EXPECT_LT(game.fighter(1).health, health);
  make_moves(game, {Duel::wait});
  EXPECT_FALSE(allowed(game, 0, Duel::strike)) << "a shot needs an aim of its own";
}

TEST(Duel, TheShieldHolds) {
  Duel game = started(shieldbearer, knight), open = game;
  make_moves(game, {Duel::special});
  make_moves(open, {Duel::wait});
  for (Duel* match : {&game, &open}) {
    place(*match, 1, 1, 2);
    make_moves(*match, {Duel::strike}, Key(5));
  }
  const float full = game.fighter(0).full_health;
  EXPECT_NEAR((full - game.fighter(0).health) / (full - open.fighter(0).health),
              1 - static_cast<float>(game.fighter(0).stats().guard) / 100, 1e-4f);
  EXPECT_TRUE(game.fighter(0).guarding);
  EXPECT_FALSE(allowed(game, 0, Duel::special));
  make_moves(game, {Duel::strike});
  EXPECT_FALSE(game.fighter(0).guarding);
}

TEST(Duel, TheMonkHeals) {
  Duel game = started(monk, knight);
  EXPECT_FALSE(allowed(game, 0, Duel::special)) << "it is well";
  const int times = game.fighter(0).heals;
  game.fighter(0).health = 10;
  for (int i = 0; i < times; ++i) {
    make_moves(game, {Duel::special});
    make_moves(game, {Duel::wait});
  }
  EXPECT_EQ(game.fighter(0).health, 10 + static_cast<float>(times * game.fighter(0).stats().heal));
  game.fighter(0).health = 10;
  EXPECT_FALSE(allowed(game, 0, Duel::special)) << "no more of it";
}

TEST(Duel, Ends) {
  Duel game = started(knight, archer);
  place(game, 1, 1, 2);
  game.fighter(1).health = 1;
  make_moves(game, {Duel::strike});
  EXPECT_EQ(game.status(), Status::finished);
  EXPECT_EQ(game.result(0), 1);
  EXPECT_EQ(game.result(1), -1);

  // The limit: the larger share wins, not the larger number.
  for (const float health : {0.0f, 1.0f}) {
    Duel slow = started(archer, knight);
    slow.fighter(0).health -= health;
    for (int i = 0; i < Duel::kTurns; ++i) {
      ASSERT_EQ(slow.status(), Status::running);
      make_moves(slow, {Duel::wait});
    }
    EXPECT_EQ(slow.status(), Status::finished);
    EXPECT_EQ(slow.result(0), health > 0 ? -1 : 1) << "level, the first seat wins";
    EXPECT_EQ(slow.result(1), -slow.result(0));
  }
}

TEST(Duel, TheSkirmisherBeatsRandomPlay) {
  const GameEntry entry = duel_entry();
  const auto skirmisher = entry.baselines.front().make();
  const auto random = random_agent();
  MatchOptions options;
  options.matches = 400;
  const Result<MatchSummary> played = play_matches(entry, *skirmisher, random.get(), Key(3), options);
  ASSERT_TRUE(played.ok()) << played.error().message;
  EXPECT_GT(played.value().score.value, 0.9);
  EXPECT_EQ(played.value().draws, 0);
}

// ---- the data file -------------------------------------------------------------------------------------------

std::string edited(std::string_view from, std::string_view to) {
  std::string text(embedded::units_toml);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
  const Result<duel::Data> data = duel::parse_data(text, "u.toml");
  return data.ok() ? "" : data.error().message;
}

// The number of the line in which `what` begins.
std::string line_of(std::string_view what) {
  const std::string_view text = embedded::units_toml;
  return std::to_string(1 + std::count(text.begin(), text.begin() + static_cast<long>(text.find(what)), '\n'));
}

TEST(DuelData, ErrorsNameLineAndKey) {
  EXPECT_EQ(error_of(std::string(embedded::units_toml)), "");
  EXPECT_EQ(error_of("[knight\n").substr(0, 9), "u.toml:1:");
  EXPECT_EQ(error_of(edited("[monk]", "[monks]")), "u.toml:1: the table [monk] is missing");
  EXPECT_EQ(error_of(edited("speed = 2", "speed = 20")),
            "u.toml:" + line_of("speed = 2") + ": lancer: 'speed' must be a whole number from 1 to 3");
  EXPECT_EQ(error_of(edited("speed = 2\n", "")), "u.toml:" + line_of("[lancer]") + ": lancer: 'speed' is missing");
  EXPECT_EQ(error_of(edited("guard = 50", "gard = 50")),
            "u.toml:" + line_of("guard = 50") + ": shieldbearer: unknown key 'gard'; did you mean 'guard'? Known: " +
                "damage, health, reach, speed, aim, guard, heal, heals");
  EXPECT_EQ(error_of(edited("high = 24 }", "hi = 24 }")),
            "u.toml:" + line_of("high = 24 }") +
                ": knight: 'damage' needs { value, low, high } with 1 <= low <= value <= high <= 1000");
  EXPECT_EQ(
      error_of(edited("low = 6, high = 24 }", "low = 6.25, high = 24.25 }")),
      "u.toml:" + line_of("low = 6, high = 24 }") + ": knight: 'damage' needs { value, low, high } in steps of 0.5");
  EXPECT_EQ(error_of(edited("heals = 3", "")), "u.toml:" + line_of("[monk]") + ": monk: 'heals' is missing");
  EXPECT_EQ(error_of(edited("[second]", "[third]\n[second]"))
                .rfind("u.toml:" + line_of("[second]") + ": unknown table 'third'", 0),
            0u);
  EXPECT_NE(error_of(edited("aim = 2 ", "guard = 5\naim = 2 ")).find("only one of"), std::string::npos);
}

TEST(DuelData, HashesTellWhatChanged) {
  const Result<duel::Data> changed = duel::parse_data(edited("speed = 2", "speed = 3"), "u.toml");
  ASSERT_TRUE(changed.ok());
  ASSERT_EQ(changed.value().hashes.size(), duel::data().hashes.size());
  for (std::size_t i = 0; i < changed.value().hashes.size(); ++i) {
    const RuleData &now = changed.value().hashes[i], &before = duel::data().hashes[i];
    EXPECT_EQ(now.name, before.name);
    EXPECT_EQ(now.hash != before.hash, now.name == "unit Lancer") << now.name;
  }
}

}  // namespace
}  // namespace rival
