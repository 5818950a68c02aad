#pragma once
#include "sluice/base/byte_reader.h"
#include "sluice/base/result.h"
#include "sluice/binlog/event.h"

namespace sluice::binlog {

// Where events come from: a live server, or recorded packets.  Belongs to one thread, but for
// interrupt().
class EventSource {
 public:
  virtual ~EventSource() = default;
  // The next event, whole; valid until the next call.  Blocks.  Errors: retry/mysql_lost
  // (reconnect), fatal/mysql_binlog_purged and others the server reports, stopped after
  // interrupt().
  virtual Result<Bytes> next() = 0;
  // True when a next() would return without waiting.
  virtual bool ready() = 0;
  // Ends a blocked next() and all later ones.  Thread-safe.
  virtual void interrupt() = 0;
  // The checksum that was announced to the server.
  virtual ChecksumAlg announced_checksum() const = 0;
};

}  // namespace sluice::binlog
