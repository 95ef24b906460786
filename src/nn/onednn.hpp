// The fast backend: matrix products by oneDNN (bias and ReLU fused into them), everything else by kernels.hpp.
//
// Weights are packed once an update into the layout oneDNN likes best, for the forward products and, transposed, for
// the gradients by the inputs. oneDNN is held to the calling thread: Rival's own threads split the work.
#pragma once

#include <memory>

#include "nn/backend.hpp"

namespace rival {

std::unique_ptr<Backend> make_onednn_backend(const Network& network, Precision precision);

// How many matrix products of this process had a layout for which oneDNN has loops instead of kernels, which are a
// hundred times slower. A fault of this backend where it is not 0.
int onednn_products_by_loops();

// The best GFLOP/s of one thread over a few shapes of plain matrix products: the peak that shares of it refer to.
double measure_peak_gflops(Precision precision);

}  // namespace rival
