#include "balance/targets.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rival::balance {
namespace {

using Kind = Target::Kind;

Spec duel() {
  Spec spec{.name = "duel", .seats = 2};
  spec.parameters = {{"knight.damage", 12, 6, 24, "", 0.5f}, {"archer.damage", 8, 4, 16}, {"fog", 0, 0, 1, "", 1}};
  spec.choices = {{"unit", {"Knight", "Archer", "War Mage"}}};
  return spec;
}

Targets read(std::string_view text) {
  Result<Targets> targets = read_targets(duel(), {}, text, "t.toml");
  EXPECT_TRUE(targets) << targets.error().message;
  return targets ? targets.value() : Targets();
}

std::string error_of(std::string_view text) {
  const Result<Targets> targets = read_targets(duel(), {}, text, "t.toml");
  return targets ? "" : targets.error().message;
}

TEST(Targets, WithoutAFileEveryOptionIsToWinAboutHalf) {
  const Targets targets = default_targets(duel(), {});
  ASSERT_EQ(targets.targets.size(), 3u);
  EXPECT_EQ(targets.targets[2].name(&duel().choices[0]), "War Mage overall");
  EXPECT_EQ(targets.targets[2].wanted(), "47 to 53%");
  EXPECT_EQ(targets.tunables.size(), 3u);
  Spec plain{.name = "pig", .seats = 2};
  const Targets sides = default_targets(plain, {});
  ASSERT_EQ(sides.targets.size(), 1u);
  EXPECT_EQ(sides.targets[0].kind, Kind::first);
  EXPECT_TRUE(sides.tunables.empty());
}

TEST(Targets, AreReadFromAFile) {
  const Targets targets = read(R"(
tolerance = 2
first = "..52"
length = "20..40"
[overall]
all = "50"
war_mage = "40..45"
[pairs]
knight.archer = "60"
[beginners.overall]
knight = "..55"
[share]
archer = "30..40"
[parameters]
all = "keep"
knight.damage = "8..14"
[cost]
knight.damage = 2.5
)");
  ASSERT_EQ(targets.targets.size(), 8u);
  EXPECT_EQ(targets.targets[0].kind, Kind::first);
  EXPECT_TRUE(std::isinf(targets.targets[0].low));
  EXPECT_DOUBLE_EQ(targets.targets[0].high, 0.52);
  EXPECT_EQ(targets.targets[0].wanted(), "at most 52%");
  EXPECT_EQ(targets.targets[1].wanted(), "20 to 40");
  EXPECT_DOUBLE_EQ(targets.targets[2].low, 0.48);
  EXPECT_DOUBLE_EQ(targets.targets[4].high, 0.45);
  EXPECT_EQ(targets.targets[5].kind, Kind::share);
  EXPECT_EQ(targets.targets[6].kind, Kind::pair);
  EXPECT_DOUBLE_EQ(targets.targets[6].low, 0.58);
  EXPECT_EQ(targets.targets[7].band, 0);
  EXPECT_EQ(targets.targets[7].name(&duel().choices[0]), "Knight overall, beginners");
  ASSERT_EQ(targets.tunables.size(), 1u);
  EXPECT_EQ(targets.tunables[0].parameter, 0);
  EXPECT_EQ(targets.tunables[0].low, 8);
  EXPECT_EQ(targets.tunables[0].high, 14);
  EXPECT_EQ(targets.tunables[0].cost, 2.5);
}

TEST(Targets, AParameterNamedAfterAnOptionIsItsOwn) {
  Spec spec{.name = "words", .seats = 2};
  spec.choices = {{"unit", {"Mage", "War Mage", "Bow"}}};
  const std::pair<const char*, int> expected[] = {
      {"mage.damage", 0}, {"war_mage.damage", 1}, {"damage of War Mage", 1}, {"image.size", -1},
      {"bow-range", 2},   {"bowman.range", -1},   {"mages.speed", -1},       {"fog", -1}};
  for (const auto& [name, owner] : expected) spec.parameters.push_back({name, 1, 0, 2, ""});
  const Targets targets = default_targets(spec, {});
  ASSERT_EQ(targets.tunables.size(), std::size(expected));
  for (std::size_t k = 0; k < std::size(expected); ++k)
    EXPECT_EQ(targets.tunables[k].owner, expected[k].second) << expected[k].first;
}

TEST(Targets, SpeakOfGroupsOfParameters) {
  const auto named = [](const Targets& targets) {
    std::string names;
    for (const Tunable& t : targets.tunables) names += duel().parameters[t.parameter].name + " ";
    return names;
  };
  EXPECT_EQ(named(read("[parameters]\nall = \"keep\"\nknight.all = \"any\"\n")), "knight.damage ");
  EXPECT_EQ(named(read("[parameters]\nknight.all = \"keep\"\n")), "archer.damage fog ");
  EXPECT_EQ(named(read("[parameters]\nknight.all = \"keep\"\nknight.damage = \"any\"\nall = \"keep\"\n")),
            "knight.damage ");
  const Targets costly = read("[cost]\nknight.all = 4\nall = 2\narcher.damage = 3\n");
  ASSERT_EQ(costly.tunables.size(), 3u);
  EXPECT_EQ(costly.tunables[0].cost, 4);
  EXPECT_EQ(costly.tunables[1].cost, 3);
  EXPECT_EQ(costly.tunables[2].cost, 2);
  EXPECT_EQ(error_of("[parameters]\nknight.all = \"3..4\"\n"),
            "t.toml: 'parameters.knight.all' must be \"keep\" or \"any\", not '3..4'");
}

TEST(Targets, MayBeOfAnotherChoiceThanTheFirst) {
  Spec spec = duel();
  spec.choices.push_back({"deck", {"Red", "Blue"}});
  const auto of = [&](std::string_view text) { return read_targets(spec, {}, text, "t.toml"); };
  for (const char* written : {"choice = \"deck\"\n", "choice='deck' # the second\n"}) {
    const Result<Targets> targets = of(written + std::string("[overall]\nred = \"40..60\"\n"));
    ASSERT_TRUE(targets) << targets.error().message;
    EXPECT_EQ(targets.value().choice, 1);
    EXPECT_EQ(targets.value().targets[0].name(&spec.choices[1]), "Red overall");
  }
  EXPECT_EQ(of("").value().choice, 0);
  EXPECT_EQ(of("choice = \"dek\"\n").error().message,
            "t.toml: unknown choice 'dek'; did you mean 'deck'? Known: unit, deck");
  const Result<Targets> mixed = of("choice = \"deck\"\n[overall]\nknight = \"50\"\n");
  ASSERT_FALSE(mixed);
  EXPECT_TRUE(mixed.error().message.starts_with("t.toml:3: unknown option 'overall.knight'")) << mixed.error().message;
}

TEST(Targets, TheTemplateIsTheDefaultAndCanBeRead) {
  const std::string text = targets_template(duel(), {});
  const Targets read_back = read(text), standard = default_targets(duel(), {});
  ASSERT_EQ(read_back.targets.size(), standard.targets.size()) << text;
  for (std::size_t i = 0; i < standard.targets.size(); ++i) {
    EXPECT_DOUBLE_EQ(read_back.targets[i].low, standard.targets[i].low);
    EXPECT_DOUBLE_EQ(read_back.targets[i].high, standard.targets[i].high);
  }
  EXPECT_EQ(read_back.tunables.size(), standard.tunables.size());
}

TEST(Targets, ErrorsNameTheFileAndTheKey) {
  EXPECT_EQ(error_of("[overall]\nknigt = \"50\"\n").substr(0, 73),
            "t.toml:2: unknown option 'overall.knigt'; did you mean 'overall.knight'? ");
  EXPECT_EQ(error_of("first = \"high\"\n"),
            "t.toml: 'first' must be a range such as \"47..53\", \"..52\" or \"50\", not 'high'");
  EXPECT_EQ(error_of("first = \"60..40\"\n"),
            "t.toml: 'first' must be a range such as \"47..53\", \"..52\" or \"50\", not '60..40'");
  EXPECT_EQ(error_of("[parameters]\nknight.damage = \"1..14\"\n"),
            "t.toml: 'parameters.knight.damage' must be \"keep\", \"any\" or a range within \"6..24\", not '1..14'");
  EXPECT_EQ(error_of("[parameters]\nknight.damage = \"6.2..14\"\n"),
            "t.toml: 'parameters.knight.damage': 6.2 is not a number from 6 to 24 in steps of 0.5");
  EXPECT_EQ(error_of("[pairs]\nknight.archer = \"60\"\narcher.knight = \"40\"\n"),
            "t.toml: 'pairs.knight.archer' and 'pairs.archer.knight' say the same: leave one out");
}

}  // namespace
}  // namespace rival::balance
