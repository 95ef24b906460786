#include "plug/worker_pool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "base/index.hpp"
#include "base/machine.hpp"

extern char** environ;

namespace rival::worker {
namespace {

constexpr std::size_t kLastWords = 1500;  // bytes
constexpr int kLastLines = 6;
constexpr off_t kMostSaid = 1 << 20;

std::string random_token() {
  unsigned char bytes[16];
  if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) return "";
  std::string text;
  for (unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

// The last lines of what it has written, on one or more lines for a message.
std::string last_words(int file) {
  const off_t size = ::lseek(file, 0, SEEK_END);
  const off_t from = std::max<off_t>(0, size - static_cast<off_t>(kLastWords));
  std::string text(index(std::max<off_t>(0, size - from)), '\0');
  const ssize_t got = ::pread(file, text.data(), text.size(), from);
  text.resize(std::max<ssize_t>(0, got));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') c = ' ';
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::size_t begin = text.size();
  for (int line = 0; line < kLastLines && begin != std::string::npos && begin > 0; ++line)
    begin = text.rfind('\n', begin - 1);
  return begin == std::string::npos || begin == 0 ? text : text.substr(begin + 1);
}

std::string ending(int status) {
  if (WIFEXITED(status)) return fmt::format("it ended with exit status {}", WEXITSTATUS(status));
  if (WIFSIGNALED(status))
    return fmt::format("it was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return "it ended";
}

// What happens between fork and exec: only what is safe there.
[[noreturn]] void become(char* const* program, char* const* environment, int listening, int lifeline, int said) {
  ::dup2(lifeline, 0);
  ::dup2(said, 1);
  ::dup2(said, 2);
  ::dup2(listening, 3);
  // The kernel ends it when the other end of its standard input is closed, however busy it is.
  ::fcntl(0, F_SETOWN, ::getpid());
  ::fcntl(0, F_SETFL, ::fcntl(0, F_GETFL) | O_ASYNC);
  for (int number : {SIGPIPE, SIGXFSZ, SIGTERM, SIGIO, SIGHUP}) ::signal(number, SIG_DFL);
  ::signal(SIGINT, SIG_IGN);  // it is the trainer that ends on Ctrl-C, in good order
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvpe(program[0], program, environment);
  const char* const why[] = {"cannot run ", program[0], ": ", std::strerror(errno)};
  for (const char* word : why) (void)!::write(2, word, std::strlen(word));
  ::_exit(127);
}

File above_the_first(const File& file) {
  return File(::fcntl(file.number(), F_DUPFD_CLOEXEC, 10));
}

}  // namespace

Pool::Pool(const WorkerCommand& command) : command_(command), token_(command.token) {
  if (!command.program.empty()) {
    token_ = random_token();
    slots_.resize(command.workers > 0 ? command.workers : usable_processors());
    return;
  }
  for (const std::string& address : command.addresses) slots_.push_back({.address = parse_address(address).value()});
}

Pool::~Pool() {
  for (Slot& slot : slots_) end(slot, true);
}

std::string Pool::name(int slot) const {
  std::string name = fmt::format("worker {} of {}", slot + 1, size());
  const Slot& s = slots_[slot];
  return command_.program.empty() ? name + " (" + s.address.text() + ")" : name;
}

std::vector<int> Pool::assign(int count, int matches) {
  const std::lock_guard lock(mutex_);
  std::vector<int> order(slots_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::stable_sort(order.begin(), order.end(), [this](int a, int b) { return slots_[a].matches < slots_[b].matches; });
  order.resize(std::clamp(count, 1, size()));
  for (int slot : order) slots_[slot].matches += std::max(1, matches / static_cast<int>(order.size()));
  return order;
}

void Pool::release(int slot, int matches) {
  const std::lock_guard lock(mutex_);
  slots_[slot].matches -= matches;
}

bool Pool::shares_memory(int slot) const {
  return slots_[slot].address.kind != Address::Kind::tcp;
}

std::string Pool::hello() const {
  return hello_frame({"rival", token_});
}

Result<void> Pool::start(Slot& slot) {
  Result<Hidden> hidden = listen_hidden();
  if (!hidden) return hidden.error();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{fmt::format("a pipe: {}", std::strerror(errno))};
  File read_end(ends[0]);
  slot.lifeline = File(ends[1]);
  slot.said = File(::memfd_create("rival worker", MFD_CLOEXEC));
  ::fcntl(slot.said.number(), F_SETFL, O_APPEND);
  // Numbers that are in nobody's way when they are given those of the standard streams.
  const File listening = above_the_first(hidden.value().listening), lifeline = above_the_first(read_end),
             said = above_the_first(slot.said);
  std::vector<std::string> words = command_.program, variables;
  words.insert(words.end(), {"--listen", "fd:3"});
  const auto replaced = [this](std::string_view variable) {
    const std::string_view name = variable.substr(0, variable.find('=') + 1);
    return name == "RIVAL_TOKEN=" || std::any_of(command_.environment.begin(), command_.environment.end(),
                                                 [&](const std::string& own) { return own.starts_with(name); });
  };
  for (char** variable = environ; *variable; ++variable)
    if (!replaced(*variable)) variables.emplace_back(*variable);
  variables.insert(variables.end(), command_.environment.begin(), command_.environment.end());
  variables.push_back("RIVAL_TOKEN=" + token_);
  std::vector<char*> program, environment;
  for (std::string& word : words) program.push_back(word.data());
  for (std::string& variable : variables) environment.push_back(variable.data());
  program.push_back(nullptr);
  environment.push_back(nullptr);
  slot.process = ::fork();
  if (slot.process == 0)
    become(program.data(), environment.data(), listening.number(), lifeline.number(), said.number());
  if (slot.process < 0) return Error{fmt::format("no process can be started: {}", std::strerror(errno))};
  slot.hidden = hidden.value().name;
  return {};
}

// Ends the process, if there is one, after waiting a little for it to end by itself. What there is to say of it.
std::string Pool::end(Slot& slot, bool at_once) {
  if (slot.process < 0) return "";
  int status = 0;
  pid_t gone = 0;
  for (int wait = 0; !at_once && wait < 100 && gone == 0; ++wait) {
    gone = ::waitpid(slot.process, &status, WNOHANG);
    if (gone == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::string story = gone == slot.process ? "; " + ending(status) : "";
  if (gone == 0) {
    ::kill(slot.process, SIGKILL);
    ::waitpid(slot.process, &status, 0);
  }
  if (const std::string words = last_words(slot.said.number()); !words.empty()) story += "; it last wrote:\n" + words;
  slot.process = -1;
  slot.lifeline = File();
  slot.said = File();
  return story;
}

Result<Pool::Link> Pool::connect(int number) {
  const std::lock_guard lock(mutex_);
  Slot& slot = slots_[number];
  if (command_.program.empty()) {
    Result<File> socket = connect_to(slot.address);
    if (!socket) return socket.error();
    return Link{std::move(socket.value()), slot.life};
  }
  if (slot.process < 0)
    if (Result<void> started = start(slot); !started) return started.error();
  Result<File> socket = connect_hidden(slot.hidden);
  if (!socket && slot.process >= 0) return Link{File(), slot.life};  // it has ended already: reading tells
  if (!socket) return socket.error();
  return Link{std::move(socket.value()), slot.life};
}

Pool::Loss Pool::lost(int number, int life, Why why) {
  const std::lock_guard lock(mutex_);
  Slot& slot = slots_[number];
  Loss loss;
  loss.first = why == Why::sound || life == slot.life;
  if (loss.first) ++slot.losses;
  if (why != Why::sound) {
    if (loss.first) {
      slot.story = end(slot, why == Why::to_end);
      ++slot.life;
    }
    loss.story = slot.story;
  }
  loss.restarts = slot.losses;
  loss.again = slot.losses <= command_.restarts;
  return loss;
}

void Pool::proven(int number) {
  const std::lock_guard lock(mutex_);
  Slot& slot = slots_[number];
  slot.losses = 0;
  // What it wrote long ago is not kept: it may be much.
  if (slot.said && ::lseek(slot.said.number(), 0, SEEK_END) > kMostSaid) (void)!::ftruncate(slot.said.number(), 0);
}

}  // namespace rival::worker
