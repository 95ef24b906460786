#include "serve/tick.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "base/check.hpp"
#include "base/finite.hpp"
#include "base/index.hpp"

namespace rival::serve {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are written as they stand in memory");

constexpr std::uint8_t kTick = 1, kAnswer = 2, kSeen = 3, kVersion = 1;
constexpr std::uint16_t kLate = 1, kDoesNotTell = 1;
constexpr std::uint32_t kMostRows = 1 << 20;

template <class T>
void put(std::string& out, std::span<const T> values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

// The `count` things that stand at `at`, which moves on behind them. They must be there.
template <class T>
std::span<const T> take(std::string_view frame, std::size_t& at, std::size_t count) {
  const auto* data = reinterpret_cast<const T*>(frame.data() + at);
  at += count * sizeof(T);
  return {data, count};
}

std::string header_bytes(std::uint8_t kind, std::uint16_t flags, const TickHeader& header) {
  std::string out = {static_cast<char>(kind), static_cast<char>(kVersion), static_cast<char>(flags & 255),
                     static_cast<char>(flags >> 8)};
  const std::uint32_t fields[] = {header.session, header.tick, header.budget, header.rows};
  put<std::uint32_t>(out, fields);
  return out;
}

Result<TickHeader> header_of(std::string_view frame, std::uint8_t kind, std::uint16_t& flags) {
  if (frame.size() < kTickHeader)
    return Error{fmt::format("a frame of {} bytes is too short: its header has {}", frame.size(), kTickHeader)};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(frame.data());
  if (bytes[0] != kind) return Error{fmt::format("a frame of kind {}, where {} is expected", bytes[0], kind)};
  if (bytes[1] != kVersion)
    return Error{fmt::format("a frame of version {} of the protocol; this is version {}", bytes[1], kVersion)};
  flags = static_cast<std::uint16_t>(bytes[2] | bytes[3] << 8);
  std::uint32_t fields[4];
  std::memcpy(fields, frame.data() + 4, sizeof fields);
  if (fields[3] > kMostRows) return Error{fmt::format("{} rows in a frame; {} is the most", fields[3], kMostRows)};
  return TickHeader{fields[0], fields[1], fields[2], fields[3]};
}

Result<void> expect_length(std::string_view frame, const TickHeader& header, std::size_t bytes_a_row) {
  const std::size_t expected = kTickHeader + header.rows * bytes_a_row;
  if (frame.size() == expected) return {};
  return Error{fmt::format("a frame of {} bytes; {} rows of {} bytes take {}", frame.size(), header.rows, bytes_a_row,
                           expected)};
}

Error in_row(std::size_t row, std::uint32_t seat, const std::string& what) {
  return {fmt::format("row {} (seat {}): {}", row, seat, what)};
}

std::size_t bytes_of_row(const RowSizes& sizes) {
  return sizeof(std::uint32_t) + index(sizes.observation) * sizeof(float) + index(sizes.mask);
}

Result<void> sound(const TickView& tick, const RowSizes& sizes, int seats) {
  const std::size_t width = index(sizes.observation), mask = index(sizes.mask);
  std::vector<bool> seen(index(seats));
  for (std::size_t row = 0; row < tick.seats.size(); ++row) {
    const std::uint32_t seat = tick.seats[row];
    if (seat >= seen.size()) return in_row(row, seat, fmt::format("the session has seats 0 to {}", seats - 1));
    if (seen[seat]) return in_row(row, seat, "the seat stands in the frame twice");
    seen[seat] = true;
    const std::string amiss =
        amiss_in_row(tick.observations.data() + row * width, tick.masks.data() + row * mask, sizes);
    if (!amiss.empty()) return in_row(row, seat, amiss);
  }
  return {};
}

}  // namespace

Result<TickHeader> tick_header(std::string_view frame) {
  std::uint16_t flags = 0;
  return header_of(frame, kTick, flags);
}

Result<TickView> read_tick(std::string_view frame, const RowSizes& sizes, int seats) {
  check(reinterpret_cast<std::uintptr_t>(frame.data()) % alignof(float) == 0, "a frame is aligned");
  const Result<TickHeader> header = tick_header(frame);
  if (!header) return header.error();
  if (Result<void> whole = expect_length(frame, header.value(), bytes_of_row(sizes)); !whole) return whole.error();
  const std::size_t rows = header.value().rows;
  std::size_t at = kTickHeader;
  TickView tick{.header = header.value(), .seats = {}, .observations = {}, .masks = {}};
  tick.seats = take<std::uint32_t>(frame, at, rows);
  tick.observations = take<float>(frame, at, rows * index(sizes.observation));
  tick.masks = take<std::uint8_t>(frame, at, rows * index(sizes.mask));
  if (Result<void> good = sound(tick, sizes, seats); !good) return good.error();
  return tick;
}

std::string amiss_in_row(const float* observation, const std::uint8_t* mask, const RowSizes& sizes) {
  const std::size_t width = index(sizes.observation);
  if (const std::size_t bad = first_not_finite(observation, width); bad < width)
    return fmt::format("observation[{}] is {}", bad, observation[bad]);
  for (std::size_t part = 0; part < sizes.parts.size(); ++part) {
    bool any = false;
    for (int c = 0; c < sizes.parts[part]; ++c) any |= *mask++ != 0;
    if (!any) return fmt::format("the mask allows no choice of '{}'", sizes.names[part]);
  }
  return "";
}

std::string tick_frame(const TickHeader& header, std::span<const std::uint32_t> seats,
                       std::span<const float> observations, std::span<const std::uint8_t> masks) {
  std::string out = header_bytes(kTick, 0, header);
  out.reserve(out.size() + seats.size_bytes() + observations.size_bytes() + masks.size());
  put(out, seats);
  put(out, observations);
  put(out, masks);
  return out;
}

bool is_seen(std::string_view frame) {
  return !frame.empty() && frame[0] == static_cast<char>(kSeen);
}

Result<TickHeader> seen_header(std::string_view frame) {
  std::uint16_t flags = 0;
  return header_of(frame, kSeen, flags);
}

Result<SeenView> read_seen(std::string_view frame, const RowSizes& sizes, int seats) {
  check(reinterpret_cast<std::uintptr_t>(frame.data()) % alignof(float) == 0, "a frame is aligned");
  std::uint16_t flags = 0;
  const Result<TickHeader> header = header_of(frame, kSeen, flags);
  if (!header) return header.error();
  const std::size_t rows = header.value().rows, choices = index(sizes.choices), values = index(sizes.values);
  if (Result<void> whole = expect_length(frame, header.value(), bytes_of_row(sizes) + (choices + values) * 4); !whole)
    return whole.error();
  std::size_t at = kTickHeader;
  SeenView seen{.tick = {.header = header.value(), .seats = {}, .observations = {}, .masks = {}},
                .tells = (flags & kDoesNotTell) == 0,
                .choices = {},
                .values = {}};
  seen.tick.seats = take<std::uint32_t>(frame, at, rows);
  seen.tick.observations = take<float>(frame, at, rows * index(sizes.observation));
  seen.choices = take<std::int32_t>(frame, at, rows * choices);
  seen.values = take<float>(frame, at, rows * values);
  seen.tick.masks = take<std::uint8_t>(frame, at, rows * index(sizes.mask));
  if (Result<void> good = sound(seen.tick, sizes, seats); !good) return good.error();
  for (std::size_t row = 0; row < rows; ++row) {
    const std::uint32_t seat = seen.tick.seats[row];
    for (std::size_t part = 0; part < choices; ++part) {
      const std::int32_t choice = seen.choices[row * choices + part];
      if (choice < 0 || choice >= sizes.parts[part])
        return in_row(
            row, seat,
            fmt::format("choice {} of '{}', which has 0 to {}", choice, sizes.names[part], sizes.parts[part] - 1));
    }
    const float* numbers = seen.values.data() + row * values;
    if (const std::size_t bad = first_not_finite(numbers, values); bad < values)
      return in_row(row, seat, fmt::format("value[{}] is {}", bad, numbers[bad]));
  }
  return seen;
}

std::string seen_frame(const TickHeader& header, std::span<const std::uint32_t> seats,
                       std::span<const float> observations, std::span<const std::uint8_t> masks,
                       std::span<const std::int32_t> choices, std::span<const float> values, bool tells) {
  std::string out = header_bytes(kSeen, tells ? 0 : kDoesNotTell, header);
  put(out, seats);
  put(out, observations);
  put(out, choices);
  put(out, values);
  put(out, masks);
  return out;
}

Result<AnswerView> read_answer(std::string_view frame, const RowSizes& sizes) {
  check(reinterpret_cast<std::uintptr_t>(frame.data()) % alignof(float) == 0, "a frame is aligned");
  std::uint16_t flags = 0;
  const Result<TickHeader> header = header_of(frame, kAnswer, flags);
  if (!header) return header.error();
  const std::size_t rows = header.value().rows, choices = index(sizes.choices), values = index(sizes.values);
  if (Result<void> whole = expect_length(frame, header.value(), (choices + values) * 4); !whole) return whole.error();
  std::size_t at = kTickHeader;
  AnswerView answer{.header = header.value(), .late = (flags & kLate) != 0, .choices = {}, .values = {}};
  answer.choices = take<std::int32_t>(frame, at, rows * choices);
  answer.values = take<float>(frame, at, rows * values);
  return answer;
}

std::string answer_frame(const TickHeader& header, bool late, std::span<const std::int32_t> choices,
                         std::span<const float> values) {
  std::string out = header_bytes(kAnswer, late ? kLate : 0, header);
  out.reserve(out.size() + choices.size_bytes() + values.size_bytes());
  put(out, choices);
  put(out, values);
  return out;
}

}  // namespace rival::serve
