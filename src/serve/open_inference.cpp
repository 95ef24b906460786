#include "serve/open_inference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/index.hpp"
#include "base/json.hpp"
#include "base/names.hpp"

namespace rival::serve {
namespace {

using nlohmann::json;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostTensors = 16;
constexpr std::size_t kLongestSequence = 256;                         // bytes of an id
constexpr std::size_t kMostNumbers = 1 << 18, kMostBinary = 1 << 22;  // of an output
constexpr auto kLongestTimeout = std::chrono::microseconds(std::chrono::hours(1));

// The outputs of a bot, in the order in which metadata has them.
struct Described {
  Tensor tensor;
  const char *name, *datatype;
  int columns;  // 0: the game has none
};

std::vector<Described> outputs_of(const RowSizes& sizes) {
  std::vector<Described> outputs = {{Tensor::choices, "choices", "INT32", sizes.choices},
                                    {Tensor::values, "values", "FP32", sizes.values},
                                    {Tensor::probabilities, "probabilities", "FP32", sizes.mask},
                                    {Tensor::value, "value", "FP32", 1}};
  std::erase_if(outputs, [](const Described& output) { return output.columns == 0; });
  return outputs;
}

bool is_estimate(Tensor tensor) {
  return tensor == Tensor::probabilities || tensor == Tensor::value;
}

// An input, and the bytes from which binary ones are taken, in turn.
class Input {
 public:
  Input(const json& said, std::string_view& binary, std::optional<Error>& error)
      : said_(said), fields_(said, "an input", error), binary_(binary), error_(error) {
    name_ = fields_.text("name");
    datatype_ = fields_.text("datatype");
    shape_ = fields_.wholes<int>("shape", 16, {0});
  }

  const std::string& name() const { return name_; }
  int rows() const { return shape_.empty() ? 0 : shape_[0]; }

  void expect(std::initializer_list<const char*> datatypes, int columns) {
    if (error_) return;
    if (std::find(datatypes.begin(), datatypes.end(), datatype_) == datatypes.end())
      return fail(fmt::format("has the datatype {}; {} takes {}", datatype_, name_, fmt::join(datatypes, " or ")));
    if (shape_.size() != 2 || shape_[1] != columns || shape_[0] < 1 || shape_[0] > kMostRows)
      return fail(fmt::format("has the shape [{}]; it takes [rows, {}], with 1 to {} rows", fmt::join(shape_, ", "),
                              columns, kMostRows));
  }

  // Appends its elements. `add`: how those in JSON are read.
  template <class T>
  void read(std::vector<T>& to, std::string (*add)(const json&, std::size_t, std::vector<T>&)) {
    if (error_) return;
    const std::size_t rows = index(shape_[0]), columns = index(shape_[1]), bytes = rows * columns * sizeof(T);
    const std::optional<std::string_view> binary = take_binary(said_, name_, bytes, binary_, error_);
    if (binary) {
      to.resize(rows * columns);
      std::memcpy(to.data(), binary->data(), bytes);
    }
    if (binary || error_) return;
    const json& data = fields_.field("data");
    if (!data.is_array() || data.empty() || !data[0].is_array()) return amiss(add(data, rows * columns, to));
    if (data.size() != rows) return amiss(fmt::format("must have {} rows, not {}", rows, data.size()));
    for (std::size_t row = 0; row < rows && !error_; ++row) {
      const std::string what = add(data[row], columns, to);
      if (!what.empty()) amiss(fmt::format("at row {}: {}", row, what));
    }
  }

  void fail(const std::string& what) {
    if (!error_) error_ = Error{fmt::format("the input '{}' {}", name_, what)};
  }

 private:
  void amiss(const std::string& what) {
    if (!what.empty()) fail("has 'data' that " + what);
  }

  const json& said_;
  JsonFields fields_;
  std::string_view& binary_;
  std::optional<Error>& error_;
  std::string name_, datatype_;
  std::vector<int> shape_;
};

void read_inputs(const InferText& text, const RowSizes& sizes, Rows& rows, std::optional<Error>& error) {
  JsonFields fields(text.json, "the request", error);
  std::string_view binary = text.binary;
  int mask_rows = -1;
  for (const json& said : fields.list("inputs", kMostTensors)) {
    Input input(said, binary, error);
    if (error) return;
    if (input.name() == "observation") {
      if (rows.count > 0) return input.fail("is there twice");
      input.expect({"FP32"}, sizes.observation);
      input.read(rows.observations, add_numbers);
      rows.count = input.rows();
    } else if (input.name() == "mask" && sizes.mask > 0) {
      if (mask_rows >= 0) return input.fail("is there twice");
      input.expect({"BOOL", "UINT8"}, sizes.mask);
      input.read(rows.masks, add_flags);
      mask_rows = input.rows();
    } else {
      std::vector<std::string> known = {"observation"};
      if (sizes.mask > 0) known.emplace_back("mask");
      error = unknown_name("input", input.name(), known);
    }
    if (error) return;
  }
  if (error) return;
  if (rows.count == 0)
    error = Error{"the input 'observation' is missing"};
  else if (mask_rows >= 0 && mask_rows != rows.count)
    error = Error{fmt::format("the input 'mask' has {} rows, 'observation' {}", mask_rows, rows.count)};
  else if (!binary.empty())
    error = Error{fmt::format("{} bytes after the last binary input", binary.size())};
}

void read_outputs(const InferText& text, const RowSizes& sizes, InferRequest& request, std::optional<Error>& error) {
  const JsonFields common(infer_parameters(text.json), "the request's parameters", error);
  const bool binary = infer_flag(common, "binary_data_output", error);
  JsonFields fields(text.json, "the request", error);
  const std::vector<Described> known = outputs_of(sizes);
  if (fields.has("outputs"))
    for (const json& said : fields.list("outputs", kMostTensors)) {
      const std::string name = JsonFields(said, "an output", error).text("name");
      const JsonFields of(infer_parameters(said), "the parameters of '" + name + "'", error);
      const bool its_own = infer_flag(of, "binary_data", error);
      if (error) return;
      const auto found = std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.name == name; });
      if (found == known.end()) {
        std::vector<std::string> names;
        for (const Described& one : known) names.emplace_back(one.name);
        error = unknown_name("output", name, names);
        return;
      }
      if (of.has("classification") || of.has("shared_memory_region"))
        error = Error{fmt::format("the output '{}' is given as it is: neither classes nor shared memory", name)};
      if (std::any_of(request.outputs.begin(), request.outputs.end(),
                      [&](const auto& other) { return other.tensor == found->tensor; }))
        error = Error{fmt::format("the output '{}' is there twice", name)};
      if (error) return;
      request.outputs.push_back({found->tensor, of.has("binary_data") ? its_own : binary});
    }
  if (!request.outputs.empty()) return;
  for (const Described& one : known)
    if (!is_estimate(one.tensor)) request.outputs.push_back({one.tensor, binary});
}

}  // namespace

const json& infer_parameters(const json& thing) {
  static const json kNone = json::object();
  const auto found = thing.is_object() ? thing.find("parameters") : thing.end();
  return found == thing.end() || found->is_null() ? kNone : *found;
}

bool infer_flag(const JsonFields& parameters, const char* name, std::optional<Error>& error) {
  const json& value = parameters.field(name);
  if (!value.is_null() && !value.is_boolean() && !error)
    error = Error{fmt::format("{}: '{}' must be true or false", parameters.place(), name)};
  return value == true;
}

Result<InferText> split_infer(std::string_view body, std::string_view json_bytes, std::size_t most) {
  std::size_t size = body.size();
  if (!json_bytes.empty()) {
    const Result<std::int64_t> said =
        parse_whole("Inference-Header-Content-Length", json_bytes, {0, static_cast<std::int64_t>(body.size())});
    if (!said) return said.error();
    size = static_cast<std::size_t>(said.value());
  }
  if (size > most)
    return Error{
        fmt::format("the request has {} bytes of JSON; {} is the most: send tensors as binary data", size, most)};
  Result<json> parsed = parse_json(body.substr(0, size), "the request");
  if (!parsed) return parsed.error();
  return InferText{std::move(parsed.value()), body.substr(size)};
}

std::optional<std::string_view> take_binary(const json& input, const std::string& name, std::size_t bytes,
                                            std::string_view& binary, std::optional<Error>& error) {
  const json& parameters = infer_parameters(input);
  if (!parameters.is_object() || !parameters.contains("binary_data_size")) return {};
  const auto fail = [&](const std::string& what) {
    if (!error) error = Error{fmt::format("the input '{}' {}", name, what)};
    return std::nullopt;
  };
  if (input.contains("data")) return fail("has both 'data' and 'binary_data_size'");
  JsonFields of(parameters, "the parameters of '" + name + "'", error);
  const auto size = static_cast<std::size_t>(of.count("binary_data_size"));
  if (error) return {};
  if (size != bytes || binary.size() < size)
    return fail(fmt::format("has {} binary bytes, of which {} are there; its shape takes {}", size,
                            std::min(size, binary.size()), bytes));
  const std::string_view taken = binary.substr(0, size);
  binary.remove_prefix(size);
  return taken;
}

HttpAnswer infer_answer(const Json& said, std::string_view binary, bool any_binary) {
  HttpAnswer answer{.body = json_text(said)};
  if (!any_binary) return answer;
  answer.type = "application/octet-stream";
  answer.headers.emplace_back("Inference-Header-Content-Length", std::to_string(answer.body.size()));
  answer.body += binary;
  return answer;
}

std::string take_version(std::vector<std::string>& parts) {
  if (parts.size() < 5 || parts[3] != "versions") return "";
  std::string version = std::move(parts[4]);
  parts.erase(parts.begin() + 3, parts.begin() + 5);
  return version;
}

Result<Sequence> read_sequence(const InferText& text) {
  std::optional<Error> error;
  const JsonFields parameters(infer_parameters(text.json), "the request's parameters", error);
  Sequence sequence{.start = infer_flag(parameters, "sequence_start", error),
                    .end = infer_flag(parameters, "sequence_end", error)};
  const json& id = parameters.field("sequence_id");
  if (!id.is_null() && !id.is_string() && !id.is_number_unsigned() && !error)
    error = Error{"the request's parameters: 'sequence_id' must be a text or a whole number"};
  if (error) return *error;
  if (!id.is_null() && id != "" && id != 0) sequence.id = json_text(id);
  if (sequence.id.size() > kLongestSequence)
    return Error{fmt::format("a 'sequence_id' of {} bytes; {} is the most", sequence.id.size(), kLongestSequence)};
  if (sequence.id.empty() && (sequence.start || sequence.end))
    return Error{"'sequence_start' and 'sequence_end' need a 'sequence_id'"};
  return sequence;
}

bool InferRequest::estimates() const {
  return std::any_of(outputs.begin(), outputs.end(), [](const Output& output) { return is_estimate(output.tensor); });
}

Result<InferRequest> read_infer(const InferText& text, const RowSizes& sizes) {
  std::optional<Error> error;
  InferRequest request;
  JsonFields fields(text.json, "the request", error);
  if (fields.has("id")) request.id = fields.text("id");
  JsonFields parameters(infer_parameters(text.json), "the request's parameters", error);
  if (parameters.has("timeout"))
    request.timeout =
        std::chrono::microseconds(parameters.whole<std::int64_t>("timeout", {0, kLongestTimeout.count()}));
  read_outputs(text, sizes, request, error);
  if (!error) read_inputs(text, sizes, request.rows, error);
  if (error) return *error;
  for (const Described& one : outputs_of(sizes))
    for (const InferRequest::Output& output : request.outputs) {
      const std::size_t numbers = index(request.rows.count) * index(one.columns);
      if (output.tensor == one.tensor && numbers > (output.binary ? kMostBinary : kMostNumbers))
        return Error{fmt::format("the output '{}' would have {} numbers; {} is the most, or {} as binary data",
                                 one.name, numbers, kMostNumbers, kMostBinary)};
    }
  if (Result<void> whole = complete(request.rows, sizes); !whole) return whole.error();
  return request;
}

HttpAnswer write_infer(const InferRequest& request, std::string_view model, std::string_view version,
                       const RowSizes& sizes, const Answered& answer) {
  Json said = {{"model_name", model}, {"model_version", version}};
  if (!request.id.empty()) said["id"] = request.id;
  Json& outputs = said["outputs"] = Json::array();
  std::string binary;
  bool any_binary = false;
  const std::vector<Described> known = outputs_of(sizes);
  for (const InferRequest::Output& wanted : request.outputs) {
    const Described& described =
        *std::find_if(known.begin(), known.end(), [&](const auto& one) { return one.tensor == wanted.tensor; });
    Json output = {{"name", described.name}, {"datatype", described.datatype}};
    output["shape"] = Json::array({answer.rows, described.columns});
    const auto put = [&](const auto& elements) {
      check(elements.size() == index(answer.rows) * index(described.columns), "an answer has all that was asked for");
      if (!wanted.binary) {
        output["data"] = elements;
        return;
      }
      output["parameters"] = {{"binary_data_size", elements.size_bytes()}};
      binary.append(reinterpret_cast<const char*>(elements.data()), elements.size_bytes());
    };
    switch (wanted.tensor) {
      case Tensor::choices:
        put(answer.choices);
        break;
      case Tensor::values:
        put(answer.values);
        break;
      case Tensor::probabilities:
        put(answer.probabilities);
        break;
      case Tensor::value:
        put(answer.expected);
        break;
    }
    any_binary |= wanted.binary;
    outputs.push_back(std::move(output));
  }
  return infer_answer(said, binary, any_binary);
}

Json infer_metadata(std::string_view model, std::string_view version, const RowSizes& sizes) {
  const auto tensor = [](const char* name, const char* datatype, int columns) {
    return Json{{"name", name}, {"datatype", datatype}, {"shape", Json::array({-1, columns})}};
  };
  Json inputs = Json::array({tensor("observation", "FP32", sizes.observation)});
  if (sizes.mask > 0) inputs.push_back(tensor("mask", "BOOL", sizes.mask));
  Json outputs = Json::array();
  for (const Described& one : outputs_of(sizes)) outputs.push_back(tensor(one.name, one.datatype, one.columns));
  return {{"name", model},
          {"versions", Json::array({version})},
          {"platform", "rival"},
          {"inputs", std::move(inputs)},
          {"outputs", std::move(outputs)}};
}

}  // namespace rival::serve
