#include "base/machine.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <vector>

#include "base/index.hpp"
#include "base/number.hpp"

namespace rival {
namespace {

constexpr double kNoBound = std::numeric_limits<double>::infinity();

// The content of a file that may not be there. (read_file() is for regular files; those of /proc say they are empty.)
std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The first words of a text, apart from spaces.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  constexpr std::string_view kSpace = " \t\n";
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;
       at = text.find_first_not_of(kSpace, at)) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

double number_in(const std::string& path) {
  const std::string text = content(path);
  const std::vector<std::string_view> words = words_of(text);
  const std::optional<double> number = words.empty() ? std::nullopt : read_real(words[0]);
  return number && *number >= 0 ? *number : kNoBound;
}

// The least of what `bound` gives for the folders of a process's control group and of those above it, of the controller
// "cpu" or "memory".
template <class Bound>
double least_bound(std::string_view cgroups, const std::string& mount, std::string_view controller, Bound bound) {
  double least = kNoBound;
  while (!cgroups.empty()) {
    const std::size_t length = std::min(cgroups.find('\n'), cgroups.size());
    const std::string_view line = cgroups.substr(0, length);  // "0::/a/b" or "4:cpu,cpuacct:/a/b"
    cgroups.remove_prefix(std::min(length + 1, cgroups.size()));
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string controllers(line.substr(first + 1, second - first - 1));
    const bool second_version = controllers.empty();
    if (!second_version && ("," + controllers + ",").find("," + std::string(controller) + ",") == std::string::npos)
      continue;
    std::vector<std::string> roots = {second_version ? mount : mount + "/" + controllers};
    if (!second_version) roots.push_back(mount + "/" + std::string(controller));
    for (const std::string& root : roots)
      for (std::string group(line.substr(second + 1));; group.resize(group.rfind('/'))) {
        while (group.ends_with('/')) group.pop_back();
        least = std::min(least, bound(root + group, second_version));
        if (group.empty() || group.rfind('/') == std::string::npos) break;
      }
  }
  return least;
}

// Bytes that `ulimit -v` leaves.
double address_space() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoBound;
  const std::string statm = content("/proc/self/statm");
  const std::vector<std::string_view> pages = words_of(statm);
  const double used = pages.empty() ? 0 : read_real(pages[0]).value_or(0);
  return static_cast<double>(limit.rlim_cur) - static_cast<double>(sysconf(_SC_PAGESIZE)) * used;
}

}  // namespace

double processor_quota(std::string_view cgroups, const std::string& mount) {
  return least_bound(cgroups, mount, "cpu", [](const std::string& folder, bool second_version) {
    if (!second_version) return number_in(folder + "/cpu.cfs_quota_us") / number_in(folder + "/cpu.cfs_period_us");
    const std::string text = content(folder + "/cpu.max");  // "150000 100000" or "max 100000"
    const std::vector<std::string_view> words = words_of(text);
    if (words.size() != 2) return kNoBound;
    const std::optional<double> quota = read_real(words[0]), period = read_real(words[1]);
    return quota && period && *quota > 0 && *period > 0 ? *quota / *period : kNoBound;
  });
}

int usable_processors() {
  int count = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  for (int most = 1024; most <= 1 << 20; most *= 2) {  // EINVAL: the system has more processors than that
    cpu_set_t* set = CPU_ALLOC(index(most));
    if (!set) break;
    const std::size_t size = CPU_ALLOC_SIZE(index(most));
    const bool known = sched_getaffinity(0, size, set) == 0;
    if (known) count = CPU_COUNT_S(size, set);
    CPU_FREE(set);
    if (known) break;
  }
  const double quota = processor_quota(content("/proc/self/cgroup"), "/sys/fs/cgroup");
  if (quota < count) count = static_cast<int>(std::ceil(quota));
  return std::max(1, count);
}

bool address_space_left(double bytes) {
  return address_space() >= bytes;
}

double available_memory() {
  double most = kNoBound;
  const std::string meminfo = content("/proc/meminfo"), statm = content("/proc/self/statm");
  double free = 0;
  bool told = false;
  const std::vector<std::string_view> words = words_of(meminfo);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] != "MemAvailable:" && words[i] != "SwapFree:") continue;
    free += 1024 * read_real(words[i + 1]).value_or(0);
    told = told || words[i] == "MemAvailable:";
  }
  if (told) most = free;
  const std::vector<std::string_view> sizes = words_of(statm);
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  const auto used = [&](std::size_t i) { return i < sizes.size() ? page * read_real(sizes[i]).value_or(0) : 0; };
  most = std::min(most, address_space());
  const double group = least_bound(
      content("/proc/self/cgroup"), "/sys/fs/cgroup", "memory", [](const std::string& folder, bool second_version) {
        return number_in(folder + (second_version ? "/memory.max" : "/memory.limit_in_bytes"));
      });
  return std::max(0.0, std::min(most, group - used(1)));
}

std::string bytes_text(double bytes) {
  if (bytes >= 1e9) return with_decimals(bytes / 1e9, 1) + " GB";
  return with_decimals(std::ceil(bytes / 1e6), 0) + " MB";
}

Error out_of_memory(double needed) {
  const double left = available_memory();
  const std::string there = std::isfinite(left) ? bytes_text(left) : "an unknown amount";
  if (needed > 0)
    return {"not enough memory: this needs about " + bytes_text(needed) + ", and there is " + there +
            "; close other programs, or raise the limit (`ulimit -v`, the container's)"};
  return {"not enough memory: all but " + there +
          " of what this process may have is in use; close other programs, raise the limit (`ulimit -v`, the "
          "container's), or ask for less"};
}

}  // namespace rival
