#include "base/lock.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "base/file.hpp"
#include "base/temporary_folder.hpp"

namespace rival {
namespace {

TEST(FileLock, IsHeldOnce) {
  TemporaryFolder folder;
  const std::string path = folder.file("lock");
  std::optional<Result<FileLock>> lock = FileLock::take(path, "the thing", "wait");
  ASSERT_TRUE(lock->ok()) << lock->error().message;
  FileLock moved = std::move(*lock).value();
  lock.reset();
  const auto second = FileLock::take(path, "the thing", "wait");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message, "the thing is in use by process " + std::to_string(::getpid()) + ": wait");
  // The number is only a hint, which somebody may have written over.
  ASSERT_TRUE(write_file_atomically(folder.file("other"), "x"));
  {
    const auto other = FileLock::take(folder.file("other"), "the thing", "wait");
    ASSERT_TRUE(other.ok());
    EXPECT_EQ(read_file(folder.file("other")).value(), std::to_string(::getpid()));
  }
  EXPECT_TRUE(FileLock::take(folder.file("other"), "the thing", "wait").ok());
  EXPECT_FALSE(FileLock::take(folder.file("none/lock"), "the thing", "wait").ok());
}

}  // namespace
}  // namespace rival
