// rival new: a folder with a small working game, its tests and its build, to start from. The files are in new/.
#include <algorithm>

#include "base/file.hpp"
#include "base/names.hpp"
#include "base/number.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"

namespace rival::embedded {

extern const std::string_view cpp_game_hpp_in, cpp_library_cpp_in, cpp_test_cpp_in, cpp_Makefile_in, c_game_c_in,
    c_test_c_in, c_Makefile_in, library_README_md_in, python_game_py_in, python_test_py_in, python_README_md_in;

}  // namespace rival::embedded

namespace rival::cli {
namespace {

struct Options {
  std::string name, language = "cpp", out;
};

struct File {
  std::string path;       // in the folder; {{name}} as in texts
  std::string_view text;  // in which {{name}} is the game's name, {{Name}} the name of its type
};

struct Language {
  std::string name, game;   // what GAME is then
  std::vector<File> files;  // the rules, their test, and others
  std::string build;        // what comes before a check; "" if nothing
};

std::vector<Language> languages() {
  namespace e = embedded;
  return {{"cpp",
           "./lib{{name}}.so",
           {{"{{name}}.hpp", e::cpp_game_hpp_in},
            {"{{name}}_test.cpp", e::cpp_test_cpp_in},
            {"library.cpp", e::cpp_library_cpp_in},
            {"Makefile", e::cpp_Makefile_in},
            {"README.md", e::library_README_md_in}},
           "make && make test"},
          {"c",
           "./lib{{name}}.so",
           {{"{{name}}.c", e::c_game_c_in},
            {"{{name}}_test.c", e::c_test_c_in},
            {"Makefile", e::c_Makefile_in},
            {"README.md", e::library_README_md_in}},
           "make && make test"},
          {"python",
           "{{name}}.py:{{Name}}",
           {{"{{name}}.py", e::python_game_py_in},
            {"test_{{name}}.py", e::python_test_py_in},
            {"README.md", e::python_README_md_in}},
           ""}};
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

// dice_game -> DiceGame
std::string type_name(const std::string& name) {
  std::string type;
  bool begins = true;
  for (const char c : name) {
    if (c == '_') {
      begins = true;
      continue;
    }
    type += begins && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    begins = false;
  }
  return type;
}

bool is_game_name(const std::string& name) {
  const auto lower = [](char c) { return is_letter(c) && c == to_lower(c); };
  return !name.empty() && name.size() <= 64 && lower(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return lower(c) || is_digit(c) || c == '_'; });
}

Result<Outcome> make_folder(const Options& options, const Language& language, Console& console) {
  const std::string folder = options.out.empty() ? options.name : options.out;
  const auto filled = [&](std::string text) {
    replace_all(text, "{{game_file}}", language.files[0].path);
    replace_all(text, "{{test_file}}", language.files[1].path);
    replace_all(text, "{{name}}", options.name);
    replace_all(text, "{{Name}}", type_name(options.name));
    return text;
  };
  const Result<PathKind> there = path_kind(folder);
  if (!there) return there.error();
  if (there.value() != PathKind::none)
    return Error{fmt::format("'{}' is there already; nothing was written: name another folder with --out", folder)};
  if (Result<void> made = make_directories(folder); !made) return made.error();
  Json files = Json::array();
  for (const File& file : language.files) {
    const std::string path = folder + "/" + filled(file.path);
    if (Result<void> written = write_file_atomically(path, filled(std::string(file.text))); !written)
      return written.error();
    files.push_back(path);
  }
  const std::string game = filled(language.game);
  console.print("A small game to start from is in {}; README.md says what is where.\n", shell_quoted(folder));
  console.verbatim(fmt::format("  cd {}\n", shell_quoted(folder)));
  if (!language.build.empty()) console.verbatim("  " + language.build + "\n");
  console.verbatim("  " + command_line({"check", game}) + "\n");
  console.verbatim("  " + command_line({"train", game, "--minutes", "1", "--out", "runs/first"}) + "\n");
  return Outcome{Json{{"folder", folder}, {"game", game}, {"files", files}}};
}

Action declare(Arguments& arguments, const Games&) {
  const auto options = std::make_shared<Options>();
  arguments.add("NAME", &options->name, "The game's name, in lower_case_with_underscores", {.required = true});
  arguments.add("--lang", &options->language, "What it is written in: cpp, c or python");
  arguments.add("--out", &options->out, "The folder, which must not be there yet; without it, NAME");
  return [options](Console& console) -> Result<Outcome> {
    if (!is_game_name(options->name))
      wrong_usage({fmt::format("'{}' is no name for a game: up to 64 small letters, digits and _, a letter first",
                               options->name)});
    std::vector<std::string> known;
    for (const Language& language : languages()) {
      if (language.name == options->language) return make_folder(*options, language, console);
      known.push_back(language.name);
    }
    wrong_usage(unknown_name("language", options->language, known));
  };
}

}  // namespace

Command new_command() {
  return {"new",
          "a folder with a small game, to start one's own from",
          {{"new my_game"}, {"new my_game --lang python --out games/mine"}},
          declare};
}

}  // namespace rival::cli
