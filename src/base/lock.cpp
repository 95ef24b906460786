#include "base/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/index.hpp"

namespace rival {

Result<FileLock> FileLock::take(const std::string& path, const std::string& what, const std::string& remedy) {
  const auto reason = [](int code) { return std::generic_category().message(code); };
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) return Error{"cannot open '" + path + "': " + reason(errno)};
  FileLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) < 0) {
    const int code = errno;
    if (code != EWOULDBLOCK) return Error{"cannot lock '" + path + "': " + reason(code)};
    char holder[32] = {};
    const ssize_t size = ::pread(file, holder, sizeof holder - 1, 0);
    const std::string digits(holder, size > 0 ? index(size) : 0);
    const bool known = !digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos;
    return Error{what + " is in use" + (known ? " by process " + digits : "") + ": " + remedy};
  }
  // Only a hint for the message above.
  const std::string process = std::to_string(::getpid());
  if (::ftruncate(file, 0) == 0) (void)!::pwrite(file, process.data(), process.size(), 0);
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

FileLock::~FileLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace rival
