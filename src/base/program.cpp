#include "base/program.hpp"

#include <unistd.h>

#include <climits>

#include "base/index.hpp"

namespace rival {
namespace {

std::string& name() {
  static std::string name = "rival";
  return name;
}

}  // namespace

const std::string& program_name() {
  return name();
}

void set_program_name(std::string_view called) {
  name() = called.empty() ? "rival" : called;
}

std::string program_file() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? std::string(path, index(size)) : "";
}

std::string shell_quoted(std::string_view word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::string command_line(std::initializer_list<std::string_view> words) {
  std::string line = shell_quoted(program_name());
  for (const std::string_view word : words) line.append(" ").append(shell_quoted(word));
  return line;
}

}  // namespace rival
