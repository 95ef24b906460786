// A file system for tests that fails or crashes where it is told to.
#pragma once

#include <cerrno>
#include <cstdint>
#include <limits>

#include "base/file.hpp"
#include "base/index.hpp"

namespace rival {

class FaultyFileSystem final : public FileSystem {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  std::int64_t space = kNever;  // bytes that can be written before every write fails with `code`
  std::int64_t calls = kNever;  // calls that succeed before the process "crashes": no call has any effect after it
  int code = ENOSPC;
  bool rename_fails = false, fsync_fails = false, ftruncate_fails = false;  // with `code`

  bool crashed() const { return calls < 0; }

  int open(const std::string& path, int flags) override { return down() ? fail() : FileSystem::open(path, flags); }
  ssize_t write(int file, const char* data, std::size_t size) override {
    if (down() || space == 0) return fail();
    // A crash may come in the middle of a write.
    if (calls == 0) size = (size + 1) / 2;
    if (static_cast<std::int64_t>(size) > space) size = index(space);
    if (space != kNever) space -= static_cast<std::int64_t>(size);
    return FileSystem::write(file, data, size);
  }
  int fsync(int file) override { return down() || fsync_fails ? fail() : FileSystem::fsync(file); }
  int ftruncate(int file, off_t size) override {
    return down() || ftruncate_fails ? fail() : FileSystem::ftruncate(file, size);
  }
  int close(int file) override {
    const int closed = FileSystem::close(file);
    return down() ? fail() : closed;
  }
  int rename(const std::string& from, const std::string& to) override {
    return down() || rename_fails ? fail() : FileSystem::rename(from, to);
  }
  int unlink(const std::string& path) override { return down() ? fail() : FileSystem::unlink(path); }

 private:
  bool down() {
    if (calls == kNever) return false;
    if (calls >= 0) --calls;
    return calls < 0;
  }
  int fail() {
    errno = code;
    return -1;
  }
};

}  // namespace rival
