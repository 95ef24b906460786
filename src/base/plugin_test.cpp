#include "base/plugin.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/temporary_folder.hpp"

namespace rival {
namespace {

TEST(Plugin, IsLoadedFromItsFolderAndItsFunctionsAreFound) {
  ASSERT_EQ(setenv("RIVAL_PLUGINS", RIVAL_TEST_PLUGINS, 1), 0);
  const Result<void*> twice = find_in_plugin("sample", "rival_twice", "build it");
  ASSERT_TRUE(twice) << twice.error().message;
  EXPECT_EQ(reinterpret_cast<int (*)(int)>(twice.value())(21), 42);
  const Result<void*> other = find_in_plugin("sample", "rival_thrice", "build it");
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("has no function rival_thrice"), std::string::npos) << other.error().message;
}

TEST(Plugin, OfAnotherVersionIsRefusedWithBoth) {
  ASSERT_EQ(setenv("RIVAL_PLUGINS", RIVAL_TEST_PLUGINS, 1), 0);
  const Result<void*> old = find_in_plugin("old", "rival_twice", "build it");
  ASSERT_FALSE(old);
  EXPECT_NE(old.error().message.find("is of Rival 0.0.1, and this is " RIVAL_VERSION), std::string::npos)
      << old.error().message;
}

TEST(Plugin, ThatIsAbsentOrNoLibraryIsAnErrorWithItsRemedy) {
  const TemporaryFolder folder;
  ASSERT_EQ(setenv("RIVAL_PLUGINS", folder.path().c_str(), 1), 0);
  const Result<void*> absent = find_in_plugin("absent", "f", "install what it needs and build again");
  ASSERT_FALSE(absent);
  EXPECT_NE(absent.error().message.find("rival-absent.so"), std::string::npos);
  EXPECT_NE(absent.error().message.find("install what it needs and build again"), std::string::npos);
  ASSERT_TRUE(write_file_atomically(folder.file("rival-broken.so"), "no library"));
  const Result<void*> broken = find_in_plugin("broken", "f", "");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find("cannot be loaded"), std::string::npos) << broken.error().message;
}

}  // namespace
}  // namespace rival
