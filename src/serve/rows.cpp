#include "serve/rows.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/index.hpp"

namespace rival::serve {

std::string add_numbers(const nlohmann::json& list, std::size_t count, std::vector<float>& to) {
  if (!list.is_array() || list.size() != count) return fmt::format("must be a list of {} numbers", count);
  for (std::size_t i = 0; i < count; ++i) {
    const double number = list[i].is_number() ? list[i].get<double>() : HUGE_VAL;
    if (std::abs(number) > std::numeric_limits<float>::max())
      return fmt::format("must be a list of {} numbers, which [{}] is not", count, i);
    to.push_back(static_cast<float>(number));
  }
  return "";
}

std::string add_flags(const nlohmann::json& list, std::size_t count, std::vector<std::uint8_t>& to) {
  const auto wanted = [count] { return fmt::format("must be a list of {} times true or false, or 1 or 0", count); };
  if (!list.is_array() || list.size() != count) return wanted();
  for (std::size_t i = 0; i < count; ++i) {
    const nlohmann::json& flag = list[i];
    if (flag != true && flag != false && flag != 1 && flag != 0)
      return fmt::format("{}, which [{}] is not", wanted(), i);
    to.push_back(flag == true || flag == 1);
  }
  return "";
}

Result<void> complete(Rows& rows, const RowSizes& sizes) {
  const std::size_t count = index(rows.count), width = index(sizes.observation), mask = index(sizes.mask);
  rows.seats.resize(count);
  std::iota(rows.seats.begin(), rows.seats.end(), 0u);
  if (rows.masks.empty()) rows.masks.assign(count * mask, 1);
  check(rows.observations.size() == count * width && rows.masks.size() == count * mask, "rows are as long as they say");
  for (std::size_t row = 0; row < count; ++row) {
    const std::string amiss =
        amiss_in_row(rows.observations.data() + row * width, rows.masks.data() + row * mask, sizes);
    if (!amiss.empty()) return Error{fmt::format("row {}: {}", row, amiss)};
  }
  return {};
}

}  // namespace rival::serve
