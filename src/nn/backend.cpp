#include "nn/backend.hpp"

#include <fmt/format.h>
#include <hwy/targets.h>

#include <cstdlib>
#include <cstring>
#include <oneapi/dnnl/dnnl.hpp>

#include "nn/isa.hpp"
#include "nn/kernels.hpp"
#include "nn/onednn.hpp"
#include "nn/reference.hpp"

namespace rival {
namespace {

Result<void> limit_once() {
  const char* wanted = std::getenv("RIVAL_ISA");
  if (!wanted || !*wanted || !std::strcmp(wanted, "auto")) return {};
#if defined(__x86_64__)
  if (!std::strcmp(wanted, "avx512_bf16"))
    return dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core_bf16), Result<void>();
  if (!std::strcmp(wanted, "avx512")) return dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core), Result<void>();
  if (!std::strcmp(wanted, "avx2") || !std::strcmp(wanted, "sse4")) {
    const bool avx2 = wanted[0] == 'a';
    dnnl::set_max_cpu_isa(avx2 ? dnnl::cpu_isa::avx2 : dnnl::cpu_isa::sse41);
    hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL | (avx2 ? 0 : HWY_AVX2));
    return {};
  }
#endif
  return Error{
      fmt::format("RIVAL_ISA='{}' is unknown; use auto, avx512_bf16, avx512, avx2 or sse4 (x86-64 only)", wanted)};
}

}  // namespace

Result<void> limit_isa() {
  static const Result<void> done = limit_once();
  return done;
}

std::string to_string(Precision precision) {
  return std::string(word_of(precision));
}

std::string isa_name() {
  static_cast<void>(limit_isa());  // make_backend() and the program tell of an error
#if defined(__x86_64__)
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_amx:
      return "amx";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_bf16";
    case dnnl::cpu_isa::avx512_core:
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512";
    case dnnl::cpu_isa::avx2:
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::sse41:
      return "sse4";
    default:
      return kernels::target_name();
  }
#else
  return kernels::target_name();
#endif
}

Precision best_precision() {
  const std::string isa = isa_name();
  return isa == "amx" || isa == "avx512_bf16" ? Precision::bf16 : Precision::f32;
}

Result<std::unique_ptr<Backend>> make_backend(Named<BackendKind> kind, const Network& network, Precision precision) {
  if (Result<void> known = limit_isa(); !known) return known.error();
  if (kind == BackendKind::reference) return make_reference_backend(network);
  try {
    return make_onednn_backend(network, precision);
  } catch (const dnnl::error& error) {
    return Error{"backend onednn cannot compute in " + to_string(precision) + " on this processor (" + isa_name() +
                 "): " + error.what() + "; use --precision f32"};
  }
}

}  // namespace rival
