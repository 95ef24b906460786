// Where games come from: the program's own catalogue, and one kind of source for each other way in. A further kind is a
// row of game_sources().
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "match/game_entry.hpp"

namespace rival {

// How a game from elsewhere is to be run. The command line has an option for each; a source is given only those that it
// knows (GameSource::options).
struct SourceOptions {
  bool isolate = false;  // a library: in a process of its own
  std::string python;    // the Python to run games in; "": the active virtual environment's, else python3
  int workers = 0;       // processes that play; 0: as many as the source finds right
  std::string token;     // what a worker beyond this machine wants to be shown; "": none
};

// One kind of source.
struct GameSource {
  std::string kind;  // "library"
  // For help: how its games are named ("./libmygame.so"), and what they are, in a line.
  std::string form, description;
  // The options that mean something to it, as they are typed: "--isolate".
  std::vector<std::string_view> options;
  // Whether a name, as typed, is meant for this source, be there such a game or not. The first source that says so is
  // asked.
  std::function<bool(const std::string& name)> takes;
  // The game; its origin is filled in by open_game. Errors name the thing, the place and the remedy.
  std::function<Result<GameEntry>(const std::string& name, const SourceOptions& options)> open;
  // The name by which the game is found again, from other folders too. Null: as typed. "": by its Spec's name.
  std::function<std::string(const std::string& name)> origin = nullptr;
};

// All kinds, in the order in which they are asked; the first is `catalog`, which must outlive them.
std::vector<GameSource> game_sources(std::span<const GameEntry> catalog);

// The source of the game of that name, as typed. Errors are of usage: no source takes it (the nearest name is told), or
// an option means nothing to the one that does.
Result<GameSource> find_source(std::span<const GameEntry> catalog, const std::string& name,
                               const SourceOptions& options = {});

// The game of that name, of the catalogue or of any other source. Errors: as find_source(); what the source itself
// found; a Spec that makes no sense.
Result<GameEntry> open_game(std::span<const GameEntry> catalog, const std::string& name,
                            const SourceOptions& options = {});

}  // namespace rival
