// The parts in a bot's metadata, from anywhere: reading them does not crash, and what is accepted makes a network and
// comes back the same.
#include <cstdint>
#include <string>

#include "agent/parts.hpp"
#include "base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto spec = rival::parts_from_json(text, "game", "input");
  if (!spec) return 0;
  const auto network = rival::Network::make(spec.value(), {.hidden = {4}});
  rival::check(network.ok(), "accepted parts make a network");
  const auto again = rival::parts_from_json(rival::parts_to_json(network.value()), "game", "input");
  rival::check(again.ok() && rival::parts_difference(spec.value(), again.value()).empty(), "parts come back");
  return 0;
}
