// Any TABLE_MAP and any ROWS event after it, written as lines: refused, or lines that our own
// reader reads back.  Input: one byte of options, the size of the TABLE_MAP's body (two bytes,
// little-endian), its body, the ROWS event's body.
//   options: bits 0-2 the ROWS event's type, 3 MariaDB, 4 base64, 5 bad text is replaced
#include <array>
#include <cstdint>

#include "sluice/binlog/rows.h"
#include "sluice/binlog/value.h"
#include "sluice/event/line_encoder.h"
#include "sluice/event/line_reader.h"
#include "sluice/event/table_plan.h"

#include "fuzz/format.h"
#include "fuzz/require.h"

namespace {

using namespace sluice;
using binlog::EventType;
using fuzz::require;

constexpr std::array kTypes = {EventType::write_rows,          EventType::update_rows,
                               EventType::delete_rows,         EventType::write_rows_v1,
                               EventType::update_rows_v1,      EventType::delete_rows_v1,
                               EventType::partial_update_rows, EventType::partial_update_rows};

// Nothing but the map is known of the table.
TableSchema schema_of(const binlog::TableMap& map) {
  TableSchema schema;
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    ColumnSchema c;
    c.name = "@" + std::to_string(i + 1);
    c.is_unsigned = map.columns[i].is_unsigned;
    schema.columns.push_back(std::move(c));
  }
  if (!schema.columns.empty()) schema.primary_key = {0};
  return schema;
}

void check_line(event::LineEncoder& encoder, bool base64) {
  TextBuffer text;
  TextBuffer line;
  const event::EncodedLine encoded = encoder.finish(text);
  event::append_line(line, text.view(), encoded, true, 1);
  event::LineReader reader(base64);
  reader.open(line.view());
  const auto read = reader.next();
  require(read.ok() && *read != nullptr && (*read)->rows.size() == 1);
  const auto end = reader.next();
  require(end.ok() && *end == nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader in(std::as_bytes(std::span(data, size)));
  const unsigned options = in.u8();
  const Bytes map_body = in.take(in.u16());
  if (!in.ok()) return 0;
  const auto format = fuzz::format_of((options & 8) != 0);
  auto map = binlog::TableMap::decode(map_body, format);
  if (!map.ok()) return 0;
  event::RenderOptions render;
  render.binary_base64 = (options & 16) != 0;
  if ((options & 32) != 0) render.invalid_text = event::InvalidText::replace;
  render.json_diff_text = true;
  TableSchema schema = schema_of(*map);
  const auto plan = event::TablePlan::make(std::move(map).value(), std::move(schema), {}, render);
  if (!plan.ok()) return 0;
  const Bytes body = in.rest();
  const auto rows = binlog::RowsEvent::decode(kTypes[options & 7], body, format);
  if (!rows.ok()) return 0;
  auto cursor = binlog::RowCursor::open((*plan)->layout(), *rows);
  if (!cursor.ok()) return 0;
  const bool update = rows->kind == binlog::RowsKind::update;
  binlog::RowImages images;
  event::LineEncoder encoder;
  TextBuffer scratch;
  for (std::uint64_t row = 0;; ++row) {
    const auto more = cursor->next(images);
    if (!more.ok() || !*more) break;
    require(row <= body.size());
    const auto& cells = rows->kind == binlog::RowsKind::remove ? images.before : images.after;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      require(cells[i].bytes.size() <= body.size());
      if (cells[i].state == binlog::CellState::value)
        (void)binlog::decode_value((*plan)->map().columns[i], cells[i].bytes);
    }
    const std::span<const binlog::Cell> before =
        update ? std::span<const binlog::Cell>(images.before) : std::span<const binlog::Cell>{};
    (void)(*plan)->partition(cells, before, 16, scratch).ok();
    encoder.begin(**plan, update ? ChangeKind::update : ChangeKind::insert, 0, {});
    if (encoder.add(row, cells, before).ok())
      check_line(encoder, render.binary_base64);
    else
      encoder.reset();
  }
  return 0;
}
