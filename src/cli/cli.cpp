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
  return {games_command(), check_command(), train_command(), eval_command(),
          play_command(),  bench_command(), export_command()};
}

std::string overview(const std::vector<Command>& commands) {
  std::string text = "Rival trains, rates and serves players for games.\n\n";
  for (const Command& command : commands) text += fmt::format("  rival {:<8} {}\n", command.name, command.summary);
  text += "\n`rival help COMMAND` shows a command's options and examples.\n";
  return text;
}

// The first option on the line that the app does not have, as an error that names the nearest one.
Result<void> check_options(const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back(fmt::format("--{}", name));
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    if (!argument.starts_with("--")) continue;
    const std::string name = argument.substr(0, argument.find('='));
    if (std::find(known.begin(), known.end(), name) == known.end()) return unknown_name("option", name, known);
  }
  return {};
}

int fail(const std::string& command, const std::string& message, int exit_code, bool json) {
  std::fprintf(stderr, "rival%s%s: %s\n", command.empty() ? "" : " ", command.c_str(), message.c_str());
  if (exit_code == 2)
    std::fprintf(stderr, "`rival help%s%s` shows how it is used.\n", command.empty() ? "" : " ", command.c_str());
  if (json) std::printf("%s\n", Json{{"error", message}}.dump().c_str());
  return exit_code;
}

int run_command(const Command& command, std::vector<std::string> arguments, const std::vector<GameEntry>& games) {
  CLI::App app(command.summary, "rival " + command.name);
  bool json = false;
  const Action action = command.declare(app, games);
  app.add_flag("--json", json, "One JSON object on stdout; everything else goes to stderr");
  std::string footer = "\nExamples:\n";
  for (const std::string& example : command.examples) footer += "  " + example + "\n";
  app.footer(footer);
  app.get_formatter()->column_width(34);
  const bool wants_json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  try {
    if (Result<void> known = check_options(app, arguments); !known)
      return fail(command.name, known.error().message, 2, wants_json);
    std::reverse(arguments.begin(), arguments.end());  // what CLI11 wants
    app.parse(arguments);
    Console console(json);
    const Result<Outcome> outcome = action(console);
    if (!outcome) return fail(command.name, outcome.error().message, 1, json);
    if (json) std::printf("%s\n", outcome.value().json.dump().c_str());
    return outcome.value().exit_code;
  } catch (const CLI::CallForHelp&) {
    std::printf("%s", app.help().c_str());
    return 0;
  } catch (const CLI::ParseError& error) {
    return fail(command.name, error.what(), 2, wants_json);
  }
}

}  // namespace

void wrong_usage(const Error& error) {
  throw CLI::ValidationError(error.message, CLI::ExitCodes::ValidationError);
}

const GameEntry& find_game(std::span<const GameEntry> games, const std::string& name) {
  std::vector<std::string> known;
  for (const GameEntry& game : games) {
    if (game.spec.name == name) return game;
    known.push_back(game.spec.name);
  }
  wrong_usage(unknown_name("game", name, known));
}

CLI::Option* add_game(CLI::App& app, const std::string& option, std::string& name) {
  return app.add_option(option, name, "A game; `rival games` lists them");
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
