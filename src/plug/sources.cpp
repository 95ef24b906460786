#include "plug/sources.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/names.hpp"
#include "game/spec.hpp"
#include "plug/library.hpp"
#include "plug/worker_sources.hpp"

namespace rival {
namespace {

GameSource catalog_source(std::span<const GameEntry> catalog) {
  const auto find = [catalog](const std::string& name) {
    return std::find_if(catalog.begin(), catalog.end(), [&](const GameEntry& game) { return game.spec.name == name; });
  };
  return {.kind = "catalog",
          .form = "NAME",
          .description = "a part of this program",
          .options = {},
          .takes = [=](const std::string& name) { return find(name) != catalog.end(); },
          .open = [=](const std::string& name, const SourceOptions&) -> Result<GameEntry> { return *find(name); },
          .origin = [](const std::string&) { return std::string(); }};
}

// The options that are given, as they are typed.
std::vector<std::string_view> given(const SourceOptions& options) {
  std::vector<std::string_view> names;
  if (options.isolate) names.push_back("--isolate");
  if (!options.python.empty()) names.push_back("--python");
  if (options.workers > 0) names.push_back("--workers");
  return names;
}

Error no_such_game(std::span<const GameEntry> catalog, const std::string& name) {
  std::vector<std::string> known;
  if (const std::size_t colon = name.find(':'); colon != std::string::npos) {
    for (const GameSource& source : game_sources(catalog))
      if (const std::size_t end = source.form.find(':'); end != std::string::npos && end < source.form.find('.'))
        known.push_back(source.form.substr(0, end));
    if (!known.empty()) return unknown_name("kind of game", name.substr(0, colon), known);
  }
  for (const GameEntry& game : catalog) known.push_back(game.spec.name);
  return unknown_name("game", name, known);
}

}  // namespace

std::vector<GameSource> game_sources(std::span<const GameEntry> catalog) {
  std::vector<GameSource> sources{catalog_source(catalog)};
  for (GameSource& source : worker_sources()) sources.push_back(std::move(source));
  sources.push_back(library_source());  // the last: a name with a slash may be of any of the others
  return sources;
}

Result<GameSource> find_source(std::span<const GameEntry> catalog, const std::string& name,
                               const SourceOptions& options) {
  for (GameSource& source : game_sources(catalog)) {
    if (!source.takes(name)) continue;
    for (const std::string_view option : given(options))
      if (std::find(source.options.begin(), source.options.end(), option) == source.options.end())
        return usage_error({fmt::format("{} means nothing to the game '{}', which is {}: leave it out", option, name,
                                        source.description)});
    return source;
  }
  return usage_error(no_such_game(catalog, name));
}

Result<GameEntry> open_game(std::span<const GameEntry> catalog, const std::string& name, const SourceOptions& options) {
  const Result<GameSource> source = find_source(catalog, name, options);
  if (!source) return source.error();
  Result<GameEntry> game = source.value().open(name, options);
  if (!game) return game.error();
  game->origin = source.value().origin ? source.value().origin(name) : name;
  if (game->origin.empty()) return game;
  if (const Result<void> valid = validate(game->spec); !valid)
    return Error{fmt::format("{}: {}", name, valid.error().message)};
  return game;
}

}  // namespace rival
