// check(): states what must hold if the program has no bug. Always on; not for bad input (see Result).
#pragma once

#include <source_location>

namespace rival {

// Prints the message and the place to stderr and aborts.
[[noreturn]] void check_failed(const char* message, const std::source_location& where);

constexpr void check(bool condition, const char* message,
                     const std::source_location& where = std::source_location::current()) {
  if (!condition) [[unlikely]]
    check_failed(message, where);
}

}  // namespace rival
