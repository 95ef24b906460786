#include "game/batch.hpp"

#include <numeric>

namespace rival {

void Batch::start_all(const Settings& settings, Key key) {
  std::vector<int> all(static_cast<std::size_t>(matches_));
  std::iota(all.begin(), all.end(), 0);
  std::vector<Key> keys;
  keys.reserve(all.size());
  for (int m : all) keys.push_back(key.split(static_cast<std::uint64_t>(m)));
  start(all, settings, keys);
}

std::uint64_t Batch::hash(int match) const {
  std::vector<float> observation(static_cast<std::size_t>(layout_.observation_size));
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(layout_.mask_size));
  std::uint64_t h = Key::mix(static_cast<std::uint64_t>(status(match)) + 1);
  const auto add = [&h](std::uint64_t bits) { h = Key::mix(h ^ (bits + Key::kGolden)); };
  const SeatSet acting = to_act(match);
  add(acting.bits());
  const SeatSet playing = this->playing(match);
  add(playing.bits());
  for (int seat = 0; seat < spec_.seats; ++seat) {
    if (!playing.contains(seat)) continue;
    observe_seat(match, seat, observation.data(), acting.contains(seat) ? mask.data() : nullptr);
    for (float x : observation) {
      std::uint32_t bits;
      std::memcpy(&bits, &x, sizeof bits);
      add(bits);
    }
    if (acting.contains(seat))
      for (std::uint8_t m : mask) add(m);
  }
  return h;
}

bool Batch::plays(int match, int team) const {
  const SeatSet seats = playing(match);
  for (int seat = 0; seat < spec_.seats; ++seat)
    if (seats.contains(seat) && spec_.team_of(seat) == team) return true;
  return false;
}

std::vector<int> Batch::playing_teams(int match) const {
  std::vector<int> teams;
  for (int team = 0; team < spec_.team_count(); ++team)
    if (plays(match, team)) teams.push_back(team);
  return teams;
}

bool Batch::resample_hidden(int, int, Key) {
  return false;
}

Outcomes Batch::starts(const Settings&) const {
  return {};
}

Outcomes Batch::outcomes(int, const ActionRows&) const {
  return {};
}

std::string Batch::text(int match, int) const {
  return spec().hidden_information ? "" : text(match);
}

}  // namespace rival
