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
#include "sluice/model/table_schema.h"

namespace sluice::event {

enum class InvalidText : std::uint8_t { stop, replace };

// What changes how values are written: part of the layout fingerprint.
struct RenderOptions {
  std::int32_t time_zone_seconds = 0;  // offset of TIMESTAMP rendering, east positive
  InvalidText invalid_text = InvalidText::stop;
  bool binary_base64 = false;
};

// Which columns decide a row's partition.
struct PartitionRule {
  enum class By : std::uint8_t { key, columns, table };
  By by = By::key;
  std::vector<std::string> columns;  // by == columns
};

// How the rows of one table are rendered: made once per TABLE_MAP content, then only read.  Immutable; thread-safe.
class TablePlan {
 public:
  // `schema` has exactly the columns of `map` (schema::Catalog saw to it).  Errors: fatal/schema_mismatch,
  // fatal/binlog_unsupported, with table and column.
  static Result<std::shared_ptr<const TablePlan>> make(binlog::TableMap map, TableSchema schema,
                                                       const PartitionRule& rule,
                                                       const RenderOptions& options);
  virtual ~TablePlan() = default;

  virtual const binlog::TableMap& map() const noexcept = 0;
  virtual const TableSchema& schema() const noexcept = 0;
  // `"id":"int unsigned","name":"varchar(255)"` and `"id":-5,"name":12`: the insides of mysqlType and sqlType.
  virtual std::string_view mysql_types() const noexcept = 0;
  virtual std::string_view sql_types() const noexcept = 0;
  // False: the whole table is one partition.
  virtual bool partitioned_by_row() const noexcept = 0;
  // The partition of a row with these cells.  Errors: fatal/binlog_malformed for a value that cannot be rendered.
  virtual Result<std::uint32_t> partition(std::span<const binlog::Cell> cells, std::uint32_t partitions,
                                          TextBuffer& scratch) const = 0;
  // Whether an update changes a column the partition depends on.
  virtual bool partition_key_changed(std::span<const binlog::Cell> before,
                                     std::span<const binlog::Cell> after) const noexcept = 0;
};

}  // namespace sluice::event
