// rival bench [GAME]: what this machine does in a second. rival bench runtime BOT: bench_runtime.hpp. rival bench serve
// BOT: bench_serve.hpp.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>

#include "agent/player.hpp"
#include "base/file.hpp"
#include "base/index.hpp"
#include "base/json.hpp"
#include "base/number.hpp"
#include "base/threads.hpp"
#include "cli/bench_runtime.hpp"
#include "cli/bench_serve.hpp"
#include "cli/command.hpp"
#include "cli/settings.hpp"
#include "nn/onednn.hpp"
#include "train/trainer.hpp"

namespace rival::cli {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Options {
  std::string game = "cartpole", bot, beside, results;
  ServeLoad load;
  double seconds = 3;
  std::vector<std::pair<std::string, std::string>> rows;
  MatchSetup setup;
};

// Calls work(member) on all members over and over for `seconds`, after a first call that does not count; the sum of
// what the calls returned, per second.
template <class Work>
double per_second(Team& team, double seconds, const Work& work) {
  std::vector<double> rates(team.size());
  team.run([&](int member) {
    work(member);
    team.barrier();
    const auto begin = Clock::now();
    double done = 0;
    do done += work(member);
    while (since(begin) < seconds);
    rates[member] = done / since(begin);
  });
  double sum = 0;
  for (double rate : rates) sum += rate;
  return sum;
}

// As many matches as have their observations in a core's own cache, as in training.
int matches_at_once(const Spec& spec) {
  constexpr int kCacheBytes = 512 * 1024;
  const int bytes =
      RowLayout(spec).observation_size * static_cast<int>(sizeof(float)) * (spec.simultaneous ? spec.seats : 1);
  return std::clamp(kCacheBytes / std::max(1, bytes), 8, 256);
}

// A batch that plays itself with quick random choices.
class RandomMatches {
 public:
  RandomMatches(const GameEntry& game, Settings settings, Key key)
      : batch_(game.make_batch(matches_at_once(game.spec))),
        settings_(std::move(settings)),
        key_(key),
        random_(key.split(0)),
        rows_(*batch_) {
    batch_->start_all(settings_, key_.split(1));
  }

  // One step of all matches: observations, masks, choices, rules, and new matches for those that ended. Returns the
  // number of decisions.
  Result<int> step() {
    if (Result<void> shown = rows_.observe(); !shown) return shown.error();
    for (int row : rows_.acting()) choose(row);
    if (Result<void> stepped = rows_.step(); !stepped) return stepped.error();
    for (int match = 0; match < batch_->matches(); ++match) {
      if (rows_.status[match] == Status::running) continue;
      const Key key = key_.split(2 + started_++);
      batch_->start({&match, 1}, settings_, {&key, 1});
    }
    return static_cast<int>(rows_.acting().size());
  }

 private:
  // The first allowed choice from a random one on: not uniform, but quick.
  void choose(int row) {
    const RowLayout& layout = batch_->layout();
    const std::vector<ActionPart>& parts = batch_->spec().action;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (parts[p].kind == ActionPart::Kind::continuous) {
        for (int i = 0; i < parts[p].size; ++i)
          rows_.value_row(row)[layout.value_offset[p] + i] = random_.uniform(parts[p].low, parts[p].high);
        continue;
      }
      const std::uint8_t* mask = rows_.mask(row, p);
      int choice = random_.below(parts[p].size);
      for (int tried = 1; !mask[choice] && tried < parts[p].size; ++tried)
        choice = choice + 1 < parts[p].size ? choice + 1 : 0;
      rows_.choice_row(row)[layout.choice_index[p]] = choice;
    }
  }

  std::unique_ptr<Batch> batch_;
  Settings settings_;
  Key key_;
  Random random_;
  std::uint64_t started_ = 0;
  BatchRows rows_;
};

Result<double> measure_env(const GameEntry& game, const Settings& settings, Team& team, double seconds) {
  std::vector<std::unique_ptr<RandomMatches>> matches;
  std::vector<Result<void>> sound(team.size());
  for (int i = 0; i < team.size(); ++i)
    matches.push_back(std::make_unique<RandomMatches>(game, settings, Key(1).split(static_cast<std::uint64_t>(i))));
  const double rate = per_second(team, seconds, [&](int member) {
    double steps = 0;
    for (int i = 0; i < 16 && sound[member]; ++i) {
      const Result<int> stepped = matches[member]->step();
      if (stepped)
        steps += stepped.value();
      else
        sound[member] = stepped.error();
    }
    return steps;
  });
  for (const Result<void>& result : sound)
    if (!result) return result.error();
  return rate;
}

// From an observation row to head columns, in batches.
Result<double> measure_inference(const Bot& bot, Precision precision, Team& team, double seconds) {
  constexpr int kRows = 1024;
  const Result<std::unique_ptr<Backend>> made = make_backend("onednn", bot.network, precision);
  if (!made) return made.error();
  const Backend& backend = *made.value();
  const std::unique_ptr<Weights> weights = backend.make_weights();
  backend.pack(bot.parameters, *weights);
  std::vector<std::unique_ptr<Executor>> executors;
  std::vector<std::vector<std::byte>> inputs;
  for (int i = 0; i < team.size(); ++i) {
    executors.push_back(backend.make_executor(kRows));
    inputs.emplace_back(index(kRows) * backend.input_stride());
  }
  const std::vector<float> observations(kRows * bot.network.observation_size(), 0.5f);
  const std::vector<int> none(kRows, -1);
  return per_second(team, seconds, [&](int member) {
    const std::size_t m = member;
    executors[m]->encode(bot.scale, observations.data(), kRows, inputs[m].data());
    executors[m]->forward(*weights, inputs[m].data(), kRows, {none.data(), none.data(), nullptr});
    return static_cast<double>(kRows);
  });
}

// One decision of a bot inside a game: from an observation row to the choice, one at a time, on one thread.
Result<double> measure_decision(const GameEntry& game, const Settings& settings, const Bot& bot, double seconds) {
  const std::unique_ptr<Batch> batch = game.make_batch(1);
  batch->start_all(settings, Key(1));
  BatchRows rows(*batch);
  if (Result<void> shown = rows.observe(); !shown) return shown.error();
  const int row = rows.acting().front();
  BotAgent agent(bot, game.spec);
  const Decisions decisions = rows.decisions({&row, 1});
  Team one(1);
  return 1e6 / per_second(one, seconds, [&](int) {
           for (int i = 0; i < 1000; ++i) agent.act(decisions, Key(1), rows.choices.data(), rows.values.data());
           return 1000.0;
         });
}

// Floating-point operations of an update's way there and back for one sample: two a weight forward, two for the
// gradients by the weights, and two for those by each layer's inputs, which the first layer does not need.
double update_flops(const Network& network) {
  double first_layer = 0;
  if (!network.has(OperationKind::convolution)) {
    const Operation& first = network.operation("trunk.0");
    first_layer = static_cast<double>(first.rows) * first.columns;
  }
  return 6 * network.forward_multiply_adds() - 2 * first_layer;
}

struct Training {
  double steps_per_second = 0, update_gflops = 0;
};

Result<Training> measure_training(Trainer& trainer, double seconds) {
  // The first iterations are shorter than those of a run that is under way; they are gone through first.
  const auto warm_up = Clock::now();
  while (since(warm_up) < seconds)
    if (const auto report = trainer.iterate(); !report) return report.error();
  const std::int64_t first = trainer.steps();
  double rows = 0, update_seconds = 0;
  const auto begin = Clock::now();
  while (since(begin) < seconds) {
    const auto report = trainer.iterate();
    if (!report) return report.error();
    rows += report.value().updated_rows;
    update_seconds += report.value().update_seconds;
  }
  return Training{static_cast<double>(trainer.steps() - first) / since(begin),
                  1e-9 * rows * update_flops(trainer.network()) / update_seconds};
}

double measure_peak(Team& team, Precision precision) {
  std::vector<double> peaks(team.size());
  team.run([&](int member) { peaks[member] = measure_peak_gflops(precision); });
  double sum = 0;
  for (double peak : peaks) sum += peak;
  return sum;
}

// The processor's name, as the system gives it.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

// Adds the figures to the results file of this processor, whose lines are JSON objects.
Result<std::string> save(const std::string& folder, const Json& figures) {
  std::string name = figures["processor"].get<std::string>() + "-" + figures["isa"].get<std::string>();
  for (char& c : name)
    if (!is_letter(c) && !is_digit(c)) c = c == '_' ? '_' : '-';
  if (Result<void> made = make_directories(folder); !made) return made.error();
  const std::string path = folder + "/" + name + ".jsonl";
  Result<AppendFile> file = AppendFile::open_lines(path);
  if (!file) return file.error();
  if (Result<void> added = file->append(json_text(figures) + "\n"); !added) return added.error();
  return path;
}

// Another game's speed over the first one's, by slices of time that take turns: what else the machine does slows both.
struct Ratios {
  double env = 0, train = 0;  // medians over the turns
};

Result<Ratios> compare(const std::array<const GameEntry*, 2>& games, const MatchSetup& setup, const TrainConfig& config,
                       Team& team, double seconds) {
  constexpr int kTurns = 21;
  std::array<std::unique_ptr<Trainer>, 2> trainers;
  for (std::size_t g = 0; g < 2; ++g) {
    Result<std::unique_ptr<Trainer>> made = Trainer::make(*games[g], config);
    if (!made) return made.error();
    trainers[g] = std::move(*made);
  }
  std::vector<double> env, train;
  for (int turn = 0; turn < kTurns; ++turn) {
    std::array<double, 2> played{}, trained{};
    for (int i = 0; i < 2; ++i) {
      const std::size_t g = (turn + i) % 2;
      const Settings settings = settings_or_usage(games[g]->spec, setup);
      const Result<double> rate = measure_env(*games[g], settings, team, seconds / kTurns);
      if (!rate) return rate.error();
      const Result<Training> training = measure_training(*trainers[g], seconds / kTurns);
      if (!training) return training.error();
      played[g] = rate.value();
      trained[g] = training.value().steps_per_second;
    }
    env.push_back(played[1] / played[0]);
    train.push_back(trained[1] / trained[0]);
  }
  for (std::vector<double>* ratios : {&env, &train})
    std::nth_element(ratios->begin(), ratios->begin() + kTurns / 2, ratios->end());
  return Ratios{env[kTurns / 2], train[kTurns / 2]};
}

constexpr const char *kRuntime = "runtime", *kServe = "serve";

Result<Outcome> bench(const Options& options, const Games& games, Console& console) {
  if ((options.game == kRuntime || options.game == kServe) == options.bot.empty())
    wrong_usage(
        Error{"a bot is measured inside a game, by `rival bench runtime BOT`, or on a server, by `rival bench serve "
              "BOT`"});
  TrainConfig config;
  for (const auto& [key, text] : options.rows) {
    if (!options.bot.empty() && (key != "threads" || options.game == kRuntime))
      wrong_usage(Error{fmt::format("--{} is of training: a bot is measured as it is", key)});
    if (const Result<void> set = set_option(option_rows(config), key, text); !set) wrong_usage(set.error());
  }
  if (options.game == kRuntime) return bench_runtime(options.bot, options.seconds, games, console);
  if (options.game == kServe) {
    ServeLoad load = options.load;
    load.bot = options.bot, load.seconds = options.seconds, load.threads = std::max(1, config.threads);
    return bench_serve(load, games, console);
  }
  const Result<GameEntry> opened = games.open_sound(options.game);
  if (!opened) return opened.error();
  const GameEntry& game = opened.value();
  const Settings settings = settings_or_usage(game.spec, options.setup);
  add_setup(options.setup, config);
  Result<std::unique_ptr<Trainer>> made = Trainer::make(game, config);
  if (!made) return made.error();
  Trainer& trainer = *made.value();
  Team team(trainer.threads());
  const Bot bot = trainer.bot();
  const Precision precision = trainer.resolved().precision;
  const std::vector<int>& widths = trainer.network().options().hidden;
  std::string hidden;
  for (int width : widths) hidden += fmt::format("{}{}", hidden.empty() ? "" : "x", width);

  console.print("{} on {} {} of {} ({}, {}), network {}, {} epochs\n", game.spec.name, team.size(),
                team.size() == 1 ? "thread" : "threads", processor(), isa_name(), to_string(precision), hidden,
                trainer.resolved().options.epochs);
  const auto figure = [&console](const char* label, const std::string& value) {
    console.print("  {:<42} {}\n", label, console.bold(value));
  };
  const auto rate = [](double value) { return grouped(std::llround(value)); };
  const Result<double> env = measure_env(game, settings, team, options.seconds);
  if (!env) return env.error();
  figure("decisions a second, random play", rate(env.value()));
  const Result<double> inference = measure_inference(bot, precision, team, options.seconds);
  if (!inference) return inference.error();
  figure("network passes a second, in batches", rate(inference.value()));
  const Result<double> decision = measure_decision(game, settings, bot, options.seconds);
  if (!decision) return decision.error();
  figure("microseconds for one decision, alone", fmt::format("{:.2f}", decision.value()));
  const Result<Training> training = measure_training(trainer, options.seconds);
  if (!training) return training.error();
  figure("decisions a second, training", rate(training.value().steps_per_second));
  const double peak = measure_peak(team, precision);
  figure("GFLOP/s of the update", fmt::format("{:.0f}", training.value().update_gflops));
  figure("GFLOP/s of the best matrix product", fmt::format("{:.0f}", peak));
  figure("share of that peak", fmt::format("{:.0f}%", 100 * training.value().update_gflops / peak));

  Json json{{"game", game.spec.name},
            {"env_steps_per_second", env.value()},
            {"inference_samples_per_second", inference.value()}};
  json["decision_microseconds"] = decision.value();
  json["train_steps_per_second"] = training.value().steps_per_second;
  json["update_gflops"] = training.value().update_gflops;
  json["peak_gflops"] = peak;
  json["threads"] = team.size();
  json["isa"] = isa_name();
  json["precision"] = to_string(precision);
  json["epochs"] = trainer.resolved().options.epochs;
  json["hidden"] = hidden;
  json["processor"] = processor();
  json["version"] = RIVAL_VERSION;
  if (!options.beside.empty()) {
    const Result<GameEntry> beside = games.open_sound(options.beside);
    if (!beside) return beside.error();
    const Result<Ratios> ratios = compare({&game, &beside.value()}, options.setup, config, team, options.seconds);
    if (!ratios) return ratios.error();
    console.print("beside it, in turns, {}:\n", options.beside);
    figure("of its speed, random play", fmt::format("{:.1f}%", 100 * ratios.value().env));
    figure("of its speed, training", fmt::format("{:.1f}%", 100 * ratios.value().train));
    json["beside"] = {
        {"game", options.beside}, {"env_ratio", ratios.value().env}, {"train_ratio", ratios.value().train}};
  }
  if (!options.results.empty()) {
    const Result<std::string> saved = save(options.results, json);
    if (!saved) return saved.error();
    console.print("added to {}\n", saved.value());
  }
  return Outcome{json};
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("GAME", &options->game, games_help() + "; or `runtime`, or `serve`");
  arguments.add("BOT", &options->bot,
                "After `runtime`: a bot, to be measured as it plays inside a game; after `serve`: on a server");
  arguments.add("--seconds", &options->seconds, "How long to measure each figure", {.low = 0.001, .high = 3600});
  arguments.add("--beside", &options->beside,
                "Another game, to be compared with this one in turns: how fast it is where this one is 100%");
  arguments.add("--sessions", &options->load.sessions,
                "Of `serve`: bots that act at once, 1000 by default; with --http connections, by default 8",
                {.low = 1, .high = 1e6});
  arguments.add("--rate", &options->load.rate, "Of `serve`: decisions a second of each, 60 by default",
                {.low = 0.1, .high = 1000});
  arguments.add_flag("--http", options->load.http,
                     "Of `serve`: how many predictions it gives over HTTP, where each connection asks for one after "
                     "the other");
  arguments.add("--url", &options->load.url, "Of `serve`: a server that runs already, on which BOT is a name");
  arguments.add("--token-file", &options->load.token_file,
                "Of `serve`: whose first line that server wants to be shown");
  arguments.add("--ca-file", &options->load.ca_file,
                "Of `serve`: who vouches for that server if it is https://, as PEM; default: the system's authorities");
  constexpr std::string_view kRows[] = {"hidden", "epochs", "threads", "precision"};
  add_training_options(arguments, kRows, options->rows);
  add_setup(arguments, options->setup);
  arguments.add("--results", &options->results, "A folder with a results file per processor, to which to add these");
  return [options, &games](Console& console) { return bench(*options, games, console); };
}

}  // namespace

Command bench_command() {
  return {"bench",
          "what this machine does in a second",
          {{"bench {}", "cartpole"},
           {"bench {} --hidden 128x128", "connect_four"},
           {"bench {} --threads 1", "cartpole"},
           {"bench runtime runs/demo"},
           {"bench serve runs/demo --sessions 10000"},
           {"bench serve runs/demo --http"}},
          declare};
}

}  // namespace rival::cli
