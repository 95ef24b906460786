// rival bench runtime BOT; and what it measures, for other commands.
#pragma once

#include <cstddef>
#include <string>

#include "agent/bot.hpp"
#include "cli/command.hpp"

namespace rival::cli {

// A bot inside a game, one decision at a time on one core.
struct RuntimeFigures {
  double microseconds = 0;       // for one decision, in the quickest pass over the observations
  std::size_t memory_bytes = 0;  // of the bot and one actor
  float max_difference = 0;      // of a probability from the trainer's network's
  std::string isa;               // what the runtime computes with
};

// Measured for `seconds` on observations of the bot's own matches. `name` is how errors call it.
Result<RuntimeFigures> measure_runtime(const GameEntry& game, const std::string& name, Bot bot, double seconds);

// How long a decision of the bot takes inside a game, measured for `seconds` on observations of its own matches; what
// it takes of memory and code; and how far its probabilities are from those of the trainer's network.
Result<Outcome> bench_runtime(const std::string& bot, double seconds, const Games& games, Console& console);

}  // namespace rival::cli
