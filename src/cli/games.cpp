// rival games: what can be played, with its spec.

#include "cli/command.hpp"
#include "game/spec.hpp"
#include "game/spec_json.hpp"
#include "search/best_response.hpp"
#include "search/search.hpp"

namespace rival::cli {
namespace {

Json describe(const GameEntry& game) {
  Json json = spec_to_json(game.spec);
  json["baselines"] = {"random"};
  for (const Baseline& baseline : game.baselines) json["baselines"].push_back(baseline.name);
  json["search"] = search_agent(game.make_batch, {}).ok();
  json["judges"] = Json::array();
  for (const Judge& judge : judges_of(game)) json["judges"].push_back(judge.name);
  return json;
}

std::string text(const ObservationPart& part) {
  if (part.kind == ObservationPart::Kind::vector) return fmt::format("{}: {} numbers", part.name, part.size());
  if (part.kind == ObservationPart::Kind::entities)
    return fmt::format("{}: up to {} entities of {} numbers", part.name, part.count(), part.features());
  return fmt::format("{}: grid of {} x {}, {} planes", part.name, part.height, part.width, part.channels);
}

std::string text(const ActionPart& part) {
  if (part.kind == ActionPart::Kind::discrete) return fmt::format("{}: one of {}", part.name, part.size);
  if (part.kind == ActionPart::Kind::target) return fmt::format("{}: one of {} entities", part.name, part.size);
  return fmt::format("{}: {} {} from {} to {}", part.name, part.size, part.size == 1 ? "number" : "numbers", part.low,
                     part.high);
}

std::string seats_text(const Spec& spec) {
  std::string text = fmt::format("{} {}", spec.seats, spec.seats == 1 ? "seat" : "seats");
  if (!spec.teams.empty())
    text += spec.team_count() == 1 ? " in one team" : fmt::format(" in {} teams", spec.team_count());
  if (spec.seats > 1) text += spec.simultaneous ? ", at once" : ", in turn";
  if (spec.hidden_information) text += ", hidden information";
  return text;
}

void print_details(Console& console, const GameEntry& game) {
  const Spec& spec = game.spec;
  const auto line = [&console](const char* label, const std::string& value) {
    if (!value.empty()) console.print("  {:<13} {}\n", label, value);
  };
  console.print("{}\n", console.bold(spec.name));
  line("", spec.description);
  line("rules from", spec.source);
  line("players", seats_text(spec));
  if (spec.max_steps > 0) line("length", fmt::format("at most {} steps", spec.max_steps));
  for (const ObservationPart& part : spec.observation) line("a seat sees", text(part));
  for (const ActionPart& part : spec.action) line("and chooses", text(part));
  for (const Parameter& p : spec.parameters)
    line("parameter", fmt::format("{} = {}, {}: {}", p.name, p.value, allowed_values(p), p.description));
  for (const Choice& choice : spec.choices) {
    std::string options;
    for (const std::string& option : choice.options) options += (options.empty() ? "" : ", ") + option;
    line("each picks", fmt::format("{}: {}", choice.name, options));
  }
  line("baseline", "random: any allowed choice");
  for (const Baseline& baseline : game.baselines)
    line("baseline", fmt::format("{}: {}", baseline.name, baseline.description));
  if (search_agent(game.make_batch, {}).ok()) line("baseline", "search:N: tree search with N simulations a decision");
  for (const Judge& judge : judges_of(game)) line("judge", fmt::format("{}: {}", judge.name, judge.description));
}

struct Options {
  std::string game;
};

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("GAME", &options->game, "Show all about this game; without it, list all games");
  return [options, &games](Console& console) -> Result<Outcome> {
    if (!options->game.empty()) {
      const Result<GameEntry> opened = games.open(options->game);
      if (!opened) return opened.error();
      const GameEntry& game = opened.value();
      if (Result<void> valid = validate(game.spec); !valid) return valid.error();
      print_details(console, game);
      return Outcome{describe(game)};
    }
    Json list = Json::array();
    for (const GameEntry& game : games.catalog()) {
      if (Result<void> valid = validate(game.spec); !valid) {
        console.print("{}: it cannot be played\n", valid.error().message);
        continue;
      }
      console.print("{:<14} {}\n{:<14} {}\n", game.spec.name, game.spec.description, "",
                    console.dim(seats_text(game.spec)));
      list.push_back(describe(game));
    }
    return Outcome{{{"games", list}}};
  };
}

}  // namespace

Command games_command() {
  return {"games", "what can be played", {{"games"}, {"games {}", "connect_four"}}, declare};
}

}  // namespace rival::cli
