// What a game is to Rival: a small copyable value type with about eight members, and a Spec that says in data
// what its players see and do. This header is all that the rules of a game need to include.
//
//   struct MyGame {
//     static Spec spec();                                    // what players see and do; never changes
//     void reset(const Settings&, Key);                      // start a match
//     SeatSet to_act() const;                                // who must act now; one seat in turn-based games
//     void observe(int seat, Observation) const;             // what a seat sees; the row arrives zeroed
//     void step(const Actions&, Key, Rewards);               // all seats in to_act() have acted
//     Status status() const;                                 // running, finished or truncated
//     // optional:
//     void legal(int seat, Mask) const;                      // which choices are allowed; without it: all
//     float result(int team) const;                          // the match's outcome for a team, when it finished
//     SeatSet playing() const;                               // the seats that take part; without it: all
//     std::string text() const;                              // the position, drawn for people
//     std::string text(int seat) const;                      // what a seat sees of it (hidden information)
//     std::string action_text(int seat, int choice) const;   // a choice as people write it
//     void resample_hidden(int seat, Key);                   // redraw what `seat` cannot know (hidden information)
//     std::string stage() const, scene() const;              // what `rival watch` draws: docs/formats/scene.md
//     static std::vector<Chance<MyGame>> starts(const Settings&);     // all that reset may give } for exact judges of
//     std::vector<Chance<MyGame>> outcomes(const Actions&) const;     // all that step may give  } small games of
//     chance
//   };
//
// Members are called only where they make sense: reset() first, as often as matches begin, on an object that may have
// played one before; to_act() and legal() (of the seats in it) while the match runs; observe(), of any seat that takes
// part, while it runs and after it was truncated; result() once it has finished; the others at any time after reset().
// A member may throw: the match then ends with an error that names the member, the match, the step and the seat.
//
// What a player is after: the sum of its rewards over the match, plus its team's result at the end. A game may
// have either or both; results should be the real outcome (win +1, draw 0, loss -1, or a payoff), rewards the rest.
//
// Copying a match is how search, replays and the coach branch, so a game holds its state by value and draws all
// randomness from the keys it is given: the same state, actions and key must give the same next state.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "rival/random.hpp"

namespace rival {

// ---- Spec: what a game is, as data --------------------------------------------------------------------------

// One part of an observation: a flat vector of `size()` floats; a grid of `channels` planes of height x width (stored
// plane by plane, row by row); or a set of up to count() entities (units in sight, cards in hand) of features() floats
// each, row after row. The first float of an entity is 1; a row without one is zero throughout. What a network learns
// of one entity holds for all of its part, whatever their order. Values may have any size: training normalises vectors,
// and brings what entities and grids show to order 1.
struct ObservationPart {
  enum class Kind { vector, grid, entities };
  std::string name;
  Kind kind = Kind::vector;
  int channels = 1, height = 1, width = 1;

  int size() const { return channels * height * width; }
  int count() const { return height; }    // of entities, at most
  int features() const { return width; }  // floats of one entity
  static ObservationPart vector(std::string name, int size) { return {std::move(name), Kind::vector, 1, 1, size}; }
  static ObservationPart grid(std::string name, int channels, int height, int width) {
    return {std::move(name), Kind::grid, channels, height, width};
  }
  static ObservationPart entities(std::string name, int count, int features) {
    return {std::move(name), Kind::entities, 1, count, features};
  }
};

// One part of an action: a discrete choice out of `size`, a target (one of the `size` entities of an observation part;
// masked like a discrete choice), or `size` continuous values in [low, high].
// A seat fills in every part at each of its decisions.
struct ActionPart {
  enum class Kind { discrete, target, continuous };
  std::string name;
  Kind kind = Kind::discrete;
  int size = 0;
  float low = -1, high = 1;  // continuous only; actions arrive clipped to this range
  int entities = -1;         // target only: index of the observation part whose entities these are

  // A choice that means something only along with some choices of an earlier discrete part (where to cast, if casting):
  // bit c of `when_choices` is choice c of part `when_part`. Otherwise the rules must ignore it, and nothing is learnt
  // from it. -1: it always counts.
  int when_part = -1;
  std::uint64_t when_choices = 0;

  bool is_choice() const { return kind != Kind::continuous; }

  static ActionPart discrete(std::string name, int choices) { return {std::move(name), Kind::discrete, choices}; }
  static ActionPart continuous(std::string name, int size, float low, float high) {
    return {std::move(name), Kind::continuous, size, low, high};
  }
  // A target among the entities of observation part `entities`, which holds `count` of them.
  static ActionPart target(std::string name, int entities, int count) {
    return {std::move(name), Kind::target, count, -1, 1, entities};
  }
  // The same part, to count only along with these choices of part `part`, an earlier discrete one of at most 64
  // choices.
  ActionPart when(int part, std::initializer_list<int> choices) const {
    ActionPart result = *this;
    result.when_part = part;
    for (int c : choices) result.when_choices |= std::uint64_t{1} << c;
    return result;
  }
};

// A number of the rules that a designer may tune. With a step above 0 the values are low, low + step, ... up to high,
// and nothing in between: 1 for whole numbers. The default and `high` must be among them.
struct Parameter {
  std::string name;
  float value = 0;  // the default
  float low = 0, high = 0;
  std::string description;
  float step = 0;  // 0: any value from low to high
};

// What each seat picks before the match: a hero, a deck, a faction.
struct Choice {
  std::string name;
  std::vector<std::string> options;
};

// Something that the rules read from a data file (a hero, an item, the map), by its name and a hash of its numbers, so
// that a replay can say what has changed since it was recorded.
struct RuleData {
  std::string name;
  std::uint64_t hash = 0;
};

struct Spec {
  std::string name;         // lower_case_with_underscores
  std::string description;  // one line, for `rival games`
  std::string source = {};  // where the rules come from

  int seats = 1;                // at most 64
  std::vector<int> teams = {};  // team of each seat; empty: every seat is a team of its own

  std::vector<ObservationPart> observation = {};
  std::vector<ActionPart> action = {};
  std::vector<Parameter> parameters = {};
  std::vector<Choice> choices = {};
  std::vector<RuleData> data = {};

  bool simultaneous = false;        // true if more than one seat may be in to_act() at once
  bool hidden_information = false;  // true if a seat does not see the whole state (cards, fog)
  int max_steps = 0;                // an upper bound on the steps of a match; 0: none is known
  float seconds_per_step = 0;       // how long a step is for people who play it in real time; 0: they take turns

  int team_of(int seat) const { return teams.empty() ? seat : teams[static_cast<std::size_t>(seat)]; }
  int team_count() const { return teams.empty() ? seats : 1 + *std::max_element(teams.begin(), teams.end()); }
};

// How a match is set up. Made by default_settings() in src/game.
struct Settings {
  std::vector<float> parameters;  // the values of Spec::parameters, in their order
  // What each seat picks, [choices x seats]: the number of an option, or -1: the game draws one from the match's key.
  std::vector<int> picks = {};
  bool operator==(const Settings&) const = default;
};

// ---- What rules read and write ------------------------------------------------------------------------------

// A set of seats.
class SeatSet {
 public:
  constexpr SeatSet() = default;
  static constexpr SeatSet none() { return {}; }
  static constexpr SeatSet one(int seat) { return SeatSet(std::uint64_t{1} << seat); }
  static constexpr SeatSet first(int count) {
    return SeatSet(count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1);
  }
  constexpr SeatSet with(int seat) const { return SeatSet(bits_ | (std::uint64_t{1} << seat)); }
  constexpr SeatSet without(int seat) const { return SeatSet(bits_ & ~(std::uint64_t{1} << seat)); }
  constexpr bool contains(int seat) const { return (bits_ >> seat) & 1; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr int count() const { return __builtin_popcountll(bits_); }
  // The lowest seat in the set; the set must not be empty.
  constexpr int lowest() const { return __builtin_ctzll(bits_); }
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool operator==(const SeatSet&) const = default;

 private:
  constexpr explicit SeatSet(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t bits_ = 0;
};

enum class Status : std::uint8_t {
  running,
  finished,   // the match ended by its rules
  truncated,  // cut short (a time limit that players do not see): nothing is known about what would have followed
};

// Where part `p` of a row begins; shared by all rows of a batch.
struct RowLayout {
  std::vector<int> observation_offset;  // floats, per observation part
  std::vector<int> mask_offset;         // bytes, per action part (continuous parts take none)
  std::vector<int> choice_index;        // per action part: which discrete part it is, or -1
  std::vector<int> value_offset;        // per action part: first of its continuous values, or -1
  int observation_size = 0;             // floats in an observation row
  int mask_size = 0;                    // bytes in a mask row
  int choice_count = 0;                 // discrete parts: integers in an action row
  int value_count = 0;                  // continuous values in an action row
  explicit RowLayout(const Spec& spec);
};

inline RowLayout::RowLayout(const Spec& spec) {
  for (const ObservationPart& part : spec.observation) {
    observation_offset.push_back(observation_size);
    observation_size += part.size();
  }
  for (const ActionPart& part : spec.action) {
    mask_offset.push_back(mask_size);
    choice_index.push_back(part.is_choice() ? choice_count : -1);
    value_offset.push_back(part.is_choice() ? -1 : value_count);
    if (part.is_choice()) {
      mask_size += part.size;
      ++choice_count;
    } else {
      value_count += part.size;
    }
  }
}

// One observation row, to be written. Zero on arrival. A view: it owns nothing.
class Observation {
 public:
  Observation(float* row, const RowLayout& layout, const Spec& spec) : row_(row), layout_(&layout), spec_(&spec) {}

  // The whole row: all parts, in order.
  std::span<float> row() const { return {row_, static_cast<std::size_t>(layout_->observation_size)}; }
  float* part(int p = 0) const { return row_ + layout_->observation_offset[static_cast<std::size_t>(p)]; }
  float& operator[](int i) const { return row_[i]; }
  float& at(int p, int channel, int y, int x) const {
    const ObservationPart& g = spec_->observation[static_cast<std::size_t>(p)];
    return part(p)[(channel * g.height + y) * g.width + x];
  }

 private:
  float* row_;
  const RowLayout* layout_;
  const Spec* spec_;
};

// One mask row, to be written: a byte per discrete choice, 1 where allowed. Zero (nothing allowed) on arrival;
// each discrete part needs at least one allowed choice. A view: it owns nothing.
class Mask {
 public:
  Mask(std::uint8_t* row, const RowLayout& layout) : row_(row), layout_(&layout) {}
  std::uint8_t* part(int p = 0) const { return row_ + layout_->mask_offset[static_cast<std::size_t>(p)]; }
  void allow(int choice) const { row_[choice] = 1; }
  void allow(int p, int choice) const { part(p)[choice] = 1; }

 private:
  std::uint8_t* row_;
  const RowLayout* layout_;
};

// The actions of the seats in to_act(), to be read. A view: it owns nothing.
class Actions {
 public:
  // `seat_stride` 1: a row per seat; 0: one row, which belongs to the only seat that acts.
  Actions(const std::int32_t* choices, const float* values, int seat_stride, const RowLayout& layout)
      : choices_(choices),
        values_(values),
        choice_stride_(layout.choice_count * seat_stride),
        value_stride_(layout.value_count * seat_stride),
        layout_(&layout) {}

  // What `seat` chose in the discrete or target action part `p`: 0 to size - 1, and allowed by the mask.
  int choice(int seat, int p = 0) const {
    return choices_[seat * choice_stride_ + layout_->choice_index[static_cast<std::size_t>(p)]];
  }
  // Value `i` of the continuous action part `p`, clipped to the part's range.
  float value(int seat, int p = 0, int i = 0) const {
    return values_[seat * value_stride_ + layout_->value_offset[static_cast<std::size_t>(p)] + i];
  }

 private:
  const std::int32_t* choices_;
  const float* values_;
  int choice_stride_, value_stride_;
  const RowLayout* layout_;
};

// Rewards of one step, one per seat, to be added to. Zero on arrival. A view: it owns nothing.
class Rewards {
 public:
  explicit Rewards(float* seats) : seats_(seats) {}
  float& operator[](int seat) const { return seats_[seat]; }

 private:
  float* seats_;
};

// One of the states that chance may bring, for games that say them all; their probabilities sum to 1.
template <class G>
struct Chance {
  G state;
  double probability;
  std::vector<float> rewards = {};  // [seats] what the step gives; empty: nothing
};

// ---- The concept --------------------------------------------------------------------------------------------

template <class G>
concept HasLegal = requires(const G& g, int seat, Mask mask) {
  { g.legal(seat, mask) } -> std::same_as<void>;
};
template <class G>
concept HasResult = requires(const G& g, int team) {
  { g.result(team) } -> std::convertible_to<float>;
};
template <class G>
concept HasPlaying = requires(const G& g) {
  { g.playing() } -> std::same_as<SeatSet>;
};
template <class G>
concept HasText = requires(const G& g) {
  { g.text() } -> std::convertible_to<std::string>;
};
template <class G>
concept HasSeatText = requires(const G& g, int seat) {
  { g.text(seat) } -> std::convertible_to<std::string>;
};
template <class G>
concept HasActionText = requires(const G& g, int seat, int choice) {
  { g.action_text(seat, choice) } -> std::convertible_to<std::string>;
};
template <class G>
concept HasResampleHidden = requires(G& g, int seat, Key key) {
  { g.resample_hidden(seat, key) } -> std::same_as<void>;
};

template <class G>
concept HasStarts = requires(const Settings& settings) {
  { G::starts(settings) } -> std::same_as<std::vector<Chance<G>>>;
};
template <class G>
concept HasOutcomes = requires(const G& g, const Actions& actions) {
  { g.outcomes(actions) } -> std::same_as<std::vector<Chance<G>>>;
};
template <class G>
concept HasScene = requires(const G& g) {
  { g.stage() } -> std::convertible_to<std::string>;
  { g.scene() } -> std::convertible_to<std::string>;
};

template <class G>
concept Game = std::copyable<G> && std::default_initializable<G> &&
    requires(G g, const G& c, const Settings& settings, Key key, int seat, Observation out, const Actions& actions,
             Rewards rewards) {
  { G::spec() } -> std::same_as<Spec>;
  { g.reset(settings, key) } -> std::same_as<void>;
  { c.to_act() } -> std::same_as<SeatSet>;
  { c.observe(seat, out) } -> std::same_as<void>;
  { g.step(actions, key, rewards) } -> std::same_as<void>;
  { c.status() } -> std::same_as<Status>;
};

}  // namespace rival
