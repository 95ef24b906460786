// Files that are written from the code and kept beside it: tests compare the two.
#pragma once

#include <string>

#include "base/result.hpp"

namespace rival {

// Compares what a file holds with what it should: an error names the first line that differs. With RIVAL_UPDATE=1 in
// the environment the file is rewritten instead.
Result<void> check_recorded(const std::string& path, const std::string& fresh);

}  // namespace rival
