// rival watch PLAYER|REPLAY --out FILE: a match as a page to look at.

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/file.hpp"
#include "base/index.hpp"
#include "cli/command.hpp"
#include "cli/player.hpp"
#include "cli/settings.hpp"
#include "match/match.hpp"
#include "report/watch_page.hpp"

namespace rival::cli {
namespace {

struct Options {
  std::string what, out, against, game, save;
  std::uint64_t seed = 1;
  std::optional<float> temperature;
  int opening = 0;
  MatchSetup setup;
};

// What the players of the first match expected, [steps][teams].
struct Notes {
  std::vector<std::vector<float>> values;
  bool acted = false;  // in the match being played; one that ends before anybody is asked is drawn anew
  int matches = 0;     // finished ones
};

// Lets a player play, and notes what it expects.
class Witness final : public Agent {
 public:
  Witness(Player& player, const Spec& spec, Notes& notes) : player_(player), spec_(spec), notes_(notes) {}

  std::string name() const override { return player_.agent->name(); }
  void act(const Decisions& decisions, Key key, std::int32_t* choices, float* values) override {
    notes_.acted = true;
    values_.resize(decisions.batch->rows());
    if (notes_.matches == 0 && player_.agent->estimate(decisions, values_.data())) note(decisions);
    player_.agent->act(decisions, key, choices, values);
  }
  void match_started(int match) override {
    notes_.matches += notes_.acted;
    notes_.acted = false;
    player_.agent->match_started(match);
  }

 private:
  void note(const Decisions& decisions) {
    const std::size_t step = decisions.batch->steps(0);
    const std::size_t teams = spec_.team_count();
    std::vector<double> sum(teams);
    std::vector<int> count(teams);
    for (int row : decisions.rows) {
      const std::size_t team = spec_.team_of(decisions.seats[row]);
      sum[team] += static_cast<double>(values_[row]);
      ++count[team];
    }
    std::vector<std::vector<float>>& values = notes_.values;
    if (values.size() <= step) values.resize(step + 1, std::vector<float>(teams, NAN));
    for (std::size_t team = 0; team < teams; ++team)
      if (count[team] > 0) values[step][team] = static_cast<float>(sum[team] / count[team]);
  }

  Player& player_;
  const Spec& spec_;
  Notes& notes_;
  std::vector<float> values_;  // [rows] of the present step
};

// A player's name on the page: a bot's without the folders above its run, for they are nobody's business.
std::string short_name(const std::string& player) {
  const std::filesystem::path path = std::filesystem::path(player).lexically_normal();
  const std::filesystem::path last = path.has_filename() ? path : path.parent_path();
  if (last.extension() != ".safetensors") return last.filename().string();
  const std::filesystem::path folder = last.parent_path();
  const std::string run = (folder.filename() == "bots" ? folder.parent_path() : folder).filename().string();
  return (run.empty() ? "" : run + "/") + last.stem().string();
}

// What is shown, with what it points to.
struct Shown {
  Replay replay;
  std::vector<std::string> players;
  std::vector<std::vector<float>> values;
};

// One match, played now.
Result<Shown> play(const Options& options, const GameEntry& game) {
  Shown shown;
  Result<Player> player = load_player(game, options.what, options.temperature);
  if (!player) return player.error();
  const std::string& against = options.against.empty() ? options.what : options.against;
  Result<Player> opponent = load_player(game, against, options.temperature);
  if (!opponent) return opponent.error();
  const Player& known = player->bot.rules ? *player : *opponent;
  const MatchSettings settings = match_settings_or_usage(game.spec, options.setup, known.settings(game.spec));
  Notes notes;
  Witness first(player.value(), game.spec, notes), second(opponent.value(), game.spec, notes);
  MatchOptions match{.matches = 1};
  match.settings = settings;
  match.batch = 1;
  match.opening = options.opening;
  match.replays = 1;
  Result<MatchSummary> played = play_matches(game, first, &second, Key(options.seed), match);
  if (!played) return played.error();
  shown.replay = std::move(played->replays.at(0));
  for (int seat = 0; seat < game.spec.seats; ++seat)
    shown.players.push_back(short_name(game.spec.team_of(seat) == 0 ? options.what : against));
  shown.values = std::move(notes.values);
  if (!shown.values.empty())
    shown.values.resize(shown.replay.steps(), std::vector<float>(index(game.spec.team_count()), NAN));
  return shown;
}

bool is_replay(std::string_view bytes) {
  return bytes.starts_with("RVREPLAY");
}

Result<Outcome> watch(const Options& options, const Games& games, Console& console) {
  const Result<PathKind> kind = path_kind(options.what);
  if (!kind) return kind.error();
  Result<std::string> bytes = kind.value() == PathKind::file ? read_file(options.what) : std::string();
  if (!bytes) return bytes.error();
  Shown shown;
  Result<GameEntry> game = Error{};
  if (is_replay(*bytes)) {
    if (!options.against.empty() || !options.setup.empty())
      wrong_usage({"a replay has been played already: --against, --parameter and --pick are for players"});
    Result<Replay> replay = parse_replay(std::as_bytes(std::span(bytes->data(), bytes->size())), options.what);
    if (!replay) return replay.error();
    shown.replay = std::move(*replay);
    game = games.open({shown.replay.game, "", options.what}, options.game);
    if (!game) return game.error();
  } else {
    game = game_of(games, options.what, options.game);
    if (!game) return game.error();
    Result<Shown> played = play(options, *game);
    if (!played) return played.error();
    shown = std::move(*played);
  }
  Result<std::string> page = watch_page({&shown.replay, game->make_batch, shown.players, shown.values});
  if (!page) return page.error();
  if (Result<void> written = write_file_atomically(options.out, page.value()); !written) return written.error();
  if (!options.save.empty()) {
    const std::vector<std::byte> replay = serialize(shown.replay);
    if (Result<void> written =
            write_file_atomically(options.save, {reinterpret_cast<const char*>(replay.data()), replay.size()});
        !written)
      return written.error();
  }
  console.print("{}: {} steps, {} KB; open it in a browser\n", console.bold(options.out), grouped(shown.replay.steps()),
                (page->size() + 1023) / 1024);
  return Outcome{{{"game", game->spec.name},
                  {"out", options.out},
                  {"steps", shown.replay.steps()},
                  {"bytes", page->size()},
                  {"replay_bytes", serialize(shown.replay).size()}}};
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("WHAT", &options->what,
                "A replay, a bot's file, a run's folder, or with --game a scripted player of the game or search:N",
                {.required = true});
  arguments.add("--out", &options->out, "The page's file, which needs nothing else", {.required = true});
  arguments.add("--against", &options->against, "Who plays the other teams; default: the same");
  arguments.add("--seed", &options->seed, "The same seed plays the same match");
  arguments.add("--opening", &options->opening, "Begin with this many random steps",
                {.low = 0, .high = kLongestOpening});
  arguments.add("--temperature", &options->temperature,
                "How bots play: 1 as trained, 0 the most likely choice; default 1 where play must be mixed, else 0",
                {.low = 0, .high = kHottest});
  arguments.add("--game", &options->game,
                "The game, from elsewhere than where a bot says, or when WHAT is a scripted player");
  arguments.add("--save", &options->save, "Also write the match as a replay");
  add_setup(arguments, options->setup);
  return [options, &games](Console& console) { return watch(*options, games, console); };
}

}  // namespace

Command watch_command() {
  return {"watch",
          "a match as a page to look at",
          {{"watch runs/demo --out match.html"},
           {"watch runs/demo --against random --out match.html"},
           {"watch random --game {} --seed 3 --out match.html", "connect_four"},
           {"watch replays/match-0000.replay --out match.html"}},
          declare};
}

}  // namespace rival::cli
