// The options of `rival serve`: from the command line, and from a file (docs/formats/serve-config.md).
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/options.hpp"
#include "base/result.hpp"
#include "serve/hosted.hpp"

namespace rival::cli {

struct ServeOptions {
  serve::Offer bots, models;
  std::string host = "127.0.0.1", token_file, tls_certificate, tls_key, records, game, management_token_file,
              model_store;
  int port = 8765, grpc_port = -1, threads = 1, seats = 200'000, connections = 1000;
  int model_batch = 1, model_threads = 1;
  double wait_ms = 0.3, idle_seconds = 300, drain_seconds = 30, model_wait_ms = 100, model_seconds = 120;
};

// Where its values go: each key is one of the file, and with dashes an option of the command line; `bots` and
// `models` are of the file alone.
std::vector<OptionRow> option_rows(ServeOptions& options);

// What was typed.
struct ServeCommandLine {
  std::vector<std::string> bots;                           // BOT, or NAME=BOT
  std::vector<std::string> models;                         // FILE, or NAME=FILE
  std::string config;                                      // a file; "": none
  std::vector<std::pair<std::string, std::string>> typed;  // by key
};

// The options in force, read anew. What is typed wins over the file, in which paths begin at its folder. Errors name
// the option, or the file and the line.
Result<ServeOptions> read_serve_options(const ServeCommandLine& line);

}  // namespace rival::cli
