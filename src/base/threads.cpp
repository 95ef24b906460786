#include "base/threads.hpp"

#include <pthread.h>

#include <exception>
#include <system_error>

#include "base/machine.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace rival {
namespace {

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

}  // namespace

Team::Team(int size) : size_(size > 0 ? size : usable_processors()) {
  for (int member = 1; member < size_; ++member) threads_.emplace_back([this, member] { member_loop(member); });
}

Team::~Team() {
  stopping_ = true;
  barrier();
}

void Team::run(const std::function<void(int)>& work) {
  work_ = &work;
  barrier();
  [&]() noexcept { work(0); }();  // else the others would wait for ever
  barrier();
}

void Team::share_out(std::size_t jobs, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  run([&](int) {
    for (std::size_t job = next++; job < jobs; job = next++) work(job);
  });
}

void Team::member_loop(int member) {
  for (;;) {
    barrier();
    if (stopping_) return;
    (*work_)(member);
    barrier();
  }
}

void Team::barrier() {
  if (size_ == 1) return;
  const unsigned phase = phase_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    phase_.notify_all();
    return;
  }
  // Work between barriers takes microseconds to milliseconds: spin a little before sleeping.
  for (int spin = 0; spin < 4000; ++spin) {
    if (phase_.load(std::memory_order_acquire) != phase) return;
    pause();
  }
  while (phase_.load(std::memory_order_acquire) == phase) phase_.wait(phase, std::memory_order_acquire);
}

Result<void> run_on_deep_stack(const std::function<void()>& work) {
  constexpr std::size_t kStack = std::size_t{1} << 30;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  int code = pthread_attr_setstacksize(&attributes, kStack);
  pthread_t thread;
  struct Job {
    const std::function<void()>& work;
    std::exception_ptr thrown;
  } job{work, nullptr};
  const auto run = [](void* argument) -> void* {
    auto& mine = *static_cast<Job*>(argument);
    try {
      mine.work();
    } catch (...) {
      mine.thrown = std::current_exception();
    }
    return nullptr;
  };
  if (code == 0) code = pthread_create(&thread, &attributes, run, &job);
  pthread_attr_destroy(&attributes);
  if (code != 0)
    return Error{"cannot have a thread with a stack of 1 GB (" + std::generic_category().message(code) +
                 "): allow the process more memory (ulimit -v)"};
  pthread_join(thread, nullptr);
  if (job.thrown) std::rethrow_exception(job.thrown);
  return {};
}

}  // namespace rival
