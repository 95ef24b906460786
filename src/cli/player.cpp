#include "cli/player.hpp"

#include <fmt/format.h>

#include "agent/bot.hpp"
#include "cli/command.hpp"

namespace rival::cli {

Result<std::string> game_of(const std::string& player, const std::string& game) {
  if (!is_path(player)) {
    if (!game.empty()) return game;
    wrong_usage(
        {fmt::format("there is no file '{}'; if a scripted player is meant, name its game with --game", player)});
  }
  const Result<BotName> bot = find_bot(player);
  if (!bot) return bot.error();
  const std::string& path = bot.value().path;
  const Result<TensorFile> tensors = load_safetensors(path);
  if (!tensors) return tensors.error();
  Result<std::string> name = bot_game(tensors.value(), path);
  if (name && !game.empty() && name.value() != game)
    return Error{fmt::format("{}: a bot of the game '{}', not of '{}'", path, name.value(), game)};
  return name;
}

}  // namespace rival::cli
