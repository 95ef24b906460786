// Games in other processes, by their names: those in Python and of its libraries, workers that listen already, and
// libraries that are to be kept apart.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "plug/sources.hpp"
#include "plug/worker.hpp"

namespace rival {

// What whoever connects to a worker must show: RIVAL_TOKEN of the environment, or else the first line of the file that
// RIVAL_TOKEN_FILE names. "": neither is set.
Result<std::string> worker_token();

// `my_game.py:MyGame`, `gym:ID`, `pettingzoo:ENVIRONMENT`, `openspiel:GAME` and `worker:ADDRESS`.
std::vector<GameSource> worker_sources();

// The game of that name as this program knows it, run by this program in processes of their own.
Result<GameEntry> open_isolated(const std::string& name, const SourceOptions& options);

}  // namespace rival
