#include "plug/worker_socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/index.hpp"
#include "base/number.hpp"

namespace rival::worker {
namespace {

constexpr std::size_t kChunk = 1 << 16;

Error failed(const std::string& what, int code = errno) {
  return {what + ": " + std::strerror(code)};
}

void set_up_tcp(int socket) {
  const int one = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Error{fmt::format("unix:{}: a socket's path has 1 to {} bytes", path, sizeof address.sun_path - 1)};
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

struct Found {
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all{nullptr, &freeaddrinfo};
};

Result<Found> look_up(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* all = nullptr;
  if (const int code = getaddrinfo(address.path.c_str(), std::to_string(address.port).c_str(), &hints, &all); code)
    return Error{address.text() + ": " + gai_strerror(code)};
  Found found;
  found.all.reset(all);
  return found;
}

// Whether the socket has come to be connected within a few seconds.
bool connected(int socket) {
  pollfd one{socket, POLLOUT, 0};
  int code = 0;
  socklen_t size = sizeof code;
  if (::poll(&one, 1, 5000) != 1) {
    errno = ETIMEDOUT;
    return false;
  }
  getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size);
  errno = code;
  return code == 0;
}

sockaddr_un hidden_address(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), std::min(name.size(), sizeof address.sun_path));
  return address;
}

socklen_t hidden_size(const std::string& name) {
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
}

File unix_socket() {
  return File(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

}  // namespace

File& File::operator=(File&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

File::~File() {
  if (number_ >= 0) ::close(number_);
}

std::string Address::text() const {
  if (kind == Kind::unix_path) return "unix:" + path;
  if (kind == Kind::file) return fmt::format("fd:{}", port);
  return path.find(':') == std::string::npos ? fmt::format("tcp:{}:{}", path, port)
                                             : fmt::format("tcp:[{}]:{}", path, port);
}

Result<Address> parse_address(const std::string& text) {
  const Error wrong{"'" + text + "' is no address of a worker; write unix:PATH or tcp:HOST:PORT"};
  Address address;
  if (text.starts_with("unix:") && text.size() > 5) {
    address.path = text.substr(5);
    return address;
  }
  const bool file = text.starts_with("fd:");
  if (!file && !text.starts_with("tcp:")) return wrong;
  address.kind = file ? Address::Kind::file : Address::Kind::tcp;
  const std::size_t colon = text.rfind(':');
  const auto port = read_whole(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return wrong;
  address.port = static_cast<int>(*port);
  if (file) return address;
  if (colon < 5) return wrong;
  address.path = text.substr(4, colon - 4);
  if (address.path.starts_with('[') && address.path.ends_with(']'))
    address.path = address.path.substr(1, address.path.size() - 2);
  return address;
}

bool is_local(const Address& address) {
  return address.kind != Address::Kind::tcp || address.path == "localhost" || address.path == "::1" ||
         address.path.starts_with("127.");
}

Result<File> listen_at(const Address& address) {
  if (address.kind == Address::Kind::file) {
    fcntl(address.port, F_SETFL, fcntl(address.port, F_GETFL) | O_NONBLOCK);
    fcntl(address.port, F_SETFD, FD_CLOEXEC);
    return File(address.port);
  }
  if (address.kind == Address::Kind::unix_path) {
    const Result<sockaddr_un> at = unix_address(address.path);
    if (!at) return at.error();
    File socket = unix_socket();
    struct stat there {};
    // What a worker before has left.
    if (::lstat(address.path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode) && !connect_to(address))
      ::unlink(address.path.c_str());
    if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&at.value()), sizeof at.value()) != 0 ||
        ::chmod(address.path.c_str(), 0600) != 0 || ::listen(socket.number(), SOMAXCONN) != 0)
      return failed(address.text());
    return socket;
  }
  const Result<Found> found = look_up(address);
  if (!found) return found.error();
  const addrinfo& at = *found.value().all;
  File socket(::socket(at.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int one = 1;
  setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(socket.number(), at.ai_addr, at.ai_addrlen) != 0 || ::listen(socket.number(), SOMAXCONN) != 0)
    return failed(address.text());
  return socket;
}

Result<File> connect_to(const Address& address) {
  if (address.kind == Address::Kind::unix_path) {
    const Result<sockaddr_un> at = unix_address(address.path);
    if (!at) return at.error();
    File socket = unix_socket();
    if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&at.value()), sizeof at.value()) != 0)
      return failed(address.text());
    return socket;
  }
  const Result<Found> found = look_up(address);
  if (!found) return found.error();
  for (const addrinfo* at = found.value().all.get(); at; at = at->ai_next) {
    File socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::connect(socket.number(), at->ai_addr, at->ai_addrlen) != 0 &&
        (errno != EINPROGRESS || !connected(socket.number())))
      continue;
    set_up_tcp(socket.number());
    return socket;
  }
  return failed(address.text());
}

File accept_from(const File& listening) {
  File socket(::accept4(listening.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket) set_up_tcp(socket.number());  // no harm where it is none
  return socket;
}

Result<Hidden> listen_hidden() {
  Hidden hidden{unix_socket(), ""};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t size = sizeof address.sun_family;  // without a name: the system makes one
  if (::bind(hidden.listening.number(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return failed("a socket");
  size = sizeof address;
  if (::getsockname(hidden.listening.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      ::listen(hidden.listening.number(), SOMAXCONN) != 0)
    return failed("a socket");
  hidden.name.assign(address.sun_path, size - offsetof(sockaddr_un, sun_path));
  return hidden;
}

Result<File> connect_hidden(const std::string& name) {
  File socket = unix_socket();
  const sockaddr_un address = hidden_address(name);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), hidden_size(name)) != 0)
    return failed("a socket");
  return socket;
}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

SharedMemory::~SharedMemory() {
  if (data_) ::munmap(data_, size_);
}

Result<SharedMemory> SharedMemory::make(std::size_t size) {
  File file(::memfd_create("rival", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file || ::ftruncate(file.number(), static_cast<off_t>(size)) != 0) return failed("shared memory");
  fcntl(file.number(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  return of(std::move(file), size);
}

Result<SharedMemory> SharedMemory::of(File file, std::size_t size) {
  struct stat found {};
  if (::fstat(file.number(), &found) != 0) return failed("shared memory");
  if (index(found.st_size) < size || size == 0)
    return Error{fmt::format("shared memory of {} bytes, where {} are needed", found.st_size, size)};
  void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0);
  if (data == MAP_FAILED) return failed("shared memory");
  SharedMemory memory;
  memory.file_ = std::move(file);
  memory.data_ = static_cast<char*>(data);
  memory.size_ = size;
  return memory;
}

void Channel::send(std::string_view frame, int file) {
  if (ended_) return;
  if (!unsent()) {
    out_.clear();
    sent_ = 0;
  }
  if (file >= 0) {
    flush();  // so that the file goes along with the frame's first byte: what is before it is small
    along_ = file;
  }
  if (!unsent() && along_ < 0) {  // as it usually is: without a copy
    const ssize_t sent = ::send(socket_.number(), frame.data(), frame.size(), MSG_NOSIGNAL);
    if (sent > 0) frame.remove_prefix(index(sent));
    if (frame.empty()) return;
  }
  out_ += frame;
  flush();
}

void Channel::flush() {
  while (unsent()) {
    iovec bytes{out_.data() + sent_, out_.size() - sent_};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (along_ >= 0) {
      message.msg_control = space.data();
      message.msg_controllen = space.size();
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(header), &along_, sizeof(int));
    }
    const ssize_t sent = ::sendmsg(socket_.number(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;  // it has to wait, or the other side is gone: reading tells
    along_ = -1;
    sent_ += index(sent);
  }
}

// False: there is nothing to read now.
Result<bool> Channel::read_more() {
  if (begin_ > 0 && begin_ == end_) begin_ = end_ = 0;
  if (in_.size() - end_ < kChunk / 2) {
    in_.erase(0, begin_);
    end_ -= begin_;
    begin_ = 0;
    in_.resize(std::max(kChunk, 2 * in_.size()));
  }
  iovec bytes{in_.data() + end_, in_.size() - end_};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  const ssize_t size = ::recvmsg(socket_.number(), &message, MSG_CMSG_CLOEXEC);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (size <= 0) {
    ended_ = true;
    return Error{begin_ == end_ ? "it has closed the connection"
                                : "it has closed the connection in the middle of a frame"};
  }
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int file = -1;
    std::memcpy(&file, CMSG_DATA(header), sizeof file);
    file_ = File(file);
  }
  end_ += index(size);
  return true;
}

Result<std::optional<Frame>> Channel::receive() {
  begin_ += std::exchange(taken_, 0);
  for (;;) {
    const Result<std::optional<Frame>> frame = first_frame({in_.data() + begin_, end_ - begin_});
    if (!frame) return Error{"it sends " + frame.error().message};
    if (frame.value()) {
      taken_ = kHeaderSize + frame.value()->payload.size();
      return frame;
    }
    const Result<bool> more = read_more();
    if (!more) return more.error();
    if (!more.value()) return std::optional<Frame>();
  }
}

void wait_for(std::span<Channel* const> channels, Time until) {
  std::vector<pollfd> files;
  files.reserve(channels.size());
  for (const Channel* channel : channels)
    files.push_back({channel->number(), static_cast<short>(channel->unsent() ? POLLIN | POLLOUT : POLLIN), 0});
  const auto left = std::chrono::ceil<std::chrono::nanoseconds>(until - Steady::now()).count();
  const std::int64_t wait = std::max<std::int64_t>(left, 0);
  const timespec most{static_cast<time_t>(wait / 1'000'000'000), static_cast<long>(wait % 1'000'000'000)};
  ::ppoll(files.data(), files.size(), &most, nullptr);
  for (Channel* channel : channels)
    if (channel->unsent()) channel->flush();
}

}  // namespace rival::worker
