// Scalars over time in files that TensorBoard reads.
//
// An event file is a sequence of TFRecords (length, masked CRC-32C of the length, payload, masked CRC-32C of the
// payload), each the protocol buffer tensorflow.Event. The few fields used are encoded here, without protobuf.
// Formats: tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto, core/framework/summary.proto.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/file.hpp"
#include "base/result.hpp"

namespace rival {

// Not thread-safe.
class TensorBoardWriter {
 public:
  struct Scalar {
    std::string_view tag;  // "loss/policy": what is before the slash groups the charts
    float value = 0;
  };

  // Starts a new event file in `folder`: events.out.tfevents.<seconds>.<count>.rival. `wall_time`: seconds since
  // 1970; where older files in the folder are from later (a clock was set back), time goes on from their last event.
  // `resumed_at`: the training goes on from this step; TensorBoard forgets what older files say of later steps.
  static Result<TensorBoardWriter> create(const std::string& folder, double wall_time,
                                          std::optional<std::int64_t> resumed_at = {},
                                          FileSystem& files = file_system());

  // Adds the scalars of a step as one record, whole in the file when it returns.
  Result<void> add(std::int64_t step, double wall_time, std::span<const Scalar> scalars);

  const std::string& path() const { return file_.path(); }

 private:
  TensorBoardWriter(AppendFile file, double shift, double last) : file_(std::move(file)), shift_(shift), last_(last) {}
  AppendFile file_;
  double shift_;  // added to every wall time
  double last_;   // wall time of the last event
};

// ---- pieces, for tests ----

// CRC-32C (Castagnoli).
std::uint32_t crc32c(std::string_view bytes);
// The bytes as a TFRecord.
std::string tf_record(std::string_view bytes);

}  // namespace rival
