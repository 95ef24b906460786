#include "cli/console.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <sstream>

#include "base/index.hpp"

namespace rival::cli {
namespace {

// A terminal of `columns` columns; shown() is all that was written to it, with the ends of lines as they were written.
class Terminal {
 public:
  explicit Terminal(int columns) {
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    master_ = posix_openpt(O_RDWR | O_NOCTTY);
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) return;
    file_ = std::fopen(ptsname(master_), "w");
    winsize size{};
    size.ws_col = static_cast<unsigned short>(columns);
    size.ws_row = 24;
    ioctl(master_, TIOCSWINSZ, &size);
  }
  ~Terminal() {
    if (file_) std::fclose(file_);
    close(master_);
  }
  std::FILE* file() { return file_; }
  // Closes it.
  std::string shown() {
    std::fclose(file_);
    file_ = nullptr;
    std::string text;
    char block[4096];
    for (ssize_t size = 0; (size = read(master_, block, sizeof block)) > 0;) text.append(block, index(size));
    std::erase(text, '\r');
    return text;
  }

 private:
  int master_ = -1;
  std::FILE* file_ = nullptr;
};

TEST(Console, BreaksALineThatIsWrittenInPieces) {
  Terminal terminal(20);
  ASSERT_NE(terminal.file(), nullptr);
  Console console(terminal.file());
  console.print("score 99.8%");
  console.print(": 99.6%");
  console.print(" first, {}", "100.0% second\n");
  console.print("the next begins anew\n");
  EXPECT_EQ(terminal.shown(), "score 99.8%: 99.6%\nfirst, 100.0% second\nthe next begins anew\n");
}

TEST(Console, AnAnswerEndsTheLine) {
  Terminal terminal(20);
  ASSERT_NE(terminal.file(), nullptr);
  Console console(terminal.file());
  std::istringstream input("e2\n");
  std::string answer;
  EXPECT_TRUE(console.ask("Your move: ", input, answer));
  EXPECT_EQ(answer, "e2");
  console.print("a line of 20 columns\n");
  EXPECT_FALSE(console.ask("Your move: ", input, answer));
  EXPECT_EQ(terminal.shown(), "Your move: a line of 20 columns\nYour move: \n");
}

}  // namespace
}  // namespace rival::cli
