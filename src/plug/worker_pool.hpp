// The processes that play one game: started when needed, shared, started again, ended.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>
#include <vector>

#include "plug/worker.hpp"
#include "plug/worker_socket.hpp"

namespace rival::worker {

// Thread-safe.
class Pool {
 public:
  explicit Pool(const WorkerCommand& command);
  ~Pool();

  const WorkerCommand& command() const { return command_; }
  int size() const { return static_cast<int>(slots_.size()); }
  // How people call it: "worker 2 of 2".
  std::string name(int slot) const;

  // Of all that it has in its charge, the `count` workers with the fewest matches get some more of them: release() says
  // when these are gone.
  std::vector<int> assign(int count, int matches);
  void release(int slot, int matches);
  // Gives this one some more.
  void burden(int slot, int matches) { release(slot, -matches); }

  // A connection to the worker, which is started if it does not run. `life` numbers its starts.
  struct Link {
    File socket;
    int life = 0;
  };
  Result<Link> connect(int slot);
  // What to say first.
  std::string hello() const;
  // Whether it can be given shared memory.
  bool shares_memory(int slot) const;

  // Notes that a connection of this life is lost: because of something in it that leaves the process sound, or because
  // that has ended, or is to be ended. What is to say of its end, and whether it may be started again; the end of a
  // life counts once.
  enum class Why { sound, ended, to_end };
  struct Loss {
    std::string story;  // "", or "; it ended with exit status 1; its last words: ..."
    bool again = true;
    int restarts = 0;   // so far, this one included
    bool first = true;  // who says so first
  };
  Loss lost(int slot, int life, Why why);
  // Notes that it has been at work for long: what it lost before is forgotten.
  void proven(int slot);

 private:
  struct Slot {
    Address address;     // of one that listens already
    pid_t process = -1;  // that was started
    std::string hidden;  // where that listens
    File lifeline, said;
    std::string story;  // of the life before
    int life = 0, losses = 0, matches = 0;
  };

  Result<void> start(Slot& slot);
  std::string end(Slot& slot, bool at_once);

  WorkerCommand command_;
  std::string token_;
  mutable std::mutex mutex_;
  std::vector<Slot> slots_;
};

}  // namespace rival::worker
