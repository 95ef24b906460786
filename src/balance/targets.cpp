#include "balance/targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "balance/figures.hpp"
#include "base/index.hpp"
#include "base/names.hpp"
#include "base/number.hpp"
#include "base/options.hpp"
#include "game/spec.hpp"

namespace rival::balance {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Interval share_interval(const Measured& measured, int option);

// A range as the file has it: "47..53", "..52", "40..", or "50", which means as much as `around` to either side.
Result<std::pair<double, double>> parse_range(const std::string& key, const std::string& text, double around,
                                              double low, double high) {
  const auto wrong = [&]() {
    return Error{fmt::format("'{}' must be a range such as \"{}..{}\", \"..{}\" or \"{}\", not '{}'", key,
                             shortest(low + (high - low) * 0.47), shortest(low + (high - low) * 0.53),
                             shortest(low + (high - low) * 0.52), shortest(low + (high - low) / 2),
                             text.substr(0, 100))};
  };
  const auto number = [&](std::string_view part, double none) -> std::optional<double> {
    if (part.empty()) return none;
    const std::optional<double> value = read_real(part);
    return value && std::isfinite(*value) && *value >= low && *value <= high ? value : std::nullopt;
  };
  const std::size_t dots = text.find("..");
  if (text.empty() || text == "..") return wrong();
  if (dots == std::string::npos) {
    const auto value = number(text, 0);
    if (!value) return wrong();
    return std::pair(*value - around, *value + around);
  }
  const auto from = number(std::string_view(text).substr(0, dots), -kInfinity),
             to = number(std::string_view(text).substr(dots + 2), kInfinity);
  if (!from || !to || *from > *to) return wrong();
  return std::pair(*from, *to);
}

// What the file says, as written.
struct Written {
  double tolerance = 3;
  std::string choice;
  std::map<std::string, std::string> texts;  // by key; "": not set
  std::map<std::string, double> costs;
};

class Reader {
 public:
  Reader(const Spec& spec, const Settings& settings, std::string_view file)
      : spec_(spec), settings_(with_defaults(spec, settings)), file_(file) {}

  Result<Targets> read(std::string_view text) {
    if (Result<void> found = find_choice(text); !found) return found.error();
    Written written;
    if (Result<void> read = read_toml(rows_of(written, options()), text, file_); !read) return read.error();
    written_ = &written;
    for (int band = -1; band < static_cast<int>(std::size(kBands)); ++band)
      if (Result<void> taken = take_targets(band); !taken) return taken.error();
    if (targets_.targets.empty()) targets_.targets = default_targets(spec_, targets_.choice);
    if (Result<void> taken = take_tunables(); !taken) return taken.error();
    return targets_;
  }

  static std::vector<Target> default_targets(const Spec& spec, int choice) {
    std::vector<Target> targets;
    if (choice < 0) return {{.kind = Target::Kind::first, .low = 0.47, .high = 0.53}};
    for (int i = 0; i < static_cast<int>(spec.choices[choice].options.size()); ++i)
      targets.push_back({.kind = Target::Kind::overall, .option = i, .low = 0.47, .high = 0.53});
    return targets;
  }

 private:
  static std::string prefix(int band) { return band < 0 ? "" : std::string(kBands[band]) + "."; }

  const std::vector<std::string>& options() const {
    static const std::vector<std::string> kNone;
    return targets_.choice < 0 ? kNone : spec_.choices[targets_.choice].options;
  }

  // The keys depend on which choice is meant: so the file is first read with those of all choices.
  Result<void> find_choice(std::string_view text) {
    std::vector<std::string> names, all;
    for (const Choice& choice : spec_.choices) {
      names.push_back(choice.name);
      all.insert(all.end(), choice.options.begin(), choice.options.end());
    }
    targets_.choice = names.empty() ? -1 : 0;
    Written written;
    if (Result<void> read = read_toml(rows_of(written, all), text, file_); !read) return read;
    if (written.choice.empty()) return {};
    const auto found = std::find(names.begin(), names.end(), written.choice);
    if (found == names.end()) return wrong(unknown_name("choice", written.choice, names).message);
    targets_.choice = static_cast<int>(found - names.begin());
    return {};
  }

  std::vector<OptionRow> rows_of(Written& written, const std::vector<std::string>& options) const {
    std::vector<OptionRow> rows = {{"tolerance", &written.tolerance, "points", 0.01, 50},
                                   {"choice", &written.choice, "which choice is balanced"}};
    const auto text = [&](const std::string& key) {
      const auto [value, added] = written.texts.try_emplace(key);
      if (added) rows.push_back({key, &value->second, ""});  // of two names with one key the first counts
    };
    for (int band = -1; band < static_cast<int>(std::size(kBands)); ++band) {
      const std::string at = prefix(band);
      for (const char* key : {"first", "draws", "length"}) text(at + key);
      if (options.empty()) continue;
      for (const char* key : {"diversity", "overall.all", "pairs.all", "share.all"}) text(at + key);
      for (const std::string& option : options) {
        text(at + "overall." + key_of(option));
        text(at + "share." + key_of(option));
        for (const std::string& other : options)
          if (other != option) text(at + "pairs." + key_of(option) + "." + key_of(other));
      }
    }
    for (const Parameter& parameter : spec_.parameters) {
      for (const std::string& key : keys_for("parameters.", parameter)) text(key);
      for (const std::string& key : keys_for("cost.", parameter)) {
        const auto [value, added] = written.costs.try_emplace(key, 0.0);
        if (added) rows.push_back({key, &value->second, "cost of a change by the whole range", 0.001, 1000});
      }
    }
    return rows;
  }

  // Of what may be said about a parameter the first that is said counts: of knight.damage, of knight.all, of all.
  static std::vector<std::string> keys_for(const std::string& group, const Parameter& parameter) {
    const std::string name = key_of(parameter.name);
    std::vector<std::string> keys = {group + name};
    for (std::size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0; dot = name.rfind('.', dot - 1))
      keys.push_back(group + name.substr(0, dot) + ".all");
    keys.push_back(group + "all");
    return keys;
  }

  Error wrong(const std::string& what) const { return {fmt::format("{}: {}", file_, what)}; }

  // Adds a target if the key is set.
  Result<bool> take(int band, const std::string& key, Target target) {
    const std::string full = prefix(band) + key;
    const auto found = written_->texts.find(full);
    if (found == written_->texts.end() || found->second.empty()) return false;
    const bool share = target.is_share();
    const double unit = share ? 100 : 1, most = share ? 100 : target.kind == Target::Kind::diversity ? 1000 : 1e9;
    double around = written_->tolerance;
    if (target.kind == Target::Kind::diversity) around = 0;
    if (target.kind == Target::Kind::length) around = 0.05 * read_real(found->second).value_or(0);
    const auto range = parse_range(full, found->second, around, 0, most);
    if (!range) return wrong(range.error().message);
    target.low = range.value().first / unit, target.high = range.value().second / unit;
    target.band = band;
    const bool two_sided = std::isfinite(target.low) && std::isfinite(target.high);
    target.tolerance = two_sided ? std::max((target.high - target.low) / 2, 1e-4)
                       : target.kind == Target::Kind::length
                           ? 0.05 * (std::isfinite(target.low) ? target.low : target.high)
                       : target.kind == Target::Kind::diversity ? 0.5
                                                                : written_->tolerance / 100;
    target.tolerance = std::max(target.tolerance, 1e-4);
    targets_.targets.push_back(target);
    return true;
  }

  Result<void> take_targets(int band) {
    using Kind = Target::Kind;
    for (const auto& [key, kind] : {std::pair("first", Kind::first), std::pair("draws", Kind::draws),
                                    std::pair("length", Kind::length), std::pair("diversity", Kind::diversity)})
      if (const Result<bool> taken = take(band, key, {.kind = kind}); !taken) return taken.error();
    const int n = static_cast<int>(options().size());
    for (const auto& [group, kind] : {std::pair("overall.", Kind::overall), std::pair("share.", Kind::share)})
      for (int i = 0; i < n; ++i) {
        const Target target{.kind = kind, .option = i};
        Result<bool> taken = take(band, group + key_of(options()[i]), target);
        if (taken && !taken.value()) taken = take(band, std::string(group) + "all", target);
        if (!taken) return taken.error();
      }
    for (int i = 0; i < n; ++i)
      for (int j = i + 1; j < n; ++j) {
        const std::string a = key_of(options()[i]), b = key_of(options()[j]);
        const Result<bool> forward =
            take(band, "pairs." + a + "." + b, {.kind = Kind::pair, .option = i, .against = j});
        if (!forward) return forward.error();
        const Result<bool> back = take(band, "pairs." + b + "." + a, {.kind = Kind::pair, .option = j, .against = i});
        if (!back) return back.error();
        if (forward.value() && back.value())
          return wrong(fmt::format("'pairs.{}.{}' and 'pairs.{}.{}' say the same: leave one out", a, b, b, a));
        if (forward.value() || back.value()) continue;
        const Result<bool> all = take(band, "pairs.all", {.kind = Kind::pair, .option = i, .against = j});
        if (!all) return all.error();
      }
    return {};
  }

  // The one option of whose name the words stand in the parameter's: "knight.damage", "damage_knight".
  int owner_of(const Parameter& parameter) const {
    const auto part = [](char c) { return is_letter(c) || is_digit(c); };
    const std::string name = key_of(parameter.name);
    int owner = -1;
    std::size_t longest = 0;
    for (int option = 0; option < static_cast<int>(options().size()); ++option) {
      const std::string key = key_of(options()[option]);
      const std::size_t at = name.find(key);
      if (at == std::string::npos || key.size() <= longest) continue;
      const std::size_t end = at + key.size();
      if ((at > 0 && part(name[at - 1])) || (end < name.size() && part(name[end]))) continue;
      owner = option, longest = key.size();
    }
    return owner;
  }

  Result<void> take_tunables() {
    for (std::size_t p = 0; p < spec_.parameters.size(); ++p) {
      const Parameter& parameter = spec_.parameters[p];
      const std::vector<std::string> keys = keys_for("parameters.", parameter);
      const auto said = std::find_if(keys.begin(), keys.end(),
                                     [this](const std::string& key) { return !written_->texts[key].empty(); });
      const std::string key = said == keys.end() ? keys.back() : *said, text = written_->texts[key];
      if (text == "keep") continue;
      double cost = 1;
      for (const std::string& costly : keys_for("cost.", parameter))
        if (written_->costs[costly] > 0) {
          cost = written_->costs[costly];
          break;
        }
      Tunable tunable{.parameter = static_cast<int>(p),
                      .from = static_cast<double>(settings_.parameters[p]),
                      .low = static_cast<double>(parameter.low),
                      .high = static_cast<double>(parameter.high),
                      .cost = cost,
                      .owner = owner_of(parameter)};
      if (!text.empty() && text != "any") {
        if (key != keys.front())
          return wrong(fmt::format("'{}' must be \"keep\" or \"any\", not '{}'", key, text.substr(0, 100)));
        const auto range = parse_range(key, text, 0, tunable.low, tunable.high);
        if (!range || text.find("..") == std::string::npos)
          return wrong(fmt::format("'{}' must be \"keep\", \"any\" or a range within \"{}..{}\", not '{}'", key,
                                   shortest(parameter.low), shortest(parameter.high), text.substr(0, 100)));
        tunable.low = std::max(tunable.low, range.value().first),
        tunable.high = std::min(tunable.high, range.value().second);
        for (double* bound : {&tunable.low, &tunable.high})
          if (!allows(parameter, static_cast<float>(*bound)))
            return wrong(fmt::format("'{}': {} is not {}", key, shortest(*bound), allowed_values(parameter)));
      }
      // What is now lies in reach, so that to change nothing is a choice.
      tunable.low = std::min(tunable.low, tunable.from), tunable.high = std::max(tunable.high, tunable.from);
      if (tunable.low < tunable.high) targets_.tunables.push_back(tunable);
    }
    return {};
  }

  const Spec& spec_;
  Settings settings_;
  std::string_view file_;
  Written* written_ = nullptr;
  Targets targets_;
};

// The equilibrium's shares have no formula for their error: how far they go when each rate is moved by its own.
Interval share_interval(const Measured& measured, int option) {
  const SquareMatrix rates = measured.rates.rates();
  const double share = pick_equilibrium(rates).mix[option];
  double variance = 0;
  for (int i = 0; i < rates.size(); ++i)
    for (int j = i + 1; j < rates.size(); ++j) {
      SquareMatrix moved = rates;
      const double error = measured.rates(i, j).error();
      moved(i, j) += error;
      moved(j, i) -= error;
      const double change = pick_equilibrium(moved).mix[option] - share;
      variance += change * change;
    }
  const double half = kZ95 * std::sqrt(variance);
  return {std::max(0.0, share - half), std::min(1.0, share + half)};
}

std::string percent(double rate) {
  return with_digits(100 * rate, 4);
}

}  // namespace

std::string key_of(std::string_view name) {
  std::string key(name);
  for (char& c : key) {
    if (!is_letter(c) && !is_digit(c) && c != '-' && c != '.') c = '_';
    c = to_lower(c);
  }
  return key;
}

std::string Target::name(const Choice* choice) const {
  const std::string at = band < 0 ? "" : std::string(", ") + kBands[band];
  const auto of = [choice](int i) { return choice ? choice->options[i] : std::to_string(i); };
  switch (kind) {
    case Kind::overall:
      return of(option) + " overall" + at;
    case Kind::pair:
      return of(option) + " against " + of(against) + at;
    case Kind::first:
      return "the side that goes first" + at;
    case Kind::draws:
      return "draws" + at;
    case Kind::length:
      return "steps of a match" + at;
    case Kind::share:
      return "share of " + of(option) + " in best picks" + at;
    case Kind::diversity:
      return "choices as good as the best" + at;
  }
  return "";
}

std::string Target::wanted() const {
  const auto text = [this](double v) { return is_share() ? percent(v) : with_digits(v, 6); };
  const std::string unit = is_share() ? "%" : "";
  if (!std::isfinite(low)) return "at most " + text(high) + unit;
  if (!std::isfinite(high)) return "at least " + text(low) + unit;
  return text(low) + " to " + text(high) + unit;
}

std::string Target::unit() const {
  switch (kind) {
    case Kind::length:
      return "steps";
    case Kind::diversity:
      return "count";
    case Kind::share:
      return "share";
    default:
      return "rate";
  }
}

double Target::value(const Measured& m) const {
  switch (kind) {
    case Kind::overall:
      return m.rates.overall(option).rate;
    case Kind::pair:
      return m.rates(option, against).rate;
    case Kind::first:
      return m.conditions.first.rate;
    case Kind::draws:
      return m.conditions.draws.rate;
    case Kind::length:
      return m.conditions.length;
    case Kind::share:
      return pick_equilibrium(m.rates.rates()).mix[option];
    case Kind::diversity:
      return top_diversity(m.rates);
  }
  return 0;
}

Interval Target::interval(const Measured& m) const {
  switch (kind) {
    case Kind::overall:
      return m.rates.overall(option).interval;
    case Kind::pair:
      return m.rates(option, against).interval;
    case Kind::first:
      return m.conditions.first.interval;
    case Kind::draws:
      return m.conditions.draws.interval;
    case Kind::length:
      return m.conditions.length_interval;
    case Kind::share:
      return share_interval(m, option);
    case Kind::diversity:
      return {value(m), value(m)};
  }
  return {};
}

double Target::gap(double v) const {
  return std::max({0.0, low - v, v - high});
}

Targets default_targets(const Spec& spec, const Settings& settings) {
  return read_targets(spec, settings, "", "").value();
}

Result<Targets> read_targets(const Spec& spec, const Settings& settings, std::string_view text, std::string_view file) {
  return Reader(spec, settings, file).read(text);
}

std::string targets_template(const Spec& spec, const Settings& settings) {
  const Settings values = with_defaults(spec, settings);
  std::string text = fmt::format(
      "# What is wanted of {0}'s balance: `rival balance {0} --targets FILE`. Rates are in percent; a range is\n"
      "# \"47..53\", \"..52\" (at most), \"40..\" (at least), or \"50\": as much as the tolerance to either side.\n"
      "tolerance = 3\n",
      spec.name);
  if (spec.choices.size() > 1) text += fmt::format("choice = \"{}\"\n", spec.choices[0].name);
  text += spec.choices.empty() ? "first = \"50\"       # the side that goes first\n"
                               : "# first = \"..52\"  # the side that goes first\n";
  text += "# draws = \"..10\"\n# length = \"20..60\" # steps\n";
  if (!spec.choices.empty()) {
    const std::vector<std::string>& options = spec.choices[0].options;
    text += "\n[overall]          # each option against all others\nall = \"50\"\n";
    if (options.size() > 1)
      text +=
          fmt::format("\n# [pairs]          # one option against another\n# all = \"40..60\"\n# {}.{} = \"57..63\"\n",
                      key_of(options[0]), key_of(options[1]));
    text += fmt::format("\n# [{}.overall]  # the same among weaker players: {}\n# all = \"42..58\"\n", kBands[0],
                        "beginners, intermediates");
  }
  if (!spec.parameters.empty()) {
    text +=
        "\n[parameters]       # what may change: \"keep\", \"any\", or a range; `all`, or knight.all for all "
        "knight.*;\n"
        "                   # costs, by default 1, in [cost]\n";
    for (std::size_t p = 0; p < spec.parameters.size(); ++p)
      text +=
          fmt::format("{} = \"{}..{}\"  # now {}\n", key_of(spec.parameters[p].name), shortest(spec.parameters[p].low),
                      shortest(spec.parameters[p].high), shortest(values.parameters[p]));
  }
  return text;
}

}  // namespace rival::balance
