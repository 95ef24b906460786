#include "game/conformance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/index.hpp"
#include "base/number.hpp"
#include "base/program.hpp"
#include "game/replay.hpp"
#include "game/rows.hpp"

namespace rival {
namespace {

using Verdict = ConformanceCheck::Verdict;

constexpr int kUnknownBound = 20'000;  // steps of a match where Spec::max_steps gives none
constexpr int kPadding = 64;           // guard cells on both sides of a row
constexpr float kScale = 100;
constexpr float kLargeReward = 1e6f;
constexpr int kQuickSteps = 64;
constexpr int kEnough = 10;  // matches, or sights, to say that all are alike
constexpr float kGuard = -9.25e33f;
constexpr std::uint8_t kMaskGuard = 0xa5;

std::string number(double value) {
  return with_digits(value, 6);
}

// Actions of one match, a step after the other, all its rows.
struct ActionLog {
  std::vector<std::int32_t> choices;
  std::vector<float> values;
};

struct Played {
  Key key;
  ActionLog actions;
  int steps = 0;
  std::uint64_t last_hash = 0;
};

class Kit {
 public:
  Kit(const BatchFactory& factory, Key key, int matches, const Settings& settings)
      : factory_(factory),
        key_(key),
        matches_(matches),
        settings_(settings),
        batch_(factory(1)),
        copy_(factory(1)),
        spec_(batch_->spec()) {
    report_.game = spec_.name;
    add("spec", "the Spec makes sense");
    add("members", "which optional members there are");
    add("exceptions", "no member throws");
    add("to act", "somebody acts while a match runs; seats exist; one at a time in turn-based games");
    add("masks", "masks hold 0 and 1, and always allow something");
    add("observations", "observations are finite and stay within their row");
    add("entities", "rows of entities begin with 1, and are zero where there is none");
    add("scale", "observations are of order 1");
    add("rewards", "rewards are finite");
    add("ending", "every match ends");
    add("results", "results are finite");
    add("copies", "a copy plays on alike and apart");
    add("same keys", "the same key and actions give the same match");
    add("chance", "what the key decides");
    add("replay", "a match survives recording, writing, reading and replaying");
    add("parameters", "the rules hold at both ends of every parameter");
    add("hidden", "no seat sees what it must not");
  }

  // Plays the beginning of one match only.
  void hurry() {
    hurried_ = true;
    matches_ = 1;
  }

  ConformanceReport run() {
    if (Result<void> valid = validate(spec_); !valid) {
      fail("spec", valid.error().message);
      return report_;
    }
    touch("spec");
    touch("exceptions");
    list_members();
    settings_ = with_defaults(spec_, std::move(settings_));
    play_matches();
    if (report_.passed() && !hurried_) {
      check_batch();
      check_chance();
      check_parameters();
    }
    conclude();
    return report_;
  }

 private:
  // ---- the report ----

  void add(const char* name, const char* what) { report_.checks.push_back({name, what, Verdict::skipped, ""}); }
  ConformanceCheck& find(const std::string& name) {
    return *std::find_if(report_.checks.begin(), report_.checks.end(),
                         [&](const ConformanceCheck& c) { return c.name == name; });
  }
  void touch(const std::string& name) {
    ConformanceCheck& check = find(name);
    if (check.verdict == Verdict::skipped) check.verdict = Verdict::passed;
  }
  void note(const std::string& name, const std::string& message) {
    touch(name);
    if (ConformanceCheck& check = find(name); check.message.empty()) check.message = message;
  }
  void warn(const std::string& name, const std::string& message) {
    ConformanceCheck& check = find(name);
    if (check.verdict == Verdict::failed || check.verdict == Verdict::warning) return;
    check.verdict = Verdict::warning;
    check.message = message;
  }
  bool fail(const std::string& name, const std::string& message) {
    ConformanceCheck& check = find(setting_.empty() ? name : "parameters");
    if (check.verdict == Verdict::failed) return false;
    check.verdict = Verdict::failed;
    check.message = setting_.empty() ? message : "with " + setting_ + ": " + name + ": " + message;
    return false;
  }
  std::string where(int seat = -1) const {
    return seat < 0 ? fmt::format("match {}, step {}: ", match_, step_)
                    : fmt::format("match {}, step {}, seat {}: ", match_, step_, seat);
  }

  // Whether none of the rules' members has thrown.
  bool sound(const Batch& batch) {
    const std::optional<BatchFailure>& failure = batch.failure();
    return !failure || fail("exceptions", where(failure->seat) + failure->what);
  }

  void list_members() {
    std::string found, missing;
    for (const OptionalMember& member : batch_->optional_members()) {
      std::string& list = member.found ? found : missing;
      list += (list.empty() ? "" : ", ") + std::string(member.name);
      if (member.found && member.name == std::string("resample_hidden") && !spec_.hidden_information)
        fail("hidden",
             "there is resample_hidden(), but the Spec says that nothing is hidden, and play would be trained "
             "accordingly; set Spec::hidden_information");
    }
    if (found.empty() && missing.empty()) return;
    note("members", (found.empty() ? "no optional one" : found) + (missing.empty() ? "" : "; not there: " + missing));
  }

  // ---- one match ----

  // What `seat` sees in match 0 of `batch`, between guard cells.
  struct View {
    std::vector<float> observation;
    std::vector<std::uint8_t> mask;
  };
  View view(const Batch& batch, int seat, bool with_mask) const {
    const RowLayout& layout = batch.layout();
    View v;
    v.observation.assign(layout.observation_size + 2 * kPadding, kGuard);
    v.mask.assign(layout.mask_size + 2 * kPadding, kMaskGuard);
    batch.observe_seat(0, seat, v.observation.data() + kPadding, with_mask ? v.mask.data() + kPadding : nullptr);
    return v;
  }

  // What is written to one part must not end up in the next: the same row again with guard cells between its parts.
  void check_parts(int seat, const View& together, bool acting) {
    RowLayout apart = batch_->layout();
    const auto spread = [](std::vector<int>& offsets, int& size, auto width) {
      int gaps = 0;
      for (std::size_t p = 0; p < offsets.size(); ++p) {
        offsets[p] += gaps;
        if (width(p) > 0) gaps += kPadding;
      }
      size += gaps;
    };
    const auto cells = [this](std::size_t p) { return spec_.observation[p].size(); };
    const auto choices = [this](std::size_t p) { return spec_.action[p].is_choice() ? spec_.action[p].size : 0; };
    spread(apart.observation_offset, apart.observation_size, cells);
    spread(apart.mask_offset, apart.mask_size, choices);
    std::vector<float> row(apart.observation_size);
    std::vector<std::uint8_t> mask(apart.mask_size);
    if (!batch_->observe_seat_as(apart, 0, seat, row.data(), acting ? mask.data() : nullptr)) return;
    // A row written from its first cell to its last, whatever the parts, is well written too.
    const float* whole = together.observation.data() + kPadding;
    const int size = batch_->layout().observation_size;
    const auto in_gap = [](const auto& cells_of_row, int first) {
      return std::any_of(cells_of_row.begin() + first, cells_of_row.begin() + first + kPadding,
                         [](auto cell) { return cell != 0; });
    };
    if (!std::equal(whole, whole + size, row.begin()))
      for (std::size_t p = 0; p + 1 < spec_.observation.size(); ++p)
        if (in_gap(row, apart.observation_offset[p] + cells(p)))
          warn("observations",
               fmt::format("{}what is written to observation part '{}' goes beyond its {} values, into the next part",
                           where(seat), spec_.observation[p].name, cells(p)));
    for (std::size_t p = 0; p < spec_.action.size() && acting; ++p)
      if (choices(p) > 0 && apart.mask_offset[p] + choices(p) + kPadding < apart.mask_size &&
          in_gap(mask, apart.mask_offset[p] + choices(p)))
        fail("masks", fmt::format("{}the mask of action part '{}' is written beyond its {} choices, into the next part",
                                  where(seat), spec_.action[p].name, choices(p)));
  }

  void check_entities(int seat, std::size_t p, const float* row) {
    touch("entities");
    const ObservationPart& part = spec_.observation[p];
    for (int e = 0; e < part.count(); ++e, row += part.features()) {
      const bool others = std::any_of(row + 1, row + part.features(), [](float x) { return x != 0; });
      if (row[0] == 1 || (row[0] == 0 && !others)) continue;
      warn("entities",
           fmt::format("{}row {} of '{}' begins with {}{}", where(seat), e, part.name, number(row[0]),
                       row[0] == 0 ? ", which means that there is no entity, but other numbers of it are set"
                                   : "; the first number of an entity is 1, that of a row without one 0"));
    }
  }

  bool check_seats() {
    touch("to act");
    const SeatSet acting = batch_->to_act(0), playing = batch_->playing(0);
    if (playing != playing_)
      return fail("to act", where() + "playing() has changed since the match began; it must stay the same to the end");
    for (int seat = 0; seat < spec_.seats; ++seat)
      if (acting.contains(seat) && !playing.contains(seat))
        return fail("to act", where(seat) + "is to act, but playing() leaves it out of the match");
    if (acting.empty()) return fail("to act", where() + "nobody is to act, but the match is running");
    for (int seat = spec_.seats; seat < 64; ++seat)
      if (acting.contains(seat))
        return fail("to act",
                    fmt::format("{}seat {} is to act, but there are only {} seats", where(), seat, spec_.seats));
    if (!spec_.simultaneous && acting.count() > 1)
      return fail("to act", fmt::format("{}{} seats are to act at once; set Spec::simultaneous if that is meant",
                                        where(), acting.count()));
    return true;
  }

  bool check_observation(int seat, const View& v) {
    touch("observations");
    touch("scale");
    const RowLayout& layout = batch_->layout();
    const float* row = v.observation.data() + kPadding;
    for (std::size_t p = 0; p < spec_.observation.size(); ++p) {
      const ObservationPart& part = spec_.observation[p];
      for (int i = 0; i < part.size(); ++i) {
        const float x = row[layout.observation_offset[p] + i];
        const auto place = [&] { return fmt::format("{}observation part '{}', index {}", where(seat), part.name, i); };
        if (!std::isfinite(x)) return fail("observations", place() + " is " + number(x));
        if (std::fabs(x) > kScale) warn("scale", place() + " is " + number(x) + "; scale it to order 1");
      }
      if (part.kind == ObservationPart::Kind::entities) check_entities(seat, p, row + layout.observation_offset[p]);
    }
    const std::vector<float> seen(row, row + layout.observation_size);
    if (first_seen_.empty()) first_seen_ = seen;
    sights_differ_ = sights_differ_ || seen != first_seen_;
    ++sights_;
    for (int i = 0; i < kPadding; ++i)
      if (row[-1 - i] != kGuard || row[layout.observation_size + i] != kGuard)
        return fail("observations", fmt::format("{}observe() writes outside its row of {} values", where(seat),
                                                layout.observation_size));
    return true;
  }

  bool check_mask(int seat, const View& v) {
    touch("masks");
    const RowLayout& layout = batch_->layout();
    const std::uint8_t* row = v.mask.data() + kPadding;
    for (std::size_t p = 0; p < spec_.action.size(); ++p) {
      const ActionPart& part = spec_.action[p];
      if (!part.is_choice()) continue;
      const auto place = [&] { return where(seat) + "action part '" + part.name + "'"; };
      int allowed = 0;
      for (int c = 0; c < part.size; ++c) {
        const int byte = row[layout.mask_offset[p] + c];
        if (byte > 1)
          return fail("masks", fmt::format("{}, choice {}: the mask is {}, must be 0 or 1", place(), c, byte));
        allowed += byte;
      }
      if (allowed == 0) return fail("masks", place() + ": no choice is allowed");
    }
    for (int i = 0; i < kPadding; ++i)
      if (row[-1 - i] != kMaskGuard || row[layout.mask_size + i] != kMaskGuard)
        return fail("masks",
                    fmt::format("{}legal() writes outside its mask of {} choices", where(seat), layout.mask_size));
    return true;
  }

  void choose(const View& v, Random& random, std::int32_t* choices, float* values) const {
    const RowLayout& layout = batch_->layout();
    for (std::size_t p = 0; p < spec_.action.size(); ++p) {
      const ActionPart& part = spec_.action[p];
      if (part.is_choice()) {
        const std::uint8_t* mask = v.mask.data() + kPadding + layout.mask_offset[p];
        int pick = random.below(static_cast<int>(std::count(mask, mask + part.size, 1))), choice = 0;
        while (!mask[choice] || pick-- > 0) ++choice;
        choices[layout.choice_index[p]] = choice;
      } else {
        for (int i = 0; i < part.size; ++i) {
          const int kind = random.below(8);  // now and then the ends of the range
          values[layout.value_offset[p] + i] = kind == 0   ? part.low
                                               : kind == 1 ? part.high
                                                           : random.uniform(part.low, part.high);
        }
      }
    }
  }

  void check_hidden(Random& random) {
    if (!spec_.hidden_information) return;
    const SeatSet acting = batch_->to_act(0);
    for (int seat = 0; seat < spec_.seats; ++seat) {
      if (!playing_.contains(seat)) continue;
      if (!copy_->copy_match(*batch_, 0, 0) || !copy_->resample_hidden(0, seat, Key(random.next()))) {
        warn("hidden", "not checked: the game has no resample_hidden()");
        return;
      }
      if (!sound(*copy_)) return;
      touch("hidden");
      if (copy_->to_act(0) != acting || copy_->status(0) != batch_->status(0)) {
        fail("hidden", where(seat) + "redrawing what the seat cannot know changes who is to act");
        continue;
      }
      const View before = view(*batch_, seat, acting.contains(seat)), after = view(*copy_, seat, acting.contains(seat));
      const RowLayout& layout = batch_->layout();
      for (std::size_t p = 0; p < spec_.observation.size(); ++p)
        for (int i = 0; i < spec_.observation[p].size(); ++i) {
          const std::size_t cell = kPadding + layout.observation_offset[p] + i;
          if (before.observation[cell] != after.observation[cell])
            fail("hidden",
                 fmt::format("{}sees what is hidden: observation part '{}', index {} changes from {} to {} when the "
                             "hidden state is redrawn",
                             where(seat), spec_.observation[p].name, i, number(before.observation[cell]),
                             number(after.observation[cell])));
        }
      if (before.mask != after.mask) fail("hidden", where(seat) + "the mask gives away what is hidden");
      redrawn_ = redrawn_ || copy_->hash(0) != batch_->hash(0);
    }
  }

  void check_results() {
    if (!batch_->has_result() || batch_->status(0) != Status::finished) return;
    touch("results");
    double sum = 0;
    std::vector<float> all;
    for (int team : batch_->playing_teams(0)) {
      const float result = batch_->result(0, team);
      if (!std::isfinite(result)) {
        fail("results", fmt::format("{}the result of team {} is {}", where(), team, number(result)));
        return;
      }
      sum += result;
      all.push_back(result);
    }
    if (first_results_.empty()) first_results_ = all;
    results_differ_ = results_differ_ || all != first_results_;
    if (spec_.team_count() != 2) return;
    if (!results_sum_) results_sum_ = sum;
    if (std::fabs(sum - *results_sum_) > 1e-4 * std::max(1.0, std::fabs(*results_sum_)))
      warn("results",
           fmt::format(
               "{}the teams' results sum to {}, in an earlier match to {}: each team is trained for its own, and "
               "ratings count who has more. That is right for payoffs; where a match is won, drawn or lost, a "
               "draw must be worth the mean of the other two",
               where(), number(sum), number(*results_sum_)));
  }

  // Plays match `match_` to its end with random actions. False if it had to stop.
  bool play(const Settings& settings, Key match_key, Random random, Played& played, Replay* replay) {
    const RowLayout& layout = batch_->layout();
    const int zero = 0;
    batch_->start({&zero, 1}, settings, {&match_key, 1});
    step_ = 0;
    played.key = match_key;
    const std::size_t rows = batch_->rows();
    const auto choices = rows * index(layout.choice_count);
    const auto values = rows * index(layout.value_count);
    std::vector<float> rewards(spec_.seats), copy_rewards(rewards);
    ReplayRecorder recorder(*batch_, 0, match_key, replay ? 1 : kUnknownBound);
    const int bound = spec_.max_steps > 0 ? spec_.max_steps : kUnknownBound;
    touch("ending");
    if (!sound(*batch_)) return false;
    playing_ = batch_->playing(0);
    if (playing_.empty()) return fail("to act", where() + "playing() is empty: nobody takes part in the match");
    if (batch_->status(0) != Status::running) return fail("ending", where() + "the match is over before anybody acted");
    while (batch_->status(0) == Status::running) {
      if (hurried_ && step_ == kQuickSteps) return true;
      if (step_ == bound)
        return fail("ending",
                    fmt::format("{}the match is still running after {} steps{}", where(), bound,
                                spec_.max_steps > 0 ? " (Spec::max_steps)" : "; truncate it, and set Spec::max_steps"));
      if (!check_seats()) return false;
      const SeatSet acting = batch_->to_act(0);
      ActionLog now{std::vector<std::int32_t>(choices), std::vector<float>(values)};
      for (int seat = 0; seat < spec_.seats; ++seat) {
        if (!playing_.contains(seat)) continue;
        const View v = view(*batch_, seat, acting.contains(seat));
        if (!sound(*batch_) || !check_observation(seat, v)) return false;
        if (acting.contains(seat) && !check_mask(seat, v)) return false;
        if (step_ < 8 || step_ % 16 == 0) check_parts(seat, v, acting.contains(seat));
        if (!acting.contains(seat)) continue;
        const int row = batch_->rows_per_match() > 1 ? seat : 0;
        choose(v, random, now.choices.data() + row * layout.choice_count, now.values.data() + row * layout.value_count);
      }
      if (step_ < 64 || step_ % 16 == 0) check_hidden(random);
      if (!sound(*batch_) || find("masks").verdict == Verdict::failed || find("exceptions").verdict == Verdict::failed)
        return false;
      const ActionRows actions{now.choices.data(), now.values.data()};
      played.actions.choices.insert(played.actions.choices.end(), now.choices.begin(), now.choices.end());
      played.actions.values.insert(played.actions.values.end(), now.values.begin(), now.values.end());

      const bool copied = random.below(step_ < 16 ? 2 : 32) == 0 && copy_->copy_match(*batch_, 0, 0);
      if (copied) {
        touch("copies");
        const std::uint64_t before = batch_->hash(0);
        Status status;
        copy_->step(actions, {copy_rewards.data(), &status});
        if (!sound(*copy_)) return false;
        if (batch_->hash(0) != before)
          return fail("copies", where() + "stepping a copy of the match changes the original; hold the state by value");
      }
      recorder.record(actions);
      Status status;
      batch_->step(actions, {rewards.data(), &status});
      if (!sound(*batch_)) return false;
      touch("rewards");
      for (int seat = 0; seat < spec_.seats; ++seat) {
        const float reward = rewards[seat];
        if (status == Status::finished && batch_->has_result() &&
            !std::isfinite(batch_->result(0, spec_.team_of(seat))))
          break;  // reported as a result
        if (!std::isfinite(reward)) return fail("rewards", where(seat) + "the reward is " + number(reward));
        if (std::fabs(reward) > kLargeReward)
          warn("rewards", where(seat) + "the reward or result is " + number(reward) +
                              "; scale it down, since sums of such numbers lose the small ones");
        rewarded_ = rewarded_ || reward != 0;
        const float end = status == Status::finished ? batch_->result(0, spec_.team_of(seat)) : 0;
        stepped_reward_ = stepped_reward_ || reward != end;
      }
      if (copied && (copy_->hash(0) != batch_->hash(0) || copy_rewards != rewards))
        return fail("copies", where() + "a copy of the match goes on in another way than the original");
      ++step_;
    }
    for (int seat = 0; seat < spec_.seats && batch_->status(0) == Status::truncated; ++seat)
      if (playing_.contains(seat) && !check_observation(seat, view(*batch_, seat, false))) return false;
    check_results();
    if (!sound(*batch_)) return false;
    played.steps = step_;
    played.last_hash = batch_->hash(0);
    if (replay) *replay = recorder.finish();
    return true;
  }

  // ---- all matches ----

  void play_matches() {
    const Settings& settings = settings_;
    double steps = 0;
    for (match_ = 0; match_ < matches_; ++match_) {
      const Key match_key = key_.split(static_cast<std::uint64_t>(match_));
      Played played;
      Replay replay;
      if (!play(settings, match_key, Random(match_key.split(1'000'003)), played, &replay)) continue;
      ++report_.matches;
      steps += played.steps;
      if (hurried_) continue;
      check_replay(match_key, replay);
      if (played_.size() < 16) played_.push_back(std::move(played));
    }
    if (report_.matches > 0) report_.mean_steps = steps / report_.matches;
  }

  void check_replay(Key match_key, const Replay& replay) {
    touch("same keys");
    if (Result<void> same = verify_replay(replay, factory_); !same) {
      // A new object must repeat what a new object did, at least.
      const std::unique_ptr<Batch> used = std::exchange(batch_, factory_(1));
      Played played;
      Replay fresh;
      const bool forgetful = play(settings_, match_key, Random(match_key.split(1'000'003)), played, &fresh) &&
                             verify_replay(fresh, factory_).ok();
      fail("same keys",
           fmt::format("match {} played again: {}{}", match_, same.error().message,
                       forgetful ? ". On a new object every time the match is the same, so reset() leaves something of "
                                   "the match before it: let it set every member, with `*this = Game();` as its first "
                                   "line"
                                 : ". Something other than the key and the actions decides: a global generator, a "
                                   "clock, a pointer to what matches share, or a member without an initial value"));
      return;
    }
    touch("replay");
    const Result<Replay> read = parse_replay(serialize(replay));
    const Result<void> same = read ? verify_replay(read.value(), factory_) : Result<void>(read.error());
    if (!same) fail("replay", fmt::format("match {}: {}", match_, same.error().message));
  }

  // The same matches side by side in one batch.
  void check_batch() {
    const int count = static_cast<int>(played_.size());
    const std::unique_ptr<Batch> batch = factory_(count);
    std::vector<int> all;
    std::vector<Key> keys;
    for (const Played& played : played_) {
      all.push_back(static_cast<int>(all.size()));
      keys.push_back(played.key);
    }
    batch->start(all, settings_, keys);
    const std::size_t choices = batch->rows_per_match() * batch->layout().choice_count;
    const std::size_t values = batch->rows_per_match() * batch->layout().value_count;
    BatchRows rows(*batch);
    for (bool left = true; left && !batch->failure();) {
      left = false;
      batch->observe({rows.observations.data(), rows.masks.data(), rows.seats.data()});
      for (std::size_t m = 0; m < played_.size(); ++m) {
        const int step = batch->steps(static_cast<int>(m));
        if (step >= played_[m].steps || batch->status(static_cast<int>(m)) != Status::running) continue;
        left = true;  // though it may not be ready yet
        const std::size_t at = step;
        std::copy_n(played_[m].actions.choices.data() + at * choices, choices, rows.choices.data() + m * choices);
        std::copy_n(played_[m].actions.values.data() + at * values, values, rows.values.data() + m * values);
      }
      batch->step(rows.actions(), {rows.rewards.data(), rows.status.data()});
    }
    for (int m = 0; m < count; ++m)
      if (batch->hash(m) != played_[m].last_hash) {
        fail("same keys", fmt::format("match {} ends otherwise when played beside others in a batch than alone", m));
        return;
      }
  }

  // The same actions under two keys, for as long as both matches allow them.
  void check_chance() {
    bool at_start = false, later = false;
    for (const Played& played : played_) {
      const std::unique_ptr<Batch> a = factory_(1), b = factory_(1);
      const int zero = 0;
      const Key other = played.key.split(1'000'033);
      const Settings& settings = settings_;
      a->start({&zero, 1}, settings, {&played.key, 1});
      b->start({&zero, 1}, settings, {&other, 1});
      bool same = a->hash(0) == b->hash(0);
      at_start = at_start || !same;
      for (int step = 0; same && step < played.steps; ++step) {
        const auto choices = static_cast<std::ptrdiff_t>(a->rows() * a->layout().choice_count);
        const auto values = static_cast<std::ptrdiff_t>(a->rows() * a->layout().value_count);
        const ActionRows actions{played.actions.choices.data() + step * choices,
                                 played.actions.values.data() + step * values};
        std::vector<float> rewards(spec_.seats);
        Status status;
        a->step(actions, {rewards.data(), &status});
        b->step(actions, {rewards.data(), &status});
        same = a->hash(0) == b->hash(0);
        later = later || !same;
      }
    }
    note("chance", at_start ? "matches start differently with different keys"
                   : later  ? "chance plays a part during a match"
                            : "none seen: the key changes nothing");
  }

  void check_parameters() {
    if (spec_.parameters.empty()) return;
    touch("parameters");
    const int matches = spec_.parameters.size() > 8 ? 1 : 2;  // at each end
    for (std::size_t p = 0; p < spec_.parameters.size(); ++p)
      for (float value : {spec_.parameters[p].low, spec_.parameters[p].high}) {
        Settings settings = settings_;
        settings.parameters[p] = value;
        setting_ = "parameter '" + spec_.parameters[p].name + "' at " + number(value);
        for (match_ = 0; match_ < matches; ++match_) {
          const Key match_key = key_.split(2'000'003 + p).split(static_cast<std::uint64_t>(match_));
          Played played;
          play(settings, match_key, Random(match_key.split(1'000'003)), played, nullptr);
        }
        setting_.clear();
      }
  }

  void conclude() {
    if (find("entities").verdict == Verdict::skipped) find("entities").message = "the game shows none";
    if (!batch_->has_result()) find("results").message = "the game has no results, only rewards";
    if (results_sum_)
      note("results", std::fabs(*results_sum_) < 1e-6 ? "zero-sum" : "constant-sum, " + number(*results_sum_));
    if (spec_.parameters.empty()) find("parameters").message = "the game has no parameters";
    if (find("hidden").verdict == Verdict::skipped) find("hidden").message = "nothing is hidden";
    if (find("hidden").verdict == Verdict::passed && !redrawn_)
      warn("hidden", "resample_hidden() never changed anything that any seat sees");
    if (report_.matches > 0 && !rewarded_)
      warn("rewards", "no seat ever had a reward or a result: there is nothing to learn");
    if (report_.matches >= kEnough && rewarded_ && !stepped_reward_ && !first_results_.empty() && !results_differ_)
      warn("results", "every match ended with the same results: nothing that was done made a difference");
    if (sights_ >= kEnough && !sights_differ_)
      warn("observations", "no seat ever saw anything but the same numbers; observe() must write what there is to see");
  }

  BatchFactory factory_;
  Key key_;
  int matches_;
  Settings settings_;
  std::unique_ptr<Batch> batch_, copy_;
  const Spec spec_;
  ConformanceReport report_;

  int match_ = 0, step_ = 0;
  std::string setting_;  // which parameter is away from its default, for messages
  std::vector<Played> played_;
  SeatSet playing_;  // of the match
  std::optional<double> results_sum_;
  std::vector<float> first_results_, first_seen_;
  bool hurried_ = false, rewarded_ = false, stepped_reward_ = false, redrawn_ = false;
  bool results_differ_ = false, sights_differ_ = false;
  int sights_ = 0;
};

}  // namespace

const char* verdict_name(ConformanceCheck::Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::warning:
      return "warning";
    case Verdict::failed:
      return "failed";
    case Verdict::skipped:
      return "skipped";
  }
  return "";
}

bool ConformanceReport::passed() const {
  return std::none_of(checks.begin(), checks.end(),
                      [](const ConformanceCheck& c) { return c.verdict == Verdict::failed; });
}

const ConformanceCheck& ConformanceReport::check(const std::string& name) const {
  const auto found =
      std::find_if(checks.begin(), checks.end(), [&](const ConformanceCheck& c) { return c.name == name; });
  rival::check(found != checks.end(), "no conformance check has this name");
  return *found;
}

std::string ConformanceReport::text() const {
  std::string text;
  for (const ConformanceCheck& c : checks) {
    std::string line = verdict_name(c.verdict);
    line.resize(9, ' ');
    line += c.name;
    line.resize(23, ' ');
    text += line + (c.message.empty() ? c.what : c.message) + "\n";
  }
  return text;
}

ConformanceReport check_conformance(const BatchFactory& factory, Key key, int matches, const Settings& settings) {
  return Kit(factory, key, matches, settings).run();
}

Result<void> check_quickly(const BatchFactory& factory, const std::string& typed) {
  Kit kit(factory, Key(1), 1, {});
  kit.hurry();
  const ConformanceReport report = kit.run();
  for (const ConformanceCheck& check : report.checks)
    if (check.verdict == Verdict::failed)
      return Error{"game '" + report.game + "' breaks a promise: " + check.message + " (`" +
                   command_line({"check", typed}) + "` looks at all of them)"};
  return {};
}

}  // namespace rival
