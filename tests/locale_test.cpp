// A program may set any locale before it calls the library: numbers are read and written the same.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <locale>
#include <sstream>
#include <string>

#include "base/options.hpp"
#include "base/temporary_folder.hpp"
#include "cli/cli.hpp"
#include "games/catalog.hpp"
#include "match/playthrough.hpp"
#include "train/config.hpp"

namespace rival {
namespace {

struct DecimalComma final : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

// What commands print and write, but for times.
std::string everything() {
  const TemporaryFolder folder;
  const std::string run = folder.file("run");
  std::string all;
  const auto rival_ = [&](const std::vector<const char*>& words) {
    std::vector<const char*> argv = {"rival"};
    argv.insert(argv.end(), words.begin(), words.end());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int exit_code = cli::run(static_cast<int>(argv.size()), argv.data(), catalog());
    all += "exit " + std::to_string(exit_code) + "\n";
    const std::string out = testing::internal::GetCapturedStdout();
    testing::internal::GetCapturedStderr();
    if (words[0] != std::string("train") && words[0] != std::string("ladder")) all += out;
  };
  const auto file = [&](const std::string& path) {
    std::ifstream in(path);
    all.append(std::istreambuf_iterator<char>(in), {});
  };
  rival_({"train", "pendulum", "--steps", "2e4", "--hidden", "8", "--set", "learning_rate=0.0015", "--set",
          "discount=0.5", "--threads", "1", "--out", run.c_str()});
  file(run + "/config.toml");
  rival_({"train", "pendulum", "--resume", "--steps", "2.5e4", "--set", "clip=0.25", "--out", run.c_str()});
  file(run + "/config.toml");
  rival_({"eval", "random", "--game", "pendulum", "--matches", "1500", "--seed", "3"});
  rival_({"eval", "random", "--game", "pendulum", "--matches", "1500", "--seed", "3", "--json"});
  rival_({"watch", "random", "--game", "lanes", "--parameter", "team_size=1", "--out", (run + ".html").c_str()});
  file(run + ".html");
  rival_({"play", "cartpole", "random", "--watch", "--seed", "1"});
  rival_({"games", "lanes"});
  rival_({"games", "pendulum", "--json"});
  const std::string pig = folder.file("pig");
  rival_({"train", "pig", "--steps", "2e4", "--hidden", "8", "--out", pig.c_str()});
  rival_({"ladder", pig.c_str(), "--target-se", "40.5", "--matches", "2e3", "--threads", "1", "--out",
          (pig + ".html").c_str()});
  file(pig + "/ladder.json");
  for (const GameEntry& game : catalog()) all += playthrough(game, Key(1)).value();
  for (std::size_t at; (at = all.find(folder.path())) != std::string::npos;) all.erase(at, folder.path().size());
  return all;
}

TEST(Locale, ADecimalCommaChangesNothing) {
  const std::string before = everything();
  EXPECT_NE(before.find("learning_rate = 0.0015"), std::string::npos);
  EXPECT_EQ(before.find("exit 1"), std::string::npos);
  EXPECT_EQ(before.find("exit 2"), std::string::npos);

  const std::locale old = std::locale::global(std::locale(std::locale::classic(), new DecimalComma));
  std::ostringstream control;  // negative control: the locale is in force
  control << 1234.5;
  EXPECT_EQ(control.str(), "1.234,5");
  const std::string cpp = everything();
  EXPECT_TRUE(cpp == before) << "std::locale::global";

  // The same for the C library, whose locales are files: German is made where it can be.
  const TemporaryFolder folder;
  const std::string made = "localedef -i de_DE -f UTF-8 '" + folder.file("de_DE.UTF-8") + "' >/dev/null 2>&1";
  const bool there = std::system(made.c_str()) == 0;
  setenv("LOCPATH", folder.path().c_str(), 1);
  const bool german = there && std::setlocale(LC_ALL, "de_DE.UTF-8") != nullptr;
  if (german) {
    EXPECT_EQ(std::strtod("0,5", nullptr), 0.5);
    const std::string c = everything();
    EXPECT_TRUE(c == before) << "setlocale";
    for (std::size_t i = 0; i < std::min(c.size(), before.size()); ++i)
      if (c[i] != before[i]) {
        ADD_FAILURE() << c.substr(std::max<std::size_t>(i, 80) - 80, 200);
        break;
      }
    std::setlocale(LC_ALL, "C");
  }
  std::locale::global(old);
  unsetenv("LOCPATH");
  if (!german) GTEST_SKIP() << "no localedef with de_DE here (Debian's package locales): only std::locale was tried";
}

// Every option at its extremes is written so that it can be read again.
TEST(Locale, OptionsAtTheirExtremesAreReadAgain) {
  for (const bool high : {false, true}) {
    TrainConfig config;
    for (const OptionRow& row : option_rows(config)) {
      const double bound = high ? row.high : row.low;
      std::visit(
          [&](auto target) {
            using T = std::remove_pointer_t<decltype(target)>;
            if constexpr (std::is_same_v<T, NamedTarget>)
              target.set(high ? target.words().back() : target.words().front());
            else if constexpr (std::is_same_v<T, double>)
              *target = bound;
            else if constexpr (std::is_same_v<T, int> || std::is_same_v<T, std::int64_t>)
              *target = static_cast<T>(bound);
            else if constexpr (std::is_same_v<T, std::vector<int>>)
              *target = {static_cast<int>(bound), static_cast<int>(bound)};
            else if constexpr (std::is_same_v<T, std::string>)
              *target = "a \"b\" \\ \n\t\x7f = #";
          },
          row.target);
    }
    const std::string text = write_toml(option_rows(config));
    TrainConfig back;
    const Result<void> read = read_toml(option_rows(back), text, "config.toml");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(write_toml(option_rows(back)), text);
  }
}

}  // namespace
}  // namespace rival
