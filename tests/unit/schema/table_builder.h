#pragma once
// Tables and TABLE_MAPs for the tests of this room.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sluice/schema/catalog.h"

namespace sluice::schema {

inline ColumnSchema column(std::string name, std::string_view type, std::string charset = "") {
  ColumnSchema c;
  EXPECT_TRUE(parse_column_type(type, c).ok()) << type;
  c.name = std::move(name);
  c.charset = std::move(charset);
  c.nullable = false;
  return c;
}

inline binlog::MapColumn logged(binlog::ColumnType type, std::uint32_t length = 0,
                                std::uint8_t scale = 0) {
  binlog::MapColumn c;
  c.type = type;
  c.length = length;
  c.scale = scale;
  c.nullable = false;
  return c;
}

inline TableSchema table(std::vector<ColumnSchema> columns,
                         std::vector<std::uint16_t> primary_key = {}) {
  TableSchema t;
  t.database = "shop";
  t.name = "t";
  t.columns = std::move(columns);
  t.primary_key = std::move(primary_key);
  return t;
}

// A map without optional metadata.
inline binlog::TableMap bare(std::vector<binlog::MapColumn> columns) {
  binlog::TableMap m;
  m.database = "shop";
  m.table = "t";
  m.columns = std::move(columns);
  return m;
}

// A map as binlog_row_metadata=FULL writes it.
inline binlog::TableMap full(std::vector<std::pair<std::string, binlog::MapColumn>> columns) {
  binlog::TableMap m = bare({});
  for (auto& [name, c] : columns) {
    c.name = name;
    m.columns.push_back(std::move(c));
  }
  m.has_signedness = m.has_charsets = m.has_names = m.has_labels = m.has_visibility =
      m.has_label_charsets = true;
  return m;
}

inline binlog::MapColumn unsigned_(binlog::MapColumn c) {
  c.is_unsigned = true;
  return c;
}
inline binlog::MapColumn collated(binlog::MapColumn c, std::uint32_t collation) {
  c.collation = collation;
  return c;
}

constexpr std::uint32_t kLatin1 = 8, kUtf8mb4 = 45, kBinary = 63;

}  // namespace sluice::schema
