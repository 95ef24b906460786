/* Plays the bots of Rival inside a game: copy this file and rival_runtime.c into it. They need the C library and its
   libm, allocate nothing, hold no globals, start no threads and never look at the locale. C99 and later, or C++.

     void* memory = malloc(rival_bot_memory(file_size));
     char error[RIVAL_ERROR_SIZE];
     const rival_bot* bot = rival_bot_load(file, file_size, memory, rival_bot_memory(file_size), error);
     rival_actor* actor = rival_actor_make(bot, NULL, actor_memory, rival_actor_memory(bot, NULL));
     ...
     rival_actor_begin(actor);                                     when a match begins
     rival_actor_observe(actor, step, observation);                at each step that asks for its decision
     rival_actor_act(actor, mask, key, choices, values);

   A bot is what a file says: any number of actors may play by it, in any number of threads. An actor is one player of
   one match, with what it remembers; one thread at a time. The guide is docs/ship-a-bot.md, the file's format
   docs/formats/bot.md, both in Rival's repository. */
#ifndef RIVAL_RUNTIME_H
#define RIVAL_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RIVAL_ERROR_SIZE 256
#define RIVAL_NAME_SIZE 65 /* of names of games and parts, with the 0 at their end */
#define RIVAL_MOST_PARTS 64

typedef struct rival_bot rival_bot;
typedef struct rival_actor rival_actor;

/* ---- A bot ---- */

/* Bytes of memory that a bot of a file of so many bytes takes; 0 if they are more than a size_t holds. */
size_t rival_bot_memory(size_t file_size);

/* Reads a bot's file, which may be freed then. The bot lives in `memory`, which needs no alignment, must not be moved,
   and is the caller's to free. NULL if the file is not a bot that can be played: `error` [RIVAL_ERROR_SIZE], which may
   be NULL, then names what is wrong and where. */
rival_bot* rival_bot_load(const void* file, size_t file_size, void* memory, size_t memory_size, char* error);

typedef enum rival_kind {
  RIVAL_VECTOR,    /* observation: `size` values */
  RIVAL_GRID,      /* observation: `channels` planes of `height` x `width`, plane by plane, row by row */
  RIVAL_ENTITIES,  /* observation: `height` entities of `width` features, the first of which is 1 where there is one */
  RIVAL_DISCRETE,  /* action: one of `size` choices */
  RIVAL_TARGET,    /* action: one of the `size` entities of observation part `entities` */
  RIVAL_CONTINUOUS /* action: `size` values in [low, high] */
} rival_kind;

/* A part of what the bot sees or does, as the game had it when the bot was trained. */
typedef struct rival_part {
  char name[RIVAL_NAME_SIZE];
  rival_kind kind;
  int size;
  int channels, height, width;
  int offset;   /* of the first value in an observation; of the first choice in a mask; of the first continuous value */
  int entities; /* targets: number of the observation part */
  int choice;   /* discrete parts and targets: place among the choices */
  float low, high;
  int when; /* counts only if the choice at this place is one of the bits `when_choices`; -1: always */
  uint64_t when_choices;
} rival_part;

const char* rival_bot_game(const rival_bot* bot);
int rival_bot_observation_size(const rival_bot* bot); /* floats of an observation: all parts, one after another */
int rival_bot_mask_size(
    const rival_bot* bot); /* bytes of a mask: a byte per choice of all discrete parts and targets */
int rival_bot_choice_count(const rival_bot* bot); /* discrete parts and targets */
int rival_bot_value_count(const rival_bot* bot);  /* continuous values */
/* NULL beyond the last one. */
const rival_part* rival_bot_observation_part(const rival_bot* bot, int part);
const rival_part* rival_bot_action_part(const rival_bot* bot, int part);

/* The instructions that it computes with: "avx512", "avx2", "sse2", "neon", "wasm" or "plain". */
const char* rival_bot_isa(const rival_bot* bot);
/* Others, before the first actor is made; 0, with nothing changed, if the processor does not have them. */
int rival_bot_set_isa(rival_bot* bot, const char* isa);

/* How an actor plays. */
typedef struct rival_options {
  float temperature;  /* 1: as it learnt; lower: more of what it thinks best; 0: nothing else */
  int reaction_steps; /* it decides by what it was shown this many steps ago: 0 to 1000 */
  int every;          /* it decides at every so many-th step, and repeats its action in between: 1 to 1000 */
} rival_options;

/* As the file says. One that does not speak of a temperature has 1. */
rival_options rival_bot_options(const rival_bot* bot);

/* Sets the two limits from human units, rounded so that the bot is never faster: a reaction time of 0 to 10000 ms, and
   at least 1 action a minute, or 0 for any number. 0, with nothing changed, if a number is out of its range. */
int rival_options_limit(rival_options* options, double seconds_per_step, double reaction_ms, double actions_per_minute);

/* ---- An actor ---- */

/* Bytes of memory that an actor takes; 0 if an option is out of its range, or they are more than a size_t holds. Here
   and below `options` may be NULL: as the file says. */
size_t rival_actor_memory(const rival_bot* bot, const rival_options* options);

/* An actor at the start of a match. It lives in `memory`, which needs no alignment, must not be moved, and is the
   caller's to free. NULL if the memory is too small or an option out of its range. The bot must outlive it. */
rival_actor* rival_actor_make(const rival_bot* bot, const rival_options* options, void* memory, size_t memory_size);

/* Forgets everything: a match begins. */
void rival_actor_begin(rival_actor* actor);

/* Shows the actor what its seat sees, [observation size], at a step of its match, counted from 0. To be called once at
   each step at which the seat is to act. 0, with nothing noted, if the step is before the last one. */
int rival_actor_observe(rival_actor* actor, int step, const float* observation);

/* Decides the step that was shown last, and remembers: fills `choices` [choice count] and `values` [value count].
   `mask` [mask size] says which choices are allowed, 1 or 0; of each discrete part at least one. `key` is where its
   randomness comes from: another one for each decision. A part that does not count is given its lowest allowed choice,
   or the middle of its range. 1 if it decided, 0 if it repeats its last action; -1, with nothing written, if it was
   shown nothing yet. */
int rival_actor_act(rival_actor* actor, const uint8_t* mask, uint64_t key, int32_t* choices, float* values);

/* What rival_actor_act() would draw from: the probability of each choice, [mask size], of a part that depends on
   another: given that it counts. Remembers nothing. 0, with nothing written, if the actor was shown nothing yet. */
int rival_actor_probabilities(rival_actor* actor, const uint8_t* mask, float* probabilities);

/* What the actor expects of the rest of the match, its rewards and its result together, by what it was shown last; its
   reaction time does not count here. 0 if it was shown nothing yet. */
float rival_actor_value(rival_actor* actor);

/* The same as a chance to win, 0 to 1, a draw counting half: for games that give nothing but +1, 0 or -1 at the end. */
float rival_actor_win_chance(rival_actor* actor);

/* ---- Randomness: SplitMix64, as in Rival ---- */

/* A key from a seed, and child number `index` of a key. A decision's key may be made so:
   rival_key_split(rival_key_split(rival_key(seed), match), decision). */
uint64_t rival_key(uint64_t seed);
uint64_t rival_key_split(uint64_t key, uint64_t index);

#ifdef __cplusplus
}
#endif

#endif
