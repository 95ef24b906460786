#include "rival_runtime.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#define RIVAL_X86
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(_M_X64)
#include <emmintrin.h>
#endif

/* ---- Products ---- */

/* Sums the named inputs' rows of w, each `out` long, onto columns `first` to `out` of y. */
typedef void add_rows(const float* x, const int32_t* at, size_t count, const float* w, size_t first, size_t out,
                      float* y);

static void add_rows_plain(const float* x, const int32_t* at, size_t count, const float* w, size_t first, size_t out,
                           float* y) {
  size_t k, c;
  for (k = 0; k < count; ++k) {
    const float xk = x[at[k]];
    const float* row = w + (size_t)at[k] * out;
    for (c = first; c < out; ++c) y[c] += xk * row[c];
  }
}

/* The same with vectors of `lanes` floats, eight of them at a time, which hides the latency of the multiply-adds;
   `rest` does the columns that are left. */
#define RIVAL_ADD_ROWS(name, attribute, vec, lanes, load, store, set, multiply_add, rest)                         \
  attribute static void name(const float* x, const int32_t* at, size_t count, const float* w, size_t first,       \
                             size_t out, float* y) {                                                              \
    size_t c = first, k;                                                                                          \
    for (; c + 8 * lanes <= out; c += 8 * lanes) {                                                                \
      vec s0 = load(y + c), s1 = load(y + c + lanes), s2 = load(y + c + 2 * lanes), s3 = load(y + c + 3 * lanes); \
      vec s4 = load(y + c + 4 * lanes), s5 = load(y + c + 5 * lanes);                                             \
      vec s6 = load(y + c + 6 * lanes), s7 = load(y + c + 7 * lanes);                                             \
      for (k = 0; k < count; ++k) {                                                                               \
        const vec xk = set(x[at[k]]);                                                                             \
        const float* row = w + (size_t)at[k] * out + c;                                                           \
        s0 = multiply_add(xk, load(row), s0);                                                                     \
        s1 = multiply_add(xk, load(row + lanes), s1);                                                             \
        s2 = multiply_add(xk, load(row + 2 * lanes), s2);                                                         \
        s3 = multiply_add(xk, load(row + 3 * lanes), s3);                                                         \
        s4 = multiply_add(xk, load(row + 4 * lanes), s4);                                                         \
        s5 = multiply_add(xk, load(row + 5 * lanes), s5);                                                         \
        s6 = multiply_add(xk, load(row + 6 * lanes), s6);                                                         \
        s7 = multiply_add(xk, load(row + 7 * lanes), s7);                                                         \
      }                                                                                                           \
      store(y + c, s0), store(y + c + lanes, s1), store(y + c + 2 * lanes, s2), store(y + c + 3 * lanes, s3);     \
      store(y + c + 4 * lanes, s4), store(y + c + 5 * lanes, s5);                                                 \
      store(y + c + 6 * lanes, s6), store(y + c + 7 * lanes, s7);                                                 \
    }                                                                                                             \
    for (; c + 2 * lanes <= out; c += 2 * lanes) {                                                                \
      vec s0 = load(y + c), s1 = load(y + c + lanes);                                                             \
      for (k = 0; k < count; ++k) {                                                                               \
        const vec xk = set(x[at[k]]);                                                                             \
        const float* row = w + (size_t)at[k] * out + c;                                                           \
        s0 = multiply_add(xk, load(row), s0);                                                                     \
        s1 = multiply_add(xk, load(row + lanes), s1);                                                             \
      }                                                                                                           \
      store(y + c, s0), store(y + c + lanes, s1);                                                                 \
    }                                                                                                             \
    for (; c + lanes <= out; c += lanes) {                                                                        \
      vec s0 = load(y + c);                                                                                       \
      for (k = 0; k < count; ++k) s0 = multiply_add(set(x[at[k]]), load(w + (size_t)at[k] * out + c), s0);        \
      store(y + c, s0);                                                                                           \
    }                                                                                                             \
    if (c < out) rest(x, at, count, w, c, out, y);                                                                \
  }

#if defined(RIVAL_X86) || defined(_M_X64)
#ifdef RIVAL_X86
#define RIVAL_TARGET(isa) __attribute__((target(isa)))
#else
#define RIVAL_TARGET(isa)
#endif
#define RIVAL_SSE_MULTIPLY_ADD(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
RIVAL_ADD_ROWS(add_rows_sse2, RIVAL_TARGET("sse2"), __m128, 4, _mm_loadu_ps, _mm_storeu_ps, _mm_set1_ps,
               RIVAL_SSE_MULTIPLY_ADD, add_rows_plain)
#endif
#ifdef RIVAL_X86
RIVAL_ADD_ROWS(add_rows_avx2, RIVAL_TARGET("avx2,fma"), __m256, 8, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps,
               _mm256_fmadd_ps, add_rows_sse2)
RIVAL_ADD_ROWS(add_rows_avx512, RIVAL_TARGET("avx512f"), __m512, 16, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps,
               _mm512_fmadd_ps, add_rows_avx2)
#elif defined(__aarch64__) && defined(__ARM_NEON)
#define RIVAL_NEON_MULTIPLY_ADD(a, b, c) vfmaq_f32(c, a, b)
RIVAL_ADD_ROWS(add_rows_neon, , float32x4_t, 4, vld1q_f32, vst1q_f32, vdupq_n_f32, RIVAL_NEON_MULTIPLY_ADD,
               add_rows_plain)
#elif defined(__wasm_simd128__)
#define RIVAL_WASM_MULTIPLY_ADD(a, b, c) wasm_f32x4_add(wasm_f32x4_mul(a, b), c)
RIVAL_ADD_ROWS(add_rows_wasm, , v128_t, 4, wasm_v128_load, wasm_v128_store, wasm_f32x4_splat, RIVAL_WASM_MULTIPLY_ADD,
               add_rows_plain)
#endif

/* Number `i` of what this processor can do, best first; NULL beyond the last one. */
static const char* isa_name(int i, add_rows** found) {
  const char* names[5];
  add_rows* functions[5];
  int count = 0;
#define RIVAL_HAS(name, function) names[count] = name, functions[count++] = function
#ifdef RIVAL_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma")) RIVAL_HAS("avx512", add_rows_avx512);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) RIVAL_HAS("avx2", add_rows_avx2);
  if (__builtin_cpu_supports("sse2")) RIVAL_HAS("sse2", add_rows_sse2);
#elif defined(_M_X64)
  RIVAL_HAS("sse2", add_rows_sse2);
#elif defined(__aarch64__) && defined(__ARM_NEON)
  RIVAL_HAS("neon", add_rows_neon);
#elif defined(__wasm_simd128__)
  RIVAL_HAS("wasm", add_rows_wasm);
#endif
  RIVAL_HAS("plain", add_rows_plain);
#undef RIVAL_HAS
  if (i >= count) return NULL;
  *found = functions[i];
  return names[i];
}

/* ---- What is in a bot and in an actor ---- */

enum { MOST_LAYERS = 64, MOST_TENSORS = 4096, LONGEST_LIMIT = 1000, ALIGNMENT = 64 };

struct rival_bot {
  add_rows* multiply;
  const char* isa;
  char game[RIVAL_NAME_SIZE];
  int observation_parts, action_parts;
  rival_part observation[RIVAL_MOST_PARTS], action[RIVAL_MOST_PARTS];
  uint8_t convolved[RIVAL_MOST_PARTS]; /* of each observation part */
  int observation_size, mask_size, choices, values;
  int layers, hidden[MOST_LAYERS], memory, entity, entity_inner;
  int flat; /* numbers of all flat parts, with which the trunk's input begins */
  int trunk_in, head_out;
  int widest; /* row between layers */
  int convolved_widest;
  int encodings; /* floats of all entities' encodings */
  /* Weights [in, out], the biases [out] right behind them; of a grid, all its convolutions one after another, and of
     entities both layers. */
  const float *encoder[RIVAL_MOST_PARTS], *trunk[MOST_LAYERS], *gates, *head, *query[RIVAL_MOST_PARTS];
  const float *mean, *scale, *log_std;
  float value_mean, value_scale;
  rival_options options;
};

struct rival_actor {
  const rival_bot* bot;
  rival_options options;
  /* What it was shown, in a ring of reaction_steps + 1 rows; how many so far, and in which steps. */
  float* rows;
  int* steps;
  int shown;
  /* Its last action, and the step at which the next decision is due. */
  int64_t next;
  int32_t *choices, *now;
  float* values;
  float *state, *next_state; /* of the memory */
  /* For one decision. */
  float *x, *y, *trunk, *encodings, *from_flat, *first_layer, *convolved[2], *gates, *heads, *p;
  int32_t* nonzero;
};

/* ---- Errors ---- */

/* Writes the strings, up to a NULL, in one line. Returns 0. */
static int refuse(char* error, ...) {
  va_list parts;
  const char* part;
  size_t at = 0;
  if (!error) return 0;
  va_start(parts, error);
  while ((part = va_arg(parts, const char*)) != NULL)
    for (; *part && at + 1 < RIVAL_ERROR_SIZE; ++part) error[at++] = (unsigned char)*part < 0x20 ? '?' : *part;
  va_end(parts);
  error[at] = 0;
  return 0;
}

typedef struct digits {
  char text[24];
} digits;

static const char* decimal(uint64_t number, digits* room) {
  char* at = room->text + sizeof room->text;
  *--at = 0;
  do *--at = (char)('0' + number % 10), number /= 10;
  while (number);
  return at;
}

/* ---- JSON ---- */

/* What is left of a text. */
typedef struct text {
  const char *at, *end;
} text;

static int peek(text* t) {
  while (t->at < t->end && (*t->at == ' ' || *t->at == '\n' || *t->at == '\r' || *t->at == '\t')) ++t->at;
  return t->at < t->end ? (unsigned char)*t->at : 0;
}

static int eat(text* t, char c) {
  if (peek(t) != c) return 0;
  ++t->at;
  return 1;
}

static int hex4(text* t, uint32_t* code) {
  int i;
  *code = 0;
  if (t->end - t->at < 4) return 0;
  for (i = 0; i < 4; ++i) {
    const char c = *t->at++;
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return 0;
    *code = *code << 4 | (uint32_t)digit;
  }
  return 1;
}

typedef struct string {
  char* bytes; /* where to write it, or NULL */
  size_t room, size;
  uint64_t hash; /* FNV-1a */
} string;

static void put(string* s, uint32_t byte) {
  if (s->bytes && s->size < s->room) s->bytes[s->size] = (char)byte;
  ++s->size;
  s->hash = (s->hash ^ byte) * UINT64_C(0x100000001b3);
}

static string string_to(char* bytes, size_t room) {
  string s;
  s.bytes = bytes, s.room = room, s.size = 0, s.hash = UINT64_C(0xcbf29ce484222325);
  return s;
}

static uint64_t hash_of(const char* name) {
  string s = string_to(NULL, 0);
  for (; *name; ++name) put(&s, (unsigned char)*name);
  return s.hash;
}

static int read_string(text* t, string* s) {
  if (!eat(t, '"')) return 0;
  while (t->at < t->end) {
    uint32_t c = (unsigned char)*t->at++, low;
    if (c == '"') return 1;
    if (c < 0x20) return 0;
    if (c != '\\') {
      put(s, c);
      continue;
    }
    if (t->at == t->end) return 0;
    switch (*t->at++) {
      case '"':
        put(s, '"');
        break;
      case '\\':
        put(s, '\\');
        break;
      case '/':
        put(s, '/');
        break;
      case 'b':
        put(s, '\b');
        break;
      case 'f':
        put(s, '\f');
        break;
      case 'n':
        put(s, '\n');
        break;
      case 'r':
        put(s, '\r');
        break;
      case 't':
        put(s, '\t');
        break;
      case 'u':
        if (!hex4(t, &c)) return 0;
        if (c >= 0xdc00 && c < 0xe000) return 0;
        if (c >= 0xd800 && c < 0xdc00) {
          if (t->end - t->at < 2 || *t->at++ != '\\' || *t->at++ != 'u' || !hex4(t, &low)) return 0;
          if (low < 0xdc00 || low >= 0xe000) return 0;
          c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
        if (c < 0x80) {
          put(s, c);
        } else {
          if (c < 0x800) {
            put(s, 0xc0 | c >> 6);
          } else {
            if (c < 0x10000) {
              put(s, 0xe0 | c >> 12);
            } else {
              put(s, 0xf0 | c >> 18);
              put(s, 0x80 | (c >> 12 & 0x3f));
            }
            put(s, 0x80 | (c >> 6 & 0x3f));
          }
          put(s, 0x80 | (c & 0x3f));
        }
        break;
      default:
        return 0;
    }
  }
  return 0;
}

typedef struct number {
  int whole, negative;
  uint64_t magnitude; /* of a whole number */
  double value;
} number;

static int is_digit(const text* t) {
  return t->at < t->end && *t->at >= '0' && *t->at <= '9';
}

/* Values to the last bit or two, which is more than a float holds. */
static int read_number(text* t, number* n) {
  uint64_t mantissa = 0;
  int exponent = 0, dropped = 0, written = 0, down = 0;
  (void)peek(t);
  n->negative = t->at < t->end && *t->at == '-';
  if (n->negative) ++t->at;
  if (!is_digit(t)) return 0;
  n->whole = 1;
  if (*t->at == '0') {
    ++t->at;
    if (is_digit(t)) return 0;
  }
  for (; is_digit(t); ++t->at) {
    const uint64_t digit = (uint64_t)(*t->at - '0');
    if (dropped || mantissa > (UINT64_MAX - digit) / 10)
      dropped = 1, exponent += exponent < 9999;
    else
      mantissa = mantissa * 10 + digit;
  }
  if (dropped) n->whole = 0;
  n->magnitude = mantissa;
  if (t->at < t->end && *t->at == '.') {
    ++t->at;
    n->whole = 0;
    if (!is_digit(t)) return 0;
    for (; is_digit(t); ++t->at) {
      const uint64_t digit = (uint64_t)(*t->at - '0');
      if (dropped || mantissa > (UINT64_MAX - digit) / 10)
        dropped = 1;
      else
        mantissa = mantissa * 10 + digit, exponent -= exponent > -9999;
    }
  }
  if (t->at < t->end && (*t->at == 'e' || *t->at == 'E')) {
    ++t->at;
    n->whole = 0;
    if (t->at < t->end && (*t->at == '+' || *t->at == '-')) down = *t->at++ == '-';
    if (!is_digit(t)) return 0;
    for (; is_digit(t); ++t->at)
      if (written < 9999) written = written * 10 + (*t->at - '0');
    exponent += down ? -written : written;
  }
  n->value = (double)mantissa;
  if (exponent > 400) exponent = 400;
  if (exponent < -400) exponent = -400;
  {
    double power = 1; /* exact up to 10^22 */
    int i;
    for (i = exponent < 0 ? -exponent : exponent; i > 0; --i) {
      power *= 10;
      if (power >= 1e22 || i == 1) n->value = exponent < 0 ? n->value / power : n->value * power, power = 1;
    }
  }
  if (n->negative) n->value = -n->value;
  return 1;
}

static int eat_word(text* t, const char* word) {
  const size_t size = strlen(word);
  if ((size_t)(t->end - t->at) < size || memcmp(t->at, word, size) != 0) return 0;
  t->at += size;
  return 1;
}

/* Any value. 0 if there is none, or one too deep. */
static int skip_value(text* t, int deepest) {
  string s = string_to(NULL, 0);
  number n;
  const int c = peek(t);
  const char close = c == '{' ? '}' : ']';
  switch (c) {
    case '"':
      return read_string(t, &s);
    case 't':
      return eat_word(t, "true");
    case 'f':
      return eat_word(t, "false");
    case 'n':
      return eat_word(t, "null");
    case '{':
    case '[':
      ++t->at;
      if (deepest == 0) return 0;
      if (eat(t, close)) return 1;
      do {
        if (c == '{' && !(read_string(t, &s) && eat(t, ':'))) return 0;
        if (!skip_value(t, deepest - 1)) return 0;
      } while (eat(t, ','));
      return eat(t, close);
    default:
      return read_number(t, &n);
  }
}

/* ---- A bot's file ---- */

typedef struct tensor {
  uint64_t begin, end, name_hash;
  uint32_t name, shape; /* places in the header */
  int is_f32;
} tensor;

typedef struct loader {
  rival_bot* bot;
  char* error;
  text header, metadata[2]; /* of the metadata, the texts of `rival` and `parts` */
  const uint8_t* data;
  uint64_t data_size;
  unsigned char *low,
      *high; /* memory that is free: weights are put at its beginning, what only loading needs at its end */
  tensor* tensors;
  size_t tensor_count;
} loader;

static const char* const METADATA[2] = {"rival", "parts"};

/* A tensor's name for an error. */
typedef struct label {
  char text[80];
} label;

static const char* name_of(const loader* l, const tensor* t, label* room) {
  text at;
  string s = string_to(room->text, sizeof room->text - 1);
  at.at = l->header.at + t->name, at.end = l->header.end;
  (void)read_string(&at, &s);
  room->text[s.size < s.room ? s.size : s.room] = 0;
  return room->text;
}

static unsigned char* take_high(loader* l, size_t size) {
  if (size > (size_t)(l->high - l->low)) return NULL;
  return l->high -= size;
}

static const char* tensor_problem(const loader* l, text* t, tensor* found) {
  static const char* const names[] = {"F32", "F64", "F16", "BF16", "F8_E5M2", "F8_E4M3", "BOOL", "U8",
                                      "I8",  "U16", "I16", "U32",  "I32",     "U64",     "I64"};
  static const unsigned char sizes[] = {4, 8, 2, 2, 1, 1, 1, 1, 1, 2, 2, 4, 4, 8, 8};
  uint64_t element = 0, bytes = 1, offsets[2];
  int has_type = 0, has_shape = 0, has_offsets = 0, empty = 0, overflow = 0;
  number n;
  size_t i;
  if (!eat(t, '{')) return "is no object";
  if (!eat(t, '}')) {
    do {
      string key = string_to(NULL, 0), type = string_to(NULL, 0);
      if (!read_string(t, &key) || !eat(t, ':')) return "is no valid JSON";
      if (key.hash == hash_of("dtype") && !has_type++) {
        if (!read_string(t, &type)) return "has a dtype of the wrong kind";
        for (i = 0; i < sizeof sizes; ++i)
          if (type.hash == hash_of(names[i])) element = sizes[i], found->is_f32 = i == 0;
        if (!element) return "has an unknown dtype";
      } else if (key.hash == hash_of("shape") && !has_shape++) {
        (void)peek(t);
        found->shape = (uint32_t)(t->at - l->header.at);
        if (!eat(t, '[')) return "has a shape of the wrong kind";
        if (!eat(t, ']')) {
          int dimensions = 0;
          do {
            if (!read_number(t, &n) || !n.whole || (n.negative && n.magnitude) || n.magnitude > INT64_MAX ||
                ++dimensions > 32)
              return "has something in its shape that is no whole number from 0 up";
            if (n.magnitude == 0) empty = 1;
            if (n.magnitude && bytes > UINT64_MAX / n.magnitude) overflow = 1;
            if (!overflow && n.magnitude) bytes *= n.magnitude;
          } while (eat(t, ','));
          if (!eat(t, ']')) return "has a shape that does not end";
        }
      } else if (key.hash == hash_of("data_offsets") && !has_offsets++) {
        if (!eat(t, '[')) return "has data_offsets of the wrong kind";
        for (i = 0; i < 2; ++i) {
          if (!read_number(t, &n) || !n.whole || (n.negative && n.magnitude) || n.magnitude > INT64_MAX)
            return "needs two whole numbers in data_offsets";
          offsets[i] = n.magnitude;
          if (!eat(t, i ? ']' : ',')) return "needs two whole numbers in data_offsets";
        }
        found->begin = offsets[0], found->end = offsets[1];
      } else {
        return "has an unknown field, or one twice";
      }
    } while (eat(t, ','));
    if (!eat(t, '}')) return "is no valid JSON";
  }
  if (!has_type) return "has no dtype";
  if (!has_shape) return "has no shape";
  if (!has_offsets) return "has no data_offsets";
  if (found->end < found->begin) return "ends before it begins";
  if (found->end > l->data_size) return "reaches beyond the end of the file: is it cut short?";
  if (empty) {
    if (found->end != found->begin) return "has bytes that do not fit its dtype and shape";
  } else if (overflow || bytes > UINT64_MAX / element || bytes * element != found->end - found->begin) {
    return "has bytes that do not fit its dtype and shape";
  }
  return NULL;
}

static int bad_json(const loader* l, const text* t) {
  digits at;
  return refuse(l->error, "the header is no valid JSON at its byte ", decimal((uint64_t)(t->at - l->header.at), &at),
                NULL);
}

/* Copies a string of the metadata, decoded. */
static int read_metadata(loader* l, text* t, int which) {
  text probe = *t;
  string size = string_to(NULL, 0), s;
  unsigned char* bytes;
  if (l->metadata[which].at) return refuse(l->error, "the metadata has the key '", METADATA[which], "' twice", NULL);
  if (!read_string(&probe, &size)) return refuse(l->error, "the metadata '", METADATA[which], "' is no string", NULL);
  bytes = take_high(l, size.size);
  if (!bytes) return refuse(l->error, "the memory is too small", NULL);
  s = string_to((char*)bytes, size.size);
  (void)read_string(t, &s);
  l->metadata[which].at = (const char*)bytes;
  l->metadata[which].end = (const char*)bytes + s.size;
  return 1;
}

static int read_header(loader* l, text* metadata_values) {
  text t = l->header;
  label name;
  size_t i;
  if (!eat(&t, '{')) return refuse(l->error, "no safetensors file: the header does not begin with '{'", NULL);
  if (!eat(&t, '}')) {
    int metadata_seen = 0;
    do {
      string key = string_to(NULL, 0);
      tensor found;
      const char* problem;
      memset(&found, 0, sizeof found);
      (void)peek(&t);
      found.name = (uint32_t)(t.at - l->header.at);
      if (!read_string(&t, &key) || !eat(&t, ':')) return bad_json(l, &t);
      if (key.hash == hash_of("__metadata__")) {
        if (metadata_seen++) return refuse(l->error, "the header has '__metadata__' twice", NULL);
        if (!eat(&t, '{')) return refuse(l->error, "the header's '__metadata__' is no object", NULL);
        if (eat(&t, '}')) continue;
        do {
          string field = string_to(NULL, 0), value = string_to(NULL, 0);
          int which;
          if (!read_string(&t, &field) || !eat(&t, ':')) return bad_json(l, &t);
          for (which = 0; which < 2; ++which) {
            if (field.hash != hash_of(METADATA[which])) continue;
            if (metadata_values[which].at)
              return refuse(l->error, "the metadata has the key '", METADATA[which], "' twice", NULL);
            metadata_values[which] = t;
          }
          if (!read_string(&t, &value)) return refuse(l->error, "the metadata holds something that is no string", NULL);
        } while (eat(&t, ','));
        if (!eat(&t, '}')) return bad_json(l, &t);
        continue;
      }
      found.name_hash = key.hash;
      problem = tensor_problem(l, &t, &found);
      if (problem) return refuse(l->error, "the tensor '", name_of(l, &found, &name), "' ", problem, NULL);
      if (l->tensor_count == MOST_TENSORS) return refuse(l->error, "the header has more than 4096 tensors", NULL);
      if (!take_high(l, sizeof(tensor))) return refuse(l->error, "the memory is too small", NULL);
      /* By their places in the data, the last one first. */
      l->tensors = (tensor*)(void*)l->high;
      for (i = 0;
           i < l->tensor_count && (l->tensors[i + 1].begin > found.begin ||
                                   (l->tensors[i + 1].begin == found.begin && l->tensors[i + 1].end > found.end));
           ++i)
        l->tensors[i] = l->tensors[i + 1];
      l->tensors[i] = found;
      ++l->tensor_count;
    } while (eat(&t, ','));
    if (!eat(&t, '}')) return bad_json(l, &t);
  }
  if (peek(&t) || t.at != t.end) return bad_json(l, &t);
  return 1;
}

static int check_tensors(const loader* l) {
  uint64_t end = 0;
  size_t i, k;
  label name;
  for (i = l->tensor_count; i-- > 0;) {
    const tensor* t = l->tensors + i;
    const char* shown = name_of(l, t, &name);
    if (t->begin < end) return refuse(l->error, "the tensor '", shown, "' shares bytes with another", NULL);
    if (t->begin > end) return refuse(l->error, "bytes before the tensor '", shown, "' belong to no tensor", NULL);
    end = t->end;
    for (k = 0; k < i; ++k)
      if (l->tensors[k].name_hash == t->name_hash) return refuse(l->error, "the header has '", shown, "' twice", NULL);
  }
  if (end != l->data_size) return refuse(l->error, "bytes behind the last tensor belong to no tensor", NULL);
  return 1;
}

static float float_at(const uint8_t* bytes) {
  const uint32_t bits =
      (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Copies the tensor of this name and shape, [rows, columns] or [columns]. NULL, with an error, if it cannot be had. */
static const float* take(loader* l, const char* name, int rows, int columns) {
  const size_t size = (rows ? (size_t)rows : 1) * (size_t)columns;
  const uint64_t hash = hash_of(name);
  const tensor* found = NULL;
  number n[2];
  text shape;
  float* out = (float*)(void*)l->low;
  size_t i;
  int fits;
  for (i = 0; i < l->tensor_count; ++i)
    if (l->tensors[i].name_hash == hash) found = l->tensors + i;
  if (!found) return refuse(l->error, "the tensor '", name, "' is missing", NULL), (const float*)NULL;
  if (!found->is_f32) return refuse(l->error, "the tensor '", name, "' is not F32", NULL), (const float*)NULL;
  shape.at = l->header.at + found->shape, shape.end = l->header.end;
  fits = eat(&shape, '[') && read_number(&shape, &n[0]) &&
         (!rows || (n[0].magnitude == (uint64_t)rows && eat(&shape, ',') && read_number(&shape, &n[1]))) &&
         eat(&shape, ']') && n[rows ? 1 : 0].magnitude == (uint64_t)columns;
  if (!fits) {
    digits a, b;
    return refuse(l->error, "the tensor '", name, "' has another shape than [", rows ? decimal((uint64_t)rows, &a) : "",
                  rows ? ", " : "", decimal((uint64_t)columns, &b), "]", NULL),
           (const float*)NULL;
  }
  if (size > (size_t)(l->high - l->low) / sizeof(float))
    return refuse(l->error, "the memory is too small", NULL), (const float*)NULL;
  for (i = 0; i < size; ++i) {
    out[i] = float_at(l->data + found->begin + i * sizeof(float));
    if (!(out[i] - out[i] == 0))
      return refuse(l->error, "the tensor '", name, "' holds a value that is not finite; the bot is ruined", NULL),
             (const float*)NULL;
  }
  l->low += size * sizeof(float);
  return out;
}

static void align(loader* l) {
  while ((uintptr_t)l->low % ALIGNMENT != 0 && l->low < l->high) ++l->low;
}

/* NAME.weight and NAME.bias, where NAME is up to three pieces. */
static const float* take_dense(loader* l, const char* a, const char* b, const char* c, int in, int out) {
  char name[2 * RIVAL_NAME_SIZE];
  const float* weights;
  name[0] = 0;
  strcat(name, a), strcat(name, b), strcat(name, c); /* "encoder." + 64 + ".12" */
  strcat(name, ".weight");
  weights = take(l, name, in, out);
  if (!weights) return NULL;
  strcpy(name + strlen(name) - strlen("weight"), "bias");
  return take(l, name, 0, out) ? weights : NULL;
}

/* ---- Metadata ---- */

/* An object, and what errors call it. */
typedef struct object {
  text fields;
  char place[64];
  char* error;
} object;

static int wrong(const object* o, const char* name, const char* what) {
  return refuse(o->error, o->place, ": '", name, "' ", what, NULL);
}

/* 1: found; 0: it is not there; -1: it is there twice. */
static int find(const object* o, const char* name, text* value) {
  text t = o->fields;
  const uint64_t hash = hash_of(name);
  int found = 0;
  (void)eat(&t, '{');
  if (eat(&t, '}')) return 0;
  do {
    string key = string_to(NULL, 0);
    (void)read_string(&t, &key), (void)eat(&t, ':');
    if (key.hash == hash) {
      if (found) return -1;
      found = 1, *value = t;
    }
    (void)skip_value(&t, 64);
  } while (eat(&t, ','));
  return found;
}

static int need(const object* o, const char* name, text* value) {
  const int found = find(o, name, value);
  if (found == 1) return 1;
  return wrong(o, name, found ? "is there twice" : "is missing");
}

static int whole_in(const object* o, const char* name, text* t, int64_t low, int64_t high, int64_t* value) {
  number n;
  digits a, b;
  if (read_number(t, &n) && n.whole && n.magnitude <= INT64_MAX) {
    *value = n.negative ? -(int64_t)n.magnitude : (int64_t)n.magnitude;
    if (*value >= low && *value <= high) return 1;
  }
  return refuse(o->error, o->place, ": '", name, "' must be a whole number from ", decimal((uint64_t)low, &a), " to ",
                decimal((uint64_t)high, &b), NULL);
}

static int whole(const object* o, const char* name, int low, int high, int* value) {
  text t;
  int64_t wide = 0;
  if (!need(o, name, &t) || !whole_in(o, name, &t, low, high, &wide)) return 0;
  *value = (int)wide;
  return 1;
}

static int real(const object* o, const char* name, double low, double high, float* value) {
  text t;
  number n;
  if (!need(o, name, &t)) return 0;
  if (!read_number(&t, &n) || !(n.value >= low && n.value <= high))
    return wrong(o, name, "must be a number in its range");
  *value = (float)n.value;
  return 1;
}

/* A text of at most `room` - 1 bytes. */
static int word(const object* o, const char* name, char* value, size_t room) {
  text t;
  string s = string_to(value, room - 1);
  size_t i;
  if (!need(o, name, &t)) return 0;
  if (!read_string(&t, &s) || s.size > s.room) return wrong(o, name, "must be a short line of text");
  for (i = 0; i < s.size; ++i)
    if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f) return wrong(o, name, "must be a short line of text");
  value[s.size] = 0;
  return 1;
}

/* Whole numbers, at most `most` of them, each in its range. */
static int wholes(const object* o, const char* name, int most, int low, int high, int* values, int* count) {
  text t;
  *count = 0;
  if (!need(o, name, &t)) return 0;
  if (!eat(&t, '[')) return wrong(o, name, "must be a list");
  if (eat(&t, ']')) return 1;
  do {
    int64_t value;
    if (*count == most) return wrong(o, name, "has too many entries");
    if (!whole_in(o, name, &t, low, high, &value)) return 0;
    values[(*count)++] = (int)value;
  } while (eat(&t, ','));
  return 1;
}

static int open_metadata(loader* l, int which, object* o) {
  text t = l->metadata[which];
  o->error = l->error;
  strcpy(o->place, "the metadata '");
  strcat(o->place, METADATA[which]), strcat(o->place, "'");
  if (!t.at)
    return refuse(l->error, o->place,
                  " is missing: ", which ? "a bot of before bots told what they see and do" : "not a bot of Rival",
                  NULL);
  o->fields = t;
  if (peek(&t) != '{' || !skip_value(&t, 32) || peek(&t) || t.at != t.end)
    return refuse(l->error, o->place, " is no valid JSON object", NULL);
  return 1;
}

/* The parts of one list. */
static int open_list(const object* o, const char* name, text* list) {
  if (!need(o, name, list)) return 0;
  if (!eat(list, '[')) return wrong(o, name, "must be a list");
  if (peek(list) == ']') return wrong(o, name, "has no parts");
  return 1;
}

static int open_part(const object* parent, const char* list, int index, text* t, object* o) {
  digits at;
  *o = *parent;
  o->fields = *t;
  strcat(o->place, ", "), strcat(o->place, list), strcat(o->place, " ");
  strcat(o->place, decimal((uint64_t)index, &at));
  if (index == RIVAL_MOST_PARTS) return refuse(o->error, o->place, ": more than 64 parts", NULL);
  if (peek(t) != '{') return refuse(o->error, o->place, ": must be an object", NULL);
  return skip_value(t, 32);
}

static int read_name(const object* o, const rival_part* parts, int index, rival_part* part) {
  int i;
  if (!word(o, "name", part->name, sizeof part->name)) return 0;
  if (!part->name[0] || strchr(part->name, '=')) return wrong(o, "name", "must be 1 to 64 bytes without '='");
  for (i = 0; i < index; ++i)
    if (strcmp(parts[i].name, part->name) == 0) return wrong(o, "name", "is another part's as well");
  return 1;
}

enum { MOST_CELLS = 1 << 24, MOST_CHOICES = 1 << 20, MOST_VALUES = 1 << 12 };

static int read_observation(loader* l, const object* parts) {
  rival_bot* bot = l->bot;
  text t;
  if (!open_list(parts, "observation", &t)) return 0;
  do {
    rival_part* part = bot->observation + bot->observation_parts;
    object o;
    char kind[16];
    int64_t cells;
    if (!open_part(parts, "observation", bot->observation_parts, &t, &o)) return 0;
    if (!read_name(&o, bot->observation, bot->observation_parts, part) || !word(&o, "kind", kind, sizeof kind))
      return 0;
    part->channels = part->height = part->width = 1;
    part->entities = part->choice = part->when = -1;
    if (strcmp(kind, "grid") == 0) {
      part->kind = RIVAL_GRID;
      if (!whole(&o, "channels", 1, MOST_CELLS, &part->channels) ||
          !whole(&o, "height", 1, MOST_CELLS, &part->height) || !whole(&o, "width", 1, MOST_CELLS, &part->width))
        return 0;
    } else if (strcmp(kind, "entities") == 0) {
      part->kind = RIVAL_ENTITIES;
      if (!whole(&o, "count", 1, MOST_CELLS, &part->height) || !whole(&o, "features", 1, MOST_CELLS, &part->width))
        return 0;
    } else if (strcmp(kind, "vector") == 0) {
      part->kind = RIVAL_VECTOR;
      if (!whole(&o, "size", 1, MOST_CELLS, &part->width)) return 0;
    } else {
      return wrong(&o, "kind", "must be vector, grid or entities");
    }
    cells = (int64_t)part->channels * part->height;
    if (cells <= MOST_CELLS) cells *= part->width;
    if (cells > MOST_CELLS - bot->observation_size)
      return refuse(l->error, o.place, ": an observation of more than 16777216 numbers", NULL);
    part->size = (int)cells;
    part->offset = bot->observation_size;
    bot->observation_size += part->size;
    ++bot->observation_parts;
  } while (eat(&t, ','));
  return 1;
}

static int read_condition(loader* l, const object* part_object, rival_part* part) {
  const rival_bot* bot = l->bot;
  object o = *part_object;
  int on, choices[64], count, i;
  const rival_part* other;
  part->when = -1;
  i = find(part_object, "when", &o.fields);
  if (i == 0) return 1;
  strcat(o.place, ", when");
  if (i < 0 || peek(&o.fields) != '{') return refuse(l->error, o.place, ": must be one object", NULL);
  if (!whole(&o, "part", 0, 1024, &on) || !wholes(&o, "choices", 64, 0, 63, choices, &count)) return 0;
  other = bot->action + on;
  if (on >= bot->action_parts || other->kind == RIVAL_CONTINUOUS || other->size > 64 || other->when >= 0)
    return wrong(&o, "part", "must be an earlier choice among at most 64 that depends on nothing itself");
  part->when = other->choice;
  for (i = 0; i < count; ++i) {
    if (choices[i] >= other->size) return wrong(&o, "choices", "must be choices of that part");
    part->when_choices |= UINT64_C(1) << choices[i];
  }
  return count ? 1 : wrong(&o, "choices", "must not be empty");
}

static int read_actions(loader* l, const object* parts) {
  rival_bot* bot = l->bot;
  text t;
  if (!open_list(parts, "action", &t)) return 0;
  do {
    rival_part* part = bot->action + bot->action_parts;
    object o;
    char kind[16];
    if (!open_part(parts, "action", bot->action_parts, &t, &o)) return 0;
    if (!read_name(&o, bot->action, bot->action_parts, part) || !word(&o, "kind", kind, sizeof kind) ||
        !whole(&o, "size", 1, MOST_CELLS, &part->size))
      return 0;
    part->channels = part->height = 1, part->width = part->size;
    part->entities = part->choice = -1;
    if (strcmp(kind, "continuous") == 0) {
      part->kind = RIVAL_CONTINUOUS;
      if (!real(&o, "low", -1e9, 1e9, &part->low) || !real(&o, "high", -1e9, 1e9, &part->high)) return 0;
      if (!(part->low < part->high)) return wrong(&o, "low", "must be below 'high'");
      part->offset = bot->values;
      if (part->size > MOST_VALUES - bot->values) return wrong(&o, "size", "makes more than 4096 continuous values");
      bot->values += part->size;
    } else {
      if (strcmp(kind, "target") == 0) {
        const rival_part* entities;
        part->kind = RIVAL_TARGET;
        if (!whole(&o, "entities", 0, 1024, &part->entities)) return 0;
        entities = bot->observation + part->entities;
        if (part->entities >= bot->observation_parts || entities->kind != RIVAL_ENTITIES ||
            entities->height != part->size)
          return wrong(&o, "entities", "must be an observation part of just as many entities");
      } else if (strcmp(kind, "discrete") == 0) {
        part->kind = RIVAL_DISCRETE;
      } else {
        return wrong(&o, "kind", "must be discrete, target or continuous");
      }
      part->offset = bot->mask_size;
      part->choice = bot->choices++;
      if (part->size > MOST_CHOICES - bot->mask_size) return wrong(&o, "size", "makes more than 1048576 choices");
      bot->mask_size += part->size;
    }
    if (!read_condition(l, &o, part)) return 0;
    ++bot->action_parts;
  } while (eat(&t, ','));
  return 1;
}

enum { GRID_AUTO, GRID_FLAT, GRID_CONVOLUTION };

static int read_settings(loader* l, int* grid) {
  rival_bot* bot = l->bot;
  object o;
  text t;
  char reading[16];
  int format, limits[2], count;
  if (!open_metadata(l, 0, &o)) return 0;
  if (!whole(&o, "format", 1, INT32_MAX, &format) || !word(&o, "game", bot->game, sizeof bot->game)) return 0;
  if (format > 1) return wrong(&o, "format", "is newer than this runtime reads (1): take a newer rival_runtime.c");
  if (!wholes(&o, "hidden", MOST_LAYERS, 1, 8192, bot->hidden, &bot->layers)) return 0;
  if (!bot->layers) return wrong(&o, "hidden", "must list 1 to 64 widths");
  if (!whole(&o, "memory", 0, 8192, &bot->memory) || !word(&o, "grid", reading, sizeof reading)) return 0;
  if (bot->memory && bot->memory != bot->hidden[bot->layers - 1])
    return wrong(&o, "memory", "must be 0 or the last hidden width");
  *grid = strcmp(reading, "flat") == 0 ? GRID_FLAT : strcmp(reading, "convolution") == 0 ? GRID_CONVOLUTION : GRID_AUTO;
  if (*grid == GRID_AUTO && strcmp(reading, "auto") != 0) return wrong(&o, "grid", "must be auto, flat or convolution");
  bot->entity = 64;
  if (find(&o, "entity", &t) && !whole(&o, "entity", 1, 1024, &bot->entity)) return 0;
  if (find(&o, "entity_inner", &t) && !whole(&o, "entity_inner", 0, 1024, &bot->entity_inner)) return 0;
  bot->options.temperature = 1, bot->options.every = 1;
  if (find(&o, "temperature", &t) && !real(&o, "temperature", 0, 1e9, &bot->options.temperature)) return 0;
  if (find(&o, "limits", &t)) {
    if (!wholes(&o, "limits", 2, 0, LONGEST_LIMIT, limits, &count)) return 0;
    if (count != 2 || limits[1] < 1) return wrong(&o, "limits", "must be two whole numbers, the second at least 1");
    bot->options.reaction_steps = limits[0], bot->options.every = limits[1];
  }
  return 1;
}

/* ---- The network, as its parts and options make it: Network::make in src/nn/network.cpp ---- */

/* One convolution, 3x3 with padding 1. */
typedef struct convolution {
  int number, channels, height, width, stride, out_channels, out_height, out_width;
} convolution;

enum { LARGE_GRID = 1024, LAST_STACK_CELLS = 64 };

static void end_convolution(convolution* c) {
  c->stride = (int64_t)c->height * c->width > LAST_STACK_CELLS ? 2 : 1;
  c->out_height = (c->height - 1) / c->stride + 1, c->out_width = (c->width - 1) / c->stride + 1;
}

static convolution first_convolution(const rival_part* grid) {
  convolution c;
  c.number = 0, c.channels = grid->channels, c.height = grid->height, c.width = grid->width, c.out_channels = 16;
  end_convolution(&c);
  return c;
}

/* 0 if it was the last one. */
static int next_convolution(convolution* c) {
  if ((int64_t)c->out_height * c->out_width <= LAST_STACK_CELLS) return 0;
  ++c->number;
  c->channels = c->out_channels, c->height = c->out_height, c->width = c->out_width;
  if (c->out_channels < 64) c->out_channels *= 2;
  end_convolution(c);
  return 1;
}

static int largest(int a, int b) {
  return a > b ? a : b;
}

static int take_network(loader* l, int grid) {
  rival_bot* bot = l->bot;
  digits number_text;
  int64_t encodings = 0, trunk_in;
  int i, in;
  const float* value;
  for (i = 0; i < bot->observation_parts; ++i) {
    const rival_part* part = bot->observation + i;
    bot->convolved[i] =
        part->kind == RIVAL_GRID && (grid == GRID_CONVOLUTION || (grid == GRID_AUTO && part->size > LARGE_GRID));
    if (part->kind != RIVAL_ENTITIES && !bot->convolved[i]) bot->flat += part->size;
  }
  trunk_in = bot->flat;
  for (i = 0; i < bot->observation_parts; ++i) {
    const rival_part* part = bot->observation + i;
    align(l);
    if (part->kind == RIVAL_ENTITIES) {
      const int inner = bot->entity_inner, first_in = part->width + (inner ? bot->flat : 0);
      bot->encoder[i] = take_dense(l, "encoder.", part->name, "", first_in, inner ? inner : bot->entity);
      if (!bot->encoder[i]) return 0;
      if (inner && !take_dense(l, "encoder.", part->name, ".1", inner, bot->entity)) return 0;
      bot->widest = largest(bot->widest, inner);
      encodings += (int64_t)part->height * bot->entity;
      trunk_in += bot->entity;
    } else if (bot->convolved[i]) {
      convolution c = first_convolution(part);
      do {
        char suffix[32] = ".";
        const float* weights;
        int64_t size = (int64_t)c.out_height * c.out_width * c.out_channels;
        strcat(suffix, decimal((uint64_t)c.number, &number_text));
        weights = take_dense(l, "encoder.", part->name, suffix, 9 * c.channels, c.out_channels);
        if (!weights) return 0;
        if (!bot->encoder[i]) bot->encoder[i] = weights;
        if (size > INT32_MAX / 4) return refuse(l->error, "the grid '", part->name, "' is too large", NULL);
        bot->convolved_widest = largest(bot->convolved_widest, (int)size);
        bot->widest = largest(bot->widest, 9 * c.channels);
      } while (next_convolution(&c));
      trunk_in += (int64_t)c.out_height * c.out_width * c.out_channels;
    }
  }
  if (encodings > INT32_MAX / 4 || trunk_in > INT32_MAX / 4) return refuse(l->error, "the network is too large", NULL);
  bot->encodings = (int)encodings;
  bot->trunk_in = in = (int)trunk_in;
  bot->widest = largest(bot->widest, largest(in, bot->observation_size));
  for (i = 0; i < bot->layers; ++i) {
    align(l);
    bot->trunk[i] = take_dense(l, "trunk.", decimal((uint64_t)i, &number_text), "", in, bot->hidden[i]);
    if (!bot->trunk[i]) return 0;
    in = bot->hidden[i];
    bot->widest = largest(bot->widest, in);
  }
  if (bot->memory) {
    align(l);
    bot->gates = take_dense(l, "memory", "", "", in, 2 * in);
    if (!bot->gates) return 0;
  }
  bot->head_out = bot->values + 1;
  for (i = 0; i < bot->action_parts; ++i)
    if (bot->action[i].kind == RIVAL_DISCRETE) bot->head_out += bot->action[i].size;
  align(l);
  bot->head = take_dense(l, "head", "", "", in, bot->head_out);
  if (!bot->head) return 0;
  bot->widest = largest(bot->widest, bot->head_out);
  for (i = 0; i < bot->action_parts; ++i) {
    if (bot->action[i].kind != RIVAL_TARGET) continue;
    align(l);
    bot->query[i] = take_dense(l, "target.", bot->action[i].name, "", in, bot->entity);
    if (!bot->query[i]) return 0;
    bot->widest = largest(bot->widest, bot->entity);
  }
  if (bot->values && !(bot->log_std = take(l, "action.log_std", 0, bot->values))) return 0;
  align(l);
  if (!(bot->mean = take(l, "observation.mean", 0, bot->observation_size))) return 0;
  align(l);
  if (!(bot->scale = take(l, "observation.scale", 0, bot->observation_size))) return 0;
  for (i = 0; i < bot->observation_size; ++i)
    if (bot->scale[i] < 0) return refuse(l->error, "the tensor 'observation.scale' holds a negative value", NULL);
  if (!(value = take(l, "value.mean_and_scale", 0, 2))) return 0;
  if (!(value[1] > 0))
    return refuse(l->error, "the tensor 'value.mean_and_scale' has a scale that is not above 0", NULL);
  bot->value_mean = value[0], bot->value_scale = value[1];
  return 1;
}

/* Of alignment: the bot, and each of its matrices. */
static const size_t BOT_SLACK = (size_t)ALIGNMENT * (2 * RIVAL_MOST_PARTS + MOST_LAYERS + 8);

size_t rival_bot_memory(size_t file_size) {
  const size_t own = sizeof(rival_bot) + BOT_SLACK;
  return file_size > SIZE_MAX - own ? 0 : file_size + own;
}

static unsigned char* aligned(void* memory, size_t to) {
  const size_t over = (size_t)((uintptr_t)memory % to);
  return (unsigned char*)memory + (over ? to - over : 0);
}

static int load(loader* l, const uint8_t* bytes, size_t size) {
  text values[2];
  object parts;
  uint64_t header = 0;
  int i, grid = GRID_AUTO;
  memset(values, 0, sizeof values);
  if (size < 8) return refuse(l->error, "too short for a safetensors file", NULL);
  for (i = 7; i >= 0; --i) header = header << 8 | bytes[i];
  if (header > 100000000 || header > size - 8)
    return refuse(l->error, "no safetensors file, or cut short: its header is longer than the file", NULL);
  l->header.at = (const char*)bytes + 8;
  l->header.end = l->header.at + header;
  l->data = bytes + 8 + header;
  l->data_size = size - 8 - header;
  if (!read_header(l, values) || !check_tensors(l)) return 0;
  for (i = 0; i < 2; ++i)
    if (values[i].at && !read_metadata(l, &values[i], i)) return 0;
  if (!read_settings(l, &grid)) return 0;
  return open_metadata(l, 1, &parts) && read_observation(l, &parts) && read_actions(l, &parts) && take_network(l, grid);
}

rival_bot* rival_bot_load(const void* file, size_t file_size, void* memory, size_t memory_size, char* error) {
  loader l;
  unsigned char* at = aligned(memory, ALIGNMENT);
  if (!memory || !file || rival_bot_memory(file_size) == 0 || memory_size < rival_bot_memory(file_size))
    return refuse(error, "the memory is too small: see rival_bot_memory()", NULL), (rival_bot*)NULL;
  memset(&l, 0, sizeof l);
  l.error = error;
  l.bot = (rival_bot*)(void*)at;
  l.low = at + sizeof(rival_bot);
  l.high = (unsigned char*)memory + memory_size;
  l.high -= (uintptr_t)l.high % sizeof(uint64_t); /* for the tensors */
  memset(l.bot, 0, sizeof *l.bot);
  l.bot->isa = isa_name(0, &l.bot->multiply);
  return load(&l, (const uint8_t*)file, file_size) ? l.bot : NULL;
}

const char* rival_bot_game(const rival_bot* bot) {
  return bot->game;
}
int rival_bot_observation_size(const rival_bot* bot) {
  return bot->observation_size;
}
int rival_bot_mask_size(const rival_bot* bot) {
  return bot->mask_size;
}
int rival_bot_choice_count(const rival_bot* bot) {
  return bot->choices;
}
int rival_bot_value_count(const rival_bot* bot) {
  return bot->values;
}
const rival_part* rival_bot_observation_part(const rival_bot* bot, int part) {
  return part >= 0 && part < bot->observation_parts ? bot->observation + part : NULL;
}
const rival_part* rival_bot_action_part(const rival_bot* bot, int part) {
  return part >= 0 && part < bot->action_parts ? bot->action + part : NULL;
}
const char* rival_bot_isa(const rival_bot* bot) {
  return bot->isa;
}
rival_options rival_bot_options(const rival_bot* bot) {
  return bot->options;
}

int rival_bot_set_isa(rival_bot* bot, const char* isa) {
  const char* name;
  add_rows* function;
  int i;
  for (i = 0; (name = isa_name(i, &function)) != NULL; ++i)
    if (strcmp(name, isa) == 0) {
      bot->isa = name, bot->multiply = function;
      return 1;
    }
  return 0;
}

/* Rounded up, but not for what rounding has added to a whole number. */
static double steps_in(double seconds, double seconds_per_step) {
  return ceil(seconds / seconds_per_step * (1 - 1e-6));
}

int rival_options_limit(rival_options* options, double seconds_per_step, double reaction_ms,
                        double actions_per_minute) {
  double reaction, every = 1;
  if (!(seconds_per_step > 0) || !(reaction_ms >= 0 && reaction_ms <= 10000)) return 0;
  if (actions_per_minute != 0 && !(actions_per_minute >= 1 && actions_per_minute <= 1e9)) return 0;
  reaction = steps_in(reaction_ms / 1000, seconds_per_step);
  if (actions_per_minute > 0) every = steps_in(60 / actions_per_minute, seconds_per_step);
  if (every < 1) every = 1;
  if (reaction > (double)LONGEST_LIMIT || every > (double)LONGEST_LIMIT) return 0;
  options->reaction_steps = (int)reaction, options->every = (int)every;
  return 1;
}

/* ---- An actor ---- */

static int options_valid(const rival_options* o) {
  return o->temperature >= 0 && o->temperature <= 1e9f && o->reaction_steps >= 0 &&
         o->reaction_steps <= LONGEST_LIMIT && o->every >= 1 && o->every <= LONGEST_LIMIT;
}

/* Where the actor's arrays lie, from `base` on; returns the bytes that they take. */
static uint64_t lay_out(const rival_bot* bot, const rival_options* options, unsigned char* base, rival_actor* actor) {
  const uint64_t length = (uint64_t)options->reaction_steps + 1, heads = (uint64_t)(bot->mask_size + bot->values + 1);
  const int inner = bot->encodings ? bot->entity_inner : 0;
  uint64_t at = 0;
#define RIVAL_ARRAY(pointer, type, count)                                             \
  do {                                                                                \
    if (actor) pointer = (type*)(void*)(base + (size_t)at);                           \
    at += ((uint64_t)(count) * sizeof(type) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; \
  } while (0)
  RIVAL_ARRAY(actor->rows, float, length*(uint64_t)bot->observation_size);
  RIVAL_ARRAY(actor->steps, int, length);
  RIVAL_ARRAY(actor->choices, int32_t, bot->choices);
  RIVAL_ARRAY(actor->now, int32_t, bot->choices);
  RIVAL_ARRAY(actor->values, float, bot->values);
  RIVAL_ARRAY(actor->state, float, bot->memory);
  RIVAL_ARRAY(actor->next_state, float, bot->memory);
  RIVAL_ARRAY(actor->x, float, bot->widest);
  RIVAL_ARRAY(actor->y, float, bot->widest);
  RIVAL_ARRAY(actor->trunk, float, bot->widest);
  RIVAL_ARRAY(actor->encodings, float, bot->encodings);
  RIVAL_ARRAY(actor->from_flat, float, inner);
  RIVAL_ARRAY(actor->first_layer, float, inner);
  RIVAL_ARRAY(actor->convolved[0], float, bot->convolved_widest);
  RIVAL_ARRAY(actor->convolved[1], float, bot->convolved_widest);
  RIVAL_ARRAY(actor->gates, float, 2 * bot->memory);
  RIVAL_ARRAY(actor->heads, float, heads);
  RIVAL_ARRAY(actor->p, float, bot->mask_size);
  RIVAL_ARRAY(actor->nonzero, int32_t, bot->widest + 1);
#undef RIVAL_ARRAY
  return at;
}

size_t rival_actor_memory(const rival_bot* bot, const rival_options* options) {
  uint64_t size;
  if (!options) options = &bot->options;
  if (!options_valid(options)) return 0;
  size = lay_out(bot, options, NULL, NULL) + sizeof(rival_actor) + 2 * ALIGNMENT;
  return size > SIZE_MAX / 2 ? 0 : (size_t)size;
}

rival_actor* rival_actor_make(const rival_bot* bot, const rival_options* options, void* memory, size_t memory_size) {
  const size_t size = rival_actor_memory(bot, options);
  rival_actor* actor = (rival_actor*)(void*)aligned(memory, ALIGNMENT);
  if (!memory || !size || memory_size < size) return NULL;
  memset(actor, 0, sizeof *actor);
  actor->bot = bot;
  actor->options = options ? *options : bot->options;
  (void)lay_out(bot, &actor->options, aligned(actor + 1, ALIGNMENT), actor);
  rival_actor_begin(actor);
  return actor;
}

void rival_actor_begin(rival_actor* actor) {
  actor->shown = 0;
  actor->next = 0;
  if (actor->bot->memory) memset(actor->state, 0, (size_t)actor->bot->memory * sizeof(float));
}

int rival_actor_observe(rival_actor* actor, int step, const float* observation) {
  const int length = actor->options.reaction_steps + 1;
  const size_t size = (size_t)actor->bot->observation_size;
  const int last = actor->shown ? actor->steps[(actor->shown - 1) % length] : -1;
  if (step < 0 || step < last) return 0;
  if (step != last) {
    if (actor->shown == 2 * length) actor->shown = length; /* the same places in the ring */
    ++actor->shown;
  }
  actor->steps[(actor->shown - 1) % length] = step;
  memcpy(actor->rows + (size_t)((actor->shown - 1) % length) * size, observation, size * sizeof(float));
  return 1;
}

static int now(const rival_actor* actor) {
  return actor->steps[(actor->shown - 1) % (actor->options.reaction_steps + 1)];
}

/* What it was shown `delay` steps ago, or before that, or first. */
static const float* row_of(const rival_actor* actor, int delay) {
  const int length = actor->options.reaction_steps + 1, step = now(actor);
  int i = actor->shown - 1;
  while (i > 0 && i > actor->shown - length && actor->steps[i % length] > step - delay) --i;
  return actor->rows + (size_t)(i % length) * (size_t)actor->bot->observation_size;
}

/* ---- Forward ---- */

/* y = x w + b, then ReLU if `relu`. Boards and what a ReLU gives are mostly zeros, which are left out. */
static void dense_onto(const rival_actor* actor, const float* x, const float* w, const float* b, int in, int out,
                       int relu, float* y) {
  int32_t* at = actor->nonzero;
  size_t count = 0;
  int i;
  memcpy(y, b, (size_t)out * sizeof(float));
  for (i = 0; i < in; ++i) {
    at[count] = i;
    count += x[i] != 0;
  }
  actor->bot->multiply(x, at, count, w, 0, (size_t)out, y);
  if (!relu) return;
  for (i = 0; i < out; ++i) y[i] = y[i] > 0 ? y[i] : 0;
}

static void dense(const rival_actor* actor, const float* x, const float* w, int in, int out, int relu, float* y) {
  dense_onto(actor, x, w, w + (size_t)in * (size_t)out, in, out, relu, y);
}

/* All convolutions of a grid, whose planes are x. Writes what the trunk reads; returns how many numbers that is. */
static int convolve(const rival_actor* actor, const rival_part* grid, const float* w, const float* x, float* out) {
  convolution c = first_convolution(grid);
  const float* in = x;
  float* patch = actor->y;
  int last, size = 0;
  do {
    convolution after = c;
    float* y;
    int oy, ox, ky, kx, k;
    last = !next_convolution(&after);
    y = last ? out : actor->convolved[c.number % 2];
    size = c.out_height * c.out_width * c.out_channels;
    for (oy = 0; oy < c.out_height; ++oy)
      for (ox = 0; ox < c.out_width; ++ox) {
        float* to = patch;
        for (ky = 0; ky < 3; ++ky)
          for (kx = 0; kx < 3; ++kx, to += c.channels) {
            const int iy = oy * c.stride + ky - 1, ix = ox * c.stride + kx - 1;
            if (iy < 0 || iy >= c.height || ix < 0 || ix >= c.width) {
              memset(to, 0, (size_t)c.channels * sizeof(float));
            } else if (c.number == 0) {
              for (k = 0; k < c.channels; ++k)
                to[k] = in[((size_t)k * (size_t)c.height + (size_t)iy) * (size_t)c.width + (size_t)ix];
            } else {
              memcpy(to, in + ((size_t)iy * (size_t)c.width + (size_t)ix) * (size_t)c.channels,
                     (size_t)c.channels * sizeof(float));
            }
          }
        dense(actor, patch, w, 9 * c.channels, c.out_channels, 1,
              y + ((size_t)oy * (size_t)c.out_width + (size_t)ox) * (size_t)c.out_channels);
      }
    w += (size_t)(9 * c.channels + 1) * (size_t)c.out_channels;
    in = y;
    c = after;
  } while (!last);
  return size;
}

/* The encodings of a part's entities, and the largest of each column. The first of two layers also reads the flat
   parts: what comes of them is the same for all entities, and takes the place of the bias. */
static void encode_entities(const rival_actor* actor, const rival_part* part, const float* w, const float* x,
                            const float* flat, float* encodings, float* pooled) {
  const int width = actor->bot->entity, flat_size = actor->bot->flat, inner = actor->bot->entity_inner;
  const int first = inner ? inner : width;
  const float* behind = w + (size_t)part->width * (size_t)first; /* weights of the flat parts, if any; then the bias */
  const float* second = inner ? behind + (size_t)(flat_size + 1) * (size_t)inner : NULL;
  int i, c;
  if (inner) dense(actor, flat, behind, flat_size, inner, 0, actor->from_flat);
  for (c = 0; c < width; ++c) pooled[c] = 0;
  for (i = 0; i < part->height; ++i, x += part->width, encodings += width) {
    if (x[0] == 0) {
      memset(encodings, 0, (size_t)width * sizeof(float));
      continue;
    }
    dense_onto(actor, x, w, inner ? actor->from_flat : behind, part->width, first, 1,
               inner ? actor->first_layer : encodings);
    if (inner) dense(actor, actor->first_layer, second, inner, width, 1, encodings);
    for (c = 0; c < width; ++c) pooled[c] = encodings[c] > pooled[c] ? encodings[c] : pooled[c];
  }
}

static float dot(const float* a, const float* b, int size) {
  float sums[8] = {0, 0, 0, 0, 0, 0, 0, 0}, total = 0;
  int i = 0, k;
  for (; i + 8 <= size; i += 8)
    for (k = 0; k < 8; ++k) sums[k] += a[i + k] * b[i + k];
  for (; i < size; ++i) total += a[i] * b[i];
  for (k = 0; k < 8; ++k) total += sums[k];
  return total;
}

/* Where the encodings of observation part `part` begin. */
static float* encodings_of(const rival_actor* actor, int part) {
  float* at = actor->encodings;
  int i;
  for (i = 0; i < part; ++i)
    if (actor->bot->observation[i].kind == RIVAL_ENTITIES)
      at += (size_t)actor->bot->observation[i].height * (size_t)actor->bot->entity;
  return at;
}

/* What the trunk reads: flat parts in order, then what convolutions give, then what entities give. `x` is normalised.
 */
static void gather(const rival_actor* actor, const float* x, float* to) {
  const rival_bot* bot = actor->bot;
  const float* flat = to;
  int i;
  for (i = 0; i < bot->observation_parts; ++i) {
    const rival_part* part = bot->observation + i;
    if (part->kind == RIVAL_ENTITIES || bot->convolved[i]) continue;
    memcpy(to, x + part->offset, (size_t)part->size * sizeof(float));
    to += part->size;
  }
  for (i = 0; i < bot->observation_parts; ++i)
    if (bot->convolved[i])
      to += convolve(actor, bot->observation + i, bot->encoder[i], x + bot->observation[i].offset, to);
  for (i = 0; i < bot->observation_parts; ++i) {
    const rival_part* part = bot->observation + i;
    if (part->kind != RIVAL_ENTITIES) continue;
    encode_entities(actor, part, bot->encoder[i], x + part->offset, flat, encodings_of(actor, i), to);
    to += bot->entity;
  }
}

/* From an observation to the head columns: logits, means, value. Reads state and writes next_state. */
static void forward(rival_actor* actor, const float* observation) {
  const rival_bot* bot = actor->bot;
  float *x = actor->x, *y = actor->y, *swap, *heads = actor->heads;
  int i, k, in = bot->trunk_in, simple = 1, head_count = bot->mask_size + bot->values + 1;
  for (i = 0; i < bot->observation_size; ++i) {
    const float v = (observation[i] - bot->mean[i]) * bot->scale[i];
    const float above = v > -10.0f ? v : -10.0f;
    x[i] = above < 10.0f ? above : 10.0f;
  }
  for (i = 0; i < bot->observation_parts; ++i) simple &= !bot->encoder[i];
  if (!simple) {
    gather(actor, x, actor->trunk);
    x = actor->trunk, y = actor->x;
  }
  for (i = 0; i < bot->layers; ++i) {
    dense(actor, x, bot->trunk[i], in, bot->hidden[i], 1, y);
    in = bot->hidden[i];
    swap = x, x = y, y = swap;
  }
  if (bot->memory) {
    dense(actor, x, bot->gates, in, 2 * in, 0, actor->gates);
    for (i = 0; i < in; ++i) {
      const float z = 1 / (1 + expf(-actor->gates[i])), was = actor->state[i];
      actor->next_state[i] = was + z * (actor->gates[in + i] - was);
      x[i] += actor->next_state[i];
    }
  }
  dense(actor, x, bot->head, in, bot->head_out, 0, y);
  {
    const float* from = y;
    for (i = 0; i < bot->action_parts; ++i) {
      const rival_part* part = bot->action + i;
      if (part->kind != RIVAL_DISCRETE) continue;
      memcpy(heads + part->offset, from, (size_t)part->size * sizeof(float));
      from += part->size;
    }
    memcpy(heads + bot->mask_size, from, (size_t)(bot->values + 1) * sizeof(float));
  }
  for (i = 0; i < bot->action_parts; ++i) {
    const rival_part* part = bot->action + i;
    const float scale = 1 / sqrtf((float)bot->entity);
    const float* e;
    if (part->kind != RIVAL_TARGET) continue;
    dense(actor, x, bot->query[i], in, bot->entity, 0, y);
    e = encodings_of(actor, part->entities);
    for (k = 0; k < part->size; ++k, e += bot->entity) heads[part->offset + k] = scale * dot(y, e, bot->entity);
  }
  /* Weights that are each finite may still overflow in their sums. Nothing is known then: all choices are as good. */
  for (i = 0; i < head_count; ++i)
    if (!(heads[i] - heads[i] == 0)) heads[i] = 0;
}

/* ---- Choices ---- */

static const float FORBIDDEN = -1e9f, LARGEST_LOGIT = 1e8f;

/* Divides the logits by the temperature; where that takes them out of range, it is as good as 0, and raised a little.
   Those that are not allowed become FORBIDDEN. */
static void mask_logits(rival_actor* actor, const uint8_t* mask, float temperature) {
  float* logits = actor->heads;
  const int count = actor->bot->mask_size;
  float scale = 1 / temperature, most = 0;
  int c;
  for (c = 0; c < count; ++c) most = fabsf(logits[c]) > most ? fabsf(logits[c]) : most;
  if (!(scale < LARGEST_LOGIT)) scale = LARGEST_LOGIT;
  if (!(most * scale <= LARGEST_LOGIT)) scale = LARGEST_LOGIT / most;
  for (c = 0; c < count; ++c) logits[c] = mask[c] ? logits[c] * scale : FORBIDDEN;
}

static void softmax(const float* logits, int size, float* p) {
  float top = logits[0], sum = 0;
  int c;
  for (c = 1; c < size; ++c) top = logits[c] > top ? logits[c] : top;
  for (c = 0; c < size; ++c) {
    const float below = logits[c] - top;
    p[c] = logits[c] > 0.5f * FORBIDDEN ? expf(below > -80.0f ? below : -80.0f) : 0;
    sum += p[c];
  }
  if (!(sum > 0)) sum = 1;
  for (c = 0; c < size; ++c) p[c] *= 1 / sum;
}

static int most_likely(const float* p, int size) {
  int best = 0, c;
  for (c = 1; c < size; ++c)
    if (p[c] > p[best]) best = c;
  return best;
}

static int32_t lowest_allowed(const uint8_t* mask, int size) {
  int c;
  for (c = 0; c < size; ++c)
    if (mask[c]) return c;
  return 0;
}

/* The inverse of the cumulative distribution; the last allowed choice takes what rounding leaves over. */
static int32_t draw(const float* p, int size, float left) {
  int32_t choice = 0;
  int c;
  for (c = 0; c < size && left >= 0; ++c) {
    if (p[c] > 0) choice = c;
    left -= p[c];
  }
  return choice;
}

static int counts(const rival_part* part, const int32_t* choices) {
  return part->when < 0 || (part->when_choices >> choices[part->when] & 1);
}

static uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static const uint64_t GOLDEN = UINT64_C(0x9e3779b97f4a7c15);

uint64_t rival_key(uint64_t seed) {
  return mix(seed + GOLDEN);
}

uint64_t rival_key_split(uint64_t key, uint64_t index) {
  return mix(key + mix((index + 1) * GOLDEN));
}

/* Uniform in [0, 1), with 24 bits; moves the stream on. */
static float uniform(uint64_t* stream) {
  *stream += GOLDEN;
  return (float)(mix(*stream) >> 40) * (1.0f / 16777216.0f);
}

/* Fills the actor's last action. */
static void decide(rival_actor* actor, const uint8_t* mask, uint64_t key) {
  const rival_bot* bot = actor->bot;
  const float temperature = actor->options.temperature;
  const float* means = actor->heads + bot->mask_size;
  int i, k;
  mask_logits(actor, mask, temperature > 0 ? temperature : 1);
  for (i = 0; i < bot->action_parts; ++i) {
    const rival_part* part = bot->action + i;
    uint64_t stream = rival_key_split(key, (uint64_t)(part->choice < 0 ? 0 : part->choice));
    if (part->kind == RIVAL_CONTINUOUS) continue;
    if (!counts(part, actor->choices)) {
      actor->choices[part->choice] = lowest_allowed(mask + part->offset, part->size);
      continue;
    }
    softmax(actor->heads + part->offset, part->size, actor->p);
    actor->choices[part->choice] =
        temperature > 0 ? draw(actor->p, part->size, uniform(&stream)) : most_likely(actor->p, part->size);
  }
  for (i = 0; i < bot->action_parts; ++i) {
    const rival_part* part = bot->action + i;
    if (part->kind != RIVAL_CONTINUOUS) continue;
    for (k = 0; k < part->size; ++k) {
      const int at = part->offset + k;
      float raw = 0;
      if (counts(part, actor->choices)) {
        uint64_t stream = rival_key_split(rival_key_split(key, 32), (uint64_t)at);
        const float u = 1 - uniform(&stream), w = uniform(&stream); /* Box-Muller */
        raw = means[at] + sqrtf(-2 * logf(u)) * cosf(6.2831853f * w) * temperature * expf(bot->log_std[at]);
      }
      raw = raw > -1 ? raw < 1 ? raw : 1 : -1;
      actor->values[at] = part->low + 0.5f * (raw + 1) * (part->high - part->low);
    }
  }
}

/* Whether it repeats its last action, which is then put into `now` with the lowest allowed choice in parts that do not
   count. */
static int repeats(rival_actor* actor, const uint8_t* mask) {
  const rival_bot* bot = actor->bot;
  int i;
  if (now(actor) >= actor->next) return 0;
  for (i = 0; i < bot->action_parts; ++i) {
    const rival_part* part = bot->action + i;
    const int32_t choice = part->choice < 0 ? 0 : actor->choices[part->choice];
    if (part->kind == RIVAL_CONTINUOUS) continue;
    if (!counts(part, actor->choices)) {
      actor->now[part->choice] = lowest_allowed(mask + part->offset, part->size);
    } else if (mask[part->offset + choice]) {
      actor->now[part->choice] = choice;
    } else {
      return 0;
    }
  }
  return 1;
}

int rival_actor_act(rival_actor* actor, const uint8_t* mask, uint64_t key, int32_t* choices, float* values) {
  const rival_bot* bot = actor->bot;
  int repeated;
  if (!actor->shown) return -1;
  repeated = repeats(actor, mask);
  if (!repeated) {
    forward(actor, row_of(actor, actor->options.reaction_steps));
    if (bot->memory) memcpy(actor->state, actor->next_state, (size_t)bot->memory * sizeof(float));
    decide(actor, mask, key);
    actor->next = (int64_t)now(actor) + actor->options.every;
  }
  if (bot->choices) memcpy(choices, repeated ? actor->now : actor->choices, (size_t)bot->choices * sizeof(int32_t));
  if (bot->values) memcpy(values, actor->values, (size_t)bot->values * sizeof(float));
  return !repeated;
}

int rival_actor_probabilities(rival_actor* actor, const uint8_t* mask, float* probabilities) {
  const rival_bot* bot = actor->bot;
  const float temperature = actor->options.temperature;
  int repeated, i, c;
  if (!actor->shown) return 0;
  repeated = repeats(actor, mask);
  if (!repeated) {
    forward(actor, row_of(actor, actor->options.reaction_steps));
    mask_logits(actor, mask, temperature > 0 ? temperature : 1);
  }
  for (i = 0; i < bot->action_parts; ++i) {
    const rival_part* part = bot->action + i;
    float* p = probabilities + part->offset;
    int certain = -1;
    if (part->kind == RIVAL_CONTINUOUS) continue;
    if (!repeated) softmax(actor->heads + part->offset, part->size, p);
    if (repeated)
      certain = actor->now[part->choice];
    else if (!(temperature > 0))
      certain = most_likely(p, part->size);
    for (c = 0; c < part->size && certain >= 0; ++c) p[c] = c == certain ? 1.0f : 0.0f;
  }
  return 1;
}

float rival_actor_value(rival_actor* actor) {
  const rival_bot* bot = actor->bot;
  if (!actor->shown) return 0;
  forward(actor, row_of(actor, 0));
  return bot->value_mean + bot->value_scale * actor->heads[bot->mask_size + bot->values];
}

float rival_actor_win_chance(rival_actor* actor) {
  const float chance = 0.5f * (1 + rival_actor_value(actor));
  return chance < 0 ? 0 : chance > 1 ? 1 : chance;
}
