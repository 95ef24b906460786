// Series of integers that change little from one to the next, as short text for a page's script: the numbers of a film,
// a series per thing that moves.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rival {

// Differences (the first from 0), zigzag, in groups of five bits, lowest first, a character of base64's alphabet each,
// whose sixth bit says that more follow. A zero is followed by how many more zeros come after it, in the same groups.
std::string encode_series(std::span<const int> values);

// Back. For tests; the page's script has its own.
std::vector<int> decode_series(std::string_view text);

}  // namespace rival
