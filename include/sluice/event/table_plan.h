#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/binlog/rows.h"
#include "sluice/binlog/table_map.h"
#include "sluice/event/table_rules.h"
#include "sluice/model/table_schema.h"

namespace sluice::event {

enum class InvalidText : std::uint8_t { stop, replace };

// What changes how values are written: part of the layout fingerprint.
struct RenderOptions {
  std::int32_t time_zone_seconds = 0;  // offset of TIMESTAMP rendering, east positive
  InvalidText invalid_text = InvalidText::stop;
  bool binary_base64 = false;
  // Not part of the fingerprint: a JSON diff whose document the before image lacks is written as
  // JSON_REPLACE(@, '$.a', 1), with @ for the document, instead of being an error.  For `sluice
  // decode` only: nobody can apply such a line.
  bool json_diff_text = false;
};

// How the rows of one table are rendered: made once per TABLE_MAP content, then only read.
// Immutable; thread-safe.
//
// A column of DeclaredType::unknown, of which only the binlog tells, is written as far as that
// goes: ENUM without labels as its index, SET without labels as its bits, both as a number; CHAR,
// VARCHAR, TEXT and their binary kin without a character set as text when they are valid UTF-8,
// value by value, else as bytes (ISO-8859-1 characters, never base64); dates and times of types 7,
// 11 and 12 without a fraction.  For a declared column what is not known is an error.
//
// The column in which a multi-valued index keeps its elements (TYPED_ARRAY; logged before MySQL
// 8.0.18 only) is in no line.
//
// The partition of a row (format version 1; vectors in tests/unit/event/partition_test.cc):
//   seed      = XXH64(database NUL table, seed 0), by the names that rows go by
//   partition = XXH64(key, seed) % partitions
//   key       = the partition columns' texts, one after the other with a NUL byte between.  A text
//   is what stands in `data`, as
//               UTF-8 before JSON escaping; of a binary column always its bytes as U+0000..U+00FF,
//               whatever binary_base64 says; NULL is the two bytes 01 4E.
// A table that is one partition: seed % partitions.  Two keys that make the same bytes (a text with
// NUL in it) meet in one partition, which only ever puts more rows in one order than need be.
//
// pkNames in the lines are the primary key's columns; a table without one gets the columns of its
// row key (the first unique key that is neither nullable nor a prefix), because readers take
// pkNames for what identifies a row; null when there is neither.
class TablePlan final {
 public:
  // `schema` has exactly the columns of `map` (schema::Catalog saw to it).  Errors:
  // fatal/schema_mismatch, fatal/binlog_unsupported, fatal/binlog_malformed, with table and column;
  // fatal/config_invalid for rules that the table cannot have: a key column that is left out or
  // masked by anything but sha256, a condition that does not fit the columns.
  static Result<std::shared_ptr<const TablePlan>> make(binlog::TableMap map, TableSchema schema,
                                                       const TableRules& rules,
                                                       const RenderOptions& options);
  ~TablePlan();
  TablePlan(const TablePlan&) = delete;
  TablePlan& operator=(const TablePlan&) = delete;

  const binlog::TableMap& map() const noexcept;
  // For RowCursor: how rows of map() are cut.  map() has what the binlog does not tell, too: the
  // fractional digits of MariaDB's old temporal types.
  const binlog::RowLayout& layout() const noexcept;
  // Under the names that rows go by.
  const TableSchema& schema() const noexcept;
  // What columns and masks of the rules name and the table does not have: passed over.
  const std::vector<std::string>& unknown_columns() const noexcept;
  // False: events of this kind are passed over.
  bool takes(binlog::RowsKind kind) const noexcept;
  // Not every row is taken.
  bool has_condition() const noexcept;
  // Whether the row satisfies the condition.  `before`: as for partition().  Errors:
  // fatal/binlog_malformed, fatal/binlog_unsupported as there.
  Result<bool> satisfies(std::span<const binlog::Cell> cells, std::span<const binlog::Cell> before,
                         ConditionScratch& scratch) const;
  // Whether an update changes anything that is shown.
  bool shows_change(std::span<const binlog::Cell> before,
                    std::span<const binlog::Cell> after) const noexcept;
  // Every column that is shown is in one of the images.  Errors: fatal/binlog_unsupported naming
  // the first that is not.
  Status check_whole(std::span<const binlog::Cell> cells,
                     std::span<const binlog::Cell> before) const;
  // `"id":"int unsigned","name":"varchar(255)"` and `"id":-5,"name":12`: the insides of mysqlType
  // and sqlType.
  std::string_view mysql_types() const noexcept;
  std::string_view sql_types() const noexcept;
  // False: the whole table is one partition.
  bool partitioned_by_row() const noexcept;
  // The partition of a row with these cells; partitions > 0.  `before`: for the after image of an
  // update, whose absent cells are taken from there; else empty.  Errors: fatal/binlog_malformed
  // for a value that cannot be rendered, fatal/binlog_unsupported when the row image lacks a
  // partition column.
  Result<std::uint32_t> partition(std::span<const binlog::Cell> cells,
                                  std::span<const binlog::Cell> before, std::uint32_t partitions,
                                  TextBuffer& scratch) const;
  Result<std::uint32_t> partition(std::span<const binlog::Cell> cells, std::uint32_t partitions,
                                  TextBuffer& scratch) const {
    return partition(cells, {}, partitions, scratch);
  }
  // Whether an update changes a column the partition depends on.
  bool partition_key_changed(std::span<const binlog::Cell> before,
                             std::span<const binlog::Cell> after) const noexcept;

  struct Data;
  const Data& data() const noexcept { return *data_; }  // for this room
  explicit TablePlan(std::unique_ptr<const Data> data);

 private:
  std::unique_ptr<const Data> data_;
};

}  // namespace sluice::event
