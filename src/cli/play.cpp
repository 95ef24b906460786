// rival play GAME BOT: play against it in the terminal.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <limits>
#include <string_view>

#include "agent/scripted.hpp"
#include "base/index.hpp"
#include "base/names.hpp"
#include "base/number.hpp"
#include "cli/command.hpp"
#include "cli/player.hpp"
#include "cli/settings.hpp"
#include "game/spec.hpp"
#include "match/match.hpp"

namespace rival::cli {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// How a win estimate of the bot's reads.
std::string in_words(double win) {
  const char* words = win >= 0.97  ? "it is sure of winning"
                      : win >= 0.8 ? "it is winning"
                      : win >= 0.6 ? "it is ahead"
                      : win > 0.4  ? "the game is even"
                      : win > 0.2  ? "it is behind"
                      : win > 0.03 ? "it is losing"
                                   : "it is lost";
  return fmt::format("{} ({:.0f}%)", words, 100 * std::clamp(win, 0.0, 1.0));
}

// The drawn position in colour: the stones X and O each in theirs, what changed since `before` in reverse.
std::string coloured(const Console& console, const std::string& text, const std::string& before) {
  const bool comparable = before.size() == text.size();
  const auto alone = [&text](std::size_t i) {
    const auto letter = [](char c) { return is_letter(c) || is_digit(c); };
    return (i == 0 || !letter(text[i - 1])) && (i + 1 == text.size() || !letter(text[i + 1]));
  };
  std::string out;
  for (std::size_t i = 0, size = 1; i < text.size(); i += size) {
    const char c = text[i];
    size = 1;
    while (i + size < text.size() && (text[i + size] & 0xc0) == 0x80) ++size;  // the rest of a character of UTF-8
    const std::string one = text.substr(i, size);
    const bool changed = comparable && before.compare(i, size, one) != 0 && c != ' ' && c != '\n';
    if (c == 'X' && alone(i))
      out += console.styled(one, changed ? "1;7;33" : "1;33");
    else if (c == 'O' && alone(i))
      out += console.styled(one, changed ? "1;7;36" : "1;36");
    else if (changed)
      out += console.styled(one, "1");
    else
      out += c == '.' ? console.dim(one) : one;
  }
  return out;
}

struct Options {
  std::string game, player;
  std::optional<int> seat;  // none: seat 0 first, then in turn
  std::optional<std::uint64_t> seed;
  bool watch = false;
  std::optional<float> temperature;
  MatchSetup setup;
};

// One match at a time between a person and a player, on a batch of one.
class Table {
 public:
  enum class Ending { finished, quit };

  // `win_estimates`: whether the player's expectations read as chances of winning.
  Table(const GameEntry& game, MatchSettings settings, Player& player, bool win_estimates, Console& console,
        std::istream& input)
      : spec_(game.spec),
        settings_(std::move(settings)),
        agent_(*player.agent),
        advisor_(player.advisor.get()),
        name_(player.name),
        win_estimates_(win_estimates),
        console_(console),
        input_(input),
        batch_(game.make_batch(1)),
        rows_(*batch_),
        layout_(batch_->layout()) {
    probabilities_.resize(rows_.masks.size());
  }

  // The person sits in `seat`; -1: nobody does, the player plays all seats. Error: the player broke the rules.
  Result<Ending> play(int seat, Key key) {
    seat_ = seat;
    key_ = key;
    history_.clear();
    restart();
    draw();
    while (status_ == Status::running) {
      if (Result<void> shown = rows_.observe(); !shown) return shown.error();
      const auto [own, others] = acting();
      if (own >= 0) {
        consult(own);
        const Command command = ask(own);
        if (command == Command::quit) return Ending::quit;
        if (command == Command::undo) {
          if (Result<void> undone = undo(); !undone) return undone.error();
          continue;
        }
      }
      const std::string expectation = others.size() == 1 ? expects(others[0]) : "";
      if (!others.empty())
        if (Result<void> acted = let_play(others); !acted) return acted.error();
      history_.push_back({rows_.choices, rows_.values, own >= 0});
      if (Result<void> stepped = step(); !stepped) return stepped.error();
      if (!others.empty()) tell(others, expectation);
      // What the person did is drawn together with the answer to it.
      if (seat_ < 0 || status_ != Status::running || batch_->to_act(0).contains(seat_)) draw();
    }
    return Ending::finished;
  }

  // The person's: the result, or the return in games without one.
  double standing(int seat) const {
    return batch_->has_result() && status_ == Status::finished ? batch_->result(0, spec_.team_of(seat))
                                                               : returns_[seat];
  }
  double best_other(int seat) const {
    double best = -std::numeric_limits<double>::infinity();
    for (int other = 0; other < spec_.seats; ++other)
      if (spec_.team_of(other) != spec_.team_of(seat)) best = std::max(best, standing(other));
    return best;
  }
  double total(int seat) const { return returns_[seat]; }
  Status status() const { return status_; }
  // The whole position, hidden cards and all.
  std::string full_text() const { return batch_->text(0); }

 private:
  enum class Command { move, undo, quit };
  struct Step {
    std::vector<std::int32_t> choices;  // of all rows
    std::vector<float> values;
    bool by_person;
  };

  // The rows that wait for a decision.
  struct Acting {
    int own = -1;  // the person's, if theirs does
    std::vector<int> others;
  };
  Acting acting() const {
    Acting acting;
    for (int row : rows_.acting()) {
      if (seat_of(row) == seat_)
        acting.own = row;
      else
        acting.others.push_back(row);
    }
    return acting;
  }

  int seat_of(int row) const { return rows_.seats[row]; }

  void restart() {
    const int match = 0;
    start_matches(*batch_, {&match, 1}, settings_, {&key_, 1});
    agent_.match_started(0);
    if (advisor_) advisor_->match_started(0);
    status_ = Status::running;
    returns_.assign(index(spec_.seats), 0);
    drawn_.clear();
  }

  Key step_key() const { return key_.split(1 + history_.size()); }

  Result<void> let_play(const std::vector<int>& rows) {
    agent_.act(rows_.decisions(rows), step_key(), rows_.choices.data(), rows_.values.data());
    return rows_.take(rows, name_);
  }

  Result<void> step() {
    if (Result<void> stepped = rows_.step(); !stepped) return stepped;
    for (int seat = 0; seat < spec_.seats; ++seat) returns_[seat] += rows_.rewards[seat];
    status_ = rows_.status[0];
    return {};
  }

  // Goes back to before the person's last move. The match is played again from its start, so that players with a memory
  // remember the right one.
  Result<void> undo() {
    std::vector<Step> kept = history_;
    while (!kept.empty() && !kept.back().by_person) kept.pop_back();
    if (kept.empty()) {
      console_.print("There is nothing to take back.\n");
      return {};
    }
    kept.pop_back();
    if (Result<void> replayed = replay(kept); !replayed) return replayed;
    draw();
    return {};
  }

  Result<void> replay(const std::vector<Step>& steps) {
    restart();
    history_.clear();
    for (const Step& past : steps) {
      if (Result<void> shown = rows_.observe(); !shown) return shown;
      const auto [own, others] = acting();
      if (own >= 0) consult(own);
      if (!others.empty())
        if (Result<void> acted = let_play(others); !acted) return acted;
      rows_.choices = past.choices;
      rows_.values = past.values;
      history_.push_back(past);
      if (Result<void> stepped = step(); !stepped) return stepped;
    }
    return {};
  }

  void draw() {
    const std::string text = seat_ >= 0 ? batch_->text(0, seat_) : batch_->text(0);
    if (!text.empty() && text != drawn_) console_.print("\n{}\n", coloured(console_, text, drawn_));
    drawn_ = text;
  }

  // ---- moves as people write them ----

  bool single_choice() const { return spec_.action.size() == 1 && spec_.action[0].is_choice(); }

  std::string move_text(int row, int seat) const {
    if (single_choice()) return batch_->action_text(0, seat, rows_.choice_row(row)[0]);
    std::string text;
    for (std::size_t p = 0; p < spec_.action.size(); ++p) {
      const ActionPart& part = spec_.action[p];
      if (part.is_choice())
        text += fmt::format(" {}", rows_.choice_row(row)[layout_.choice_index[p]]);
      else
        for (int i = 0; i < part.size; ++i)
          text += " " + with_decimals(rows_.value_row(row)[layout_.value_offset[p] + i], 2);
    }
    return trimmed(text);
  }

  std::vector<std::string> allowed_moves(int row) const {
    std::vector<std::string> texts;
    for (int choice = 0; choice < spec_.action[0].size; ++choice)
      if (rows_.mask(row)[choice]) texts.push_back(batch_->action_text(0, seat_, choice));
    return texts;
  }

  // What can be typed at this point.
  std::string moves_help(int row) const {
    if (single_choice()) {
      std::string text = "You can play:";
      const std::vector<std::string> allowed = allowed_moves(row);
      for (std::size_t i = 0; i < allowed.size() && i < 60; ++i) text += " " + allowed[i];
      return allowed.size() > 60 ? text + " ..." : text;
    }
    std::string text = "Type, with spaces between:";
    for (const ActionPart& part : spec_.action)
      text += part.is_choice() ? fmt::format(" {} (0 to {})", part.name, part.size - 1)
                               : fmt::format(" {} ({} from {} to {})", part.name,
                                             part.size == 1 ? "a number" : fmt::format("{} numbers", part.size),
                                             part.low, part.high);
    return text;
  }

  // Reads a move into move_; an Error says what was wrong with it.
  Result<void> parse(const std::string& line, int row) {
    return single_choice() ? parse_choice(line, row) : parse_parts(line, row);
  }

  Result<void> parse_choice(const std::string& line, int row) {
    std::vector<std::string> all;
    for (int choice = 0; choice < spec_.action[0].size; ++choice) {
      all.push_back(batch_->action_text(0, seat_, choice));
      if (lower(all.back()) != lower(line)) continue;
      if (!rows_.mask(row)[choice]) return Error{fmt::format("{} is not allowed now. {}", all.back(), moves_help(row))};
      rows_.choice_row(row)[0] = choice;
      return {};
    }
    const std::string near = nearest(line, all);
    return Error{fmt::format("There is no move '{}'{}. {}", line,
                             near.empty() ? "" : fmt::format("; did you mean {}?", near), moves_help(row))};
  }

  Result<void> parse_parts(const std::string& line, int row) {
    std::size_t at = 0;
    const auto next = [&line, &at] {
      const std::size_t from = std::min(line.find_first_not_of(" \t", at), line.size());
      at = std::min(line.find_first_of(" \t", from), line.size());
      return std::string_view(line).substr(from, at - from);
    };
    for (std::size_t p = 0; p < spec_.action.size(); ++p) {
      const ActionPart& part = spec_.action[p];
      if (part.is_choice()) {
        const auto choice = static_cast<int>(std::clamp<std::int64_t>(read_whole(next()).value_or(-1), -1, part.size));
        if (choice < 0 || choice >= part.size)
          return Error{fmt::format("'{}' needs a number from 0 to {}. {}", part.name, part.size - 1, moves_help(row))};
        if (!rows_.mask(row, p)[choice])
          return Error{fmt::format("{} is not allowed for '{}' now.", choice, part.name)};
        rows_.choice_row(row)[layout_.choice_index[p]] = choice;
        continue;
      }
      for (int i = 0; i < part.size; ++i) {
        const auto value = static_cast<float>(read_real(next()).value_or(NAN));
        if (!(value >= part.low && value <= part.high))
          return Error{
              fmt::format("'{}' needs a number from {} to {}. {}", part.name, part.low, part.high, moves_help(row))};
        rows_.value_row(row)[layout_.value_offset[p] + i] = value;
      }
    }
    return {};
  }

  // Shows the advisor the person's position, as if it were to play on: its memory follows the match.
  void consult(int row) {
    if (!advisor_) return;
    const std::vector<int> rows = {row};
    advised_ = single_choice() && advisor_->probabilities(rows_.decisions(rows), probabilities_.data());
    would_play(*advisor_, rows);
  }

  Command ask(int row) {
    for (;;) {
      std::string line;
      if (!console_.ask(console_.bold("Your move:") + " ", input_, line)) return Command::quit;
      line = trimmed(line);
      const std::string command = lower(line);
      if (command.empty() || command == "?" || command == "help") {
        console_.print("{}\nh  a hint   u  take back your last move   q  quit\n", moves_help(row));
        continue;
      }
      if (command == "q" || command == "quit") return Command::quit;
      const Result<void> move = parse(line, row);
      if (move) return Command::move;
      if (command == "u" || command == "undo") return Command::undo;
      if (command == "h" || command == "hint")
        hint(row);
      else
        console_.print("{}\n", move.error().message);
    }
  }

  // The choices of all rows, of which those of `rows` are the agent's.
  std::vector<std::int32_t> would_play(Agent& agent, const std::vector<int>& rows) const {
    std::vector<std::int32_t> choices = rows_.choices;
    std::vector<float> values = rows_.values;
    agent.act(rows_.decisions(rows), step_key(), choices.data(), values.data());
    return choices;
  }

  // What the player would do in the person's place.
  void hint(int row) {
    if (!single_choice()) return console_.print("{} has no hint to give here.\n", name_);
    if (!advised_) {
      const std::vector<int> rows = {row};
      return console_.print("In your place {} would play: {}\n", name_,
                            batch_->action_text(0, seat_, would_play(agent_, rows)[row]));
    }
    const float* p = probabilities_.data() + row * layout_.mask_size;
    std::vector<int> order;
    for (int choice = 0; choice < spec_.action[0].size; ++choice)
      if (rows_.mask(row)[choice]) order.push_back(choice);
    std::stable_sort(order.begin(), order.end(), [p](int a, int b) { return p[a] > p[b]; });
    std::string text;
    for (std::size_t i = 0; i < order.size() && i < 3; ++i)
      if (i == 0 || p[order[i]] >= 0.05f)
        text += fmt::format("{}{} ({:.0f}%)", i == 0 ? "" : ", ", batch_->action_text(0, seat_, order[i]),
                            100 * static_cast<double>(p[order[i]]));
    console_.print("In your place {} would play: {}\n", name_, text);
  }

  std::string expects(int row) {
    if (spec_.hidden_information) return "";  // it would tell its cards
    const std::vector<int> rows = {row};
    std::vector<float> values(batch_->rows());
    if (!agent_.estimate(rows_.decisions(rows), values.data())) return "";
    const auto value = static_cast<double>(values[row]);
    return win_estimates_ ? fmt::format(" {} thinks {}.", name_, in_words((value + 1) / 2))
                          : fmt::format(" {} expects {}.", name_, with_sign(value, 2));
  }

  void tell(const std::vector<int>& rows, const std::string& expectation) {
    for (int row : rows) {
      const int seat = seat_of(row);
      const std::string who = seat_ >= 0 && spec_.seats == 2 ? name_ : fmt::format("Seat {}", seat);
      console_.print("{} plays {}.{}\n", who, console_.bold(move_text(row, seat)), expectation);
    }
  }

  const Spec& spec_;
  MatchSettings settings_;
  Agent& agent_;
  Agent* advisor_;  // may be null
  std::string name_;
  bool win_estimates_;
  Console& console_;
  std::istream& input_;
  std::unique_ptr<Batch> batch_;
  BatchRows rows_;
  const RowLayout& layout_;
  int seat_ = -1;
  Key key_;
  Status status_ = Status::running;
  std::vector<Step> history_;
  std::string drawn_;

  bool advised_ = false;  // whether probabilities_ hold what the advisor thinks of the person's position
  std::vector<float> probabilities_;
  std::vector<double> returns_;
};

// Whether all there is to gain in a match is a result of -1, 0 or 1, judged by a few random matches.
bool results_are_wins(const GameEntry& game, const MatchSettings& settings) {
  if (game.spec.team_count() != 2) return false;
  const auto random = random_agent();
  const Result<MatchSummary> sum =
      play_matches(game, *random, random.get(), Key(1), {.matches = 32, .settings = settings});
  return sum && sum.value().returns_are_results;
}

Result<Outcome> play(const Options& options, const Games& games, Console& console) {
  const Result<GameEntry> opened = games.open_sound(options.game);
  if (!opened) return opened.error();
  const GameEntry& game = opened.value();
  const Spec& spec = game.spec;
  if (options.seat && *options.seat >= spec.seats)
    wrong_usage(
        {fmt::format("{} has the seats 0 to {}; --seat {} is none of them", spec.name, spec.seats - 1, *options.seat)});
  Result<Player> player = load_player(game, options.player, options.temperature);
  if (!player) return player.error();
  if (is_path(options.player)) player->name = "Rival";
  const Key key(
      options.seed.value_or(static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count())));

  if (!player->bot.note.empty()) console.print("note: {}\n", player->bot.note);
  const MatchSettings settings = match_settings_or_usage(spec, options.setup, player->settings(spec));
  Table table(game, settings, player.value(), results_are_wins(game, settings), console, std::cin);
  int wins = 0, draws = 0, losses = 0;
  for (int match = 0;; ++match) {
    const int seat = options.watch ? -1 : options.seat.value_or(match % spec.seats);
    if (!options.watch && spec.seats > 1)
      console.print("{}: you have seat {}{}. Enter ? for help.\n", spec.name, seat,
                    spec.simultaneous ? ""
                    : seat == 0       ? " and move first"
                                      : "");
    const Result<Table::Ending> ending = table.play(seat, key.split(static_cast<std::uint64_t>(match)));
    if (!ending) return ending.error();
    if (ending.value() == Table::Ending::quit) break;
    if (spec.hidden_information && !table.full_text().empty()) console.print("\n{}\n", table.full_text());
    if (table.status() == Status::truncated) console.print("The match was cut short.\n");
    if (options.watch || spec.team_count() == 1) {
      for (int s = 0; s < spec.seats; ++s) console.print("Return of seat {}: {}\n", s, with_digits(table.total(s), 6));
    } else {
      const double lead = table.standing(seat) - table.best_other(seat);
      wins += lead > 0;
      draws += lead == 0;
      losses += lead < 0;
      console.print("{}", console.bold(lead > 0 ? "You win!" : lead < 0 ? player->name + " wins." : "A draw."));
      console.print("  You {}, {} {}, draws {}\n", wins, player->name, losses, draws);
    }
    if (options.watch) break;
    const std::string where = !options.seat && spec.seats > 1 ? " in the next seat" : "";
    std::string answer;
    if (!console.ask(fmt::format("Play again{}? [Y/n] ", where), std::cin, answer)) break;
    if (answer = lower(trimmed(answer)); !answer.empty() && answer[0] != 'y') break;
  }
  return Outcome{{{"game", spec.name}, {"bot", options.player}, {"wins", wins}, {"draws", draws}, {"losses", losses}}};
}

Action declare(Arguments& arguments, const Games& games) {
  const auto options = std::make_shared<Options>();
  arguments.add("GAME", &options->game, games_help(), {.required = true});
  arguments.add("BOT", &options->player,
                "A bot's file, a run's folder, RUN@RATING, a scripted player of the game, or search:N (a tree search)",
                {.required = true});
  arguments.add("--seat", &options->seat, "Your seat in every match, from 0 (which begins); without it, in turn",
                {.low = 0});
  arguments.add("--seed", &options->seed, "The same seed deals the same cards");
  arguments.add("--temperature", &options->temperature,
                "How it plays: 1 as trained, more is weaker, 0 the most likely choice; default 1 where play must be "
                "mixed, else 0",
                {.low = 0, .high = kHottest});
  arguments.add_flag("--watch", options->watch, "Watch it play all seats");
  add_setup(arguments, options->setup);
  return [options, &games](Console& console) { return play(*options, games, console); };
}

}  // namespace

Command play_command() {
  return {"play",
          "play against a bot in the terminal",
          {{"play {} runs/demo/bots/final.safetensors", "connect_four"},
           {"play {} runs/demo/bots/final.safetensors --seat 1", "connect_four"},
           {"play {} runs/demo@1200", "connect_four"},
           {"play {} search:200", "tic_tac_toe"}},
          declare};
}

}  // namespace rival::cli
