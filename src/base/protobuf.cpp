#include "base/protobuf.hpp"

#include <bit>

#include "base/index.hpp"

namespace rival {
namespace {

template <class T>
void append_little_endian(std::string& out, T value) {
  for (unsigned byte = 0; byte < sizeof value; ++byte) out += static_cast<char>((value >> (8 * byte)) & 0xff);
}

}  // namespace

void ProtoWriter::add_varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
  bytes_ += static_cast<char>(value);
}

void ProtoWriter::add_key(std::uint32_t field, WireType type) {
  add_varint((field << 3) | static_cast<std::uint32_t>(type));
}

ProtoWriter& ProtoWriter::add_int(std::uint32_t field, std::int64_t value) {
  add_key(field, WireType::varint);
  add_varint(static_cast<std::uint64_t>(value));
  return *this;
}

ProtoWriter& ProtoWriter::add_double(std::uint32_t field, double value) {
  add_key(field, WireType::fixed64);
  append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value));
  return *this;
}

ProtoWriter& ProtoWriter::add_float(std::uint32_t field, float value) {
  add_key(field, WireType::fixed32);
  append_little_endian(bytes_, std::bit_cast<std::uint32_t>(value));
  return *this;
}

ProtoWriter& ProtoWriter::add_bytes(std::uint32_t field, std::string_view value) {
  add_key(field, WireType::bytes);
  add_varint(value.size());
  bytes_ += value;
  return *this;
}

bool ProtoReader::read_varint(std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) return false;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool ProtoReader::read_fixed(int size) {
  if (rest_.size() < index(size)) return false;
  number_ = 0;
  for (int i = size; i-- > 0;) number_ = (number_ << 8) | static_cast<std::uint8_t>(rest_[i]);
  rest_.remove_prefix(index(size));
  return true;
}

bool ProtoReader::next() {
  if (!ok_ || rest_.empty()) return false;
  std::uint64_t key = 0;
  if (!read_varint(key) || key >> 32 != 0 || key >> 3 == 0) return fail();
  field_ = static_cast<std::uint32_t>(key >> 3);
  type_ = static_cast<WireType>(key & 7);
  switch (type_) {
    case WireType::varint:
      return read_varint(number_) || fail();
    case WireType::fixed64:
      return read_fixed(8) || fail();
    case WireType::fixed32:
      return read_fixed(4) || fail();
    case WireType::bytes:
      if (!read_varint(number_) || number_ > rest_.size()) return fail();
      bytes_ = rest_.substr(0, number_);
      rest_.remove_prefix(number_);
      return true;
  }
  return fail();  // groups, which no message of ours has, and types that do not exist
}

}  // namespace rival
