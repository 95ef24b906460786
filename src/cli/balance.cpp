// rival balance GAME: what good players make of a game, and the smallest change that reaches its designer's targets.

#include <filesystem>

#include "balance/data_file.hpp"
#include "balance/study.hpp"
#include "base/file.hpp"
#include "base/index.hpp"
#include "base/json.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/live_view.hpp"
#include "cli/settings.hpp"
#include "report/balance_page.hpp"
#include "report/watch_page.hpp"

namespace rival::cli {
namespace {

struct Options {
  std::string game, targets, folder, out, data, real, players, write_targets;
  double minutes = 10;
  double steps = 0;
  int matches = 2400, threads = 0;
  std::uint64_t seed = 1;
  bool only_measure = false, anew = false;
  std::vector<std::string> merge;
  std::vector<std::pair<std::string, std::string>> training;
  MatchSetup setup;
};

constexpr double kLineEvery = 10, kStageEvery = 1;  // seconds; a line of another stage comes sooner

std::string progress_text(const balance::StudyProgress& progress) {
  std::string text = fmt::format("{:>6}  {} {:3.0f}%  {}", clock_text(progress.seconds),
                                 progress_bar(progress.stage_done, 16), 100 * progress.stage_done, progress.stage);
  if (progress.seconds_left > 0) text += fmt::format(", about {} left in all", clock_text(progress.seconds_left));
  return text;
}

std::string percent(const Json& cell) {
  return fmt::format("{:.1f}% ({:.1f} to {:.1f})", 100 * cell["rate"].get<double>(), 100 * cell["low"].get<double>(),
                     100 * cell["high"].get<double>());
}

void print_report(Console& console, const Json& json) {
  std::size_t widest = 6;
  const Json& before = json["options_before"];
  const bool changed = json["after"].is_array() && !json["options_after"].is_null();
  for (const Json& option : before) widest = std::max(widest, option["name"].get_ref<const std::string&>().size());
  if (!before.empty()) {
    console.print("\n  {:<{}}  {:<24}{}\n", "", widest, "wins now", changed ? "after the change" : "");
    for (std::size_t i = 0; i < before.size(); ++i)
      console.print("  {:<{}}  {:<24}{}\n", before[i]["name"].get<std::string>(), widest, percent(before[i]),
                    changed ? console.bold(percent(json["options_after"][i])) : "");
  }
  console.print("\nThe side that goes first wins {}{}\n", percent(json["seat_advantage_before"]),
                changed ? ", after the change " + percent(json["seat_advantage"]) : "");
  for (const Json& d : json["dominated_before"])
    console.print("{} is dominated: {} is at least as good against everything\n", d["name"].get<std::string>(),
                  d["by"].get<std::string>());
  for (const Json& change : json["changes"])
    console.print("  {}: {} -> {}\n", change["parameter"].get<std::string>(), json_text(change["from"]),
                  console.bold(json_text(change["to"])));
  for (const Json& warning : json["warnings"]) console.print("note: {}\n", warning.get<std::string>());
  if (json["met"].is_null()) {
    console.print("Nothing is claimed.\n");
  } else if (json["met"].get<bool>()) {
    console.print("{}\n", console.bold(changed ? "The change meets every target." : "Every target is met as it is."));
  } else {
    int missed = 0;
    for (const Json& target : json["targets"]) missed += !target["met"].get<bool>();
    console.print("{}: the furthest is {:.1f} points away\n",
                  console.bold(fmt::format("{} of {} targets {} missed", missed, json["targets"].size(),
                                           changed ? "are still" : "are")),
                  json["worst_gap"].get<double>());
  }
}

// The page's replays as pages of their own, beside it.
Result<Json> write_replays(const GameEntry& game, const Options& options, const balance::StudyReport& report) {
  Json list = Json::array();
  const std::filesystem::path page(options.out);
  const std::string stem = page.stem().string();
  for (std::size_t i = 0; i < report.replays.size(); ++i) {
    const Result<std::string> html =
        watch_page({.replay = &report.replays[i].replay, .make_batch = game.make_batch, .players = {}, .values = {}});
    if (!html) return html.error();
    const std::string name = fmt::format("{}-match-{}.html", stem, i + 1);
    if (Result<void> written = write_file_atomically((page.parent_path() / name).string(), html.value()); !written)
      return written.error();
    list.push_back({{"title", report.replays[i].title}, {"html", name}});
  }
  return list;
}

Result<Outcome> study(const Options& options, const Games& games, Console& console) {
  const Result<GameEntry> opened = games.open_sound(options.game);
  if (!opened) return opened.error();
  const GameEntry& game = opened.value();
  const Settings settings = settings_or_usage(game.spec, options.setup);
  if (!options.write_targets.empty()) {
    if (Result<void> written =
            write_file_atomically(options.write_targets, balance::targets_template(game.spec, settings));
        !written)
      return written.error();
    console.print("Written: {}. Edit it, then `{}`\n", options.write_targets,
                  command_line({"balance", options.game, "--targets", options.write_targets}));
    return Outcome{Json{{"targets", options.write_targets}}};
  }
  balance::StudyOptions how{.folder = options.folder.empty() ? "balance/" + game.spec.name : options.folder,
                            .targets = balance::default_targets(game.spec, settings),
                            .settings = settings};
  if (!options.targets.empty()) {
    const Result<std::string> text = read_file(options.targets);
    if (!text) return text.error();
    Result<balance::Targets> targets = balance::read_targets(game.spec, settings, text.value(), options.targets);
    if (!targets) return targets.error();
    how.targets = std::move(targets.value());
  }
  Result<std::string> data = options.data.empty() ? std::string() : read_file(options.data);
  if (!data) return data.error();
  // Every number that may change must be there, before hours of work.
  if (!options.data.empty()) {
    std::vector<balance::NumberChange> now;
    for (const balance::Tunable& t : how.targets.tunables)
      now.push_back({game.spec.parameters[t.parameter].name, static_cast<float>(t.from)});
    const Result<std::string> found = balance::change_numbers(data.value(), options.data, now);
    if (!found)
      return Error{found.error().message +
                   ". What is not in the file can be kept from changing: [parameters] NAME = "
                   "\"keep\" in the targets"};
  }
  if (options.anew && path_exists(how.folder + "/study.json")) {
    std::error_code code;
    std::filesystem::remove_all(how.folder, code);
    if (code) return Error{fmt::format("cannot remove {}: {}", how.folder, code.message())};
  }
  how.minutes = options.minutes;
  how.steps = static_cast<std::int64_t>(options.steps);
  how.cell_matches = options.matches;
  how.seed = options.seed;
  how.threads = options.threads;
  how.search = !options.only_measure;
  how.players = options.players;
  how.training = options.training;
  how.merge = options.merge;
  how.real = options.real;
  how.stop = &stop_on_interrupt();

  console.print("Balance of {}{}\n", console.bold(game.spec.name),
                options.steps > 0 ? "" : fmt::format(", about {:.3g} minutes", options.minutes));
  ProgressLine line(console);
  std::string stage;
  const auto show = [&](const balance::StudyProgress& progress) {
    if (!line.due(progress.stage == stage ? kLineEvery : kStageEvery)) return;
    stage = progress.stage;
    line.show(progress_text(progress));
  };
  Result<balance::StudyReport> report = balance::run_study(
      game, how,
      {.on_progress = show, .on_message = [&](const std::string& message) { console.print("{}\n", message); }});
  if (!report) return report.error();
  if (report->stopped) {
    console.print("Stopped. The same command goes on. Saved: {}\n", how.folder);
    return Outcome{report->json};
  }
  Json json = report->json;
  if (!options.data.empty() && !report->changes.empty()) {
    const Result<std::string> edited = balance::change_numbers(data.value(), options.data, report->changes);
    if (!edited) return edited.error();
    const std::string name = std::filesystem::path(options.data).filename().string();
    const std::string path = how.folder + "/" + name;
    if (Result<void> written = write_file_atomically(path, edited.value()); !written) return written.error();
    json["data_file"] = {{"name", name}, {"path", path}, {"text", edited.value()}};
  }
  print_report(console, json);
  if (json.contains("data_file"))
    console.print("The data file with the change: {}\n", json["data_file"]["path"].get<std::string>());
  else if (json.contains("parameters_line"))
    console.print("To try it: `{}`\n", fmt::format("{} {}", command_line({"train", options.game}),
                                                   json["parameters_line"].get<std::string>()));
  if (!options.out.empty()) {
    const Result<Json> replays = write_replays(game, options, report.value());
    if (!replays) return replays.error();
    json["replays"] = replays.value();
    const Result<std::string> page = balance_page(json);
    if (!page) return page.error();
    if (Result<void> written = write_file_atomically(options.out, page.value()); !written) return written.error();
    console.print("The page: {}\n", options.out);
  }
  console.print("{} matches, {}. Saved: {}\n", grouped(json["matches"].get<long long>()),
                clock_text(json["seconds"].get<double>()), how.folder);
  return Outcome{json};
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("GAME", &options->game, games_help(), {.required = true});
  arguments.add(
      "--targets", &options->targets,
      "What is wanted of the balance, and what may change (docs/balance.md); without it every choice is to win "
      "47 to 53%, or without choices each side, and every parameter may change");
  arguments.add("--write-targets", &options->write_targets, "Write such a file to go on from, and stop");
  arguments.add("--minutes", &options->minutes, "How long to take for all of it, about", {.low = 0.02, .high = 1e5});
  arguments.add("--steps", &options->steps, "Instead: the decisions of each training", {.low = 0, .high = 1e13});
  arguments.add("--matches", &options->matches, "Of a verdict, for each pair of choices: 2400 tell 2 points apart",
                {.low = 20, .high = 1e6});
  arguments.add_flag("--only-measure", options->only_measure, "Look for no change");
  arguments.add("--players", &options->players,
                "Measure with these instead of training any: a bot, a scripted player of the game, or search:N");
  arguments.add("--out", &options->out, "The report as a page");
  arguments.add("--data", &options->data,
                "The game's data file (TOML), of which the study's folder gets a copy with the change made");
  arguments.add("--real", &options->real, "Real players' results (CSV: first, second, score), shown beside");
  arguments.add_each(
      "--merge", [options](const std::string& folder) { options->merge.push_back(folder); },
      "The folder of a study of the same game by another machine, whose matches count too; may be repeated");
  arguments.add("--folder", &options->folder, "Where the study lives, and goes on; default: balance/GAME");
  arguments.add_flag("--anew", options->anew, "Forget the study in the folder");
  arguments.add("--seed", &options->seed, "Other seeds train other players");
  arguments.add("--threads", &options->threads, "0: one per processor", {.low = 0, .high = 256});
  static constexpr std::string_view kRows[] = {"hidden"};
  add_training_options(arguments, kRows, options->training);
  add_setup(arguments, options->setup);
  return [options, &games](Console& console) { return study(*options, games, console); };
}

}  // namespace

Command balance_command() {
  return {"balance",
          "what good players make of a game, and the smallest change that balances it",
          {{"balance {} --minutes 10 --out report.html", "duel"},
           {"balance {} --write-targets targets.toml", "duel"},
           {"balance {} --targets targets.toml --data units.toml --out report.html", "duel"},
           {"balance pig --only-measure --minutes 3 --json"}},
          declare};
}

}  // namespace rival::cli
