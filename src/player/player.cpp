#include "player/player.hpp"

#include <fmt/format.h>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/names.hpp"
#include "base/number.hpp"
#include "base/program.hpp"
#include "game/spec.hpp"
#include "league/ladder_file.hpp"
#include "nn/safetensors.hpp"
#include "search/search.hpp"
#include "train/run.hpp"

namespace rival {
namespace {

// RUN@RATING in its two parts; without a rating the whole name.
struct Parts {
  std::string path;
  std::optional<double> rating;
};

Parts parts_of(const std::string& name) {
  const std::size_t at = name.rfind('@');
  if (at == std::string::npos || at == 0 || at + 1 == name.size() || path_exists(name)) return {name, {}};
  const std::optional<double> rating = read_real(std::string_view(name).substr(at + 1));
  if (!rating) return {name, {}};
  return {name.substr(0, at), rating};
}

std::string calibrating(const std::string& run) {
  return fmt::format("run `{}`", command_line({"ladder", run, "--calibrate"}));
}

// Of a run's folder, with a dial.
Result<Ladder> calibrated_ladder(const std::string& run) {
  const std::string file = run + "/ladder.json";
  const Result<PathKind> kind = path_kind(run), ladder_kind = path_kind(file);
  if (!kind) return kind.error();
  if (kind.value() != PathKind::folder)
    return Error{fmt::format("'{}' is no run's folder; a rating is asked as RUN@1200", run)};
  if (!ladder_kind) return ladder_kind.error();
  if (ladder_kind.value() == PathKind::none)
    return Error{fmt::format("{} has no ladder yet, so that no bot is known by its rating: {}", run, calibrating(run))};
  Result<Ladder> ladder = load_ladder(file);
  if (ladder && !ladder->calibration)
    return Error{fmt::format("{} has a ladder, but no dial from ratings to bots: {}", run, calibrating(run))};
  return ladder;
}

Result<BotName> find_rated(const std::string& run, double rating) {
  const Result<Ladder> ladder = calibrated_ladder(run);
  if (!ladder) return ladder.error();
  const Result<DialSetting> setting = turn_dial(*ladder.value().calibration, rating);
  if (!setting) return Error{fmt::format("{}: {}", run, setting.error().message)};
  BotName bot{.path = fmt::format("{}/bots/{}.safetensors", run, setting.value().bot),
              .temperature = setting.value().temperature,
              .rules = ladder.value().rules,
              .note = {}};
  bot.rules->limits.reaction_steps += setting.value().reaction_steps;
  const Result<std::string> bytes = read_file(bot.path);
  if (!bytes) return bytes.error();
  for (const LadderPlayer& player : ladder.value().players)
    if (player.bot == setting.value().bot && player.fingerprint != bot_fingerprint(bytes.value()))
      return Error{fmt::format("{} is another bot than the one that the ladder rated: {}", bot.path, calibrating(run))};
  return bot;
}

}  // namespace

std::uint64_t bot_fingerprint(std::string_view bytes) {
  return fnv1a(bytes);
}

Result<ReadBot> read_bot(const std::string& path, const Spec& spec) {
  const Result<std::string> bytes = read_file(path);
  if (!bytes) return bytes.error();
  const Result<TensorFile> tensors = parse_safetensors(bytes.value(), path);
  if (!tensors) return tensors.error();
  Result<Bot> bot = Bot::from_tensors(tensors.value(), spec, path);
  if (!bot) return bot.error();
  return ReadBot{std::move(*bot), bot_fingerprint(bytes.value())};
}

Result<BotName> find_bot(const std::string& name) {
  const Parts parts = parts_of(name);
  if (parts.rating) return find_rated(parts.path, *parts.rating);
  const Result<PathKind> kind = path_kind(name);
  if (!kind) return kind.error();
  if (kind.value() != PathKind::folder) return BotName{.path = name, .temperature = {}, .rules = {}, .note = {}};
  for (const char* bot : {"final", "latest"}) {
    const std::string path = fmt::format("{}/bots/{}.safetensors", name, bot);
    const Result<PathKind> found = path_kind(path);
    if (!found) return found.error();
    if (found.value() == PathKind::none) continue;
    const bool ended = std::string_view(bot) == "final";
    return BotName{.path = path,
                   .temperature = {},
                   .rules = {},
                   .note = ended ? "" : fmt::format("{} has not ended: this is its latest bot", name)};
  }
  return Error{
      fmt::format("{} has no bot yet: there is neither bots/final.safetensors nor bots/latest.safetensors", name)};
}

Result<Calibration> find_dial(const std::string& run) {
  const Result<Ladder> ladder = calibrated_ladder(run);
  if (!ladder) return ladder.error();
  return *ladder.value().calibration;
}

std::vector<std::string> scripted_names(const GameEntry& game) {
  std::vector<std::string> names = {"random"};
  for (const Baseline& baseline : game.baselines) names.push_back(baseline.name);
  names.push_back("search:N");
  return names;
}

std::unique_ptr<Agent> make_scripted(const GameEntry& game, const std::string& name) {
  if (name == "random") return random_agent();
  for (const Baseline& baseline : game.baselines)
    if (baseline.name == name) return baseline.make();
  return nullptr;
}

bool is_path(const std::string& name) {
  const std::string path = parts_of(name).path;
  return path.find_first_of("./") != std::string::npos || path_exists(path);
}

Result<Player> load_player(const GameEntry& game, const std::string& name, std::optional<float> temperature) {
  if (std::unique_ptr<Agent> agent = make_scripted(game, name)) return Player{.name = name, .agent = std::move(agent)};
  if (is_search(name)) {
    const Result<int> simulations = search_simulations(name);
    if (!simulations) return usage_error(simulations.error());
    Result<std::unique_ptr<Agent>> agent =
        search_agent(game.make_batch, {.simulations = simulations.value(), .threads = 0});
    if (!agent) return agent.error();
    return Player{.name = name, .agent = std::move(*agent)};
  }
  if (!is_path(name)) return usage_error(unknown_name("player", name, scripted_names(game)));
  Result<BotName> found = find_bot(name);
  if (!found) return found.error();
  if (found->temperature && temperature)
    return usage_error(
        {fmt::format("{} plays at the temperature that its rating needs: leave out --temperature", name)});
  Result<Bot> bot = load_bot(found->path, game.spec);
  if (!bot) return bot.error();
  if (found->rules &&
      !fits(game.spec, MatchSettings({found->rules->parameters, found->rules->picks}, found->rules->drawn)))
    return Error{
        fmt::format("{}: the ladder was made for other rules of {}; calibrate it again", name, game.spec.name)};
  if (found->rules && found->rules->data != data_hash(game.spec))
    found->note = fmt::format("{} was rated when the game's data was another; calibrate the run again", name);
  if (!found->rules && path_exists(name + "/config.toml")) {
    const Result<SavedRun> run = read_run(name);
    if (!run) return run.error();
    const Result<ResolvedConfig> resolved = resolve(run.value().config, game.spec);
    if (!resolved) return resolved.error();
    found->rules = LadderRules{.game = game.spec.name,
                               .data = data_hash(game.spec),
                               .parameters = resolved.value().settings.fixed.parameters,
                               .picks = resolved.value().settings.fixed.picks,
                               .drawn = resolved.value().settings.drawn,
                               .opening = 0,
                               .limits = resolved.value().limits};
  }
  const Limits limits = found->rules ? found->rules->limits : bot->limits;
  const std::optional<float> given = found->temperature ? found->temperature : temperature;
  const auto shared = std::make_shared<const SharedBot>(std::move(*bot));
  return Player{
      name,
      make_player(shared, game.spec,
                  {.name = name, .temperature = given.value_or(default_temperature(game.spec)), .limits = limits}),
      make_player(shared, game.spec, {.name = name, .temperature = 1}), std::move(found).value()};
}

}  // namespace rival
