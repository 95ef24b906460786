// A hash of bytes that means the same everywhere, for files that a hash is written into.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rival {

// FNV-1a, 64 bits (Fowler, Noll, Vo): finds damage and changes; no defence against anybody who wants the same hash.
inline std::uint64_t fnv1a(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (std::byte b : bytes) hash = (hash ^ static_cast<std::uint64_t>(b)) * 0x100000001b3ULL;
  return hash;
}
inline std::uint64_t fnv1a(std::string_view text) {
  return fnv1a(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace rival
