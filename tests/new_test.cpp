// What `rival new` writes: it builds without a warning, passes its own tests, keeps its promises, and learns.

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/temporary_folder.hpp"
#include "tests/subprocess.hpp"

namespace rival {
namespace {

using Json = nlohmann::ordered_json;

class New : public testing::Test {
 protected:
  Finished in_folder(const std::string& command) const {
    return run_shell("set -e; cd '" + folder_.path() + "'\nrival() { '" RIVAL_PROGRAM "' \"$@\"; }\n" + command);
  }
  // What `build` prints, and the score of what `game` trained against random play.
  double learns(const std::string& language, const std::string& build, const std::string& options) const {
    const Finished made = in_folder("rival new last_stick --lang " + language + " --json 2>/dev/null");
    EXPECT_EQ(made.exit_code, 0) << made.output;
    const std::string game = Json::parse(made.output, nullptr, false).value("game", "");
    const Finished ran = in_folder("cd last_stick\n" + build + "\nrival check " + game + options + "\nrival train " +
                                   game + " --steps 40000 --out runs/first" + options);
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
    EXPECT_EQ(ran.output.find("warning"), std::string::npos) << ran.output;
    EXPECT_NE(ran.output.find("keeps its promises"), std::string::npos) << ran.output;
    const Finished measured =
        in_folder("cd last_stick\nrival eval runs/first --matches 200 --json 2>/dev/null" + options);
    return Json::parse(measured.output, nullptr, false).value("score", 0.0);
  }

  TemporaryFolder folder_;
};

TEST_F(New, CppBuildsAndLearns) {
  EXPECT_GT(learns("cpp", "make RIVAL='" RIVAL_SOURCE_DIR "'; make test RIVAL='" RIVAL_SOURCE_DIR "'", ""), 0.8);
}

TEST_F(New, CBuildsAndLearns) {
  EXPECT_GT(learns("c", "make RIVAL='" RIVAL_SOURCE_DIR "'; make test RIVAL='" RIVAL_SOURCE_DIR "'", ""), 0.8);
}

TEST_F(New, PythonLearns) {
  const std::string python = RIVAL_SOURCE_DIR "/build/python/bin/python3";
  if (run_shell("'" + python + "' -c 'import numpy'").exit_code != 0)
    GTEST_SKIP() << "the Python package numpy is missing; `make test` installs it, given a network";
  EXPECT_GT(learns("python", "PYTHONPATH='" RIVAL_SOURCE_DIR "/sdk/python/src' '" + python + "' -m unittest",
                   " --python '" + python + "'"),
            0.8);
}

TEST_F(New, WritesOverNothing) {
  EXPECT_EQ(in_folder("rival new mine").exit_code, 0);
  const Finished again = in_folder("rival new mine --lang c");
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_NE(again.output.find("'mine' is there already; nothing was written: name another folder with --out"),
            std::string::npos)
      << again.output;
  EXPECT_FALSE(std::filesystem::exists(folder_.file("mine/mine.c")));
}

TEST_F(New, SaysWhatANameAndALanguageMayBe) {
  for (const char* name : {"Mine", "7th", "../mine", "a-b"}) {
    const Finished refused = in_folder(std::string("rival new '") + name + "'");
    EXPECT_EQ(refused.exit_code, 2) << name;
    EXPECT_NE(refused.output.find("is no name for a game"), std::string::npos) << refused.output;
  }
  const Finished refused = in_folder("rival new mine --lang pyton");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.output.find("did you mean 'python'?"), std::string::npos) << refused.output;
}

}  // namespace
}  // namespace rival
