#include "game/spec_json.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "game/spec.hpp"

namespace rival {
namespace {

Spec rich() {
  return {.name = "my_game",
          .description = "One line",
          .source = "its author",
          .seats = 4,
          .teams = {0, 1, 0, 1},
          .observation = {ObservationPart::vector("self", 3), ObservationPart::grid("map", 2, 4, 5),
                          ObservationPart::entities("units", 6, 3)},
          .action = {ActionPart::discrete("order", 4), ActionPart::continuous("aim", 2, -0.5f, 1).when(0, {1, 2}),
                     ActionPart::target("unit", 2, 6).when(0, {3})},
          .parameters = {{"speed", 1, 0, 2, "how fast", 0.5f}},
          .choices = {{"hero", {"bear", "crow"}}},
          .data = {{"bear", 0xfedcba9876543210u}},
          .simultaneous = true,
          .hidden_information = true,
          .max_steps = 10,
          .seconds_per_step = 0.25f};
}

TEST(SpecJson, ComesBackAsItWas) {
  const std::string text = json_text(spec_to_json(rich()));
  const auto json = parse_json(text, "spec");
  ASSERT_TRUE(json.ok());
  const Result<Spec> again = spec_from_json(json.value(), "spec");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(json_text(spec_to_json(again.value())), text);
  EXPECT_TRUE(validate(again.value()).ok());
  EXPECT_EQ(again.value().teams, rich().teams);
  EXPECT_EQ(again.value().action[1].when_choices, 0b110u);
  EXPECT_EQ(again.value().action[2].entities, 2);
  EXPECT_EQ(again.value().data[0].hash, rich().data[0].hash);
  EXPECT_EQ(again.value().parameters[0].step, 0.5f);
}

TEST(SpecJson, LittleIsEnough) {
  const auto json = parse_json(R"({"name": "g", "seats": 2, "teams": [0, 1],
      "observation": [{"name": "x", "kind": "entities", "height": 2, "width": 3}],
      "action": [{"name": "a", "kind": "target", "size": 2, "entities": 0}]})",
                               "spec");
  const Result<Spec> spec = spec_from_json(json.value(), "spec");
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_TRUE(validate(spec.value()).ok());
  EXPECT_TRUE(spec.value().teams.empty());  // as many as seats
  EXPECT_EQ(spec.value().observation[0].size(), 6);
}

TEST(SpecJson, WhatIsWrongIsNamed) {
  const std::pair<const char*, const char*> wrongs[] = {
      {R"([])", "spec: must be an object, not a list"},
      {R"({"seats": 1})", "spec: 'name' is missing"},
      {R"({"name": "g", "seats": 65})", "spec: 'seats' must be a whole number from 1 to 64, not 65"},
      {R"({"name": "g", "simultaneous": 1})", "spec: 'simultaneous' must be true or false"},
      {R"({"name": "g", "observation": [{"name": "x", "kind": "sound"}]})",
       "spec, observation 0: 'kind' must be one of vector, grid, entities, not \"sound\""},
      {R"({"name": "g", "action": [{"name": "x", "kind": "target", "size": 2, "entities": "units"}]})",
       "spec, action 0: 'entities' names 'units', of which there is none before it"},
      {R"({"name": "g", "choices": [{"name": "hero", "options": [1]}]})",
       "spec, choices 0, options: 'text' must be a line of text, not 1"},
  };
  for (const auto& [text, says] : wrongs) {
    const Result<Spec> spec = spec_from_json(parse_json(text, "spec").value(), "spec");
    ASSERT_FALSE(spec.ok()) << text;
    EXPECT_EQ(spec.error().message, says);
  }
}

}  // namespace
}  // namespace rival
