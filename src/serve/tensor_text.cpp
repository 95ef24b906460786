#include "serve/tensor_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/json.hpp"
#include "base/json_fields.hpp"
#include "base/names.hpp"

namespace rival::serve {
namespace {

using nlohmann::json;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostDimensions = 16, kMostTensors = 64;
constexpr std::int64_t kMostElements = 1 << 22;  // of a tensor

constexpr std::string_view kNames[] = {"BOOL", "UINT8", "INT8", "INT16", "INT32", "INT64", "FP32", "FP64"};

// Calls `use` with an element of the datatype.
template <class Use>
void with_type(Datatype datatype, const Use& use) {
  switch (datatype) {
    case Datatype::boolean:
      return use(bool{});
    case Datatype::uint8:
      return use(std::uint8_t{});
    case Datatype::int8:
      return use(std::int8_t{});
    case Datatype::int16:
      return use(std::int16_t{});
    case Datatype::int32:
      return use(std::int32_t{});
    case Datatype::int64:
      return use(std::int64_t{});
    case Datatype::fp32:
      return use(float{});
    case Datatype::fp64:
      return use(double{});
  }
}

// How many elements; nothing: too many.
std::optional<std::size_t> elements_of(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || size > kMostElements) return {};
    count *= size;
    if (count > kMostElements) return {};
  }
  return static_cast<std::size_t>(count);
}

template <class T>
bool add_element(const json& value, std::string& bytes) {
  T element{};
  if constexpr (std::is_same_v<T, bool>) {
    if (value != true && value != false && value != 0 && value != 1) return false;
    element = value == true || value == 1;
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!value.is_number()) return false;
    const double number = value.get<double>();
    if (!(std::abs(number) <= static_cast<double>(std::numeric_limits<T>::max()))) return false;
    element = static_cast<T>(number);
  } else {
    if (!value.is_number_integer()) return false;
    if (value.is_number_unsigned()) {
      const std::uint64_t number = value.get<std::uint64_t>();
      if (number > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) return false;
      element = static_cast<T>(number);
    } else {
      const std::int64_t number = value.get<std::int64_t>();
      if (number < static_cast<std::int64_t>(std::numeric_limits<T>::min())) return false;
      element = static_cast<T>(number);
    }
  }
  bytes.append(reinterpret_cast<const char*>(&element), sizeof element);
  return true;
}

// Reads lists in lists, or one list of all elements.
class Lists {
 public:
  Lists(std::string what, std::vector<std::int64_t> shape) : what_(std::move(what)), shape_(std::move(shape)) {}

  // The elements of a tensor whose shape is known.
  template <class Visit>
  bool walk(const json& value, std::size_t depth, const Visit& visit) {
    if (depth == shape_.size()) {
      if (value.is_structured()) return fail("is deeper in one place than in another");
      return visit(value) || fail(fmt::format("has an element that does not fit: {}", shortened(value)));
    }
    if (!value.is_array()) return fail("has lists in one place, and none in another");
    if (value.size() != static_cast<std::size_t>(shape_[depth]))
      return fail(
          fmt::format("has lists of {} and of {} at one depth: all must be as long", shape_[depth], value.size()));
    return std::all_of(value.begin(), value.end(), [&](const json& each) { return walk(each, depth + 1, visit); });
  }

  const std::string& amiss() const { return amiss_; }

 private:
  static std::string shortened(const json& value) { return json_text(value).substr(0, 40); }
  bool fail(const std::string& what) {
    if (amiss_.empty()) amiss_ = what_ + " " + what;
    return false;
  }

  std::string what_, amiss_;
  std::vector<std::int64_t> shape_;
};

template <class T>
Json lists_from(const TensorData& tensor, std::size_t depth, const char*& at) {
  if (depth < tensor.shape.size()) {
    Json list = Json::array();
    for (std::int64_t i = 0; i < tensor.shape[depth]; ++i) list.push_back(lists_from<T>(tensor, depth + 1, at));
    return list;
  }
  T element{};
  std::memcpy(&element, at, sizeof element);
  at += sizeof element;
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(element)) return nullptr;
    return static_cast<double>(element);
  } else {
    return element;
  }
}

Result<TensorData> read_input(const json& said, std::string_view& binary) {
  std::optional<Error> error;
  JsonFields fields(said, "an input", error);
  TensorData tensor{.name = fields.text("name")};
  const std::string datatype = fields.text("datatype");
  tensor.shape = fields.wholes<std::int64_t>("shape", kMostDimensions, {0, kMostElements});
  if (error) return *error;
  const std::string what = fmt::format("the input '{}'", tensor.name);
  const auto found = std::find(std::begin(kNames), std::end(kNames), datatype);
  if (found == std::end(kNames))
    return Error{fmt::format("{} has the datatype '{}'; it may be {}", what, datatype, fmt::join(kNames, ", "))};
  tensor.datatype = static_cast<Datatype>(found - std::begin(kNames));
  const std::optional<std::size_t> elements = elements_of(tensor.shape);
  if (!elements) return Error{fmt::format("{} has more than {} elements", what, kMostElements)};
  const std::size_t bytes = *elements * bytes_of(tensor.datatype);
  const std::optional<std::string_view> taken = take_binary(said, tensor.name, bytes, binary, error);
  if (error) return *error;
  if (taken) {
    tensor.bytes = *taken;
    if (tensor.datatype == Datatype::boolean)
      for (char& each : tensor.bytes) each = each != 0;
    return tensor;
  }
  const json& data = fields.field("data");
  const bool flat = data.is_array() && (data.empty() || !data[0].is_array());
  if (!data.is_array()) return Error{what + " has no list 'data'"};
  Lists lists("the 'data' of " + what,
              flat ? std::vector<std::int64_t>{static_cast<std::int64_t>(*elements)} : tensor.shape);
  with_type(tensor.datatype, [&](auto element) {
    lists.walk(data, 0, [&](const json& value) { return add_element<decltype(element)>(value, tensor.bytes); });
  });
  if (!lists.amiss().empty()) return Error{lists.amiss()};
  return tensor;
}

}  // namespace

std::string_view name_of(Datatype datatype) {
  return kNames[static_cast<std::size_t>(datatype)];
}

Result<TensorData> tensor_of(const json& lists, const std::string& what) {
  TensorData tensor;
  const json* first = &lists;
  for (; first->is_array(); first = &(*first)[0]) {
    if (tensor.shape.size() == kMostDimensions)
      return Error{fmt::format("{} has more than {} dimensions", what, kMostDimensions)};
    tensor.shape.push_back(static_cast<std::int64_t>(first->size()));
    if (first->empty()) break;
  }
  const std::optional<std::size_t> elements = elements_of(tensor.shape);
  if (!elements) return Error{fmt::format("{} has more than {} elements", what, kMostElements)};
  Lists walked(what, tensor.shape);
  bool any_real = false, any_whole = false, any_flag = false;
  walked.walk(lists, 0, [&](const json& value) {
    any_flag |= value.is_boolean(), any_whole |= value.is_number_integer(), any_real |= value.is_number_float();
    return value.is_boolean() || value.is_number();
  });
  if (!walked.amiss().empty()) return Error{walked.amiss()};
  if (any_flag && (any_whole || any_real)) return Error{what + " has both numbers and true or false"};
  tensor.datatype = any_flag ? Datatype::boolean : any_whole && !any_real ? Datatype::int64 : Datatype::fp32;
  tensor.bytes.reserve(*elements * bytes_of(tensor.datatype));
  with_type(tensor.datatype, [&](auto element) {
    walked.walk(lists, 0, [&](const json& value) { return add_element<decltype(element)>(value, tensor.bytes); });
  });
  if (!walked.amiss().empty()) return Error{walked.amiss()};
  return tensor;
}

Json lists_of(const TensorData& tensor) {
  Json lists;
  const char* at = tensor.bytes.data();
  with_type(tensor.datatype, [&](auto element) { lists = lists_from<decltype(element)>(tensor, 0, at); });
  return lists;
}

Result<Instances> read_model_body(std::string_view body, bool listed_only) {
  if (body.size() > kMostTensorJson)
    return Error{fmt::format("the body has {} bytes; {} is the most", body.size(), kMostTensorJson)};
  const Result<json> parsed = parse_json(body, "the body");
  if (!parsed) return parsed.error();
  const json* said = &parsed.value();
  const auto member = [&](const char* name) -> const json* {
    return said->is_object() && said->size() == 1 && said->contains(name) ? &(*said)[name] : nullptr;
  };
  Instances instances;
  if (const json* list = member("instances")) {
    instances.listed = true;
    said = list;
  } else if (listed_only) {
    return Error{R"(the body must be {"instances": [...]})"};
  } else if (const json* data = member("data")) {
    said = data;
  }
  if (instances.listed ? !said->is_array() || said->empty() : said->is_object() || said->is_null())
    return Error{
        R"(the body must be one instance, a list of numbers or of lists; or {"instances": [...]}, or {"data": ...})"};
  Result<TensorData> tensor = tensor_of(*said, instances.listed ? "'instances'" : "the body");
  if (!tensor) return tensor.error();
  instances.tensor = std::move(tensor.value());
  if (!instances.listed) instances.tensor.shape.insert(instances.tensor.shape.begin(), 1);
  return instances;
}

Json model_predictions(const std::vector<TensorData>& outputs, bool listed) {
  Json all = Json::array();
  for (const TensorData& output : outputs) {
    Json lists = lists_of(output);
    if (!listed && lists.is_array() && lists.size() == 1) lists = Json(std::move(lists[0]));
    all.push_back(std::move(lists));
  }
  Json said = all.size() == 1 ? Json(std::move(all[0])) : std::move(all);
  return listed ? Json{{"predictions", std::move(said)}} : said;
}

Result<TensorRequest> read_tensors(const InferText& text) {
  std::optional<Error> error;
  TensorRequest request;
  JsonFields fields(text.json, "the request", error);
  if (fields.has("id")) request.id = fields.text("id");
  const JsonFields common(infer_parameters(text.json), "the request's parameters", error);
  request.binary = infer_flag(common, "binary_data_output", error);
  if (fields.has("outputs"))
    for (const json& said : fields.list("outputs", kMostTensors)) {
      TensorRequest::Output output{JsonFields(said, "an output", error).text("name"), request.binary};
      const JsonFields of(infer_parameters(said), "the parameters of '" + output.name + "'", error);
      if (of.has("binary_data")) output.binary = infer_flag(of, "binary_data", error);
      if (!error && (of.has("classification") || of.has("shared_memory_region")))
        error = Error{fmt::format("the output '{}' is given as it is: neither classes nor shared memory", output.name)};
      request.outputs.push_back(std::move(output));
    }
  std::string_view binary = text.binary;
  for (const json& said : fields.list("inputs", kMostTensors)) {
    Result<TensorData> input = read_input(said, binary);
    if (!input && !error) error = input.error();
    if (error) return *error;
    request.inputs.push_back(std::move(input.value()));
  }
  if (error) return *error;
  if (request.inputs.empty()) return Error{"the request has no input"};
  if (!binary.empty()) return Error{fmt::format("{} bytes after the last binary input", binary.size())};
  return request;
}

Result<std::vector<TensorData>> in_order(std::vector<TensorData> inputs, const std::vector<std::string>& names) {
  const auto place = [&](const TensorData& input) {
    return std::find(names.begin(), names.end(), input.name) - names.begin();
  };
  const auto known = [&](const TensorData& input) { return place(input) < static_cast<std::ptrdiff_t>(names.size()); };
  if (std::none_of(inputs.begin(), inputs.end(), known)) return inputs;
  for (const TensorData& input : inputs)
    if (!known(input)) return unknown_name("input", input.name, names);
  std::sort(inputs.begin(), inputs.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (place(inputs[i]) != static_cast<std::ptrdiff_t>(i))
      return Error{i > 0 && inputs[i].name == inputs[i - 1].name
                       ? fmt::format("the input '{}' is there twice", inputs[i].name)
                       : fmt::format("the input '{}' is missing", names[i])};
  return inputs;
}

Result<HttpAnswer> write_tensors(const TensorRequest& request, std::string_view model, std::string_view version,
                                 const std::vector<TensorData>& outputs) {
  Json said = {{"model_name", model}, {"model_version", version}};
  if (!request.id.empty()) said["id"] = request.id;
  Json& list = said["outputs"] = Json::array();
  std::string binary;
  bool any_binary = false;
  const auto put = [&](const TensorData& tensor, bool in_binary) {
    Json output = {{"name", tensor.name}, {"datatype", name_of(tensor.datatype)}, {"shape", tensor.shape}};
    if (in_binary) {
      any_binary = true;
      output["parameters"] = {{"binary_data_size", tensor.bytes.size()}};
      binary += tensor.bytes;
    } else {
      TensorData flat{.datatype = tensor.datatype, .bytes = tensor.bytes};
      flat.shape = {static_cast<std::int64_t>(tensor.bytes.size() / bytes_of(tensor.datatype))};
      output["data"] = lists_of(flat);
    }
    list.push_back(std::move(output));
  };
  if (request.outputs.empty())
    for (const TensorData& tensor : outputs) put(tensor, request.binary);
  for (const TensorRequest::Output& wanted : request.outputs) {
    const auto found =
        std::find_if(outputs.begin(), outputs.end(), [&](const auto& each) { return each.name == wanted.name; });
    if (found == outputs.end()) {
      std::vector<std::string> names;
      for (const TensorData& each : outputs) names.push_back(each.name);
      return unknown_name("output", wanted.name, names);
    }
    put(*found, wanted.binary);
  }
  return infer_answer(said, binary, any_binary);
}

}  // namespace rival::serve
