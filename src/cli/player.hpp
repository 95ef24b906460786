// The game of a player that is named on the command line (player/player.hpp).
#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/games_option.hpp"
#include "player/player.hpp"

namespace rival::cli {

// The game of a player, sound: of a bot, from where its file says; of a scripted player, or of a bot whose game is
// elsewhere now, `typed`.
Result<GameEntry> game_of(const Games& games, const std::string& player, const std::string& typed);

}  // namespace rival::cli
