#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/base/clock.h"
#include "sluice/ops/counters.h"
#include "sluice/position/applied_record.h"

#include "pipeline/health.h"
#include "pipeline/outbox.h"

namespace sluice::pipeline {

// What the pipeline is doing, in the order in which it is looked at: the first that holds is the
// state.
enum class RunState : std::uint8_t {
  starting,
  stopping,
  rewind,  // Redis came back older: rows are sent again
  gap,
  source_lost,
  queue_lost,
  replicas_missing,  // fewer have the rows than redis.wait_replicas
  redis_lost,
  queue_blocked,
  disk_full,  // the position cannot be saved; all else goes on
  diverged,   // rows are missing in Redis: the queue of dead letters is not empty
  standby,    // another process publishes, this one is in line to take over
  catching_up,
  in_step
};
std::string_view state_name(RunState state) noexcept;  // "IN_STEP", "CATCHING_UP", ...

// Composes the status line: one line that tells the whole truth to somebody who tails the log.
// Belongs to one thread.
class StatusLine {
 public:
  StatusLine(ops::Counters& counters, const Health& health, const Clock& clock);

  struct Inputs {
    OutboxStatus outbox;
    std::optional<position::Watermark> watermark;
    std::optional<std::uint64_t>
        backlog;  // messages ready in the queues; nothing when the broker did not say
    std::optional<std::uint64_t> dead;  // dead letters; nothing when not known yet
    bool stopping = false;
    bool standing_by = false;
    bool applies = true;    // this process does
    std::size_t hosts = 0;  // that share the partitions, as far as is known
  };
  RunState state(const Inputs& inputs) const;
  // "state=IN_STEP source=binlog.000003:1234 ...": rates since the last call.
  std::string compose(const Inputs& inputs);

 private:
  // Seconds the reading is behind the source; 0 when everything it has sent was read.
  double behind_seconds(const Inputs& inputs) const;

  double watermark_age(const position::Watermark& watermark) const;

  struct Sample {
    std::uint64_t read = 0, published = 0, confirmed = 0, applied = 0;
  };
  Sample sample() const;

  ops::Counters* counters_;
  const Health* health_;
  const Clock* clock_;
  Sample last_;
  std::chrono::steady_clock::time_point last_at_;
};

}  // namespace sluice::pipeline
