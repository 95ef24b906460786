/* One decision of a connect four bot: play BOT. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rival_runtime.h"

static void* read_file(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  void* bytes = malloc(1 << 24);
  if (!file || !bytes) exit(1);
  *size = fread(bytes, 1, 1 << 24, file);
  fclose(file);
  return bytes;
}

int main(int argc, char** argv) {
  size_t size = 0;
  void* file = read_file(argc > 1 ? argv[1] : "easy.rival", &size);

  /* Once: the bot. The file may go, the memory stays as long as the bot is in use. */
  char error[RIVAL_ERROR_SIZE];
  const rival_bot* bot = rival_bot_load(file, size, malloc(rival_bot_memory(size)), rival_bot_memory(size), error);
  free(file);
  if (!bot) return fprintf(stderr, "%s\n", error), 1;
  if (rival_bot_observation_size(bot) != 2 * 6 * 7 || rival_bot_mask_size(bot) != 7)
    return fprintf(stderr, "a bot of another version of the game\n"), 1;

  /* For each seat that it plays: an actor. */
  rival_actor* actor =
      rival_actor_make(bot, NULL, malloc(rival_actor_memory(bot, NULL)), rival_actor_memory(bot, NULL));
  if (!actor) return 1;

  /* When a match begins. */
  rival_actor_begin(actor);

  /* When the seat is to act: what it sees (here, an empty board), what it may do, a key that no other decision has. */
  float observation[2 * 6 * 7];
  uint8_t mask[7];
  int32_t choice;
  memset(observation, 0, sizeof observation);
  memset(mask, 1, sizeof mask);
  rival_actor_observe(actor, 0, observation);
  rival_actor_act(actor, mask, rival_key_split(rival_key(2024), 0), &choice, NULL);
  printf("column %d, chance to win %.2f\n", (int)choice, (double)rival_actor_win_chance(actor));
  return 0;
}
