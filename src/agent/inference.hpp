// A bot's decisions from plain arrays, without a game: what a server or an engine that has its own matches needs.
//
//   auto bot = std::make_shared<const SharedBot>(load_bot(path).value());
//   Inference inference(bot, 1000);                       // remembers a thousand players
//   inference.forget(slot);                               // when the player of that slot begins a match
//   inference.act({rows, observations, masks, slots}, key, 0, choices, values);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "agent/bot.hpp"
#include "nn/backend.hpp"
#include "nn/heads.hpp"
#include "nn/one_row.hpp"

namespace rival {

// A bot that many play with: its weights are packed once. Any thread may use it.
class SharedBot {
 public:
  explicit SharedBot(Bot bot) : bot_(std::move(bot)) {}

  const Bot& bot() const { return bot_; }

  // The network on the fast backend, made when first asked for.
  struct Packed {
    std::unique_ptr<Backend> backend;
    std::unique_ptr<Weights> weights;
  };
  const Packed& packed(Precision precision) const;

 private:
  Bot bot_;
  mutable std::mutex mutex_;
  mutable std::map<Precision, Packed> packed_;
};

// Decisions to make. Row r's data stands at place r of the arrays, of which only the named rows count.
struct InferenceRows {
  std::span<const int> rows;
  const float* observations;  // [places x observation_size], with the rules that the bot sees (Bot::rules)
  const std::uint8_t* masks;  // [places x mask_size]; not read by values()
  const int* slots;           // per row, in the order of `rows`: whose memory it uses; null without memory
};

// Not thread-safe: one thread per object; many may share one bot. Two rows of a call must not have the same slot.
class Inference {
 public:
  // A call of many rows is computed in `precision`; few at a time always in f32 by a path of their own, which takes
  // microseconds.
  explicit Inference(std::shared_ptr<const SharedBot> bot, int slots = 0, Precision precision = Precision::f32);
  ~Inference();

  const Bot& bot() const { return shared_->bot(); }
  const HeadLayout& layout() const { return layout_; }

  int slots() const { return slots_; }
  // Those that are new remember nothing.
  void resize(int slots);
  void forget(int first_slot, int count = 1);
  // What a slot remembers [Network::memory_size()]; only another of the same bot can make use of it. Until the next
  // resize().
  std::span<float> memory(int slot);
  std::span<const float> memory(int slot) const;

  // Decides: fills `choices` [places x choice_count] and `values` [places x value_count] at the rows, and moves their
  // memories on. Row r draws its randomness from key.split(r). temperature: 1 plays as trained, 0 the most likely
  // action; see sample_actions(). Besides, from the same pass, where they are not null: `probabilities`, as below, but
  // those of temperature 1 at temperature 0; `expected`, what values() gives.
  void act(const InferenceRows& rows, Key key, float temperature, std::int32_t* choices, float* values,
           float* probabilities = nullptr, float* expected = nullptr);
  // How likely each discrete choice is, at the rows of `out` [places x mask_size]; at temperature 0 all weight is on
  // the most likely one. Memories stay.
  void probabilities(const InferenceRows& rows, float temperature, float* out);
  // The expected rest of the return, at the rows of `out` [places]. In games with results of +1, 0, -1, (1 + value) / 2
  // estimates the score. Memories stay.
  void values(const InferenceRows& rows, float* out);

  // One decision from one observation row, as inside a game; see OneRow::forward(). Only of networks that it takes.
  const float* decide(const float* observation, float* state);

 private:
  struct Batched;

  // The head columns, in the order of rows.rows.
  const float* forward(const InferenceRows& rows, bool advance);
  const float* finite_heads();
  // Of the row whose head columns are the i-th.
  void probabilities_of(std::size_t i, const std::uint8_t* mask, float temperature, float* out) const;
  float value_of(std::size_t i) const;

  std::shared_ptr<const SharedBot> shared_;
  HeadLayout layout_;
  Precision precision_;
  int slots_ = 0;
  std::optional<OneRow> one_row_;  // none for networks that it does not take
  std::vector<float> heads_;
  std::vector<float> memory_;         // [slots x memory size]
  std::unique_ptr<Batched> batched_;  // made when first needed
};

}  // namespace rival
