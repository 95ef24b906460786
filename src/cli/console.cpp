#include "cli/console.hpp"

#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <system_error>

#include "base/index.hpp"

namespace rival::cli {
namespace {

constexpr char32_t kInvalid = 0xffffffff;

// The character at the beginning of a text that is not empty, and how many bytes it takes; kInvalid for a byte that is
// not UTF-8.
std::pair<char32_t, std::size_t> first_character(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (size == 0 || lead >= 0xf5 || text.size() < size) return {kInvalid, 1};
  char32_t code = lead & (0x7f >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {kInvalid, 1};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  if (overlong || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) return {kInvalid, 1};
  return {code, size};
}

// What moves the cursor, changes colours or the direction of writing.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029;
}

int columns_of(char32_t c) {
  if ((c >= 0x300 && c < 0x370) || (c >= 0x200b && c < 0x200e) || (c >= 0xfe00 && c < 0xfe10)) return 0;
  const bool wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2e80 && c < 0xa4d0) || (c >= 0xac00 && c < 0xd7a4) ||
                    (c >= 0xf900 && c < 0xfb00) || (c >= 0xfe30 && c < 0xfe70) || (c >= 0xff00 && c < 0xff61) ||
                    (c >= 0x1f300 && c < 0x1fb00) || (c >= 0x20000 && c < 0x40000);
  return wide ? 2 : 1;
}

// What stands in one place of a line: a character, or a style, which takes no columns.
struct Cell {
  std::string bytes;
  int columns = 0;
};
using Line = std::vector<Cell>;

// A text in its lines, and whether the last one is ended.
struct Lines {
  std::vector<Line> lines = {{}};
  bool ended = false;
};

Lines lines_of(std::string_view text, std::string_view mark) {
  Lines all;
  while (!text.empty()) {
    if (std::exchange(all.ended, false)) all.lines.emplace_back();
    Line& line = all.lines.back();
    if (!mark.empty() && text.starts_with(mark)) {
      const std::size_t end = text.find('m', mark.size());
      line.push_back({"\x1b[" + std::string(text.substr(mark.size(), end + 1 - mark.size())), 0});
      text.remove_prefix(std::min(end, text.size() - 1) + 1);
      continue;
    }
    const auto [code, size] = first_character(text);
    if (code == '\n') {
      all.ended = true;
    } else if (code == '\t') {
      line.push_back({" ", 1});
    } else if (code == kInvalid || is_control(code)) {
      for (const char c : text.substr(0, size)) {
        constexpr char kHex[] = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        for (const char shown : {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]}) line.push_back({{shown}, 1});
      }
    } else {
      line.push_back({std::string(text.substr(0, size)), columns_of(code)});
    }
    text.remove_prefix(size);
  }
  return all;
}

int columns_of(const Line& line) {
  int sum = 0;
  for (const Cell& cell : line) sum += cell.columns;
  return sum;
}

void append(std::string& text, const Line& line) {
  for (const Cell& cell : line) text += cell.bytes;
}

// Where the lines begin that go on with a line: below its second column if it has one, else below its first.
int hanging_indent(const Line& line, int width) {
  int column = 0, spaces = 0, first = -1;
  for (const Cell& cell : line) {
    if (cell.columns == 0) continue;
    const bool space = cell.bytes == " ";
    if (!space && first >= 0 && spaces >= 2) return column <= width / 2 ? column : std::min(first, width / 2);
    if (!space && first < 0) first = column;
    spaces = space ? spaces + 1 : 0;
    column += cell.columns;
  }
  return std::min(std::max(first, 0), width / 2);
}

// Breaks a line between words so that each part fits, as far as its words do. It begins in `column`, which is then
// where it ends.
std::string wrapped(const Line& line, int width, int& column) {
  std::string text;
  if (column + columns_of(line) <= width) return append(text, line), column += columns_of(line), text;
  const int indent = column > 0 ? 0 : hanging_indent(line, width);
  Line spaces, word;
  bool quoted = false;  // inside `...`
  const auto place_word = [&] {
    if (word.empty()) return;
    if (column > indent && column + columns_of(spaces) + columns_of(word) > width) {
      text.append("\n").append(index(indent), ' ');
      column = indent;
    } else {
      append(text, spaces);
      column += columns_of(spaces);
    }
    append(text, word);
    column += columns_of(word);
    spaces.clear();
    word.clear();
  };
  for (const Cell& cell : line) {
    if (cell.bytes == "`") quoted = !quoted;
    if (cell.bytes == " " && !quoted) {
      place_word();
      spaces.push_back(cell);
    } else {
      word.push_back(cell);
    }
  }
  place_word();
  if (column + columns_of(spaces) <= width) append(text, spaces), column += columns_of(spaces);
  return text;
}

}  // namespace

Console::Console(std::FILE* out) : out_(out), terminal_(isatty(fileno(out_)) != 0) {
  const char* term = std::getenv("TERM");
  if (!term || std::string_view(term) == "dumb") terminal_ = false;
  const char* no_colour = std::getenv("NO_COLOR");
  colour_ = terminal_ && !(no_colour && *no_colour);
  std::uint64_t secret = 0;
  if (colour_ && getrandom(&secret, sizeof secret, GRND_NONBLOCK) == sizeof secret)
    mark_ = fmt::format("\x1b{:016x}[", secret);
  colour_ = !mark_.empty();
}

void Console::put(std::string_view bytes) {
  errno = 0;
  if (std::fwrite(bytes.data(), 1, bytes.size(), out_) == bytes.size() && std::fflush(out_) == 0) return;
  if (failure_ == 0) failure_ = errno != 0 ? errno : EIO;
  std::clearerr(out_);
}

void Console::write(std::string_view text) {
  keep();
  const Lines all = lines_of(text, mark_);
  std::string bytes;
  for (const Line& line : all.lines) {
    if (terminal_)
      bytes += wrapped(line, width(), column_);
    else
      append(bytes, line);
    if (&line != &all.lines.back() || all.ended) bytes += '\n', column_ = 0;
  }
  put(bytes);
}

void Console::verbatim(std::string_view text) {
  keep();
  const Lines all = lines_of(text, mark_);
  std::string bytes;
  for (const Line& line : all.lines) {
    append(bytes, line);
    if (&line != &all.lines.back() || all.ended) bytes += '\n';
  }
  put(bytes);
}

bool Console::ask(std::string_view question, std::istream& input, std::string& answer) {
  write(question);
  const bool answered = static_cast<bool>(std::getline(input, answer));
  if (answered)
    column_ = 0;
  else
    write("\n");
  return answered;
}

void Console::machine_line(std::string_view text) {
  keep();
  put(std::string(text) + "\n");
}

void Console::redraw(const std::vector<std::string>& lines) {
  const int width = this->width();
  int rows = 0;  // of what was drawn, which a terminal that has become narrower has broken into more
  for (const int drawn : drawn_) rows += std::max(1, (drawn + width - 1) / width);
  std::string bytes = rows > 0 ? fmt::format("\x1b[{}A\r", rows) : "\r";
  drawn_.clear();
  for (const std::string& text : lines) {
    const Lines cells = lines_of(text, mark_);
    int column = 0;
    for (const Cell& cell : cells.lines.front()) {
      if (column + cell.columns > width) continue;  // styles go on: the last one ends them
      bytes += cell.bytes;
      column += cell.columns;
    }
    bytes += column < width ? "\x1b[K\n" : "\n";
    drawn_.push_back(column);
  }
  put(bytes + "\x1b[J");
}

int Console::width() const {
  winsize size{};
  return terminal_ && ioctl(fileno(out_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string Console::styled(const std::string& text, const char* style) const {
  return colour_ ? fmt::format("{0}{1}m{2}{0}0m", mark_, style, text) : text;
}

Result<void> Console::finish() {
  put("");
  if (failure_ == 0 || failure_ == EPIPE) return {};
  return Error{fmt::format("cannot write to standard {}: {}", out_ == stderr ? "error" : "output",
                           std::generic_category().message(failure_))};
}

void Percents::operator()(double share) {
  const int tenths = static_cast<int>(10 * share);
  if (shown_ < 0) console_.print("{}:", what_);
  if (tenths > std::max(shown_, 0)) console_.print(" {}%", 10 * tenths);
  shown_ = std::max(shown_, tenths);
}

void Percents::end() {
  if (shown_ >= 0) console_.print("\n");
}

int columns(std::string_view text) {
  return columns_of(lines_of(text, {}).lines.front());
}

std::string grouped(long long number) {
  std::string digits = std::to_string(number);
  for (int i = static_cast<int>(digits.size()) - 3; i > (number < 0 ? 1 : 0); i -= 3) digits.insert(i, 1, ',');
  return digits;
}

}  // namespace rival::cli
