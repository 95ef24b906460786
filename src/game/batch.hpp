// Many matches of one game behind one type-erased interface: a virtual call per batch, never per match, so that
// trainer, league and tools are no templates. BatchOf<G> is the batch of a C++ game.
//
// Rows. In a turn-based game a match has one row, which belongs to whichever seat is to act; in a simultaneous game
// it has a row per seat. Row r belongs to match r / rows_per_match(). All buffers belong to the caller.
#pragma once

#include <algorithm>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <typeinfo>
#include <vector>

#include "base/check.hpp"
#include "base/index.hpp"
#include "game/spec.hpp"
#include "rival/game.hpp"
#include "rival/members.hpp"

namespace rival {

// What the seats to act see. Written by Batch::observe().
struct ObservationRows {
  float* observations;  // [rows x observation_size]
  std::uint8_t* masks;  // [rows x mask_size]
  std::int8_t* seats;   // [rows] the seat a row belongs to now, or -1: the row is idle (its other data are zero)
};

// What they do. Rows of idle seats are ignored.
struct ActionRows {
  const std::int32_t* choices;  // [rows x choice_count]
  const float* values;          // [rows x value_count]
};

// What came of it.
struct StepRows {
  float* rewards;  // [matches x seats] the step's rewards; a finished match's results are added by Batch::step
  Status* status;  // [matches]
};

// All that chance may make of a start or a step: match i of `matches` comes with probability probabilities[i], and with
// rewards [matches x seats] as StepRows has them. Of a game that does not say, `matches` is null.
struct Outcomes {
  std::unique_ptr<class Batch> matches;
  std::vector<double> probabilities;
  std::vector<float> rewards;
};

// What ended a batch: rules or a script that threw, say.
struct BatchFailure {
  int match = -1, step = 0, seat = -1;  // where; -1: of no match, or of no seat
  std::string what;
};

// A batch that fails says so in failure(), and is of no use from then on but to be destroyed: its rows are idle, its
// matches do not go on. Whoever drives one asks after each call that matters, or lets BatchRows do it.
//
// Not thread-safe; different batches are independent.
class Batch {
 public:
  virtual ~Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  const std::optional<BatchFailure>& failure() const { return failure_; }
  // An error that names the game and the place, where the batch has failed.
  Result<void> sound() const;
  // "game 'pig', match 3, step 7, seat 1: WHAT"
  Error error(const BatchFailure& failure) const;
  // Notes a failure; only the first one counts. Const, for who only reads the batch: scripted players.
  void fail(BatchFailure failure) const;
  // Notes what is being thrown; called while it is caught.
  void fail_by_exception(int match, int seat, const std::string& thrower) const;

  const Spec& spec() const { return spec_; }
  const RowLayout& layout() const { return layout_; }
  int matches() const { return matches_; }
  int rows_per_match() const { return spec_.simultaneous ? spec_.seats : 1; }
  int rows() const { return matches_ * rows_per_match(); }

  // Starts the named matches anew, match matches[i] with keys[i], all under these settings (game/match_settings.hpp
  // draws some for each). A match that was never started is idle, as one that has ended.
  void start(std::span<const int> matches, const Settings& settings, std::span<const Key> keys);
  // Starts every match, match m with key.split(m).
  void start_all(const Settings& settings, Key key);

  // Waits until some running match is ready, and shows the rows of all that are; none, if all that could be waited for
  // is a step that was asked for, of which step() then tells.
  virtual void observe(const ObservationRows& out) const = 0;
  // Whether observe() has last shown a running match. One that is played elsewhere may take its time, and is idle until
  // then: nobody decides, and step() leaves it as it is.
  bool ready(int match) const { return ready_.empty() || ready_[match]; }

  // Steps every running match that is ready; the randomness of a step comes from its match's key and the step's number.
  // What a match that is played elsewhere makes of it may come of a later call: until then it is not ready, and gives
  // nothing.
  // Matches that have ended stay as they are, with zero rewards, until they are started again.
  virtual void step(const ActionRows& actions, const StepRows& out) = 0;
  // Number of steps since the match started.
  int steps(int match) const { return std::max(0, clocks_[match].steps); }
  // As start() was given them.
  const Settings& settings(int match) const { return settings_[match]; }

  // ---- one match, for tools, which wait until it is ready; `mask` may be null ----
  virtual void observe_seat(int match, int seat, float* observation, std::uint8_t* mask) const = 0;
  // The same with the parts where `layout` has them, which may be elsewhere than in layout(), and nothing cleared
  // before. False, with nothing written, if the game cannot.
  virtual bool observe_seat_as(const RowLayout& layout, int match, int seat, float* observation,
                               std::uint8_t* mask) const;
  virtual SeatSet to_act(int match) const = 0;
  virtual Status status(int match) const = 0;
  // The seats that take part in the match, from its start to its end: where a game has places for more players than
  // came, the others neither act nor win or lose anything.
  virtual SeatSet playing(int match) const;
  // Whether any seat of the team takes part in the match.
  bool plays(int match, int team) const;
  // The teams for which that is so, in order.
  std::vector<int> playing_teams(int match) const;
  // The result for a team of a finished match; 0 in games without results.
  virtual float result(int match, int team) const;
  virtual bool has_result() const;
  // A hash of the match's state, as seen by all seats together, or of its results once it has finished; equal states
  // have equal hashes on one machine.
  std::uint64_t hash(int match) const;
  // The position drawn for people, or "" if the game cannot.
  virtual std::string text(int match) const;
  // What `seat` sees of it; "" if the game has hidden information and does not draw it for one seat.
  virtual std::string text(int match, int seat) const;
  // A choice of the first discrete part as people write it; its number if the game says nothing.
  virtual std::string action_text(int match, int seat, int choice) const;
  // What `rival watch` draws, as JSON (docs/formats/scene.md): what stays for the whole match, and the present state;
  // "" if the game has none.
  virtual std::string stage(int match) const;
  virtual std::string scene(int match) const;

  // Redraws everything of a match that `seat` cannot know (other players' cards, the order of the deck), as likely as
  // what the seat has seen makes it. False, with nothing changed, if the game cannot.
  virtual bool resample_hidden(int match, int seat, Key key);

  // Makes match `into` a copy of a match of `from`, a batch of the same game (or this one); it goes on independently.
  // With a key its steps draw their randomness from that, so that what it would have drawn stays unknown. False, with
  // nothing changed, if the game cannot.
  virtual bool copy_match(const Batch& from, int match, int into, std::optional<Key> key = {});

  // What the start of a match may give, and what a step of a running one may with the actions of its rows alone.
  virtual Outcomes starts(const Settings& settings) const;
  virtual Outcomes outcomes(int match, const ActionRows& actions) const;

  // The optional members that the game has and has not; empty if it is no type of C++.
  virtual std::vector<OptionalMember> optional_members() const;

  // The state of a match as the game's own type, for scripted players and judges; null if it is another type.
  template <class G>
  const G* state(int match) const {
    return typeid(G) == state_type() ? static_cast<const G*>(state_address(match)) : nullptr;
  }

 protected:
  // A match's key, as start() was given it, and how many steps it has taken; -1: it was never started.
  struct Clock {
    Key key;
    int steps = -1;
  };

  Batch(Spec spec, int matches)
      : clocks_(matches), spec_(std::move(spec)), layout_(spec_), matches_(matches), settings_(matches) {}
  virtual void start_each(std::span<const int> matches, const Settings& settings, std::span<const Key> keys) = 0;
  // Of a match that is made otherwise than by start(): as a copy, or of what chance may bring.
  void note_settings(int match, const Settings& settings) { settings_[match] = settings; }
  virtual const std::type_info& state_type() const { return typeid(void); }
  virtual const void* state_address(int) const { return nullptr; }

  std::vector<Clock> clocks_;                // [matches]
  mutable std::vector<std::uint8_t> ready_;  // [matches], or empty: all are always

 private:
  Spec spec_;
  RowLayout layout_;
  int matches_;
  std::vector<Settings> settings_;  // [matches]
  mutable std::optional<BatchFailure> failure_;
};

// Makes a batch of `matches` matches, none of them started. Never null: where none can be had (a library that is gone,
// a process that does not start) it is one that has failed. May be called by several threads at once.
using BatchFactory = std::function<std::unique_ptr<Batch>(int matches)>;

// A batch that has failed, for factories.
std::unique_ptr<Batch> failed_batch(Spec spec, int matches, std::string why);

template <Game G>
class BatchOf final : public Batch {
 public:
  explicit BatchOf(int matches) : Batch(G::spec(), matches), games_(matches) {}

  static std::unique_ptr<Batch> make(int matches) { return std::make_unique<BatchOf>(matches); }

  void observe(const ObservationRows& out) const override {
    const std::size_t observation_size = index(layout().observation_size), mask_size = index(layout().mask_size);
    std::memset(out.observations, 0, sizeof(float) * observation_size * index(rows()));
    std::fill_n(out.masks, mask_size * index(rows()), HasLegal<G> ? 0 : 1);
    const int per_match = rows_per_match();
    guarded({}, [&](Place& at) {
      for (int m = 0; m < matches(); ++m) {
        at = {m, -1, "status()"};
        SeatSet acting;
        if (runs(m)) {
          at.member = "to_act()";
          acting = games_[m].to_act();
        }
        for (int i = 0; i < per_match; ++i) {
          const std::size_t row = m * per_match + i;
          const int seat = per_match > 1 ? i : (acting.empty() ? 0 : acting.lowest());
          if (!acting.contains(seat)) {
            out.seats[row] = -1;
            continue;
          }
          out.seats[row] = static_cast<std::int8_t>(seat);
          at.seat = seat;
          write_row(at, layout(), out.observations + row * observation_size, out.masks + row * mask_size);
        }
      }
    });
    if (failure()) std::fill_n(out.seats, rows(), static_cast<std::int8_t>(-1));
  }

  void step(const ActionRows& actions, const StepRows& out) override {
    const int per_match = rows_per_match();
    const int seats = spec().seats;
    const int choices = layout().choice_count * per_match;
    const int values = layout().value_count * per_match;
    std::memset(out.rewards, 0, sizeof(float) * index(matches() * seats));
    guarded({}, [&](Place& at) {
      for (int m = 0; m < matches(); ++m) {
        at = {m, -1, "status()"};
        out.status[m] = status_of(m);
        if (out.status[m] != Status::running) continue;
        at.member = "step()";
        G& game = games_[m];
        float* rewards = out.rewards + static_cast<std::ptrdiff_t>(m) * seats;
        Clock& clock = clocks_[m];
        game.step(Actions(actions.choices + static_cast<std::ptrdiff_t>(m) * choices,
                          actions.values + static_cast<std::ptrdiff_t>(m) * values, per_match > 1 ? 1 : 0, layout()),
                  clock.key.split(static_cast<std::uint64_t>(clock.steps) + 1), Rewards(rewards));
        ++clock.steps;
        at.member = "status()";
        out.status[m] = game.status();
        if (out.status[m] == Status::finished) add_results(at, game, rewards);
      }
    });
    if (failure()) std::fill_n(out.status, matches(), Status::truncated);
  }

  void observe_seat(int match, int seat, float* observation, std::uint8_t* mask) const override {
    std::memset(observation, 0, sizeof(float) * index(layout().observation_size));
    if (mask) std::fill_n(mask, layout().mask_size, HasLegal<G> ? 0 : 1);
    observe_seat_as(layout(), match, seat, observation, mask);
  }
  bool observe_seat_as(const RowLayout& layout, int match, int seat, float* observation,
                       std::uint8_t* mask) const override {
    guarded({match, seat, ""}, [&](Place& at) { write_row(at, layout, observation, mask); });
    return true;
  }
  SeatSet to_act(int match) const override {
    SeatSet acting;
    guarded({match, -1, "to_act()"}, [&](Place&) {
      if (runs(match)) acting = game(match).to_act();
    });
    return acting;
  }
  Status status(int match) const override {
    Status status = Status::truncated;
    guarded({match, -1, "status()"}, [&](Place&) { status = status_of(match); });
    return status;
  }
  SeatSet playing(int match) const override {
    SeatSet playing = SeatSet::first(spec().seats);
    guarded({match, -1, "playing()"}, [&](Place&) { playing = playing_of(game(match)); });
    return playing;
  }
  float result(int match, int team) const override {
    float result = 0;
    if constexpr (HasResult<G>) guarded({match, -1, "result()"}, [&](Place&) { result = game(match).result(team); });
    return result;
  }
  bool has_result() const override { return HasResult<G>; }
  std::string text(int match) const override {
    if constexpr (HasText<G>) return written({match, -1, "text()"}, [&] { return game(match).text(); });
    return "";
  }
  std::string text(int match, int seat) const override {
    if constexpr (HasSeatText<G>) return written({match, seat, "text(seat)"}, [&] { return game(match).text(seat); });
    return Batch::text(match, seat);
  }
  std::string action_text(int match, int seat, int choice) const override {
    if constexpr (HasActionText<G>)
      return written({match, seat, "action_text()"}, [&] { return game(match).action_text(seat, choice); });
    return std::to_string(choice);
  }
  std::string stage(int match) const override {
    if constexpr (HasScene<G>) return written({match, -1, "stage()"}, [&] { return game(match).stage(); });
    return "";
  }
  std::string scene(int match) const override {
    if constexpr (HasScene<G>) return written({match, -1, "scene()"}, [&] { return game(match).scene(); });
    return "";
  }
  bool resample_hidden(int match, int seat, Key key) override {
    if constexpr (HasResampleHidden<G>)
      guarded({match, seat, "resample_hidden()"}, [&](Place&) { games_[match].resample_hidden(seat, key); });
    return HasResampleHidden<G>;
  }
  // Puts a match into a state of the caller's making, as if it had just been started there with `key`.
  void set_state(int match, const G& state, Key key = {}) {
    games_[match] = state;
    clocks_[match] = {key, 0};
  }
  bool copy_match(const Batch& from, int match, int into, std::optional<Key> key = {}) override {
    const auto* same = dynamic_cast<const BatchOf*>(&from);
    check(same != nullptr, "a match was copied from a batch of another game");
    games_[into] = same->games_[match];
    clocks_[into] = same->clocks_[match];
    note_settings(into, from.settings(match));
    if (key) clocks_[into].key = *key;
    return true;
  }
  Outcomes starts(const Settings& settings) const override {
    if constexpr (HasStarts<G>)
      return outcomes_of({-1, -1, "starts()"}, {{}, 0}, settings, [&] { return G::starts(settings); });
    return Batch::starts(settings);
  }
  Outcomes outcomes(int match, const ActionRows& actions) const override {
    if constexpr (HasOutcomes<G>) {
      const Clock& now = clocks_[match];
      const Actions rows(actions.choices, actions.values, rows_per_match() > 1 ? 1 : 0, layout());
      return outcomes_of({match, -1, "outcomes()"}, {now.key, now.steps + 1}, settings(match),
                         [&] { return game(match).outcomes(rows); });
    }
    return Batch::outcomes(match, actions);
  }
  std::vector<OptionalMember> optional_members() const override {
    constexpr auto members = rival::optional_members<G>();
    return {members.begin(), members.end()};
  }

 private:
  void start_each(std::span<const int> matches, const Settings& settings, std::span<const Key> keys) override {
    guarded({.member = "reset()"}, [&](Place& at) {
      for (std::size_t i = 0; i < matches.size(); ++i) {
        at.match = matches[i];
        clocks_[at.match] = {keys[i], 0};
        games_[at.match].reset(settings, keys[i].split(0));
      }
    });
  }

  // Which member of the rules is at work, for whom.
  struct Place {
    int match = -1, seat = -1;
    const char* member = "";
  };
  // Does what may throw in the rules; nothing once the batch has failed.
  template <class Work>
  void guarded(Place at, const Work& work) const {
    if (failure()) return;
    try {
      work(at);
    } catch (...) {
      fail_by_exception(at.match, at.seat, at.member);
    }
  }
  template <class Text>
  std::string written(Place at, const Text& text) const {
    std::string result;
    guarded(at, [&](Place&) { result = text(); });
    return result;
  }

  Status status_of(int match) const { return clocks_[match].steps < 0 ? Status::truncated : game(match).status(); }
  bool runs(int match) const { return status_of(match) == Status::running; }

  // What the end of a finished match gives its seats.
  void add_results(Place& at, const G& game, float* rewards) const {
    if constexpr (HasResult<G>) {
      at.member = "result()";
      for (SeatSet in = playing_of(game); !in.empty(); in = in.without(in.lowest()))
        rewards[in.lowest()] += game.result(spec().team_of(in.lowest()));
    }
  }
  SeatSet playing_of(const G& game) const {
    if constexpr (HasPlaying<G>) return game.playing();
    return SeatSet::first(spec().seats);
  }

  template <class All>
  Outcomes outcomes_of(Place place, Clock clock, const Settings& settings, const All& said) const {
    Outcomes outcomes;
    guarded(place, [&](Place& at) {
      const std::vector<Chance<G>> all = said();
      const std::size_t seats = spec().seats;
      auto batch = std::make_unique<BatchOf>(static_cast<int>(all.size()));
      outcomes.rewards.resize(all.size() * seats);
      for (std::size_t i = 0; i < all.size(); ++i) {
        batch->games_[i] = all[i].state;
        batch->clocks_[i] = clock;
        batch->note_settings(static_cast<int>(i), settings);
        outcomes.probabilities.push_back(all[i].probability);
        float* rewards = outcomes.rewards.data() + i * seats;
        std::copy_n(all[i].rewards.begin(), std::min(seats, all[i].rewards.size()), rewards);
        if (all[i].state.status() == Status::finished) add_results(at, all[i].state, rewards);
      }
      outcomes.matches = std::move(batch);
    });
    return outcomes;
  }
  const G& game(int match) const { return games_[match]; }
  // `mask` may be null: what the seat may do is not asked then.
  void write_row(Place& at, const RowLayout& layout, float* observation, std::uint8_t* mask) const {
    const G& game = games_[at.match];
    at.member = "observe()";
    game.observe(at.seat, Observation(observation, layout, spec()));
    at.member = "legal()";
    if constexpr (HasLegal<G>)
      if (mask) game.legal(at.seat, Mask(mask, layout));
  }
  const std::type_info& state_type() const override { return typeid(G); }
  const void* state_address(int match) const override { return &games_[match]; }

  std::vector<G> games_;
};

}  // namespace rival
