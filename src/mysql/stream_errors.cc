#include "mysql/stream_errors.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/base/result.h"

namespace sluice::mysql {
namespace {

constexpr unsigned kFatalReadingBinlog = 1236;
constexpr unsigned kSameId = 4052;  // MariaDB's ER_SLAVE_SAME_ID

// A part of the server's text and what it means (mysql-server: sql/rpl_binlog_sender.cc, MariaDB:
// sql/sql_repl.cc).
struct Meaning {
  std::string_view part;
  ErrorClass cls;
  Errc code;
  std::string_view explanation;
};

constexpr std::array kMeanings = {
    Meaning{"same server_uuid/server_id", ErrorClass::fatal, Errc::mysql_server_id_taken,
            "another replica connected with our server_id: give each instance its own "
            "source.server_id"},
    Meaning{"ould not find first log", ErrorClass::fatal, Errc::mysql_binlog_purged,
            "the source no longer has this file: load the data anew, or start from a position it "
            "still has (SHOW BINARY LOGS)"},
    Meaning{"ould not find next log", ErrorClass::fatal, Errc::mysql_binlog_purged,
            "the source purged binlogs while we read them: load the data anew, and keep them "
            "longer (binlog_expire_logs_seconds)"},
    Meaning{"purged", ErrorClass::fatal, Errc::mysql_binlog_purged,
            "the source purged binlogs we still need: load the data anew, and keep them longer "
            "(binlog_expire_logs_seconds)"},
    Meaning{"position > file size", ErrorClass::fatal, Errc::mysql_identity,
            "the file ends before our position: the source was reset or restored, or lost its tail "
            "in a crash (sync_binlog)"},
    Meaning{"impossible position", ErrorClass::fatal, Errc::mysql_identity,
            "the file ends before our position: the source was reset or restored, or lost its tail "
            "in a crash (sync_binlog)"},
    Meaning{"handle replication events with the checksum", ErrorClass::retry, Errc::mysql_lost,
            "binlog_checksum was changed: connecting again asks for the new one"},
    Meaning{"max_allowed_packet", ErrorClass::fatal, Errc::mysql_preflight,
            "SET GLOBAL max_allowed_packet = 1073741824; and max_allowed_packet = 1G in my.cnf"},
    Meaning{"server id was", ErrorClass::fatal, Errc::mysql_preflight,
            "SET GLOBAL server_id = 1; and server_id = 1 in my.cnf"},
    Meaning{"inary log is not open", ErrorClass::fatal, Errc::mysql_preflight,
            "log_bin in my.cnf, then restart the server"},
};

}  // namespace

Error stream_error_of(unsigned number, std::string_view text, const Peer& peer,
                      const BinlogPosition& from) {
  Error plain = error_of(number, text, peer);
  if (number != kFatalReadingBinlog && number != kSameId) return plain;
  plain.what += " (dump from " + from.to_string() + ")";
  for (const Meaning& m : kMeanings)
    if (text.find(m.part) != std::string_view::npos)
      return Error{m.cls, m.code, plain.what + "; " + std::string(m.explanation)};
  return plain;
}

}  // namespace sluice::mysql
