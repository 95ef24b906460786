/* Nim in plain C, as a game for Rival: three heaps of sticks; in turn, each takes any number of sticks from one heap,
 * and whoever takes the last one wins. docs/c-games.md walks through it. */

#include <stdio.h>
#include <stdlib.h>

#include "rival/game_abi.h"

enum { HEAPS = 3, MOST = 7, CHOICES = HEAPS * MOST };

/* One match. Choice c takes c % MOST + 1 sticks from heap c / MOST. */
typedef struct {
  int32_t heap[HEAPS];
  int32_t mover;
} match_t;

/* A batch is whatever the game makes of it; here: its matches, and room for a string. */
struct rival_batch {
  int32_t matches;
  match_t* match;
  char text[128];
};

/* ---- what players see and do ---- */

static const rival_observation_part kObservation[] = {
    {.struct_size = sizeof(rival_observation_part), .name = "heaps", .kind = RIVAL_VECTOR, .width = 3 * HEAPS},
};
static const rival_action_part kAction[] = {
    {.struct_size = sizeof(rival_action_part), .name = "take", .kind = RIVAL_DISCRETE, .size = CHOICES},
};
static const rival_parameter kParameters[] = {
    {.struct_size = sizeof(rival_parameter),
     .name = "most",
     .description = "sticks in a heap, at the most",
     .value = MOST,
     .low = 1,
     .high = MOST,
     .step = 1},
};
static const rival_spec kSpec = {
    .struct_size = sizeof(rival_spec),
    .name = "nim",
    .description = "Take the last of three heaps of sticks",
    .source = "Charles L. Bouton, 1901",
    .seats = 2,
    .masks = 1,
    .max_steps = CHOICES,
    .observation = kObservation,
    .observation_count = 1,
    .action = kAction,
    .action_count = 1,
    .parameters = kParameters,
    .parameter_count = 1,
};

static const char* spec(const rival_spec** out) {
  *out = &kSpec;
  return NULL;
}

/* ---- the rules ---- */

static int is_over(const match_t* m) {
  return m->heap[0] + m->heap[1] + m->heap[2] == 0;
}

/* The three bits of each heap's size. */
static void write_observation(const match_t* m, float* observation) {
  for (int h = 0; h < HEAPS; ++h)
    for (int bit = 0; bit < 3; ++bit) observation[3 * h + bit] = (float)((m->heap[h] >> bit) & 1);
}

static void write_mask(const match_t* m, uint8_t* mask) {
  for (int h = 0; h < HEAPS; ++h)
    for (int take = 1; take <= m->heap[h]; ++take) mask[h * MOST + take - 1] = 1;
}

/* ---- batches ---- */

static void destroy(rival_batch* batch) {
  free(batch->match);
  free(batch);
}

static const char* create(int32_t matches, rival_batch** out) {
  rival_batch* batch = calloc(1, sizeof *batch);
  if (!batch) return "not enough memory";
  batch->matches = matches;
  batch->match = calloc((size_t)matches, sizeof *batch->match);
  if (!batch->match) {
    destroy(batch);
    return "not enough memory";
  }
  *out = batch;
  return NULL;
}

static const char* start(rival_batch* batch, const rival_start* start) {
  const int32_t most = (int32_t)start->settings->parameters[0];
  for (int32_t i = 0; i < start->count; ++i) {
    match_t* m = &batch->match[start->matches[i]];
    uint64_t random = rival_start_key(start, i);
    m->mover = 0;
    for (int h = 0; h < HEAPS; ++h) m->heap[h] = 1 + rival_below(&random, most);
  }
  return NULL;
}

/* Nim is played in turn, so there is one row for each match. */
static const char* observe(rival_batch* batch, const rival_rows* rows) {
  for (int32_t i = 0; i < batch->matches; ++i) {
    if (rows->status[i] != RIVAL_RUNNING) continue;
    const match_t* m = &batch->match[i];
    rows->seats[i] = (int8_t)m->mover;
    write_observation(m, rows->observations + i * 3 * HEAPS);
    write_mask(m, rows->masks + i * CHOICES);
  }
  return NULL;
}

static const char* step(rival_batch* batch, const rival_step* step) {
  for (int32_t i = 0; i < batch->matches; ++i) {
    if (step->status[i] != RIVAL_RUNNING) continue;
    match_t* m = &batch->match[i];
    const int32_t choice = step->choices[i];
    m->heap[choice / MOST] -= choice % MOST + 1;
    m->mover = 1 - m->mover;
    if (is_over(m)) step->status[i] = RIVAL_FINISHED;
  }
  return NULL;
}

/* ---- one match ---- */

static const char* status(rival_batch* batch, int32_t match, int32_t* status) {
  *status = is_over(&batch->match[match]) ? RIVAL_FINISHED : RIVAL_RUNNING;
  return NULL;
}

static const char* to_act(rival_batch* batch, int32_t match, uint64_t* seats) {
  *seats = UINT64_C(1) << batch->match[match].mover;
  return NULL;
}

static const char* observe_seat(rival_batch* batch, int32_t match, int32_t seat, float* observation, uint8_t* mask) {
  (void)seat; /* both see the same */
  write_observation(&batch->match[match], observation);
  if (mask) write_mask(&batch->match[match], mask);
  return NULL;
}

/* Whoever would have to move now has lost. Every seat is a team of its own. */
static const char* result(rival_batch* batch, int32_t match, int32_t team, float* result) {
  *result = team == batch->match[match].mover ? -1.0f : 1.0f;
  return NULL;
}

/* ---- what it may leave out: copies let search play it, texts let people ---- */

static const char* copy(rival_batch* batch, int32_t into, const rival_batch* from, int32_t match) {
  batch->match[into] = from->match[match];
  return NULL;
}

static const char* text(rival_batch* batch, int32_t match, int32_t seat, const char** text) {
  const match_t* m = &batch->match[match];
  (void)seat;
  snprintf(batch->text, sizeof batch->text, "heaps: %d %d %d", (int)m->heap[0], (int)m->heap[1], (int)m->heap[2]);
  *text = batch->text;
  return NULL;
}

static const char* action_text(rival_batch* batch, int32_t match, int32_t seat, int32_t choice, const char** text) {
  (void)match, (void)seat;
  snprintf(batch->text, sizeof batch->text, "%c%d", 'a' + (int)(choice / MOST), (int)(choice % MOST) + 1);
  *text = batch->text;
  return NULL;
}

/* ---- what the library exports ---- */

static const rival_game_table kTable = {
    .struct_size = sizeof(rival_game_table),
    .abi_version = RIVAL_GAME_ABI_VERSION,
    .spec = spec,
    .create = create,
    .destroy = destroy,
    .start = start,
    .observe = observe,
    .step = step,
    .status = status,
    .to_act = to_act,
    .observe_seat = observe_seat,
    .result = result,
    .copy = copy,
    .text = text,
    .action_text = action_text,
};

const rival_game_table* rival_game(uint32_t version) {
  return version == 0 || version == RIVAL_GAME_ABI_VERSION ? &kTable : NULL;
}
