#include "balance/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "agent/scripted.hpp"
#include "balance/findings.hpp"
#include "balance/measure.hpp"
#include "balance/proposal.hpp"
#include "balance/stages.hpp"
#include "base/file.hpp"
#include "base/index.hpp"
#include "base/json.hpp"
#include "game/spec.hpp"
#include "match/match.hpp"
#include "search/game_tree.hpp"

namespace rival::balance {
namespace {

using Json = nlohmann::ordered_json;

// Shares of the time: of players of one variant, of the instrument, of all rounds of the search. Matches take the rest.
constexpr double kFresh = 0.135, kInstrument = 0.25, kSearch = 0.08, kOnlyPlayers = 0.75;
constexpr double kRadii[] = {0.5, 0.25, 0.12, 0.06};  // of the search's boxes, as shares of the ranges
// The matches that a model is fitted to lie within a box so many times as wide, or wide enough to hold so many.
constexpr double kFitted = 2;
constexpr std::size_t kFittedMatches = 20'000;
constexpr double kCheckRadius = 0.12;
constexpr int kChecks = 2;                            // of the instrument, by fresh players
constexpr int kBandMatches = 600, kEloMatches = 300;  // a cell; against the best players
constexpr std::size_t kReplays = 4;
constexpr double kSkilled = 0.55;  // what players score against random play before anything is said of the game

enum Purpose : std::uint64_t { kVerdictKey = 1, kBandKey, kSearchKey, kCheckKey, kRandomKey, kEloKey, kReplayKey };
// Added to the study's seed.
enum Seeds : std::uint64_t { kBeforeSeed = 1, kInstrumentSeed = 2, kCheckSeed = 100, kVerdictSeed = 1001 };

// What fresh players make of variants, beside what the instrument does.
class Correction {
 public:
  explicit Correction(int options) : odds_(options) {}

  void add(const Measured& fresh, const Measured& instrument) {
    const int n = odds_.size();
    SquareMatrix offset(n);
    std::vector<double> strength(index(n));  // by how much an option is better than the instrument has it
    double sum = 0, noise = 0;
    bias_ = {};
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) {
        if (i == j) continue;
        const Cell &theirs = fresh.rates(i, j), &ours = instrument.rates(i, j);
        offset(i, j) = log_odds_of(theirs.rate) - log_odds_of(ours.rate);
        strength[i] += offset(i, j) / n;
        for (const Cell* cell : {&theirs, &ours})
          noise += std::pow(cell->error() / std::max(0.01, cell->rate * (1 - cell->rate)), 2);
        sum += std::fabs(theirs.rate - ours.rate);
        bias_.worst = std::max(bias_.worst, std::fabs(theirs.rate - ours.rate));
      }
    const Cell &theirs = fresh.conditions.first, &ours = instrument.conditions.first;
    if (n < 2)
      bias_.mean = bias_.worst = std::fabs(theirs.rate - ours.rate);
    else
      bias_.mean = sum / (n * (n - 1));
    // The options' strengths are means over many pairs, and known far better than what is left of each pair.
    double of_strengths = 0, of_pairs = 0;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) {
        const double main = strength[i] - strength[j];
        of_strengths += main * main;
        of_pairs += std::pow(offset(i, j) - main, 2);
      }
    const double strengths_noise = n > 0 ? 2 * noise / n : 0;
    const double trust_strengths = trust(of_strengths, strengths_noise, n - 1),
                 trust_pairs = trust(of_pairs, noise - strengths_noise, (n - 1) * (n - 2) / 2);
    ++count_;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) {
        const double main = strength[i] - strength[j];
        const double seen = trust_strengths * main + trust_pairs * (offset(i, j) - main);
        odds_(i, j) += (seen - odds_(i, j)) / count_;
      }
    first_ += (log_odds_of(theirs.rate) - log_odds_of(ours.rate) - first_) / count_;
  }

  void apply(Surface& surface) const { surface.shift(odds_, first_); }
  const Findings::Bias& bias() const { return bias_; }  // at the newest variant

 private:
  // How much of a sum of squares is no noise. What chance may well make of so many numbers (a chi-squared sum above its
  // 97.5% point, about) is chance.
  static double trust(double square, double noise, int numbers) {
    const double surely = 1 + 2 * std::sqrt(2 / std::max(1.0, static_cast<double>(numbers)));
    return square > surely * noise ? 1 - noise / square : 0;
  }

  SquareMatrix odds_;  // means over the variants
  double first_ = 0;
  int count_ = 0;
  Findings::Bias bias_;
};

class Study {
 public:
  Study(const GameEntry& game, const StudyOptions& options, const StudyHooks& hooks)
      : game_(game),
        spec_(game.spec),
        options_(options),
        targets_(options.targets),
        hooks_(hooks),
        stages_(game, options, hooks),
        key_(options.seed) {}

  Result<StudyReport> run();

 private:
  bool stopping() const { return stages_.stopping(); }
  bool searches() const { return options_.search && options_.players.empty() && !targets_.tunables.empty(); }
  Result<void> study_before();
  Result<void> learn_whether_skilled();
  Result<void> study_bands();
  Result<void> search();
  Result<void> verdict();
  Result<void> record_replays();
  void solve();
  Box box_around(const std::vector<double>& centre, double radius) const;
  std::vector<const MatchResult*> within(const Box& box, std::span<const MatchResult> results) const;
  // Those to fit a model to that is to be true within a box of this radius.
  std::vector<const MatchResult*> about(const std::vector<double>& centre, double radius,
                                        std::span<const MatchResult> results) const;

  const GameEntry& game_;
  const Spec& spec_;
  const StudyOptions& options_;
  const Targets& targets_;
  const StudyHooks& hooks_;
  Stages stages_;
  Key key_;
  StudyPlayer players_;  // of the game as it is
  Findings findings_;
  std::vector<TitledReplay> replays_;
};

// ---- the game as it is ----

Result<void> Study::study_before() {
  const std::string title = "the game as it is";
  Result<StudyPlayer> players = StudyPlayer{.name = options_.players, .bots = {}};
  if (options_.players.empty())
    players = stages_.train({.name = "before",
                             .title = title,
                             .settings = stages_.settings(),
                             .share = searches() ? kFresh : kOnlyPlayers,
                             .seed = options_.seed + kBeforeSeed});
  if (!players) return players.error();
  if (stopping()) return {};
  players_ = std::move(players.value());
  if (Result<void> found = stages_.find_temperature(players_); !found) return found;
  Result<std::vector<MatchResult>> results = stages_.play({.name = "before",
                                                           .title = title,
                                                           .settings = stages_.settings(),
                                                           .per_cell = options_.cell_matches,
                                                           .key = key_.split(kVerdictKey)},
                                                          players_);
  if (!results) return results.error();
  if (stopping()) return {};
  const Result<std::vector<MatchResult>> others = stages_.merged("before");
  if (!others) return others.error();
  for (const MatchResult& r : others.value())
    if (r.parameters == stages_.settings().parameters) results->push_back(r);
  findings_.before.best = stages_.measured(results.value());
  if (Result<void> known = learn_whether_skilled(); !known) return known;
  return study_bands();
}

// Whether the players know the game at all. Where stakes differ, to win more often is not the point.
Result<void> Study::learn_whether_skilled() {
  const bool decides = std::any_of(spec_.action.begin(), spec_.action.end(),
                                   [](const ActionPart& part) { return !part.is_choice() || part.size > 1; });
  Json& known = stages_.notes()["against_random"];
  if (!known.is_object() || !known.contains("better") || !known["better"].is_boolean() || !known.contains("score") ||
      !known["score"].is_number()) {
    const Result<std::unique_ptr<Agent>> agent = stages_.makers(players_).front()();
    if (!agent) return agent.error();
    const std::unique_ptr<Agent> random = random_agent();
    const Result<MatchSummary> played =
        play_matches(game_, *agent.value(), random.get(), key_.split(kRandomKey),
                     {.matches = 2 * kEloMatches, .settings = MatchSettings(stages_.settings())});
    if (!played) return played.error();
    const MatchSummary& sum = played.value();
    known = {
        {"score", sum.score.value},
        {"better", sum.returns_are_results ? sum.score.interval.low > kSkilled : sum.mean_return.interval.low > 0}};
    if (Result<void> saved = stages_.save(); !saved) return saved;
  }
  findings_.skilled = !decides || known["better"].get<bool>();
  if (!findings_.skilled)
    findings_.warnings.push_back(
        fmt::format("the players score only {:.0f}% against random play: they do not know the game, and nothing is "
                    "claimed; more --minutes teach them",
                    100 * known["score"].get<double>()));
  return {};
}

Result<void> Study::study_bands() {
  const Result<std::vector<std::optional<StudyPlayer>>> weaker = stages_.bands(players_);
  if (!weaker) return weaker.error();
  std::vector<std::optional<StudyPlayer>> all = {StudyPlayer{.name = "random", .bots = {}}};
  all.insert(all.end(), weaker.value().begin(), weaker.value().end());
  for (std::size_t b = 0; b < all.size(); ++b) {
    if (b > 0) findings_.before.bands[b - 1] = findings_.before.best;
    if (!all[b]) continue;
    const StudyPlayer& player = *all[b];
    const std::string name = b == 0 ? "random play" : player.name;
    const Result<std::vector<MatchResult>> played = stages_.play({.name = "before-" + player.name,
                                                                  .title = name,
                                                                  .settings = stages_.settings(),
                                                                  .per_cell = kBandMatches,
                                                                  .key = key_.split(kBandKey).split(b)},
                                                                 player);
    if (!played) return played.error();
    if (stopping()) return {};
    Findings::Band band{.name = name, .steps = player.steps, .measured = stages_.measured(played.value())};
    if (b > 0) findings_.before.bands[b - 1] = band.measured;
    Json& elo = stages_.notes()["elo of " + player.name];
    if (!elo.is_number()) {
      const Result<std::unique_ptr<Agent>> theirs = stages_.makers(player).front()(),
                                           best = stages_.makers(players_).front()();
      if (!theirs) return theirs.error();
      if (!best) return best.error();
      const Result<MatchSummary> against =
          play_matches(game_, *theirs.value(), best.value().get(), key_.split(kEloKey).split(b),
                       {.matches = kEloMatches, .settings = MatchSettings(stages_.settings())});
      if (!against) return against.error();
      elo = elo_difference(std::clamp(against.value().score.value, 1e-3, 1 - 1e-3));
      if (Result<void> saved = stages_.save(); !saved) return saved;
    }
    band.elo = elo;
    findings_.bands.push_back(std::move(band));
  }
  findings_.bands.push_back({.name = options_.players.empty() ? "experts" : options_.players,
                             .steps = players_.steps,
                             .measured = findings_.before.best});
  return {};
}

// ---- the search ----

Box Study::box_around(const std::vector<double>& centre, double radius) const {
  Box box;
  for (std::size_t k = 0; k < centre.size(); ++k) {
    const Tunable& t = targets_.tunables[k];
    const double step = static_cast<double>(spec_.parameters[t.parameter].step);
    const double reach = std::max(radius * (t.high - t.low), 1.01 * step);
    box.low.push_back(std::max(t.low, centre[k] - reach));
    box.high.push_back(std::min(t.high, centre[k] + reach));
  }
  return box;
}

std::vector<const MatchResult*> Study::within(const Box& box, std::span<const MatchResult> results) const {
  std::vector<const MatchResult*> kept;
  for (const MatchResult& r : results) {
    bool inside = true;
    for (std::size_t k = 0; k < box.low.size() && inside; ++k) {
      const Tunable& t = targets_.tunables[k];
      const double value = static_cast<double>(r.parameters[t.parameter]), slack = 1e-5 * (t.high - t.low);
      inside = value >= box.low[k] - slack && value <= box.high[k] + slack;
    }
    if (inside) kept.push_back(&r);
  }
  return kept;
}

std::vector<const MatchResult*> Study::about(const std::vector<double>& centre, double radius,
                                             std::span<const MatchResult> results) const {
  std::vector<const MatchResult*> kept;
  for (double reach = kFitted * radius; kept.size() < kFittedMatches; reach *= 1.5) {
    kept = within(box_around(centre, reach), results);
    if (reach >= 1) break;
  }
  return kept;
}

Result<void> Study::search() {
  const Result<StudyPlayer> instrument = stages_.train({.name = "instrument",
                                                        .title = "one player for all variants",
                                                        .settings = stages_.settings(),
                                                        .drawn = true,
                                                        .share = kInstrument,
                                                        .times = 2,
                                                        .seed = options_.seed + kInstrumentSeed});
  if (!instrument) return instrument.error();
  if (stopping()) return {};
  const Result<std::vector<std::optional<StudyPlayer>>> weaker = stages_.bands(instrument.value());
  if (!weaker) return weaker.error();
  // The levels of skill that are asked for: the best, number 0, then kBands.
  struct Level {
    const StudyPlayer* player;
    std::string suffix;
    std::vector<MatchResult> results;
    std::optional<Surface> surface;
  };
  std::vector<Level> levels = {{&instrument.value(), "", {}, {}}};
  std::vector<int> level_of(std::size(kBands), -1);
  for (std::size_t b = 0; b < std::size(kBands); ++b) {
    if (std::none_of(targets_.targets.begin(), targets_.targets.end(),
                     [b](const Target& t) { return t.band == static_cast<int>(b); }))
      continue;
    level_of[b] = static_cast<int>(levels.size());
    const std::optional<StudyPlayer>& player = weaker.value()[b];
    levels.push_back({player ? &*player : &instrument.value(), std::string("-") + kBands[b], {}, {}});
  }
  Result<std::vector<MatchResult>> others = stages_.merged("search");
  if (!others) return others.error();
  levels[0].results = std::move(others.value());
  const auto surfaces = [&] {
    Surfaces of{.best = &*levels[0].surface};
    for (std::size_t b = 0; b < std::size(kBands); ++b)
      if (level_of[b] >= 0) of.bands[b] = &*levels[index(level_of[b])].surface;
    return of;
  };

  std::vector<double> centre;
  for (const Tunable& t : targets_.tunables) centre.push_back(t.from);
  const double seconds =
      options_.steps > 0 ? 0 : 60 * kSearch * options_.minutes / static_cast<double>(std::size(kRadii) * levels.size());
  for (std::size_t round = 0; round < std::size(kRadii); ++round) {
    const Box box = box_around(centre, kRadii[round]);
    for (std::size_t l = 0; l < levels.size(); ++l) {
      Level& level = levels[l];
      Result<std::vector<MatchResult>> results =
          stages_.play_within({.name = fmt::format("search-{}{}", round + 1, level.suffix),
                               .title = fmt::format("search, round {} of {}", round + 1, std::size(kRadii)),
                               .settings = stages_.settings(),
                               .key = key_.split(kSearchKey).split(round).split(l)},
                              *level.player, box, seconds);
      if (!results) return results.error();
      if (stopping()) return {};
      level.results.insert(level.results.end(), results->begin(), results->end());
      level.surface.emplace(targets_.tunables, centre, stages_.picks().options(),
                            about(centre, kRadii[round], level.results));
    }
    centre = choose(spec_, targets_, surfaces(), box, propose(spec_, targets_, surfaces(), box)).values;
  }
  if (Result<void> kept = stages_.keep("search", levels[0].results); !kept) return kept;  // for other machines

  for (Level& level : levels)
    level.surface.emplace(targets_.tunables, centre, stages_.picks().options(),
                          about(centre, kCheckRadius, level.results));

  // Fresh players, who know that one variant only, say how far the instrument is off there.
  Correction correction(stages_.picks().options());
  for (int check = 1; check <= kChecks; ++check) {
    const std::string name = fmt::format("check-{}", check);
    const std::string title = fmt::format("fresh players of the proposal ({} of at most {})", check, kChecks);
    const Settings settings = stages_.with(centre);
    const Result<StudyPlayer> fresh =
        stages_.train({.name = name,
                       .title = title,
                       .settings = settings,
                       .share = kFresh,
                       .seed = options_.seed + kCheckSeed + static_cast<std::uint64_t>(check)});
    if (!fresh) return fresh.error();
    if (stopping()) return {};
    std::vector<Measured> seen;
    for (const auto& [player, file] :
         {std::pair(&fresh.value(), name), std::pair(&instrument.value(), name + "-instrument")}) {
      const Result<std::vector<MatchResult>> results =
          stages_.play({.name = file,
                        .title = title,
                        .settings = settings,
                        .per_cell = std::max<std::int64_t>(kBandMatches, options_.cell_matches / 2),
                        .key = key_.split(kCheckKey).split(static_cast<std::uint64_t>(check))},
                       *player);
      if (!results) return results.error();
      if (stopping()) return {};
      seen.push_back(stages_.measured(results.value()));
    }
    correction.add(seen[0], seen[1]);
    correction.apply(*levels[0].surface);
    const Box box = box_around(centre, kCheckRadius);
    const Variant here = expected(targets_, surfaces(), centre);
    const Variant next = choose(spec_, targets_, surfaces(), box, propose(spec_, targets_, surfaces(), box));
    // A variant that is good already stays, unless a clearly smaller change would do: else it would follow the noise.
    const bool stays = here.violation == 0 && next.size >= 0.98 * here.size;
    if (!stays) centre = next.values;
    if (stays) break;
  }
  const Variant chosen = expected(targets_, surfaces(), centre);
  findings_.surface = levels[0].surface;

  // The front is of all the search's matches together: less exact about the proposal, but it reaches from no change to
  // the largest.
  Box whole;
  std::vector<double> from;
  for (const Tunable& t : targets_.tunables)
    whole.low.push_back(t.low), whole.high.push_back(t.high), from.push_back(t.from);
  for (Level& level : levels)
    level.surface.emplace(targets_.tunables, from, stages_.picks().options(), within(whole, level.results));
  correction.apply(*levels[0].surface);
  findings_.front = propose(spec_, targets_, surfaces(), whole);
  findings_.front.push_back(chosen);
  findings_.bias = correction.bias();
  findings_.proposal = std::move(centre);
  return {};
}

// ---- the verdict ----

Result<void> Study::verdict() {
  const std::string title = "verdict by players who had no part in the search";
  const Settings settings = stages_.with(findings_.proposal);
  const Result<StudyPlayer> fresh = stages_.train(
      {.name = "after", .title = title, .settings = settings, .share = kFresh, .seed = options_.seed + kVerdictSeed});
  if (!fresh) return fresh.error();
  if (stopping()) return {};
  // The same keys as before the change: the same luck.
  const Result<std::vector<MatchResult>> results = stages_.play({.name = "after",
                                                                 .title = title,
                                                                 .settings = settings,
                                                                 .per_cell = options_.cell_matches,
                                                                 .key = key_.split(kVerdictKey)},
                                                                fresh.value());
  if (!results) return results.error();
  if (stopping()) return {};
  Levels after{.best = stages_.measured(results.value())};
  const Result<std::vector<std::optional<StudyPlayer>>> weaker = stages_.bands(fresh.value());
  if (!weaker) return weaker.error();
  for (std::size_t b = 0; b < std::size(kBands); ++b) {
    after.bands[b] = after.best;
    if (!weaker.value()[b]) continue;
    const Result<std::vector<MatchResult>> played = stages_.play({.name = std::string("after-") + kBands[b],
                                                                  .title = kBands[b],
                                                                  .settings = settings,
                                                                  .per_cell = kBandMatches,
                                                                  .key = key_.split(kBandKey).split(b + 1)},
                                                                 *weaker.value()[b]);
    if (!played) return played.error();
    if (stopping()) return {};
    after.bands[b] = stages_.measured(played.value());
  }
  findings_.after = std::move(after);
  return {};
}

// ---- besides ----

// What perfect play is worth to the side that goes first, where the whole game is small enough to be solved; the tree
// knows the default settings only.
void Study::solve() {
  constexpr double kHistories = 400'000, kVisits = 1e8;
  constexpr int kNodes = 600'000;
  if (!(stages_.settings() == default_settings(spec_)) || !(estimated_histories(game_.make_batch) < kHistories)) return;
  const Result<GameTree> tree = game_tree(game_.make_batch, {.nodes = kNodes});
  if (!tree) return;
  const double iterations = std::clamp(kVisits / static_cast<double>(tree.value().nodes.size()), 50.0, 2000.0);
  const TreePolicy policy = cfr_plus(tree.value(), static_cast<int>(iterations));
  findings_.exact = {policy_values(tree.value(), policy)[0], nash_conv(tree.value(), policy)};
}

// Matches of the option that wins most as the game is, against those that it beats most often; in teams, and without
// choices, any.
Result<void> Study::record_replays() {
  const WinRates& rates = findings_.before.best.rates;
  const int n = spec_.seats == 2 ? rates.options() : 0;
  int strongest = 0;
  std::vector<int> rivals;
  for (int i = 1; i < n; ++i)
    if (rates.overall(i).rate > rates.overall(strongest).rate) strongest = i;
  for (int j = 0; j < n; ++j)
    if (j != strongest) rivals.push_back(j);
  std::sort(rivals.begin(), rivals.end(),
            [&](int a, int b) { return rates(strongest, a).rate > rates(strongest, b).rate; });
  if (rivals.empty()) rivals.push_back(-1);
  if (rivals.size() > kReplays) rivals.resize(kReplays);
  const std::vector<MakeAgent> agents = {stages_.makers(players_).front()};
  for (std::size_t r = 0; r < rivals.size(); ++r) {
    const int rival = rivals[r];
    const auto setup = [&](std::int64_t pair, Key key) {
      PairSetup both = stages_.picks().setup(stages_.settings(), pair, key);
      if (rival >= 0) {
        int* picks = both.settings.picks.data() + targets_.choice * spec_.seats;
        picks[0] = strongest, picks[1] = rival;
      }
      return both;
    };
    Result<Measurement> played =
        measure(game_, agents, key_.split(kReplayKey).split(r),
                {.choice = targets_.choice, .pairs = 1, .setup = setup, .threads = 1, .replays = 1});
    if (!played) return played.error();
    const auto name = [&](int option) { return spec_.choices[targets_.choice].options[option]; };
    for (Replay& replay : played->replays)
      replays_.push_back({rival >= 0 ? name(strongest) + " against " + name(rival) : "a match", std::move(replay)});
  }
  return {};
}

Result<StudyReport> Study::run() {
  if (spec_.team_count() != 2)
    return Error{fmt::format("{} is a game of {} side{}: `rival balance` compares two", spec_.name, spec_.team_count(),
                             spec_.team_count() == 1 ? "" : "s"),
                 Error::Kind::usage};
  if (!options_.real.empty()) {  // before hours of work
    const Result<std::string> text = read_file(options_.real);
    if (!text) return text.error();
    const Result<std::vector<MatchResult>> real = read_results(spec_, targets_.choice, text.value(), options_.real);
    if (!real) return real.error();
    findings_.real = {options_.real, real.value().size(), stages_.measured(real.value())};
  }
  constexpr std::int64_t kMostWeights = 6000;
  if (searches() && Surface::weights(targets_.tunables, stages_.picks().options()) > kMostWeights)
    return Error{
        fmt::format("{} parameters and {} choices are more than the search can take: keep some parameters from "
                    "changing ([parameters] in the targets), or ask for --only-measure",
                    targets_.tunables.size(), stages_.picks().options()),
        Error::Kind::usage};
  if (Result<void> opened = stages_.open(); !opened) return opened.error();
  const auto stopped = [&]() -> Result<StudyReport> {
    if (Result<void> saved = stages_.save(); !saved) return saved.error();
    return StudyReport{.json = {{"stopped", true}}, .stopped = true};
  };
  if (Result<void> studied = study_before(); !studied) return studied.error();
  if (stopping()) return stopped();
  const bool missed = findings_.skilled && measurably_missed(targets_, findings_.before);
  if (missed && searches()) {
    if (hooks_.on_message) hooks_.on_message("Targets are missed: looking for the smallest change that meets them");
    if (Result<void> searched = search(); !searched) return searched.error();
    if (stopping()) return stopped();
    if (!changes(spec_, targets_, findings_.proposal).empty()) {
      if (Result<void> judged = verdict(); !judged) return judged.error();
      if (stopping()) return stopped();
    } else {
      findings_.warnings.push_back("the search found no change that would bring the game closer to the targets");
    }
  } else if (missed && options_.search && targets_.tunables.empty()) {
    findings_.warnings.push_back("targets are missed, and the game has no parameters that may change");
  }
  if (targets_.choice < 0) solve();
  if (Result<void> recorded = record_replays(); !recorded) return recorded.error();
  StudyReport report{.json = to_json(spec_, targets_, findings_), .replays = std::move(replays_)};
  if (findings_.after) report.changes = changes(spec_, targets_, findings_.proposal);
  report.json["temperature"] = stages_.temperature();
  report.json["seed"] = options_.seed;
  report.json["matches"] = stages_.matches();
  report.json["seconds"] = stages_.seconds();
  report.json["spent"] = {{"matches", stages_.matches()},
                          {"seconds", stages_.seconds()},
                          {"trainings", stages_.trainings()},
                          {"steps", stages_.steps()}};
  report.json["stopped"] = false;
  const std::string text = json_text(report.json, 1) + "\n";
  if (Result<void> saved = write_file_atomically(options_.folder + "/report.json", text); !saved) return saved.error();
  if (Result<void> saved = stages_.save(); !saved) return saved.error();
  return report;
}

}  // namespace

Result<StudyReport> run_study(const GameEntry& game, const StudyOptions& options, const StudyHooks& hooks) {
  return Study(game, options, hooks).run();
}

}  // namespace rival::balance
