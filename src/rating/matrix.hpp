// A small dense square matrix in double precision: payoffs and covariances of a few hundred players at most.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace rival {

class SquareMatrix {
 public:
  explicit SquareMatrix(int size = 0, double value = 0)
      : size_(size), values_(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), value) {}

  int size() const { return size_; }
  double& operator()(int row, int column) { return values_[index(row, column)]; }
  double operator()(int row, int column) const { return values_[index(row, column)]; }
  bool operator==(const SquareMatrix&) const = default;

 private:
  std::size_t index(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(size_) + static_cast<std::size_t>(column);
  }

  int size_;
  std::vector<double> values_;
};

// The lower Cholesky factor L of a symmetric matrix, A = L L'. Nothing unless it is positive definite.
std::optional<SquareMatrix> cholesky(const SquareMatrix& a);

// Solves A x = b, and inverts A, by its Cholesky factor.
std::vector<double> cholesky_solve(const SquareMatrix& factor, std::vector<double> b);
SquareMatrix cholesky_inverse(const SquareMatrix& factor);

}  // namespace rival
