// Players named on the command line: a trained bot's file, or a scripted player of the game.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/agent.hpp"
#include "base/result.hpp"
#include "match/game_entry.hpp"

namespace rival::cli {

struct Player {
  std::string name;
  std::unique_ptr<Agent> agent;
  // What the agent expects from the match on, of rewards and result together, at a row that waits for its decision.
  // Empty for players that cannot say.
  std::function<double(const Decisions& decisions, int row)> value = {};
};

// "random" and the game's scripted players.
std::vector<std::string> scripted_names(const GameEntry& game);
// Null if there is none of this name.
std::unique_ptr<Agent> make_scripted(const GameEntry& game, const std::string& name);

// Whether an argument means a file rather than a name: it has a slash, a dot, or is there.
bool is_path(const std::string& name);

// A player of `game`: a scripted player by name, or a bot by its file. Wrong usage if there is no such thing; an Error
// if the bot cannot be read or plays another game.
Result<Player> load_player(const GameEntry& game, const std::string& name);

// The game that a bot's file is for. With `game` given (not ""), that; a name that is no file needs it.
Result<std::string> game_of(const std::string& player, const std::string& game);

}  // namespace rival::cli
