// Distillation: a network that plays as a bot does, learnt from the bot's own decisions (Hinton, Vinyals and Dean,
// 2015). The teacher answers every situation with a choice, drawn as it plays, and with what it expects from the match
// on. Situations come from matches that the teacher plays against itself, and, ever more, from matches that the pupil
// plays, so that it also learns what to do where its own play leads (Ross, Gordon and Bagnell, 2011).
#pragma once

#include <cstdint>
#include <functional>

#include "agent/bot.hpp"
#include "game/match_settings.hpp"
#include "match/game_entry.hpp"

namespace rival {

struct DistillOptions {
  double seconds = 60;         // to take, about
  std::int64_t decisions = 0;  // to learn from, about, whatever time it takes; 0: as many as `seconds` allow
  MatchSettings settings;      // of the matches
  int threads = 0;             // 0: one per processor
  std::function<bool()> stop;  // asked between parts: true ends it early, with what has been learnt. May be empty
  std::function<void(double share)> progress;  // told the share that is done, 0 to 1. May be empty
};

// A bot with the network `pupil`, which may leave out what is to be chosen; its memory, if the teacher has one, is as
// wide as its last layer. It sees, expects and is limited as the teacher is. The same key, decisions and threads give
// the same bot. Errors: a network that makes no sense, a game that breaks its promises, a loss that is not finite.
Result<Bot> distill(const GameEntry& game, const Bot& teacher, NetworkOptions pupil, Key key,
                    const DistillOptions& options = {});

}  // namespace rival
