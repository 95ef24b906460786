#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace rival {

void check_failed(const char* message, const char* file, int line) {
  std::fprintf(stderr, "rival: bug: %s (%s:%d)\n", message, file, line);
  std::abort();
}

}  // namespace rival
