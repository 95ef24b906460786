// Where commands write for people: stdout, or stderr when stdout carries JSON. Knows whether it is a terminal, breaks
// lines there at words, and lets no text from outside control it.
#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <istream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace rival::cli {

// Not thread-safe.
class Console {
 public:
  // Colour is used on a terminal, unless NO_COLOR is set or TERM is "dumb".
  explicit Console(std::FILE* out);

  // Control characters other than the end of a line show as \x1b; on a terminal, lines that do not fit break between
  // words, but not inside `...`, and go on below where their text began; one that is written in pieces breaks too.
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    write(fmt::format(format, std::forward<Args>(args)...));
  }
  void write(std::string_view text);
  // The same without breaking lines: what people copy, such as commands.
  void verbatim(std::string_view text);
  // Asks a person, whose answer ends the line. False at the end of the input.
  bool ask(std::string_view question, std::istream& input, std::string& answer);
  // As it is, and the end of the line: for programs.
  void machine_line(std::string_view text);

  // On a terminal, shows these lines in place of those that it showed last, each cut to the width. What is written
  // otherwise comes below them, and then they stay.
  void redraw(const std::vector<std::string>& lines);
  void keep() { drawn_.clear(); }

  // Whether text can be redrawn in place.
  bool terminal() const { return terminal_; }
  // Width of the terminal in columns; 80 where there is none.
  int width() const;

  // The text in a style, when colours are on; else as it is. Only for this console's own output. Styles: SGR numbers
  // such as "1" (bold) or "33" (yellow).
  std::string styled(const std::string& text, const char* style) const;
  std::string bold(const std::string& text) const { return styled(text, "1"); }
  std::string dim(const std::string& text) const { return styled(text, "2"); }

  // Error: something that was written did not arrive. A reader that has gone (`| head`) is no error.
  Result<void> finish();

 private:
  void put(std::string_view bytes);

  std::FILE* out_;
  bool terminal_, colour_;
  std::string mark_;        // begins a style: unguessable, so that no text from outside passes for one
  int column_ = 0;          // where an unfinished line of write() goes on; only on a terminal
  std::vector<int> drawn_;  // columns of the lines that redraw() replaces
  int failure_ = 0;         // errno of the first write that failed
};

// How far something is that takes long, on one line: "WHAT: 10% 20% ...", from the first call on.
class Percents {
 public:
  // The console must outlive it.
  Percents(Console& console, std::string what) : console_(console), what_(std::move(what)) {}
  void operator()(double share);  // 0 to 1
  void end();                     // ends the line, if there is one

 private:
  Console& console_;
  std::string what_;
  int shown_ = -1;  // tenths
};

// How many columns of a terminal a text takes; it has no control characters.
int columns(std::string_view text);

// 1234567 -> "1,234,567".
std::string grouped(long long number);

}  // namespace rival::cli
