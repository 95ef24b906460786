// The built-in games. One line per game in catalog.cpp; no hidden registration.
#pragma once

#include <vector>

#include "match/game_entry.hpp"

namespace rival {

std::vector<GameEntry> catalog();

// The built-in game of that name; a bug if there is none.
GameEntry built_in(const std::string& name);

}  // namespace rival
