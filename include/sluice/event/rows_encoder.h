#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/binlog/rows.h"
#include "sluice/event/line_encoder.h"
#include "sluice/event/table_plan.h"

namespace sluice::event {

// What becomes of a row that is larger than LineLimits::most.
enum class Oversize : std::uint8_t {
  stop,         // fatal/queue_message with table, key, sizes and the remedy
  dead_letter,  // a line with the row's key and nothing else, to be kept apart
  null_column,  // the largest values are left out, old ones first, until it fits; never a key's
};

struct OversizeRow {
  std::uint32_t partition = 0;
  const TablePlan* plan = nullptr;
  std::size_t bytes = 0;     // that a message of the row alone would take
  std::size_t left_out = 0;  // values
};

// Takes finished lines.
class LineSink {
 public:
  LineSink() = default;
  LineSink(const LineSink&) = delete;
  LineSink& operator=(const LineSink&) = delete;
  virtual ~LineSink() = default;
  // `line` is complete: finish() it.  Lines of one partition come in the order of their rows.
  virtual void take(std::uint32_t partition, LineEncoder& line) = 0;
  // One row is larger than LineLimits::most.  Oversize::null_column: `line` comes with the next
  // take().  Oversize::dead_letter: `line` is complete, has the row's key only, and is all that
  // comes of the row.  Errors: those that end the encoding.
  virtual Status oversize(const OversizeRow& row, LineEncoder& line);
};

// Says which rows are left out.
class RowGate {
 public:
  virtual ~RowGate() = default;
  // Asked once for each row of the partition, in their order; true: it is left out.
  virtual bool drops(std::uint32_t partition) = 0;
};

struct LineLimits {
  std::size_t bytes = std::size_t{1} << 20;  // a line is closed when it reaches this
  std::uint64_t rows = 0;                    // most rows of a line; 0: no limit
  std::size_t most = 0;  // no line makes a message larger than this; 0: no limit
  Oversize oversize = Oversize::stop;
};

// Makes lines of ROWS events: each row into its partition, an update that changes the partition key
// as a delete and an insert.  Of a table with a condition, an update by which the row comes to
// satisfy it is an insert, one by which it ceases to a delete; rows that do not satisfy it, and
// updates that change nothing of what is shown, are left out.  Reuses its memory from event to
// event; belongs to one thread.
class RowsEncoder {
 public:
  // partitions > 0.
  explicit RowsEncoder(std::uint32_t partitions, LineLimits limits = {})
      : limits_(limits), encoders_(partitions) {}

  // Encodes all rows of one event; no line stays open behind it.  Returns how many rows were taken.
  // `plan` must outlive the lines.  Errors: those of RowCursor, TablePlan::partition, satisfies and
  // check_whole, and LineEncoder::add; what was not handed to the sink by then is dropped.
  Result<std::uint64_t> encode(const TablePlan& plan, const binlog::RowsEvent& rows,
                               const LineContext& context, LineSink& sink);
  // Null: every row is taken.  It must outlive its use; rows that become dead letters are not asked
  // about.
  void set_gate(RowGate* gate) noexcept { gate_ = gate; }
  // Values whose bad bytes became U+FFFD so far.
  std::uint64_t replaced_texts() const noexcept;

 private:
  enum class Fate : std::uint8_t { none, insert, update, remove };
  Result<Fate> judge(const TablePlan& plan, binlog::RowsKind kind);
  Status send(const TablePlan& plan, Fate fate, binlog::RowsKind kind, std::uint64_t row,
              const LineContext& context, LineSink& sink);
  Result<std::uint64_t> encode_rows(const TablePlan& plan, const binlog::RowsEvent& rows,
                                    const LineContext& context, LineSink& sink);
  Status put(std::uint32_t partition, const TablePlan& plan, ChangeKind kind, std::uint8_t half,
             std::uint64_t row, std::span<const binlog::Cell> data,
             std::span<const binlog::Cell> before, const LineContext& context, LineSink& sink);
  struct Row {
    std::uint64_t index = 0;
    std::span<const binlog::Cell> data, before;
  };
  Status add_large(std::uint32_t partition, const TablePlan& plan, ChangeKind kind,
                   std::uint8_t half, const Row& row, const LineContext& context, LineSink& sink);
  Status leave_values_out(LineEncoder& line, const TablePlan& plan, ChangeKind kind,
                          std::uint8_t half, const Row& row, const LineContext& context,
                          std::size_t& left_out) const;
  Result<bool> is_letter(const TablePlan& plan, ChangeKind kind, std::uint8_t half, const Row& row,
                         const LineContext& context);

  LineLimits limits_;
  RowGate* gate_ = nullptr;
  std::vector<LineEncoder> encoders_;  // one per partition
  std::vector<std::uint32_t> open_;    // partitions that got a line of this event
  binlog::RowCursor cursor_;
  binlog::RowImages images_;
  TextBuffer scratch_;
  ConditionScratch condition_;
  LineEncoder letter_;
};

}  // namespace sluice::event
