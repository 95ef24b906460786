// Frames from anywhere: reading them does not crash, and what is accepted comes back the same.
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "serve/tick.hpp"

using namespace rival;
using namespace rival::serve;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const RowSizes sizes{.observation = 2, .mask = 3, .choices = 1, .values = 1, .parts = {3}, .names = {"a"}};
  const std::string frame(reinterpret_cast<const char*>(data), size);
  if (frame.size() < 16) return 0;  // shorter ones lie within the string itself, at any address
  if (const Result<TickView> tick = read_tick(frame, sizes, 5)) {
    const TickView& t = tick.value();
    std::string again = tick_frame(t.header, t.seats, t.observations, t.masks);
    again.replace(2, 2, frame, 2, 2);  // flags, of which a tick has none
    check(again == frame, "a tick comes back");
  }
  if (const Result<SeenView> seen = read_seen(frame, sizes, 5)) {
    const SeenView& s = seen.value();
    const TickView& t = s.tick;
    std::string again = seen_frame(t.header, t.seats, t.observations, t.masks, s.choices, s.values, s.tells);
    again.replace(2, 2, frame, 2, 2);
    check(again == frame, "what was seen comes back");
  }
  if (const Result<AnswerView> answer = read_answer(frame, sizes)) {
    const AnswerView& a = answer.value();
    std::string again = answer_frame(a.header, a.late, a.choices, a.values);
    again.replace(2, 2, frame, 2, 2);
    check(again == frame, "an answer comes back");
  }
  return 0;
}
