/* A game as a shared library, in C or in any language that can be called as C: `rival train ./libmygame.so`.
 *
 * The library exports one function, rival_game(), which gives a table of functions. They work on batches: many matches
 * of one game side by side, so that a call does the work of hundreds of steps. examples/c_game/ is a small game in
 * plain C, docs/c-games.md a walk through it. A game in C++ that satisfies the concept of rival/game.hpp becomes such a
 * library with one line: rival/game_library.hpp.
 *
 * Sizes. Every struct begins with struct_size, which whoever fills the struct sets to its sizeof. Fields may be added
 * at the ends of structs, so both sides look at no more than the other one has: what Rival fills may be larger than the
 * game knows, and what the game fills may be smaller or larger than Rival knows, but not smaller than in this header's
 * version of the ABI. Fields that a designated initialiser leaves out are zero, which always means "no", "none" or what
 * is said below. The version changes only where this is not enough.
 *
 * Memory. Buffers of numbers belong to Rival; the game reads and writes them during the call that they are given to,
 * and keeps no pointer to them. Strings, the Spec, and what outcomes point to belong to the game and stay as they are
 * for the time said below. Strings are UTF-8, and end with a zero byte.
 *
 * Errors. Functions that return `const char*` return NULL, or in words what went wrong: a string that stays until the
 * next call with this batch (for spec, create and starts: on this thread). The batch is then of no use but to be
 * destroyed: Rival ends what it does with a message that quotes the string. No C++ exception and no longjmp may leave a
 * function. A library that crashes takes Rival along, unless it is run with --isolate.
 *
 * Threads. Batches are used by several threads at once, but each one by a single thread at a time, not always the same.
 * spec is called before anything else. What batches share must be constant, or guarded by the game.
 *
 * Chance. All randomness comes from keys, 64 random bits each, of a start, of a step and of resample_hidden: the same
 * state, actions and key give the same next state, in any batch (rival_random() below makes numbers of a key).
 * Nothing else may be drawn from: no global generator, not the clock, not what an earlier match left.
 *
 * Rows. In a turn-based game a match has one row, which belongs to the seat that is to act; in a simultaneous one it
 * has a row for each seat: row = match * seats + seat. With the Spec's parts in their order, one after the other:
 * - an observation row holds all parts: vectors, grids as [channels][height][width], entities as [height][width], in
 *   floats of about unit size;
 * - a mask row holds a byte for each choice of each discrete or target part: 1 allowed, 0 not; at least one of each
 *   part must be allowed to a seat that is to act;
 * - a row of choices holds an int32_t for each discrete or target part;
 * - a row of values holds the floats of all continuous parts. */
#ifndef RIVAL_GAME_ABI_H
#define RIVAL_GAME_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RIVAL_GAME_ABI_VERSION 1

#if defined(__GNUC__)
#define RIVAL_EXPORT __attribute__((visibility("default")))
#else
#define RIVAL_EXPORT
#endif

/* ---- The Spec: what players see and do. It never changes while the library is loaded. ------------------------- */

enum { RIVAL_VECTOR = 0, RIVAL_GRID = 1, RIVAL_ENTITIES = 2 };       /* rival_observation_part.kind */
enum { RIVAL_DISCRETE = 0, RIVAL_TARGET = 1, RIVAL_CONTINUOUS = 2 }; /* rival_action_part.kind */
enum { RIVAL_RUNNING = 0, RIVAL_FINISHED = 1, RIVAL_TRUNCATED = 2 }; /* status of a match */

typedef struct rival_observation_part {
  size_t struct_size;
  const char* name;
  int32_t kind;
  /* A vector has `width` numbers. A grid has `channels` planes of `height` rows of `width` numbers. Entities are up to
   * `height` of `width` numbers each, the first of which is 1; the rows of those that are not there are zero. channels
   * and height: 0 counts as 1. */
  int32_t channels, height, width;
} rival_observation_part;

typedef struct rival_action_part {
  size_t struct_size;
  const char* name;
  int32_t kind;
  int32_t size;          /* choices, or entities to target, or continuous values */
  float low, high;       /* continuous: the range; values arrive clipped to it */
  int32_t entities;      /* target: which observation part holds the entities, of which there are `size` */
  int32_t when_part;     /* with when_choices: the part counts only along with these choices (bit c: choice c) of the */
  uint64_t when_choices; /* earlier discrete part `when_part`; without it is ignored. 0: it always counts */
} rival_action_part;

/* A number of the rules that may be tuned: low, low + step, ..., high; step 0: anything from low to high. */
typedef struct rival_parameter {
  size_t struct_size;
  const char* name;
  const char* description; /* or NULL */
  float value;             /* the default */
  float low, high, step;
} rival_parameter;

/* What each seat picks before a match. */
typedef struct rival_choice {
  size_t struct_size;
  const char* name;
  const char* const* options; /* [option_count] */
  int32_t option_count;
} rival_choice;

/* What the rules read from a data file, by its name and a hash of its content: replays and ladders tell when it has
 * changed. */
typedef struct rival_rule_data {
  size_t struct_size;
  const char* name;
  uint64_t hash;
} rival_rule_data;

/* In arrays of structs all elements have the same struct_size, and stand that many bytes apart. */
typedef struct rival_spec {
  size_t struct_size;
  const char* name;           /* lower_case_with_underscores */
  const char* description;    /* one line */
  const char* source;         /* where the rules come from, or NULL */
  int32_t seats;              /* 1 to 64 */
  int32_t simultaneous;       /* 1: several seats may act at once */
  int32_t hidden_information; /* 1: a seat does not see the whole state */
  int32_t masks;              /* 1: the game says what is allowed; 0: everything always is, and masks are not written */
  int32_t max_steps;          /* an upper bound of a match's steps; 0: none is known */
  float seconds_per_step;     /* for people who play it in real time; 0: they take turns */
  const int32_t* teams;       /* [seats] the team of each, from 0; NULL: every seat is a team of its own */
  const rival_observation_part* observation; /* [observation_count], at least one */
  const rival_action_part* action;           /* [action_count], at least one */
  const rival_parameter* parameters;         /* [parameter_count] */
  const rival_choice* choices;               /* [choice_count] */
  const rival_rule_data* data;               /* [data_count] */
  int32_t observation_count, action_count, parameter_count, choice_count, data_count;
} rival_spec;

/* ---- What calls are about; all filled by Rival, but for rival_outcomes ----------------------------------------- */

/* How matches are set up. */
typedef struct rival_settings {
  size_t struct_size;
  const float* parameters; /* [parameter_count] */
  const int32_t* picks;    /* [choice_count x seats] the number of an option; -1: the game draws one from the key */
} rival_settings;

/* Matches to start anew, whatever state they are in: match matches[i] with keys[i], from which the start and all steps
 * draw. */
typedef struct rival_start {
  size_t struct_size;
  const int32_t* matches; /* [count] */
  const uint64_t* keys;   /* [count] */
  const rival_settings* settings;
  int32_t count;
} rival_start;

/* Rows to be written, for the seats that are to act. */
typedef struct rival_rows {
  size_t struct_size;
  const uint8_t* status; /* [matches] to be read: only matches that are running have anybody to act */
  float* observations;   /* [rows x numbers of an observation] zero on arrival */
  uint8_t* masks;        /* [rows x bytes of a mask] zero on arrival; 1 if the Spec has no masks */
  int8_t* seats;         /* [rows] the seat that the row belongs to and that is to act; -1, as on arrival: nobody */
} rival_rows;

/* A step of all matches that are running. */
typedef struct rival_step {
  size_t struct_size;
  const int32_t* choices; /* [rows x choices of an action] allowed by the masks; rows of nobody hold anything */
  const float* values;    /* [rows x values of an action] */
  const uint64_t* keys;   /* [matches] the keys that the matches were started with, and */
  const int32_t* steps;   /* [matches] how many steps they have taken: rival_step_key() makes this step's key of both */
  float* rewards;         /* [matches x seats] zero on arrival; without results */
  uint8_t* status;        /* [matches] as it is on arrival, and to be written for those that were running */
} rival_step;

/* The library's own; made by `create`, of any number of matches. */
typedef struct rival_batch rival_batch;

/* What chance may make of a start or a step: match i of `batch` comes with probability probabilities[i] (they sum to
 * 1), and with rewards[i * seats + seat], without results. Filled by the game. Rival destroys the batch, until when the
 * arrays must stay. */
typedef struct rival_outcomes {
  size_t struct_size; /* set by Rival: the game fills in no more than this */
  rival_batch* batch;
  const double* probabilities; /* [matches] */
  const float* rewards;        /* [matches x seats]; NULL: none */
  int32_t matches;             /* at least 1 */
} rival_outcomes;

/* ---- The table -------------------------------------------------------------------------------------------------- */

/* Matches are named by their place in the batch. Functions of one match are called only where they make sense: to_act
 * and masks while it runs; result once it has finished; observe_seat, of any seat that takes part, while it runs and
 * after it was truncated; the others at any time after its first start. A match that was never started takes part in
 * nothing. */
typedef struct rival_game_table {
  size_t struct_size;
  uint32_t abi_version; /* RIVAL_GAME_ABI_VERSION */

  /* Points `spec` to the Spec, which stays as long as the library is loaded. */
  const char* (*spec)(const rival_spec** spec);

  /* A batch of `matches` matches, 1 or more, none of which is started. */
  const char* (*create)(int32_t matches, rival_batch** batch);
  void (*destroy)(rival_batch* batch);

  const char* (*start)(rival_batch* batch, const rival_start* start);
  const char* (*observe)(rival_batch* batch, const rival_rows* rows);
  const char* (*step)(rival_batch* batch, const rival_step* step);

  /* Whether the match runs, is finished, or was cut short. */
  const char* (*status)(rival_batch* batch, int32_t match, int32_t* status);
  /* The seats that are to act: bit s is seat s; exactly one in turn-based games. */
  const char* (*to_act)(rival_batch* batch, int32_t match, uint64_t* seats);
  /* What one seat sees, and unless `mask` is NULL what it may do: one row each, as in rival_rows. */
  const char* (*observe_seat)(rival_batch* batch, int32_t match, int32_t seat, float* observation, uint8_t* mask);

  /* ---- what a game may leave out: NULL ---- */

  /* What the finished match was for a team: 1 won, 0 drawn, -1 lost, or a payoff. Without it, rewards are all there is
   * to gain. */
  const char* (*result)(rival_batch* batch, int32_t match, int32_t team, float* result);
  /* The seats that take part in the match, as bits, from its start to its end. Without it: all. */
  const char* (*playing)(rival_batch* batch, int32_t match, uint64_t* seats);

  /* Makes match `into` of a batch a copy of match `match` of `from` (another batch or the same one), which goes on
   * independently: for search. */
  const char* (*copy)(rival_batch* batch, int32_t into, const rival_batch* from, int32_t match);
  /* Redraws what `seat` cannot know, as likely as what it has seen makes it: for search with hidden information. */
  const char* (*resample_hidden)(rival_batch* batch, int32_t match, int32_t seat, uint64_t key);

  /* Strings, which stay until the next call with this batch. The position drawn for people: all of it, or with a seat
   * that is not -1 what that seat sees of it (NULL: the same as all of it, in games without hidden information). */
  const char* (*text)(rival_batch* batch, int32_t match, int32_t seat, const char** text);
  /* A choice of the first discrete part as people write it. */
  const char* (*action_text)(rival_batch* batch, int32_t match, int32_t seat, int32_t choice, const char** text);
  /* What `rival watch` draws, as JSON (docs/formats/scene.md): what stays for the match, and the present state. Both or
   * neither. */
  const char* (*stage)(rival_batch* batch, int32_t match, const char** json);
  const char* (*scene)(rival_batch* batch, int32_t match, const char** json);

  /* For exact judges of small games: all that may come of starting a match, and of a step of `match` with the rows of
   * actions of that match alone. */
  const char* (*starts)(const rival_settings* settings, rival_outcomes* outcomes);
  const char* (*outcomes)(rival_batch* batch, int32_t match, const int32_t* choices, const float* values,
                          rival_outcomes* outcomes);

  /* Where the error came from that a call with this batch has just returned: a match and a seat, or -1 each. */
  void (*error_place)(const rival_batch* batch, int32_t* match, int32_t* seat);
} rival_game_table;

/* What the library exports. The table for version `version` of the ABI, which stays as long as the library is loaded;
 * NULL: the library does not have that version. Version 0 asks for the newest one that it has (Rival asks so where it
 * got NULL, to name both versions: struct_size and abi_version stay first in all versions). */
RIVAL_EXPORT const rival_game_table* rival_game(uint32_t version);

/* ---- Keys, and numbers from them (as rival::Key and rival::Random; SplitMix64: Steele, Lea, Flood, 2014) ----------
 */

static inline uint64_t rival_mix(uint64_t z) {
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* The key number `index` that comes of a key. */
static inline uint64_t rival_split(uint64_t key, uint64_t index) {
  return rival_mix(key + rival_mix((index + 1) * UINT64_C(0x9e3779b97f4a7c15)));
}

/* The key of the start of a match: start->keys[i], of match start->matches[i]. */
static inline uint64_t rival_start_key(const rival_start* start, int32_t i) {
  return rival_split(start->keys[i], 0);
}

/* The key of a step of a match. */
static inline uint64_t rival_step_key(const rival_step* step, int32_t match) {
  return rival_split(step->keys[match], (uint64_t)step->steps[match] + 1);
}

/* 64 random bits: `uint64_t random = key;`, then this or one of those below, again and again. */
static inline uint64_t rival_random(uint64_t* random) {
  return rival_mix(*random += UINT64_C(0x9e3779b97f4a7c15));
}

/* Uniform in [0, 1). */
static inline float rival_uniform(uint64_t* random) {
  return (float)(rival_random(random) >> 40) / 16777216.0f;
}

/* Uniform in {0, ..., count - 1}; count is at least 1. */
static inline int32_t rival_below(uint64_t* random, int32_t count) {
  return (int32_t)(((rival_random(random) >> 32) * (uint64_t)(uint32_t)count) >> 32);
}

#ifdef __cplusplus
}
#endif

#endif
