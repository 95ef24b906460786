// The instruction set in use.
#pragma once

namespace rival {

// Applies RIVAL_ISA (see isa_name() in backend.hpp) once, to oneDNN and to the kernels. Thread-safe; called by
// everything that computes.
void limit_isa();

}  // namespace rival
