// rival ladder RUN: ratings of a run's bots, and bots at any rating.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "base/file.hpp"
#include "base/lock.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/live_view.hpp"
#include "cli/player.hpp"
#include "cli/settings.hpp"
#include "league/ladder_file.hpp"
#include "report/ladder_page.hpp"
#include "train/run.hpp"

namespace rival::cli {
namespace {

using Kind = LadderPlayer::Kind;
using Clock = std::chrono::steady_clock;

constexpr double kSaveEvery = 2, kLineEvery = 5;  // seconds

struct Options {
  std::string run, out, game;
  bool calibrate = false, anew = false;
  int levels = 8, level_matches = 1000, threads = 0;
  std::uint64_t seed = 1;
  double matches = 0, target_error = 10;
  std::optional<double> reaction_ms, actions_per_minute;
  MatchSetup setup;
};

// A run's players, and their bots.
struct Entrants {
  std::vector<LadderPlayer> players;
  std::map<std::string, std::shared_ptr<const SharedBot>> bots;
};

// Exact judges stay away: `rival eval --against` asks them, and some of them take their time over a move.
bool is_judge(const GameEntry& game, const std::string& baseline) {
  return std::any_of(game.judges.begin(), game.judges.end(),
                     [&](const Judge& judge) { return judge.name == baseline; });
}

// The snapshots that a ladder rates: the first one of every stage of training, a stage being 1.4 times as long as the
// one before. So they reach from the first steps to the last, and a longer run keeps those that are rated already.
Result<std::vector<std::string>> choose_snapshots(const std::string& run) {
  const Result<std::vector<PastSelf>> all = past_selves(run);
  if (!all) return all.error();
  std::map<int, std::string> stages;
  for (const PastSelf& self : all.value())
    stages.try_emplace(static_cast<int>(std::log(static_cast<double>(self.steps)) / std::log(1.4)), self.bot);
  std::vector<std::string> names;
  for (const auto& [stage, bot] : stages) names.push_back(bot);
  return names;
}

Result<Entrants> find_entrants(const GameEntry& game, const std::string& run, float temperature) {
  Entrants entrants;
  entrants.players.push_back({.name = "random", .kind = Kind::random});
  for (const Baseline& baseline : game.baselines)
    if (!is_judge(game, baseline.name)) entrants.players.push_back({.name = baseline.name, .kind = Kind::baseline});
  const auto add = [&](const std::string& name, Kind kind) -> Result<void> {
    const std::string path = fmt::format("{}/bots/{}.safetensors", run, name);
    for (const LadderPlayer& other : entrants.players)
      if (other.name == name) return Error{fmt::format("{}: another player is called '{}' as well", path, name)};
    Result<ReadBot> read = read_bot(path, game.spec);
    if (!read) return read.error();
    LadderPlayer player{.name = name, .kind = kind, .bot = name, .temperature = temperature};
    player.steps = read->bot.steps;
    player.fingerprint = read->fingerprint;
    entrants.players.push_back(std::move(player));
    entrants.bots.emplace(name, std::make_shared<const SharedBot>(std::move(read->bot)));
    return {};
  };
  const std::string league = run + "/league.json";
  if (path_exists(league)) {
    const Result<std::string> text = read_file(league);
    if (!text) return text.error();
    const Result<std::vector<Snapshot>> snapshots = read_league(text.value(), league);
    if (!snapshots) return snapshots.error();
    for (const Snapshot& snapshot : snapshots.value())
      if (snapshot.kind == "exploiter")
        if (Result<void> added = add(snapshot.bot, Kind::exploiter); !added) return added.error();
  }
  const Result<std::vector<std::string>> chosen = choose_snapshots(run);
  if (!chosen) return chosen.error();
  for (const std::string& snapshot : chosen.value())
    if (Result<void> added = add(snapshot, Kind::snapshot); !added) return added.error();
  if (const Result<BotName> newest = find_bot(run))
    if (Result<void> added = add(std::filesystem::path(newest.value().path).stem(), Kind::final); !added)
      return added.error();
  if (entrants.bots.empty()) return Error{fmt::format("{} has no bots yet: train it first", run)};
  return entrants;
}

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void print_ladder(Console& console, const Ladder& ladder) {
  std::vector<const LadderPlayer*> order;
  std::size_t widest = 6;
  for (const LadderPlayer& player : ladder.players) {
    if (player.kind == Kind::rung) continue;
    order.push_back(&player);
    widest = std::max(widest, player.name.size());
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const LadderPlayer* a, const LadderPlayer* b) { return a->rating > b->rating; });
  console.print("\n  {:<{}}  {:>6}  {:>5}  {:>8}  {}\n", "player", widest, "rating", "±", "matches", "kind");
  for (const LadderPlayer* player : order)
    console.print("  {:<{}}  {}  {:>5.0f}  {:>8}  {}\n", player->name, widest,
                  console.bold(fmt::format("{:>6.0f}", player->rating)), player->error,
                  grouped(std::llround(player->matches)), console.dim(to_string(player->kind)));
  const std::size_t rungs = ladder.players.size() - order.size();
  if (rungs > 0) console.print("  and {} rungs: bots warmed up to stand in between\n", rungs);
  console.print(
      "{}", console.dim("Elo, random play at 1000; ± is the standard error of the distance from the ladder's mean\n"));
}

void print_intransitivity(Console& console, const Json& json) {
  const double share = json["share"].get<double>();
  if (!json["elo_misleads"].get<bool>()) {
    console.print(
        "Elo tells the truth here: beyond chance, {:.1f}% of what happened between pairs is not in the ratings\n",
        100 * share);
    return;
  }
  console.print("\n{}: {:.0f}% of what happened between pairs is not in the ratings\n",
                console.styled("Elo misleads here", "1;33"), 100 * share);
  for (const Json& cycle : json["cycles"]) {
    console.print("  {0} beats {1} ({3:.0f}%), {1} beats {2} ({4:.0f}%), {2} beats {0} ({5:.0f}%)\n",
                  cycle["players"][0].get<std::string>(), cycle["players"][1].get<std::string>(),
                  cycle["players"][2].get<std::string>(), 100 * cycle["scores"][0].get<double>(),
                  100 * cycle["scores"][1].get<double>(), 100 * cycle["scores"][2].get<double>());
    break;  // the surest
  }
  console.print("  shares that count who beats whom: alpha-Rank, Nash averaging\n");
  for (const Json& player : json["players"])
    if (player["alpha_rank"].get<double>() > 0.005 || player["nash"].get<double>() > 0.005)
      console.print("    {:<24} {:>5.1f}%  {:>5.1f}%\n", player["name"].get<std::string>(),
                    100 * player["alpha_rank"].get<double>(), 100 * player["nash"].get<double>());
}

void print_dial(Console& console, const std::string& run, const Calibration& calibration, double seconds_per_step) {
  console.print("\n  {:>5}  {:>8}  {:>4}  {}\n", "asked", "measured", "±", "plays");
  double sum = 0;
  for (const LevelCheck& level : calibration.levels) {
    std::string plays = fmt::format("{} at temperature {:.3g}", level.setting.bot, level.setting.temperature);
    if (level.setting.reaction_steps > 0)
      plays += fmt::format(", {:.0f} ms later", 1000 * level.setting.reaction_steps * seconds_per_step);
    console.print("  {:>5.0f}  {}  {:>4.0f}  {}\n", level.asked, console.bold(fmt::format("{:>8.0f}", level.measured)),
                  level.error, console.dim(plays));
    sum += std::fabs(level.measured - level.asked);
  }
  if (!calibration.levels.empty())
    console.print("asked and measured differ by {} on average, in fresh matches\n",
                  console.bold(fmt::format("{:.0f}", sum / static_cast<double>(calibration.levels.size()))));
  console.print("Any rating from {:.0f} to {:.0f} is a player: {}@{:.0f}\n", std::ceil(calibration.low()),
                std::floor(calibration.high()), run, std::round((calibration.low() + calibration.high()) / 2));
}

Result<Outcome> climb(const Options& options, const Games& games, Console& console) {
  const Result<SavedRun> saved = read_run(options.run);
  if (!saved) return saved.error();
  const Result<GameEntry> opened =
      games.open_sound({saved.value().game, saved.value().origin, options.run}, options.game);
  if (!opened) return opened.error();
  const GameEntry& game = opened.value();
  const float temperature = default_temperature(game.spec);
  // The rules and limits that the run was trained under, and over them those that are asked for.
  TrainConfig config = saved.value().config;
  add_setup(options.setup, config);
  if (options.reaction_ms) config.reaction_ms = *options.reaction_ms;
  if (options.actions_per_minute) config.actions_per_minute = *options.actions_per_minute;
  const Result<ResolvedConfig> resolved = resolve(config, game.spec);
  if (!resolved) wrong_usage(resolved.error());
  const Limits limits = resolved.value().limits;

  const std::string path = options.run + "/ladder.json";
  // Training may go on meanwhile: it writes bots, each at once, and never the ladder.
  const Result<FileLock> lock =
      FileLock::take(options.run + "/.ladder.lock", fmt::format("the ladder of '{}'", options.run),
                     "wait for it to end; it goes on where that one stops");
  if (!lock) return lock.error();
  LadderRules rules = ladder_rules(game, resolved.value().settings, temperature, limits);
  Result<Entrants> entrants = find_entrants(game, options.run, temperature);
  if (!entrants) return entrants.error();

  Ladder ladder{.rules = rules, .players = entrants->players};
  if (!options.anew && path_exists(path)) {
    const Result<Ladder> earlier = load_ladder(path);
    if (!earlier) return earlier.error();
    if (!(earlier.value().rules == rules))
      return Error{
          fmt::format("{} holds ratings under other rules (its parameters, picks, limits or the game's data); "
                      "ask for those, or begin again with --anew",
                      path)};
    ladder = carry_over(earlier.value(), std::move(rules), entrants->players);
  }

  const auto make_agent = [&](const LadderPlayer& player) -> Result<std::unique_ptr<Agent>> {
    if (player.bot.empty()) return make_scripted(game, player.name);
    Limits own = limits;
    own.reaction_steps += player.reaction_steps;
    return make_player(
        entrants->bots.at(player.bot), game.spec,
        {.name = player.name, .temperature = player.temperature, .limits = own, .precision = best_precision()});
  };
  const std::atomic<bool>& stop = stop_on_interrupt();
  console.print("Rating {} players of {}{}\n", ladder.players.size(), console.bold(game.spec.name),
                ladder.rules.opening > 0 ? fmt::format(", after {} random moves", ladder.rules.opening) : "");
  ProgressLine line(console);
  const Clock::time_point begin = Clock::now();
  Clock::time_point last_save = begin;
  LadderOptions ladder_options{.seed = options.seed,
                               .threads = options.threads,
                               .target_error = options.target_error,
                               .matches = options.matches,
                               .stop = &stop};
  ladder_options.on_wave = [&](const Ladder& now, const LadderProgress& progress) -> Result<void> {
    if (line.due(kLineEvery))
      line.show(fmt::format("{:>6}  {} {:3.0f}%  {}, {} matches, ±{:.0f}", clock_text(since(begin)),
                            progress_bar(progress.done, 16), 100 * progress.done, progress.stage,
                            grouped(std::llround(progress.matches)), progress.error));
    if (since(last_save) < kSaveEvery) return {};
    last_save = Clock::now();
    return save_ladder(now, path);
  };
  Result<void> done = rate_ladder(game, ladder, make_agent, ladder_options);
  if (done && options.calibrate && !stop)
    done = calibrate_ladder(game, ladder, make_agent, ladder_options, options.levels, options.level_matches);
  if (const Result<void> written = save_ladder(ladder, path); !written) return written.error();
  if (!done) return done.error();

  Json json = ladder_json(ladder);
  json["seconds"] = since(begin);
  json["stopped"] = stop.load();
  print_ladder(console, ladder);
  print_intransitivity(console, json["intransitivity"]);
  if (ladder.calibration)
    print_dial(console, options.run, *ladder.calibration, static_cast<double>(game.spec.seconds_per_step));
  else
    console.print("For bots at any rating: `{}`\n", command_line({"ladder", options.run, "--calibrate"}));
  if (!options.out.empty()) {
    const Result<std::string> metrics = read_file(options.run + "/metrics.jsonl");
    const Result<std::string> page = ladder_page(ladder_json(ladder), metrics ? metrics.value() : "");
    if (!page) return page.error();
    if (const Result<void> written = write_file_atomically(options.out, page.value()); !written) return written.error();
    console.print("The page: {}\n", options.out);
  }
  if (stop) console.print("Stopped. The same command goes on.\n");
  console.print("{} matches in all, {:.1f} s. Saved: {}\n", grouped(std::llround(ladder.matches())), since(begin),
                path);
  return Outcome{json};
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("RUN", &options->run, "A run's folder", {.required = true});
  arguments.add_flag("--calibrate", options->calibrate, "Make bots at any rating, to be asked for as RUN@RATING");
  arguments.add("--levels", &options->levels, "At how many ratings to check the calibration", {.low = 1, .high = 100});
  arguments.add("--level-matches", &options->level_matches, "Matches of each such check", {.low = 2, .high = 1e6});
  arguments.add("--matches", &options->matches, "The most matches that ratings are made from; 0: 1000 for each player",
                {.low = 0, .high = 1e9});
  arguments.add("--target-se", &options->target_error, "Stop when ratings are known to this standard error, in points",
                {.low = 0, .high = 1000});
  arguments.add("--seed", &options->seed, "The same seed plays the same matches");
  arguments.add("--threads", &options->threads, "0: one per processor; they do not change the result",
                {.low = 0, .high = 256});
  arguments.add("--reaction-ms", &options->reaction_ms,
                "Bots react after this many milliseconds; default: as in training", {.low = 0, .high = 10'000});
  arguments.add("--actions-per-minute", &options->actions_per_minute,
                "Bots act at most this often, 0: any number; default: as in training", {.low = 0, .high = 1e6});
  add_setup(arguments, options->setup);
  arguments.add("--out", &options->out, "A page with the ratings over training, who beats whom, and the dial");
  arguments.add("--game", &options->game, "The game, from elsewhere than where the run says");
  arguments.add_flag("--anew", options->anew, "Forget the matches of an earlier ladder");
  return [options, &games](Console& console) { return climb(*options, games, console); };
}

}  // namespace

Command ladder_command() {
  return {"ladder",
          "ratings of a run's bots, and bots at any rating",
          {{"ladder runs/demo"},
           {"ladder runs/demo --calibrate --levels 10"},
           {"ladder runs/demo --target-se 20 --out ladder.html --json"}},
          declare};
}

}  // namespace rival::cli
