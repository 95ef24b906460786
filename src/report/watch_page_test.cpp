#include "report/watch_page.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/index.hpp"
#include "games/catalog.hpp"
#include "report/ladder_page.hpp"
#include "report/page.hpp"
#include "report/series.hpp"
#include "tests/little_arena.hpp"

namespace rival {
namespace {

using Json = nlohmann::json;

// A recorded match of random allowed choices.
Replay record(BatchFactory make, Settings settings) {
  const std::unique_ptr<Batch> batch = make(1);
  const Key key(5);
  batch->start_all(settings, key);
  ReplayRecorder recorder(*batch, 0, key.split(0));
  const RowLayout& layout = batch->layout();
  const std::size_t rows = batch->rows();
  std::vector<float> observations(rows * index(layout.observation_size));
  std::vector<std::uint8_t> masks(rows * index(layout.mask_size));
  std::vector<std::int8_t> seats(rows);
  std::vector<std::int32_t> choices(rows);
  std::vector<float> rewards(batch->spec().seats);
  Random random(Key(1));
  Status status = Status::running;
  while (status == Status::running) {
    batch->observe({observations.data(), masks.data(), seats.data()});
    for (std::size_t row = 0; row < rows; ++row) do
        choices[row] = random.below(layout.mask_size);
      while (!masks[row * index(layout.mask_size) + choices[row]]);
    recorder.record({choices.data(), nullptr});
    batch->step({choices.data(), nullptr}, {rewards.data(), &status});
  }
  return recorder.finish();
}

Replay record(const GameEntry& game) {
  return record(game.make_batch, default_settings(game.spec));
}

const BatchFactory kArena = &BatchOf<LittleArena>::make;

std::vector<int> column(const Json& series) {
  return decode_series(series.get<std::string>());
}

TEST(Series, ComeBack) {
  const std::vector<std::vector<int>> all = {
      {}, {0}, {0, 0, 0}, {5}, {-1, -1, -1, 0, 0, 7}, {1 << 30, -(1 << 30), 31, 32, 33}, std::vector<int>(5000, 123)};
  for (const std::vector<int>& values : all) EXPECT_EQ(decode_series(encode_series(values)), values);
  EXPECT_LE(encode_series(all.back()).size(), 8u);
  EXPECT_EQ(encode_series(std::vector<int>{1, 2, 3}), "CCC");
}

TEST(Page, NothingInItsDataEndsTheScript) {
  const std::string evil = "</script><script>alert(1)</script><!--\xff\xe2\x80\xa8";
  const std::string page =
      fill_page("<title>{{TITLE}}</title>{{STYLE}}|{{DATA}}|{{SCRIPT}}", evil, "s", "{{DATA}}", {{"name", evil}});
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("</script"), std::string::npos);
  EXPECT_EQ(page.find("<!--"), std::string::npos);
  EXPECT_TRUE(page.ends_with("|{{DATA}}")) << "what is filled in is searched again";
  const std::size_t begin = page.find('|') + 1, end = page.rfind('|');
  const Json data = Json::parse(page.substr(begin, end - begin));
  EXPECT_TRUE(data["name"].get<std::string>().starts_with("</script><script>alert(1)</script><!--"));
  EXPECT_EQ(html_text("<a href=\"x\" & 'y'>"), "&lt;a href=&quot;x&quot; &amp; &#39;y&#39;&gt;");
}

TEST(WatchPage, ABoardIsItsTextAndMoves) {
  const GameEntry game = built_in("tic_tac_toe");
  const Replay replay = record(game);
  const Result<Json> data = watch_data({&replay, game.make_batch, {"a", "b"}, {}});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data.value()["kind"], "board");
  EXPECT_EQ(data.value()["steps"], replay.steps());
  EXPECT_EQ(data.value()["moves"].size(), index(replay.steps()));
  const std::vector<int> frames = column(data.value()["film"]["frames"]);
  ASSERT_EQ(frames.size(), index(replay.steps()) + 1);
  EXPECT_EQ(data.value()["film"]["texts"][0].get<std::string>(), ". . .\n. . .\n. . .\n");
  EXPECT_EQ(data.value()["moves"][0][1], 0);
  EXPECT_EQ(data.value()["results"].size(), 2u);
}

TEST(WatchPage, EveryBuiltInGameHasOne) {
  for (const GameEntry& game : catalog()) {
    if (game.spec.action.size() != 1 || !game.spec.action[0].is_choice()) continue;
    const Replay replay = record(game);
    Result<std::string> page = watch_page({&replay, game.make_batch, {}, {}});
    ASSERT_TRUE(page.ok()) << page.error().message;
    EXPECT_LT(page->size(), 200'000u) << game.spec.name;
  }
}

TEST(WatchPage, AnArenaIsAFilm) {
  const Replay replay = record(kArena, {});
  std::vector<std::vector<float>> values(LittleArena::kSteps, {0.5f, std::numeric_limits<float>::quiet_NaN()});
  const Result<Json> read = watch_data({&replay, kArena, {}, values});
  ASSERT_TRUE(read.ok()) << read.error().message;
  const Json& data = read.value();
  EXPECT_EQ(data["kind"], "arena");
  EXPECT_EQ(data["values"][0][3], 0.5);
  EXPECT_TRUE(data["values"][1][3].is_null());
  const Json& film = data["film"];
  const auto frames = index(LittleArena::kSteps) + 1;
  for (const Json& hero : film["heroes"]) {
    ASSERT_EQ(hero["columns"].size(), 14u);
    for (const Json& values_of : hero["columns"]) EXPECT_EQ(column(values_of).size(), frames);
    EXPECT_EQ(hero["items"], Json::parse("[[80,[3,5]]]"));
  }
  EXPECT_EQ(column(film["heroes"][0]["columns"][8])[110], 50);  // respawn, in tenths of a second
  EXPECT_EQ(column(film["heroes"][2]["columns"][9])[59], 0);    // seen
  EXPECT_EQ(column(film["heroes"][2]["columns"][9])[60], 1);
  const double scale = film["scale"];
  EXPECT_NEAR(column(film["heroes"][1]["columns"][1])[0] / scale, 27 + 12 * std::sin(1), 0.03);
  // Six creeps, each of them one from its first frame to the last.
  ASSERT_EQ(film["creeps"].size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(film["creeps"][i][0], 10 * i);
    EXPECT_EQ(column(film["creeps"][i][3]).size(), frames - 10 * i);
  }
  EXPECT_EQ(column(film["hits"][0]).size(), 81u);
  EXPECT_EQ(film["events"][2], Json::parse(R"([80, "buy", 0, 3])"));
  EXPECT_EQ(column(film["buildings"][3])[150], 0);
}

// An arena that says something else at one step.
struct Odd : LittleArena {
  static inline std::string at_step_3, as_stage;
  std::string stage() const { return as_stage.empty() ? LittleArena::stage() : as_stage; }
  std::string scene() const { return time == 3 && !at_step_3.empty() ? at_step_3 : LittleArena::scene(); }
};

TEST(WatchPage, NamesWhatIsWrongWithAScene) {
  const BatchFactory make = &BatchOf<Odd>::make;
  const Replay replay = record(make, {});
  const auto error = [&](const std::string& scene, const std::string& stage = "") {
    Odd::at_step_3 = scene;
    Odd::as_stage = stage;
    const Result<Json> data = watch_data({&replay, make, {}, {}});
    Odd::at_step_3 = Odd::as_stage = "";
    return data.ok() ? "" : data.error().message;
  };
  EXPECT_EQ(error(""), "");
  Json scene = Json::parse(LittleArena().scene());
  scene["something"] = {{"unknown", 1}};
  EXPECT_EQ(error(scene.dump()), "");
  scene["heroes"][1][2] = "many";
  EXPECT_EQ(error(scene.dump()), "little_arena: step 3: scene(): field 'heroes[1][2]' is no number of a sensible size");
  scene["heroes"].erase(0);
  EXPECT_EQ(error(scene.dump()),
            "little_arena: step 3: scene(): field 'heroes' has not as many entries as the stage's");
  EXPECT_EQ(error("nonsense"), "little_arena: step 3: scene(): field 'scene' is no JSON object");
  EXPECT_EQ(error("", "[1"), "little_arena: step 0: stage(): field 'stage' is no JSON object");
  EXPECT_EQ(error("", R"({"kind": "arena"})"), "little_arena: step 0: stage(): field 'size' is missing");
  EXPECT_EQ(error("", R"({"kind": "board"})"), "");
}

TEST(WatchPage, AnErrorOfTheReplayIsItsOwn) {
  const GameEntry game = built_in("tic_tac_toe");
  Replay replay = record(game);
  replay.rules[0].hash ^= 1;
  const Result<std::string> page = watch_page({&replay, game.make_batch, {}, {}});
  ASSERT_FALSE(page.ok());
  EXPECT_NE(page.error().message.find("rules differ: seating has changed"), std::string::npos) << page.error().message;
}

Json small_ladder() {
  return {
      {"game", "<g>"},
      {"players",
       {{{"name", "random"}, {"kind", "random"}, {"rating", 0}, {"rating_se", 5}, {"steps", 0}, {"matches", 40}},
        {{"name", "final"}, {"kind", "final"}, {"rating", 400}, {"rating_se", 9}, {"steps", 9000}, {"matches", 40}}}},
      {"results", {{{"first", 0}, {"second", 1}, {"wins", 3}, {"draws", 1}, {"losses", 36}}}}};
}

TEST(LadderPage, SaysWhatIsWrong) {
  const auto error = [](const Json& ladder, const std::string& metrics = "") {
    const Result<std::string> page = ladder_page(ladder, metrics);
    return page.ok() ? "" : page.error().message;
  };
  EXPECT_EQ(error(small_ladder()), "");
  EXPECT_EQ(error(small_ladder(), "{\"steps\":1,\"seconds\":2}\n\n{\"steps\":3,\"other\":4}\n"), "");
  EXPECT_EQ(error(small_ladder(), "{}\nno\n"), "metrics: line 2 is no JSON object; is this a run's metrics.jsonl?");
  EXPECT_EQ(error(Json::array()), "ladder: 'players' and 'results' must be lists");
  Json ladder = small_ladder();
  ladder["players"][1]["rating"] = "high";
  EXPECT_EQ(error(ladder), "ladder: players 1: 'rating' is no number");
  ladder = small_ladder();
  ladder["results"][0]["second"] = 2;
  EXPECT_EQ(error(ladder), "ladder: results 0: 'second' is the number of no player");
  ladder = small_ladder();
  ladder["calibration"] = {{{"asked", 100}}};
  EXPECT_EQ(error(ladder), "ladder: calibration 0: 'measured' is no number");
}

}  // namespace
}  // namespace rival
