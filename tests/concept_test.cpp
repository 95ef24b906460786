// What a user's compiler says about a game that misses a member is part of the interface.

#include <gtest/gtest.h>

#include <string>

#include "tests/subprocess.hpp"

namespace rival {
namespace {

Finished compile(const std::string& flags) {
  const std::string root = RIVAL_SOURCE_DIR;
  return run_shell(std::string(RIVAL_COMPILER) + " -std=c++20 -fsyntax-only -I" + root + "/include -I" + root +
                   "/src " + flags + " " + root + "/tests/concept_without_step.cpp");
}

TEST(Concept, AGameWithoutStepIsNamedByTheCompiler) {
  const Finished broken = compile("");
  EXPECT_NE(broken.exit_code, 0);
  for (const char* part : {"Game", "Unfinished", "g.step(actions, key, rewards)"})
    EXPECT_NE(broken.output.find(part), std::string::npos) << part << " is not in:\n" << broken.output;
}

TEST(Concept, TheSameGameWithStepCompiles) {
  const Finished whole = compile("-DWITH_STEP");
  EXPECT_EQ(whole.exit_code, 0) << whole.output;
}

}  // namespace
}  // namespace rival
