// ladder.json from anywhere: no crash, an error that says something, and what is read survives being written again.
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "league/ladder_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const rival::Result<rival::Ladder> read = rival::parse_ladder(text, "ladder.json");
  if (!read) {
    rival::check(!read.error().message.empty(), "an error says something");
    return 0;
  }
  if (read.value().players.size() > 20) return 0;  // judging many takes long
  const std::string written =
      rival::ladder_json(read.value()).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const rival::Result<rival::Ladder> again = rival::parse_ladder(written, "ladder.json");
  rival::check(again.ok(), "what is written can be read");
  if (again.value().calibration && again.value().calibration->dial.size() > 1)
    (void)rival::turn_dial(*again.value().calibration, again.value().calibration->low()).ok();
  return 0;
}
