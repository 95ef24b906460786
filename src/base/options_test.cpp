#include "base/options.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rival {
namespace {

enum class Precision { f32, bf16 };

}  // namespace

template <>
inline constexpr std::array<Word<Precision>, 2> kWords<Precision>{{{"f32", Precision::f32}, {"bf16", Precision::bf16}}};

namespace {

struct Options {
  double learning_rate = 3e-4;
  int epochs = 4;
  std::int64_t seed = 1;
  bool normalise = true;
  Named<std::optional<Precision>> precision;
  std::string note;
  std::vector<int> hidden = {128, 128};
  int league_size = 8;

  std::vector<OptionRow> rows() {
    return {{"learning_rate", &learning_rate, "Step size of the optimizer.", 0, 1},
            {"epochs", &epochs, "Passes over each batch.", 1, 100},
            {"seed", &seed, "Of all randomness.", 0},
            {"normalise", &normalise, "Whether observations are normalised."},
            {"precision", &precision, "Of products."},
            {"note", &note, "Anything."},
            {"hidden", &hidden, "Widths of the layers.", 1, 8192},
            {"league.size", &league_size, "Past selves kept.", 0, 1000}};
  }
  bool operator==(const Options&) const = default;
};

std::string set_error(const std::string& assignment) {
  Options options;
  const Result<void> result = set_option(options.rows(), assignment);
  EXPECT_EQ(options, Options()) << assignment;
  return result ? "" : result.error().message;
}

std::string read_error(const std::string& text) {
  Options options;
  const Result<void> result = read_toml(options.rows(), text, "config.toml");
  EXPECT_TRUE(result || options == Options()) << text;
  return result ? "" : result.error().message;
}

TEST(Options, SetsEveryKind) {
  Options options;
  const std::vector<OptionRow> rows = options.rows();
  for (const char* assignment : {"learning_rate=1e-3", "epochs=2", "seed=1e6", "normalise=false", "precision=bf16",
                                 "note=a = b", "hidden=64x32", "league.size=0"})
    EXPECT_TRUE(set_option(rows, assignment)) << assignment;
  const Options expected{1e-3, 2, 1'000'000, false, "bf16", "a = b", {64, 32}, 0};
  EXPECT_EQ(options, expected);
  EXPECT_TRUE(set_option(rows, "hidden", "[8, 16,24]"));
  EXPECT_EQ(options.hidden, (std::vector<int>{8, 16, 24}));
  EXPECT_TRUE(set_option(rows, "hidden", ""));
  EXPECT_TRUE(options.hidden.empty());
}

TEST(Options, SettingSaysWhatIsWrong) {
  EXPECT_TRUE(set_error("epoch=3").starts_with("--set unknown option 'epoch'; did you mean 'epochs'? Known: learning"));
  EXPECT_EQ(set_error("epochs"), "--set needs key=value, not 'epochs'");
  EXPECT_EQ(set_error("epochs=0"), "--set 'epochs' must be a whole number from 1 to 100, not '0'");
  EXPECT_EQ(set_error("seed=-1"), "--set 'seed' must be a whole number of at least 0, not '-1'");
  EXPECT_EQ(set_error("epochs=2.5"), "--set 'epochs' must be a whole number from 1 to 100, not '2.5'");
  EXPECT_EQ(set_error("epochs=2x"), "--set 'epochs' must be a whole number from 1 to 100, not '2x'");
  EXPECT_EQ(set_error("epochs="), "--set 'epochs' must be a whole number from 1 to 100, not ''");
  EXPECT_EQ(set_error("seed=1e300"), "--set 'seed' must be a whole number of at least 0, not '1e300'");
  EXPECT_EQ(set_error("learning_rate=fast"), "--set 'learning_rate' must be a number from 0 to 1, not 'fast'");
  EXPECT_EQ(set_error("learning_rate=nan"), "--set 'learning_rate' must be a number from 0 to 1, not 'nan'");
  EXPECT_EQ(set_error("normalise=yes"), "--set 'normalise' must be true or false, not 'yes'");
  EXPECT_EQ(set_error("hidden=64x"),
            "--set 'hidden' must be a list such as [128, 128], each a whole number from 1 to 8192, not '64x'");
  EXPECT_EQ(set_error("hidden=64x0"),
            "--set 'hidden' must be a list such as [128, 128], each a whole number from 1 to 8192, not '64x0'");
  EXPECT_NE(set_error("precision=bf61").find("unknown value of 'precision' 'bf61'; did you mean 'bf16'?"),
            std::string::npos);
}

TEST(Options, WritesWhatItReads) {
  Options options;
  options.learning_rate = 0.1 + 0.2;
  options.seed = (std::int64_t{1} << 62) + 1;
  options.note = "a \"b\" \\ \n\t ä";
  options.hidden = {};
  const std::string text = write_toml(options.rows());
  Options back;
  const Result<void> result = read_toml(back.rows(), text, "config.toml");
  ASSERT_TRUE(result) << result.error().message << text;
  EXPECT_EQ(back, options);
  EXPECT_EQ(write_toml(back.rows()), text);
}

TEST(Options, GoldenText) {
  Options options;
  const std::vector<OptionRow> rows = options.rows();
  EXPECT_EQ(write_toml(std::span(rows).subspan(0, 3)),
            "# Step size of the optimizer. (0 to 1)\nlearning_rate = 3e-04\n\n"
            "# Passes over each batch. (1 to 100)\nepochs = 4\n\n# Of all randomness. (from 0)\nseed = 1\n");
  EXPECT_EQ(write_toml(std::span(rows).subspan(4, 1)), "# Of products. (auto | f32 | bf16)\nprecision = \"auto\"\n");
}

TEST(Options, ReadsGroupsAndWholeNumbersAsReal) {
  Options options;
  ASSERT_TRUE(read_toml(options.rows(), "learning_rate = 1\nhidden = [8]\n[league]\nsize = 3\n", "config.toml"));
  EXPECT_EQ(options.league_size, 3);
  EXPECT_EQ(options.learning_rate, 1);
}

TEST(Options, ReadsTheTomlThatPeopleWrite) {
  Options options;
  const Result<void> result = read_toml(options.rows(),
                                        "\xef\xbb\xbf# ä\r\n  seed=1_000  # a comment\r\n\tepochs\t=\t+4\n"
                                        "note = 'C:\\ä # \"' # literal\nprecision = \"\\u0062f16\"\n\n"
                                        "hidden = [ 8,16 , 24 ]\n[ league ] # group\nsize = 3",
                                        "config.toml");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(options, (Options{3e-4, 4, 1000, true, "bf16", "C:\\ä # \"", {8, 16, 24}, 3}));
  ASSERT_TRUE(read_toml(options.rows(), R"(note = "\U0001F3B2 \u00e4 \u20ac \t\"\\")", "config.toml"));
  EXPECT_EQ(options.note, "\xf0\x9f\x8e\xb2 ä € \t\"\\");
}

TEST(Options, ReadingNamesFileAndLine) {
  EXPECT_TRUE(read_error("seed = 1\nepoch = 3\n").starts_with("config.toml:2: unknown option 'epoch'; did you mean"));
  EXPECT_TRUE(read_error("[league]\nsizes = 3").starts_with("config.toml:2: unknown option 'league.sizes'; did you"));
  EXPECT_EQ(read_error("seed = 1\n\nepochs = 0"),
            "config.toml:3: 'epochs' must be a whole number from 1 to 100, not '0'");
  EXPECT_EQ(read_error("epochs = \"4\""), "config.toml:1: 'epochs' must be a whole number from 1 to 100, not '\"4\"'");
  EXPECT_EQ(read_error("epochs ="), "config.toml:1: 'epochs' must be a whole number from 1 to 100, not ''");
  EXPECT_EQ(read_error("epochs = 1__0"), "config.toml:1: 'epochs' must be a whole number from 1 to 100, not '1__0'");
  EXPECT_EQ(
      read_error("hidden = [1, 2.5]"),
      "config.toml:1: 'hidden' must be a list such as [128, 128], each a whole number from 1 to 8192, not '[1, 2.5]'");
  EXPECT_EQ(read_error("hidden = [99999999999]"),
            "config.toml:1: 'hidden' must be a list such as [128, 128], each a whole number from 1 to 8192, not "
            "'[99999999999]'");
  EXPECT_EQ(read_error("learning_rate = nan"),
            "config.toml:1: 'learning_rate' must be a number from 0 to 1, not 'nan'");
  EXPECT_EQ(read_error("normalise = 1"), "config.toml:1: 'normalise' must be true or false, not '1'");
  EXPECT_EQ(read_error("seed = 1\nseed = 2"), "config.toml:2: 'seed' is set twice");
  EXPECT_EQ(read_error("league.size = 1\n[league]\nsize = 2"), "config.toml:3: 'league.size' is set twice");
  EXPECT_EQ(read_error("seed"), "config.toml:1: an option must be written key = value");
  EXPECT_EQ(read_error("ä = 1"), "config.toml:1: an option must be written key = value");
  EXPECT_EQ(read_error("[league\nsize = 1"), "config.toml:1: a group must be written [name]");
  EXPECT_EQ(read_error("["), "config.toml:1: a group must be written [name]");
  for (const char* value : {"abc", "\"abc", "\"a\" b", "'a", "\"\\", "\"\\x\"", "\"\\ud800\"", "\"\\u12\"",
                            "\"\\u-123\"", "\"\x01\"", "\"\"\"a\"\"\""})
    EXPECT_TRUE(read_error(std::string("note = ") + value).starts_with("config.toml:1: 'note' must be a string"))
        << value;
}

TEST(Options, AGroupMayHoldWhateverNames) {
  std::map<std::string, std::string> bots;
  int port = 1;
  const std::vector<OptionRow> rows = {{"port", &port, "A number."}, {"bots", &bots, "What is served."}};
  const auto error = [&](const std::string& text) {
    const Result<void> read = read_toml(rows, text, "s.toml");
    return read ? "" : read.error().message;
  };
  EXPECT_EQ(error("port = 2\n[bots]\neasy = \"runs/a@900\"\nhard-1 = 'b#c' # best\n"), "");
  EXPECT_EQ(bots, (std::map<std::string, std::string>{{"easy", "runs/a@900"}, {"hard-1", "b#c"}}));
  EXPECT_EQ(write_toml(rows),
            "# A number.\nport = 2\n\n# What is served.\nbots.easy = \"runs/a@900\"\n"
            "bots.hard-1 = \"b#c\"\n");
  EXPECT_EQ(error(write_toml(rows)), "");
  ASSERT_TRUE(set_option(rows, "bots.third", "c"));
  EXPECT_EQ(value_text(rows[1]), "easy=runs/a@900 hard-1=b#c third=c");
  bots.clear();
  EXPECT_EQ(error("[bots]\na = \"x\"\na = \"y\""), "s.toml:3: 'bots.a' is set twice");
  EXPECT_EQ(error("[bots]\na = 3"), "s.toml:2: 'bots.a' must be a string in one line, such as \"auto\", not '3'");
  EXPECT_EQ(error("bots = \"a\""), "s.toml:1: 'bots' must be a group [bots] of lines NAME = \"...\", not '\"a\"'");
  EXPECT_EQ(error("[bots]\na.b = \"x\""), "s.toml:2: a name in [bots] is of letters, digits, '_' and '-', not 'a.b'");
  EXPECT_TRUE(error("[bot]\na = \"x\"").starts_with("s.toml:2: unknown option 'bot.a'")) << error("[bot]\na = \"x\"");
  EXPECT_TRUE(bots.empty()) << "an error changes nothing";
}

TEST(Options, HostileTextIsAnError) {
  EXPECT_NE(read_error(std::string("seed = 1\0", 9)), "");
  EXPECT_NE(read_error("\xff\xfe"), "");
  EXPECT_LT(read_error(std::string(1 << 20, 'a') + " = 1").size(), 1000u);
  EXPECT_LT(read_error("hidden = " + std::string(1 << 20, '[')).size(), 1000u);
}

}  // namespace
}  // namespace rival
