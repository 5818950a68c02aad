#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sluice/base/text_buffer.h"
#include "sluice/event/line_encoder.h"
#include "sluice/event/table_plan.h"
#include "sluice/model/binlog_position.h"
#include "sluice/model/event_id.h"
#include "sluice/model/gtid.h"
#include "sluice/position/state_file.h"
#include "sluice/queue/letters.h"

namespace sluice::pipeline {

// A stretch of the source's history in which positions can be compared: one binlog of one server.
struct SourceEpoch {
  std::uint32_t number = 1;
  position::SourceState server;  // without its file
};

// A binlog file as positions in it are known by.
struct SourceFile {
  std::string name;
  std::uint64_t number = 0;
  std::uint32_t timestamp = 0;                 // of its FORMAT_DESCRIPTION
  std::uint32_t fingerprint = 0;               // binlog::FormatDescription::fingerprint
  std::shared_ptr<const SourceEpoch> epoch{};  // null: the first
  std::uint32_t epoch_number() const noexcept { return epoch ? epoch->number : 1; }
};

// Encoded lines of one partition, waiting for their transaction's end.
struct PartitionLines {
  TextBuffer text;
  std::vector<event::EncodedLine> lines;
  void clear() noexcept {
    text.clear();
    lines.clear();
  }
};

// A row that does not go to its partition but becomes a dead letter.
struct RowLetter {
  std::uint32_t partition = 0;
  std::size_t lines_before = 0;  // of its partition, in the batch
  queue::Letter letter;
};

// Rows of one transaction, or of a part of one that is too large to hold, by partition.  Its memory
// is used again.
struct TransactionBatch {
  TransactionId id;
  std::string gtid;  // text; "" without
  std::int64_t commit_us = 0;
  std::vector<PartitionLines> partitions;
  std::vector<std::uint32_t> touched;  // partitions that have lines, each once
  std::vector<std::shared_ptr<const event::TablePlan>> plans;  // of the lines, each once
  std::vector<RowLetter> letters;                              // in the order of the rows
  std::size_t bytes = 0;
  std::uint64_t rows = 0;
  // The place read so far: the transaction's end, unless it is streamed.
  std::shared_ptr<const SourceFile> file;
  std::uint64_t pos = 0;

  bool empty() const noexcept { return touched.empty() && letters.empty(); }
  void clear() noexcept {
    for (const std::uint32_t p : touched) partitions[p].clear();
    touched.clear();
    plans.clear();
    letters.clear();
    bytes = 0;
    rows = 0;
  }
};

// The end of a transaction, with rows or without.  A restart cannot begin at one beyond
// kLargestDumpPosition.
struct TransactionEnd {
  std::shared_ptr<const SourceFile> file;
  std::uint64_t pos = 0;
  Gtid gtid;
  std::int64_t es_ms = 0;         // 0: nothing new
  const GtidSet* also = nullptr;  // executed too: the head of a binlog file says so
  std::uint64_t print = 0;        // of its rows, when it has no GTID
};

// A statement for those who want to know of DDL.
struct PublishedDdl {
  event::DdlLine line;
  std::int64_t commit_us = 0;
  std::shared_ptr<const SourceFile> file;
  std::uint64_t pos = 0;  // its end
};

// Takes what the assembler makes.  Called by the source's thread.
class TransactionSink {
 public:
  virtual ~TransactionSink() = default;
  // Takes the lines of `batch` (it is cleared by the caller afterwards).  Blocks while too much
  // waits for the broker. Errors: stopped.
  virtual Status add(const TransactionBatch& batch) = 0;
  // The same for a statement, in the order of the binlog; only when DDL is published.
  virtual Status add_ddl(const PublishedDdl& /*ddl*/) { return {}; }
  // The transaction whose rows were added (if it had any) is whole.
  virtual void complete(const TransactionEnd& end) = 0;
  // This transaction, or a later one that implies it, was completed before.
  virtual bool has_read(const Gtid& gtid) const = 0;
};

}  // namespace sluice::pipeline
