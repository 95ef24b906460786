#include "game/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/hash.hpp"
#include "base/index.hpp"
#include "base/number.hpp"

namespace rival {
namespace {

constexpr std::string_view kMagic = "RVREPLAY";
constexpr std::uint8_t kVersion = 3;
constexpr std::uint64_t kMaxSections = 1 << 16, kMaxName = 1 << 10, kMaxParameters = 1 << 16, kMaxParts = 64,
                        kMaxPicks = 1 << 16, kMaxPartSize = 1 << 20, kMaxValues = 1 << 12, kMaxCheckEvery = 1 << 20;
constexpr std::size_t kMaxChoices = std::size_t{1} << 26;  // unpacked, over a whole replay
constexpr int kSeats = 64;

std::size_t hash_count(std::size_t steps, int check_every) {
  const std::size_t every = check_every;
  return (steps + every - 1) / every + 1;
}

// 32 bits tell states apart well enough: each comparison misses a difference once in four billion times, and states
// that have parted stay apart for the comparisons that follow.
std::uint32_t short_hash(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

int bits_for(int size) {
  return size <= 1 ? 0 : 32 - __builtin_clz(static_cast<std::uint32_t>(size - 1));
}

std::vector<Replay::Part> parts_of(const Spec& spec) {
  std::vector<Replay::Part> parts;
  for (const ActionPart& part : spec.action)
    parts.push_back({part.is_choice(), part.size, part.when_part, part.when_choices});
  return parts;
}

// Visits the parts of one decision, in order: each(part, offset into its choices or values, whether it counts).
// `choices` are the decision's own, of which those of earlier parts must be there by the time a part is visited.
template <class Each>
void for_each_part(const std::vector<Replay::Part>& parts, const std::int32_t* choices, const Each& each) {
  int choice = 0, value = 0;
  std::array<int, kMaxParts> chosen;  // by part
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const Replay::Part& part = parts[p];
    const int on = part.when_part < 0 ? 0 : chosen[part.when_part];
    const bool counts = part.when_part < 0 || (on >= 0 && on < 64 && ((part.when_choices >> on) & 1) != 0);
    each(part, part.choice ? choice : value, counts);
    chosen[p] = part.choice && counts ? choices[choice] : -1;
    (part.choice ? choice : value) += part.choice ? 1 : part.size;
  }
}

std::size_t decision_count(const Replay& replay) {
  std::size_t count = 0;
  for (SeatSet seats : replay.acting) count += index(seats.count());
  return count;
}

SeatSet seat_set(std::uint64_t bits) {
  SeatSet seats;
  for (int seat = 0; seat < kSeats; ++seat)
    if ((bits >> seat) & 1) seats = seats.with(seat);
  return seats;
}

std::string seat_names(SeatSet seats) {
  std::string text;
  for (int seat = 0; seat < kSeats; ++seat)
    if (seats.contains(seat)) text += fmt::format("{}{}", text.empty() ? "" : ", ", seat);
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
  // The lowest `count` bits of `value`; bits fill bytes from the lowest. align() ends a run of bits.
  void bits(std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) {
      if (bit_ == 0) bytes_.push_back(std::byte{0});
      bytes_.back() |= static_cast<std::byte>(((value >> i) & 1) << bit_);
      bit_ = (bit_ + 1) % 8;
    }
  }
  void align() { bit_ = 0; }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
  int bit_ = 0;
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
    if (ok()) error_.message = fmt::format("{}: byte {}, field '{}': {}", name_, offset_, field, what);
  }

  std::uint64_t fixed(std::string_view field, int size) {
    if (!need(field, index(size))) return 0;
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
      fail(field, fmt::format("is {}, at most {} is possible here", value, most));
      return 0;
    }
    return value;
  }
  // See Writer::bits.
  std::uint64_t bits(std::string_view field, int count) {
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i) {
      if (bit_ == 0) bits_ = fixed(field, 1);
      value |= ((bits_ >> bit_) & 1) << i;
      bit_ = (bit_ + 1) % 8;
    }
    return value;
  }
  void align(std::string_view field) {
    if (ok() && bit_ != 0 && (bits_ >> bit_) != 0) fail(field, "the unused bits of the last byte are not zero");
    bit_ = 0;
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
  std::uint64_t bits_ = 0;
  int bit_ = 0;
  Error error_;
};

}  // namespace

int Replay::choices_per_decision() const {
  return static_cast<int>(std::count_if(parts.begin(), parts.end(), [](const Part& part) { return part.choice; }));
}

int Replay::values_per_decision() const {
  int count = 0;
  for (const Part& part : parts) count += part.choice ? 0 : part.size;
  return count;
}

// ---- rules ----

std::vector<RuleSection> rule_sections(const Spec& spec) {
  std::vector<RuleSection> sections;
  Writer w;
  const auto number = [&](int value) { w.varint(static_cast<std::uint32_t>(value)); };
  const auto section = [&](std::string name) {
    sections.push_back({std::move(name), short_hash(fnv1a(w.bytes()))});
    w = {};
  };
  const auto named = [](const char* kind, const std::string& name) { return std::string(kind) + " '" + name + "'"; };

  number(spec.seats);
  number(spec.simultaneous);
  number(spec.hidden_information);
  for (int seat = 0; seat < spec.seats; ++seat) number(spec.team_of(seat));
  section("seating");
  number(spec.max_steps);
  section("max_steps");
  for (const ObservationPart& part : spec.observation) {
    number(static_cast<int>(part.kind));
    number(part.channels);
    number(part.height);
    number(part.width);
    section(named("observation", part.name));
  }
  for (const ActionPart& part : spec.action) {
    number(static_cast<int>(part.kind));
    number(part.size);
    number(part.entities);
    number(part.when_part);
    w.fixed(part.when_choices, 8);
    if (!part.is_choice()) {
      w.f32(part.low);
      w.f32(part.high);
    }
    section(named("action", part.name));
  }
  for (const Choice& choice : spec.choices) {
    for (const std::string& option : choice.options) {
      w.varint(option.size());
      w.text(option);
    }
    section(named("choice", choice.name));
  }
  for (const RuleData& data : spec.data) sections.push_back({named("data", data.name), short_hash(data.hash)});
  for (const Parameter& parameter : spec.parameters) sections.push_back({named("parameter", parameter.name), 0});
  return sections;
}

std::string rule_changes(const std::vector<RuleSection>& recorded, const std::vector<RuleSection>& present) {
  constexpr std::size_t kShown = 4;
  std::vector<std::string> changes;
  const auto find = [](const std::vector<RuleSection>& sections, const std::string& name) {
    return std::find_if(sections.begin(), sections.end(), [&](const RuleSection& s) { return s.name == name; });
  };
  for (const RuleSection& now : present) {
    const auto before = find(recorded, now.name);
    if (before == recorded.end())
      changes.push_back(now.name + " is new");
    else if (before->hash != now.hash)
      changes.push_back(now.name + " has changed");
  }
  for (const RuleSection& before : recorded)
    if (find(present, before.name) == present.end()) changes.push_back(before.name + " is gone");
  if (changes.empty()) return recorded == present ? "" : "their parts are in another order";
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, changes.size()); ++i) text += (i > 0 ? ", " : "") + changes[i];
  if (changes.size() > kShown) text += fmt::format(" and {} more", changes.size() - kShown);
  return text;
}

// ---- recording ----

ReplayRecorder::ReplayRecorder(const Batch& batch, int match, Key key, int check_every)
    : batch_(&batch), match_(match) {
  rival::check(check_every >= 1 && static_cast<std::uint64_t>(check_every) <= kMaxCheckEvery,
               "a replay is checked every 1 to 2^20 steps");
  replay_.game = batch.spec().name;
  replay_.rules = rule_sections(batch.spec());
  replay_.settings = batch.settings(match);
  replay_.key = key;
  replay_.seats = batch.spec().seats;
  replay_.parts = parts_of(batch.spec());
  rival::check(replay_.parts.size() <= kMaxParts, "a replay holds at most 64 action parts");
  replay_.check_every = check_every;
}

void ReplayRecorder::record(const ActionRows& actions) {
  if (!batch_->ready(match_)) return;
  const SeatSet acting = batch_->to_act(match_);
  if (acting.empty()) return;
  if (replay_.steps() % replay_.check_every == 0) replay_.hashes.push_back(short_hash(batch_->hash(match_)));
  replay_.acting.push_back(acting);
  const int per_match = batch_->rows_per_match();
  for (int seat = 0; seat < batch_->spec().seats; ++seat) {
    if (!acting.contains(seat)) continue;
    const std::ptrdiff_t row = match_ * per_match + (per_match > 1 ? seat : 0);
    const std::int32_t* choices = actions.choices + row * batch_->layout().choice_count;
    const float* values = actions.values + row * batch_->layout().value_count;
    for_each_part(replay_.parts, choices, [&](const Replay::Part& part, int offset, bool counts) {
      if (part.choice)
        replay_.choices.push_back(counts ? choices[offset] : 0);
      else
        for (int i = 0; i < part.size; ++i) replay_.values.push_back(counts ? values[offset + i] : 0);
    });
  }
}

Replay ReplayRecorder::finish() const {
  Replay replay = replay_;
  replay.hashes.push_back(short_hash(batch_->hash(match_)));
  replay.status = batch_->status(match_);
  return replay;
}

// ---- playing ----

Result<ReplayPlayer> ReplayPlayer::open(const Replay& replay, const BatchFactory& factory) {
  std::unique_ptr<Batch> batch = factory(1);
  const Spec& spec = batch->spec();
  if (replay.game != spec.name)
    return Error{"this is a replay of '" + replay.game + "', not of '" + spec.name + "'; name that game instead"};
  if (const std::string changes = rule_changes(replay.rules, rule_sections(spec)); !changes.empty())
    return Error{"replay of '" + replay.game + "': rules differ: " + changes +
                 " since it was recorded; play it with the version and the data that it was recorded with"};
  if (const Result<void> fit = fits(spec, replay.settings); !fit)
    return Error{"this replay of '" + replay.game + "' " + fit.error().message};
  if (replay.seats != spec.seats || replay.parts != parts_of(spec))
    return Error{"this replay of '" + replay.game + "' lays out its decisions otherwise than the game's"};
  const std::size_t decisions = decision_count(replay);
  if (replay.check_every < 1 || replay.hashes.size() != hash_count(replay.acting.size(), replay.check_every) ||
      replay.choices.size() != decisions * index(replay.choices_per_decision()) ||
      replay.values.size() != decisions * index(replay.values_per_decision()))
    return Error{"this replay of '" + replay.game + "' is incomplete: its actions or hashes do not fit its steps"};
  ReplayPlayer player(replay, std::move(batch));
  if (Result<void> same = player.compare_hash(); !same) return same.error();
  return player;
}

ReplayPlayer::ReplayPlayer(const Replay& replay, std::unique_ptr<Batch> batch)
    : replay_(&replay), batch_(std::move(batch)) {
  const RowLayout& layout = batch_->layout();
  const std::size_t rows = batch_->rows();
  choices_.resize(rows * index(layout.choice_count));
  values_.resize(rows * index(layout.value_count));
  rewards_.resize(batch_->spec().seats);
  observation_.resize(layout.observation_size);
  mask_.resize(layout.mask_size);
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
  return {fmt::format("replay of '{}': step {}: {}", replay_->game, step_, what)};
}

Result<void> ReplayPlayer::compare_hash() {
  const auto every = replay_->check_every;
  if (!done() && step_ % every != 0) return {};
  const std::uint32_t expected = done() ? replay_->hashes.back() : replay_->hashes[step_ / every];
  if (short_hash(batch_->hash(0)) != expected)
    return differs(
        last_agreed_ < 0
            ? "the match starts from another state than the recorded one"
            : fmt::format("the match is in another state than the recorded one; they still agreed at step {}",
                          last_agreed_));
  if (done() && batch_->status(0) != replay_->status)
    return differs("the match and its recording differ in whether it has ended");
  last_agreed_ = step_;
  return {};
}

Result<void> ReplayPlayer::take_actions() {
  const Spec& spec = batch_->spec();
  const RowLayout& layout = batch_->layout();
  const SeatSet acting = batch_->to_act(0), recorded = replay_->acting[step_];
  if (acting != recorded)
    return differs("seats to act are " + seat_names(acting) + ", recorded are " + seat_names(recorded));
  for (int seat = 0; seat < spec.seats; ++seat) {
    if (!acting.contains(seat)) continue;
    batch_->observe_seat(0, seat, observation_.data(), mask_.data());
    const int row = batch_->rows_per_match() > 1 ? seat : 0;
    const std::int32_t* choices = replay_->choices.data() + decision_ * layout.choice_count;
    const float* values = replay_->values.data() + decision_ * layout.value_count;
    std::string problem;
    const ActionPart* part = spec.action.data();
    const std::uint8_t* mask = mask_.data();
    for_each_part(replay_->parts, choices, [&](const Replay::Part&, int offset, bool counts) {
      std::string wrong;
      if (part->is_choice()) {
        const std::int32_t choice = choices[offset];
        const bool known = choice >= 0 && choice < part->size;
        if (counts ? !known || !mask[choice] : choice != 0) wrong = fmt::format("choice {} is not allowed", choice);
        choices_[row * layout.choice_count + offset] = choice;
        mask += part->size;
      } else {
        for (int i = offset; i < offset + part->size; ++i) {
          if (counts ? !(values[i] >= part->low && values[i] <= part->high) : values[i] != 0)
            wrong = fmt::format("value {} is out of range", shortest(values[i]));
          values_[row * layout.value_count + i] = values[i];
        }
      }
      if (!wrong.empty() && problem.empty())
        problem = fmt::format("seat {}, action part '{}': the recorded {}", seat, part->name, wrong);
      ++part;
    });
    if (!problem.empty()) return differs(problem);
    ++decision_;
  }
  return {};
}

Result<void> verify_replay(const Replay& replay, const BatchFactory& factory) {
  Result<ReplayPlayer> player = ReplayPlayer::open(replay, factory);
  if (!player) return player.error();
  while (!player->done())
    if (Result<void> same = player->step(); !same) return same;
  return {};
}

// ---- the file ----

std::vector<std::byte> serialize(const Replay& replay) {
  Writer w;
  const auto count = [&](std::size_t value) { w.varint(static_cast<std::uint64_t>(value)); };
  w.text(kMagic);
  w.byte(kVersion);
  count(replay.game.size());
  w.text(replay.game);
  count(replay.rules.size());
  std::string_view last;
  for (const RuleSection& section : replay.rules) {
    const std::string_view name = section.name;
    const std::size_t shared = std::mismatch(name.begin(), name.end(), last.begin(), last.end()).first - name.begin();
    count(shared);
    count(name.size() - shared);
    w.text(name.substr(shared));
    w.varint(section.hash);
    last = name;
  }
  w.fixed(replay.key.bits(), 8);
  count(replay.settings.parameters.size());
  for (float parameter : replay.settings.parameters) w.f32(parameter);
  count(replay.settings.picks.size());
  for (int pick : replay.settings.picks) w.varint(static_cast<std::uint32_t>(pick + 1));
  count(index(replay.seats));
  count(replay.parts.size());
  for (const Replay::Part& part : replay.parts) {
    w.byte(static_cast<std::uint8_t>((part.choice ? 0 : 1) | (part.when_part >= 0 ? 2 : 0)));
    count(index(part.size));
    if (part.when_part < 0) continue;
    count(index(part.when_part));
    w.varint(part.when_choices);
  }
  count(index(replay.check_every));
  count(replay.acting.size());

  const std::size_t size = replay.choices_per_decision();
  std::vector<std::int32_t> before(kSeats * size, 0);  // each seat's last choices
  const std::int32_t* choices = replay.choices.data();
  const float* values = replay.values.data();
  SeatSet acted;
  for (SeatSet seats : replay.acting) {
    w.bits(seats == acted, 1);
    if (seats != acted) w.bits(seats.bits(), replay.seats);
    acted = seats;
    for (int seat = 0; seat < kSeats; ++seat) {
      if (!seats.contains(seat)) continue;
      std::int32_t* own = before.data() + index(seat) * size;
      const bool same = std::equal(choices, choices + size, own);
      w.bits(same, 1);
      for_each_part(replay.parts, choices, [&](const Replay::Part& part, int offset, bool counts) {
        if (!counts) return;
        if (part.choice && !same) w.bits(static_cast<std::uint64_t>(choices[offset]), bits_for(part.size));
        for (int i = 0; !part.choice && i < part.size; ++i) {
          std::uint32_t bits;
          std::memcpy(&bits, values + offset + i, sizeof bits);
          w.bits(bits, 32);
        }
      });
      std::copy_n(choices, size, own);
      choices += size;
      values += replay.values_per_decision();
    }
  }
  w.align();
  w.byte(static_cast<std::uint8_t>(replay.status));
  for (std::uint32_t hash : replay.hashes) w.fixed(hash, 4);
  w.fixed(fnv1a(w.bytes()), 8);
  return std::move(w.bytes());
}

namespace {

void read_header(Reader& r, Replay& replay) {
  replay.game = r.text("game", r.varint("length of game", 64));
  const std::uint64_t sections = r.varint("section count", kMaxSections);
  for (std::uint64_t i = 0; r.ok() && i < sections; ++i) {
    const std::size_t longest = replay.rules.empty() ? 0 : replay.rules.back().name.size();
    const std::uint64_t shared = r.varint("length of shared name", longest);
    const std::uint64_t rest = r.varint("length of name", kMaxName);
    if (r.ok() && shared + rest > kMaxName) r.fail("length of name", fmt::format("more than {}", kMaxName));
    std::string name = replay.rules.empty() ? "" : replay.rules.back().name.substr(0, shared);
    name += r.text("name", rest);
    const auto hash = static_cast<std::uint32_t>(r.varint("hash", std::numeric_limits<std::uint32_t>::max()));
    replay.rules.push_back({std::move(name), hash});
  }
  replay.key = Key::from_bits(r.fixed("key", 8));
  const std::uint64_t parameters = r.varint("parameter count", kMaxParameters);
  for (std::uint64_t p = 0; r.ok() && p < parameters; ++p) replay.settings.parameters.push_back(r.f32("parameter"));
  const std::uint64_t picks = r.varint("pick count", kMaxPicks);
  for (std::uint64_t i = 0; r.ok() && i < picks; ++i)
    replay.settings.picks.push_back(static_cast<int>(r.varint("pick", kMaxPicks)) - 1);
  replay.seats = static_cast<int>(r.varint("seats", kSeats));
  const std::uint64_t parts = r.varint("part count", kMaxParts);
  for (std::uint64_t p = 0; r.ok() && p < parts; ++p) {
    Replay::Part part;
    const std::uint64_t flags = r.fixed("part", 1);
    if (r.ok() && flags > 3) r.fail("part", "has unknown flags");
    part.choice = (flags & 1) == 0;
    part.size = static_cast<int>(r.varint("part size", part.choice ? kMaxPartSize : kMaxValues));
    if (r.ok() && part.size < 1) r.fail("part size", "must be at least 1");
    if ((flags & 2) != 0) {
      if (r.ok() && p == 0) r.fail("part", "the first part always counts");
      part.when_part = static_cast<int>(r.varint("part it depends on", p - (p > 0)));
      part.when_choices = r.varint("choices it depends on");
    }
    replay.parts.push_back(part);
  }
  replay.check_every = static_cast<int>(r.varint("check interval", kMaxCheckEvery));
  if (r.ok() && replay.check_every < 1) r.fail("check interval", "must be at least 1");
}

void read_steps(Reader& r, Replay& replay) {
  const std::uint64_t steps = r.varint("step count", std::numeric_limits<std::int32_t>::max());
  if (r.ok() && steps > 4 * static_cast<std::uint64_t>(r.left()))  // two bits each, at least
    r.fail("step count",
           fmt::format("is {}, but only {} bytes follow; the file is truncated or damaged", steps, r.left()));
  const std::size_t size = replay.choices_per_decision();
  std::vector<std::int32_t> before(kSeats * size, 0);
  for (std::uint64_t step = 0; r.ok() && step < steps; ++step) {
    const SeatSet seats = r.bits("acting seats", 1) ? (step > 0 ? replay.acting.back() : SeatSet::none())
                                                    : seat_set(r.bits("acting seats", replay.seats));
    if (r.ok() && seats.empty()) r.fail("acting seats", fmt::format("step {} has none", step));
    replay.acting.push_back(seats);
    for (int seat = 0; r.ok() && seat < kSeats; ++seat) {
      if (!seats.contains(seat)) continue;
      std::int32_t* own = before.data() + index(seat) * size;
      const bool same = r.bits("decision", 1) != 0;
      for_each_part(replay.parts, own, [&](const Replay::Part& part, int offset, bool counts) {
        if (part.choice && !same) {
          own[offset] = counts ? static_cast<std::int32_t>(r.bits("choice", bits_for(part.size))) : 0;
          if (own[offset] >= part.size)
            r.fail("choice", fmt::format("is {} of {} that there are", own[offset], part.size));
        }
        for (int i = 0; r.ok() && !part.choice && i < part.size; ++i) {
          const auto bits = counts ? static_cast<std::uint32_t>(r.bits("value", 32)) : 0;
          float value;
          std::memcpy(&value, &bits, sizeof value);
          replay.values.push_back(value);
        }
      });
      replay.choices.insert(replay.choices.end(), own, own + size);
      if (r.ok() && replay.choices.size() + replay.values.size() > kMaxChoices)
        r.fail("decision", fmt::format("the replay has more than {} choices and values", kMaxChoices));
    }
  }
  r.align("steps");
}

}  // namespace

Result<Replay> parse_replay(std::span<const std::byte> bytes, std::string_view name) {
  Reader r(bytes, name);
  Replay replay;
  if (r.text("magic", kMagic.size()) != kMagic) return Error{std::string(name) + ": not a replay of Rival"};
  const std::uint64_t version = r.fixed("version", 1);
  if (r.ok() && version != kVersion)
    r.fail("version", fmt::format("is {}; this program reads version {}{}", version, kVersion,
                                  version < kVersion ? ": record the match again" : ""));
  read_header(r, replay);
  read_steps(r, replay);
  const std::uint64_t status = r.fixed("status", 1);
  if (r.ok() && status > static_cast<std::uint64_t>(Status::truncated))
    r.fail("status", fmt::format("is {}; 0, 1 and 2 are known", status));
  replay.status = static_cast<Status>(status);
  if (!r.ok()) return r.error();
  const std::size_t hashes = hash_count(replay.acting.size(), replay.check_every);
  for (std::size_t i = 0; r.ok() && i < hashes; ++i)
    replay.hashes.push_back(static_cast<std::uint32_t>(r.fixed("hash", 4)));
  const std::size_t body = r.offset();
  const std::uint64_t checksum = r.fixed("checksum", 8);
  if (r.ok() && checksum != fnv1a(bytes.first(body))) r.fail("checksum", "does not match; the file is damaged");
  if (r.ok() && r.left() > 0) r.fail("end", fmt::format("{} bytes too many", r.left()));
  if (!r.ok()) return r.error();
  return replay;
}

}  // namespace rival
