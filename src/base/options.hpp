// Options as a table: one row each serves `--set key=value`, reading config.toml and writing it with its comments.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/words.hpp"

namespace rival {

// A Named, whatever its type: read and set by its word.
class NamedTarget {
 public:
  template <typename T>
  NamedTarget(Named<T>* choice)
      : choice_(choice),
        words_(words_of<T>()),
        get_([](const void* from) { return word_of(static_cast<const Named<T>*>(from)->value); }),
        set_([](void* to, std::string_view word) { static_cast<Named<T>*>(to)->value = from_word<T>(word).value(); }) {}

  const std::vector<std::string>& words() const { return words_; }
  std::string_view get() const { return get_(choice_); }
  void set(std::string_view word) const { set_(choice_, word); }  // one of words()

 private:
  void* choice_;
  std::vector<std::string> words_;
  std::string_view (*get_)(const void*);
  void (*set_)(void*, std::string_view);
};

struct OptionRow {
  // A map is a group of its own: "bots.NAME" sets the text of a NAME, which has no dots.
  using Target = std::variant<double*, int*, std::int64_t*, bool*, std::string*, std::vector<int>*, NamedTarget,
                              std::map<std::string, std::string>*>;

  std::string key;   // lower_case_with_underscores; a dot makes a group: "league.size"
  Target target;     // holds the default, and receives the value
  std::string help;  // one sentence, for people
  // Inclusive, of numbers and of each number of a list. NaN is never allowed, infinity only where a bound is infinite.
  double low = std::numeric_limits<double>::lowest(), high = std::numeric_limits<double>::max();
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

// The value as --set takes it ("0.5", "64x64", "auto").
std::string value_text(const OptionRow& row);
// The help and what the value may be, in one line: "passes over each batch (1 to 100)".
std::string help_text(const OptionRow& row);

// All options with their help and range as TOML, in the order of the rows. read_toml gives the same values back.
std::string write_toml(std::span<const OptionRow> rows);

}  // namespace rival
