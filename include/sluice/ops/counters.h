#pragma once
#include <atomic>
#include <cstdint>

#include "sluice/ops/latency.h"

namespace sluice::ops {

// Counters that all stages add to and the status line reads; each grows from 0 while the process
// lives.
struct Counters {
  using Counter = std::atomic<std::uint64_t>;
  Counter events_read{0}, bytes_read{0}, rows_read{0}, transactions_read{0};
  Counter rows_published{0}, rows_confirmed{0}, messages_published{0}, messages_confirmed{0},
      body_bytes_published{0};
  Counter publish_resends{0}, returned{0}, nacked{0};
  Counter rows_applied{0}, messages_applied{0}, redis_commands{0};
  // Messages all of whose rows, or some of whose rows, Redis had before.
  Counter repeats_skipped{0}, messages_overlapping{0};
  Counter gaps{0}, errors{0}, dead_letters{0}, ignored{0}, reconnects{0};
  Counter rewinds{0}, messages_discarded{0};     // Redis came back older
  Counter oversize_rows{0}, values_left_out{0};  // queue.oversize
  LatencyHistogram commit_to_redis;
};

// Adds to a counter that no other thread adds to; costs a tenth of fetch_add.
inline void add_alone(Counters::Counter& counter, std::uint64_t n) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

}  // namespace sluice::ops
