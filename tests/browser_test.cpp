// The pages of src/report in a real browser. Skipped, with a message, where there is none.

#include "tests/browser.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <thread>

#include "agent/scripted.hpp"
#include "base/temporary_folder.hpp"
#include "games/catalog.hpp"
#include "match/match.hpp"
#include "report/balance_page.hpp"
#include "report/ladder_page.hpp"
#include "report/watch_page.hpp"
#include "serve/sample_bot.hpp"
#include "serve/server.hpp"
#include "tests/balance_sample.hpp"
#include "tests/little_arena.hpp"

namespace rival {
namespace {

using Json = nlohmann::json;

class BrowserTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { browser_ = Browser::launch(); }
  static void TearDownTestSuite() { browser_ = nullptr; }
  void SetUp() override {
    if (!browser_) GTEST_SKIP() << "skipped: there is no Chromium to test the pages in; `make test` installs it";
  }

  void open(const std::string& page, int width = 1280, int height = 800, const std::string& hash = "") {
    const std::string path = folder_.path() + "/page.html";
    std::ofstream(path, std::ios::binary) << page;
    browser_->open("file://" + path + hash, width, height);
  }
  Json js(const std::string& expression) { return browser_->evaluate(expression); }
  // After what was done has been drawn.
  Json drawn(const std::string& expression) {
    js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))");
    return js(expression);
  }

  static inline std::unique_ptr<Browser> browser_;
  TemporaryFolder folder_;
};

std::string value_of(const Result<std::string>& page) {
  EXPECT_TRUE(page.ok()) << page.error().message;
  return page.ok() ? page.value() : "";
}

// most: the highest value that the first team expects; 0: nobody says what it expects.
std::string watched(const GameEntry& game, std::vector<std::string> players = {}, float most = 0) {
  const auto random = random_agent();
  const Result<MatchSummary> played =
      play_matches(game, *random, random.get(), Key(4), {.matches = 1, .batch = 1, .replays = 1});
  EXPECT_TRUE(played.ok());
  const Replay& replay = played.value().replays[0];
  std::vector<std::vector<float>> curve;
  for (int step = 0; most > 0 && step < replay.steps(); ++step) {
    const float v = most * std::sin(static_cast<float>(step) / 40);
    curve.push_back({v, -v});
  }
  return value_of(watch_page({&replay, game.make_batch, std::move(players), std::move(curve)}));
}

const GameEntry& little_arena() {
  static const GameEntry entry = game_entry<LittleArena>();
  return entry;
}

std::string arena_page() {
  return watched(little_arena(), {"</title>a", "</title>a", "b", "b"}, 1);
}

std::string ladder() {
  Json ladder{{"game", "</script>"}, {"players", Json::array()}, {"results", Json::array()}};
  const auto add = [&](const std::string& name, const char* kind, double rating, int steps) {
    ladder["players"].push_back(
        {{"name", name}, {"kind", kind}, {"rating", rating}, {"rating_se", 12}, {"steps", steps}, {"matches", 99}});
  };
  add("random", "random", 0, 0);
  add("<b>greedy</b>", "baseline", 500, 0);
  for (int i = 1; i <= 12; ++i) add("steps-" + std::to_string(i * 100'000), "snapshot", 100 * i, i * 100'000);
  add("final", "final", 1300, 1'300'000);
  add("warm", "rung", 50, 1'300'000);
  for (int a = 0; a < 16; ++a)
    for (int b = a + 1; b < 16; ++b)
      ladder["results"].push_back({{"first", a}, {"second", b}, {"wins", 3}, {"draws", 1}, {"losses", 36}});
  ladder["dial"] = {{{"rating", 0}, {"bot", "final"}, {"temperature", 4}},
                    {{"rating", 1300}, {"bot", "final"}, {"temperature", 0}}};
  for (int i = 0; i < 8; ++i)
    ladder["calibration"].push_back({{"asked", 150 * i},
                                     {"measured", 150 * i + 20},
                                     {"se", 11},
                                     {"matches", 1000},
                                     {"bot", "final"},
                                     {"temperature", 1}});
  ladder["intransitivity"] = {{"share", 0.01},
                              {"elo_misleads", false},
                              {"cycles", Json::array()},
                              {"players", {{{"name", "final"}, {"alpha_rank", 0.9}, {"nash", 1}, {"nash_skill", 0}}}}};
  return value_of(ladder_page(ladder, "{\"steps\":0,\"seconds\":0}\n{\"steps\":1300000,\"seconds\":400}\n"));
}

std::string balance(int choices = 6) {
  return value_of(balance_page(BalanceSample::report(choices)));
}

TEST_F(BrowserTest, WinEstimatesCountRewardsBesidesTheResult) {
  const auto says = [&](const char* game, int step, float most, const char* what) {
    open(watched(built_in(game), {}, most), 1280, 800, "#t=" + std::to_string(step));
    const auto legend = drawn("document.getElementById('legend').textContent").get<std::string>();
    return legend.find(what) != std::string::npos ? testing::AssertionSuccess() : testing::AssertionFailure() << legend;
  };
  EXPECT_TRUE(says("lanes", 20, 3, "win estimate 95%")) << "(1 + tanh(3 sin 0.5)) / 2";
  EXPECT_TRUE(says("connect_four", 5, 1, "win estimate 56%")) << "(1 + sin 0.125) / 2";
  EXPECT_FALSE(says("kuhn_poker", 1, 30, "win estimate")) << "it is played for chips";
}

TEST_F(BrowserTest, PagesLoadOfflineWithoutErrorsAndFitEveryWidth) {
  const std::pair<const char*, std::string> pages[] = {
      {"arena", arena_page()},
      {"connect_four", watched(built_in("connect_four"), {"a", "b"}, 1)},
      {"pig", watched(built_in("pig"))},
      {"pendulum", watched(built_in("pendulum"))},
      {"ladder", ladder()},
      {"balance", balance()},
      {"balance of 2", balance(2)},
      {"balance of 40", balance(40)},
      {"balance of seats", balance(0)}};
  for (const auto& [name, page] : pages) {
    open(page);
    for (int width : {360, 390, 820, 1280, 2560}) {
      browser_->resize(width, width < 600 ? 780 : 900);
      EXPECT_LE(drawn("document.documentElement.scrollWidth"), width) << name;
      EXPECT_EQ(js("innerWidth"), width) << name;
    }
    EXPECT_EQ(browser_->errors, std::vector<std::string>{}) << name;
    EXPECT_EQ(browser_->requests, std::vector<std::string>{}) << name;
  }
}

// Negative control: what the test above looks for is seen.
TEST_F(BrowserTest, ErrorsAndRequestsAreSeen) {
  open(
      "<!doctype html><meta name=viewport content='width=device-width'><div style='width:700px'>wide</div><img "
      "src=nothing.png>"
      "<script>console.error('planted'); missing();</script>",
      360, 640);
  EXPECT_GE(browser_->errors.size(), 2u);
  EXPECT_EQ(browser_->requests.size(), 1u);
  EXPECT_GT(js("document.documentElement.scrollWidth"), 360);
}

TEST_F(BrowserTest, NamesAreTextNotMarkup) {
  open(arena_page());
  EXPECT_EQ(js("document.title"), "little_arena: </title>a - b");
  EXPECT_EQ(js("[...document.querySelectorAll('.card .name')].map(e => e.textContent)[1]"), "</script><b>&Witch");
  EXPECT_EQ(js("document.querySelectorAll('.card b').length"), 0);
  open(ladder());
  EXPECT_EQ(js("document.title"), "Ladder of </script>");
  EXPECT_EQ(js("document.querySelectorAll('td')[0].textContent !== '' && document.querySelectorAll('td:first-child "
               "b').length"),
            0);
  Json report = BalanceSample::report(3);
  const std::string hostile = "</script><img src=x onerror=document.title='hit'>";
  for (Json* name : {&report["choices"][0], &report["options_before"][0]["name"], &report["options_after"][0]["name"],
                     &report["targets"][0]["name"], &report["changes"][0]["parameter"], &report["bands"][0]["name"],
                     &report["data_file"]["name"], &report["data_file"]["text"], &report["replays"][0]["title"],
                     &report["bands"][1]["options"][0]["name"], &report["game"]})
    *name = hostile;
  report["warnings"] = {hostile};
  report["replays"][0]["html"] = "javascript:document.title='hit'";
  open(value_of(balance_page(report)), 360);
  EXPECT_EQ(js("document.title"), "Balance of " + hostile);
  EXPECT_EQ(js("document.images.length"), 0);
  EXPECT_EQ(js("document.querySelector('#targets td').textContent"), hostile);
  EXPECT_EQ(js("document.querySelector('.replays a').protocol"), "file:");
  EXPECT_LE(js("document.documentElement.scrollWidth"), 360);
  EXPECT_EQ(browser_->errors, std::vector<std::string>{});
}

TEST_F(BrowserTest, ScrubbingShowsTheRightTick) {
  open(arena_page());
  EXPECT_EQ(js("watch.steps"), LittleArena::kSteps);
  js("watch.seek(100)");
  EXPECT_EQ(drawn("document.querySelector('.clock').textContent"), "0:50");
  EXPECT_EQ(js("watch.hero(1, 'hp')"), 400);
  EXPECT_EQ(js("watch.hero(0, 'respawn')"), 100);
  EXPECT_EQ(js("document.querySelectorAll('.card')[1].querySelector('.bar span').textContent"), "400 / 600");
  EXPECT_EQ(js("document.querySelectorAll('.card')[0].classList.contains('dead')"), true);
  EXPECT_EQ(js("[...document.querySelectorAll('#score b')].map(e => e.textContent).join()"), "0,1");
  EXPECT_NE(js("document.getElementById('feed').textContent").get<std::string>().find("Mender killed Warden"),
            std::string::npos);
  EXPECT_EQ(js("watch.creeps()"), 6);

  // Dragging to the middle, then keys.
  const Json box =
      js("(b => [b.left, b.top, b.width, b.height])(document.getElementById('timeline').getBoundingClientRect())");
  const double left = box[0], top = box[1], width = box[2], height = box[3];
  browser_->drag(left + width * 0.1, top + height / 2, left + width / 2, top + height / 2);
  EXPECT_NEAR(js("watch.position").get<double>(), LittleArena::kSteps / 2.0, 0.5);
  js("watch.seek(120)");
  for (const auto& [key, position] :
       {std::pair{"ArrowRight", 121.0}, {"ArrowLeft", 120.0}, {"End", 240.0}, {"Home", 0.0}}) {
    browser_->press(key);
    EXPECT_EQ(js("watch.position"), position) << key;
  }
  js("watch.seek(1e9)");
  EXPECT_EQ(drawn("document.getElementById('outcome').textContent"), "West wins");
  js("watch.seek(NaN); watch.seek(-5)");
  EXPECT_EQ(js("watch.position"), 0);
  EXPECT_EQ(browser_->errors, std::vector<std::string>{});
}

TEST_F(BrowserTest, ThingsMoveBetweenTicks) {
  open(arena_page());
  const auto x_at = [&](const char* position) {
    return js(std::string("(watch.seek(") + position + "), watch.place(1)[0])").get<double>();
  };
  const double a = x_at("10"), b = x_at("11"), middle = x_at("10.5");
  EXPECT_NE(a, b);
  EXPECT_NEAR(middle, (a + b) / 2, 1e-9);
}

TEST_F(BrowserTest, FogHidesWhatATeamDoesNotSee) {
  open(arena_page());
  // Pixels of the Strider's colour (its glyph's) on the map.
  const std::string green =
      "(() => { const c = document.getElementById('map'), d = c.getContext('2d').getImageData(0, 0, c.width, "
      "c.height).data;"
      "let n = 0; for (let i = 0; i < d.length; i += 4) n += Math.abs(d[i] - 143) < 4 && Math.abs(d[i + 1] - 209) < 4 "
      "&& "
      "Math.abs(d[i + 2] - 138) < 4; return n; })()";
  const auto seen = [&](int step, int fog) {
    js("watch.seek(" + std::to_string(step) + "); watch.setFog(" + std::to_string(fog) + ")");
    const int pixels = drawn(green);
    const bool listed = js("watch.visible().includes(2)");
    EXPECT_EQ(pixels > 0, listed) << "what is drawn is not what is meant to be seen: " << pixels << " pixels";
    return listed;
  };
  EXPECT_TRUE(seen(50, -1));   // all
  EXPECT_FALSE(seen(50, 0));   // West does not see it
  EXPECT_TRUE(seen(50, 1));    // East is its own team
  EXPECT_TRUE(seen(80, 0));    // now West does
  EXPECT_FALSE(seen(130, 0));  // no more
  EXPECT_EQ(js("(watch.seek(110), watch.setFog(-1), watch.visible().includes(0))"), false) << "the dead are not drawn";
}

TEST_F(BrowserTest, PlaysToTheEnd) {
  open(arena_page(), 1280, 800, "#t=200&speed=16&play=1");
  EXPECT_EQ(js("new Promise(done => { const wait = () => watch.playing ? setTimeout(wait, 50) : done(watch.position); "
               "wait(); })"),
            LittleArena::kSteps);
  EXPECT_EQ(drawn("document.getElementById('outcome').textContent"), "West wins");
  browser_->press(" ");
  EXPECT_EQ(js("watch.playing"), true);
  EXPECT_LT(js("watch.position").get<double>(), 100);
}

// How smooth it is, measured without a graphics card: told, not judged but for the hopeless.
TEST_F(BrowserTest, FramesASecond) {
  const std::string count =
      "new Promise(done => { watch.seek(60); watch.play(true); let n = 0; const begin = performance.now();"
      "const tick = now => { ++n; if (now - begin < 600) requestAnimationFrame(tick); else done(1000 * n / (now - "
      "begin)); };"
      "requestAnimationFrame(tick); })";
  open(arena_page());
  for (int width : {390, 1280, 2560}) {
    browser_->resize(width, width * 9 / 16 + 200);
    for (int fog : {-1, 0}) {
      drawn("watch.setFog(" + std::to_string(fog) + ")");
      const double rate = js(count);
      std::printf("%d pixels wide, %s: %.0f frames a second\n", width, fog < 0 ? "no fog" : "fog", rate);
      EXPECT_GT(rate, 3);
    }
  }
}

TEST_F(BrowserTest, BoardsAreDrawn) {
  open(watched(built_in("connect_four")));
  EXPECT_EQ(js("watch.grid"), true);
  EXPECT_EQ(js("(watch.seek(0), watch.rows().flat().filter(c => c !== '.').length)"), 0);
  EXPECT_EQ(js("(watch.seek(5), watch.rows().flat().filter(c => c !== '.').length)"), 5);
  EXPECT_EQ(js("document.querySelectorAll('#moves li').length"), js("watch.steps"));
  js("document.querySelectorAll('#moves li')[2].click()");
  EXPECT_EQ(js("watch.position"), 3);
  EXPECT_EQ(drawn("document.querySelector('#moves [aria-current]').textContent.startsWith('3.')"), true);
  open(watched(built_in("tic_tac_toe")));
  EXPECT_EQ(js("watch.grid"), true);
  open(watched(built_in("pig")));
  EXPECT_EQ(js("watch.grid"), false);
  js("watch.seek(2)");
  EXPECT_EQ(drawn("document.getElementById('text').textContent === watch.text().trim()"), true);
}

TEST_F(BrowserTest, TheLadderTellsPairs) {
  open(ladder(), 390, 844);
  EXPECT_NE(js("ladder.pair('random', 'final')")
                .get<std::string>()
                .find("random scores 8.8% against final: 3 won, 1 drawn, 36 lost of 40"),
            std::string::npos)
      << js("ladder.pair('random', 'final')");
  const Json box =
      js("(e => { e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect(); return [b.right - 4, b.top "
         "+ 4]; })"
         "(document.querySelector('#payoff canvas'))");
  browser_->drag(box[0], box[1], box[0], box[1]);
  EXPECT_NE(
      js("document.getElementById('pair').textContent").get<std::string>().find("final scores 91.3% against random"),
      std::string::npos)
      << js("document.getElementById('pair').textContent");
  EXPECT_EQ(js("document.querySelectorAll('#training .mark').length"), 13);
  EXPECT_EQ(js("document.querySelectorAll('#dial .plot:not(.error) .mark').length"), 8);
  EXPECT_EQ(js("document.querySelectorAll('#players tr').length"), 16);
  js("document.getElementById('rungs').click()");
  EXPECT_EQ(js("document.querySelectorAll('#players tr').length"), 17);
}

TEST_F(BrowserTest, BalanceIsToldInASentence) {
  const auto headline = [&](const Json& report) {
    open(value_of(balance_page(report)));
    EXPECT_EQ(browser_->errors, std::vector<std::string>{});
    EXPECT_EQ(js("document.getElementById('headline').textContent"), js("balance.headline"));
    return js("balance.headline").get<std::string>();
  };
  Json report = BalanceSample::report(6);
  EXPECT_EQ(headline(report),
            "Sniper wins 68% (67 to 69) overall; setting sniper.damage from 18 to 12 and knight.armor from 2 to 2.5 "
            "brings every unit to within 2.1 points of even");
  report["met"] = false;
  report["worst_gap"] = 1.9;
  EXPECT_EQ(headline(report),
            "Cannot be reached within these bounds; the nearest is setting sniper.damage from 18 to 12 and "
            "knight.armor from 2 to 2.5, which leaves 1.9 points to go");
  report["claims"] = false;
  report["warnings"] = {"few matches"};
  EXPECT_EQ(headline(report),
            "Not enough to claim anything. As far as it was measured: Sniper wins 68% (67 to 69) overall");
  EXPECT_NE(js("document.getElementById('banner').innerText").get<std::string>().find("few matches"),
            std::string::npos);

  report = BalanceSample::report(6);
  report["changes"] = report["after"] = report["options_after"] = Json();
  EXPECT_EQ(headline(report), "Balanced as it is; farthest from even: Sniper wins 68% (67 to 69) overall");
  report["met"] = false;
  EXPECT_EQ(headline(report), "Sniper wins 68% (67 to 69) overall; no change is proposed");
  report["met"] = nullptr;
  EXPECT_EQ(headline(report), "Sniper wins 68% (67 to 69) overall");
  EXPECT_EQ(headline(BalanceSample::report(0)),
            "The side that goes first wins 57% (55 to 58); setting bonus_of_second from 18 to 12 and knight.armor "
            "from 2 to 2.5 brings that to 51% (50 to 53)");
  EXPECT_EQ(headline({{"game", "g"}, {"choices", Json::array()}, {"before", Json::array()}}), "Nothing was measured");
  // Of targets alone, the one that was missed by most.
  report = BalanceSample::report(0);
  report["targets"] = {
      {{"name", "draws"}, {"wanted", "at most 10%"}, {"before", 0.31}, {"after", 0.08}, {"unit", "rate"}},
      {{"name", "length"}, {"wanted", "30-60"}, {"before", 41}, {"after", 42}, {"unit", "steps"}}};
  EXPECT_TRUE(headline(report).starts_with("draws: 31.0%, wanted at most 10%; setting bonus_of_second from"))
      << headline(report);
}

TEST_F(BrowserTest, BalanceShowsPairsAndCounters) {
  open(balance(), 1400, 1000);
  EXPECT_EQ(js("document.querySelectorAll('#matrix td').length"), 36);
  EXPECT_EQ(js("document.querySelectorAll('#overall .bar').length"), 12);
  EXPECT_EQ(js("document.querySelectorAll('#overall .bar.hollow').length"), 6);
  EXPECT_EQ(js("document.querySelectorAll('.multiple').length"), 6);
  EXPECT_EQ(js("document.querySelectorAll('#sensitivities td').length"), 4 * 7);
  EXPECT_EQ(js("document.querySelectorAll('#front .node').length"), 6);
  EXPECT_EQ(js("document.querySelectorAll('section:not([hidden])').length"), 14);
  EXPECT_EQ(js("document.querySelector('#bands .found').textContent.startsWith('What only strong players get out of "
               "it: Sniper, 48%')"),
            true);

  // With the keyboard: from the corner to the right, which is the strongest against the next.
  js("document.querySelector('#matrix td').focus()");
  browser_->press("ArrowRight");
  const std::string line = "document.querySelector('#matrix .line').textContent";
  EXPECT_EQ(drawn(line), js("balance.pair('Sniper', 'Pikeman')"));
  EXPECT_TRUE(js(line).get<std::string>().starts_with(
      "Sniper against Pikeman: 62.5% (60.4 to 64.7), 2,000 matches, before the change; "))
      << js(line);
  const int counters = js("balance.counters().length");
  EXPECT_GT(counters, 8);
  EXPECT_EQ(js("document.querySelectorAll('#counters .edge').length"), counters);
  js("document.querySelector('#counters .node').focus()");
  EXPECT_NE(drawn("document.querySelector('#counters .line').textContent")
                .get<std::string>()
                .find("Sniper counters Knight 79% (77 to 81), "),
            std::string::npos);

  js("[...document.querySelectorAll('#matrix .views button')].find(b => b.textContent === 'After').click()");
  EXPECT_NE(js("balance.counters().length"), counters);
  EXPECT_EQ(js("[...document.querySelectorAll('.views [aria-pressed=true]')].map(b => b.textContent).join()"),
            "After,After");
  EXPECT_NE(js(line).get<std::string>().find("after the change; 62.5%"), std::string::npos) << js(line);

  open(balance(0));
  EXPECT_EQ(js("[...document.querySelectorAll('section:not([hidden])')].map(s => s.id).join()"),
            "targets,changes,bands,front,pace,spent,meaning");
  EXPECT_EQ(js("getComputedStyle(document.querySelector('#matrix')).display"), "none");
}

TEST_F(BrowserTest, TheServersPageShowsWhatIsServedToWhoHasTheToken) {
  serve::Directory directory([](const std::string&) { return serve::sample_bot(); });
  ASSERT_TRUE(directory.add("runs/demo"));
  const auto server = serve::Server::listen(directory, {.port = 0, .token = "a-secret-of-some-length"});
  ASSERT_TRUE(server);
  std::thread serving([&] { server.value()->run(); });
  const auto shown = [&](const std::string& expression) {  // soon
    Json value;
    for (int i = 0; i < 100 && (value = js(expression)) != true; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return value == true;
  };
  browser_->open("http://127.0.0.1:" + std::to_string(server.value()->port()) + "/", 800, 500);
  EXPECT_TRUE(shown("document.querySelector('#state').textContent === 'no figures: a token is needed'"));
  js("document.querySelector('#token').value = 'a-secret-of-some-length'; document.querySelector('button').click()");
  EXPECT_TRUE(shown("document.querySelector('#state').textContent === 'serving 1 bot'"));
  EXPECT_TRUE(shown("document.querySelector('#bots').textContent.startsWith('demo')"));
  EXPECT_TRUE(shown("document.querySelectorAll('#figures div').length === 5"));
  EXPECT_TRUE(shown("getComputedStyle(document.querySelector('#ask')).display === 'none'"));
  server.value()->stop();
  serving.join();
}

}  // namespace
}  // namespace rival
