#pragma once
#include <functional>
#include <memory>
#include <stop_token>

#include "sluice/base/backoff.h"
#include "sluice/base/mutex.h"
#include "sluice/binlog/event_source.h"

#include "pipeline/assembler.h"
#include "pipeline/health.h"
#include "pipeline/outbox.h"

namespace sluice::pipeline {

// The source's thread: reads events, feeds the assembler, reconnects.
class SourceStage {
 public:
  struct Dependencies {
    // Opens the dump at a position.
    std::function<Result<std::unique_ptr<binlog::EventSource>>(const BinlogPosition&)> open;
    // After a lost connection, before the dump: is it still the same server?
    std::function<Status()> check_identity;
  };
  SourceStage(Dependencies dependencies, Assembler& assembler, Outbox& outbox,
              ops::Counters& counters, Health& health, std::chrono::milliseconds reconnect_max)
      : deps_(std::move(dependencies)),
        assembler_(&assembler),
        outbox_(&outbox),
        counters_(&counters),
        health_(&health),
        backoff_(std::chrono::milliseconds(100), reconnect_max) {}

  // Until `st` is stopped (stopped), or an error that must end the process.  Begins at the
  // assembler's resume().
  Status run(const std::stop_token& st);

 private:
  Status session(const std::stop_token& st);
  Status feed(binlog::EventSource& source, binlog::EventFramer& framer);

  Dependencies deps_;
  Assembler* assembler_;
  Outbox* outbox_;
  ops::Counters* counters_;
  Health* health_;
  Backoff backoff_;
  bool was_up_ = false;
  bool dumping_ = false;           // the session at hand got as far as its first event
  std::uint32_t short_lived_ = 0;  // dumps in a row that were cut within seconds of their start
};

}  // namespace sluice::pipeline
