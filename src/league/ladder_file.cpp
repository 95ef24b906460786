#include "league/ladder_file.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <set>
#include <tuple>

#include "base/file.hpp"
#include "base/index.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/names.hpp"
#include "rating/payoff.hpp"

namespace rival {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 5;

std::optional<LadderPlayer::Kind> kind_of(const std::string& name) {
  using Kind = LadderPlayer::Kind;
  for (Kind kind : {Kind::random, Kind::baseline, Kind::snapshot, Kind::exploiter, Kind::final, Kind::rung})
    if (to_string(kind) == name) return kind;
  return std::nullopt;
}

Json setting_json(const DialSetting& setting) {
  return {{"rating", setting.rating},
          {"bot", setting.bot},
          {"temperature", setting.temperature},
          {"reaction_steps", setting.reaction_steps}};
}

constexpr Range<double> kRatings{-1e6, 1e6}, kErrors{0, 1e6};
constexpr Range<float> kTemperatures{0, 1e6f};
constexpr Range<int> kSteps{0, 1'000'000};
constexpr std::int64_t kMostMatches = 1'000'000'000;  // of a ladder, in all
constexpr std::size_t kMostPlayers = 1000;
constexpr std::size_t kMostDrawn = 1 << 16;     // parameters, and values of one
constexpr std::size_t kMostPlacings = 100'000;  // of a pair: all kinds there are with 64 sides are fewer

// Files of version 1 say nothing of it.
int read_reaction(JsonFields& fields) {
  return fields.has("reaction_steps") ? fields.whole<int>("reaction_steps", kSteps) : 0;
}

// `bots`: of the players.
DialSetting read_setting(JsonFields& fields, const char* rating, const std::set<std::string>& bots) {
  DialSetting setting{.bot = fields.text("bot"),
                      .temperature = fields.real<float>("temperature", kTemperatures),
                      .rating = fields.real(rating, kRatings),
                      .reaction_steps = read_reaction(fields)};
  if (!bots.contains(setting.bot)) fields.fail("bot", "is the bot of no player");
  return setting;
}

LadderPlayer read_player(JsonFields& fields, std::optional<Error>& error) {
  using Kind = LadderPlayer::Kind;
  LadderPlayer player;
  player.name = fields.text("name");
  const std::optional<Kind> kind = kind_of(fields.text("kind"));
  if (!kind) fields.fail("kind", "is none that is known");
  player.kind = kind.value_or(player.kind);
  player.bot = fields.text("bot");
  if (player.kind == Kind::random || player.kind == Kind::baseline) {
    if (!player.bot.empty()) fields.fail("bot", "must be empty: the player is no bot");
  } else if (!is_plain_file_name(player.bot)) {
    fields.fail("bot", "must be a plain file name");
  }
  player.temperature = fields.real<float>("temperature", kTemperatures);
  player.reaction_steps = read_reaction(fields);
  player.steps = fields.count("steps");
  player.fingerprint = fields.bits("fingerprint");
  player.rating = fields.real("rating", kRatings);
  player.error = fields.real("rating_se", kErrors);
  player.matches = static_cast<double>(fields.whole("matches", {0, 2 * kMostMatches}));
  JsonFields skill(fields.field("weng_lin"), fields.place() + ", weng_lin", error);
  player.skill = {skill.real("mu", kRatings), skill.real("sigma", kErrors)};
  return player;
}

void read_placings(JsonFields& pair, int sides, PairResult& result, std::optional<Error>& error) {
  std::set<std::tuple<bool, int, int, int>> kinds;
  for (const nlohmann::json& entry : pair.list("placings", kMostPlacings)) {
    JsonFields fields(entry, fmt::format("{}: placing {}", pair.place(), result.placings.size()), error);
    const std::string alone = fields.text("alone");
    if (alone != "first" && alone != "second") fields.fail("alone", "is neither 'first' nor 'second'");
    Placing placing{.first_alone = alone == "first"};
    for (const auto& [name, count] :
         {std::pair{"ahead", &placing.ahead}, {"level", &placing.level}, {"behind", &placing.behind}})
      *count = fields.whole<int>(name, {0, sides - 1});
    placing.matches = static_cast<double>(fields.whole("matches", {1, kMostMatches}));
    if (placing.others() < 1 || placing.others() >= sides)
      fields.fail("behind", "makes no match of the ladder's sides");
    if (!kinds.insert({placing.first_alone, placing.ahead, placing.level, placing.behind}).second)
      fields.fail("alone", "and the places are those of an earlier placing");
    if (error) return;
    result.placings.push_back(placing);
  }
}

Calibration read_calibration(JsonFields& fields, const std::string& file, const std::set<std::string>& bots,
                             std::optional<Error>& error) {
  constexpr std::size_t kMost = 100'000;  // settings, and levels
  Calibration calibration;
  for (const nlohmann::json& json : fields.list("dial", kMost)) {
    JsonFields entry(json, fmt::format("{}: dial {}", file, calibration.dial.size()), error);
    calibration.dial.push_back(read_setting(entry, "rating", bots));
    const std::size_t n = calibration.dial.size();
    if (n > 1 && calibration.dial[n - 2].rating > calibration.dial[n - 1].rating)
      entry.fail("rating", "is below the one before");
  }
  if (calibration.dial.size() < 2) fields.fail("dial", "has fewer than two settings");
  for (const nlohmann::json& json : fields.list("calibration", kMost)) {
    JsonFields entry(json, fmt::format("{}: calibration {}", file, calibration.levels.size()), error);
    LevelCheck level;
    level.setting = read_setting(entry, "asked", bots);
    level.asked = level.setting.rating;
    level.measured = entry.real("measured", kRatings);
    level.error = entry.real("se", kErrors);
    level.matches = entry.whole<int>("matches", {0, INT32_MAX});
    calibration.levels.push_back(level);
  }
  return calibration;
}

}  // namespace

Json intransitivity_json(const Ladder& ladder) {
  std::vector<int> number(ladder.players.size(), -1), members;
  EloRatings ratings;
  for (std::size_t i = 0; i < ladder.players.size(); ++i) {
    if (ladder.players[i].kind == LadderPlayer::Kind::rung) continue;
    number[i] = static_cast<int>(members.size());
    members.push_back(static_cast<int>(i));
    ratings.rating.push_back(ladder.players[i].rating);
  }
  std::vector<PairResult> results;
  for (PairResult result : ladder.results) {
    result.first = number[result.first];
    result.second = number[result.second];
    if (result.first >= 0 && result.second >= 0 && result.matches() > 0) results.push_back(result);
  }
  const auto name = [&](std::size_t member) { return ladder.players[members[member]].name; };
  const std::vector<Cycle> cycles = find_cycles(static_cast<int>(members.size()), results);
  const EloFit fit = assess_elo(ratings, results);
  const SquareMatrix scores = score_matrix(ratings, results);
  const std::vector<double> alpha = alpha_rank(scores);
  const NashAveraging nash = nash_averaging(log_odds(scores));
  Json json{{"share", fit.intransitivity}, {"elo_misleads", fit.misleads() || !cycles.empty()}};
  json["cycles"] = Json::array();
  for (const Cycle& cycle : cycles) {
    Json entry{{"players", Json::array()}, {"scores", Json::array()}};
    for (std::size_t k = 0; k < 3; ++k) {
      entry["players"].push_back(name(index(cycle.players[k])));
      entry["scores"].push_back(cycle.scores[k]);
    }
    json["cycles"].push_back(entry);
  }
  json["players"] = Json::array();
  for (std::size_t i = 0; i < members.size(); ++i)
    json["players"].push_back(
        {{"name", name(i)}, {"alpha_rank", alpha[i]}, {"nash", nash.mix[i]}, {"nash_skill", nash.skill[i]}});
  return json;
}

Json ladder_json(const Ladder& ladder) {
  const LadderRules& rules = ladder.rules;
  Json json{{"version", kVersion}, {"game", rules.game}, {"data", rules.data}, {"parameters", rules.parameters}};
  json["picks"] = rules.picks;
  json["drawn"] = Json::array();
  for (const DrawnParameter& one : rules.drawn)
    json["drawn"].push_back({{"parameter", one.parameter},
                             {"low", one.low},
                             {"high", one.high},
                             {"step", one.step},
                             {"values", one.values}});
  json["opening"] = rules.opening;
  json["sides"] = rules.sides;
  json["reaction_steps"] = rules.limits.reaction_steps;
  json["every"] = rules.limits.every;
  std::vector<double> matches(ladder.players.size());  // also where they have changed since the last rating
  for (const PairResult& result : ladder.results)
    for (int side : {result.first, result.second}) matches[side] += result.matches();
  json["players"] = Json::array();
  for (std::size_t i = 0; i < ladder.players.size(); ++i) {
    const LadderPlayer& player = ladder.players[i];
    json["players"].push_back({{"name", player.name},
                               {"kind", to_string(player.kind)},
                               {"rating", player.rating},
                               {"rating_se", player.error},
                               {"matches", std::llround(matches[i])},
                               {"bot", player.bot},
                               {"temperature", player.temperature},
                               {"reaction_steps", player.reaction_steps},
                               {"steps", player.steps},
                               {"fingerprint", player.fingerprint},
                               {"weng_lin", {{"mu", player.skill.mu}, {"sigma", player.skill.sigma}}}});
  }
  json["results"] = Json::array();
  for (const PairResult& result : ladder.results)
    if (result.matches() > 0) {
      json["results"].push_back({{"first", result.first},
                                 {"second", result.second},
                                 {"wins", std::llround(result.wins)},
                                 {"draws", std::llround(result.draws)},
                                 {"losses", std::llround(result.losses)}});
      for (const Placing& p : result.placings)
        json["results"].back()["placings"].push_back({{"alone", p.first_alone ? "first" : "second"},
                                                      {"ahead", p.ahead},
                                                      {"level", p.level},
                                                      {"behind", p.behind},
                                                      {"matches", std::llround(p.matches)}});
    }
  json["intransitivity"] = intransitivity_json(ladder);
  if (!ladder.calibration) return json;
  json["dial"] = Json::array();
  for (const DialSetting& setting : ladder.calibration->dial) json["dial"].push_back(setting_json(setting));
  json["calibration"] = Json::array();
  for (const LevelCheck& check : ladder.calibration->levels)
    json["calibration"].push_back({{"asked", check.asked},
                                   {"measured", check.measured},
                                   {"se", check.error},
                                   {"matches", check.matches},
                                   {"bot", check.setting.bot},
                                   {"temperature", check.setting.temperature},
                                   {"reaction_steps", check.setting.reaction_steps}});
  return json;
}

Result<Ladder> parse_ladder(std::string_view text, const std::string& file) {
  const Result<nlohmann::json> json = parse_json(text, file);
  if (!json) return Error{json.error().message + "; delete it and ladder the run again"};
  std::optional<Error> error;
  JsonFields fields(json.value(), file, error);
  const int version = fields.whole<int>("version", {1, INT32_MAX});
  if (version > kVersion)
    return Error{fmt::format("{}: its version is newer than this program reads ({}); update rival", file, kVersion)};
  Ladder ladder;
  ladder.rules.game = fields.text("game");
  ladder.rules.data = fields.bits("data");
  ladder.rules.parameters = fields.reals<float>("parameters", 1 << 16);
  if (version >= 4) ladder.rules.picks = fields.wholes<int>("picks", 1 << 16, {-1, 1 << 20});
  if (version >= 5)
    for (const nlohmann::json& entry : fields.list("drawn", kMostDrawn)) {
      JsonFields one(entry, fmt::format("{}: drawn {}", file, ladder.rules.drawn.size()), error);
      ladder.rules.drawn.push_back({.parameter = one.whole<int>("parameter", {0, static_cast<int>(kMostDrawn)}),
                                    .low = one.real("low"),
                                    .high = one.real("high"),
                                    .step = one.real("step"),
                                    .values = one.reals<float>("values", kMostDrawn)});
    }
  ladder.rules.opening = fields.whole<int>("opening", kSteps);
  if (version >= 3) ladder.rules.sides = fields.whole<int>("sides", {1, 64});
  ladder.rules.limits.reaction_steps = fields.whole<int>("reaction_steps", kSteps);
  ladder.rules.limits.every = fields.whole<int>("every", {1, kSteps.high});
  std::set<std::string> names, bots;
  for (const nlohmann::json& entry : fields.list("players", kMostPlayers)) {
    JsonFields player(entry, fmt::format("{}: player {}", file, ladder.players.size()), error);
    ladder.players.push_back(read_player(player, error));
    if (!names.insert(ladder.players.back().name).second) player.fail("name", "is that of an earlier player");
    if (error) return *error;
    if (!ladder.players.back().bot.empty()) bots.insert(ladder.players.back().bot);
  }
  std::set<std::pair<int, int>> pairs;
  std::vector<double> matches(ladder.players.size());
  const int last = static_cast<int>(ladder.players.size()) - 1;
  for (const nlohmann::json& entry : fields.list("results", kMostPlayers * kMostPlayers / 2)) {
    const std::string place = fmt::format("{}: result {}", file, ladder.results.size());
    JsonFields pair(entry, place, error);
    PairResult result;
    result.first = pair.whole<int>("first", {0, last});
    result.second = pair.whole<int>("second", {result.first + 1, last});
    for (const auto& [name, count] :
         {std::pair{"wins", &result.wins}, {"draws", &result.draws}, {"losses", &result.losses}})
      *count = static_cast<double>(pair.whole(name, {0, kMostMatches}));
    if (pair.has("placings")) read_placings(pair, ladder.rules.sides, result, error);
    if (error) return *error;
    if (!pairs.insert({result.first, result.second}).second) return Error{place + ": this pair is there twice"};
    for (int side : {result.first, result.second}) matches[side] += result.matches();
    ladder.results.push_back(result);
  }
  if (ladder.matches() > static_cast<double>(kMostMatches))
    return Error{fmt::format("{}: 'results' hold more than {} matches", file, kMostMatches)};
  for (std::size_t i = 0; i < matches.size(); ++i)
    if (ladder.players[i].matches != matches[i])
      return Error{fmt::format("{}: player {}: 'matches' is {}, but its results hold {}", file, i,
                               with_decimals(ladder.players[i].matches, 0), with_decimals(matches[i], 0))};
  if (const int random = ladder.find("random"); random < 0 || ladder.players[random].kind != LadderPlayer::Kind::random)
    fields.fail("players", "has no player 'random' of that kind");
  if (fields.has("dial")) ladder.calibration = read_calibration(fields, file, bots, error);
  if (error) return *error;
  return ladder;
}

Result<Ladder> load_ladder(const std::string& path) {
  const Result<std::string> text = read_file(path);
  if (!text) return text.error();
  return parse_ladder(text.value(), path);
}

Result<void> save_ladder(const Ladder& ladder, const std::string& path) {
  return write_file_atomically(path, json_text(ladder_json(ladder), 1) + "\n");
}

}  // namespace rival
