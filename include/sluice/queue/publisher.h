#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/wakeup.h"
#include "sluice/model/message_headers.h"
#include "sluice/queue/brokers.h"
#include "sluice/queue/connection.h"
#include "sluice/queue/letters.h"

namespace sluice::queue {

// The fate of a message.  The caller has at most one unconfirmed message per partition, so the
// partition names it.  DDL and dead letters go as further partitions, behind the last
// (Names::lanes).
struct Outcome {
  enum class Kind : std::uint8_t { confirmed, nacked, returned };
  std::uint32_t partition = 0;
  Kind kind = Kind::confirmed;
  std::string reason;  // broker's reply text of a return
};

// Publishes persistent, mandatory messages with confirms, on one connection and channel.  Belongs
// to one thread. A returned message comes out as `returned` once, never as confirmed.  After any
// error the object is dead: what was unconfirmed is of unknown fate and is sent again on a new one.
class Publisher {
 public:
  // Errors: retry/queue_lost, fatal/queue_denied.
  static Result<std::unique_ptr<Publisher>> connect(Brokers& brokers, const Names& names);
  // For one connection only.
  static Result<std::unique_ptr<Publisher>> connect(const QueueOptions& options,
                                                    const Names& names);
  virtual ~Publisher() = default;
  // Sends `body` to partition n's queue.  `body` may be reused when this returns.  message_id is
  // the last EventId's text and the rows count; the headers are MessageHeaders.  Errors:
  // retry/queue_lost.
  virtual Status publish(std::uint32_t partition, const MessageHeaders& headers,
                         std::string_view body) = 0;
  // The same for a dead letter (Names::with_letters); `body` is the letter's.
  virtual Status publish_letter(const Letter& letter, std::string_view body) = 0;
  // Waits until the broker said something, `wake` is notified (it is cleared here), or `timeout`;
  // then appends all outcomes there are to `out` without waiting more.  Also serves heartbeats.
  // Errors: retry/queue_lost.
  virtual Status wait(std::chrono::milliseconds timeout, Wakeup& wake,
                      std::vector<Outcome>& out) = 0;
  // The broker told us to stop publishing (connection.blocked: memory or disk alarm).
  virtual bool blocked() const noexcept = 0;
};

}  // namespace sluice::queue
