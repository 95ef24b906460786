// A game of one's own, learnt by self-play in a loop of one's own: docs/own-the-loop.md.
//
//   own_the_loop STEPS FOLDER    trains for STEPS decisions in all; run again with more, it goes on

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "agent/player.hpp"
#include "agent/scripted.hpp"
#include "base/file.hpp"
#include "match/match.hpp"
#include "train/trainer.hpp"

using namespace rival;

// Take one, two or three of 21 sticks in turn; whoever takes the last one wins.
struct Sticks {
  int left = 21, mover = 0;

  static Spec spec() {
    return {.name = "sticks",
            .description = "Take one, two or three sticks; the last one wins",
            .seats = 2,
            .observation = {ObservationPart::vector("left", 22)},
            .action = {ActionPart::discrete("take", 3)},
            .max_steps = 21};
  }
  void reset(const Settings&, Key) { *this = Sticks(); }
  SeatSet to_act() const { return SeatSet::one(mover); }
  void observe(int, Observation out) const { out[left] = 1; }
  void legal(int, Mask mask) const {
    for (int take = 1; take <= std::min(3, left); ++take) mask.allow(take - 1);
  }
  void step(const Actions& actions, Key, Rewards) {
    left -= actions.choice(mover) + 1;
    mover = 1 - mover;
  }
  Status status() const { return left > 0 ? Status::running : Status::finished; }
  float result(int team) const { return team == mover ? -1.0f : 1.0f; }
};

// All that the next session needs. The state goes last: what was saved before it belongs to it.
Result<void> save(const Trainer& trainer, const std::string& folder) {
  if (auto ok = save_bot(trainer.bot(), folder + "/bot.safetensors"); !ok) return ok;
  return write_file_atomically(folder + "/state.safetensors", to_safetensors(trainer.state()));
}

// Goes on from what save() left, if there is anything. Past selves belong to the loop: here the newest bot is the one.
Result<void> resume(Trainer& trainer, const Spec& spec, const std::string& folder) {
  const std::string file = folder + "/state.safetensors";
  if (!std::filesystem::exists(file)) return {};
  const auto bytes = read_file(file);
  if (!bytes) return bytes.error();
  const auto state = parse_safetensors(bytes.value(), file);
  if (!state) return state.error();
  auto bot = load_bot(folder + "/bot.safetensors", spec);
  if (!bot) return bot.error();
  return trainer.restore(state.value(), {{"newest", Member::Kind::past, *bot}}, file);
}

Result<void> train(std::int64_t steps, const std::string& folder) {
  if (auto ok = make_directories(folder); !ok) return ok;
  const GameEntry game = game_entry<Sticks>();
  TrainConfig config;
  config.seed = 7;
  auto made = Trainer::make(game, config);
  if (!made) return made.error();
  Trainer& trainer = **made;
  if (auto ok = resume(trainer, game.spec, folder); !ok) return ok;

  int updates = 0;
  float steepest = 0;
  trainer.hooks.before_collect = [&] { updates = 0, steepest = 0; };
  trainer.hooks.after_gradients = [&] {
    for (float g : trainer.gradients()) steepest = std::max(steepest, std::abs(g));
  };
  trainer.hooks.after_apply = [&] { ++updates; };

  while (trainer.steps() < steps) {
    auto report = trainer.iterate(static_cast<double>(trainer.steps()) / static_cast<double>(steps));
    if (!report) return report.error();
    if (report->iteration % 20 != 0 && trainer.steps() < steps) continue;
    BotAgent player(trainer.bot(), game.spec);
    auto matches = play_matches(game, player, random_agent().get(), Key(1), {.matches = 400});
    if (!matches) return matches.error();
    const Estimate& score = matches->score;
    std::printf("%7lld steps, entropy %.2f, %d updates, steepest slope %.2g, against random %.3f (%.3f to %.3f)\n",
                static_cast<long long>(report->steps), report->entropy, updates, static_cast<double>(steepest),
                score.value, score.interval.low, score.interval.high);
    if (auto ok = save(trainer, folder); !ok) return ok;
  }
  return {};
}

int main(int count, char** arguments) {
  if (count != 3) return std::fprintf(stderr, "usage: own_the_loop STEPS FOLDER\n"), 2;
  const auto trained = train(std::atoll(arguments[1]), arguments[2]);
  if (!trained) std::fprintf(stderr, "%s\n", trained.error().message.c_str());
  return trained ? 0 : 1;
}
