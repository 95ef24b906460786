#include "base/recorded.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace rival {
namespace {

TEST(Recorded, ComparisonNamesTheLine) {
  const std::string path = (std::filesystem::temp_directory_path() / "rival_recorded_test.txt").string();
  std::ofstream(path) << "one\ntwo\n";
  EXPECT_TRUE(check_recorded(path, "one\ntwo\n").ok());
  const Result<void> changed = check_recorded(path, "one\n2\n");
  ASSERT_FALSE(changed.ok());
  EXPECT_NE(changed.error().message.find(":2: recorded \"two\", but now it is \"2\""), std::string::npos);
  EXPECT_FALSE(check_recorded(path, "one\n").ok());
  EXPECT_FALSE(check_recorded(path, "one\ntwo\nthree\n").ok());
  EXPECT_FALSE(check_recorded(path + ".absent", "one\n").ok());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace rival
