// A trained player: its network's shape and weights with what is needed to play. One safetensors file is a bot; its
// layout is docs/formats/bot.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/limits.hpp"
#include "base/result.hpp"
#include "game/match_settings.hpp"
#include "nn/backend.hpp"
#include "nn/network.hpp"
#include "nn/safetensors.hpp"

namespace rival {

struct Bot {
  std::string game, origin = {};  // the game's name, and where it came from (GameEntry::origin)
  Network network;
  std::vector<float> parameters;  // [network.parameter_count()]
  ObservationScale scale;
  // What the value head's column v means: the expected rest of the return (its rewards and result) is
  // value_mean + value_scale * v.
  float value_mean = 0, value_scale = 1;
  std::int64_t steps = 0;  // decisions it was trained on
  Limits limits;           // under which it learnt, and is to play; who makes an agent of it sees to that
  // The parameters of the rules that it sees, as the last part of its network's observation; empty: none, and no part.
  std::vector<ObservedParameter> rules = {};
  // At which it is to be played where there is nobody to say: in a file for the runtime (runtime/). Players that are
  // named in commands have their own (load_player).
  std::optional<float> temperature = {};

  // The file's tensors and metadata, and back. `spec` is the game's, without the rules that the bot sees. `file` is how
  // errors name it. Errors: not a bot, a bot of another game or of a version of it with other parts (transplant.hpp
  // brings it over), a newer format, tensors that are missing, of another shape or not finite; numbers out of their
  // range. No more memory is taken than the tensors hold.
  TensorFile to_tensors() const;
  static Result<Bot> from_tensors(const TensorFile& tensors, const Spec& spec, const std::string& file);
};

// The game that a bot file plays, so that its Spec can be found: what Bot has of it.
struct BotGame {
  std::string name, origin;
};
Result<BotGame> bot_game(const TensorFile& tensors, const std::string& file);
// The observation and action parts of the game that a bot was made for and the parameters of it that it sees, under the
// game's name; the Spec's other fields are not told.
Result<Spec> bot_spec(const TensorFile& tensors, const std::string& file);

// A bot that has learnt nothing: with initial parameters, and observations as they are.
Bot untrained_bot(const std::string& game, Network network, Key key);

Result<Bot> load_bot(const std::string& path, const Spec& spec);
Result<void> save_bot(const Bot& bot, const std::string& path);

}  // namespace rival
