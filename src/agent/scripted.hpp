// Players that need no training: random ones, and scripts that read the game's own state.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/agent.hpp"

namespace rival {

// Plays uniformly among the allowed choices, and uniformly in the range of continuous parts.
std::unique_ptr<Agent> random_agent();

// The choice a script makes for `seat` in this position (games with one discrete action part). It must be allowed by
// the mask; match/ reports the seat and the choice if it is not.
template <Game G>
using Script = std::function<int(const G& game, int seat, Random& random)>;

template <Game G>
std::unique_ptr<Agent> scripted_agent(std::string name, Script<G> script) {
  class Scripted final : public Agent {
   public:
    Scripted(std::string name, Script<G> script) : name_(std::move(name)), script_(std::move(script)) {}
    std::string name() const override { return name_; }
    void act(const Decisions& decisions, Key key, std::int32_t* choices, float*) override {
      for (int row : decisions.rows) {
        const G* game = decisions.batch->state<G>(row / decisions.batch->rows_per_match());
        check(game != nullptr, "a scripted player was given another game");
        Random random(key.split(static_cast<std::uint64_t>(row)));
        choices[row] = script_(*game, decisions.seats[row], random);
      }
    }

   private:
    std::string name_;
    Script<G> script_;
  };
  return std::make_unique<Scripted>(std::move(name), std::move(script));
}

}  // namespace rival
