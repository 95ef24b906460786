// Counts and places are ints; sizes of the standard library are not. Where the compiler converts (a subscript, an
// argument, a factor beside a std::size_t) nothing is written; `index` is for comparisons and for products that would
// overflow an int.
#pragma once

#include <cstddef>

namespace rival {

// `i` must not be negative.
constexpr std::size_t index(std::ptrdiff_t i) {
  return static_cast<std::size_t>(i);
}

}  // namespace rival
