#include "game/spec.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace rival {
namespace {

Spec sound() {
  return {.name = "my_game-2.1:x",
          .description = "One line",
          .seats = 4,
          .teams = {0, 1, 0, 1},
          .observation = {ObservationPart::vector("self", 3), ObservationPart::grid("map", 2, 4, 5),
                          ObservationPart::entities("units", 6, 3)},
          .action = {ActionPart::discrete("order", 4), ActionPart::continuous("aim", 2, -1, 1).when(0, {1, 2}),
                     ActionPart::target("unit", 2, 6).when(0, {3})},
          .parameters = {{"speed", 1, 0, 2, ""}},
          .choices = {{"hero", {"bear", "crow"}}},
          .max_steps = 10};
}

struct Wrong {
  std::function<void(Spec&)> change;
  const char* says;
};

TEST(Spec, WhatMakesNoSenseIsRefusedByName) {
  ASSERT_TRUE(validate(sound()).ok()) << validate(sound()).error().message;
  const float infinity = std::numeric_limits<float>::infinity();
  const Wrong all[] = {
      {[](Spec& s) { s.name = ""; }, "has no name"},
      {[](Spec& s) { s.name = "../My Game"; }, "has the name '../My Game'"},
      {[](Spec& s) { s.name = "a/b"; }, "letters, digits"},
      {[](Spec& s) { s.name = ".hidden"; }, "begins with a letter"},
      {[](Spec& s) { s.name = std::string(65, 'a'); }, "up to 64"},
      {[](Spec& s) { s.description = "two\nlines"; }, "description must be one line"},
      {[](Spec& s) { s.seats = 0; }, "seats must be 1 to 64, is 0"},
      {[](Spec& s) { s.seats = 65; }, "seats must be 1 to 64, is 65"},
      {[](Spec& s) {
         s.teams = {0, 1};
       },
       "a team for every seat"},
      {[](Spec& s) {
         s.teams = {0, -1, 0, 1};
       },
       "team numbers"},
      {[](Spec& s) {
         s.teams = {0, 1, 4, 1};
       },
       "team numbers"},
      {[](Spec& s) {
         s.teams = {0, 2, 2, 0};
       },
       "team 1 has no seat"},
      {[](Spec& s) { s.observation.clear(); }, "observation has no parts"},
      {[](Spec& s) { s.observation[1].height = 0; }, "'map' has no cells"},
      {[](Spec& s) { s.observation[0].height = 2; }, "'self' has more dimensions than its kind"},
      {[](Spec& s) { s.observation[2].channels = 2; }, "'units' has more dimensions"},
      {[](Spec& s) { s.observation[1].width = 1 << 30; }, "'map' has more than"},
      {[](Spec& s) {
         s.observation[0].width = s.observation[1].width = 9'000'000,
         s.observation[1].channels = s.observation[1].height = 1;
       },
       "cells in all"},
      {[](Spec& s) { s.observation[1].name = "self"; }, "two of the name 'self' among each observation part"},
      {[](Spec& s) { s.observation[1].name = ""; }, "needs a name"},
      {[](Spec& s) { s.action.clear(); }, "action has no parts"},
      {[](Spec& s) { s.action.assign(65, s.action[0]); }, "more than 64 parts"},
      {[](Spec& s) { s.action[0].size = 0; }, "'order' has size 0"},
      {[](Spec& s) { s.action[0].size = 1 << 21; }, "more than 1048576 choices"},
      {[](Spec& s) { s.action[1].size = 5000; }, "4096 continuous values"},
      {[](Spec& s) { s.action[2].name = "order"; }, "two of the name 'order'"},
      {[](Spec& s) { s.action[1].high = -1; }, "'aim' needs a low below its high"},
      {[](Spec& s) { s.action[1].low = -3e38f, s.action[1].high = 3e38f; }, "within -1e9 to 1e9"},
      {[=](Spec& s) { s.action[1].high = infinity; }, "'aim' needs"},
      {[](Spec& s) { s.action[1].low = NAN; }, "'aim' needs"},
      {[](Spec& s) { s.action[2].entities = 1; }, "which is not one of entities"},
      {[](Spec& s) { s.action[2].size = 5; }, "'unit' has 5 targets, but 'units' has 6"},
      {[](Spec& s) { s.action[1].when_part = 1; }, "'aim' may only depend on an earlier choice"},
      {[](Spec& s) { s.action[2].when_part = 1; }, "'unit' may only depend"},
      {[](Spec& s) { s.action[2].when_part = -7; }, "'unit' may only depend"},
      {[](Spec& s) { s.action[1].when_choices = 0; }, "'aim' depends on choices"},
      {[](Spec& s) { s.action[1].when_choices = 1 << 4; }, "'order', which has 4, does not have"},
      {[](Spec& s) { s.parameters[0].value = 3; }, "its default is outside"},
      {[=](Spec& s) { s.parameters[0].high = infinity; }, "must be finite"},
      {[](Spec& s) { s.parameters[0].step = -1; }, "parameter 'speed': its step must be 0 or more"},
      {[](Spec& s) { s.parameters[0].step = NAN; }, "its step must be"},
      {[=](Spec& s) { s.parameters[0].step = infinity; }, "its step must be"},
      {[](Spec& s) { s.parameters[0].value = 1.5f, s.parameters[0].step = 1; }, "a number of whole steps"},
      {[](Spec& s) { s.parameters[0].high = 2.5f, s.parameters[0].step = 1; }, "a number of whole steps"},
      {[](Spec& s) { s.parameters[0].name = "a=b"; }, "without '='"},
      {[](Spec& s) { s.parameters.push_back(s.parameters[0]); }, "two of the name 'speed'"},
      {[](Spec& s) { s.choices[0].options.clear(); }, "'hero' has no options"},
      {[](Spec& s) {
         s.choices[0].options = {"bear", "bear"};
       },
       "choice 'hero': there are two of the name 'bear'"},
      {[](Spec& s) { s.choices.push_back(s.choices[0]); }, "two of the name 'hero'"},
      {[](Spec& s) { s.seconds_per_step = -1; }, "seconds_per_step"},
      {[](Spec& s) { s.seconds_per_step = NAN; }, "seconds_per_step"},
      {[](Spec& s) { s.max_steps = -1; }, "max_steps"},
  };
  for (const Wrong& wrong : all) {
    Spec spec = sound();
    wrong.change(spec);
    const Result<void> valid = validate(spec);
    ASSERT_FALSE(valid.ok()) << wrong.says;
    EXPECT_NE(valid.error().message.find(wrong.says), std::string::npos) << valid.error().message;
  }
}

Spec arena() {
  Spec spec = sound();
  spec.seats = 5;
  spec.teams = {0, 1, 0, 1, 1};
  spec.parameters = {{"heroes", 5, 1, 5, "on each side", 1}, {"pace", 0.5f, 0.1f, 2, "of time"}};
  spec.choices = {{"hero", {"Bear", "Old Crow", "Fox"}}, {"town.side", {"a, b", "c"}}};
  return spec;
}

template <class Set>
void expect_errors(Set set, std::initializer_list<std::pair<const char*, const char*>> cases) {
  for (const auto& [assignment, part] : cases) {
    Settings settings = default_settings(arena());
    const std::string one[] = {assignment};
    const Result<void> result = set(arena(), std::span(one), "--option ", settings);
    ASSERT_FALSE(result.ok()) << assignment;
    EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
    EXPECT_EQ(result.error().message.find("--option "), 0u) << result.error().message;
  }
}

TEST(Settings, ParametersAreSetByName) {
  Settings settings = default_settings(arena());
  EXPECT_EQ(settings.parameters, (std::vector<float>{5, 0.5f}));
  const std::string all[] = {"heroes=3", "heroes=2", "pace=0.1"};
  ASSERT_TRUE(set_parameters(arena(), all, "", settings).ok());
  EXPECT_EQ(settings.parameters, (std::vector<float>{2, 0.1f}));
  expect_errors(set_parameters, {{"heros=1", "did you mean 'heroes'"},
                                 {"heroes", "NAME=VALUE"},
                                 {"pace=", "pace must be a number from 0.1 to 2, not ''"},
                                 {"pace=1x", "must be a number from 0.1 to 2"},
                                 {"pace=2.1", "must be a number from 0.1 to 2"},
                                 {"pace=nan", "must be a number from 0.1 to 2"},
                                 {"heroes=2.5", "heroes must be a whole number from 1 to 5, not '2.5'"},
                                 {"heroes=1.9999", "a whole number"},
                                 {"heroes=6", "a whole number from 1 to 5, not '6'"}});
}

TEST(Settings, StepsAreThoseThatPeopleWrite) {
  const Parameter tenths{"tenths", 0.5f, 0.2f, 12.9f, "", 0.1f}, large{"large", 0, -1e6f, 1e6f, "", 0.25f};
  for (int i = 2; i <= 129; ++i) {
    EXPECT_TRUE(allows(tenths, static_cast<float>(i / 10.0))) << i;
    EXPECT_FALSE(allows(tenths, static_cast<float>(i / 10.0 + 0.05))) << i;
  }
  EXPECT_FALSE(allows(tenths, 0.1f));
  EXPECT_TRUE(allows(large, 999'999.75f));
  EXPECT_FALSE(allows(large, 999'999.875f));
  EXPECT_EQ(allowed_values(tenths), "a number from 0.2 to 12.9 in steps of 0.1");
  EXPECT_EQ(allowed_values({"goal", 1, 1, 9, "", 1}), "a whole number from 1 to 9");
  EXPECT_EQ(allowed_values({"half", 0.5f, 0.5f, 2.5f, "", 1}), "a number from 0.5 to 2.5 in steps of 1");
  EXPECT_EQ(allowed_values({"any", 1, 0.5f, 2, ""}), "a number from 0.5 to 2");
}

// What is picked of the first choice, then of the second, by seats.
std::vector<int> picked(const std::vector<std::string>& assignments) {
  Settings settings = default_settings(arena());
  const Result<void> set = set_picks(arena(), assignments, "", settings);
  EXPECT_TRUE(set.ok()) << set.error().message;
  return settings.picks;
}

TEST(Settings, SeatsPickByTeamOrOneByOne) {
  EXPECT_EQ(picked({}), (std::vector<int>{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}));
  EXPECT_EQ(picked({"hero=Fox"}), (std::vector<int>{2, 2, 2, 2, 2, -1, -1, -1, -1, -1}));
  EXPECT_EQ(picked({"team1.hero=Fox"}), (std::vector<int>{-1, 2, -1, 2, 2, -1, -1, -1, -1, -1}));
  EXPECT_EQ(picked({"team1.hero=Fox,Bear"}), (std::vector<int>{-1, 2, -1, 0, -1, -1, -1, -1, -1, -1}));
  EXPECT_EQ(picked({"3.hero=Fox"}), (std::vector<int>{-1, -1, -1, 2, -1, -1, -1, -1, -1, -1}));
  EXPECT_EQ(picked({"hero=Bear,Fox,Bear,Fox,drawn"}), (std::vector<int>{0, 2, 0, 2, -1, -1, -1, -1, -1, -1}));
  // Of another choice, whose name has a point and whose option has a comma; as people type; the last one counts.
  EXPECT_EQ(picked({"town.side=a, b", "4.town.side=c"}), (std::vector<int>{-1, -1, -1, -1, -1, 0, 0, 0, 0, 1}));
  EXPECT_EQ(picked({"hero=old_crow", "0.hero=drawn", "team1.hero=FOX,bear"}),
            (std::vector<int>{-1, 2, 1, 0, 1, -1, -1, -1, -1, -1}));
  expect_errors(set_picks, {{"hero", "write [WHO.]CHOICE=OPTION, as in hero=Bear"},
                            {"hreo=Fox", "unknown choice of my_game-2.1:x 'hreo'; did you mean 'hero'"},
                            {"team1.hreo=Fox", "did you mean 'hero'"},
                            {"hero=Foxy", "hero: unknown hero 'Foxy'; did you mean 'Fox'? Known: Bear, Old Crow"},
                            {"hero=Fox,", "unknown hero ''"},
                            {"team2.hero=Fox", "unknown seat or team of my_game-2.1:x 'team2'; did you mean 'team0'"},
                            {"5.hero=Fox", "unknown seat or team"},
                            {"-1.hero=Fox", "unknown seat or team"},
                            {"team0.hero=Fox,Fox,Fox", "team0.hero: 3 options for 2 seats"},
                            {"3.hero=Fox,Fox", "3.hero: 2 options for 1 seat;"}});
  Spec plain = arena();
  plain.choices.clear();
  Settings none = default_settings(plain);
  const std::string pick[] = {"hero=Fox"};
  EXPECT_NE(set_picks(plain, pick, "", none).error().message.find("Known: none"), std::string::npos);
}

TEST(Settings, AnOptionIsItselfBeforeItIsLikeAnother) {
  Spec spec = arena();
  spec.choices = {{"deck", {"one-two", "one two", "drawn"}}};
  const auto number = [&](const std::string& option) {
    Settings settings = default_settings(spec);
    const std::string pick[] = {"0.deck=" + option};
    return set_picks(spec, pick, "", settings).ok() ? settings.picks[0] : -2;
  };
  EXPECT_EQ(number("one two"), 1);
  EXPECT_EQ(number("one-two"), 0);
  EXPECT_EQ(number("one_two"), -2);
  EXPECT_EQ(number("drawn"), 2);
}

TEST(Settings, ListsSplitWhereAnAssignmentBegins) {
  EXPECT_EQ(split_assignments(""), (std::vector<std::string>{}));
  EXPECT_EQ(split_assignments("a=1"), (std::vector<std::string>{"a=1"}));
  EXPECT_EQ(split_assignments("hero=a,team0.hero=b,c,d,3.hero=e"),
            (std::vector<std::string>{"hero=a", "team0.hero=b,c,d", "3.hero=e"}));
  EXPECT_EQ(split_assignments("b,a=1"), (std::vector<std::string>{"b", "a=1"}));
}

TEST(Settings, TextSaysWhatIsNotTheDefault) {
  const auto text = [](const std::vector<std::string>& parameters, const std::vector<std::string>& picks) {
    Settings settings = default_settings(arena());
    EXPECT_TRUE(set_parameters(arena(), parameters, "", settings).ok() && set_picks(arena(), picks, "", settings).ok());
    return settings_text(arena(), settings);
  };
  EXPECT_EQ(text({}, {}), "");
  EXPECT_EQ(text({"heroes=2", "pace=0.1"}, {"hero=fox"}), "heroes=2 pace=0.1 hero=Fox");
  EXPECT_EQ(text({}, {"team0.hero=bear", "4.town.side=c"}), "0.hero=Bear 2.hero=Bear 4.town.side=c");
}

TEST(Settings, FitOrNameWhatDoesNot) {
  const Settings good = default_settings(arena());
  EXPECT_TRUE(fits(arena(), good).ok());
  EXPECT_TRUE(fits(arena(), {good.parameters, {}}).ok());
  EXPECT_EQ(with_defaults(arena(), {}), good);
  EXPECT_EQ(with_defaults(arena(), {{}, std::vector<int>(10, 1)}),
            (Settings{good.parameters, std::vector<int>(10, 1)}));
  const std::pair<Settings, const char*> cases[] = {
      {{{5}, good.picks}, "sets 1 parameters, the game has 2"},
      {{{2.5f, 0.5f}, good.picks}, "sets parameter 'heroes' to 2.5, which is not a whole number from 1 to 5"},
      {{{5, NAN}, good.picks}, "sets parameter 'pace' to nan"},
      {{good.parameters, {1}}, "has 1 picks, the game 10"},
      {{good.parameters, {-1, -1, -1, -1, 3, -1, -1, -1, -1, -1}}, "picks number 3 of 'hero', which has 3 options"},
      {{good.parameters, {-1, -1, -1, -1, -1, -2, -1, -1, -1, -1}}, "picks number -2 of 'town.side'"},
  };
  for (const auto& [settings, part] : cases) {
    const Result<void> fit = fits(arena(), settings);
    ASSERT_FALSE(fit.ok()) << part;
    EXPECT_EQ(fit.error().message.find(part), 0u) << fit.error().message;
  }
}

}  // namespace
}  // namespace rival
