// What of the machine this process may use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace rival {

// How many threads it is worth starting, at least 1: the processors that the process may run on (taskset), or fewer if
// its control group may use less time of them (containers).
int usable_processors();

// How many processors' time the control groups of a process allow; infinity if they set no bound. `cgroups`: what is in
// /proc/self/cgroup; `mount`: where the groups are, /sys/fs/cgroup. Versions 1 and 2.
double processor_quota(std::string_view cgroups, const std::string& mount);

// Bytes that this process can still get, by what the system, the limits of the process (ulimit -v) and its control
// group tell; a guess from above.
double available_memory();

// Whether so many bytes can still be mapped under `ulimit -v`; quick where there is no such limit.
bool address_space_left(double bytes);

// "740 MB", "1.5 GB".
std::string bytes_text(double bytes);

// For when memory has run out: says what there was. `needed`: bytes, 0 where it is not known.
Error out_of_memory(double needed = 0);

}  // namespace rival
