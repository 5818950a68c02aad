#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/config/options.h"
#include "sluice/model/binlog_position.h"
#include "sluice/model/gtid.h"
#include "sluice/mysql/connection.h"
#include "sluice/mysql/replication_stream.h"
#include "sluice/schema/catalog.h"
#include "sluice/schema/ddl_statement.h"
#include "sluice/schema/definitions.h"
#include "sluice/schema/place.h"

namespace sluice::mysql {

// How a second dump of ours shows up beside the first, which the source must not end for it.
ReplicaIdentity second_identity(const ReplicaIdentity& ours);

// Hands over the statements that end behind `from` and not behind `to`, which both are places of
// this server; reads the binlog between them over a connection of its own.  Statements that begin
// or end a transaction and changes in statement format are left out.  Errors: those of
// ReplicationStream::open and of `each`; fatal/binlog_*; stopped.
Status scan_statements(const SourceOptions& options, const Endpoint& endpoint,
                       const ReplicaIdentity& identity, const schema::Place& from,
                       const schema::Place& to, const std::stop_token& stop,
                       const std::function<Status(const schema::DdlStatement&)>& each);

// What was read of the source's tables, by when it holds.
struct SchemaBaseline {
  schema::Place place;
  // The tables there.  Lost: those that a statement has changed between there and `now`.
  schema::Definitions tables;
  // Those as they are from the last such statement on.
  std::vector<std::pair<schema::Place, TableSchema>> later;
  // Of the lost ones those that were there, with the last such statement; an empty name stands for
  // all.
  std::map<std::pair<std::string, std::string>, schema::Place> altered;
  // The end of the binlog when all was read, and the GTID set executed there.
  schema::Place now;
  GtidSet gtids;
};

// Tables of the source with the places of the binlog they belong to, without locks: read, then look
// through the binlog for statements that have changed them meanwhile.  Keeps what it has seen of
// the binlog, so that the next question only reads on.  A lost connection is opened anew, once per
// call. Belongs to one thread.
class SourceSchemas final : public schema::SchemaSource {
 public:
  struct Settings {
    const Hosts* hosts = nullptr;  // of the one that is followed; must outlive this
    ReplicaIdentity identity;      // of the dumps that look for statements
    // Databases whose tables are read; empty: all but the system's.
    std::function<bool(std::string_view database)> wanted;
    std::stop_token stop;
  };
  explicit SourceSchemas(Settings settings) : settings_(std::move(settings)) {}
  // Ends what waits for the source from now on.
  void set_stop(std::stop_token stop) { settings_.stop = std::move(stop); }

  Result<TableSchema> read_table(std::string_view database, std::string_view table) override;
  Result<TableSchema> read_table_at(std::string_view database, std::string_view table,
                                    const schema::Place& place) override;
  // A table as it is now, and from where on: `from`, or the last statement since that has changed
  // it.
  Result<std::pair<schema::Place, TableSchema>> read_table_since(std::string_view database,
                                                                 std::string_view table,
                                                                 const schema::Place& from);

  // All tables of all databases that are wanted, as they were at `from`; without it as they are at
  // the binlog's end.  Tables that the account may not read are left out.
  Result<SchemaBaseline> baseline(std::uint32_t epoch, const std::optional<BinlogPosition>& from);

 private:
  using Name = std::pair<std::string, std::string>;
  template <class T>
  Result<T> with_connection(const std::function<Result<T>(Connection&)>& act);
  Result<schema::Place> end_of_binlog(std::uint32_t epoch, GtidSet* gtids = nullptr);
  // Makes touched_ reach from `from` to the binlog's end now, which is returned.
  Result<schema::Place> look_from(const schema::Place& from, GtidSet* gtids = nullptr);

  Settings settings_;
  std::optional<Connection> connection_;
  std::uint8_t lower_case_ = 0;
  schema::TouchedTables touched_;  // by statements between these two
  std::optional<std::pair<schema::Place, schema::Place>> looked_;
};

// True when every TABLE_MAP that is written from now on names its columns (binlog_row_metadata is
// FULL).
Result<bool> has_full_metadata(Connection& connection);

}  // namespace sluice::mysql
