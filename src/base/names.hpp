// Names from outside: the nearest one that a person meant, and the message that says so; names of files.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace rival {

// The known name with the fewest edits from `unknown` (insert, delete, replace, swap neighbours; upper and lower case
// count as equal, and so do '-' and '_'), the first of several; a name that `unknown` begins counts as one edit.
// Empty if none is near: within a third of the longer name, and at least one edit.
std::string nearest(std::string_view unknown, std::span<const std::string> known);

// "unknown KIND 'UNKNOWN'; did you mean 'X'? Known: A, B, C". `where` ("config.toml:3: "), if any, comes first.
Error unknown_name(std::string_view kind, std::string_view unknown, std::span<const std::string> known,
                   std::string_view where = {});

// Whether a file in a given folder may be called so, whoever asks: up to 200 letters, digits, '-', '_' and '.', not
// beginning with a dot. So no such name leads out of the folder.
bool is_plain_file_name(std::string_view name);

}  // namespace rival
