// Replays: a match as its key and what the players did. All randomness of a match comes from its key, so feeding the
// same actions to the same rules plays the same match; hashes of the state on the way prove it.
// The file format is described in docs/formats/replay.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "game/batch.hpp"

namespace rival {

// A part of the rules that replays depend on, and a hash of it: "seating", "observation 'board'", "parameter 'wind'",
// "data 'hero Warden'".
struct RuleSection {
  std::string name;
  std::uint32_t hash = 0;
  bool operator==(const RuleSection&) const = default;
};

// All of a Spec that replays depend on: seats, parts of observations and actions, parameters by their names, choices,
// rule data; not its prose, nor the defaults and ranges of parameters.
std::vector<RuleSection> rule_sections(const Spec& spec);

// What has changed from `recorded` to `present`, for people; "" if nothing has.
std::string rule_changes(const std::vector<RuleSection>& recorded, const std::vector<RuleSection>& present);

struct Replay {
  // How the decisions are laid out: of an ActionPart what one needs to know to read them.
  struct Part {
    bool choice = true;  // discrete or a target; false: continuous
    int size = 0;
    int when_part = -1;  // as in ActionPart
    std::uint64_t when_choices = 0;
    bool operator==(const Part&) const = default;
  };

  std::string game;                // Spec::name
  std::vector<RuleSection> rules;  // rule_sections of the Spec it was played by
  Settings settings;
  Key key;  // the match's key, as given to Batch::start

  int seats = 0;
  std::vector<Part> parts;
  std::vector<SeatSet> acting;        // [steps] who acted; never empty
  std::vector<std::int32_t> choices;  // [decisions x choices_per_decision()], by step, then by seat
  std::vector<float> values;          // [decisions x values_per_decision()]
  // In both, parts that do not count along with the decision's other choices (ActionPart::when) are 0.

  int check_every = 64;               // the state was hashed before steps 0, N, 2N, ... and after the last step
  std::vector<std::uint32_t> hashes;  // [ceil(steps / check_every) + 1]
  Status status = Status::running;    // after the last step; a recording may stop early

  int steps() const { return static_cast<int>(acting.size()); }
  int choices_per_decision() const;  // RowLayout::choice_count and value_count
  int values_per_decision() const;
};

// Records one match of a batch. The batch must outlive the recorder.
//
//   batch.start(...);
//   ReplayRecorder recorder(batch, match, key);   // the match's, as start() was given it
//   while (...) {
//     recorder.record(actions);   // just before each step
//     batch.step(actions, out);
//   }
//   Replay replay = recorder.finish();
class ReplayRecorder {
 public:
  ReplayRecorder(const Batch& batch, int match, Key key, int check_every = 64);

  // Notes what the acting seats are about to do; nothing once the match has ended, or while it is not ready.
  void record(const ActionRows& actions);

  // The replay up to now.
  Replay finish() const;

 private:
  const Batch* batch_;
  int match_;
  Replay replay_;
};

// Plays a replay step by step, comparing hashes on the way.
class ReplayPlayer {
 public:
  // The match at its start. Error if the replay is of another game or of other rules, naming what differs. `replay`
  // must outlive the player.
  static Result<ReplayPlayer> open(const Replay& replay, const BatchFactory& factory);

  // The match (number 0 of a batch of one) as it stands.
  const Batch& batch() const { return *batch_; }
  bool done() const { return step_ == replay_->steps(); }
  // Plays the next step; not when done(). Error, naming the step, if the match and the replay differ.
  Result<void> step();
  // What the last step did, one row per seat or for the only one; rows of seats that did not act are not meaningful.
  ActionRows actions() const { return {choices_.data(), values_.data()}; }
  // The rewards of the last step, results included [seats].
  std::span<const float> rewards() const { return rewards_; }

 private:
  ReplayPlayer(const Replay& replay, std::unique_ptr<Batch> batch);
  Error differs(const std::string& what) const;
  Result<void> compare_hash();
  Result<void> take_actions();

  const Replay* replay_;
  std::unique_ptr<Batch> batch_;
  int step_ = 0, decision_ = 0, last_agreed_ = -1;
  std::vector<std::int32_t> choices_;  // one step's rows
  std::vector<float> values_, rewards_, observation_;
  std::vector<std::uint8_t> mask_;
};

// Replays the whole match. Error if it is of another game, of other rules, or differs; names the first step that does.
Result<void> verify_replay(const Replay& replay, const BatchFactory& factory);

std::vector<std::byte> serialize(const Replay& replay);

// Reads a replay from outside: any bytes are safe, and memory stays within a small multiple of their number. An Error
// names `name` (the file, for people), the offset and the field.
Result<Replay> parse_replay(std::span<const std::byte> bytes, std::string_view name = "replay");

}  // namespace rival
