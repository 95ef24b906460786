#include "plug/worker_sources.hpp"

#include <fmt/format.h>
#include <limits.h>

#include <cstdlib>

#include "base/file.hpp"
#include "base/program.hpp"

namespace rival {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// The Python of choice: the one that is asked for, that of the active virtual environment, or the system's.
std::string python_of(const SourceOptions& options) {
  if (!options.python.empty()) return options.python;
  if (const std::string active = variable("VIRTUAL_ENV"); !active.empty()) return active + "/bin/python";
  return "python3";
}

// Where the package `rival` of this program is: installed beside it, or in the tree that it was built from.
std::string package_folder() {
  const std::string program = program_file();
  const std::string installed = program.substr(0, program.rfind('/') + 1) + "../share/rival/python";
  return is_folder(installed) ? installed : RIVAL_PYTHON_SOURCE;
}

// An installed package comes first, so that people may have their own; the folder is for where there is none.
constexpr const char* kLauncher = R"(import sys
if sys.version_info < (3, 9):
    sys.exit('games need Python 3.9 or newer, and %s is %d.%d; --python names another' %
             (sys.executable, sys.version_info[0], sys.version_info[1]))
folder = sys.argv.pop(1)
sys.path[:] = [path for path in sys.path if path] + [folder]
try:
    import numpy
except ImportError:
    sys.exit('games in Python need numpy, which %s does not have; `%s -m pip install numpy` installs it, and --python '
             'names another Python' % (sys.executable, sys.executable))
try:
    from rival.worker import main
except ImportError as error:
    sys.exit('%s has no package rival that can be used (%s), and in %s there is none; in a checkout of '
             'Rival, `%s -m pip install ./sdk/python` installs it' % (sys.executable, error, folder, sys.executable))
main()
)";

Result<GameEntry> open_python(const std::string& name, const SourceOptions& options) {
  return open_worker({.name = name,
                      .program = {python_of(options), "-c", kLauncher, package_folder(), name},
                      .environment = {"PYTHONUNBUFFERED=1"},
                      .workers = options.workers});
}

GameSource python_source(std::string kind, std::string form, std::string description,
                         std::function<bool(const std::string&)> takes) {
  return {.kind = std::move(kind),
          .form = std::move(form),
          .description = std::move(description),
          .options = {"--python", "--workers"},
          .takes = std::move(takes),
          .open = open_python};
}

std::function<bool(const std::string&)> begins_with(std::string prefix) {
  return [prefix = std::move(prefix)](const std::string& name) { return name.starts_with(prefix); };
}

// "games/my_game.py:MyGame", found from other folders as well.
std::string from_anywhere(const std::string& name) {
  const std::size_t end = name.rfind(".py:") + 3;
  char path[PATH_MAX];
  return ::realpath(name.substr(0, end).c_str(), path) ? path + name.substr(end) : name;
}

Result<GameEntry> open_listening(const std::string& name, const SourceOptions& options) {
  WorkerCommand command{.name = name, .token = options.token};
  if (command.token.empty()) {
    const Result<std::string> token = worker_token();
    if (!token) return token.error();
    command.token = token.value();
  }
  std::string rest = name.substr(name.find(':') + 1);
  for (std::size_t comma = 0; comma != std::string::npos; rest = rest.substr(comma + 1)) {
    comma = rest.find(',');
    command.addresses.push_back(rest.substr(0, comma));
    if (comma == std::string::npos) break;
  }
  return open_worker(command);
}

}  // namespace

Result<std::string> worker_token() {
  if (const std::string token = variable("RIVAL_TOKEN"); !token.empty()) return token;
  const std::string path = variable("RIVAL_TOKEN_FILE");
  if (path.empty()) return std::string();
  const Result<std::string> text = read_file(path);
  if (!text) return text.error();
  std::string token = text.value().substr(0, text.value().find('\n'));
  if (token.empty()) return Error{path + ": its first line, which should be the token of a worker, is empty"};
  return token;
}

std::vector<GameSource> worker_sources() {
  GameSource file = python_source("python", "FILE.py:CLASS", "a class in Python",
                                  [](const std::string& name) { return name.find(".py:") != std::string::npos; });
  file.origin = from_anywhere;
  return {file,
          python_source("gym", "gym:ID", "an environment of Gymnasium; also ID?KEY=VALUE&...", begins_with("gym:")),
          python_source("pettingzoo", "pettingzoo:ID", "one of PettingZoo, FAMILY/NAME; also ID?KEY=VALUE&...",
                        begins_with("pettingzoo:")),
          python_source("openspiel", "openspiel:GAME", "a game of OpenSpiel; also GAME(KEY=VALUE,...)",
                        begins_with("openspiel:")),
          {.kind = "worker",
           .form = "worker:ADDRESS",
           .description = "what a process plays that listens at unix:PATH or tcp:HOST:PORT",
           .options = {},
           .takes = begins_with("worker:"),
           .open = open_listening}};
}

Result<GameEntry> open_isolated(const std::string& name, const SourceOptions& options) {
  return open_worker({.name = name, .program = {program_file(), "worker", name}, .workers = options.workers});
}

}  // namespace rival
