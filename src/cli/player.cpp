#include "cli/player.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "agent/bot.hpp"
#include "agent/scripted.hpp"
#include "base/names.hpp"
#include "cli/command.hpp"

namespace rival::cli {

std::vector<std::string> scripted_names(const GameEntry& game) {
  std::vector<std::string> names = {"random"};
  for (const Baseline& baseline : game.baselines) names.push_back(baseline.name);
  return names;
}

std::unique_ptr<Agent> make_scripted(const GameEntry& game, const std::string& name) {
  if (name == "random") return random_agent();
  for (const Baseline& baseline : game.baselines)
    if (baseline.name == name) return baseline.make();
  return nullptr;
}

bool is_path(const std::string& name) {
  return name.find_first_of("./") != std::string::npos || std::filesystem::exists(name);
}

float temperature_for(const Spec& spec, std::optional<float> temperature) {
  return temperature.value_or(spec.hidden_information || spec.simultaneous ? 1.0f : 0.0f);
}

Result<Player> load_player(const GameEntry& game, const std::string& name, std::optional<float> temperature) {
  if (std::unique_ptr<Agent> agent = make_scripted(game, name)) return Player{.name = name, .agent = std::move(agent)};
  if (!is_path(name)) wrong_usage(unknown_name("player", name, scripted_names(game)));
  Result<Bot> bot = load_bot(bot_path(name), game.spec);
  if (!bot) return bot.error();
  auto agent = std::make_unique<BotAgent>(std::move(*bot), game.spec, temperature_for(game.spec, temperature));
  agent->set_name(name);
  const auto value = [values = std::vector<float>(), &bot_agent = *agent](const Decisions& decisions, int row) mutable {
    values.resize(static_cast<std::size_t>(decisions.batch->rows()));
    bot_agent.estimate(decisions, values.data());
    return static_cast<double>(values[static_cast<std::size_t>(row)]);
  };
  auto advisor = std::make_unique<BotAgent>(agent->bot(), game.spec, 1.0f);
  return Player{name, std::move(agent), std::move(advisor), value};
}

std::string bot_path(const std::string& name) {
  return std::filesystem::is_directory(name) ? name + "/bots/final.safetensors" : name;
}

Result<std::string> game_of(const std::string& player, const std::string& game) {
  if (!is_path(player)) {
    if (!game.empty()) return game;
    wrong_usage(
        {fmt::format("there is no file '{}'; if a scripted player is meant, name its game with --game", player)});
  }
  const std::string path = bot_path(player);
  const Result<TensorFile> tensors = load_safetensors(path);
  if (!tensors) return tensors.error();
  Result<std::string> name = bot_game(tensors.value(), path);
  if (name && !game.empty() && name.value() != game)
    return Error{fmt::format("{}: a bot of the game '{}', not of '{}'", path, name.value(), game)};
  return name;
}

}  // namespace rival::cli
