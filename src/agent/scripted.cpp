#include "agent/scripted.hpp"

namespace rival {
namespace {

class RandomAgent final : public Agent {
 public:
  std::string name() const override { return "random"; }

  void act(const Decisions& decisions, Key key, std::int32_t* choices, float* values) override {
    const Spec& spec = decisions.batch->spec();
    const RowLayout& layout = decisions.batch->layout();
    for (int row : decisions.rows) {
      Random random(key.split(static_cast<std::uint64_t>(row)));
      for (std::size_t p = 0; p < spec.action.size(); ++p) {
        const ActionPart& part = spec.action[p];
        if (part.is_choice()) {
          const std::uint8_t* mask = decisions.masks + row * layout.mask_size + layout.mask_offset[p];
          int allowed = 0;
          for (int c = 0; c < part.size; ++c) allowed += mask[c];
          check(allowed > 0, "a mask allows nothing");
          int pick = random.below(allowed), choice = 0;
          while (!mask[choice] || pick-- > 0) ++choice;
          choices[row * layout.choice_count + layout.choice_index[p]] = choice;
        } else {
          for (int i = 0; i < part.size; ++i)
            values[row * layout.value_count + layout.value_offset[p] + i] = random.uniform(part.low, part.high);
        }
      }
    }
  }

  bool probabilities(const Decisions& decisions, float* probabilities) override {
    const Spec& spec = decisions.batch->spec();
    const RowLayout& layout = decisions.batch->layout();
    for (int row : decisions.rows)
      for (std::size_t p = 0; p < spec.action.size(); ++p) {
        const ActionPart& part = spec.action[p];
        if (!part.is_choice()) continue;
        const std::uint8_t* mask = decisions.masks + row * layout.mask_size + layout.mask_offset[p];
        float* out = probabilities + row * layout.mask_size + layout.mask_offset[p];
        float allowed = 0;
        for (int c = 0; c < part.size; ++c) allowed += mask[c];
        for (int c = 0; c < part.size; ++c) out[c] = mask[c] ? 1 / allowed : 0;
      }
    return true;
  }
};

}  // namespace

std::unique_ptr<Agent> random_agent() {
  return std::make_unique<RandomAgent>();
}

}  // namespace rival
