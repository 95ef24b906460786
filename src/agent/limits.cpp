#include "agent/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/index.hpp"

namespace rival {
namespace {

constexpr double kMaxReactionMs = 10'000;

int player_of(const Decisions& decisions, int row) {
  return row / decisions.batch->rows_per_match() * decisions.batch->spec().seats + decisions.seats[row];
}

int step_of(const Decisions& decisions, int row) {
  return decisions.batch->steps(row / decisions.batch->rows_per_match());
}

// Rounded up, but not for what rounding has added to a whole number.
int steps_in(double seconds, double seconds_per_step) {
  return static_cast<int>(std::ceil(seconds / seconds_per_step * (1 - 1e-6)));
}

}  // namespace

Result<Limits> limits_for(const Spec& spec, double reaction_ms, double actions_per_minute) {
  const double per_step = static_cast<double>(spec.seconds_per_step);
  if (!(reaction_ms >= 0 && reaction_ms <= kMaxReactionMs))
    return Error{fmt::format("a reaction time must be 0 to {:.0f} milliseconds, is {}", kMaxReactionMs, reaction_ms)};
  if (actions_per_minute != 0 && !(actions_per_minute >= 1 && std::isfinite(actions_per_minute)))
    return Error{fmt::format("actions a minute must be 1 or more, or 0 for any number of them; they are {}",
                             actions_per_minute)};
  Limits limits;
  if (reaction_ms == 0 && actions_per_minute == 0) return limits;
  if (per_step <= 0)
    return Error{
        fmt::format("game '{}' is played in turns, not in real time (its Spec has no seconds_per_step), so a "
                    "player's reaction time and actions a minute cannot be limited",
                    spec.name)};
  limits.reaction_steps = steps_in(reaction_ms / 1000, per_step);
  if (actions_per_minute > 0) limits.every = std::max(1, steps_in(60 / actions_per_minute, per_step));
  return limits;
}

DelayLine::DelayLine(int players, int observation_size, int delay) : size_(observation_size), delay_(delay) {
  check(delay >= 0, "a delay is 0 or more");
  if (delay == 0) return;
  rows_.resize(index(players) * index(delay + 1) * size_);
  steps_.resize(index(players) * index(delay + 1));
  shown_.resize(players);
}

void DelayLine::clear(int first_player, int count) {
  if (delay_ > 0) std::fill_n(shown_.begin() + first_player, count, 0);
}

const float* DelayLine::shown(int player, int step, const float* observation) {
  if (delay_ == 0) return observation;
  const int length = delay_ + 1;
  const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(player) * length;
  int& shown = shown_[player];
  const auto at = [&](int i) { return index(first + i % length); };
  if (shown == 0 || steps_[at(shown - 1)] != step) {
    check(shown == 0 || steps_[at(shown - 1)] < step, "a player is shown an earlier step; was the match's start told?");
    if (shown == 2 * length) shown = length;  // the same places in the ring
    ++shown;
  }
  steps_[at(shown - 1)] = step;
  std::copy_n(observation, size_, rows_.data() + at(shown - 1) * index(size_));
  int i = shown - 1;
  while (i > std::max(0, shown - length) && steps_[at(i)] > step - delay_) --i;
  return rows_.data() + at(i) * index(size_);
}

const float* DelayLine::delayed(const Decisions& decisions) {
  if (delay_ == 0) return decisions.observations;
  batch_.resize(index(decisions.batch->rows()) * size_);
  for (int row : decisions.rows) {
    const std::size_t offset = index(row) * size_;
    std::copy_n(shown(player_of(decisions, row), step_of(decisions, row), decisions.observations + offset), size_,
                batch_.data() + offset);
  }
  return batch_.data();
}

ActionHold::ActionHold(int players, const Spec& spec, int every)
    : layout_(spec),
      every_(index(players), every),
      next_(index(players), 0),
      choices_(index(players) * layout_.choice_count()),
      values_(index(players) * layout_.value_count) {
  check(every >= 1, "a decision is made every step or more seldom");
}

void ActionHold::clear(int first_player, int count) {
  std::fill_n(next_.begin() + first_player, count, 0);
}

void ActionHold::set_every(int player, int every) {
  check(every >= 1, "a decision is made every step or more seldom");
  every_[player] = every;
}

bool ActionHold::still_allowed(const std::int32_t* action, const std::uint8_t* mask, std::int32_t* now) const {
  for (int part = 0; part < layout_.choice_count(); ++part) {
    const std::uint8_t* m = mask + layout_.column[part];
    const int size = layout_.discrete[part];
    if (layout_.counts(part, action)) {
      if (!m[action[part]]) return false;
      now[part] = action[part];
    } else {
      const std::uint8_t* allowed = std::find_if(m, m + size, [](std::uint8_t a) { return a != 0; });
      now[part] = allowed == m + size ? 0 : static_cast<std::int32_t>(allowed - m);
    }
  }
  return true;
}

void ActionHold::split(const Decisions& decisions, std::vector<int>& deciding, std::int32_t* choices,
                       float* values) const {
  const int parts = layout_.choice_count(), value_count = layout_.value_count;
  for (int row : decisions.rows) {
    const std::size_t player = player_of(decisions, row);
    if (step_of(decisions, row) >= next_[player] ||
        !still_allowed(choices_.data() + player * index(parts), decisions.masks + index(row) * layout_.mask_size,
                       choices + index(row) * parts)) {
      deciding.push_back(row);
      continue;
    }
    std::copy_n(values_.data() + player * index(value_count), value_count, values + index(row) * value_count);
  }
}

void ActionHold::decided(const Decisions& decisions, std::span<const int> rows, const std::int32_t* choices,
                         const float* values) {
  const int parts = layout_.choice_count(), value_count = layout_.value_count;
  for (int row : rows) {
    const std::size_t player = player_of(decisions, row);
    next_[player] = step_of(decisions, row) + every_[player];
    std::copy_n(choices + index(row) * parts, parts, choices_.data() + player * index(parts));
    std::copy_n(values + index(row) * value_count, value_count, values_.data() + player * index(value_count));
  }
}

LimitedAgent::LimitedAgent(std::unique_ptr<Agent> agent, const Spec& spec, Limits limits)
    : agent_(std::move(agent)), spec_(spec), layout_(spec), limits_(limits) {}

Decisions LimitedAgent::limited(const Decisions& decisions, std::int32_t* choices, float* values) {
  if (matches_ != decisions.batch->matches()) {
    matches_ = decisions.batch->matches();
    const int players = matches_ * spec_.seats;
    delay_ = std::make_unique<DelayLine>(players, decisions.batch->layout().observation_size, limits_.reaction_steps);
    hold_ = std::make_unique<ActionHold>(players, spec_, limits_.every);
  }
  Decisions seen = decisions;
  seen.observations = delay_->delayed(decisions);
  deciding_.clear();
  hold_->split(seen, deciding_, choices, values);
  seen.rows = deciding_;
  return seen;
}

void LimitedAgent::act(const Decisions& decisions, Key key, std::int32_t* choices, float* values) {
  const Decisions seen = limited(decisions, choices, values);
  if (seen.rows.empty()) return;
  agent_->act(seen, key, choices, values);
  hold_->decided(seen, seen.rows, choices, values);
}

bool LimitedAgent::probabilities(const Decisions& decisions, float* probabilities) {
  const std::size_t rows = decisions.batch->rows();
  choices_.resize(rows * index(layout_.choice_count()));
  values_.resize(rows * index(layout_.value_count));
  const Decisions seen = limited(decisions, choices_.data(), values_.data());
  if (!agent_->probabilities(seen, probabilities)) return false;
  for (int row : decisions.rows) {
    if (std::binary_search(deciding_.begin(), deciding_.end(), row)) continue;
    float* p = probabilities + index(row) * layout_.mask_size;
    std::fill_n(p, layout_.mask_size, 0.0f);
    for (int part = 0; part < layout_.choice_count(); ++part)
      p[layout_.column[part] + choices_[index(row) * layout_.choice_count() + index(part)]] = 1;
  }
  return true;
}

void LimitedAgent::match_started(int match) {
  agent_->match_started(match);
  if (match >= matches_) return;
  delay_->clear(match * spec_.seats, spec_.seats);
  hold_->clear(match * spec_.seats, spec_.seats);
}

}  // namespace rival
