#include "report/watch_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/index.hpp"
#include "report/assets.hpp"
#include "report/page.hpp"
#include "report/series.hpp"

namespace rival {
namespace {

using Json = nlohmann::json;

// Reads what a game wrote, until the first problem, which it keeps; reads after that give zeros and empty arrays.
class Fields {
 public:
  explicit Fields(std::string where) : where_(std::move(where)) {}

  bool ok() const { return problem_.empty(); }
  Error error() const { return {where_ + ": " + problem_}; }
  void fail(const std::string& field, const std::string& what) {
    if (ok()) problem_ = "field '" + field + "' " + what;
  }

  // A member of an object or of an array; missing: null.
  const Json& at(const Json& of, const char* name) const {
    const auto found = of.is_object() ? of.find(name) : of.end();
    return of.is_object() && found != of.end() ? *found : kNull;
  }
  const Json& nth(const Json& of, std::size_t i) const { return of.is_array() && i < of.size() ? of[i] : kNull; }

  const Json& array(const Json& of, const char* name) {
    const Json& found = at(of, name);
    if (found.is_array()) return found;
    if (!found.is_null()) fail(name, "is no array");
    return kEmpty;
  }
  double number(const Json& value, const std::string& field) {
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number() && std::abs(value.get<double>()) < 1e9) return value.get<double>();
    fail(field, value.is_null() ? "is missing" : "is no number of a sensible size");
    return 0;
  }
  int rounded(const Json& value, const std::string& field, double scale = 1) {
    return static_cast<int>(std::lround(std::clamp(number(value, field) * scale, -2e9, 2e9)));
  }

 private:
  inline static const Json kNull = nullptr, kEmpty = Json::array();
  std::string where_, problem_;
};

// The frames of an arena, column by column.
class Film {
 public:
  Film(const Json& stage, Fields& fields) {
    const Json& size = fields.at(stage, "size");
    width_ = fields.number(fields.nth(size, 0), "size");
    height_ = fields.number(fields.nth(size, 1), "size");
    if (!(width_ > 0 && height_ > 0)) fields.fail("size", "is not positive");
    scale_ = 2048 / std::max({width_, height_, 1e-6});
    heroes_.resize(fields.array(stage, "heroes").size());
    buildings_.resize(fields.array(stage, "buildings").size());
  }

  void add(const Json& scene, Fields& fields) {
    seconds_.push_back(fields.rounded(fields.at(scene, "t"), "t", 10));
    add_heroes(fields.array(scene, "heroes"), fields);
    add_creeps(fields.array(scene, "creeps"), fields);
    const Json& buildings = fields.array(scene, "buildings");
    if (buildings.size() != buildings_.size()) fields.fail("buildings", "has not as many entries as the stage's");
    for (std::size_t i = 0; fields.ok() && i < buildings_.size(); ++i)
      buildings_[i].push_back(fields.rounded(buildings[i], "buildings"));
    for (std::size_t team = 0; team < 2; ++team) {
      score_[team].push_back(optional(fields.nth(fields.at(scene, "score"), team), "score", fields));
      gold_[team].push_back(optional(fields.nth(fields.at(scene, "gold"), team), "gold", fields));
    }
    for (const Json& event : fields.array(scene, "events")) {
      if (!event.is_array() || event.empty() || !event[0].is_string())
        fields.fail("events", "has an entry that is no array beginning with a name");
      else if (event[0] == "hit")
        add_hit(event, fields);
      else
        events_.push_back({frames_, event});
    }
    ++frames_;
  }

  Json data() const {
    Json data{{"scale", scale_}, {"t", encode_series(seconds_)}, {"events", Json::array()}, {"heroes", Json::array()}};
    for (const auto& [frame, event] : events_) {
      data["events"].push_back({frame});
      for (const Json& value : event) data["events"].back().push_back(value);
    }
    for (const Hero& hero : heroes_) {
      Json columns = Json::array();
      for (const std::vector<int>& column : hero.columns) columns.push_back(encode_series(column));
      data["heroes"].push_back({{"columns", columns}, {"items", hero.items}});
    }
    data["creeps"] = Json::array();
    for (const Creep& c : creeps_)
      data["creeps"].push_back({c.born, c.team, c.kind, encode_series(c.x), encode_series(c.y), encode_series(c.health),
                                encode_series(c.seen)});
    data["buildings"] = Json::array();
    for (const std::vector<int>& health : buildings_) data["buildings"].push_back(encode_series(health));
    data["hits"] = Json::array();
    for (const std::vector<int>& column : hits_) data["hits"].push_back(encode_series(column));
    for (std::size_t team = 0; team < 2; ++team) {
      data["score"].push_back(encode_series(score_[team]));
      data["gold"].push_back(encode_series(gold_[team]));
    }
    return data;
  }

 private:
  static constexpr std::size_t kHeroColumns =
      14;  // x y hp max_hp level gold kills deaths respawn seen stunned, cooldowns
  struct Hero {
    std::array<std::vector<int>, kHeroColumns> columns;
    Json items = Json::array();  // [frame, what it has from then on]
  };
  struct Creep {
    int born = 0, team = 0, kind = 0;
    std::vector<int> x, y, health, seen;
  };

  static int optional(const Json& value, const char* field, Fields& fields) {
    return value.is_null() ? 0 : fields.rounded(value, field);
  }

  void add_heroes(const Json& heroes, Fields& fields) {
    if (heroes.size() != heroes_.size()) fields.fail("heroes", "has not as many entries as the stage's");
    for (std::size_t h = 0; fields.ok() && h < heroes_.size(); ++h) {
      const auto value = [&](std::size_t i, double scale = 1) {
        return fields.rounded(fields.nth(heroes[h], i), fmt::format("heroes[{}][{}]", h, i), scale);
      };
      Hero& hero = heroes_[h];
      for (std::size_t i = 0; i < 11; ++i) hero.columns[i].push_back(value(i, i < 2 ? scale_ : i == 8 ? 10 : 1));
      for (std::size_t i = 0; i < 3; ++i) {
        const Json& share = fields.nth(fields.nth(heroes[h], 11), i);
        hero.columns[11 + i].push_back(share.is_null() ? 0 : fields.rounded(share, "cooldowns", 100));
      }
      const Json& items = fields.nth(heroes[h], 12);
      const Json now = items.is_array() ? items : Json::array();
      if (hero.items.empty() ? !now.empty() : hero.items.back()[1] != now) hero.items.push_back({frames_, now});
    }
  }

  // Creeps come without names: one that is near where one of its kind was is that one.
  void add_creeps(const Json& creeps, Fields& fields) {
    struct Pair {
      double distance;
      std::size_t living, now;
    };
    std::vector<Creep> present;
    for (std::size_t i = 0; fields.ok() && i < creeps.size(); ++i) {
      const auto value = [&](std::size_t k, double scale = 1) {
        return fields.rounded(fields.nth(creeps[i], k), fmt::format("creeps[{}][{}]", i, k), scale);
      };
      present.push_back({frames_, value(2), value(4), {value(0, scale_)}, {value(1, scale_)}, {value(3)}, {value(5)}});
    }
    constexpr double kFar = 2048 * 0.05;
    std::vector<Pair> pairs;
    for (std::size_t l = 0; l < living_.size(); ++l) {
      const Creep& creep = creeps_[living_[l]];
      for (std::size_t n = 0; n < present.size(); ++n) {
        if (present[n].team != creep.team || present[n].kind != creep.kind) continue;
        const double distance = std::hypot(present[n].x[0] - creep.x.back(), present[n].y[0] - creep.y.back());
        if (distance < kFar) pairs.push_back({distance + std::abs(present[n].health[0] - creep.health.back()), l, n});
      }
    }
    std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.distance < b.distance; });
    std::vector<std::optional<std::size_t>> is(present.size());
    std::vector<bool> taken(living_.size());
    for (const Pair& pair : pairs) {
      if (taken[pair.living] || is[pair.now]) continue;
      taken[pair.living] = true;
      is[pair.now] = living_[pair.living];
    }
    living_.clear();
    for (std::size_t n = 0; n < present.size(); ++n) {
      if (!is[n]) {
        living_.push_back(creeps_.size());
        creeps_.push_back(std::move(present[n]));
        continue;
      }
      Creep& creep = creeps_[*is[n]];
      creep.x.push_back(present[n].x[0]);
      creep.y.push_back(present[n].y[0]);
      creep.health.push_back(present[n].health[0]);
      creep.seen.push_back(present[n].seen[0]);
      living_.push_back(*is[n]);
    }
  }

  // Columns: frame, from x and y, to x and y relative to it, team; places in quarters of the film's units.
  void add_hit(const Json& event, Fields& fields) {
    std::array<int, 5> values{};
    for (std::size_t i = 0; i < 5; ++i)
      values[i] = fields.rounded(fields.nth(event, i + 1), "events, hit", i < 4 ? scale_ / 4 : 1);
    hits_[0].push_back(frames_);
    hits_[1].push_back(values[0]);
    hits_[2].push_back(values[1]);
    hits_[3].push_back(values[2] - values[0]);
    hits_[4].push_back(values[3] - values[1]);
    hits_[5].push_back(values[4]);
  }

  double width_ = 1, height_ = 1, scale_ = 1;
  int frames_ = 0;
  std::vector<int> seconds_;
  std::vector<Hero> heroes_;
  std::vector<Creep> creeps_;
  std::vector<std::size_t> living_;
  std::vector<std::vector<int>> buildings_;
  std::array<std::vector<int>, 2> score_, gold_;
  std::vector<std::pair<int, Json>> events_;
  std::array<std::vector<int>, 6> hits_;
};

// What `seat` did, as people write it. `before` is the match before the step.
std::string move_text(const Batch& before, int seat, const ActionRows& actions) {
  const RowLayout& layout = before.layout();
  const int row = before.rows_per_match() > 1 ? seat : 0;
  std::string text;
  for (std::size_t p = 0; p < before.spec().action.size(); ++p) {
    const ActionPart& part = before.spec().action[p];
    if (!text.empty()) text += ' ';
    if (part.is_choice()) {
      const int choice = actions.choices[row * layout.choice_count + layout.choice_index[p]];
      text += layout.choice_index[p] == 0 ? before.action_text(0, seat, choice) : std::to_string(choice);
    } else {
      for (int i = 0; i < part.size; ++i) {
        const auto hundredths =
            std::lround(100 * actions.values[row * layout.value_count + layout.value_offset[p] + i]);
        text += fmt::format("{}{}{}.{:02}", i > 0 ? " " : "", hundredths < 0 ? "-" : "", std::abs(hundredths) / 100,
                            std::abs(hundredths) % 100);
      }
    }
  }
  return text;
}

// A board's positions as text: each different one once, and which of them each frame shows.
class Positions {
 public:
  void add(const std::string& text) {
    if (texts_.empty() || texts_.back() != text) texts_.push_back(text);
    frames_.push_back(static_cast<int>(texts_.size()) - 1);
  }
  Json data() const { return {{"texts", texts_}, {"frames", encode_series(frames_)}}; }

 private:
  std::vector<std::string> texts_;
  std::vector<int> frames_;
};

Json values_data(const WatchedMatch& match, int teams) {
  Json values = Json::array();
  for (int team = 0; team < teams && !match.values.empty(); ++team) {
    values.push_back(Json::array());
    for (const std::vector<float>& step : match.values) {
      const float value = step[team];
      values.back().push_back(std::isfinite(value) ? Json(std::round(value * 1000.0) / 1000.0) : Json(nullptr));
    }
  }
  return values;
}

}  // namespace

Result<Json> watch_data(const WatchedMatch& match) {
  Result<ReplayPlayer> opened = ReplayPlayer::open(*match.replay, match.make_batch);
  if (!opened) return opened.error();
  ReplayPlayer& player = opened.value();
  const Batch& batch = player.batch();
  const Spec& spec = batch.spec();
  const auto fields_at = [&](int step, const char* what) {
    return Fields(fmt::format("{}: step {}: {}", spec.name, step, what));
  };

  const std::string stage_text = batch.stage(0);
  const Json stage = stage_text.empty() ? Json::object() : Json::parse(stage_text, nullptr, false);
  Fields stage_fields = fields_at(0, "stage()");
  if (!stage.is_object()) stage_fields.fail("stage", "is no JSON object");
  const bool arena = stage_fields.ok() && stage.value("kind", Json("board")) == "arena";
  std::optional<Film> film;
  if (arena) film.emplace(stage, stage_fields);
  if (!stage_fields.ok()) return stage_fields.error();

  Positions positions;
  Json moves = Json::array();
  std::vector<double> returns(spec.seats);
  const auto take_frame = [&](int step) -> Result<void> {
    if (!film) return positions.add(batch.text(0)), Result<void>();
    Fields fields = fields_at(step, "scene()");
    const Json scene = Json::parse(batch.scene(0), nullptr, false);
    if (!scene.is_object()) fields.fail("scene", "is no JSON object");
    if (fields.ok()) film->add(scene, fields);
    return fields.ok() ? Result<void>() : fields.error();
  };
  if (Result<void> taken = take_frame(0); !taken) return taken.error();
  const std::unique_ptr<Batch> before = film ? nullptr : match.make_batch(1);
  for (int step = 0; !player.done(); ++step) {
    const bool kept = before && before->copy_match(batch, 0, 0);
    if (Result<void> played = player.step(); !played) return played.error();
    for (int seat = 0; seat < spec.seats; ++seat) {
      returns[seat] += static_cast<double>(player.rewards()[seat]);
      if (kept && match.replay->acting[step].contains(seat))
        moves.push_back({step, seat, move_text(*before, seat, player.actions())});
    }
    if (Result<void> taken = take_frame(step + 1); !taken) return taken.error();
  }

  Json data{{"game", spec.name},
            {"description", spec.description},
            {"kind", film ? "arena" : "board"},
            {"steps", match.replay->steps()},
            {"step_seconds", spec.seconds_per_step},
            {"seats", spec.seats},
            {"players", match.players},
            {"returns", returns},
            {"status", match.replay->status == Status::running    ? "running"
                       : match.replay->status == Status::finished ? "finished"
                                                                  : "truncated"},
            {"values", values_data(match, spec.team_count())}};
  for (int seat = 0; seat < spec.seats; ++seat) data["teams"].push_back(spec.team_of(seat));
  data["results"] = Json::array();
  for (int team = 0; batch.has_result() && match.replay->status == Status::finished && team < spec.team_count(); ++team)
    data["results"].push_back(batch.result(0, team));
  if (film) {
    data["stage"] = stage;
    data["film"] = film->data();
  } else {
    data["film"] = positions.data();
    data["moves"] = moves;
  }
  return data;
}

Result<std::string> watch_page(const WatchedMatch& match) {
  Result<Json> data = watch_data(match);
  if (!data) return data.error();
  std::string title = match.replay->game;
  std::vector<std::string> names;
  for (const std::string& player : match.players)
    if (std::find(names.begin(), names.end(), player) == names.end()) names.push_back(player);
  for (std::size_t i = 0; i < names.size(); ++i) title += (i == 0 ? ": " : " - ") + names[i];
  return fill_page(with_head(embedded::watch_html), title, embedded::page_css, with_page_script(embedded::watch_js),
                   data.value());
}

}  // namespace rival
