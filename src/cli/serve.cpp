// rival serve BOT...: bots that game servers ask for their actions, over the network.

#include "cli/serve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "agent/agent.hpp"
#include "base/file.hpp"
#include "base/index.hpp"
#include "cli/player.hpp"
#include "cli/serve_options.hpp"
#include "cli/settings.hpp"
#include "nn/safetensors.hpp"
#include "serve/models_http.hpp"
#include "serve/records_http.hpp"
#include "serve/server.hpp"
#include "serve/tls.hpp"

namespace rival::cli {
namespace {

// What a server is to do. Null log and renewal.
Result<serve::ServerOptions> server_options(const ServeOptions& options) {
  serve::ServerOptions how;
  how.host = options.host;
  how.port = options.port;
  if (!options.token_file.empty()) {
    const Result<std::string> token = read_token(options.token_file);
    if (!token) return token.error();
    how.token = token.value();
  }
  if (!options.tls_certificate.empty()) {
    const auto tls = serve::tls_server(options.tls_certificate, options.tls_key);
    if (!tls) return tls.error();
    how.tls = tls.value();
  }
  if (options.grpc_port >= 0) {
    const auto frontend = serve::grpc_frontend({.host = options.host == "localhost" ? "127.0.0.1" : options.host,
                                                .port = options.grpc_port,
                                                .certificate_file = options.tls_certificate,
                                                .key_file = options.tls_key,
                                                .largest_message = how.largest_frame});
    if (!frontend) return frontend.error();
    how.frontend = frontend.value();
  }
  how.batcher.threads = options.threads;
  how.batcher.wait = std::chrono::microseconds(std::llround(1000 * options.wait_ms));
  how.most_seats = options.seats;
  how.most_connections = options.connections;
  how.idle = std::chrono::seconds(std::llround(options.idle_seconds));
  how.drain = std::chrono::seconds(std::llround(options.drain_seconds));
  return how;
}

// Null: none are to be served.
Result<std::shared_ptr<serve::ModelsHttp>> models_of(const ServeOptions& options, const serve::Directory& directory) {
  std::shared_ptr<serve::ModelsHttp> models;
  if (options.models.empty() && options.model_store.empty()) return models;
  const Result<serve::TensorLibrary*> library = serve::torch_library();
  if (!library) return library.error();
  serve::ModelsOptions how{.management_token = "", .store = options.model_store, .settings = {}};
  if (!options.management_token_file.empty()) {
    const Result<std::string> token = read_token(options.management_token_file);
    if (!token) return token.error();
    how.management_token = token.value();
  }
  how.settings = {.batch_size = options.model_batch,
                  .batch_delay = std::chrono::milliseconds(std::llround(options.model_wait_ms)),
                  .workers = options.model_threads,
                  .timeout = std::chrono::seconds(std::llround(options.model_seconds))};
  how.load = [library = library.value()](const std::string& path) { return serve::read_model_file(*library, path); };
  how.taken = [&directory](const std::string& name) {
    const auto bots = directory.all();
    return std::any_of(bots.begin(), bots.end(), [&](const auto& bot) { return bot->name == name; });
  };
  models = std::make_shared<serve::ModelsHttp>(std::move(how));
  for (const auto& [name, path] : options.models)
    if (Result<void> added = models->add(path, name); !added) return added.error();
  return models;
}

// What has become of the options, for a server that was started with others. Null `models`: there are none.
Result<serve::Renewal> renewed(const ServeCommandLine& line, const ServeOptions& started,
                               const serve::ModelsHttp* models) {
  const Result<ServeOptions> options = read_serve_options(line);
  if (!options) return options.error();
  if (options.value().game != started.game) return Error{"'game' cannot change while the server runs"};
  if (options.value().grpc_port != started.grpc_port) return Error{"'grpc_port' cannot change while the server runs"};
  if (options.value().records != started.records) return Error{"'records' cannot change while the server runs"};
  if (options.value().models != started.models || options.value().model_store != started.model_store)
    return Error{"'models' and 'model_store' cannot change while the server runs: register models over HTTP"};
  for (const auto& [name, typed] : options.value().bots)
    if (models && models->models().has(name))
      return Error{fmt::format("'{}' is a model: give the bot another name", name)};
  const Result<serve::ServerOptions> how = server_options(options.value());
  if (!how) return how.error();
  return serve::Renewal{how.value(), options.value().bots};
}

Result<Outcome> serve_bots(const ServeCommandLine& line, const Games& games, Console& console) {
  const Result<ServeOptions> options = read_serve_options(line);
  if (!options) return options.error();
  Result<serve::ServerOptions> how = server_options(options.value());
  if (!how) return how.error();
  serve::Directory directory(hosted_loader(games, options.value().game),
                             substitutes_loader(games, options.value().game));
  if (Result<void> served = directory.serve(options.value().bots); !served) return served.error();
  if (!options.value().records.empty()) {
    Result<records::Records> opened = records::Records::open(options.value().records);
    if (!opened) return opened.error();
    how->endpoints.push_back(serve::records_endpoint(std::move(opened).value()));
  }
  const Result<std::shared_ptr<serve::ModelsHttp>> models = models_of(options.value(), directory);
  if (!models) return models.error();
  how->models = models.value();
  how->log = [&](const std::string& text) { console.verbatim(text + "\n"); };
  how->renew = [&] { return renewed(line, options.value(), models.value().get()); };
  const Result<std::unique_ptr<serve::Server>> server = serve::Server::listen(directory, how.value());
  if (!server) return server.error();
  serve::Server& running = *server.value();
  const int port = running.port();
  for (const auto& bot : directory.all())
    console.print("{}: {}, version {}\n", console.bold(bot->name), bot->bot->bot().game, bot->version);
  if (how->models)
    for (const auto& model : how->models->models().all())
      console.print("{}: {}, version {}\n", console.bold(model->info().name), model->info().url, model->info().version);
  const std::string& host = how->host;
  const bool six = host.find(':') != std::string::npos;
  console.print("Listening on http{}://{}{}{}:{}/ (Ctrl-C ends, sessions first)\n", how->tls ? "s" : "", six ? "[" : "",
                host, six ? "]" : "", port);
  const int grpc_port = running.frontend_port();
  if (grpc_port > 0) console.print("Listening for gRPC{} on {}:{}\n", how->tls ? " with TLS" : "", host, grpc_port);
  running.run();
  const serve::Metrics::Totals totals = running.metrics().totals();
  console.print("Ended. {} decisions, {} of them after their time\n", grouped(totals.decisions),
                grouped(totals.missed));
  return Outcome{Json{{"port", port},
                      {"grpc_port", grpc_port},
                      {"decisions", totals.decisions},
                      {"missed", totals.missed},
                      {"late", totals.late}}};
}

Action declare(Arguments& arguments, const Games& games) {
  const auto line = std::make_shared<ServeCommandLine>();
  arguments.add_each(
      "BOT", [line](const std::string& bot) { line->bots.push_back(bot); },
      "A bot's file, a run's folder or RUN@RATING; NAME=BOT gives it another name", false);
  arguments.add_each(
      "--model", [line](const std::string& model) { line->models.push_back(model); },
      "A PyTorch model: a file of TorchScript (.pt) or an archive of it (.mar); NAME=FILE gives it another name",
      false);
  arguments.add("--config", &line->config, "A file with these options and bots, read again at SIGHUP");
  ServeOptions standard;
  for (const OptionRow& row : option_rows(standard)) {
    if (row.key == "bots" || row.key == "models") continue;
    const std::string value = value_text(row);
    add_option(arguments, row, line->typed, value.empty() ? "" : "; default: " + value);
  }
  return [line, &games](Console& console) { return serve_bots(*line, games, console); };
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
          {{"serve runs/demo"},
           {"serve easy=runs/demo@900 hard=runs/demo --port 9000"},
           {"serve --config serve.toml"},
           {"serve --model mlp.pt"}},
          declare};
}

}  // namespace rival::cli
