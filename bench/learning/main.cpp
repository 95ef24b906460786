// learning: trains the tasks of the suite by the default options, and measures them against their bars.
//
//   learning [NAMES...] [--half tune|judge] [--minutes M | --steps N] [--seeds 1,2] [--set KEY=VALUE ...] [--out
//   FOLDER]
//
// NAMES are tasks or kinds of tasks; without any, all of the half, or of both. --list only prints the table of tasks.
// FOLDER gets each run, NAME-SEED, and results.json, to which later calls add.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "agent/scripted.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/names.hpp"
#include "base/number.hpp"
#include "bench/learning/task.hpp"
#include "player/player.hpp"
#include "train/run.hpp"

namespace rival::learning {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::vector<std::string> names, sets;
  std::optional<Half> half;
  std::vector<std::int64_t> seeds = {1};
  std::string out = "runs/learning";
  bool list = false;
  TrainConfig config;
};

std::string half_name(Half half) {
  return half == Half::tune ? "tune" : "judge";
}

Result<Options> parse(std::span<char*> arguments) {
  Options options;
  options.config.minutes = 1;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string name = arguments[i];
    if (!name.starts_with("--")) {
      options.names.push_back(name);
      continue;
    }
    if (name == "--list") {
      options.list = true;
      continue;
    }
    static const std::vector<std::string> known = {"--half", "--minutes", "--steps", "--seeds",
                                                   "--set",  "--out",     "--list"};
    if (std::find(known.begin(), known.end(), name) == known.end()) return unknown_name("option", name, known);
    if (i + 1 == arguments.size()) return Error{name + " needs a value"};
    const std::string value = arguments[++i];
    if (name == "--half") {
      if (value != "tune" && value != "judge") return Error{"--half must be tune or judge, not '" + value + "'"};
      options.half = value == "tune" ? Half::tune : Half::judge;
    } else if (name == "--minutes") {
      const Result<double> minutes = parse_real(name, value, {1e-3, 1e5});
      if (!minutes) return minutes.error();
      options.config.minutes = minutes.value();
    } else if (name == "--steps") {
      const Result<std::int64_t> steps = parse_whole(name, value, {1});
      if (!steps) return steps.error();
      options.config.steps = steps.value();
      options.config.minutes = 0;
    } else if (name == "--seeds") {
      options.seeds.clear();
      for (std::size_t from = 0; from <= value.size();) {
        const std::size_t comma = std::min(value.find(',', from), value.size());
        const Result<std::int64_t> seed = parse_whole(name, value.substr(from, comma - from), {0, kLargestSeed});
        if (!seed) return seed.error();
        options.seeds.push_back(seed.value());
        from = comma + 1;
      }
    } else if (name == "--set") {
      if (const Result<void> set = set_option(option_rows(options.config), value); !set) return set.error();
      options.sets.push_back(value);
    } else {
      options.out = value;
    }
  }
  return options;
}

// The tasks that are asked for, in the order of the table.
Result<std::vector<Task>> chosen(const Options& options) {
  std::vector<Task> all = tasks(), result;
  std::vector<std::string> known;
  for (const Task& task : all)
    for (const std::string& name : {task.name(), task.kind})
      if (std::find(known.begin(), known.end(), name) == known.end()) known.push_back(name);
  for (const std::string& name : options.names)
    if (std::find(known.begin(), known.end(), name) == known.end())
      return usage_error(unknown_name("task", name, known));
  for (Task& task : all) {
    if (options.half && task.half != *options.half) continue;
    const auto named = [&task](const std::string& name) { return name == task.name() || name == task.kind; };
    if (options.names.empty() || std::any_of(options.names.begin(), options.names.end(), named))
      result.push_back(std::move(task));
  }
  return result;
}

void print_task(const Task& task) {
  fmt::print("{:<24} {:<12} {:<6} {:<24} {} {:<8g} {}\n", task.name(), task.kind, half_name(task.half),
             task.measure.name, task.measure.less_is_better ? "<=" : ">=", task.bar, task.source);
}

// Trains with one seed and measures: an object of results.json.
Result<Json> run(const Task& task, std::int64_t seed, double random, const Options& options) {
  TrainConfig config = options.config;
  config.seed = seed;
  const std::string folder = fmt::format("{}/{}-{}", options.out, task.name(), seed);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  Json curve = Json::array();
  double next = 0;
  const auto progress = [&](const RunProgress& at) {
    if (at.done < next) return;
    next = at.done + 0.01;
    const bool alone = task.game.spec.team_count() == 1;
    const std::optional<double> score = alone                    ? at.score
                                        : at.evaluations.empty() ? std::optional<double>()
                                                                 : at.evaluations.front().score.value;
    if (score) curve.push_back({at.iteration.steps, at.seconds, *score});
  };
  const Result<RunSummary> trained = run_training(task.game, config, {.folder = folder, .on_progress = progress});
  if (!trained) return trained.error();
  const Result<Player> player = load_player(task.game, trained.value().bot);
  if (!player) return player.error();
  const Result<Estimate> figure = task.measure.figure(
      task.game, *player.value().agent, Key(1'000'003).split(static_cast<std::uint64_t>(seed)), task.measure.matches);
  if (!figure) return figure.error();
  const double value = figure.value().value;
  return Json{{"task", task.name()},
              {"kind", task.kind},
              {"half", half_name(task.half)},
              {"seed", seed},
              {"set", options.sets},
              {"steps", trained.value().steps},
              {"seconds", trained.value().last.seconds},
              {"figure", task.measure.name},
              {"value", value},
              {"low", figure.value().interval.low},
              {"high", figure.value().interval.high},
              {"bar", task.bar},
              {"less_is_better", task.measure.less_is_better},
              {"reached", task.reached(value)},
              {"random", random},
              {"share", (value - random) / (task.bar - random)},
              {"warnings", trained.value().warnings},
              {"curve", curve}};
}

// Adds a run to results.json, in place of a former one of the same task and seed.
Result<void> add(const std::string& path, const Json& run) {
  Json results = Json::array();
  if (path_exists(path)) {
    const Result<std::string> text = read_file(path);
    if (!text) return text.error();
    results = Json::parse(text.value(), nullptr, false);
    if (!results.is_array()) return Error{path + " holds no results; give another folder with --out"};
  }
  for (auto old = results.begin(); old != results.end();)
    old = old->at("task") == run.at("task") && old->at("seed") == run.at("seed") ? results.erase(old) : old + 1;
  results.push_back(run);
  return write_file_atomically(path, json_text(results, 1) + "\n");
}

Result<void> run_all(const Options& options) {
  const Result<std::vector<Task>> wanted = chosen(options);
  if (!wanted) return wanted.error();
  if (options.list) {
    for (const Task& task : wanted.value()) print_task(task);
    return {};
  }
  if (const Result<void> made = make_directories(options.out); !made) return made;
  fmt::print("{:<24} {:>4} {:>12} {:>8} {:>11} {:>24} {:>9} {:>7}\n", "task", "seed", "steps", "seconds", "value",
             "95% interval", "bar", "share");
  int runs = 0, reached = 0;
  for (const Task& task : wanted.value()) {
    const Result<Estimate> random =
        task.measure.figure(task.game, *random_agent(), Key(1'000'003), task.measure.matches);
    if (!random) return random.error();
    for (const std::int64_t seed : options.seeds) {
      const Result<Json> result = run(task, seed, random.value().value, options);
      if (!result) return Error{task.name() + ": " + result.error().message};
      const Json& r = result.value();
      if (const Result<void> added = add(options.out + "/results.json", r); !added) return added;
      ++runs;
      reached += r["reached"].get<bool>();
      fmt::print("{:<24} {:>4} {:>12} {:>8.1f} {:>11.4g} {:>24} {:>9g} {:>6.0f}%{}\n", task.name(), seed,
                 r["steps"].get<std::int64_t>(), r["seconds"].get<double>(), r["value"].get<double>(),
                 fmt::format("{:.4g} to {:.4g}", r["low"].get<double>(), r["high"].get<double>()), task.bar,
                 100 * r["share"].get<double>(), r["reached"].get<bool>() ? "" : "  below the bar");
      std::fflush(stdout);
    }
  }
  fmt::print("{} of {} runs reach their bar\n", reached, runs);
  return {};
}

}  // namespace
}  // namespace rival::learning

int main(int count, char** arguments) {
  using namespace rival::learning;
  const auto options = parse(std::span(arguments + 1, arguments + count));
  if (!options) return fmt::print(stderr, "learning: {}\n", options.error().message), 2;
  const auto ran = run_all(options.value());
  if (!ran)
    return fmt::print(stderr, "learning: {}\n", ran.error().message),
           ran.error().kind == rival::Error::Kind::usage ? 2 : 1;
  return 0;
}
