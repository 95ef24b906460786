// Behaviour has a signature: a short seeded training of each kind of game, by the reference backend in f32, gives the
// parameters whose hash is recorded here. A change that was not meant to change what is learnt leaves them alone; one
// that was records the new ones, and says in its message what it meant.

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/hash.hpp"
#include "games/catalog.hpp"
#include "nn/backend.hpp"
#include "train/trainer.hpp"

namespace rival {
namespace {

// Before anything computes: sums are ordered by the width of vectors, so that every x86 processor has to take the same.
const bool kOneWidth = setenv("RIVAL_ISA", "sse4", 1) == 0;

std::uint64_t signature(const std::string& game, int memory) {
  TrainConfig config;
  config.seed = 5;
  config.threads = 2;
  config.rows = 64, config.horizon = 16;
  config.network.hidden = {16, 16};
  config.network.memory = memory;
  config.network.entity_inner = 32;
  config.backend = "reference", config.precision = "f32";
  const GameEntry entry = built_in(game);
  auto trainer = Trainer::make(entry, config);
  if (!trainer) return 0;
  for (int i = 0; i < 5; ++i)
    if (!(*trainer)->iterate(0.2 * i)) return 0;
  const std::vector<float>& parameters = (*trainer)->parameters();
  return fnv1a(std::as_bytes(std::span(parameters)));
}

struct Recorded {
  std::string game;
  int memory;
  std::uint64_t hash;
};

TEST(Signature, IsTheRecordedOne) {
  if (isa_name() != "sse4") GTEST_SKIP() << "recorded on x86-64, this is " << isa_name();
  for (const Recorded& recorded : {Recorded{"tic_tac_toe", 0, 16320231018002254899u},
                                   {"cartpole", 0, 15329030001069312449u},
                                   {"pendulum", 0, 15652696275069991337u},
                                   {"kuhn_poker", 0, 15150522191304261305u},
                                   {"pig", 16, 14564180900596565173u},
                                   {"lanes", 16, 15738817369663419448u}})
    EXPECT_EQ(signature(recorded.game, recorded.memory), recorded.hash) << recorded.game;
}

TEST(Signature, TellsTrainingsApart) {
  EXPECT_NE(signature("cartpole", 0), signature("cartpole", 16));
}

}  // namespace
}  // namespace rival
