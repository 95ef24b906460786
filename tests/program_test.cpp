// The real program, from outside: what it does with its streams, with paths, numbers, limits and signals.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/temporary_folder.hpp"
#include "tests/subprocess.hpp"

namespace rival {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const std::string kProgram = RIVAL_PROGRAM;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool installed(const std::string& program) {
  return run_shell("command -v " + program).exit_code == 0;
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A folder in which `rival` is the program, and a run that is trained once for all tests.
class Program : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    const Finished trained = in_folder("rival train tic_tac_toe --steps 2e4 --hidden 16x16 --out run");
    ASSERT_EQ(trained.exit_code, 0) << trained.output;
  }
  static void TearDownTestSuite() { delete folder_; }

  static Finished in_folder(const std::string& command) {
    return run_shell("cd '" + folder_->path() + "'\nrival() { '" + kProgram + "' \"$@\"; }\n" + command);
  }
  static std::string file(const std::string& name) { return folder_->file(name); }

  static TemporaryFolder* folder_;
};
TemporaryFolder* Program::folder_ = nullptr;

TEST_F(Program, AGameServerPlaysWithBotsOfTheServer) {
  const Finished played = in_folder(
      "rival train connect_four --steps 1e5 --hidden 32 --out c4 >/dev/null 2>&1 || exit 3\n"
      "'" +
      kProgram +
      "' serve c4 --port 0 >said 2>&1 &\n"
      "server=$!\n"
      "for i in $(seq 100); do grep -q Listening said && break; sleep 0.1; done\n"
      "'" RIVAL_GAME_SERVER
      "' http://127.0.0.1:$(sed -n 's/.*127.0.0.1:\\([0-9]*\\).*/\\1/p' said) c4 || exit 4\n"
      "kill $server; wait $server || exit 5\n"
      "grep Ended said");
  ASSERT_EQ(played.exit_code, 0) << played.output;
  const std::size_t won = played.output.find("c4 won ");
  ASSERT_NE(won, std::string::npos) << played.output;
  EXPECT_GT(std::stoi(played.output.substr(won + 7)), 55) << played.output;
  EXPECT_TRUE(has(played.output, "Ended. ")) << played.output;
}

TEST_F(Program, AServerReadsItsFileAgainAtAHangup) {
  const Finished served = in_folder(
      "heard() { for i in $(seq 300); do grep -q \"$1\" said && return; sleep 0.1; done; cat said; exit 3; }\n"
      "printf 'port = 0\\n[bots]\\none = \"run\"\\n' >serve.toml\n"
      "'" +
      kProgram +
      "' serve --config serve.toml >said 2>&1 &\n"
      "server=$!\n"
      "heard Listening\n"
      "printf 'port = 0\\nthreads = 2\\n[bots]\\ntwo = \"run\"\\none = \"run\"\\n' >serve.toml\n"
      "kill -HUP $server; heard '\"reloaded\"'\n"
      "printf 'port = 0\\nseat = 2\\n' >serve.toml\n"
      "kill -HUP $server; heard '\"reload failed\"'\n"
      "kill $server; wait $server || exit 5\n"
      "cat said");
  ASSERT_EQ(served.exit_code, 0) << served.output;
  EXPECT_TRUE(has(served.output, R"({"event":"reloaded","bots":["one","two"],"needs_restart":["threads"]})"))
      << served.output;
  EXPECT_TRUE(has(served.output, R"("error":"serve.toml:2: unknown option 'seat'; did you mean 'seats'?)"))
      << served.output;
}

TEST_F(Program, TheRuntimePlaysAsTheTrainerAlsoWhereTheBotSeesRules) {
  ASSERT_EQ(in_folder("rival train pig --parameter goal=any --steps 3e4 --hidden 16x16 --out drawn").exit_code, 0);
  for (const char* run : {"run", "drawn"}) {
    const Finished bench = in_folder(std::string("rival bench runtime ") + run + " --seconds 0.01 --json 2>/dev/null");
    ASSERT_EQ(bench.exit_code, 0) << bench.output;
    const Json json = Json::parse(bench.output);
    EXPECT_LT(json["max_difference"].get<double>(), 1e-5) << run;
    EXPECT_GT(json["decision_microseconds"].get<double>(), 0) << run;
  }
}

TEST_F(Program, OutputThatDoesNotArriveIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  for (const char* command :
       {"games", "games pig", "check pig --matches 2", "train tic_tac_toe --steps 1000 --hidden 8 --out full",
        "eval run --matches 10", "ladder run --matches 10", "play tic_tac_toe random", "watch run --out w.html",
        "bench tic_tac_toe --seconds 0.001 --hidden 8", "export run --out x.onnx", "help", "help eval", "--version"})
    for (const char* json : {" --json", ""}) {
      const std::string line = std::string("rival ") + command + json;
      if (*json && (has(command, "help") || has(command, "--version"))) continue;
      const Finished ran = in_folder(line + " </dev/null >/dev/full; code=$?; rm -rf full; exit $code");
      EXPECT_EQ(ran.exit_code, 1) << line << "\n" << ran.output;
      EXPECT_TRUE(has(ran.output, "cannot write to standard output: No space left on device")) << line << ran.output;
    }
}

TEST_F(Program, FilesDoNotTakeTheNumbersOfClosedStreams) {
  for (const char* closed : {">&-", "2>&-", "<&- >&- 2>&-"}) {
    const Finished ran = in_folder(std::string("rm -rf closed; rival train tic_tac_toe --steps 2e4 --hidden 8 --out "
                                               "closed --json ") +
                                   closed);
    EXPECT_EQ(ran.exit_code, 0) << closed << ran.output;
    EXPECT_LT(content(file("closed/.lock")).size(), 20u) << closed;
    std::ifstream metrics(file("closed/metrics.jsonl"));
    int lines = 0;
    for (std::string line; std::getline(metrics, line); ++lines)
      EXPECT_TRUE(Json::parse(line, nullptr, false).is_object()) << closed << ": " << line;
    EXPECT_GT(lines, 0);
  }
}

TEST_F(Program, AReaderThatHasGoneStopsNoTraining) {
  const Finished ran = in_folder("rival train tic_tac_toe --steps 2e4 --out piped | true");
  EXPECT_TRUE(fs::exists(file("piped/bots/final.safetensors"))) << ran.output;
  EXPECT_FALSE(has(ran.output, "cannot write")) << ran.output;
  EXPECT_EQ(in_folder("{ rival games; echo $? >code; } | head -n 1; cat code").output,
            "tic_tac_toe    Three in a row on a board of 3 x 3\n0\n");
}

// Every command that takes a path, and what stands in its way.
TEST_F(Program, PathsThatCannotBeLookedAtAreErrorsThatNameThem) {
  const std::string lengthy(300, 'x');
  ASSERT_EQ(in_folder("ln -s b a; ln -s a b").exit_code, 0);
  struct Case {
    std::string path, reason;
  };
  for (const Case& c : {Case{"./" + lengthy, "File name too long"}, Case{"a/run", "Too many levels of symbolic links"}})
    for (const std::string& line :
         {"eval " + c.path, "eval " + c.path + "@1200", "eval run --against " + c.path, "play tic_tac_toe " + c.path,
          "watch " + c.path + " --out w.html", "export " + c.path, "export run --out " + c.path, "ladder " + c.path,
          "watch run --out " + c.path, "train tic_tac_toe --steps 1000 --from " + c.path + " --out new",
          "train tic_tac_toe --resume --out " + c.path, "train tic_tac_toe --steps 1000 --out " + c.path,
          "eval run --matches 2 --replays " + c.path, "bench tic_tac_toe --seconds 0.001 --results " + c.path}) {
      const Finished ran = in_folder("rival " + line);
      EXPECT_EQ(ran.exit_code, 1) << line << "\n" << ran.output;
      EXPECT_TRUE(has(ran.output, c.path.substr(0, c.path.find('@')))) << line << "\n" << ran.output;
      EXPECT_TRUE(has(ran.output, c.reason)) << line << "\n" << ran.output;
    }
}

TEST_F(Program, FoldersThatMayNotBeSearched) {
  // Root may search everything: as root, ask as somebody else.
  const std::string as = ::getuid() == 0 ? "setpriv --reuid 65534 --regid 65534 --clear-groups " : "";
  const TemporaryFolder shut;
  if (!as.empty() && run_shell(as + "'" + kProgram + "' --version").exit_code != 0)
    GTEST_SKIP() << "as root, without a user who may run the program and to whom a folder can be shut";
  ASSERT_EQ(run_shell("mkdir '" + shut.file("in") + "' && chmod 0 '" + shut.file("in") + "' && chmod 711 '" +
                      shut.path() + "'")
                .exit_code,
            0);
  for (const std::string line :
       {"eval IN/run", "eval IN", "play tic_tac_toe IN/run", "watch IN/run --out w", "export IN/run", "ladder IN/run",
        "train tic_tac_toe --resume --out IN/run", "train tic_tac_toe --steps 10 --out IN/run"}) {
    std::string command = line;
    command.replace(command.find("IN"), 2, shut.file("in"));
    const Finished ran = run_shell("cd / && " + as + "'" + kProgram + "' " + command);
    EXPECT_EQ(ran.exit_code, 1) << command << ran.output;
    EXPECT_TRUE(has(ran.output, shut.file("in"))) << ran.output;
    EXPECT_TRUE(has(ran.output, "Permission denied")) << ran.output;
  }
  run_shell("chmod 700 '" + shut.file("in") + "'");
}

TEST_F(Program, BytesThatAreNoTextDoNotReachJsonOrTheTerminal) {
  const Finished ran = in_folder(
      "bad=$(printf 'r\\377\\033[31m'); rival train tic_tac_toe --steps 2e4 --hidden 8 --out \"$bad\" --json "
      "2>/dev/null");
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  const Json json = Json::parse(ran.output, nullptr, false);
  ASSERT_TRUE(json.is_object()) << ran.output;
  EXPECT_TRUE(fs::exists(file("r\377\033[31m/bots/final.safetensors")));
  for (const char* line : {"eval \"$bad\" --matches 10", "eval \"$bad/none\"", "ladder \"$bad\" --matches 10",
                           "train \"$bad\"", "eval x \"--$bad\""}) {
    const Finished shown = in_folder("bad=$(printf 'r\\377\\033[31m'); rival " + std::string(line));
    EXPECT_FALSE(has(shown.output, "\033")) << shown.output;
    EXPECT_TRUE(has(shown.output, "\\x1b[31m")) << line << shown.output;
  }
  // A bot whose file says that it plays a game of such a name.
  const std::string header = R"({"__metadata__":{"rival":"{\"format\":1,\"game\":\"x\\u001b[2Jy\"}"}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  std::ofstream(file("evil.safetensors"), std::ios::binary) << bytes << header;
  const Finished evil = in_folder("rival eval evil.safetensors");
  EXPECT_NE(evil.exit_code, 0);
  EXPECT_FALSE(has(evil.output, "\033")) << evil.output;
  EXPECT_TRUE(has(evil.output, "x\\u001b[2Jy")) << evil.output;
}

TEST_F(Program, SuggestedCommandsCanBeCopied) {
  const Finished ran = in_folder("rival train tic_tac_toe --steps 2e4 --hidden 8 --out \"it's a run\"");
  ASSERT_EQ(ran.exit_code, 0);
  const std::size_t at = ran.output.find("measure it: ");
  ASSERT_NE(at, std::string::npos) << ran.output;
  const std::string command = ran.output.substr(at + 12, ran.output.find('\n', at) - at - 12);
  EXPECT_TRUE(command.starts_with(kProgram + " eval ")) << command;
  EXPECT_EQ(in_folder(command).exit_code, 0) << command;
}

TEST_F(Program, IsCalledByItsOwnName) {
  const Finished ran = in_folder("ln -sf '" + kProgram +
                                 "' mygame; ./mygame; ./mygame help train; ./mygame train; "
                                 "./mygame eval run@1200; ./mygame nonsense");
  EXPECT_TRUE(has(ran.output, "  ./mygame games    what can be played")) << ran.output;
  EXPECT_TRUE(has(ran.output, "Usage: ./mygame train GAME")) << ran.output;
  EXPECT_TRUE(has(ran.output, "`./mygame help train` shows how it is used")) << ran.output;
  EXPECT_TRUE(has(ran.output, "run `./mygame ladder run --calibrate`")) << ran.output;
  EXPECT_TRUE(has(ran.output, "./mygame: unknown command")) << ran.output;
  EXPECT_FALSE(has(ran.output, "rival ")) << ran.output;
}

TEST_F(Program, AnUnknownInstructionSetIsAnError) {
  const Finished ran = in_folder("RIVAL_ISA=avx3 rival games");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_TRUE(has(ran.output, "RIVAL_ISA='avx3' is unknown; use auto")) << ran.output;
  EXPECT_EQ(in_folder("RIVAL_ISA=sse4 rival games").exit_code, 0);
}

TEST_F(Program, FilesThatMayNotGrowAreAnError) {
  const Finished ran = in_folder("(ulimit -f 8; rival train tic_tac_toe --steps 2e4 --hidden 128x128 --out small)");
  EXPECT_EQ(ran.exit_code, 1) << ran.output;
  EXPECT_TRUE(has(ran.output, "File too large")) << ran.output;
}

TEST_F(Program, TooLittleMemoryIsAnError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers reserve more memory than any limit leaves";
#endif
  for (const char* kilobytes : {"400000", "700000", "1200000"}) {
    const Finished ran =
        in_folder(std::string("rm -rf little; (ulimit -v ") + kilobytes +
                  "; rival train tic_tac_toe --steps 100 --hidden 8192x8192 --threads 1 --out little)");
    EXPECT_EQ(ran.exit_code, 1) << kilobytes << ran.output;
    EXPECT_TRUE(has(ran.output, "not enough memory: this needs about 5.7 GB")) << kilobytes << ran.output;
  }
  // Where it runs out on the way, inside of libraries too.
  for (int kilobytes = 200'000; kilobytes <= 260'000; kilobytes += 10'000) {
    const Finished ran = in_folder("rm -rf little; (ulimit -v " + std::to_string(kilobytes) +
                                   "; rival train tic_tac_toe --steps 100 --hidden 256x256 --out little)");
    EXPECT_LE(ran.exit_code, 1) << kilobytes << ran.output;
    EXPECT_EQ(ran.exit_code == 1, has(ran.output, "not enough memory")) << kilobytes << ran.output;
  }
}

TEST_F(Program, StartsAsManyThreadsAsItMayUse) {
  if (!installed("taskset")) GTEST_SKIP() << "no taskset here";
  const Finished ran = in_folder("cpu=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//'); taskset -c $cpu '" + kProgram +
                                 "' bench tic_tac_toe --hidden 8 --seconds 0.001 --json 2>/dev/null");
  const Json json = Json::parse(ran.output, nullptr, false);
  ASSERT_TRUE(json.is_object()) << ran.output;
  EXPECT_EQ(json["threads"], 1);
}

TEST_F(Program, SignalsEndARunWithItsBotSaved) {
  for (const char* signal : {"HUP", "TERM"}) {
    const Finished ran = in_folder(std::string("rm -rf stopped out; '") + kProgram +
                                   "' train tic_tac_toe --minutes 5 --hidden 8 --out stopped >out 2>err & pid=$!\n"
                                   "while ! grep -qs steps out; do sleep 0.02; done; kill -" +
                                   signal + " $pid; wait $pid; code=$?; cat out err; exit $code");
    EXPECT_EQ(ran.exit_code, 0) << signal << ran.output;
    EXPECT_TRUE(has(ran.output, "a second signal (Ctrl-C) ends at once")) << signal << ran.output;
    EXPECT_TRUE(has(ran.output, "Stopped.")) << signal << ran.output;
    EXPECT_TRUE(fs::exists(file("stopped/bots/final.safetensors")) ||
                fs::exists(file("stopped/bots/latest.safetensors")))
        << signal;
  }
}

// One number, refused by all commands that take it.
TEST_F(Program, NumbersAreRefusedEverywhereAlike) {
  const std::vector<std::string> seeds = {"-1", "18446744073709551616", "9000000000000001", "''", "nan", "1.5", "1x"};
  const std::vector<std::string> temperatures = {"-1", "nan", "inf", "''", "1,5", "1e7"};
  for (const std::string command : {"check pig --matches 2", "eval random --game pig --matches 2", "ladder run",
                                    "play pig random --watch", "watch random --game pig --out w.html",
                                    "train pig --steps 100 --out unmade", "train pig --steps 100 --out unmade --set"})
    for (const std::string& seed : seeds) {
      const bool set = command.ends_with("--set");
      const Finished ran = in_folder("rival " + command + (set ? " seed=" : " --seed ") + seed);
      EXPECT_EQ(ran.exit_code, 2) << command << " " << seed << ran.output;
      EXPECT_TRUE(has(ran.output, "must be a whole number from 0 to 9000000000000000")) << command << ran.output;
    }
  for (const std::string command :
       {"eval random --game pig", "play pig random --watch", "watch random --game pig --out w.html"})
    for (const std::string& temperature : temperatures) {
      const Finished ran = in_folder("rival " + command + " --temperature " + temperature);
      EXPECT_EQ(ran.exit_code, 2) << command << " " << temperature << ran.output;
      EXPECT_TRUE(has(ran.output, "--temperature must be a number from 0 to 1000000, not")) << ran.output;
    }
  for (const char* line : {"train pig --minutes 2e6",
                           "train pig --minutes inf",
                           "train pig --minutes nan",
                           "train pig --minutes ''",
                           "train pig --minutes -1",
                           "train pig --set minutes=inf",
                           "train pig --steps -1",
                           "train pig --steps 1e300",
                           "train pig --until-score nan",
                           "train pig --until-score ''",
                           "train pig --set until_score=-inf",
                           "ladder run --levels 100000",
                           "ladder run --target-se nan",
                           "ladder run --matches inf",
                           "eval random --game pig --matches 500000000",
                           "check pig --matches 1e18",
                           "bench pig --seconds inf",
                           "eval random --game pig --positions 0",
                           "eval random --game pig --opening -1",
                           "ladder run --threads 1e9"}) {
    const Finished ran = in_folder("rival " + std::string(line));
    EXPECT_EQ(ran.exit_code, 2) << line << ran.output;
    EXPECT_TRUE(has(ran.output, " must be a ")) << line << ran.output;
  }
  EXPECT_FALSE(fs::exists(file("unmade")));
}

// Wide and narrow terminals: `script` gives the program one.
TEST_F(Program, LinesBreakAtWordsOnATerminal) {
  if (!installed("script")) GTEST_SKIP() << "no script(1) here";
  for (const int width : {20, 40, 80, 200}) {
    const std::string columns = std::to_string(width);
    const Finished ran = in_folder("export TERM=xterm NO_COLOR=1; script -qec \"stty cols " + columns + "; '" +
                                   kProgram + "' help eval\" /dev/null </dev/null");
    const std::string help = ran.output.substr(0, ran.output.find("Examples:"));
    std::size_t longest = 0, begin = 0;
    std::string words;
    for (std::size_t end; (end = help.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::string line = help.substr(begin, end - begin - (end > begin && help[end - 1] == '\r'));
      if (line.find('`') == std::string::npos) longest = std::max(longest, line.size());
      words += line + " ";
    }
    // No narrower than its longest word, which may be the program's path.
    EXPECT_LE(longest, std::max({static_cast<std::size_t>(width), std::size_t{24}, kProgram.size()})) << help;
    EXPECT_GT(longest, static_cast<std::size_t>(std::min(width, 120)) * 2 / 3) << help;
    EXPECT_TRUE(has(words, "seats")) << words;
  }
  const Finished train = in_folder("export TERM=xterm NO_COLOR=1; script -qec \"stty cols 80; '" + kProgram +
                                   "' help train\" /dev/null </dev/null");
  const std::size_t keys = train.output.find("What --set takes"), end = train.output.find("Examples:");
  ASSERT_LT(keys, end) << train.output;
  std::istringstream lines(train.output.substr(keys, end - keys));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 81u) << line;  // with its carriage return
  // Not in a log.
  EXPECT_TRUE(
      has(in_folder("rival help eval").output, "the same for both seatings; default: as a rated player's ladder does"));
}

}  // namespace
}  // namespace rival
