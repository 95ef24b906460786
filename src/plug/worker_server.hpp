// The other side: plays a game for processes that connect (docs/formats/worker.md).
#pragma once

#include <string>

#include "base/result.hpp"
#include "match/game_entry.hpp"

namespace rival {

struct ServeOptions {
  std::string listen;   // "unix:PATH", "tcp:HOST:PORT" or, for whoever starts this process, "fd:3"
  std::string token;    // what whoever connects must show; "": nothing, which only an address of this machine may ask
  std::string program;  // what it says of itself: "rival 0.1.0"
};

// Plays the game for all that connect, each with a batch of its own, one after the other in this thread. Does not come
// back but with an error: of the address, or that a token is wanted.
Result<void> serve_game(const GameEntry& game, const ServeOptions& options);

}  // namespace rival
