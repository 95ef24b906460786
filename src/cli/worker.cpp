// rival worker: plays a game for other processes.
#include <cstdlib>

#include "base/file.hpp"
#include "cli/command.hpp"
#include "plug/worker_server.hpp"

namespace rival::cli {
namespace {

struct Options {
  std::string game, listen, token_file;
};

Action declare(Arguments& arguments, std::span<const GameEntry> games) {
  const auto options = std::make_shared<Options>();
  arguments.add("GAME", &options->game, games_help(), {.required = true});
  arguments.add("--listen", &options->listen, "Where: unix:PATH or tcp:HOST:PORT", {.required = true});
  arguments.add("--token-file", &options->token_file,
                "A file whose first line whoever connects must show; without it that of RIVAL_TOKEN in the environment, "
                "if it is set");
  return [options, games](Console&) -> Result<Outcome> {
    ServeOptions serve{.listen = options->listen, .program = std::string("rival ") + RIVAL_VERSION};
    if (const char* token = std::getenv("RIVAL_TOKEN")) serve.token = token;
    if (!options->token_file.empty()) {
      const Result<std::string> text = read_file(options->token_file);
      if (!text) return text.error();
      serve.token = text.value().substr(0, text.value().find('\n'));
      if (serve.token.empty()) return Error{options->token_file + ": its first line is empty"};
    }
    if (Result<void> served = serve_game(find_game(games, options->game), serve); !served) return served.error();
    return Outcome{};
  };
}

}  // namespace

Command worker_command() {
  return {"worker", "plays a game for another process", {{"worker {} --listen unix:/tmp/game", "connect_four"}}, declare};
}

}  // namespace rival::cli
