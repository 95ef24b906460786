#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace rival {

void check_failed(const char* message, const std::source_location& where) {
  std::fprintf(stderr, "rival: bug: %s (%s:%u)\n", message, where.file_name(), where.line());
  std::abort();
}

}  // namespace rival
