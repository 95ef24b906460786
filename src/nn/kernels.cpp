#include "nn/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/kernels.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h must come first.
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace rival::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::ScalableTag<float>;
using VF = hn::Vec<DF>;

std::size_t lanes() {
  return hn::Lanes(DF());
}

VF load(const float* p) {
  return hn::LoadU(DF(), p);
}
VF load(const Bf16* p) {
  const hn::Rebind<std::uint16_t, DF> d16;
  const hn::Rebind<std::uint32_t, DF> d32;
  const auto bits = hn::LoadU(d16, reinterpret_cast<const std::uint16_t*>(p));
  return hn::BitCast(DF(), hn::ShiftLeft<16>(hn::PromoteTo(d32, bits)));
}
void store(VF x, float* p) {
  hn::StoreU(x, DF(), p);
}
void store(VF x, Bf16* p) {
  const hn::Rebind<std::uint16_t, DF> d16;
  const hn::Rebind<std::uint32_t, DF> d32;
  const auto bits = hn::BitCast(d32, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1));
  const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(d32, 0x7fff))));
  hn::StoreU(hn::TruncateTo(d16, rounded), d16, reinterpret_cast<std::uint16_t*>(p));
}

float load_one(const float* p) {
  return *p;
}
float load_one(const Bf16* p) {
  const std::uint32_t bits = static_cast<std::uint32_t>(p->bits) << 16;
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
void store_one(float x, float* p) {
  *p = x;
}
void store_one(float x, Bf16* p) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  p->bits = static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

template <class T>
void encode_rows(const float* x, const float* mean, const float* scale, int rows, int columns, T* out, int stride) {
  const int n = static_cast<int>(lanes());
  const VF low = hn::Set(DF(), -10.0f), high = hn::Set(DF(), 10.0f);
  for (int r = 0; r < rows; ++r, x += columns, out += stride) {
    int c = 0;
    for (; c + n <= columns; c += n) {
      const VF v = hn::Mul(hn::Sub(load(x + c), load(mean + c)), load(scale + c));
      store(hn::Min(hn::Max(v, low), high), out + c);
    }
    for (; c < columns; ++c) {
      const float v = (x[c] - mean[c]) * scale[c];
      store_one(std::min(std::max(v, -10.0f), 10.0f), out + c);
    }
  }
}
void encode_f32(const float* x, const float* mean, const float* scale, int rows, int columns, float* out, int stride) {
  encode_rows(x, mean, scale, rows, columns, out, stride);
}
void encode_bf16(const float* x, const float* mean, const float* scale, int rows, int columns, Bf16* out, int stride) {
  encode_rows(x, mean, scale, rows, columns, out, stride);
}

template <class From, class To>
void convert_all(const From* x, std::size_t count, To* out) {
  const std::size_t n = lanes();
  std::size_t i = 0;
  for (; i + n <= count; i += n) store(load(x + i), out + i);
  for (; i < count; ++i) store_one(load_one(x + i), out + i);
}
void convert_to_bf16(const float* x, std::size_t count, Bf16* out) {
  convert_all(x, count, out);
}
void convert_from_bf16(const Bf16* x, std::size_t count, float* out) {
  convert_all(x, count, out);
}

template <class T>
void relu_backward_rows(T* dy, const T* y, int rows, int columns, float* sums) {
  const int n = static_cast<int>(lanes());
  const VF zero = hn::Zero(DF());
  int c = 0;
  // Four columns' vectors at a time, so that the rows' sums are independent chains.
  for (; c + 4 * n <= columns; c += 4 * n) {
    VF s0 = zero, s1 = zero, s2 = zero, s3 = zero;
    for (int r = 0; r < rows; ++r) {
      T* d = dy + static_cast<std::ptrdiff_t>(r) * columns + c;
      VF d0 = load(d), d1 = load(d + n), d2 = load(d + 2 * n), d3 = load(d + 3 * n);
      if (y) {
        const T* q = y + static_cast<std::ptrdiff_t>(r) * columns + c;
        d0 = hn::IfThenElseZero(hn::Gt(load(q), zero), d0);
        d1 = hn::IfThenElseZero(hn::Gt(load(q + n), zero), d1);
        d2 = hn::IfThenElseZero(hn::Gt(load(q + 2 * n), zero), d2);
        d3 = hn::IfThenElseZero(hn::Gt(load(q + 3 * n), zero), d3);
        store(d0, d), store(d1, d + n), store(d2, d + 2 * n), store(d3, d + 3 * n);
      }
      s0 = hn::Add(s0, d0), s1 = hn::Add(s1, d1), s2 = hn::Add(s2, d2), s3 = hn::Add(s3, d3);
    }
    store(hn::Add(s0, load(sums + c)), sums + c);
    store(hn::Add(s1, load(sums + c + n)), sums + c + n);
    store(hn::Add(s2, load(sums + c + 2 * n)), sums + c + 2 * n);
    store(hn::Add(s3, load(sums + c + 3 * n)), sums + c + 3 * n);
  }
  for (; c + n <= columns; c += n) {
    VF sum = zero;
    for (int r = 0; r < rows; ++r) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(r) * columns + c;
      VF d = load(dy + at);
      if (y) store(d = hn::IfThenElseZero(hn::Gt(load(y + at), zero), d), dy + at);
      sum = hn::Add(sum, d);
    }
    store(hn::Add(sum, load(sums + c)), sums + c);
  }
  for (; c < columns; ++c) {
    float sum = 0;
    for (int r = 0; r < rows; ++r) {
      T* d = dy + static_cast<std::ptrdiff_t>(r) * columns + c;
      float x = load_one(d);
      if (y && !(load_one(y + static_cast<std::ptrdiff_t>(r) * columns + c) > 0)) store_one(x = 0, d);
      sum += x;
    }
    sums[c] += sum;
  }
}
void relu_backward_f32(float* dy, const float* y, int rows, int columns, float* sums) {
  relu_backward_rows(dy, y, rows, columns, sums);
}
void relu_backward_bf16(Bf16* dy, const Bf16* y, int rows, int columns, float* sums) {
  relu_backward_rows(dy, y, rows, columns, sums);
}

void mingru_forward(const float* gates, int rows, int size, const int* previous, const int* initial,
                    const float* states, float* z, float* h) {
  const DF d;
  const int n = static_cast<int>(lanes());
  for (int r = 0; r < rows; ++r) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(r) * size;
    const float* a = gates + 2 * at;
    const float* before = nullptr;
    if (previous && previous[r] >= 0)
      before = h + static_cast<std::ptrdiff_t>(previous[r]) * size;
    else if (initial && initial[r] >= 0)
      before = states + static_cast<std::ptrdiff_t>(initial[r]) * size;
    int i = 0;
    for (; i + n <= size; i += n) {
      const VF one = hn::Set(d, 1.0f);
      const VF gate = hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(load(a + i)))));
      const VF was = before ? load(before + i) : hn::Zero(d);
      store(gate, z + at + i);
      store(hn::Add(was, hn::Mul(gate, hn::Sub(load(a + size + i), was))), h + at + i);
    }
    for (; i < size; ++i) {
      const float gate = 1 / (1 + std::exp(-a[i]));
      const float was = before ? before[i] : 0;
      z[at + i] = gate;
      h[at + i] = was + gate * (a[size + i] - was);
    }
  }
}

void mingru_backward(const float* gates, const float* z, const float* h, int rows, int size, const int* previous,
                     const int* initial, const float* states, float* dh, float* dgates) {
  const int n = static_cast<int>(lanes());
  const VF one = hn::Set(DF(), 1.0f);
  for (int r = rows - 1; r >= 0; --r) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(r) * size;
    const float* c = gates + 2 * at + size;
    float* dg = dgates + 2 * at;
    const float* before = nullptr;
    float* dbefore = nullptr;
    if (previous && previous[r] >= 0) {
      before = h + static_cast<std::ptrdiff_t>(previous[r]) * size;
      dbefore = dh + static_cast<std::ptrdiff_t>(previous[r]) * size;
    } else if (initial && initial[r] >= 0) {
      before = states + static_cast<std::ptrdiff_t>(initial[r]) * size;
    }
    int i = 0;
    for (; i + n <= size; i += n) {
      const VF was = before ? load(before + i) : hn::Zero(DF());
      const VF gate = load(z + at + i), rest = hn::Sub(one, gate), d = load(dh + at + i);
      store(hn::Mul(hn::Mul(d, hn::Sub(load(c + i), was)), hn::Mul(gate, rest)), dg + i);
      store(hn::Mul(d, gate), dg + size + i);
      if (dbefore) store(hn::Add(load(dbefore + i), hn::Mul(d, rest)), dbefore + i);
    }
    for (; i < size; ++i) {
      const float was = before ? before[i] : 0, gate = z[at + i], d = dh[at + i];
      dg[i] = d * (c[i] - was) * gate * (1 - gate);
      dg[size + i] = d * gate;
      if (dbefore) dbefore[i] += d * (1 - gate);
    }
  }
}

void add(const float* a, std::size_t count, float* out) {
  const std::size_t n = lanes();
  std::size_t i = 0;
  for (; i + n <= count; i += n) store(hn::Add(load(a + i), load(out + i)), out + i);
  for (; i < count; ++i) out[i] += a[i];
}

void add_bias(float* x, const float* bias, int rows, int columns, bool relu) {
  const int n = static_cast<int>(lanes());
  const float floor = relu ? 0.0f : -HUGE_VALF;
  for (int r = 0; r < rows; ++r, x += columns) {
    int c = 0;
    for (; c + n <= columns; c += n) store(hn::Max(hn::Add(load(x + c), load(bias + c)), hn::Set(DF(), floor)), x + c);
    for (; c < columns; ++c) x[c] = std::max(x[c] + bias[c], floor);
  }
}

// The places of the numbers that are not zero; `at` has room for one vector more than they are. Returns how many.
int nonzero_places(const float* x, int count, std::int32_t* at) {
  const DF d;
  const hn::RebindToSigned<DF> d32;
  const int n = static_cast<int>(lanes());
  int found = 0, i = 0;
  for (; i + n <= count; i += n) {
    const auto nonzero = hn::RebindMask(d32, hn::Ne(load(x + i), hn::Zero(d)));
    found += static_cast<int>(hn::CompressBlendedStore(hn::Iota(d32, i), nonzero, d32, at + found));
  }
  for (; i < count; ++i) {
    at[found] = i;
    found += x[i] != 0;
  }
  return found;
}

// y += the named inputs' rows of w. y has the bias, or what earlier inputs gave.
void add_rows(const float* x, const std::int32_t* at, int count, const float* w, int out, float* y) {
  const DF d;
  const int n = static_cast<int>(lanes());
  int c = 0;
  // Eight accumulators hide the latency of the multiply-adds.
  for (; c + 8 * n <= out; c += 8 * n) {
    VF s0 = load(y + c), s1 = load(y + c + n), s2 = load(y + c + 2 * n), s3 = load(y + c + 3 * n);
    VF s4 = load(y + c + 4 * n), s5 = load(y + c + 5 * n), s6 = load(y + c + 6 * n), s7 = load(y + c + 7 * n);
    for (int k = 0; k < count; ++k) {
      const VF xi = hn::Set(d, x[at[k]]);
      const float* row = w + static_cast<std::ptrdiff_t>(at[k]) * out + c;
      s0 = hn::MulAdd(xi, load(row), s0), s1 = hn::MulAdd(xi, load(row + n), s1);
      s2 = hn::MulAdd(xi, load(row + 2 * n), s2), s3 = hn::MulAdd(xi, load(row + 3 * n), s3);
      s4 = hn::MulAdd(xi, load(row + 4 * n), s4), s5 = hn::MulAdd(xi, load(row + 5 * n), s5);
      s6 = hn::MulAdd(xi, load(row + 6 * n), s6), s7 = hn::MulAdd(xi, load(row + 7 * n), s7);
    }
    store(s0, y + c), store(s1, y + c + n), store(s2, y + c + 2 * n), store(s3, y + c + 3 * n);
    store(s4, y + c + 4 * n), store(s5, y + c + 5 * n), store(s6, y + c + 6 * n), store(s7, y + c + 7 * n);
  }
  for (; c + 4 * n <= out; c += 4 * n) {
    VF s0 = load(y + c), s1 = load(y + c + n), s2 = load(y + c + 2 * n), s3 = load(y + c + 3 * n);
    for (int k = 0; k < count; ++k) {
      const VF xi = hn::Set(d, x[at[k]]);
      const float* row = w + static_cast<std::ptrdiff_t>(at[k]) * out + c;
      s0 = hn::MulAdd(xi, load(row), s0), s1 = hn::MulAdd(xi, load(row + n), s1);
      s2 = hn::MulAdd(xi, load(row + 2 * n), s2), s3 = hn::MulAdd(xi, load(row + 3 * n), s3);
    }
    store(s0, y + c), store(s1, y + c + n), store(s2, y + c + 2 * n), store(s3, y + c + 3 * n);
  }
  for (; c + n <= out; c += n) {
    VF s = load(y + c);
    for (int k = 0; k < count; ++k)
      s = hn::MulAdd(hn::Set(d, x[at[k]]), load(w + static_cast<std::ptrdiff_t>(at[k]) * out + c), s);
    store(s, y + c);
  }
  const hn::CappedTag<float, 4> narrow;  // heads are a few columns wide
  const int m = static_cast<int>(hn::Lanes(narrow));
  for (; c + 2 * m <= out; c += 2 * m) {
    auto s0 = hn::LoadU(narrow, y + c), s1 = hn::LoadU(narrow, y + c + m);
    for (int k = 0; k < count; ++k) {
      const auto xi = hn::Set(narrow, x[at[k]]);
      const float* row = w + static_cast<std::ptrdiff_t>(at[k]) * out + c;
      s0 = hn::MulAdd(xi, hn::LoadU(narrow, row), s0), s1 = hn::MulAdd(xi, hn::LoadU(narrow, row + m), s1);
    }
    hn::StoreU(s0, narrow, y + c), hn::StoreU(s1, narrow, y + c + m);
  }
  if (c == out) return;
  for (int k = 0; k < count; ++k) {
    const float* row = w + static_cast<std::ptrdiff_t>(at[k]) * out;
    for (int column = c; column < out; ++column) y[column] += x[at[k]] * row[column];
  }
}

// Boards and ReLU outputs are mostly zeros, which are found first: to jump over each would be to guess wrong often.
void dense_row(const float* x, const float* w, const float* b, int in, int out, bool relu, float* y) {
  constexpr int kAtOnce = 512;
  std::int32_t at[kAtOnce + HWY_MAX_BYTES / sizeof(std::int32_t)];
  std::copy(b, b + out, y);
  for (int first = 0; first < in; first += kAtOnce) {
    const int count = nonzero_places(x + first, std::min(kAtOnce, in - first), at);
    add_rows(x + first, at, count, w + static_cast<std::ptrdiff_t>(first) * out, out, y);
  }
  if (!relu) return;
  for (int c = 0; c < out; ++c) y[c] = std::max(y[c], 0.0f);
}

void adam(float* p, float* m, float* v, const float* g, std::size_t count, float gradient_scale, float rate,
          float root_correction, float beta1, float beta2, float epsilon) {
  const DF d;
  const std::size_t n = lanes();
  std::size_t i = 0;
  for (; i + n <= count; i += n) {
    const VF gi = hn::Mul(load(g + i), hn::Set(d, gradient_scale));
    const VF mi = hn::Add(hn::Mul(load(m + i), hn::Set(d, beta1)), hn::Mul(gi, hn::Set(d, 1 - beta1)));
    const VF vi = hn::Add(hn::Mul(load(v + i), hn::Set(d, beta2)), hn::Mul(hn::Mul(gi, gi), hn::Set(d, 1 - beta2)));
    store(mi, m + i), store(vi, v + i);
    const VF root = hn::Add(hn::Mul(hn::Sqrt(vi), hn::Set(d, root_correction)), hn::Set(d, epsilon));
    store(hn::Sub(load(p + i), hn::Div(hn::Mul(mi, hn::Set(d, rate)), root)), p + i);
  }
  for (; i < count; ++i) {
    const float gi = g[i] * gradient_scale;
    m[i] = m[i] * beta1 + gi * (1 - beta1);
    v[i] = v[i] * beta2 + gi * gi * (1 - beta2);
    p[i] -= m[i] * rate / (std::sqrt(v[i]) * root_correction + epsilon);
  }
}

double sum_of_squares(const float* x, std::size_t count) {
  double sum = 0;
  // 16 chains whatever the vector width, so that every instruction set adds in the same order.
  float chains[16] = {};
  for (std::size_t begin = 0; begin < count; begin += 4096) {
    const std::size_t end = std::min(count, begin + 4096);
    std::fill(chains, chains + 16, 0.0f);
    std::size_t i = begin;
    for (; i + 16 <= end; i += 16)
      for (std::size_t k = 0; k < 16; ++k) chains[k] += x[i + k] * x[i + k];
    for (; i < end; ++i) chains[i % 16] += x[i] * x[i];
    for (float chain : chains) sum += static_cast<double>(chain);
  }
  return sum;
}

void sum_parts(const float* const* parts, int count, std::size_t begin, std::size_t end, float* out) {
  const std::size_t n = lanes();
  std::size_t i = begin;
  for (; i + n <= end; i += n) {
    VF sum = load(parts[0] + i);
    for (int k = 1; k < count; ++k) sum = hn::Add(sum, load(parts[k] + i));
    store(sum, out + i);
  }
  for (; i < end; ++i) {
    float sum = parts[0][i];
    for (int k = 1; k < count; ++k) sum += parts[k][i];
    out[i] = sum;
  }
}

const char* target_name() {
  return hwy::TargetName(HWY_TARGET);
}

// What `combine` makes of each column over a row's entities, beginning with 0; it takes vectors and single numbers.
template <class T, class Combine>
void reduce_entities(const T* e, const EntityRows& in, T* out, int stride, Combine combine) {
  const int n = static_cast<int>(lanes()), width = in.width;
  for (int r = 0; r < in.rows; ++r, out += stride) {
    const int begin = in.begin[r], end = in.begin[r + 1];
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(begin) * width;
    int c = 0;
    for (; c + n <= width; c += n) {
      VF all = hn::Zero(DF());
      std::ptrdiff_t at = first + c;
      for (int i = begin; i < end; ++i, at += width) all = combine(all, load(e + at));
      store(all, out + c);
    }
    for (; c < width; ++c) {
      float all = 0;
      std::ptrdiff_t at = first + c;
      for (int i = begin; i < end; ++i, at += width) all = combine(all, load_one(e + at));
      store_one(all, out + c);
    }
  }
}
struct Largest {
  VF operator()(VF a, VF b) const { return hn::Max(a, b); }
  float operator()(float a, float b) const { return std::max(a, b); }
};
struct Sum {
  VF operator()(VF a, VF b) const { return hn::Add(a, b); }
  float operator()(float a, float b) const { return a + b; }
};
void pool_f32(const float* e, const EntityRows& in, float* pooled, int stride) {
  reduce_entities(e, in, pooled, stride, Largest());
}
void pool_bf16(const Bf16* e, const EntityRows& in, Bf16* pooled, int stride) {
  reduce_entities(e, in, pooled, stride, Largest());
}
void sum_f32(const float* e, const EntityRows& in, float* sums) {
  reduce_entities(e, in, sums, in.width, Sum());
}
void sum_bf16(const Bf16* e, const EntityRows& in, Bf16* sums) {
  reduce_entities(e, in, sums, in.width, Sum());
}

template <class T>
void pool_backward_rows(const T* e, const EntityRows& in, const T* pooled, const T* dpooled, int stride, float* de) {
  const int n = static_cast<int>(lanes()), width = in.width;
  for (int r = 0; r < in.rows; ++r, pooled += stride, dpooled += stride) {
    const int begin = in.begin[r], end = in.begin[r + 1];
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(begin) * width;
    int c = 0;
    for (; c + n <= width; c += n) {
      const VF most = load(pooled + c);
      VF left = load(dpooled + c);
      std::ptrdiff_t at = first + c;
      for (int i = begin; i < end; ++i, at += width) {
        const auto here = hn::Eq(load(e + at), most);
        store(hn::IfThenElseZero(here, left), de + at);
        left = hn::IfThenZeroElse(here, left);
      }
    }
    for (; c < width; ++c) {
      float left = load_one(dpooled + c);
      std::ptrdiff_t at = first + c;
      for (int i = begin; i < end; ++i, at += width) {
        const bool here = load_one(e + at) == load_one(pooled + c);
        de[at] = here ? left : 0;
        if (here) left = 0;
      }
    }
  }
}
void pool_backward_f32(const float* e, const EntityRows& in, const float* pooled, const float* dpooled, int stride,
                       float* de) {
  pool_backward_rows(e, in, pooled, dpooled, stride, de);
}
void pool_backward_bf16(const Bf16* e, const EntityRows& in, const Bf16* pooled, const Bf16* dpooled, int stride,
                        float* de) {
  pool_backward_rows(e, in, pooled, dpooled, stride, de);
}

template <class T>
void target_rows(const T* e, const EntityRows& in, const float* query, float scale, float* logits, int stride) {
  const int n = static_cast<int>(lanes()), width = in.width;
  for (int r = 0; r < in.rows; ++r, query += width, logits += stride)
    for (int i = in.begin[r]; i < in.begin[r + 1]; ++i) {
      const T* x = e + static_cast<std::ptrdiff_t>(i) * width;
      VF sum = hn::Zero(DF());
      int c = 0;
      for (; c + n <= width; c += n) sum = hn::MulAdd(load(query + c), load(x + c), sum);
      float total = hn::GetLane(hn::SumOfLanes(DF(), sum));
      for (; c < width; ++c) total += query[c] * load_one(x + c);
      logits[in.slot[i]] = scale * total;
    }
}
void target_f32(const float* e, const EntityRows& in, const float* query, float scale, float* logits, int stride) {
  target_rows(e, in, query, scale, logits, stride);
}
void target_bf16(const Bf16* e, const EntityRows& in, const float* query, float scale, float* logits, int stride) {
  target_rows(e, in, query, scale, logits, stride);
}

template <class T>
void target_backward_rows(const T* e, const EntityRows& in, const float* query, const float* dlogits, int stride,
                          float scale, float* dquery, float* de) {
  const int n = static_cast<int>(lanes()), width = in.width;
  for (int r = 0; r < in.rows; ++r, query += width, dquery += width, dlogits += stride) {
    std::fill_n(dquery, width, 0.0f);
    for (int i = in.begin[r]; i < in.begin[r + 1]; ++i) {
      const float g = scale * dlogits[in.slot[i]];
      if (g == 0) continue;
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(i) * width;
      const VF slope = hn::Set(DF(), g);
      int c = 0;
      for (; c + n <= width; c += n) {
        store(hn::MulAdd(slope, load(e + at + c), load(dquery + c)), dquery + c);
        store(hn::MulAdd(slope, load(query + c), load(de + at + c)), de + at + c);
      }
      for (; c < width; ++c) {
        dquery[c] += g * load_one(e + at + c);
        de[at + c] += g * query[c];
      }
    }
  }
}
void target_backward_f32(const float* e, const EntityRows& in, const float* query, const float* dlogits, int stride,
                         float scale, float* dquery, float* de) {
  target_backward_rows(e, in, query, dlogits, stride, scale, dquery, de);
}
void target_backward_bf16(const Bf16* e, const EntityRows& in, const float* query, const float* dlogits, int stride,
                          float scale, float* dquery, float* de) {
  target_backward_rows(e, in, query, dlogits, stride, scale, dquery, de);
}

}  // namespace rival::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rival::kernels {

HWY_EXPORT(encode_f32);
HWY_EXPORT(encode_bf16);
HWY_EXPORT(convert_to_bf16);
HWY_EXPORT(convert_from_bf16);
HWY_EXPORT(relu_backward_f32);
HWY_EXPORT(relu_backward_bf16);
HWY_EXPORT(mingru_forward);
HWY_EXPORT(mingru_backward);
HWY_EXPORT(pool_f32);
HWY_EXPORT(pool_bf16);
HWY_EXPORT(sum_f32);
HWY_EXPORT(sum_bf16);
HWY_EXPORT(pool_backward_f32);
HWY_EXPORT(pool_backward_bf16);
HWY_EXPORT(target_f32);
HWY_EXPORT(target_bf16);
HWY_EXPORT(target_backward_f32);
HWY_EXPORT(target_backward_bf16);
HWY_EXPORT(add);
HWY_EXPORT(add_bias);
HWY_EXPORT(dense_row);
HWY_EXPORT(adam);
HWY_EXPORT(sum_of_squares);
HWY_EXPORT(sum_parts);
HWY_EXPORT(target_name);

void encode(const float* x, const float* mean, const float* scale, int rows, int columns, float* out, int stride) {
  HWY_DYNAMIC_DISPATCH(encode_f32)(x, mean, scale, rows, columns, out, stride);
}
void encode(const float* x, const float* mean, const float* scale, int rows, int columns, Bf16* out, int stride) {
  HWY_DYNAMIC_DISPATCH(encode_bf16)(x, mean, scale, rows, columns, out, stride);
}
void convert(const float* x, std::size_t count, float* out) {
  std::copy(x, x + count, out);
}
void convert(const float* x, std::size_t count, Bf16* out) {
  HWY_DYNAMIC_DISPATCH(convert_to_bf16)(x, count, out);
}
void convert(const Bf16* x, std::size_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(convert_from_bf16)(x, count, out);
}
void relu_backward(float* dy, const float* y, int rows, int columns, float* sums) {
  HWY_DYNAMIC_DISPATCH(relu_backward_f32)(dy, y, rows, columns, sums);
}
void relu_backward(Bf16* dy, const Bf16* y, int rows, int columns, float* sums) {
  HWY_DYNAMIC_DISPATCH(relu_backward_bf16)(dy, y, rows, columns, sums);
}
void mingru_forward(const float* gates, int rows, int size, const int* previous, const int* initial,
                    const float* states, float* z, float* h) {
  HWY_DYNAMIC_DISPATCH(mingru_forward)(gates, rows, size, previous, initial, states, z, h);
}
void mingru_backward(const float* gates, const float* z, const float* h, int rows, int size, const int* previous,
                     const int* initial, const float* states, float* dh, float* dgates) {
  HWY_DYNAMIC_DISPATCH(mingru_backward)(gates, z, h, rows, size, previous, initial, states, dh, dgates);
}
void add(const float* a, std::size_t count, float* out) {
  HWY_DYNAMIC_DISPATCH(add)(a, count, out);
}
void add_bias(float* x, const float* bias, int rows, int columns, bool relu) {
  HWY_DYNAMIC_DISPATCH(add_bias)(x, bias, rows, columns, relu);
}
void dense_row(const float* x, const float* w, const float* b, int in, int out, bool relu, float* y) {
  HWY_DYNAMIC_DISPATCH(dense_row)(x, w, b, in, out, relu, y);
}
void adam(float* p, float* m, float* v, const float* g, std::size_t count, float gradient_scale, float rate,
          float root_correction, float beta1, float beta2, float epsilon) {
  HWY_DYNAMIC_DISPATCH(adam)(p, m, v, g, count, gradient_scale, rate, root_correction, beta1, beta2, epsilon);
}
double sum_of_squares(const float* x, std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(sum_of_squares)(x, count);
}
void sum_parts(const float* const* parts, int count, std::size_t begin, std::size_t end, float* out) {
  HWY_DYNAMIC_DISPATCH(sum_parts)(parts, count, begin, end, out);
}
const char* target_name() {
  return HWY_DYNAMIC_DISPATCH(target_name)();
}

void pool_entities(const float* e, const EntityRows& entities, float* pooled, int stride) {
  HWY_DYNAMIC_DISPATCH(pool_f32)(e, entities, pooled, stride);
}
void pool_entities(const Bf16* e, const EntityRows& entities, Bf16* pooled, int stride) {
  HWY_DYNAMIC_DISPATCH(pool_bf16)(e, entities, pooled, stride);
}
void sum_entities(const float* e, const EntityRows& entities, float* sums) {
  HWY_DYNAMIC_DISPATCH(sum_f32)(e, entities, sums);
}
void sum_entities(const Bf16* e, const EntityRows& entities, Bf16* sums) {
  HWY_DYNAMIC_DISPATCH(sum_bf16)(e, entities, sums);
}
void pool_entities_backward(const float* e, const EntityRows& entities, const float* pooled, const float* dpooled,
                            int stride, float* de) {
  HWY_DYNAMIC_DISPATCH(pool_backward_f32)(e, entities, pooled, dpooled, stride, de);
}
void pool_entities_backward(const Bf16* e, const EntityRows& entities, const Bf16* pooled, const Bf16* dpooled,
                            int stride, float* de) {
  HWY_DYNAMIC_DISPATCH(pool_backward_bf16)(e, entities, pooled, dpooled, stride, de);
}
void target_logits(const float* e, const EntityRows& entities, const float* query, float scale, float* logits,
                   int stride) {
  HWY_DYNAMIC_DISPATCH(target_f32)(e, entities, query, scale, logits, stride);
}
void target_logits(const Bf16* e, const EntityRows& entities, const float* query, float scale, float* logits,
                   int stride) {
  HWY_DYNAMIC_DISPATCH(target_bf16)(e, entities, query, scale, logits, stride);
}
void target_logits_backward(const float* e, const EntityRows& entities, const float* query, const float* dlogits,
                            int stride, float scale, float* dquery, float* de) {
  HWY_DYNAMIC_DISPATCH(target_backward_f32)(e, entities, query, dlogits, stride, scale, dquery, de);
}
void target_logits_backward(const Bf16* e, const EntityRows& entities, const float* query, const float* dlogits,
                            int stride, float scale, float* dquery, float* de) {
  HWY_DYNAMIC_DISPATCH(target_backward_bf16)(e, entities, query, dlogits, stride, scale, dquery, de);
}

}  // namespace rival::kernels
#endif  // HWY_ONCE
