#include "cli/interrupt.hpp"

#include <unistd.h>

#include <csignal>
#include <string_view>

namespace rival::cli {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

std::atomic<bool> stop_requested = false;

extern "C" void request_stop(int) {
  stop_requested = true;
  for (const int signal : kSignals) std::signal(signal, SIG_DFL);
  constexpr std::string_view kSaid = "\nStopping and saving; a second signal (Ctrl-C) ends at once, without saving.\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kSaid.data(), kSaid.size());
}

}  // namespace

const std::atomic<bool>& stop_on_interrupt() {
  stop_requested = false;
  for (const int signal : kSignals)
    if (std::signal(signal, request_stop) == SIG_IGN) std::signal(signal, SIG_IGN);  // as nohup wants it
  return stop_requested;
}

}  // namespace rival::cli
