// The options of a command: declared one by one, bound to variables, then parsed. (CLI11 does the work, in one file:
// its header is slow to compile.)
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace rival::cli {

// Where an option's value goes. Of those that hold a value before, help shows it as the default.
using Target = std::variant<std::string*, int*, double*, std::uint64_t*, std::optional<int>*, std::optional<float>*,
                            std::optional<double>*, std::optional<std::uint64_t>*>;

struct Rules {
  bool required = false;
  double low = -std::numeric_limits<double>::infinity();  // of numbers: the least that is allowed
};

class Arguments {
 public:
  Arguments(const std::string& program, const std::string& summary, const std::vector<std::string>& examples);
  ~Arguments();

  // A name without dashes ("GAME") is a positional argument. The target must live until parse() is done.
  void add(const std::string& name, Target target, const std::string& help, const Rules& rules = {});
  void add_flag(const std::string& name, bool& value, const std::string& help);
  // An option whose text is given to `each`, every time it appears.
  void add_each(const std::string& name, std::function<void(const std::string& text)> each, const std::string& help);

  // What follows the command's name. The value: whether help was asked for. Error: wrong usage, naming the nearest
  // option.
  Result<bool> parse(const std::vector<std::string>& arguments);
  std::string help() const;

 private:
  struct App;
  std::unique_ptr<App> app_;
};

}  // namespace rival::cli
