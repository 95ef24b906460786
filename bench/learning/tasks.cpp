// The table of tasks: what each is, its half, its bar and where that comes from.
#include "agent/scripted.hpp"
#include "bench/learning/boards.hpp"
#include "bench/learning/control.hpp"
#include "bench/learning/entities.hpp"
#include "bench/learning/exploration.hpp"
#include "bench/learning/hidden.hpp"
#include "bench/learning/memory.hpp"
#include "bench/learning/task.hpp"
#include "bench/learning/teams.hpp"

namespace rival::learning {
namespace {

// The game's own script as a player.
template <Game G>
std::unique_ptr<Agent> script() {
  return scripted_agent<G>("script", &G::script);
}

template <Game G, int Plies>
std::unique_ptr<Agent> search() {
  return scripted_agent<G>(std::to_string(Plies) + "-ply", &search_move<Plies, G>);
}

}  // namespace

std::vector<Task> tasks() {
  constexpr Half kTune = Half::tune;
  return {
      {"exploration", kTune, game_entry<FetchAndBring>(), mean_return(), -3.67,
       "1 below the optimum, -2.67: 10 less the way", script<FetchAndBring>},
      {"exploration", kTune, game_entry<DeepSea<10>>(), mean_return(), 0.98, "the optimum is 0.99 (bsuite)",
       script<DeepSea<10>>},
      {"exploration", kTune, game_entry<DeepSea<20>>(), mean_return(), 0.98, "the optimum is 0.99 (bsuite)",
       script<DeepSea<20>>},
      {"exploration", kTune, game_entry<Chain>(), mean_return(), 9.9, "the optimum is 10", script<Chain>},
      {"exploration", kTune, game_entry<KeyAndDoor>(), mean_return(), 0.87, "0.05 below its script, 0.92",
       script<KeyAndDoor>},
      {"control", kTune, game_entry<MountainCar>(), mean_return(), -110, "solved, by Gymnasium", script<MountainCar>},
      {"control", kTune, game_entry<MountainCarContinuous>(), mean_return(), 90, "solved, by Gymnasium"},
      {"control", kTune, game_entry<Acrobot>(), mean_return(), -100, "solved, by Gymnasium"},
      {"entities", kTune, game_entry<Dodging>(), mean_return(), 330, "its script, 338", script<Dodging>},
      {"memory", kTune, game_entry<Recall<1>>(), mean_return(), 0.95, "the optimum is 1", script<Recall<1>>},
      {"memory", kTune, game_entry<Recall<2>>(), mean_return(), 0.95, "the optimum is 1", script<Recall<2>>},
      {"memory", kTune, game_entry<MemoryLength<10>>(), mean_return(), 0.95, "the optimum is 1 (bsuite)",
       script<MemoryLength<10>>},
      {"memory", kTune, game_entry<MemoryLength<50>>(), mean_return(), 0.95, "the optimum is 1 (bsuite)",
       script<MemoryLength<50>>},
      {"boards", kTune, game_entry<Seeds>(), score_against("3-ply", search<Seeds, 3>), 0.6, "above a search of 3 plies",
       search<Seeds, 6>},
      {"boards", kTune, game_entry<Flips>(), score_against("3-ply", search<Flips, 3>), 0.5,
       "level with a search of 3 plies", search<Flips, 5>},
      {"mixed play", kTune, game_entry<BiasedHands>(), exact_nash_conv(), 0.2, "an equilibrium has 0"},
      {"mixed play", kTune, game_entry<SealedBids>(), exact_nash_conv(), 0.2, "an equilibrium has 0"},
      {"teams", kTune, game_entry<Spread>(), mean_return(), -18, "its script, -17.3, and a little", script<Spread>},
      {"teams", kTune, game_entry<HideAndSeek>(), score_against("the script", script<HideAndSeek>), 0.6,
       "above its script, which has 0.5 by symmetry"},
  };
}

}  // namespace rival::learning
