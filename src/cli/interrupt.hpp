// Ctrl-C in commands that can end early with what they have.
#pragma once

#include <atomic>

namespace rival::cli {

// From now on the first interrupt (or request to terminate) sets the flag, and the second one ends the process.
const std::atomic<bool>& stop_on_interrupt();

}  // namespace rival::cli
