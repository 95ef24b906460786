#include "base/threads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "base/index.hpp"
#include "base/machine.hpp"

namespace rival {
namespace {

class TeamOf : public testing::TestWithParam<int> {};

TEST_P(TeamOf, JobsAreEachDoneOnce) {
  Team team(GetParam());
  std::vector<int> done(1000);
  for (int round = 1; round <= 3; ++round) {
    team.share_out(done.size(), [&](std::size_t job) { ++done[job]; });
    EXPECT_EQ(std::count(done.begin(), done.end(), round), 1000);
  }
  team.share_out(0, [](std::size_t) { FAIL(); });
}

// Plain memory, not atomics: what a barrier fails to order shows as a wrong sum, and to the thread sanitizer as a race.
TEST_P(TeamOf, BarriersOrderWhatMembersWrite) {
  const int size = GetParam(), rounds = size > 2 ? 100 : 500;
  Team team(size);
  ASSERT_EQ(team.size(), size);
  std::vector<long> written(size), seen(size);
  long wrong = 0;
  for (int round = 1; round <= rounds; ++round) {
    team.run([&](int member) {
      const std::size_t me = member;
      written[me] = round * (member + 1);
      team.barrier();
      seen[me] = std::accumulate(written.begin(), written.end(), 0L);
      team.barrier();
      written[me] = -1;  // nobody may still be reading
      team.barrier();
      seen[me] += written[(me + 1) % written.size()];
    });
    const long expected = round * static_cast<long>(size) * (size + 1) / 2 - 1;
    wrong += std::count_if(seen.begin(), seen.end(), [&](long sum) { return sum != expected; });
  }
  EXPECT_EQ(wrong, 0);
}

TEST_P(TeamOf, EveryMemberRunsEachWorkOnce) {
  const int size = GetParam();
  Team team(size);
  std::vector<int> calls(size);
  std::vector<std::thread::id> threads(calls.size());
  for (int round = 1; round <= 100; ++round) {
    team.run([&](int member) {
      ++calls[member];
      threads[member] = std::this_thread::get_id();
    });
    ASSERT_EQ(calls, std::vector<int>(calls.size(), round));
  }
  EXPECT_EQ(std::set<std::thread::id>(threads.begin(), threads.end()).size(), threads.size());
  EXPECT_EQ(threads[0], std::this_thread::get_id());
}

// A member that comes late finds the others asleep, not spinning.
TEST_P(TeamOf, WaitsForALateMember) {
  Team team(GetParam());
  for (int late = 0; late < team.size(); ++late) {
    bool came = false;
    int missed = 0;
    team.run([&](int member) {
      if (member == late) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        came = true;
      }
      team.barrier();
      if (member == 0) missed += !came;
    });
    EXPECT_EQ(missed, 0);
  }
}

TEST_P(TeamOf, EndsWithoutWork) {
  for (int i = 0; i < 50; ++i) Team team(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Threads, TeamOf, testing::Values(1, 2, 5), testing::PrintToStringParamName());

TEST(Threads, ByDefaultOnePerProcessor) {
  EXPECT_EQ(Team().size(), usable_processors());
}

int depth_of(int levels) {
  volatile char frame[10'000] = {};
  frame[levels] = 1;
  return levels == 0 ? 0 : 1 + depth_of(levels - 1) + 0 * frame[0];
}

TEST(DeepStack, HoldsMoreThanTheUsualOne) {
  int depth = 0;
  ASSERT_TRUE(run_on_deep_stack([&] { depth = depth_of(9'999); }).ok());  // about 100 MB
  EXPECT_EQ(depth, 9'999);
  EXPECT_THROW((void)run_on_deep_stack([] { throw std::bad_alloc(); }), std::bad_alloc);
}

}  // namespace
}  // namespace rival
