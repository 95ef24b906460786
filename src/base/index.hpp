// Counts and places are ints; what indexes the standard library's containers is not.
#pragma once

#include <cstddef>

namespace rival {

// `i` must not be negative.
constexpr std::size_t index(int i) {
  return static_cast<std::size_t>(i);
}

}  // namespace rival
