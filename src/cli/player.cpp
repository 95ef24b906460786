#include "cli/player.hpp"

#include <fmt/format.h>

#include <filesystem>

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

Result<Player> load_player(const GameEntry& game, const std::string& name) {
  if (std::unique_ptr<Agent> agent = make_scripted(game, name)) return Player{name, std::move(agent)};
  if (!is_path(name)) wrong_usage(unknown_name("player", name, scripted_names(game)));
  return Error{fmt::format("cannot load the bot '{}'", name)};
}

Result<std::string> game_of(const std::string& player, const std::string& game) {
  if (!game.empty()) return game;
  if (!is_path(player))
    wrong_usage({fmt::format("'{}' is not a bot's file; for a scripted player, name its game with --game", player)});
  return Error{fmt::format("cannot load the bot '{}'", player)};
}

}  // namespace rival::cli
