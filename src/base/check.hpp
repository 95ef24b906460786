// check(): states what must hold if the program has no bug. Always on; not for bad input (see Result).
#pragma once

namespace rival {

// Prints the message and the place to stderr and aborts.
[[noreturn]] void check_failed(const char* message, const char* file, int line);

// `file` and `line` default to the caller's. (std::source_location does this too, but not in clang 14.)
constexpr void check(bool condition, const char* message, const char* file = __builtin_FILE(),
                     int line = __builtin_LINE()) {
  if (!condition) [[unlikely]]
    check_failed(message, file, line);
}

}  // namespace rival
