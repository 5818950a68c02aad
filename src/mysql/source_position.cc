#include "mysql/source_position.h"

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/mysql/preflight.h"

#include "mysql/client.h"

namespace sluice::mysql {
namespace {

constexpr std::uint32_t kBinaryLogStatusVersion =
    80200;  // MySQL: SHOW BINARY LOG STATUS; SHOW MASTER STATUS goes in 8.4
constexpr std::uint64_t kFileHead = 4;

template <class T>
T number(const std::optional<std::string>& text) {
  T out{};
  if (text) std::from_chars(text->data(), text->data() + text->size(), out);
  return out;
}

std::string at(const ResultRow& row, std::size_t i) {
  return i < row.size() ? row[i].value_or("") : std::string();
}

Error binlog_off(Connection& connection) {
  return fatal(
      Errc::mysql_preflight,
      connection.impl().peer.endpoint +
          ": the binary log is off (log_bin); log_bin = binlog in my.cnf, then restart the server");
}

Result<BinlogStatus> status_or_error(Connection& connection) {
  SLUICE_TRY_ASSIGN(auto status, read_binlog_status(connection));
  if (!status) return binlog_off(connection);
  return std::move(*status);
}

}  // namespace

Result<std::optional<BinlogStatus>> read_binlog_status(Connection& connection) {
  const ServerInfo& server = connection.server();
  const bool renamed =
      server.flavor == Flavor::mysql && server.version_number >= kBinaryLogStatusVersion;
  SLUICE_TRY_ASSIGN(const ResultRows rows,
                    connection.query(renamed ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS"));
  if (rows.empty() || rows.front().size() < 4) return std::optional<BinlogStatus>();
  const ResultRow& row = rows.front();
  return std::optional(
      BinlogStatus{at(row, 0), number<std::uint64_t>(row[1]), at(row, 2), at(row, 3), at(row, 4)});
}

Result<std::vector<BinlogFile>> read_binlog_files(Connection& connection) {
  SLUICE_TRY_ASSIGN(const ResultRows rows, connection.query("SHOW BINARY LOGS"));
  std::vector<BinlogFile> out;
  for (const ResultRow& row : rows)
    if (row.size() >= 2) out.push_back(BinlogFile{at(row, 0), number<std::uint64_t>(row[1])});
  return out;
}

Result<SourcePosition> latest_position(Connection& connection) {
  SLUICE_TRY_ASSIGN(const BinlogStatus status, status_or_error(connection));
  SourcePosition out;
  out.position = BinlogPosition{status.file, status.pos};
  const Flavor flavor = connection.server().flavor;
  std::string gtids = status.executed_gtids;
  if (flavor == Flavor::mariadb) {
    SLUICE_TRY_ASSIGN(
        auto at_position,
        connection.query_value("SELECT BINLOG_GTID_POS(" + connection.quote(status.file) + ", " +
                               std::to_string(status.pos) + ")"));
    gtids = at_position.value_or("");
  }
  SLUICE_TRY_ASSIGN(out.gtids, GtidSet::parse(flavor, gtids));
  return out;
}

Result<BinlogPosition> earliest_position(Connection& connection) {
  SLUICE_TRY(
      status_or_error(connection));  // its error says more than SHOW BINARY LOGS' without a binlog
  SLUICE_TRY_ASSIGN(const auto files, read_binlog_files(connection));
  if (files.empty()) return binlog_off(connection);
  return BinlogPosition{files.front().name, kFileHead};
}

Result<SourceIdentity> read_source_identity(Connection& connection) {
  SourceIdentity out;
  out.flavor = connection.server().flavor;
  SLUICE_TRY_ASSIGN(const ResultRows rows,
                    connection.query("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', "
                                     "'server_uid', 'server_id', 'gtid_domain_id')"));
  for (const ResultRow& row : rows) {
    const std::string name = at(row, 0);
    if (name == "server_id") out.server_id = number<std::uint32_t>(row[1]);
    if (name == "gtid_domain_id") out.domain_id = number<std::uint32_t>(row[1]);
    if (name == "server_uuid" || name == "server_uid") out.server_uuid = at(row, 1);
  }
  SLUICE_TRY_ASSIGN(const BinlogStatus status, status_or_error(connection));
  SLUICE_TRY_ASSIGN(const BinlogFileName file, BinlogFileName::parse(status.file));
  out.binlog_base = file.base;
  return out;
}

}  // namespace sluice::mysql
