// What a user's compiler says about a game that misses a member, or has one of another form, is part of the interface.

#include <gtest/gtest.h>

#include <string>

#include "tests/subprocess.hpp"

namespace rival {
namespace {

Finished compile(const std::string& file, const std::string& flags) {
  const std::string root = RIVAL_SOURCE_DIR;
  return run_shell(std::string(RIVAL_COMPILER) + " -std=c++20 -fsyntax-only -I" + root + "/include -I" + root +
                   "/src " + flags + " " + root + "/tests/" + file);
}

TEST(Concept, AGameWithoutStepIsNamedByTheCompiler) {
  const Finished broken = compile("concept_without_step.cpp", "");
  EXPECT_NE(broken.exit_code, 0);
  for (const char* part : {"Game", "Unfinished", "g.step(actions, key, rewards)"})
    EXPECT_NE(broken.output.find(part), std::string::npos) << part << " is not in:\n" << broken.output;
}

TEST(Concept, TheSameGameWithStepCompiles) {
  const Finished whole = compile("concept_without_step.cpp", "-DWITH_STEP");
  EXPECT_EQ(whole.exit_code, 0) << whole.output;
}

struct Form {
  const char* game;
  const char* right;  // the form that the message shows
};

class OptionalMembers : public ::testing::TestWithParam<Form> {};

TEST_P(OptionalMembers, OfAnotherFormDoNotCompile) {
  const Finished broken =
      compile("concept_optional_members.cpp", std::string("-fmessage-length=0 -DGAME=") + GetParam().game);
  EXPECT_NE(broken.exit_code, 0);
  EXPECT_NE(broken.output.find(GetParam().right), std::string::npos) << broken.output;
}

constexpr const char *kLegal = "void legal(int seat, rival::Mask mask) const",
                     *kResult = "float result(int team) const", *kText = "std::string text() const";
INSTANTIATE_TEST_SUITE_P(
    All, OptionalMembers,
    ::testing::Values(
        Form{"LegalNotConst", kLegal}, Form{"LegalPrivate", kLegal}, Form{"LegalWithoutSeat", kLegal},
        Form{"LegalReturns", kLegal}, Form{"ResultNotConst", kResult}, Form{"ResultWithoutTeam", kResult},
        Form{"PlayingCounts", "rival::SeatSet playing() const"}, Form{"TextNotConst", kText},
        Form{"OneTextNotConst", kText},
        Form{"ActionTextWithoutSeat", "std::string action_text(int seat, int choice) const"},
        Form{"ResampleWithoutKey", "void resample_hidden(int seat, rival::Key key)"},
        Form{"SceneWithoutStage", "std::string stage() const"},
        Form{"StartsNotStatic", "static std::vector<rival::Chance<Game>> starts(const rival::Settings& settings)"},
        Form{"OutcomesNotConst", "std::vector<rival::Chance<Game>> outcomes(const rival::Actions& actions) const"}),
    [](const auto& form) { return std::string(form.param.game); });

TEST(OptionalMembers, OfTheRightFormCompile) {
  for (const char* game : {"Whole", "Data"}) {
    const Finished whole = compile("concept_optional_members.cpp", std::string("-DGAME=") + game);
    EXPECT_EQ(whole.exit_code, 0) << whole.output;
  }
}

TEST(Words, OneThatIsMisspeltDoesNotCompile) {
  EXPECT_NE(compile("misspelt_word.cpp", "-DWORD='\"covolution\"'").exit_code, 0);
  const Finished whole = compile("misspelt_word.cpp", "-DWORD='\"convolution\"'");
  EXPECT_EQ(whole.exit_code, 0) << whole.output;
}

}  // namespace
}  // namespace rival
