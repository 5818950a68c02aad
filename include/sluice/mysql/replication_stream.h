#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/binlog/event_source.h"
#include "sluice/config/options.h"
#include "sluice/model/binlog_position.h"
#include "sluice/model/gtid.h"
#include "sluice/mysql/connection.h"

namespace sluice::mysql {

// How we show up at the source.
struct ReplicaIdentity {
  std::uint32_t server_id = 0;
  std::string uuid;  // stable over restarts: lets us tell our own old dump thread from a stranger
};

// An id and a uuid that `name` always gives, with ids out of the way of the small numbers that
// people give by hand.  Others for another `salt`.
ReplicaIdentity derived_identity(std::string_view name, std::uint64_t salt);

// A registered replica's stream of events: SHOW REPLICAS (MariaDB: SHOW SLAVE HOSTS) lists us,
// heartbeats come, checksums as the server has them.  The connection counts as dead,
// retry/mysql_lost "silent for", after three heartbeats' time without a byte.
//
// When another replica takes our place, next() ends in fatal/mysql_server_id_taken: MySQL says so
// for the same uuid (it lets replicas of one server_id with different uuids live side by side:
// preflight() finds those), MariaDB from about 10.5 on for the same server_id.  Older MariaDB just
// ends our connection: retry/mysql_lost, soon after every reconnect.  So whoever reconnects should
// look at how long connections live: several in a row lost within a second of being opened is that
// pattern.
class ReplicationStream {
 public:
  // Connects, registers (COM_REGISTER_SLAVE), asks for the dump from file and position, waits for
  // the server's first answer. Errors: those of Connection::open, fatal/mysql_binlog_purged,
  // fatal/mysql_identity (the position lies beyond the file's end), fatal/binlog_unsupported (it
  // lies beyond 4 GiB), fatal/mysql_denied with the GRANT that mends it.
  static Result<std::unique_ptr<binlog::EventSource>> open(const SourceOptions& options,
                                                           const Endpoint& endpoint,
                                                           const ReplicaIdentity& identity,
                                                           const BinlogPosition& from);
  // The same for all that follows a GTID set: MySQL by COM_BINLOG_DUMP_GTID, MariaDB by
  // @slave_connect_state in strict mode.  The stream begins with the head of the file that holds
  // the first transaction the set lacks; transactions of the set are left out, so events do not
  // follow one another without gaps as they do from a position.  The sets are compared before:
  // errors of check_gtids() besides those of open().  That MariaDB's binlog passes over a GTID of
  // the set is found when the dump is there: fatal/mysql_gtids_missing from next().
  static Result<std::unique_ptr<binlog::EventSource>> open_behind(const SourceOptions& options,
                                                                  const Endpoint& endpoint,
                                                                  const ReplicaIdentity& identity,
                                                                  const GtidSet& executed);
};

}  // namespace sluice::mysql
