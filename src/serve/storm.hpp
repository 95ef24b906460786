// Clients that behave badly, each in a way of its own and all at once, for the tests of this folder.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "serve/sample_bot.hpp"

namespace rival::serve {

// A client's end of a connection, by hand: whatever bytes, and no wait that is longer than its patience.
class RawClient {
 public:
  explicit RawClient(int port, int receive_buffer = 0, std::chrono::milliseconds patience = std::chrono::seconds(1))
      : patience_(patience), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_port = htons(static_cast<std::uint16_t>(port));
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0;
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False: the server takes no more of it, or not now.
  bool send(std::string_view bytes) {
    while (connected_ && !bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (sent <= 0 && (errno != EAGAIN || !wait(POLLOUT))) return false;
    }
    return connected_;
  }
  // What has arrived, or arrives in a moment; "": nothing, or the end.
  std::string receive() {
    std::string bytes(1 << 16, '\0');
    const ssize_t size = wait(POLLIN) ? ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT) : 0;
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
  }
  // Whether the server has ended the connection, within so long.
  bool ends_within(std::chrono::seconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    for (char byte[4096]; std::chrono::steady_clock::now() < until;)
      if (wait(POLLIN) && ::recv(socket_, byte, sizeof byte, MSG_DONTWAIT) <= 0) return true;
    return false;
  }
  // Without a word: the other side gets a reset.
  void vanish() {
    const linger now{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  bool join() {
    return send(
               "GET /v1/play HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n") &&
           receive().starts_with("HTTP/1.1 101");
  }
  bool open(int seats) {
    return join() && say(1, "{\"open\": \"sample\", \"seats\": " + std::to_string(seats) + "}") && !receive().empty();
  }
  bool say(int kind, std::string_view payload) { return send(frame(kind, payload)); }

  // A client's frame of a WebSocket, whose mask is zero.
  static std::string frame(int kind, std::string_view payload) {
    std::string bytes{static_cast<char>(0x80 | kind)};
    const int wide = payload.size() < 126 ? 0 : payload.size() < 65536 ? 2 : 8;
    bytes += static_cast<char>(0x80 | (wide == 0 ? static_cast<int>(payload.size()) : wide == 2 ? 126 : 127));
    for (int byte = wide - 1; byte >= 0; --byte) bytes += static_cast<char>(payload.size() >> (8 * byte));
    return bytes.append(4, '\0').append(payload);
  }

 private:
  bool wait(short what) const {
    pollfd ready{socket_, what, 0};
    return ::poll(&ready, 1, static_cast<int>(patience_.count())) > 0;
  }

  std::chrono::milliseconds patience_;
  int socket_;
  bool connected_ = false;
};

// From its construction to its end.
class Storm {
 public:
  Storm(int port, int threads, std::uint64_t seed) : port_(port) {
    for (int t = 0; t < threads; ++t)
      threads_.emplace_back([this, key = Key(seed).split(static_cast<std::uint64_t>(t))] { rage(Random(key)); });
  }
  ~Storm() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  static constexpr int kKinds = 8;
  std::int64_t times(int kind) const { return times_[static_cast<std::size_t>(kind)]; }

 private:
  static constexpr std::size_t kMostHeld = 12;  // of a thread

  void rage(Random random) {
    std::deque<std::unique_ptr<RawClient>> held;  // half-open connections, and those that do not read
    while (!stop_) {
      const int kind = random.below(kKinds);
      auto client = std::make_unique<RawClient>(port_, kind == 5 ? 4096 : 0);
      act(kind, *client, random);
      ++times_[static_cast<std::size_t>(kind)];
      if (random.below(2) == 0) client->vanish();
      if (kind >= 5) held.push_back(std::move(client));
      if (held.size() > kMostHeld) held.pop_front();
    }
  }

  static void act(int kind, RawClient& client, Random& random) {
    const auto seed = static_cast<std::uint64_t>(random.below(1 << 30));
    const auto noise = [&](int most) {
      std::string bytes(static_cast<std::size_t>(random.below(most)), ' ');
      for (char& c : bytes) c = static_cast<char>(random.below(256));
      return bytes;
    };
    const auto spoilt = [&](std::string bytes) {
      for (int changes = 1 + random.below(3); changes > 0; --changes)
        bytes[static_cast<std::size_t>(random.below(static_cast<int>(bytes.size())))] =
            static_cast<char>(random.below(256));
      return bytes;
    };
    switch (kind) {
      case 0:  // asks, and is gone
        if (!client.open(30)) return;
        for (std::uint32_t tick = 0; tick < 20; ++tick) client.say(2, SampleRows(30, seed).frame(1, tick));
        return;
      case 1:  // more than is taken, and no pause
        if (!client.open(3)) return;
        for (std::uint32_t tick = 0; tick < 600; ++tick)
          if (!client.say(2, SampleRows(3, seed).frame(1, tick, tick % 3))) return;
        client.receive();
        return;
      case 2:  // no WebSocket
        if (!client.open(3)) return;
        client.send(random.below(2) ? noise(2000) : spoilt(RawClient::frame(2, SampleRows(3, seed).frame(1, 1))));
        client.receive();
        return;
      case 3: {  // WebSockets, but no messages; text of any bytes ends a connection soon, so that some have none
        if (!client.open(3)) return;
        const int texts = random.below(2);
        for (int n = 0; n < 200; ++n)
          if (!client.say(2 - texts * (n % 2), n % 4 == 1   ? spoilt("{\"forget\": 1, \"seats\": [2], \"id\": 7}")
                                               : n % 4 == 0 ? spoilt(SampleRows(3, seed).frame(1, 1))
                                                            : noise(200)))
            return;
        client.ends_within(std::chrono::seconds(10));  // the server has had enough of it
        return;
      }
      case 4:  // opens and closes
        if (!client.join()) return;
        for (int n = 1; n <= 50; ++n) {
          client.say(1, "{\"open\": \"sample\", \"seats\": 1000}");
          client.say(2, SampleRows(20, seed).frame(static_cast<std::uint32_t>(n), 1));
          if (n % 3 != 0) client.say(1, "{\"close\": " + std::to_string(n) + "}");
        }
        client.receive();
        return;
      case 5:  // does not take its answers
        if (!client.open(1000)) return;
        for (std::uint32_t tick = 0; tick < 30; ++tick)
          if (!client.say(2, SampleRows(1000, seed).frame(1, tick))) return;
        return;
      case 6:  // part of a request, or of a frame
        if (random.below(2) && client.open(1))
          client.send(RawClient::frame(2, noise(5000) + "....").substr(0, 12));
        else
          client.send(std::string("GET /bots HTTP/1.1\r\nHost: here\r\nX: ").substr(0, 1 + random.below(36)));
        return;
      case 7:  // no HTTP, or much of it
        if (random.below(2))
          client.send(noise(4000));
        else
          for (int n = 0; n < 100; ++n) client.send("GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n");
        return;
    }
  }

  int port_;
  std::atomic<bool> stop_{false};
  std::array<std::atomic<std::int64_t>, kKinds> times_{};
  std::vector<std::thread> threads_;
};

}  // namespace rival::serve
