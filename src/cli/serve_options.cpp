#include "cli/serve_options.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/file.hpp"

namespace rival::cli {
namespace {

// A path of the file, from where the program runs.
void from_folder(const std::filesystem::path& folder, std::string& path) {
  if (!path.empty()) path = (folder / path).string();  // which an absolute path stays as it is
}

// A game is a path where it is a library or a class in Python: "./game.so", "game.py:Game".
bool is_path_of_game(const std::string& game) {
  const std::string head = game.substr(0, game.find(':'));
  return head.ends_with(".so") || head.ends_with(".py");
}

Result<ServeOptions> read_config(const std::string& file) {
  const Result<std::string> text = read_file(file);
  if (!text) return text.error();
  ServeOptions options;
  if (Result<void> read = read_toml(option_rows(options), text.value(), file); !read) return read.error();
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  for (std::string* path : {&options.token_file, &options.tls_certificate, &options.tls_key, &options.records,
                            &options.management_token_file, &options.model_store})
    from_folder(folder, *path);
  if (is_path_of_game(options.game)) from_folder(folder, options.game);
  serve::Offer bots;
  for (auto& [name, bot] : options.bots) {
    from_folder(folder, bot);
    if (Result<void> offered = serve::offer_bot(bots, bot, name); !offered) return offered.error();
  }
  options.bots = std::move(bots);
  for (auto& [name, model] : options.models) from_folder(folder, model);
  return options;
}

// Adds what was typed, NAME=THING or THING, to those of the file, over which it wins.
Result<void> add_typed(const std::vector<std::string>& typed, serve::Offer& offer) {
  serve::Offer added;
  for (const std::string& text : typed) {
    const std::size_t equals = text.find('=');
    const bool named = equals != std::string::npos && !path_exists(text);
    Result<void> offered = named ? serve::offer_bot(added, text.substr(equals + 1), text.substr(0, equals))
                                 : serve::offer_bot(added, text);
    if (!offered) return offered;
  }
  added.merge(offer);
  offer = std::move(added);
  return {};
}

}  // namespace

std::vector<OptionRow> option_rows(ServeOptions& options) {
  return {
      {"host", &options.host, "the address to listen on; one that others can reach wants a token"},
      {"port", &options.port, "the port; 0: any that is free", 0, 65535},
      {"grpc_port", &options.grpc_port, "another port, for gRPC; 0: any that is free; -1: without gRPC", -1, 65535},
      {"token_file", &options.token_file, "a file whose first line clients must show as a bearer token"},
      {"tls_certificate", &options.tls_certificate, "to be spoken to by TLS: a certificate, and its chain, as PEM"},
      {"tls_key", &options.tls_key, "the private key of the certificate, as PEM"},
      {"threads", &options.threads, "threads that compute decisions; one more is for the network", 1, 256},
      {"wait_ms", &options.wait_ms, "how long a decision waits for others, to be computed together", 0, 1000},
      {"seats", &options.seats, "the most seats of all sessions together", 1, 1e7},
      {"connections", &options.connections, "the most connections", 1, 60000},
      {"idle_seconds", &options.idle_seconds, "after so long without a tick a session expires", 1, 1e6},
      {"drain_seconds", &options.drain_seconds, "how long sessions may go on once the server is told to end", 0, 1e5},
      {"records", &options.records,
       "a file for the records of players, which is made if need be: results, ratings, leaderboards"},
      {"game", &options.game, "the game, from elsewhere than where the bots say"},
      {"model_store", &options.model_store, "a folder of models (.pt, .mar) that may be registered over HTTP"},
      {"management_token_file", &options.management_token_file,
       "a file whose first line those must show who register models"},
      {"model_batch", &options.model_batch, "the most requests for a model that are computed together", 1, 4096},
      {"model_wait_ms", &options.model_wait_ms,
       "how long a request for a model waits for others, if that is more than 1", 0, 600'000},
      {"model_threads", &options.model_threads, "threads of each model that is named at the start", 1, 256},
      {"model_seconds", &options.model_seconds, "after so long computing a request for a model is an error", 1, 86'400},
      {"models", &options.models, "by name: a file of TorchScript (.pt), or an archive of it (.mar)"},
      {"bots", &options.bots, "by name: a bot's file, a run's folder or RUN@RATING"}};
}

Result<ServeOptions> read_serve_options(const ServeCommandLine& line) {
  ServeOptions options;
  if (!line.config.empty()) {
    Result<ServeOptions> read = read_config(line.config);
    if (!read) return read.error();
    options = std::move(read.value());
  }
  const std::vector<OptionRow> rows = option_rows(options);
  for (const auto& [key, text] : line.typed)
    if (Result<void> set = set_option(rows, key, text); !set) return usage_error(set.error());
  if (Result<void> added = add_typed(line.bots, options.bots); !added) return added.error();
  if (Result<void> added = add_typed(line.models, options.models); !added) return added.error();
  if (options.tls_certificate.empty() != options.tls_key.empty())
    return usage_error({fmt::format("TLS needs both a certificate and its key: {} is missing",
                                    options.tls_key.empty() ? "--tls-key FILE" : "--tls-certificate FILE")});
  if (options.management_token_file.empty() != options.model_store.empty())
    return usage_error(
        {fmt::format("models are registered from a folder by who shows a token: {} is missing",
                     options.model_store.empty() ? "--model-store FOLDER" : "--management-token-file FILE")});
  if (!options.bots.empty() || !options.models.empty() || !options.model_store.empty()) return options;
  const std::string where = line.config.empty() ? "" : fmt::format("{}: ", line.config);
  return usage_error({where + "no bot is named: give BOT, or --config FILE with a group [bots], or --model FILE"});
}

}  // namespace rival::cli
