#include "balance/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/index.hpp"
#include "base/names.hpp"
#include "base/number.hpp"
#include "game/spec.hpp"

namespace rival::balance {
namespace {

constexpr char kJoint = ';';

// A field as CSV has it (RFC 4180): in quotes where it must be.
std::string field_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? "\"\"" : std::string(1, c));
  return quoted + '"';
}

// Takes the next line's fields off `text`.
std::vector<std::string> take_line(std::string_view& text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"')
        fields.back() += c;
      else if (i + 1 < text.size() && text[i + 1] == '"')
        fields.back() += text[++i];
      else
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      break;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  text.remove_prefix(std::min(i + 1, text.size()));
  return fields;
}

// Mean scores, a mean over a pair of matches being one.
struct Sums {
  std::int64_t matches = 0;
  std::vector<double> scores;
  std::int64_t pair = -1;
  double sum = 0;
  int count = 0;

  void add(std::int64_t of, double score) {
    if (count > 0 && (of != pair || count == 2)) close();
    pair = of;
    sum += score;
    ++count;
    ++matches;
  }
  void close() {
    if (count > 0) scores.push_back(sum / count);
    sum = count = 0;
  }
  Cell cell() {
    close();
    if (scores.empty()) return {};
    return {mean(scores), score_interval(scores), matches};
  }
};

}  // namespace

std::string write_results(const Spec& spec, int choice, std::span<const MatchResult> results) {
  std::string text = "pair";
  for (const Parameter& parameter : spec.parameters) text += "," + field_text(parameter.name);
  text += ",first,second,score,steps\n";
  const auto picks = [&](const std::vector<int>& options) {
    std::string joined;
    for (const int option : options)
      joined.append(joined.empty() ? "" : std::string(1, kJoint)) += spec.choices[choice].options[option];
    return field_text(joined);
  };
  for (const MatchResult& r : results) {
    text += std::to_string(r.pair);
    for (const float value : r.parameters) text += "," + shortest(value);
    text +=
        "," + picks(r.first) + "," + picks(r.second) + "," + shortest(r.score) + "," + std::to_string(r.steps) + "\n";
  }
  return text;
}

Result<std::vector<MatchResult>> read_results(const Spec& spec, int choice, std::string_view text,
                                              std::string_view file) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const std::vector<std::string> names = take_line(text);
  const auto column = [&names](std::string_view name) -> std::optional<std::size_t> {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) return {};
    return static_cast<std::size_t>(at - names.begin());
  };
  const auto pair = column("pair"), first = column("first"), second = column("second"), score = column("score"),
             steps = column("steps");
  if (!score || (choice >= 0 && (!first || !second)))
    return Error{fmt::format("{}:1: the columns {} must be there", file,
                             choice >= 0 ? "'first', 'second' and 'score'" : "'score'")};
  std::vector<std::optional<std::size_t>> parameters;
  for (const Parameter& parameter : spec.parameters) parameters.push_back(column(parameter.name));
  std::map<std::string, int> options;
  std::vector<std::string> known;
  if (choice >= 0) {
    known = spec.choices[choice].options;
    for (std::size_t i = 0; i < known.size(); ++i) options.emplace(known[i], static_cast<int>(i));
  }

  std::vector<MatchResult> results;
  for (int line = 2; !text.empty(); ++line) {
    const std::vector<std::string> fields = take_line(text);
    if (fields.size() == 1 && fields[0].empty()) continue;
    const auto wrong = [&](std::string_view what) { return Error{fmt::format("{}:{}: {}", file, line, what)}; };
    if (fields.size() != names.size())
      return wrong(fmt::format("{} columns, where the first line names {}", fields.size(), names.size()));
    MatchResult result{.pair = line - 2, .parameters = default_settings(spec).parameters};
    if (pair) {
      const Result<std::int64_t> number = parse_whole("'pair'", fields[*pair], {0, kLargestSeed});
      if (!number) return wrong(number.error().message);
      result.pair = number.value();
    }
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      if (!parameters[p]) continue;
      const Result<float> value = parse_number<float>("'" + spec.parameters[p].name + "'", fields[*parameters[p]],
                                                      {spec.parameters[p].low, spec.parameters[p].high});
      if (!value) return wrong(value.error().message);
      result.parameters[p] = value.value();
    }
    for (const auto& [at, picks] : {std::pair(first, &result.first), std::pair(second, &result.second)}) {
      if (choice < 0) continue;
      std::string_view rest = fields[*at];
      for (bool more = true; more;) {
        const std::size_t end = std::min(rest.find(kJoint), rest.size());
        const auto option = options.find(std::string(rest.substr(0, end)));
        if (option == options.end())
          return wrong(unknown_name(spec.choices[choice].name, rest.substr(0, end), known).message);
        picks->push_back(option->second);
        more = end < rest.size();
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    }
    const Result<float> value = parse_number<float>("'score'", fields[*score], {0, 1});
    if (!value) return wrong(value.error().message);
    result.score = value.value();
    if (steps) {
      const Result<std::int32_t> number = parse_number<std::int32_t>("'steps'", fields[*steps], {0, 2'000'000'000});
      if (!number) return wrong(number.error().message);
      result.steps = number.value();
    }
    results.push_back(std::move(result));
  }
  return results;
}

WinRates::WinRates(int options, std::span<const MatchResult> results) : WinRates(options) {
  std::vector<Sums> sums(rival::index(options) * options);
  for (const MatchResult& r : results)
    for (const int a : r.first)
      for (const int b : r.second) {
        if (a == b) continue;
        sums[index(std::min(a, b), std::max(a, b))].add(r.pair, static_cast<double>(a < b ? r.score : 1 - r.score));
      }
  for (int i = 0; i < options; ++i)
    for (int j = i + 1; j < options; ++j) {
      const Cell cell = sums[index(i, j)].cell();
      (*this)(i, j) = cell;
      (*this)(j, i) = {1 - cell.rate, {1 - cell.interval.high, 1 - cell.interval.low}, cell.matches};
    }
  if (std::none_of(results.begin(), results.end(), [](const MatchResult& r) { return r.first.size() > 1; })) return;
  std::vector<Sums> sides(rival::index(options));
  const auto has = [](const std::vector<int>& side, int option) {
    return std::find(side.begin(), side.end(), option) != side.end();
  };
  for (const MatchResult& r : results) {
    for (const int a : r.first)
      if (!has(r.second, a)) sides[a].add(r.pair, static_cast<double>(r.score));
    for (const int b : r.second)
      if (!has(r.first, b)) sides[b].add(r.pair, static_cast<double>(1 - r.score));
  }
  for (Sums& side : sides) in_teams_.push_back(side.cell());
}

SquareMatrix WinRates::rates() const {
  SquareMatrix rates(options_);
  for (int i = 0; i < options_; ++i)
    for (int j = 0; j < options_; ++j) rates(i, j) = (*this)(i, j).rate;
  return rates;
}

Cell WinRates::overall(int option) const {
  if (!in_teams_.empty()) return in_teams_[option];
  if (options_ < 2) return {};
  Cell sum{.rate = 0};
  double variance = 0;
  const double others = options_ - 1;
  for (int j = 0; j < options_; ++j) {
    if (j == option) continue;
    const Cell& cell = (*this)(option, j);
    sum.rate += cell.rate / others;
    sum.matches += cell.matches;
    variance += cell.error() * cell.error() / (others * others);
  }
  const double half = kZ95 * std::sqrt(variance);
  sum.interval = {std::max(0.0, sum.rate - half), std::min(1.0, sum.rate + half)};
  return sum;
}

Conditions conditions(std::span<const MatchResult> results) {
  Sums first, draws;
  std::vector<double> lengths;
  for (const MatchResult& r : results) {
    first.add(r.pair, static_cast<double>(r.score));
    draws.add(r.pair, r.score > 0 && r.score < 1 ? 1.0 : 0.0);
    lengths.push_back(static_cast<double>(r.steps));
  }
  return {first.cell(), draws.cell(), mean(lengths), lengths.empty() ? Interval{} : mean_interval(lengths)};
}

}  // namespace rival::balance
