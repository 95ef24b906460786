#include "serve/predictions.hpp"

#include <fmt/format.h>

#include "base/index.hpp"
#include "base/json_fields.hpp"
#include "base/names.hpp"

namespace rival::serve {
namespace {

using nlohmann::json;

const std::vector<std::string> kFields = {"observation", "mask"};

Result<json> parse_body(std::string_view body) {
  if (body.size() > kMostJson)
    return Error{fmt::format("the body has {} bytes; {} is the most: send less rows, or binary tensors to /v2",
                             body.size(), kMostJson)};
  return parse_json(body, "the body");
}

bool is_row(const json& value) {
  return value.is_array() && (value.empty() || !value[0].is_structured());
}

Result<void> check_fields(const json& object) {
  for (const auto& [key, value] : object.items())
    if (key != kFields[0] && key != kFields[1]) return unknown_name("field", key, kFields);
  if (!object.contains(kFields[0])) return Error{"'observation' is missing"};
  return {};
}

Result<void> set_count(Rows& rows, std::size_t count) {
  if (count == 0 || count > kMostRows) return Error{fmt::format("{} rows: a request has 1 to {}", count, kMostRows)};
  rows.count = static_cast<int>(count);
  return {};
}

Error in_row(std::size_t row, const std::string& name, const std::string& amiss) {
  return {fmt::format("row {}: '{}' {}", row, name, amiss)};
}

// A list of instances.
Result<Rows> read_list(const json& list, const RowSizes& sizes) {
  Rows rows;
  if (Result<void> set = set_count(rows, list.size()); !set) return set.error();
  for (std::size_t row = 0; row < list.size(); ++row) {
    const json& instance = list[row];
    const bool fields = instance.is_object();
    if (fields)
      if (Result<void> known = check_fields(instance); !known)
        return Error{fmt::format("row {}: {}", row, known.error().message)};
    const std::string amiss =
        add_numbers(fields ? instance["observation"] : instance, index(sizes.observation), rows.observations);
    if (!amiss.empty()) return in_row(row, "observation", amiss);
    if (!fields || !instance.contains("mask")) {
      rows.masks.resize(rows.masks.size() + index(sizes.mask), 1);
      continue;
    }
    const std::string amiss_of_mask = add_flags(instance["mask"], index(sizes.mask), rows.masks);
    if (!amiss_of_mask.empty()) return in_row(row, "mask", amiss_of_mask);
  }
  if (Result<void> whole = complete(rows, sizes); !whole) return whole.error();
  return rows;
}

// {"observation": rows, "mask": rows}
Result<Rows> read_columns(const json& object, const RowSizes& sizes) {
  if (Result<void> known = check_fields(object); !known) return known.error();
  const json& observation = object["observation"];
  if (!observation.is_array()) return Error{"'observation' must be a list of rows"};
  const bool one = is_row(observation) && !observation.empty();
  Rows rows;
  if (Result<void> set = set_count(rows, one ? 1 : observation.size()); !set) return set.error();
  const bool masked = object.contains("mask");
  const json& mask = masked ? object["mask"] : observation;
  const bool one_mask = one && is_row(mask);
  if (!mask.is_array() || (!one_mask && mask.size() != index(rows.count)))
    return Error{fmt::format("'mask' must be a list of {} rows, as 'observation' is", rows.count)};
  for (std::size_t row = 0; row < index(rows.count); ++row) {
    const std::string amiss =
        add_numbers(one ? observation : observation[row], index(sizes.observation), rows.observations);
    if (!amiss.empty()) return in_row(row, "observation", amiss);
    if (!masked) continue;
    const std::string amiss_of_mask = add_flags(one_mask ? mask : mask[row], index(sizes.mask), rows.masks);
    if (!amiss_of_mask.empty()) return in_row(row, "mask", amiss_of_mask);
  }
  if (Result<void> whole = complete(rows, sizes); !whole) return whole.error();
  return rows;
}

}  // namespace

Result<Rows> read_predictions(std::string_view body, const RowSizes& sizes) {
  const Result<json> parsed = parse_body(body);
  if (!parsed) return parsed.error();
  const json& said = parsed.value();
  if (said.is_object()) return read_columns(said, sizes);
  if (!said.is_array())
    return Error{R"(the body must be {"observation": [[...]], "mask": [[...]]}, or a list of rows)"};
  return is_row(said) && !said.empty() ? read_list(json::array({said}), sizes) : read_list(said, sizes);
}

Result<Rows> read_instances(std::string_view body, const RowSizes& sizes) {
  const Result<json> parsed = parse_body(body);
  if (!parsed) return parsed.error();
  const json& said = parsed.value();
  if (!said.is_object() || !said.contains("instances") || !said["instances"].is_array())
    return Error{R"(the body must be {"instances": [...]})"};
  return read_list(said["instances"], sizes);
}

nlohmann::ordered_json predictions(const RowSizes& sizes, const Answered& answer) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  const std::size_t choices = index(sizes.choices), values = index(sizes.values);
  for (std::size_t row = 0; row < index(answer.rows); ++row) {
    nlohmann::ordered_json one = nlohmann::ordered_json::object();
    if (choices > 0) one["choices"] = answer.choices.subspan(row * choices, choices);
    if (values > 0) one["values"] = answer.values.subspan(row * values, values);
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace rival::serve
