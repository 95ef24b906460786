#include "train/rollout.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "agent/scripted.hpp"
#include "base/index.hpp"
#include "game/match_key.hpp"
#include "match/match.hpp"

namespace rival {
namespace {

constexpr int kNoteEvery = 8;  // steps between those whose observations the normaliser counts

constexpr float kAtRandom = 50;  // a temperature

}  // namespace

Rollout::Rollout(std::unique_ptr<Batch> batch, const Backend& backend, const Network& network,
                 const RolloutOptions& options)
    : batch_(std::move(batch)),
      rows_(*batch_, padded_rows(batch_->rows())),
      random_(random_agent()),
      layout_(batch_->spec()),
      options_(options),
      memory_size_(network.memory_size()),
      stride_(backend.input_stride()),
      observation_size_(network.observation_size()),
      delay_(batch_->matches() * batch_->spec().seats, batch_->layout().observation_size,
             options.limits.reaction_steps),
      hold_(batch_->matches() * batch_->spec().seats, batch_->spec(), options.limits.every),
      sight_(batch_->spec(), options.rules),
      recorder_(layout_, {.matches = batch_->matches(),
                          .seats = batch_->spec().seats,
                          .horizon = options.horizon,
                          .decisions = batch_->rows() * options.horizon + 2 * padded_rows(batch_->rows()) +
                                       batch_->matches() * batch_->spec().seats,
                          .memory = memory_size_,
                          .stride = stride_}),
      alike_(network.alike()) {
  const int matches = batch_->matches(), seats = batch_->spec().seats, room = padded_rows(batch_->rows());
  final_observation_.resize(observation_size_);
  noted_rules_.resize(options.rules.size());
  scratch_masks_.resize(index(room) * layout_.mask_size);
  scratch_choices_.resize(index(room) * layout_.choice_count());
  scratch_raw_.resize(index(room) * layout_.value_count);
  scratch_log_.resize(room);
  scratch_value_.resize(room);
  scratch_inputs_.resize(index(room) * stride_);
  scratch_initial_.resize(room);
  scratch_previous_.assign(room, -1);
  steps_before_.resize(matches);
  states_.resize(index(matches) * (seats * memory_size_));
  returns_.resize(index(matches) * seats);
  episode_number_.resize(matches);
  random_steps_.resize(matches);
  cut_at_.resize(matches);
  exploring_.assign(matches, 0);
  match_term_.assign(matches, -1);
  own_team_.resize(matches);
  noted_columns_.assign(network.normalised().begin(), network.normalised().end());
  seen_.sum.resize(observation_size_);
  seen_.square.resize(observation_size_);
}

void Rollout::start(const MatchSettings& settings, Key key) {
  settings_ = settings;
  key_ = key;
  mean_length_ = 0;
  std::fill(episode_number_.begin(), episode_number_.end(), 0);
  std::vector<int> all(batch_->matches());
  std::iota(all.begin(), all.end(), 0);
  std::vector<Key> keys;
  for (int m : all) keys.push_back(key_.split(static_cast<std::uint64_t>(m)).split(0));
  start_matches(*batch_, all, settings_, keys);
  choose_teams(all);
  std::fill(random_steps_.begin(), random_steps_.end(), 0);
  std::fill(cut_at_.begin(), cut_at_.end(), 0);
  std::fill(states_.begin(), states_.end(), 0.0f);
  std::fill(returns_.begin(), returns_.end(), 0.0f);
  std::fill(match_term_.begin(), match_term_.end(), -1);
  recorder_.clear();
  delay_.clear(0, batch_->matches() * batch_->spec().seats);
  hold_.clear(0, batch_->matches() * batch_->spec().seats);
  for (int m : all) choose_explorer(m, 0, {});
}

void Rollout::choose_explorer(int match, int explorers, Key key) {
  constexpr int kLongest = 7;  // holds of 1, 2, 4... 64 steps
  const bool exploring = match >= batch_->matches() - explorers;
  const int every = exploring ? 1 << Random(draw_key(key, MatchDraw::hold)).below(kLongest) : 1;
  exploring_[match] = exploring;
  for (int seat = 0; seat < batch_->spec().seats; ++seat)
    hold_.set_every(seat_index(match, seat), std::max(every, options_.limits.every));
}

void Rollout::open_match(int match, Key key) {
  Random random(draw_key(key, MatchDraw::opening));
  const int most = static_cast<int>(mean_length_ / 2);
  const bool opening = static_cast<double>(random.uniform()) < options_.opening_share && most > 0;
  random_steps_[match] = opening ? 1 + random.below(most) : 0;
  const bool cut = options_.staggered && episode_number_[match] == 1;
  cut_at_[match] =
      cut ? 1 + Random(draw_key(key, MatchDraw::cut)).below(std::max(1, static_cast<int>(mean_length_))) : 0;
}

void Rollout::note_columns() {
  const std::size_t shown = batch_->layout().observation_size;
  for (int row : rows_.acting()) {
    seen_.rows += 1;
    const float* x = rows_.observation(row);
    sight_.write(*batch_, rows_.match_of(row), noted_rules_.data());
    for (std::size_t i : noted_columns_) {
      const double v = static_cast<double>(i < shown ? x[i] : noted_rules_[i - shown]);
      seen_.sum[i] += v;
      seen_.square[i] += v * v;
    }
    for (const std::vector<int>& columns : alike_) {
      double& sum = seen_.sum[columns.front()];
      double& square = seen_.square[columns.front()];
      for (int c : columns) {
        const double v = std::abs(static_cast<double>(x[c]));
        sum += v, square += v * v;
      }
    }
  }
}

// What the named rows are shown, one after another.
void Rollout::encode(Executor& executor, const ObservationScale& scale, std::span<const int> rows,
                     std::byte* inputs) const {
  for (std::size_t i = 0; i < rows.size();) {  // those that lie together at once
    std::size_t end = i + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    executor.encode(scale, shown_ + index(rows[i]) * observation_size_, static_cast<int>(end - i),
                    inputs + i * index(stride_));
    i = end;
  }
}

// The heads of the first `count` encoded rows, of the players that scratch_initial_ names.
const float* Rollout::forward(Executor& executor, const Policy& policy, const std::byte* inputs, int count) {
  std::fill(scratch_initial_.begin() + count, scratch_initial_.end(), -1);
  const MemoryRows memory{scratch_previous_.data(), scratch_initial_.data(), states_.data()};
  return executor.forward(*policy.weights, inputs, padded_rows(count), memory_size_ ? memory : MemoryRows{});
}

float Rollout::worth(const Policy& policy, const float* heads, std::size_t row) const {
  return policy.value_mean + policy.value_scale * heads[(row + 1) * layout_.head_size() - 1];
}

void Rollout::act(Executor& executor, const Policy& policy, std::span<const int> rows, Key key, Role role) {
  const int count = static_cast<int>(rows.size());
  if (count == 0) return;
  const bool learn = role != Role::opponent, explore = role == Role::explorer;
  const std::size_t mask_size = layout_.mask_size;
  const std::size_t choice_count = layout_.choice_count();
  const std::size_t value_count = layout_.value_count;
  const Recorder::Room out =
      learn ? recorder_.room() : Recorder::Room{scratch_inputs_.data(), scratch_masks_.data(), scratch_choices_.data(),
                                                scratch_raw_.data(),    scratch_log_.data(),   scratch_value_.data()};

  encode(executor, *policy.scale, rows, out.inputs);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(rows_.mask(rows[i]), mask_size, out.masks + i * mask_size);
    scratch_initial_[i] = seat_index(rows_.match_of(rows[i]), rows_.seats[rows[i]]);
  }
  const std::span<const int> players(scratch_initial_.data(), rows.size());
  const float* heads = forward(executor, policy, out.inputs, count);
  sample_actions(layout_, heads, policy.log_std, out.masks, count, key, explore ? kAtRandom : policy.temperature,
                 {out.choices, out.raw, out.log_probability});
  if (explore) {  // what is learnt is how likely the policy itself was to do the same
    for (std::size_t i = 0; i < rows.size() * value_count; ++i) out.raw[i] = std::clamp(out.raw[i], -1.0f, 1.0f);
    log_probabilities(layout_, heads, policy.log_std, out.masks, count, out.choices, out.raw, out.log_probability);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(out.choices + i * choice_count, choice_count, rows_.choices.data() + rows[i] * choice_count);
    if (value_count) scale_values(layout_, out.raw + i * value_count, 1, rows_.value_row(rows[i]));
    out.value[i] = worth(policy, heads, i);
  }
  if (learn) recorder_.take(players, states_, explore);
  if (memory_size_)
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::copy_n(executor.states() + i * memory_size_, memory_size_,
                  states_.data() + index(players[i]) * memory_size_);
}

Result<void> Rollout::act_opponent(Executor& executor, const Opponent& opponent, Key key) {
  if (opponent_rows_.empty()) return {};
  if (opponent.policy) {
    act(executor, *opponent.policy, opponent_rows_, key, Role::opponent);
    return {};
  }
  opponent.agent->act(rows_.decisions(opponent_rows_), key, rows_.choices.data(), rows_.values.data());
  return rows_.take(opponent_rows_, "opponent '" + opponent.agent->name() + "'");
}

void Rollout::choose_teams(std::span<const int> matches) {
  for (int m : matches) {
    const std::vector<int> teams = batch_->playing_teams(m);
    if (!teams.empty()) own_team_[m] = teams[index(m) % teams.size()];
  }
}

Result<void> Rollout::step_matches(Executor& executor, const Policy& policy, const CollectOptions& options, int step) {
  const Spec& spec = batch_->spec();
  const int seats = spec.seats, matches = batch_->matches();
  const auto [rewards, status, stepped] = recorder_.outcome(step);
  for (int m = 0; m < matches; ++m) steps_before_[m] = batch_->steps(m);
  if (Result<void> taken = rows_.step({rewards, status}); !taken) return taken;
  for (int m = 0; m < matches; ++m) {
    stepped[m] = batch_->steps(m) > steps_before_[m];
    int& left = random_steps_[m];
    left -= stepped[m] && left > 0;
  }
  if (options.team_spirit > 0 || options.rivalry > 0)
    for (int m = 0; m < matches; ++m)
      share_rewards(spec, batch_->playing(m), options.team_spirit, options.rivalry,
                    {rewards + seat_index(m, 0), index(seats)});
  for (std::size_t i = 0; i < returns_.size(); ++i) returns_[i] += rewards[i];

  std::vector<int> over;
  for (int m = 0; m < matches; ++m) {
    const std::size_t k = m;
    if (status[m] == Status::running) {
      if (cut_at_[k] == 0 || batch_->steps(m) < cut_at_[k]) continue;
      recorder_.cut(step, m);
      over.push_back(m);
      continue;
    }
    if (status[m] == Status::truncated) {
      // What would have followed is worth the value of where the match was cut.
      for (int seat = 0; seat < seats; ++seat) {
        const int who = seat_index(m, seat);
        if (!recorder_.is_awaiting(who)) continue;
        batch_->observe_seat(m, seat, final_observation_.data(), nullptr);
        sight_.write(*batch_, m, final_observation_.data() + batch_->layout().observation_size);
        executor.encode(*policy.scale, final_observation_.data(), 1, scratch_inputs_.data());
        scratch_initial_[0] = who;
        recorder_.bootstrap(step, who, worth(policy, forward(executor, policy, scratch_inputs_.data(), 1), 0));
      }
    }
    const bool opposed = is_against_opponent(m);
    Episode episode{.step = step,
                    .match = m,
                    .length = batch_->steps(m),
                    .cut = status[m] == Status::truncated,
                    .explorer = exploring_[k] != 0};
    if (opposed && match_term_[k] == term_) {
      episode.term = term_;
      const auto first = returns_.begin() + static_cast<std::ptrdiff_t>(m) * seats;
      const std::vector<double> returns = team_returns(*batch_, m, std::vector<double>(first, first + seats));
      episode.result = place_of(*batch_, m, own_team(m), returns).score();
    }
    float score = 0;
    int learners = 0;
    const SeatSet playing = batch_->playing(m);
    episode.lowest = INFINITY, episode.highest = -INFINITY;
    for (int seat = 0; seat < seats; ++seat) {
      if (!playing.contains(seat)) continue;
      const float seats_return = returns_[seat_index(m, seat)];
      episode.lowest = std::min(episode.lowest, seats_return);
      episode.highest = std::max(episode.highest, seats_return);
      if (!opposed || spec.team_of(seat) == own_team(m)) score += seats_return, ++learners;
    }
    episode.score = score / static_cast<float>(std::max(1, learners));
    episodes_.push_back(episode);
    mean_length_ += (batch_->steps(m) - mean_length_) * (mean_length_ > 0 ? 0.01 : 1.0);
    over.push_back(m);
  }
  if (!over.empty()) start_next(over);
  return {};
}

void Rollout::start_next(const std::vector<int>& places) {
  const int seats = batch_->spec().seats;
  std::vector<Key> keys;
  for (int m : places) {
    const std::size_t k = m;
    match_term_[k] = is_against_opponent(m) ? term_ : -1;
    const int first = seat_index(m, 0);
    std::fill_n(returns_.begin() + first, seats, 0.0f);
    recorder_.new_match(m);
    std::fill_n(states_.begin() + static_cast<std::ptrdiff_t>(first) * memory_size_, seats * memory_size_, 0.0f);
    delay_.clear(first, seats);
    hold_.clear(first, seats);
    keys.push_back(key_.split(static_cast<std::uint64_t>(m)).split(++episode_number_[k]));
    choose_explorer(m, explorers_, keys.back());
    open_match(m, keys.back());
  }
  start_matches(*batch_, places, settings_, keys);
  choose_teams(places);
}

Result<void> Rollout::collect(Executor& executor, const Policy& policy, const Opponent& opponent,
                              const CollectOptions& options, Key key) {
  const Spec& spec = batch_->spec();
  opposed_ = opponent && options_.opponent_matches > 0;
  if (opposed_ && opponent.term != term_) {  // the new opponent remembers nothing of the matches it takes over
    term_ = opponent.term;
    for (int m = batch_->matches() - options_.opponent_matches; m < batch_->matches(); ++m) {
      match_term_[m] = batch_->steps(m) == 0 ? term_ : -1;
      for (int seat = 0; seat < spec.seats; ++seat)
        if (spec.team_of(seat) != own_team(m))
          std::fill_n(states_.begin() + static_cast<std::ptrdiff_t>(seat_index(m, seat)) * memory_size_, memory_size_,
                      0.0f);
    }
  }
  explorers_ = options.explorers;
  episodes_.clear();
  decisions_ = 0;
  seen_.rows = 0;
  std::fill(seen_.sum.begin(), seen_.sum.end(), 0.0);
  std::fill(seen_.square.begin(), seen_.square.end(), 0.0);
  recorder_.begin(states_, [&](int player) {
    const int match = player / spec.seats;
    return !is_against_opponent(match) || spec.team_of(player % spec.seats) == own_team(match);
  });

  for (int step = 0; step <= options.steps; ++step) {
    if (options.stop && (*options.stop)()) return {};
    if (Result<void> shown = rows_.observe(); !shown) return shown;
    learner_rows_.clear(), explorer_rows_.clear(), opponent_rows_.clear(), random_rows_.clear(), deciding_.clear();
    for (int row : rows_.acting()) {
      const int seat = rows_.seats[row], match = rows_.match_of(row);
      if (random_steps_[match] > 0)
        random_rows_.push_back(row);
      else if (is_against_opponent(match) && spec.team_of(seat) != own_team(match))
        opponent_rows_.push_back(row);
      else
        (exploring_[match] ? explorer_rows_ : learner_rows_).push_back(row);
    }
    shown_ = rows_.observations.data();
    if (options_.limits.any() || sight_.size() > 0) {
      std::vector<int> seeing = learner_rows_;
      seeing.insert(seeing.end(), explorer_rows_.begin(), explorer_rows_.end());
      if (!opponent.agent) seeing.insert(seeing.end(), opponent_rows_.begin(), opponent_rows_.end());
      if (options_.limits.any()) shown_ = delay_.delayed(rows_.decisions(seeing));
      shown_ = sight_.rows(*batch_, seeing, shown_);
    }
    recorder_.start_step(step);
    if (step == options.steps) {  // in bootstrap_end() they are all who learn from what they did
      learner_rows_.insert(learner_rows_.end(), explorer_rows_.begin(), explorer_rows_.end());
      std::sort(learner_rows_.begin(), learner_rows_.end());
      break;
    }
    const auto keep_deciding = [&](std::vector<int>& rows) {
      deciding_.clear();
      hold_.split(rows_.decisions(rows), deciding_, rows_.choices.data(), rows_.values.data());
      rows = deciding_;
    };
    keep_deciding(explorer_rows_);
    if (options_.limits.any()) {
      keep_deciding(learner_rows_);
      if (!opponent.agent) keep_deciding(opponent_rows_);
    }
    if (step % kNoteEvery == 0) note_columns();
    const Key step_key = key.split(static_cast<std::uint64_t>(step));
    act(executor, policy, learner_rows_, step_key.split(0), Role::learner);
    act(executor, policy, explorer_rows_, step_key.split(3), Role::explorer);
    if (Result<void> acted = act_opponent(executor, opponent, step_key.split(1)); !acted) return acted;
    random_->act(rows_.decisions(random_rows_), step_key.split(2), rows_.choices.data(), rows_.values.data());
    const auto hold = [&](std::span<const int> rows) {
      hold_.decided(rows_.decisions(rows), rows, rows_.choices.data(), rows_.values.data());
    };
    hold(explorer_rows_);
    if (options_.limits.any()) {
      hold(learner_rows_);
      if (!opponent.agent) hold(opponent_rows_);
    }
    decisions_ += static_cast<std::int64_t>(learner_rows_.size() + explorer_rows_.size() + opponent_rows_.size());
    if (auto ok = step_matches(executor, policy, options, step); !ok) return ok;
  }
  bootstrap_end(executor, policy, options.steps);
  recorder_.finish(options.steps, options.discount, options.lambda, spec.simultaneous);
  return {};
}

// The values of the observations at the end, of the learner's seats that are to act. The states do not advance.
void Rollout::bootstrap_end(Executor& executor, const Policy& policy, int steps) {
  const int count = static_cast<int>(learner_rows_.size());
  if (count == 0) return;
  for (std::size_t i = 0; i < learner_rows_.size(); ++i)
    scratch_initial_[i] = seat_index(rows_.match_of(learner_rows_[i]), rows_.seats[learner_rows_[i]]);
  encode(executor, *policy.scale, learner_rows_, scratch_inputs_.data());
  const float* heads = forward(executor, policy, scratch_inputs_.data(), count);
  for (std::size_t i = 0; i < learner_rows_.size(); ++i)
    recorder_.bootstrap(steps, scratch_initial_[i], worth(policy, heads, i));
}

}  // namespace rival
