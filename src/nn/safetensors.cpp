#include "nn/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/check.hpp"
#include "base/json.hpp"

namespace rival {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are little-endian in memory as in files");

constexpr std::uint64_t kLengthSize = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;  // the format's own limit
constexpr std::size_t kMostDimensions = 32;
constexpr std::string_view kMetadata = "__metadata__";

// Bytes of an element; 0 for a type that is not known.
std::uint64_t dtype_size(std::string_view dtype) {
  static constexpr std::pair<std::string_view, std::uint64_t> kSizes[] = {
      {"F32", 4}, {"F64", 8}, {"F16", 2}, {"BF16", 2}, {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"BOOL", 1}, {"U8", 1},
      {"I8", 1},  {"U16", 2}, {"I16", 2}, {"U32", 4},  {"I32", 4},     {"U64", 8},     {"I64", 8}};
  for (const auto& [name, size] : kSizes)
    if (name == dtype) return size;
  return 0;
}

// The bytes that a tensor takes, or nothing if the number does not fit.
std::optional<std::uint64_t> byte_count(std::string_view dtype, std::span<const std::int64_t> shape) {
  std::uint64_t bytes = dtype_size(dtype);
  for (const std::int64_t extent : shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) return {};
  return bytes;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// A name from outside, fit for a message: short, and in one line.
std::string in_quotes(std::string_view name) {
  std::string text = "'";
  for (const char c : name.substr(0, 80)) text += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return text + (name.size() > 80 ? "...'" : "'");
}

// Reads the header as it is parsed, so that no more of it is accepted or kept than the format allows.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  struct Entry {
    std::string name, dtype;
    std::vector<std::int64_t> shape;
    std::vector<std::int64_t> offsets;
    bool has_dtype = false, has_shape = false, has_offsets = false;
  };
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
  std::string problem;  // why it stopped

  bool start_object(std::size_t) override {
    if (place_ == Place::file) return place_ = Place::header, true;
    if (place_ == Place::tensor_or_metadata) return open_member();
    return reject();
  }
  bool end_object() override {
    if (place_ == Place::header) return place_ = Place::end, true;
    if (place_ == Place::tensor) {
      const Entry& entry = entries.back();
      if (!entry.has_dtype) return stop(where() + "has no dtype");
      if (!entry.has_shape) return stop(where() + "has no shape");
      if (!entry.has_offsets) return stop(where() + "has no data_offsets");
    }
    return place_ = Place::header, true;
  }
  bool key(std::string& text) override {
    if (place_ == Place::header) {
      if (!names_.insert(text).second) return stop("the header has " + in_quotes(text) + " twice");
      name_ = text;
      return place_ = Place::tensor_or_metadata, true;
    }
    field_ = text;
    if (place_ == Place::metadata) {
      if (metadata.contains(text)) return stop("the metadata has the key " + in_quotes(text) + " twice");
      return true;
    }
    Entry& entry = entries.back();
    bool* seen = text == "dtype"          ? &entry.has_dtype
                 : text == "shape"        ? &entry.has_shape
                 : text == "data_offsets" ? &entry.has_offsets
                                          : nullptr;
    if (!seen) return stop(where() + "has an unknown field " + in_quotes(text));
    if (*seen) return stop(where() + "has the field '" + text + "' twice");
    return *seen = true;
  }
  bool string(std::string& text) override {
    if (place_ == Place::metadata) return metadata.emplace(field_, std::move(text)), true;
    if (place_ != Place::tensor || field_ != "dtype") return reject();
    if (dtype_size(text) == 0) return stop(where() + "has the unknown dtype " + in_quotes(text));
    return entries.back().dtype = std::move(text), true;
  }
  bool start_array(std::size_t) override {
    if (place_ != Place::tensor || field_ == "dtype") return reject();
    return place_ = Place::numbers, true;
  }
  bool end_array() override {
    if (field_ == "data_offsets" && entries.back().offsets.size() != 2)
      return stop(where() + "needs two numbers in data_offsets");
    return place_ = Place::tensor, true;
  }
  bool number_unsigned(std::uint64_t value) override {
    if (place_ != Place::numbers) return reject();
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return stop(where() + "has a number in " + field_ + " that is too large");
    Entry& entry = entries.back();
    std::vector<std::int64_t>& numbers = field_ == "shape" ? entry.shape : entry.offsets;
    if (numbers.size() == kMostDimensions) return stop(where() + "has too many numbers in " + field_);
    return numbers.push_back(static_cast<std::int64_t>(value)), true;
  }
  bool number_integer(std::int64_t) override { return reject(); }
  bool number_float(double, const std::string&) override { return reject(); }
  bool boolean(bool) override { return reject(); }
  bool null() override { return reject(); }
  bool binary(nlohmann::json::binary_t&) override { return reject(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return stop(fmt::format("the header is no valid JSON at its byte {}", position));
  }

 private:
  enum class Place { file, header, tensor_or_metadata, tensor, metadata, numbers, end };

  bool open_member() {
    if (name_ == kMetadata) return place_ = Place::metadata, true;
    entries.emplace_back().name = name_;
    return place_ = Place::tensor, true;
  }
  std::string where() const { return "the tensor " + in_quotes(name_) + " "; }
  bool stop(std::string why) { return problem = std::move(why), false; }
  bool reject() {
    switch (place_) {
      case Place::file:
        return stop("the header is no JSON object");
      case Place::metadata:
        return stop("the metadata key " + in_quotes(field_) + " is no string");
      case Place::tensor_or_metadata:
        return stop("the header's " + in_quotes(name_) + " is no object");
      case Place::numbers:
        return stop(where() + "has something in " + field_ + " that is no whole number from 0 up");
      default:
        return stop(where() + "has a " + field_ + " of the wrong kind");
    }
  }

  Place place_ = Place::file;
  std::string name_, field_;
  std::set<std::string> names_;
};

}  // namespace

Tensor Tensor::f32(std::string name, std::vector<std::int64_t> shape, std::span<const float> values) {
  Tensor tensor{std::move(name), "F32", std::move(shape), std::string(values.size_bytes(), '\0')};
  check(byte_count(tensor.dtype, tensor.shape) == values.size_bytes(), "a tensor's values do not fit its shape");
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), values.size_bytes());
  return tensor;
}

std::vector<float> Tensor::floats() const {
  check(dtype == "F32", "Tensor::floats() of a tensor of another type");
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

std::int64_t Tensor::elements() const {
  const std::uint64_t size = dtype_size(dtype);
  return size == 0 ? 0 : static_cast<std::int64_t>(bytes.size() / size);
}

const Tensor* TensorFile::find(std::string_view name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

Result<const Tensor*> TensorFile::find_f32(std::string_view name, std::span<const std::int64_t> shape,
                                           std::string_view file) const {
  const Tensor* tensor = find(name);
  const std::string where(file);
  if (!tensor) return Error{where + ": the tensor " + in_quotes(name) + " is missing"};
  if (tensor->dtype != "F32")
    return Error{where + ": the tensor " + in_quotes(name) + " is " + tensor->dtype + ", not F32"};
  if (!std::equal(shape.begin(), shape.end(), tensor->shape.begin(), tensor->shape.end()))
    return Error{where + ": the tensor " + in_quotes(name) + " has the shape " + shape_text(tensor->shape) + ", not " +
                 shape_text(shape)};
  return tensor;
}

Result<TensorFile> parse_safetensors(std::string_view bytes, std::string_view file) {
  const auto error = [&](const std::string& what) { return Error{std::string(file) + ": " + what}; };
  std::uint64_t length = 0;
  if (bytes.size() < kLengthSize)
    return error(fmt::format("too short for a safetensors file ({} bytes)", bytes.size()));
  std::memcpy(&length, bytes.data(), kLengthSize);
  if (length > kLongestHeader || length > bytes.size() - kLengthSize)
    return error(fmt::format("no safetensors file, or cut short: it claims a header of {} bytes in a file of {}",
                             length, bytes.size()));
  const std::string_view header = bytes.substr(kLengthSize, length);
  const std::string_view data = bytes.substr(kLengthSize + length);
  if (!header.starts_with('{')) return error("no safetensors file: the header does not begin with '{'");

  HeaderReader reader;
  if (!nlohmann::json::sax_parse(header.begin(), header.end(), &reader)) return error(reader.problem);

  // In the order of their bytes, tensors must follow one another from the first byte to the last.
  using Entry = HeaderReader::Entry;
  std::stable_sort(reader.entries.begin(), reader.entries.end(),
                   [](const Entry& a, const Entry& b) { return a.offsets < b.offsets; });
  TensorFile result{.tensors = {}, .metadata = std::move(reader.metadata)};
  std::uint64_t end = 0;
  for (Entry& entry : reader.entries) {
    const std::string tensor = "the tensor " + in_quotes(entry.name) + " ";
    const auto from = static_cast<std::uint64_t>(entry.offsets[0]), to = static_cast<std::uint64_t>(entry.offsets[1]);
    const std::string offsets = "(data_offsets " + shape_text(entry.offsets) + ")";
    if (to < from) return error(tensor + "ends before it begins " + offsets);
    if (to > data.size())
      return error(
          fmt::format("{}reaches beyond the end of the file {}, which holds {} bytes of data: is it cut short?", tensor,
                      offsets, data.size()));
    const std::optional<std::uint64_t> needed = byte_count(entry.dtype, entry.shape);
    if (!needed || *needed != to - from)
      return error(fmt::format("{}has {} bytes, which does not fit its dtype {} and shape {}", tensor, to - from,
                               entry.dtype, shape_text(entry.shape)));
    if (from < end) return error(tensor + "shares bytes with another " + offsets);
    if (from > end) return error("bytes before " + tensor + "belong to no tensor " + offsets);
    end = to;
    result.tensors.push_back({std::move(entry.name), std::move(entry.dtype), std::move(entry.shape),
                              std::string(data.substr(from, to - from))});
  }
  if (end != data.size()) return error(fmt::format("the last {} bytes belong to no tensor", data.size() - end));
  return result;
}

std::string to_safetensors(const TensorFile& tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!tensors.metadata.empty()) header[std::string(kMetadata)] = tensors.metadata;
  std::uint64_t offset = 0;
  for (const Tensor& tensor : tensors.tensors) {
    check(tensor.name != kMetadata && !header.contains(tensor.name), "two tensors of one name");
    check(dtype_size(tensor.dtype) != 0 && byte_count(tensor.dtype, tensor.shape) == tensor.bytes.size(),
          "a tensor's bytes do not fit its type and shape");
    const std::uint64_t end = offset + tensor.bytes.size();
    header[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = json_text(header);
  text.append((kLengthSize - text.size() % kLengthSize) % kLengthSize, ' ');

  const std::uint64_t length = text.size();
  std::string bytes(kLengthSize, '\0');
  std::memcpy(bytes.data(), &length, kLengthSize);
  bytes.reserve(kLengthSize + length + offset);
  bytes += text;
  for (const Tensor& tensor : tensors.tensors) bytes += tensor.bytes;
  return bytes;
}

Result<TensorFile> load_safetensors(const std::string& path) {
  const Result<std::string> bytes = read_file(path);
  if (!bytes) return bytes.error();
  return parse_safetensors(bytes.value(), path);
}

Result<void> save_safetensors(const std::string& path, const TensorFile& tensors, Durability durability,
                              FileSystem& files) {
  return write_file_atomically(path, to_safetensors(tensors), durability, files);
}

}  // namespace rival
