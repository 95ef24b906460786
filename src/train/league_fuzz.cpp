// league.json from anywhere: no crash, an error that says something, and what is read survives being written again.
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "train/run_folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = rival::read_league(text, "league.json");
  if (!read) {
    rival::check(!read.error().message.empty(), "an error says something");
    return 0;
  }
  const auto again = rival::read_league(rival::write_league(read.value()), "league.json");
  rival::check(again.ok() && again.value() == read.value(), "what is written can be read, and is the same");
  return 0;
}
