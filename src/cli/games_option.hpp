// The games that a command may be given, from whatever source (plug/sources.hpp), with the options that say how those
// from elsewhere are run. The one place in which commands find games.
#pragma once

#include <span>
#include <string>

#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "match/game_entry.hpp"
#include "plug/sources.hpp"

namespace rival::cli {

// What a file (a bot, a run) says of the game it is for.
struct NamedGame {
  std::string name;    // in its Spec
  std::string origin;  // GameEntry::origin; "": a game of the catalogue
  std::string who;     // the file, for messages
};

class Games {
 public:
  explicit Games(std::span<const GameEntry> catalog) : catalog_(catalog) {}
  Games(const Games&) = delete;
  Games& operator=(const Games&) = delete;

  // The options that all commands share; `this` must live until the command runs.
  void declare(Arguments& arguments);

  std::span<const GameEntry> catalog() const { return catalog_; }

  // The game of that name, as typed. Errors: as open_game().
  Result<GameEntry> open(const std::string& name) const;
  // The same, and its first moments are as they should be (check_quickly).
  Result<GameEntry> open_sound(const std::string& name) const;

  // The game that a file is for: from where it says, or instead `typed`, unless that is "". Error: it is another game,
  // or is not there any more; the remedy is --game.
  Result<GameEntry> open(const NamedGame& game, const std::string& typed) const;
  Result<GameEntry> open_sound(const NamedGame& game, const std::string& typed) const;

 private:
  std::span<const GameEntry> catalog_;
  SourceOptions options_;
};

}  // namespace rival::cli
