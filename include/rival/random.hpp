// Splittable random keys: randomness as an argument, never a global generator.
//
// A Key is a value that names a stream of randomness. Splitting it by a number names an independent child
// stream, so a run, its matches and their steps each have their own key and results do not depend on the order
// in which threads do the work. A Random draws numbers from the stream a key names.
//
// Mixing function: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#pragma once

#include <cstdint>

namespace rival {

class Key {
 public:
  constexpr Key() = default;
  constexpr explicit Key(std::uint64_t seed) : bits_(mix(seed + kGolden)) {}

  // The child stream number `index`. Different indices give independent streams; the parent is unchanged.
  constexpr Key split(std::uint64_t index) const {
    Key child;
    child.bits_ = mix(bits_ + mix((index + 1) * kGolden));
    return child;
  }

  // A key as a number, to be stored, and the key stored so.
  constexpr std::uint64_t bits() const { return bits_; }
  static constexpr Key from_bits(std::uint64_t bits) {
    Key key;
    key.bits_ = bits;
    return key;
  }
  constexpr bool operator==(const Key&) const = default;

  static constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;
  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t bits_ = 0;
};

// A sequence of numbers drawn from the stream of one key. Cheap to make, use and copy; not thread-safe.
class Random {
 public:
  constexpr explicit Random(Key key) : state_(key.bits()) {}

  constexpr std::uint64_t next() { return Key::mix(state_ += Key::kGolden); }

  // Uniform in [0, 1), with 24 bits.
  constexpr float uniform() { return static_cast<float>(next() >> 40) * 0x1p-24f; }

  // Uniform in [low, high).
  constexpr float uniform(float low, float high) { return low + (high - low) * uniform(); }

  // Uniform in {0, ..., count - 1}; count is at least 1. (Lemire's multiply-shift; its bias is below count / 2^32.)
  constexpr int below(int count) {
    return static_cast<int>(((next() >> 32) * static_cast<std::uint64_t>(count)) >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace rival
