// Results, targets and data files from anywhere: reading them does not crash; results that are accepted come back the
// same, and a data file that is changed and changed back is as it was. The first byte says which is read.
#include <cstdint>
#include <string>

#include "balance/data_file.hpp"
#include "balance/results.hpp"
#include "balance/targets.hpp"
#include "base/check.hpp"
#include "game/spec.hpp"

namespace {

using namespace rival;
using namespace rival::balance;

const Spec& small() {
  static const Spec spec{.name = "small",
                         .seats = 2,
                         .observation = {ObservationPart::vector("x", 3)},
                         .action = {ActionPart::discrete("a", 2)},
                         .parameters = {{"bear.speed", 1, 0, 2}, {"size", 2, 1, 5, "", 1}},
                         .choices = {{"hero", {"bear", "crow, the old"}}}};
  return spec;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 3) {
    case 0: {
      const auto results = read_results(small(), 0, text, "file");
      if (!results) break;
      const std::string written = write_results(small(), 0, results.value());
      const auto again = read_results(small(), 0, written, "file");
      check(again.ok() && write_results(small(), 0, again.value()) == written, "results come back the same");
      WinRates(2, results.value());
      conditions(results.value());
      break;
    }
    case 1: {
      const auto targets = read_targets(small(), {}, text, "file");
      if (!targets) break;
      for (const Target& target : targets.value().targets) {
        check(target.low <= target.high && target.tolerance > 0, "a target is a range");
        target.name(&small().choices[0]);
      }
      for (const Tunable& tunable : targets.value().tunables)
        check(tunable.low < tunable.high && tunable.low <= tunable.from && tunable.from <= tunable.high,
              "a tunable has a range about its value");
      break;
    }
    default: {
      const std::vector<NumberChange> changes = {{"bear.speed", 1.5f}};
      const auto changed = change_numbers(text, "file", changes);
      if (!changed) break;
      const auto again = change_numbers(changed.value(), "file", changes);
      check(again.ok() && again.value() == changed.value(), "a change made twice is made once");
      break;
    }
  }
  return 0;
}
