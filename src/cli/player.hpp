// Players named on the command line: a trained bot's file, or a scripted player of the game.
#pragma once

#include <functional>
#include <memory>
#include <optional>
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
  // The same player as it was trained, undiluted by a temperature, to ask for advice. Null: ask `agent`.
  std::unique_ptr<Agent> advisor = nullptr;
  // What the agent expects from the match on, of rewards and result together, at a row that waits for its decision.
  // Empty for players that cannot say.
  std::function<double(const Decisions& decisions, int row)> value = {};
};

// "random" and the game's scripted players.
std::vector<std::string> scripted_names(const GameEntry& game);
// Null if there is none of this name.
std::unique_ptr<Agent> make_scripted(const GameEntry& game, const std::string& name);

// Whether an argument means a file or folder rather than a name: it has a slash or a dot, or is there.
bool is_path(const std::string& name);

// How sharply a bot plays: 1 as it was trained, 0 always the most likely choice. Without a number it is 1 where play
// must be mixed (hidden information, simultaneous choices), else 0.
float temperature_for(const Spec& spec, std::optional<float> temperature);

// A player of `game`: a scripted player by name, or a bot by its file or its run's folder. Wrong usage if there is no
// such name; an Error if the bot cannot be read or plays another game.
Result<Player> load_player(const GameEntry& game, const std::string& name, std::optional<float> temperature = {});

// The path of the bot that an argument means: the file itself, or a run folder's final bot.
std::string bot_path(const std::string& name);
// The name of the game of a player: of a bot, what its file says; of a scripted player, `game`, which must be given.
Result<std::string> game_of(const std::string& player, const std::string& game);

}  // namespace rival::cli
