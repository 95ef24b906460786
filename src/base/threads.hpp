// A team of threads that does one piece of work together, again and again, with barriers in between.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "base/result.hpp"

namespace rival {

// The calling thread is member 0; the others live as long as the team. Not thread-safe: one thread uses a team.
class Team {
 public:
  // `size` at least 1; 0 takes one thread per processor.
  explicit Team(int size = 0);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return size_; }

  // Runs work(member) on every member and returns when all are done. An exception that leaves it ends the program.
  void run(const std::function<void(int member)>& work);

  // Runs work(job) for every job below `jobs` on whichever member is free next, and returns when all are done.
  void share_out(std::size_t jobs, const std::function<void(std::size_t job)>& work);

  // Inside run(): waits until every member is here. What was written before is seen by all after.
  void barrier();

 private:
  void member_loop(int member);

  int size_;
  std::atomic<int> arrived_{0};
  std::atomic<unsigned> phase_{0};
  const std::function<void(int)>* work_ = nullptr;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

// Runs `work` on a thread of its own with a stack of a gigabyte, of which only what is used takes memory, and waits for
// it: for recursion as deep as its input makes it. What it throws is thrown here. Error: no such thread can be had.
Result<void> run_on_deep_stack(const std::function<void()>& work);

}  // namespace rival
