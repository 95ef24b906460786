// What a subcommand is. Each has one file, named after it, and one row of the table in cli.cpp, which serves dispatch,
// help and suggestions.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/console.hpp"
#include "match/game_entry.hpp"

namespace rival::cli {

using Json = nlohmann::ordered_json;

// What a command has to say: the object that --json prints, and how it ended.
struct Outcome {
  Json json;
  int exit_code = 0;
};

// Runs a command whose options have been parsed. Error: exit code 1. Throws CLI::ValidationError for what turns out to
// be wrong usage (see wrong_usage): exit code 2.
using Action = std::function<Result<Outcome>(Console& console)>;

struct Command {
  std::string name;
  std::string summary;                // one line
  std::vector<std::string> examples;  // "rival train connect_four --minutes 1"
  // Declares the options and returns what to do once they are parsed. `app`, `games` and what the options are bound to
  // live until then.
  std::function<Action(CLI::App& app, std::span<const GameEntry> games)> declare;
};

Command games_command();
Command check_command();
Command train_command();
Command eval_command();
Command play_command();
Command bench_command();
Command export_command();

[[noreturn]] void wrong_usage(const Error& error);

// Declares an option for the name of a game.
CLI::Option* add_game(CLI::App& app, const std::string& option, std::string& name);
// The game of that name, or wrong usage.
const GameEntry& find_game(std::span<const GameEntry> games, const std::string& name);

}  // namespace rival::cli
