// rival shrink BOT: smaller bots that play as well as it does, or nearly, and what each costs in strength. Each learns
// what the bot does, then goes on by self-play, which for a small network is quick.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "agent/player.hpp"
#include "base/file.hpp"
#include "cli/bench_runtime.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/player.hpp"
#include "cli/settings.hpp"
#include "match/match.hpp"
#include "train/distill.hpp"
#include "train/run.hpp"

namespace rival::cli {
namespace {

constexpr double kFewPoints = 30;  // of Elo, a score of 46%
constexpr double kTaught = 0.3;    // of the time; the rest is self-play

struct Options {
  std::string bot, out, game;
  std::vector<std::string> hidden;
  std::optional<double> to_kb, to_ms;
  double minutes = 1;
  int matches = 4000;
  std::uint64_t seed = 1;
  MatchSetup setup;
};

std::string text_of(const std::vector<int>& widths) {
  return fmt::format("{}", fmt::join(widths, "x"));
}

// Widths that were typed, such as 64x64.
std::vector<int> widths_or_usage(const std::string& text) {
  TrainConfig config;
  if (const Result<void> set = set_option(option_rows(config), "hidden", text); !set) wrong_usage(set.error());
  return config.network.hidden;
}

// Those of a network whose layers are narrower by `times`.
NetworkOptions narrower(const NetworkOptions& network, double times) {
  const auto less = [times](int width) {
    const int whole = static_cast<int>(std::lround(width / times / 4)) * 4;
    return width == 0 ? 0 : std::min(width, std::max(8, whole));
  };
  NetworkOptions smaller = network;
  for (int& width : smaller.hidden) width = less(width);
  smaller.entity = less(network.entity);
  smaller.entity_inner = less(network.entity_inner);
  return smaller;
}

// The networks to try: those asked for, or the bot's own with a half, a quarter and an eighth of the width.
std::vector<NetworkOptions> networks(const Options& options, const NetworkOptions& own) {
  std::vector<NetworkOptions> all;
  for (const std::string& text : options.hidden) {
    const std::vector<int> widths = widths_or_usage(text);
    all.push_back(narrower(own, static_cast<double>(own.hidden.back()) / widths.back()));
    all.back().hidden = widths;
  }
  for (double times : {2, 4, 8}) {
    if (!options.hidden.empty()) break;
    NetworkOptions network = narrower(own, times);
    if (network.hidden != (all.empty() ? own : all.back()).hidden) all.push_back(std::move(network));
  }
  return all;
}

// One row of the table.
struct Candidate {
  std::string name, file;
  std::size_t bytes = 0;
  double microseconds = 0;
  // Elo of the bot that was shrunk: 0; in games of one team, the return instead.
  Estimate strength;

  Json json(bool elo) const {
    Json json{{"bot", file}, {"hidden", name}, {"bytes", bytes}, {"microseconds", microseconds}};
    const char* figure = elo ? "elo" : "mean_return";
    json[figure] = strength.value;
    json[fmt::format("{}_low", figure)] = strength.interval.low;
    json[fmt::format("{}_high", figure)] = strength.interval.high;
    return json;
  }
};

// How many points of Elo above even play a score stands for; a score of nothing but wins or losses is within its
// interval.
Estimate elo_of(const Estimate& score) {
  const auto points = [](double share) { return elo_difference(std::clamp(share, 1e-6, 1 - 1e-6)); };
  const Interval& range = score.interval;
  return {points(std::clamp(score.value, range.low, range.high)), {points(range.low), points(range.high)}};
}

// What is asked of the bots: `original` is the first of the candidates.
class Search {
 public:
  Search(const Options& options, const GameEntry& game, Console& console)
      : options_(options), game_(game), console_(console), stop_(stop_on_interrupt()) {}

  Result<Outcome> run(const BotName& found, const Bot& bot);

 private:
  bool elo() const { return game_.spec.team_count() > 1; }
  Result<Bot> learn(const Bot& bot, const NetworkOptions& network);
  Result<Bot> practise(const Bot& bot, const std::function<void(double share)>& progress);
  Result<Estimate> score(const Bot& bot, int matches, Key key);
  Result<Candidate> measure(const Bot& smaller, const std::string& file);
  bool fits(const Candidate& candidate) const;
  const Candidate* choose() const;
  void print(const Candidate& candidate);

  const Options& options_;
  const GameEntry& game_;
  Console& console_;
  const std::atomic<bool>& stop_;
  TrainConfig config_;
  MatchOptions match_options_;
  float temperature_ = 0;
  std::shared_ptr<const SharedBot> original_;
  std::vector<Candidate> candidates_;
};

Result<Bot> Search::learn(const Bot& bot, const NetworkOptions& network) {
  Percents percents(console_,
                    fmt::format("{} learns, {} s", text_of(network.hidden), std::lround(60 * options_.minutes)));
  Result<Bot> taught = distill(game_, bot, network, Key(options_.seed),
                               {.seconds = kTaught * 60 * options_.minutes,
                                .settings = match_options_.settings,
                                .stop = [this] { return stop_.load(); },
                                .progress = [&](double share) { percents(kTaught * share); }});
  if (!taught) return taught;
  Result<Bot> practised = practise(*taught, [&](double share) { percents(kTaught + (1 - kTaught) * share); });
  if (!practised) return practised;
  percents.end();
  // Whichever is better, by matches that no figure comes from.
  const int matches = std::max(options_.matches / 4, 2);
  const Result<Estimate> before = score(*taught, matches, Key(options_.seed).split(2));
  if (!before) return before.error();
  const Result<Estimate> after = score(*practised, matches, Key(options_.seed).split(2));
  if (!after) return after.error();
  return after.value().value >= before.value().value ? std::move(practised) : std::move(taught);
}

// As `rival train --from` goes on with a bot.
Result<Bot> Search::practise(const Bot& bot, const std::function<void(double share)>& progress) {
  TrainConfig config = config_;
  config.network = bot.network.options();
  config.seed = options_.seed;
  Result<std::unique_ptr<Trainer>> made = Trainer::make(game_, config);
  if (!made) return made.error();
  Trainer& trainer = **made;
  if (trainer.network().parameter_count() != bot.network.parameter_count()) {
    console_.print(" (no self-play: which rules it was trained for is known in its run's folder alone)");
    return bot;
  }
  trainer.start_from(bot);
  trainer.stop = [this] { return stop_.load(); };
  const auto begin = std::chrono::steady_clock::now();
  const double seconds = (1 - kTaught) * 60 * options_.minutes;
  for (double share = 0; share < 1 && !stop_;) {
    progress(share);
    if (const Result<IterationReport> report = trainer.iterate(share); !report) return report.error();
    share = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / seconds;
  }
  progress(1);
  Bot practised = trainer.bot();
  practised.steps += bot.steps;
  return practised;
}

// Against the original; in games of one team the mean return.
Result<Estimate> Search::score(const Bot& bot, int matches, Key key) {
  const PlayerOptions as_played{.temperature = temperature_, .limits = bot.limits};
  const auto player = make_player(std::make_shared<const SharedBot>(bot), game_.spec, as_played),
             other = make_player(original_, game_.spec, as_played);
  MatchOptions match_options = match_options_;
  match_options.matches = matches;
  Result<MatchSummary> played = play_matches(game_, *player, other.get(), key, match_options);
  if (!played) return played.error();
  return played->score;
}

Result<Candidate> Search::measure(const Bot& bot, const std::string& file) {
  Candidate candidate{.name = text_of(bot.network.options().hidden), .file = file};
  candidate.bytes = to_safetensors(bot.to_tensors()).size();
  Result<RuntimeFigures> speed = measure_runtime(game_, file, bot, 0.5);
  if (!speed) return speed.error();
  candidate.microseconds = speed->microseconds;
  if (candidates_.empty() && elo()) return candidate;
  const Result<Estimate> played = score(bot, options_.matches, Key(options_.seed).split(1));
  if (!played) return played.error();
  candidate.strength = elo() ? elo_of(played.value()) : played.value();
  return candidate;
}

bool Search::fits(const Candidate& candidate) const {
  return (!options_.to_kb || static_cast<double>(candidate.bytes) <= 1000 * *options_.to_kb) &&
         (!options_.to_ms || candidate.microseconds <= 1000 * *options_.to_ms);
}

// The strongest that fits the budget; without one the quickest that is nearly as good as the original. Null: none.
const Candidate* Search::choose() const {
  const Candidate* chosen = nullptr;
  const bool budget = options_.to_kb || options_.to_ms;
  const Candidate& original = candidates_.front();
  const auto nearly_as_good = [&](const Candidate& c) {
    return elo() ? c.strength.value >= -kFewPoints : c.strength.interval.high >= original.strength.interval.low;
  };
  for (const Candidate& c : candidates_) {
    if (budget ? !fits(c) : !nearly_as_good(c)) continue;
    const bool better =
        !chosen || (budget ? c.strength.value > chosen->strength.value : c.microseconds < chosen->microseconds);
    if (better) chosen = &c;
  }
  return chosen;
}

void Search::print(const Candidate& candidate) {
  const bool is_original = &candidate == &candidates_.front();
  const Estimate& s = candidate.strength;
  const std::string strength =
      elo() && is_original ? "0, the bot itself"
      : elo()              ? fmt::format("{:+.0f} ({:+.0f} to {:+.0f})", s.value, s.interval.low, s.interval.high)
                           : fmt::format("{:.2f} ({:.2f} to {:.2f})", s.value, s.interval.low, s.interval.high);
  console_.print("  {:<14} {:>11} {:>13.2f}   {}\n", candidate.name, grouped(static_cast<long long>(candidate.bytes)),
                 candidate.microseconds, strength);
}

Result<Outcome> Search::run(const BotName& found, const Bot& bot) {
  const std::vector<NetworkOptions> wanted = networks(options_, bot.network.options());
  temperature_ = default_temperature(game_.spec);
  match_options_.settings = match_settings_or_usage(game_.spec, options_.setup, found.settings(game_.spec));
  match_options_.opening = ladder_rules(game_, match_options_.settings, temperature_).opening;
  original_ = std::make_shared<const SharedBot>(bot);
  const std::filesystem::path path(found.path);
  const std::filesystem::path folder =
      path.parent_path().filename() == "bots" ? path.parent_path().parent_path() : path.parent_path();
  if (path_exists((folder / "config.toml").string())) {
    const Result<SavedRun> run = read_run(folder.string());
    if (!run) return run.error();
    if (run.value().game == bot.game) config_ = run.value().config;
  }
  add_setup(options_.setup, config_);
  const std::string out = options_.out.empty() ? (folder / "small").string() : options_.out;
  if (Result<void> made_folder = make_directories(out); !made_folder) return made_folder.error();

  Result<Candidate> original = measure(bot, found.path);
  if (!original) return original.error();
  candidates_.push_back(original.value());
  for (const NetworkOptions& network : wanted) {
    if (stop_) break;
    Result<Bot> smaller = learn(bot, network);
    if (!smaller) return smaller.error();
    const std::string file = fmt::format("{}/{}.safetensors", out, text_of(network.hidden));
    if (Result<void> saved = save_bot(*smaller, file); !saved) return saved.error();
    Result<Candidate> measured = measure(*smaller, file);
    if (!measured) return measured.error();
    candidates_.push_back(std::move(measured.value()));
  }

  console_.print("\n  {:<14} {:>11} {:>13}   {}\n", "network", "bytes", "microseconds",
                 elo() ? fmt::format("Elo against the bot, {} matches (95% interval)", grouped(options_.matches))
                       : fmt::format("mean return of {} matches (95% interval)", grouped(options_.matches)));
  Json rows = Json::array();
  for (const Candidate& candidate : candidates_) {
    print(candidate);
    if (&candidate != &candidates_.front()) rows.push_back(candidate.json(elo()));
  }
  const Candidate* chosen = choose();
  if (chosen)
    console_.print("{}: {}\n",
                   options_.to_kb || options_.to_ms ? "the strongest that fits"
                   : elo()                          ? fmt::format("the quickest within {} Elo", kFewPoints)
                                                    : "the quickest that does as well",
                   console_.bold(chosen->file));
  else
    console_.print("none fits: try narrower layers (--hidden 8x8), or allow more\n");
  return Outcome{Json{{"game", game_.spec.name},
                      {"original", candidates_.front().json(elo())},
                      {"bots", rows},
                      {"chosen", chosen ? Json(chosen->file) : Json()}},
                 chosen ? 0 : 1};
}

Result<Outcome> shrink(const Options& options, const Games& games, Console& console) {
  Result<BotName> found = find_bot(options.bot);
  if (!found) return found.error();
  if (found->temperature) wrong_usage({"a rating cannot be shrunk: shrink the bot, then measure its ratings"});
  Result<GameEntry> game = game_of(games, found->path, options.game);
  if (!game) return game.error();
  Result<Bot> bot = load_bot(found->path, game->spec);
  if (!bot) return bot.error();
  return Search(options, game.value(), console).run(found.value(), bot.value());
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("BOT", &options->bot, "A bot's file, or a run's folder", {.required = true});
  arguments.add_each(
      "--hidden", [options](const std::string& text) { options->hidden.push_back(text); },
      "Widths of the layers of a network to try, such as 64x64; may be given several times. Without it, a half, a "
      "quarter and an eighth of the bot's own",
      false);
  arguments.add("--to-kb", &options->to_kb, "Choose the strongest of at most so many kilobytes (1000 bytes)",
                {.low = 0});
  arguments.add(
      "--to-ms", &options->to_ms,
      "Choose the strongest that takes at most so many milliseconds for a decision inside a game, on one core",
      {.low = 0});
  arguments.add("--minutes", &options->minutes, "Minutes in which each network learns", {.low = 0.001, .high = 1e5});
  arguments.add("--matches", &options->matches, "Matches that measure each", {.low = 2, .high = kMostMatches});
  arguments.add("--seed", &options->seed, "Seed of learning and matches");
  arguments.add("--out", &options->out, "The folder for the smaller bots; without it, `small` beside the bot");
  add_setup(arguments, options->setup);
  arguments.add("--game", &options->game, "The game, from elsewhere than where the bot says");
  return [options, &games](Console& console) { return shrink(*options, games, console); };
}

}  // namespace

Command shrink_command() {
  return {"shrink",
          "smaller bots that play as one does",
          {{"shrink runs/demo"},
           {"shrink runs/demo --hidden 48x48 --hidden 32 --minutes 3"},
           {"shrink runs/demo --to-kb 20 --out small"}},
          declare};
}

}  // namespace rival::cli
