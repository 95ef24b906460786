#include "game/match_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "base/index.hpp"
#include "base/names.hpp"
#include "base/number.hpp"
#include "game/match_key.hpp"

namespace rival {
namespace {

constexpr const char* kAny = "any";
constexpr const char* kAll = "all";
constexpr const char* kRange = "..";

// The number that people read, so that steps of 0.1 add up to what they write.
double decimal(float value) {
  return read_real(shortest(value)).value();
}

DrawnParameter whole_range(const Spec& spec, std::size_t p) {
  const Parameter& parameter = spec.parameters[p];
  return {static_cast<int>(p), decimal(parameter.low), decimal(parameter.high), decimal(parameter.step)};
}

// "1..5", "1,3,5".
std::string text_of(const DrawnParameter& drawn) {
  if (drawn.values.empty())
    return shortest(static_cast<float>(drawn.low)) + kRange + shortest(static_cast<float>(drawn.high));
  std::string text;
  for (float value : drawn.values) text += (text.empty() ? "" : ",") + shortest(value);
  return text;
}

// What is drawn according to the text.
Result<DrawnParameter> parse(const Spec& spec, std::size_t p, const std::string& text, const std::string& where) {
  const Parameter& parameter = spec.parameters[p];
  DrawnParameter drawn = whole_range(spec, p);
  if (text == kAny) return drawn;
  const auto read = [&](const std::string& one) -> Result<float> {
    const auto value = static_cast<float>(read_real(one).value_or(NAN));  // as the bounds are: 0.1 is within 0.1 to 1
    if (allows(parameter, value)) return value;
    return Error{where + parameter.name + " must be " + allowed_values(parameter) + ", not '" + one + "'" +
                 (one == text ? "" : " as in '" + text + "'")};
  };
  if (const std::size_t dots = text.find(kRange); dots != std::string::npos) {
    const Result<float> low = read(text.substr(0, dots)), high = read(text.substr(dots + 2));
    if (!low || !high) return !low ? low.error() : high.error();
    if (low.value() > high.value())
      return Error{where + parameter.name + ": nothing lies in the range '" + text + "'; write LOW..HIGH"};
    drawn.low = decimal(low.value()), drawn.high = decimal(high.value());
    return drawn;
  }
  for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find(',', begin);
    const Result<float> value = read(text.substr(begin, end == std::string::npos ? end : end - begin));
    if (!value) return value.error();
    drawn.values.push_back(value.value());
  }
  const auto [least, greatest] = std::minmax_element(drawn.values.begin(), drawn.values.end());
  drawn.low = decimal(*least), drawn.high = decimal(*greatest);
  return drawn;
}

void set(DrawnParameter drawn, MatchSettings& settings) {
  std::erase_if(settings.drawn, [&](const DrawnParameter& other) { return other.parameter == drawn.parameter; });
  if (drawn.low == drawn.high) {
    settings.fixed.parameters[drawn.parameter] = static_cast<float>(drawn.low);
    return;
  }
  const auto behind = std::find_if(settings.drawn.begin(), settings.drawn.end(),
                                   [&](const DrawnParameter& other) { return other.parameter > drawn.parameter; });
  settings.drawn.insert(behind, std::move(drawn));
}

}  // namespace

float DrawnParameter::draw(Key key) const {
  constexpr double kMostSteps = 1 << 30;
  Random random(key);
  if (!values.empty()) return values[random.below(static_cast<int>(values.size()))];
  if (step <= 0)
    return std::clamp(random.uniform(static_cast<float>(low), static_cast<float>(high)), static_cast<float>(low),
                      static_cast<float>(high));
  const int steps = static_cast<int>(std::min(std::round((high - low) / step), kMostSteps));
  return static_cast<float>(low + step * random.below(steps + 1));
}

bool DrawnParameter::contains(float value) const {
  if (!values.empty()) return std::find(values.begin(), values.end(), value) != values.end();
  return value >= static_cast<float>(low) && value <= static_cast<float>(high);
}

Settings MatchSettings::draw(Key key) const {
  Settings settings = fixed;
  for (const DrawnParameter& one : drawn)
    settings.parameters[one.parameter] = one.draw(draw_key(key, MatchDraw::settings).split(one.parameter));
  return settings;
}

bool MatchSettings::cover(const MatchSettings& other) const {
  if (fixed.picks != other.fixed.picks || fixed.parameters.size() != other.fixed.parameters.size()) return false;
  const auto find = [](const MatchSettings& in, int parameter) {
    const auto found = std::find_if(in.drawn.begin(), in.drawn.end(),
                                    [&](const DrawnParameter& one) { return one.parameter == parameter; });
    return found == in.drawn.end() ? nullptr : &*found;
  };
  for (int p = 0; p < static_cast<int>(fixed.parameters.size()); ++p) {
    const DrawnParameter *own = find(*this, p), *its = find(other, p);
    const float value = other.fixed.parameters[p];
    if (!own && (its || fixed.parameters[p] != value)) return false;
    if (!own) continue;
    if (!its && !own->contains(value)) return false;
    if (!its) continue;
    if (its->values.empty() && !own->values.empty()) return false;
    if (its->values.empty() && (its->low < own->low || its->high > own->high)) return false;
    if (!std::all_of(its->values.begin(), its->values.end(), [&](float one) { return own->contains(one); }))
      return false;
  }
  return true;
}

MatchSettings with_defaults(const Spec& spec, MatchSettings settings) {
  settings.fixed = with_defaults(spec, std::move(settings.fixed));
  return settings;
}

Result<void> draw_parameters(const Spec& spec, std::span<const std::string> assignments, const std::string& where,
                             MatchSettings& settings) {
  std::vector<std::string> known;
  for (const Parameter& parameter : spec.parameters) known.push_back(parameter.name);
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos)
      return Error{where + "'" + assignment + "': write NAME=VALUE, as in " +
                   (known.empty() ? "speed" : known.front()) + "=1"};
    const std::string name = assignment.substr(0, equals), text = assignment.substr(equals + 1);
    const std::size_t p = std::find(known.begin(), known.end(), name) - known.begin();
    if (p == known.size() && name == kAll) {
      if (text != kAny) return Error{where + name + " must be '" + kAny + "', not '" + text + "'"};
      for (std::size_t each = 0; each < known.size(); ++each) set(whole_range(spec, each), settings);
      continue;
    }
    if (p == known.size()) return unknown_name("parameter of " + spec.name, name, known, where);
    Result<DrawnParameter> drawn = parse(spec, p, text, where);
    if (!drawn) return drawn.error();
    set(std::move(*drawn), settings);
  }
  return {};
}

std::string settings_text(const Spec& spec, const MatchSettings& settings) {
  Settings others = settings.fixed;
  std::string text;
  for (const DrawnParameter& one : settings.drawn) {
    const std::size_t p = one.parameter;
    others.parameters[p] = spec.parameters[p].value;
    text += " " + spec.parameters[p].name + "=" + text_of(one);
  }
  const std::string fixed = settings_text(spec, others);
  return fixed.empty() && !text.empty() ? text.substr(1) : fixed + text;
}

Result<void> fits(const Spec& spec, const MatchSettings& settings) {
  if (Result<void> fit = fits(spec, settings.fixed); !fit) return fit;
  for (const DrawnParameter& one : settings.drawn) {
    const std::size_t p = one.parameter;
    if (one.parameter < 0 || p >= spec.parameters.size())
      return Error{fmt::format("draws parameter {}, the game has {}", one.parameter, spec.parameters.size())};
    const Parameter& parameter = spec.parameters[p];
    std::vector<float> values = one.values;
    values.insert(values.end(), {static_cast<float>(one.low), static_cast<float>(one.high)});
    if (one.step != decimal(parameter.step) || one.low > one.high ||
        !std::all_of(values.begin(), values.end(), [&](float value) { return allows(parameter, value); }))
      return Error{"draws parameter '" + parameter.name + "' from " + text_of(one) + ", which is not " +
                   allowed_values(parameter)};
  }
  return {};
}

void start_matches(Batch& batch, std::span<const int> matches, const MatchSettings& settings,
                   std::span<const Key> keys) {
  if (settings.drawn.empty()) return batch.start(matches, settings.fixed, keys);
  for (std::size_t i = 0; i < matches.size(); ++i)
    batch.start(matches.subspan(i, 1), settings.draw(keys[i]), keys.subspan(i, 1));
}

std::vector<ObservedParameter> observed_parameters(const Spec& spec, const MatchSettings& settings) {
  std::vector<ObservedParameter> observed;
  for (const DrawnParameter& one : settings.drawn)
    observed.push_back(
        {spec.parameters[one.parameter].name, static_cast<float>(one.low), static_cast<float>(one.high)});
  return observed;
}

Spec with_rules(Spec spec, std::span<const ObservedParameter> observed) {
  if (!observed.empty())
    spec.observation.push_back(ObservationPart::vector(kRulesPart, static_cast<int>(observed.size())));
  return spec;
}

RulesSight::RulesSight(const Spec& spec, std::vector<ObservedParameter> observed) : observed_(std::move(observed)) {
  for (const ObservedParameter& one : observed_) {
    const auto found = std::find_if(spec.parameters.begin(), spec.parameters.end(),
                                    [&](const Parameter& parameter) { return parameter.name == one.name; });
    check(found != spec.parameters.end(), "an observed parameter that the game does not have");
    parameter_.push_back(found - spec.parameters.begin());
    defaults_.push_back(found->value);
  }
}

void RulesSight::write(const Batch& batch, int match, float* out) const {
  const std::vector<float>& parameters = batch.settings(match).parameters;
  for (std::size_t i = 0; i < observed_.size(); ++i) {
    const ObservedParameter& one = observed_[i];
    const float value = parameters.empty() ? defaults_[i] : parameters[parameter_[i]];
    if (value < one.low || value > one.high)
      batch.fail({match, batch.steps(match), -1,
                  who + " learnt to play with " + one.name + " from " + shortest(one.low) + " to " +
                      shortest(one.high) + ", not " + shortest(value) + ": train it over that too (`--from` goes on)"});
    out[i] = 2 * (value - one.low) / (one.high - one.low) - 1;
  }
}

const float* RulesSight::rows(const Batch& batch, std::span<const int> rows, const float* observations) {
  if (observed_.empty()) return observations;
  const auto from = index(batch.layout().observation_size), to = from + observed_.size();
  rows_.resize(index(batch.rows()) * to);
  for (const int row : rows) {
    float* out = rows_.data() + index(row) * to;
    std::copy_n(observations + index(row) * from, from, out);
    write(batch, row / batch.rows_per_match(), out + from);
  }
  return rows_.data();
}

}  // namespace rival
