#include "report/ladder_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <vector>

#include "report/assets.hpp"
#include "report/page.hpp"

namespace rival {
namespace {

using Json = nlohmann::json;

std::optional<Error> problem_of(const Json& ladder) {
  const auto list = [&](const char* name) { return ladder.contains(name) && ladder[name].is_array(); };
  if (!ladder.is_object() || !list("players") || !list("results"))
    return Error{"ladder: 'players' and 'results' must be lists"};
  const auto numbers = [](const Json& entry, std::initializer_list<const char*> names) -> const char* {
    for (const char* name : names)
      if (!entry.is_object() || !entry.contains(name) || !entry[name].is_number()) return name;
    return nullptr;
  };
  const auto check_list = [&](const char* name, std::initializer_list<const char*> fields) -> std::optional<Error> {
    if (!ladder.contains(name)) return std::nullopt;
    if (!ladder[name].is_array()) return Error{std::string("ladder: '") + name + "' is no list"};
    for (std::size_t i = 0; i < ladder[name].size(); ++i)
      if (const char* field = numbers(ladder[name][i], fields))
        return Error{fmt::format("ladder: {} {}: '{}' is no number", name, i, field)};
    return std::nullopt;
  };
  if (auto error = check_list("players", {"rating", "rating_se", "steps", "matches"})) return error;
  if (auto error = check_list("results", {"first", "second", "wins", "draws", "losses"})) return error;
  for (std::size_t i = 0; i < ladder["results"].size(); ++i)
    for (const Json& placing : ladder["results"][i].value("placings", Json::array()))
      if (const char* field = numbers(placing, {"ahead", "level", "behind", "matches"}))
        return Error{fmt::format("ladder: results {}: placings: '{}' is no number", i, field)};
  if (auto error = check_list("dial", {"rating", "temperature"})) return error;
  if (auto error = check_list("calibration", {"asked", "measured", "se"})) return error;
  const auto count = static_cast<double>(ladder["players"].size());
  for (std::size_t i = 0; i < ladder["players"].size(); ++i)
    if (!ladder["players"][i].contains("name") || !ladder["players"][i]["name"].is_string())
      return Error{fmt::format("ladder: players {}: 'name' is no text", i)};
  for (std::size_t i = 0; i < ladder["results"].size(); ++i)
    for (const char* side : {"first", "second"})
      if (const double number = ladder["results"][i][side]; !(number >= 0 && number < count))
        return Error{fmt::format("ladder: results {}: '{}' is the number of no player", i, side)};
  return std::nullopt;
}

// [steps, seconds], at most about 500 of them.
Result<Json> training_time(const std::string& metrics) {
  std::vector<Json> points;
  std::istringstream lines(metrics);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty()) continue;
    const Json entry = Json::parse(line, nullptr, false);
    if (!entry.is_object())
      return Error{fmt::format("metrics: line {} is no JSON object; is this a run's metrics.jsonl?", number)};
    const Json steps = entry.value("steps", Json()), seconds = entry.value("seconds", Json());
    if (steps.is_number() && seconds.is_number()) points.push_back({steps, seconds});
  }
  Json kept = Json::array();
  const std::size_t every = points.size() / 500 + 1;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (i % every == 0 || i + 1 == points.size()) kept.push_back(points[i]);
  return kept;
}

}  // namespace

Result<std::string> ladder_page(const Json& ladder, const std::string& metrics_jsonl) {
  if (const auto problem = problem_of(ladder)) return *problem;
  Result<Json> time = training_time(metrics_jsonl);
  if (!time) return time.error();
  const Json game = ladder.value("game", Json());
  const std::string title = "Ladder" + (game.is_string() ? " of " + game.get<std::string>() : std::string());
  return fill_page(with_head(embedded::ladder_html), title, embedded::page_css, with_page_script(embedded::ladder_js),
                   {{"ladder", ladder}, {"time", time.value()}});
}

}  // namespace rival
