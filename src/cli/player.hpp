// Players named on the command line: a trained bot, by its file, by its run's folder or by its run and a rating, a
// scripted player of the game, or a search.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/agent.hpp"
#include "base/result.hpp"
#include "cli/games_option.hpp"
#include "league/ladder.hpp"
#include "match/game_entry.hpp"

namespace rival::cli {

// What a bot's name means.
struct BotName {
  std::string path;                  // of its file
  std::optional<float> temperature;  // of RUN@RATING: what plays at that rating
  // Of the matches to which the rating belongs, or which the run trained for; the limits are the bot's own.
  std::optional<LadderRules> rules;
  std::string note;  // what a person should know, a line; "" if nothing
};

// FILE; RUN, a folder: its final bot, or the latest one of a run that has not ended; or RUN@RATING, by the dial of the
// run's ladder. Errors: a run without bots, without a calibrated ladder, or whose bots are other ones by now; a rating
// outside its range.
Result<BotName> find_bot(const std::string& name);

struct Player {
  std::string name;
  std::unique_ptr<Agent> agent;
  // The same player as it was trained, undiluted by a temperature, to ask for advice. Null: ask `agent`.
  std::unique_ptr<Agent> advisor = nullptr;
  BotName bot = {};  // of bots
};

// What a player may be named besides bots: "random", the game's scripted players, and "search:N".
std::vector<std::string> scripted_names(const GameEntry& game);
// Null if there is none of this name.
std::unique_ptr<Agent> make_scripted(const GameEntry& game, const std::string& name);

// Whether an argument means a bot rather than a scripted player: it has a slash or a dot, or is there, with or without
// a rating.
bool is_path(const std::string& name);

// How sharply a bot plays: 1 as it was trained, 0 always the most likely choice. Without a number it is 1 where play
// must be mixed (hidden information, simultaneous choices), else 0.
float temperature_for(const Spec& spec, std::optional<float> temperature);

// A player of `game`: a scripted player by name, a search (search:N), or a bot (find_bot). Wrong usage if there is no
// such name, or if both a rating and a temperature are asked for; an Error if the bot cannot be read or plays another
// game.
Result<Player> load_player(const GameEntry& game, const std::string& name, std::optional<float> temperature = {});

// The game of a player, sound: of a bot, from where its file says; of a scripted player, or of a bot whose game is
// elsewhere now, `typed`.
Result<GameEntry> game_of(const Games& games, const std::string& player, const std::string& typed);

// A hash of a bot's file, by which a ladder knows it again.
Result<std::uint64_t> bot_fingerprint(const std::string& path);

}  // namespace rival::cli
