// Options with named values: an enum in code, a word in files and on command lines.
#pragma once

#include <array>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"

namespace rival {

template <typename T>
struct Word {
  std::string_view word;
  T value{};
};

// The words of an enum, one for each of its values; specialised beside the enum.
template <typename T>
inline constexpr std::array<Word<T>, 0> kWords{};

// An enum whose choice may be left open: "auto".
template <typename E>
inline constexpr auto kWords<std::optional<E>> = [] {
  std::array<Word<std::optional<E>>, kWords<E>.size() + 1> words{};
  words[0] = {"auto", std::nullopt};
  for (std::size_t i = 0; i < kWords<E>.size(); ++i) words[i + 1] = {kWords<E>[i].word, kWords<E>[i].value};
  return words;
}();

template <typename T>
constexpr std::string_view word_of(T value) {
  for (const Word<T>& known : kWords<T>)
    if (known.value == value) return known.word;
  return "";
}

template <typename T>
constexpr std::optional<T> from_word(std::string_view word) {
  for (const Word<T>& known : kWords<T>)
    if (known.word == word) return std::optional<T>(std::in_place, known.value);
  return std::nullopt;
}

template <typename T>
std::vector<std::string> words_of() {
  std::vector<std::string> words;
  for (const Word<T>& known : kWords<T>) words.emplace_back(known.word);
  return words;
}

// Error: an unknown word, with the nearest known one. `kind`: "value of --schedule".
template <typename T>
Result<T> parse_word(std::string_view kind, std::string_view word) {
  if (const std::optional<T> value = from_word<T>(word)) return *value;
  return unknown_name(kind, word, words_of<T>());
}

// An option of such a type. In code it may also be given as its word, which the compiler checks:
// config.precision = "f32".
template <typename T>
struct Named {
  T value{};

  constexpr Named() = default;
  template <std::convertible_to<T> U>
  constexpr Named(U chosen) : value(chosen) {}
  consteval Named(const char* word) : value(from_word<T>(word).value()) {}

  bool operator==(const Named&) const = default;
};

}  // namespace rival
