#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <type_traits>

#include "base/names.hpp"

namespace rival::cli {
namespace {

template <class T>
struct Value {
  using type = T;
};
template <class T>
struct Value<std::optional<T>> {
  using type = T;
};

// The numbers that rules allow of a type.
template <class T>
auto allowed(const Rules& rules) {
  if constexpr (std::is_floating_point_v<T>) {
    return Range<double>{std::max<double>(rules.low, std::numeric_limits<T>::lowest()),
                         std::min<double>(rules.high, std::numeric_limits<T>::max())};
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return Range<std::int64_t>{0, kLargestSeed};
  } else {
    const Range<T> all;
    return Range<std::int64_t>{rules.low > all.low ? static_cast<std::int64_t>(rules.low) : all.low,
                               rules.high < all.high ? static_cast<std::int64_t>(rules.high) : all.high};
  }
}

template <class T>
Result<void> assign(const std::string& name, const std::string& text, const Rules& rules, T& target) {
  if constexpr (std::is_same_v<T, std::string>) {
    target = text;
  } else {
    using Number = typename Value<T>::type;
    const auto range = allowed<Number>(rules);
    if constexpr (std::is_floating_point_v<Number>) {
      const Result<double> value = parse_real(name, text, range);
      if (!value) return value.error();
      target = static_cast<Number>(value.value());
    } else {
      const Result<std::int64_t> value = parse_whole(name, text, range);
      if (!value) return value.error();
      target = static_cast<Number>(value.value());
    }
  }
  return {};
}

template <class T>
std::string default_text(const T& value) {
  if constexpr (std::is_same_v<T, std::string>)
    return value;
  else if constexpr (std::is_same_v<T, double>)
    return shortest(value);
  else if constexpr (std::is_integral_v<T>)
    return std::to_string(value);
  else
    return "";
}

// What a number may be, where rules narrow it; seeds say themselves what they are.
template <class T>
std::string range_text(const Rules& rules) {
  if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::uint64_t>) {
    return "";
  } else {
    const Rules all;
    if (rules.low <= all.low) return "";
    return rules.high < all.high ? fmt::format(" ({} to {})", rules.low, rules.high)
                                 : fmt::format(" (from {})", rules.low);
  }
}

}  // namespace

struct Arguments::App {
  struct Row {
    std::string name, kind, help;  // "--matches", "NUMBER=1000"
  };

  CLI::App cli;
  std::string usage, summary;
  std::vector<std::string> examples;
  std::vector<Row> positionals, options;
  struct Section {
    std::string title;
    std::vector<std::pair<std::string, std::string>> rows;
  };
  std::vector<Section> sections;
  std::vector<std::function<Result<void>()>> conversions;  // of the texts that parse() found
};

Arguments::Arguments(std::string usage, std::string summary, std::vector<std::string> examples) : app_(new App) {
  app_->usage = std::move(usage);
  app_->summary = std::move(summary);
  app_->examples = std::move(examples);
  app_->options.push_back({"-h, --help", "", "Show this"});
}

Arguments::~Arguments() = default;

void Arguments::add(const std::string& name, Target target, const std::string& help, const Rules& rules) {
  std::visit(
      [&](auto* value) {
        using T = std::remove_pointer_t<decltype(value)>;
        using Kind = typename Value<T>::type;
        constexpr bool kText = std::is_same_v<Kind, std::string>;
        const std::string standard = rules.required ? "" : default_text(*value);
        App::Row row{name, kText ? "TEXT" : "NUMBER", help + range_text<Kind>(rules)};
        if (!standard.empty()) row.kind += "=" + standard;
        const bool positional = !name.starts_with('-');
        if (positional) row.kind = rules.required || standard.empty() ? "" : "=" + standard;
        (positional ? app_->positionals : app_->options).push_back(std::move(row));
        app_->cli
            .add_option_function<std::string>(
                name,
                [this, value, name, rules](const std::string& text) {
                  app_->conversions.push_back([=] { return assign(name, text, rules, *value); });
                })
            ->required(rules.required);
      },
      target);
}

void Arguments::add_flag(const std::string& name, bool& value, const std::string& help) {
  app_->cli.add_flag(name, value);
  app_->options.push_back({name, "", help});
}

void Arguments::add_each(const std::string& name, std::function<void(const std::string&)> each, const std::string& help,
                         bool required) {
  const bool positional = !name.starts_with('-');
  app_->cli
      .add_option_function<std::vector<std::string>>(name,
                                                     [each = std::move(each)](const std::vector<std::string>& texts) {
                                                       for (const std::string& text : texts) each(text);
                                                     })
      ->allow_extra_args(positional)
      ->required(positional && required);
  if (positional)
    app_->positionals.push_back({name + "...", "", help});
  else
    app_->options.push_back({name, "TEXT", help});
}

void Arguments::add_section(std::string title, std::vector<std::pair<std::string, std::string>> rows) {
  app_->sections.push_back({std::move(title), std::move(rows)});
}

Result<bool> Arguments::parse(const std::vector<std::string>& arguments) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app_->cli.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back(std::string("--").append(name));
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    if (!argument.starts_with("--")) continue;
    const std::string name = argument.substr(0, argument.find('='));
    if (std::find(known.begin(), known.end(), name) == known.end()) return unknown_name("option", name, known);
  }
  app_->conversions.clear();
  try {
    app_->cli.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
  } catch (const CLI::CallForHelp&) {
    return true;
  } catch (const CLI::ParseError& error) {
    return Error{error.what()};
  }
  for (const auto& convert : app_->conversions)
    if (Result<void> converted = convert(); !converted) return converted.error();
  return false;
}

std::string Arguments::help() const {
  std::string text = app_->summary + "\n\nUsage: " + app_->usage;
  std::size_t widest = 0;
  const auto left = [](const App::Row& row) {
    return row.name + (row.kind.empty() || row.kind.starts_with('=') ? "" : " ") + row.kind;
  };
  for (const auto* rows : {&app_->positionals, &app_->options})
    for (const App::Row& row : *rows) widest = std::max(widest, left(row).size());
  for (const App::Row& row : app_->positionals) text += " " + row.name;
  text += " [OPTIONS]\n";
  for (const auto* rows : {&app_->positionals, &app_->options}) {
    text += "\n";
    for (const App::Row& row : *rows) text += fmt::format("  {:<{}}  {}\n", left(row), widest, row.help);
  }
  for (const App::Section& section : app_->sections) {
    text += "\n" + section.title + "\n";
    std::size_t longest = 0;
    for (const auto& [name, help] : section.rows) longest = std::max(longest, name.size());
    for (const auto& [name, help] : section.rows) text += fmt::format("  {:<{}}  {}\n", name, longest, help);
  }
  return text;
}

std::string Arguments::examples() const {
  std::string text = "\nExamples:\n";
  for (const std::string& example : app_->examples) text += "  " + example + "\n";
  return text;
}

}  // namespace rival::cli
