#pragma once
#include <chrono>
#include <memory>

#include "sluice/base/result.h"
#include "sluice/base/wakeup.h"
#include "sluice/queue/brokers.h"
#include "sluice/queue/connection.h"

namespace sluice::queue {

// Who of several processes leads: the one that the broker has given the only message of queue
// sluice.INSTANCE.leader, which has a single active consumer.  It is never acknowledged: when the
// connection goes, the broker gives it to the next one.  One AMQP connection; belongs to one
// thread.
class Baton {
 public:
  // Declares the queue, puts the message there when it is not, and waits in line for it.  With
  // queue.type existing the queue must be there.  Errors: retry/queue_lost, fatal/queue_denied,
  // fatal/queue_topology.
  static Result<std::unique_ptr<Baton>> connect(Brokers& brokers, const Names& names);
  virtual ~Baton() = default;
  // Serves the connection until `timeout`, or until `wake` is notified (it is cleared here), or
  // something has changed.  Whether the baton is ours.  Errors: retry/queue_lost: it is not any
  // more.
  virtual Result<bool> wait(std::chrono::milliseconds timeout, Wakeup& wake) = 0;
  // While the baton is ours: until then the broker cannot have taken it away, for it was heard of
  // less than a heartbeat ago.  A broker waits for longer than that before it gives up a connection
  // that has gone silent.
  virtual std::chrono::steady_clock::time_point safe_until() const noexcept = 0;
};

}  // namespace sluice::queue
