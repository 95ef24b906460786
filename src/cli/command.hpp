// What a subcommand is. Each has one file, named after it, and one row of the table in cli.cpp, which serves dispatch,
// help and suggestions.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/games_option.hpp"
#include "match/game_entry.hpp"

namespace rival::cli {

using Json = nlohmann::ordered_json;

// What a command has to say: the object that --json prints, and how it ended.
struct Outcome {
  Json json;
  int exit_code = 0;
};

// Wrong usage that shows only once a command runs; leaves it as an exception, for exit code 2.
struct WrongUsage {
  Error error;
};
[[noreturn]] void wrong_usage(Error error);

// Runs a command whose options have been parsed. Error: exit code 1, or 2 for one of usage. Throws WrongUsage.
using Action = std::function<Result<Outcome>(Console& console)>;

// A line to try, shown after the program's name.
struct Example {
  std::string words;      // "train {} --minutes 1": {} stands for a game
  std::string game = "";  // which; where the program has no game of this name, its first one
  bool only = false;      // leave the example out there
};

struct Command {
  std::string name;
  std::string summary;  // one line
  std::vector<Example> examples;
  // Declares the options and returns what to do once they are parsed. `games` lives until then.
  std::function<Action(Arguments& arguments, const Games& games)> declare;
};

Command games_command();
Command check_command();
Command train_command();
Command eval_command();
Command eval_substitute_command();
Command ladder_command();
Command balance_command();
Command play_command();
Command watch_command();
Command bench_command();
Command export_command();
Command shrink_command();
Command serve_command();
Command worker_command();
Command new_command();

// What numbers may be, alike in all commands.
constexpr double kMostMatches = 1e7;  // each is remembered until all have ended
constexpr double kLongestOpening = 1e5;
constexpr double kHottest = 1e6;  // temperature

// The help of an argument that names a game.
std::string games_help();

}  // namespace rival::cli
