// Any bytes as a TABLE_MAP: refused, or a map whose parts agree, which makes a schema and a layout.
// Input: one byte of options (bit 0 MariaDB, bit 1 table ids of four bytes), the event's body.
#include <cstdint>

#include "sluice/binlog/rows.h"
#include "sluice/binlog/table_map.h"
#include "sluice/schema/map_schema.h"

#include "fuzz/format.h"
#include "fuzz/require.h"

namespace {

using namespace sluice;
using fuzz::require;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader in(std::as_bytes(std::span(data, size)));
  const unsigned options = in.u8();
  const Bytes body = in.rest();
  const auto format =
      fuzz::format_of((options & 1) != 0, binlog::EventType::table_map, (options & 2) != 0 ? 6 : 8);
  const auto map = binlog::TableMap::decode(body, format);
  const auto id = binlog::table_id_of(binlog::EventType::table_map, body, format);
  if (!map.ok()) return 0;
  require(id.ok() && *id == map->table_id);
  require(map->columns.size() <= 4096);
  for (const auto& part : map->primary_key) require(part.column < map->columns.size());
  const TableSchema schema = schema::schema_from_map(*map, format.flavor);
  require(schema.columns.size() == map->columns.size());
  for (const std::uint16_t column : schema.primary_key) require(column < schema.columns.size());
  // What else stands in the input, as rows of it.
  const binlog::RowLayout layout(*map);
  binlog::RowsEvent rows;
  rows.width = static_cast<std::uint32_t>(map->columns.size());
  const std::vector<std::byte> all((map->columns.size() + 7) / 8, std::byte{0xFF});
  rows.present = all;
  rows.rows = body;
  auto cursor = binlog::RowCursor::open(layout, rows);
  require(cursor.ok());
  binlog::RowImages images;
  for (;;) {
    const auto more = cursor->next(images);
    if (!more.ok() || !*more) return 0;
    require(images.after.size() == map->columns.size());
  }
}
