#include "plug/worker.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/finite.hpp"
#include "base/index.hpp"
#include "base/machine.hpp"
#include "base/number.hpp"
#include "plug/worker_pool.hpp"
#include "plug/worker_protocol.hpp"
#include "plug/worker_socket.hpp"

namespace rival {
namespace {

using namespace worker;

constexpr int kMostThreads = 8;       // that train, each a batch at a time
constexpr int kProvenTurns = 10'000;  // after so many answers what was lost before is forgotten
constexpr int kMostSkipped = 256;     // turns in which a worker that was late is not waited for
constexpr std::string_view kYes("\1", 1);
constexpr auto kSpin = std::chrono::microseconds(20);
constexpr auto kLeastGrace = std::chrono::microseconds(200);
constexpr auto kRetry = std::chrono::milliseconds(500);
constexpr auto kFarewell = std::chrono::milliseconds(500);

Steady::duration seconds(double value) {
  return std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(value));
}

// A game as its first worker told it.
struct Played {
  std::shared_ptr<Pool> pool;
  Spec spec;
  Abilities has;
};

// A worker's share of a batch: one connection.
struct Share {
  enum class State { down, opening, idle, busy };
  int worker = 0, first = 0, count = 0, load = 0;
  State state = State::down;
  Blocks at;
  std::unique_ptr<Channel> channel;
  int life = 0;
  SharedMemory memory;                // none over TCP
  std::string actions;                // the actions' block, there
  std::string rows;                   // the rows' block, there
  bool stepping = false;              // the turn that is under way steps
  bool shown = false;                 // idle, and nothing is left to be reported: its rows may be shown
  bool alone = false;                 // matches that run are to be started: not along with a step
  bool stale = false;                 // a match is not any more as its row shows it
  std::uint32_t number = 0;           // of the connection, within its process
  std::vector<int> starting;          // matches that wait to be started, as they are numbered in the batch
  Settings settings;                  // theirs
  std::vector<std::uint8_t> stepped;  // [count] the matches that the turn under way steps
  Time asked, until, retry;
  int turns = 0;
  int late = 0, skip = 0;  // times in a row; turns in which it is not waited for
};

class WorkerBatch final : public Batch {
 public:
  WorkerBatch(std::shared_ptr<const Played> played, int matches)
      : Batch(played->spec, matches),
        played_(std::move(played)),
        pool_(*played_->pool),
        has_(played_->has),
        status_(index(matches), Status::truncated),
        due_(index(matches)),
        waiting_(index(matches)),
        in_start_(index(matches)),
        lost_(index(matches)),
        playing_(index(matches), SeatSet::first(spec().seats)),
        results_(index(matches * spec().team_count())),
        rewards_(index(matches * spec().seats)) {
    ready_.assign(index(matches), 0);
    const int at_once = std::min(kMostThreads, usable_processors());
    const int apart = std::max((pool_.size() + at_once - 1) / at_once, matches / std::max(1, pool_.command().share));
    const std::vector<int> workers = pool_.assign(std::min(std::max(1, apart), matches), matches);
    const int count = static_cast<int>(workers.size());
    for (int i = 0; i < count; ++i) {
      Share& share = shares_.emplace_back();
      share.worker = workers[i];
      share.first = matches * i / count;
      share.count = matches * (i + 1) / count - share.first;
      share.load = std::max(1, matches / count);
      share.stepped.resize(share.count);
      share.at = Blocks(spec(), layout(), share.count);
    }
    last_seen_.resize(index(matches * spec().seats) * index(layout().observation_size));
  }

  ~WorkerBatch() override {
    const Time until = Steady::now() + kFarewell;
    for (Share& share : shares_)
      if (share.channel) share.channel->send(close_frame());
    for (Share& share : shares_) {
      // Until it has closed its side, so that the game is done with before its process may be ended.
      for (Channel* channel = share.channel.get(); channel && Steady::now() < until;) {
        const Result<std::optional<Frame>> frame = channel->receive();
        if (!frame) break;
        if (!frame.value()) wait_for({&channel, 1}, until);
      }
      pool_.release(share.worker, share.load);
    }
  }

  void start_each(std::span<const int> matches, const Settings& settings, std::span<const Key> keys) override {
    if (failure()) return;
    for (std::size_t i = 0; i < matches.size(); ++i) {
      const int match = matches[i];
      Share& share = share_of(match);
      if (!share.starting.empty() && share.settings != settings) settle(share, true);
      share.settings = settings;
      share.alone |= status_[match] == Status::running && !waiting_[match];
      if (!waiting_[match]) share.starting.push_back(match);
      waiting_[match] = 1;
      share.stepped[match - share.first] = 0;
      forget_due(match);
      lost_[match] = 0;
      ready_[match] = 0;
      status_[match] = Status::running;
      playing_[match] = SeatSet::first(spec().seats);
      clocks_[match] = {keys[i], 0};
    }
  }

  void observe(const ObservationRows& out) const override {
    std::fill_n(out.seats, rows(), static_cast<std::int8_t>(-1));
    std::fill(ready_.begin(), ready_.end(), std::uint8_t{0});
    if (failure()) return;
    // Whoever has nothing else to do starts its matches; who has, starts them along with the next step.
    for (Share& share : shares_) begin_turn(share, nullptr);
    await([](const Share& share) { return !share.stepping; },
          std::any_of(shares_.begin(), shares_.end(), [](const Share& share) { return share.shown && !share.alone; }));
    for (Share& share : shares_)
      if (share.shown && !share.alone) show(share, out);
    if (failure()) std::fill_n(out.seats, rows(), static_cast<std::int8_t>(-1));
  }

  void step(const ActionRows& actions, const StepRows& out) override {
    std::fill_n(out.rewards, matches() * spec().seats, 0.0f);
    if (!failure()) {
      bool asked = false;
      for (Share& share : shares_) asked |= begin_turn(share, &actions);
      if (asked)
        await([](const Share& share) { return share.stepping; }, false);
      else if (std::find(due_.begin(), due_.end(), 1) != due_.end())
        look();
      else
        await([](const Share&) { return true; }, false);
    }
    for (int m = 0; m < matches(); ++m)
      if (due_[m]) report(m, out.rewards + m * spec().seats);
    for (Share& share : shares_) share.shown = share.state == Share::State::idle;
    std::copy(status_.begin(), status_.end(), out.status);
    if (failure()) std::fill_n(out.status, matches(), Status::truncated);
  }

  void observe_seat(int match, int seat, float* observation, std::uint8_t* mask) const override {
    const std::size_t size = layout().observation_size;
    std::fill_n(observation, size, 0.0f);
    if (mask) std::fill_n(mask, layout().mask_size, std::uint8_t{0});
    Share& share = share_of(match);
    const bool there = settle(share, waiting_[match]);
    if (lost_[match]) std::copy_n(seen(match, seat), size, observation);
    if (!there || lost_[match]) return;
    const std::size_t row = row_of(share, match, seat);
    if (status_[match] == Status::running && block<std::int8_t>(share, share.at.seats)[row] == seat) {
      const std::size_t bytes = size * sizeof(float), choices = index(layout().mask_size);
      std::memcpy(observation, rows_of(share) + share.at.observations + row * bytes, bytes);
      if (mask && has_.legal && choices) std::memcpy(mask, rows_of(share) + share.at.masks + row * choices, choices);
      if (mask && !has_.legal) std::fill_n(mask, choices, std::uint8_t{1});
      return;
    }
    const std::string told = ask({.question = Question::observe_seat, .match = match, .seat = seat});
    if (failure() || told.empty()) return;
    if (told.size() != size * sizeof(float) + index(layout().mask_size)) {
      lose(share, Pool::Why::to_end, {match, steps(match), seat, wrong_size("observation", told.size())});
      return;
    }
    std::memcpy(observation, told.data(), size * sizeof(float));
    if (mask && layout().mask_size) std::memcpy(mask, told.data() + size * sizeof(float), index(layout().mask_size));
  }

  SeatSet to_act(int match) const override {
    Share& share = share_of(match);
    if (!settle(share, waiting_[match]) || status_[match] != Status::running) return SeatSet::none();
    SeatSet acting;
    const int per_match = rows_per_match();
    const std::int8_t* seats = block<std::int8_t>(share, share.at.seats) + (match - share.first) * per_match;
    for (int i = 0; i < per_match; ++i) {
      const int seat = seats[i];
      if (seat >= spec().seats) {
        lose(share, Pool::Why::to_end, {match, steps(match), -1, no_such_seat(seat)});
        return SeatSet::none();
      }
      if (seat >= 0) acting = acting.with(seat);
    }
    if (share.count == 1) ready_[match] = share.shown;
    return acting;
  }
  Status status(int match) const override {
    if (waiting_[match]) settle(share_of(match), true);
    return failure() ? Status::truncated : status_[match];
  }
  SeatSet playing(int match) const override {
    if (has_.playing && waiting_[match]) settle(share_of(match), true);
    return playing_[match];
  }
  float result(int match, int team) const override { return results_[match * spec().team_count() + team]; }
  bool has_result() const override { return has_.result; }

  bool resample_hidden(int match, int seat, Key key) override {
    if (!has_.resample) return false;
    const std::string told =
        ask({.question = Question::resample, .match = match, .seat = seat, .keyed = true, .key = key.bits()});
    share_of(match).stale = true;
    return failure() || told == kYes;
  }

  // Copies are made within a process: a batch of one match, such as searches use, goes to where the match is.
  bool copy_match(const Batch& from, int match, int into, std::optional<Key> key) override {
    const auto* other = dynamic_cast<const WorkerBatch*>(&from);
    check(other != nullptr && other->played_ == played_, "a match was copied from a batch of another game");
    if (!has_.copy) return false;
    Share& source = other->share_of(match);
    Share& share = share_of(into);
    const bool there = other->settle(source, other->waiting_[match]) && !other->lost_[match];
    if (other->failure()) fail(*other->failure());
    if (failure()) return true;
    if (there && (share.worker != source.worker || (share.channel && share.life != source.life))) {
      if (matches() > 1) return false;
      move(share, source.worker);
    }
    const auto waiting = std::find(share.starting.begin(), share.starting.end(), into);
    if (waiting != share.starting.end()) share.starting.erase(waiting);
    waiting_[into] = 0;
    forget_due(into);
    if (there) {
      if (share.state == Share::State::down) connect(share);
      if (!settle(share, false)) return true;  // it has failed
      const std::string told = ask(share,
                                   {.question = Question::copy,
                                    .match = match - source.first,
                                    .seat = static_cast<std::int32_t>(source.number),
                                    .value = into - share.first,
                                    .keyed = key.has_value(),
                                    .key = key ? key->bits() : 0},
                                   into);
      if (failure()) return true;
      if (told != kYes) return false;
    }
    const auto row = [](auto& values, auto& theirs, int mine, int its, std::ptrdiff_t width) {
      std::copy_n(theirs.begin() + its * width, width, values.begin() + mine * width);
    };
    status_[into] = other->status_[match];
    lost_[into] = !there;
    playing_[into] = other->playing_[match];
    row(results_, other->results_, into, match, spec().team_count());
    row(last_seen_, other->last_seen_, into, match, spec().seats * layout().observation_size);
    clocks_[into] = other->clocks_[match];
    note_settings(into, from.settings(match));
    if (key) clocks_[into].key = *key;
    share.stale = there;
    ready_[into] = share.count == 1 && status_[into] == Status::running;
    return true;
  }

  std::string text(int match) const override {
    return has_.text ? ask({.question = Question::text, .match = match}) : "";
  }
  std::string text(int match, int seat) const override {
    return has_.seat_text ? ask({.question = Question::seat_text, .match = match, .seat = seat})
                          : Batch::text(match, seat);
  }
  std::string action_text(int match, int seat, int choice) const override {
    return has_.action_text ? ask({.question = Question::action_text, .match = match, .seat = seat, .value = choice})
                            : fmt::format("{}", choice);
  }
  std::string stage(int match) const override {
    return has_.scene ? ask({.question = Question::stage, .match = match}) : "";
  }
  std::string scene(int match) const override {
    return has_.scene ? ask({.question = Question::scene, .match = match}) : "";
  }

 private:
  Share& share_of(int match) const {
    for (Share& share : shares_)
      if (match < share.first + share.count) return share;
    return shares_.back();
  }

  // ---- what a worker has answered ----

  const char* rows_of(const Share& share) const {
    return share.memory.data() ? share.memory.data() + share.at.rows : share.rows.data();
  }
  template <class T>
  const T* block(const Share& share, std::size_t offset) const {
    return reinterpret_cast<const T*>(rows_of(share) + offset);
  }
  // Where the seat's row would be among those of the share.
  std::size_t row_of(const Share& share, int match, int seat) const {
    return index((match - share.first) * rows_per_match() + (spec().simultaneous ? seat : 0));
  }
  float* seen(int match, int seat) const {
    return last_seen_.data() + index(match * spec().seats + seat) * index(layout().observation_size);
  }
  std::string wrong_size(const char* what, std::size_t size) const {
    return fmt::format("its {} has {} bytes, which is not what its Spec says", what, size);
  }

  void forget_due(int match) const {
    due_[match] = 0;
    std::fill_n(rewards_.begin() + match * spec().seats, spec().seats, 0.0f);
  }

  // What has come of the match since it was reported last.
  void report(int match, float* rewards) {
    const int seats = spec().seats;
    std::copy_n(rewards_.begin() + match * seats, seats, rewards);
    if (status_[match] == Status::finished && has_.result)
      for (int seat = 0; seat < seats; ++seat)
        if (playing_[match].contains(seat)) rewards[seat] += result(match, spec().team_of(seat));
    if (due_[match] == 1) ++clocks_[match].steps;
    forget_due(match);
  }

  // Shows the share's rows, unless something is amiss with them.
  void show(Share& share, const ObservationRows& out) const {
    const Blocks& at = share.at;
    const int per_match = rows_per_match();
    const std::size_t first = index(share.first * per_match), count = index(share.count * per_match);
    const std::size_t observation = index(layout().observation_size), mask = index(layout().mask_size);
    float* observations = out.observations + first * observation;
    std::uint8_t* masks = out.masks + first * mask;
    std::int8_t* seats = out.seats + first;
    std::memcpy(observations, rows_of(share) + at.observations, count * observation * sizeof(float));
    if (has_.legal && mask)
      std::memcpy(masks, rows_of(share) + at.masks, count * mask);
    else
      std::fill_n(masks, count * mask, std::uint8_t{1});
    std::memcpy(seats, rows_of(share) + at.seats, count);
    for (std::size_t row = 0; row < count; ++row) {
      const int match = share.first + static_cast<int>(row) / per_match;
      if (status_[match] == Status::running && !waiting_[match]) continue;
      seats[row] = -1;
    }
    const bool finite = all_finite(observations, count * observation);
    for (std::size_t row = 0; row < count; ++row) {
      const int match = share.first + static_cast<int>(row) / per_match;
      if (seats[row] == -1) {
        std::fill_n(observations + row * observation, observation, 0.0f);
        std::fill_n(masks + row * mask, mask, std::uint8_t{0});
        continue;
      }
      const std::string wrong = wrong_row(seats[row], static_cast<int>(row) % per_match,
                                          observations + row * observation, masks + row * mask, finite);
      if (!wrong.empty()) {
        const int seat = seats[row] >= 0 && seats[row] < spec().seats ? seats[row] : -1;
        std::fill_n(seats, count, static_cast<std::int8_t>(-1));
        std::fill_n(observations, count * observation, 0.0f);
        lose(share, Pool::Why::to_end, {match, steps(match), seat, wrong});
        return;
      }
      std::copy_n(observations + row * observation, observation, seen(match, seats[row]));
    }
    for (int m = share.first; m < share.first + share.count; ++m)
      ready_[m] = status_[m] == Status::running && !waiting_[m];
  }

  std::string no_such_seat(int seat) const {
    return fmt::format("it says that seat {} is to act; there are {}", seat, spec().seats);
  }

  // What makes no sense in a row; "": nothing.
  std::string wrong_row(int seat, int row, const float* observation, const std::uint8_t* mask, bool finite) const {
    if (seat < 0 || seat >= spec().seats) return no_such_seat(seat);
    if (spec().simultaneous && seat != row) return fmt::format("it says that row {} is of seat {}", row, seat);
    const std::size_t size = layout().observation_size;
    if (const std::size_t bad = finite ? size : first_not_finite(observation, size); bad < size) {
      std::size_t part = spec().observation.size() - 1;
      while (layout().observation_offset[part] > static_cast<int>(bad)) --part;
      return fmt::format("value {} of '{}' in its observation is {}",
                         static_cast<int>(bad) - layout().observation_offset[part], spec().observation[part].name,
                         with_digits(static_cast<double>(observation[bad]), 6));
    }
    for (std::size_t p = 0; p < spec().action.size() && has_.legal; ++p) {
      const ActionPart& part = spec().action[p];
      if (!part.is_choice()) continue;
      const std::uint8_t* allowed = mask + layout().mask_offset[p];
      int any = 0;
      for (int c = 0; c < part.size; ++c) {
        if (allowed[c] > 1)
          return fmt::format("choice {} of '{}' in its mask is {}; it must be 0 or 1", c, part.name, allowed[c]);
        any |= allowed[c];
      }
      if (!any) return fmt::format("its mask allows no choice of '{}'", part.name);
    }
    return "";
  }

  // What the turn under way has brought.
  void take_turn(Share& share) const {
    const Blocks& at = share.at;
    const int seats = spec().seats, teams = spec().team_count();
    std::vector<std::uint8_t> status(share.count);
    std::memcpy(status.data(), rows_of(share) + at.status, status.size());
    share.state = Share::State::idle;
    share.stepping = false;
    for (int i = 0; i < share.count; ++i) {
      const int m = share.first + i;
      const bool stepped = share.stepped[i], started = std::exchange(in_start_[m], 0);
      if ((!stepped && !started) || waiting_[m]) continue;
      const auto amiss = [&](int seat, const std::string& what) {
        lose(share, Pool::Why::to_end, {m, steps(m), seat, what});
      };
      if (status[i] > 2) return amiss(-1, fmt::format("it says that its status is {}", status[i]));
      if (started && has_.playing) {
        std::uint64_t bits;
        std::memcpy(&bits, rows_of(share) + at.playing + index(i) * sizeof bits, sizeof bits);
        SeatSet playing;
        for (int seat = 0; seat < seats; ++seat)
          if (bits >> seat & 1) playing = playing.with(seat);
        if (playing.empty() || (bits & ~SeatSet::first(seats).bits()) != 0)
          return amiss(-1, "the seats that play are none, or more than there are");
        playing_[m] = playing;
      }
      status_[m] = static_cast<Status>(status[i]);
      if (!stepped) continue;
      float* rewards = rewards_.data() + m * seats;
      std::memcpy(rewards, rows_of(share) + at.rewards + index(i * seats) * sizeof(float),
                  index(seats) * sizeof(float));
      for (int seat = 0; seat < seats; ++seat)
        if (!std::isfinite(rewards[seat])) return amiss(seat, fmt::format("its reward or result is {}", rewards[seat]));
      if (status_[m] == Status::finished && has_.result) {
        float* results = results_.data() + m * teams;
        std::memcpy(results, rows_of(share) + at.results + index(i * teams) * sizeof(float),
                    index(teams) * sizeof(float));
        for (int team = 0; team < teams; ++team)
          if (!std::isfinite(results[team]))
            return amiss(-1, fmt::format("the result of team {} is {}", team, results[team]));
      }
      due_[m] = 1;
    }
    share.shown = std::find_if(due_.begin() + share.first, due_.begin() + share.first + share.count,
                               [](std::uint8_t due) { return due != 0; }) == due_.begin() + share.first + share.count;
    if (++share.turns % kProvenTurns == 0) pool_.proven(share.worker);
  }

  // ---- what is asked of it ----

  // Sends what the share can do now: with actions, a step of its matches that are ready; without, only starts for which
  // no step need be waited. True if matches step.
  bool begin_turn(Share& share, const ActionRows* actions) const {
    if (share.state == Share::State::down) connect(share);
    const bool opening = share.state == Share::State::opening;  // it may be told at once what to start
    if ((!opening && share.state != Share::State::idle) || (opening && starts_under_way(share))) return false;
    bool running = false, ready = false;
    for (int m = share.first; m < share.first + share.count; ++m) {
      running |= status_[m] == Status::running && !waiting_[m];
      ready |= ready_[m] != 0;
    }
    const bool step = actions && ready && !share.alone;
    if (!step && !share.stale && (share.starting.empty() || (running && !share.alone))) return false;
    Turn turn{.step = step, .settings = share.settings};
    for (int match : share.starting) {
      turn.matches.push_back(match - share.first);
      turn.keys.push_back(clocks_[match].key);
      waiting_[match] = 0;
      in_start_[match] = 1;
    }
    share.starting.clear();
    share.alone = share.stale = false;
    for (int i = 0; i < share.count; ++i) {
      share.stepped[i] = step && ready_[share.first + i];
      ready_[share.first + i] = 0;
    }
    if (step) {
      const Blocks& at = share.at;
      if (!share.memory.data()) share.actions.resize(at.actions_size);
      char* to = share.memory.data() ? share.memory.data() : share.actions.data();
      const std::size_t first = index(share.first * rows_per_match()), count = index(share.count * rows_per_match());
      const std::size_t choices = index(layout().choice_count), values = index(layout().value_count);
      if (choices)
        std::memcpy(to + at.choices, actions->choices + first * choices, count * choices * sizeof(std::int32_t));
      if (values) std::memcpy(to + at.values, actions->values + first * values, count * values * sizeof(float));
      if (!share.memory.data()) turn.actions = share.actions;
    }
    share.channel->send(turn_frame(turn));
    share.asked = Steady::now();
    share.stepping = step;
    share.shown = false;
    if (opening) return false;
    share.until = share.asked + seconds(pool_.command().answer_seconds);
    share.state = Share::State::busy;
    return step;
  }
  bool starts_under_way(const Share& share) const {
    const auto first = in_start_.begin() + share.first, end = first + share.count;
    return std::find(first, end, 1) != end;
  }

  // Connects, and says all that need not wait for an answer.
  void connect(Share& share) const {
    if (Steady::now() < share.retry || failure()) return;
    Result<Pool::Link> link = pool_.connect(share.worker);
    const Time now = Steady::now();
    share.until = now + seconds(pool_.command().start_seconds);
    share.asked = now;
    share.state = Share::State::opening;
    if (!link) {
      share.channel.reset();
      lose(share, Pool::Why::sound, {.what = link.error().message});
      return;
    }
    share.life = link.value().life;
    share.channel = std::make_unique<Channel>(std::move(link.value().socket));
    share.channel->send(pool_.hello());
    Open open{.matches = share.count};
    share.memory = SharedMemory();
    if (pool_.shares_memory(share.worker)) {
      Result<SharedMemory> memory = SharedMemory::make(std::max<std::size_t>(1, share.at.memory));
      if (!memory) return fail({.what = memory.error().message});
      share.memory = std::move(memory.value());
      open.memory = share.memory.size();
    }
    share.channel->send(open_frame(open), share.memory.file());
  }

  // ---- waiting ----

  // Takes what a share has said by now.
  void read(Share& share) const {
    while (share.channel && !failure() && (share.state == Share::State::busy || share.state == Share::State::opening)) {
      const Result<std::optional<Frame>> frame = share.channel->receive();
      if (!frame) {
        lose(share, share.channel->ended() ? Pool::Why::ended : Pool::Why::to_end, place(share, frame.error().message));
        return;
      }
      if (!frame.value()) return;
      hear(share, *frame.value());
    }
  }

  void hear(Share& share, const Frame& frame) const {
    const auto amiss = [&](const std::string& what) { lose(share, Pool::Why::to_end, place(share, what)); };
    switch (frame.kind) {
      case Kind::error:
        return hear_error(share, frame);
      case Kind::welcome: {
        if (share.state != Share::State::opening) break;
        const Result<Welcome> welcome = welcome_of(frame);
        if (!welcome) return amiss(welcome.error().message);
        if (!same(welcome.value()))
          return amiss("it now plays another game than before, or the same with another Spec");
        return;
      }
      case Kind::opened:
        if (share.state != Share::State::opening) break;
        if (const Result<std::uint32_t> opened = read_opened(frame.payload); !opened)
          return amiss("it sends " + opened.error().message);
        else
          share.number = opened.value();
        share.state = starts_under_way(share) ? Share::State::busy : Share::State::idle;
        share.until = Steady::now() + seconds(pool_.command().answer_seconds);
        return;
      case Kind::turned:
        if (share.state != Share::State::busy) break;
        if (frame.payload.size() != (share.memory.data() ? 0 : share.at.rows_size))
          return amiss(fmt::format("it sends rows of {} bytes; by its Spec they have {}", frame.payload.size(),
                                   share.memory.data() ? 0 : share.at.rows_size));
        if (!share.memory.data()) share.rows = frame.payload;
        return take_turn(share);
      default:
        break;
    }
    amiss(fmt::format("it sends a frame of kind {}, which nobody has asked for", static_cast<int>(frame.kind)));
  }

  void hear_error(Share& share, const Frame& frame) const {
    Result<BatchFailure> error = read_error(frame.payload);
    if (!error) return lose(share, Pool::Why::to_end, place(share, "it sends " + error.error().message));
    BatchFailure& failure = error.value();
    if (failure.match < 0 || failure.match >= share.count) {
      failure.match = failure.step = -1;
    } else {
      failure.match += share.first;
      if (failure.step < 0) failure.step = steps(failure.match);
    }
    if (failure.seat < 0 || failure.seat >= spec().seats) failure.seat = -1;
    lose(share, Pool::Why::sound, failure);
  }

  bool same(const Welcome& welcome) const {
    if (same_) return true;
    return same_ = welcome.has == has_ && welcome_frame({"", welcome.spec, has_}) == welcome_frame({"", spec(), has_});
  }

  // A failure of no match in particular: with one match it is that one's.
  BatchFailure place(const Share& share, const std::string& what) const {
    if (share.count > 1 || share.state == Share::State::opening) return {.what = what};
    return {share.first, steps(share.first), -1, what};
  }

 public:
  // What a worker says of itself. Errors name both versions, or what is wrong.
  static Result<Welcome> welcome_of(const Frame& frame) {
    Result<Greeting> greeting = read_greeting(frame.payload);
    if (!greeting) return Error{"it sends " + greeting.error().message};
    if (greeting->version != kVersion)
      return Error{fmt::format("it speaks version {} of the protocol, Rival version {}; bring the older one up to date",
                               greeting->version, kVersion)};
    return read_welcome(greeting->json);
  }

 private:
  void look() const {
    for (Share& share : shares_) read(share);
  }

  // Shares that have something under way.
  bool under_way(const Share& share) const {
    return share.state == Share::State::busy || share.state == Share::State::opening;
  }

  // Waits until one of these shares that are at work has answered, and then for the others as long as that took.
  // `some`: there is something to show already, and only that long is waited.
  template <class These>
  void await(const These& these, bool some) const {
    const auto at_work = [&](const Share& share) { return under_way(share) && these(share); };
    std::vector<Share*> awaited;
    for (Share& share : shares_)
      if (at_work(share)) awaited.push_back(&share);
    if (awaited.empty()) return some ? void() : retry_soon();
    const Time begin = Steady::now();
    std::optional<Time> until;  // once there is something
    if (some) until = begin + kLeastGrace;
    for (;;) {
      for (Share* share : awaited) read(*share);
      const Time now = Steady::now();
      bool answered = some, left = false;
      Time next = now + std::chrono::hours(1);
      for (Share* share : awaited) {
        if (!under_way(*share)) {
          answered = true;
        } else if (now >= share->until) {
          lose(*share, Pool::Why::to_end, place(*share, late_text(*share)));
          answered = true;
        } else {
          left |= share->skip == 0;
          next = std::min(next, share->until);
        }
      }
      if (failure()) return;
      if (answered && !until) until = now + std::max<Steady::duration>(now - begin, kLeastGrace);
      if (answered && (!left || now >= *until)) break;
      if (now - begin < kSpin) {
        ::sched_yield();
        continue;
      }
      std::vector<Channel*> channels;
      for (Share* share : awaited)
        if (under_way(*share)) channels.push_back(share->channel.get());
      wait_for(channels, until ? std::min(next, *until) : next);
    }
    for (Share* share : awaited) {
      if (!under_way(*share)) {
        share->late = 0;
      } else if (share->skip > 0) {
        --share->skip;
      } else {  // the more often it is late, the rarer it is waited for
        share->late = std::min(share->late + 1, 8);
        share->skip = std::min(1 << share->late, kMostSkipped);
      }
    }
  }

  // Nobody is at work: some wait to be started again.
  void retry_soon() const {
    for (const Share& share : shares_)
      if (share.state == Share::State::down && share.retry > Steady::now() && !share.starting.empty()) {
        wait_for({}, share.retry);
        return;
      }
  }

  std::string late_text(const Share& share) const {
    const bool opening = share.state == Share::State::opening;
    return fmt::format("it has not {} within {:g} s; it was ended", opening ? "started" : "answered",
                       opening ? pool_.command().start_seconds : pool_.command().answer_seconds);
  }

  // Waits until the share has nothing under way, having started what waits to be if `starts`. False if the batch has
  // failed, or the share is down.
  bool settle(Share& share, bool starts) const {
    while (!failure()) {
      if (under_way(share)) {
        read(share);
        if (!under_way(share)) continue;
        if (Steady::now() >= share.until) {
          lose(share, Pool::Why::to_end, place(share, late_text(share)));
          continue;
        }
        if (share.state == Share::State::opening && starts) begin_turn(share, nullptr);
        Channel* channel = share.channel.get();
        wait_for({&channel, 1}, share.until);
      } else if (share.stale || (starts && !share.starting.empty())) {
        if (share.state == Share::State::down && Steady::now() < share.retry) wait_for({}, share.retry);
        share.alone |= share.state == Share::State::idle;  // so that what waits for a step need not
        begin_turn(share, nullptr);
      } else {
        return share.state == Share::State::idle;
      }
    }
    return false;
  }

  // The answer to a question about a match; "" if there is none any more.
  std::string ask(Ask question) const {
    const int match = question.match;
    Share& share = share_of(match);
    if (!settle(share, waiting_[match]) || lost_[match]) return "";
    question.match -= share.first;
    return ask(share, question, match);
  }
  // The same of a share that has nothing under way; `match` is the batch's, for messages.
  std::string ask(Share& share, const Ask& question, int match) const {
    share.channel->send(ask_frame(question));
    const Time until = Steady::now() + seconds(pool_.command().answer_seconds);
    const Time begin = Steady::now();
    for (;;) {
      const Result<std::optional<Frame>> frame = share.channel->receive();
      const auto amiss = [&](Pool::Why why, const std::string& what) {
        lose(share, why, {match, steps(match), -1, what});
        return std::string();
      };
      if (!frame) return amiss(share.channel->ended() ? Pool::Why::ended : Pool::Why::to_end, frame.error().message);
      if (frame.value() && frame.value()->kind == Kind::told) return std::string(frame.value()->payload);
      if (frame.value() && frame.value()->kind == Kind::error) {
        hear_error(share, *frame.value());
        return "";
      }
      if (frame.value())
        return amiss(Pool::Why::to_end, fmt::format("it answers a question with a frame of kind {}",
                                                    static_cast<int>(frame.value()->kind)));
      const Time now = Steady::now();
      if (now >= until) return amiss(Pool::Why::to_end, late_text(share));
      if (now - begin < kSpin) {
        ::sched_yield();
        continue;
      }
      Channel* channel = share.channel.get();
      wait_for({&channel, 1}, until);
    }
  }

  // Connects to another worker instead, whatever matches there were.
  void move(Share& share, int to) const {
    if (share.channel) share.channel->send(close_frame());
    share.channel.reset();
    pool_.release(share.worker, share.load);
    pool_.burden(to, share.load);
    share.worker = to;
    share.state = Share::State::down;
    share.retry = Time();
  }

  // ---- losing a worker ----

  // The share's worker is of no use any more. Its matches that ran are truncated; those that were about to start begin
  // when it is started again, if it may be.
  void lose(Share& share, Pool::Why why, BatchFailure failure) const {
    const Pool::Loss loss = pool_.lost(share.worker, share.life, why);
    failure.what = pool_.name(share.worker) + ": " + failure.what + loss.story;
    if (matches() == 1 || !loss.again) {
      if (matches() > 1) failure.what += fmt::format("\n(it was started again {} times before)", loss.restarts - 1);
      return fail(std::move(failure));
    }
    for (int m = share.first; m < share.first + share.count; ++m) {
      ready_[m] = 0;
      share.stepped[m - share.first] = 0;
      if (std::exchange(in_start_[m], 0) && !waiting_[m]) {
        waiting_[m] = 1;
        share.starting.push_back(m);
      }
      if (waiting_[m]) continue;
      lost_[m] = 1;
      if (status_[m] != Status::running) continue;
      status_[m] = Status::truncated;
      due_[m] = 2;
    }
    if (loss.first)
      say(error(failure).message +
          fmt::format("\n{} is started again ({} of {}); the matches that it played are cut short",
                      pool_.name(share.worker), loss.restarts, pool_.command().restarts));
    share.state = Share::State::down;
    share.stepping = share.shown = share.alone = share.stale = false;
    share.retry = pool_.command().program.empty() ? Steady::now() + kRetry * loss.restarts : Time();
  }

  void say(const std::string& line) const {
    if (pool_.command().notice)
      pool_.command().notice(line);
    else
      std::fputs((line + "\n").c_str(), stderr);
  }

  std::shared_ptr<const Played> played_;
  Pool& pool_;
  Abilities has_;
  mutable std::vector<Share> shares_;
  mutable bool same_ = false;  // a worker's Spec was found to be that of the game
  // [matches] each:
  mutable std::vector<Status> status_;          // as far as it is known
  mutable std::vector<std::uint8_t> due_;       // to be reported: 1 a step, 2 its loss
  mutable std::vector<std::uint8_t> waiting_;   // to be started, which is not asked yet
  mutable std::vector<std::uint8_t> in_start_;  // which is asked, and not answered yet
  mutable std::vector<std::uint8_t> lost_;      // its worker is gone, and it with it
  mutable std::vector<SeatSet> playing_;
  mutable std::vector<float> results_, rewards_;
  // [matches x seats x observation_size] what each seat was shown last, which is all there is once its worker is lost
  mutable std::vector<float> last_seen_;
};

// Waits for one frame.
Result<Frame> one_frame(Channel& channel, Time until) {
  for (;;) {
    const Result<std::optional<Frame>> frame = channel.receive();
    if (!frame) return frame.error();
    if (frame.value()) return *frame.value();
    if (Steady::now() >= until) return Error{"it has not started within the time there is"};
    Channel* one = &channel;
    wait_for({&one, 1}, until);
  }
}

}  // namespace

Result<GameEntry> open_worker(const WorkerCommand& command) {
  for (const std::string& text : command.addresses) {
    const Result<Address> address = parse_address(text);
    if (!address) return address.error();
    if (!is_local(address.value()) && command.token.empty())
      return Error{"game '" + command.name + "': " + text +
                   " is beyond this machine, where a worker wants to be shown a token: set RIVAL_TOKEN to what it was "
                   "given"};
  }
  check(!command.program.empty() || !command.addresses.empty(), "a worker is started, or listens somewhere");
  const auto played = std::make_shared<Played>();
  played->pool = std::make_shared<Pool>(command);
  Pool& pool = *played->pool;
  const auto failed = [&](int life, Pool::Why why, const std::string& what) {
    const Pool::Loss loss = pool.lost(0, life, why);
    return Error{"game '" + command.name + "', " + pool.name(0) + ": " + what + loss.story};
  };
  Result<Pool::Link> link = pool.connect(0);
  if (!link) return failed(0, Pool::Why::sound, link.error().message);
  Channel channel(std::move(link.value().socket));
  channel.send(pool.hello());
  Result<Frame> frame = one_frame(channel, Steady::now() + seconds(command.start_seconds));
  if (!frame) return failed(link->life, channel.ended() ? Pool::Why::ended : Pool::Why::to_end, frame.error().message);
  if (frame->kind == Kind::error) {
    Result<BatchFailure> said = read_error(frame->payload);
    return failed(link->life, Pool::Why::sound, said ? said->what : "it sends " + said.error().message);
  }
  const Result<Welcome> welcome =
      frame->kind == Kind::welcome ? WorkerBatch::welcome_of(*frame) : Error{"it does not begin with a WELCOME"};
  if (!welcome) return failed(link->life, Pool::Why::to_end, welcome.error().message);
  channel.send(close_frame());
  played->spec = welcome.value().spec;
  played->has = welcome.value().has;
  return GameEntry{.spec = played->spec, .make_batch = [played](int matches) -> std::unique_ptr<Batch> {
                     return std::make_unique<WorkerBatch>(played, matches);
                   }};
}

}  // namespace rival
