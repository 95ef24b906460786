// Rows for a bot as they come in JSON, or as bytes at any address: what the protocols of other servers have in common.
// Pure functions that take anything from outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "serve/tick.hpp"

namespace rival::serve {

inline constexpr int kMostRows = 16'384;           // of a request
inline constexpr std::size_t kMostJson = 1 << 20;  // bytes of JSON in a request

struct Rows {
  int count = 0;
  std::vector<std::uint32_t> seats;  // [count] 0 and up
  std::vector<float> observations;   // [count x observation]
  std::vector<std::uint8_t> masks;   // [count x mask]
};

// Appends the numbers of a JSON list, `count` of them. What is amiss: "must be a list of 5 numbers", "": nothing.
std::string add_numbers(const nlohmann::json& list, std::size_t count, std::vector<float>& to);
// The same of what is true or false, 1 or 0.
std::string add_flags(const nlohmann::json& list, std::size_t count, std::vector<std::uint8_t>& to);

// `count` is set, and the numbers and masks are there; without masks all is allowed. Numbers the seats and looks at
// every row. Error: "row 3: observation[2] is inf".
Result<void> complete(Rows& rows, const RowSizes& sizes);

}  // namespace rival::serve
