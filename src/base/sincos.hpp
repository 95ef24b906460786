// Sine and cosine in plain arithmetic: quick, and the same bits on every machine, which the C library does not promise.
#pragma once

namespace rival {

struct SinCos {
  float sin, cos;
};

// Within 2e-7 of the true values for |x| <= 1000 radians.
constexpr SinCos sincos(float x) {
  // x = quarter * pi/2 + r with |r| <= pi/4; pi/2 is taken off in three parts whose products are exact.
  const float rounded = (x * 0.636619772f + 0x1.8p23f) - 0x1.8p23f;
  const float r = ((x - rounded * 1.5703125f) - rounded * 4.83751297e-4f) - rounded * 7.54978995e-8f;
  const float q = r * r;
  const float s = r + r * q * (-1.66666667e-1f + q * (8.33333333e-3f + q * (-1.98412698e-4f + q * 2.75573192e-6f)));
  const float c = 1 + q * (-0.5f + q * (4.16666667e-2f + q * (-1.38888889e-3f + q * 2.48015873e-5f)));
  switch (static_cast<int>(rounded) & 3) {
    case 0:
      return {s, c};
    case 1:
      return {c, -s};
    case 2:
      return {-s, -c};
    default:
      return {-c, s};
  }
}

}  // namespace rival
