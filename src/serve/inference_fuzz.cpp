// Requests for inference from anywhere, in JSON and with binary tensors: reading them does not crash, and what is
// accepted has as many rows as it says. The first two bytes say how much of the rest is JSON; the third, whose rest it
// is.
#include <cmath>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "serve/http_text.hpp"
#include "serve/open_inference.hpp"
#include "serve/predictions.hpp"

using namespace rival;
using namespace rival::serve;

namespace {

const RowSizes kSizes{.observation = 2, .mask = 3, .choices = 1, .values = 1, .parts = {3}, .names = {"a"}};

void expect_whole(const Rows& rows) {
  check(rows.count >= 1 && rows.count <= kMostRows, "rows are so many");
  const auto count = static_cast<std::size_t>(rows.count);
  check(rows.seats.size() == count && rows.observations.size() == 2 * count && rows.masks.size() == 3 * count,
        "rows are whole");
  for (const float x : rows.observations) check(std::isfinite(x), "numbers are finite");
}

void infer(std::string_view body, std::string_view json_bytes) {
  const Result<InferText> text = split_infer(body, json_bytes);
  if (!text) return;
  (void)read_sequence(text.value()).ok();
  const Result<InferRequest> request = read_infer(text.value(), kSizes);
  if (!request) return;
  expect_whole(request.value().rows);
  const auto rows = static_cast<std::size_t>(request.value().rows.count);
  const std::vector<std::int32_t> choices(rows);
  const std::vector<float> numbers(3 * rows);
  const std::span<const float> ones(numbers.data(), rows);
  const HttpAnswer answer = write_infer(request.value(), "m", "v", kSizes,
                                        {.rows = request.value().rows.count,
                                         .choices = choices,
                                         .values = ones,
                                         .probabilities = numbers,
                                         .expected = ones});
  check(!answer.body.empty(), "there is an answer");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 3, size - 3);
  switch (data[2] % 4) {
    case 0:
      infer(rest, std::to_string(data[0] + 256 * data[1]));
      break;
    case 1:
      infer(rest, "");
      break;
    case 2:
      for (const auto& read : {read_predictions, read_instances})
        if (const Result<Rows> rows = read(rest, kSizes)) expect_whole(rows.value());
      break;
    default:
      (void)form_values("multipart/form-data; boundary=x", rest, {"data"});
      (void)form_values(rest, "--x\r\nContent-Disposition: form-data; name=data\r\n\r\n1\r\n--x--", {"data"});
      (void)form_values("application/x-www-form-urlencoded", rest, {"data"});
      (void)path_parts(rest);
      (void)read_query(rest, std::vector<std::string>{"a"});
      if (const auto strict = strictly_decoded(rest)) check(*strict == percent_decoded(rest), "both decode alike");
  }
  return 0;
}
