// rival train GAME: a strong player by self-play.

#include <algorithm>
#include <cmath>

#include "agent/transplant.hpp"
#include "base/file.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/live_view.hpp"
#include "cli/player.hpp"
#include "cli/settings.hpp"
#include "train/run.hpp"

namespace rival::cli {
namespace {

struct Options {
  std::string game, out, from, schedule;
  bool resume = false;
  std::vector<std::string> sets;
  MatchSetup setup;
  // Options that are rows of the configuration, as they were typed: key, text.
  std::vector<std::pair<std::string, std::string>> rows;
};

// runs/GAME, or the first of runs/GAME-2, -3... that is not there yet.
std::string new_folder(const std::string& game) {
  std::string folder = "runs/" + game;
  for (int i = 2; path_exists(folder); ++i) folder = fmt::format("runs/{}-{}", game, i);
  return folder;
}

constexpr std::string_view kLimits[] = {"minutes", "steps", "until_score"};

// Whether somebody has said when to stop, be it never.
bool limited(const Options& options) {
  const auto is_limit = [&](std::string_view key) {
    return std::find(std::begin(kLimits), std::end(kLimits), key) != std::end(kLimits);
  };
  return std::any_of(options.rows.begin(), options.rows.end(), [&](const auto& row) { return is_limit(row.first); }) ||
         std::any_of(options.sets.begin(), options.sets.end(),
                     [&](const std::string& set) { return is_limit(set.substr(0, set.find('='))); });
}

Result<void> apply(const Options& options, TrainConfig& config) {
  const std::vector<OptionRow> rows = option_rows(config);
  for (const auto& [key, text] : options.rows)
    if (Result<void> set = set_option(rows, key, text); !set) return set;
  for (const std::string& assignment : options.sets)
    if (Result<void> set = set_option(rows, assignment); !set) return set;
  add_setup(options.setup, config);
  if (!options.resume && !limited(options)) config.minutes = 1;
  return {};
}

Json to_json(const GameEntry& game, const TrainConfig& config, const ResolvedConfig& resolved, const RunSummary& run,
             double seconds) {
  Json json{{"game", game.spec.name}, {"steps", run.steps}, {"seconds", seconds}};
  json["steps_per_second"] = run.last.steps_per_second;
  json["score"] = run.last.score ? Json(*run.last.score) : Json();
  json["bot"] = run.bot;
  json["training_seconds"] = run.last.seconds;
  json["iterations"] = run.last.iteration.iteration;
  json["stopped"] = run.stopped;
  json["ended_by"] = to_string(run.end);
  json["warnings"] = run.warnings;
  json["best"] = Json();
  if (run.best)
    json["best"] = {{"bot", run.best->path},
                    {"steps", run.best->steps},
                    {"chosen_by", run.best->chosen_by},
                    {"last_loses", run.best->last_loses}};
  json["evaluations"] = Json::array();
  for (const Evaluation& evaluation : run.last.evaluations)
    json["evaluations"].push_back({{"against", evaluation.opponent},
                                   {"score", evaluation.score.value},
                                   {"score_low", evaluation.score.interval.low},
                                   {"score_high", evaluation.score.interval.high}});
  json["seed"] = config.seed;
  json["epochs"] = resolved.options.epochs;
  json["precision"] = to_string(resolved.precision);
  json["isa"] = isa_name();
  return json;
}

// Why a resumed run had nothing to do, and how to give it more.
std::string spent_text(const GameEntry& game, const TrainConfig& config, const std::string& folder,
                       const RunSummary& run) {
  const bool score = run.last.score && *run.last.score >= config.until_score;
  const bool steps = config.steps > 0 && run.steps >= config.steps;
  const std::string what = score   ? fmt::format("a score of {:.2f} of {:g}", *run.last.score, config.until_score)
                           : steps ? fmt::format("{} of {} steps", grouped(run.steps), grouped(config.steps))
                                   : fmt::format("{:.3g} of {:g} minutes", run.last.seconds / 60, config.minutes);
  const std::string option = score ? "--until-score" : steps ? "--steps" : "--minutes";
  const std::string more = score   ? fmt::format("{:g}", config.until_score + std::abs(config.until_score) / 10 + 1)
                           : steps ? fmt::format("{}", std::max(2 * config.steps, 2 * run.steps))
                                   : fmt::format("{:g}", 2 * config.minutes);
  return fmt::format("The run's budget is used up: {}. To go on with more:\n  {}\n", what,
                     command_line({"train", game.typed(), "--out", folder, "--resume", option, more}));
}

Result<Outcome> train(const Options& options, const Games& games, Console& console) {
  if (!options.schedule.empty() && !options.resume) wrong_usage({"--schedule says how --resume goes on"});
  const Result<Schedule> schedule =
      options.schedule.empty() ? Schedule::automatic : parse_word<Schedule>("value of --schedule", options.schedule);
  if (!schedule) wrong_usage(schedule.error());
  if (options.game.empty() && !(options.resume && !options.out.empty()))
    wrong_usage({"GAME is required, but to go on with the run of --resume --out RUN"});
  TrainConfig config;
  std::string folder = options.out;
  const Result<GameEntry> opened = [&]() -> Result<GameEntry> {
    if (!options.resume) return games.open(options.game);
    if (folder.empty()) {
      const Result<GameEntry> named = games.open(options.game);
      if (!named) return named;
      folder = "runs/" + named.value().spec.name;
    }
    const Result<SavedRun> saved = read_run(folder);
    if (!saved) return saved.error();
    config = saved.value().config;
    return games.open({saved.value().game, saved.value().origin, folder}, options.game);
  }();
  if (!opened) return opened.error();
  const GameEntry& game = opened.value();
  if (folder.empty()) folder = new_folder(game.spec.name);
  if (const Result<void> applied = apply(options, config); !applied) wrong_usage(applied.error());
  const Result<ResolvedConfig> resolved = resolve(config, game.spec);
  if (!resolved) wrong_usage(resolved.error());

  std::optional<Bot> start;
  if (!options.from.empty()) {
    if (options.resume) wrong_usage({"--from begins a new run; --resume goes on with one"});
    const Result<BotName> bot = find_bot(options.from);
    if (!bot) return bot.error();
    const std::string& path = bot.value().path;
    const Result<TensorFile> tensors = load_safetensors(path);
    if (!tensors) return tensors.error();
    Result<Transplant> grown =
        transplant(tensors.value(), path, game.spec, observed_parameters(game.spec, resolved.value().settings),
                   resolved.value().options.network, Key(static_cast<std::uint64_t>(config.seed)).split(4));
    if (!grown) return grown.error();
    console.print("From {}:\n{}", path, grown.value().text());
    start = std::move(grown.value().bot);
  }

  const std::atomic<bool>& stop = stop_on_interrupt();
  console.print("{} {} in {}\n", options.resume ? "Going on with" : "Training", console.bold(game.spec.name), folder);
  if (config.minutes <= 0 && config.steps <= 0 && !std::isfinite(config.until_score))
    console.print("No limit is set: Ctrl-C ends it, and saves.\n");
  LiveView view(console, game.spec, config, stop);
  const Result<RunSummary> run =
      run_training(game, config,
                   {.folder = folder,
                    .resume = options.resume,
                    .schedule = schedule.value(),
                    .start = start ? &*start : nullptr,
                    .stop = &stop,
                    .on_progress = [&view](const RunProgress& progress) { view.show(progress); },
                    .on_message = [&console](const std::string& text) { console.print("{}\n", text); }});
  if (!run) return run.error();
  view.finish(run.value().last);
  const double seconds = process_seconds();
  const std::optional<BestBot>& best = run.value().best;
  if (run.value().end == RunEnd::spent) console.print("{}", spent_text(game, config, folder, run.value()));
  if (run.value().end == RunEnd::patience)
    console.print("Stopped early: {} evaluations in a row showed no better player.\n", config.patience);
  if (best && best->last_loses)
    console.print("The last player is measurably worse than the best one, of {} steps: {} ({}).\n",
                  grouped(best->steps), best->path, best->chosen_by);
  if (run.value().stopped)
    console.print("Stopped. `{}` goes on.\n", command_line({"train", game.typed(), "--out", folder, "--resume"}));
  console.print("{} steps in {:.1f} s. The player: {}\n", grouped(run.value().steps), seconds, run.value().bot);
  const std::string& bot = run.value().bot;
  const bool against = game.spec.team_count() > 1;
  console.verbatim("  measure it: " + command_line({"eval", bot}) + "\n");
  console.verbatim((against ? "  play it:    " : "  watch it:   ") + command_line({"play", game.typed(), bot}) +
                   (against ? "" : " --watch") + "\n");
  return Outcome{to_json(game, config, resolved.value(), run.value(), seconds)};
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("GAME", &options->game, games_help() + "; not needed to go on with a run in --out");
  add_training_options(arguments, kLimits, options->rows);
  arguments.add("--out", &options->out, "The run's folder; without it, a new one in runs/");
  arguments.add("--from", &options->from,
                "A bot to start from: of an earlier version of the game, or of a smaller network (see --hidden)");
  arguments.add_flag("--resume", options->resume, "Go on with the run in --out");
  arguments.add("--schedule", &options->schedule,
                "With --resume: the learning rate goes on where it stood (continue), or starts again over what is left "
                "(restart); without it, a finished run starts again and any other goes on");
  constexpr std::string_view kRows[] = {"patience", "seed", "threads", "hidden", "epochs", "precision"};
  add_training_options(arguments, kRows, options->rows);
  add_setup(arguments, options->setup);
  arguments.add_each(
      "--set", [options](const std::string& text) { options->sets.push_back(text); },
      "An option of training, as key=value; may be given again");
  std::vector<std::pair<std::string, std::string>> keys;
  TrainConfig config;
  for (const OptionRow& row : option_rows(config)) keys.emplace_back(row.key + "=" + value_text(row), help_text(row));
  arguments.add_section("What --set takes, with its default:", std::move(keys));
  return [options, &games](Console& console) { return train(*options, games, console); };
}

}  // namespace

Command train_command() {
  return {"train",
          "a strong player by self-play",
          {{"train {} --minutes 1", "connect_four"},
           {"train {} --until-score 475 --json", "cartpole", true},
           {"train {} --out runs/long --minutes 30 --hidden 256x256", "connect_four"},
           {"train {} --out runs/long --resume --minutes 60", "connect_four"},
           {"train {} --from runs/long --out runs/wider --hidden 384x384 --minutes 30", "connect_four"},
           {"train {} --steps 5e6 --set learning_rate=5e-4", "kuhn_poker"}},
          declare};
}

}  // namespace rival::cli
