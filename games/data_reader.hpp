// What the readers of games' data files share: TOML, table by table, with errors that name the file, the line and the
// key.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "base/names.hpp"
#include "base/result.hpp"

namespace rival {

inline Result<toml::table> parse_toml(std::string_view text, std::string_view file) {
  toml::parse_result parsed = toml::parse(text, file);
  if (!parsed)
    return Error{fmt::format("{}:{}: {}", file, parsed.error().source().begin.line, parsed.error().description())};
  return std::move(parsed).table();
}

// Reads one table at a time. The first error is kept; once there is one, nothing more is found.
class DataReader {
 public:
  explicit DataReader(std::string_view file) : file_(file) {}

  const std::optional<Error>& error() const { return error_; }
  const std::string& name() const { return name_; }  // of the table

  void fail(const toml::node& at, const std::string& message) {
    if (!error_)
      error_ =
          Error{fmt::format("{}:{}: {}{}{}", file_, at.source().begin.line, name_, name_.empty() ? "" : ": ", message)};
  }

  // Opens a table, which must outlive its reading; what it is called in errors.
  void open(const toml::table& table, std::string name) {
    table_ = &table;
    name_ = std::move(name);
    known_.clear();
  }

  // What is left unread in the table must not be there.
  void close(std::string_view kind = "key") {
    for (const auto& [key, node] : *table_)
      if (std::find(known_.begin(), known_.end(), key.str()) == known_.end()) {
        fail(node, unknown_name(kind, key.str(), known_).message);
        return;
      }
  }

  // Null: there is none, or there was an error before. An error if there is none and it is `needed`.
  const toml::node* find(std::string_view key, bool needed) {
    known_.emplace_back(key);
    const toml::node* node = table_->get(key);
    if (!node && needed) {
      std::vector<std::string> keys;
      for (const auto& [other, unused] : *table_) keys.emplace_back(other.str());
      const std::string meant = nearest(key, keys);
      const bool unread = std::find(known_.begin(), known_.end(), meant) == known_.end();
      fail(*table_,
           fmt::format("'{}' is missing{}", key, !meant.empty() && unread ? "; there is '" + meant + "'" : ""));
    }
    return error_ ? nullptr : node;
  }

 private:
  std::string_view file_;
  const toml::table* table_ = nullptr;
  std::string name_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

}  // namespace rival
