// Many matches of one game behind one type-erased interface: a virtual call per batch, never per match, so that
// trainer, league and tools are no templates. BatchOf<G> is the batch of a C++ game.
//
// Rows. In a turn-based game a match has one row, which belongs to whichever seat is to act; in a simultaneous game
// it has a row per seat. Row r belongs to match r / rows_per_match(). All buffers belong to the caller.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <typeinfo>
#include <vector>

#include "base/check.hpp"
#include "game/spec.hpp"
#include "rival/game.hpp"

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

// Not thread-safe; different batches are independent.
class Batch {
 public:
  virtual ~Batch() = default;
  Batch& operator=(const Batch&) = delete;

  const Spec& spec() const { return spec_; }
  const RowLayout& layout() const { return layout_; }
  int matches() const { return matches_; }
  int rows_per_match() const { return spec_.simultaneous ? spec_.seats : 1; }
  int rows() const { return matches_ * rows_per_match(); }

  // Starts the named matches anew, match matches[i] with keys[i]. A new batch's matches must be started first.
  virtual void start(std::span<const int> matches, const Settings& settings, std::span<const Key> keys) = 0;
  // Starts every match, match m with key.split(m).
  void start_all(const Settings& settings, Key key);

  virtual void observe(const ObservationRows& out) const = 0;

  // Steps every running match; the randomness of a step comes from its match's key and the step's number.
  // Matches that have ended stay as they are, with zero rewards, until they are started again.
  virtual void step(const ActionRows& actions, const StepRows& out) = 0;

  // ---- one match, for tools; `mask` may be null ----
  virtual void observe_seat(int match, int seat, float* observation, std::uint8_t* mask) const = 0;
  virtual SeatSet to_act(int match) const = 0;
  virtual Status status(int match) const = 0;
  // The seats that take part in the match, from its start to its end: where a game has places for more players than
  // came, the others neither act nor win or lose anything.
  virtual SeatSet playing(int match) const = 0;
  // Whether any seat of the team takes part in the match.
  bool plays(int match, int team) const;
  // The teams for which that is so, in order.
  std::vector<int> playing_teams(int match) const;
  // The result for a team of a finished match; 0 in games without results.
  virtual float result(int match, int team) const = 0;
  virtual bool has_result() const = 0;
  // A hash of the match's state, as seen by all seats together; equal states have equal hashes on one machine.
  std::uint64_t hash(int match) const;
  // The position drawn for people, or "" if the game cannot.
  virtual std::string text(int match) const = 0;
  // What `seat` sees of it; "" if the game has hidden information and does not draw it for one seat.
  virtual std::string text(int match, int seat) const;
  // A choice of the first discrete part as people write it; its number if the game says nothing.
  virtual std::string action_text(int match, int seat, int choice) const = 0;
  // What `rival watch` draws, as JSON (docs/formats/scene.md): what stays for the whole match, and the present state;
  // "" if the game has none.
  virtual std::string stage(int match) const = 0;
  virtual std::string scene(int match) const = 0;
  // Number of steps since the match started.
  virtual int steps(int match) const = 0;

  // Redraws everything of a match that `seat` cannot know (other players' cards, the order of the deck), as likely as
  // what the seat has seen makes it. False, with nothing changed, if the game cannot.
  virtual bool resample_hidden(int match, int seat, Key key);

  // A copy: the same matches, which go on independently.
  virtual std::unique_ptr<Batch> clone() const = 0;
  // Makes match `into` a copy of a match of `from`, a batch of the same game (or this one); it goes on independently.
  virtual void copy_match(const Batch& from, int match, int into) = 0;
  // From now on the steps of a match draw their randomness from `key`: what it would have drawn stays unknown.
  virtual void rekey(int match, Key key) = 0;

  // What the start of a match may give, and what a step of a running one may with the actions of its rows alone.
  virtual Outcomes starts(const Settings& settings) const;
  virtual Outcomes outcomes(int match, const ActionRows& actions) const;

  // The state of a match as the game's own type, for scripted players and judges; null if it is another type.
  template <class G>
  const G* state(int match) const {
    return typeid(G) == state_type() ? static_cast<const G*>(state_address(match)) : nullptr;
  }

 protected:
  Batch(Spec spec, int matches) : spec_(std::move(spec)), layout_(spec_), matches_(matches) {}
  Batch(const Batch& other) : spec_(other.spec_), layout_(other.layout_), matches_(other.matches_) {}
  virtual const std::type_info& state_type() const = 0;
  virtual const void* state_address(int match) const = 0;

 private:
  Spec spec_;
  RowLayout layout_;
  int matches_;
};

// Makes a batch of `matches` matches, none of them started.
using BatchFactory = std::unique_ptr<Batch> (*)(int matches);

template <Game G>
class BatchOf final : public Batch {
 public:
  explicit BatchOf(int matches)
      : Batch(G::spec(), matches),
        games_(static_cast<std::size_t>(matches)),
        clocks_(static_cast<std::size_t>(matches)) {}

  static std::unique_ptr<Batch> make(int matches) { return std::make_unique<BatchOf>(matches); }

  void start(std::span<const int> matches, const Settings& settings, std::span<const Key> keys) override {
    for (std::size_t i = 0; i < matches.size(); ++i) {
      const auto m = static_cast<std::size_t>(matches[i]);
      games_[m].reset(settings, keys[i].split(0));
      clocks_[m] = {keys[i], 0};
    }
  }

  void observe(const ObservationRows& out) const override {
    const auto observation_size = static_cast<std::size_t>(layout().observation_size);
    const auto mask_size = static_cast<std::size_t>(layout().mask_size);
    std::memset(out.observations, 0, sizeof(float) * observation_size * static_cast<std::size_t>(rows()));
    std::fill_n(out.masks, mask_size * static_cast<std::size_t>(rows()), HasLegal<G> ? 0 : 1);
    const int per_match = rows_per_match();
    for (int m = 0; m < matches(); ++m) {
      const G& game = games_[static_cast<std::size_t>(m)];
      const SeatSet acting = game.status() == Status::running ? game.to_act() : SeatSet::none();
      for (int i = 0; i < per_match; ++i) {
        const auto row = static_cast<std::size_t>(m * per_match + i);
        const int seat = per_match > 1 ? i : (acting.empty() ? 0 : acting.lowest());
        if (!acting.contains(seat)) {
          out.seats[row] = -1;
          continue;
        }
        out.seats[row] = static_cast<std::int8_t>(seat);
        write_row(game, seat, out.observations + row * observation_size, out.masks + row * mask_size);
      }
    }
  }

  void step(const ActionRows& actions, const StepRows& out) override {
    const int per_match = rows_per_match();
    const int seats = spec().seats;
    const int choices = layout().choice_count * per_match;
    const int values = layout().value_count * per_match;
    std::memset(out.rewards, 0, sizeof(float) * static_cast<std::size_t>(matches() * seats));
    for (int m = 0; m < matches(); ++m) {
      G& game = games_[static_cast<std::size_t>(m)];
      if (game.status() != Status::running) {
        out.status[m] = game.status();
        continue;
      }
      float* rewards = out.rewards + static_cast<std::ptrdiff_t>(m) * seats;
      Clock& clock = clocks_[static_cast<std::size_t>(m)];
      ++clock.steps;
      game.step(Actions(actions.choices + static_cast<std::ptrdiff_t>(m) * choices,
                        actions.values + static_cast<std::ptrdiff_t>(m) * values, per_match > 1 ? 1 : 0, layout()),
                clock.key.split(static_cast<std::uint64_t>(clock.steps)), Rewards(rewards));
      out.status[m] = game.status();
      if constexpr (HasResult<G>)
        if (out.status[m] == Status::finished)
          for (SeatSet in = playing(m); !in.empty(); in = in.without(in.lowest()))
            rewards[in.lowest()] += game.result(spec().team_of(in.lowest()));
    }
  }

  void observe_seat(int match, int seat, float* observation, std::uint8_t* mask) const override {
    std::vector<std::uint8_t> unused(mask ? 0 : static_cast<std::size_t>(layout().mask_size));
    std::uint8_t* row = mask ? mask : unused.data();
    std::memset(observation, 0, sizeof(float) * static_cast<std::size_t>(layout().observation_size));
    std::fill_n(row, layout().mask_size, HasLegal<G> ? 0 : 1);
    write_row(game(match), seat, observation, row);
  }
  SeatSet to_act(int match) const override {
    return game(match).status() == Status::running ? game(match).to_act() : SeatSet::none();
  }
  Status status(int match) const override { return game(match).status(); }
  SeatSet playing(int match) const override {
    if constexpr (HasPlaying<G>) return game(match).playing();
    return SeatSet::first(spec().seats);
  }
  float result(int match, int team) const override {
    if constexpr (HasResult<G>) return game(match).result(team);
    return 0;
  }
  bool has_result() const override { return HasResult<G>; }
  std::string text(int match) const override {
    if constexpr (HasText<G>) return game(match).text();
    return "";
  }
  std::string text(int match, int seat) const override {
    if constexpr (HasSeatText<G>) return game(match).text(seat);
    return Batch::text(match, seat);
  }
  std::string action_text(int match, int seat, int choice) const override {
    if constexpr (HasActionText<G>) return game(match).action_text(seat, choice);
    return std::to_string(choice);
  }
  std::string stage(int match) const override {
    if constexpr (HasScene<G>) return game(match).stage();
    return "";
  }
  std::string scene(int match) const override {
    if constexpr (HasScene<G>) return game(match).scene();
    return "";
  }
  int steps(int match) const override { return clocks_[static_cast<std::size_t>(match)].steps; }
  bool resample_hidden(int match, int seat, Key key) override {
    if constexpr (HasResampleHidden<G>) games_[static_cast<std::size_t>(match)].resample_hidden(seat, key);
    return HasResampleHidden<G>;
  }
  // Puts a match into a state of the caller's making, as if it had just been started there with `key`.
  void set_state(int match, const G& state, Key key = {}) {
    games_[static_cast<std::size_t>(match)] = state;
    clocks_[static_cast<std::size_t>(match)] = {key, 0};
  }
  std::unique_ptr<Batch> clone() const override { return std::unique_ptr<Batch>(new BatchOf(*this)); }
  void copy_match(const Batch& from, int match, int into) override {
    const auto* same = dynamic_cast<const BatchOf*>(&from);
    check(same != nullptr, "a match was copied from a batch of another game");
    games_[static_cast<std::size_t>(into)] = same->games_[static_cast<std::size_t>(match)];
    clocks_[static_cast<std::size_t>(into)] = same->clocks_[static_cast<std::size_t>(match)];
  }
  Outcomes starts(const Settings& settings) const override {
    if constexpr (HasStarts<G>) return outcomes_of(G::starts(settings), {});
    return Batch::starts(settings);
  }
  Outcomes outcomes(int match, const ActionRows& actions) const override {
    if constexpr (HasOutcomes<G>) {
      const Clock& clock = clocks_[static_cast<std::size_t>(match)];
      const Actions rows(actions.choices, actions.values, rows_per_match() > 1 ? 1 : 0, layout());
      return outcomes_of(game(match).outcomes(rows), {clock.key, clock.steps + 1});
    }
    return Batch::outcomes(match, actions);
  }
  void rekey(int match, Key key) override { clocks_[static_cast<std::size_t>(match)].key = key; }

 private:
  struct Clock {
    Key key;
    int steps = 0;
  };

  Outcomes outcomes_of(const std::vector<Chance<G>>& all, Clock clock) const {
    const auto seats = static_cast<std::size_t>(spec().seats);
    auto batch = std::make_unique<BatchOf>(static_cast<int>(all.size()));
    Outcomes outcomes{nullptr, {}, std::vector<float>(all.size() * seats)};
    for (std::size_t i = 0; i < all.size(); ++i) {
      batch->games_[i] = all[i].state;
      batch->clocks_[i] = clock;
      outcomes.probabilities.push_back(all[i].probability);
      float* rewards = outcomes.rewards.data() + i * seats;
      std::copy_n(all[i].rewards.begin(), std::min(seats, all[i].rewards.size()), rewards);
      const int match = static_cast<int>(i);
      if (HasResult<G> && batch->status(match) == Status::finished)
        for (SeatSet in = batch->playing(match); !in.empty(); in = in.without(in.lowest()))
          rewards[in.lowest()] += batch->result(match, spec().team_of(in.lowest()));
    }
    outcomes.matches = std::move(batch);
    return outcomes;
  }
  const G& game(int match) const { return games_[static_cast<std::size_t>(match)]; }
  void write_row(const G& game, int seat, float* observation, std::uint8_t* mask) const {
    game.observe(seat, Observation(observation, layout(), spec()));
    if constexpr (HasLegal<G>) game.legal(seat, Mask(mask, layout()));
  }
  const std::type_info& state_type() const override { return typeid(G); }
  const void* state_address(int match) const override { return &games_[static_cast<std::size_t>(match)]; }

  std::vector<G> games_;
  std::vector<Clock> clocks_;
};

}  // namespace rival
