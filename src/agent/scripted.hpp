// Players that need no training: random ones, and scripts that read the game's own state.
#pragma once

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "agent/agent.hpp"
#include "rival/by_hand.hpp"

namespace rival {

// Plays uniformly among the allowed choices, and uniformly in the range of continuous parts.
std::unique_ptr<Agent> random_agent();

// A player that reads the game's own state: script(const G& game, int seat, Random& random) gives what `seat` does in
// this position, an int where the game has one discrete part, or a Move (rival/by_hand.hpp) with a choice for each
// discrete or target part and all values of continuous ones. It must be allowed by the mask: who plays matches reports
// it with its match, step and seat if not, and likewise what the script throws.
template <Game G, class Script>
std::unique_ptr<Agent> scripted_agent(std::string name, Script script) {
  class Scripted final : public Agent {
   public:
    Scripted(std::string name, Script script) : name_(std::move(name)), script_(std::move(script)) {}
    std::string name() const override { return name_; }
    void act(const Decisions& decisions, Key key, std::int32_t* choices, float* values) override {
      const Batch& batch = *decisions.batch;
      const RowLayout& layout = batch.layout();
      for (int row : decisions.rows) {
        const int match = row / batch.rows_per_match(), seat = decisions.seats[row];
        const G* game = batch.state<G>(match);
        check(game != nullptr, "a scripted player was given another game");
        Random random(key.split(static_cast<std::uint64_t>(row)));
        try {
          const auto did = script_(*game, seat, random);
          if constexpr (std::is_convertible_v<decltype(did), int>) {
            if (layout.choice_count != 1 || layout.value_count != 0)
              throw std::length_error("a script of " + batch.spec().name + " must give a Move, not one number");
            choices[row] = did;
          } else {
            const Move& move = did;
            if (static_cast<int>(move.choices.size()) != layout.choice_count ||
                static_cast<int>(move.values.size()) != layout.value_count)
              throw std::length_error("a move of " + batch.spec().name + " has " + std::to_string(layout.choice_count) +
                                      " choices and " + std::to_string(layout.value_count) + " values, not " +
                                      std::to_string(move.choices.size()) + " and " +
                                      std::to_string(move.values.size()));
            std::copy(move.choices.begin(), move.choices.end(), choices + row * layout.choice_count);
            std::copy(move.values.begin(), move.values.end(), values + row * layout.value_count);
          }
        } catch (...) {
          batch.fail_by_exception(match, seat, "the script '" + name_ + "'");
          return;
        }
      }
    }

   private:
    std::string name_;
    Script script_;
  };
  return std::make_unique<Scripted>(std::move(name), std::move(script));
}

}  // namespace rival
