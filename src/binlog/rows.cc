#include "sluice/binlog/rows.h"

#include <algorithm>

#include "binlog/bits.h"
#include "binlog/errors.h"
#include "binlog/temporal.h"

namespace sluice::binlog {
namespace {

// False: the type is none that has plain rows.
bool read_kind(EventType type, RowsKind& kind) noexcept {
  switch (type) {
    case EventType::write_rows_v1:
    case EventType::write_rows: kind = RowsKind::insert; return true;
    case EventType::update_rows_v1:
    case EventType::update_rows:
    case EventType::partial_update_rows: kind = RowsKind::update; return true;
    case EventType::delete_rows_v1:
    case EventType::delete_rows: kind = RowsKind::remove; return true;
    default: return false;
  }
}

Error not_plain_rows(EventType type) {
  const std::string_view name = event_type_name(type);
  switch (type) {
    case EventType::write_rows_compressed_v1:
    case EventType::update_rows_compressed_v1:
    case EventType::delete_rows_compressed_v1:
    case EventType::write_rows_compressed:
    case EventType::update_rows_compressed:
    case EventType::delete_rows_compressed:
      return unsupported(name, "a compressed event that was not inflated");
    case EventType::pre_ga_write_rows:
    case EventType::pre_ga_update_rows:
    case EventType::pre_ga_delete_rows: return unsupported(name, "rows of MySQL before 5.1.16");
    case EventType::partial_row_data:
      return unsupported(name, "a part of an event that was not put together");
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

// Value options in front of a row of PARTIAL_UPDATE_ROWS (mysql-server: sql/log_event.h
// enum_binlog_row_value_options).
constexpr std::uint64_t kPartialJson = 1;

// The first four bytes as a little-endian number; what is not there counts as 0.
inline std::uint32_t peek(Bytes in) noexcept {
  return in.size() >= 4 ? ByteReader(in).u32() : static_cast<std::uint32_t>(little_endian(in));
}

std::string column_label(const TableMap& map, std::size_t index) {
  const MapColumn& column = map.columns[index];
  return map.database + "." + map.table + " column " +
         (map.has_names ? "`" + column.name + "`" : std::to_string(index)) + " (" +
         std::string(column_type_name(column.type)) + ")";
}

Error wrong_width(const TableMap& map, const RowsEvent& event) {
  return fatal(Errc::schema_mismatch,
               map.database + "." + map.table + ": ROWS event of " + std::to_string(event.width) +
                   " columns, its TABLE_MAP has " + std::to_string(map.columns.size()));
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
  SLUICE_TRY(decode(type, body, format, event));
  return event;
}

Status RowsEvent::decode(EventType type, Bytes body, const FormatDescription& format,
                         RowsEvent& out) {
  if (!read_kind(type, out.kind)) return not_plain_rows(type);
  out.partial_json = type == EventType::partial_update_rows;
  const std::size_t fixed = format.post_header(type);
  ByteReader r(body);
  out.table_id = fixed == 6 ? r.le<4>() : r.le<6>();
  out.flags = r.u16();
  if (fixed >= 10) {
    // Version 2: partition ids and NDB's data, which we have no use for.  The length counts its own
    // two bytes.
    const std::uint16_t extra = r.u16();
    if (r.ok() && extra < 2)
      return malformed(event_type_name(type),
                       "extra row info of " + std::to_string(extra) + " bytes");
    r.take(extra - 2U);
  }
  const std::uint64_t width = r.lenenc();
  if (r.ok() && width > body.size() * 8) return truncated(event_type_name(type), body);
  out.width = static_cast<std::uint32_t>(width);
  out.present = r.take(bitmap_bytes(out.width));
  out.present_after = out.kind == RowsKind::update ? r.take(bitmap_bytes(out.width)) : Bytes{};
  if (!r.ok()) return truncated(event_type_name(type), body);
  out.rows = r.rest();
  return {};
}

RowLayout::Cut RowLayout::cut_of(const MapColumn& column) noexcept {
  const auto fixed = [](std::uint32_t bytes) { return Cut{bytes, 0, 0, true, false}; };
  const auto prefixed = [](std::uint32_t bytes) {
    // More than four there are not: TABLE_MAP::decode saw to it.
    const std::uint32_t n = std::min(bytes, 4U);
    return Cut{0, static_cast<std::uint32_t>((std::uint64_t{1} << (8 * n)) - 1),
               static_cast<std::uint8_t>(n), true, false};
  };
  const std::uint32_t digits = std::min(column.length, 6U);  // of a temporal type
  switch (column.type) {
    case ColumnType::tiny:
    case ColumnType::year: return fixed(1);
    case ColumnType::short_: return fixed(2);
    case ColumnType::int24:
    case ColumnType::date:
    case ColumnType::newdate: return fixed(3);
    case ColumnType::long_:
    case ColumnType::float_: return fixed(4);
    case ColumnType::longlong:
    case ColumnType::double_: return fixed(8);
    case ColumnType::time: return fixed(kOldTimeBytes[digits]);
    case ColumnType::datetime: return fixed(kOldDatetimeBytes[digits]);
    case ColumnType::timestamp: return fixed(kOldTimestampBytes[digits]);
    case ColumnType::time2: return fixed(3 + (digits + 1) / 2);
    case ColumnType::datetime2: return fixed(5 + (digits + 1) / 2);
    case ColumnType::timestamp2: return fixed(4 + (digits + 1) / 2);
    case ColumnType::newdecimal: {
      const std::uint32_t scale = std::min<std::uint32_t>(column.scale, column.length);
      return fixed(digit_bytes(column.length - scale) + digit_bytes(scale));
    }
    case ColumnType::bit: return fixed((column.length + 7) / 8);
    case ColumnType::enum_:
    case ColumnType::set: return fixed(column.length);
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::string:
    case ColumnType::varchar_compressed: return prefixed(column.length > 255 ? 2 : 1);
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::blob_compressed:
    case ColumnType::geometry:
    case ColumnType::vector: return prefixed(column.length);
    case ColumnType::json: {
      Cut cut = prefixed(column.length);
      cut.json = true;
      return cut;
    }
    // A JSON document, as Field_typed_array stores it (mysql-server: sql/field.cc make_field); its
    // metadata describes the elements.
    case ColumnType::typed_array: return prefixed(4);
    case ColumnType::null: return fixed(0);
    case ColumnType::decimal_old:
    case ColumnType::invalid:
    case ColumnType::bool_: break;
  }
  return Cut{0, 0, 0, false, false};
}

RowLayout::RowLayout(const TableMap& map) : map_(&map) {
  cuts_.reserve(map.columns.size());
  for (const MapColumn& column : map.columns) {
    cuts_.push_back(cut_of(column));
    if (cuts_.back().json) ++json_columns_;
  }
}

Result<RowCursor> RowCursor::open(const RowLayout& layout, const RowsEvent& event) {
  RowCursor cursor;
  SLUICE_TRY(cursor.restart(layout, event));
  return cursor;
}

Result<RowCursor> RowCursor::open(const TableMap& map, const RowsEvent& event) {
  auto own = std::make_unique<const RowLayout>(map);
  SLUICE_TRY_ASSIGN(RowCursor cursor, open(*own, event));
  cursor.own_ = std::move(own);
  return cursor;
}

Status RowCursor::restart(const RowLayout& layout, const RowsEvent& event) {
  if (event.width != layout.cuts_.size()) return wrong_width(layout.map(), event);
  layout_ = &layout;
  event_ = &event;
  in_ = ByteReader(event.rows);
  present_ = count_bits(event.present, event.width);
  present_after_ =
      event.kind == RowsKind::update ? count_bits(event.present_after, event.width) : 0;
  // An INSERT that names no column has rows of no bytes: there is one (mysql-server:
  // Rows_log_event::do_apply_event's row loop runs once before it looks at the end).
  empty_insert_ = event.kind == RowsKind::insert && present_ == 0 && event.rows.empty();
  return {};
}

template <bool kAll>
Status RowCursor::cut_image(Bytes present, Bytes nulls, std::vector<Cell>& out) {
  const std::size_t width = layout_->cuts_.size();
  const RowLayout::Cut* const cuts = layout_->cuts_.data();
  const std::size_t whole = in_.remaining();
  Bytes left = in_.rest();
  std::size_t bit = 0;  // in `nulls`, which has one for each column that is present
  for (std::size_t i = 0; i < width; ++i) {
    Cell& cell = out[i];
    if (!kAll && !bit_lsb(present, i)) {
      cell = {};
      continue;
    }
    if (bit_lsb(nulls, bit++)) {
      cell = {{}, CellState::null};
      continue;
    }
    const RowLayout::Cut& cut = cuts[i];
    if (!cut.readable) return cannot_cut(i);
    const std::size_t size = cut.fixed + (peek(left) & cut.mask);
    if (cut.prefix + size > left.size())
      return truncated("row of " + column_label(layout_->map(), i), whole);
    cell = {left.subspan(cut.prefix, size), CellState::value};
    left = left.subspan(cut.prefix + size);
  }
  in_ = ByteReader(left);
  return {};
}

Status RowCursor::image(Bytes present, std::size_t present_count, std::vector<Cell>& out) {
  const std::size_t width = layout_->cuts_.size();
  if (out.size() != width) out.resize(width);
  const std::size_t left = in_.remaining();
  const Bytes nulls = in_.take(bitmap_bytes(present_count));
  if (!in_.ok())
    return truncated("row of " + layout_->map().database + "." + layout_->map().table, left);
  return present_count == width ? cut_image<true>(present, nulls, out)
                                : cut_image<false>(present, nulls, out);
}

// mysql-server: libs/mysql/binlog/event/rows_event.h, Rows_event: value_options, then, with
// PARTIAL_JSON in it, a bit for each JSON column of the table, be it in the image or not.
Status RowCursor::after_image(std::vector<Cell>& out) {
  Bytes diffs;
  if (event_->partial_json) {
    const std::size_t left = in_.remaining();
    const std::string_view name = event_type_name(EventType::partial_update_rows);
    const std::uint64_t options = in_.lenenc();
    if (in_.ok() && (options & ~kPartialJson) != 0)
      return unsupported(name, "row value options " + std::to_string(options));
    if ((options & kPartialJson) != 0) diffs = in_.take(bitmap_bytes(layout_->json_columns_));
    if (!in_.ok()) return truncated(name, left);
  }
  SLUICE_TRY(image(event_->present_after, present_after_, out));
  return diffs.empty() ? Status{} : mark_diffs(diffs, out);
}

// A diff has the length prefix of a document, so it was cut like one.
Status RowCursor::mark_diffs(Bytes diffs, std::vector<Cell>& out) const {
  std::size_t bit = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!layout_->cuts_[i].json) continue;
    if (bit_lsb(diffs, bit++) && out[i].state == CellState::value) {
      if (layout_->cuts_[i].prefix != 4)
        return malformed(column_label(layout_->map(), i), "a JSON diff with a short length");
      out[i].state = CellState::json_diff;
    }
  }
  return {};
}

Error RowCursor::cannot_cut(std::size_t column) const {
  return unsupported(column_label(layout_->map(), column),
                     "values of this type cannot be read from a row");
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
      SLUICE_TRY(after_image(out.after));
      break;
  }
  if (in_.remaining() == left)
    return malformed(layout_->map().database + "." + layout_->map().table,
                     "rows without columns, and bytes for them");
  return true;
}

}  // namespace sluice::binlog
