// Whether a player needs memory: measured before training, with random play.
#pragma once

#include "game/match_settings.hpp"
#include "match/match.hpp"
#include "train/config.hpp"

namespace rival {

// Whether what a seat is shown tells all that it was shown, and what it did, earlier in its match: whenever a seat of
// some matches at random saw the same again, it had come there in the same way. False if nothing was seen twice, since
// then nothing was learnt about it. A game that fails is left to training to complain of: true.
bool shows_its_past(const GameEntry& game, const MatchSettings& settings);

// Where information is hidden and the game does not show its past, a memory is chosen, if that is left open, along with
// what suits one: a wide layer and, in games of one team, collections that hold whole matches, but fewer of them.
TrainConfig with_memory_if_needed(const GameEntry& game, TrainConfig config);

}  // namespace rival
