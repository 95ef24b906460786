// The rows of a batch with all their buffers, and a step of its matches: observe(), choose, take(), step(). Whatever
// plays matches does it through this, so that what a game or an agent gets wrong is found in one place, and named with
// its match, step and seat.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/index.hpp"
#include "base/result.hpp"
#include "game/batch.hpp"

namespace rival {

// Decisions to make: the rows `rows` of a batch. The arrays hold every row of the batch; only the named ones count.
struct Decisions {
  const Batch* batch;
  std::span<const int> rows;  // indices of the rows to decide; all of them belong to acting seats
  const float* observations;  // [batch rows x observation_size]
  const std::uint8_t* masks;  // [batch rows x mask_size]
  const std::int8_t* seats;   // [batch rows]
};

class BatchRows {
 public:
  // The batch must outlive the rows. Observations and masks have room for `room` rows, if that is more.
  explicit BatchRows(Batch& batch, int room = 0);

  // Shows the rows, and finds out which ones act. Error if a match is ready in which nobody is to act, if an
  // observation is not finite, if a mask allows nothing, or if the batch has failed.
  Result<void> observe();
  // Looks at what `who` has chosen for the rows: an error if a choice is not allowed or a value not finite; values are
  // clipped to their range. Or if a script has made the batch fail.
  Result<void> take(std::span<const int> rows, const std::string& who);
  // Steps the matches. Error if a reward or result is not finite, or the batch has failed.
  Result<void> step() { return step({rewards.data(), status.data()}); }
  // The same with rewards and status elsewhere.
  Result<void> step(const StepRows& out);

  // The rows of the seats that act, in ascending order.
  const std::vector<int>& acting() const { return acting_; }
  Decisions decisions(std::span<const int> rows) const {
    return {&batch_, rows, observations.data(), masks.data(), seats.data()};
  }
  Decisions decisions() const { return decisions(acting_); }
  ActionRows actions() const { return {choices.data(), values.data()}; }
  int match_of(int row) const { return row / batch_.rows_per_match(); }

  const float* observation(int row) const { return observations.data() + at(row, batch_.layout().observation_size); }
  const std::uint8_t* mask(int row) const { return masks.data() + at(row, batch_.layout().mask_size); }
  // Of one action part.
  const std::uint8_t* mask(int row, std::size_t part) const { return mask(row) + batch_.layout().mask_offset[part]; }
  std::int32_t* choice_row(int row) { return choices.data() + at(row, batch_.layout().choice_count); }
  float* value_row(int row) { return values.data() + at(row, batch_.layout().value_count); }
  const std::int32_t* choice_row(int row) const { return choices.data() + at(row, batch_.layout().choice_count); }
  const float* value_row(int row) const { return values.data() + at(row, batch_.layout().value_count); }

  // What people call the matches in messages, where that is not their place in the batch.
  std::vector<int> numbers;  // [matches], or empty

  std::vector<float> observations, values, rewards;  // as in ObservationRows, ActionRows and StepRows
  std::vector<std::uint8_t> masks;
  std::vector<std::int8_t> seats;
  std::vector<std::int32_t> choices;
  std::vector<Status> status;

 private:
  std::size_t at(int row, int width) const { return index(row) * width; }
  Error wrong(BatchFailure failure) const;
  Error wrong(int match, int seat, const std::string& what) const;  // in the present step
  Result<void> sound() const;
  Error fault(int row) const;

  // Where in a mask row the choices of an action part stand.
  struct Masked {
    int offset, size;
  };

  Batch& batch_;
  std::vector<Masked> masked_;
  std::vector<int> acting_;
};

}  // namespace rival
