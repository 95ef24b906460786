// Sockets that never wait, shared memory, and the frames of worker_protocol.hpp over them.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "plug/worker_protocol.hpp"

namespace rival::worker {

using Steady = std::chrono::steady_clock;
using Time = Steady::time_point;

// A number from the system that is closed with its owner. -1: none.
class File {
 public:
  File() = default;
  explicit File(int number) : number_(number) {}
  File(File&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  File& operator=(File&& other) noexcept;
  ~File();

  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// Where a worker listens: "unix:PATH", "tcp:HOST:PORT" ("tcp:[::1]:7000"), or, for processes that are started with it,
// "fd:3".
struct Address {
  enum class Kind { unix_path, tcp, file };
  Kind kind = Kind::unix_path;
  std::string path;  // or the host
  int port = 0;      // or the file's number

  std::string text() const;
};
Result<Address> parse_address(const std::string& text);
// Whether it is on this machine only. Hosts are not looked up: only what says so by itself does.
bool is_local(const Address& address);

// Errors name the address. Both sockets do not block.
Result<File> listen_at(const Address& address);
Result<File> connect_to(const Address& address);
// One that waits to be accepted; nothing, if none does.
File accept_from(const File& listening);
// A socket that listens where only those that know `name` find it, which is chosen by the system: for started
// processes.
struct Hidden {
  File listening;
  std::string name;
};
Result<Hidden> listen_hidden();
Result<File> connect_hidden(const std::string& name);

// Memory that two processes see.
class SharedMemory {
 public:
  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept
      : file_(std::move(other.file_)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory();

  // Zero, and of a size that nobody can change.
  static Result<SharedMemory> make(std::size_t size);
  // What another process made. Error: it is smaller than that.
  static Result<SharedMemory> of(File file, std::size_t size);

  char* data() const { return data_; }
  std::size_t size() const { return size_; }
  int file() const { return file_.number(); }

 private:
  File file_;
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

// Frames over one connected socket. Not thread-safe.
class Channel {
 public:
  explicit Channel(File socket) : socket_(std::move(socket)) {}

  // Sends as much as goes at once; flush() sends the rest. `file`, if it is one, goes along with the frame's first
  // byte, over Unix sockets only. Frames that cannot be sent any more are dropped: receive() then says why.
  void send(std::string_view frame, int file = -1);
  void flush();
  bool unsent() const { return sent_ < out_.size(); }
  // The next frame, if there is one; it stays valid until the next call. Error: the other side is gone or sends what is
  // no frame.
  Result<std::optional<Frame>> receive();
  // A file that came along with a frame so far; none, if none did.
  File take_file() { return std::move(file_); }
  int number() const { return socket_.number(); }
  bool ended() const { return ended_; }  // by the other side

 private:
  Result<bool> read_more();

  File socket_;
  std::string out_, in_;
  std::size_t sent_ = 0, begin_ = 0, end_ = 0;  // of in_: what is read and not taken yet
  std::size_t taken_ = 0;                       // the size of the frame that was given last
  int along_ = -1;
  File file_;
  bool ended_ = false;
};

// Waits until one of these channels can be read (or, where something is unsent, written) or `until` has come.
void wait_for(std::span<Channel* const> channels, Time until);

}  // namespace rival::worker
