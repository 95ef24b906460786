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

}  // namespace rival
