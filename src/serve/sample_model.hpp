// A model without any library, for the tests of this folder.
#pragma once

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/model_file.hpp"
#include "serve/models.hpp"

namespace rival::serve {

inline TensorData floats(std::vector<std::int64_t> shape, const std::vector<float>& numbers) {
  return {.name = "x",
          .datatype = Datatype::fp32,
          .shape = std::move(shape),
          .bytes = std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float))};
}

inline std::vector<float> floats_of(const TensorData& tensor) {
  std::vector<float> numbers(tensor.bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), tensor.bytes.data(), tensor.bytes.size());
  return numbers;
}

// Doubles numbers. A negative one is an error; while `held`, it computes.
class SampleModel final : public TensorModel {
 public:
  std::atomic<bool> held = false;
  std::atomic<int> running = 0;

  const std::vector<std::string>& inputs() const override { return names_; }
  Result<std::vector<TensorData>> run(std::span<const TensorData> inputs) override {
    ++running;
    while (held) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    --running;
    if (inputs.size() != 1 || inputs[0].datatype != Datatype::fp32) return Error{"one input of FP32 is wanted"};
    std::vector<float> numbers = floats_of(inputs[0]);
    {
      const std::scoped_lock lock(mutex_);
      rows_.push_back(inputs[0].shape.empty() ? 0 : inputs[0].shape[0]);
    }
    for (float& number : numbers) {
      if (number < 0) return Error{"a negative number"};
      number *= 2;
    }
    TensorData output = floats(inputs[0].shape, numbers);
    output.name = "output";
    return std::vector<TensorData>{output};
  }
  // Of the calls so far.
  std::vector<std::int64_t> rows() const {
    const std::scoped_lock lock(mutex_);
    return rows_;
  }

 private:
  std::vector<std::string> names_ = {"x"};
  mutable std::mutex mutex_;
  std::vector<std::int64_t> rows_;
};

}  // namespace rival::serve
