// The metadata of a training state from anywhere: no crash, an error that says something, and what is read can be
// saved and read again.
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "train/trainer.hpp"

namespace rival {
namespace {

struct Nothing {
  static Spec spec() {
    return {.name = "nothing",
            .seats = 1,
            .observation = {ObservationPart::vector("one", 1)},
            .action = {ActionPart::discrete("what", 2)}};
  }
  void reset(const Settings&, Key) { steps = 0; }
  SeatSet to_act() const { return SeatSet::first(1); }
  void observe(int, Observation out) const { out[0] = 1; }
  void legal(int, Mask mask) const { mask.allow(0, 0), mask.allow(0, 1); }
  void step(const Actions&, Key, Rewards) { ++steps; }
  Status status() const { return steps < 2 ? Status::running : Status::finished; }
  float result(int) const { return 0; }
  int steps = 0;
};

}  // namespace
}  // namespace rival

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const rival::GameEntry game = rival::game_entry<rival::Nothing>();
  static const auto trainer = [] {
    rival::TrainConfig config;
    config.rows = 16;
    config.horizon = 4;
    config.threads = 1;
    config.network.hidden = {4};
    return std::move(rival::Trainer::make(game, config).value());
  }();
  static const rival::TensorFile fresh = trainer->state();
  rival::TensorFile state = fresh;
  state.metadata["rival.state"] = std::string(reinterpret_cast<const char*>(data), size);
  const auto restored = trainer->restore(state, {}, "state");
  if (!restored) {
    rival::check(!restored.error().message.empty(), "an error says something");
    return 0;
  }
  rival::check(trainer->restore(trainer->state(), {}, "state").ok(), "what was read can be saved and read again");
  return 0;
}
