// rival eval BOT --against NAME: how well a player plays, with intervals.

#include <algorithm>

#include "base/file.hpp"
#include "base/names.hpp"
#include "base/number.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"
#include "cli/player.hpp"
#include "cli/settings.hpp"
#include "game/replay.hpp"
#include "game/spec.hpp"
#include "match/match.hpp"
#include "search/best_response.hpp"
#include "search/search.hpp"

namespace rival::cli {
namespace {

struct Options {
  std::string player, against = "random", game, replays;
  std::optional<int> matches;
  int positions = 1000;
  std::uint64_t seed = 1;
  std::optional<float> temperature;
  std::optional<int> opening;
  MatchSetup setup;
};

// The judge of that name; a best response is one of any game, which says itself if the game is too large.
std::optional<Judge> find_judge(const GameEntry& game, const std::string& name) {
  for (const Judge& judge : game.judges)
    if (judge.name == name) return judge;
  Judge best_response = best_response_judge(game.make_batch);
  if (best_response.name == name) return best_response;
  return {};
}

// Whom to play against: the named player, or, when only a judge has that name, random.
Result<Player> find_opponent(const GameEntry& game, const std::string& name, std::optional<float> temperature) {
  if (find_judge(game, name) && !make_scripted(game, name)) return load_player(game, "random");
  if (!make_scripted(game, name) && !is_search(name) && !is_path(name)) {
    std::vector<std::string> known = scripted_names(game);
    for (const Judge& judge : judges_of(game)) known.push_back(judge.name);
    wrong_usage(unknown_name("opponent", name, known));
  }
  return load_player(game, name, temperature);
}

Result<void> save_replays(const std::string& folder, const std::vector<Replay>& replays) {
  if (Result<void> made = make_directories(folder); !made) return made;
  for (std::size_t i = 0; i < replays.size(); ++i) {
    const std::vector<std::byte> bytes = serialize(replays[i]);
    const std::string path = fmt::format("{}/match-{:04}.replay", folder, i);
    if (Result<void> written = write_file_atomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        !written)
      return written;
  }
  return {};
}

void print_matches(Console& console, const Spec& spec, const MatchSummary& sum, const std::string& opponent,
                   int opening) {
  const Interval& interval = sum.score.interval;
  if (spec.team_count() == 1) {
    console.print("{} matches: mean return {} (95% interval {} to {}), {:.1f} steps each\n", grouped(sum.matches),
                  console.bold(with_decimals(sum.score.value, 2)), with_decimals(interval.low, 2),
                  with_decimals(interval.high, 2), sum.mean_steps);
    return;
  }
  console.print("{} matches against {}{}: {} won, {} drawn, {} lost\n", grouped(sum.matches), opponent,
                opening > 0 ? fmt::format(", after {} random moves", opening) : "", grouped(sum.wins),
                grouped(sum.draws), grouped(sum.losses));
  console.print("score {} (95% interval {:.1f} to {:.1f}%)",
                console.bold(fmt::format("{:.1f}%", 100 * sum.score.value)), 100 * interval.low, 100 * interval.high);
  for (std::size_t team = 0; team < sum.score_by_team.size(); ++team)
    console.print("{} {:.1f}% {}", team == 0 ? ":" : ",", 100 * sum.score_by_team[team].value,
                  spec.simultaneous || spec.team_count() > 2 ? fmt::format("in seat {}", team)
                  : team == 0                                ? "going first"
                                                             : "going second");
  console.print("\n");
  if (!sum.returns_are_results)
    console.print("return {} (95% interval {} to {})\n", with_sign(sum.mean_return.value, 3),
                  with_sign(sum.mean_return.interval.low, 3), with_sign(sum.mean_return.interval.high, 3));
  if (sum.distinct <= spec.team_count() && sum.matches > spec.team_count())
    console.print("note: both always do the same, so this is one match over and over; try --opening 4\n");
}

// A line per figure, its value first; those named NAME_low and NAME_high are the interval of NAME.
void print_figures(Console& console, const std::vector<Judgement::Figure>& figures) {
  const auto find = [&figures](const std::string& name) {
    return std::find_if(figures.begin(), figures.end(), [&name](const Judgement::Figure& f) { return f.name == name; });
  };
  const auto text = [](const Judgement::Figure& figure, double value) {
    return figure.name.find("rate") != std::string::npos ? fmt::format("{:.1f}%", 100 * value)
                                                         : fmt::format("{:.6g}", value);
  };
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Judgement::Figure& figure : figures) {
    const std::size_t stem = figure.name.rfind('_');
    const std::string ending = stem == std::string::npos ? "" : figure.name.substr(stem);
    if ((ending == "_low" || ending == "_high") && find(figure.name.substr(0, stem)) != figures.end()) continue;
    const auto low = find(figure.name + "_low"), high = find(figure.name + "_high");
    const std::string interval = low != figures.end() && high != figures.end()
                                     ? fmt::format(" ({} to {})", text(figure, low->value), text(figure, high->value))
                                     : std::string();
    lines.emplace_back(text(figure, figure.value), figure.explanation + interval);
  }
  std::size_t width = 0;
  for (const auto& [value, explanation] : lines) width = std::max(width, value.size());
  for (const auto& [value, explanation] : lines)
    console.print("{} {}\n", console.bold(fmt::format("{:>{}}", value, width)), explanation);
}

// Asks a judge, and says how far it has come.
Result<Judgement> ask(const Judge& judge, Agent& agent, Key key, int positions, Console& console) {
  Percents percents(console, "Judged by " + judge.name);
  Result<Judgement> judgement = judge.judge(agent, key, positions, [&percents](double share) { percents(share); });
  percents.end();
  return judgement;
}

Json to_json(const MatchSummary& sum) {
  Json json{{"matches", sum.matches}, {"wins", sum.wins}, {"draws", sum.draws}, {"losses", sum.losses}};
  json["score"] = sum.score.value;
  json["score_low"] = sum.score.interval.low;
  json["score_high"] = sum.score.interval.high;
  json["mean_return"] = sum.mean_return.value;
  json["mean_return_low"] = sum.mean_return.interval.low;
  json["mean_return_high"] = sum.mean_return.interval.high;
  json["mean_steps"] = sum.mean_steps;
  json["truncated"] = sum.truncated;
  json["distinct"] = sum.distinct;
  json["by_seat"] = Json::array();
  for (const Estimate& score : sum.score_by_team)
    json["by_seat"].push_back(
        {{"score", score.value}, {"score_low", score.interval.low}, {"score_high", score.interval.high}});
  return json;
}

Result<Outcome> evaluate(const Options& options, const Games& games, Console& console) {
  const Result<GameEntry> opened = game_of(games, options.player, options.game);
  if (!opened) return opened.error();
  const GameEntry& game = opened.value();
  Result<Player> player = load_player(game, options.player, options.temperature);
  if (!player) return player.error();
  Result<Player> opponent = find_opponent(game, options.against, options.temperature);
  if (!opponent) return opponent.error();

  const Key key(options.seed);
  const std::optional<Judge> judge = find_judge(game, options.against);
  // A judge judges; it can be played against only if it is a scripted player as well.
  const bool plays = !judge || make_scripted(game, options.against) || options.matches || !options.replays.empty();
  if (judge && !options.setup.empty())
    wrong_usage(
        {fmt::format("the judge {} knows the default rules only: leave out --parameter and --pick", judge->name)});
  MatchOptions match_options{.matches = options.matches.value_or(1000),
                             .settings = match_settings_or_usage(game.spec, options.setup)};
  match_options.opening = options.opening.value_or(judge ? judge->opening : 0);
  // A rating holds for matches such as those of its ladder.
  for (const Player* rated : {&opponent.value(), &player.value()}) {
    if (!rated->bot.note.empty()) console.print("note: {}\n", rated->bot.note);
    if (!rated->bot.rules) continue;
    if (!options.opening) match_options.opening = std::max(match_options.opening, rated->bot.rules->opening);
    match_options.settings = match_settings_or_usage(game.spec, options.setup, rated->bot.rules->settings(game.spec));
  }
  for (const Player* rated : {&opponent.value(), &player.value()}) {
    if (!rated->bot.rules) continue;
    const MatchSettings own = rated->bot.rules->settings(game.spec);
    const std::string text = settings_text(game.spec, own);
    if (!own.cover(match_options.settings))
      console.print("note: {} was trained or rated under other settings: {}\n", rated->name,
                    text.empty() ? "the game's defaults" : text);
  }
  if (!options.replays.empty()) match_options.replays = match_options.matches;
  Json json{{"game", game.spec.name}, {"bot", options.player}, {"against", options.against}};
  json["opponent"] = opponent->name;
  json["seed"] = options.seed;
  json["opening"] = match_options.opening;
  if (plays) {
    Result<MatchSummary> played =
        play_matches(game, *player->agent, opponent->agent.get(), key.split(0), match_options);
    if (!played) return played.error();
    if (!options.replays.empty())
      if (Result<void> saved = save_replays(options.replays, played->replays); !saved) return saved.error();
    if (game.spec.team_count() > 1)
      console.print("{}: {} against {}\n", game.spec.name, options.player, options.against);
    else
      console.print("{}: {}\n", game.spec.name, options.player);
    print_matches(console, game.spec, played.value(), opponent->name, match_options.opening);
    json.update(to_json(played.value()));
  } else {
    console.print("{}: {} judged by {}\n", game.spec.name, options.player, options.against);
    Json none = to_json({});
    for (Json& value : none) value = nullptr;  // nothing was measured
    none["matches"] = 0;
    json.update(none);
    json["opponent"] = nullptr;
  }
  if (judge) {
    const Result<Judgement> judgement = ask(*judge, *player->agent, key.split(1), options.positions, console);
    if (!judgement) return judgement.error();
    print_figures(console, judgement.value().figures);
    for (const Judgement::Figure& figure : judgement.value().figures) json[figure.name] = figure.value;
  }
  return Outcome{json};
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("BOT", &options->player,
                "A bot's file, a run's folder, RUN@RATING, or with --game a scripted player of the game or search:N",
                {.required = true});
  arguments.add(
      "--against", &options->against,
      fmt::format("Opponent: random, a scripted player or a judge of the game (`{}`), search:N (a tree search of N "
                  "simulations a decision), or a bot",
                  command_line({"games", "GAME"})));
  arguments.add(
      "--matches", &options->matches,
      "How many matches, by default 1000; seats are swapped and seeds paired. With a judge that does not play, against "
      "random; by default none",
      {.low = 1, .high = kMostMatches});
  arguments.add("--positions", &options->positions, "How many positions a judge that samples looks at",
                {.low = 1, .high = kMostMatches});
  arguments.add("--seed", &options->seed, "The same seed plays the same matches");
  arguments.add(
      "--opening", &options->opening,
      "Begin every match with this many random steps, the same for both seatings; default: as a rated player's "
      "ladder does, or 0",
      {.low = 0, .high = kLongestOpening});
  arguments.add("--temperature", &options->temperature,
                "How bots play: 1 as trained, 0 the most likely choice; default 1 where play must be mixed, else 0",
                {.low = 0, .high = kHottest});
  arguments.add("--game", &options->game,
                "The game, from elsewhere than where a bot says, or when BOT is a scripted player");
  arguments.add("--replays", &options->replays, "A folder for the replays of all matches");
  add_setup(arguments, options->setup);
  return [options, &games](Console& console) { return evaluate(*options, games, console); };
}

}  // namespace

Command eval_command() {
  return {"eval",
          "how well a player plays, with intervals",
          {{"eval runs/demo/bots/final.safetensors --against random --matches 10000"},
           {"eval runs/demo/bots/final.safetensors --against solver --json", "connect_four", true},
           {"eval runs/demo --against search:100"},
           {"eval random --game {} --against best-response", "kuhn_poker", true},
           {"eval runs/demo@1200 --against runs/demo@1400"}},
          declare};
}

}  // namespace rival::cli
