// Whether numbers are finite: no infinity, no NaN.
#pragma once

#include <cstddef>

namespace rival {

bool all_finite(const float* x, std::size_t count);

// Where the first one stands that is not; `count` if there is none.
std::size_t first_not_finite(const float* x, std::size_t count);

}  // namespace rival
