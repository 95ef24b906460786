// A worker that misbehaves, for worker_test: `worker_stub MODE FILE --listen ADDRESS` plays a game in which something
// goes wrong, depending on MODE. FILE counts how often it was started.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>

#include "plug/worker_protocol.hpp"
#include "plug/worker_server.hpp"

namespace rival {
namespace {

std::string mode;
int life = 0;

// Sends bytes to whoever is connected, behind the server's back.
void send_behind(std::string_view bytes) {
  for (int file = 4; file < 64; ++file) {
    int listens = 1;
    socklen_t size = sizeof listens;
    if (getsockopt(file, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens) continue;
    (void)!::send(file, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
}

// Two seats take turns for ten steps; the one that chose 1 more often wins.
struct Count {
  int steps = 0, ones[2] = {0, 0};

  static Spec spec() {
    return {.name = "count",
            .description = "Ten turns; whoever chose 1 more often wins",
            .seats = 2,
            .observation = {ObservationPart::vector("clock", 2), ObservationPart::vector("ones", 2)},
            .action = {ActionPart::discrete("pick", 3)},
            .max_steps = 10};
  }
  void reset(const Settings&, Key) { *this = {}; }
  SeatSet to_act() const { return SeatSet::one(steps % 2); }
  void observe(int seat, Observation out) const {
    out[0] = static_cast<float>(steps) / 10;
    out[2] = static_cast<float>(ones[seat]) / 5;
    out[3] = static_cast<float>(ones[1 - seat]) / 5;
    if (steps == 3 && mode == "nan") out[3] = std::numeric_limits<float>::quiet_NaN();
  }
  void legal(int, Mask mask) const {
    mask.allow(0), mask.allow(1);
    if (steps != 3) return;
    if (mode == "no_choice") mask.part()[0] = mask.part()[1] = 0;
    if (mode == "mask") mask.part()[1] = 7;
  }
  void step(const Actions& actions, Key, Rewards rewards) {
    ones[steps % 2] += actions.choice(steps % 2) == 1;
    ++steps;
    if (steps == 2 && mode == "slow" && life == 2) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    if (steps != 3) return;
    static int thirds = 0;
    if (mode == "exit_later" && ++thirds == 300) _exit(3);
    if (mode == "reward") rewards[1] = std::numeric_limits<float>::infinity();
    if (mode == "throw") throw std::runtime_error("the deck is empty");
    if (mode == "exit" || (mode == "exit_once" && life == 1) || (mode == "exit_second" && life == 2)) {
      std::cerr << "loading\nno more cards\n" << std::flush;
      _exit(3);
    }
    if (mode == "crash") {
      signal(SIGSEGV, SIG_DFL);  // sanitizers have one of their own
      raise(SIGSEGV);
    }
    if (mode == "hang")
      for (;;) pause();
    if (mode == "spin")
      for (volatile bool on = true; on;) {
      }
    if (mode == "garbage") send_behind("these are no frames at all");
    if (mode == "shape") send_behind(worker::turned_frame("too much"));
    if (mode == "half") {
      send_behind(worker::turned_frame("").substr(0, 5));
      _exit(0);
    }
  }
  Status status() const { return steps < 10 ? Status::running : Status::finished; }
  float result(int team) const {
    if (mode == "result" && team == 1) return std::numeric_limits<float>::quiet_NaN();
    return ones[team] > ones[1 - team] ? 1.0f : ones[team] < ones[1 - team] ? -1.0f : 0.0f;
  }
  std::string text() const { return "step " + std::to_string(steps); }
};

// A worker of another version of the protocol.
[[noreturn]] void other_version() {
  pollfd listener{.fd = 3, .events = POLLIN, .revents = 0};
  (void)!poll(&listener, 1, -1);
  const int socket = accept(3, nullptr, nullptr);
  std::string welcome = worker::welcome_frame({"old", Count::spec(), {}});
  welcome[16] = 7;
  (void)!::send(socket, welcome.data(), welcome.size(), 0);
  for (;;) pause();
}

}  // namespace
}  // namespace rival

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  rival::mode = argv[1];
  {
    std::ofstream(argv[2], std::ios::app) << getpid() << '\n';
    std::ifstream lives(argv[2]);
    for (std::string line; std::getline(lives, line);) ++rival::life;
  }
  if (rival::mode == "version") rival::other_version();
  if (rival::mode == "silent")
    for (;;) pause();
  const char* token = std::getenv("RIVAL_TOKEN");
  const rival::Result<void> served = rival::serve_game(
      rival::game_entry<rival::Count>(), {.listen = argv[4], .token = token ? token : "", .program = "stub"});
  std::cerr << served.error().message << '\n';
  return 1;
}
