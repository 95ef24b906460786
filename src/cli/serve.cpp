// rival serve BOT...: bots that game servers ask for their actions, over the network.

#include "cli/serve.hpp"

#include <fmt/format.h>

#include <chrono>

#include "agent/agent.hpp"
#include "base/file.hpp"
#include "base/index.hpp"
#include "cli/player.hpp"
#include "nn/safetensors.hpp"
#include "serve/records_http.hpp"
#include "serve/server.hpp"

namespace rival::cli {
namespace {

struct Options {
  std::vector<std::string> bots;
  std::string host = "127.0.0.1", token_file, game, records;
  int port = 8765, threads = 1, seats = 200'000, connections = 1000;
  double wait_ms = 0.3, idle = 300, drain = 30;
};

Result<Outcome> serve_bots(const Options& options, const Games& games, Console& console) {
  serve::Directory directory(hosted_loader(games, options.game), substitutes_loader(games, options.game));
  for (const std::string& bot : options.bots) {
    const std::size_t equals = bot.find('=');
    const bool named = equals != std::string::npos && !path_exists(bot);
    if (Result<void> added = named ? directory.add(bot.substr(equals + 1), bot.substr(0, equals)) : directory.add(bot);
        !added)
      return added.error();
  }
  serve::ServerOptions how;
  how.host = options.host;
  how.port = options.port;
  if (!options.token_file.empty()) {
    const Result<std::string> token = read_token(options.token_file);
    if (!token) return token.error();
    how.token = token.value();
  }
  const auto milliseconds = [](double ms) { return std::chrono::microseconds(std::llround(1000 * ms)); };
  how.batcher.threads = options.threads;
  how.batcher.wait = milliseconds(options.wait_ms);
  how.most_seats = options.seats;
  how.most_connections = options.connections;
  how.idle = std::chrono::seconds(std::llround(options.idle));
  how.drain = std::chrono::seconds(std::llround(options.drain));
  if (!options.records.empty()) {
    Result<records::Records> opened = records::Records::open(options.records);
    if (!opened) return opened.error();
    how.endpoints.push_back(serve::records_endpoint(std::move(opened).value()));
  }
  how.log = [&](const std::string& line) { console.verbatim(line + "\n"); };
  const Result<std::unique_ptr<serve::Server>> server = serve::Server::listen(directory, how);
  if (!server) return server.error();
  serve::Server& running = *server.value();
  const int port = running.port();
  for (const auto& bot : directory.all())
    console.print("{}: {}, version {}\n", console.bold(bot->name), bot->bot->bot().game, bot->version);
  const bool six = options.host.find(':') != std::string::npos;
  console.print("Listening on http://{}{}{}:{}/ (Ctrl-C ends, sessions first)\n", six ? "[" : "", options.host,
                six ? "]" : "", port);
  running.run();
  const serve::Metrics::Totals totals = running.metrics().totals();
  console.print("Ended. {} decisions, {} of them after their time\n", grouped(totals.decisions),
                grouped(totals.missed));
  return Outcome{
      Json{{"port", port}, {"decisions", totals.decisions}, {"missed", totals.missed}, {"late", totals.late}}};
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add_each(
      "BOT", [options](const std::string& bot) { options->bots.push_back(bot); },
      "A bot's file, a run's folder or RUN@RATING; NAME=BOT gives it another name");
  arguments.add("--host", &options->host, "The address to listen on; one that others can reach wants a token");
  arguments.add("--port", &options->port, "The port; 0: any that is free", {.low = 0, .high = 65535});
  arguments.add("--token-file", &options->token_file, "A file whose first line clients must show as a bearer token");
  arguments.add("--threads", &options->threads, "Threads that compute decisions; one more is for the network",
                {.low = 1, .high = 256});
  arguments.add("--wait-ms", &options->wait_ms, "How long a decision waits for others, to be computed together",
                {.low = 0, .high = 1000});
  arguments.add("--seats", &options->seats, "The most seats of all sessions together", {.low = 1, .high = 1e7});
  arguments.add("--connections", &options->connections, "The most connections", {.low = 1, .high = 60000});
  arguments.add("--idle-seconds", &options->idle, "After so long without a tick a session expires",
                {.low = 1, .high = 1e6});
  arguments.add("--drain-seconds", &options->drain, "How long sessions may go on once the server is told to end",
                {.low = 0, .high = 1e5});
  arguments.add("--records", &options->records,
                "A file for the records of players, which is made if need be: results, ratings, leaderboards");
  arguments.add("--game", &options->game, "The game, from elsewhere than where the bots say");
  return [options, &games](Console& console) { return serve_bots(*options, games, console); };
}

}  // namespace

Result<std::string> read_token(const std::string& file) {
  const Result<std::string> text = read_file(file);
  if (!text) return text.error();
  std::string token = text.value().substr(0, text.value().find('\n'));
  token.erase(0, std::min(token.size(), token.find_first_not_of(" \t\r")));
  token.erase(token.find_last_not_of(" \t\r") + 1);
  if (token.size() < 16)
    return Error{fmt::format("{}: a token of {} characters is too easy to guess: 16 at least", file, token.size())};
  return token;
}

serve::LoadHosted hosted_loader(const Games& games, std::string game) {
  return [&games, game = std::move(game)](const std::string& typed) -> Result<serve::Hosted> {
    const Result<BotName> found = find_bot(typed);
    if (!found) return found.error();
    const Result<GameEntry> opened = game_of(games, found.value().path, game);
    if (!opened) return opened.error();
    const Spec& spec = opened.value().spec;
    Result<ReadBot> read = read_bot(found.value().path, spec);
    if (!read) return read.error();
    Bot& bot = read->bot;
    const Limits limits = found.value().rules ? found.value().rules->limits : bot.limits;
    if (limits.every > 1)
      return Error{fmt::format("{} acts every {} steps only (actions a minute), which `serve` does not keep to yet",
                               typed, limits.every)};
    return serve::host("", spec, std::make_shared<const SharedBot>(std::move(bot)), read->fingerprint,
                       found.value().temperature.value_or(default_temperature(spec)), limits.reaction_steps);
  };
}

serve::LoadSubstitutes substitutes_loader(const Games& games, std::string game) {
  return [&games, game = std::move(game)](const std::string& typed) -> Result<serve::Substitutes> {
    const Result<GameEntry> opened = game_of(games, typed, game);
    if (!opened) return opened.error();
    const auto scale = read_rating_scale(typed, opened.value().spec);
    if (!scale) return scale.error();
    serve::Substitutes substitutes{scale.value(), {}};
    for (const RatingScale::Level& level : scale.value()->levels) {
      const RatingScale::Player& player = scale.value()->players[index(level.player)];
      substitutes.levels.push_back(std::make_shared<const serve::Hosted>(serve::host(
          "", opened.value().spec, player.bot, player.fingerprint, level.temperature, player.reaction_steps)));
    }
    return substitutes;
  };
}

Command serve_command() {
  return {"serve",
          "bots for game servers, over the network",
          {{"serve runs/demo"}, {"serve easy=runs/demo@900 hard=runs/demo --port 9000"}},
          declare};
}

}  // namespace rival::cli
