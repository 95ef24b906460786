#include "league/ladder_file.hpp"

#include <cmath>
#include <set>

#include "base/file.hpp"
#include "rating/payoff.hpp"

namespace rival {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 2;
constexpr double kFlagged = 0.1;  // share of the variation that no ratings explain

// Fields of one object. The first that is missing or wrong is kept as the error.
class Reader {
 public:
  Reader(const Json& object, std::string place, std::optional<Error>& error)
      : object_(object), place_(std::move(place)), error_(error) {
    if (!object_.is_object()) fail("", "is not an object");
  }

  std::string text(const char* name) {
    const Json& value = field(name);
    if (value.is_string()) return value.get<std::string>();
    return fail(name, "is not a text"), "";
  }
  double number(const char* name, double low, double high) {
    const Json& value = field(name);
    const double x = value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
    if (x >= low && x <= high) return x;
    return fail(name, "is not a number within its range"), low;
  }
  std::uint64_t bits(const char* name) {
    const Json& value = field(name);
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    return fail(name, "is not a whole number"), 0;
  }
  std::int64_t whole(const char* name, std::int64_t low, std::int64_t high) {
    const Json& value = field(name);
    if (value.is_number_integer() && !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX))
      if (const auto x = value.get<std::int64_t>(); x >= low && x <= high) return x;
    return fail(name, "is not a whole number within its range"), low;
  }
  const Json& list(const char* name) {
    static const Json kEmpty = Json::array();
    const Json& value = field(name);
    if (value.is_array()) return value;
    return fail(name, "is not a list"), kEmpty;
  }
  bool has(const char* name) const { return object_.is_object() && object_.contains(name); }
  const Json& field(const char* name) {
    static const Json kNone;
    return has(name) ? object_[name] : kNone;
  }
  void fail(const std::string& name, const std::string& what) {
    if (!error_) error_ = Error{place_ + (name.empty() ? " " : ": '" + name + "' ") + what};
  }

 private:
  const Json& object_;
  std::string place_;
  std::optional<Error>& error_;
};

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

constexpr double kFar = 1e6;  // no rating is

// Files of version 1 say nothing of it.
int read_reaction(Reader& reader) {
  return reader.has("reaction_steps") ? static_cast<int>(reader.whole("reaction_steps", 0, 1'000'000)) : 0;
}

DialSetting read_setting(Reader& reader) {
  DialSetting setting;
  setting.rating = reader.number("rating", -kFar, kFar);
  setting.bot = reader.text("bot");
  setting.temperature = static_cast<float>(reader.number("temperature", 0, 1e6));
  setting.reaction_steps = read_reaction(reader);
  return setting;
}

LadderPlayer read_player(const Json& json, const std::string& place, std::optional<Error>& error) {
  Reader reader(json, place, error);
  LadderPlayer player;
  player.name = reader.text("name");
  const std::optional<LadderPlayer::Kind> kind = kind_of(reader.text("kind"));
  if (!kind) reader.fail("kind", "is none that is known");
  player.kind = kind.value_or(player.kind);
  player.bot = reader.text("bot");
  player.temperature = static_cast<float>(reader.number("temperature", 0, 1e6));
  player.reaction_steps = read_reaction(reader);
  player.steps = reader.whole("steps", 0, INT64_MAX);
  player.fingerprint = reader.bits("fingerprint");
  player.rating = reader.number("rating", -kFar, kFar);
  player.error = reader.number("rating_se", 0, kFar);
  player.matches = reader.number("matches", 0, 1e15);
  Reader skill(reader.field("weng_lin"), place + ", weng_lin", error);
  player.skill = {skill.number("mu", -kFar, kFar), skill.number("sigma", 0, kFar)};
  return player;
}

Calibration read_calibration(Reader& reader, const std::string& file, std::optional<Error>& error) {
  Calibration calibration;
  for (const Json& entry : reader.list("dial")) {
    Reader setting(entry, file + ": dial " + std::to_string(calibration.dial.size()), error);
    calibration.dial.push_back(read_setting(setting));
    const std::size_t n = calibration.dial.size();
    if (n > 1 && calibration.dial[n - 2].rating > calibration.dial[n - 1].rating)
      setting.fail("rating", "is below the one before");
  }
  if (calibration.dial.size() < 2) reader.fail("dial", "has fewer than two settings");
  for (const Json& entry : reader.list("calibration")) {
    const std::string place = file + ": calibration " + std::to_string(calibration.levels.size());
    Reader level(entry, place, error);
    LevelCheck check;
    check.asked = level.number("asked", -kFar, kFar);
    check.measured = level.number("measured", -kFar, kFar);
    check.error = level.number("se", 0, kFar);
    check.matches = static_cast<int>(level.whole("matches", 0, INT32_MAX));
    check.setting = {level.text("bot"), static_cast<float>(level.number("temperature", 0, 1e6)), check.asked,
                     read_reaction(level)};
    calibration.levels.push_back(check);
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
    result.first = number[static_cast<std::size_t>(result.first)];
    result.second = number[static_cast<std::size_t>(result.second)];
    if (result.first >= 0 && result.second >= 0 && result.matches() > 0) results.push_back(result);
  }
  const auto name = [&](std::size_t member) { return ladder.players[static_cast<std::size_t>(members[member])].name; };
  const std::vector<Cycle> cycles = find_cycles(static_cast<int>(members.size()), results);
  const double share = assess_elo(ratings, results).intransitivity;
  const SquareMatrix scores = score_matrix(ratings, results);
  const std::vector<double> alpha = alpha_rank(scores);
  const NashAveraging nash = nash_averaging(log_odds(scores));
  Json json{{"share", share}, {"elo_misleads", share > kFlagged || !cycles.empty()}};
  json["cycles"] = Json::array();
  for (const Cycle& cycle : cycles) {
    Json entry{{"players", Json::array()}, {"scores", Json::array()}};
    for (std::size_t k = 0; k < 3; ++k) {
      entry["players"].push_back(name(static_cast<std::size_t>(cycle.players[k])));
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
  json["opening"] = rules.opening;
  json["reaction_steps"] = rules.limits.reaction_steps;
  json["every"] = rules.limits.every;
  json["players"] = Json::array();
  for (const LadderPlayer& player : ladder.players)
    json["players"].push_back({{"name", player.name},
                               {"kind", to_string(player.kind)},
                               {"rating", player.rating},
                               {"rating_se", player.error},
                               {"matches", std::llround(player.matches)},
                               {"bot", player.bot},
                               {"temperature", player.temperature},
                               {"reaction_steps", player.reaction_steps},
                               {"steps", player.steps},
                               {"fingerprint", player.fingerprint},
                               {"weng_lin", {{"mu", player.skill.mu}, {"sigma", player.skill.sigma}}}});
  json["results"] = Json::array();
  for (const PairResult& result : ladder.results)
    if (result.matches() > 0)
      json["results"].push_back({{"first", result.first},
                                 {"second", result.second},
                                 {"wins", std::llround(result.wins)},
                                 {"draws", std::llround(result.draws)},
                                 {"losses", std::llround(result.losses)}});
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
  const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) return Error{file + ": no valid JSON; delete it and ladder the run again"};
  std::optional<Error> error;
  Reader reader(json, file + ":", error);
  if (reader.whole("version", 1, INT32_MAX) > kVersion)
    return Error{file + ": its version is newer than this program reads (" + std::to_string(kVersion) +
                 "); update rival"};
  Ladder ladder;
  ladder.rules.game = reader.text("game");
  ladder.rules.data = reader.bits("data");
  for (const Json& value : reader.list("parameters")) {
    if (!value.is_number()) reader.fail("parameters", "holds something that is no number");
    ladder.rules.parameters.push_back(value.is_number() ? value.get<float>() : 0);
  }
  ladder.rules.opening = static_cast<int>(reader.whole("opening", 0, 1'000'000));
  ladder.rules.limits.reaction_steps = static_cast<int>(reader.whole("reaction_steps", 0, 1'000'000));
  ladder.rules.limits.every = static_cast<int>(reader.whole("every", 1, 1'000'000));
  std::set<std::string> names;
  for (const Json& entry : reader.list("players")) {
    const std::string place = file + ": player " + std::to_string(ladder.players.size());
    ladder.players.push_back(read_player(entry, place, error));
    if (error) return *error;
    if (!names.insert(ladder.players.back().name).second)
      return Error{place + ": '" + ladder.players.back().name + "' is there twice"};
  }
  std::set<std::pair<int, int>> pairs;
  const auto players = static_cast<std::int64_t>(ladder.players.size());
  for (const Json& entry : reader.list("results")) {
    const std::string place = file + ": result " + std::to_string(ladder.results.size());
    Reader fields(entry, place, error);
    PairResult result;
    result.first = static_cast<int>(fields.whole("first", 0, players - 1));
    result.second = static_cast<int>(fields.whole("second", result.first + 1, players - 1));
    for (const auto& [name, count] :
         {std::pair{"wins", &result.wins}, {"draws", &result.draws}, {"losses", &result.losses}})
      *count = static_cast<double>(fields.whole(name, 0, 1'000'000'000'000));
    if (error) return *error;
    if (!pairs.insert({result.first, result.second}).second) return Error{place + ": this pair is there twice"};
    ladder.results.push_back(result);
  }
  if (ladder.find("random") < 0) reader.fail("players", "has no player 'random'");
  if (reader.has("dial")) ladder.calibration = read_calibration(reader, file, error);
  if (error) return *error;
  return ladder;
}

Result<Ladder> load_ladder(const std::string& path) {
  const Result<std::string> text = read_file(path);
  if (!text) return text.error();
  return parse_ladder(text.value(), path);
}

Result<void> save_ladder(const Ladder& ladder, const std::string& path) {
  return write_file_atomically(path, ladder_json(ladder).dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace rival
