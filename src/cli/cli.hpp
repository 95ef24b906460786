// The command line: `rival COMMAND ...`.
#pragma once

#include <vector>

#include "match/game_entry.hpp"

namespace rival::cli {

// Runs one command and returns the process's exit code: 0 done, 1 failed, 2 wrong usage. Output goes to stdout; with
// --json stdout gets one JSON object, and everything else goes to stderr.
int run(int argc, const char* const* argv, const std::vector<GameEntry>& games);

}  // namespace rival::cli
