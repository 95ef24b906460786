// Games in shared libraries, which speak the C ABI of rival/game_abi.h. A library is loaded once, and stays loaded
// until the process ends; its code runs in this process, with all that follows if it is wrong (SourceOptions::isolate).
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "game/batch.hpp"
#include "plug/sources.hpp"
#include "rival/game_abi.h"

namespace rival {

// Paths of shared libraries: what ends in ".so", and whatever has a slash.
GameSource library_source();

// The game in the library at a path. Errors name the path and what is wrong: no such file (with the nearest one in its
// folder), no shared library, no rival_game(), another version of the ABI, a table or a Spec that makes no sense (with
// the field).
Result<GameEntry> open_library(const std::string& path);

// A game by what its library's rival_game() gives; `who` ("./libx.so") begins errors. For libraries, and for tests.
Result<GameEntry> game_of_table(const rival_game_table* (*rival_game)(std::uint32_t version), const std::string& who);

}  // namespace rival
