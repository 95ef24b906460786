// What a game server and the bot server say to each other every tick, as bytes (docs/formats/serve.md): pure functions
// that take any bytes from outside, and never more memory than those are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace rival::serve {

// The sizes of a bot's rows.
struct RowSizes {
  int observation = 0, mask = 0, choices = 0, values = 0;  // numbers, bytes, whole numbers, numbers
  std::vector<int> parts;          // of the mask: its sizes, in order; each part needs something that is allowed
  std::vector<std::string> names;  // of the parts

  bool operator==(const RowSizes&) const = default;
};

// A tick's header is the same in both directions.
struct TickHeader {
  std::uint32_t session = 0;
  std::uint32_t tick = 0;    // the client's own number; comes back in the answer
  std::uint32_t budget = 0;  // microseconds from its arrival, within which it is to be answered; 0: none
  std::uint32_t rows = 0;
};
inline constexpr std::size_t kTickHeader = 20;  // bytes: one of kind and version, two of flags, then the fields

// Decisions that are asked for, as they stand in a frame, which must outlive it.
struct TickView {
  TickHeader header;
  std::span<const std::uint32_t> seats;  // [rows] of the session, each at most once
  std::span<const float> observations;   // [rows x observation]
  std::span<const std::uint8_t> masks;   // [rows x mask]
};

// Which session a frame is of. Error: this is no tick, or of another version.
Result<TickHeader> tick_header(std::string_view frame);
// The frame must lie at an address that is a multiple of 4. Errors name the row, the seat and the field: a frame of
// another length than its rows take; a seat that there is none of, or twice; numbers that are not finite; a part of a
// mask that allows nothing.
Result<TickView> read_tick(std::string_view frame, const RowSizes& sizes, int seats);
std::string tick_frame(const TickHeader& header, std::span<const std::uint32_t> seats,
                       std::span<const float> observations, std::span<const std::uint8_t> masks);

// What is amiss with a row: "observation[3] is inf", "the mask allows no choice of 'move'"; "": nothing.
std::string amiss_in_row(const float* observation, const std::uint8_t* mask, const RowSizes& sizes);

// What seats that are watched were shown, and what they then did.
struct SeenView {
  TickView tick;
  bool tells = true;                      // how they play; not if a bot stood in for them
  std::span<const std::int32_t> choices;  // [rows x choices], each of its part
  std::span<const float> values;          // [rows x values]
};
// Whether a frame means to be one.
bool is_seen(std::string_view frame);
Result<TickHeader> seen_header(std::string_view frame);
// As read_tick(); also for choices that a part does not have, and values that are not finite.
Result<SeenView> read_seen(std::string_view frame, const RowSizes& sizes, int seats);
std::string seen_frame(const TickHeader& header, std::span<const std::uint32_t> seats,
                       std::span<const float> observations, std::span<const std::uint8_t> masks,
                       std::span<const std::int32_t> choices, std::span<const float> values, bool tells);

// The answer: actions in the order of the tick's rows.
struct AnswerView {
  TickHeader header;  // budget: microseconds that it took, from its arrival
  bool late = false;  // there was no time to compute: these are the fallback's actions, and memories have not moved
  std::span<const std::int32_t> choices;  // [rows x choices]
  std::span<const float> values;          // [rows x values]
};
Result<AnswerView> read_answer(std::string_view frame, const RowSizes& sizes);
std::string answer_frame(const TickHeader& header, bool late, std::span<const std::int32_t> choices,
                         std::span<const float> values);

}  // namespace rival::serve
