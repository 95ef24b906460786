// Frames from anywhere: reading them does not crash, and what is accepted comes back the same. The first byte says
// which side reads: odd, a worker; even, Rival.
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "game/spec.hpp"
#include "plug/worker_protocol.hpp"

namespace {

using namespace rival;
using namespace rival::worker;

const Spec& small() {
  static const Spec spec{.name = "small",
                         .seats = 2,
                         .observation = {ObservationPart::vector("x", 3)},
                         .action = {ActionPart::discrete("a", 2), ActionPart::continuous("b", 1, -1, 1)},
                         .parameters = {{"speed", 1, 0, 2, ""}},
                         .choices = {{"hero", {"bear", "crow"}}}};
  return spec;
}

// The frame, read and written again: "" if it is refused.
std::string again(const Frame& frame, std::size_t actions) {
  switch (frame.kind) {
    case Kind::hello:
    case Kind::welcome: {
      auto greeting = read_greeting(frame.payload);
      if (!greeting) return "";
      if (const auto hello = read_hello(greeting->json)) {
        auto same = read_hello(read_greeting(first_frame(hello_frame(hello.value())).value()->payload)->json);
        check(same.ok() && same.value().token == hello.value().token, "a HELLO comes back");
      }
      if (auto welcome = read_welcome(greeting->json)) {
        auto same = read_welcome(read_greeting(first_frame(welcome_frame(welcome.value())).value()->payload)->json);
        check(same.ok() && same.value().spec.name == welcome.value().spec.name && same->has == welcome.value().has,
              "a WELCOME comes back");
        Blocks(welcome.value().spec, RowLayout(welcome.value().spec), 3);
      }
      return greeting_frame(frame.kind, greeting.value());
    }
    case Kind::open:
      if (const auto open = read_open(frame.payload)) return open_frame(open.value());
      return "";
    case Kind::opened:
      if (const auto opened = read_opened(frame.payload)) return opened_frame(opened.value());
      return "";
    case Kind::turn:
      if (const auto turn = read_turn(frame.payload, small(), 4, actions)) return turn_frame(turn.value());
      return "";
    case Kind::turned:
      return turned_frame(frame.payload);
    case Kind::ask: {
      auto ask = read_ask(frame.payload);
      if (!ask) return "";
      auto same = read_ask(first_frame(ask_frame(ask.value())).value()->payload);
      check(same.ok() && same->key == ask->key && same->keyed == ask->keyed, "an ASK comes back");
      return "";
    }
    case Kind::told:
      return told_frame(frame.payload);
    case Kind::error:
      if (const auto error = read_error(frame.payload)) check(!error_frame(error.value()).empty(), "it can be written");
      return "";
    case Kind::close:
      return frame.payload.empty() ? close_frame() : "";
  }
  return "";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty()) return 0;
  const std::size_t actions = bytes[0] & 1 ? Blocks(small(), RowLayout(small()), 4).actions_size : 0;
  bytes.remove_prefix(1);
  for (;;) {
    const auto frame = first_frame(bytes);
    if (!frame || !frame.value()) return 0;
    const std::size_t whole = kHeaderSize + frame.value()->payload.size();
    if (const std::string written = again(*frame.value(), actions); !written.empty())
      check(written == bytes.substr(0, whole), "a frame comes back as it was");
    bytes.remove_prefix(whole);
  }
}
