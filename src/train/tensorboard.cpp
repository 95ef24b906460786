#include "train/tensorboard.hpp"

#include <array>
#include <bit>
#include <filesystem>

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

// The wire format of protocol buffers: https://protobuf.dev/programming-guides/encoding
enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}
void put_key(std::string& out, std::uint32_t field, Wire wire) {
  put_varint(out, (field << 3) | static_cast<std::uint32_t>(wire));
}
void put_int(std::string& out, std::uint32_t field, std::int64_t value) {
  put_key(out, field, Wire::varint);
  put_varint(out, static_cast<std::uint64_t>(value));
}
void put_double(std::string& out, std::uint32_t field, double value) {
  put_key(out, field, Wire::fixed64);
  put_fixed(out, std::bit_cast<std::uint64_t>(value));
}
void put_float(std::string& out, std::uint32_t field, float value) {
  put_key(out, field, Wire::fixed32);
  put_fixed(out, std::bit_cast<std::uint32_t>(value));
}
void put_bytes(std::string& out, std::uint32_t field, std::string_view value) {
  put_key(out, field, Wire::bytes);
  put_varint(out, value.size());
  out += value;
}

// tensorflow.Event, up to its `what`.
std::string event(double wall_time, std::int64_t step) {
  std::string out;
  put_double(out, 1, wall_time);
  if (step != 0) put_int(out, 2, step);
  return out;
}

std::string version_event(double wall_time) {
  std::string out = event(wall_time, 0);
  put_bytes(out, 3, "brain.Event:2");  // file_version
  return out;
}

// What TensorBoard knows at this step and later is void.
std::string restart_event(double wall_time, std::int64_t step) {
  std::string log, out = event(wall_time, step);
  put_int(log, 1, 1);      // SessionLog.status = START
  put_bytes(out, 7, log);  // session_log
  return out;
}

std::string scalars_event(double wall_time, std::int64_t step, std::span<const TensorBoardWriter::Scalar> scalars) {
  std::string summary, out = event(wall_time, step);
  for (const TensorBoardWriter::Scalar& scalar : scalars) {
    std::string value;
    put_bytes(value, 1, scalar.tag);    // Summary.Value.tag
    put_float(value, 2, scalar.value);  // simple_value
    put_bytes(summary, 1, value);       // Summary.value
  }
  put_bytes(out, 5, summary);
  return out;
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
  // TensorBoard reads a folder's files in the order of their names: a later one must get a later name.
  const std::string name =
      folder + "/events.out.tfevents." + std::to_string(static_cast<std::int64_t>(wall_time)) + ".";
  std::string path;
  for (int count = 100; path.empty() || std::filesystem::exists(path); ++count)
    path = name + std::to_string(count) + ".rival";
  Result<AppendFile> file = AppendFile::open(path, 0, files);
  if (!file) return file.error();
  std::string start = tf_record(version_event(wall_time));
  if (resumed_at) start += tf_record(restart_event(wall_time, *resumed_at + 1));
  if (Result<void> written = file->append(start); !written) return written.error();
  return TensorBoardWriter(std::move(file).value());
}

Result<void> TensorBoardWriter::add(std::int64_t step, double wall_time, std::span<const Scalar> scalars) {
  return file_.append(tf_record(scalars_event(wall_time, step, scalars)));
}

}  // namespace rival
