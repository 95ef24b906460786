#include "game/batch.hpp"

#include <fmt/format.h>

#include <numeric>

namespace rival {

Result<void> Batch::sound() const {
  if (!failure_) return {};
  return error(*failure_);
}

Error Batch::error(const BatchFailure& failure) const {
  std::string place = fmt::format("game '{}'", spec_.name);
  if (failure.match >= 0) place += fmt::format(", match {}, step {}", failure.match, failure.step);
  if (failure.seat >= 0) place += fmt::format(", seat {}", failure.seat);
  return {place + ": " + failure.what};
}

void Batch::fail(BatchFailure failure) const {
  if (!failure_) failure_ = std::move(failure);
}

void Batch::fail_by_exception(int match, int seat, const std::string& thrower) const {
  std::string what = "something that is no std::exception";
  try {
    throw;
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  fail({match, match < 0 ? 0 : steps(match), seat, thrower + " threw: " + what});
}

SeatSet Batch::playing(int) const {
  return SeatSet::first(spec_.seats);
}

float Batch::result(int, int) const {
  return 0;
}

bool Batch::has_result() const {
  return false;
}

std::string Batch::text(int) const {
  return "";
}

std::string Batch::action_text(int, int, int choice) const {
  return std::to_string(choice);
}

std::string Batch::stage(int) const {
  return "";
}

std::string Batch::scene(int) const {
  return "";
}

bool Batch::copy_match(const Batch&, int, int, std::optional<Key>) {
  return false;
}

bool Batch::observe_seat_as(const RowLayout&, int, int, float*, std::uint8_t*) const {
  return false;
}

std::vector<OptionalMember> Batch::optional_members() const {
  return {};
}

void Batch::start(std::span<const int> matches, const Settings& settings, std::span<const Key> keys) {
  for (int match : matches) note_settings(match, settings);
  start_each(matches, settings, keys);
}

void Batch::start_all(const Settings& settings, Key key) {
  std::vector<int> all(matches_);
  std::iota(all.begin(), all.end(), 0);
  std::vector<Key> keys;
  keys.reserve(all.size());
  for (int m : all) keys.push_back(key.split(static_cast<std::uint64_t>(m)));
  start(all, settings, keys);
}

std::uint64_t Batch::hash(int match) const {
  std::vector<float> observation(layout_.observation_size);
  std::vector<std::uint8_t> mask(layout_.mask_size);
  std::uint64_t h = Key::mix(static_cast<std::uint64_t>(status(match)) + 1);
  const auto add = [&h](std::uint64_t bits) { h = Key::mix(h ^ (bits + Key::kGolden)); };
  const SeatSet acting = to_act(match);
  add(acting.bits());
  const SeatSet playing = this->playing(match);
  add(playing.bits());
  const bool over = status(match) == Status::finished;
  for (int team = 0; over && team < spec_.team_count(); ++team) {
    const float payoff = plays(match, team) ? result(match, team) : 0;
    std::uint32_t bits;
    std::memcpy(&bits, &payoff, sizeof bits);
    add(bits);
  }
  for (int seat = 0; seat < spec_.seats && !over; ++seat) {
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

namespace {

class FailedBatch final : public Batch {
 public:
  FailedBatch(Spec spec, int matches, std::string why) : Batch(std::move(spec), matches) {
    fail({.what = std::move(why)});
  }
  void start_each(std::span<const int>, const Settings&, std::span<const Key>) override {}
  void observe(const ObservationRows& out) const override {
    std::fill_n(out.seats, rows(), static_cast<std::int8_t>(-1));
  }
  void step(const ActionRows&, const StepRows& out) override {
    std::fill_n(out.rewards, matches() * spec().seats, 0.0f);
    std::fill_n(out.status, matches(), Status::truncated);
  }
  void observe_seat(int, int, float* observation, std::uint8_t*) const override {
    std::fill_n(observation, layout().observation_size, 0.0f);
  }
  SeatSet to_act(int) const override { return SeatSet::none(); }
  Status status(int) const override { return Status::truncated; }
};

}  // namespace

std::unique_ptr<Batch> failed_batch(Spec spec, int matches, std::string why) {
  return std::make_unique<FailedBatch>(std::move(spec), matches, std::move(why));
}

}  // namespace rival
