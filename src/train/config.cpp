#include "train/config.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/number.hpp"
#include "game/spec.hpp"

namespace rival {
namespace {

// What a preset chooses for an option: a value, or what follows from the Spec.
template <typename T>
struct Cell {
  T value{};
  T (*of)(const Spec&) = nullptr;
  std::string words;  // for people, where the value does not say it

  template <std::convertible_to<T> U>
  Cell(U chosen) : value(chosen) {}
  Cell(T chosen, std::string text) : value(chosen), words(std::move(text)) {}
  Cell(T (*function)(const Spec&), std::string text) : of(function), words(std::move(text)) {}
};

template <typename T>
struct Presets {
  Cell<T> one_team, several_teams, mixed_play, real_time;

  const Cell<T>& operator[](Preset preset) const {
    const Cell<T>* const cells[kPresets] = {&one_team, &several_teams, &mixed_play, &real_time};
    return *cells[static_cast<std::size_t>(preset)];
  }
};

template <typename T>
Presets<T> in_all(const Cell<T>& cell) {
  return {cell, cell, cell, cell};
}

// Numbers are left open by the least value that their range allows (0 or -1), the others by being empty.
template <typename T>
bool is_open(const T& option, double low) {
  if constexpr (std::is_arithmetic_v<T>)
    return low < 0 ? !(option >= 0) : !(option > 0);
  else if constexpr (std::is_same_v<T, std::vector<int>>)
    return option.empty();
  else
    return !option.value;
}

class Table {
 public:
  template <typename T>
  void add(std::string key, T& option, std::string help, Range<double> range = {}) {
    options.push_back({{std::move(key), &option, std::move(help), range.low, range.high}});
  }

  template <typename T>
  void add(std::string key, T& option, std::string help, Range<double> range,
           std::type_identity_t<Presets<T>> presets) {
    std::string open = "auto";
    if constexpr (std::is_arithmetic_v<T>) open = range.low < 0 ? "-1" : "0";
    if constexpr (std::is_same_v<T, std::vector<int>>) open = "none";
    add(std::move(key), option, help + "; " + open + ": chosen from what the game says", range);
    TrainOption& added = options.back();
    for (std::size_t i = 0; i < kPresets; ++i) {
      Cell<T> cell = presets[static_cast<Preset>(i)];
      added.chosen[i] = cell.words.empty() ? value_text({"", &cell.value, ""}) : cell.words;
    }
    added.choose = [&option, low = range.low, presets = std::move(presets)](const Spec& spec) {
      if (!is_open(option, low)) return;
      const Cell<T>& cell = presets[preset_of(spec)];
      option = cell.of ? cell.of(spec) : cell.value;
    };
  }

  std::vector<TrainOption> options;
};

// The further ahead a reward is that matters, the closer to 1: some minutes in real time.
constexpr double kSecondsAhead = 150;
double real_time_discount(const Spec& spec) {
  return 1 - std::min(0.1, static_cast<double>(spec.seconds_per_step) / kSecondsAhead);
}

// Choices at once in a match of more steps are for the most part decided by where one stands, not by what one guesses
// of the other: the small steps that approach a mixed equilibrium would hardly begin to learn where to stand.
constexpr int kFewSteps = 16;

template <int Percent>
double among_mates(const Spec& spec) {
  return spec.team_count() < spec.seats ? Percent / 100.0 : 0;
}

}  // namespace

Preset preset_of(const Spec& spec) {
  const bool teams = spec.team_count() > 1;
  if (teams && spec.seconds_per_step > 0) return Preset::real_time;
  const bool guessing = spec.simultaneous && spec.max_steps <= kFewSteps;  // or not known
  if (teams && (spec.hidden_information || guessing)) return Preset::mixed_play;
  return teams ? Preset::several_teams : Preset::one_team;
}

std::string to_string(Preset preset) {
  constexpr const char* kNames[kPresets] = {"one team", "several teams", "mixed play", "teams in real time"};
  return kNames[static_cast<std::size_t>(preset)];
}

// The one table of options: name, help, range, and in {} what is chosen with one team, with several teams, where
// play must be mixed, and by teams in real time.
//
// Where information is hidden, or both choose at once a few times, good play is mixed: it is approached by small steps
// from large batches, under an entropy bonus that keeps every choice alive and falls slowly. Elsewhere large steps find
// good moves sooner. In real time there is more experience than can be learnt from: it is used fewer times, in large
// batches.
std::vector<TrainOption> train_options(TrainConfig& c) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kLowest = std::numeric_limits<double>::lowest();
  const Cell<std::vector<int>> by_size{std::vector<int>{}, "64x64; 128x128 above 32 observed numbers"};
  // As past.hpp measures.
  const Cell<int> remembering{0, "128 with hidden information that is not shown again, else 0"};
  Table t;
  t.add("minutes", c.minutes, "the run ends after so many minutes; 0: no limit; without any limit the program takes 1",
        {0, 1e6});
  t.add("steps", c.steps, "the run ends after so many decisions of seats, such as 5e6; 0: no limit", {0, 9e15});
  t.add("until_score", c.until_score, "the run ends when the mean score of the last 100 episodes is this; inf: never",
        {kLowest, kInfinity});
  t.add("patience", c.patience,
        "the run ends after so many evaluations in a row (of ten) that show no better player; 0: it does not",
        {0, 1e6});
  t.add("seed", c.seed, "names all randomness of the run: same seed, options and budget in steps, same bytes",
        {0, static_cast<double>(kLargestSeed)});
  t.add("threads", c.threads,
        "how many; 0: one per processor; at most 8 are used, and results do not depend on their number", {0, 256});
  t.add("hidden", c.network.hidden, "widths of the network's layers, such as 128x128", {1, 8192},
        {by_size, by_size, by_size, std::vector{64, 64}});  // in real time more experience beats more width
  t.add("memory", c.network.memory, "width of the recurrent memory, equal to the last hidden width; 0: none",
        {-1, 8192},
        {remembering,
         0,
         remembering,
         {[](const Spec& spec) { return spec.hidden_information ? -1 : 0; },
          "the last hidden width with hidden information, else 0"}});
  t.add("memory_span", c.memory_span,
        "of a new memory: its units fade within two to so many decisions, evenly by their logarithm; 1: all within two",
        {0, 1e6}, {200, 200, 200, 1});
  t.add("grid", c.network.grid, "how grids are read; auto convolves those of more than 1024 numbers");
  t.add("entity", c.network.entity, "width of the encoding of entities, in games that have them", {1, 1024});
  t.add("entity_inner", c.network.entity_inner,
        "width of the first of two layers that read each entity along with what else is seen; 0: one reads it alone",
        {-1, 1024}, {32, 32, 32, 0});
  t.add("precision", c.precision, "of matrix products; auto: bf16 where the processor has it");
  t.add("backend", c.backend, "what computes the network");
  t.add("parameters", c.parameters,
        "of the game's rules, as \"name=value,name=value\"; the others keep their defaults; name=low..high, name=a,b,c "
        "or name=any is drawn for every match, and seen by the player; all=any: all of them");
  t.add("picks", c.picks,
        "before every match, as \"hero=a\" for all seats, \"team0.hero=a,b\" for a team's, \"3.hero=a\" for one, or "
        "several "
        "of these after commas; the others are drawn");
  t.add("reaction_ms", c.reaction_ms, "how long the player takes to react; 0: no time", {0, 10'000});
  t.add("actions_per_minute", c.actions_per_minute, "the most the player makes; 0: any number", {0, 1e6});
  t.add("rows", c.rows, "decisions made at once, over all matches", {0, 1 << 20}, {512, 512, 512, 2560});
  t.add("horizon", c.horizon, "most decisions per row in an iteration", {0, 4096}, {32, 32, 128, 32});
  t.add("epochs", c.epochs, "passes over each iteration's experience", {0, 100}, {4, 4, 2, 1});
  t.add("minibatches", c.minibatches, "updates per pass", {0, 1024}, {4, 4, 4, 8});
  t.add("learning_rate", c.learning_rate, "of Adam, at the start", {0, 1}, {3e-3, 3e-3, 7e-4, 1e-3});
  t.add("discount", c.discount, "of future reward per step of a match", {0, 1},
        {0.99,
         1,
         {[](const Spec& spec) { return spec.team_count() > 1 ? 1 : 0.99; }, "1 with several teams, else 0.99"},
         {real_time_discount, "1 - seconds per step / " + shortest(kSecondsAhead) + ", at least 0.9"}});
  // What lies beyond a cut is only guessed at: the longer the sum of such guesses, the noisier it is.
  t.add(
      "look_ahead", c.look_ahead,
      "how far ahead reward counts at most, as a share of the length at which most matches are cut short (truncated): "
      "the discount in force is at most 1 - 1 / that many steps; 0: whatever the length",
      {-1, 100}, in_all<double>({[](const Spec&) { return 0.3; }, "0.3, or 0 where `discount` is set"}));
  t.add("lambda", c.lambda, "of generalised advantage estimation", {0, 1});
  t.add("clip", c.clip, "how far a probability ratio may move", {0.001, 10});
  t.add("entropy", c.entropy, "weight of the entropy bonus at the start", {-1, 10}, {0.03, 0.1, 0.2, 0.01});
  t.add("entropy_end", c.entropy_end, "weight of the entropy bonus at the end", {-1, 10}, {0.003, 0.01, 0.02, 0.001});
  t.add("value", c.value, "weight of the value loss", {0, 100});
  t.add("gradient_norm", c.gradient_norm, "longest gradient", {1e-6, 1e6});
  // A mean over some time is also a mean of the strategies that chase each other.
  t.add("averaged_share", c.averaged_share,
        "of the updates so far, the last of them, over which a player's parameters are the mean", {0, 1},
        {0.1, 0.1, 0.1, 0.25});
  // Playing past selves, and from positions that random moves led to, teaches what to do against any play. Where
  // play is mixed (but in real time) both pull away from equilibrium, since how one got here is part of what
  // one knows.
  t.add("opening_share", c.opening_share, "of the matches that begin with moves at random", {-1, 1}, {0, 0.8, 0, 0});
  // Where there is nobody to show what is possible.
  t.add(
      "explorer_share", c.explorer_share,
      "of the matches that are played at random, each action held for a while, as long as that reaches what the player "
      "does not",
      {-1, 1}, {0.125, 0, 0, 0});
  // At first a seat learns from what it did itself; in the end all that counts is the team.
  t.add("team_spirit", c.team_spirit, "share of a seat's reward that is its team's mean, at the start", {-1, 1},
        in_all<double>({among_mates<20>, "0.2 in teams of several seats, else 0"}));
  t.add("team_spirit_end", c.team_spirit_end, "share of a seat's reward that is its team's mean, at the end", {-1, 1},
        in_all<double>({among_mates<80>, "0.8 in teams of several seats, else 0"}));
  // What both sides can gather for themselves is worth something as far as one gathers more of it.
  t.add("rivalry", c.rivalry, "share of the mean reward of the other teams that is taken from a seat's", {-1, 1},
        {0, 0, 0, 1});
  t.add("past_share", c.past_share, "of the matches that are against past selves and exploiters", {-1, 1},
        {0, 0.2, 0, 0.6});
  // In real time strategies beat each other in circles: those who win are met again until they do not.
  t.add("matchmaking", c.matchmaking,
        "who of them: all alike (uniform), those who still win (hard), or those on a level (even)", {},
        {Matchmaking::uniform, Matchmaking::uniform, Matchmaking::uniform, Matchmaking::hard});
  t.add("anchor_share", c.anchor_share, "of these matches, those that are against the game's scripts instead", {0, 1});
  t.add("exploiter_share", c.exploiter_share,
        "of all decisions, those of exploiters, who search for holes in the player and then join the opponents",
        {0, 0.5});
  return std::move(t.options);
}

std::vector<OptionRow> option_rows(TrainConfig& config) {
  std::vector<OptionRow> rows;
  for (TrainOption& option : train_options(config)) rows.push_back(std::move(option.row));
  return rows;
}

Result<ResolvedConfig> resolve(const TrainConfig& config, const Spec& spec) {
  ResolvedConfig r;
  r.options = config;
  r.settings = default_settings(spec);
  for (const Result<void>& set :
       {draw_parameters(spec, split_assignments(config.parameters), "parameters: ", r.settings),
        set_picks(spec, split_assignments(config.picks), "picks: ", r.settings.fixed)})
    if (!set) return set.error();
  if (config.reaction_ms > 0 || config.actions_per_minute > 0) {
    const auto limits = limits_for(spec, config.reaction_ms, config.actions_per_minute);
    if (!limits) return limits.error();
    r.limits = limits.value();
  }
  if (config.discount > 0 && config.look_ahead < 0) r.options.look_ahead = 0;
  for (const TrainOption& option : train_options(r.options))
    if (option.choose) option.choose(spec);
  if (spec.team_count() > 1)
    r.options.explorer_share = 0;
  else  // nobody to play against
    r.options.past_share = r.options.opening_share = r.options.rivalry = 0;
  r.preset = preset_of(spec);
  r.hot_opponents = r.preset != Preset::real_time;
  r.precision = config.precision.value.value_or(best_precision());
  if (r.precision == Precision::bf16 && best_precision() != Precision::bf16)
    return Error{"precision bf16 is not supported by this processor (" + isa_name() + "); use --precision auto or f32"};
  return r;
}

}  // namespace rival
