#include "cli/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace rival::cli {

Console::Console(bool json) : out_(json ? stderr : stdout), terminal_(isatty(fileno(out_)) != 0) {
  const char* term = std::getenv("TERM");
  if (!term || std::string_view(term) == "dumb") terminal_ = false;
  const char* no_colour = std::getenv("NO_COLOR");
  colour_ = terminal_ && !(no_colour && *no_colour);
}

void Console::write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

int Console::width() const {
  winsize size{};
  return terminal_ && ioctl(fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string Console::styled(const std::string& text, const char* style) const {
  return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", style, text) : text;
}

std::string grouped(long long number) {
  std::string digits = std::to_string(number);
  for (int i = static_cast<int>(digits.size()) - 3; i > (number < 0 ? 1 : 0); i -= 3)
    digits.insert(static_cast<std::size_t>(i), 1, ',');
  return digits;
}

}  // namespace rival::cli
