// rival bench serve BOT.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace rival::cli {

struct ServeLoad {
  std::string bot;  // to serve; or its name at `url`
  std::string url;  // of a server that runs already, http://HOST:PORT; "": one is started
  std::string token_file;
  int sessions = 1000;  // bots that act `rate` times a second
  double rate = 60, seconds = 10;
  int threads = 1;  // of the server's
};

// How a bot server keeps up with game servers that send a frame for each hundred of their bots, open loop; a tick
// is to be answered before the next one.
Result<Outcome> bench_serve(const ServeLoad& load, const Games& games, Console& console);

}  // namespace rival::cli
