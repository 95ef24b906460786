// rival export BOT: a bot as a model for other runtimes.

#include "agent/agent.hpp"
#include "agent/bot.hpp"
#include "base/file.hpp"
#include "base/names.hpp"
#include "base/number.hpp"
#include "cli/command.hpp"
#include "cli/player.hpp"
#include "nn/onnx.hpp"

namespace rival::cli {
namespace {

struct Options {
  std::string bot, format = "onnx", out, game;
};

std::string stem_of(const std::string& path) {
  const std::string suffix = ".safetensors";
  return path.ends_with(suffix) ? path.substr(0, path.size() - suffix.size()) : path;
}

// A file of its own for runtime/: it plays at the temperature and under the limits of its rating, or as players do by
// default.
Result<Outcome> export_for_runtime(const Options& options, const BotName& found, const Spec& spec, Bot bot,
                                   Console& console) {
  bot.temperature = found.temperature.value_or(default_temperature(spec));
  if (found.rules) bot.limits = found.rules->limits;
  const std::string out = options.out.empty() ? stem_of(found.path) + ".rival" : options.out;
  const std::string bytes = to_safetensors(bot.to_tensors());
  if (const Result<void> written = write_file_atomically(out, bytes); !written) return written.error();
  console.print("{}: {} bytes\n", out, grouped(static_cast<long long>(bytes.size())));
  if (!found.note.empty()) console.print("note: {}\n", found.note);
  return Outcome{Json{{"game", bot.game},
                      {"format", "rival"},
                      {"file", out},
                      {"bytes", bytes.size()},
                      {"temperature", *bot.temperature},
                      {"reaction_steps", bot.limits.reaction_steps},
                      {"every", bot.limits.every}}};
}

Result<Outcome> export_bot(const Options& options, const Games& games, Console& console) {
  const std::vector<std::string> formats = {"onnx", "rival"};
  const bool rival = options.format == "rival";
  if (!rival && options.format != "onnx") wrong_usage(unknown_name("format", options.format, formats));
  const Result<BotName> found = find_bot(options.bot);
  if (!found) return found.error();
  const std::string& path = found.value().path;
  const Result<GameEntry> opened = game_of(games, path, options.game);
  if (!opened) return opened.error();
  const GameEntry& game = opened.value();
  Result<Bot> loaded = load_bot(path, game.spec);
  if (!loaded) return loaded.error();
  Bot& bot = *loaded;
  bot.origin.clear();  // the model is for other programs and machines
  if (rival) return export_for_runtime(options, found.value(), game.spec, std::move(bot), console);
  OnnxOptions onnx{.value_mean = bot.value_mean,
                   .value_scale = bot.value_scale,
                   .metadata = {{"rival", bot.to_tensors().metadata.at("rival")}},
                   .description = game.spec.description};
  // The model gives logits: whoever draws from them divides by the temperature.
  if (found.value().temperature) onnx.metadata["rival.temperature"] = shortest(*found.value().temperature);
  const int later = found.value().rules ? found.value().rules->limits.reaction_steps : 0;
  if (later > 0) onnx.metadata["rival.reaction_steps"] = fmt::format("{}", later);
  const std::string model = to_onnx(bot.network, bot.parameters, bot.scale, HeadLayout(game.spec), onnx);
  const std::string out = options.out.empty() ? stem_of(path) + ".onnx" : options.out;
  if (const Result<void> written = write_file_atomically(out, model); !written) return written.error();
  console.print("{}: {} bytes\n", out, grouped(static_cast<long long>(model.size())));
  Json json{{"game", bot.game}, {"format", "onnx"}, {"file", out}, {"bytes", model.size()}};
  if (!found.value().note.empty()) console.print("note: {}\n", found.value().note);
  for (const ObservedParameter& rule : bot.rules)
    console.print("note: behind the game's observation it is to be shown {}: {} as -1, {} as 1\n", rule.name,
                  shortest(rule.low), shortest(rule.high));
  if (const std::optional<float> temperature = found.value().temperature) {
    console.print(
        "note: to play at this rating, draw from the logits divided by the temperature {} "
        "(the model's metadata: rival.temperature)\n",
        *temperature);
    json["temperature"] = *temperature;
  }
  if (later > 0) {
    console.print("note: and act on what was seen {} steps ago (rival.reaction_steps)\n", later);
    json["reaction_steps"] = later;
  }
  return Outcome{json};
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("BOT", &options->bot, "A bot's file, a run's folder, or RUN@RATING", {.required = true});
  arguments.add("--format", &options->format, "The format: onnx, or rival for games that have runtime/rival_runtime.c");
  arguments.add("--out", &options->out, "The file to write; without it, BOT with another ending");
  arguments.add("--game", &options->game, "The game, from elsewhere than where the bot says");
  return [options, &games](Console& console) { return export_bot(*options, games, console); };
}

}  // namespace

Command export_command() {
  return {"export",
          "a bot as a model for other runtimes",
          {{"export runs/demo/bots/final.safetensors --format onnx"},
           {"export runs/demo --out player.onnx"},
           {"export runs/demo@1200 --format rival --out easy.rival"}},
          declare};
}

}  // namespace rival::cli
