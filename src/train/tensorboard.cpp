#include "train/tensorboard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <filesystem>
#include <type_traits>

#include "base/protobuf.hpp"

namespace rival {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0u);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kCrcTable = make_crc_table();

std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

template <class T>
void put_fixed(std::string& out, T value) {
  for (unsigned byte = 0; byte < sizeof value; ++byte) out += static_cast<char>((value >> (8 * byte)) & 0xff);
}

// tensorflow.Event, up to its `what`.
ProtoWriter event(double wall_time, std::int64_t step) {
  ProtoWriter out;
  out.add_double(1, wall_time);
  if (step != 0) out.add_int(2, step);
  return out;
}

std::string version_event(double wall_time) {
  return event(wall_time, 0).add_bytes(3, "brain.Event:2").bytes();  // file_version
}

// What TensorBoard knows of this step and later ones is void.
std::string restart_event(double wall_time, std::int64_t step) {
  const ProtoWriter log = ProtoWriter().add_int(1, 1);        // SessionLog.status = START
  return event(wall_time, step).add_message(7, log).bytes();  // session_log
}

template <class T>
T get_fixed(std::string_view bytes) {
  std::uint64_t value = 0;
  for (unsigned byte = 0; byte < sizeof(T); ++byte)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[byte])) << (8 * byte);
  if constexpr (std::is_floating_point_v<T>)
    return std::bit_cast<T>(value);
  else
    return static_cast<T>(value);
}

// The latest wall time of the events in a file's records, as far as they are whole; 0 without any.
double last_wall_time(std::string_view records) {
  constexpr std::size_t kHead = 12, kTail = 4, kTime = 9;  // length and its checksum; checksum; tag and double
  double last = 0;
  while (records.size() >= kHead) {
    const auto length = get_fixed<std::uint64_t>(records);
    if (length > records.size() - kHead || records.size() - kHead - length < kTail) break;
    const std::string_view payload = records.substr(kHead, length);
    if (payload.size() >= kTime && payload[0] == 0x09) {
      const auto time = get_fixed<double>(payload.substr(1));
      if (std::isfinite(time)) last = std::max(last, time);
    }
    records.remove_prefix(kHead + length + kTail);
  }
  return last;
}

std::string scalars_event(double wall_time, std::int64_t step, std::span<const TensorBoardWriter::Scalar> scalars) {
  ProtoWriter summary;
  for (const TensorBoardWriter::Scalar& scalar : scalars)  // Summary.value: its tag and simple_value
    summary.add_message(1, ProtoWriter().add_bytes(1, scalar.tag).add_float(2, scalar.value));
  return event(wall_time, step).add_message(5, summary).bytes();
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
  return ~crc;
}

std::string tf_record(std::string_view bytes) {
  std::string out;
  put_fixed(out, static_cast<std::uint64_t>(bytes.size()));
  put_fixed(out, masked_crc(out));
  out += bytes;
  put_fixed(out, masked_crc(bytes));
  return out;
}

Result<TensorBoardWriter> TensorBoardWriter::create(const std::string& folder, double wall_time,
                                                    std::optional<std::int64_t> resumed_at, FileSystem& files) {
  const std::string prefix = "events.out.tfevents.";
  double last = 0;
  std::error_code code;
  for (std::filesystem::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
    if (!entry->path().filename().string().starts_with(prefix)) continue;
    if (const Result<std::string> text = read_file(entry->path().string()))

      last = std::max(last, last_wall_time(text.value()));
  }
  const double shift = std::max(0.0, last - wall_time);
  wall_time += shift;
  // TensorBoard reads a folder's files in the order of their names: a later one must get a later name.
  auto seconds = static_cast<std::int64_t>(wall_time);
  std::string path;
  for (int count = 100; path.empty() || path_exists(path); ++count) {
    if (count > 999) count = 100, ++seconds;
    path = fmt::format("{}/{}{}.{}.rival", folder, prefix, seconds, count);
  }
  Result<AppendFile> file = AppendFile::open(path, 0, files);
  if (!file) return file.error();
  std::string start = tf_record(version_event(wall_time));
  if (resumed_at) start += tf_record(restart_event(wall_time, *resumed_at + 1));
  if (Result<void> written = file->append(start); !written) return written.error();
  return TensorBoardWriter(std::move(file).value(), shift, wall_time);
}

Result<void> TensorBoardWriter::add(std::int64_t step, double wall_time, std::span<const Scalar> scalars) {
  last_ = std::max(last_, wall_time + shift_);
  return file_.append(tf_record(scalars_event(last_, step, scalars)));
}

}  // namespace rival
