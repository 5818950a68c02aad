#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/binlog/rows.h"
#include "sluice/event/image_writer.h"
#include "sluice/event/table_plan.h"
#include "sluice/model/change_view.h"
#include "sluice/model/event_id.h"

namespace sluice::event {

// What all lines of one ROWS event share.
struct LineContext {
  Seq seq;  // half is set per line
  std::string_view gtid;
  std::int64_t es_ms = 0;
  std::int64_t ts_ms = 0;
};

// A finished line inside a TextBuffer: everything but the types, which stand only in the first line
// of a table in a message; whoever composes the message copies the line and puts them in at the two
// places.
struct EncodedLine {
  std::uint32_t begin = 0, size = 0;  // in the buffer; without the line feed
  std::uint32_t mysql_type_at =
      0;  // offset in the line: `"id":..,"isDdl":false,` and `"mysqlType":{...},` go here
  std::uint32_t sql_type_at = 0;    // offset in the line: `"sqlType":{...},` goes here
  const TablePlan* plan = nullptr;  // lives as long as whoever holds the line holds the plan
  EventId first, last;
  std::uint32_t rows = 0;
};

// Appends `line` (bytes of it in `text`) to `out` with its line feed, with the types or without
// ("id" is filled in here: `id`). `text` is the line itself: the buffer's view from line.begin on,
// line.size bytes.
void append_line(TextBuffer& out, std::string_view text, const EncodedLine& line, bool with_types,
                 std::uint64_t id);

// Columns whose values are left out of a row, by column; null stands for them.
struct NulledColumns {
  std::vector<bool> data, old;
};

// Gathers the rows of one line: one table, kind and half, row after row.  Reuses its memory.
// Thread-compatible.
class LineEncoder {
 public:
  bool open() const noexcept { return plan_ != nullptr; }
  ChangeKind kind() const noexcept { return kind_; }
  std::uint8_t half() const noexcept { return half_; }
  // Bytes gathered so far.
  std::size_t bytes() const noexcept { return data_.size() + old_.size(); }
  // Rows gathered so far.
  std::uint32_t rows() const noexcept { return count_; }
  // At least what the line takes as a message of its own, types included.  Of a line of one row it
  // depends on the table and on the row's values alone.
  std::size_t message_bytes() const noexcept {
    return fixed_bytes_ + bytes() + (count_ > 1 ? rows_.size() : 0);
  }

  // Starts a line.  `plan` and `context.gtid` must outlive finish().  Precondition: !open().
  void begin(const TablePlan& plan, ChangeKind kind, std::uint8_t half, const LineContext& context);
  // Adds a row; row indexes ascend.  `data` is the after image (before image of a remove).
  // `before`: the before image of an update, else empty, but for the insert half of a key change,
  // which is given it too.  What `data` lacks and `before` has (MINIMAL, NOBLOB, FULL_NODUP images
  // leave out what has not changed) is taken from there; what both lack is left out of the line. In
  // an update the columns that both have and that differ go to old.  A JSON diff is applied to the
  // document in `before`; it goes to old when that changes its text.  Errors:
  // fatal/binlog_malformed with table and column (bad text, bad packed value, a diff that does not
  // fit), fatal/binlog_unsupported (a diff without the document, unless
  // RenderOptions::json_diff_text); the line is then unusable: reset().
  // `nulled`: the line tells of these columns, so it must be the only row of it; null: none.
  Status add(std::uint64_t row_index, std::span<const binlog::Cell> data,
             std::span<const binlog::Cell> before, const NulledColumns* nulled = nullptr);
  // Takes back the row added last.  Precondition: there is one, and it was not taken back.
  void drop_last() noexcept;
  // Of the row that add() would add: see ImageWriter.
  Status measure(std::span<const binlog::Cell> data, std::span<const binlog::Cell> before,
                 ImageWriter::Sizes& sizes) {
    return images_.measure(*plan_, data, before, kind_ == ChangeKind::update, sizes);
  }
  // Appends the line to `out` and closes it.
  EncodedLine finish(TextBuffer& out);
  // Drops an open line.
  void reset() noexcept { plan_ = nullptr; }
  // Values written so far whose bad bytes became U+FFFD (InvalidText::replace).
  std::uint64_t replaced_texts() const noexcept { return images_.replaced_texts(); }

 private:
  const TablePlan* plan_ = nullptr;
  ChangeKind kind_ = ChangeKind::insert;
  std::uint8_t half_ = 0;
  LineContext context_;
  // Of a message beside the rows and their types: numbers, seq, GTID, names of members.
  static constexpr std::size_t kFixedBytes = 1024;
  void tell_nulled(const NulledColumns& nulled);

  TextBuffer data_, old_, rows_;
  TextBuffer nulled_;            // the member; empty: nothing is left out
  std::size_t fixed_bytes_ = 0;  // of a message beside data_, old_ and rows_
  struct Mark {
    std::size_t data = 0, old = 0, rows = 0;
    std::uint64_t last_row = 0;
  };
  Mark before_last_;  // where the row added last begins
  ImageWriter images_;
  std::uint64_t first_row_ = 0, last_row_ = 0;
  std::uint32_t count_ = 0;
};

// A line of DDL, line feed included.  `sql` that is not UTF-8 is written as ISO-8859-1.
struct DdlLine {
  TransactionId id;       // of its transaction
  std::string_view type;  // CREATE, ALTER, ERASE, TRUNCATE, RENAME, CINDEX, DINDEX
  std::string_view database, table;
  std::string_view sql;
  std::string_view gtid;
  std::int64_t es_ms = 0, ts_ms = 0;
};
void append_ddl(TextBuffer& out, const DdlLine& ddl, std::uint64_t id);

// A TICK line, line feed included: this partition is complete up to file:pos.  `gtid` is the
// executed set.
struct TickLine {
  std::uint32_t epoch = 0;
  std::string_view file;
  std::uint64_t file_number = 0;
  std::uint64_t pos = 0;
  std::string_view gtid;
  std::int64_t es_ms = 0;
};
void append_tick(TextBuffer& out, const TickLine& tick);

}  // namespace sluice::event
