#include "report/balance_page.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/json.hpp"
#include "report/assets.hpp"
#include "report/page.hpp"

namespace rival {
namespace {

using Json = nlohmann::json;

enum class Kind { text, number, rate, truth, value };

// A field of an object. What is not needed may be missing or null.
struct Field {
  const char* name;
  Kind kind;
  bool needed = false;
};
using Fields = std::initializer_list<Field>;

// Walks the report, and keeps the first thing that is wrong with it.
class Checker {
 public:
  // An object's field; null if it has none or it is null.
  static const Json* find(const Json& object, const std::string& name) {
    const auto at = object.find(name);
    return at == object.end() || at->is_null() ? nullptr : &*at;
  }

  void fail(const std::string& path, const std::string& what) {
    if (!error) error = Error{fmt::format("balance: '{}' {}", path, what)};
  }

  bool object(const Json& value, const std::string& path, Fields fields) {
    if (!value.is_object()) return fail(path, "is no object"), false;
    for (const Field& field : fields) {
      const Json* found = find(value, field.name);
      const std::string place = under(path, field.name);
      if (found)
        check_kind(*found, place, field.kind);
      else if (field.needed)
        fail(place, "is missing");
    }
    return true;
  }

  // The object in this field, if there is one.
  const Json* part(const Json& value, const std::string& path, const char* name, Fields fields) {
    const Json* found = find(value, name);
    return found && object(*found, under(path, name), fields) ? found : nullptr;
  }

  // Calls each(entry, path) for what is in the list in this field, if there is one; `count` entries, if it is given.
  template <class Each>
  void list(const Json& value, const std::string& path, const char* name, Each each,
            std::optional<std::size_t> count = std::nullopt) {
    const Json* found = find(value, name);
    if (found) entries(*found, under(path, name), each, count);
  }
  void objects(const Json& value, const std::string& path, const char* name, Fields fields) {
    list(value, path, name, [&](const Json& entry, const std::string& place) { object(entry, place, fields); });
  }

  // A row and a column for each choice, or nothing at all. Cells may be null.
  void matrix(const Json& value, const std::string& path, const char* name, std::size_t choices) {
    const Json* found = find(value, name);
    if (!found || (found->is_array() && found->empty())) return;
    const auto cell = [&](const Json& entry, const std::string& place) {
      if (!entry.is_null()) object(entry, place, kCell);
    };
    const auto row = [&](const Json& entry, const std::string& place) { entries(entry, place, cell, choices); };
    entries(*found, under(path, name), row, choices);
  }

  static constexpr Fields kCell = {
      {"rate", Kind::rate}, {"low", Kind::number}, {"high", Kind::number}, {"matches", Kind::number}};
  static constexpr Fields kOption = {
      {"name", Kind::text, true}, {"rate", Kind::rate}, {"low", Kind::number}, {"high", Kind::number}};
  static constexpr Fields kLength = {{"mean", Kind::number}, {"low", Kind::number}, {"high", Kind::number}};

  std::optional<Error> error;

 private:
  static std::string under(const std::string& path, const char* name) {
    return path.empty() ? name : path + "." + name;
  }

  template <class Each>
  void entries(const Json& value, const std::string& path, Each each, std::optional<std::size_t> count) {
    if (!value.is_array()) return fail(path, "is no list");
    if (count && value.size() != *count)
      return fail(path, fmt::format("has {} entries, not one for each of the {} choices", value.size(), *count));
    for (std::size_t i = 0; i < value.size() && !error; ++i) each(value[i], fmt::format("{}[{}]", path, i));
  }

  void check_kind(const Json& value, const std::string& path, Kind kind) {
    const double number = value.is_number() ? value.get<double>() : -1;
    if (kind == Kind::text && !value.is_string()) fail(path, "is no text");
    if (kind == Kind::number && !value.is_number()) fail(path, "is no number");
    if (kind == Kind::rate && !(number >= 0 && number <= 1)) fail(path, "is no number from 0 to 1");
    if (kind == Kind::truth && !value.is_boolean()) fail(path, "is neither true nor false");
    if (kind == Kind::value && !value.is_primitive()) fail(path, "is no number, text or truth");
  }
};

std::optional<Error> problem_of(const Json& report) {
  Checker check;
  if (!report.is_object()) return Error{"balance: the report is no JSON object"};
  const auto text = [&](const Json& entry, const std::string& path) {
    if (!entry.is_string()) check.fail(path, "is no text");
  };
  for (const char* name : {"choices", "before"})
    if (!Checker::find(report, name)) check.fail(name, "is missing");
  check.object(report, "",
               {{"game", Kind::text, true},
                {"choice", Kind::text},
                {"nash_entropy", Kind::number},
                {"top_d", Kind::number},
                {"met", Kind::truth},
                {"worst_gap", Kind::number},
                {"confidence", Kind::rate},
                {"instrument_bias", Kind::number},
                {"instrument_bias_worst", Kind::number},
                {"matches", Kind::number},
                {"seconds", Kind::number},
                {"seed", Kind::number},
                {"claims", Kind::truth},
                {"parameters_line", Kind::text}});
  check.list(report, "", "choices", text);
  if (check.error) return check.error;
  const std::size_t choices = report["choices"].size();

  for (const char* name : {"before", "after"}) check.matrix(report, "", name, choices);
  for (const char* name : {"options_before", "options_after"}) check.objects(report, "", name, Checker::kOption);
  for (const char* name : {"seat_advantage", "seat_advantage_before", "draws"})
    check.part(report, "", name, Checker::kCell);
  check.part(report, "", "length", Checker::kLength);
  for (const char* name : {"dominated", "dominated_before"})
    check.objects(report, "", name, {{"name", Kind::text, true}, {"by", Kind::text, true}});
  const auto share = [&](const Json& entry, const std::string& path) {
    if (!entry.is_number()) check.fail(path, "is no number");
  };
  for (const char* name : {"nash", "nash_before"})
    if (const Json* shares = Checker::find(report, name); shares && !(shares->is_array() && shares->empty()))
      check.list(report, "", name, share, choices);
  check.objects(report, "", "targets",
                {{"name", Kind::text, true},
                 {"wanted", Kind::text},
                 {"from", Kind::number},
                 {"to", Kind::number},
                 {"before", Kind::number},
                 {"after", Kind::number},
                 {"low", Kind::number},
                 {"high", Kind::number},
                 {"unit", Kind::text},
                 {"met", Kind::truth}});
  check.objects(report, "", "changes",
                {{"parameter", Kind::text, true},
                 {"from", Kind::value},
                 {"to", Kind::value, true},
                 {"low", Kind::number},
                 {"high", Kind::number},
                 {"cost", Kind::number}});
  check.list(report, "", "sensitivities", [&](const Json& entry, const std::string& path) {
    if (!check.object(entry, path, {{"parameter", Kind::text, true}, {"step", Kind::number}})) return;
    check.objects(
        entry, path, "effects",
        {{"choice", Kind::text, true}, {"points", Kind::number}, {"low", Kind::number}, {"high", Kind::number}});
  });
  check.list(report, "", "front", [&](const Json& entry, const std::string& path) {
    if (!check.object(entry, path, {{"size", Kind::number}, {"gap", Kind::number}, {"chosen", Kind::truth}})) return;
    check.objects(entry, path, "changes", {{"parameter", Kind::text, true}, {"to", Kind::value, true}});
  });
  check.list(report, "", "bands", [&](const Json& entry, const std::string& path) {
    if (!check.object(entry, path, {{"name", Kind::text, true}, {"elo", Kind::number}, {"steps", Kind::number}}))
      return;
    check.objects(entry, path, "options", Checker::kOption);
    for (const char* name : {"seat_advantage", "draws"}) check.part(entry, path, name, Checker::kCell);
    check.part(entry, path, "length", Checker::kLength);
    check.matrix(entry, path, "matrix", choices);
  });
  if (const Json* real = check.part(report, "", "real", {{"file", Kind::text}, {"matches", Kind::number}}))
    check.matrix(*real, "real", "matrix", choices);
  check.part(
      report, "", "spent",
      {{"matches", Kind::number}, {"seconds", Kind::number}, {"trainings", Kind::number}, {"steps", Kind::number}});
  check.list(report, "", "warnings", text);
  check.objects(report, "", "replays", {{"title", Kind::text, true}, {"html", Kind::text, true}});
  check.part(report, "", "data_file", {{"name", Kind::text, true}, {"text", Kind::text, true}});
  return check.error;
}

}  // namespace

Result<std::string> balance_page(const Json& report) {
  if (const auto problem = problem_of(report)) return *problem;
  Json data = report;
  // A script's numbers do not hold all 64 bits of a seed.
  if (const Json* seed = Checker::find(report, "seed")) data["seed"] = json_text(*seed);
  return fill_page(with_head(embedded::balance_html), "Balance of " + report["game"].get<std::string>(),
                   embedded::page_css, with_page_script(embedded::balance_js), data);
}

}  // namespace rival
