#include "balance/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "balance/figures.hpp"
#include "balance/measure.hpp"
#include "balance/proposal.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/index.hpp"
#include "base/json.hpp"
#include "base/lock.hpp"
#include "base/number.hpp"
#include "game/spec.hpp"
#include "match/match.hpp"
#include "player/player.hpp"
#include "train/run.hpp"

namespace rival::balance {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

// Shares of the time.
constexpr double kFresh = 0.17, kInstrument = 0.3, kSearch = 0.1;
constexpr int kSelves = 5;        // of a run, who play together for its player
constexpr double kLate = 0.6;     // of a training, from where on they are taken
constexpr int kChecks = 2;                                         // of the instrument, by fresh players
constexpr double kRadii[] = {0.5, 0.25, 0.12, 0.06};               // of the search, as shares of the ranges
constexpr double kBandShares[std::size(kBands)] = {0.02, 0.15};    // of a training, at which a band's player stood
constexpr int kSidesAlone = 4;  // times as many matches where only the sides are compared
constexpr int kBandMatches = 600, kEloMatches = 300;               // a cell; against the best players
constexpr int kPilotPairs = 256;
constexpr std::size_t kReplays = 4;
constexpr int kMostSearchPairs = 150'000;
constexpr double kSkilled = 0.55;  // what players score against random play before anything is said of the game

enum Stage : std::uint64_t { kBeforeKey = 1, kBandKey, kSearchKey, kCheckKey, kPilotKey, kEloKey, kReplayKey };

std::string who(const Targets& targets, const Spec& spec, int option) {
  return spec.choices[targets.choice].options[option];
}

Json to_json(const Cell& cell) {
  Json json;
  json["rate"] = cell.rate;
  json["low"] = cell.interval.low;
  json["high"] = cell.interval.high;
  json["matches"] = cell.matches;
  return json;
}

Json to_json(const WinRates& rates) {
  Json rows = Json::array();
  for (int i = 0; i < rates.options(); ++i) {
    Json row = Json::array();
    for (int j = 0; j < rates.options(); ++j) row.push_back(to_json(rates(i, j)));
    rows.push_back(std::move(row));
  }
  return rows;
}

class Study {
 public:
  Study(const GameEntry& game, const StudyOptions& options, const StudyHooks& hooks)
      : game_(game),
        spec_(game.spec),
        options_(options),
        targets_(options.targets),
        hooks_(hooks),
        picks_(game.spec, options.targets.choice),
        base_(with_defaults(game.spec, options.settings)),
        key_(options.seed) {}

  Result<StudyReport> run();

 private:
  // A player, or several who stand for one: matches are shared out among them.
  struct Player {
    std::string name;
    std::vector<std::shared_ptr<const SharedBot>> bots;  // the best first; empty: random play
    std::int64_t steps = 0;
    bool known = false;
  };

  Result<void> open();
  Result<void> save_state();
  bool stopping() const { return options_.stop && *options_.stop; }
  bool done(const std::string& stage) const { return state_["done"].contains(stage); }
  Result<void> finish(const std::string& stage);
  void show(const std::string& stage, double share);
  void say(const std::string& text) const {
    if (hooks_.on_message) hooks_.on_message(text);
  }
  std::string path(const std::string& name) const { return options_.folder + "/" + name; }
  double minutes_for(double share) const { return options_.minutes * share; }
  double seconds() const { return earlier_seconds_ + std::chrono::duration<double>(Clock::now() - begin_).count(); }

  Result<Player> train(const std::string& name, const std::string& title, const Settings& settings, bool drawn,
                       double share, std::int64_t steps, std::uint64_t seed);
  Result<void> load(const std::string& bot_path, Player& into) const;
  Result<std::vector<Player>> bands(const std::string& run, const Player& best) const;
  Result<std::vector<Snapshot>> past_selves(const std::string& run) const;
  std::string bot_path(const std::string& run, const std::string& bot) const {
    return path("players/" + run + "/bots/" + bot + ".safetensors");
  }
  std::vector<MakeAgent> makers(const Player& player) const;
  Result<void> find_temperature(const Player& player);
  Result<std::vector<MatchResult>> play(const std::string& name, const std::string& title, const Player& player,
                                        const std::vector<double>* values, std::int64_t cell_matches, Key key);
  Result<std::vector<MatchResult>> play_around(const std::string& name, const std::string& title, const Player& player,
                                               const Box& box, double seconds, Key key);
  Result<std::vector<MatchResult>> merged(const std::string& name) const;
  Settings with_values(const std::vector<double>& values) const;
  Measured measured(std::span<const MatchResult> results) const {
    return {WinRates(picks_.options(), results), conditions(results)};
  }
  Box box_around(const std::vector<double>& centre, double radius) const;
  std::vector<MatchResult> within(const Box& box, std::span<const MatchResult> results) const;

  Result<void> study_before();
  Result<void> search();
  Result<bool> verdict(int round);
  Result<void> write_figures();
  Result<void> record_replays();
  Json options_json(const WinRates& rates) const;
  Json conditions_into(Json json, const Measured& measured) const;
  bool missed(const Measured& best, const std::vector<Measured>& bands) const;
  double value_of(const Target& target, const Measured& best, const std::vector<Measured>& bands) const {
    return target.value(target.band < 0 ? best : bands[index(target.band)]);
  }
  Interval interval_of(const Target& target, const Measured& best, const std::vector<Measured>& bands) const {
    return target.interval(target.band < 0 ? best : bands[index(target.band)]);
  }

  const GameEntry& game_;
  const Spec& spec_;
  const StudyOptions& options_;
  const Targets& targets_;
  const StudyHooks& hooks_;
  Picks picks_;
  Settings base_;
  Key key_;
  std::optional<FileLock> lock_;
  Clock::time_point begin_ = Clock::now();
  double earlier_seconds_ = 0;
  Json state_;
  StudyReport report_;
  float temperature_ = 0;

  // What has been found out.
  std::int64_t matches_ = 0, trained_steps_ = 0;
  int trainings_ = 0;
  bool skilled_ = false;
  Measured before_, after_;
  std::vector<Measured> before_bands_, after_bands_;
  Player best_before_;
  std::vector<double> proposal_;  // values of the tunables; empty: no change
  std::vector<Variant> front_;
  std::optional<Surface> surface_;  // the last, about the proposal
  double bias_ = 0, worst_bias_ = 0;
  bool biased_ = false, has_after_ = false;
  std::vector<std::string> warnings_;
};

// ---- the folder ----

Result<void> Study::open() {
  if (Result<void> made = make_directories(options_.folder); !made) return made;
  Result<FileLock> lock = FileLock::take(path(".lock"), fmt::format("the study '{}'", options_.folder),
                                         "wait for it to end, or choose another --folder");
  if (!lock) return lock.error();
  lock_.emplace(std::move(lock.value()));
  std::string wanted = fmt::format("{} {} {}", game_.typed(), options_.seed, settings_text(spec_, base_));
  for (const Target& t : targets_.targets) wanted += fmt::format(" {} {}", t.name(nullptr), t.wanted());
  for (const Tunable& t : targets_.tunables)
    wanted += fmt::format(" {}:{}..{}*{}", spec_.parameters[t.parameter].name, t.low, t.high, t.cost);
  const std::string file = path("study.json");
  if (path_exists(file)) {
    const Result<std::string> text = read_file(file);
    if (!text) return text.error();
    state_ = Json::parse(text.value(), nullptr, false);
    if (!state_.is_object() || !state_.contains("study") || !state_["study"].is_string() || !state_.contains("done") ||
        !state_["done"].is_object())
      return Error{file + ": not the state of a study; choose another --folder, or remove this one"};
    if (state_["study"] != wanted)
      return Error{fmt::format("{} holds a study of another game, or of other targets, parameters or seed; choose "
                               "another --folder, or remove this one",
                               options_.folder)};
    if (state_.contains("seconds") && state_["seconds"].is_number()) earlier_seconds_ = state_["seconds"];
    if (state_.contains("temperature") && state_["temperature"].is_number()) temperature_ = state_["temperature"];
    return {};
  }
  if (is_folder(path("players")))
    return Error{fmt::format("{} is no study's folder; choose another --folder", options_.folder)};
  state_ = {{"study", wanted}, {"done", Json::object()}};
  return save_state();
}

Result<void> Study::save_state() {
  state_["seconds"] = seconds();
  return write_file_atomically(path("study.json"), state_.dump(1) + "\n");
}

Result<void> Study::finish(const std::string& stage) {
  state_["done"][stage] = true;
  return save_state();
}

void Study::show(const std::string& stage, double share) {
  if (!hooks_.on_progress) return;
  StudyProgress progress{.stage = stage, .stage_done = std::clamp(share, 0.0, 1.0), .seconds = seconds()};
  const double whole = 60 * options_.minutes;
  progress.done = options_.steps > 0 ? 0 : std::min(0.99, progress.seconds / std::max(whole, progress.seconds + 1));
  progress.seconds_left = options_.steps > 0 ? 0 : std::max(0.0, whole - progress.seconds);
  hooks_.on_progress(progress);
}

// ---- players ----

Result<void> Study::load(const std::string& bot_path, Player& into) const {
  Result<Bot> bot = load_bot(bot_path, spec_);
  if (!bot) return bot.error();
  into.steps = std::max(into.steps, bot->steps);
  into.known = true;
  into.bots.push_back(std::make_shared<const SharedBot>(std::move(bot.value())));
  return {};
}

Result<Study::Player> Study::train(const std::string& name, const std::string& title, const Settings& settings,
                                   bool drawn, double share, std::int64_t steps, std::uint64_t seed) {
  const std::string folder = path("players/" + name);
  if (!done("train " + name)) {
    TrainConfig config;
    config.minutes = steps > 0 ? 0 : minutes_for(share);
    config.steps = steps;
    config.seed = static_cast<std::int64_t>(seed % 1'000'000'007);
    config.threads = options_.threads;
    std::vector<OptionRow> rows = option_rows(config);
    for (const auto& [key, value] : options_.training)
      if (Result<void> set = set_option(rows, key, value, "--" + key + " "); !set) return usage_error(set.error());
    const auto add = [&](const std::string& assignment) {
      config.parameters.append(config.parameters.empty() ? "" : ",") += assignment;
    };
    for (std::size_t p = 0; p < spec_.parameters.size(); ++p) {
      const Parameter& parameter = spec_.parameters[p];
      const auto tunable = std::find_if(targets_.tunables.begin(), targets_.tunables.end(),
                                        [&](const Tunable& t) { return index(t.parameter) == p; });
      if (drawn && tunable != targets_.tunables.end())
        add(fmt::format("{}={}..{}", parameter.name, shortest(static_cast<float>(tunable->low)),
                        shortest(static_cast<float>(tunable->high))));
      else if (settings.parameters[p] != parameter.value)
        add(parameter.name + "=" + shortest(settings.parameters[p]));
    }
    RunOptions run{.folder = folder, .resume = path_exists(folder + "/config.toml"), .stop = options_.stop};
    run.on_progress = [&](const RunProgress& progress) { show(title + ": training", progress.done); };
    const Result<RunSummary> trained = run_training(game_, config, run);
    if (!trained) return trained.error();
    if (trained.value().stopped) return Player{};
    if (Result<void> finished = finish("train " + name); !finished) return finished.error();
  }
  const Result<BotName> found = find_bot(folder);
  if (!found) return found.error();
  Player player{.name = name};
  if (Result<void> loaded = load(found.value().path, player); !loaded) return loaded.error();
  trained_steps_ += player.steps, ++trainings_;
  // Where learning goes round in circles, the last player of a run is one of many that are as good: its late past
  // selves stand beside it.
  const Result<std::vector<Snapshot>> snapshots = past_selves(name);
  if (!snapshots) return snapshots.error();
  const auto total = static_cast<double>(player.steps);
  for (int n = 1; n < kSelves; ++n) {
    const double wanted = total * (1 - (1 - kLate) * n / (kSelves - 1));
    const Snapshot* nearest = nullptr;
    for (const Snapshot& snapshot : snapshots.value()) {
      const auto off = [&](const Snapshot& s) { return std::fabs(static_cast<double>(s.steps) - wanted); };
      if (!nearest || off(snapshot) < off(*nearest)) nearest = &snapshot;
    }
    if (!nearest || std::fabs(static_cast<double>(nearest->steps) - wanted) > 0.1 * total) continue;
    if (Result<void> loaded = load(bot_path(name, nearest->bot), player); !loaded) return loaded.error();
  }
  return player;
}

Result<std::vector<Snapshot>> Study::past_selves(const std::string& run) const {
  const std::string file = path("players/" + run + "/league.json");
  if (!path_exists(file)) return std::vector<Snapshot>();
  const Result<std::string> text = read_file(file);
  if (!text) return text.error();
  Result<std::vector<Snapshot>> snapshots = read_league(text.value(), file);
  if (snapshots) std::erase_if(snapshots.value(), [](const Snapshot& s) { return s.kind != "past"; });
  return snapshots;
}

// The snapshots of a run that stand nearest to the bands' shares of its training.
Result<std::vector<Study::Player>> Study::bands(const std::string& run, const Player& best) const {
  std::vector<Player> found;
  const Result<std::vector<Snapshot>> snapshots = past_selves(run);
  if (!snapshots) return snapshots.error();
  for (const double share : kBandShares) {
    const double wanted = share * static_cast<double>(best.steps);
    const Snapshot* nearest = nullptr;
    for (const Snapshot& snapshot : snapshots.value()) {
      const auto off = [&](const Snapshot& s) { return std::fabs(std::log(static_cast<double>(s.steps) / wanted)); };
      if (!nearest || off(snapshot) < off(*nearest)) nearest = &snapshot;
    }
    if (!nearest || static_cast<double>(nearest->steps) > 0.5 * static_cast<double>(best.steps)) {
      found.push_back({});
      continue;
    }
    Player player{.name = run};
    if (Result<void> loaded = load(bot_path(run, nearest->bot), player); !loaded) return loaded.error();
    found.push_back(std::move(player));
  }
  return found;
}

std::vector<MakeAgent> Study::makers(const Player& player) const {
  if (player.bots.empty()) return {[]() -> Result<std::unique_ptr<Agent>> { return random_agent(); }};
  std::vector<MakeAgent> makers;
  for (const std::shared_ptr<const SharedBot>& bot : player.bots)
    makers.push_back([bot, this, name = player.name]() -> Result<std::unique_ptr<Agent>> {
      return make_player(bot, spec_,
                         {.name = name,
                          .temperature = temperature_,
                          .limits = bot->bot().limits,
                          .precision = best_precision()});
    });
  return makers;
}

// Choices are compared by players who play as they learnt: their most likely moves alone exaggerate every difference,
// and differ more from one training to the next. For the sides alone it is the sharpest play under which matches still
// differ from each other.
Result<void> Study::find_temperature(const Player& player) {
  if (state_.contains("temperature")) return {};
  temperature_ = picks_.options() > 0 ? 1 : default_temperature(spec_);
  const std::vector<MakeAgent> agents = makers(player);
  for (const float temperature : {temperature_, 0.25f, 0.5f, 1.0f}) {
    temperature_ = std::max(temperature_, temperature);
    const Result<Measurement> pilot = measure(
        game_, agents, key_.split(kPilotKey),
        {.choice = targets_.choice,
         .pairs = kPilotPairs,
         .setup = [this](std::int64_t pair, Key key) { return picks_.setup(base_, pair, key); },
         .threads = options_.threads,
         .stop = options_.stop});
    if (!pilot) return pilot.error();
    if (pilot.value().distinct * 4 >= static_cast<int>(pilot.value().results.size())) break;
  }
  state_["temperature"] = temperature_;
  return save_state();
}

// ---- matches ----

Settings Study::with_values(const std::vector<double>& values) const {
  Settings settings = base_;
  for (std::size_t k = 0; k < values.size(); ++k)
    settings.parameters[targets_.tunables[k].parameter] = static_cast<float>(values[k]);
  return settings;
}

Result<std::vector<MatchResult>> Study::merged(const std::string& name) const {
  std::vector<MatchResult> all;
  for (const std::string& folder : options_.merge) {
    const std::string file = folder + "/results/" + name + ".csv";
    if (!path_exists(file)) continue;
    const Result<std::string> text = read_file(file);
    if (!text) return text.error();
    Result<std::vector<MatchResult>> results = read_results(spec_, targets_.choice, text.value(), file);
    if (!results) return results.error();
    all.insert(all.end(), results->begin(), results->end());
  }
  return all;
}

// Matches under one variant; null: the game as it is.
Result<std::vector<MatchResult>> Study::play(const std::string& name, const std::string& title, const Player& player,
                                             const std::vector<double>* values, std::int64_t cell_matches, Key key) {
  const std::string file = path("results/" + name + ".csv");
  const std::string stage = "play " + name;
  if (done(stage)) {
    const Result<std::string> text = read_file(file);
    if (!text) return text.error();
    return read_results(spec_, targets_.choice, text.value(), file);
  }
  const Settings settings = values ? with_values(*values) : base_;
  int side = 0;
  for (int seat = 0; seat < spec_.seats; ++seat) side += spec_.team_of(seat) == 0;
  if (picks_.options() == 0) cell_matches *= kSidesAlone;
  if (side > 1) {  // how many of them take part
    const std::unique_ptr<Batch> one = game_.make_batch(1);
    one->start_all(settings, key);
    side = 0;
    for (int seat = 0; seat < spec_.seats; ++seat) side += spec_.team_of(seat) == 0 && one->playing(0).contains(seat);
  }
  const std::vector<MakeAgent> agents = makers(player);
  Result<Measurement> measured =
      measure(game_, agents, key,
              {.choice = targets_.choice,
               .pairs = static_cast<int>(std::min<std::int64_t>(5'000'000, picks_.pairs_for(cell_matches, side))),
               .setup = [&](std::int64_t pair, Key k) { return picks_.setup(settings, pair, k); },
               .threads = options_.threads,
               .stop = options_.stop,
               .on_progress = [&](double share) { show(title + ": matches", share); }});
  if (!measured) return measured.error();
  if (stopping()) return std::move(measured->results);
  if (Result<void> made = make_directories(path("results")); !made) return made.error();
  if (Result<void> written =
          write_file_atomically(file, write_results(spec_, targets_.choice, measured->results));
      !written)
    return written.error();
  if (Result<void> finished = finish(stage); !finished) return finished.error();
  return std::move(measured->results);
}

// Matches under variants drawn from a box, for about so many seconds; seconds 0: a fixed number.
Result<std::vector<MatchResult>> Study::play_around(const std::string& name, const std::string& title,
                                                    const Player& player, const Box& box, double seconds, Key key) {
  const std::string file = path("results/" + name + ".csv");
  const std::string stage = "play " + name;
  if (done(stage)) {
    const Result<std::string> text = read_file(file);
    if (!text) return text.error();
    return read_results(spec_, targets_.choice, text.value(), file);
  }
  const std::vector<MakeAgent> agents = makers(player);
  const Clock::time_point begin = Clock::now();
  std::vector<MatchResult> all;
  std::int64_t pairs = 0;
  int chunk = 512;
  for (int n = 0;; ++n) {
    const auto setup = [&, pairs](std::int64_t pair, Key k) {
      Settings settings = base_;
      Random random(k.split(7));
      for (std::size_t t = 0; t < targets_.tunables.size(); ++t) {
        const Tunable& tunable = targets_.tunables[t];
        const double u = static_cast<double>(random.uniform());
        settings.parameters[tunable.parameter] =
            static_cast<float>(allowed(spec_.parameters[tunable.parameter],
                                       box.low[t] + u * (box.high[t] - box.low[t]), tunable.low, tunable.high));
      }
      return picks_.setup(settings, pairs + pair, k);
    };
    const double taken = std::chrono::duration<double>(Clock::now() - begin).count();
    Result<Measurement> measured = measure(
        game_, agents, key.split(static_cast<std::uint64_t>(n)),
        {.choice = targets_.choice,
         .pairs = chunk,
         .setup = setup,
         .threads = options_.threads,
         .stop = options_.stop,
         .on_progress = [&](double share) {
           show(title, seconds > 0 ? std::chrono::duration<double>(Clock::now() - begin).count() / seconds : share);
         }});
    if (!measured) return measured.error();
    for (MatchResult& r : measured->results) {
      r.pair += pairs;
      all.push_back(std::move(r));
    }
    pairs += chunk;
    if (stopping()) return all;
    const double now = std::chrono::duration<double>(Clock::now() - begin).count();
    const double pace = (now - taken) / chunk;  // seconds a pair
    const double fit = seconds > 0 ? (seconds - now) / std::max(pace, 1e-9) : 20'000.0 - static_cast<double>(pairs);
    chunk = static_cast<int>(std::clamp(fit, 0.0, std::min(8.0 * chunk, static_cast<double>(kMostSearchPairs - pairs))));
    if (chunk < 64) break;
  }
  if (Result<void> made = make_directories(path("results")); !made) return made.error();
  if (Result<void> written = write_file_atomically(file, write_results(spec_, targets_.choice, all)); !written)
    return written.error();
  if (Result<void> finished = finish(stage); !finished) return finished.error();
  return all;
}

// ---- the game as it is ----

bool Study::missed(const Measured& best, const std::vector<Measured>& bands) const {
  // Measurably: the interval lies outside of the range, or the value does by more than its error.
  for (const Target& t : targets_.targets) {
    const double value = value_of(t, best, bands);
    const Interval interval = interval_of(t, best, bands);
    if (interval.high < t.low || interval.low > t.high || (t.gap(value) > 0 && interval.half_width() < t.tolerance))
      return true;
  }
  return false;
}

Result<void> Study::study_before() {
  const std::string title = "the game as it is";
  const bool searching = options_.search && !targets_.tunables.empty();
  Result<Player> best = train("before", title, base_, false, searching ? kFresh : 0.75, options_.steps, options_.seed + 1);
  if (!best) return best.error();
  if (stopping()) return {};
  best_before_ = best.value();
  if (Result<void> found = find_temperature(best_before_); !found) return found;
  Result<std::vector<MatchResult>> results =
      play("before", title, best_before_, nullptr, options_.cell_matches, key_.split(kBeforeKey));
  if (!results) return results.error();
  if (stopping()) return {};
  const Result<std::vector<MatchResult>> others = merged("before");
  if (!others) return others.error();
  for (const MatchResult& r : others.value())
    if (r.parameters == base_.parameters) results->push_back(r);
  matches_ += static_cast<std::int64_t>(results->size());
  before_ = measured(results.value());

  // Whether they know the game at all.
  const bool decides = std::any_of(spec_.action.begin(), spec_.action.end(),
                                   [](const ActionPart& part) { return !part.is_choice() || part.size > 1; });
  Json& known = state_["against_random"];
  if (!known.is_array()) {
    const Result<std::unique_ptr<Agent>> agent = makers(best_before_).front()();
    if (!agent) return agent.error();
    const std::unique_ptr<Agent> random = random_agent();
    const Result<MatchSummary> played =
        play_matches(game_, *agent.value(), random.get(), key_.split(kEloKey),
                     {.matches = 2 * kEloMatches, .settings = MatchSettings(base_), .step_limit = 100'000});
    if (!played) return played.error();
    known = Json::array({played.value().score.value, played.value().score.interval.low});
    if (Result<void> saved = save_state(); !saved) return saved;
  }
  skilled_ = !decides || known[1].get<double>() > kSkilled;
  if (!skilled_)
    warnings_.push_back(fmt::format("the players score only {:.0f}% against random play: they have not learnt the game, and "
                                    "nothing is claimed; give it more --minutes",
                                    100 * known[0].get<double>()));

  // Weaker players, and random ones.
  Result<std::vector<Player>> weaker = bands("before", best_before_);
  if (!weaker) return weaker.error();
  std::vector<Player> players = {{.name = "random"}};
  players.insert(players.end(), weaker->begin(), weaker->end());
  const std::vector<std::string> names = {"random play", kBands[0].name, kBands[1].name};
  Json& listed = report_.json["bands"] = Json::array();
  before_bands_.clear();
  for (std::size_t b = 0; b < players.size(); ++b) {
    const Player& player = players[b];
    if (b > 0 && !player.known) {
      before_bands_.push_back(before_);
      continue;
    }
    const std::string file = b == 0 ? "before-random" : fmt::format("before-{}", names[b]);
    const Result<std::vector<MatchResult>> played = play(file, names[b], player, nullptr, kBandMatches,
                                                         key_.split(kBandKey).split(b));
    if (!played) return played.error();
    if (stopping()) return {};
    matches_ += static_cast<std::int64_t>(played.value().size());
    const Measured level = measured(played.value());
    if (b > 0) before_bands_.push_back(level);
    Json& elo = state_["elo"][file];
    if (!elo.is_number()) {
      const Result<std::unique_ptr<Agent>> ours = makers(player).front()(), theirs = makers(best_before_).front()();
      if (!ours) return ours.error();
      if (!theirs) return theirs.error();
      const Result<MatchSummary> against =
          play_matches(game_, *ours.value(), theirs.value().get(), key_.split(kEloKey).split(b),
                       {.matches = kEloMatches, .settings = MatchSettings(base_)});
      if (!against) return against.error();
      elo = 400 / std::log(10.0) * log_odds_of(std::clamp(against.value().score.value, 1e-3, 1 - 1e-3));
      if (Result<void> saved = save_state(); !saved) return saved;
    }
    Json band{{"name", names[b]}, {"elo", elo}, {"steps", player.steps}, {"options", options_json(level.rates)}};
    band = conditions_into(std::move(band), level);
    band["matrix"] = to_json(level.rates);
    listed.push_back(std::move(band));
  }
  Json band{{"name", "experts"}, {"elo", 0}, {"steps", best_before_.steps}, {"options", options_json(before_.rates)}};
  band = conditions_into(std::move(band), before_);
  band["matrix"] = to_json(before_.rates);
  listed.push_back(std::move(band));
  return {};
}

// ---- the search ----

Box Study::box_around(const std::vector<double>& centre, double radius) const {
  Box box;
  for (std::size_t k = 0; k < centre.size(); ++k) {
    const Tunable& t = targets_.tunables[k];
    const double reach = std::max(radius * (t.high - t.low),
                                  1.01 * static_cast<double>(spec_.parameters[t.parameter].step));
    box.low.push_back(std::max(t.low, centre[k] - reach));
    box.high.push_back(std::min(t.high, centre[k] + reach));
  }
  return box;
}

std::vector<MatchResult> Study::within(const Box& box, std::span<const MatchResult> results) const {
  std::vector<MatchResult> kept;
  for (const MatchResult& r : results) {
    bool inside = true;
    for (std::size_t k = 0; k < box.low.size() && inside; ++k) {
      const double value = static_cast<double>(r.parameters[targets_.tunables[k].parameter]);
      const double slack = 1e-5 * (targets_.tunables[k].high - targets_.tunables[k].low);
      inside = value >= box.low[k] - slack && value <= box.high[k] + slack;
    }
    if (inside) kept.push_back(r);
  }
  return kept;
}

Result<void> Study::search() {
  Result<Player> instrument = train("instrument", "one player for all variants", base_, true, kInstrument,
                                    2 * options_.steps, options_.seed + 2);
  if (!instrument) return instrument.error();
  if (stopping()) return {};
  Result<std::vector<Player>> weaker = bands("instrument", instrument.value());
  if (!weaker) return weaker.error();
  std::vector<int> wanted;  // bands that targets name and that there are
  for (int b = 0; b < static_cast<int>(std::size(kBands)); ++b)
    if (std::any_of(targets_.targets.begin(), targets_.targets.end(), [b](const Target& t) { return t.band == b; }))
      wanted.push_back(b);

  std::vector<double> centre;
  for (const Tunable& t : targets_.tunables) centre.push_back(t.from);
  std::vector<MatchResult> all;
  const Result<std::vector<MatchResult>> others = merged("search");
  if (!others) return others.error();
  all = others.value();
  std::vector<std::vector<MatchResult>> band_results(std::size(kBands));
  std::vector<std::optional<Surface>> band_surfaces(std::size(kBands));
  Box box;
  const double seconds = options_.steps > 0 ? 0
                                            : 60 * minutes_for(kSearch) /
                                                  static_cast<double>(std::size(kRadii) * (1 + wanted.size()));
  const auto surfaces = [&] {
    Surfaces of{.best = &*surface_};
    for (const int b : wanted) of.bands[b] = &*band_surfaces[index(b)];
    return of;
  };
  std::vector<Variant> front;
  for (std::size_t round = 0; round < std::size(kRadii); ++round) {
    box = box_around(centre, kRadii[round]);
    const Key key = key_.split(kSearchKey).split(round);
    const std::string title = fmt::format("search, round {} of {}", round + 1, std::size(kRadii));
    Result<std::vector<MatchResult>> results =
        play_around(fmt::format("search-{}", round + 1), title, instrument.value(), box, seconds, key);
    if (!results) return results.error();
    if (stopping()) return {};
    matches_ += static_cast<std::int64_t>(results->size());
    all.insert(all.end(), results->begin(), results->end());
    surface_.emplace(targets_.tunables, centre, picks_.options(), within(box, all));
    for (const int b : wanted) {
      const Player& player = weaker.value()[index(b)].known ? weaker.value()[index(b)] : instrument.value();
      results = play_around(fmt::format("search-{}-{}", kBands[b].name, round + 1), title, player, box, seconds,
                            key.split(index(b) + 1));
      if (!results) return results.error();
      if (stopping()) return {};
      matches_ += static_cast<std::int64_t>(results->size());
      std::vector<MatchResult>& of = band_results[index(b)];
      of.insert(of.end(), results->begin(), results->end());
      band_surfaces[index(b)].emplace(targets_.tunables, centre, picks_.options(), within(box, of));
    }
    front = propose(spec_, targets_, surfaces(), box);
    if (round == 0) front_ = front;
    centre = choose(spec_, targets_, surfaces(), box, front).values;
  }
  {
    // For other machines: all the search's matches in one file.
    const std::string file = path("results/search.csv");
    if (Result<void> written =
            write_file_atomically(file, write_results(spec_, targets_.choice, all));
        !written)
      return written;
  }

  // Fresh players, who know that one variant only, say how far the instrument is off there.
  SquareMatrix odds(picks_.options());
  double first_shift = 0;
  int checked = 0;
  std::vector<std::vector<double>> variants;
  const auto note = [&](const std::vector<double>& at, const std::vector<MatchResult>& fresh,
                        const std::vector<MatchResult>& own) {
    const Measured theirs = measured(fresh), ours = measured(own);
    double sum = 0, worst = 0, noise = 0, square = 0;
    const int n = picks_.options();
    SquareMatrix offset(n);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) {
        if (i == j) continue;
        const Cell &a = theirs.rates(i, j), &b = ours.rates(i, j);
        offset(i, j) = log_odds_of(a.rate) - log_odds_of(b.rate);
        const auto odds_error = [](const Cell& c) { return c.error() / std::max(0.01, c.rate * (1 - c.rate)); };
        noise += std::pow(odds_error(a), 2) + std::pow(odds_error(b), 2);
        square += offset(i, j) * offset(i, j);
        sum += std::fabs(a.rate - b.rate);
        worst = std::max(worst, std::fabs(a.rate - b.rate));
      }
    // What is no more than chance would make it is chance.
    const double trust = square > 0 ? std::max(0.0, 1 - noise / square) : 0;
    ++checked;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) odds(i, j) += (trust * offset(i, j) - odds(i, j)) / checked;
    const double first = log_odds_of(theirs.conditions.first.rate) - log_odds_of(ours.conditions.first.rate);
    first_shift += (first - first_shift) / checked;
    if (n < 2) {
      sum = worst = std::fabs(theirs.conditions.first.rate - ours.conditions.first.rate);
    } else {
      sum /= n * (n - 1);
    }
    bias_ = 100 * sum, worst_bias_ = 100 * worst, biased_ = true;
    variants.push_back(at);
  };
  for (int check = 1; check <= kChecks; ++check) {
    const std::string name = fmt::format("check-{}", check);
    const std::string title = fmt::format("fresh players of the proposal ({} of at most {})", check, kChecks);
    Result<Player> fresh = train(name, title, with_values(centre), false, kFresh / 2, options_.steps,
                                 options_.seed + 100 + static_cast<std::uint64_t>(check));
    if (!fresh) return fresh.error();
    if (stopping()) return {};
    const Key key = key_.split(kCheckKey).split(static_cast<std::uint64_t>(check));
    const Result<std::vector<MatchResult>> theirs =
        play(name, title, fresh.value(), &centre, options_.cell_matches, key);
    if (!theirs) return theirs.error();
    const Result<std::vector<MatchResult>> own =
        play(name + "-instrument", title, instrument.value(), &centre, options_.cell_matches, key);
    if (!own) return own.error();
    if (stopping()) return {};
    matches_ += static_cast<std::int64_t>(theirs.value().size() + own.value().size());
    note(centre, theirs.value(), own.value());
    surface_->shift(odds, first_shift);
    box = box_around(centre, kRadii[2]);
    front = propose(spec_, targets_, surfaces(), box);
    const std::vector<double> next = choose(spec_, targets_, surfaces(), box, front).values;
    const Variant here = expected(targets_, surfaces(), centre);
    // Near enough to the middle of the targets: to move would follow the noise.
    if (here.violation == 0 && expected(targets_, surfaces(), next).size >= here.size * 0.98) break;
    centre = next;
  }
  proposal_ = centre;
  // The front of the wide look, and what was chosen in the end.
  Variant chosen = expected(targets_, surfaces(), centre);
  front_.push_back(chosen);
  return {};
}

// ---- the verdict ----

Result<bool> Study::verdict(int round) {
  const std::string name = round == 1 ? "after" : fmt::format("after-{}", round);
  const std::string title = "verdict by players who had no part in the search";
  Result<Player> fresh = train(name, title, with_values(proposal_), false, kFresh, options_.steps,
                               options_.seed + 1000 + static_cast<std::uint64_t>(round));
  if (!fresh) return fresh.error();
  if (stopping()) return false;
  const Result<std::vector<MatchResult>> results =
      play(name, title, fresh.value(), &proposal_, options_.cell_matches, key_.split(kBeforeKey));
  if (!results) return results.error();
  if (stopping()) return false;
  matches_ += static_cast<std::int64_t>(results.value().size());
  after_ = measured(results.value());
  after_bands_.clear();
  Result<std::vector<Player>> weaker = bands(name, fresh.value());
  if (!weaker) return weaker.error();
  for (std::size_t b = 0; b < weaker->size(); ++b) {
    if (!weaker.value()[b].known) {
      after_bands_.push_back(after_);
      continue;
    }
    const Result<std::vector<MatchResult>> played =
        play(fmt::format("{}-{}", name, kBands[b].name), kBands[b].plural, weaker.value()[b], &proposal_, kBandMatches,
             key_.split(kBandKey).split(b + 1));
    if (!played) return played.error();
    if (stopping()) return false;
    matches_ += static_cast<std::int64_t>(played.value().size());
    after_bands_.push_back(measured(played.value()));
  }
  has_after_ = true;
  return true;
}

// ---- the report ----

Json Study::options_json(const WinRates& rates) const {
  Json list = Json::array();
  for (int i = 0; i < rates.options(); ++i) {
    Json option{{"name", who(targets_, spec_, i)}};
    option.update(to_json(rates.overall(i)));
    list.push_back(std::move(option));
  }
  return list;
}

Json Study::conditions_into(Json json, const Measured& m) const {
  json["seat_advantage"] = to_json(m.conditions.first);
  json["draws"] = to_json(m.conditions.draws);
  json["length"] = {{"mean", m.conditions.length},
                    {"low", m.conditions.length_interval.low},
                    {"high", m.conditions.length_interval.high}};
  return json;
}

Result<void> Study::write_figures() {
  Json& json = report_.json;
  const Json bands = json.contains("bands") ? json["bands"] : Json::array();
  json = Json::object();
  const bool choices = targets_.choice >= 0;
  const Measured& last = has_after_ ? after_ : before_;
  const std::vector<Measured>& last_bands = has_after_ ? after_bands_ : before_bands_;
  json["game"] = spec_.name;
  json["choice"] = choices ? Json(spec_.choices[targets_.choice].name) : Json();
  json["choices"] = choices ? Json(spec_.choices[targets_.choice].options) : Json::array();
  json["before"] = to_json(before_.rates);
  json["after"] = has_after_ ? to_json(after_.rates) : Json();
  json["options_before"] = options_json(before_.rates);
  json["options_after"] = has_after_ ? options_json(after_.rates) : Json();
  json["seat_advantage_before"] = to_json(before_.conditions.first);
  const auto dominated_json = [&](const WinRates& rates) {
    Json list = Json::array();
    if (skilled_)
      for (const Dominated& d : dominated(rates))
        list.push_back({{"name", who(targets_, spec_, d.option)}, {"by", who(targets_, spec_, d.by)}});
    return list;
  };
  json["dominated_before"] = dominated_json(before_.rates);
  json["dominated"] = dominated_json(last.rates);
  if (choices) {
    json["nash_before"] = pick_equilibrium(before_.rates.rates()).mix;
    const NashAveraging nash = pick_equilibrium(last.rates.rates());
    json["nash"] = nash.mix;
    json["nash_entropy"] = nash.entropy;
    json["top_d"] = top_diversity(last.rates);
  } else {
    json["nash"] = Json::array();
    json["nash_entropy"] = 0;
  }
  json = conditions_into(std::move(json), last);
  Json list = Json::array();
  double worst = 0, confidence = 1;
  bool met = true;
  for (const Target& t : targets_.targets) {
    const double was = value_of(t, before_, before_bands_), value = value_of(t, last, last_bands);
    const Interval interval = interval_of(t, last, last_bands);
    const double error = std::max(interval.half_width() / kZ95, 1e-12);
    const auto below = [&](double x) { return std::isfinite(x) ? 0.5 * std::erfc((value - x) / error / std::sqrt(2.0)) : (x > 0 ? 1.0 : 0.0); };
    // All at once: at least 1 less the sum of each one's doubt (Bonferroni).
    confidence -= 1 - std::max(0.0, below(t.high) - below(t.low));
    if (t.is_share()) worst = std::max(worst, 100 * t.gap(value));
    met &= t.gap(value) <= 1e-12;
    Json entry{{"name", t.name(choices ? &spec_.choices[targets_.choice] : nullptr)}, {"wanted", t.wanted()},
               {"before", was}};
    if (has_after_) entry["after"] = value;
    entry["low"] = interval.low;
    entry["high"] = interval.high;
    entry["unit"] = t.kind == Target::Kind::length ? "steps" : t.kind == Target::Kind::diversity ? "count"
                    : t.kind == Target::Kind::share ? "share" : "rate";
    entry["met"] = t.gap(value) <= 1e-12;
    list.push_back(std::move(entry));
  }
  json["targets"] = std::move(list);
  json["claims"] = skilled_;
  json["met"] = skilled_ ? Json(met) : Json();
  json["worst_gap"] = worst;
  json["confidence"] = std::max(0.0, confidence);
  Json changes = Json::array();
  report_.changes.clear();
  std::string line;
  if (has_after_)
    for (std::size_t k = 0; k < proposal_.size(); ++k) {
      const Tunable& t = targets_.tunables[k];
      const Parameter& parameter = spec_.parameters[t.parameter];
      const float from = static_cast<float>(t.from), to = static_cast<float>(proposal_[k]);
      if (from == to) continue;
      changes.push_back({{"parameter", parameter.name}, {"from", Json::parse(shortest(from))},
                         {"to", Json::parse(shortest(to))}, {"low", t.low}, {"high", t.high}, {"cost", t.cost}});
      report_.changes.emplace_back(parameter.name, to);
      line += fmt::format("{}--parameter {}={}", line.empty() ? "" : " ", parameter.name, shortest(to));
    }
  json["changes"] = std::move(changes);
  if (!line.empty()) json["parameters_line"] = line;
  Json sensitivities = Json::array();
  if (surface_ && skilled_)
    for (std::size_t k = 0; k < targets_.tunables.size(); ++k) {
      const Tunable& t = targets_.tunables[k];
      const Parameter& parameter = spec_.parameters[t.parameter];
      const double step = parameter.step > 0 ? static_cast<double>(parameter.step) : (t.high - t.low) / 20;
      Json effects = Json::array();
      for (int i = choices ? 0 : -1; i < (choices ? picks_.options() : 0); ++i) {
        const Cell effect = surface_->effect(i, static_cast<int>(k), step);
        effects.push_back({{"choice", i < 0 ? "the side that goes first" : who(targets_, spec_, i)},
                           {"points", 100 * effect.rate},
                           {"low", 100 * effect.interval.low},
                           {"high", 100 * effect.interval.high}});
      }
      sensitivities.push_back({{"parameter", parameter.name}, {"step", step}, {"effects", std::move(effects)}});
    }
  json["sensitivities"] = std::move(sensitivities);
  Json front = Json::array();
  for (std::size_t v = 0; v < front_.size(); ++v) {
    Json to = Json::array();
    for (std::size_t k = 0; k < front_[v].values.size(); ++k)
      if (std::fabs(front_[v].values[k] - targets_.tunables[k].from) > 1e-9)
        to.push_back({{"parameter", spec_.parameters[targets_.tunables[k].parameter].name},
                      {"to", front_[v].values[k]}});
    Json entry{{"size", front_[v].size}, {"gap", 100 * front_[v].worst}, {"changes", std::move(to)}};
    if (v + 1 == front_.size()) entry["chosen"] = true;
    front.push_back(std::move(entry));
  }
  if (!front.empty()) json["front"] = std::move(front);
  json["bands"] = bands;
  json["instrument_bias"] = biased_ ? Json(bias_) : Json();
  json["instrument_bias_worst"] = biased_ ? Json(worst_bias_) : Json();
  if (!options_.real.empty()) {
    const Result<std::string> text = read_file(options_.real);
    if (!text) return text.error();
    const Result<std::vector<MatchResult>> real = read_results(spec_, targets_.choice, text.value(), options_.real);
    if (!real) return real.error();
    const Measured m = measured(real.value());
    json["real"] = {{"file", options_.real}, {"matches", real.value().size()}, {"matrix", to_json(m.rates)},
                    {"options", options_json(m.rates)}, {"seat_advantage", to_json(m.conditions.first)}};
  }
  json["temperature"] = temperature_;
  json["seed"] = options_.seed;
  json["spent"] = {{"matches", matches_}, {"seconds", seconds()}, {"trainings", trainings_}, {"steps", trained_steps_}};
  json["matches"] = matches_;
  json["seconds"] = seconds();
  json["warnings"] = warnings_;
  json["stopped"] = report_.stopped;
  return {};
}

// Matches of the option that wins most as the game is, against those that it beats most often.
Result<void> Study::record_replays() {
  const int n = picks_.options();
  std::vector<int> rivals;
  int strongest = -1;
  for (int i = 0; i < n; ++i)
    if (strongest < 0 || before_.rates.overall(i).rate > before_.rates.overall(strongest).rate) strongest = i;
  for (int j = 0; j < n; ++j)
    if (j != strongest) rivals.push_back(j);
  std::sort(rivals.begin(), rivals.end(),
            [&](int a, int b) { return before_.rates(strongest, a).rate > before_.rates(strongest, b).rate; });
  if (n < 2) rivals = {-1};
  if (rivals.size() > kReplays) rivals.resize(kReplays);
  const std::vector<MakeAgent> agents = {makers(best_before_).front()};
  for (std::size_t r = 0; r < rivals.size(); ++r) {
    const auto setup = [&](std::int64_t pair, Key key) {
      PairSetup both = picks_.setup(base_, pair, key);
      if (n > 1)
        for (int seat = 0; seat < spec_.seats; ++seat)
          if (spec_.seats == 2)
            both.settings.picks[index(targets_.choice) * spec_.seats + seat] = seat == 0 ? strongest : rivals[r];
      return both;
    };
    Result<Measurement> played = measure(game_, agents, key_.split(kReplayKey).split(r),
                                         {.choice = targets_.choice, .pairs = 1, .setup = setup, .threads = 1, .replays = 1});
    if (!played) return played.error();
    for (Replay& replay : played->replays)
      report_.replays.push_back({n > 1 && spec_.seats == 2
                                     ? who(targets_, spec_, strongest) + " against " + who(targets_, spec_, rivals[r])
                                     : "a match of the players",
                                 std::move(replay)});
  }
  return {};
}

Result<StudyReport> Study::run() {
  if (spec_.team_count() != 2)
    return Error{fmt::format("{} is a game of {} side{}: `rival balance` compares two", spec_.name, spec_.team_count(),
                             spec_.team_count() == 1 ? "" : "s"),
                 Error::Kind::usage};
  if (Result<void> opened = open(); !opened) return opened.error();
  const auto stopped = [&]() -> Result<StudyReport> {
    if (Result<void> saved = save_state(); !saved) return saved.error();
    report_.stopped = true;
    return report_;
  };
  if (Result<void> studied = study_before(); !studied) return studied.error();
  if (stopping()) return stopped();
  const bool off = missed(before_, before_bands_);
  if (skilled_ && off && options_.search && !targets_.tunables.empty()) {
    say("The targets are missed: looking for the smallest change that meets them");
    if (Result<void> searched = search(); !searched) return searched.error();
    if (stopping()) return stopped();
    bool changed = false;
    for (std::size_t k = 0; k < proposal_.size(); ++k) changed |= proposal_[k] != targets_.tunables[k].from;
    if (changed) {
      Result<bool> judged = verdict(1);
      if (!judged) return judged.error();
      if (stopping()) return stopped();
    } else {
      warnings_.push_back("the search found no change that would bring the game closer to the targets");
    }
  } else if (skilled_ && off && targets_.tunables.empty()) {
    warnings_.push_back("the targets are missed, and the game has no parameters that may change");
  }
  if (Result<void> written = write_figures(); !written) return written.error();
  if (Result<void> recorded = record_replays(); !recorded) return recorded.error();
  if (Result<void> saved =
          write_file_atomically(path("report.json"), report_.json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
      !saved)
    return saved.error();
  if (Result<void> saved = save_state(); !saved) return saved.error();
  return report_;
}

}  // namespace

Result<StudyReport> run_study(const GameEntry& game, const StudyOptions& options, const StudyHooks& hooks) {
  return Study(game, options, hooks).run();
}

}  // namespace rival::balance
