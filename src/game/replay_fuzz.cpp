// Replays from anywhere: no crash in reading or playing, and what is read survives being written and read again.
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.hpp"
#include "base/hash.hpp"
#include "game/replay.hpp"

namespace rival {
namespace {

// Two seats count to ten, at once or in turn; one of the three choices is only allowed later, and only with another is
// there a second part.
struct Count {
  static Spec spec() {
    return {.name = "count",
            .description = "",
            .source = "",
            .seats = 2,
            .observation = {ObservationPart::vector("count", 1)},
            .action = {ActionPart::discrete("add", 3), ActionPart::continuous("push", 1, -1, 1),
                       ActionPart::discrete("more", 4).when(0, {1})},
            .parameters = {{"goal", 10, 1, 20, ""}},
            .choices = {{"side", {"left", "right"}}},
            .data = {{"field", 1}},
            .simultaneous = true,
            .max_steps = 0};
  }
  void reset(const Settings& settings, Key key) { *this = {Random(key).below(2), settings.parameters[0]}; }
  SeatSet to_act() const { return count % 3 == 2 ? SeatSet::one(1) : SeatSet::first(2); }
  void observe(int, Observation out) const { out[0] = static_cast<float>(count); }
  void legal(int, Mask mask) const {
    mask.allow(0);
    mask.allow(1);
    if (count > 3) mask.allow(2);
    for (int more = 0; more < 4; ++more) mask.allow(2, more);
  }
  void step(const Actions& actions, Key, Rewards) {
    count +=
        actions.choice(1) + (actions.value(1, 1) > 0 ? 1 : 0) + (actions.choice(1) == 1 ? actions.choice(1, 2) : 0);
  }
  Status status() const { return static_cast<float>(count) < goal ? Status::running : Status::finished; }

  int count = 0;
  float goal = 10;
};

void read(std::span<const std::byte> bytes) {
  Result<Replay> read = parse_replay(bytes);
  if (!read) {
    check(!read.error().message.empty(), "an error says something");
    return;
  }
  Replay& replay = read.value();
  check(replay.acting.size() <= 4 * bytes.size() && replay.hashes.size() <= bytes.size() &&
            replay.rules.size() <= bytes.size() && replay.settings.picks.size() <= bytes.size(),
        "memory is bounded by the file");
  const std::vector<std::byte> written = serialize(replay);
  const Result<Replay> again = parse_replay(written);
  check(again.ok() && serialize(again.value()) == written, "what is written can be read, and is the same");
  // As if the file had named the right game and its first state, so that its actions are tried.
  const int match = 0;
  replay.game = Count::spec().name;
  replay.rules = rule_sections(Count::spec());
  if (replay.settings.parameters.size() == 1) {
    BatchOf<Count> batch(1);
    batch.start({&match, 1}, replay.settings, {&replay.key, 1});
    const std::uint64_t hash = batch.hash(0);
    replay.hashes[0] = static_cast<std::uint32_t>(hash ^ (hash >> 32));
  }
  (void)verify_replay(replay, &BatchOf<Count>::make).ok();
}

}  // namespace
}  // namespace rival

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  rival::read({bytes, size});
  // The same with the checksum that belongs to it.
  std::vector<std::byte> sealed(bytes, bytes + size);
  const std::uint64_t hash = rival::fnv1a(sealed);
  for (int i = 0; i < 8; ++i) sealed.push_back(static_cast<std::byte>(hash >> (8 * i)));
  rival::read(sealed);
  return 0;
}
