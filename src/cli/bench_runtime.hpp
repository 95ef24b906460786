// rival bench runtime BOT.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace rival::cli {

// How long a decision of the bot takes inside a game, measured for `seconds` on observations of its own matches; what
// it takes of memory and code; and how far its probabilities are from those of the trainer's network.
Result<Outcome> bench_runtime(const std::string& bot, double seconds, const Games& games, Console& console);

}  // namespace rival::cli
