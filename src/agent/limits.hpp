// Limits that a designer sets on a bot so that people can play with it: how long it takes to react, and how many
// actions a minute it makes. A player who is limited is trained, rated and played under the same limits.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/agent.hpp"
#include "base/result.hpp"
#include "nn/heads.hpp"

namespace rival {

// In steps of the game. The default limits nothing.
struct Limits {
  int reaction_steps = 0;  // a decision is made from what was seen that many steps ago
  int every = 1;           // a decision is made every so many steps; in between the last action is repeated

  bool any() const { return reaction_steps > 0 || every > 1; }
  bool operator==(const Limits&) const = default;
};

// Limits from human units: the reaction time in milliseconds (0: none) and the most actions a minute (0: any number).
// Rounded to whole steps so that the bot is never faster than asked: with steps of 100 ms, 250 ms are 3 steps, and 180
// actions a minute are one every 4 steps. Errors: a game without seconds_per_step, in which nothing can be limited; a
// reaction time that is not within 0 to 10 seconds; actions a minute that are neither 0 nor 1 or more.
Result<Limits> limits_for(const Spec& spec, double reaction_ms, double actions_per_minute);

// What each player was shown some steps ago. A player (match and seat) is one line: match * seats + seat.
// Not thread-safe. Memory: players x (delay + 1) observation rows; none at a delay of 0.
class DelayLine {
 public:
  DelayLine(int players, int observation_size, int delay);

  // Forgets a match's seats, or one player.
  void clear(int first_player, int count);

  // Notes what a player is shown at `step` of its match and gives what it was shown `delay` steps earlier. If it was
  // not to act then, what it was last shown before; if nothing, the first it was shown. The same step may be noted
  // again, which replaces it; earlier ones must not. The row is valid until the player's next call.
  const float* shown(int player, int step, const float* observation);

  // The same for rows of a batch: [batch rows x observation_size], of which only the named rows count; `observations`
  // itself at a delay of 0. Valid until the next call.
  const float* delayed(const Decisions& decisions);

  int delay() const { return delay_; }

 private:
  int size_, delay_;
  std::vector<float> rows_;   // [players x (delay + 1) x size]: a ring per player
  std::vector<int> steps_;    // [players x (delay + 1)] when they were shown
  std::vector<int> shown_;    // [players] rows so far
  std::vector<float> batch_;  // the last answer of delayed()
};

// The last action of each player, repeated between its decisions. Lines as in DelayLine. Not thread-safe.
class ActionHold {
 public:
  ActionHold(int players, const Spec& spec, int every);

  void clear(int first_player, int count);
  // From its next decision on the player decides every so many steps.
  void set_every(int player, int every);

  // Appends to `deciding` the named rows that decide now: `every` steps have passed since the player's last decision,
  // or the present mask forbids a choice of its last action that counts. The other rows are given their last action,
  // with the lowest allowed choice in parts that do not count. Changes nothing: it may be asked again.
  void split(const Decisions& decisions, std::vector<int>& deciding, std::int32_t* choices, float* values) const;

  // Notes what rows of a batch have decided.
  void decided(const Decisions& decisions, std::span<const int> rows, const std::int32_t* choices, const float* values);

 private:
  bool still_allowed(const std::int32_t* action, const std::uint8_t* mask, std::int32_t* now) const;

  HeadLayout layout_;
  std::vector<int> every_;             // [players]
  std::vector<int> next_;              // [players] the step at which the next decision is due
  std::vector<std::int32_t> choices_;  // [players x choice_count]
  std::vector<float> values_;          // [players x value_count]
};

// An Agent under limits. Players that read the game's own state (scripts) still see the present; their actions are
// limited all the same. One with memory remembers its decisions only, as it does in training.
class LimitedAgent final : public Agent {
 public:
  LimitedAgent(std::unique_ptr<Agent> agent, const Spec& spec, Limits limits);

  std::string name() const override { return agent_->name(); }
  void act(const Decisions& decisions, Key key, std::int32_t* choices, float* values) override;
  // Rows that repeat an action have it with certainty.
  bool probabilities(const Decisions& decisions, float* probabilities) override;
  // What the agent itself expects, of the present.
  bool estimate(const Decisions& decisions, float* values) override { return agent_->estimate(decisions, values); }
  void match_started(int match) override;

  const Agent& agent() const { return *agent_; }
  const Limits& limits() const { return limits_; }

 private:
  Decisions limited(const Decisions& decisions, std::int32_t* choices, float* values);

  std::unique_ptr<Agent> agent_;
  Spec spec_;
  HeadLayout layout_;
  Limits limits_;
  int matches_ = 0;  // of the batch; the parts below are made when it is first seen
  std::unique_ptr<DelayLine> delay_;
  std::unique_ptr<ActionHold> hold_;
  std::vector<int> deciding_;
  std::vector<std::int32_t> choices_;
  std::vector<float> values_;
};

}  // namespace rival
