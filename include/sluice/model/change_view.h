#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sluice/model/event_id.h"

namespace sluice {

enum class ChangeKind : std::uint8_t { insert, update, remove, tick, ddl };

// One line of a message as the applier sees it.  Views into the parser's buffers: valid until the
// next line is read. The vectors keep their capacity from line to line: no allocation per row in
// steady state.
struct ChangeView {
  // A table as its lines show it.
  struct Shown {
    struct Column {
      std::string name;
      std::string mysql_type;  // "bigint(20) unsigned"
      bool binary = false;     // values are bytes
    };
    std::uint64_t id = 0;  // of its maker another one for each table and whenever columns differ
    std::vector<Column> columns;  // in table order
  };
  // One column of one row.  A null value has is_null; `value` is UTF-8, except in binary columns,
  // where it is the bytes.
  struct Field {
    std::string_view name;
    std::string_view value;
    bool is_null = false;
    bool binary = false;
    std::uint16_t column = 0;  // index into shown->columns
  };
  struct Row {
    std::uint64_t index = 0;  // in its ROWS event
    std::uint32_t data_begin = 0,
                  data_end = 0;  // into `fields`: after image (before image of a delete)
    std::uint32_t old_begin = 0,
                  old_end = 0;  // into `fields`: changed columns with their old values (update)
  };

  ChangeKind kind = ChangeKind::tick;
  std::string_view database, table;
  std::string_view gtid;
  std::int64_t es_ms = 0;  // commit time as the source says it
  std::int64_t ts_ms = 0;  // when the line was encoded
  Seq seq;
  const Shown* shown = nullptr;            // of rows; valid as long as the views
  std::vector<std::string_view> pk_names;  // empty: none
  std::vector<Field> fields;
  std::vector<Row> rows;
  // Ticks only.
  std::string_view file;
  std::uint64_t pos = 0;

  std::span<const Field> data(const Row& r) const {
    return std::span(fields).subspan(r.data_begin, r.data_end - r.data_begin);
  }
  std::span<const Field> old(const Row& r) const {
    return std::span(fields).subspan(r.old_begin, r.old_end - r.old_begin);
  }
};

}  // namespace sluice
