// All that the tools know of a game: its rules as a batch, its scripted players and its judges.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.hpp"
#include "base/result.hpp"
#include "game/batch.hpp"

namespace rival {

// What an exact judge found out about an agent.
struct Judgement {
  struct Figure {
    std::string name;  // the JSON key, e.g. "nash_conv"; one with "rate" in it is a share, shown in percent
    double value = 0;
    std::string explanation;  // one line for people, who do not see the name
  };
  std::vector<Figure> figures;  // the first one is the headline
};

using JudgeProgress = std::function<void(double share)>;

// An exact judge of play (a solver, a best response), named as in `rival eval BOT --against NAME`.
struct Judge {
  std::string name;
  std::string description;
  // Error if the agent cannot be judged (it gives no probabilities, say). `positions`: how many to sample, where it
  // samples. `progress`, which may be empty, is told the share that is done, 0 to 1, by a judge that takes long.
  std::function<Result<Judgement>(Agent& agent, Key key, int positions, const JudgeProgress& progress)> judge;
  // Steps of random play with which matches against the scripted player of the same name begin, if there is one: where
  // perfect play cannot be found earlier in reasonable time.
  int opening = 0;
};

// A scripted player.
struct Baseline {
  std::string name;
  std::string description;
  std::function<std::unique_ptr<Agent>()> make;
};

struct GameEntry {
  Spec spec;
  BatchFactory make_batch = nullptr;
  std::vector<Baseline> baselines;  // besides "random", which every game has
  std::vector<Judge> judges;
  // By what name the game is found again (plug/sources.hpp), the same on the command line and in the files of runs and
  // bots; "": by its Spec's name, for it is a part of the program.
  std::string origin = {};

  // What to type for it.
  const std::string& typed() const { return origin.empty() ? spec.name : origin; }
};

template <Game G>
GameEntry game_entry() {
  return {.spec = G::spec(), .make_batch = &BatchOf<G>::make, .baselines = {}, .judges = {}};
}

}  // namespace rival
