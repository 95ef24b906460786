// A bot's file from anywhere, in the runtime: reading stays inside the file and the memory, an error says something,
// what the trainer reads the runtime reads too, and what is read decides legally.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/bot.hpp"
#include "base/check.hpp"
#include "runtime/rival_runtime.h"

namespace rival {
namespace {

Spec spec() {
  return {.name = "fuzz",
          .seats = 2,
          .observation = {ObservationPart::vector("self", 2), ObservationPart::entities("units", 2, 2),
                          ObservationPart::grid("map", 1, 9, 9)},
          .action = {ActionPart::discrete("what", 3), ActionPart::target("whom", 1, 2).when(0, {1}),
                     ActionPart::continuous("push", 1, -1, 1)}};
}

bool trainer_reads(const std::string& file) {
  const auto tensors = parse_safetensors(file, "bot");
  if (!tensors) return false;
  const auto told = bot_spec(tensors.value(), "bot");
  return told.ok() && told.value().observation.size() <= RIVAL_MOST_PARTS &&
         Bot::from_tensors(tensors.value(), told.value(), "bot").ok();
}

void decide(const rival_bot* bot) {
  const std::size_t size = rival_actor_memory(bot, nullptr);
  if (size == 0 || size > (1 << 22)) return;  // takes long
  std::vector<unsigned char> memory(size);
  rival_actor* actor = rival_actor_make(bot, nullptr, memory.data(), size);
  check(actor != nullptr, "memory of the size that was asked for suffices");
  const std::vector<float> observation(static_cast<std::size_t>(rival_bot_observation_size(bot)), 1.0f);
  const std::vector<std::uint8_t> mask(static_cast<std::size_t>(rival_bot_mask_size(bot)), 1);
  std::vector<float> probabilities(mask.size()), values(static_cast<std::size_t>(rival_bot_value_count(bot)));
  std::vector<std::int32_t> choices(static_cast<std::size_t>(rival_bot_choice_count(bot)));
  for (int step = 0; step < 3; ++step) {
    check(rival_actor_observe(actor, step, observation.data()) == 1, "a step is noted");
    check(rival_actor_probabilities(actor, mask.data(), probabilities.data()) == 1, "probabilities are known");
    check(rival_actor_act(actor, mask.data(), 7, choices.data(), values.data()) >= 0, "an actor decides");
    (void)rival_actor_win_chance(actor);
    for (int p = 0; const rival_part* part = rival_bot_action_part(bot, p); ++p) {
      if (part->kind == RIVAL_CONTINUOUS) continue;
      const std::int32_t choice = choices[static_cast<std::size_t>(part->choice)];
      check(choice >= 0 && choice < part->size, "a choice is one of its part");
    }
  }
}

void read(const std::string& file) {
  // On the heap and just as long as it must be, so that sanitizers see every step aside.
  const std::vector<char> bytes(file.begin(), file.end());
  std::vector<unsigned char> memory(rival_bot_memory(bytes.size()));
  char error[RIVAL_ERROR_SIZE] = "";
  const rival_bot* bot =
      rival_bot_load(bytes.empty() ? "" : bytes.data(), bytes.size(), memory.data(), memory.size(), error);
  if (bot)
    decide(bot);
  else
    check(error[0] != 0 && !trainer_reads(file), "an error says something, and the trainer refuses the file as well");
}

}  // namespace
}  // namespace rival

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const rival::TensorFile good =
      rival::untrained_bot(
          "fuzz",
          rival::Network::make(rival::spec(), {.hidden = {4}, .memory = 4, .grid = rival::GridReading::convolution})
              .value(),
          rival::Key(1))
          .to_tensors();
  static const std::string good_file = rival::to_safetensors(good);
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  rival::read(bytes);
  // Else as the metadata of a bot whose tensors are right.
  for (const char* key : {"rival", "parts"}) {
    rival::TensorFile file = good;
    file.metadata[key] = bytes;
    rival::read(rival::to_safetensors(file));
  }
  // Else as changes of a right file's header: where, and to what.
  std::string file = good_file;
  const std::size_t header = file.find("F32") + 2600;
  for (std::size_t i = 0; i + 2 < size; i += 3)
    file[(data[i] * 256u + data[i + 1]) % std::min(header, file.size())] = static_cast<char>(data[i + 2]);
  rival::read(file);
  return 0;
}
