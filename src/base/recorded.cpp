#include "base/recorded.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace rival {

Result<void> check_recorded(const std::string& path, const std::string& fresh) {
  const char* update = std::getenv("RIVAL_UPDATE");
  if (update != nullptr && std::string(update) == "1") {
    std::ofstream(path) << fresh;
    return {};
  }
  const std::string remedy = "; if the change is meant, run the test with RIVAL_UPDATE=1 and commit the file";
  std::ifstream file(path);
  if (!file) return Error{path + " cannot be read" + remedy};
  std::istringstream wanted(fresh);
  for (int line = 1;; ++line) {
    std::string recorded, expected;
    const bool more_recorded = static_cast<bool>(std::getline(file, recorded));
    const bool more_expected = static_cast<bool>(std::getline(wanted, expected));
    if (!more_recorded && !more_expected) return {};
    if (more_recorded != more_expected || recorded != expected)
      return Error{
          fmt::format("{}:{}: recorded \"{}\", but now it is \"{}\"{}", path, line, recorded, expected, remedy)};
  }
}

}  // namespace rival
