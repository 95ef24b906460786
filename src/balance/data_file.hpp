// Changes the numbers of a game's own data file where they stand, and nothing else of it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace rival::balance {

struct NumberChange {
  std::string parameter;  // "knight.damage"
  float value = 0;
};

// The text of a TOML file with the numbers changed. A parameter "knight.damage" is the key `damage` of the table
// [knight], or of a table of a list, [[unit]], whose `name` is "Knight" (upper and lower case, and spaces and '_',
// count as equal); one without a dot is a key above all tables. The key's value is a number, or has one:
// { value = 12, low = 6, high = 24 }. All other bytes stay as they are. Errors begin with `file` and name the parameter
// that is not there, or is there twice.
Result<std::string> change_numbers(std::string_view text, std::string_view file, std::span<const NumberChange> changes);

}  // namespace rival::balance
