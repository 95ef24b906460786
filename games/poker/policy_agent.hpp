// A player that draws its choices from a distribution it can state, so that exact judges can read it.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/agent.hpp"

namespace rival {

// Writes the probability of every choice for the seat to act (games with one discrete action part); zero on arrival.
template <Game G>
using PolicyScript = std::function<void(const G& game, int seat, float* probabilities)>;

template <Game G>
std::unique_ptr<Agent> policy_agent(std::string name, PolicyScript<G> script) {
  class PolicyAgent final : public Agent {
   public:
    PolicyAgent(std::string name, PolicyScript<G> script) : name_(std::move(name)), script_(std::move(script)) {}
    std::string name() const override { return name_; }

    void act(const Decisions& decisions, Key key, std::int32_t* choices, float*) override {
      const int size = decisions.batch->layout().mask_size;
      std::vector<float> row(size);
      for (int r : decisions.rows) {
        write(decisions, r, row.data());
        float left = Random(key.split(static_cast<std::uint64_t>(r))).uniform();
        int choice = 0;
        for (int c = 0; c < size; ++c) {
          if (row[c] <= 0) continue;
          choice = c;
          left -= row[c];
          if (left < 0) break;
        }
        choices[r] = choice;
      }
    }

    bool probabilities(const Decisions& decisions, float* probabilities) override {
      for (int r : decisions.rows) write(decisions, r, probabilities + r * decisions.batch->layout().mask_size);
      return true;
    }

   private:
    void write(const Decisions& decisions, int row, float* out) const {
      const G* game = decisions.batch->state<G>(row / decisions.batch->rows_per_match());
      check(game != nullptr, "a scripted player was given another game");
      std::fill_n(out, decisions.batch->layout().mask_size, 0.f);
      script_(*game, decisions.seats[row], out);
    }

    std::string name_;
    PolicyScript<G> script_;
  };
  return std::make_unique<PolicyAgent>(std::move(name), std::move(script));
}

}  // namespace rival
