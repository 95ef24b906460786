// rival bench serve BOT.
#pragma once

#include <optional>
#include <string>

#include "cli/command.hpp"

namespace rival::cli {

struct ServeLoad {
  std::string bot;  // to serve; or its name at `url`
  std::string url;  // of a server that runs already, http://HOST:PORT or https://; "": one is started
  std::string token_file, ca_file;
  std::optional<int> sessions;  // bots that act `rate` times a second, 1000; or, over HTTP, connections, 8
  std::optional<double> rate;   // 60
  double seconds = 10;
  int threads = 1;    // of the server's
  bool http = false;  // predictions are asked for over HTTP, each as soon as the one before is there
};

// How a bot server keeps up with game servers that send a frame for each hundred of their bots, open loop; a tick
// is to be answered before the next one. Or how many predictions it gives over HTTP.
Result<Outcome> bench_serve(const ServeLoad& load, const Games& games, Console& console);

}  // namespace rival::cli
