#include "base/names.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/number.hpp"

namespace rival {
namespace {

constexpr std::size_t kLongestName = 100;  // nobody means more; bounds the work on hostile input

std::string folded(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return text;
}

// Damerau-Levenshtein distance, each pair of neighbours swapped at most once (optimal string alignment).
int edits(std::string_view a, std::string_view b) {
  std::vector<int> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view unknown, std::span<const std::string> known) {
  const std::string typed = folded(unknown.substr(0, kLongestName));
  std::string best;
  int fewest = std::numeric_limits<int>::max();
  for (const std::string& candidate : known) {
    const std::string name = folded(candidate);
    const auto longer = static_cast<int>(std::max(typed.size(), name.size()));
    const bool begins = typed.size() >= 2 && name.starts_with(typed);
    const int distance = begins ? std::min(1, edits(typed, name)) : edits(typed, name);
    if (distance <= std::max(1, longer / 3) && distance < longer && distance < fewest) {
      fewest = distance;
      best = candidate;
    }
  }
  return best;
}

Error unknown_name(std::string_view kind, std::string_view unknown, std::span<const std::string> known,
                   std::string_view where) {
  std::string message(where);
  message.append("unknown ").append(kind).append(" '").append(unknown.substr(0, kLongestName)).append("'; ");
  const std::string meant = nearest(unknown, known);
  if (!meant.empty()) message.append("did you mean '").append(meant).append("'? ");
  message.append("Known: ");
  for (std::size_t i = 0; i < known.size(); ++i) message.append(i == 0 ? "" : ", ").append(known[i]);
  if (known.empty()) message.append("none");
  return {message};
}

bool is_plain_file_name(std::string_view name) {
  const auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.'; };
  return !name.empty() && name.size() <= 200 && name[0] != '.' && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace rival
