#include "sluice/event/table_plan.h"

#include <algorithm>

#include "sluice/base/hash.h"
#include "sluice/base/json_text.h"

#include "event/cells.h"
#include "event/column_plan.h"
#include "event/table_rules.h"

namespace sluice::event {
namespace {

using binlog::Cell;
using binlog::CellState;

// NULL in key bytes.
constexpr std::string_view kNullKey("\x01N", 2);

// Appends `"name"`; names were checked to be UTF-8.
void append_quoted(TextBuffer& out, std::string_view name) {
  out.push_back('"');
  append_json_text(out, name);
  out.push_back('"');
}

Result<std::vector<std::uint16_t>> partition_columns(const TableSchema& schema,
                                                     const PartitionRule& rule) {
  if (rule.by == PartitionRule::By::table) return std::vector<std::uint16_t>{};
  if (rule.by == PartitionRule::By::key) return schema.row_key();
  std::vector<std::uint16_t> out;
  for (const std::string& name : rule.columns) {
    const int at = schema.find(name);
    if (at < 0)
      return fatal(Errc::schema_mismatch,
                   "partition_by names column " + name + ", which the table does not have");
    out.push_back(static_cast<std::uint16_t>(at));
  }
  if (out.empty()) return fatal(Errc::schema_mismatch, "partition_by names no column");
  return out;
}

void make_pieces(TablePlan::Data& d) {
  TextBuffer mysql;
  TextBuffer sql;
  for (const std::uint16_t i : d.shown) {
    const ColumnSchema& c = d.schema.columns[i];
    if (!mysql.empty()) {
      mysql.push_back(',');
      sql.push_back(',');
    }
    append_quoted(mysql, c.name);
    mysql.push_back(':');
    append_quoted(mysql, c.mysql_type);
    append_quoted(sql, c.name);
    sql.push_back(':');
    sql.append_int(sql_type_of(c.type, c.is_unsigned));
  }
  d.mysql_types = mysql.view();
  d.sql_types = sql.view();

  TextBuffer piece;
  piece.append("],\"database\":");
  append_quoted(piece, d.schema.database);
  piece.append(",\"es\":");
  d.after_data = piece.view();

  piece.clear();
  piece.append(",\"pkNames\":");
  const auto& key = d.schema.row_key();
  if (key.empty()) {
    piece.append("null");
  } else {
    char before = '[';
    for (const std::uint16_t i : key) {
      piece.push_back(before);
      append_quoted(piece, d.schema.columns[i].name);
      before = ',';
    }
    piece.push_back(']');
  }
  piece.append(",\"rows\":[");
  d.after_old = piece.view();

  piece.clear();
  piece.append("\"table\":");
  append_quoted(piece, d.schema.name);
  piece.append(",\"ts\":");
  d.after_sql = piece.view();
}

// Their fractional digits are nowhere in the binlog.
bool old_temporal(binlog::ColumnType type) noexcept {
  return type == binlog::ColumnType::time || type == binlog::ColumnType::datetime ||
         type == binlog::ColumnType::timestamp;
}

Status fill(TablePlan::Data& d, const TableRules& rules, const RenderOptions& options) {
  TableSchema& s = d.schema;
  if (s.columns.size() != d.map.columns.size())
    return fatal(Errc::schema_mismatch, "the binlog has " + std::to_string(d.map.columns.size()) +
                                            " columns, the schema " +
                                            std::to_string(s.columns.size()));
  if (!is_utf8(s.database) || !is_utf8(s.name))
    return fatal(Errc::schema_mismatch, "the table's name is not valid UTF-8");
  SLUICE_TRY_ASSIGN(d.partition_columns, partition_columns(s, rules.partition));
  const auto& key = s.row_key();
  const auto decides = [&](std::uint16_t i) {
    return std::find(key.begin(), key.end(), i) != key.end() ||
           std::find(d.partition_columns.begin(), d.partition_columns.end(), i) !=
               d.partition_columns.end();
  };
  for (std::size_t i = 0; i < s.columns.size(); ++i) {
    binlog::MapColumn& logged = d.map.columns[i];
    if (old_temporal(logged.type)) logged.length = s.columns[i].scale;
    if (!is_utf8(s.columns[i].mysql_type))
      return fatal(Errc::schema_mismatch, s.columns[i].name + ": its type is not valid UTF-8");
    auto plan = plan_column(logged, d.map.has_charsets, s.columns[i], options,
                            decides(static_cast<std::uint16_t>(i)));
    if (!plan) return std::move(plan).error().at("column " + s.columns[i].name);
    d.columns.push_back(std::move(plan).value());
  }
  std::string name = s.database;
  name.push_back('\0');
  d.table_hash = xxh64(name + s.name);
  d.json_diff_text = options.json_diff_text;
  SLUICE_TRY(apply_rules(d, rules));
  d.layout.emplace(d.map);
  make_pieces(d);
  return {};
}

}  // namespace

TablePlan::TablePlan(std::unique_ptr<const Data> data) : data_(std::move(data)) {}
TablePlan::~TablePlan() = default;

Result<std::shared_ptr<const TablePlan>> TablePlan::make(binlog::TableMap map, TableSchema schema,
                                                         const TableRules& rules,
                                                         const RenderOptions& options) {
  auto data = std::make_unique<Data>();
  data->map = std::move(map);
  data->schema = std::move(schema);
  // The names the server logs are those of the binlog.
  data->schema.database = rules.database.empty() ? data->map.database : rules.database;
  data->schema.name = rules.table.empty() ? data->map.table : rules.table;
  if (Status s = fill(*data, rules, options); !s.ok())
    return std::move(s).error().at(data->map.database + "." + data->map.table);
  return std::shared_ptr<const TablePlan>(std::make_shared<TablePlan>(std::move(data)));
}

const binlog::TableMap& TablePlan::map() const noexcept {
  return data_->map;
}
const binlog::RowLayout& TablePlan::layout() const noexcept {
  return *data_->layout;
}
const TableSchema& TablePlan::schema() const noexcept {
  return data_->schema;
}
std::string_view TablePlan::mysql_types() const noexcept {
  return data_->mysql_types;
}
std::string_view TablePlan::sql_types() const noexcept {
  return data_->sql_types;
}
bool TablePlan::partitioned_by_row() const noexcept {
  return !data_->partition_columns.empty();
}

Result<std::uint32_t> TablePlan::partition(std::span<const Cell> cells,
                                           std::span<const Cell> before, std::uint32_t partitions,
                                           TextBuffer& scratch) const {
  const Data& d = *data_;
  if (d.partition_columns.empty()) return static_cast<std::uint32_t>(d.table_hash % partitions);
  if (partitions == 1) return std::uint32_t{0};
  scratch.clear();
  bool first = true;
  for (const std::uint16_t i : d.partition_columns) {
    const Cell cell = cell_of(cells, before, i);
    if (!first) scratch.push_back('\0');
    first = false;
    if (cell.state == CellState::null) {
      scratch.append(kNullKey);
      continue;
    }
    if (cell.state == CellState::absent)
      return fatal(Errc::binlog_unsupported,
                   d.schema.database + "." + d.schema.name + "." + d.schema.columns[i].name +
                       ": the row image lacks this column, which decides the partition "
                       "(set binlog_row_image=FULL)");
    const ColumnPlan& column = d.columns[i];
    const Rendered r = cell.state == CellState::json_diff
                           ? append_patched(cell, i < before.size() ? before[i] : Cell{}, scratch)
                           : column.raw(column, cell.bytes, scratch);
    if (r != Rendered::ok) return render_error(r, d.schema, i);
  }
  return static_cast<std::uint32_t>(xxh64(scratch.view(), d.table_hash) % partitions);
}

const std::vector<std::string>& TablePlan::unknown_columns() const noexcept {
  return data_->unknown_columns;
}

bool TablePlan::takes(binlog::RowsKind kind) const noexcept {
  switch (kind) {
    case binlog::RowsKind::insert: return data_->inserts;
    case binlog::RowsKind::update: return data_->updates;
    case binlog::RowsKind::remove: break;
  }
  return data_->removes;
}

bool TablePlan::has_condition() const noexcept {
  return data_->when.has_value();
}

Result<bool> TablePlan::satisfies(std::span<const Cell> cells, std::span<const Cell> before,
                                  ConditionScratch& scratch) const {
  if (!data_->when) return true;
  return data_->when->holds(data_->schema, data_->columns, cells, before, scratch);
}

bool TablePlan::shows_change(std::span<const Cell> before,
                             std::span<const Cell> after) const noexcept {
  return !data_->narrowed ||
         std::any_of(data_->shown.begin(), data_->shown.end(), [&](std::uint16_t i) {
           return data_->columns[i].constant.empty() && changes(before[i], after[i]);
         });
}

Status TablePlan::check_whole(std::span<const Cell> cells, std::span<const Cell> before) const {
  const Data& d = *data_;
  for (const std::uint16_t i : d.shown)
    if (cell_of(cells, before, i).state == CellState::absent)
      return fatal(Errc::binlog_unsupported,
                   d.schema.database + "." + d.schema.name + "." + d.schema.columns[i].name +
                       ": the row image of a row that comes to satisfy the condition lacks this "
                       "column (set binlog_row_image=FULL)");
  return {};
}

bool TablePlan::partition_key_changed(std::span<const Cell> before,
                                      std::span<const Cell> after) const noexcept {
  const auto& columns = data_->partition_columns;
  return std::any_of(columns.begin(), columns.end(), [&](std::uint16_t i) {
    return i < before.size() && i < after.size() && changes(before[i], after[i]);
  });
}

}  // namespace sluice::event
