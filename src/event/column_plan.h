#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "sluice/base/charset.h"
#include "sluice/base/result.h"
#include "sluice/base/sha256.h"
#include "sluice/event/table_plan.h"

#include "event/row_condition.h"

namespace sluice::event {

enum class Rendered : std::uint8_t {
  ok,
  replaced,     // text with bad bytes, each written as U+FFFD
  bad_text,     // text with bad bytes
  bad_value,    // bytes that cannot be a value of the column's type
  bad_diff,     // a JSON diff that does not fit the document
  no_document,  // a JSON diff, and no document to apply it to
};

struct ColumnPlan;
// Appends a value; on anything but ok and replaced `out` may hold a part of it.
using RenderFn = Rendered (*)(const ColumnPlan&, Bytes, TextBuffer&);

// How one column is rendered.
struct ColumnPlan {
  RenderFn json = nullptr;  // the inside of a JSON string
  RenderFn raw = nullptr;   // the same characters unescaped: what is hashed
  // MariaDB COMPRESSED columns: how the value is rendered once it is inflated.
  RenderFn plain_json = nullptr;
  RenderFn plain_raw = nullptr;
  // `,"name":"` and kPadding bytes, so that it is copied in blocks.
  static constexpr std::size_t kPadding = 32;
  std::string padded_prefix;
  std::size_t prefix_size = 0;
  const Charset* charset = nullptr;
  std::uint32_t length = 0;  // BINARY(n): n; DECIMAL: precision; temporal types: fractional digits
  std::uint8_t scale = 0;    // DECIMAL
  bool replace_bad_text = false;
  bool hidden = false;   // never shown: an index' own column, or left out by a rule
  std::string constant;  // masked: what stands for every value, as JSON; empty: nothing does
  std::optional<Sha256> hashed;  // masked: values are shown as this, gone on with their text
  std::int32_t zone_seconds = 0;
  std::vector<std::string> labels;       // ENUM, SET
  std::vector<std::string> json_labels;  // the same, escaped

  // Appends what stands in front of a value: `,"name":"`, without the comma when it is the first of
  // its row, without the quote when it is null.
  void append_prefix(TextBuffer& out, bool first, bool quote) const {
    const char* const from = padded_prefix.data() + (first ? 1 : 0);
    const std::size_t n = prefix_size - (first ? 1U : 0U) - (quote ? 0U : 1U);
    char* const to = out.room(n + kPadding);
    for (std::size_t i = 0; i < n; i += kPadding) std::memcpy(to + i, from + i, kPadding);
    out.commit(n);
  }
};

// Chooses the renderer.  `key`: the column decides identity, so its text is never replaced. Errors:
// fatal/schema_mismatch, fatal/binlog_unsupported, without table and column.
Result<ColumnPlan> plan_column(const binlog::MapColumn& map, bool map_has_charsets,
                               const ColumnSchema& schema, const RenderOptions& options, bool key);

// The error for a column that could not be rendered: fatal, with table and column.
Error render_error(Rendered what, const TableSchema& table, std::size_t column);

// The text of the document that a cell of CellState::json_diff makes of the before image's;
// appended, unescaped.  A diff of nothing leaves the document as it is.
Rendered append_patched(const binlog::Cell& diff, const binlog::Cell& before, TextBuffer& out);

// Masks the column with the hash of what its raw renderer makes.
void mask_with_hash(ColumnPlan& plan, const Sha256& salted, bool binary);

struct TablePlan::Data {
  binlog::TableMap map;
  std::optional<binlog::RowLayout> layout;  // of `map`; always there once the plan is made
  TableSchema schema;
  std::vector<ColumnPlan> columns;
  std::vector<std::uint16_t> shown;  // columns that are not hidden
  bool narrowed = false;             // a rule hides a column, or its values
  bool inserts = true, updates = true, removes = true;
  std::optional<RowCondition> when;
  std::vector<std::string> unknown_columns;
  bool json_diff_text = false;
  std::string mysql_types, sql_types;
  // The fixed pieces of a line, in its order.
  std::string after_data;                        // ],"database":"..","es":
  std::string after_old;                         // ,"pkNames":[..],"rows":[
  std::string after_sql;                         // "table":"..","ts":
  std::uint64_t table_hash = 0;                  // XXH64(database NUL table)
  std::vector<std::uint16_t> partition_columns;  // empty: the whole table
};

}  // namespace sluice::event
