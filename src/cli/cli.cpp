#include "cli/cli.hpp"

#include <algorithm>

#include "base/names.hpp"
#include "cli/command.hpp"
#include "cli/live_view.hpp"

namespace rival::cli {
namespace {

constexpr const char* kVersion = RIVAL_VERSION;

// The one table of commands.
std::vector<Command> commands() {
  return {games_command(), check_command(), train_command(), eval_command(),  ladder_command(),
          play_command(),  watch_command(), bench_command(), export_command()};
}

std::string overview(const std::vector<Command>& commands) {
  std::string text = "Rival trains, rates and serves players for games.\n\n";
  for (const Command& command : commands) text += fmt::format("  rival {:<8} {}\n", command.name, command.summary);
  text += "\n`rival help COMMAND` shows a command's options and examples.\n";
  return text;
}

int fail(const std::string& command, const std::string& message, int exit_code, bool json) {
  std::fprintf(stderr, "rival%s%s: %s\n", command.empty() ? "" : " ", command.c_str(), message.c_str());
  if (exit_code == 2)
    std::fprintf(stderr, "`rival help%s%s` shows how it is used.\n", command.empty() ? "" : " ", command.c_str());
  if (json) std::printf("%s\n", Json{{"error", message}}.dump().c_str());
  return exit_code;
}

int run_command(const Command& command, const std::vector<std::string>& words, const std::vector<GameEntry>& games) {
  Arguments arguments(fmt::format("rival {}", command.name), command.summary, command.examples);
  bool json = false;
  const Action action = command.declare(arguments, games);
  arguments.add_flag("--json", json, "One JSON object on stdout; everything else goes to stderr");
  json = std::find(words.begin(), words.end(), "--json") != words.end();
  const Result<bool> help = arguments.parse(words);
  if (!help) return fail(command.name, help.error().message, 2, json);
  if (help.value()) {
    std::printf("%s", arguments.help().c_str());
    return 0;
  }
  try {
    Console console(json);
    const Result<Outcome> outcome = action(console);
    if (!outcome) return fail(command.name, outcome.error().message, 1, json);
    if (json) std::printf("%s\n", outcome.value().json.dump().c_str());
    return outcome.value().exit_code;
  } catch (const WrongUsage& wrong) {
    return fail(command.name, wrong.error.message, 2, json);
  }
}

}  // namespace

void wrong_usage(Error error) {
  throw WrongUsage{std::move(error)};
}

const GameEntry& find_game(std::span<const GameEntry> games, const std::string& name) {
  std::vector<std::string> known;
  for (const GameEntry& game : games) {
    if (game.spec.name == name) return game;
    known.push_back(game.spec.name);
  }
  wrong_usage(unknown_name("game", name, known));
}

int run(int argc, const char* const* argv, const std::vector<GameEntry>& games) {
  process_seconds();  // notes when the process began
  const std::vector<Command> table = commands();
  std::vector<std::string> arguments(argv + std::min(1, argc), argv + argc);
  if (arguments.empty()) {
    std::fprintf(stderr, "%s", overview(table).c_str());
    return 2;
  }
  if (arguments[0] == "--version") {
    std::printf("rival %s\n", kVersion);
    return 0;
  }
  if (arguments[0] == "help" || arguments[0] == "--help" || arguments[0] == "-h") {
    if (arguments.size() == 1) {
      std::printf("%s", overview(table).c_str());
      return 0;
    }
    arguments = {arguments[1], "--help"};
  }
  std::vector<std::string> known;
  for (const Command& command : table) {
    if (command.name == arguments[0]) return run_command(command, {arguments.begin() + 1, arguments.end()}, games);
    known.push_back(command.name);
  }
  return fail("", unknown_name("command", arguments[0], known).message, 2, false);
}

}  // namespace rival::cli
