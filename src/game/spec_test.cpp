#include "game/spec.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace rival {
namespace {

Spec sound() {
  return {.name = "my_game-2.1:x",
          .description = "One line",
          .seats = 4,
          .teams = {0, 1, 0, 1},
          .observation = {ObservationPart::vector("self", 3), ObservationPart::grid("map", 2, 4, 5),
                          ObservationPart::entities("units", 6, 3)},
          .action = {ActionPart::discrete("order", 4), ActionPart::continuous("aim", 2, -1, 1).when(0, {1, 2}),
                     ActionPart::target("unit", 2, 6).when(0, {3})},
          .parameters = {{"speed", 1, 0, 2, ""}},
          .choices = {{"hero", {"bear", "crow"}}},
          .max_steps = 10};
}

struct Wrong {
  std::function<void(Spec&)> change;
  const char* says;
};

TEST(Spec, WhatMakesNoSenseIsRefusedByName) {
  ASSERT_TRUE(validate(sound()).ok()) << validate(sound()).error().message;
  const float infinity = std::numeric_limits<float>::infinity();
  const Wrong all[] = {
      {[](Spec& s) { s.name = ""; }, "has no name"},
      {[](Spec& s) { s.name = "../My Game"; }, "has the name '../My Game'"},
      {[](Spec& s) { s.name = "a/b"; }, "letters, digits"},
      {[](Spec& s) { s.name = ".hidden"; }, "begins with a letter"},
      {[](Spec& s) { s.name = std::string(65, 'a'); }, "up to 64"},
      {[](Spec& s) { s.description = "two\nlines"; }, "description must be one line"},
      {[](Spec& s) { s.seats = 0; }, "seats must be 1 to 64, is 0"},
      {[](Spec& s) { s.seats = 65; }, "seats must be 1 to 64, is 65"},
      {[](Spec& s) {
         s.teams = {0, 1};
       },
       "a team for every seat"},
      {[](Spec& s) {
         s.teams = {0, -1, 0, 1};
       },
       "team numbers"},
      {[](Spec& s) {
         s.teams = {0, 1, 4, 1};
       },
       "team numbers"},
      {[](Spec& s) {
         s.teams = {0, 2, 2, 0};
       },
       "team 1 has no seat"},
      {[](Spec& s) { s.observation.clear(); }, "observation has no parts"},
      {[](Spec& s) { s.observation[1].height = 0; }, "'map' has no cells"},
      {[](Spec& s) { s.observation[0].height = 2; }, "'self' has more dimensions than its kind"},
      {[](Spec& s) { s.observation[2].channels = 2; }, "'units' has more dimensions"},
      {[](Spec& s) { s.observation[1].width = 1 << 30; }, "'map' has more than"},
      {[](Spec& s) {
         s.observation[0].width = s.observation[1].width = 9'000'000,
         s.observation[1].channels = s.observation[1].height = 1;
       },
       "cells in all"},
      {[](Spec& s) { s.observation[1].name = "self"; }, "two of the name 'self' among each observation part"},
      {[](Spec& s) { s.observation[1].name = ""; }, "needs a name"},
      {[](Spec& s) { s.action.clear(); }, "action has no parts"},
      {[](Spec& s) { s.action.assign(65, s.action[0]); }, "more than 64 parts"},
      {[](Spec& s) { s.action[0].size = 0; }, "'order' has size 0"},
      {[](Spec& s) { s.action[0].size = 1 << 21; }, "more than 1048576 choices"},
      {[](Spec& s) { s.action[1].size = 5000; }, "4096 continuous values"},
      {[](Spec& s) { s.action[2].name = "order"; }, "two of the name 'order'"},
      {[](Spec& s) { s.action[1].high = -1; }, "'aim' needs a low below its high"},
      {[](Spec& s) { s.action[1].low = -3e38f, s.action[1].high = 3e38f; }, "within -1e9 to 1e9"},
      {[=](Spec& s) { s.action[1].high = infinity; }, "'aim' needs"},
      {[](Spec& s) { s.action[1].low = NAN; }, "'aim' needs"},
      {[](Spec& s) { s.action[2].entities = 1; }, "which is not one of entities"},
      {[](Spec& s) { s.action[2].size = 5; }, "'unit' has 5 targets, but 'units' has 6"},
      {[](Spec& s) { s.action[1].when_part = 1; }, "'aim' may only depend on an earlier choice"},
      {[](Spec& s) { s.action[2].when_part = 1; }, "'unit' may only depend"},
      {[](Spec& s) { s.action[2].when_part = -7; }, "'unit' may only depend"},
      {[](Spec& s) { s.action[1].when_choices = 0; }, "'aim' depends on choices"},
      {[](Spec& s) { s.action[1].when_choices = 1 << 4; }, "'order', which has 4, does not have"},
      {[](Spec& s) { s.parameters[0].value = 3; }, "its default is outside"},
      {[=](Spec& s) { s.parameters[0].high = infinity; }, "must be finite"},
      {[](Spec& s) { s.parameters[0].name = "a=b"; }, "without '='"},
      {[](Spec& s) { s.parameters.push_back(s.parameters[0]); }, "two of the name 'speed'"},
      {[](Spec& s) { s.choices[0].options.clear(); }, "'hero' has no options"},
      {[](Spec& s) {
         s.choices[0].options = {"bear", "bear"};
       },
       "choice 'hero': there are two of the name 'bear'"},
      {[](Spec& s) { s.choices.push_back(s.choices[0]); }, "two of the name 'hero'"},
      {[](Spec& s) { s.seconds_per_step = -1; }, "seconds_per_step"},
      {[](Spec& s) { s.seconds_per_step = NAN; }, "seconds_per_step"},
      {[](Spec& s) { s.max_steps = -1; }, "max_steps"},
  };
  for (const Wrong& wrong : all) {
    Spec spec = sound();
    wrong.change(spec);
    const Result<void> valid = validate(spec);
    ASSERT_FALSE(valid.ok()) << wrong.says;
    EXPECT_NE(valid.error().message.find(wrong.says), std::string::npos) << valid.error().message;
  }
}

}  // namespace
}  // namespace rival
