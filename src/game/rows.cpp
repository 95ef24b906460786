#include "game/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/finite.hpp"
#include "base/index.hpp"
#include "base/number.hpp"
#include "base/program.hpp"

namespace rival {
namespace {

// Which part of an observation, and which of its values.
std::string value_name(const Spec& spec, const RowLayout& layout, int at) {
  std::size_t part = spec.observation.size() - 1;
  while (layout.observation_offset[part] > at) --part;
  return fmt::format("value {} of '{}'", at - layout.observation_offset[part], spec.observation[part].name);
}

// Whether a mask allows any of `size` choices.
bool allows_any(const std::uint8_t* mask, int size) {
  return std::any_of(mask, mask + size, [](std::uint8_t allowed) { return allowed != 0; });
}

}  // namespace

BatchRows::BatchRows(Batch& batch, int room) : batch_(batch) {
  const RowLayout& layout = batch.layout();
  const int rows = batch.rows();
  room = std::max(room, rows);
  observations.resize(at(room, layout.observation_size));
  masks.resize(at(room, layout.mask_size));
  seats.assign(at(rows, 1), -1);
  choices.resize(at(rows, layout.choice_count));
  values.resize(at(rows, layout.value_count));
  rewards.resize(at(batch.matches(), batch.spec().seats));
  status.assign(at(batch.matches(), 1), Status::running);
  for (std::size_t p = 0; p < batch.spec().action.size(); ++p)
    if (batch.spec().action[p].is_choice()) masked_.push_back({layout.mask_offset[p], batch.spec().action[p].size});
}

Error BatchRows::wrong(BatchFailure failure) const {
  if (failure.match >= 0 && !numbers.empty()) failure.match = numbers[failure.match];
  return batch_.error(failure);
}

Error BatchRows::wrong(int match, int seat, const std::string& what) const {
  return wrong({match, batch_.steps(match), seat, what});
}

Result<void> BatchRows::sound() const {
  if (!batch_.failure()) return {};
  return wrong(*batch_.failure());
}

// Says what is wrong with an acting row.
Error BatchRows::fault(int row) const {
  const Spec& spec = batch_.spec();
  const int size = batch_.layout().observation_size;
  const auto bad = [&](const std::string& what) {
    return wrong(match_of(row), seats[row],
                 what + "; `" + command_line({"check", spec.name}) + "` shows it in isolation");
  };
  if (const auto i = static_cast<int>(first_not_finite(observation(row), index(size))); i < size)
    return bad(value_name(spec, batch_.layout(), i) + " in its observation is " +
               with_digits(static_cast<double>(observation(row)[i]), 6));
  std::size_t p = 0;
  while (!spec.action[p].is_choice() || allows_any(mask(row, p), spec.action[p].size)) ++p;
  return bad("it is asked to act, but its mask allows no choice of '" + spec.action[p].name + "'");
}

Result<void> BatchRows::observe() {
  batch_.observe({observations.data(), masks.data(), seats.data()});
  if (batch_.failure()) return sound();
  acting_.clear();
  const int per_match = batch_.rows_per_match();
  const std::size_t size = batch_.layout().observation_size;
  const bool finite = all_finite(observations.data(), at(batch_.rows(), batch_.layout().observation_size));
  for (int match = 0, row = 0; match < batch_.matches(); ++match) {
    bool somebody = false;
    for (const int end = row + per_match; row < end; ++row) {
      if (seats[row] < 0) continue;
      somebody = true;
      acting_.push_back(row);
      const bool sound = (finite || all_finite(observation(row), size)) &&
                         std::all_of(masked_.begin(), masked_.end(), [&](const Masked& part) {
                           return allows_any(mask(row) + part.offset, part.size);
                         });
      if (!sound) return fault(row);
    }
    if (!somebody && batch_.ready(match) && batch_.status(match) == Status::running)
      return wrong(match, -1, "the match is running, but nobody is to act");
  }
  return {};
}

Result<void> BatchRows::take(std::span<const int> rows, const std::string& who) {
  if (batch_.failure()) return sound();
  const Spec& spec = batch_.spec();
  const RowLayout& layout = batch_.layout();
  for (int row : rows) {
    const auto bad = [&](const std::string& what) { return wrong(match_of(row), seats[row], who + " " + what); };
    for (std::size_t p = 0; p < spec.action.size(); ++p) {
      const ActionPart& part = spec.action[p];
      if (part.is_choice()) {
        const int choice = choice_row(row)[layout.choice_index[p]];
        const std::uint8_t* allowed = mask(row, p);
        if (choice >= 0 && choice < part.size && allowed[choice]) continue;
        std::string others;
        for (int c = 0; c < part.size; ++c)
          if (allowed[c]) others += fmt::format("{}{}", others.empty() ? "" : ", ", c);
        return bad(fmt::format("made the illegal choice {} of '{}'; allowed: {}", choice, part.name, others));
      }
      for (int i = 0; i < part.size; ++i) {
        float& value = value_row(row)[layout.value_offset[p] + i];
        if (!std::isfinite(value))
          return bad(
              fmt::format("gave {} as value {} of '{}'", with_digits(static_cast<double>(value), 6), i, part.name));
        value = std::clamp(value, part.low, part.high);
      }
    }
  }
  return {};
}

Result<void> BatchRows::step(const StepRows& out) {
  batch_.step(actions(), out);
  if (batch_.failure()) return sound();
  const int all = batch_.spec().seats, count = batch_.matches() * all;
  if (const auto bad = static_cast<int>(first_not_finite(out.rewards, index(count))); bad < count)
    return wrong({bad / all, batch_.steps(bad / all) - 1, bad % all,
                  "its reward or result is " + with_digits(static_cast<double>(out.rewards[bad]), 6) + "; `" +
                      command_line({"check", batch_.spec().name}) + "` shows it in isolation"});
  return {};
}

}  // namespace rival
