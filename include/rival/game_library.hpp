// A game in C++ as a shared library, for programs that do not have it built in. One line, in one file of the library:
//
//   #include "rival/game_library.hpp"
//   #include "my_game.hpp"  // struct MyGame, which satisfies the concept of rival/game.hpp
//
//   const rival_game_table* rival_game(uint32_t version) { return rival::game_table<MyGame>(version); }
//
// and `g++ -std=c++20 -O2 -fPIC -shared`, with the folder that holds rival/ to be searched for headers and nothing to
// link. The library speaks the ABI of rival/game_abi.h, so it goes with programs of other versions and compilers.
// Exceptions of the rules are caught, and told with the member, match and seat.
#pragma once

#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "rival/game.hpp"
#include "rival/game_abi.h"
#include "rival/members.hpp"

// Nothing of this is to be mixed up with what another library makes of a game of the same name.
#pragma GCC visibility push(hidden)

namespace rival {
namespace abi {

// A Spec with the structs that describe it to Rival.
class SpecStructs {
 public:
  SpecStructs(Spec spec_, bool masks) : spec(std::move(spec_)), layout(spec) {
    if (!spec.teams.empty() && spec.teams.size() != static_cast<std::size_t>(spec.seats))
      throw std::invalid_argument("teams must name a team for every seat");
    for (const ActionPart& part : spec.action)
      if (part.when_part >= 0 && part.when_choices == 0)
        throw std::invalid_argument("action part '" + part.name + "' counts along with no choice of another");
    for (const ObservationPart& part : spec.observation)
      observation_.push_back({sizeof(rival_observation_part), part.name.c_str(), static_cast<int32_t>(part.kind),
                              part.channels, part.height, part.width});
    for (const ActionPart& part : spec.action)
      action_.push_back({sizeof(rival_action_part), part.name.c_str(), kind(part.kind), part.size, part.low, part.high,
                         part.entities, part.when_part, part.when_choices});
    for (const Parameter& p : spec.parameters)
      parameters_.push_back(
          {sizeof(rival_parameter), p.name.c_str(), p.description.c_str(), p.value, p.low, p.high, p.step});
    options_.reserve(spec.choices.size());
    for (const Choice& choice : spec.choices) {
      options_.emplace_back();
      for (const std::string& option : choice.options) options_.back().push_back(option.c_str());
      choices_.push_back({sizeof(rival_choice), choice.name.c_str(), options_.back().data(),
                          static_cast<int32_t>(options_.back().size())});
    }
    for (const RuleData& data : spec.data) data_.push_back({sizeof(rival_rule_data), data.name.c_str(), data.hash});
    structs = {.struct_size = sizeof(rival_spec),
               .name = spec.name.c_str(),
               .description = spec.description.c_str(),
               .source = spec.source.c_str(),
               .seats = spec.seats,
               .simultaneous = spec.simultaneous,
               .hidden_information = spec.hidden_information,
               .masks = masks,
               .max_steps = spec.max_steps,
               .seconds_per_step = spec.seconds_per_step,
               .teams = spec.teams.empty() ? nullptr : spec.teams.data(),
               .observation = observation_.data(),
               .action = action_.data(),
               .parameters = parameters_.data(),
               .choices = choices_.data(),
               .data = data_.data(),
               .observation_count = static_cast<int32_t>(observation_.size()),
               .action_count = static_cast<int32_t>(action_.size()),
               .parameter_count = static_cast<int32_t>(parameters_.size()),
               .choice_count = static_cast<int32_t>(choices_.size()),
               .data_count = static_cast<int32_t>(data_.size())};
  }
  SpecStructs(const SpecStructs&) = delete;
  SpecStructs& operator=(const SpecStructs&) = delete;

  const Spec spec;
  const RowLayout layout;
  rival_spec structs;

 private:
  static int32_t kind(ActionPart::Kind kind) {
    switch (kind) {
      case ActionPart::Kind::discrete:
        return RIVAL_DISCRETE;
      case ActionPart::Kind::target:
        return RIVAL_TARGET;
      case ActionPart::Kind::continuous:
        break;
    }
    return RIVAL_CONTINUOUS;
  }

  std::vector<rival_observation_part> observation_;
  std::vector<rival_action_part> action_;
  std::vector<rival_parameter> parameters_;
  std::vector<std::vector<const char*>> options_;
  std::vector<rival_choice> choices_;
  std::vector<rival_rule_data> data_;
};

// Which member of the rules is at work, for whom.
struct Place {
  int32_t match = -1, seat = -1;
  const char* member = "";
};

// What a call has failed with.
struct Failure {
  Place at;
  std::string message;

  // To be called while an exception is caught.
  const char* caught(const Place& place) noexcept {
    at = place;
    try {
      try {
        throw;
      } catch (const std::exception& e) {
        message = std::string(at.member) + " threw: " + e.what();
      } catch (...) {
        message = std::string(at.member) + " threw: something that is no std::exception";
      }
    } catch (...) {  // no memory for the message
      return at.member;
    }
    return message.c_str();
  }
};

// Does what may throw; the message if it did.
template <class Work>
const char* guarded(Failure& failure, Place at, const Work& work) noexcept {
  try {
    work(at);
    return nullptr;
  } catch (...) {
    return failure.caught(at);
  }
}

inline void read_settings(const Spec& spec, const rival_settings& from, Settings& settings) {
  settings.parameters.assign(from.parameters, from.parameters + spec.parameters.size());
  settings.picks.assign(from.picks, from.picks + spec.choices.size() * static_cast<std::size_t>(spec.seats));
}

// The functions of the table, for a game G.
template <Game G>
class Library {
 public:
  static const rival_game_table* table() {
    (void)optional_members<G>();  // refuses those of another form
    static const rival_game_table table = make_table();
    return &table;
  }

 private:
  struct Matches {
    Matches(std::shared_ptr<const SpecStructs> of_, std::size_t matches) : of(std::move(of_)), games(matches) {}
    std::shared_ptr<const SpecStructs> of;
    std::vector<G> games;
    Settings settings;  // of the matches that were last started
    Failure failure;
    std::string text;                   // what a call has last given out
    std::vector<double> probabilities;  // of matches that are outcomes
    std::vector<float> rewards;
  };

  static Matches& of(rival_batch* batch) { return *reinterpret_cast<Matches*>(batch); }
  static const Matches& of(const rival_batch* batch) { return *reinterpret_cast<const Matches*>(batch); }
  static std::size_t index(int32_t i) { return static_cast<std::size_t>(i); }
  static Failure& failure_of_thread() {
    thread_local Failure failure;
    return failure;
  }
  // Made by the first call of spec().
  static std::shared_ptr<const SpecStructs>& shared() {
    static std::shared_ptr<const SpecStructs> structs;
    return structs;
  }

  static const char* spec(const rival_spec** spec) {
    return guarded(failure_of_thread(), {-1, -1, "spec()"}, [&](Place&) {
      if (!shared()) shared() = std::make_shared<const SpecStructs>(G::spec(), HasLegal<G>);
      *spec = &shared()->structs;
    });
  }

  static const char* create(int32_t matches, rival_batch** batch) {
    return guarded(failure_of_thread(), {-1, -1, "the constructor"}, [&](Place&) {
      *batch = reinterpret_cast<rival_batch*>(std::make_unique<Matches>(shared(), index(matches)).release());
    });
  }
  static void destroy(rival_batch* batch) { delete &of(batch); }

  static const char* start(rival_batch* batch, const rival_start* start) {
    Matches& b = of(batch);
    return guarded(b.failure, {-1, -1, "reset()"}, [&](Place& at) {
      read_settings(b.of->spec, *start->settings, b.settings);
      for (int32_t i = 0; i < start->count; ++i) {
        at.match = start->matches[i];
        b.games[index(at.match)].reset(b.settings, Key::from_bits(rival_start_key(start, i)));
      }
    });
  }

  static void write_row(Place& at, const SpecStructs& of, const G& game, float* observation, std::uint8_t* mask) {
    at.member = "observe()";
    game.observe(at.seat, Observation(observation, of.layout, of.spec));
    at.member = "legal()";
    if constexpr (HasLegal<G>)
      if (mask) game.legal(at.seat, Mask(mask, of.layout));
  }

  static const char* observe(rival_batch* batch, const rival_rows* rows) {
    Matches& b = of(batch);
    return guarded(b.failure, {}, [&, out = *rows](Place& at) {
      const SpecStructs& structs = *b.of;
      const bool simultaneous = structs.spec.simultaneous;
      const std::size_t per_match = simultaneous ? index(structs.spec.seats) : 1;
      const std::size_t observation_size = index(structs.layout.observation_size),
                        mask_size = index(structs.layout.mask_size), matches = b.games.size();
      const G* const games = b.games.data();
      for (std::size_t m = 0; m < matches; ++m) {
        if (out.status[m] != RIVAL_RUNNING) continue;
        at = {static_cast<int32_t>(m), -1, "to_act()"};
        for (SeatSet acting = games[m].to_act(); !acting.empty(); acting = acting.without(acting.lowest())) {
          at.seat = acting.lowest();
          const std::size_t row = m * per_match + (simultaneous ? index(at.seat) : 0);
          out.seats[row] = static_cast<std::int8_t>(at.seat);
          write_row(at, structs, games[m], out.observations + row * observation_size, out.masks + row * mask_size);
          if (!simultaneous) break;
        }
      }
    });
  }

  static const char* step(rival_batch* batch, const rival_step* step) {
    Matches& b = of(batch);
    return guarded(b.failure, {}, [&, in = *step](Place& at) {
      const RowLayout& layout = b.of->layout;
      const std::size_t seats = index(b.of->spec.seats), matches = b.games.size();
      const std::size_t per_match = b.of->spec.simultaneous ? seats : 1;
      const std::size_t choices = index(layout.choice_count) * per_match,
                        values = index(layout.value_count) * per_match;
      const int stride = b.of->spec.simultaneous ? 1 : 0;
      G* const games = b.games.data();
      for (std::size_t m = 0; m < matches; ++m) {
        if (in.status[m] != RIVAL_RUNNING) continue;
        at = {static_cast<int32_t>(m), -1, "step()"};
        games[m].step(Actions(in.choices + m * choices, in.values + m * values, stride, layout),
                      Key::from_bits(rival_step_key(&in, at.match)), Rewards(in.rewards + m * seats));
        at.member = "status()";
        in.status[m] = static_cast<std::uint8_t>(games[m].status());
      }
    });
  }

  static const char* status(rival_batch* batch, int32_t match, int32_t* status) {
    return guarded(of(batch).failure, {match, -1, "status()"},
                   [&](Place&) { *status = static_cast<int32_t>(of(batch).games[index(match)].status()); });
  }
  static const char* to_act(rival_batch* batch, int32_t match, uint64_t* seats) {
    return guarded(of(batch).failure, {match, -1, "to_act()"},
                   [&](Place&) { *seats = of(batch).games[index(match)].to_act().bits(); });
  }
  static const char* observe_seat(rival_batch* batch, int32_t match, int32_t seat, float* observation,
                                  std::uint8_t* mask) {
    return guarded(of(batch).failure, {match, seat, ""},
                   [&](Place& at) { write_row(at, *of(batch).of, of(batch).games[index(match)], observation, mask); });
  }

  static const char* result(rival_batch* batch, int32_t match, int32_t team, float* result) {
    return guarded(of(batch).failure, {match, -1, "result()"}, [&](Place&) {
      if constexpr (HasResult<G>) *result = of(batch).games[index(match)].result(team);
    });
  }
  static const char* playing(rival_batch* batch, int32_t match, uint64_t* seats) {
    return guarded(of(batch).failure, {match, -1, "playing()"}, [&](Place&) {
      if constexpr (HasPlaying<G>) *seats = of(batch).games[index(match)].playing().bits();
    });
  }
  static const char* copy(rival_batch* batch, int32_t into, const rival_batch* from, int32_t match) {
    return guarded(of(batch).failure, {into, -1, "copying a match"},
                   [&](Place&) { of(batch).games[index(into)] = of(from).games[index(match)]; });
  }
  static const char* resample_hidden(rival_batch* batch, int32_t match, int32_t seat, uint64_t key) {
    return guarded(of(batch).failure, {match, seat, "resample_hidden()"}, [&](Place&) {
      if constexpr (HasResampleHidden<G>) of(batch).games[index(match)].resample_hidden(seat, Key::from_bits(key));
    });
  }

  // A string that the rules write, kept in the batch.
  template <class Write>
  static const char* written(rival_batch* batch, int32_t match, int32_t seat, const char* member, const char** text,
                             const Write& write) {
    Matches& b = of(batch);
    return guarded(b.failure, {match, seat, member}, [&](Place&) {
      b.text = write(std::as_const(b.games[index(match)]));
      *text = b.text.c_str();
    });
  }
  static const char* text(rival_batch* batch, int32_t match, int32_t seat, const char** text) {
    *text = nullptr;
    if constexpr (HasText<G>)
      if (seat < 0) return written(batch, match, -1, "text()", text, [](const G& g) { return g.text(); });
    if constexpr (HasSeatText<G>)
      if (seat >= 0)
        return written(batch, match, seat, "text(seat)", text, [seat](const G& g) { return g.text(seat); });
    return nullptr;
  }
  static const char* action_text(rival_batch* batch, int32_t match, int32_t seat, int32_t choice, const char** text) {
    if constexpr (HasActionText<G>)
      return written(batch, match, seat, "action_text()", text,
                     [=](const G& g) { return g.action_text(seat, choice); });
    return nullptr;
  }
  static const char* stage(rival_batch* batch, int32_t match, const char** json) {
    if constexpr (HasScene<G>) return written(batch, match, -1, "stage()", json, [](const G& g) { return g.stage(); });
    return nullptr;
  }
  static const char* scene(rival_batch* batch, int32_t match, const char** json) {
    if constexpr (HasScene<G>) return written(batch, match, -1, "scene()", json, [](const G& g) { return g.scene(); });
    return nullptr;
  }

  static void give(const std::shared_ptr<const SpecStructs>& structs, std::vector<Chance<G>> all, rival_outcomes* out) {
    const std::size_t seats = index(structs->spec.seats);
    auto batch = std::make_unique<Matches>(structs, all.size());
    batch->rewards.resize(all.size() * seats);
    for (std::size_t i = 0; i < all.size(); ++i) {
      batch->games[i] = std::move(all[i].state);
      batch->probabilities.push_back(all[i].probability);
      for (std::size_t s = 0; s < seats && s < all[i].rewards.size(); ++s)
        batch->rewards[i * seats + s] = all[i].rewards[s];
    }
    out->matches = static_cast<int32_t>(all.size());
    out->probabilities = batch->probabilities.data();
    out->rewards = batch->rewards.data();
    out->batch = reinterpret_cast<rival_batch*>(batch.release());
  }
  static const char* starts(const rival_settings* settings, rival_outcomes* out) {
    return guarded(failure_of_thread(), {-1, -1, "starts()"}, [&](Place&) {
      Settings all;
      read_settings(shared()->spec, *settings, all);
      if constexpr (HasStarts<G>) give(shared(), G::starts(all), out);
    });
  }
  static const char* outcomes(rival_batch* batch, int32_t match, const int32_t* choices, const float* values,
                              rival_outcomes* out) {
    const Matches& b = of(batch);
    return guarded(of(batch).failure, {match, -1, "outcomes()"}, [&](Place&) {
      if constexpr (HasOutcomes<G>)
        give(b.of,
             b.games[index(match)].outcomes(Actions(choices, values, b.of->spec.simultaneous ? 1 : 0, b.of->layout)),
             out);
    });
  }

  static void error_place(const rival_batch* batch, int32_t* match, int32_t* seat) {
    *match = of(batch).failure.at.match;
    *seat = of(batch).failure.at.seat;
  }

  static rival_game_table make_table() {
    rival_game_table table = {};
    table.struct_size = sizeof table;
    table.abi_version = RIVAL_GAME_ABI_VERSION;
    table.spec = spec;
    table.create = create;
    table.destroy = destroy;
    table.start = start;
    table.observe = observe;
    table.step = step;
    table.status = status;
    table.to_act = to_act;
    table.observe_seat = observe_seat;
    table.copy = copy;
    table.error_place = error_place;
    if constexpr (HasResult<G>) table.result = result;
    if constexpr (HasPlaying<G>) table.playing = playing;
    if constexpr (HasResampleHidden<G>) table.resample_hidden = resample_hidden;
    if constexpr (HasText<G> || HasSeatText<G>) table.text = text;
    if constexpr (HasActionText<G>) table.action_text = action_text;
    if constexpr (HasScene<G>) {
      table.stage = stage;
      table.scene = scene;
    }
    if constexpr (HasStarts<G>) table.starts = starts;
    if constexpr (HasOutcomes<G>) table.outcomes = outcomes;
    return table;
  }
};

}  // namespace abi

// What rival_game() is to return (rival/game_abi.h): the game as a table of functions, or null for a version of the ABI
// other than this header's.
template <Game G>
const rival_game_table* game_table(uint32_t version) {
  return version == 0 || version == RIVAL_GAME_ABI_VERSION ? abi::Library<G>::table() : nullptr;
}

}  // namespace rival

#pragma GCC visibility pop
