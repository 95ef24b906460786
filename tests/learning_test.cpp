// The program of the learning suite, and the script that draws and compares what it writes.

#include <gtest/gtest.h>

#include <string>

#include "base/file.hpp"
#include "base/temporary_folder.hpp"
#include "tests/subprocess.hpp"

namespace rival {
namespace {

Finished learning(const std::string& arguments) {
  return run_shell(RIVAL_LEARNING " " + arguments + " 2>&1");
}

Finished script(const std::string& arguments) {
  return run_shell("python3 " RIVAL_SOURCE_DIR "/scripts/learning " + arguments + " 2>&1");
}

TEST(LearningProgram, TrainsMeasuresAndAdds) {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/out";
  const Finished first = learning("chain deep_sea_10 --steps 5000 --seeds 1,2 --out " + out);
  EXPECT_EQ(first.exit_code, 0) << first.output;
  EXPECT_NE(first.output.find(" of 4 runs reach their bar"), std::string::npos) << first.output;
  EXPECT_EQ(learning("biased_hands --steps 5000 --set epochs=1 --out " + out).exit_code, 0);
  const Finished table = script("table " + out);
  EXPECT_EQ(table.exit_code, 0) << table.output;
  for (const char* task : {"chain ", "deep_sea_10 ", "biased_hands "})
    EXPECT_NE(table.output.find(task), std::string::npos) << table.output;
  EXPECT_NE(table.output.find("tune: interquartile mean of shares"), std::string::npos) << table.output;

  EXPECT_EQ(script("page " + out).exit_code, 0);
  const auto page = read_file(out + "/results.html");
  ASSERT_TRUE(page.ok());
  EXPECT_NE(page.value().find("<h2>biased_hands</h2>"), std::string::npos);
  EXPECT_NE(page.value().find("<polyline"), std::string::npos);

  const Finished same = script("compare " + out + " " + out);
  EXPECT_EQ(same.exit_code, 0) << same.output;
  EXPECT_NE(same.output.find("change +0.000"), std::string::npos) << same.output;
}

TEST(LearningProgram, KnowsItsTasksAndOptions) {
  const Finished list = learning("--list --half judge");
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_NE(list.output.find("maze "), std::string::npos) << list.output;
  EXPECT_EQ(list.output.find("fetch_and_bring"), std::string::npos) << list.output;
  EXPECT_NE(learning("mazes").output.find("did you mean 'maze'?"), std::string::npos);
  EXPECT_NE(learning("--seed 1").output.find("did you mean '--seeds'?"), std::string::npos);
  EXPECT_EQ(learning("--half best").exit_code, 2);
  EXPECT_EQ(learning("--steps").exit_code, 2);
  EXPECT_EQ(learning("--seeds 1,x").exit_code, 2);
  EXPECT_EQ(learning("--set epoch=1").exit_code, 2);
}

TEST(LearningProgram, ResultsThatAreNoneAreRefused) {
  const TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.path() + "/results.json", "{}").ok());
  EXPECT_NE(script("table " + folder.path()).exit_code, 0);
  const Finished adding = learning("chain --steps 5000 --out " + folder.path());
  EXPECT_EQ(adding.exit_code, 1);
  EXPECT_NE(adding.output.find("holds no results"), std::string::npos) << adding.output;
}

// A part of the suite that the defaults learn in minutes, by steps, so that the machine's speed does not matter.
TEST(LearningSuiteSlow, DefaultsReachTheBarsOfSix) {
  const TemporaryFolder folder;
  const Finished six =
      learning("river_swim deep_sea_10 catch_thousandfold acrobot gallery inventory --steps 2e6 --out " +
               folder.path() + "/out");
  EXPECT_NE(six.output.find("6 of 6 runs reach their bar"), std::string::npos) << six.output;
}

}  // namespace
}  // namespace rival
