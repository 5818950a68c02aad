#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/base/wakeup.h"
#include "sluice/model/message_headers.h"
#include "sluice/queue/brokers.h"
#include "sluice/queue/connection.h"

namespace sluice::queue {

struct Delivery {
  std::uint32_t partition = 0;
  std::uint64_t tag =
      0;  // for ack(); distinct over channels and Consumers, so a stale one is harmless
  bool redelivered = false;
  MessageHeaders headers;
  std::string_view body;        // valid until the Delivery is destroyed
  std::shared_ptr<void> owner;  // keeps body alive
  // poison/queue_message, naming queue and tag: a message that is not ours; its headers are empty.
  std::optional<Error> unreadable;
};

// Consumes partitions, one channel each, manual acks, prefetch by count.  Belongs to one thread.
class Consumer {
 public:
  // How many partitions are served here at this moment: queue.prefetch_bytes is divided among them.
  // Asked often, by the consumer's thread.  Null, or 0: all of the names.
  using Share = std::function<std::uint32_t()>;
  // Errors: retry/queue_lost, fatal/queue_denied, stopped.
  static Result<std::unique_ptr<Consumer>> connect(Brokers& brokers, const Names& names,
                                                   Share share = {});
  // For one connection only.
  static Result<std::unique_ptr<Consumer>> connect(const QueueOptions& options, const Names& names,
                                                   Share share = {});
  virtual ~Consumer() = default;
  // Opens the partition's channel and consumes.  Errors: retry/queue_lost, retry/queue_topology (no
  // such queue), fatal/queue_topology (no channel left).
  virtual Status start(std::uint32_t partition) = 0;
  // Closes its channel: unacked messages return to the queue, in order.  Deliveries of it not yet
  // fetched are dropped.
  virtual Status stop(std::uint32_t partition) = 0;
  virtual bool started(std::uint32_t partition) const noexcept = 0;
  // The next message, or nothing at `timeout` or when `wake` is notified (it is cleared here).
  // Serves heartbeats. Errors: retry/queue_lost (all channels gone); fatal/queue_message
  // for a message of a later version.  A channel the server closed, or that was opened for more
  // messages than its share allows by now: started() turns false, nothing is returned for it.
  virtual Result<std::optional<Delivery>> next(std::chrono::milliseconds timeout, Wakeup& wake) = 0;
  // For who does not call next() for some time: heartbeats, and what has arrived is kept.  Does not
  // wait.  Errors: retry/queue_lost.
  virtual Status serve() = 0;
  // Acknowledges all deliveries of the partition up to and including `tag`.  A tag of a channel
  // that is gone is passed over (the message comes again).
  virtual Status ack(std::uint32_t partition, std::uint64_t tag) = 0;
};

}  // namespace sluice::queue
