// Several processes that train one network together: what each of them learns from its own matches is added up, so that
// all of them take the same step. Rival brings none; a program that has a way to add up over machines (MPI, NCCL, Gloo)
// derives one and gives it to a Trainer or a Learner.
#pragma once

#include <span>

#include "base/result.hpp"

namespace rival {

// Every process calls the same functions in the same order with spans of the same size, and each call waits for all
// others. Not thread-safe: one thread at a time calls.
class Reduction {
 public:
  virtual ~Reduction() = default;
  // Which of the processes this is, from 0: it decides which matches are played here.
  virtual int process() const = 0;
  // Replaces the values by their sums over all processes, the same to the last bit in every process. Error: a process
  // can't be reached; training ends with it.
  virtual Result<void> sum(std::span<float> values) = 0;
  virtual Result<void> sum(std::span<double> values) = 0;
};

}  // namespace rival
