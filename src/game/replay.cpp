#include "game/replay.hpp"

#include <cmath>
#include <limits>

namespace rival {
namespace {

constexpr std::string_view kMagic = "RVREPLAY";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint64_t kMaxParameters = 4096, kMaxPartsPerDecision = 1 << 16, kMaxCheckEvery = 1 << 20;

std::uint64_t fnv1a(std::span<const std::byte> bytes) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (std::byte b : bytes) h = (h ^ static_cast<std::uint64_t>(b)) * 0x100000001b3ULL;
  return h;
}

std::size_t hash_count(std::size_t steps, int check_every) {
  const auto every = static_cast<std::size_t>(check_every);
  return (steps + every - 1) / every + 1;
}

std::size_t decision_count(const Replay& replay) {
  std::size_t count = 0;
  for (SeatSet seats : replay.acting) count += static_cast<std::size_t>(seats.count());
  return count;
}

SeatSet seat_set(std::uint64_t bits) {
  SeatSet seats;
  for (int seat = 0; seat < 64; ++seat)
    if ((bits >> seat) & 1) seats = seats.with(seat);
  return seats;
}

std::string seat_names(SeatSet seats) {
  std::string text;
  for (int seat = 0; seat < 64; ++seat)
    if (seats.contains(seat)) text += (text.empty() ? "" : ", ") + std::to_string(seat);
  return text.empty() ? "none" : text;
}

// ---- bytes ----

class Writer {
 public:
  void byte(std::uint8_t value) { bytes_.push_back(static_cast<std::byte>(value)); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
    byte(static_cast<std::uint8_t>(value));
  }
  void fixed(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) byte(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void f32(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    fixed(bits, 4);
  }
  void text(std::string_view value) {
    for (char c : value) byte(static_cast<std::uint8_t>(c));
  }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

// Reads until the first problem, which it keeps; reads after that give zeros.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  bool ok() const { return error_.message.empty(); }
  const Error& error() const { return error_; }
  std::size_t offset() const { return offset_; }
  std::size_t left() const { return bytes_.size() - offset_; }

  void fail(std::string_view field, const std::string& what) {
    if (ok())
      error_.message =
          std::string(name_) + ": byte " + std::to_string(offset_) + ", field '" + std::string(field) + "': " + what;
  }

  std::uint64_t fixed(std::string_view field, int size) {
    if (!need(field, static_cast<std::size_t>(size))) return 0;
    std::uint64_t value = 0;
    for (int i = 0; i < size; ++i) value |= static_cast<std::uint64_t>(bytes_[offset_++]) << (8 * i);
    return value;
  }
  float f32(std::string_view field) {
    const auto bits = static_cast<std::uint32_t>(fixed(field, 4));
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  // A varint of at most `most`; anything larger is a failure at the field's own offset.
  std::uint64_t varint(std::string_view field, std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
    const std::size_t start = offset_;
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      if (!need(field, 1)) return 0;
      const auto b = static_cast<std::uint64_t>(bytes_[offset_++]);
      if (shift == 63 && b > 1) {
        offset_ = start;
        fail(field, "a number of more than 64 bits");
        return 0;
      }
      value |= (b & 0x7f) << shift;
      if (b < 0x80) break;
    }
    if (value > most) {
      offset_ = start;
      fail(field, "is " + std::to_string(value) + ", at most " + std::to_string(most) + " is possible here");
      return 0;
    }
    return value;
  }
  std::string text(std::string_view field, std::size_t size) {
    if (!need(field, size)) return "";
    std::string value(reinterpret_cast<const char*>(bytes_.data() + offset_), size);
    offset_ += size;
    return value;
  }

 private:
  bool need(std::string_view field, std::size_t size) {
    if (!ok()) return false;
    if (left() < size) {
      fail(field, "the file ends here; it is truncated");
      return false;
    }
    return true;
  }

  std::span<const std::byte> bytes_;
  std::string_view name_;
  std::size_t offset_ = 0;
  Error error_;
};

}  // namespace

std::uint64_t rules_fingerprint(const Spec& spec) {
  Writer w;
  const auto number = [&](int value) { w.varint(static_cast<std::uint32_t>(value)); };
  const auto text = [&](const std::string& value) {
    w.varint(value.size());
    w.text(value);
  };
  text(spec.name);
  number(spec.seats);
  number(static_cast<int>(spec.teams.size()));
  for (int team : spec.teams) number(team);
  number(static_cast<int>(spec.observation.size()));
  for (const ObservationPart& part : spec.observation) {
    text(part.name);
    number(static_cast<int>(part.kind));
    number(part.channels);
    number(part.height);
    number(part.width);
  }
  number(static_cast<int>(spec.action.size()));
  for (const ActionPart& part : spec.action) {
    text(part.name);
    number(static_cast<int>(part.kind));
    number(part.size);
    if (part.kind == ActionPart::Kind::continuous) {
      w.f32(part.low);
      w.f32(part.high);
    }
    if (part.kind == ActionPart::Kind::target) number(part.entities);
  }
  number(static_cast<int>(spec.parameters.size()));
  for (const Parameter& parameter : spec.parameters) text(parameter.name);
  for (const Choice& choice : spec.choices) {
    text(choice.name);
    for (const std::string& option : choice.options) text(option);
  }
  for (const RuleData& data : spec.data) {
    text(data.name);
    w.fixed(data.hash, 8);
  }
  number(spec.simultaneous);
  number(spec.hidden_information);
  number(spec.max_steps);
  return fnv1a(w.bytes());
}

// ---- recording ----

ReplayRecorder::ReplayRecorder(const Batch& batch, int match, Settings settings, Key key, int check_every)
    : batch_(&batch), match_(match) {
  rival::check(check_every >= 1 && static_cast<std::uint64_t>(check_every) <= kMaxCheckEvery,
               "a replay is checked every 1 to 2^20 steps");
  replay_.game = batch.spec().name;
  replay_.rules = rules_fingerprint(batch.spec());
  replay_.settings = std::move(settings);
  replay_.key = key;
  replay_.choices_per_decision = batch.layout().choice_count;
  replay_.values_per_decision = batch.layout().value_count;
  replay_.check_every = check_every;
}

void ReplayRecorder::record(const ActionRows& actions) {
  const SeatSet acting = batch_->to_act(match_);
  if (acting.empty()) return;
  if (replay_.steps() % replay_.check_every == 0) replay_.hashes.push_back(batch_->hash(match_));
  replay_.acting.push_back(acting);
  const int per_match = batch_->rows_per_match();
  for (int seat = 0; seat < batch_->spec().seats; ++seat) {
    if (!acting.contains(seat)) continue;
    const std::ptrdiff_t row = match_ * per_match + (per_match > 1 ? seat : 0);
    const std::ptrdiff_t choices = replay_.choices_per_decision, values = replay_.values_per_decision;
    if (choices > 0)
      replay_.choices.insert(replay_.choices.end(), actions.choices + row * choices,
                             actions.choices + (row + 1) * choices);
    if (values > 0)
      replay_.values.insert(replay_.values.end(), actions.values + row * values, actions.values + (row + 1) * values);
  }
}

Replay ReplayRecorder::finish() const {
  Replay replay = replay_;
  replay.hashes.push_back(batch_->hash(match_));
  replay.status = batch_->status(match_);
  return replay;
}

// ---- playing ----

Result<ReplayPlayer> ReplayPlayer::open(const Replay& replay, BatchFactory factory) {
  std::unique_ptr<Batch> batch = factory(1);
  const Spec& spec = batch->spec();
  if (replay.game != spec.name)
    return Error{"this is a replay of '" + replay.game + "', not of '" + spec.name + "'; name that game instead"};
  if (replay.rules != rules_fingerprint(spec))
    return Error{"this replay of '" + replay.game +
                 "' was played by other rules (its Spec has changed since); replay it with the version that wrote it"};
  if (replay.settings.parameters.size() != spec.parameters.size())
    return Error{"this replay of '" + replay.game + "' sets " + std::to_string(replay.settings.parameters.size()) +
                 " parameters, the game has " + std::to_string(spec.parameters.size())};
  for (std::size_t p = 0; p < spec.parameters.size(); ++p)
    if (!std::isfinite(replay.settings.parameters[p]))
      return Error{"this replay of '" + replay.game + "' sets parameter '" + spec.parameters[p].name +
                   "' to a value that is not finite"};
  if (replay.choices_per_decision != batch->layout().choice_count ||
      replay.values_per_decision != batch->layout().value_count)
    return Error{"this replay of '" + replay.game + "' has decisions of another size than the game's"};
  const std::size_t decisions = decision_count(replay);
  if (replay.check_every < 1 || replay.hashes.size() != hash_count(replay.acting.size(), replay.check_every) ||
      replay.choices.size() != decisions * static_cast<std::size_t>(replay.choices_per_decision) ||
      replay.values.size() != decisions * static_cast<std::size_t>(replay.values_per_decision))
    return Error{"this replay of '" + replay.game + "' is incomplete: its actions or hashes do not fit its steps"};
  ReplayPlayer player(replay, std::move(batch));
  if (Result<void> same = player.compare_hash(); !same) return same.error();
  return player;
}

ReplayPlayer::ReplayPlayer(const Replay& replay, std::unique_ptr<Batch> batch)
    : replay_(&replay), batch_(std::move(batch)) {
  const RowLayout& layout = batch_->layout();
  const auto rows = static_cast<std::size_t>(batch_->rows());
  choices_.resize(rows * static_cast<std::size_t>(layout.choice_count));
  values_.resize(rows * static_cast<std::size_t>(layout.value_count));
  rewards_.resize(static_cast<std::size_t>(batch_->spec().seats));
  observation_.resize(static_cast<std::size_t>(layout.observation_size));
  mask_.resize(static_cast<std::size_t>(layout.mask_size));
  const int match = 0;
  batch_->start({&match, 1}, replay.settings, {&replay.key, 1});
}

Result<void> ReplayPlayer::step() {
  rival::check(!done(), "a replay was stepped past its end");
  if (Result<void> taken = take_actions(); !taken) return taken;
  Status status;
  batch_->step({choices_.data(), values_.data()}, {rewards_.data(), &status});
  ++step_;
  return compare_hash();
}

Error ReplayPlayer::differs(const std::string& what) const {
  return {"replay of '" + replay_->game + "': step " + std::to_string(step_) + ": " + what};
}

Result<void> ReplayPlayer::compare_hash() {
  const auto every = replay_->check_every;
  if (!done() && step_ % every != 0) return {};
  const std::uint64_t expected =
      done() ? replay_->hashes.back() : replay_->hashes[static_cast<std::size_t>(step_ / every)];
  if (batch_->hash(0) != expected)
    return differs(last_agreed_ < 0
                       ? "the match starts from another state than the recorded one"
                       : "the match is in another state than the recorded one; they still agreed at step " +
                             std::to_string(last_agreed_));
  if (done() && batch_->status(0) != replay_->status)
    return differs("the match and its recording differ in whether it has ended");
  last_agreed_ = step_;
  return {};
}

Result<void> ReplayPlayer::take_actions() {
  const Spec& spec = batch_->spec();
  const RowLayout& layout = batch_->layout();
  const SeatSet acting = batch_->to_act(0), recorded = replay_->acting[static_cast<std::size_t>(step_)];
  if (acting != recorded)
    return differs("seats to act are " + seat_names(acting) + ", recorded are " + seat_names(recorded));
  for (int seat = 0; seat < spec.seats; ++seat) {
    if (!acting.contains(seat)) continue;
    batch_->observe_seat(0, seat, observation_.data(), mask_.data());
    const int row = batch_->rows_per_match() > 1 ? seat : 0;
    for (std::size_t p = 0; p < spec.action.size(); ++p) {
      const ActionPart& part = spec.action[p];
      const auto where = [&] { return "seat " + std::to_string(seat) + ", action part '" + part.name + "': "; };
      if (part.is_choice()) {
        const std::int32_t choice =
            replay_->choices[static_cast<std::size_t>(decision_ * layout.choice_count + layout.choice_index[p])];
        if (choice < 0 || choice >= part.size || !mask_[static_cast<std::size_t>(layout.mask_offset[p] + choice)])
          return differs(where() + "the recorded choice " + std::to_string(choice) + " is not allowed");
        choices_[static_cast<std::size_t>(row * layout.choice_count + layout.choice_index[p])] = choice;
      } else {
        for (int i = 0; i < part.size; ++i) {
          const float value =
              replay_->values[static_cast<std::size_t>(decision_ * layout.value_count + layout.value_offset[p] + i)];
          if (!(value >= part.low && value <= part.high))
            return differs(where() + "the recorded value " + std::to_string(value) + " is out of range");
          values_[static_cast<std::size_t>(row * layout.value_count + layout.value_offset[p] + i)] = value;
        }
      }
    }
    ++decision_;
  }
  return {};
}

Result<void> verify_replay(const Replay& replay, BatchFactory factory) {
  Result<ReplayPlayer> player = ReplayPlayer::open(replay, factory);
  if (!player) return player.error();
  while (!player->done())
    if (Result<void> same = player->step(); !same) return same;
  return {};
}

// ---- the file ----

std::vector<std::byte> serialize(const Replay& replay) {
  Writer w;
  w.text(kMagic);
  w.byte(kVersion);
  w.varint(replay.game.size());
  w.text(replay.game);
  w.fixed(replay.rules, 8);
  w.fixed(replay.key.bits(), 8);
  w.varint(replay.settings.parameters.size());
  for (float parameter : replay.settings.parameters) w.f32(parameter);
  w.varint(static_cast<std::uint64_t>(replay.choices_per_decision));
  w.varint(static_cast<std::uint64_t>(replay.values_per_decision));
  w.varint(static_cast<std::uint64_t>(replay.check_every));
  w.varint(replay.acting.size());
  std::size_t choice = 0, value = 0;
  for (SeatSet seats : replay.acting) {
    w.varint(seats.bits());
    for (int decision = 0; decision < seats.count(); ++decision) {
      for (int i = 0; i < replay.choices_per_decision; ++i)
        w.varint(static_cast<std::uint32_t>(replay.choices[choice++]));
      for (int i = 0; i < replay.values_per_decision; ++i) w.f32(replay.values[value++]);
    }
  }
  w.byte(static_cast<std::uint8_t>(replay.status));
  for (std::uint64_t hash : replay.hashes) w.fixed(hash, 8);
  w.fixed(fnv1a(w.bytes()), 8);
  return std::move(w.bytes());
}

Result<Replay> parse_replay(std::span<const std::byte> bytes, std::string_view name) {
  constexpr std::uint64_t kMaxInt = std::numeric_limits<std::int32_t>::max();
  Reader r(bytes, name);
  Replay replay;
  if (r.text("magic", kMagic.size()) != kMagic) return Error{std::string(name) + ": not a replay of Rival"};
  const std::uint64_t version = r.fixed("version", 1);
  if (r.ok() && version != kVersion)
    r.fail("version", "is " + std::to_string(version) + "; this program reads version " + std::to_string(kVersion));
  replay.game = r.text("game", r.varint("length of game", 64));
  replay.rules = r.fixed("rules", 8);
  replay.key = Key::from_bits(r.fixed("key", 8));
  const std::uint64_t parameters = r.varint("parameter count", kMaxParameters);
  for (std::uint64_t p = 0; r.ok() && p < parameters; ++p) replay.settings.parameters.push_back(r.f32("parameter"));
  replay.choices_per_decision = static_cast<int>(r.varint("choices per decision", kMaxPartsPerDecision));
  replay.values_per_decision = static_cast<int>(r.varint("values per decision", kMaxPartsPerDecision));
  replay.check_every = static_cast<int>(r.varint("check interval", kMaxCheckEvery));
  if (r.ok() && replay.check_every < 1) r.fail("check interval", "must be at least 1");
  const std::uint64_t steps = r.varint("step count", kMaxInt);
  if (r.ok() && steps > r.left())
    r.fail("step count", "is " + std::to_string(steps) + ", but only " + std::to_string(r.left()) +
                             " bytes follow; the file is truncated or damaged");
  for (std::uint64_t step = 0; r.ok() && step < steps; ++step) {
    const SeatSet seats = seat_set(r.varint("acting seats"));
    if (r.ok() && seats.empty()) r.fail("acting seats", "step " + std::to_string(step) + " has none");
    replay.acting.push_back(seats);
    for (int decision = 0; decision < seats.count(); ++decision) {
      for (int i = 0; r.ok() && i < replay.choices_per_decision; ++i)
        replay.choices.push_back(static_cast<std::int32_t>(r.varint("choice", kMaxInt)));
      for (int i = 0; r.ok() && i < replay.values_per_decision; ++i) replay.values.push_back(r.f32("value"));
    }
  }
  const std::uint64_t status = r.fixed("status", 1);
  if (r.ok() && status > static_cast<std::uint64_t>(Status::truncated))
    r.fail("status", "is " + std::to_string(status) + "; 0, 1 and 2 are known");
  replay.status = static_cast<Status>(status);
  if (!r.ok()) return r.error();
  const std::size_t hashes = hash_count(replay.acting.size(), replay.check_every);
  for (std::size_t i = 0; r.ok() && i < hashes; ++i) replay.hashes.push_back(r.fixed("hash", 8));
  const std::size_t body = r.offset();
  const std::uint64_t checksum = r.fixed("checksum", 8);
  if (r.ok() && checksum != fnv1a(bytes.first(body))) r.fail("checksum", "does not match; the file is damaged");
  if (r.ok() && r.left() > 0) r.fail("end", std::to_string(r.left()) + " bytes too many");
  if (!r.ok()) return r.error();
  return replay;
}

}  // namespace rival
