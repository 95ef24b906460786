// A report of `rival balance` as it might be, for tests of its page: choices in a circle of counters, the first of
// them too strong until its damage is lowered.
#pragma once

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rival {

class BalanceSample {
 public:
  using Json = nlohmann::json;

  static Json report(int choices) {
    const std::vector<double> before = strengths(choices, 0.75, 1), after = strengths(choices, 0.06, 0.3);
    Json all{{"game", "duel"},
             {"choice", choices > 0 ? Json("unit") : Json()},
             {"choices", Json::array()},
             {"before", matrix(before, 0.5)},
             {"after", choices > 0 ? matrix(after, 0.5) : Json()},
             {"seat_advantage", cell(0.511, 4000)},
             {"seat_advantage_before", cell(0.567, 4000)},
             {"draws", cell(0.034, 4000)},
             {"length", {{"mean", 41.3}, {"low", 40.8}, {"high", 41.9}}},
             {"met", true},
             {"worst_gap", 0.0},
             {"confidence", 0.97},
             {"dominated", Json::array()},
             {"dominated_before", Json::array()},
             {"top_d", choices / 2},
             {"instrument_bias", 0.4},
             {"instrument_bias_worst", 1.1},
             {"spent", {{"matches", 1'860'000}, {"seconds", 1510.0}, {"trainings", 4}, {"steps", 24'000'000}}},
             {"matches", 96'000},
             {"seconds", 1510.0},
             {"seed", 18446744073709551615u},
             {"warnings", Json::array()},
             {"claims", true},
             {"replays", {{{"title", "The strongest against the weakest"}, {"html", "report-1.html"}}}}};
    for (int i = 0; i < choices; ++i) all["choices"].push_back(name(i));
    const std::string strongest = choices > 0 ? name(0) : "";
    const std::string parameter = choices > 0 ? lower(strongest) + ".damage" : "bonus_of_second";
    all["targets"] = {{{"name", "goes first"},
                       {"wanted", "48 to 52%"},
                       {"from", 0.48},
                       {"to", 0.52},
                       {"before", 0.567},
                       {"after", 0.511},
                       {"low", 0.495},
                       {"high", 0.526},
                       {"unit", "rate"},
                       {"met", true}},
                      {{"name", "length"},
                       {"wanted", "30 to 60"},
                       {"from", 30},
                       {"to", 60},
                       {"before", 38.2},
                       {"after", 41.3},
                       {"low", 40.8},
                       {"high", 41.9},
                       {"unit", "steps"},
                       {"met", true}}};
    all["changes"] = {
        {{"parameter", parameter}, {"from", 18}, {"to", 12}, {"low", 6}, {"high", 30}, {"cost", 0.333}},
        {{"parameter", "knight.armor"}, {"from", 2}, {"to", 2.5}, {"low", 0}, {"high", 6}, {"cost", 0.083}}};
    all["parameters_line"] = "--parameter " + parameter + "=12 --parameter knight.armor=2.5";
    all["data_file"] = {{"name", "data/units.json"}, {"text", "{\n  \"damage\": 12,\n  \"armor\": 2.5\n}\n"}};
    all["front"] = Json::array();
    for (int i = 0; i < 6; ++i)
      all["front"].push_back({{"size", 0.1 * i},
                              {"gap", 11 * std::exp(-0.55 * i)},
                              {"chosen", i == 4},
                              {"changes", Json::array({{{"parameter", parameter}, {"to", 18 - 1.5 * i}}})}});
    bands(all, choices);
    if (choices == 0) return all;

    all["options_before"] = options(before, all["before"]);
    all["options_after"] = options(after, all["after"]);
    for (int i = 0; i < choices; ++i) {
      const Json& option = all["options_after"][static_cast<std::size_t>(i)];
      all["targets"].push_back({{"name", name(i) + " overall"},
                                {"wanted", "47 to 53%"},
                                {"from", 0.47},
                                {"to", 0.53},
                                {"before", all["options_before"][static_cast<std::size_t>(i)]["rate"]},
                                {"after", option["rate"]},
                                {"low", option["low"]},
                                {"high", option["high"]},
                                {"unit", "rate"},
                                {"met", true}});
    }
    if (choices > 1) all["dominated_before"] = {{{"name", name(choices - 1)}, {"by", strongest}}};
    all["nash"] = all["nash_before"] = Json::array();
    for (int i = 0; i < choices; ++i) {
      all["nash"].push_back(1.0 / choices);
      all["nash_before"].push_back(i == 0 ? 1.0 : 0.0);
    }
    all["nash_entropy"] = std::log(choices) * 0.97;
    all["sensitivities"] = Json::array();
    for (int p = 0; p < 4; ++p) {
      Json effects = Json::array();
      for (int i = 0; i < choices; ++i) {
        const double points = i == p ? 2.4 - 0.4 * p : 0.9 * std::sin(3 * i + p);
        effects.push_back({{"choice", name(i)}, {"points", points}, {"low", points - 0.5}, {"high", points + 0.5}});
      }
      all["sensitivities"].push_back({{"parameter", lower(name(p)) + (p % 2 ? ".armor" : ".damage")},
                                      {"step", p % 2 ? 0.5 : 1},
                                      {"effects", effects}});
    }
    all["real"] = {
        {"file", "season-3.csv"}, {"matches", 21'500}, {"matrix", matrix(strengths(choices, 0.6, 0.9), 0.35)}};
    return all;
  }

  static std::string name(int i) {
    static const std::vector<std::string> names = {"Sniper", "Knight", "Archer", "Pikeman", "War Mage",  "Scout",
                                                   "Monk",   "Ranger", "Golem",  "Duelist", "Alchemist", "Militia"};
    const auto count = static_cast<int>(names.size());
    return names[static_cast<std::size_t>(i % count)] + (i < count ? "" : " " + std::to_string(i / count + 1));
  }

 private:
  static double chance(double difference) { return 1 / (1 + std::exp(-difference)); }
  static std::string lower(std::string text) {
    for (char& c : text) c = c == ' ' ? '_' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    return text;
  }
  static Json cell(double rate, double matches) {
    const double half = 1.96 * std::sqrt(rate * (1 - rate) / matches);
    return {{"rate", rate},
            {"low", std::max(0.0, rate - half)},
            {"high", std::min(1.0, rate + half)},
            {"matches", matches}};
  }
  static std::vector<double> strengths(int choices, double first, double spread) {
    std::vector<double> all;
    for (int i = 0; i < choices; ++i) all.push_back(i == 0 ? first : spread * 0.25 * std::cos(2.2 * i));
    return all;
  }
  static Json matrix(const std::vector<double>& strength, double counters) {
    Json rows = Json::array();
    const auto n = strength.size();
    for (std::size_t i = 0; i < n; ++i) {
      rows.push_back(Json::array());
      for (std::size_t j = 0; j < n; ++j) {
        const double turn = 6.2831853 * (static_cast<double>(j) - static_cast<double>(i)) / static_cast<double>(n);
        rows[i].push_back(i == j ? Json() : cell(chance(strength[i] - strength[j] + counters * std::sin(turn)), 2000));
      }
    }
    return rows;
  }
  static Json options(const std::vector<double>& strength, const Json& matrix) {
    Json all = Json::array();
    for (std::size_t i = 0; i < strength.size(); ++i) {
      double sum = 0;
      for (const Json& entry : matrix[i]) sum += entry.is_null() ? 0 : entry["rate"].get<double>();
      const auto others = static_cast<double>(std::max<std::size_t>(1, strength.size() - 1));
      Json option = cell(sum / others, 2000 * others);
      option["name"] = name(static_cast<int>(i));
      all.push_back(option);
    }
    return all;
  }
  static void bands(Json& all, int choices) {
    all["bands"] = Json::array();
    const char* names[] = {"beginners", "average players", "good players", "experts"};
    for (int b = 0; b < 4; ++b) {
      const double skill = b / 3.0;
      std::vector<double> strength = strengths(choices, 0.75 * skill, 1);
      if (choices > 2) strength[2] += 0.5 * (1 - skill);
      const Json cells = matrix(strength, 0.5 * skill);
      all["bands"].push_back(
          {{"name", names[b]},
           {"elo", b == 3 ? Json(0) : Json(-520 + 170 * b)},
           {"steps", 200'000 * (1 << (2 * b))},
           {"options", options(strength, cells)},
           {"seat_advantage", cell(0.52 + 0.047 * skill, 4000)},
           {"draws", cell(0.12 - 0.08 * skill, 4000)},
           {"length", {{"mean", 58 - 20 * skill}, {"low", 57 - 20 * skill}, {"high", 59 - 20 * skill}}},
           {"matrix", cells}});
    }
  }
};

}  // namespace rival
