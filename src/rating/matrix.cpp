#include "rating/matrix.hpp"

#include <cmath>

namespace rival {

std::optional<SquareMatrix> cholesky(const SquareMatrix& a) {
  const int n = a.size();
  SquareMatrix l(n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      double sum = a(i, j);
      for (int k = 0; k < j; ++k) sum -= l(i, k) * l(j, k);
      if (i != j) {
        l(i, j) = sum / l(j, j);
      } else {
        if (!(sum > 0)) return std::nullopt;
        l(i, i) = std::sqrt(sum);
      }
    }
  return l;
}

std::vector<double> cholesky_solve(const SquareMatrix& factor, std::vector<double> b) {
  const int n = factor.size();
  const auto at = [&b](int i) -> double& { return b[i]; };
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < i; ++k) at(i) -= factor(i, k) * at(k);
    at(i) /= factor(i, i);
  }
  for (int i = n - 1; i >= 0; --i) {
    for (int k = i + 1; k < n; ++k) at(i) -= factor(k, i) * at(k);
    at(i) /= factor(i, i);
  }
  return b;
}

SquareMatrix cholesky_inverse(const SquareMatrix& factor) {
  const int n = factor.size();
  SquareMatrix inverse(n);
  for (int column = 0; column < n; ++column) {
    std::vector<double> unit(n);
    unit[column] = 1;
    const std::vector<double> x = cholesky_solve(factor, std::move(unit));
    for (int row = 0; row < n; ++row) inverse(row, column) = x[row];
  }
  return inverse;
}

}  // namespace rival
