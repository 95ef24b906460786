// A ladder as JSON (docs/formats/ladder.md), for RUN/ladder.json and for reports.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "league/ladder.hpp"

namespace rival {

// Where Elo would lie: the players who are no rungs, judged together.
nlohmann::ordered_json intransitivity_json(const Ladder& ladder);

nlohmann::ordered_json ladder_json(const Ladder& ladder);

// What ladder_json() wrote, as text. The text may come from anyone: bots are plain file names, and those of the dial
// are of players; there are at most 1000 players and 1e9 matches in all, as many as the players say. Errors name `file`
// and the field.
Result<Ladder> parse_ladder(std::string_view text, const std::string& file);

Result<Ladder> load_ladder(const std::string& path);
Result<void> save_ladder(const Ladder& ladder, const std::string& path);

}  // namespace rival
