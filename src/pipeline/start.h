#pragma once
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

namespace sluice::pipeline {

// How we appear at the source: the configured server_id, or one derived from instance and host
// name; the uuid always derived.
mysql::ReplicaIdentity replica_identity(const Options& options);
position::Layout layout_of(const Options& options);
queue::Names names_of(const Options& options);
position::SourceState source_state(const mysql::SourceIdentity& identity);

// Where a run begins.
struct StartPlan {
  position::State state;  // as saved, or new
  GtidSet gtids;          // executed at its position
  bool first = false;
};

// Decides where to start.  With a state: checks that instance, layout and source are the ones it
// was made with.  Without: refuses when queues or records of this instance exist
// (fatal/position_missing), else takes source.start.  Changes nothing.
Result<StartPlan> plan_start(const Options& options, std::optional<position::State> saved,
                             mysql::Connection& source, queue::Admin& admin,
                             redis::Connection& redis);

// Fails with all fatal findings, each with its remedy; logs the others.
Status require(const std::vector<mysql::Finding>& findings);

// What identifies the server is as it was.  Errors: fatal/mysql_identity.
Status same_source(const position::SourceState& saved, const mysql::SourceIdentity& now);

// The GTIDs executed at a position, by reading its file from the head.
Result<GtidSet> gtids_at(const Options& options, const mysql::ReplicaIdentity& identity,
                         const BinlogPosition& position, Flavor flavor);

}  // namespace sluice::pipeline
