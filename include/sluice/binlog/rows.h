#pragma once
#include <cstdint>
#include <vector>

#include "sluice/binlog/table_map.h"

namespace sluice::binlog {

enum class RowsKind : std::uint8_t { insert, update, remove };

// Head of a ROWS event, version 1 or 2.  Views into the event body.
struct RowsEvent {
  static constexpr std::uint16_t kStatementEnd = 0x1;
  RowsKind kind = RowsKind::insert;
  std::uint64_t table_id = 0;
  std::uint16_t flags = 0;
  std::uint32_t width = 0;  // columns, as the event says
  Bytes present;  // bitmap, LSB first: columns in the before image (update, remove) or the after
                  // image (insert)
  Bytes present_after;  // update only
  Bytes rows;
  bool statement_end() const noexcept { return (flags & kStatementEnd) != 0; }
  // Errors: fatal/binlog_truncated, binlog_malformed, binlog_unsupported (PARTIAL_UPDATE_ROWS and
  // compressed ones are not read).
  static Result<RowsEvent> decode(EventType type, Bytes body, const FormatDescription& format);
};
// True for every type RowsEvent::decode knows or refuses.
bool is_rows_event(EventType type) noexcept;

enum class CellState : std::uint8_t { value, null, absent };
// One column of one row image: the bytes as stored, without length prefix.  Views into the event
// body.
struct Cell {
  Bytes bytes;
  CellState state = CellState::absent;
};

// Both images of one row; a cell per table column.  Reused from row to row.
struct RowImages {
  std::vector<Cell> before;  // update, remove
  std::vector<Cell> after;   // insert, update
};

// Walks the rows of one ROWS event, cutting each image into cells.  Does not allocate after the
// first row.
class RowCursor {
 public:
  // Both must outlive the cursor.  Check with open() first.
  // Errors of open: fatal/schema_mismatch when the event's width is not the map's.
  static Result<RowCursor> open(const TableMap& map, const RowsEvent& event);
  // False at the end.  Errors: fatal/binlog_truncated, binlog_malformed, binlog_unsupported (a type
  // we cannot cut), naming table and column; the cursor is then of no more use.  `before` of an
  // insert and `after` of a remove are left alone.
  Result<bool> next(RowImages& out);

 private:
  RowCursor(const TableMap& map, const RowsEvent& event);
  Status image(Bytes present, std::size_t present_count, std::vector<Cell>& out);
  Error cannot_cut(std::size_t column) const;
  const TableMap* map_;
  const RowsEvent* event_;
  ByteReader in_;
  std::size_t present_, present_after_;  // columns in each image
  bool empty_insert_ = false;  // the one row of an INSERT without columns is still to come
};

}  // namespace sluice::binlog
