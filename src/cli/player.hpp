// The game of a player that is named on the command line (player/player.hpp).
#pragma once

#include <string>

#include "base/result.hpp"
#include "player/player.hpp"

namespace rival::cli {

// The name of the game of a player: of a bot, what its file says; of a scripted player, `game`, which must be given.
Result<std::string> game_of(const std::string& player, const std::string& game);

}  // namespace rival::cli
