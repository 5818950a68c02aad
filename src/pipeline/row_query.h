#pragma once
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/sha256.h"
#include "sluice/event/table_rules.h"
#include "sluice/expr/condition.h"
#include "sluice/model/change_view.h"
#include "sluice/model/table_schema.h"
#include "sluice/mysql/connection.h"

namespace sluice::pipeline {

// A row by column, in table order, as its line would show it; binary columns as bytes.
using ShownRow = std::vector<std::pair<std::string, std::optional<std::string>>>;

// How single rows of a table are read from the source by their key, and shown as lines show them:
// the texts of docs/format.md, columns, masks and condition of the table's rules.  The session's
// time_zone must be rendering.time_zone.  Immutable.
class RowQuery {
 public:
  // `schema` as the source says it now; `virtual_columns`: the generated ones that lines of this
  // table carry.  Errors: fatal/usage for a table whose rows cannot be found by what lines show of
  // them, or of which not every change is taken.
  static Result<RowQuery> make(TableSchema schema, const event::TableRules& rules,
                               const std::set<std::string, std::less<>>& virtual_columns);
  const TableSchema& schema() const noexcept { return schema_; }
  // The columns that read() tells of, in its order; without an id.
  ChangeView::Shown shown() const;
  // `key`: texts of row_key_names(), as lines show them.  Errors: fatal/usage for a text that such
  // a column cannot have.
  Result<std::string> select(std::span<const std::string> key,
                             const std::function<std::string(std::string_view)>& quote) const;
  // What select() answered; nothing when no row has that very key, or the condition leaves it out.
  // Errors: fatal/mysql_query for an answer of another shape.
  Result<std::optional<ShownRow>> read(std::span<const std::string> key,
                                       const mysql::ResultRows& rows) const;

 private:
  struct Column {
    std::uint16_t at = 0;  // in schema_
    bool shown = true;
    event::ColumnMask::Kind mask = event::ColumnMask::Kind::null;
    bool masked = false;
    std::string fixed;
  };
  RowQuery() = default;
  std::optional<std::string> text_of(const ColumnSchema& column,
                                     const std::optional<std::string>& answer) const;
  bool satisfies(const std::vector<std::optional<std::string>>& texts) const;
  TableSchema schema_;
  std::vector<Column> columns_;  // as selected
  Sha256 salted_;
  std::optional<expr::Predicate> when_;
  std::vector<std::size_t> when_columns_;  // what it is given, in columns_
};

}  // namespace sluice::pipeline
