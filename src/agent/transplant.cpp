#include "agent/transplant.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rival {
namespace {

std::size_t at(std::ptrdiff_t i) {
  return static_cast<std::size_t>(i);
}

// Per index of something new, the index of what it continues, or -1.
using Map = std::vector<int>;

Map grown(int before, int after) {
  Map map(at(after), -1);
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
    if (map.back() >= 0) taken[at(map.back())] = true;
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

// Where the output of each observation part's encoder (or the part itself) enters the trunk, and how it is encoded.
struct TrunkInputs {
  std::vector<int> first;                      // [parts]
  std::vector<const ConvolutionStack*> stack;  // [parts] or null
  std::vector<const EntityEncoder*> encoder;   // [parts] or null
  explicit TrunkInputs(const Network& net) {
    const auto& parts = net.observation();
    std::vector<int> offset{0};
    for (const ObservationPart& part : parts) offset.push_back(offset.back() + part.size());
    const auto part_at = [&](int column) {
      return at(std::upper_bound(offset.begin(), offset.end(), column) - offset.begin() - 1);
    };
    first.resize(parts.size()), stack.resize(parts.size()), encoder.resize(parts.size());
    int next = 0;
    for (const FlatColumns& flat : net.flat()) first[part_at(flat.first)] = next, next += flat.size;
    for (const ConvolutionStack& s : net.convolutions()) {
      const std::size_t p = part_at(s.first);
      first[p] = next, next += s.layers.back().out_size();
      stack[p] = &s;
    }
    for (const EntityEncoder& e : net.encoders()) {
      const std::size_t p = part_at(e.first);
      first[p] = next, next += e.layer.out;
      encoder[p] = &e;
    }
  }
};

// Where the columns of each action part lie in the head's dense layer; -1: it is a target.
std::vector<int> head_columns(const Network& net) {
  std::vector<int> dense(at(net.head_size()), -1), first;
  for (const HeadColumns& columns : net.head_columns())
    for (int i = 0; i < columns.size; ++i) dense[at(columns.to + i)] = columns.from + i;
  int logits = 0, values = net.mask_size();
  for (const ActionPart& part : net.action()) {
    int& next = part.is_choice() ? logits : values;
    first.push_back(dense[at(next)]);
    next += part.size;
  }
  return first;
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
          observation_[at(now_.action()[p].entities)] != then_.action()[at(action_[p])].entities)
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
  // Copies what both networks have of a layer: weights [rows x columns] and biases. Rows that are new get zero weights
  // into columns that are not; columns that are new keep what they have been given.
  void layer(std::size_t weight, std::size_t bias, const Map& rows, const Map& columns, std::size_t old_weight,
             std::size_t old_bias, int old_columns, float factor = 1) {
    float* w = bot_.parameters.data() + weight;
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t c = 0; c < columns.size(); ++c) {
        if (columns[c] < 0) continue;
        float& to = w[r * columns.size() + c];
        to = 0;
        if (rows[r] < 0) continue;
        to = factor * old_.parameters[old_weight + at(rows[r]) * at(old_columns) + at(columns[c])];
        ++out_.kept;
      }
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (columns[c] < 0) continue;
      bot_.parameters[bias + c] = factor * old_.parameters[old_bias + at(columns[c])];
      ++out_.kept;
    }
  }
  void layer(const DenseLayer& to, const DenseLayer& from, const Map& rows, const Map& columns, float factor = 1) {
    layer(to.weight, to.bias, rows, columns, from.weight, from.bias, from.out, factor);
  }

  const ObservationPart* former(std::size_t part) const {
    return observation_[part] < 0 ? nullptr : &then_.observation()[at(observation_[part])];
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
    std::vector<int> first{0};
    for (const ObservationPart& part : then_.observation()) first.push_back(first.back() + part.size());
    std::size_t column = 0;
    for (std::size_t p = 0; p < observation_.size(); ++p) {
      const ObservationPart& part = now_.observation()[p];
      const Map cells = former(p) ? match_cells(p) : grown(0, part.size());
      for (int cell : cells) {
        const std::size_t from = cell < 0 ? 0 : at(first[at(observation_[p])] + cell);
        bot_.scale.mean[column] = cell < 0 ? 0 : old_.scale.mean[from];
        bot_.scale.scale[column++] = cell < 0 ? 1 : old_.scale.scale[from];
      }
      for (std::size_t i = 0; is_rules(p) && i < cells.size(); ++i)
        if (cells[i] >= 0) rescale(old_.rules[at(cells[i])], bot_.rules[i], column - cells.size() + i);
    }
  }

  void encoders() {
    for (std::size_t p = 0; p < observation_.size(); ++p) {
      if (!former(p)) continue;
      const auto q = at(observation_[p]);
      if (const EntityEncoder* to = new_inputs_.encoder[p], *from = old_inputs_.encoder[q]; to && from)
        layer(to->layer, from->layer, grown(from->layer.in, to->layer.in), grown(from->layer.out, to->layer.out));
      const ConvolutionStack *to = new_inputs_.stack[p], *from = old_inputs_.stack[q];
      if (!to || !from) continue;
      for (std::size_t i = 0; i < std::min(to->layers.size(), from->layers.size()); ++i) {
        const ConvolutionLayer &a = from->layers[i], &b = to->layers[i];
        Map rows;
        for (int k = 0; k < 9; ++k)
          for (int c = 0; c < b.channels; ++c) rows.push_back(c < a.channels ? k * a.channels + c : -1);
        layer(b.weight, b.bias, rows, grown(a.out_channels, b.out_channels), a.weight, a.bias, a.out_channels);
      }
    }
  }

  // Per column of the trunk's input.
  Map trunk_inputs() {
    Map map(at(now_.trunk_in()), -1);
    for (std::size_t p = 0; p < observation_.size(); ++p) {
      if (!former(p)) continue;
      const auto q = at(observation_[p]);
      Map inner;
      const ConvolutionStack *to = new_inputs_.stack[p], *from = old_inputs_.stack[q];
      if ((to == nullptr) != (from == nullptr)) continue;  // convolved in one network only
      if (to) {
        const ConvolutionLayer &a = from->layers.back(), &b = to->layers.back();
        for (int y = 0; y < b.out_height; ++y)
          for (int x = 0; x < b.out_width; ++x)
            for (int c = 0; c < b.out_channels; ++c)
              inner.push_back(y < a.out_height && x < a.out_width && c < a.out_channels
                                  ? (y * a.out_width + x) * a.out_channels + c
                                  : -1);
      } else if (const EntityEncoder* encoder = new_inputs_.encoder[p]) {
        inner = grown(old_inputs_.encoder[q]->layer.out, encoder->layer.out);
      } else {
        inner = match_cells(p);
      }
      for (std::size_t i = 0; i < inner.size(); ++i)
        if (inner[i] >= 0) map[at(new_inputs_.first[p]) + i] = old_inputs_.first[q] + inner[i];
    }
    return map;
  }

  void trunk() {
    units_ = trunk_inputs();
    for (std::size_t i = 0; i < now_.trunk().size(); ++i) {
      const DenseLayer& to = now_.trunk()[i];
      if (i < then_.trunk().size()) {
        const Map out = grown(then_.trunk()[i].out, to.out);
        layer(to, then_.trunk()[i], units_, out);
        units_ = out;
        continue;
      }
      // The identity, of what the layers before have in common with the bot's last.
      Map out(at(to.out), -1);
      for (std::size_t r = 0; r < units_.size(); ++r)
        if (units_[r] >= 0) out[at(units_[r])] = units_[r];
      for (int r = 0; r < to.in; ++r)
        for (int c = 0; c < to.out; ++c)
          if (out[at(c)] >= 0)
            bot_.parameters[to.weight + at(r) * at(to.out) + at(c)] = units_[at(r)] == out[at(c)] ? 1 : 0;
      units_ = out;
    }
  }

  void memory() {
    const MinGruLayer &to = now_.memory(), &from = then_.memory();
    if (!to.size) return;
    if (!from.size) {  // what was there sees a state of zero
      for (std::size_t r = 0; r < at(to.size); ++r)
        for (std::size_t c = 0; c < at(to.size); ++c)
          if (units_[c] >= 0) bot_.parameters[to.weight + (2 * r + 1) * at(to.size) + c] = 0;
      return;
    }
    Map gates = units_;
    for (int unit : units_) gates.push_back(unit < 0 ? -1 : from.size + unit);
    layer(to.weight, to.bias, units_, gates, from.weight, from.bias, 2 * from.size);
  }

  void heads() {
    const std::vector<int> first = head_columns(now_), old_first = head_columns(then_);
    Map columns(at(now_.head().out), -1);
    columns.back() = then_.head().out - 1;  // the value
    for (std::size_t p = 0; p < action_.size(); ++p) {
      if (action_[p] < 0 || first[p] < 0) continue;
      const int common = std::min(now_.action()[p].size, then_.action()[at(action_[p])].size);
      for (int c = 0; c < common; ++c) columns[at(first[p] + c)] = old_first[at(action_[p])] + c;
    }
    for (std::size_t c = 0; c < columns.size(); ++c)
      for (std::size_t r = 0; r < units_.size() && columns[c] < 0; ++r)
        bot_.parameters[now_.head().weight + r * columns.size() + c] = 0;
    layer(now_.head(), then_.head(), units_, columns);
    values(first);
    targets();
  }

  // The standard deviations of continuous values; and their means, should a range have changed.
  void values(const std::vector<int>& first) {
    std::vector<std::size_t> old_value(then_.action().size());
    std::size_t next = 0;
    for (std::size_t p = 0; p < old_value.size(); ++p) {
      old_value[p] = next;
      if (!then_.action()[p].is_choice()) next += at(then_.action()[p].size);
    }
    std::size_t value = 0;
    for (std::size_t p = 0; p < action_.size(); ++p) {
      const ActionPart& to = now_.action()[p];
      if (to.is_choice()) continue;
      for (int i = 0; i < to.size; ++i, ++value) {
        if (action_[p] < 0 || i >= then_.action()[at(action_[p])].size) continue;
        const ActionPart& from = then_.action()[at(action_[p])];
        float& log_std = bot_.parameters[now_.log_std() + value];
        log_std = old_.parameters[then_.log_std() + old_value[at(action_[p])] + at(i)];
        ++out_.kept;
        if (from.low == to.low && from.high == to.high) continue;
        const float ratio = (from.high - from.low) / (to.high - to.low);
        const float shift = (from.low + from.high - to.low - to.high) / (to.high - to.low);
        log_std += std::log(ratio);
        const std::size_t column = at(first[p] + i), columns = at(now_.head().out);
        for (std::size_t r = 0; r < units_.size(); ++r)
          bot_.parameters[now_.head().weight + r * columns + column] *= ratio;
        float& bias = bot_.parameters[now_.head().bias + column];
        bias = ratio * bias + shift;
      }
    }
  }

  void targets() {
    std::size_t next = 0;
    for (std::size_t p = 0; p < action_.size(); ++p) {
      if (now_.action()[p].kind != ActionPart::Kind::target) continue;
      const DenseLayer& to = now_.targets()[next++].query;
      if (action_[p] < 0) continue;
      std::size_t k = 0;
      for (int q = 0; q < action_[p]; ++q) k += then_.action()[at(q)].kind == ActionPart::Kind::target;
      const DenseLayer& from = then_.targets()[k].query;
      const Map columns = grown(from.out, to.out);
      // Nothing is asked of the encodings' new columns yet.
      for (std::size_t c = at(from.out); c < columns.size(); ++c)
        for (std::size_t r = 0; r < units_.size(); ++r) bot_.parameters[to.weight + r * columns.size() + c] = 0;
      const double wider = static_cast<double>(to.out) / from.out;
      layer(to, from, units_, columns, static_cast<float>(std::sqrt(wider)));
    }
  }

  void say(std::string line) { out_.summary.push_back(std::move(line)); }

  void report() {
    for (std::size_t p = 0; p < observation_.size(); ++p) report(now_.observation()[p], former(p), p);
    report_dropped("observation", then_.observation(), observation_, ": the network no longer sees it");
    for (std::size_t p = 0; p < action_.size(); ++p)
      report(now_.action()[p], action_[p] < 0 ? nullptr : &then_.action()[at(action_[p])]);
    report_dropped("action", then_.action(), action_, "");
    if (!dropped(then_.observation().size(), observation_).empty()) out_.exact = false;

    const NetworkOptions &before = then_.options(), &after = now_.options();
    if (before.hidden != after.hidden)
      say(fmt::format("network: hidden layers of {} grow to {}", fmt::join(before.hidden, ", "),
                      fmt::join(after.hidden, ", ")));
    if (before.memory != after.memory)
      say(before.memory ? fmt::format("network: the memory of {} grows to {}", before.memory, after.memory)
                        : fmt::format("network: a memory of {} is new", after.memory));
    if (!then_.encoders().empty() && before.entity != after.entity)
      say(fmt::format("network: encodings of entities of {} grow to {}", before.entity, after.entity));
    say(fmt::format("{} of the network's {} parameters come from the bot", out_.kept, bot_.parameters.size()));
    if (!out_.exact) say("what it does in situations it knows may have changed");
  }

  void report(const ObservationPart& now, const ObservationPart* then, std::size_t p) {
    const std::string head = fmt::format("observation '{}': ", now.name);
    if (!then) return say(head + "new");
    if (is_rules(p)) return report_rules(head);
    const auto q = at(observation_[p]);
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
        if ((new_inputs_.stack[p] == nullptr) != (old_inputs_.stack[q] == nullptr)) {
          changes += ", read by a new encoder";
          out_.exact = false;
        } else if (new_inputs_.stack[p] && (then->height != now.height || then->width != now.width)) {
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
  const TrunkInputs old_inputs_{then_}, new_inputs_{now_};
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
  if (!old.encoders().empty()) wanted.entity = std::max(wanted.entity, bot.entity);
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
  bot.scale.mean.assign(at(bot.network.observation_size()), 0);
  bot.scale.scale.assign(at(bot.network.observation_size()), 1);
  Surgeon surgeon(old.value(), bot, result);
  if (surgeon.nothing_in_common())
    return Error{fmt::format("{}: made for a version of the game '{}' that has no observation part in common with it",
                             file, spec.name)};
  surgeon.operate();
  return result;
}

}  // namespace rival
