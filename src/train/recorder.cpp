#include "train/recorder.hpp"

#include <algorithm>

#include "base/index.hpp"

namespace rival {
namespace {

// Instead of a player's last sample: none yet in this collection, or none in this match.
constexpr int kFirst = -1, kNew = -2;

}  // namespace

Recorder::Recorder(const HeadLayout& layout, const Size& size) : layout_(layout), size_(size) {
  const std::size_t decisions = size.decisions, horizon = size.horizon;
  const std::size_t players = index(size.matches) * size.seats;
  samples_.inputs.resize(decisions * size.stride);
  samples_.masks.resize(decisions * layout.mask_size);
  samples_.choices.resize(decisions * layout.choice_count());
  samples_.raw.resize(decisions * layout.value_count);
  for (auto* column : {&samples_.log_probability, &samples_.value, &samples_.advantage, &samples_.target})
    column->resize(decisions);
  for (auto* column : {&samples_.previous, &samples_.player, &samples_.initial}) column->resize(decisions);
  explored_.resize(decisions);
  first_at_.resize(horizon + 1);
  rewards_.resize(horizon * players);
  status_.resize(horizon * size.matches);
  stepped_.resize(status_.size());
  last_sample_.resize(players);
  states_before_.resize(players * size.memory);
}

void Recorder::begin(std::span<const float> states, const std::function<bool(int)>& learns) {
  Samples& s = samples_;
  const auto move = [](auto& column, int from, int to, int width) {
    std::copy_n(column.begin() + std::ptrdiff_t{from} * width, width, column.begin() + std::ptrdiff_t{to} * width);
  };
  bootstraps_.clear();
  cuts_.clear();
  std::fill(last_sample_.begin(), last_sample_.end(), kFirst);
  s.initial_states.assign(states.begin(), states.end());
  s.count = 0;
  for (WaitingDecision& waiting : waiting_) {
    const int from = waiting.decision, to = s.count, who = s.player[from];
    if (!learns(who)) continue;
    if (from != to) {
      move(s.inputs, from, to, size_.stride);
      move(s.masks, from, to, layout_.mask_size);
      move(s.choices, from, to, layout_.choice_count());
      move(s.raw, from, to, layout_.value_count);
      for (auto* column : {&s.log_probability, &s.value}) move(*column, from, to, 1);
      move(explored_, from, to, 1);
      move(s.player, from, to, 1);
    }
    s.previous[to] = -1;
    s.initial[to] = who;
    const std::ptrdiff_t state = std::ptrdiff_t{who} * size_.memory;
    std::copy_n(states_before_.begin() + state, size_.memory, s.initial_states.begin() + state);
    last_sample_[who] = to;
    waiting_[to] = {to, waiting.reward, waiting.weight};
    ++s.count;
  }
  waiting_.resize(s.count);
}

Recorder::Room Recorder::room() {
  Samples& s = samples_;
  const std::size_t first = s.count;
  return {s.inputs.data() + first * size_.stride,
          s.masks.data() + first * layout_.mask_size,
          s.choices.data() + first * layout_.choice_count(),
          s.raw.data() + first * layout_.value_count,
          s.log_probability.data() + first,
          s.value.data() + first};
}

void Recorder::take(std::span<const int> players, std::span<const float> states, bool explored) {
  Samples& s = samples_;
  for (int who : players) {
    const int sample = s.count++;
    int& last = last_sample_[who];
    s.player[sample] = who;
    s.previous[sample] = last >= 0 ? last : -1;
    s.initial[sample] = last == kFirst ? who : -1;
    last = sample;
    explored_[sample] = explored;
    const std::ptrdiff_t state = std::ptrdiff_t{who} * size_.memory;
    std::copy_n(states.begin() + state, size_.memory, states_before_.begin() + state);
  }
}

Recorder::Outcome Recorder::outcome(int step) {
  const std::size_t first = index(step) * size_.matches;
  return {rewards_.data() + first * size_.seats, status_.data() + first, stepped_.data() + first};
}

void Recorder::new_match(int match) {
  std::fill_n(last_sample_.begin() + std::ptrdiff_t{match} * size_.seats, size_.seats, kNew);
}

void Recorder::finish(int steps, float discount, float lambda, bool wait) {
  Samples& s = samples_;
  waiting_ = generalised_advantages({.steps = steps,
                                     .matches = size_.matches,
                                     .seats = size_.seats,
                                     .rewards = rewards_,
                                     .status = status_,
                                     .stepped = stepped_,
                                     .cuts = cuts_,
                                     .bootstraps = bootstraps_,
                                     .player = s.player,
                                     .value = s.value,
                                     .explored = explored_,
                                     .first_at = first_at_,
                                     .waiting = waiting_},
                                    discount, lambda, std::span(s.advantage).first(s.count));
  if (!wait) waiting_.clear();
  for (int i = 0; i < s.count; ++i) s.target[i] = s.value[i] + s.advantage[i];
}

}  // namespace rival
