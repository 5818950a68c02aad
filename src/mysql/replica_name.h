#pragma once
#include <string>
#include <string_view>

#include "sluice/mysql/replication_stream.h"

namespace sluice::mysql {

// The host name we register with on MariaDB: "db1/38b05a99-e68c", so that its list of replicas
// tells us from a stranger.
std::string replica_host_name(std::string_view host, const ReplicaIdentity& identity);
// What such a name ends in.
std::string replica_host_suffix(const ReplicaIdentity& identity);

}  // namespace sluice::mysql
