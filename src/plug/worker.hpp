// Games that are played by other processes, over the protocol of docs/formats/worker.md.
//
// Processes are started when they are first needed, shared by all batches of the game, and end with the last of these
// and the entry, or with this program, however it ends. A batch deals its matches to some of them; one that is late is
// waited for no longer than the others took, so that they go on without it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "match/game_entry.hpp"

namespace rival {

struct WorkerCommand {
  std::string name;  // of the game, as people typed it: "my_game.py:MyGame"
  // The program to start and its arguments; "--listen fd:3" comes after them. Or else:
  std::vector<std::string> program;
  std::vector<std::string> environment;  // of the program, in addition: "PYTHONPATH=..."
  // Where workers listen already: "unix:PATH" or "tcp:HOST:PORT".
  std::vector<std::string> addresses;
  std::string token;  // what those want to be shown, if they do; a program that is started gets one of its own

  int workers = 0;   // processes to start; 0: one per processor
  int share = 128;   // a batch is dealt to as many workers as it has times so many matches; at least to one
  int restarts = 3;  // of each, one after the other, before the batch fails
  double start_seconds = 120, answer_seconds = 60;  // within which it must be ready and answer
  // Told a line when a worker is given up or started again; may be called by several threads. Null: stderr.
  std::function<void(const std::string& line)> notice = nullptr;
};

// The game; the first worker is asked for its Spec. Errors name the game, the worker, what it said last and the remedy.
//
// A worker that ends, does not answer in time, or says what makes no sense is started again, its matches are truncated
// where they were last seen, and the others go on: only after `restarts` is it the failure of the batch. Batches of one
// match, such as tools use, fail at once. An answer that is amiss is named by match, step, seat and field.
Result<GameEntry> open_worker(const WorkerCommand& command);

}  // namespace rival
