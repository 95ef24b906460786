// What Rival and a process that plays a game say to each other, as bytes (docs/formats/worker.md): pure functions, that
// take any bytes from outside and never more memory than those are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "game/batch.hpp"
#include "rival/game.hpp"

namespace rival::worker {

inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kHeaderSize = 8;
inline constexpr std::size_t kLargestFrame = std::size_t{1} << 30;
inline constexpr std::size_t kLargestControl = std::size_t{1} << 24;  // of frames without rows
inline constexpr int kMostMatches = 1 << 20;                          // of one connection

enum class Kind : std::uint32_t { hello = 1, welcome, open, opened, turn, turned, ask, told, error, close };

struct Frame {
  Kind kind{};
  std::string_view payload;  // of the bytes it was read from
};

// The first frame of `bytes`; nothing, if it is not yet whole. Error: this is no frame.
Result<std::optional<Frame>> first_frame(std::string_view bytes);

// ---- what is in a frame; *_frame gives all of its bytes ----

// Who speaks, and which version of the protocol. `json` is an object.
struct Greeting {
  std::uint32_t version = kVersion;
  std::string json;
};
std::string greeting_frame(Kind kind, const Greeting& greeting);
Result<Greeting> read_greeting(std::string_view payload);

// A HELLO's object.
struct Hello {
  std::string program, token;
};
std::string hello_frame(const Hello& hello);
Result<Hello> read_hello(const std::string& json);

// What a game can do besides: its members beyond those that every game has.
struct Abilities {
  bool result = false, legal = false, playing = false;
  bool text = false, seat_text = false, action_text = false, scene = false;
  bool copy = false, resample = false;

  bool operator==(const Abilities&) const = default;
};

// A WELCOME's object.
struct Welcome {
  std::string program;
  Spec spec;
  Abilities has;
};
std::string welcome_frame(const Welcome& welcome);
Result<Welcome> read_welcome(const std::string& json);

struct Open {
  int matches = 0;
  std::uint64_t memory = 0;  // bytes of the shared memory that comes along; 0: rows are in the frames
};
std::string open_frame(const Open& open);
Result<Open> read_open(std::string_view payload);
std::string opened_frame(std::uint32_t number);
Result<std::uint32_t> read_opened(std::string_view payload);

// Step all running matches, if `step`; then start these.
struct Turn {
  bool step = false;
  std::vector<int> matches;
  std::vector<Key> keys;
  Settings settings;         // of those that start
  std::string_view actions;  // the actions' block, if it is not in shared memory and matches step
};
std::string turn_frame(const Turn& turn);
// `actions`: the size of the actions' block, where it comes in the frame.
Result<Turn> read_turn(std::string_view payload, const Spec& spec, int matches, std::size_t actions);
std::string turned_frame(std::string_view rows);

enum class Question : std::uint32_t { text = 1, seat_text, action_text, stage, scene, observe_seat, copy, resample };
struct Ask {
  Question question{};
  // Of `copy`: the match to copy, the number of the connection that it is of, and the match to make.
  std::int32_t match = 0, seat = 0, value = 0;
  bool keyed = false;
  std::uint64_t key = 0;
};
std::string ask_frame(const Ask& ask);
Result<Ask> read_ask(std::string_view payload);
std::string told_frame(std::string_view answer);

std::string error_frame(const BatchFailure& failure);
Result<BatchFailure> read_error(std::string_view payload);
std::string close_frame();

// ---- where the rows are, in shared memory or in frames ----

// Two blocks, each of whole arrays without gaps; in shared memory the actions' block comes first, and that of the rows
// begins at `rows`. Offsets and sizes in bytes.
struct Blocks {
  std::size_t choices = 0, values = 0;  // in the actions' block
  std::size_t actions_size = 0;
  std::size_t playing = 0, observations = 0, rewards = 0, results = 0, masks = 0, seats = 0, status = 0;
  std::size_t rows_size = 0;
  std::size_t rows = 0, memory = 0;

  Blocks() = default;
  Blocks(const Spec& spec, const RowLayout& layout, int matches);
};

}  // namespace rival::worker
