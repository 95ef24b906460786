// The page of `rival watch`: a match to look at, played back from its replay.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "game/replay.hpp"

namespace rival {

struct WatchedMatch {
  const Replay* replay = nullptr;
  BatchFactory make_batch = nullptr;
  std::vector<std::string> players;        // who plays, by seat; may be empty
  std::vector<std::vector<float>> values;  // [steps][teams]: what a team's acting seats expect of the rest of the
                                           // match, on average; NaN: nobody says. May be empty.
};

// What the page shows, as the page's script reads it. Games with stage() and scene() (docs/formats/scene.md) are an
// arena, all others a board. Error: the replay does not play (ReplayPlayer), or a scene that is not as documented;
// names the step and the field.
Result<nlohmann::json> watch_data(const WatchedMatch& match);

// The whole page: one file that needs nothing else.
Result<std::string> watch_page(const WatchedMatch& match);

}  // namespace rival
