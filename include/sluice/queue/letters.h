#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/model/event_id.h"
#include "sluice/queue/brokers.h"
#include "sluice/queue/connection.h"

namespace sluice::queue {

// Something that is not in Redis and never will be by itself: a row that was refused, or a message
// that cannot be read.  What is not known is empty or 0.
struct Letter {
  std::string reason;  // a word: WRONGTYPE, unreadable, ...
  std::string error;   // what was said about it
  // Where its row, or the end of its message, is in the source's binlog.
  std::string file;
  std::uint64_t pos = 0;
  std::string gtid;
  std::string table;  // database.table, by the names that rows go by
  std::string key;    // that was to be written in Redis
  EventId id;         // of the row, or of the message's last one
  std::uint32_t partition = 0;
  std::int64_t commit_us = 0;   // commit time at the source, microseconds since the epoch
  std::int64_t refused_us = 0;  // when it was refused
  bool is_row = true;           // the body is a line with one row; else a whole message as it came
  std::string body;
};

// Publishes dead letters: persistent, mandatory, confirmed; a connection of its own.  Belongs to
// one thread.  After any error the object is dead: open another and send again.
class LetterSender {
 public:
  enum class Fate : std::uint8_t { unknown, confirmed, nacked, returned };
  // Errors: retry/queue_lost, fatal/queue_denied.
  static Result<std::unique_ptr<LetterSender>> connect(Brokers& brokers, const Names& names);
  virtual ~LetterSender() = default;
  // Sends the letters that are not confirmed in `fates` (one each; made as long as `letters`) and
  // waits until the broker has spoken of all of them.  Those behind one that came back count as
  // come back, too.  `serve` is called about each 100 ms meanwhile; its error ends the wait.
  // Errors: retry/queue_lost (also when the broker is silent for `limit`), fatal/queue_topology,
  // fatal/queue_message (larger than the broker takes), stopped; `fates` then says what was
  // confirmed until then.
  virtual Status send(std::span<const Letter> letters, std::vector<Fate>& fates,
                      const std::stop_token& st, std::chrono::milliseconds limit,
                      const std::function<Status()>& serve) = 0;
};

// The letters of an instance, from the oldest on.  They are held unacknowledged: whatever was not
// removed is in the queue again, in its order, when this is destroyed.  One at a time: a second one
// is refused.  Belongs to one thread.
class LetterBox {
 public:
  // A queue that does not exist is an empty one.  Errors: retry/queue_lost, fatal/queue_denied,
  // fatal/queue_topology (somebody else looks at them).
  static Result<std::unique_ptr<LetterBox>> open(const QueueOptions& options, const Names& names);
  virtual ~LetterBox() = default;
  // How many there were when it was opened, and those that came since and were given out.
  virtual std::uint64_t count() const noexcept = 0;
  struct Stored {
    Letter letter;
    std::uint64_t tag = 0;  // for remove()
  };
  // Nothing: that was all.  Errors: retry/queue_lost.
  virtual Result<std::optional<Stored>> next() = 0;
  // Errors: retry/queue_lost.
  virtual Status remove(std::uint64_t tag) = 0;
  // Gives back what was not removed and waits until the broker has heard all of it; nothing can be
  // done with it afterwards.  Errors: retry/queue_lost: some of the removed may still be there.
  virtual Status close() = 0;
};

}  // namespace sluice::queue
