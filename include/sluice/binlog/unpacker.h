#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "sluice/binlog/event.h"

namespace sluice::binlog {

// Bytes.
struct UnpackLimits {
  std::uint64_t event_bytes = std::uint64_t{1} << 30;  // the largest event that may come out
  // What one TRANSACTION_PAYLOAD may inflate to (limits.inflated_transaction); 0: no limit.
  std::uint64_t transaction_bytes = std::uint64_t{16} << 30;
};

// Takes out the events that other events hold:
//  - TRANSACTION_PAYLOAD (MySQL 8.0.20+): a transaction but for its GTID, in zstd or as it is
//    (mysql-server: libs/mysql/binlog/event/codecs/binary.cpp).  It is inflated as a stream:
//    however much it makes, the buffer holds one inner event and zstd's window (128 MiB at the
//    most).
//  - QUERY_COMPRESSED and *_ROWS_COMPRESSED (MariaDB, log_bin_compress): the event without
//    _COMPRESSED, its text or rows inflated (MariaDB: sql/log_event.cc query_event_uncompress,
//    row_log_event_uncompress).
//  - PARTIAL_ROW_DATA (MariaDB 12.3+): pieces of one ROWS event, which comes with the last of them.
// Belongs to one thread; reuses its memory.
class EventUnpacker {
 public:
  explicit EventUnpacker(UnpackLimits limits = {});
  ~EventUnpacker();
  EventUnpacker(const EventUnpacker&) = delete;
  EventUnpacker& operator=(const EventUnpacker&) = delete;

  static bool is_packed(EventType type) noexcept;

  // `packed` (is_packed(), not nested) and what it views must stay valid until next() has said that
  // there is no more.  What an earlier event still held is dropped, but for the pieces of a ROWS
  // event.  Errors: fatal/binlog_truncated, binlog_malformed, binlog_unsupported (an algorithm that
  // is not known, an event or a transaction above the limits).
  Status open(const EventView& packed, const FormatDescription& format);
  // The next event inside; false at the end.  Views are valid until the next call of anything here.
  // `nested` is set but for MariaDB's compressed events, which keep header (their type changes) and
  // `whole`.  A TRANSACTION_PAYLOAD without its XID is for the caller to tell.  Errors: as open();
  // the event is then of no more use.
  Result<bool> next(EventView& out);

  // Pieces of a ROWS event are held and others are due: nothing but the next one may come.
  bool in_fragments() const noexcept;
  // Drops everything: another place in the binlog is read from now on.
  void reset() noexcept;
  // Bytes of memory held, zstd's included.
  std::size_t buffered() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::binlog
