#include "balance/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "balance/figures.hpp"
#include "base/index.hpp"
#include "base/number.hpp"

namespace rival::balance {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kOnTheEdge = 1e-12;  // what rounding may put outside of a range

Json to_json(const Cell& cell) {
  Json json;
  json["rate"] = cell.rate;
  json["low"] = cell.interval.low;
  json["high"] = cell.interval.high;
  json["matches"] = cell.matches;
  return json;
}

Json to_json(const WinRates& rates) {
  Json rows = Json::array();
  for (int i = 0; i < rates.options(); ++i) {
    Json row = Json::array();
    for (int j = 0; j < rates.options(); ++j) row.push_back(to_json(rates(i, j)));
    rows.push_back(std::move(row));
  }
  return rows;
}

class Teller {
 public:
  Teller(const Spec& spec, const Targets& targets, const Findings& findings)
      : spec_(spec),
        targets_(targets),
        findings_(findings),
        last_(findings.after ? *findings.after : findings.before),
        choice_(targets.choice < 0 ? nullptr : &spec.choices[targets.choice]) {}

  Json tell() {
    tell_matrices();
    tell_figures();
    tell_targets();
    tell_changes();
    tell_search();
    Json& bands = json_["bands"] = Json::array();
    for (const Findings::Band& band : findings_.bands) {
      Json told{{"name", band.name}, {"elo", band.elo}, {"steps", band.steps}};
      told["options"] = options(band.measured.rates);
      told["matrix"] = to_json(band.measured.rates);
      add_conditions(told, band.measured.conditions);
      bands.push_back(std::move(told));
    }
    if (const auto& real = findings_.real)
      json_["real"] = {{"file", real->file},
                       {"matches", real->matches},
                       {"matrix", to_json(real->measured.rates)},
                       {"options", options(real->measured.rates)},
                       {"seat_advantage", to_json(real->measured.conditions.first)}};
    json_["warnings"] = findings_.warnings;
    return std::move(json_);
  }

 private:
  const std::string& name(int option) const { return choice_->options[option]; }

  Json options(const WinRates& rates) const {
    Json list = Json::array();
    for (int i = 0; i < rates.options(); ++i) {
      Json option{{"name", name(i)}};
      option.update(to_json(rates.overall(i)));
      list.push_back(std::move(option));
    }
    return list;
  }

  static void add_conditions(Json& json, const Conditions& conditions) {
    json["seat_advantage"] = to_json(conditions.first);
    json["draws"] = to_json(conditions.draws);
    json["length"] = {{"mean", conditions.length},
                      {"low", conditions.length_interval.low},
                      {"high", conditions.length_interval.high}};
  }

  void tell_matrices() {
    const Measured& before = findings_.before.best;
    json_["game"] = spec_.name;
    json_["choice"] = choice_ ? Json(choice_->name) : Json();
    json_["choices"] = choice_ ? Json(choice_->options) : Json::array();
    json_["before"] = to_json(before.rates);
    json_["after"] = findings_.after ? to_json(last_.best.rates) : Json();
    json_["options_before"] = options(before.rates);
    json_["options_after"] = findings_.after ? options(last_.best.rates) : Json();
    json_["seat_advantage_before"] = to_json(before.conditions.first);
    add_conditions(json_, last_.best.conditions);
    if (const auto& exact = findings_.exact) json_["exact"] = {{"value", exact->value}, {"within", exact->within}};
  }

  Json dominated_in(const WinRates& rates) const {
    Json list = Json::array();
    if (findings_.skilled)
      for (const Dominated& d : dominated(rates)) list.push_back({{"name", name(d.option)}, {"by", name(d.by)}});
    return list;
  }

  Json counters_in(const WinRates& rates) const {
    Json list = Json::array();
    for (const Counter& c : counters(rates))
      list.push_back({{"name", name(c.option)}, {"against", name(c.against)}, {"rate", c.rate}});
    return list;
  }

  void tell_figures() {
    json_["dominated_before"] = dominated_in(findings_.before.best.rates);
    json_["dominated"] = dominated_in(last_.best.rates);
    json_["counters_before"] = counters_in(findings_.before.best.rates);
    json_["counters"] = counters_in(last_.best.rates);
    json_["nash"] = Json::array();
    json_["nash_entropy"] = 0;
    if (!choice_) return;
    json_["nash_before"] = pick_equilibrium(findings_.before.best.rates.rates()).mix;
    const NashAveraging nash = pick_equilibrium(last_.best.rates.rates());
    json_["nash"] = nash.mix;
    json_["nash_entropy"] = nash.entropy;
    json_["top_d"] = top_diversity(last_.best.rates);
  }

  void tell_targets() {
    Json list = Json::array();
    double worst = 0, doubt = 0;
    bool all_met = true;
    for (const Target& t : targets_.targets) {
      const double value = t.value(last_.of(t));
      const Interval interval = t.interval(last_.of(t));
      const double error = std::max(interval.half_width() / kZ95, 1e-12);
      const auto below = [&](double bound) { return 0.5 * std::erfc((value - bound) / error / std::sqrt(2.0)); };
      doubt += std::min(1.0, 1 - below(t.high) + below(t.low));
      const bool met = t.gap(value) <= kOnTheEdge;
      all_met &= met;
      if (t.is_share()) worst = std::max(worst, 100 * t.gap(value));
      Json told{{"name", t.name(choice_)},
                {"wanted", t.wanted()},
                {"from", std::isfinite(t.low) ? Json(t.low) : Json()},
                {"to", std::isfinite(t.high) ? Json(t.high) : Json()},
                {"unit", t.unit()},
                {"before", t.value(findings_.before.of(t))}};
      if (findings_.after) told["after"] = value;
      told["low"] = interval.low;
      told["high"] = interval.high;
      told["met"] = met;
      list.push_back(std::move(told));
    }
    json_["targets"] = std::move(list);
    json_["claims"] = findings_.skilled;
    json_["met"] = findings_.skilled ? Json(all_met) : Json();
    json_["worst_gap"] = worst;
    json_["confidence"] = std::max(0.0, 1 - doubt);  // of all at once (Bonferroni)
  }

  void tell_changes() {
    Json list = Json::array();
    std::string line;
    for (std::size_t k = 0; findings_.after && k < findings_.proposal.size(); ++k) {
      const Tunable& t = targets_.tunables[k];
      const std::string& name = spec_.parameters[t.parameter].name;
      const float from = static_cast<float>(t.from), to = static_cast<float>(findings_.proposal[k]);
      if (from == to) continue;
      list.push_back({{"parameter", name},
                      {"from", Json::parse(shortest(from))},
                      {"to", Json::parse(shortest(to))},
                      {"low", t.low},
                      {"high", t.high},
                      {"cost", t.cost}});
      line += fmt::format("{}--parameter {}={}", line.empty() ? "" : " ", name, shortest(to));
    }
    json_["changes"] = std::move(list);
    if (!line.empty()) json_["parameters_line"] = line;
  }

  void tell_search() {
    Json sensitivities = Json::array();
    for (std::size_t k = 0; findings_.surface && k < targets_.tunables.size(); ++k) {
      const Tunable& t = targets_.tunables[k];
      const Parameter& parameter = spec_.parameters[t.parameter];
      const double step = parameter.step > 0 ? static_cast<double>(parameter.step) : (t.high - t.low) / 20;
      Json effects = Json::array();
      const auto add = [&](int option, const std::string& who) {
        const Cell effect = findings_.surface->effect(option, static_cast<int>(k), step);
        effects.push_back({{"choice", who},
                           {"points", 100 * effect.rate},
                           {"low", 100 * effect.interval.low},
                           {"high", 100 * effect.interval.high}});
      };
      if (!choice_) add(-1, "the side that goes first");
      for (int i = 0; choice_ && i < static_cast<int>(choice_->options.size()); ++i) add(i, name(i));
      sensitivities.push_back({{"parameter", parameter.name}, {"step", step}, {"effects", std::move(effects)}});
    }
    json_["sensitivities"] = std::move(sensitivities);
    Json front = Json::array();
    for (const Variant& variant : findings_.front) {
      Json to = Json::array();
      for (std::size_t k = 0; k < variant.values.size(); ++k)
        if (std::fabs(variant.values[k] - targets_.tunables[k].from) > 1e-9)
          to.push_back(
              {{"parameter", spec_.parameters[targets_.tunables[k].parameter].name}, {"to", variant.values[k]}});
      Json told{{"size", variant.size}, {"gap", 100 * variant.worst}, {"changes", std::move(to)}};
      if (&variant == &findings_.front.back()) told["chosen"] = true;
      front.push_back(std::move(told));
    }
    json_["front"] = std::move(front);
    json_["instrument_bias"] = findings_.bias ? Json(100 * findings_.bias->mean) : Json();
    json_["instrument_bias_worst"] = findings_.bias ? Json(100 * findings_.bias->worst) : Json();
  }

  const Spec& spec_;
  const Targets& targets_;
  const Findings& findings_;
  const Levels& last_;
  const Choice* choice_;
  Json json_;
};

}  // namespace

bool measurably_missed(const Targets& targets, const Levels& levels) {
  return std::any_of(targets.targets.begin(), targets.targets.end(), [&](const Target& t) {
    const Measured& measured = levels.of(t);
    const Interval interval = t.interval(measured);
    return interval.high < t.low || interval.low > t.high ||
           (t.gap(t.value(measured)) > kOnTheEdge && interval.half_width() < t.tolerance);
  });
}

std::vector<NumberChange> changes(const Spec& spec, const Targets& targets, std::span<const double> values) {
  std::vector<NumberChange> changed;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const float to = static_cast<float>(values[k]);
    if (to != static_cast<float>(targets.tunables[k].from))
      changed.push_back({spec.parameters[targets.tunables[k].parameter].name, to});
  }
  return changed;
}

Json to_json(const Spec& spec, const Targets& targets, const Findings& findings) {
  return Teller(spec, targets, findings).tell();
}

}  // namespace rival::balance
