#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "sluice/binlog/event_source.h"
#include "sluice/config/options.h"
#include "sluice/model/binlog_position.h"
#include "sluice/mysql/connection.h"

namespace sluice::mysql {

// How we show up at the source.
struct ReplicaIdentity {
  std::uint32_t server_id = 0;
  std::string uuid;  // stable over restarts: lets us tell our own old dump thread from a stranger
};

// A registered replica's stream of events: SHOW REPLICAS lists us, heartbeats come, checksums as the server has them.
class ReplicationStream {
 public:
  // Connects, registers (COM_REGISTER_SLAVE), asks for the dump from file and position.  Errors: those of Connection::open,
  // fatal/mysql_binlog_purged, fatal/mysql_denied with the GRANT that mends it.
  static Result<std::unique_ptr<binlog::EventSource>> open(const SourceOptions& options, const ReplicaIdentity& identity,
                                                           const BinlogPosition& from);
};

}  // namespace sluice::mysql
