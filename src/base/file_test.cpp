#include "base/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/faulty_file_system.hpp"
#include "base/temporary_folder.hpp"

namespace rival {
namespace {

namespace fs = std::filesystem;

int entries(const std::string& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(File, WritesAndReadsBack) {
  TemporaryFolder folder;
  const std::string path = folder.file("a");
  const std::string bytes("one\0two\n", 8);
  ASSERT_TRUE(write_file_atomically(path, bytes));
  EXPECT_EQ(read_file(path).value(), bytes);
  ASSERT_TRUE(write_file_atomically(path, "", Durability::power_loss));
  EXPECT_EQ(read_file(path).value(), "");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(File, ReadingSaysWhatIsWrong) {
  TemporaryFolder folder;
  EXPECT_NE(read_file(folder.file("none")).error().message.find("none': there is no such file"), std::string::npos);
  EXPECT_NE(read_file(folder.path()).error().message.find("it is a folder"), std::string::npos);
  EXPECT_NE(read_file("/dev/null").error().message.find("not a regular file"), std::string::npos);
}

TEST(File, RefusesToReplaceWhatIsNoRegularFile) {
  TemporaryFolder folder;
  EXPECT_FALSE(write_file_atomically(folder.path(), "x"));
  EXPECT_FALSE(write_file_atomically("/dev/null", "x"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(File, FollowsASymbolicLink) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.file("real"), "old"));
  fs::create_symlink("real", folder.file("link"));
  ASSERT_TRUE(write_file_atomically(folder.file("link"), "new"));
  EXPECT_TRUE(fs::is_symlink(folder.file("link")));
  EXPECT_EQ(read_file(folder.file("real")).value(), "new");
}

TEST(File, AFullDiskLeavesTheOldFileAndNoTemporary) {
  TemporaryFolder folder;
  const std::string path = folder.file("state");
  ASSERT_TRUE(write_file_atomically(path, "old content"));
  for (std::int64_t space = 0; space < 11; ++space) {
    FaultyFileSystem files;
    files.space = space;
    const Result<void> written = write_file_atomically(path, "new content", Durability::process_crash, files);
    ASSERT_FALSE(written);
    const std::string& message = written.error().message;
    EXPECT_NE(message.find(path), std::string::npos);
    EXPECT_NE(message.find("11 bytes"), std::string::npos);
    EXPECT_NE(message.find("No space left on device"), std::string::npos);
    EXPECT_NE(message.find("free some space"), std::string::npos);
    EXPECT_EQ(read_file(path).value(), "old content");
    EXPECT_EQ(entries(folder.path()), 1);
  }
  FaultyFileSystem files;
  files.space = 11;  // just enough
  EXPECT_TRUE(write_file_atomically(path, "new content", Durability::process_crash, files));
  EXPECT_EQ(read_file(path).value(), "new content");
}

TEST(File, ARealFullDeviceIsReported) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "skipped: there is no /dev/full; a system that has one runs it";
  TemporaryFolder folder;
  class FullDevice final : public FileSystem {
    int open(const std::string&, int) override { return FileSystem::open("/dev/full", O_WRONLY); }
  } files;
  const Result<void> written = write_file_atomically(folder.file("x"), "x", Durability::process_crash, files);
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("No space left"), std::string::npos);
}

TEST(File, FaultsOfSyncAndRenameAreReported) {
  TemporaryFolder folder;
  const std::string path = folder.file("state");
  ASSERT_TRUE(write_file_atomically(path, "old"));
  FaultyFileSystem files;
  files.code = EIO;
  files.fsync_fails = true;
  EXPECT_FALSE(write_file_atomically(path, "new", Durability::power_loss, files));
  files.fsync_fails = false;
  files.rename_fails = true;
  EXPECT_FALSE(write_file_atomically(path, "new", Durability::power_loss, files));
  EXPECT_EQ(read_file(path).value(), "old");
  EXPECT_EQ(entries(folder.path()), 1);
}

TEST(File, ACrashAtAnyCallLeavesAllOldOrAllNew) {
  for (const Durability durability : {Durability::process_crash, Durability::power_loss}) {
    bool saw_old = false, saw_new = false;
    for (int calls = 0; calls < 20; ++calls) {
      TemporaryFolder folder;
      const std::string path = folder.file("state");
      ASSERT_TRUE(write_file_atomically(path, "old"));
      FaultyFileSystem files;
      files.calls = calls;
      const bool said_to_be_saved = write_file_atomically(path, "new", durability, files).ok();
      const std::string content = read_file(path).value();
      EXPECT_TRUE(content == "old" || content == "new") << content;
      EXPECT_TRUE(content == "new" || !said_to_be_saved);
      for (const fs::directory_entry& entry : fs::directory_iterator(folder.path()))
        EXPECT_TRUE(entry.path() == path || is_temporary_name(entry.path().filename().string()));
      saw_old |= content == "old";
      saw_new |= content == "new";
    }
    EXPECT_TRUE(saw_old && saw_new);
  }
}

TEST(File, TemporaryNames) {
  EXPECT_TRUE(is_temporary_name(temporary_name("a/state.safetensors")));
  EXPECT_FALSE(is_temporary_name("state.safetensors"));
  EXPECT_FALSE(is_temporary_name("notes.tmp-"));
  EXPECT_FALSE(is_temporary_name("notes.tmp-1b"));
}

TEST(File, MakesFolders) {
  TemporaryFolder folder;
  EXPECT_TRUE(make_directories(folder.file("a/b/c")));
  EXPECT_TRUE(make_directories(folder.file("a/b/c")));
  ASSERT_TRUE(write_file_atomically(folder.file("file"), ""));
  EXPECT_FALSE(make_directories(folder.file("file")));
  EXPECT_FALSE(make_directories(folder.file("file/below")));
}

TEST(AppendFile, AddsRecordsAndDropsATornLastLine) {
  TemporaryFolder folder;
  const std::string path = folder.file("metrics.jsonl");
  {
    AppendFile lines = AppendFile::open_lines(path).value();
    ASSERT_TRUE(lines.append("one\n"));
    ASSERT_TRUE(lines.append("two\n"));
    ASSERT_TRUE(lines.append("thr"));  // a kill in the middle of a line
  }
  AppendFile lines = AppendFile::open_lines(path).value();
  EXPECT_EQ(lines.size(), 8u);
  ASSERT_TRUE(lines.append("four\n"));
  EXPECT_EQ(read_file(path).value(), "one\ntwo\nfour\n");
}

TEST(AppendFile, KeepsWhatItIsToldTo) {
  TemporaryFolder folder;
  const std::string path = folder.file("log");
  ASSERT_TRUE(write_file_atomically(path, "12345"));
  ASSERT_TRUE(AppendFile::open(path, 2).value().append("x"));
  EXPECT_EQ(read_file(path).value(), "12x");
  EXPECT_FALSE(AppendFile::open(path, 9));
}

TEST(AppendFile, AFullDiskTearsNoLine) {
  TemporaryFolder folder;
  const std::string path = folder.file("metrics.jsonl");
  for (const bool truncation_fails_too : {false, true}) {
    FaultyFileSystem files;
    AppendFile lines = AppendFile::open(path, 0, files).value();
    ASSERT_TRUE(lines.append("one\n"));
    files.space = 2;
    files.ftruncate_fails = truncation_fails_too;
    const Result<void> full = lines.append("two\n");
    ASSERT_FALSE(full);
    EXPECT_NE(full.error().message.find("metrics.jsonl"), std::string::npos);
    EXPECT_EQ(read_file(path).value(), truncation_fails_too ? "one\ntw" : "one\n");
    files.space = FaultyFileSystem::kNever;
    files.ftruncate_fails = false;
    ASSERT_TRUE(lines.append("three\n"));
    EXPECT_EQ(read_file(path).value(), "one\nthree\n");
  }
}

}  // namespace
}  // namespace rival
