#include "cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "base/names.hpp"

namespace rival::cli {

struct Arguments::App {
  CLI::App cli;
};

Arguments::Arguments(const std::string& program, const std::string& summary, const std::vector<std::string>& examples)
    : app_(new App{CLI::App(summary, program)}) {
  std::string footer = "\nExamples:\n";
  for (const std::string& example : examples) footer.append("  ").append(example).append("\n");
  app_->cli.footer(footer);
  app_->cli.get_formatter()->column_width(34);
}

Arguments::~Arguments() = default;

void Arguments::add(const std::string& name, Target target, const std::string& help, const Rules& rules) {
  CLI::Option* option = std::visit([&](auto* value) { return app_->cli.add_option(name, *value, help); }, target);
  option->required(rules.required);
  if (std::isfinite(rules.low))
    option->check(
        [low = rules.low](const std::string& text) {
          char* end = nullptr;
          const double value = std::strtod(text.c_str(), &end);
          if (*end == '\0' && value >= low) return std::string();
          std::string bound = std::to_string(low);
          bound.erase(bound.find_last_not_of('0') + 1);
          if (bound.ends_with('.')) bound.pop_back();
          return "'" + text + "' is not a number of at least " + bound;
        },
        "");
  if (const auto* text = std::get_if<std::string*>(&target) ? *std::get_if<std::string*>(&target) : nullptr)
    if (text->empty()) return;
  if (target.index() < 4 && !rules.required) option->capture_default_str();
}

void Arguments::add_flag(const std::string& name, bool& value, const std::string& help) {
  app_->cli.add_flag(name, value, help);
}

void Arguments::add_each(const std::string& name, std::function<void(const std::string&)> each,
                         const std::string& help) {
  app_->cli
      .add_option_function<std::vector<std::string>>(
          name,
          [each = std::move(each)](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) each(text);
          },
          help)
      ->allow_extra_args(false)
      ->option_text("TEXT");
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
  try {
    app_->cli.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
    return false;
  } catch (const CLI::CallForHelp&) {
    return true;
  } catch (const CLI::ParseError& error) {
    return Error{error.what()};
  }
}

std::string Arguments::help() const {
  return app_->cli.help();
}

}  // namespace rival::cli
