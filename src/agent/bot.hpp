// A trained player: its network's shape and weights with what is needed to play. One safetensors file is a bot; its
// layout is docs/formats/bot.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.hpp"
#include "agent/limits.hpp"
#include "base/result.hpp"
#include "nn/backend.hpp"
#include "nn/heads.hpp"
#include "nn/network.hpp"
#include "nn/safetensors.hpp"

namespace rival {

struct Bot {
  std::string game;
  Network network;
  std::vector<float> parameters;  // [network.parameter_count()]
  ObservationScale scale;
  // What the value head's column v means: the expected rest of the return (its rewards and result) is
  // value_mean + value_scale * v.
  float value_mean = 0, value_scale = 1;
  std::int64_t steps = 0;  // decisions it was trained on
  Limits limits;           // under which it learnt, and is to play; who makes an agent of it sees to that

  // The file's tensors and metadata, and back. `file` is how errors name it. Errors: not a bot, a bot of another game
  // or of a version of it with other parts (transplant.hpp brings it over), a newer format, tensors that are missing,
  // of another shape or not finite; numbers out of their range. No more memory is taken than the tensors hold.
  TensorFile to_tensors() const;
  static Result<Bot> from_tensors(const TensorFile& tensors, const Spec& spec, const std::string& file);
};

// The name of the game that a bot file plays, so that its Spec can be found.
Result<std::string> bot_game(const TensorFile& tensors, const std::string& file);
// The observation and action parts that a bot was made for, under its game's name; the Spec's other fields are not
// told.
Result<Spec> bot_spec(const TensorFile& tensors, const std::string& file);

Result<Bot> load_bot(const std::string& path, const Spec& spec);
Result<void> save_bot(const Bot& bot, const std::string& path);

// A Bot that plays. Row by row or in batches; memory, if the network has any, is kept per match and seat.
class BotAgent final : public Agent {
 public:
  // temperature: 1 plays as trained, 0 the most likely action; see sample_actions(). A batch of many decisions is
  // computed in `precision`; few at a time always in f32 by a path of their own, which takes microseconds.
  BotAgent(Bot bot, const Spec& spec, float temperature = 0, Precision precision = Precision::f32);
  ~BotAgent() override;

  std::string name() const override { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }
  void act(const Decisions& decisions, Key key, std::int32_t* choices, float* values) override;
  bool probabilities(const Decisions& decisions, float* probabilities) override;
  void match_started(int match) override;

  // The expected rest of the return for the acting seat of each row, at the decisions' rows of `values` [batch rows].
  // In games with results of +1, 0, -1, (1 + value) / 2 estimates the score. Does not advance the memory.
  void estimate(const Decisions& decisions, float* values);

  // One decision from one observation row, as inside a game: the head columns, [head_size], valid until the next call.
  // `state` [memory size] is read and replaced; null in networks without memory. No allocation.
  const float* decide(const float* observation, float* state);

  const Bot& bot() const { return bot_; }

 private:
  // The head columns of the decisions' rows, in the order of decisions.rows.
  const float* forward(const Decisions& decisions, bool advance);
  const float* finite_heads();

  struct Batched;

  Bot bot_;
  HeadLayout layout_;
  int seats_;
  std::string name_;
  float temperature_;
  Precision precision_;
  std::vector<float> row_[2], gates_, heads_;
  std::vector<float> encodings_, decision_;  // networks with entities
  std::vector<float> memory_;                // [matches x seats x memory size]
  std::unique_ptr<Batched> batched_;         // made when first needed
};

}  // namespace rival
