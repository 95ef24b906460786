#include "base/machine.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/temporary_folder.hpp"
#include "base/threads.hpp"

namespace rival {
namespace {

void write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

TEST(Machine, QuotaOfControlGroups) {
  const TemporaryFolder folder;
  const std::string mount = folder.path();
  const std::string second = "0::/a/b\n";
  EXPECT_TRUE(std::isinf(processor_quota(second, mount)));
  EXPECT_TRUE(std::isinf(processor_quota("", mount)));
  EXPECT_TRUE(std::isinf(processor_quota("nonsense\n:\n", mount)));
  write(mount + "/a/b/cpu.max", "max 100000\n");
  EXPECT_TRUE(std::isinf(processor_quota(second, mount)));
  write(mount + "/a/cpu.max", "150000 100000\n");  // of the group above
  EXPECT_EQ(processor_quota(second, mount), 1.5);
  write(mount + "/a/b/cpu.max", "50000 100000\n");
  EXPECT_EQ(processor_quota(second, mount), 0.5);
  write(mount + "/cpu.max", "20000 100000\n");  // a container sees its own group as the root
  EXPECT_EQ(processor_quota("0::/\n", mount), 0.2);

  const std::string first = "7:memory:/x\n4:cpu,cpuacct:/x\n";
  EXPECT_TRUE(std::isinf(processor_quota(first, mount)));
  write(mount + "/cpu,cpuacct/x/cpu.cfs_quota_us", "-1\n");
  write(mount + "/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
  EXPECT_TRUE(std::isinf(processor_quota(first, mount)));
  write(mount + "/cpu,cpuacct/x/cpu.cfs_quota_us", "300000\n");
  EXPECT_EQ(processor_quota(first, mount), 3);
}

// Affinity belongs to the thread that asks, so that the test leaves no trace.
TEST(Machine, CountsTheProcessorsItMayUse) {
  EXPECT_GE(usable_processors(), 1);
  int pinned = 0, team = 0;
  std::thread([&] {
    cpu_set_t all, one;
    CPU_ZERO(&one);
    ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu)
      if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    pinned = usable_processors();
    team = Team().size();
  }).join();
  EXPECT_EQ(pinned, 1);
  EXPECT_EQ(team, 1);
}

TEST(Machine, Memory) {
  EXPECT_GT(available_memory(), 0);
  EXPECT_EQ(bytes_text(740e6), "740 MB");
  EXPECT_EQ(bytes_text(1), "1 MB");
  EXPECT_EQ(bytes_text(1.54e9), "1.5 GB");
  EXPECT_NE(out_of_memory(2e9).message.find("needs about 2.0 GB"), std::string::npos);
}

}  // namespace
}  // namespace rival
