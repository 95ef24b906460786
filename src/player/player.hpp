// Players by name, as people and files name them: a trained bot, by its file, by its run's folder or by its run and a
// rating; a scripted player of the game; or a search. An Error whose kind is usage means that there is nothing of this
// name; any other, that what was named could not be had.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/agent.hpp"
#include "agent/bot.hpp"
#include "base/result.hpp"
#include "league/ladder.hpp"
#include "match/game_entry.hpp"

namespace rival {

// What a bot's name means.
struct BotName {
  std::string path;                  // of its file
  std::optional<float> temperature;  // of RUN@RATING: what plays at that rating
  // Of the matches to which the rating belongs, or which the run trained for; the limits are the bot's own.
  std::optional<LadderRules> rules;
  std::string note;  // what a person should know, a line; "" if nothing

  // Of the matches of `rules`; where nothing is known of them, the game's defaults.
  MatchSettings settings(const Spec& spec) const {
    return rules ? rules->settings(spec) : MatchSettings(default_settings(spec));
  }
};

// FILE; RUN, a folder: its final bot, or the latest one of a run that has not ended; or RUN@RATING, by the dial of the
// run's ladder. Errors: a run without bots, without a calibrated ladder, or whose bots are other ones by now; a rating
// outside its range.
Result<BotName> find_bot(const std::string& name);

// The dial of a run's ladder. Errors: as of RUN@RATING.
Result<Calibration> find_dial(const std::string& run);

struct Player {
  std::string name;
  std::unique_ptr<Agent> agent;
  // The same player as it was trained, undiluted by a temperature, to ask for advice. Null: ask `agent`.
  std::unique_ptr<Agent> advisor = nullptr;
  BotName bot = {};  // of bots

  MatchSettings settings(const Spec& spec) const { return bot.settings(spec); }
};

// A player of `game`: a scripted player by name, a search (search:N), or a bot (find_bot). `temperature` is how sharply
// a bot plays: 1 as it was trained, 0 always the most likely choice; without a number it is the game's default
// (agent/agent.hpp). Wrong usage if there is no such name, or if both a rating and a temperature are asked for; a
// failure if the bot cannot be read or plays another game.
Result<Player> load_player(const GameEntry& game, const std::string& name, std::optional<float> temperature = {});

// What a player may be named besides bots: "random", the game's scripted players, and "search:N".
std::vector<std::string> scripted_names(const GameEntry& game);
// Null if there is none of this name.
std::unique_ptr<Agent> make_scripted(const GameEntry& game, const std::string& name);

// Whether a name means a bot rather than a scripted player: it has a slash or a dot, or is there, with or without a
// rating.
bool is_path(const std::string& name);

// A hash of the bytes of a bot's file, by which a ladder knows it again.
std::uint64_t bot_fingerprint(std::string_view bytes);

// A bot and the hash of its file, which is read once, as somebody may replace it meanwhile.
struct ReadBot {
  Bot bot;
  std::uint64_t fingerprint = 0;
};
Result<ReadBot> read_bot(const std::string& path, const Spec& spec);

}  // namespace rival
