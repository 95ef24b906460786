// A lock between processes, which ends with the process that holds it, however it ends.
#pragma once

#include <string>

#include "base/result.hpp"

namespace rival {

// Movable; holds the lock while it lives.
class FileLock {
 public:
  // Locks this file, which is made if need be and never removed; it holds the number of the last process that did.
  // Error if another process, or another FileLock of this one, holds it: "WHAT is in use by process 123: REMEDY".
  static Result<FileLock> take(const std::string& path, const std::string& what, const std::string& remedy);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int file) : file_(file) {}

  int file_ = -1;
};

}  // namespace rival
