// A game that is nothing but something to draw: two teams of two heroes, creeps and towers on rails, for tests of
// `rival watch`. What happens when is fixed, so that tests can ask for it.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "rival/game.hpp"

namespace rival {

struct LittleArena {
  static constexpr int kSteps = 240;
  static Spec spec() {
    return {.name = "little_arena",
            .description = "Something to draw",
            .source = "",
            .seats = 4,
            .teams = {0, 0, 1, 1},
            .observation = {ObservationPart::vector("time", 1)},
            .action = {ActionPart::discrete("nothing", 1)},
            .simultaneous = true,
            .max_steps = kSteps,
            .seconds_per_step = 0.5f};
  }
  void reset(const Settings&, Key) { *this = {}; }
  SeatSet to_act() const { return SeatSet::first(4); }
  void observe(int, Observation out) const { out[0] = static_cast<float>(time) / kSteps; }
  void step(const Actions&, Key, Rewards) { ++time; }
  Status status() const { return time < kSteps ? Status::running : Status::finished; }
  float result(int team) const { return team == 0 ? 1.0f : -1.0f; }

  std::string stage() const {
    using Json = nlohmann::json;
    const auto hero = [](int seat, const char* name, const char* role, Json abilities) {
      return Json{{"seat", seat}, {"team", seat / 2},       {"name", name},     {"role", role},
                  {"sight", 9},   {"abilities", abilities}, {"unknown", {1, 2}}};
    };
    const auto building = [](int team, const char* kind, double x, double y, int hp) {
      return Json{{"team", team}, {"kind", kind}, {"at", {x, y}}, {"hp", hp}, {"sight", 8}};
    };
    // A name that would end the page's script or begin a tag, if it could.
    return Json{{"kind", "arena"},
                {"size", {96, 54}},
                {"step_seconds", 0.5},
                {"teams", {"West", "East"}},
                {"lanes",
                 {{{7, 27}, {18, 9}, {48, 7}, {78, 9}, {89, 27}},
                  {{7, 27}, {89, 27}},
                  {{7, 27}, {18, 45}, {48, 47}, {78, 45}, {89, 27}}}},
                {"heroes",
                 {hero(0, "Warden", "tank", {"Slam", "Charge", "Bulwark"}),
                  hero(1, "</script><b>&Witch", "mage", {"Fireball", "Wall of Flame", "Step"}),
                  hero(2, "Strider", "marksman", {"Shot", "Tumble", "Mark"}),
                  hero(3, "Mender", "support", {"Heal", "Cleanse", "Bind"})}},
                {"buildings",
                 {building(0, "base", 7, 27, 4000), building(0, "tower", 36, 27, 1500),
                  building(1, "base", 89, 27, 4000), building(1, "tower", 60, 27, 1500)}}}
        .dump();
  }

  // Hero 2 is seen by West from step 60 to 119 only; hero 0 falls at step 100 and is back at 120; the tower of East
  // falls at step 150.
  std::string scene() const {
    using Json = nlohmann::json;
    const double t = time;
    const bool down = time >= 100 && time < 120;
    Json heroes = Json::array(), creeps = Json::array(), events = Json::array();
    for (int seat = 0; seat < 4; ++seat) {
      const double side = seat < 2 ? 1 : -1;
      const double x = 48 - side * (18 + 6 * std::cos(t / 20 + seat)), y = 27 + 12 * std::sin(t / 15 + seat);
      const bool seen = seat != 2 || (time >= 60 && time < 120);
      heroes.push_back({x,
                        y,
                        seat == 0 && down ? 0 : 500 - time,
                        600,
                        1 + time / 30,
                        100 + 5 * time * (seat + 1),
                        seat == 3 && time >= 100 ? 1 : 0,
                        seat == 0 && time >= 100 ? 1 : 0,
                        seat == 0 && down ? (120 - time) * 0.5 : 0.0,
                        seen ? 1 : 0,
                        time % 50 < 3 ? 1 : 0,
                        {(time % 20) / 20.0, 0.0, 1.0},
                        time >= 80 ? Json{3, 5} : Json::array()});
    }
    for (int i = 0; i < 6; ++i)
      if (time >= 10 * i)
        creeps.push_back({8 + 0.3 * (t - 10 * i), 27 + i % 3, 0, std::max(1, 100 - time / 3), i % 2, 1});
    if (time == 100) events.push_back({"kill", 3, 0});
    if (time == 150) events.push_back({"building", 3});
    if (time % 40 == 20) events.push_back({"cast", 1, 0, 48, 27, 4});
    if (time % 3 == 0) events.push_back({"hit", 40, 27, 44, 25, 0});
    if (time == 80) events.push_back({"buy", 0, 3});
    return Json{{"t", t / 2},
                {"heroes", heroes},
                {"creeps", creeps},
                {"buildings", {4000, 1500, 4000, std::max(0, 1500 - 10 * time)}},
                {"score", {0, time >= 100 ? 1 : 0}},
                {"gold", {300 + 15 * time, 300 + 12 * time}},
                {"events", events}}
        .dump();
  }

  int time = 0;
};

}  // namespace rival
