// Files written so that neither a crash nor a full disk harms what was there before. All writing passes one seam,
// FileSystem, so that tests can fail any system call.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace rival {

// The system calls that writing needs. Each behaves as the POSIX call it is named after: -1 and errno on failure.
// This class makes the real calls; tests derive from it. Stateless and thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual int open(const std::string& path, int flags);  // created files get mode 0666, less the umask
  virtual ssize_t write(int file, const char* data, std::size_t size);
  virtual int fsync(int file);
  virtual int ftruncate(int file, off_t size);
  virtual int close(int file);
  virtual int rename(const std::string& from, const std::string& to);
  virtual int unlink(const std::string& path);
};

// The real one.
FileSystem& file_system();

// What a successful write is to survive.
enum class Durability {
  process_crash,  // the end of this process at any moment, kill -9 included
  power_loss,     // the end of the machine as well: waits for the disk
};

// What a path leads to, symbolic links followed.
enum class PathKind { none, file, folder, other };

// Error, naming the path: it cannot be told (a folder on the way that may not be searched, a name that is too long, a
// loop of links).
Result<PathKind> path_kind(const std::string& path);

// Whether there is something, as far as it can be told: whoever opens it then learns the rest.
bool path_exists(const std::string& path);
bool is_folder(const std::string& path);

// The whole content of a regular file.
Result<std::string> read_file(const std::string& path);

// Replaces the file's content, or creates it: a reader sees either all of the old content or all of the new, whatever
// happens meanwhile. The bytes go to a temporary file beside it (temporary_name), which then takes its name. On failure
// the old file is untouched and the temporary is gone; after a crash the temporary may be left. Follows symbolic links;
// refuses what is not a regular file.
Result<void> write_file_atomically(const std::string& path, std::string_view bytes,
                                   Durability durability = Durability::process_crash,
                                   FileSystem& files = file_system());

// The temporary that this process writes in place of `path`, and whether a file name is one of any process.
std::string temporary_name(const std::string& path);
bool is_temporary_name(std::string_view file_name);

// Makes the folder and those above it; no error if it is there already.
Result<void> make_directories(const std::string& path);

// A file that grows by whole records. Movable; closes itself. Not thread-safe.
class AppendFile {
 public:
  // Opens or creates the file; records go after its first `keep` bytes, and what follows them is cut off.
  static Result<AppendFile> open(const std::string& path, std::uint64_t keep, FileSystem& files = file_system());
  // The same for a text file of lines: keeps all of it but a last line without its newline, which a crash tore.
  static Result<AppendFile> open_lines(const std::string& path, FileSystem& files = file_system());

  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  ~AppendFile();

  // Adds all of the record or, on failure, nothing: the next append goes on after the last whole record.
  // When it returns, the record survives the end of this process.
  Result<void> append(std::string_view record);

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

 private:
  AppendFile(std::string path, int file, std::uint64_t size, FileSystem& files)
      : path_(std::move(path)), file_(file), size_(size), files_(&files) {}

  std::string path_;
  int file_ = -1;
  std::uint64_t size_ = 0;  // of the whole records
  bool torn_ = false;       // part of a failed record is behind them
  FileSystem* files_;
};

}  // namespace rival
