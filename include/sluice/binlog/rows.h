#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "sluice/binlog/table_map.h"

namespace sluice::binlog {

enum class RowsKind : std::uint8_t { insert, update, remove };

// Head of a ROWS event, version 1 or 2.  Views into the event body.
struct RowsEvent {
  static constexpr std::uint16_t kStatementEnd = 0x1;
  RowsKind kind = RowsKind::insert;
  // PARTIAL_UPDATE_ROWS: in front of each after image stands which of its JSON columns are diffs.
  bool partial_json = false;
  std::uint64_t table_id = 0;
  std::uint16_t flags = 0;
  std::uint32_t width = 0;  // columns, as the event says
  Bytes present;  // bitmap, LSB first: columns in the before image (update, remove) or the after
                  // image (insert)
  Bytes present_after;  // update only
  Bytes rows;
  bool statement_end() const noexcept { return (flags & kStatementEnd) != 0; }
  // Errors: fatal/binlog_truncated, binlog_malformed, binlog_unsupported (the rows of MySQL before
  // 5.1.16; compressed ones and fragments, which EventUnpacker makes plain first).
  static Result<RowsEvent> decode(EventType type, Bytes body, const FormatDescription& format);
  // The same into `out`, for whoever decodes millions of them; after an error it is of no use.
  static Status decode(EventType type, Bytes body, const FormatDescription& format, RowsEvent& out);
};
// True for every type RowsEvent::decode knows or refuses.
bool is_rows_event(EventType type) noexcept;

enum class CellState : std::uint8_t {
  value,
  null,
  absent,
  json_diff,  // after image of a partial update: what changes in the document of the before image
};
// One column of one row image: the bytes as stored, without length prefix; of a json_diff its
// diffs, of which there may be none (the document stays as it is).  Views into the event body.
struct Cell {
  Bytes bytes;
  CellState state = CellState::absent;
};

// Both images of one row; a cell per table column.  Reused from row to row.
struct RowImages {
  std::vector<Cell> before;  // update, remove
  std::vector<Cell> after;   // insert, update
};

// How the values of a table's columns are cut out of a row: made once per TABLE_MAP, so that a row
// takes no decision per column.  Immutable.
class RowLayout {
 public:
  // `map` must outlive the layout.
  explicit RowLayout(const TableMap& map);
  const TableMap& map() const noexcept { return *map_; }

 private:
  friend class RowCursor;
  // A value is `prefix` bytes of length, which the mask cuts out of four, and so many bytes; or,
  // with a prefix and a mask of 0, `fixed` bytes.
  struct Cut {
    std::uint32_t fixed = 0;
    std::uint32_t mask = 0;
    std::uint8_t prefix = 0;
    bool readable = true;  // false: nobody can tell its length
    bool json = false;
  };
  static Cut cut_of(const MapColumn& column) noexcept;
  const TableMap* map_;
  std::vector<Cut> cuts_;
  std::size_t json_columns_ = 0;
};

// Walks the rows of a ROWS event, cutting each image into cells.  Does not allocate after the first
// row.
class RowCursor {
 public:
  // Over nothing.
  RowCursor() = default;
  // Layout (and its map) and event must outlive the cursor, or its use for them.
  // Errors of open and restart: fatal/schema_mismatch when the event's width is not the map's.
  static Result<RowCursor> open(const RowLayout& layout, const RowsEvent& event);
  // Goes on with another event: open() in place, for whoever has millions of them.
  Status restart(const RowLayout& layout, const RowsEvent& event);
  // With a layout of its own, for whoever reads few rows of a table.
  static Result<RowCursor> open(const TableMap& map, const RowsEvent& event);
  // False at the end.  Errors: fatal/binlog_truncated, binlog_malformed, binlog_unsupported (a type
  // we cannot cut, row options of a later server), naming table and column; the cursor is then of
  // no more use.  `before` of an insert and `after` of a remove are left alone.
  Result<bool> next(RowImages& out);

 private:
  Status image(Bytes present, std::size_t present_count, std::vector<Cell>& out);
  Status after_image(std::vector<Cell>& out);
  template <bool kAll>
  Status cut_image(Bytes present, Bytes nulls, std::vector<Cell>& out);
  Status mark_diffs(Bytes diffs, std::vector<Cell>& out) const;
  Error cannot_cut(std::size_t column) const;
  const RowLayout* layout_ = nullptr;
  std::unique_ptr<const RowLayout> own_;
  const RowsEvent* event_ = nullptr;
  ByteReader in_{Bytes{}};
  std::size_t present_ = 0, present_after_ = 0;  // columns in each image
  bool empty_insert_ = false;  // the one row of an INSERT without columns is still to come
};

}  // namespace sluice::binlog
