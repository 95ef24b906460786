// Where commands write for people: stdout, or stderr when stdout carries JSON. Knows whether it is a terminal.
#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <string>
#include <utility>

namespace rival::cli {

class Console {
 public:
  // Colour is used on a terminal, unless NO_COLOR is set or TERM is "dumb".
  explicit Console(bool json);

  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    write(fmt::format(format, std::forward<Args>(args)...));
  }
  void write(const std::string& text);

  // Whether text can be redrawn in place.
  bool terminal() const { return terminal_; }
  // Width of the terminal in columns; 80 where there is none.
  int width() const;

  // The text in a style, when colours are on; else as it is. Styles: SGR numbers such as "1" (bold) or "33" (yellow).
  std::string styled(const std::string& text, const char* style) const;
  std::string bold(const std::string& text) const { return styled(text, "1"); }
  std::string dim(const std::string& text) const { return styled(text, "2"); }

 private:
  std::FILE* out_;
  bool terminal_, colour_;
};

// 1234567 -> "1,234,567".
std::string grouped(long long number);

}  // namespace rival::cli
