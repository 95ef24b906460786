// A game that is fine for some steps, and then takes its process along: a library for tests of --isolate.

#include <csignal>

#include "rival/game_library.hpp"

namespace {

struct Crasher {
  static rival::Spec spec() {
    return {.name = "crasher",
            .description = "Crashes after 2000 steps",
            .seats = 1,
            .observation = {rival::ObservationPart::vector("time", 1)},
            .action = {rival::ActionPart::discrete("choice", 2)},
            .max_steps = 10};
  }
  void reset(const rival::Settings&, rival::Key) { time = 0; }
  rival::SeatSet to_act() const { return rival::SeatSet::one(0); }
  void observe(int, rival::Observation out) const { out[0] = static_cast<float>(time); }
  void step(const rival::Actions& actions, rival::Key, rival::Rewards rewards) {
    static int steps = 0;
    if (++steps > 2000) std::raise(SIGKILL);
    ++time;
    rewards[0] += static_cast<float>(actions.choice(0));
  }
  rival::Status status() const { return time < 10 ? rival::Status::running : rival::Status::finished; }
  int time = 0;
};

}  // namespace

const rival_game_table* rival_game(uint32_t version) {
  return rival::game_table<Crasher>(version);
}
