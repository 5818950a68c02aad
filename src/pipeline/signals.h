#pragma once
#include <functional>
#include <thread>

#include "sluice/base/wakeup.h"

namespace sluice::pipeline {

// Blocks SIGTERM, SIGINT and SIGPIPE in this thread and all it starts from now on.  Call before any
// thread is started.
void block_signals();

// A thread that waits for SIGTERM and SIGINT: the first calls `on_first`, the second ends the
// process at once with 128 + its number.
class SignalThread {
 public:
  explicit SignalThread(std::function<void(int)> on_first);
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  Wakeup end_;
  std::jthread thread_;
};

// Names the calling thread for ps, top and gdb; at most 15 characters count.
void name_thread(const char* name);

}  // namespace sluice::pipeline
