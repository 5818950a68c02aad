#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sluice/base/mutex.h"
#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/base/wakeup.h"
#include "sluice/model/binlog_position.h"
#include "sluice/model/event_id.h"
#include "sluice/model/message_headers.h"

#include "pipeline/transaction.h"

namespace sluice::pipeline {

// A message of one partition: gathering lines, then unconfirmed, then used again.
struct OutgoingMessage {
  MessageHeaders headers;
  TextBuffer body;
  std::uint64_t number = 0;             // the FlatMessage `id` of its lines
  std::uint64_t first_transaction = 0;  // serial of the first one with rows in it; 0: ticks only
  std::uint64_t tick_file = 0, tick_pos = 0;  // of the last tick line in it, to not repeat it
  bool ends_in_tick = false;
  std::uint64_t behind_letters = 0;       // it goes out when so many dead letters are confirmed
  std::unique_ptr<queue::Letter> letter;  // it is one; `body` is the letter's
  // Tables whose types stand in the body already: the plan last seen of each.
  std::vector<std::shared_ptr<const event::TablePlan>> typed;
};

// Where a restart may begin, and the chain there.
struct RestartPoint {
  std::shared_ptr<const SourceFile> file;
  std::uint64_t pos = 0;
  std::string gtid_set;
  std::vector<EventId> last;  // per partition
  position::Trail trail{};
};

// What the status line wants to know.
struct OutboxStatus {
  std::size_t waiting_bytes = 0;  // gathered and unconfirmed
  std::size_t pooled_bytes = 0;   // memory kept for messages to come
  std::uint32_t unconfirmed = 0;  // partitions with a message on its way
  BinlogPosition read;            // end of the last whole transaction read
  std::string gtid_set;           // executed there
  std::int64_t es_ms = 0;         // its commit time
};

// Between the source's thread and the publisher's: gathers lines into messages per partition, keeps
// the chain, and knows from which transaction on anything is unconfirmed.  Per partition at most
// one message is unconfirmed; while it waits, lines gather in the next one.  Thread-safe.
class Outbox final : public TransactionSink {
 public:
  struct Settings {
    std::uint32_t partitions = 16;
    std::size_t message_bytes = 2u << 20;       // a message is closed at this size
    std::size_t limit_bytes = 48u << 20;        // add() blocks above it
    bool ddl = false;                           // statements are sent, as one more partition
    std::size_t max_message_bytes = 16u << 20;  // lines fit into it, each for itself
    bool letters = false;  // dead letters of rows are sent, as one more partition
  };
  // `start`: the restart point to begin with.  `gtids`: executed there.  `publisher`: notified when
  // there is something to send.
  Outbox(Settings settings, RestartPoint start, GtidSet gtids, Wakeup& publisher);

  // Ends a blocked add() when `st` is stopped.  Call before the source's thread starts.
  void set_stop(std::stop_token st) { stop_ = std::move(st); }

  // The source's thread.
  Status add(const TransactionBatch& batch) override;
  Status add_ddl(const PublishedDdl& ddl) override;
  void complete(const TransactionEnd& end) override;
  bool has_read(const Gtid& gtid) const override;
  // All that the source has sent is here (or not any more): an idle source is not behind.
  void set_idle(bool idle);

  // A new epoch begins here; all that was read before is gathered.  Ticks carry this place from now
  // on.
  void enter(std::shared_ptr<const SourceFile> file, std::uint64_t pos);
  // Waits until everything gathered is confirmed.  Errors: stopped.
  Status wait_drained();

  // Partitions of rows, and those behind them that DDL and dead letters go through.
  std::uint32_t lanes() const noexcept {
    return settings_.partitions + (settings_.ddl ? 1U : 0U) + (settings_.letters ? 1U : 0U);
  }
  // The one of dead letters; there is none when it is lanes().
  std::uint32_t letters_lane() const noexcept { return lanes() - (settings_.letters ? 1U : 0U); }

  // The publisher's thread.
  // Marks the partition's next message as unconfirmed and returns it, or null when there is none,
  // one is unconfirmed already, or a dead letter of a row before it is not confirmed: should the
  // row come again, Redis must not be beyond it. Valid until confirmed().
  const OutgoingMessage* take(std::uint32_t partition);
  // Partitions that take() may have something for; clears the list.
  void ready(std::vector<std::uint32_t>& out);
  // The unconfirmed message, to send it again; null when there is none.
  const OutgoingMessage* unconfirmed(std::uint32_t partition) const;
  // Rows of it, for the counters.
  std::uint64_t confirmed(std::uint32_t partition);
  // A tick line into every partition's next message.  `now_ms`: wall clock.
  void tick(std::int64_t now_ms);
  // Nothing gathered, nothing unconfirmed, but for ticks.
  bool drained() const;

  // Any thread.
  // Executed at the end of the last whole transaction read.
  GtidSet read_gtids() const;
  position::Trail read_trail() const;
  // End of the contiguous confirmed prefix, up to where a dump can begin: what ends beyond 4 GiB of
  // a file is passed with the next file.  Only grows.
  RestartPoint restart_point();
  OutboxStatus status() const;
  // The last row ever sent (or gathered to be sent) to each partition.
  std::vector<EventId> chain() const;

 private:
  struct Partition {
    std::deque<std::unique_ptr<OutgoingMessage>> gathering;
    std::unique_ptr<OutgoingMessage> unconfirmed;
    EventId last;  // of the last row gathered
    // (serial, last row): what `last` becomes when the restart point passes the transaction.
    std::deque<std::pair<std::uint64_t, EventId>> marks;
    EventId restart_last;
    std::uint64_t letters = 0;  // number of the last one of its rows
    bool listed = false;        // in ready_
    bool writing = false;       // add() copies into the last of `gathering`, without the lock
  };
  // A whole transaction that the restart point has not passed yet.
  struct Candidate {
    std::uint64_t serial = 0;
    std::shared_ptr<const SourceFile> file;
    std::uint64_t pos = 0;
    Gtid gtid;
    // Of transactions without rows that were folded into this one, and of those that end where no
    // restart can begin.
    std::unique_ptr<GtidSet> more;
    std::uint64_t prints = 0;  // how many had been read by its end
    std::int64_t es_ms = 0;
  };

  Status make_room(Lock& lock) REQUIRES_LOCK(mu_);
  OutgoingMessage& open_message(Partition& p, std::size_t bytes) REQUIRES_LOCK(mu_);
  void gather(Lock& lock, std::uint32_t partition, const TransactionBatch& batch,
              std::uint64_t letters_before) REQUIRES_LOCK(mu_);
  void add_letters(const TransactionBatch& batch) REQUIRES_LOCK(mu_);
  std::unique_ptr<OutgoingMessage> fresh() REQUIRES_LOCK(mu_);
  void keep(std::unique_ptr<OutgoingMessage> m) REQUIRES_LOCK(mu_);
  void list(std::uint32_t partition) REQUIRES_LOCK(mu_);
  void advance_restart() REQUIRES_LOCK(mu_);
  void fold_marks() REQUIRES_LOCK(mu_);
  bool nothing_left() const REQUIRES_LOCK(mu_);

  const Settings settings_;
  Wakeup* publisher_;
  std::stop_token stop_;

  mutable Mutex mu_;
  std::condition_variable_any room_;
  std::condition_variable written_;  // a partition is not `writing` any more
  std::vector<Partition> partitions_ GUARDED_BY(mu_);
  std::vector<std::uint32_t> ready_ GUARDED_BY(mu_);
  std::deque<std::unique_ptr<OutgoingMessage>> pool_ GUARDED_BY(mu_);
  std::size_t pooled_bytes_ GUARDED_BY(mu_) = 0;  // memory of the bodies in pool_
  std::size_t bytes_ GUARDED_BY(mu_) = 0;
  std::uint64_t serial_ GUARDED_BY(mu_) = 0;  // of the last transaction with rows
  bool serial_open_ GUARDED_BY(mu_) = false;  // its end has not come yet
  std::uint64_t next_number_ GUARDED_BY(mu_) = 1;
  std::uint64_t letters_added_ GUARDED_BY(mu_) = 0, letters_confirmed_ GUARDED_BY(mu_) = 0;
  std::deque<Candidate> candidates_ GUARDED_BY(mu_);
  std::unique_ptr<GtidSet> beyond_ GUARDED_BY(mu_);  // for the next candidate: executed before it
  // Restart point: confirmed up to here.
  std::shared_ptr<const SourceFile> restart_file_ GUARDED_BY(mu_);
  std::uint64_t restart_pos_ GUARDED_BY(mu_) = 0;
  GtidSet restart_gtids_ GUARDED_BY(mu_);
  position::Trail restart_trail_ GUARDED_BY(mu_);
  // Read up to here.
  std::shared_ptr<const SourceFile> read_file_ GUARDED_BY(mu_);
  std::uint64_t read_pos_ GUARDED_BY(mu_) = 0;
  GtidSet read_gtids_ GUARDED_BY(mu_);
  position::Trail read_trail_ GUARDED_BY(mu_);
  // Prints that the restart point has not passed, and how many came before them.
  std::deque<std::uint64_t> prints_ GUARDED_BY(mu_);
  std::uint64_t prints_before_ GUARDED_BY(mu_) = 0;
  std::int64_t read_es_ms_ GUARDED_BY(mu_) = 0;
  bool idle_ GUARDED_BY(mu_) = false;
};

}  // namespace sluice::pipeline
