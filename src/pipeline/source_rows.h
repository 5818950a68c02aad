#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sluice/config/options.h"
#include "sluice/model/binlog_position.h"
#include "sluice/mysql/connection.h"
#include "sluice/mysql/source_schemas.h"
#include "sluice/position/state_file.h"

#include "pipeline/row_query.h"
#include "pipeline/table_filter.h"

namespace sluice::pipeline {

// A row by what its lines say of it.
struct RowName {
  std::string database, table;  // as rows go by
  std::vector<std::string> key_names, key;
  std::set<std::string, std::less<>> columns;  // that its line carried
  friend bool operator<(const RowName& a, const RowName& b) {
    return std::tie(a.database, a.table, a.key) < std::tie(b.database, b.table, b.key);
  }
};

// Single rows of the source as the pipeline would send them now.  Belongs to one thread.
class SourceRows {
 public:
  // Connects to the server that the saved state is of.  `options` must outlive this.  Errors: those
  // of the connection; fatal/mysql_identity when none of the hosts is that server.
  static Result<std::unique_ptr<SourceRows>> open(const Options& options,
                                                  const position::State& saved);
  // Nothing: there is no such row (any more), or it is not taken.  `settled`: waits for a
  // transaction that has changed the row and is not over at the source, though it may be in the
  // binlog already (a locking read).  Errors: fatal/usage when rows of this table cannot be asked
  // for, or it is not there; the connection's.
  Result<std::optional<ShownRow>> read(const RowName& row, bool settled);
  // The columns of the row that read() found last; its id is another one for each table.
  const ChangeView::Shown& shown() const noexcept { return *shown_; }
  // The end of the binlog now: what was read before is of no later place.
  Result<BinlogPosition> binlog_end();

 private:
  using TableName = std::pair<std::string, std::string>;
  SourceRows(const Options& options, mysql::Connection connection, NameCase names);
  Status find_tables();
  struct Query {
    RowQuery rows;
    ChangeView::Shown shown;
  };
  Result<const Query*> query_of(const TableName& table, const RowName& row);

  mysql::Connection connection_;
  TableFilter filter_;
  mysql::Hosts hosts_;
  std::optional<mysql::SourceSchemas> schemas_;
  // The source's tables by the names their rows go by: several may go by one.
  std::optional<std::multimap<TableName, TableName>> tables_;
  std::map<TableName, Query> queries_;
  const ChangeView::Shown* shown_ = nullptr;
};

}  // namespace sluice::pipeline
