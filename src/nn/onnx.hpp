// A network as an ONNX model (https://onnx.ai, operator set 13), for engines and runtimes that read it. Written and
// read here without ONNX's own library.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "nn/backend.hpp"
#include "nn/heads.hpp"
#include "nn/network.hpp"

namespace rival {

struct OnnxOptions {
  // What the value column v means: value_mean + value_scale * v.
  float value_mean = 0, value_scale = 1;
  std::map<std::string, std::string> metadata = {};  // metadata_props
  std::string description = {};                      // doc_string
};

// The model's inputs and outputs, for N rows (all f32 unless said):
//   observation [N, observation_size]            as the game writes it
//   mask [N, mask_size], bool                    where there are discrete or target action parts
//   memory_in, memory_out [N, memory size]       where the network has a memory; all zero at the start of a match
//   logits [N, mask_size]                        of all these parts, one after another; -1e9 where the mask is false
//   mean, std [N, value_count]                   of the continuous values, in the game's units: what is drawn from this
//                                                normal distribution must be clipped to the range of its part
//   value [N]                                    the expected rest of the return
std::string to_onnx(const Network& network, std::span<const float> parameters, const ObservationScale& scale,
                    const HeadLayout& heads, const OnnxOptions& options);

// The metadata_props of a model, which may come from anyone; an error names `file` if the bytes are no ONNX model.
Result<std::map<std::string, std::string>> onnx_metadata(std::string_view bytes, const std::string& file);

}  // namespace rival
