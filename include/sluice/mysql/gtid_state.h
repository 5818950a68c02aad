#pragma once
#include <string>
#include <vector>

#include "sluice/model/gtid.h"
#include "sluice/mysql/connection.h"

namespace sluice::mysql {

// What a server has of GTIDs.
struct ServerGtids {
  // Executed there, in its binlogs or not.  MariaDB: the newest of each domain.
  GtidSet executed;
  // Executed and not in its binlogs (any more): who connects must have these already.
  GtidSet purged;
  // MySQL: its own, empty where unknown.  What another server wrote first may still come from
  // there.
  std::string server_uuid;
  // MariaDB: gtid_binlog_state (the newest of each domain and server) and gtid_slave_pos.
  std::vector<MariadbGtid> binlog_state;
  MariadbGtidSet slave_pos;
};
// Errors: the connection's; fatal/mysql_preflight when GTIDs are off (MySQL's gtid_mode) or the
// binlog is.
Result<ServerGtids> read_server_gtids(Connection& connection);

// Our set beside a server's.  A dump behind `ours` is whole when both are empty.
struct GtidDifference {
  GtidSet missing;  // ours, and not executed there
  GtidSet purged;   // needed by us, and not in its binlogs any more
  // Every missing one is newer than all that the server has of its origin: a replica that lags
  // looks like that, and so does one that lost its tail.
  bool may_lag = false;
};
GtidDifference compare_gtids(const GtidSet& ours, const ServerGtids& server);

// Whether a dump behind `ours` would be whole.  Errors: the connection's, those of
// read_server_gtids(), and
// fatal/mysql_binlog_purged: transactions behind `ours` are not in the binlogs any more;
// fatal/mysql_gtids_missing: the server lacks transactions of `ours` for good (another history,
// errant ones, a lost tail);
// retry/mysql_gtids_missing: it lacks them so far, and replicates: wait, and ask again.
// Each names the GTIDs, and the remedy.
Status check_gtids(Connection& connection, const GtidSet& ours);
// The server is the one that was followed, and its binlog has another base name now: whether its
// GTIDs prove that it goes on where the old one ended.  Errors: fatal/mysql_identity; those of
// read_server_gtids().
Status check_renamed(Connection& connection, const GtidSet& ours);

// The server is a replica that is connected to its own source, so it may still get what it lacks.
// Errors: the connection's.
Result<bool> is_receiving(Connection& connection);

}  // namespace sluice::mysql
