#include "train/tensorboard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <vector>

#include "base/faulty_file_system.hpp"
#include "base/temporary_folder.hpp"

namespace rival {
namespace {

using Scalar = TensorBoardWriter::Scalar;

TEST(TensorBoard, Crc32cKnownAnswers) {  // RFC 3720, B.4, and the usual check value
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string rising(32, '\0');
  std::iota(rising.begin(), rising.end(), '\0');
  EXPECT_EQ(crc32c(rising), 0x46dd794eu);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

TEST(TensorBoard, GoldenBytes) {
  TemporaryFolder folder;
  TensorBoardWriter writer = TensorBoardWriter::create(folder.path(), 1.5).value();
  const std::vector<Scalar> scalars = {{"a", 1.0f}, {"b/c", -2.5f}};
  ASSERT_TRUE(writer.add(300, 2.0, scalars));
  // Read by hand from the formats; the checksums as TensorFlow writes them (tests/interop).
  const std::string version =
      "09000000000000f83f"
      "1a0d627261696e2e4576656e743a32";
  const std::string step =
      "090000000000000040"
      "10ac02"
      "2a16"
      "0a08"
      "0a0161"
      "150000803f"
      "0a0a"
      "0a03622f63"
      "15000020c0";
  const std::string bytes = hex(read_file(writer.path()).value());
  ASSERT_EQ(bytes.size(), 2 * (16 + 24 + 16 + 36));
  EXPECT_EQ(bytes.substr(0, 16), "1800000000000000");
  EXPECT_EQ(bytes.substr(24, 48), version);
  EXPECT_EQ(bytes.substr(80, 16), "2400000000000000");
  EXPECT_EQ(bytes.substr(104, 72), step);
}

TEST(TensorBoard, ARecordIsFramedByMaskedChecksums) {
  EXPECT_EQ(hex(tf_record("123456789")),
            "0900000000000000"
            "37f97139"
            "313233343536373839"
            "e5b08ac7");
}

TEST(TensorBoard, AResumedRunGetsAFileOfItsOwnThatSortsLater) {
  TemporaryFolder folder;
  const std::string first = TensorBoardWriter::create(folder.path(), 1e9).value().path();
  const std::string again = TensorBoardWriter::create(folder.path(), 1e9, 7).value().path();
  EXPECT_LT(first, again);
  // Its second record is session_log START at step 8.
  EXPECT_NE(hex(read_file(again).value())
                .find("1008"
                      "3a020801"),
            std::string::npos);
  EXPECT_EQ(hex(read_file(first).value()).find("3a020801"), std::string::npos);
}

TEST(TensorBoard, AFullDiskTearsNoRecord) {
  TemporaryFolder folder;
  FaultyFileSystem files;
  TensorBoardWriter writer = TensorBoardWriter::create(folder.path(), 1, {}, files).value();
  const std::uintmax_t size = std::filesystem::file_size(writer.path());
  files.space = 5;
  const std::vector<Scalar> scalars = {{"a", 1.0f}};
  EXPECT_FALSE(writer.add(1, 1, scalars));
  EXPECT_EQ(std::filesystem::file_size(writer.path()), size);
}

// A clock that was set back by a day between two sessions, and in the middle of one.
TEST(TensorBoard, TimeNeverGoesBackWithinARun) {
  TemporaryFolder folder;
  const std::vector<Scalar> scalars = {{"a", 1.0f}};
  std::vector<std::string> files;
  const auto session = [&](double began, std::vector<double> times) {
    TensorBoardWriter writer = TensorBoardWriter::create(folder.path(), began, 1).value();
    for (double time : times) ASSERT_TRUE(writer.add(7, time, scalars));
    files.push_back(writer.path());
  };
  session(1'000'000, {1'000'001, 1'000'050});
  session(913'600, {913'610, 913'605});
  session(2'000'000, {2'000'001});
  EXPECT_TRUE(std::is_sorted(files.begin(), files.end()));
  std::vector<double> times;
  for (const std::string& file : files) {
    const std::string text = read_file(file).value();
    for (std::size_t at = 0; at + 12 < text.size();) {
      std::uint64_t length = 0;
      std::memcpy(&length, text.data() + at, sizeof length);
      std::memcpy(&times.emplace_back(), text.data() + at + 13, sizeof(double));
      at += 16 + length;
    }
  }
  const std::vector<double> expected = {1'000'000, 1'000'000, 1'000'001, 1'000'050,  // version, start, two steps
                                        1'000'050, 1'000'050, 1'000'060, 1'000'060,  //
                                        2'000'000, 2'000'000, 2'000'001};
  EXPECT_EQ(times, expected);
  // A last record that is torn, and a file that is none, are passed over.
  ASSERT_TRUE(write_file_atomically(folder.file("events.out.tfevents.1.100.rival"), "abc"));
  EXPECT_TRUE(TensorBoardWriter::create(folder.path(), 5).ok());
}

}  // namespace
}  // namespace rival
