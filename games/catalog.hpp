// The built-in games. One line per game in catalog.cpp; no hidden registration.
#pragma once

#include <vector>

#include "match/game_entry.hpp"

namespace rival {

std::vector<GameEntry> catalog();

}  // namespace rival
