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

Result<BinlogPosition> binlog_end(Connection& connection) {
  SLUICE_TRY_ASSIGN(BinlogStatus status, status_or_error(connection));
  return BinlogPosition{std::move(status.file), status.pos};
}

Result<SourcePosition> latest_position(Connection& connection) {
  // MariaDB tells place and GTIDs apart: nothing was written in between when the place is the same
  // before and after.
  constexpr int kAttempts = 100;
  const Flavor flavor = connection.server().flavor;
  SLUICE_TRY_ASSIGN(BinlogStatus status, status_or_error(connection));
  for (int i = 0; flavor == Flavor::mariadb; ++i) {
    SLUICE_TRY_ASSIGN(auto gtids, connection.query_value("SELECT @@global.gtid_binlog_pos"));
    SLUICE_TRY_ASSIGN(BinlogStatus after, status_or_error(connection));
    const bool still = after.file == status.file && after.pos == status.pos;
    if (!still && i + 1 == kAttempts) {
      // It reads the file from its head, and fails at an event of more than max_allowed_packet.
      SLUICE_TRY_ASSIGN(
          gtids, connection.query_value("SELECT BINLOG_GTID_POS(" + connection.quote(status.file) +
                                        ", " + std::to_string(status.pos) + ")"));
      if (!gtids)
        return retry(Errc::mysql_lost, connection.impl().peer.endpoint +
                                           ": the server does not tell the GTIDs at " +
                                           status.file + ":" + std::to_string(status.pos));
    } else if (!still) {
      status = std::move(after);
      continue;
    }
    status.executed_gtids = gtids.value_or("");
    break;
  }
  SourcePosition out;
  out.position = BinlogPosition{status.file, status.pos};
  SLUICE_TRY_ASSIGN(out.gtids, GtidSet::parse(flavor, status.executed_gtids));
  return out;
}

Result<std::vector<std::string>> binlog_files(Connection& connection) {
  SLUICE_TRY_ASSIGN(auto files, read_binlog_files(connection));
  std::vector<std::string> out;
  out.reserve(files.size());
  for (BinlogFile& file : files) out.push_back(std::move(file.name));
  return out;
}

Result<BinlogPosition> earliest_position(Connection& connection) {
  SLUICE_TRY(
      status_or_error(connection));  // its error says more than SHOW BINARY LOGS' without a binlog
  SLUICE_TRY_ASSIGN(const auto files, read_binlog_files(connection));
  if (files.empty()) return binlog_off(connection);
  return BinlogPosition{files.front().name, kFileHead};
}

Result<std::uint8_t> read_lower_case_table_names(Connection& connection) {
  SLUICE_TRY_ASSIGN(const auto value, connection.query_value("SELECT @@lower_case_table_names"));
  return number<std::uint8_t>(value);
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
