#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sluice/binlog/event.h"
#include "sluice/event/plan_cache.h"
#include "sluice/model/table_schema.h"
#include "sluice/position/held_file.h"

#include "pipeline/held_xa.h"

// What the records of a held XA transaction are.  Little-endian; texts are size:u32 and bytes.
//
//   format = 1: flavor:u8 (0 MySQL, 1 MariaDB) header_len:u8 version:text post_header_lens:text
//   table  = 2: map:text schema:text       the body of a TABLE_MAP, and the schema as JSON, which
//   it
//                                          was read by; tables are numbered from 0 as they come
//   rows   = 3: ordinal:u64 table:u32 type:u8 body:byte[]   one ROWS event; ordinal counts the
//                                          transaction's ROWS events, those left out too
//
// So the rows are decoded at the COMMIT, under its identity, by what was true at the PREPARE.

namespace sluice::pipeline {

// Collects the ROWS events of the XA transaction being read.  Above a limit they go into a file.
// Belongs to the source's thread.
class HeldRows {
 public:
  HeldRows(HeldXa& held, std::size_t memory_bytes) : held_(&held), memory_bytes_(memory_bytes) {}

  // Begins anew; whatever was collected is dropped.
  void begin(const binlog::FormatDescription& format);
  // `table`: a record's body made by HeldTables.  Errors: fatal/io.
  Status add(const std::string& table, binlog::EventType type, Bytes body, std::uint64_t ordinal);
  // Rows of this table are not taken.
  void leave_out(const std::string& table);
  // Drops it all.
  void drop() noexcept;
  bool empty() const noexcept { return rows_events_ == 0; }

  struct Mark {
    std::uint64_t size = 0, rows_events = 0;
    std::size_t tables = 0;
  };
  Mark mark() const noexcept;
  // Takes back what came behind the mark.  Errors: fatal/io.
  Status rollback_to(const Mark& mark);

  // Hands it to HeldXa; nothing is left here.  Errors: fatal/io.
  Status prepare(position::HeldSummary summary);
  // What was collected, to read it at once; nothing is left here.  Errors: fatal/io.
  Result<position::RecordReader> take();

 private:
  Status flush();

  HeldXa* held_;
  const std::size_t memory_bytes_;
  std::string buffer_;  // records; of a file: those not written yet
  std::optional<position::HeldWriter> file_;
  std::vector<std::string> tables_;  // table records written, by number
  std::uint64_t rows_events_ = 0;
  std::vector<std::string> left_out_;
};

// Reads it back.
class HeldRowsReader {
 public:
  explicit HeldRowsReader(position::RecordReader& records) : records_(&records) {}
  struct Event {
    std::uint32_t number = 0;            // of the table
    const std::string* table = nullptr;  // its record's body
    std::uint64_t ordinal = 0;
    binlog::EventType type = binlog::EventType::unknown;
    Bytes body;
  };
  // The next ROWS event; false behind the last.  Views are valid until the next call.  Errors:
  // fatal/io, fatal/position_damaged.
  Result<bool> next(Event& out);
  // Valid once next() has given an event.
  const binlog::FormatDescription& format() const noexcept { return format_; }

 private:
  position::RecordReader* records_;
  binlog::FormatDescription format_;
  std::vector<std::string> tables_;
};

// The bodies of table records, and what they mean: each is made and read once.  Belongs to one
// thread.
class HeldTables {
 public:
  // How an entry for rows is made of a TABLE_MAP and the schema it is to be read by.
  using Maker = std::function<Result<event::PlanCache::Entry>(binlog::TableMap, TableSchema)>;

  // The record of a table that is taken, with its schema; `map`: the body of its TABLE_MAP.  Valid
  // until the next call.  Errors: those of encode_schema.
  Result<const std::string*> record_of(const event::PlanCache::Entry& entry, Bytes map);
  // What a record means.  Valid until the next call.  Errors: fatal/position_damaged; those of
  // TableMap::decode and of `make`.
  Result<const event::PlanCache::Entry*> entry_of(const std::string& record,
                                                  const binlog::FormatDescription& format,
                                                  const Maker& make);

 private:
  struct OfPlan {
    std::shared_ptr<const event::TablePlan> plan;  // so that its address stays its own
    const std::string* record = nullptr;
  };
  void trim() noexcept;
  std::unordered_map<std::string, event::PlanCache::Entry> entries_;  // by record
  std::unordered_map<const event::TablePlan*, OfPlan> by_plan_;
};

}  // namespace sluice::pipeline
