#pragma once
#include <cstdint>

#include "sluice/base/result.h"
#include "sluice/binlog/event.h"
#include "sluice/model/gtid.h"

namespace sluice::binlog {

// Tells where transactions begin and end in the events of a binlog, without a look at rows: a
// position is a place to begin at only between two transactions.  Thread-compatible; a value.
class TransactionTracker {
 public:
  // Takes one event as it stands in the file (not those that others hold); artificial ones and
  // heartbeats change nothing.  Errors: fatal, of a GTID or QUERY event that cannot be read.
  Status take(const EventView& event, const FormatDescription& format);
  // The next event belongs to the transaction of the last one.
  bool inside() const noexcept { return open_; }
  // The event taken last was the first of a transaction.
  bool began() const noexcept { return began_; }
  // Of the transaction begun last.  Microseconds since the epoch: when it was committed where the
  // source tells (MySQL 8), else when its first statement began, in whole seconds.
  std::int64_t time_us() const noexcept { return time_us_; }
  const Gtid& gtid() const noexcept { return gtid_; }

 private:
  void begin(const EventView& event);
  void open_unless(const EventView& event);
  Status take_query(const EventView& event, const FormatDescription& format);

  bool open_ = false, began_ = false;
  bool in_transaction_ = false;  // BEGIN seen, or what stands for it: a statement ends nothing
  bool standalone_ = false;      // MariaDB: the next statement is all of it
  Gtid gtid_;
  std::int64_t time_us_ = 0;
};

}  // namespace sluice::binlog
