// rival check GAME: the conformance kit.

#include "cli/command.hpp"
#include "cli/settings.hpp"
#include "game/conformance.hpp"

namespace rival::cli {
namespace {

using Verdict = ConformanceCheck::Verdict;

struct Options {
  std::string game;
  int matches = 50;
  std::uint64_t seed = 1;
  MatchSetup setup;
};

const char* style(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "32";
    case Verdict::warning:
      return "33";
    case Verdict::failed:
      return "1;31";
    default:
      return "2";
  }
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("GAME", &options->game, games_help(), {.required = true});
  arguments.add("--matches", &options->matches, "How many random matches to play", {.low = 1, .high = 1e6});
  arguments.add("--seed", &options->seed, "Which matches");
  add_setup(arguments, options->setup);
  return [options, &games](Console& console) -> Result<Outcome> {
    const Result<GameEntry> opened = games.open(options->game);
    if (!opened) return opened.error();
    const GameEntry& game = opened.value();
    const ConformanceReport report = check_conformance(game.make_batch, Key(options->seed), options->matches,
                                                       settings_or_usage(game.spec, options->setup));
    Json checks = Json::array();
    for (const ConformanceCheck& check : report.checks) {
      console.print("{} {:<13} {}\n",
                    console.styled(fmt::format("{:<8}", verdict_name(check.verdict)), style(check.verdict)), check.name,
                    check.message.empty() ? check.what : check.message);
      checks.push_back({{"name", check.name},
                        {"what", check.what},
                        {"verdict", verdict_name(check.verdict)},
                        {"message", check.message}});
    }
    console.print("{} matches, {:.1f} steps on average: {}\n", report.matches, report.mean_steps,
                  report.passed() ? "the game keeps its promises" : "the game breaks its promises");
    return Outcome{{{"game", report.game},
                    {"passed", report.passed()},
                    {"matches", report.matches},
                    {"mean_steps", report.mean_steps},
                    {"checks", checks}},
                   report.passed() ? 0 : 1};
  };
}

}  // namespace

Command check_command() {
  return {"check",
          "whether a game keeps the promises that training builds on",
          {{"check {}", "tic_tac_toe"}, {"check {} --matches 1000 --seed 2", "connect_four"}},
          declare};
}

}  // namespace rival::cli
