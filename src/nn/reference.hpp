// The reference backend: the maths of a Network as a textbook writes it, in f32, one loop per sum. Slow and plain; what
// the fast backend is tested against.
#pragma once

#include <memory>

#include "nn/backend.hpp"

namespace rival {

std::unique_ptr<Backend> make_reference_backend(const Network& network);

}  // namespace rival
