#include "cli/games_option.hpp"

#include <fmt/format.h>

#include "game/conformance.hpp"

namespace rival::cli {
namespace {

Result<GameEntry> sound(Result<GameEntry> game) {
  if (!game) return game;
  if (const Result<void> found = check_quickly(game->make_batch, game->typed()); !found) return found.error();
  return game;
}

}  // namespace

void Games::declare(Arguments& arguments) {
  arguments.add_flag("--isolate", options_.isolate,
                     "Run a game from a library in a process of its own: if it crashes, that is an error message");
  arguments.add("--python", &options_.python,
                "The Python for games written in it; default: the active virtual environment's, else python3");
  arguments.add("--workers", &options_.workers, "How many processes play a game that runs in such; 0: as it sees fit",
                {.low = 0, .high = 256});
  std::vector<std::pair<std::string, std::string>> rows;
  for (const GameSource& source : game_sources(catalog_)) rows.emplace_back(source.form, source.description);
  arguments.add_section("What GAME may be:", std::move(rows));
}

Result<GameEntry> Games::open(const std::string& name) const {
  return open_game(catalog_, name, options_);
}

Result<GameEntry> Games::open_sound(const std::string& name) const {
  return sound(open(name));
}

Result<GameEntry> Games::open(const NamedGame& game, const std::string& typed) const {
  const bool remembered = typed.empty() && !game.origin.empty();
  const std::string elsewhere = "if it is elsewhere now, name that with --game, or to train as GAME";
  Result<GameEntry> opened =
      remembered ? open_game(catalog_, game.origin, options_) : open(typed.empty() ? game.name : typed);
  if (!opened) {
    if (!remembered) return opened;
    return Error{fmt::format("{} is for the game '{}', which cannot be opened ({}): {}", game.who, game.name, elsewhere,
                             opened.error().message)};
  }
  if (opened->spec.name == game.name) return opened;
  if (!remembered)
    return Error{fmt::format("{} is for the game '{}', not for '{}'", game.who, game.name, opened->spec.name)};
  return Error{fmt::format("{} is for the game '{}', but {} holds the game '{}' now; {}", game.who, game.name,
                           game.origin, opened->spec.name, elsewhere)};
}

Result<GameEntry> Games::open_sound(const NamedGame& game, const std::string& typed) const {
  return sound(open(game, typed));
}

}  // namespace rival::cli
