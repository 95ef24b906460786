// The instruction set in use.
#pragma once

#include "base/result.hpp"

namespace rival {

// Applies RIVAL_ISA (see isa_name() in backend.hpp) once, to oneDNN and to the kernels. Thread-safe; called by
// everything that computes. Error, each time: it names no instruction set, and so lowers nothing.
Result<void> limit_isa();

}  // namespace rival
