#include "sluice/mysql/gtid_state.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "mysql/client.h"
#include "mysql/source_position.h"

namespace sluice::mysql {
namespace {

constexpr std::uint32_t kShowReplicaStatusVersion = 80022;  // MySQL; SHOW SLAVE STATUS before it

Result<ServerGtids> read_mysql(Connection& connection) {
  SLUICE_TRY_ASSIGN(const ResultRows rows,
                    connection.query("SELECT @@global.gtid_mode, @@global.gtid_executed, "
                                     "@@global.gtid_purged, @@global.server_uuid"));
  if (rows.empty() || rows.front().size() < 4)
    return fatal(Errc::mysql_query, connection.impl().peer.endpoint + ": no GTID variables");
  const ResultRow& row = rows.front();
  if (const std::string mode = row[0].value_or(""); mode != "ON")
    return fatal(Errc::mysql_preflight,
                 connection.impl().peer.endpoint + ": gtid_mode is " + mode +
                     ": a GTID set is no place there; gtid_mode = ON and enforce_gtid_consistency "
                     "= ON in my.cnf, or go on by file and position");
  ServerGtids out;
  SLUICE_TRY_ASSIGN(out.executed, GtidSet::parse(Flavor::mysql, row[1].value_or("")));
  SLUICE_TRY_ASSIGN(out.purged, GtidSet::parse(Flavor::mysql, row[2].value_or("")));
  out.server_uuid = row[3].value_or("");
  return out;
}

// The newest of each domain and server: a domain may stand there several times.
Result<std::vector<MariadbGtid>> parse_binlog_state(std::string_view text) {
  std::vector<MariadbGtid> out;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    SLUICE_TRY_ASSIGN(const MariadbGtidSet set, MariadbGtidSet::parse(one));
    for (const auto& entry : set.domains()) out.push_back(entry.second);
  }
  return out;
}

bool has_logged(const ServerGtids& server, const MariadbGtid& gtid) {
  return std::any_of(server.binlog_state.begin(), server.binlog_state.end(),
                     [&](const MariadbGtid& last) {
                       return last.domain == gtid.domain && last.server_id == gtid.server_id &&
                              last.sequence >= gtid.sequence;
                     });
}

Result<ServerGtids> read_mariadb(Connection& connection) {
  SLUICE_TRY_ASSIGN(const ResultRows rows,
                    connection.query("SELECT @@global.gtid_binlog_state, @@global.gtid_slave_pos"));
  ServerGtids out;
  MariadbGtidSet executed, purged;
  if (!rows.empty() && rows.front().size() >= 2) {
    SLUICE_TRY_ASSIGN(out.binlog_state, parse_binlog_state(rows.front()[0].value_or("")));
    SLUICE_TRY_ASSIGN(out.slave_pos, MariadbGtidSet::parse(rows.front()[1].value_or("")));
  }
  SLUICE_TRY_ASSIGN(const auto files, read_binlog_files(connection));
  if (!files.empty()) {
    // The head of the oldest file names what came before it.
    SLUICE_TRY_ASSIGN(const auto before,
                      connection.query_value("SELECT BINLOG_GTID_POS(" +
                                             connection.quote(files.front().name) + ", 4)"));
    if (!before)  // purged since
      return retry(Errc::mysql_lost, connection.impl().peer.endpoint + ": the head of " +
                                         files.front().name + " cannot be read just now");
    SLUICE_TRY_ASSIGN(purged, MariadbGtidSet::parse(*before));
  }
  for (const MariadbGtid& last : out.binlog_state)
    if (!executed.contains(last)) executed.add(last);
  executed.add(out.slave_pos);
  // A replica with log_slave_updates off does not log what it replicates.
  for (const auto& [domain, gtid] : out.slave_pos.domains())
    if (!has_logged(out, gtid) && !purged.contains(gtid)) purged.add(gtid);
  out.executed = GtidSet(std::move(executed));
  out.purged = GtidSet(std::move(purged));
  return out;
}

GtidDifference compare_mysql(const MysqlGtidSet& ours, const ServerGtids& server) {
  const MysqlGtidSet nothing;
  const MysqlGtidSet& executed = server.executed.mysql() ? *server.executed.mysql() : nothing;
  const MysqlGtidSet& purged = server.purged.mysql() ? *server.purged.mysql() : nothing;
  const MysqlGtidSet missing = ours.minus(executed);
  GtidDifference out{GtidSet(missing), GtidSet(purged.minus(ours)), !missing.empty()};
  for (const auto& [key, intervals] : missing.sets()) {
    const auto have = executed.sets().find(key);
    const bool newer =
        have == executed.sets().end() || intervals.front().first > have->second.back().last;
    if (!newer || uuid_to_string(key.first) == server.server_uuid) out.may_lag = false;
  }
  return out;
}

GtidDifference compare_mariadb(const MariadbGtidSet& ours, const ServerGtids& server) {
  MariadbGtidSet missing, purged;
  bool newer = true;
  for (const auto& [domain, gtid] : ours.domains()) {
    const auto applied = server.slave_pos.domains().find(domain);
    const bool is_applied = applied != server.slave_pos.domains().end() &&
                            applied->second.server_id == gtid.server_id &&
                            applied->second.sequence >= gtid.sequence;
    if (has_logged(server, gtid) || is_applied) continue;
    missing.add(gtid);
    if (server.executed.contains(Gtid(gtid))) newer = false;  // something else has its number
  }
  if (const MariadbGtidSet* before = server.purged.mariadb()) purged = before->minus(ours);
  const bool may_lag = newer && !missing.empty();
  return {GtidSet(std::move(missing)), GtidSet(std::move(purged)), may_lag};
}

// What a replica says of the way its transactions come in.
struct Channels {
  bool receiving = false;  // one of them is connected to its source
  GtidSet received;        // in its relay logs, applied or not
};

Result<Channels> read_channels(Connection& connection) {
  const ServerInfo& server = connection.server();
  const bool mariadb = server.flavor == Flavor::mariadb;
  const bool renamed = !mariadb && server.version_number >= kShowReplicaStatusVersion;
  Channels out;
  out.received = GtidSet(server.flavor);
  auto table = connection.query_table(mariadb   ? "SHOW ALL SLAVES STATUS"
                                      : renamed ? "SHOW REPLICA STATUS"
                                                : "SHOW SLAVE STATUS");
  if (!table) {
    if (table.error().code != Errc::mysql_denied) return std::move(table).error();
    // MariaDB has a privilege of its own for this.  A replica is read-only, as a rule.
    SLUICE_TRY_ASSIGN(const auto read_only, connection.query_value("SELECT @@global.read_only"));
    out.receiving = read_only.value_or("0") != "0";
    return out;
  }
  for (const ResultRow& row : table->rows) {
    const std::string io =
        table->value(row, renamed ? "Replica_IO_Running" : "Slave_IO_Running").value_or("");
    if (io == "Yes") out.receiving = true;
    const auto text = table->value(row, mariadb ? "Gtid_IO_Pos" : "Retrieved_Gtid_Set");
    SLUICE_TRY_ASSIGN(const GtidSet received, GtidSet::parse(server.flavor, text.value_or("")));
    out.received.add(received);
  }
  return out;
}

std::string cut(const GtidSet& set) {
  constexpr std::size_t kMost = 400;
  std::string text = set.to_string();
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text.empty() ? "nothing" : text;
}

}  // namespace

Result<ServerGtids> read_server_gtids(Connection& connection) {
  return connection.server().flavor == Flavor::mariadb ? read_mariadb(connection)
                                                       : read_mysql(connection);
}

GtidDifference compare_gtids(const GtidSet& ours, const ServerGtids& server) {
  if (server.executed.flavor() == Flavor::mariadb)
    return compare_mariadb(ours.mariadb() ? *ours.mariadb() : MariadbGtidSet(), server);
  return compare_mysql(ours.mysql() ? *ours.mysql() : MysqlGtidSet(), server);
}

Result<bool> is_receiving(Connection& connection) {
  SLUICE_TRY_ASSIGN(const Channels channels, read_channels(connection));
  return channels.receiving;
}

// With the old files gone, everything read before is what MySQL counts as purged; after a RESET its
// numbers begin anew, as MariaDB's do with each new name.
Status check_renamed(Connection& connection, const GtidSet& ours) {
  if (connection.server().flavor == Flavor::mysql) {
    SLUICE_TRY_ASSIGN(const ServerGtids server, read_server_gtids(connection));
    if (server.purged.contains(ours)) return {};
  }
  return fatal(Errc::mysql_identity,
               connection.impl().peer.endpoint +
                   ": the server's binlog has another base name (log_bin), and its GTIDs do not "
                   "prove that it goes on where the old one ended. Load the data anew: set "
                   "source.start, `sluice position reset --config FILE --yes`, and compare the "
                   "tables; or give log_bin and its files the old name");
}

Status check_gtids(Connection& connection, const GtidSet& ours) {
  const std::string& endpoint = connection.impl().peer.endpoint;
  if (!ours.empty() && ours.flavor() != connection.server().flavor)
    return fatal(Errc::mysql_identity, endpoint + ": the server is " +
                                           std::string(flavor_name(connection.server().flavor)) +
                                           ", and " + cut(ours) + " is a GTID set of " +
                                           std::string(flavor_name(ours.flavor())));
  SLUICE_TRY_ASSIGN(const ServerGtids server, read_server_gtids(connection));
  const GtidDifference d = compare_gtids(ours, server);
  if (!d.missing.empty()) {
    const std::string lacks = endpoint + ": the server lacks " + cut(d.missing) +
                              ", which we have read (it has executed " + cut(server.executed) + ")";
    if (d.may_lag) {
      SLUICE_TRY_ASSIGN(const Channels channels, read_channels(connection));
      if (channels.receiving || channels.received.contains(d.missing))
        return retry(Errc::mysql_gtids_missing,
                     lacks + ": it replicates and has not got there yet; waiting for it");
    }
    return fatal(
        Errc::mysql_gtids_missing,
        lacks +
            ": it was reset or restored, lost its tail in a crash or a failover, or "
            "they were written to another server alone. Go on with a server that has "
            "them, or load the data anew, then `sluice position reset --config FILE --yes`");
  }
  if (!d.purged.empty())
    return fatal(Errc::mysql_binlog_purged,
                 endpoint + ": the server's binlogs no longer hold " + cut(d.purged) +
                     ", which we have not read: load the data anew, then `sluice position reset "
                     "--config FILE --yes`. Keep binlogs longer (binlog_expire_logs_seconds)");
  return {};
}

}  // namespace sluice::mysql
