#include "plug/worker_server.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <optional>

#include "base/index.hpp"
#include "base/secret.hpp"
#include "game/spec.hpp"
#include "plug/worker_protocol.hpp"
#include "plug/worker_socket.hpp"

namespace rival {
namespace {

using namespace worker;

// What the game has besides. Starts the match of `batch`.
Abilities abilities_of(Batch& batch) {
  Abilities has{.result = batch.has_result(), .legal = true, .playing = true};
  batch.start_all(default_settings(batch.spec()), Key());
  has.copy = batch.copy_match(batch, 0, 0);
  has.resample = batch.spec().hidden_information && !batch.to_act(0).empty() &&
                 batch.resample_hidden(0, batch.to_act(0).lowest(), Key());
  for (const OptionalMember& member : batch.optional_members()) {
    const std::string name = member.name;
    has.text |= member.found && name == "text";
    has.seat_text |= member.found && name == "text(seat)";
    has.action_text |= member.found && name == "action_text";
    has.scene |= member.found && name == "scene";
  }
  return has;
}

// One that has connected, and its batch.
class Guest {
 public:
  // `all` are those that are connected, this one included; none has its number, which is not 0.
  Guest(File socket, const GameEntry& game, const ServeOptions& options, const std::list<Guest>& all,
        std::uint32_t number)
      : channel_(std::move(socket)), game_(game), options_(options), all_(all), number_(number) {}

  Channel& channel() { return channel_; }

  // Does what has been asked by now. False: it is done with.
  bool serve() {
    channel_.flush();
    for (;;) {
      const Result<std::optional<Frame>> frame = channel_.receive();
      if (!frame) return false;
      if (!frame.value()) return !over_ || channel_.unsent();
      if (frame.value()->kind == Kind::close) return false;
      hear(*frame.value());
      if (over_) return channel_.unsent();
    }
  }

 private:
  void refuse(BatchFailure failure) {
    channel_.send(error_frame(failure));
    over_ = true;
  }
  void refuse(const std::string& what) { refuse(BatchFailure{-1, -1, -1, what}); }

  void hear(const Frame& frame) {
    if (frame.kind == Kind::hello && !welcome_) return hello(frame);
    if (frame.kind == Kind::open && welcome_ && !batch_) return open(frame);
    if (frame.kind == Kind::turn && batch_) return turn(frame);
    if (frame.kind == Kind::ask && batch_) return ask(frame);
    refuse(fmt::format("a frame of kind {} was not expected here", static_cast<int>(frame.kind)));
  }

  void hello(const Frame& frame) {
    Result<Greeting> greeting = read_greeting(frame.payload);
    if (!greeting) return refuse(greeting.error().message);
    if (greeting->version != kVersion)
      return refuse(
          fmt::format("Rival speaks version {} of the protocol, this worker version {}; bring the older one "
                      "up to date",
                      greeting->version, kVersion));
    Result<Hello> hello = read_hello(greeting->json);
    if (!hello) return refuse(hello.error().message);
    if (!options_.token.empty() && !same_secret(hello->token, options_.token))
      return refuse(hello->token.empty() ? "it wants a token; set RIVAL_TOKEN to the one that it was started with"
                                         : "the token is not the one that it was started with (RIVAL_TOKEN)");
    probe_ = game_.make_batch(1);
    if (probe_->failure()) return refuse(*probe_->failure());
    has_ = abilities_of(*probe_);
    welcome_ = true;
    channel_.send(welcome_frame({options_.program, game_.spec, has_}));
  }

  void open(const Frame& frame) {
    Result<Open> open = read_open(frame.payload);
    if (!open) return refuse(open.error().message);
    batch_ = game_.make_batch(open->matches);
    if (batch_->failure()) return refuse(*batch_->failure());
    at_ = Blocks(batch_->spec(), batch_->layout(), open->matches);
    if (open->memory > 0) {
      if (open->memory < at_.memory)
        return refuse(fmt::format("shared memory of {} bytes; {} are needed", open->memory, at_.memory));
      Result<SharedMemory> memory = SharedMemory::of(channel_.take_file(), at_.memory);
      if (!memory) return refuse(memory.error().message);
      memory_ = std::move(memory.value());
    } else {
      rows_.resize(at_.rows_size);
    }
    status_.assign(index(open->matches), Status::truncated);
    channel_.send(opened_frame(number_));
  }

  void turn(const Frame& frame) {
    const Spec& spec = batch_->spec();
    Result<Turn> turn = read_turn(frame.payload, spec, batch_->matches(), memory_.data() ? 0 : at_.actions_size);
    if (!turn) return refuse(turn.error().message);
    char* rows = memory_.data() ? memory_.data() + at_.rows : rows_.data();
    auto* rewards = reinterpret_cast<float*>(rows + at_.rewards);
    if (turn->step) {
      const char* from = memory_.data() ? memory_.data() : aligned(turn->actions);
      if (stale_) show(rows);  // its actions are for what has not been shown
      if (const BatchFailure wrong = wrong_action(from, rows); !wrong.what.empty()) return refuse(wrong);
      batch_->step({reinterpret_cast<const std::int32_t*>(from + at_.choices),
                    reinterpret_cast<const float*>(from + at_.values)},
                   {rewards, status_.data()});
      if (batch_->has_result()) take_results_apart(rewards, reinterpret_cast<float*>(rows + at_.results));
    }
    if (!turn->matches.empty()) {
      batch_->start(turn->matches, turn->settings, turn->keys);
      for (int match : turn->matches) {
        const std::uint64_t playing = batch_->playing(match).bits();
        std::memcpy(rows + at_.playing + index(match) * sizeof playing, &playing, sizeof playing);
        status_[match] = batch_->status(match);
      }
    }
    std::copy(status_.begin(), status_.end(), reinterpret_cast<Status*>(rows + at_.status));
    show(rows);
    if (batch_->failure()) return refuse(*batch_->failure());
    channel_.send(turned_frame(memory_.data() ? std::string_view() : std::string_view(rows_)));
  }

  void show(char* rows) {
    batch_->observe({reinterpret_cast<float*>(rows + at_.observations),
                     reinterpret_cast<std::uint8_t*>(rows + at_.masks),
                     reinterpret_cast<std::int8_t*>(rows + at_.seats)});
    stale_ = false;
  }

  // An action that the rules must not be given; `what` is empty if there is none.
  BatchFailure wrong_action(const char* actions, const char* rows) const {
    const Spec& spec = batch_->spec();
    const RowLayout& layout = batch_->layout();
    const auto* seats = reinterpret_cast<const std::int8_t*>(rows + at_.seats);
    const auto* masks = reinterpret_cast<const std::uint8_t*>(rows + at_.masks);
    for (int row = 0; row < batch_->rows(); ++row) {
      const int match = row / batch_->rows_per_match();
      if (seats[row] < 0 || status_[match] != Status::running) continue;
      const auto* choices = reinterpret_cast<const std::int32_t*>(actions + at_.choices) + row * layout.choice_count;
      const auto* values = reinterpret_cast<const float*>(actions + at_.values) + row * layout.value_count;
      const std::uint8_t* mask = masks + row * layout.mask_size;
      for (std::size_t p = 0; p < spec.action.size(); ++p) {
        const ActionPart& part = spec.action[p];
        const auto wrong = [&](const std::string& what) {
          return BatchFailure{match, batch_->steps(match), seats[row], what + " of '" + part.name + "'"};
        };
        if (part.is_choice()) {
          const int choice = choices[layout.choice_index[p]];
          if (choice < 0 || choice >= part.size || !mask[layout.mask_offset[p] + choice])
            return wrong(fmt::format("it was given the illegal choice {}", choice));
          continue;
        }
        for (int i = 0; i < part.size; ++i) {
          const float value = values[layout.value_offset[p] + i];
          if (!(value >= part.low && value <= part.high)) return wrong(fmt::format("it was given the value {}", value));
        }
      }
    }
    return {};
  }

  // Rival adds the results itself.
  void take_results_apart(float* rewards, float* results) {
    const Spec& spec = batch_->spec();
    const int teams = spec.team_count();
    for (int m = 0; m < batch_->matches(); ++m) {
      if (status_[m] != Status::finished) continue;
      for (int team = 0; team < teams; ++team)
        results[m * teams + team] = batch_->plays(m, team) ? batch_->result(m, team) : 0;
      const SeatSet playing = batch_->playing(m);
      for (int seat = 0; seat < spec.seats; ++seat)
        if (playing.contains(seat)) rewards[m * spec.seats + seat] -= results[m * teams + spec.team_of(seat)];
    }
  }

  const char* aligned(std::string_view bytes) {
    actions_.assign(bytes);
    return actions_.data();
  }

  void ask(const Frame& frame) {
    Result<Ask> ask = read_ask(frame.payload);
    if (!ask) return refuse(ask.error().message);
    if (ask->question == Question::copy) return copy(ask.value());
    if (ask->match < 0 || ask->match >= batch_->matches() || ask->seat < 0 || ask->seat >= batch_->spec().seats)
      return refuse(fmt::format("a question about match {}, seat {}", ask->match, ask->seat));
    std::string told;
    switch (ask->question) {
      case Question::text:
        told = batch_->text(ask->match);
        break;
      case Question::seat_text:
        told = batch_->text(ask->match, ask->seat);
        break;
      case Question::action_text:
        told = batch_->action_text(ask->match, ask->seat, ask->value);
        break;
      case Question::stage:
        told = batch_->stage(ask->match);
        break;
      case Question::scene:
        told = batch_->scene(ask->match);
        break;
      case Question::observe_seat: {
        const auto floats = index(batch_->layout().observation_size), bytes = index(batch_->layout().mask_size);
        std::vector<float> observation(floats);
        std::vector<std::uint8_t> mask(bytes);
        const bool acts = batch_->to_act(ask->match).contains(ask->seat);
        batch_->observe_seat(ask->match, ask->seat, observation.data(), acts ? mask.data() : nullptr);
        told.resize(floats * sizeof(float) + bytes);
        std::memcpy(told.data(), observation.data(), floats * sizeof(float));
        if (bytes) std::memcpy(told.data() + floats * sizeof(float), mask.data(), bytes);
        break;
      }
      case Question::resample:
        stale_ = true;
        told = std::string(1, batch_->resample_hidden(ask->match, ask->seat, Key::from_bits(ask->key)) ? '\1' : '\0');
        break;
      case Question::copy:
        break;
    }
    if (batch_->failure()) return refuse(*batch_->failure());
    channel_.send(told_frame(told));
  }

  void copy(const Ask& ask) {
    const auto source = std::find_if(all_.begin(), all_.end(), [&](const Guest& guest) {
      return guest.batch_ && guest.number_ == static_cast<std::uint32_t>(ask.seat);
    });
    if (source == all_.end() || ask.match < 0 || ask.match >= source->batch_->matches() || ask.value < 0 ||
        ask.value >= batch_->matches())
      return refuse("a match to be copied that there is not");
    const std::optional<Key> key = ask.keyed ? std::optional(Key::from_bits(ask.key)) : std::nullopt;
    const bool copied = batch_->copy_match(*source->batch_, ask.match, ask.value, key);
    if (batch_->failure()) return refuse(*batch_->failure());
    stale_ = true;
    if (copied) status_[ask.value] = source->status_[ask.match];
    channel_.send(told_frame(copied ? "\1" : std::string_view("\0", 1)));
  }

  Channel channel_;
  const GameEntry& game_;
  const ServeOptions& options_;
  const std::list<Guest>& all_;
  std::uint32_t number_;
  bool over_ = false, welcome_ = false;
  bool stale_ = false;  // a match is not any more as its row shows it
  Abilities has_;
  std::unique_ptr<Batch> probe_, batch_;
  Blocks at_;
  SharedMemory memory_;
  std::string rows_, actions_;
  std::vector<Status> status_;
};

}  // namespace

Result<void> serve_game(const GameEntry& game, const ServeOptions& options) {
  if (Result<void> valid = validate(game.spec); !valid) return valid;
  const Result<Address> address = parse_address(options.listen);
  if (!address) return address.error();
  if (!is_local(address.value()) && options.token.empty())
    return Error{options.listen +
                 " can be reached from other machines: set RIVAL_TOKEN to a secret that whoever connects must show, or "
                 "listen at tcp:127.0.0.1:PORT"};
  const Result<File> listening = listen_at(address.value());
  if (!listening) return listening.error();
  std::list<Guest> guests;
  std::uint32_t number = 0;
  for (;;) {
    std::vector<pollfd> files{{listening.value().number(), POLLIN, 0}};
    for (Guest& guest : guests) {
      const Channel& channel = guest.channel();
      files.push_back({channel.number(), static_cast<short>(channel.unsent() ? POLLIN | POLLOUT : POLLIN), 0});
    }
    ::poll(files.data(), files.size(), -1);
    std::size_t at = 1;
    for (auto guest = guests.begin(); guest != guests.end(); ++at) {
      const bool stays = files[at].revents == 0 || guest->serve();
      guest = stays ? std::next(guest) : guests.erase(guest);
    }
    if (files[0].revents == 0) continue;
    if (File socket = accept_from(listening.value()))
      guests.emplace_back(std::move(socket), game, options, guests, ++number);
  }
}

}  // namespace rival
