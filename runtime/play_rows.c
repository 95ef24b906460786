/* play_rows BOT ROWS: the probabilities of all choices, all of them allowed, and the value, of observations one after
   another, a line of numbers each. For tests of machines other than the one that they run on. */
#include <stdio.h>
#include <stdlib.h>

#include "rival_runtime.h"

static void* read_file(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  void* bytes = malloc(1 << 24);
  if (!file || !bytes) exit(2);
  *size = fread(bytes, 1, 1 << 24, file);
  fclose(file);
  return bytes;
}

int main(int argc, char** argv) {
  size_t file_size, rows_size, width, masks, i, c;
  char error[RIVAL_ERROR_SIZE] = "";
  if (argc != 3) return 2;
  {
    void* file = read_file(argv[1], &file_size);
    const float* rows = (const float*)read_file(argv[2], &rows_size);
    const size_t memory = rival_bot_memory(file_size);
    const rival_bot* bot = rival_bot_load(file, file_size, malloc(memory), memory, error);
    rival_actor* actor;
    float* probabilities;
    uint8_t* mask;
    if (!bot) return fprintf(stderr, "%s\n", error), 1;
    width = (size_t)rival_bot_observation_size(bot), masks = (size_t)rival_bot_mask_size(bot);
    actor = rival_actor_make(bot, NULL, malloc(rival_actor_memory(bot, NULL)), rival_actor_memory(bot, NULL));
    probabilities = (float*)malloc((masks + 1) * sizeof(float));
    mask = (uint8_t*)malloc(masks + 1);
    if (!actor || !probabilities || !mask) return 1;
    for (c = 0; c < masks; ++c) mask[c] = 1;
    fprintf(stderr, "%s\n", rival_bot_isa(bot));
    for (i = 0; i < rows_size / sizeof(float) / width; ++i) {
      if (!rival_actor_observe(actor, (int)i, rows + i * width)) return 1;
      if (!rival_actor_probabilities(actor, mask, probabilities)) return 1;
      for (c = 0; c < masks; ++c) printf("%.9g ", (double)probabilities[c]);
      printf("%.9g\n", (double)rival_actor_value(actor));
    }
  }
  return 0;
}
