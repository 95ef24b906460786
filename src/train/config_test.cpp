#include "train/config.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "base/recorded.hpp"
#include "games/catalog.hpp"

namespace rival {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Spec spec(int seats, int teams, bool hidden, float seconds) {
  Spec spec{.name = "x",
            .seats = seats,
            .observation = {ObservationPart::vector("v", 3)},
            .action = {ActionPart::discrete("a", 2)},
            .hidden_information = hidden,
            .seconds_per_step = seconds};
  for (int seat = 0; seat < seats; ++seat) spec.teams.push_back(seat % teams);
  return spec;
}

TrainConfig chosen(const Spec& spec, const TrainConfig& config = {}) {
  return resolve(config, spec).value().options;
}

std::string complaint(const std::string& assignment) {
  TrainConfig config, untouched;
  const Result<void> set = set_option(option_rows(config), assignment);
  EXPECT_EQ(write_toml(option_rows(config)), write_toml(option_rows(untouched)));
  return set ? "" : set.error().message;
}

TEST(Config, ThePresetFollowsFromTheSpec) {
  EXPECT_EQ(preset_of(spec(1, 1, false, 0)), Preset::one_team);
  EXPECT_EQ(preset_of(spec(1, 1, false, 0.1f)), Preset::one_team);
  EXPECT_EQ(preset_of(spec(2, 2, false, 0)), Preset::several_teams);
  EXPECT_EQ(preset_of(spec(2, 2, true, 0)), Preset::mixed_play);
  EXPECT_EQ(preset_of(spec(1, 1, true, 0.1f)), Preset::one_team);  // nobody to deceive
  EXPECT_EQ(preset_of(spec(2, 2, true, 0.1f)), Preset::real_time);
  EXPECT_EQ(preset_of(spec(2, 2, false, 0.1f)), Preset::real_time);
  Spec at_once = spec(2, 2, false, 0);
  at_once.simultaneous = true;
  for (int steps : {0, 16}) {  // 0: no limit is known
    at_once.max_steps = steps;
    EXPECT_EQ(preset_of(at_once), Preset::mixed_play) << steps;
  }
  at_once.max_steps = 17;
  EXPECT_EQ(preset_of(at_once), Preset::several_teams);
  at_once.hidden_information = true;
  EXPECT_EQ(preset_of(at_once), Preset::mixed_play);
  at_once.teams = {0, 0};  // mates do not have to hide anything
  EXPECT_EQ(preset_of(at_once), Preset::one_team);
}

TEST(Config, PresetsChooseWhatIsLeftOpen) {
  const TrainConfig alone = chosen(spec(1, 1, false, 0)), duel = chosen(spec(2, 2, false, 0)),
                    poker = chosen(spec(2, 2, true, 0)), arena = chosen(spec(10, 2, false, 0.3f));
  const auto four = [&](auto member) {
    std::vector<double> values;
    for (const TrainConfig* config : {&alone, &duel, &poker, &arena}) values.push_back(config->*member);
    return values;
  };
  using Values = std::vector<double>;
  EXPECT_EQ(four(&TrainConfig::rows), (Values{512, 512, 512, 2560}));
  EXPECT_EQ(four(&TrainConfig::horizon), (Values{32, 32, 128, 32}));
  EXPECT_EQ(four(&TrainConfig::epochs), (Values{4, 4, 2, 1}));
  EXPECT_EQ(four(&TrainConfig::minibatches), (Values{4, 4, 4, 8}));
  EXPECT_EQ(four(&TrainConfig::learning_rate), (Values{3e-3, 3e-3, 7e-4, 1e-3}));
  EXPECT_EQ(four(&TrainConfig::entropy), (Values{0.03, 0.1, 0.2, 0.01}));
  EXPECT_EQ(four(&TrainConfig::entropy_end), (Values{0.003, 0.01, 0.02, 0.001}));
  EXPECT_EQ(four(&TrainConfig::averaged_share), (Values{0.1, 0.1, 0.1, 0.25}));
  EXPECT_EQ(four(&TrainConfig::opening_share), (Values{0, 0.8, 0, 0}));
  EXPECT_EQ(four(&TrainConfig::past_share), (Values{0, 0.2, 0, 0.6}));
  EXPECT_EQ(four(&TrainConfig::rivalry), (Values{0, 0, 0, 1}));
  EXPECT_EQ(four(&TrainConfig::team_spirit), (Values{0, 0, 0, 0.2}));
  EXPECT_EQ(four(&TrainConfig::team_spirit_end), (Values{0, 0, 0, 0.8}));
  EXPECT_EQ(duel.matchmaking, Matchmaking::uniform);
  EXPECT_EQ(arena.matchmaking, Matchmaking::hard);
  EXPECT_TRUE(duel.network.hidden.empty());  // Network::make chooses by the size of the observation
  EXPECT_EQ(arena.network.hidden, (std::vector{64, 64}));
  EXPECT_TRUE(resolve({}, spec(2, 2, true, 0)).value().hot_opponents);
  EXPECT_FALSE(resolve({}, spec(2, 2, true, 1)).value().hot_opponents);
}

TEST(Config, SomeChoicesFollowFromMoreOfTheSpec) {
  EXPECT_EQ(chosen(spec(1, 1, false, 0)).discount, 0.99);
  EXPECT_EQ(chosen(spec(2, 2, false, 0)).discount, 1);
  EXPECT_EQ(chosen(spec(1, 1, true, 0)).discount, 0.99);
  EXPECT_EQ(chosen(spec(2, 2, true, 0)).discount, 1);
  EXPECT_EQ(chosen(spec(2, 2, true, 1.5f)).discount, 0.99);
  EXPECT_EQ(chosen(spec(2, 2, true, 60)).discount, 0.9);
  EXPECT_EQ(chosen(spec(2, 2, true, 0.1f)).network.memory, -1);
  EXPECT_EQ(chosen(spec(2, 2, false, 0.1f)).network.memory, 0);
  EXPECT_EQ(chosen(spec(2, 2, true, 0)).network.memory, 0);
  EXPECT_EQ(chosen(spec(2, 2, false, 0)).network.entity_inner, 32);
  EXPECT_EQ(chosen(spec(2, 2, false, 0.1f)).network.entity_inner, 0);
  EXPECT_EQ(chosen(spec(4, 2, false, 0)).team_spirit, 0.2);
}

TEST(Config, ADiscountThatIsSetHoldsWhereverMatchesAreCut) {
  EXPECT_EQ(chosen(spec(1, 1, false, 0)).look_ahead, 0.3);
  TrainConfig config;
  config.discount = 0.999;
  EXPECT_EQ(chosen(spec(1, 1, false, 0), config).look_ahead, 0);
  config.look_ahead = 0.5;
  EXPECT_EQ(chosen(spec(1, 1, false, 0), config).look_ahead, 0.5);
}

TEST(Config, WhatIsSetStays) {
  TrainConfig config;
  config.rows = 64, config.entropy = 0, config.rivalry = 0.5, config.past_share = 0.3;
  config.matchmaking = Matchmaking::even, config.network.memory = 0, config.network.hidden = {32};
  const TrainConfig arena = chosen(spec(4, 2, true, 0.1f), config);
  EXPECT_EQ(arena.rows, 64);
  EXPECT_EQ(arena.entropy, 0);
  EXPECT_EQ(arena.rivalry, 0.5);
  EXPECT_EQ(arena.past_share, 0.3);
  EXPECT_EQ(arena.matchmaking, Matchmaking::even);
  EXPECT_EQ(arena.network.memory, 0);
  EXPECT_EQ(arena.network.hidden, (std::vector{32}));
  const TrainConfig alone = chosen(spec(1, 1, false, 0), config);
  EXPECT_EQ(alone.rivalry, 0);
  EXPECT_EQ(alone.past_share, 0);
}

TEST(Config, AWordThatIsUnknownIsNamedWithTheNearest) {
  EXPECT_EQ(complaint("backend=onedn"),
            "--set unknown value of 'backend' 'onedn'; did you mean 'onednn'? Known: onednn, reference");
  for (const auto& [assignment, meant] : std::vector<std::pair<std::string, std::string>>{
           {"precision=b16", "bf16"}, {"matchmaking=unifrom", "uniform"}, {"grid=convolutoin", "convolution"}})
    EXPECT_NE(complaint(assignment).find("did you mean '" + meant + "'?"), std::string::npos) << complaint(assignment);
}

TEST(Config, WordsAreReadAndWritten) {
  TrainConfig config;
  config.backend = "reference", config.precision = "f32", config.network.grid = "flat";
  EXPECT_EQ(config.backend, BackendKind::reference);
  EXPECT_EQ(config.precision, Precision::f32);
  const std::string text = write_toml(option_rows(config));
  EXPECT_NE(text.find("\nbackend = \"reference\"\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nmatchmaking = \"auto\"\n"), std::string::npos) << text;
  TrainConfig back;
  ASSERT_TRUE(read_toml(option_rows(back), text, "config.toml"));
  EXPECT_EQ(back.backend, config.backend);
  EXPECT_EQ(back.precision, config.precision);
  EXPECT_EQ(back.network.grid, GridReading::flat);
  EXPECT_FALSE(back.matchmaking.value);
  ASSERT_TRUE(set_option(option_rows(back), "precision=auto"));
  EXPECT_FALSE(back.precision.value);
}

std::string presets_table() {
  std::string text = "| option |", line = "\n|---|";
  for (std::size_t i = 0; i < kPresets; ++i)
    text.append(" ").append(to_string(static_cast<Preset>(i))).append(" |"), line += "---|";
  text += line + "\n";
  TrainConfig config;
  for (const TrainOption& option : train_options(config)) {
    if (!option.choose) continue;
    text += "| `" + option.row.key + "` |";
    for (std::size_t i = 0; i < kPresets; ++i) {
      const std::string& cell = option.chosen[i];
      const bool repeated = i > 0 && cell == option.chosen[i - 1] && cell.find(' ') != std::string::npos;
      text += " " + (repeated ? "the same" : cell) + " |";
    }
    text += "\n";
  }
  return text;
}

std::string options_table() {
  std::string text = "| option | default | what |\n|---|---|---|\n";
  TrainConfig config;
  for (const OptionRow& row : option_rows(config)) {
    const std::string value = value_text(row);
    const std::string help = std::regex_replace(help_text(row), std::regex(" \\| "), ", ");
    text += "| `" + row.key + "` | " + (value.empty() ? "none" : "`" + value + "`") + " | " + help + " |\n";
  }
  return text;
}

// The text with what stands between `<!-- NAME, ... -->` and `<!-- end -->` replaced.
std::string with_section(const std::string& text, const std::string& name, const std::string& section) {
  const std::size_t mark = text.find("<!-- " + name + ", ");
  const std::size_t begin = text.find('\n', mark) + 1, end = text.find("<!-- end -->", begin);
  if (mark == std::string::npos || end == std::string::npos) return "";
  return text.substr(0, begin) + section + text.substr(end);
}

TEST(Config, TheTablesOfTheDocumentationAreCurrent) {
  const std::string path = std::string(RIVAL_SOURCE_DIR) + "/docs/training.md";
  const std::string fresh =
      with_section(with_section(read(path), "presets", presets_table()), "options", options_table());
  ASSERT_NE(fresh, "") << path << " lacks a mark";
  const Result<void> current = check_recorded(path, fresh);
  EXPECT_TRUE(current) << current.error().message;
}

TEST(Config, WhatTheDocumentationSetsCanBeSet) {
  TrainConfig config;
  std::set<std::string> known;
  for (const OptionRow& row : option_rows(config)) EXPECT_TRUE(known.insert(row.key).second) << row.key;
  std::vector<fs::path> files = {fs::path(RIVAL_SOURCE_DIR) / "README.md"};
  for (const auto& entry : fs::directory_iterator(fs::path(RIVAL_SOURCE_DIR) / "docs"))
    if (entry.path().extension() == ".md") files.push_back(entry.path());
  const std::regex set("--set ([a-z_]+)=");
  int found = 0;
  for (const fs::path& file : files) {
    const std::string text = read(file);
    for (std::sregex_iterator match(text.begin(), text.end(), set), end; match != end; ++match) {
      if ((*match)[1] == "key") continue;  // key=value, as it is explained
      EXPECT_TRUE(known.contains((*match)[1])) << file << ": --set " << (*match)[1];
      ++found;
    }
  }
  EXPECT_GT(found, 5);
}

}  // namespace
}  // namespace rival
