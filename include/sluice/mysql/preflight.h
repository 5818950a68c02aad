#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/model/binlog_position.h"
#include "sluice/model/gtid.h"
#include "sluice/mysql/connection.h"
#include "sluice/mysql/replication_stream.h"
#include "sluice/schema/catalog.h"

namespace sluice::mysql {

// One thing that is wrong at the source, with the exact statement or my.cnf line that mends it.
struct Finding {
  bool fatal = true;    // false: works, but the operator should know
  std::string problem;  // "binlog_format is STATEMENT"
  std::string remedy;   // "SET GLOBAL binlog_format = 'ROW'; and binlog_format = ROW in my.cnf"
};

// Whether rows of a table are wanted: database, table.
using TableTest = std::function<bool(std::string_view, std::string_view)>;

// Everything that keeps us from replicating, all at once: binlog off, not ROW, row image not FULL,
// privileges, position purged, server_id taken by another replica (where the grants let us see it);
// and what is changed without the binlog: foreign keys with CASCADE or SET NULL on tables that
// `takes` says are wanted.  Errors: the connection's.
Result<std::vector<Finding>> preflight(Connection& connection, const SourceOptions& options,
                                       const ReplicaIdentity& identity,
                                       const std::optional<BinlogPosition>& from,
                                       const TableTest& takes);

// @@lower_case_table_names: 0 tells names of databases and tables apart by case, 1 and 2 do not.
// Errors: the connection's.
Result<std::uint8_t> read_lower_case_table_names(Connection& connection);

// The source, as the state file remembers it.
struct SourceIdentity {
  Flavor flavor = Flavor::mysql;
  std::string server_uuid;  // MySQL: @@server_uuid; MariaDB: server_uid where it has one, else ""
  std::uint32_t server_id = 0;
  std::uint32_t domain_id = 0;  // MariaDB's gtid_domain_id
  std::string binlog_base;      // "binlog" of binlog.000003
};
Result<SourceIdentity> read_source_identity(Connection& connection);

// The end of the binlog now, and the GTID set executed there (empty set without GTID).
struct SourcePosition {
  BinlogPosition position;
  GtidSet gtids;
};
Result<SourcePosition> latest_position(Connection& connection);
// The same without GTIDs.
Result<BinlogPosition> binlog_end(Connection& connection);
// The names of its binlog files, oldest first; none when the binlog is off.
Result<std::vector<std::string>> binlog_files(Connection& connection);
// The start of the oldest binlog file there is.
Result<BinlogPosition> earliest_position(Connection& connection);

// schema::SchemaSource over information_schema and SHOW CREATE TABLE of the server that is
// followed. A lost connection is opened anew (once per call).
class MysqlSchemaSource final : public schema::SchemaSource {
 public:
  // `hosts` must outlive this.
  explicit MysqlSchemaSource(const Hosts& hosts) : hosts_(&hosts) {}
  Result<TableSchema> read_table(std::string_view database, std::string_view table) override;

 private:
  const Hosts* hosts_;
  std::optional<Connection> connection_;
};

}  // namespace sluice::mysql
