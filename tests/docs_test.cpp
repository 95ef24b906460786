// What the documentation shows must be so. Rules, for README.md and docs/**.md:
//   - a ```cpp or ```c block right after a line `<!-- from PATH -->` stands verbatim in that file;
//   - every other ```cpp block compiles as a file of its own (it includes what it needs);
//   - one that defines rival_game() is built outside of the tree as a shared library, as docs/c-games.md says, and
//   checked;
//   - one with a `main` that runs Rival's command line is built outside of the tree, as docs/adding-a-game.md says, and
//     run: `check` and a second of `train`;
//   - a ```sh block right after a line `<!-- run -->` runs in an empty folder, in which build/rival is the program;
//     after `<!-- run with PATH -->` that file is there too, and Rival is installed for pkg-config;
//   - the ```sh blocks of a page right after lines `<!-- while rival serve ... -->` run one after the other while that
//     command does; curl finds it at 127.0.0.1:8765, and must not be answered an error.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/subprocess.hpp"

namespace rival {
namespace {

namespace fs = std::filesystem;

struct Block {
  std::string place;     // file:line
  std::string language;  // "cpp", "sh"...
  std::string mark;      // what the comment right before it says: "from src/x.hpp", "run", ""
  std::string text;
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<Block> blocks_of(const std::string& name, const std::string& markdown) {
  std::vector<Block> blocks;
  std::istringstream stream(markdown);
  std::string line, mark;
  bool inside = false;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (line.starts_with("```")) {
      if (!inside) blocks.push_back({name + ":" + std::to_string(number), line.substr(3), mark, ""});
      inside = !inside;
      mark.clear();
    } else if (inside) {
      blocks.back().text += line + "\n";
    } else if (line.starts_with("<!-- ") && line.ends_with(" -->")) {
      mark = line.substr(5, line.size() - 9);
    } else if (!line.empty()) {
      mark.clear();
    }
  }
  return blocks;
}

std::vector<Block> all_blocks() {
  const fs::path root = RIVAL_SOURCE_DIR;
  std::vector<fs::path> files = {root / "README.md"};
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs"))
    if (entry.path().extension() == ".md") files.push_back(entry.path());
  std::vector<Block> blocks;
  for (const fs::path& file : files)
    for (Block& block : blocks_of(fs::relative(file, root).string(), read(file))) blocks.push_back(std::move(block));
  return blocks;
}

// An empty folder that is removed again.
class Folder {
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "rival-docs-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// "" if the block stands in its file.
std::string check_quoted(const Block& block) {
  const fs::path path = fs::path(RIVAL_SOURCE_DIR) / block.mark.substr(5);
  if (!fs::exists(path)) return block.place + ": there is no " + block.mark.substr(5);
  return read(path).find(block.text) != std::string::npos ? "" : block.place + ": is not verbatim " + block.mark;
}

std::string check_compiles(const Block& block) {
  const Folder folder;
  const fs::path file = folder.path() / "block.cpp";
  std::ofstream(file) << block.text;
  const std::string root = RIVAL_SOURCE_DIR;
  const Finished compiled = run_shell(std::string(RIVAL_COMPILER) + " -std=c++20 -fsyntax-only -Wall -Wextra -I" +
                                      root + "/include -I" + root + "/src -I" + root + " " + file.string());
  return compiled.exit_code == 0 ? "" : block.place + ": does not compile:\n" + compiled.output;
}

// The CMake files that a page shows, with this word in it: docs/adding-a-game.md for a program of one's own.
std::string cmake_block(const std::string& word, const std::string& page = "docs/adding-a-game.md") {
  for (const Block& block : all_blocks())
    if (block.place.starts_with(page) && block.language == "cmake" && block.text.find(word) != std::string::npos)
      return block.text;
  return "";
}

bool is_program(const Block& block) {
  return block.text.find("int main(") != std::string::npos && block.text.find("cli::run") != std::string::npos;
}

// Where this build is installed, for programs to find.
const std::string& installed() {
  static const Folder folder;
  static const std::string path = folder.path().string();
  static const Finished done = run_shell("cmake --install " RIVAL_BINARY_DIR " --prefix " + path);
  EXPECT_EQ(done.exit_code, 0) << done.output;
  return path;
}

// Builds what a CMakeLists.txt in this folder says, which finds Rival where it is installed or in the folder.
std::string build_commands(const fs::path& folder, bool found) {
  std::string options = " -DCMAKE_CXX_COMPILER=" RIVAL_COMPILER;
  if (found) options += " -DCMAKE_PREFIX_PATH=" + installed();
  if (const std::string sanitizers = RIVAL_SANITIZE; !sanitizers.empty())
    options += " -DCMAKE_CXX_FLAGS=-fsanitize=" + sanitizers;
  return "cd " + folder.string() + " && set -e\ncmake -S . -B build" + options + "\ncmake --build build --parallel 2\n";
}

// With the library taken from a checkout (add_subdirectory) or, found, as it is installed.
std::string check_program(const Block& block, bool found = true) {
  std::string cmake = cmake_block("add_subdirectory(rival");
  if (found) cmake = std::regex_replace(cmake, std::regex("add_subdirectory.*\n"), cmake_block("find_package(rival"));
  if (block.text.find("\"games/") != std::string::npos)
    cmake = std::regex_replace(cmake, std::regex("rival::cli"), "rival::cli rival::games");
  const Folder folder;
  std::ofstream(folder.path() / "CMakeLists.txt") << cmake;
  std::ofstream(folder.path() / "twenty_one.cpp") << block.text;
  fs::create_symlink(RIVAL_SOURCE_DIR, folder.path() / "rival");
  const Finished ran =
      run_shell(build_commands(folder.path(), found) +
                "game=$(build/twenty_one games --json | sed 's/^{\"games\":\\[{\"name\":\"//; s/\".*//')\n"
                "build/twenty_one check \"$game\"\n"
                "build/twenty_one train \"$game\" --minutes 0.02 --out run\n"
                "test -s run/bots/final.safetensors");
  if (ran.exit_code != 0) return block.place + ": fails:\n" + ran.output;
  return ran.output.find("keeps its promises") != std::string::npos ? "" : block.place + ": " + ran.output;
}

bool is_library(const Block& block) {
  return block.text.find("rival_game_table* rival_game(") != std::string::npos;
}

// A game in C++ as a shared library, with the package that is installed.
std::string check_library(const Block& block) {
  const std::string cmake = cmake_block("MODULE", "docs/c-games.md");
  std::smatch named;
  if (!std::regex_search(cmake, named, std::regex("MODULE (\\w+)\\.cpp"))) return block.place + ": nothing builds it";
  const Folder folder;
  std::ofstream(folder.path() / "CMakeLists.txt") << cmake;
  std::ofstream(folder.path() / (named[1].str() + ".cpp")) << block.text;
  const Finished ran =
      run_shell(build_commands(folder.path(), true) + RIVAL_PROGRAM " check build/lib" + named[1].str() + ".so");
  return ran.exit_code == 0 ? "" : block.place + ": fails:\n" + ran.output;
}

std::string check_runs(const Block& block) {
  const Folder folder;
  fs::create_directory(folder.path() / "build");
  fs::create_symlink(RIVAL_PROGRAM, folder.path() / "build/rival");
  std::string before = "cd " + folder.path().string() + " && PATH=$PWD/build:$PATH && set -e\n";
  if (const std::string with = "run with "; block.mark.starts_with(with)) {
    const fs::path file = fs::path(RIVAL_SOURCE_DIR) / block.mark.substr(with.size());
    if (!fs::exists(file)) return block.place + ": there is no " + block.mark.substr(with.size());
    fs::copy_file(file, folder.path() / file.filename());
    before += "export PKG_CONFIG_PATH=$(dirname \"$(find " + installed() + " -name rival.pc)\")\n";
  }
  const Finished ran = run_shell(before + block.text);
  return ran.exit_code == 0 ? "" : block.place + ": fails:\n" + ran.output;
}

std::string check(const Block& block) {
  if (block.language == "cpp") {
    if (block.mark.starts_with("from ")) return check_quoted(block);
    const std::string compiles = check_compiles(block);
    if (compiles.empty() && is_library(block)) return check_library(block);
    return compiles.empty() && is_program(block) ? check_program(block) : compiles;
  }
  if (block.language == "c")
    return block.mark.starts_with("from ") ? check_quoted(block) : block.place + ": from where?";
  if (block.language == "sh" && (block.mark == "run" || block.mark.starts_with("run with "))) return check_runs(block);
  return "";
}

TEST(Docs, EveryBlockIsTrue) {
  for (const Block& block : all_blocks()) EXPECT_EQ(check(block), "");
}

const std::string kWhile = "while ";

// Blocks of one page that ask the server which their mark starts.
std::string check_asks(const std::vector<Block>& blocks) {
  const Folder folder;
  std::string text;
  for (const Block& block : blocks) text += block.text;
  const Finished ran = run_shell(
      "cd " + folder.path().string() +
      " && set -e\nrival() { '" RIVAL_PROGRAM
      "' \"$@\"; }\n"
      "curl() { command curl --silent --show-error --fail-with-body --connect-to 127.0.0.1:8765:$address \"$@\"; }\n"
      "rival train connect_four --steps 50000 --hidden 16 --out runs/demo >/dev/null 2>&1\n'" RIVAL_PROGRAM "'" +
      blocks[0].mark.substr(kWhile.size() + std::string("rival").size()) +
      " --port 0 >said 2>&1 &\n"
      "server=$!\ntrap 'kill $server; wait $server' EXIT\n"
      "for i in $(seq 300); do grep -q Listening said && break; sleep 0.1; done\n"
      "address=$(sed -n 's,.*http://\\(.*\\)/ .*,\\1,p' said)\n" +
      text);
  return ran.exit_code == 0 ? "" : blocks[0].place + ": fails:\n" + ran.output;
}

bool there_is_curl() {
  return run_shell("command -v curl").exit_code == 0;
}

TEST(Docs, TheServerAnswersWhatPagesAskIt) {
  if (!there_is_curl()) GTEST_SKIP() << "skipped: there is no curl to ask the server; `make test` installs it";
  std::map<std::pair<std::string, std::string>, std::vector<Block>> pages;
  for (Block& block : all_blocks())
    if (block.language == "sh" && block.mark.starts_with(kWhile))
      pages[{block.place.substr(0, block.place.find(':')), block.mark}].push_back(std::move(block));
  EXPECT_FALSE(pages.empty());
  for (const auto& [page, blocks] : pages) EXPECT_EQ(check_asks(blocks), "");
}

TEST(Docs, FindsWhatTheServerDoesNotAnswer) {
  if (!there_is_curl()) GTEST_SKIP() << "skipped: there is no curl to ask the server; `make test` installs it";
  const auto only = [](const std::string& path) {
    return check_asks(blocks_of(
        "x.md", "<!-- while rival serve runs/demo -->\n```sh\ncurl http://127.0.0.1:8765" + path + "\n```\n"));
  };
  EXPECT_EQ(only("/bots"), "");
  EXPECT_NE(only("/bot").find("there is no such path"), std::string::npos);
}

TEST(Docs, ThereAreBlocksToCheck) {
  int commands = 0, programs = 0;
  for (const Block& block : all_blocks()) {
    commands += block.mark == "run";
    programs += block.language == "cpp" && is_program(block);
  }
  EXPECT_GE(commands, 1);
  EXPECT_GE(programs, 2);
}

// Negative controls.
TEST(Docs, FindsWhatIsNotTrue) {
  const auto only = [](const std::string& text) { return check(blocks_of("x.md", text).at(0)); };
  const std::string from = "<!-- from include/rival/random.hpp -->\n";
  EXPECT_EQ(only(from + "```cpp\nnamespace rival {\n```\n"), "");
  EXPECT_NE(only(from + "```cpp\nnamespace rivals {\n```\n"), "");
  EXPECT_NE(only("<!-- from no/such.hpp -->\n```cpp\nint x;\n```\n"), "");
  EXPECT_EQ(only("```cpp\n#include \"rival/random.hpp\"\nrival::Key key(1);\n```\n"), "");
  EXPECT_NE(only("```cpp\nrival::Key key(1);\n```\n"), "");
  EXPECT_EQ(only("<!-- run -->\n```sh\nbuild/rival games\n```\n"), "");
  EXPECT_NE(only("<!-- run -->\n```sh\nrival gamez\nrival games\n```\n"), "");
  EXPECT_EQ(only("```sh\nrival gamez\n```\n"), "");  // not marked
  EXPECT_EQ(only("<!-- from examples/c_game/nim.c -->\n```c\nstruct rival_batch {\n```\n"), "");
  EXPECT_NE(only("<!-- from examples/c_game/nim.c -->\n```c\nstruct rival_batches {\n```\n"), "");
  EXPECT_NE(only("```c\nint x;\n```\n"), "");
  EXPECT_NE(only("<!-- run with no/such.c -->\n```sh\ntrue\n```\n"), "");
}

// The program that docs/adding-a-game.md shows, with something in it replaced.
Block own_program(const std::string& text = "", const std::string& by = "") {
  for (Block& block : all_blocks())
    if (is_program(block) && block.text.find("struct") != std::string::npos) {
      const std::size_t at = block.text.find(text);
      EXPECT_NE(at, std::string::npos) << text;
      block.text.replace(at, text.size(), by);
      return block;
    }
  ADD_FAILURE() << "the docs show no program with a game in it";
  return {};
}

TEST(Docs, FindsAProgramThatBreaksAPromise) {
  const std::string found = check_program(own_program("sum == 21 ?", "sum == 22 ?"));
  EXPECT_NE(found.find("Built target twenty_one"), std::string::npos) << found;
}

// A loop of one's own needs nothing of this tree: its CMakeLists.txt, as the page shows it, and what is installed.
TEST(Docs, TheLoopIsBuiltOutsideOfTheTree) {
  const Folder folder;
  std::ofstream(folder.path() / "CMakeLists.txt") << cmake_block("own_the_loop", "docs/own-the-loop.md");
  fs::copy_file(RIVAL_SOURCE_DIR "/examples/own_the_loop.cpp", folder.path() / "own_the_loop.cpp");
  const Finished ran = run_shell(build_commands(folder.path(), true) + "build/own_the_loop 1 runs\n");
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_NE(ran.output.find("against random 0."), std::string::npos) << ran.output;
  EXPECT_TRUE(fs::exists(folder.path() / "runs/bot.safetensors"));
}

TEST(DocsSlow, TheProgramBuildsRivalAlong) {
  EXPECT_EQ(check_program(own_program(), false), "");
}

}  // namespace
}  // namespace rival
