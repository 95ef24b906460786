#include "plug/library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/file.hpp"
#include "base/index.hpp"
#include "base/names.hpp"
#include "game/spec.hpp"
#include "plug/worker_sources.hpp"

namespace rival {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestStruct = 1 << 16;  // bytes, that a struct of a later version may have
constexpr std::size_t kLongestString = 1 << 24;  // bytes
constexpr std::size_t kLongestMessage = 1 << 12;
constexpr int kMostParts = 1 << 16;  // of a list in a Spec; validate() says more about each

std::string text_of(const char* text, std::size_t longest = kLongestString) {
  return text ? std::string(text, strnlen(text, longest)) : std::string();
}

// ---- reading the structs of a library --------------------------------------------------------------------------

// Reads what a library says of itself; the first thing that makes no sense is `error`.
class Reader {
 public:
  explicit Reader(std::string who) : who_(std::move(who)) {}

  void fail(const std::string& what) {
    if (!error) error = Error{who_ + ": " + what};
  }

  // A struct as this version knows it: what the library's has less is zero, which is allowed down to `least` bytes.
  template <class Struct>
  Struct read(const Struct* from, const std::string& name, std::size_t least = sizeof(Struct)) {
    Struct known = {};
    if (!from) return fail(name + " is NULL"), known;
    std::size_t size = 0;
    std::memcpy(&size, from, sizeof size);
    if (size < least || size > kLargestStruct)
      return fail(fmt::format("{}.struct_size is {}, and not the {} bytes or more that version {} of the ABI has "
                              "there; is it set?",
                              name, size, least, RIVAL_GAME_ABI_VERSION)),
             known;
    if (size % alignof(Struct) != 0)
      return fail(fmt::format("{}.struct_size is {}, which is no struct's size", name, size)), known;
    std::memcpy(&known, from, std::min(size, sizeof known));
    return known;
  }

  // The elements of a list, which stand as far apart as the first one's struct_size says.
  template <class Struct>
  std::vector<Struct> list(const Struct* first, std::int32_t count, const std::string& name) {
    std::vector<Struct> all;
    if (count < 0 || count > kMostParts) fail(fmt::format("the number of spec.{} is {}", name, count));
    if (count > 0 && !first) fail(fmt::format("spec.{} is NULL, and there should be {}", name, count));
    for (int i = 0; i < count && !error; ++i) {
      const std::string element = fmt::format("spec.{}[{}]", name, i);
      const std::size_t stride = all.empty() ? 0 : all.front().struct_size;
      const char* at = reinterpret_cast<const char*>(first) + stride * index(i);
      all.push_back(read(reinterpret_cast<const Struct*>(at), element));
      if (!error && all.back().struct_size != all.front().struct_size)
        fail(fmt::format("{}.struct_size is {}, and the first one's is {}", element, all.back().struct_size,
                         all.front().struct_size));
    }
    return error ? std::vector<Struct>() : all;
  }

  std::string name(const char* text, const std::string& field) {
    if (!text) fail(field + " is NULL");
    return text_of(text, kLongestMessage);
  }

  std::optional<Error> error;

 private:
  std::string who_;
};

ObservationPart observation_part(Reader& reader, const rival_observation_part& part, const std::string& place) {
  const auto or_one = [](std::int32_t size) { return size == 0 ? 1 : size; };
  ObservationPart read{reader.name(part.name, place + ".name"), ObservationPart::Kind::vector, or_one(part.channels),
                       or_one(part.height), part.width};
  if (part.kind < RIVAL_VECTOR || part.kind > RIVAL_ENTITIES)
    reader.fail(fmt::format("{}.kind is {}, and must be RIVAL_VECTOR, RIVAL_GRID or RIVAL_ENTITIES", place, part.kind));
  else
    read.kind = static_cast<ObservationPart::Kind>(part.kind);
  return read;
}

ActionPart action_part(Reader& reader, const rival_action_part& part, const std::string& place) {
  ActionPart read{reader.name(part.name, place + ".name"), ActionPart::Kind::discrete, part.size};
  switch (part.kind) {
    case RIVAL_DISCRETE:
      break;
    case RIVAL_TARGET:
      read.kind = ActionPart::Kind::target;
      read.entities = part.entities;
      break;
    case RIVAL_CONTINUOUS:
      read.kind = ActionPart::Kind::continuous;
      read.low = part.low;
      read.high = part.high;
      break;
    default:
      reader.fail(
          fmt::format("{}.kind is {}, and must be RIVAL_DISCRETE, RIVAL_TARGET or RIVAL_CONTINUOUS", place, part.kind));
  }
  if (part.when_choices != 0) {
    read.when_part = part.when_part;
    read.when_choices = part.when_choices;
    if (part.when_part < 0) reader.fail(fmt::format("{}.when_part is {}", place, part.when_part));
  }
  return read;
}

Spec read_spec(Reader& reader, const rival_spec* from) {
  const rival_spec s = reader.read(from, "spec");
  if (reader.error) return {};
  Spec spec{.name = reader.name(s.name, "spec.name"),
            .description = text_of(s.description, kLongestMessage),
            .source = text_of(s.source, kLongestMessage),
            .seats = s.seats};
  if (s.seats < 1 || s.seats > 64) reader.fail(fmt::format("spec.seats is {}, and must be 1 to 64", s.seats));
  if (s.teams && !reader.error) spec.teams.assign(s.teams, s.teams + s.seats);
  int i = 0;
  for (const auto& part : reader.list(s.observation, s.observation_count, "observation"))
    spec.observation.push_back(observation_part(reader, part, fmt::format("spec.observation[{}]", i++)));
  i = 0;
  for (const auto& part : reader.list(s.action, s.action_count, "action"))
    spec.action.push_back(action_part(reader, part, fmt::format("spec.action[{}]", i++)));
  i = 0;
  for (const auto& p : reader.list(s.parameters, s.parameter_count, "parameters"))
    spec.parameters.push_back({reader.name(p.name, fmt::format("spec.parameters[{}].name", i++)), p.value, p.low,
                               p.high, text_of(p.description, kLongestMessage), p.step});
  i = 0;
  for (const auto& choice : reader.list(s.choices, s.choice_count, "choices")) {
    const std::string place = fmt::format("spec.choices[{}]", i++);
    Choice read{reader.name(choice.name, place + ".name"), {}};
    if (choice.option_count < 0 || choice.option_count > kMostParts || (choice.option_count > 0 && !choice.options))
      reader.fail(fmt::format("{}.options is no list of {} names", place, choice.option_count));
    for (int o = 0; o < choice.option_count && !reader.error; ++o)
      read.options.push_back(reader.name(choice.options[o], fmt::format("{}.options[{}]", place, o)));
    spec.choices.push_back(std::move(read));
  }
  i = 0;
  for (const auto& data : reader.list(s.data, s.data_count, "data"))
    spec.data.push_back({reader.name(data.name, fmt::format("spec.data[{}].name", i++)), data.hash});
  for (const auto& [field, value] :
       {std::pair{"simultaneous", s.simultaneous}, {"hidden_information", s.hidden_information}, {"masks", s.masks}})
    if (value != 0 && value != 1) reader.fail(fmt::format("spec.{} is {}, and must be 0 or 1", field, value));
  spec.simultaneous = s.simultaneous != 0;
  spec.hidden_information = s.hidden_information != 0;
  spec.max_steps = s.max_steps;
  spec.seconds_per_step = s.seconds_per_step;
  return spec;
}

// A game as its library told it. Shared by all batches.
struct Library {
  std::string who;
  rival_game_table table = {};
  Spec spec;
  bool masks = false;
};

// Settings as a library is given them; what is empty: the defaults. `settings` must outlive it.
struct Given {
  Given(const Spec& spec, const Settings& settings) {
    const bool whole = settings.parameters.size() == spec.parameters.size() &&
                       settings.picks.size() == spec.choices.size() * index(spec.seats);
    if (!whole) own = with_defaults(spec, settings);
    const Settings& all = whole ? settings : own;
    structs = {sizeof structs, all.parameters.data(), all.picks.data()};
  }
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;

  Settings own;
  rival_settings structs;
};

// ---- the batch -------------------------------------------------------------------------------------------------

class LibraryBatch final : public Batch {
 public:
  static std::unique_ptr<Batch> make(std::shared_ptr<const Library> library, int matches) {
    rival_batch* batch = nullptr;
    if (const char* error = library->table.create(matches, &batch))
      return failed_batch(library->spec, matches, place(*library, "create", text_of(error, kLongestMessage)));
    if (!batch) return failed_batch(library->spec, matches, place(*library, "create", "it gave no batch"));
    return std::make_unique<LibraryBatch>(std::move(library), batch, matches);
  }

  // Takes the batch over.
  LibraryBatch(std::shared_ptr<const Library> library, rival_batch* batch, int matches)
      : Batch(library->spec, matches),
        library_(std::move(library)),
        table_(library_->table),
        batch_(batch),
        status_(index(matches), RIVAL_TRUNCATED),
        keys_(index(matches)),
        steps_(index(matches)) {}
  ~LibraryBatch() override { table_.destroy(batch_); }

  void start_each(std::span<const int> matches, const Settings& settings, std::span<const Key> keys) override {
    if (failure()) return;
    for (std::size_t i = 0; i < matches.size(); ++i) note_clock(matches[i], {keys[i], 0});
    static_assert(sizeof(Key) == sizeof(std::uint64_t));
    const auto* bits = reinterpret_cast<const std::uint64_t*>(keys.data());
    const Given given(spec(), settings);
    const rival_start start{sizeof start, matches.data(), bits, &given.structs, static_cast<int>(matches.size())};
    if (!good("start", table_.start(batch_, &start))) return;
    for (int match : matches) ask_status(match);
  }

  void observe(const ObservationRows& out) const override {
    const int count = rows();
    std::memset(out.observations, 0, sizeof(float) * index(layout().observation_size) * count);
    std::fill_n(out.masks, index(layout().mask_size) * count, library_->masks ? 0 : 1);
    std::memset(out.seats, -1, index(count));
    if (failure()) return;
    const rival_rows rows{sizeof rows, status_.data(), out.observations, out.masks, out.seats};
    if (good("observe", table_.observe(batch_, &rows))) look_at(out.seats);
    if (failure()) std::memset(out.seats, -1, index(count));
  }

  void step(const ActionRows& actions, const StepRows& out) override {
    static_assert(sizeof(Status) == 1);
    std::memset(out.rewards, 0, sizeof(float) * index(matches()) * index(spec().seats));
    auto* status = reinterpret_cast<std::uint8_t*>(out.status);
    std::copy(status_.begin(), status_.end(), status);
    const rival_step step{sizeof step,   actions.choices, actions.values, keys_.data(),
                          steps_.data(), out.rewards,     status};
    if (!failure() && good("step", table_.step(batch_, &step))) count_steps(status, out.rewards);
    std::copy(status_.begin(), status_.end(), status);
    if (failure()) std::fill_n(out.status, matches(), Status::truncated);
  }

  void observe_seat(int match, int seat, float* observation, std::uint8_t* mask) const override {
    std::memset(observation, 0, sizeof(float) * index(layout().observation_size));
    if (mask) std::memset(mask, library_->masks ? 0 : 1, index(layout().mask_size));
    if (!failure()) good("observe_seat", table_.observe_seat(batch_, match, seat, observation, mask), match, seat);
  }

  SeatSet to_act(int match) const override {
    std::uint64_t bits = 0;
    if (failure() || status_[match] != RIVAL_RUNNING) return {};
    if (!good("to_act", table_.to_act(batch_, match, &bits), match)) return {};
    return seats_of(bits, "to_act", match);
  }
  Status status(int match) const override {
    return failure() ? Status::truncated : static_cast<Status>(status_[match]);
  }
  SeatSet playing(int match) const override {
    const SeatSet all = SeatSet::first(spec().seats);
    std::uint64_t bits = 0;
    if (!table_.playing || failure() || clocks_[match].steps < 0) return all;
    if (!good("playing", table_.playing(batch_, match, &bits), match)) return all;
    return seats_of(bits, "playing", match);
  }
  float result(int match, int team) const override {
    float result = 0;
    if (table_.result && !failure()) good("result", table_.result(batch_, match, team, &result), match);
    return result;
  }
  bool has_result() const override { return table_.result; }

  std::string text(int match) const override {
    return table_.text ? written("text", match, -1, [&](auto* text) { return table_.text(batch_, match, -1, text); })
                       : "";
  }
  std::string text(int match, int seat) const override {
    const std::string own =
        table_.text ? written("text", match, seat, [&](auto* text) { return table_.text(batch_, match, seat, text); })
                    : "";
    return own.empty() ? Batch::text(match, seat) : own;
  }
  std::string action_text(int match, int seat, int choice) const override {
    if (!table_.action_text) return Batch::action_text(match, seat, choice);
    return written("action_text", match, seat,
                   [&](auto* text) { return table_.action_text(batch_, match, seat, choice, text); });
  }
  std::string stage(int match) const override {
    return table_.stage ? written("stage", match, -1, [&](auto* text) { return table_.stage(batch_, match, text); })
                        : "";
  }
  std::string scene(int match) const override {
    return table_.scene ? written("scene", match, -1, [&](auto* text) { return table_.scene(batch_, match, text); })
                        : "";
  }

  bool resample_hidden(int match, int seat, Key key) override {
    if (!table_.resample_hidden) return false;
    if (!failure()) good("resample_hidden", table_.resample_hidden(batch_, match, seat, key.bits()), match, seat);
    return true;
  }

  bool copy_match(const Batch& from, int match, int into, std::optional<Key> key = {}) override {
    const auto* same = dynamic_cast<const LibraryBatch*>(&from);
    check(same && same->library_ == library_, "a match was copied from a batch of another game");
    if (!table_.copy) return false;
    if (!failure() && !good("copy", table_.copy(batch_, into, same->batch_, match), into)) return true;
    const Clock& clock = same->clocks_[match];
    note_clock(into, {key.value_or(clock.key), clock.steps});
    note_settings(into, from.settings(match));
    status_[into] = same->status_[match];
    return true;
  }

  Outcomes starts(const Settings& settings) const override {
    if (!table_.starts || failure()) return {};
    const Given given(spec(), settings);
    rival_outcomes out{.struct_size = sizeof out};
    if (!good("starts", table_.starts(&given.structs, &out))) return {};
    return taken(out, "starts", -1, {{}, 0}, settings);
  }
  Outcomes outcomes(int match, const ActionRows& actions) const override {
    if (!table_.outcomes || failure()) return {};
    rival_outcomes out{.struct_size = sizeof out};
    if (!good("outcomes", table_.outcomes(batch_, match, actions.choices, actions.values, &out), match)) return {};
    const Clock& now = clocks_[match];
    return taken(out, "outcomes", match, {now.key, now.steps + 1}, this->settings(match));
  }

  std::vector<OptionalMember> optional_members() const override {
    return {{"masks", library_->masks},
            {"result", table_.result != nullptr},
            {"playing", table_.playing != nullptr},
            {"copy", table_.copy != nullptr},
            {"text", table_.text != nullptr},
            {"action_text", table_.action_text != nullptr},
            {"resample_hidden", table_.resample_hidden != nullptr},
            {"stage, scene", table_.scene != nullptr},
            {"starts", table_.starts != nullptr},
            {"outcomes", table_.outcomes != nullptr}};
  }

 private:
  static std::string place(const Library& library, const char* function, const std::string& what) {
    return fmt::format("{} ({} of {})", what, function, library.who);
  }

  void wrong(const char* function, int match, int seat, const std::string& what) const {
    fail({match, match < 0 ? 0 : steps(match), seat, place(*library_, function, what)});
  }
  // Whether a function has done what it was to do; otherwise the batch has failed. `match` and `seat`: for whom it was
  // called.
  bool good(const char* function, const char* error, int match = -1, int seat = -1) const {
    if (!error) return true;
    const std::string message = text_of(error, kLongestMessage);
    std::int32_t at_match = match, at_seat = seat;
    if (table_.error_place) table_.error_place(batch_, &at_match, &at_seat);
    if (at_match < 0 || at_match >= matches()) at_match = match;
    if (at_seat < 0 || at_seat >= spec().seats) at_seat = seat;
    wrong(function, at_match, at_seat, message.empty() ? "an error without a message" : message);
    return false;
  }

  void ask_status(int match) {
    std::int32_t status = -1;
    if (failure() || !good("status", table_.status(batch_, match, &status), match)) return;
    if (status < RIVAL_RUNNING || status > RIVAL_TRUNCATED)
      return wrong("status", match, -1, fmt::format("the status is {}, which is none", status));
    status_[match] = static_cast<std::uint8_t>(status);
  }

  SeatSet seats_of(std::uint64_t bits, const char* function, int match) const {
    SeatSet seats;
    for (int seat = 0; seat < spec().seats; ++seat)
      if ((bits >> seat) & 1) seats = seats.with(seat);
    if (seats.bits() == bits) return seats;
    wrong(function, match, -1,
          fmt::format("the seats are {:#x}, and the game has the seats 0 to {}", bits, spec().seats - 1));
    return {};
  }

  void note_clock(int match, Clock clock) {
    clocks_[match] = clock;
    keys_[match] = clock.key.bits();
    steps_[match] = clock.steps;
  }

  // Whether rows belong to seats that they may belong to.
  void look_at(const std::int8_t* seats) const {
    const int per_match = rows_per_match(), all = spec().seats;
    const bool simultaneous = spec().simultaneous;
    if (!simultaneous) {  // mostly they do, which is found out without a branch
      unsigned amiss = 0;
      for (std::size_t m = 0; m < status_.size(); ++m)
        amiss |= static_cast<unsigned>(seats[m] + 1 > (status_[m] == RIVAL_RUNNING ? all : 0)) |
                 static_cast<unsigned>(seats[m] < -1);
      if (!amiss) return;
    }
    for (int m = 0, row = 0; m < matches(); ++m) {
      const bool runs = status_[m] == RIVAL_RUNNING;
      for (int i = 0; i < per_match; ++i, ++row) {
        const int seat = seats[row];
        if (seat == -1 || (runs && (simultaneous ? seat == i : seat >= 0 && seat < all))) continue;
        return wrong("observe", m, runs ? -1 : seat,
                     runs ? fmt::format("row {} is said to belong to seat {}", row, seat)
                          : "it is to act, and the match is not running");
      }
    }
  }

  // After a step that gave this `status` and these rewards.
  void count_steps(const std::uint8_t* status, float* rewards) {
    const std::size_t seats = spec().seats;
    const std::uint8_t* const before = status_.data();
    std::int32_t* const steps = steps_.data();
    Clock* const clocks = clocks_.data();
    for (int m = 0, count = matches(); m < count; ++m) {
      if ((status[m] | before[m]) != RIVAL_RUNNING) {
        take(m, status[m], rewards + index(m) * seats);
      } else {
        ++steps[m];
        ++clocks[m].steps;
      }
    }
  }

  // What a step made of a match that does not run on.
  void take(int m, std::uint8_t status, float* rewards) {
    std::uint8_t& now = status_[m];
    if (failure()) return;
    if (now != RIVAL_RUNNING) {
      std::fill_n(rewards, spec().seats, 0.0f);
      return;
    }
    if (status > RIVAL_TRUNCATED)
      return wrong("step", m, -1, fmt::format("the status is {}, which is none", static_cast<int>(status)));
    now = status;
    ++steps_[m], ++clocks_[m].steps;
    if (status == RIVAL_FINISHED) add_results(m, rewards);
  }

  // What the end of a finished match gives its seats.
  void add_results(int match, float* rewards) const {
    if (!table_.result) return;
    for (SeatSet in = playing(match); !in.empty(); in = in.without(in.lowest()))
      rewards[in.lowest()] += result(match, spec().team_of(in.lowest()));
  }

  template <class Call>
  std::string written(const char* function, int match, int seat, const Call& call) const {
    const char* text = nullptr;
    if (failure() || !good(function, call(&text), match, seat)) return "";
    return text_of(text);
  }

  Outcomes taken(const rival_outcomes& out, const char* function, int match, Clock clock,
                 const Settings& settings) const {
    Outcomes outcomes;
    if (!out.batch) return wrong(function, match, -1, "it gave no batch"), Outcomes();
    auto batch = std::make_unique<LibraryBatch>(library_, out.batch, std::max(1, out.matches));
    if (out.matches < 1 || !out.probabilities)
      return wrong(function, match, -1, fmt::format("there are no probabilities of {} matches", out.matches)),
             Outcomes();
    const std::size_t count = index(out.matches), seats = index(spec().seats);
    outcomes.probabilities.assign(out.probabilities, out.probabilities + count);
    outcomes.rewards.assign(count * seats, 0.0f);
    if (out.rewards) std::copy_n(out.rewards, count * seats, outcomes.rewards.begin());
    for (int m = 0; m < out.matches; ++m) {
      batch->note_clock(m, clock);
      batch->note_settings(m, settings);
      batch->ask_status(m);
      if (batch->status(m) == Status::finished) batch->add_results(m, outcomes.rewards.data() + index(m) * seats);
    }
    if (batch->failure()) fail(*batch->failure());
    outcomes.matches = std::move(batch);
    return outcomes;
  }

  std::shared_ptr<const Library> library_;
  const rival_game_table& table_;
  rival_batch* batch_;
  std::vector<std::uint8_t> status_;  // [matches]
  std::vector<std::uint64_t> keys_;   // [matches] and steps_: clocks_, as the library is given them
  std::vector<std::int32_t> steps_;
};

// ---- loading ---------------------------------------------------------------------------------------------------

// A version that the library has, for the message that it lacks ours.
std::string other_version(const rival_game_table* newest) {
  if (!newest) return "it names no version that it has";
  return fmt::format("the library has version {}", newest->abi_version);
}

std::string absolute(const std::string& path) {
  std::error_code code;
  const fs::path full = fs::absolute(path, code);
  return code ? path : full.lexically_normal().string();
}

Error no_such_library(const std::string& path) {
  std::error_code code;
  const fs::path folder = fs::path(path).parent_path();
  std::vector<std::string> known;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, code), end; !code && entry != end;
       entry.increment(code))
    if (entry->path().extension() == ".so") known.push_back((folder / entry->path().filename()).string());
  std::sort(known.begin(), known.end());
  const std::string near = nearest(path, known);
  return {fmt::format("{}: there is no such library{}", path, near.empty() ? "" : "; did you mean '" + near + "'?")};
}

Result<void> is_file(const std::string& path) {
  const Result<PathKind> kind = path_kind(path);
  if (!kind) return kind.error();
  if (kind.value() == PathKind::none) return no_such_library(path);
  if (kind.value() != PathKind::file) return Error{fmt::format("{}: not a file, and so no library", path)};
  return {};
}

}  // namespace

Result<GameEntry> game_of_table(const rival_game_table* (*rival_game)(std::uint32_t), const std::string& who) {
  Reader reader(who);
  auto library = std::make_shared<Library>();
  library->who = who;
  const rival_game_table* table = rival_game(RIVAL_GAME_ABI_VERSION);
  if (!table)
    return Error{
        fmt::format("{}: this program speaks version {} of the game ABI, and {}; build both with headers of one "
                    "version",
                    who, RIVAL_GAME_ABI_VERSION, other_version(rival_game(0)))};
  library->table = reader.read(table, "table");
  const rival_game_table& t = library->table;
  if (!reader.error && t.abi_version != RIVAL_GAME_ABI_VERSION)
    reader.fail(fmt::format("asked for version {} of the game ABI, it gave a table of version {}",
                            RIVAL_GAME_ABI_VERSION, t.abi_version));
  for (const auto& [name, there] : {std::pair{"spec", t.spec != nullptr},
                                    {"create", t.create != nullptr},
                                    {"destroy", t.destroy != nullptr},
                                    {"start", t.start != nullptr},
                                    {"observe", t.observe != nullptr},
                                    {"step", t.step != nullptr},
                                    {"status", t.status != nullptr},
                                    {"to_act", t.to_act != nullptr},
                                    {"observe_seat", t.observe_seat != nullptr}})
    if (!there) reader.fail(fmt::format("table.{} is NULL, and every game needs it", name));
  if ((t.stage == nullptr) != (t.scene == nullptr))
    reader.fail("table.stage and table.scene go together, and one of them is NULL");
  if (reader.error) return *reader.error;
  const rival_spec* spec = nullptr;
  if (const char* error = t.spec(&spec))
    return Error{fmt::format("{}: it cannot say what its game is: {}", who, text_of(error, kLongestMessage))};
  library->spec = read_spec(reader, spec);
  if (reader.error) return *reader.error;
  library->masks = spec->masks != 0;
  if (const Result<void> valid = validate(library->spec); !valid)
    return Error{fmt::format("{}: {}", who, valid.error().message)};
  GameEntry entry{.spec = library->spec};
  entry.make_batch = [shared = std::shared_ptr<const Library>(std::move(library))](int matches) {
    return LibraryBatch::make(shared, matches);
  };
  return entry;
}

Result<GameEntry> open_library(const std::string& path) {
  if (const Result<void> file = is_file(path); !file) return file.error();
  void* handle = dlopen(absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) {
    std::string why = text_of(dlerror(), kLongestMessage);
    if (const std::string start = absolute(path) + ": "; why.starts_with(start)) why.erase(0, start.size());
    return Error{fmt::format("{}: no shared library that can be loaded here: {}", path, why)};
  }
  void* found = dlsym(handle, "rival_game");
  dlclose(handle);  // it stays loaded all the same
  if (!found)
    return Error{
        fmt::format("{}: it exports no function rival_game(), which every game's library has "
                    "(rival/game_abi.h)",
                    path)};
  const rival_game_table* (*rival_game)(std::uint32_t) = nullptr;
  static_assert(sizeof found == sizeof rival_game);
  std::memcpy(&rival_game, &found, sizeof rival_game);
  return game_of_table(rival_game, path);
}

GameSource library_source() {
  return {.kind = "library",
          .form = "./libmygame.so",
          .description = "a game in a shared library (docs/c-games.md)",
          .options = {"--isolate", "--workers"},
          .takes = [](const std::string& name) { return name.ends_with(".so") || name.find('/') != std::string::npos; },
          .open = [](const std::string& name, const SourceOptions& options) -> Result<GameEntry> {
            if (const Result<void> file = is_file(name); !file) return file.error();
            if (options.isolate) return open_isolated(absolute(name), options);
            if (options.workers > 0)
              return Error{fmt::format("{} is played in this process: --workers goes with --isolate", name)};
            return open_library(name);
          },
          .origin = absolute};
}

}  // namespace rival
