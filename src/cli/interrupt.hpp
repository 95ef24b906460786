// Ctrl-C in commands that can end early with what they have.
#pragma once

#include <atomic>

namespace rival::cli {

// From now on the first interrupt, request to terminate or hang-up (the terminal closes) sets the flag and says so on
// standard error; the second one ends the process. Signals that the process was started to ignore stay ignored.
const std::atomic<bool>& stop_on_interrupt();

}  // namespace rival::cli
