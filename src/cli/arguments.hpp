// The options of a command: declared one by one, bound to variables, then parsed. (CLI11 finds out which text belongs
// to which option, in one file: its header is slow to compile.)
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/number.hpp"
#include "base/result.hpp"

namespace rival::cli {

// Where an option's value goes. Of those that hold a value before, help shows it as the default. A std::uint64_t is a
// seed: 0 to kLargestSeed.
using Target = std::variant<std::string*, int*, double*, std::uint64_t*, std::optional<int>*, std::optional<float>*,
                            std::optional<double>*, std::optional<std::uint64_t>*>;

struct Rules {
  bool required = false;
  // Of numbers, inclusive; those whose type holds fewer are narrower.
  double low = std::numeric_limits<double>::lowest(), high = std::numeric_limits<double>::max();
};

class Arguments {
 public:
  // `usage`: what to type before the options, "rival eval". `examples`: whole lines.
  Arguments(std::string usage, std::string summary, std::vector<std::string> examples);
  ~Arguments();

  // A name without dashes ("GAME") is a positional argument. The target must live until parse() is done.
  void add(const std::string& name, Target target, const std::string& help, const Rules& rules = {});
  void add_flag(const std::string& name, bool& value, const std::string& help);
  // An option whose text is given to `each`, every time it appears; or a positional argument, of any number of texts,
  // if `required` of one at least.
  void add_each(const std::string& name, std::function<void(const std::string& text)> each, const std::string& help,
                bool required = true);

  // More to explain, below the options: a title, and rows of a name and its help.
  void add_section(std::string title, std::vector<std::pair<std::string, std::string>> rows);

  // What follows the command's name. The value: whether help was asked for. Error: wrong usage, naming the nearest
  // option, or what its value must be.
  Result<bool> parse(const std::vector<std::string>& arguments);

  // How the command is used: what to explain, and the examples, which are to be copied.
  std::string help() const;
  std::string examples() const;

 private:
  struct App;
  std::unique_ptr<App> app_;
};

}  // namespace rival::cli
