#include "cli/settings.hpp"

#include <gtest/gtest.h>

#include "game/spec.hpp"

namespace rival::cli {
namespace {

Spec tunable() {
  Spec spec;
  spec.name = "arena";
  spec.parameters = {{"heroes", 5, 1, 5, "on each side"}, {"fog_of_war", 1, 0, 1, "whether there is any"}};
  return spec;
}

Result<Settings> parsed(const std::vector<std::string>& assignments) {
  return parse_settings(tunable(), assignments, "--parameter ");
}

TEST(Settings, DefaultsAndAssignments) {
  EXPECT_EQ(parsed({}).value().parameters, (std::vector<float>{5, 1}));
  const Settings settings = parsed({"heroes=3", "heroes=2", "fog_of_war=0.5"}).value();
  EXPECT_EQ(settings.parameters, (std::vector<float>{2, 0.5}));
  EXPECT_EQ(settings_text(tunable(), settings), "heroes=2 fog_of_war=0.5");
  EXPECT_EQ(settings_text(tunable(), parsed({}).value()), "");
}

TEST(Settings, ErrorsNameWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"heros=1", "did you mean 'heroes'"},         {"heroes", "NAME=VALUE"},
      {"heroes=", "must be a number from 1 to 5"},  {"heroes=1x", "must be a number from 1 to 5"},
      {"heroes=6", "must be a number from 1 to 5"}, {"heroes=nan", "must be a number from 1 to 5"},
  };
  for (const auto& [assignment, part] : cases) {
    const Result<Settings> result = parsed({assignment});
    ASSERT_FALSE(result.ok()) << assignment;
    EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
  }
}

}  // namespace
}  // namespace rival::cli
