// Trained bots as players of matches.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/agent.hpp"
#include "agent/inference.hpp"
#include "agent/limits.hpp"

namespace rival {

// A bot that plays, with a memory (if its network has one) per match and seat of the batch. A bot that sees rules is
// shown those of the match; one out of the range that it learnt makes the batch fail. Players of one SharedBot share
// its weights.
class BotAgent final : public Agent {
 public:
  // temperature and precision: as of Inference.
  BotAgent(std::shared_ptr<const SharedBot> bot, const Spec& spec, float temperature = 0,
           Precision precision = Precision::f32);
  BotAgent(Bot bot, const Spec& spec, float temperature = 0, Precision precision = Precision::f32);

  std::string name() const override { return name_; }
  void set_name(const std::string& name);
  void act(const Decisions& decisions, Key key, std::int32_t* choices, float* values) override;
  bool probabilities(const Decisions& decisions, float* probabilities) override;
  bool estimate(const Decisions& decisions, float* values) override;
  void match_started(int match) override;

  // Inference::decide
  const float* decide(const float* observation, float* state) { return inference_.decide(observation, state); }
  const Bot& bot() const { return inference_.bot(); }

 private:
  InferenceRows rows_of(const Decisions& decisions);

  Inference inference_;
  RulesSight sight_;
  int seats_;
  std::string name_ = "bot";
  float temperature_;
  std::vector<int> slot_of_row_;
};

struct PlayerOptions {
  std::string name = "bot";
  float temperature = 0;
  Limits limits = {};  // Bot::limits, unless others are asked for
  Precision precision = Precision::f32;
};

// The bot as a player of matches of `spec`'s game.
std::unique_ptr<Agent> make_player(std::shared_ptr<const SharedBot> bot, const Spec& spec,
                                   const PlayerOptions& options);

}  // namespace rival
