#include "agent/transplant.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/index.hpp"

namespace rival {
namespace {

// Per index of something new, the index of what it continues, or -1.
using Map = std::vector<int>;

Map grown(int before, int after) {
  Map map(after, -1);
  std::iota(map.begin(), map.begin() + std::min(before, after), 0);
  return map;
}

// Per part of `now`, the part of `then` of the same name and kind (the first that is not taken), or -1.
template <class Part>
Map match_parts(const std::vector<Part>& then, const std::vector<Part>& now) {
  Map map;
  std::vector<bool> taken(then.size());
  for (const Part& part : now) {
    map.push_back(-1);
    for (std::size_t p = 0; p < then.size() && map.back() < 0; ++p)
      if (!taken[p] && then[p].name == part.name && then[p].kind == part.kind) map.back() = static_cast<int>(p);
    if (map.back() >= 0) taken[map.back()] = true;
  }
  return map;
}

// Per number of a part, the number of its former self.
Map match_cells(const ObservationPart& then, const ObservationPart& now) {
  Map map;
  for (int c = 0; c < now.channels; ++c)
    for (int y = 0; y < now.height; ++y)
      for (int x = 0; x < now.width; ++x)
        map.push_back(c < then.channels && y < then.height && x < then.width ? (c * then.height + y) * then.width + x
                                                                             : -1);
  return map;
}

// Per observation part, and at the end of all, its first column.
std::vector<int> offsets(const Network& net) {
  std::vector<int> first{0};
  for (const ObservationPart& part : net.observation()) first.push_back(first.back() + part.size());
  return first;
}

// A network's operations, by what they are for.
struct Anatomy {
  using Operations = std::vector<const Operation*>;
  std::vector<Operations> readings;  // per observation part: from there to the trunk; none if the trunk reads it itself
  std::vector<int> first;            // per observation part: where it, or what is made of it, enters the trunk
  Operations trunk, targets;         // targets in the order of the action's parts
  const Operation *memory = nullptr, *head = nullptr;

  explicit Anatomy(const Network& net) : readings(net.observation().size()), first(offsets(net)) {
    for (const Operation& op : net.operations()) {
      if (op.kind == OperationKind::mingru) memory = &op;
      if (op.kind == OperationKind::targets) targets.insert(targets.begin(), &op);
      if (op.kind != OperationKind::dense || net.buffers()[op.out].entities >= 0) continue;
      if (op.relu)
        trunk.push_back(&op);
      else
        head = &op;
    }
    const std::vector<int> offset = first;
    const int input = trunk.front()->in;
    if (input == kObservationBuffer) return;
    for (const Operation& op : net.operations()) {
      if (op.in == kObservationBuffer) {
        const auto part = std::upper_bound(offset.begin(), offset.end(), op.in_column) - offset.begin() - 1;
        readings[part] = {&op};
      } else {
        for (Operations& reading : readings)
          if (!reading.empty() && reading.back()->out == op.in && op.in != input) reading.push_back(&op);
      }
    }
    for (std::size_t p = 0; p < readings.size(); ++p) first[p] = readings[p].back()->out_column;
  }

  // The convolution of an observation part before the trunk, if it is convolved.
  const Convolution* last_convolution(std::size_t part) const {
    const Operations& reading = readings[part];
    if (reading.size() < 2 || reading[reading.size() - 2]->kind != OperationKind::convolution) return nullptr;
    return &reading[reading.size() - 2]->convolution;
  }
};

// Where the columns of each action part lie in the head's dense layer; -1: it is a target.
std::vector<int> head_columns(const Network& net) {
  std::vector<int> dense(net.head_size(), -1), first;
  for (const Operation& op : net.operations())
    if (op.out == kHeadBuffer && op.kind != OperationKind::targets)
      std::iota(dense.begin() + op.out_column, dense.begin() + op.out_column + op.columns, op.in_column);
  int logits = 0, values = net.mask_size();
  for (const ActionPart& part : net.action()) {
    int& next = part.is_choice() ? logits : values;
    first.push_back(dense[next]);
    next += part.size;
  }
  return first;
}

bool has_entities(const Network& net) {
  const auto& parts = net.observation();
  return std::any_of(parts.begin(), parts.end(),
                     [](const ObservationPart& part) { return part.kind == ObservationPart::Kind::entities; });
}

std::string counted(int count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 || what.back() == 's' ? "" : "s");
}

class Surgeon {
 public:
  Surgeon(const Bot& old, Bot& bot, Transplant& out)
      : old_(old),
        bot_(bot),
        out_(out),
        then_(old.network),
        now_(bot.network),
        observation_(match_parts(then_.observation(), now_.observation())),
        action_(match_parts(then_.action(), now_.action())) {
    // A target part continues another only if both point at the same entities.
    for (std::size_t p = 0; p < action_.size(); ++p)
      if (action_[p] >= 0 && now_.action()[p].kind == ActionPart::Kind::target &&
          observation_[now_.action()[p].entities] != then_.action()[action_[p]].entities)
        action_[p] = -1;
  }

  bool nothing_in_common() const {
    return std::all_of(observation_.begin(), observation_.end(), [](int p) { return p < 0; });
  }

  void operate() {
    scale();
    encoders();
    trunk();
    memory();
    heads();
    report();
  }

 private:
  // Copies what both networks have of an operation's parameters: weights [rows x columns] and biases. Rows that are new
  // get zero weights into columns that are not; columns that are new keep what they have been given.
  void copy(const Operation& to, const Operation& from, const Map& rows, const Map& columns, float factor = 1) {
    float* w = weights(to);
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t c = 0; c < columns.size(); ++c) {
        if (columns[c] < 0) continue;
        float& weight = w[r * columns.size() + c];
        weight = 0;
        if (rows[r] < 0) continue;
        weight = factor * old_.parameters[from.weight + index(rows[r]) * from.columns + index(columns[c])];
        ++out_.kept;
      }
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (columns[c] < 0) continue;
      bot_.parameters[to.bias + c] = factor * old_.parameters[from.bias + index(columns[c])];
      ++out_.kept;
    }
  }
  float* weights(const Operation& op) { return bot_.parameters.data() + op.weight; }

  const ObservationPart* former(std::size_t part) const {
    return observation_[part] < 0 ? nullptr : &then_.observation()[observation_[part]];
  }

  bool is_rules(std::size_t part) const { return !bot_.rules.empty() && part + 1 == observation_.size(); }

  // Rules are known by their names.
  Map match_cells(std::size_t part) const {
    if (!is_rules(part) || old_.rules.empty()) return rival::match_cells(*former(part), now_.observation()[part]);
    Map map;
    for (const ObservedParameter& rule : bot_.rules) {
      const auto found = std::find_if(old_.rules.begin(), old_.rules.end(),
                                      [&](const ObservedParameter& other) { return other.name == rule.name; });
      map.push_back(found == old_.rules.end() ? -1 : static_cast<int>(found - old_.rules.begin()));
    }
    return map;
  }

  // With x for what the bot saw of a parameter, and x' for what is seen of it now, x = a x' + b.
  void rescale(const ObservedParameter& then, const ObservedParameter& now, std::size_t column) {
    const float a = (now.high - now.low) / (then.high - then.low);
    const float b = (now.low + now.high - then.low - then.high) / (then.high - then.low);
    bot_.scale.mean[column] = (bot_.scale.mean[column] - b) / a;
    bot_.scale.scale[column] *= a;
  }

  void scale() {
    const std::vector<int> first = offsets(then_);
    std::size_t column = 0;
    for (std::size_t p = 0; p < observation_.size(); ++p) {
      const ObservationPart& part = now_.observation()[p];
      const Map cells = former(p) ? match_cells(p) : grown(0, part.size());
      for (int cell : cells) {
        const std::size_t from = cell < 0 ? 0 : index(first[observation_[p]] + cell);
        bot_.scale.mean[column] = cell < 0 ? 0 : old_.scale.mean[from];
        bot_.scale.scale[column++] = cell < 0 ? 1 : old_.scale.scale[from];
      }
      for (std::size_t i = 0; is_rules(p) && i < cells.size(); ++i)
        if (cells[i] >= 0) rescale(old_.rules[cells[i]], bot_.rules[i], column - cells.size() + i);
    }
  }

  void encoders() {
    const Map inputs = trunk_inputs();
    for (std::size_t p = 0; p < observation_.size(); ++p) {
      if (!former(p)) continue;
      const Anatomy::Operations &to = after_.readings[p], &from = before_.readings[observation_[p]];
      for (std::size_t i = 0; i < std::min(to.size(), from.size()); ++i) {
        const Operation &a = *from[i], &b = *to[i];
        if (a.kind != b.kind || !b.rows) continue;
        Map rows;
        if (b.kind == OperationKind::convolution)
          for (int k = 0; k < 9; ++k)
            for (int channel : grown(a.convolution.channels, b.convolution.channels))
              rows.push_back(channel < 0 ? -1 : k * a.convolution.channels + channel);
        else
          rows = grown(a.own_rows(), b.own_rows());
        for (int c = 0; c < b.context_columns; ++c)  // as the trunk reads them
          rows.push_back(inputs[c] < 0 || inputs[c] >= a.context_columns ? -1 : a.own_rows() + inputs[c]);
        copy(b, a, rows, grown(a.columns, b.columns));
      }
    }
  }

  // Per column of the trunk's input.
  Map trunk_inputs() {
    Map map(after_.trunk.front()->rows, -1);
    for (std::size_t p = 0; p < observation_.size(); ++p) {
      if (!former(p)) continue;
      const std::size_t q = observation_[p];
      Map inner;
      const Convolution *to = after_.last_convolution(p), *from = before_.last_convolution(q);
      if ((to == nullptr) != (from == nullptr)) continue;  // convolved in one network only
      if (to) {
        for (int y = 0; y < to->out_height; ++y)
          for (int x = 0; x < to->out_width; ++x)
            for (int c = 0; c < to->out_channels; ++c)
              inner.push_back(y < from->out_height && x < from->out_width && c < from->out_channels
                                  ? (y * from->out_width + x) * from->out_channels + c
                                  : -1);
      } else if (now_.observation()[p].kind == ObservationPart::Kind::entities) {
        inner = grown(before_.readings[observation_[p]].back()->columns, after_.readings[p].back()->columns);
      } else {
        inner = match_cells(p);
      }
      for (std::size_t i = 0; i < inner.size(); ++i)
        if (inner[i] >= 0) map[index(after_.first[p]) + i] = before_.first[q] + inner[i];
    }
    return map;
  }

  void trunk() {
    units_ = trunk_inputs();
    for (std::size_t i = 0; i < after_.trunk.size(); ++i) {
      const Operation& to = *after_.trunk[i];
      if (i < before_.trunk.size()) {
        const Map out = grown(before_.trunk[i]->columns, to.columns);
        copy(to, *before_.trunk[i], units_, out);
        units_ = out;
        continue;
      }
      // The identity, of what the layers before have in common with the bot's last.
      Map out(to.columns, -1);
      for (std::size_t r = 0; r < units_.size(); ++r)
        if (units_[r] >= 0) out[units_[r]] = units_[r];
      for (int r = 0; r < to.rows; ++r)
        for (int c = 0; c < to.columns; ++c)
          if (out[c] >= 0) weights(to)[index(r) * to.columns + index(c)] = units_[r] == out[c] ? 1 : 0;
      units_ = out;
    }
  }

  void memory() {
    if (!after_.memory) return;
    const Operation& to = *after_.memory;
    if (!before_.memory) {  // what was there sees a state of zero
      for (std::size_t r = 0; r < index(to.rows); ++r)
        for (std::size_t c = 0; c < index(to.rows); ++c)
          if (units_[c] >= 0) weights(to)[(2 * r + 1) * index(to.rows) + c] = 0;
      return;
    }
    Map gates = units_;
    for (int unit : units_) gates.push_back(unit < 0 ? -1 : before_.memory->rows + unit);
    copy(to, *before_.memory, units_, gates);
  }

  void heads() {
    const std::vector<int> first = head_columns(now_), old_first = head_columns(then_);
    const Operation &to = *after_.head, &from = *before_.head;
    Map columns(to.columns, -1);
    columns.back() = from.columns - 1;  // the value
    for (std::size_t p = 0; p < action_.size(); ++p) {
      if (action_[p] < 0 || first[p] < 0) continue;
      const int common = std::min(now_.action()[p].size, then_.action()[action_[p]].size);
      for (int c = 0; c < common; ++c) columns[first[p] + c] = old_first[action_[p]] + c;
    }
    for (std::size_t c = 0; c < columns.size(); ++c)
      for (std::size_t r = 0; r < units_.size() && columns[c] < 0; ++r) weights(to)[r * columns.size() + c] = 0;
    copy(to, from, units_, columns);
    values(first);
    targets();
  }

  // The standard deviations of continuous values; and their means, should a range have changed.
  void values(const std::vector<int>& first) {
    std::vector<std::size_t> old_value(then_.action().size());
    std::size_t next = 0;
    for (std::size_t p = 0; p < old_value.size(); ++p) {
      old_value[p] = next;
      if (!then_.action()[p].is_choice()) next += index(then_.action()[p].size);
    }
    std::size_t value = 0;
    for (std::size_t p = 0; p < action_.size(); ++p) {
      const ActionPart& to = now_.action()[p];
      if (to.is_choice()) continue;
      for (int i = 0; i < to.size; ++i, ++value) {
        if (action_[p] < 0 || i >= then_.action()[action_[p]].size) continue;
        const ActionPart& from = then_.action()[action_[p]];
        float& log_std = bot_.parameters[now_.log_std() + value];
        log_std = old_.parameters[then_.log_std() + old_value[action_[p]] + index(i)];
        ++out_.kept;
        if (from.low == to.low && from.high == to.high) continue;
        const float ratio = (from.high - from.low) / (to.high - to.low);
        const float shift = (from.low + from.high - to.low - to.high) / (to.high - to.low);
        log_std += std::log(ratio);
        const Operation& head = *after_.head;
        const std::size_t column = first[p] + i;
        for (std::size_t r = 0; r < units_.size(); ++r) weights(head)[r * index(head.columns) + column] *= ratio;
        float& bias = bot_.parameters[head.bias + column];
        bias = ratio * bias + shift;
      }
    }
  }

  void targets() {
    std::size_t next = 0;
    for (std::size_t p = 0; p < action_.size(); ++p) {
      if (now_.action()[p].kind != ActionPart::Kind::target) continue;
      const Operation& to = *after_.targets[next++];
      if (action_[p] < 0) continue;
      std::size_t k = 0;
      for (int q = 0; q < action_[p]; ++q) k += then_.action()[q].kind == ActionPart::Kind::target;
      const Operation& from = *before_.targets[k];
      const Map columns = grown(from.columns, to.columns);
      // Nothing is asked of the encodings' new columns yet.
      for (std::size_t c = index(from.columns); c < columns.size(); ++c)
        for (std::size_t r = 0; r < units_.size(); ++r) weights(to)[r * columns.size() + c] = 0;
      const double wider = static_cast<double>(to.columns) / from.columns;
      copy(to, from, units_, columns, static_cast<float>(std::sqrt(wider)));
    }
  }

  void say(std::string line) { out_.summary.push_back(std::move(line)); }

  void report() {
    for (std::size_t p = 0; p < observation_.size(); ++p) report(now_.observation()[p], former(p), p);
    report_dropped("observation", then_.observation(), observation_, ": the network no longer sees it");
    for (std::size_t p = 0; p < action_.size(); ++p)
      report(now_.action()[p], action_[p] < 0 ? nullptr : &then_.action()[action_[p]]);
    report_dropped("action", then_.action(), action_, "");
    if (!dropped(then_.observation().size(), observation_).empty()) out_.exact = false;

    const NetworkOptions &before = then_.options(), &after = now_.options();
    if (before.hidden != after.hidden)
      say(fmt::format("network: hidden layers of {} grow to {}", fmt::join(before.hidden, ", "),
                      fmt::join(after.hidden, ", ")));
    if (before.memory != after.memory)
      say(before.memory ? fmt::format("network: the memory of {} grows to {}", before.memory, after.memory)
                        : fmt::format("network: a memory of {} is new", after.memory));
    if (has_entities(then_) && before.entity != after.entity)
      say(fmt::format("network: encodings of entities of {} grow to {}", before.entity, after.entity));
    say(fmt::format("{} of the network's {} parameters come from the bot", out_.kept, bot_.parameters.size()));
    if (!out_.exact) say("what it does in situations it knows may have changed");
  }

  void report(const ObservationPart& now, const ObservationPart* then, std::size_t p) {
    const std::string head = fmt::format("observation '{}': ", now.name);
    if (!then) return say(head + "new");
    if (is_rules(p)) return report_rules(head);
    const std::size_t q = observation_[p];
    const auto dimension = [&](int before, int after, const std::string& what) {
      if (after > before) return fmt::format(", {} more", counted(after - before, what));
      if (after == before) return std::string();
      out_.exact = false;
      return fmt::format(", {} dropped", counted(before - after, what));
    };
    std::string changes;
    switch (now.kind) {
      case ObservationPart::Kind::vector:
        changes = dimension(then->width, now.width, "value");
        break;
      case ObservationPart::Kind::entities:
        changes = dimension(then->height, now.height, "place") + dimension(then->width, now.width, "feature");
        break;
      case ObservationPart::Kind::grid:
        changes = dimension(then->channels, now.channels, "channel") + dimension(then->height, now.height, "row") +
                  dimension(then->width, now.width, "column");
        if ((after_.last_convolution(p) == nullptr) != (before_.last_convolution(q) == nullptr)) {
          changes += ", read by a new encoder";
          out_.exact = false;
        } else if (after_.last_convolution(p) && (then->height != now.height || then->width != now.width)) {
          changes += ", read by convolutions of another size";
          out_.exact = false;
        }
    }
    say(head + "kept" + changes);
  }

  void report_rules(const std::string& head) {
    const auto knows = [](const std::vector<ObservedParameter>& rules, const ObservedParameter& rule) {
      return std::any_of(rules.begin(), rules.end(), [&](const auto& other) { return other.name == rule.name; });
    };
    for (const ObservedParameter& rule : bot_.rules)
      say(head + fmt::format("{} is {}", rule.name, knows(old_.rules, rule) ? "kept" : "new"));
    for (const ObservedParameter& rule : old_.rules) {
      if (knows(bot_.rules, rule)) continue;
      out_.exact = false;
      say(head + fmt::format("{} dropped: the network no longer sees it", rule.name));
    }
  }

  void report(const ActionPart& now, const ActionPart* then) {
    const std::string head = fmt::format("action '{}': ", now.name);
    if (!then) return say(head + "new");
    const int more = now.size - then->size;
    const std::string what = now.kind == ActionPart::Kind::discrete ? "choice"
                             : now.kind == ActionPart::Kind::target ? "target"
                                                                    : "value";
    std::string changes;
    if (more) changes = fmt::format(", {} {}", counted(std::abs(more), what), more > 0 ? "more" : "dropped");
    if (now.kind == ActionPart::Kind::continuous && (now.low != then->low || now.high != then->high))
      changes += fmt::format(", range {} to {} instead of {} to {}", now.low, now.high, then->low, then->high);
    say(head + "kept" + changes);
  }

  static std::vector<std::size_t> dropped(std::size_t count, const Map& map) {
    std::vector<std::size_t> result;
    for (std::size_t p = 0; p < count; ++p)
      if (std::find(map.begin(), map.end(), static_cast<int>(p)) == map.end()) result.push_back(p);
    return result;
  }
  void report_dropped(const char* kind, const auto& then, const Map& map, const char* what) {
    for (std::size_t p : dropped(then.size(), map)) say(fmt::format("{} '{}': dropped{}", kind, then[p].name, what));
  }

  const Bot& old_;
  Bot& bot_;
  Transplant& out_;
  const Network &then_, &now_;
  Map observation_, action_;  // [parts] the bot's part that each continues, or -1
  const Anatomy before_{then_}, after_{now_};
  Map units_;  // of the layer that was last done
};

// The network asked for, with the bot's own where it leaves the choice.
Result<NetworkOptions> options_for(const Network& old, NetworkOptions wanted, const std::string& file) {
  const NetworkOptions& bot = old.options();
  if (wanted.hidden.empty()) wanted.hidden = bot.hidden;
  bool smaller = wanted.hidden.size() < bot.hidden.size();
  for (std::size_t i = 0; i < wanted.hidden.size() && !smaller; ++i)
    smaller = wanted.hidden[i] < bot.hidden[std::min(i, bot.hidden.size() - 1)];
  if (smaller)
    return Error{
        fmt::format("{}: its hidden layers of {} cannot shrink to {}; ask for as many and as wide ones, or train anew",
                    file, fmt::join(bot.hidden, ", "), fmt::join(wanted.hidden, ", "))};
  if (bot.memory || wanted.memory == -1) wanted.memory = wanted.hidden.back();
  if (has_entities(old)) wanted.entity = std::max(wanted.entity, bot.entity), wanted.entity_inner = bot.entity_inner;
  const auto is_grid = [](const ObservationPart& part) { return part.kind == ObservationPart::Kind::grid; };
  if (wanted.grid == GridReading::automatic && std::any_of(old.observation().begin(), old.observation().end(), is_grid))
    wanted.grid = bot.grid;
  return wanted;
}

}  // namespace

std::string Transplant::text() const {
  return fmt::format("{}\n", fmt::join(summary, "\n"));
}

Result<Transplant> transplant(const TensorFile& from, const std::string& file, const Spec& spec,
                              const std::vector<ObservedParameter>& rules, const NetworkOptions& wanted, Key key) {
  const auto game = bot_game(from, file);
  if (!game) return game.error();
  if (game.value().name != spec.name)
    return Error{fmt::format("{}: a bot of the game '{}', not of '{}'", file, game.value().name, spec.name)};
  auto then = bot_spec(from, file);
  if (!then && Bot::from_tensors(from, spec, file).ok()) then = spec;
  if (!then) return then.error();
  const auto old = Bot::from_tensors(from, then.value(), file);
  if (!old) return old.error();
  auto options = options_for(old.value().network, wanted, file);
  if (!options) return options.error();
  auto network = Network::make(with_rules(spec, rules), options.value());
  if (!network) return Error{file + ": " + network.error().message};

  Transplant result{.bot = old.value()};
  Bot& bot = result.bot;
  bot.rules = rules;
  bot.parameters = network->initial_parameters(key);
  bot.network = std::move(*network);
  bot.scale.mean.assign(bot.network.observation_size(), 0);
  bot.scale.scale.assign(bot.network.observation_size(), 1);
  Surgeon surgeon(old.value(), bot, result);
  if (surgeon.nothing_in_common())
    return Error{fmt::format("{}: made for a version of the game '{}' that has no observation part in common with it",
                             file, spec.name)};
  surgeon.operate();
  return result;
}

}  // namespace rival
