#include "cli/player.hpp"

#include <fmt/format.h>

#include "agent/bot.hpp"
#include "cli/command.hpp"

namespace rival::cli {

Result<GameEntry> game_of(const Games& games, const std::string& player, const std::string& typed) {
  if (!is_path(player)) {
    if (!typed.empty()) return games.open_sound(typed);
    wrong_usage(
        {fmt::format("there is no file '{}'; if a scripted player is meant, name its game with --game", player)});
  }
  const Result<BotName> bot = find_bot(player);
  if (!bot) return bot.error();
  const std::string& path = bot.value().path;
  const Result<TensorFile> tensors = load_safetensors(path);
  if (!tensors) return tensors.error();
  const Result<BotGame> game = bot_game(tensors.value(), path);
  if (!game) return game.error();
  return games.open_sound({game.value().name, game.value().origin, path}, typed);
}

}  // namespace rival::cli
