// A bot file from anywhere, up to its first decisions: reading does not crash, an error says something, and what is
// accepted decides legally and comes back the same.
#include <cstdint>
#include <string_view>

#include "agent/player.hpp"
#include "base/check.hpp"

namespace rival {
namespace {

Spec spec() {
  return {.name = "fuzz",
          .seats = 2,
          .observation = {ObservationPart::vector("self", 2), ObservationPart::entities("units", 2, 2)},
          .action = {ActionPart::discrete("what", 3), ActionPart::target("whom", 1, 2),
                     ActionPart::continuous("push", 1, -1, 1)}};
}

void read(const TensorFile& tensors) {
  (void)bot_spec(tensors, "bot").ok();
  Result<Bot> bot = Bot::from_tensors(tensors, spec(), "bot");
  if (!bot) {
    check(!bot.error().message.empty(), "an error says something");
    return;
  }
  const TensorFile written = bot.value().to_tensors();
  const Result<Bot> again = Bot::from_tensors(written, spec(), "bot");
  check(again.ok() && to_safetensors(again.value().to_tensors()) == to_safetensors(written), "a bot comes back");
  if (bot.value().network.parameter_count() > 100'000) return;  // takes long
  BotAgent agent(std::move(bot).value(), spec(), 1);
  const float observation[] = {1, -1, 1, 0.5f, 0, 0};
  std::vector<float> state(agent.bot().network.memory_size());
  for (int i = 0; i < 2; ++i) (void)agent.decide(observation, state.data());
}

}  // namespace
}  // namespace rival

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto tensors = rival::parse_safetensors(bytes, "bot")) return rival::read(tensors.value()), 0;
  // Else as the metadata of a bot whose tensors are right.
  static const rival::TensorFile good =
      rival::untrained_bot("fuzz", rival::Network::make(rival::spec(), {.hidden = {4}}).value(), rival::Key(1))
          .to_tensors();
  for (const char* key : {"rival", "parts"}) {
    rival::TensorFile file = good;
    file.metadata[key] = bytes;
    rival::read(file);
  }
  return 0;
}
