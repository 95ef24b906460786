#include "balance/stages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "agent/player.hpp"
#include "base/file.hpp"
#include "base/index.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/number.hpp"
#include "game/spec.hpp"
#include "player/player.hpp"
#include "train/run.hpp"

namespace rival::balance {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr int kSelves = 5;                                       // of a training, who play together for its player
constexpr double kLate = 0.6;                                    // of a training, from where on they are taken
constexpr double kBandShares[std::size(kBands)] = {0.02, 0.15};  // of a training, where a band's player stood
constexpr double kBandAtMost = 0.5;
constexpr int kPilotPairs = 256;
constexpr int kSidesAlone = 4;  // times as many matches where only the sides are compared
constexpr std::int64_t kMostVerdictPairs = 5'000'000;
constexpr std::uint64_t kMoreMatches = 8;  // times as many as asked for, where that takes at most
constexpr double kMoreShare = 0.01;        // of the study's time
constexpr int kFirstPairs = 512, kFixedPairs = 40'000, kFixedSteps = 200'000, kMostPairs = 150'000,
              kFewestPairs = 64;  // within a box

// Adds results whose pairs are counted from `pairs` on.
void append(std::vector<MatchResult>& all, std::vector<MatchResult>&& results, std::int64_t pairs) {
  for (MatchResult& r : results) {
    r.pair += pairs;
    all.push_back(std::move(r));
  }
}

// What the instrument is trained under: most often near the game as it is, where the smallest change is to be found,
// and seldom at the ends. As a list of values, each of them as likely.
std::string drawn_values(const Parameter& parameter, const Tunable& tunable) {
  constexpr int kValues = 16;  // to either side
  std::vector<double> values = {tunable.from};
  for (int i = 1; i <= kValues; ++i) {
    const double share = std::pow(static_cast<double>(i) / kValues, 2);
    for (const double end : {tunable.low, tunable.high})
      values.push_back(allowed(parameter, tunable.from + share * (end - tunable.from), tunable.low, tunable.high));
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::string text;
  for (const double value : values) text.append(text.empty() ? "" : ",") += shortest(static_cast<float>(value));
  return text;
}

// The one for which `off` is least; null if there is none.
template <class Off>
const PastSelf* nearest_by(const std::vector<PastSelf>& all, const Off& off) {
  const auto nearest =
      std::min_element(all.begin(), all.end(), [&](const PastSelf& a, const PastSelf& b) { return off(a) < off(b); });
  return nearest == all.end() ? nullptr : &*nearest;
}

std::string bot_path(const std::string& run, const PastSelf& self) {
  return run + "/bots/" + self.bot + ".safetensors";
}

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

Stages::Stages(const GameEntry& game, const StudyOptions& options, const StudyHooks& hooks)
    : game_(game),
      spec_(game.spec),
      options_(options),
      targets_(options.targets),
      hooks_(hooks),
      picks_(game.spec, options.targets.choice),
      base_(with_defaults(game.spec, options.settings)) {}

Result<void> Stages::open() {
  if (Result<void> made = make_directories(options_.folder); !made) return made;
  Result<FileLock> lock = FileLock::take(path(".lock"), fmt::format("the study '{}'", options_.folder),
                                         "wait for it to end, or choose another --folder");
  if (!lock) return lock.error();
  lock_.emplace(std::move(lock.value()));
  std::string wanted = fmt::format("{} {} {} {} {}", game_.typed(), options_.seed, settings_text(spec_, base_),
                                   options_.players, options_.cell_matches);
  for (const Target& t : targets_.targets) wanted += fmt::format(" {} {}", t.name(nullptr), t.wanted());
  for (const Tunable& t : targets_.tunables)
    wanted += fmt::format(" {}:{}..{}*{}", spec_.parameters[t.parameter].name, t.low, t.high, t.cost);
  const std::string file = path("study.json");
  if (!path_exists(file)) {
    if (is_folder(path("players")))
      return Error{fmt::format("{} is no study's folder; choose another --folder", options_.folder)};
    state_ = {{"study", wanted}, {"done", Json::object()}, {"notes", Json::object()}};
    return save();
  }
  const Result<std::string> text = read_file(file);
  if (!text) return text.error();
  const Result<nlohmann::json> parsed = parse_json(text.value(), file);
  state_ = parsed ? Json(parsed.value()) : Json();
  const auto has = [this](const char* key, Json::value_t type) {
    return state_.is_object() && state_.contains(key) && state_[key].type() == type;
  };
  if (!has("study", Json::value_t::string) || !has("done", Json::value_t::object) ||
      !has("notes", Json::value_t::object))
    return Error{file + ": not the state of a study; choose another --folder, or begin again with --anew"};
  if (state_["study"] != wanted)
    return Error{
        fmt::format("{} holds a study of another game, or of other targets, parameters or seed; choose another "
                    "--folder, or begin again with --anew",
                    options_.folder)};
  if (state_.contains("seconds") && state_["seconds"].is_number()) earlier_seconds_ = state_["seconds"];
  return {};
}

double Stages::seconds() const {
  return earlier_seconds_ + since(begin_);
}

Result<void> Stages::save() {
  state_["seconds"] = seconds();
  return write_file_atomically(path("study.json"), json_text(state_, 1) + "\n");
}

Result<void> Stages::finish(const std::string& stage) {
  state_["done"][stage] = true;
  return save();
}

void Stages::show(const std::string& stage, double share) const {
  if (!hooks_.on_progress) return;
  StudyProgress progress{.stage = stage, .stage_done = std::clamp(share, 0.0, 1.0), .seconds = seconds()};
  if (options_.steps == 0) progress.seconds_left = std::max(0.0, 60 * options_.minutes - progress.seconds);
  hooks_.on_progress(progress);
}

Settings Stages::with(const std::vector<double>& values) const {
  Settings settings = base_;
  for (std::size_t k = 0; k < values.size(); ++k)
    settings.parameters[targets_.tunables[k].parameter] = static_cast<float>(values[k]);
  return settings;
}

Measured Stages::measured(std::span<const MatchResult> results) const {
  return {WinRates(picks_.options(), results), conditions(results)};
}

// ---- players ----

Result<void> Stages::load(const std::string& bot_path, StudyPlayer& into) const {
  Result<Bot> bot = load_bot(bot_path, spec_);
  if (!bot) return bot.error();
  into.steps = std::max(into.steps, bot->steps);
  into.bots.push_back(std::make_shared<const SharedBot>(std::move(bot.value())));
  return {};
}

Result<StudyPlayer> Stages::train(const Training& training) {
  const std::string folder = path("players/" + training.name), stage = "train " + training.name;
  if (!done(stage)) {
    TrainConfig config;
    config.steps = training.times * options_.steps;
    config.minutes = config.steps > 0 ? 0 : training.share * options_.minutes;
    config.seed = static_cast<std::int64_t>(training.seed % 1'000'000'007);
    config.threads = options_.threads;
    const std::vector<OptionRow> rows = option_rows(config);
    for (const auto& [key, value] : options_.training)
      if (Result<void> set = set_option(rows, key, value, "--" + key + " "); !set) return usage_error(set.error());
    const auto add = [&](const std::string& assignment) {
      config.parameters.append(config.parameters.empty() ? "" : ",") += assignment;
    };
    for (std::size_t p = 0; p < spec_.parameters.size(); ++p) {
      const Parameter& parameter = spec_.parameters[p];
      const auto tunable = std::find_if(targets_.tunables.begin(), targets_.tunables.end(),
                                        [&](const Tunable& t) { return index(t.parameter) == p; });
      if (training.drawn && tunable != targets_.tunables.end())
        add(parameter.name + "=" + drawn_values(parameter, *tunable));
      else if (training.settings.parameters[p] != parameter.value)
        add(parameter.name + "=" + shortest(training.settings.parameters[p]));
    }
    RunOptions run{.folder = folder, .resume = path_exists(folder + "/config.toml"), .stop = options_.stop};
    run.on_progress = [&](const RunProgress& progress) { show(training.title + ": training", progress.done); };
    const Result<RunSummary> trained = run_training(game_, config, run);
    if (!trained) return trained.error();
    if (trained.value().stopped) return StudyPlayer{};
    if (Result<void> finished = finish(stage); !finished) return finished.error();
  }
  const Result<BotName> found = find_bot(folder);
  if (!found) return found.error();
  StudyPlayer player{.name = training.name};
  if (Result<void> loaded = load(found.value().path, player); !loaded) return loaded.error();
  steps_ += player.steps, ++trainings_;
  // Where learning goes round in circles, the last player of a run is one of many that are as good: its late past
  // selves stand beside it.
  const Result<std::vector<PastSelf>> known = past_selves(folder);
  if (!known) return known.error();
  const auto total = static_cast<double>(player.steps);
  for (int n = 1; n < kSelves; ++n) {
    const double wanted = total * (1 - (1 - kLate) * n / (kSelves - 1));
    const auto off = [&](const PastSelf& s) { return std::fabs(static_cast<double>(s.steps) - wanted); };
    const PastSelf* nearest = nearest_by(known.value(), off);
    if (!nearest || off(*nearest) > 0.1 * total) continue;
    if (Result<void> loaded = load(bot_path(folder, *nearest), player); !loaded) return loaded.error();
  }
  return player;
}

Result<std::vector<std::optional<StudyPlayer>>> Stages::bands(const StudyPlayer& player) const {
  std::vector<std::optional<StudyPlayer>> found(std::size(kBands));
  if (player.bots.empty()) return found;
  const std::string folder = path("players/" + player.name);
  const Result<std::vector<PastSelf>> known = past_selves(folder);
  if (!known) return known.error();
  const auto total = static_cast<double>(player.steps);
  for (std::size_t b = 0; b < found.size(); ++b) {
    const auto off = [&](const PastSelf& s) {
      return std::fabs(std::log(static_cast<double>(s.steps) / (kBandShares[b] * total)));
    };
    const PastSelf* nearest = nearest_by(known.value(), off);
    if (!nearest || static_cast<double>(nearest->steps) > kBandAtMost * total) continue;
    found[b].emplace(StudyPlayer{.name = kBands[b]});
    if (Result<void> loaded = load(bot_path(folder, *nearest), *found[b]); !loaded) return loaded.error();
  }
  return found;
}

std::vector<MakeAgent> Stages::makers(const StudyPlayer& player) const {
  if (player.bots.empty())
    return {[this, name = player.name]() -> Result<std::unique_ptr<Agent>> {
      Result<Player> named = load_player(game_, name);
      if (!named) return named.error();
      return std::move(named->agent);
    }};
  std::vector<MakeAgent> makers;
  for (const std::shared_ptr<const SharedBot>& bot : player.bots)
    makers.push_back([bot, this, name = player.name]() -> Result<std::unique_ptr<Agent>> {
      return make_player(
          bot, spec_,
          {.name = name, .temperature = temperature_, .limits = bot->bot().limits, .precision = best_precision()});
    });
  return makers;
}

// Choices are compared by players who play as they learnt: their most likely moves alone exaggerate every difference,
// and differ more from one training to the next. For the sides alone it is the sharpest play under which matches still
// differ from each other.
Result<void> Stages::find_temperature(const StudyPlayer& player) {
  Json& known = notes()["temperature"];
  if (known.is_number()) {
    temperature_ = known;
    return {};
  }
  temperature_ = picks_.options() > 0 ? 1 : default_temperature(spec_);
  for (const float temperature : {temperature_, 0.25f, 0.5f, 1.0f}) {
    temperature_ = std::max(temperature_, temperature);
    const Result<Measurement> pilot =
        measure(game_, makers(player), Key(options_.seed).split(~std::uint64_t{0}),
                {.choice = targets_.choice,
                 .pairs = kPilotPairs,
                 .setup = [this](std::int64_t pair, Key key) { return picks_.setup(base_, pair, key); },
                 .threads = options_.threads,
                 .stop = options_.stop});
    if (!pilot) return pilot.error();
    if (stopping()) return {};
    const double varied =
        static_cast<double>(pilot.value().distinct) / static_cast<double>(pilot.value().results.size());
    if (varied >= (temperature_ == 0 ? 0.25 : 0.05)) break;
  }
  known = temperature_;
  return save();
}

// ---- matches ----

Result<std::vector<MatchResult>> Stages::read(const std::string& file) const {
  const Result<std::string> text = read_file(file);
  if (!text) return text.error();
  return read_results(spec_, targets_.choice, text.value(), file);
}

Result<void> Stages::keep(const std::string& name, std::span<const MatchResult> results) {
  if (Result<void> made = make_directories(path("results")); !made) return made;
  return write_file_atomically(path("results/" + name + ".csv"), write_results(spec_, targets_.choice, results));
}

Result<std::vector<MatchResult>> Stages::merged(const std::string& name) const {
  std::vector<MatchResult> all;
  for (const std::string& folder : options_.merge) {
    const std::string file = folder + "/results/" + name + ".csv";
    if (!path_exists(folder + "/study.json"))
      return Error{fmt::format("{} holds no study whose matches could be merged", folder)};
    if (!path_exists(file)) continue;  // it has not come so far
    Result<std::vector<MatchResult>> results = read(file);
    if (!results) return results.error();
    all.insert(all.end(), results->begin(), results->end());
  }
  return all;
}

// How many seats of a side take part.
int Stages::side(const Settings& settings) const {
  const std::unique_ptr<Batch> one = game_.make_batch(1);
  one->start_all(settings, Key(1));
  int seats = 0;
  for (int seat = 0; seat < spec_.seats; ++seat) seats += spec_.team_of(seat) == 0 && one->playing(0).contains(seat);
  return seats;
}

Result<std::vector<MatchResult>> Stages::finished(const std::string& name) {
  Result<std::vector<MatchResult>> results = read(path("results/" + name + ".csv"));
  if (results) matches_ += static_cast<std::int64_t>(results->size());
  return results;
}

Result<std::vector<MatchResult>> Stages::finish(const std::string& stage, const std::string& name,
                                                std::vector<MatchResult> results) {
  matches_ += static_cast<std::int64_t>(results.size());
  if (Result<void> kept = keep(name, results); !kept) return kept.error();
  if (Result<void> finished = finish(stage); !finished) return finished.error();
  return results;
}

Result<std::vector<MatchResult>> Stages::play(const Matches& matches, const StudyPlayer& player) {
  const std::string stage = "play " + matches.name;
  if (done(stage)) return finished(matches.name);
  const std::int64_t per_cell = matches.per_cell * (picks_.options() == 0 ? kSidesAlone : 1);
  const std::int64_t pairs =
      std::clamp<std::int64_t>(picks_.pairs_for(per_cell, side(matches.settings)), 1, kMostVerdictPairs);
  const Clock::time_point begin = Clock::now();
  std::vector<MatchResult> all;
  // Where matches are cheap there are more of them.
  const double time = options_.steps > 0 ? 0 : kMoreShare * 60 * options_.minutes;
  const auto fits_another = [&](std::uint64_t played) {
    return played < kMoreMatches && since(begin) / static_cast<double>(played) * static_cast<double>(played + 1) < time;
  };
  for (std::uint64_t n = 0; n == 0 || fits_another(n); ++n) {
    const auto before = static_cast<std::int64_t>(n) * pairs;
    Result<Measurement> measured =
        measure(game_, makers(player), n == 0 ? matches.key : matches.key.split(n),
                {.choice = targets_.choice,
                 .pairs = static_cast<int>(pairs),
                 .setup = [&](std::int64_t pair, Key k) { return picks_.setup(matches.settings, before + pair, k); },
                 .threads = options_.threads,
                 .stop = options_.stop,
                 .on_progress = [&](double share) { show(matches.title + ": matches", share); }});
    if (!measured) return measured.error();
    append(all, std::move(measured->results), before);
    if (stopping()) return all;
  }
  return finish(stage, matches.name, std::move(all));
}

Result<std::vector<MatchResult>> Stages::play_within(const Matches& matches, const StudyPlayer& player, const Box& box,
                                                     double seconds) {
  const std::string stage = "play " + matches.name;
  if (done(stage)) return finished(matches.name);
  const std::vector<MakeAgent> agents = makers(player);
  const Clock::time_point begin = Clock::now();
  std::vector<MatchResult> all;
  std::int64_t pairs = 0;
  int chunk = kFirstPairs;
  for (std::uint64_t n = 0; chunk >= kFewestPairs; ++n) {
    const auto setup = [&](std::int64_t pair, Key k) {
      std::vector<double> values;
      Random random(k.split(7));
      for (std::size_t t = 0; t < targets_.tunables.size(); ++t) {
        const Tunable& tunable = targets_.tunables[t];
        const double u = static_cast<double>(random.uniform());
        values.push_back(allowed(spec_.parameters[tunable.parameter], box.low[t] + u * (box.high[t] - box.low[t]),
                                 tunable.low, tunable.high));
      }
      return picks_.setup(with(values), pairs + pair, k);
    };
    const double before = since(begin);
    Result<Measurement> measured = measure(
        game_, agents, matches.key.split(n),
        {.choice = targets_.choice,
         .pairs = chunk,
         .setup = setup,
         .threads = options_.threads,
         .stop = options_.stop,
         .on_progress = [&](double share) { show(matches.title, seconds > 0 ? since(begin) / seconds : share); }});
    if (!measured) return measured.error();
    append(all, std::move(measured->results), pairs);
    pairs += chunk;
    if (stopping()) return all;
    const double now = since(begin), pace = (now - before) / chunk;  // seconds a pair
    double steps = 0;
    for (const MatchResult& r : all) steps += static_cast<double>(r.steps);
    const double fit = seconds > 0
                           ? (seconds - now) / std::max(pace, 1e-9)
                           : std::min(static_cast<double>(kFixedPairs - pairs),
                                      (kFixedSteps - steps) / std::max(1e-9, steps / static_cast<double>(pairs)));
    chunk = static_cast<int>(
        std::clamp(fit, 0.0, std::min(8.0 * chunk, std::max(0.0, static_cast<double>(kMostPairs - pairs)))));
  }
  return finish(stage, matches.name, std::move(all));
}

}  // namespace rival::balance
