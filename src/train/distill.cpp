#include "train/distill.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "agent/player.hpp"
#include "base/threads.hpp"
#include "game/rows.hpp"
#include "match/match.hpp"
#include "train/learner.hpp"

namespace rival {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kDecisions = 16'384;      // that a shard collects for an update, about
constexpr int kMostMatches = 2'048;     // of a shard at once
constexpr int kMinibatch = 512;         // decisions, of all shards together
constexpr double kPupilsShare = 0.5;    // of the matches, at the end
constexpr double kLearningRate = 2e-3;  // at the start; 0 at the end

// Plays matches from their start to their end, and notes what the teacher says in each situation.
class Classroom {
 public:
  Classroom(const GameEntry& game, std::shared_ptr<const SharedBot> teacher, const Network& pupil,
            const Backend& backend, const MatchSettings& settings)
      : game_(game),
        settings_(settings),
        teacher_bot_(std::move(teacher)),
        layout_(game.spec),
        sight_(game.spec, teacher_bot_->bot().rules),
        width_(pupil.observation_size()),
        lesson_(game.spec, backend, teacher_bot_->bot().scale) {
    set_matches(1);
  }

  // So many matches a lesson that they have about kDecisions.
  void set_matches(int matches) {
    batch_ = game_.make_batch(matches);
    rows_ = std::make_unique<BatchRows>(*batch_);
    teacher_ = std::make_unique<BotAgent>(teacher_bot_, game_.spec, 1.0f);
  }
  int matches() const { return batch_->matches(); }
  Samples& samples() { return lesson_.samples(); }

  // The first `played` matches are the pupil's.
  Result<void> play(const std::shared_ptr<const SharedBot>& pupil, int played, Key key) {
    lesson_.clear();
    BotAgent pupil_agent(pupil, game_.spec, 1.0f);
    std::vector<int> all(matches());
    std::iota(all.begin(), all.end(), 0);
    std::vector<Key> keys;
    for (int match : all) keys.push_back(key.split(0).split(static_cast<std::uint64_t>(match)));
    start_matches(*batch_, all, settings_, keys);
    for (int match : all) teacher_->match_started(match);
    std::fill(rows_->status.begin(), rows_->status.end(), Status::running);
    expected_.resize(index(batch_->rows()));
    std::vector<std::int32_t> own_choices(rows_->choices.size());
    std::vector<float> own_values(rows_->values.size());
    std::vector<int> own;
    const auto running = [](Status status) { return status == Status::running; };
    for (std::uint64_t step = 1; std::any_of(rows_->status.begin(), rows_->status.end(), running); ++step) {
      if (samples().count >= 4 * kDecisions) break;
      if (auto seen = rows_->observe(); !seen) return seen;
      const Decisions decisions = rows_->decisions();
      teacher_->estimate(decisions, expected_.data());
      teacher_->act(decisions, key.split(step).split(0), rows_->choices.data(), rows_->values.data());
      if (auto taken = rows_->take(rows_->acting(), "the bot"); !taken) return taken;
      note();
      own.clear();
      for (int row : rows_->acting())
        if (rows_->match_of(row) < played) own.push_back(row);
      if (!own.empty()) {
        pupil_agent.act(rows_->decisions(own), key.split(step).split(1), own_choices.data(), own_values.data());
        for (int row : own) {
          std::copy_n(own_choices.data() + index(row) * layout_.choice_count(), layout_.choice_count(),
                      rows_->choice_row(row));
          std::copy_n(own_values.data() + index(row) * layout_.value_count, layout_.value_count, rows_->value_row(row));
        }
        if (auto taken = rows_->take(own, "the smaller bot"); !taken) return taken;
      }
      if (auto stepped = rows_->step(); !stepped) return stepped;
      for (int match : all)
        if (rows_->status[match] == Status::running)
          if (auto ends = ends_in_time(*batch_, match, match); !ends) return ends;
    }
    return {};
  }

 private:
  // The rows that act, with the teacher's answers.
  void note() {
    const float* seen = sight_.rows(*batch_, rows_->acting(), rows_->observations.data());
    for (int row : rows_->acting())
      lesson_.add(rows_->match_of(row) * game_.spec.seats + rows_->seats[index(row)], seen + index(row) * width_,
                  rows_->mask(row), rows_->choice_row(row), rows_->value_row(row), expected_[index(row)]);
  }

  const GameEntry& game_;
  const MatchSettings& settings_;
  std::shared_ptr<const SharedBot> teacher_bot_;
  HeadLayout layout_;
  RulesSight sight_;
  int width_;
  Demonstrations lesson_;
  std::unique_ptr<Batch> batch_;
  std::unique_ptr<BatchRows> rows_;
  std::unique_ptr<BotAgent> teacher_;
  std::vector<float> expected_;
};

}  // namespace

Result<Bot> distill(const GameEntry& game, const Bot& teacher, NetworkOptions wanted, Key key,
                    const DistillOptions& options) {
  if (teacher.network.memory_size() > 0) wanted.memory = -1;
  Result<Network> made = Network::make(with_rules(game.spec, teacher.rules), wanted);
  if (!made) return made.error();
  Bot pupil = untrained_bot(game.spec.name, std::move(made.value()), key.split(0));
  pupil.origin = teacher.origin, pupil.scale = teacher.scale, pupil.limits = teacher.limits;
  pupil.rules = teacher.rules;
  const Network network = pupil.network;
  const auto backend = make_backend(BackendKind::onednn, network, Precision::f32);
  if (!backend) return backend.error();

  Team team(options.threads);
  const auto shared_teacher = std::make_shared<const SharedBot>(teacher);
  std::vector<Classroom> rooms;
  std::vector<Samples*> samples;
  for (int i = 0; i < team.size(); ++i)
    rooms.emplace_back(game, shared_teacher, network, *backend.value(), options.settings);
  for (Classroom& room : rooms) samples.push_back(&room.samples());
  Learner learner(network, HeadLayout(game.spec), *backend.value(), team, team.size(), pupil.parameters);
  const auto newest = [&](const std::vector<float>& parameters) {
    pupil.parameters = parameters;
    pupil.value_mean = static_cast<float>(learner.value_mean);
    pupil.value_scale = static_cast<float>(learner.value_scale);
  };

  const auto begin = Clock::now();
  const auto progress = [&] {
    const double by_time = std::chrono::duration<double>(Clock::now() - begin).count() / options.seconds;
    if (options.decisions == 0) return std::min(1.0, by_time);
    return std::min(1.0, static_cast<double>(pupil.steps) / static_cast<double>(options.decisions));
  };
  std::vector<Result<void>> played(rooms.size());
  for (std::uint64_t lesson = 1;; ++lesson) {
    const double done = progress();
    if (options.progress) options.progress(done);
    if (lesson > 1 && (done >= 1 || (options.stop && options.stop()))) break;
    const auto shared = std::make_shared<const SharedBot>(pupil);
    team.run([&](int member) {
      Classroom& room = rooms[index(member)];
      const int own = static_cast<int>(kPupilsShare * done * room.matches());
      played[index(member)] = room.play(shared, own, key.split(lesson).split(static_cast<std::uint64_t>(member)));
    });
    int count = 0;
    for (std::size_t i = 0; i < rooms.size(); ++i) {
      if (!played[i]) return played[i].error();
      count += samples[i]->count;
    }
    const int per_match = std::max(1, count / static_cast<int>(rooms.size()) / rooms[0].matches());
    const UpdateOptions update{.loss = LossKind::likelihood,
                               .epochs = 2,
                               .minibatches = std::max(1, count / kMinibatch),
                               .learning_rate = kLearningRate * (1 - done)};
    if (auto learnt = learner.update(samples, update, key.split(lesson).split(~std::uint64_t{0})); !learnt)
      return learnt.error();
    pupil.steps += count;
    newest(learner.parameters());
    if (lesson == 1)
      for (Classroom& room : rooms) room.set_matches(std::clamp(kDecisions / per_match, 2, kMostMatches));
  }
  newest(learner.averaged());
  return pupil;
}

}  // namespace rival
