// Options as a table: one row each serves `--set key=value`, reading config.toml and writing it with its comments.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace rival {

struct OptionRow {
  using Target = std::variant<double*, int*, std::int64_t*, bool*, std::string*, std::vector<int>*>;

  std::string key;   // lower_case_with_underscores; a dot makes a group: "league.size"
  Target target;     // holds the default, and receives the value
  std::string help;  // one sentence, for people
  // Inclusive, of numbers and of each number of a list. NaN is never allowed, infinity only where a bound is infinite.
  double low = std::numeric_limits<double>::lowest(), high = std::numeric_limits<double>::max();
  std::vector<std::string> choices = {};  // of strings: those allowed; empty: any
};

// Sets one option from text: 3e-4, 1000000 or 1e6, true or false, 128x128 or 128,128. `where` ("--set ") begins errors,
// which name the nearest key, the kind of value wanted, or the range; on an error nothing is changed.
Result<void> set_option(std::span<const OptionRow> rows, std::string_view key, std::string_view value,
                        std::string_view where = {});

// The same from "key=value".
Result<void> set_option(std::span<const OptionRow> rows, std::string_view assignment);

// Sets the options that a TOML text names. The text may come from anyone, and an unknown key is an error. Errors begin
// with `file` and the line; on an error nothing is changed. Of TOML it knows what options need: comments, [groups], and
// key = value in one line each, with bare keys; numbers are decimal, strings "..." or '...', lists [1, 2].
Result<void> read_toml(std::span<const OptionRow> rows, std::string_view text, std::string_view file);

// All options with their help and range as TOML, in the order of the rows. read_toml gives the same values back.
std::string write_toml(std::span<const OptionRow> rows);

}  // namespace rival
