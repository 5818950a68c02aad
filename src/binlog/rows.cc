#include "sluice/binlog/rows.h"

#include "binlog/bits.h"
#include "binlog/errors.h"

namespace sluice::binlog {
namespace {

Result<RowsKind> kind_of(EventType type) {
  const std::string_view name = event_type_name(type);
  switch (type) {
    case EventType::write_rows_v1:
    case EventType::write_rows: return RowsKind::insert;
    case EventType::update_rows_v1:
    case EventType::update_rows: return RowsKind::update;
    case EventType::delete_rows_v1:
    case EventType::delete_rows: return RowsKind::remove;
    case EventType::partial_update_rows:
      return unsupported(
          name, "partial JSON updates are not read; set binlog_row_value_options='' on the source");
    case EventType::write_rows_compressed_v1:
    case EventType::update_rows_compressed_v1:
    case EventType::delete_rows_compressed_v1:
    case EventType::write_rows_compressed:
    case EventType::update_rows_compressed:
    case EventType::delete_rows_compressed:
      return unsupported(name,
                         "compressed events are not read; set log_bin_compress=OFF on the source");
    case EventType::pre_ga_write_rows:
    case EventType::pre_ga_update_rows:
    case EventType::pre_ga_delete_rows: return unsupported(name, "rows of MySQL before 5.1.16");
    case EventType::partial_row_data:
      return unsupported(name, "row events in fragments are not read");
    default: return malformed(name, "not a ROWS event");
  }
}

// Bytes of `digits` decimal digits in a packed decimal (mysql-server: strings/decimal.cc
// dig2bytes).
constexpr std::uint32_t digit_bytes(std::uint32_t digits) noexcept {
  return digits / 9 * 4 + (digits % 9 + 1) / 2;
}
static_assert(digit_bytes(7) == 4 && digit_bytes(8) == 4 && digit_bytes(5) == 3 &&
              digit_bytes(6) == 3 && digit_bytes(9) == 4 && digit_bytes(1) == 1 &&
              digit_bytes(2) == 1 && digit_bytes(3) == 2);

Bytes take_prefixed(ByteReader& in, std::uint32_t prefix_bytes) noexcept {
  switch (prefix_bytes) {
    case 1: return in.take(in.le<1>());
    case 2: return in.take(in.le<2>());
    case 3: return in.take(in.le<3>());
    default: return in.take(in.le<4>());
  }
}

// Cuts one value of this column, without its length prefix.  False for a type whose length nobody
// can tell.
inline bool cut(ByteReader& in, const MapColumn& column, Bytes& out) noexcept {
  switch (column.type) {
    case ColumnType::tiny:
    case ColumnType::year: out = in.take(1); return true;
    case ColumnType::short_: out = in.take(2); return true;
    // Old temporals are taken as they are without fractions: with them (MariaDB's own format) the
    // event does not tell.
    case ColumnType::int24:
    case ColumnType::date:
    case ColumnType::newdate:
    case ColumnType::time: out = in.take(3); return true;
    case ColumnType::long_:
    case ColumnType::float_:
    case ColumnType::timestamp: out = in.take(4); return true;
    case ColumnType::longlong:
    case ColumnType::double_:
    case ColumnType::datetime: out = in.take(8); return true;
    case ColumnType::timestamp2: out = in.take(4 + (column.length + 1) / 2); return true;
    case ColumnType::datetime2: out = in.take(5 + (column.length + 1) / 2); return true;
    case ColumnType::time2: out = in.take(3 + (column.length + 1) / 2); return true;
    case ColumnType::newdecimal:
      out = in.take(digit_bytes(column.length - column.scale) + digit_bytes(column.scale));
      return true;
    case ColumnType::bit: out = in.take((column.length + 7) / 8); return true;
    case ColumnType::enum_:
    case ColumnType::set: out = in.take(column.length); return true;
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::string:
    case ColumnType::varchar_compressed:
      out = column.length > 255 ? in.take(in.le<2>()) : in.take(in.le<1>());
      return true;
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::blob_compressed:
    case ColumnType::json:
    case ColumnType::geometry:
    case ColumnType::vector: out = take_prefixed(in, column.length); return true;
    case ColumnType::null: out = {}; return true;
    case ColumnType::decimal_old:
    case ColumnType::typed_array:
    case ColumnType::invalid:
    case ColumnType::bool_: return false;
  }
  return false;
}

std::string column_label(const TableMap& map, std::size_t index) {
  const MapColumn& column = map.columns[index];
  return map.database + "." + map.table + " column " +
         (map.has_names ? "`" + column.name + "`" : std::to_string(index)) + " (" +
         std::string(column_type_name(column.type)) + ")";
}

}  // namespace

bool is_rows_event(EventType type) noexcept {
  switch (type) {
    case EventType::pre_ga_write_rows:
    case EventType::pre_ga_update_rows:
    case EventType::pre_ga_delete_rows:
    case EventType::write_rows_v1:
    case EventType::update_rows_v1:
    case EventType::delete_rows_v1:
    case EventType::write_rows:
    case EventType::update_rows:
    case EventType::delete_rows:
    case EventType::partial_update_rows:
    case EventType::write_rows_compressed_v1:
    case EventType::update_rows_compressed_v1:
    case EventType::delete_rows_compressed_v1:
    case EventType::write_rows_compressed:
    case EventType::update_rows_compressed:
    case EventType::delete_rows_compressed:
    case EventType::partial_row_data: return true;
    default: return false;
  }
}

Result<RowsEvent> RowsEvent::decode(EventType type, Bytes body, const FormatDescription& format) {
  RowsEvent event;
  SLUICE_TRY_ASSIGN(event.kind, kind_of(type));
  const std::string_view name = event_type_name(type);
  const std::size_t fixed = format.post_header(type);
  ByteReader r(body);
  event.table_id = fixed == 6 ? r.le<4>() : r.le<6>();
  event.flags = r.u16();
  if (fixed >= 10) {
    // Version 2: partition ids and NDB's data, which we have no use for.  The length counts its own
    // two bytes.
    const std::uint16_t extra = r.u16();
    if (r.ok() && extra < 2)
      return malformed(name, "extra row info of " + std::to_string(extra) + " bytes");
    r.take(extra - 2U);
  }
  const std::uint64_t width = r.lenenc();
  if (r.ok() && width > body.size() * 8) return truncated(name, body);
  event.width = static_cast<std::uint32_t>(width);
  event.present = r.take(bitmap_bytes(event.width));
  if (event.kind == RowsKind::update) event.present_after = r.take(bitmap_bytes(event.width));
  if (!r.ok()) return truncated(name, body);
  event.rows = r.rest();
  return event;
}

Result<RowCursor> RowCursor::open(const TableMap& map, const RowsEvent& event) {
  if (event.width != map.columns.size())
    return fatal(Errc::schema_mismatch,
                 map.database + "." + map.table + ": ROWS event of " + std::to_string(event.width) +
                     " columns, its TABLE_MAP has " + std::to_string(map.columns.size()));
  return RowCursor(map, event);
}

RowCursor::RowCursor(const TableMap& map, const RowsEvent& event)
    : map_(&map),
      event_(&event),
      in_(event.rows),
      present_(count_bits(event.present, event.width)),
      present_after_(event.kind == RowsKind::update ? count_bits(event.present_after, event.width)
                                                    : 0) {
  // An INSERT that names no column has rows of no bytes: there is one (mysql-server:
  // Rows_log_event::do_apply_event's row loop runs once before it looks at the end).
  empty_insert_ = event.kind == RowsKind::insert && present_ == 0 && event.rows.empty();
}

Status RowCursor::image(Bytes present, std::size_t present_count, std::vector<Cell>& out) {
  const std::vector<MapColumn>& columns = map_->columns;
  const std::size_t width = columns.size();
  if (out.size() != width) out.resize(width);
  const ByteReader start = in_;
  const Bytes nulls = in_.take(bitmap_bytes(present_count));
  if (!in_.ok())
    return truncated("row of " + map_->database + "." + map_->table, start.remaining());
  const bool all = present_count == width;
  std::size_t bit = 0;  // in `nulls`, which has one for each column that is present
  for (std::size_t i = 0; i < width; ++i) {
    Cell& cell = out[i];
    if (!all && !bit_lsb(present, i)) {
      cell = {};
      continue;
    }
    if (bit_lsb(nulls, bit++)) {
      cell = {{}, CellState::null};
      continue;
    }
    cell.state = CellState::value;
    if (!cut(in_, columns[i], cell.bytes)) return cannot_cut(i);
    if (!in_.ok()) return truncated("row of " + column_label(*map_, i), start.remaining());
  }
  return {};
}

Error RowCursor::cannot_cut(std::size_t column) const {
  return unsupported(column_label(*map_, column), "values of this type cannot be read from a row");
}

Result<bool> RowCursor::next(RowImages& out) {
  if (empty_insert_) {
    empty_insert_ = false;
    SLUICE_TRY(image(event_->present, present_, out.after));
    return true;
  }
  const std::size_t left = in_.remaining();
  if (left == 0) return false;
  switch (event_->kind) {
    case RowsKind::insert: SLUICE_TRY(image(event_->present, present_, out.after)); break;
    case RowsKind::remove: SLUICE_TRY(image(event_->present, present_, out.before)); break;
    case RowsKind::update:
      SLUICE_TRY(image(event_->present, present_, out.before));
      SLUICE_TRY(image(event_->present_after, present_after_, out.after));
      break;
  }
  if (in_.remaining() == left)
    return malformed(map_->database + "." + map_->table,
                     "rows without columns, and bytes for them");
  return true;
}

}  // namespace sluice::binlog
