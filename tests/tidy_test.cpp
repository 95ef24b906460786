// The rules of docs/architecture.md that a program can check: the order of the layers, and plain tidiness.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace rival {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Lines lines_of(const std::string& text) {
  std::istringstream stream(text);
  Lines lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The folders of the block that follows "<!-- layers -->", lowest first: the first word of each line.
Lines layers_of(const std::string& architecture) {
  Lines layers;
  bool marked = false, inside = false;
  for (const std::string& line : lines_of(architecture)) {
    if (line.find("<!-- layers -->") != std::string::npos) marked = true;
    if (marked && line.starts_with("```")) {
      if (inside) break;
      inside = true;
    } else if (inside) {
      std::string folder = line.substr(0, line.find(' '));
      while (folder.ends_with('/')) folder.pop_back();
      if (!folder.empty()) layers.push_back(folder);
    }
  }
  return layers;
}

// The layer of a file, or -1.
int layer_of(const std::string& path, const Lines& layers) {
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (path.starts_with(layers[i] + "/")) return static_cast<int>(i);
  return -1;
}

// The path in the repository of what `#include "name"` means.
std::string included_path(const std::string& name) {
  if (name.starts_with("rival/")) return "include/" + name;
  if (name.starts_with("games/") || name.starts_with("tests/")) return name;
  return "src/" + name;
}

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// What is wrong with a file, a line each. `path` is relative to the root of the repository.
Lines violations(const std::string& path, const std::string& text, const Lines& layers) {
  static const std::regex include(R"(^\s*#include\s+"([^"]+)\")");
  static const std::regex global_random(R"(\b(s?rand|drand48)\(|\bstd::(random_device|mt19937|minstd_rand))");
  // What a locale changes, and what throws when a path cannot be looked at; src/base has both without.
  static const std::regex locale(R"(\b(strto(d|f|ld|l|ll|ul|ull)|ato[ifl]|v?sn?printf|std::sto(i|l|ul|ll|ull|f|d))\()"
                                 R"(|\bstd::(isalpha|isalnum|isdigit|isspace|tolower|toupper)\()");
  static const std::regex throwing(
      R"(\b(fs|std::filesystem)::(exists|is_directory|is_regular_file|file_size|canonical)\([^,]*\)|\.dump\()");
  const bool header = path.ends_with(".hpp") || path.ends_with(".h");
  const bool code = header || path.ends_with(".cpp") || path.ends_with(".c");
  const bool test = path.ends_with("_test.cpp");
  Lines found;
  const Lines lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    const auto report = [&](const std::string& what) {
      found.push_back(path + ":" + std::to_string(i + 1) + ": " + what);
    };
    if (line.find('\t') != std::string::npos) report("a tab");
    if (line.ends_with(' ') || line.ends_with('\r')) report("a space at the end");
    if (!code) continue;
    if (columns(line) > 120) report("more than 120 columns");
    if (std::regex_search(line, global_random)) report("a global random generator; pass a Key instead");
    const bool checked = path.starts_with("src/") || path.starts_with("games/");
    const bool fuzzer = path.ends_with("_fuzz.cpp");
    if (checked && !test && std::regex_search(line, locale)) report("depends on the locale; base/number.hpp does not");
    if (checked && !test && !fuzzer && path != "src/base/json.hpp" && path != "src/base/json_fields.cpp" &&
        path != "src/base/file.cpp" && std::regex_search(line, throwing))
      report("may throw; see base/file.hpp and base/json.hpp");
    std::smatch match;
    if (test || !std::regex_search(line, match, include)) continue;
    const int own = layer_of(path, layers), other = layer_of(included_path(match[1]), layers);
    if (own >= 0 && other > own)
      report(layers[static_cast<std::size_t>(own)] + " includes " + match[1].str() + ", of a higher layer");
  }
  if (!text.empty() && !text.ends_with('\n')) found.push_back(path + ": no newline at the end");
  if (header && !text.starts_with("//") && !text.starts_with("/*"))
    found.push_back(path + ":1: a header begins with a comment that says what it is for");
  if (path.ends_with(".hpp") && text.find("#pragma once") == std::string::npos)
    found.push_back(path + ": no #pragma once");
  return found;
}

Lines architecture_layers() {
  return layers_of(read(fs::path(RIVAL_SOURCE_DIR) / "docs/architecture.md"));
}

TEST(Tidy, TheRepositoryKeepsTheRules) {
  const fs::path root = RIVAL_SOURCE_DIR;
  const Lines layers = architecture_layers();
  int files = 0;
  for (const char* folder : {"include", "src", "games", "runtime", "sdk", "bench", "tests", "cmake", "docs"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const fs::path& path = entry.path();
      static const Lines kinds = {".cpp", ".hpp", ".h", ".c", ".cmake", ".md", ".py", ".js", ".mjs", ".ts"};
      const bool known = std::find(kinds.begin(), kinds.end(), path.extension().string()) != kinds.end();
      std::error_code gone;  // what other tests write and remove meanwhile: compiled Python
      if (!entry.is_regular_file(gone) || !(known || path.filename() == "CMakeLists.txt")) continue;
      ++files;
      for (const std::string& line : violations(fs::relative(path, root).string(), read(path), layers))
        ADD_FAILURE() << line;
    }
  }
  EXPECT_GT(files, 50);
}

TEST(Tidy, EveryFolderOfCodeIsALayer) {
  const fs::path root = RIVAL_SOURCE_DIR;
  const Lines layers = architecture_layers();
  ASSERT_GE(layers.size(), 8u);
  EXPECT_EQ(layers.front(), "include/rival");
  for (const auto& entry : fs::directory_iterator(root / "src")) {
    const std::string folder = "src/" + entry.path().filename().string();
    if (!entry.is_directory()) continue;
    EXPECT_NE(std::find(layers.begin(), layers.end(), folder), layers.end()) << folder << " is no layer";
  }
}

// Negative controls: each planted violation is found, and nothing else is.
TEST(Tidy, FindsWhatIsPlanted) {
  const Lines layers = {"include/rival", "src/base", "src/game", "games", "src/cli"};
  const std::string good = "// A header.\n#pragma once\n#include \"base/check.hpp\"\n#include <vector>\n";
  EXPECT_EQ(violations("src/game/x.hpp", good, layers), Lines{});
  const auto one = [&](const std::string& path, const std::string& text, const std::string& part) {
    const Lines found = violations(path, text, layers);
    ASSERT_EQ(found.size(), 1u) << part;
    EXPECT_NE(found[0].find(part), std::string::npos) << found[0];
  };
  one("src/base/x.hpp", good + "#include \"game/batch.hpp\"\n", "x.hpp:5: src/base includes game/batch.hpp");
  one("include/rival/x.hpp", good, "include/rival includes base/check.hpp");
  one("games/a/a.cpp", "#include \"cli/cli.hpp\"\n", "higher layer");
  EXPECT_EQ(violations("src/base/x_test.cpp", "#include \"game/batch.hpp\"\n", layers), Lines{});
  one("src/base/x.cpp", "int x;\t\n", "tab");
  one("src/base/x.cpp", "int x; \n", "space at the end");
  one("src/base/x.cpp", "// " + std::string(118, 'x') + "\n", "120 columns");
  one("src/base/x.cpp",
      "int x = ra"
      "nd();\n",
      "random");
  one("src/base/x.cpp",
      "std::mt"
      "19937 generator;\n",
      "random");
  one("src/base/x.cpp", "double x = std::strtod(text, nullptr);\n", "locale");
  one("games/a/a.cpp", "std::snprintf(line, sizeof line, format, x);\n", "locale");
  one("src/base/x.cpp", "if (fs::exists(path)) {\n", "may throw");
  one("src/cli/x.cpp", "return json.dump();\n", "may throw");
  EXPECT_EQ(violations("src/base/x_test.cpp", "if (fs::exists(path)) {\n", layers), Lines{});
  EXPECT_EQ(violations("src/base/x.cpp", "if (fs::exists(path, code)) {\n", layers), Lines{});
  one("src/base/x.cpp", "int x;", "newline");
  one("src/base/x.hpp", "#pragma once\n", "begins with a comment");
  one("src/base/x.hpp", "// A header.\n", "#pragma once");
}

TEST(Tidy, ReadsTheLayers) {
  EXPECT_EQ(layers_of("text\n<!-- layers -->\n```\ninclude/rival/  headers\nsrc/base/\n```\n```\nother\n```\n"),
            (Lines{"include/rival", "src/base"}));
}

}  // namespace
}  // namespace rival
