#include "plug/worker_protocol.hpp"

#include <fmt/format.h>

#include <cstring>

#include "base/index.hpp"
#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "game/spec.hpp"
#include "game/spec_json.hpp"

namespace rival::worker {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "frames are little-endian, and copied as they are");

constexpr std::string_view kMagic("RIVALWRK", 8);
constexpr std::uint32_t kStep = 1;
constexpr std::size_t kLongestError = 1 << 16;

template <class T>
void put(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
void put(std::string& bytes, const std::vector<T>& values) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// Takes values from the front of some bytes; once they do not suffice, all is zero.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T take() {
    T value{};
    copy(&value, sizeof value);
    return value;
  }
  template <class T>
  std::vector<T> take(std::size_t count) {
    if (count > bytes_.size() / sizeof(T)) {
      short_ = true;
      return {};
    }
    std::vector<T> values(count);
    copy(values.data(), count * sizeof(T));
    return values;
  }
  std::string_view rest() { return std::exchange(bytes_, {}); }
  // Whether all was there, and nothing is left.
  bool exact() const { return !short_ && bytes_.empty(); }
  bool enough() const { return !short_; }

 private:
  void copy(void* to, std::size_t size) {
    short_ = short_ || bytes_.size() < size;
    if (short_ || size == 0) return;
    std::memcpy(to, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }

  std::string_view bytes_;
  bool short_ = false;
};

std::string frame(Kind kind, std::initializer_list<std::string_view> pieces) {
  std::size_t size = 0;
  for (std::string_view piece : pieces) size += piece.size();
  std::string bytes;
  bytes.reserve(kHeaderSize + size);
  put(bytes, static_cast<std::uint32_t>(kind));
  put(bytes, static_cast<std::uint32_t>(size));
  for (std::string_view piece : pieces) bytes += piece;
  return bytes;
}

Error wrong_size(const char* what, std::size_t size) {
  return {fmt::format("{} of {} bytes, which is no possible size", what, size)};
}

struct Ability {
  const char* name;
  bool Abilities::*flag;
};
constexpr Ability kAbilities[] = {
    {"result", &Abilities::result}, {"legal", &Abilities::legal},         {"playing", &Abilities::playing},
    {"text", &Abilities::text},     {"seat_text", &Abilities::seat_text}, {"action_text", &Abilities::action_text},
    {"scene", &Abilities::scene},   {"copy", &Abilities::copy},           {"resample", &Abilities::resample}};

}  // namespace

Result<std::optional<Frame>> first_frame(std::string_view bytes) {
  Taker taker(bytes);
  const auto kind = taker.take<std::uint32_t>();
  const auto size = taker.take<std::uint32_t>();
  // What is no frame shows in its first bytes.
  if (bytes.size() >= sizeof kind && (kind < 1 || kind > static_cast<std::uint32_t>(Kind::close)))
    return Error{fmt::format("a frame of kind {}, which there is not", kind)};
  if (!taker.enough()) return std::optional<Frame>();
  const Kind known{kind};
  const std::size_t most = known == Kind::turn || known == Kind::turned ? kLargestFrame : kLargestControl;
  if (size > most)
    return Error{fmt::format("a frame of kind {} with {} bytes; at most {} are possible", kind, size, most)};
  if (bytes.size() - kHeaderSize < size) return std::optional<Frame>();
  return std::optional<Frame>(Frame{known, bytes.substr(kHeaderSize, size)});
}

std::string greeting_frame(Kind kind, const Greeting& greeting) {
  std::string version;
  put(version, greeting.version);
  return frame(kind, {kMagic, version, greeting.json});
}

Result<Greeting> read_greeting(std::string_view payload) {
  if (!payload.starts_with(kMagic)) return Error{"a greeting that does not begin with 'RIVALWRK'"};
  Taker taker(payload.substr(kMagic.size()));
  Greeting greeting;
  greeting.version = taker.take<std::uint32_t>();
  if (!taker.enough()) return wrong_size("a greeting", payload.size());
  greeting.json = std::string(taker.rest());
  return greeting;
}

std::string hello_frame(const Hello& hello) {
  return greeting_frame(Kind::hello,
                        {kVersion, json_text(ordered_json{{"program", hello.program}, {"token", hello.token}})});
}

Result<Hello> read_hello(const std::string& text) {
  const Result<json> object = parse_json(text, "hello");
  if (!object) return object.error();
  std::optional<Error> error;
  JsonFields fields(object.value(), "hello", error);
  Hello hello;
  if (fields.has("program")) hello.program = fields.text("program");
  if (fields.has("token")) hello.token = fields.text("token");
  if (error) return *error;
  return hello;
}

std::string welcome_frame(const Welcome& welcome) {
  ordered_json object{{"program", welcome.program}, {"spec", spec_to_json(welcome.spec)}};
  for (const Ability& ability : kAbilities) object["has"][ability.name] = welcome.has.*ability.flag;
  return greeting_frame(Kind::welcome, {kVersion, json_text(object)});
}

Result<Welcome> read_welcome(const std::string& text) {
  const Result<json> object = parse_json(text, "welcome");
  if (!object) return object.error();
  std::optional<Error> error;
  JsonFields fields(object.value(), "welcome", error);
  Welcome welcome;
  if (fields.has("program")) welcome.program = fields.text("program");
  const json& has = fields.field("has");
  for (const Ability& ability : kAbilities) {
    const auto found = has.is_object() ? has.find(ability.name) : has.end();
    if (found != has.end() && found->is_boolean()) welcome.has.*ability.flag = found->get<bool>();
  }
  if (error) return *error;
  Result<Spec> spec = spec_from_json(fields.field("spec"), "spec");
  if (!spec) return spec.error();
  if (Result<void> valid = validate(spec.value()); !valid) return valid.error();
  welcome.spec = std::move(spec.value());
  return welcome;
}

std::string open_frame(const Open& open) {
  std::string payload;
  put(payload, static_cast<std::uint64_t>(open.memory));
  put(payload, static_cast<std::uint32_t>(open.matches));
  return frame(Kind::open, {payload});
}

Result<Open> read_open(std::string_view payload) {
  Taker taker(payload);
  Open open;
  open.memory = taker.take<std::uint64_t>();
  const auto matches = taker.take<std::uint32_t>();
  if (!taker.exact()) return wrong_size("an OPEN", payload.size());
  if (matches < 1 || matches > kMostMatches)
    return Error{fmt::format("an OPEN of {} matches; it must be 1 to {}", matches, kMostMatches)};
  open.matches = static_cast<int>(matches);
  return open;
}

std::string opened_frame(std::uint32_t number) {
  std::string payload;
  put(payload, number);
  return frame(Kind::opened, {payload});
}

Result<std::uint32_t> read_opened(std::string_view payload) {
  Taker taker(payload);
  const auto number = taker.take<std::uint32_t>();
  if (!taker.exact()) return wrong_size("an OPENED", payload.size());
  return number;
}

std::string turn_frame(const Turn& turn) {
  std::string payload;
  put(payload, turn.step ? kStep : std::uint32_t{0});
  put(payload, static_cast<std::uint32_t>(turn.matches.size()));
  for (Key key : turn.keys) put(payload, key.bits());
  for (int match : turn.matches) put(payload, static_cast<std::int32_t>(match));
  if (!turn.matches.empty()) {
    put(payload, turn.settings.parameters);
    for (int pick : turn.settings.picks) put(payload, static_cast<std::int32_t>(pick));
  }
  return frame(Kind::turn, {payload, turn.actions});
}

Result<Turn> read_turn(std::string_view payload, const Spec& spec, int matches, std::size_t actions) {
  Taker taker(payload);
  Turn turn;
  const auto flags = taker.take<std::uint32_t>();
  const std::size_t count = taker.take<std::uint32_t>();
  turn.step = flags & kStep;
  if (flags > kStep) return Error{fmt::format("a TURN with flags that version {} does not have", kVersion)};
  for (std::uint64_t bits : taker.take<std::uint64_t>(count)) turn.keys.push_back(Key::from_bits(bits));
  for (std::int32_t match : taker.take<std::int32_t>(count)) {
    if (match < 0 || match >= matches) return Error{fmt::format("a TURN that starts match {}", match)};
    turn.matches.push_back(match);
  }
  if (count > 0) {
    turn.settings.parameters = taker.take<float>(spec.parameters.size());
    turn.settings.picks = taker.take<int>(spec.choices.size() * index(spec.seats));
    if (taker.enough())
      if (Result<void> fit = fits(spec, turn.settings); !fit) return Error{"a TURN with " + fit.error().message};
  }
  turn.actions = taker.rest();
  if (!taker.enough() || turn.actions.size() != (turn.step ? actions : 0)) return wrong_size("a TURN", payload.size());
  return turn;
}

std::string turned_frame(std::string_view rows) {
  return frame(Kind::turned, {rows});
}

std::string ask_frame(const Ask& ask) {
  std::string payload;
  put(payload, static_cast<std::uint32_t>(ask.question));
  for (std::int32_t value : {ask.match, ask.seat, ask.value, std::int32_t{ask.keyed}}) put(payload, value);
  put(payload, ask.key);
  return frame(Kind::ask, {payload});
}

Result<Ask> read_ask(std::string_view payload) {
  Taker taker(payload);
  Ask ask;
  const auto question = taker.take<std::uint32_t>();
  ask.match = taker.take<std::int32_t>();
  ask.seat = taker.take<std::int32_t>();
  ask.value = taker.take<std::int32_t>();
  ask.keyed = taker.take<std::int32_t>() != 0;
  ask.key = taker.take<std::uint64_t>();
  if (!taker.exact()) return wrong_size("an ASK", payload.size());
  if (question < 1 || question > static_cast<std::uint32_t>(Question::resample))
    return Error{fmt::format("an ASK with question {}, which there is not", question)};
  ask.question = Question{question};
  return ask;
}

std::string told_frame(std::string_view answer) {
  return frame(Kind::told, {answer});
}

std::string error_frame(const BatchFailure& failure) {
  std::string payload;
  for (int value : {failure.match, failure.step, failure.seat}) put(payload, static_cast<std::int32_t>(value));
  return frame(Kind::error, {payload, std::string_view(failure.what).substr(0, kLongestError)});
}

Result<BatchFailure> read_error(std::string_view payload) {
  Taker taker(payload);
  BatchFailure failure;
  failure.match = taker.take<std::int32_t>();
  failure.step = taker.take<std::int32_t>();
  failure.seat = taker.take<std::int32_t>();
  if (!taker.enough()) return wrong_size("an ERROR", payload.size());
  failure.what = std::string(taker.rest().substr(0, kLongestError));
  // For a terminal: what is no text is left out.
  for (char& c : failure.what)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') c = ' ';
  return failure;
}

std::string close_frame() {
  return frame(Kind::close, {});
}

Blocks::Blocks(const Spec& spec, const RowLayout& layout, int matches) {
  const std::size_t m = matches;
  const std::size_t per_match = spec.simultaneous ? spec.seats : 1;
  const std::size_t all = m * per_match;
  const auto after = [](std::size_t& end, std::size_t count, auto width, std::size_t size) {
    return std::exchange(end, end + count * index(width) * size);
  };
  choices = after(actions_size, all, layout.choice_count, sizeof(std::int32_t));
  values = after(actions_size, all, layout.value_count, sizeof(float));
  playing = after(rows_size, m, 1, sizeof(std::uint64_t));
  observations = after(rows_size, all, layout.observation_size, sizeof(float));
  rewards = after(rows_size, m, spec.seats, sizeof(float));
  results = after(rows_size, m, spec.team_count(), sizeof(float));
  masks = after(rows_size, all, layout.mask_size, 1);
  seats = after(rows_size, all, 1, 1);
  status = after(rows_size, m, 1, 1);
  rows = (actions_size + 63) / 64 * 64;
  memory = rows + rows_size;
}

}  // namespace rival::worker
