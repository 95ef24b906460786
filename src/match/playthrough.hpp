// A match written out for people: what a designer reads to see that the rules do what was meant, and what a test
// compares to see that they still do.
#pragma once

#include <string>

#include "base/result.hpp"
#include "match/game_entry.hpp"

namespace rival {

// The transcript of one match of random play under the default settings: for each step the position, and for each
// acting seat what it sees, what it may do and what it does; then rewards and, at the end, results. Of a long match the
// first steps, up to 40 decisions, and the last are written. The same entry and key give the same text.
// A plane of a grid that holds only the digits 0-9 is drawn as a picture ('.' is 0), anything else as numbers.
Result<std::string> playthrough(const GameEntry& entry, Key key);

// Compares a recorded playthrough with a fresh one: an error names the first line that differs. With RIVAL_UPDATE=1 in
// the environment the file is rewritten instead.
Result<void> check_playthrough(const std::string& path, const std::string& fresh);

}  // namespace rival
