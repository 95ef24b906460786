#include "grpc/translate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json.hpp"

namespace rival::serve {
namespace {

using Json = nlohmann::ordered_json;
using Parameters = google::protobuf::Map<std::string, inference::InferParameter>;
using Contents = inference::InferTensorContents;

Json to_json(const Parameters& parameters) {
  Json json = Json::object();
  for (const auto& [name, value] : parameters) switch (value.parameter_choice_case()) {
      case inference::InferParameter::kBoolParam:
        json[name] = value.bool_param();
        break;
      case inference::InferParameter::kInt64Param:
        json[name] = value.int64_param();
        break;
      case inference::InferParameter::kStringParam:
        json[name] = value.string_param();
        break;
      case inference::InferParameter::kDoubleParam:
        json[name] = value.double_param();
        break;
      case inference::InferParameter::kUint64Param:
        json[name] = value.uint64_param();
        break;
      case inference::InferParameter::PARAMETER_CHOICE_NOT_SET:
        break;
    }
  return json;
}

// Elements as the little-endian bytes of T.
template <class T, class Field>
std::string bytes_of(const Field& elements) {
  std::string bytes;
  bytes.reserve(sizeof(T) * static_cast<std::size_t>(elements.size()));
  for (const auto& element : elements) {
    const T value = static_cast<T>(element);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return bytes;
}

template <class T, class Field>
void add_elements(std::string_view bytes, Field& elements) {
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    elements.Add(value);
  }
}

// A datatype: how its elements stand in their field.
struct Datatype {
  const char* name;
  std::string (*bytes)(const Contents&);
  void (*add)(std::string_view, Contents&);
};

#define RIVAL_DATATYPE(NAME, TYPE, FIELD)                                                              \
  {                                                                                                    \
    NAME, [](const Contents& from) { return bytes_of<TYPE>(from.FIELD()); },                           \
        [](std::string_view bytes, Contents& to) { add_elements<TYPE>(bytes, *to.mutable_##FIELD()); } \
  }
const Datatype kDatatypes[] = {RIVAL_DATATYPE("BOOL", std::uint8_t, bool_contents),
                               RIVAL_DATATYPE("INT8", std::int8_t, int_contents),
                               RIVAL_DATATYPE("INT16", std::int16_t, int_contents),
                               RIVAL_DATATYPE("INT32", std::int32_t, int_contents),
                               RIVAL_DATATYPE("INT64", std::int64_t, int64_contents),
                               RIVAL_DATATYPE("UINT8", std::uint8_t, uint_contents),
                               RIVAL_DATATYPE("UINT16", std::uint16_t, uint_contents),
                               RIVAL_DATATYPE("UINT32", std::uint32_t, uint_contents),
                               RIVAL_DATATYPE("UINT64", std::uint64_t, uint64_contents),
                               RIVAL_DATATYPE("FP32", float, fp32_contents),
                               RIVAL_DATATYPE("FP64", double, fp64_contents)};
#undef RIVAL_DATATYPE

const Datatype* find_datatype(std::string_view name) {
  const auto* found = std::find_if(std::begin(kDatatypes), std::end(kDatatypes),
                                   [&](const Datatype& datatype) { return datatype.name == name; });
  return found == std::end(kDatatypes) ? nullptr : found;
}

// The JSON of an answer, and the bytes after it. Discarded JSON: it has none.
std::pair<Json, std::string_view> split(const HttpAnswer& answer) {
  std::size_t size = answer.body.size();
  for (const auto& [name, value] : answer.headers) {
    if (name == "Inference-Header-Content-Length") {
      std::size_t json = size;
      std::from_chars(value.data(), value.data() + value.size(), json);
      size = std::min(size, json);
    }
  }
  const std::string_view body = answer.body;
  return {Json::parse(body.substr(0, size), nullptr, false), body.substr(size)};
}

const Error& no_answer() {
  static const Error error{"the server's own answer cannot be read"};
  return error;
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

std::string model_path(std::string_view model, std::string_view version, std::string_view what) {
  std::string path = "/v2/models/" + percent_encoded(model);
  if (!version.empty()) path += "/versions/" + percent_encoded(version);
  return path.append(what);
}

Result<HttpRequest> infer_to_http(const inference::ModelInferRequest& request) {
  const bool raw = request.raw_input_contents_size() > 0;
  if (raw && request.raw_input_contents_size() != request.inputs_size())
    return Error{fmt::format("{} inputs, but {} 'raw_input_contents'", request.inputs_size(),
                             request.raw_input_contents_size())};
  Json json = Json::object();
  std::string binary;
  if (!request.id().empty()) json["id"] = request.id();
  json["parameters"] = to_json(request.parameters());
  json["parameters"]["binary_data_output"] = true;
  Json& inputs = json["inputs"] = Json::array();
  for (int i = 0; i < request.inputs_size(); ++i) {
    const auto& tensor = request.inputs(i);
    Json input = {{"name", tensor.name()}, {"datatype", tensor.datatype()}, {"shape", tensor.shape()}};
    input["parameters"] = to_json(tensor.parameters());
    std::string bytes;
    if (raw) {
      if (tensor.has_contents())
        return Error{fmt::format("the input '{}' has both 'contents' and 'raw_input_contents'", tensor.name())};
      bytes = request.raw_input_contents(i);
    } else {
      const Datatype* datatype = find_datatype(tensor.datatype());
      if (!datatype)
        return Error{fmt::format("the input '{}' has the datatype '{}', which 'contents' cannot hold here",
                                 tensor.name(), tensor.datatype())};
      bytes = datatype->bytes(tensor.contents());
    }
    input["parameters"]["binary_data_size"] = bytes.size();
    binary += bytes;
    inputs.push_back(std::move(input));
  }
  if (request.outputs_size() > 0) {
    Json& outputs = json["outputs"] = Json::array();
    for (const auto& output : request.outputs()) {
      Json parameters = to_json(output.parameters());
      parameters["binary_data"] = true;
      outputs.push_back({{"name", output.name()}, {"parameters", std::move(parameters)}});
    }
  }
  HttpRequest http{.method = "POST",
                   .path = model_path(request.model_name(), request.model_version(), "/infer"),
                   .query = "",
                   .headers = {},
                   .body = json_text(json)};
  http.headers["inference-header-content-length"] = std::to_string(http.body.size());
  http.body += binary;
  return http;
}

Result<void> infer_from_http(const HttpAnswer& answer, bool raw, inference::ModelInferResponse& response) {
  try {
    auto [json, binary] = split(answer);
    response.set_model_name(json.at("model_name").get<std::string>());
    response.set_model_version(json.at("model_version").get<std::string>());
    response.set_id(json.value("id", ""));
    for (const Json& said : json.at("outputs")) {
      auto& output = *response.add_outputs();
      output.set_name(said.at("name").get<std::string>());
      output.set_datatype(said.at("datatype").get<std::string>());
      for (const Json& dimension : said.at("shape")) output.add_shape(dimension.get<std::int64_t>());
      const std::string_view bytes = binary.substr(0, said.at("parameters").at("binary_data_size").get<std::size_t>());
      binary.remove_prefix(bytes.size());
      const Datatype* datatype = find_datatype(output.datatype());
      if (raw || !datatype)
        response.add_raw_output_contents(bytes.data(), bytes.size());
      else
        datatype->add(bytes, *output.mutable_contents());
    }
    return {};
  } catch (const nlohmann::json::exception&) {
    return no_answer();
  }
}

Result<void> metadata_from_http(const HttpAnswer& answer, inference::ModelMetadataResponse& response) {
  try {
    const Json json = split(answer).first;
    response.set_name(json.at("name").get<std::string>());
    response.set_platform(json.at("platform").get<std::string>());
    for (const Json& version : json.at("versions")) response.add_versions(version.get<std::string>());
    const auto tensors = [](const Json& list, const auto& add) {
      for (const Json& said : list) {
        inference::ModelMetadataResponse::TensorMetadata& tensor = *add();
        tensor.set_name(said.at("name").get<std::string>());
        tensor.set_datatype(said.at("datatype").get<std::string>());
        for (const Json& dimension : said.at("shape")) tensor.add_shape(dimension.get<std::int64_t>());
      }
    };
    tensors(json.at("inputs"), [&] { return response.add_inputs(); });
    tensors(json.at("outputs"), [&] { return response.add_outputs(); });
    return {};
  } catch (const nlohmann::json::exception&) {
    return no_answer();
  }
}

std::string fault_of(const HttpAnswer& answer) {
  const Json json = split(answer).first;
  for (const char* name : {"error", "message"})
    if (json.is_object() && json.contains(name) && json[name].is_string()) return json[name].get<std::string>();
  return fmt::format("the server answered {}", answer.status);
}

}  // namespace rival::serve
