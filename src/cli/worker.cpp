// rival worker: plays a game for other processes.
#include "cli/command.hpp"
#include "plug/worker_server.hpp"
#include "plug/worker_sources.hpp"

namespace rival::cli {
namespace {

struct Options {
  std::string game, listen;
};

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("GAME", &options->game, games_help(), {.required = true});
  arguments.add("--listen", &options->listen,
                "Where: unix:PATH or tcp:HOST:PORT. What whoever connects must show is read from RIVAL_TOKEN, or from "
                "the file that RIVAL_TOKEN_FILE names; beyond this machine there must be something",
                {.required = true});
  return [options, &games](Console&) -> Result<Outcome> {
    const Result<GameEntry> game = games.open(options->game);
    if (!game) return game.error();
    const Result<std::string> token = worker_token();
    if (!token) return token.error();
    const ServeOptions serve{
        .listen = options->listen, .token = token.value(), .program = std::string("rival ") + RIVAL_VERSION};
    if (Result<void> served = serve_game(game.value(), serve); !served) return served.error();
    return Outcome{};
  };
}

}  // namespace

Command worker_command() {
  return {
      "worker", "plays a game for another process", {{"worker {} --listen unix:/tmp/game", "connect_four"}}, declare};
}

}  // namespace rival::cli
