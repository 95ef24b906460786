// The page of `rival ladder --out`: ratings over training, who beats whom, and the dial.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.hpp"

namespace rival {

// A self-contained page from a ladder (docs/formats/ladder.md) and the lines of its run's metrics.jsonl, which tell how
// long training took ("": the page counts steps instead). Of the ladder, `players` and `results` are needed; `dial`,
// `calibration` and `intransitivity` are shown where they are there. Errors name the field or the line.
Result<std::string> ladder_page(const nlohmann::json& ladder, const std::string& metrics_jsonl);

}  // namespace rival
