#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/mysql/connection.h"

namespace sluice::mysql {

// SHOW BINARY LOG STATUS, whatever it is called on this server.
struct BinlogStatus {
  std::string file;
  std::uint64_t pos = 0;
  std::string do_db, ignore_db;  // binlog_do_db, binlog_ignore_db
  std::string executed_gtids;    // MySQL
};
// Nullopt when the binary log is off.  Errors: the connection's, fatal/mysql_denied without the
// privilege.
Result<std::optional<BinlogStatus>> read_binlog_status(Connection& connection);

struct BinlogFile {
  std::string name;
  std::uint64_t size = 0;
};
// SHOW BINARY LOGS, oldest first.
Result<std::vector<BinlogFile>> read_binlog_files(Connection& connection);

}  // namespace sluice::mysql
