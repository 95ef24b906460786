// Configuration files from anywhere: no crash, and what is accepted survives being written and read again.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "base/options.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rival;
  double rate = 0.1;
  int epochs = 4;
  std::int64_t seed = 1;
  bool normalise = true;
  std::string note;
  std::vector<int> hidden = {64};
  std::map<std::string, std::string> names;
  const std::vector<OptionRow> rows = {{"rate", &rate, "Real."},     {"epochs", &epochs, "Whole.", 1, 100},
                                       {"seed", &seed, "Large."},    {"normalise", &normalise, "Yes or no."},
                                       {"note", &note, "Text."},     {"group.hidden", &hidden, "List.", 0, 9999},
                                       {"names", &names, "By name."}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (read_toml(rows, text, "config.toml")) {
    check(epochs >= 1 && epochs <= 100, "the range holds");
    const std::string written = write_toml(rows);
    check(read_toml(rows, written, "config.toml").ok(), "what is written can be read");
    check(write_toml(rows) == written, "and is the same");
  } else if (!set_option(rows, text)) {
    check(seed == 1 && note.empty() && names.empty(), "an error changes nothing");
  }
  return 0;
}
