// The table of tasks: what each is, its half, its bar and where that comes from.
#include "agent/scripted.hpp"
#include "bench/learning/arcade.hpp"
#include "bench/learning/boards.hpp"
#include "bench/learning/chance.hpp"
#include "bench/learning/control.hpp"
#include "bench/learning/credit.hpp"
#include "bench/learning/entities.hpp"
#include "bench/learning/exploration.hpp"
#include "bench/learning/hidden.hpp"
#include "bench/learning/memory.hpp"
#include "bench/learning/planning.hpp"
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

// What one loses a match to the best of those who always take the same choice, as a lower bound of what any could win.
template <Game G>
Measure most_lost_to_constants(int choices) {
  return {.name = "lost to a constant",
          .less_is_better = true,
          .matches = 2000,
          .figure = [choices](const GameEntry& game, Agent& player, Key key, int matches) {
            Result<Estimate> worst = Estimate{-1e9, {-1e9, -1e9}};
            for (int choice = 0; choice < choices; ++choice) {
              const std::unique_ptr<Agent> constant =
                  scripted_agent<G>("constant", [choice](const G&, int, Random&) { return choice; });
              const auto played = play_matches(game, player, constant.get(), key, {.matches = matches});
              if (!played) return Result<Estimate>(played.error());
              const Estimate& mean = played.value().mean_return;
              if (-mean.value > worst.value().value)
                worst = Estimate{-mean.value, {-mean.interval.high, -mean.interval.low}};
            }
            return worst;
          }};
}

}  // namespace

std::vector<Task> tasks() {
  constexpr Half kTune = Half::tune, kJudge = Half::judge;
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
      {"exploration", kJudge, game_entry<DeepSea<14>>(), mean_return(), 0.98, "the optimum is 0.99 (bsuite)",
       script<DeepSea<14>>},
      {"exploration", kJudge, game_entry<Maze>(), mean_return(), 0.87, "0.05 below shortest ways, 0.917", script<Maze>},
      {"exploration", kJudge, game_entry<PushBlock>(), mean_return(), 1.2, "1 below shortest ways, 2.2",
       script<PushBlock>},
      {"exploration", kJudge, game_entry<RiverSwim>(), mean_return(2000), 10.7, "nine tenths of swimming always, 11.9",
       script<RiverSwim>},

      {"credit", kTune, game_entry<Catch<Pay::thousandth>>(), mean_return(), 0.95e-3, "the optimum is 0.001",
       script<Catch<Pay::thousandth>>},
      {"credit", kTune, game_entry<Catch<Pay::late>>(), mean_return(), 0.95, "the optimum is 1",
       script<Catch<Pay::late>>},
      {"credit", kTune, game_entry<Umbrella>(), mean_return(4000), 0.75, "the optimum is 1 (bsuite), measured +-0.14",
       script<Umbrella>},
      {"credit", kJudge, game_entry<Catch<Pay::thousandfold>>(), mean_return(), 950, "the optimum is 1,000",
       script<Catch<Pay::thousandfold>>},
      {"credit", kJudge, game_entry<Catch<Pay::noisy>>(), mean_return(4000), 0.75, "the optimum is 1, measured +-0.16",
       script<Catch<Pay::noisy>>},
      {"credit", kJudge, game_entry<DiscountingChain>(), mean_return(100), 1.09, "the optimum is 1.1 (bsuite)",
       script<DiscountingChain>},

      {"control", kTune, game_entry<MountainCar>(), mean_return(), -110, "solved, by Gymnasium", script<MountainCar>},
      {"control", kTune, game_entry<MountainCarContinuous>(), mean_return(), 90, "solved, by Gymnasium"},
      {"control", kTune, game_entry<Acrobot>(), mean_return(), -100, "solved, by Gymnasium"},
      {"control", kJudge, game_entry<SwingUp>(), mean_return(), -60, "its script, -53.2, less a little",
       script<SwingUp>},
      {"control", kJudge, game_entry<CartSwingUp>(), mean_return(), 175, "its script, 183, less a little",
       script<CartSwingUp>},
      {"control", kJudge, game_entry<Landing>(), mean_return(), 0.7, "its script, 0.739, less a little",
       script<Landing>},

      {"arcade", kTune, game_entry<Breakout>(), mean_return(), 27, "its script, which then goes round in a circle",
       script<Breakout>},
      {"arcade", kTune, game_entry<Asterix>(), mean_return(), 20, "its script, 24.1, less a little", script<Asterix>},
      {"arcade", kJudge, game_entry<Freeway>(), mean_return(), 14, "its script, 15.6, less a little", script<Freeway>},
      {"arcade", kJudge, game_entry<Invaders>(), mean_return(), 60, "its script, 74.5, less a little",
       script<Invaders>},

      {"entities", kTune, game_entry<Dodging>(), mean_return(), 330, "its script, 338", script<Dodging>},
      {"entities", kTune, game_entry<DodgingInPixels>(), mean_return(), 330, "its script, 338",
       script<DodgingInPixels>},
      {"entities", kTune, game_entry<Gallery>(), mean_return(), -1.5, "its script, -0.7, less a little",
       script<Gallery>},
      {"entities", kJudge, game_entry<Collecting>(), mean_return(), 22, "its script, 23.9, less a little",
       script<Collecting>},

      {"planning", kTune, game_entry<Routing>(), mean_return(), -5.43,
       "3% above the shortest ways, 5.27; always to the nearest: 5.72", script<Routing>},
      {"planning", kJudge, game_entry<Packing>(), mean_return(4000), 25.35,
       "midway between the best, 25.57, and by value for weight, 25.13", script<Packing>},

      {"chance", kTune, game_entry<Blackjack>(), mean_return(40'000), -0.06,
       "the optimum is -0.0466 by value iteration; measured +-0.01", script<Blackjack>},
      {"chance", kTune, game_entry<Secretary>(), mean_return(4000), 0.36, "the optimum is 0.384, measured +-0.015",
       script<Secretary>},
      {"chance", kJudge, game_entry<Inventory>(), mean_return(2000), 15.75,
       "2% below the optimum by value iteration, 16.07", script<Inventory>},

      {"memory", kTune, game_entry<Recall<1>>(), mean_return(), 0.95, "the optimum is 1", script<Recall<1>>},
      {"memory", kTune, game_entry<Recall<2>>(), mean_return(), 0.95, "the optimum is 1", script<Recall<2>>},
      {"memory", kTune, game_entry<MemoryLength<10>>(), mean_return(), 0.95, "the optimum is 1 (bsuite)",
       script<MemoryLength<10>>},
      {"memory", kTune, game_entry<MemoryLength<50>>(), mean_return(), 0.95, "the optimum is 1 (bsuite)",
       script<MemoryLength<50>>},
      {"memory", kJudge, game_entry<MemoryLength<30>>(), mean_return(), 0.95, "the optimum is 1 (bsuite)",
       script<MemoryLength<30>>},
      {"memory", kJudge, game_entry<TMaze<20>>(), mean_return(), 0.95, "the optimum is 1", script<TMaze<20>>},
      {"memory", kJudge, game_entry<ThreeBack>(), mean_return(), 0.95, "the optimum is 1", script<ThreeBack>},
      {"memory", kJudge, game_entry<Pairs>(), mean_return(), 0.9, "its script, 0.992, less a little", script<Pairs>},

      {"boards", kTune, game_entry<Seeds>(), score_against("3-ply", search<Seeds, 3>), 0.6, "above a search of 3 plies",
       search<Seeds, 6>},
      {"boards", kTune, game_entry<Flips>(), score_against("3-ply", search<Flips, 3>), 0.5,
       "level with a search of 3 plies", search<Flips, 5>},
      {"boards", kTune, game_entry<KingHunt>(), score_against("1-ply", search<KingHunt, 1>, 200), 0.5,
       "level with a search of one ply", search<KingHunt, 2>},
      {"boards", kJudge, game_entry<Breakthrough>(), score_against("3-ply", search<Breakthrough, 3>), 0.6,
       "above a search of 3 plies", search<Breakthrough, 5>},
      {"boards", kJudge, game_entry<Boxes>(), score_against("3-ply", search<Boxes, 3>), 0.5,
       "level with a search of 3 plies", search<Boxes, 4>},

      {"mixed", kTune, game_entry<BiasedHands>(), exact_nash_conv(), 0.2, "an equilibrium has 0"},
      {"mixed", kTune, game_entry<ManyHands>(), most_lost_to_constants<ManyHands>(3), 0.2, "an equilibrium has 0"},
      {"mixed", kTune, game_entry<SealedBids>(), exact_nash_conv(), 0.2, "an equilibrium has 0"},
      {"mixed", kTune, game_entry<LiarsDice>(), exact_nash_conv(), 0.2, "an equilibrium has 0"},
      {"mixed", kJudge, game_entry<Blotto>(), exact_nash_conv(), 0.2, "an equilibrium has 0"},
      {"mixed", kJudge, game_entry<Auction>(), exact_nash_conv(), 0.2, "an equilibrium has 0"},
      {"mixed", kJudge, game_entry<Pennies>(), exact_nash_conv(), 0.2, "an equilibrium has 0"},

      {"teams", kTune, game_entry<Spread>(), mean_return(), -18, "its script, -17.3, less a little", script<Spread>},
      {"teams", kTune, game_entry<HideAndSeek>(), score_against("the script", script<HideAndSeek>), 0.6,
       "above its script, which has 0.5 by symmetry"},
      {"teams", kTune, game_entry<LightCycles<4, true>>(), score_against("the script", script<LightCycles<4, true>>),
       0.5, "its script, by symmetry"},
      {"teams", kJudge, game_entry<LightCycles<6, false>>(), score_against("the script", script<LightCycles<6, false>>),
       0.5, "its script, by symmetry"},
      {"teams", kJudge, game_entry<SpeakerListener>(), mean_return(), 0.95, "the optimum is 1",
       script<SpeakerListener>},
  };
}

}  // namespace rival::learning
