// One decision of a connect four bot: play BOT.
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "rival_runtime.h"

class Bot {
 public:
  explicit Bot(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::vector<char> file((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    memory_.resize(rival_bot_memory(file.size()));
    char error[RIVAL_ERROR_SIZE];
    bot_ = rival_bot_load(file.data(), file.size(), memory_.data(), memory_.size(), error);
    if (!bot_) throw std::runtime_error(path + ": " + error);
  }
  Bot(const Bot&) = delete;
  Bot& operator=(const Bot&) = delete;
  const rival_bot* get() const { return bot_; }

 private:
  std::vector<unsigned char> memory_;
  const rival_bot* bot_ = nullptr;
};

// One seat of one match.
class Actor {
 public:
  explicit Actor(const Bot& bot) : memory_(rival_actor_memory(bot.get(), nullptr)) {
    actor_ = rival_actor_make(bot.get(), nullptr, memory_.data(), memory_.size());
    if (!actor_) throw std::runtime_error("no actor can be made");
  }
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;
  rival_actor* get() const { return actor_; }

 private:
  std::vector<unsigned char> memory_;
  rival_actor* actor_ = nullptr;
};

int main(int argc, char** argv) try {
  const Bot bot(argc > 1 ? argv[1] : "easy.rival");
  const Actor actor(bot);
  const std::vector<float> observation(static_cast<std::size_t>(rival_bot_observation_size(bot.get())));
  const std::vector<std::uint8_t> mask(static_cast<std::size_t>(rival_bot_mask_size(bot.get())), 1);
  std::int32_t choice = 0;
  rival_actor_observe(actor.get(), 0, observation.data());
  rival_actor_act(actor.get(), mask.data(), rival_key(2024), &choice, nullptr);
  std::cout << "column " << choice << ", chance to win " << rival_actor_win_chance(actor.get()) << "\n";
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
