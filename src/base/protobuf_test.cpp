#include "base/protobuf.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace rival {
namespace {

TEST(Protobuf, ExamplesOfTheSpecification) {
  EXPECT_EQ(ProtoWriter().add_int(1, 150).bytes(), "\x08\x96\x01");
  EXPECT_EQ(ProtoWriter().add_bytes(2, "testing").bytes(), "\x12\x07testing");
  EXPECT_EQ(ProtoWriter().add_message(3, ProtoWriter().add_int(1, 150)).bytes(), "\x1a\x03\x08\x96\x01");
  EXPECT_EQ(ProtoWriter().add_int(1, -2).bytes(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

TEST(Protobuf, RoundTrip) {
  ProtoWriter writer;
  writer.add_int(1, -7).add_double(2, 0.1).add_float(16, -2.5f).add_bytes(5000, "abc").add_bytes(6, "");
  ProtoReader reader(writer.bytes());
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(static_cast<std::int64_t>(reader.number()), -7);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(std::bit_cast<double>(reader.number()), 0.1);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 16u);
  EXPECT_EQ(reader.type(), WireType::fixed32);
  EXPECT_EQ(std::bit_cast<float>(static_cast<std::uint32_t>(reader.number())), -2.5f);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 5000u);
  EXPECT_EQ(reader.bytes(), "abc");
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.bytes(), "");
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.ok());
}

TEST(Protobuf, MalformedBytesAreNoticed) {
  for (const std::string_view bytes :
       {"\x08", "\x08\x80", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "\x12\x03zz", "\x0b", "\x0f\x01",
        "\x09xxxxxxx", "\x15xxx", "\x02\x01", "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}) {
    ProtoReader reader(bytes);
    while (reader.next()) {
    }
    EXPECT_FALSE(reader.ok()) << testing::PrintToString(bytes);
    EXPECT_FALSE(reader.next());
  }
}

}  // namespace
}  // namespace rival
