#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/index.hpp"

namespace rival {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporary = ".tmp-";

const char* remedy(int code) {
  switch (code) {
    case ENOSPC:
      return "; free some space there, or choose another folder, and run it again";
    case EDQUOT:
      return "; your disk quota is used up: free some space, or choose another folder, and run it again";
    case EIO:
      return "; the disk reports a fault: choose another disk and run it again";
    case EACCES:
    case EPERM:
      return "; you may not write there: change the permissions or choose another folder";
    case EROFS:
      return "; that disk is read-only: choose another folder";
    case ENOENT:
      return "; make the folder first";
    case EFBIG:
      return "; files may not grow this large there: see `ulimit -f`";
    default:
      return "";
  }
}

std::string reason(int code) {
  return std::generic_category().message(code);
}

Error write_error(const std::string& path, std::size_t bytes, int code, const char* consequence) {
  return {fmt::format("cannot write '{}' ({} bytes): {}{}{}", path, bytes, reason(code), consequence, remedy(code))};
}

// 0, or the errno that stopped it.
int write_all(FileSystem& files, int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = files.write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return ENOSPC;
    bytes.remove_prefix(index(written));
  }
  return 0;
}

int sync_folder(FileSystem& files, const fs::path& folder) {
  const int file = files.open(folder.string(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return errno;
  const int code = files.fsync(file) < 0 ? errno : 0;
  files.close(file);
  return code == EINVAL ? 0 : code;  // some file systems cannot, and need not, sync a folder
}

}  // namespace

int FileSystem::open(const std::string& path, int flags) {
  return ::open(path.c_str(), flags, 0666);
}
ssize_t FileSystem::write(int file, const char* data, std::size_t size) {
  return ::write(file, data, size);
}
int FileSystem::fsync(int file) {
  return ::fsync(file);
}
int FileSystem::ftruncate(int file, off_t size) {
  return ::ftruncate(file, size);
}
int FileSystem::close(int file) {
  return ::close(file);
}
int FileSystem::rename(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str());
}
int FileSystem::unlink(const std::string& path) {
  return ::unlink(path.c_str());
}

FileSystem& file_system() {
  static FileSystem real;
  return real;
}

Result<PathKind> path_kind(const std::string& path) {
  std::error_code code;
  const fs::file_type type = fs::status(path, code).type();
  if (type == fs::file_type::not_found) return PathKind::none;
  if (type == fs::file_type::none) return Error{"cannot look at '" + path + "': " + reason(code.value())};
  return type == fs::file_type::regular     ? PathKind::file
         : type == fs::file_type::directory ? PathKind::folder
                                            : PathKind::other;
}

bool path_exists(const std::string& path) {
  const Result<PathKind> kind = path_kind(path);
  return kind && kind.value() != PathKind::none;
}

bool is_folder(const std::string& path) {
  const Result<PathKind> kind = path_kind(path);
  return kind && kind.value() == PathKind::folder;
}

Result<std::string> read_file(const std::string& path) {
  const Result<PathKind> kind = path_kind(path);
  if (!kind) return kind.error();
  if (kind.value() == PathKind::none) return Error{"cannot read '" + path + "': there is no such file"};
  if (kind.value() == PathKind::folder) return Error{"cannot read '" + path + "': it is a folder"};
  if (kind.value() == PathKind::other) return Error{"cannot read '" + path + "': it is not a regular file"};
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string bytes;
  if (in) bytes.assign(std::istreambuf_iterator<char>(in), {});
  if (!in || in.bad()) return Error{"cannot read '" + path + "': " + reason(errno != 0 ? errno : EIO)};
  return bytes;
}

std::string temporary_name(const std::string& path) {
  return fmt::format("{}{}{}", path, kTemporary, ::getpid());
}

bool is_temporary_name(std::string_view file_name) {
  const std::size_t at = file_name.rfind(kTemporary);
  if (at == std::string_view::npos) return false;
  const std::string_view process = file_name.substr(at + kTemporary.size());
  return !process.empty() && process.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<void> write_file_atomically(const std::string& path, std::string_view bytes, Durability durability,
                                   FileSystem& files) {
  std::error_code ignored;
  std::string target = path;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status))
    return Error{"cannot write '" + path + "': it is not a regular file; choose another name"};
  if (fs::is_symlink(fs::symlink_status(path, ignored))) {
    std::error_code code;
    target = fs::weakly_canonical(path, code).string();
    if (code) return write_error(path, bytes.size(), code.value(), "");
  }

  const std::string temporary = temporary_name(target);
  const auto failed = [&](int code) {
    files.unlink(temporary);
    return write_error(path, bytes.size(), code, fs::exists(status) ? "; the file there is unchanged" : "");
  };
  const int file = files.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  if (file < 0) return failed(errno);
  int code = write_all(files, file, bytes);
  if (code == 0 && durability == Durability::power_loss && files.fsync(file) < 0) code = errno;
  if (files.close(file) < 0 && code == 0) code = errno;
  if (code == 0 && files.rename(temporary, target) < 0) code = errno;
  if (code != 0) return failed(code);
  if (durability == Durability::power_loss) {
    const fs::path folder = fs::path(target).parent_path();
    code = sync_folder(files, folder.empty() ? fs::path(".") : folder);
    if (code != 0) return write_error(path, bytes.size(), code, "; it may not survive a loss of power");
  }
  return {};
}

Result<void> make_directories(const std::string& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (!code && !fs::is_directory(path, code)) code = std::make_error_code(std::errc::not_a_directory);
  if (code) return Error{"cannot make the folder '" + path + "': " + code.message() + remedy(code.value())};
  return {};
}

Result<AppendFile> AppendFile::open(const std::string& path, std::uint64_t keep, FileSystem& files) {
  const int file = files.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC);
  if (file < 0) return Error{"cannot open '" + path + "' to add to it: " + reason(errno) + remedy(errno)};
  AppendFile opened(path, file, keep, files);
  std::error_code code;
  const std::uint64_t size = fs::file_size(path, code);
  if (code || size < keep) return Error{"cannot add to '" + path + "': it is shorter than it was"};
  if (size > keep && files.ftruncate(file, static_cast<off_t>(keep)) < 0)
    return Error{fmt::format("cannot cut '{}' to {} bytes: {}{}", path, keep, reason(errno), remedy(errno))};
  return opened;
}

Result<AppendFile> AppendFile::open_lines(const std::string& path, FileSystem& files) {
  std::uint64_t keep = 0;
  if (path_exists(path)) {
    const Result<std::string> text = read_file(path);
    if (!text) return text.error();
    keep = text.value().rfind('\n') + 1;  // npos + 1 is 0
  }
  return open(path, keep, files);
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      size_(other.size_),
      torn_(other.torn_),
      files_(other.files_) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  std::swap(size_, other.size_);
  std::swap(torn_, other.torn_);
  std::swap(files_, other.files_);
  return *this;
}

AppendFile::~AppendFile() {
  if (file_ >= 0) files_->close(file_);
}

Result<void> AppendFile::append(std::string_view record) {
  int code = 0;
  if (torn_ && files_->ftruncate(file_, static_cast<off_t>(size_)) < 0) code = errno;
  if (code == 0) {
    torn_ = false;
    code = write_all(*files_, file_, record);
    if (code == 0) {
      size_ += record.size();
      return {};
    }
    torn_ = files_->ftruncate(file_, static_cast<off_t>(size_)) < 0;
  }
  return write_error(path_, record.size(), code, "; what it held before is unchanged");
}

}  // namespace rival
