// The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding), as far as the few messages
// that are written and read here need it, so that nothing depends on protobuf itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rival {

// How a field's value is written.
enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// Builds a message field by field; fields may repeat.
class ProtoWriter {
 public:
  ProtoWriter& add_int(std::uint32_t field, std::int64_t value);  // int32, int64, bool, enum
  ProtoWriter& add_double(std::uint32_t field, double value);
  ProtoWriter& add_float(std::uint32_t field, float value);
  ProtoWriter& add_bytes(std::uint32_t field, std::string_view value);  // bytes, string
  ProtoWriter& add_message(std::uint32_t field, const ProtoWriter& message) {
    return add_bytes(field, message.bytes());
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void add_key(std::uint32_t field, WireType type);
  void add_varint(std::uint64_t value);

  std::string bytes_;
};

// Reads a message field by field. The bytes may come from anyone; a view: they must outlive it.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes) : rest_(bytes) {}

  // Goes to the next field. False at the end, and where the bytes are malformed: see ok().
  bool next();
  bool ok() const { return ok_; }

  std::uint32_t field() const { return field_; }
  WireType type() const { return type_; }
  std::uint64_t number() const { return number_; }   // of all types but bytes, as written
  std::string_view bytes() const { return bytes_; }  // of type bytes

 private:
  bool read_varint(std::uint64_t& value);
  bool read_fixed(int size);
  bool fail() { return ok_ = false; }

  std::string_view rest_, bytes_;
  std::uint32_t field_ = 0;
  WireType type_ = WireType::varint;
  std::uint64_t number_ = 0;
  bool ok_ = true;
};

}  // namespace rival
