#pragma once
#include <filesystem>
#include <memory>
#include <optional>

#include "sluice/config/options.h"
#include "sluice/model/gtid.h"
#include "sluice/mysql/preflight.h"
#include "sluice/mysql/replication_stream.h"
#include "sluice/position/state_file.h"
#include "sluice/queue/connection.h"
#include "sluice/redis/connection.h"

#include "pipeline/outbox.h"
#include "pipeline/places.h"
#include "pipeline/table_filter.h"

namespace sluice::pipeline {

// How we appear at the source: the configured server_id, or one derived from instance and host
// name; the uuid always derived.
mysql::ReplicaIdentity replica_identity(const Options& options);
position::Layout layout_of(const Options& options);
queue::Names names_of(const Options& options);
// Where prepared XA transactions are held.
std::filesystem::path held_xa_folder(const Options& options);
position::SourceState source_state(const mysql::SourceIdentity& identity);

// Where a run begins.
struct StartPlan {
  position::State state;  // as saved, or new
  GtidSet gtids;          // executed at its position
  bool first = false;
  bool jumped = false;  // over binlogs that are purged: they were not read
};

// Decides where to start.  With a state: checks that instance, layout and source are the ones it
// was made with.  Without: refuses when queues or records of this instance exist
// (fatal/position_missing), else takes source.start.  Changes nothing.
Result<StartPlan> plan_start(const Options& options, std::optional<position::State> saved,
                             mysql::Connection& source, queue::Admin& admin,
                             redis::Connection& redis);

// `filter` must outlive it.
mysql::TableTest tables_of(const TableFilter& filter);

// Fails with all fatal findings, each with its remedy; logs the others.
Status require(const std::vector<mysql::Finding>& findings);

// Of one family with the server that was followed.  Errors: fatal/mysql_identity.
Status same_flavor(const position::SourceState& saved, const mysql::ServerInfo& now);

// What identifies the server is as it was.  Errors: fatal/mysql_identity.
Status same_source(const position::SourceState& saved, const position::SourceState& now);

// It is that server, whatever its binlog is called.
bool same_server(const position::SourceState& saved, const position::SourceState& now);

// What is said when the binlog is not the one that was read.
Error other_history(const std::string& what);
Error other_file(const std::string& name);
// The file of the saved position is the one that was read.  Errors: fatal/mysql_identity; those of
// the stream.
Status same_file(const Options& options, const mysql::ReplicaIdentity& identity,
                 const mysql::Connection& source, const position::State& saved);

// Where another server's binlog goes on, without GTIDs.
struct TrailEnd {
  Place place;
  bool exact = true;  // false: found by time alone, some transactions before it were read already
};
// Errors: those of PlaceFinder; retry/mysql_identity when the server is a replica that may still
// get what it lacks; fatal/mysql_identity when nothing is known to look for.
Result<TrailEnd> find_trail_end(const Options& options, const mysql::ReplicaIdentity& identity,
                                mysql::Connection& source, const position::Trail& trail);

// Where source.start, or what `sluice position set` was told, lies in the source's binlog as it is
// now; reads as much of it as it takes.  `options` must outlive the call only.  Errors: those of
// PlaceFinder and of mysql::check_gtids(), fatal/usage for a text that is no GTID set.
Result<Place> find_place(const Options& options, const mysql::ReplicaIdentity& identity,
                         mysql::Connection& source, const StartPosition& where);

// The binlog of the saved position is purged, and source.on_purged says to go on: the oldest place
// there is, said loudly.  Nullopt: it is there, or is to be missed by others.  Errors:
// fatal/mysql_gtids_missing when the server's history is another one.
Result<std::optional<Place>> place_behind_purged(const Options& options,
                                                 const mysql::ReplicaIdentity& identity,
                                                 mysql::Connection& source,
                                                 const BinlogPosition& saved, const GtidSet& gtids);

}  // namespace sluice::pipeline
