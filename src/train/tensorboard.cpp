#include "train/tensorboard.hpp"

#include <array>
#include <filesystem>

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
