// What TorchServe's and KServe's (v1) clients send for predictions, and what they get. Pure functions.
#pragma once

#include <string_view>

#include "serve/batcher.hpp"
#include "serve/rows.hpp"

namespace rival::serve {

// The body of /predictions: {"observation": rows, "mask": rows}, where a single row may stand by itself, or a list of
// instances as below, or one row. Errors name the row and the field.
Result<Rows> read_predictions(std::string_view body, const RowSizes& sizes);

// The body of :predict: {"instances": [...]}, of which each is the numbers of a row, or {"observation": numbers,
// "mask": flags}.
Result<Rows> read_instances(std::string_view body, const RowSizes& sizes);

// For each row {"choices": [...], "values": [...]}, without what the game has none of.
nlohmann::ordered_json predictions(const RowSizes& sizes, const Answered& answer);

}  // namespace rival::serve
