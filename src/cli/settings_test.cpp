#include "cli/settings.hpp"

#include <gtest/gtest.h>

#include "cli/command.hpp"
#include "game/spec.hpp"

namespace rival::cli {
namespace {

Spec tunable() {
  Spec spec;
  spec.name = "arena";
  spec.seats = 2;
  spec.parameters = {{"heroes", 5, 1, 5, "on each side", 1}, {"fog_of_war", 1, 0, 1, "whether there is any"}};
  spec.choices = {{"hero", {"Bear", "Crow"}}};
  return spec;
}

TEST(Settings, AreThoseOfTheCommandLineThenThePlayersOwn) {
  const MatchSettings own(Settings{{2, 0}, {1, 1}});
  EXPECT_EQ(settings_or_usage(tunable(), {}), default_settings(tunable()));
  EXPECT_EQ(match_settings_or_usage(tunable(), {}, own), own);
  EXPECT_EQ(match_settings_or_usage(tunable(), {.parameters = {"heroes=3"}, .picks = {}}, own).fixed,
            (Settings{{3, 1}, {1, 1}}));
  const MatchSettings drawn = match_settings_or_usage(tunable(), {.parameters = {"heroes=3..5"}, .picks = {}}, own);
  EXPECT_EQ(drawn.drawn, (std::vector<DrawnParameter>{{0, 3, 5, 1}}));
  EXPECT_EQ(match_settings_or_usage(tunable(), {.parameters = {}, .picks = {"hero=bear"}}, drawn).drawn, drawn.drawn);
  EXPECT_EQ(match_settings_or_usage(tunable(), {.parameters = {}, .picks = {"0.hero=bear"}}, own).fixed,
            (Settings{{2, 0}, {0, -1}}));
}

TEST(Settings, WrongOnesAreWrongUsageThatNamesTheOption) {
  const std::pair<MatchSetup, const char*> cases[] = {{{{"heroes=9"}, {}}, "--parameter heroes must be"},
                                                      {{{"heroes=1..3"}, {}}, "--parameter heroes must be one value"},
                                                      {{{}, {"hero=eagle"}}, "--pick hero: unknown hero 'eagle'"}};
  for (const auto& [setup, part] : cases) {
    std::string message;
    try {
      settings_or_usage(tunable(), setup);
    } catch (const WrongUsage& wrong) {
      message = wrong.error.message;
    }
    EXPECT_EQ(message.find(part), 0u) << message;
  }
}

TEST(Settings, JoinThoseOfTheConfiguration) {
  TrainConfig config;
  config.picks = "hero=Crow";
  add_setup({.parameters = {"heroes=3", "fog_of_war=0"}, .picks = {"team0.hero=Bear"}}, config);
  EXPECT_EQ(config.parameters, "heroes=3,fog_of_war=0");
  EXPECT_EQ(config.picks, "hero=Crow,team0.hero=Bear");
}

}  // namespace
}  // namespace rival::cli
