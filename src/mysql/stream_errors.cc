#include "mysql/stream_errors.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/base/result.h"

namespace sluice::mysql {
namespace {

constexpr unsigned kFatalReadingBinlog = 1236;
constexpr unsigned kPurgedGtids = 1789;  // ER_SOURCE_HAS_PURGED_REQUIRED_GTIDS
constexpr unsigned kSameId = 4052;       // MariaDB's ER_SLAVE_SAME_ID

// A part of the server's text and what it means (mysql-server: sql/rpl_binlog_sender.cc, MariaDB:
// sql/sql_repl.cc).
struct Meaning {
  std::string_view part;
  ErrorClass cls;
  Errc code;
  std::string_view explanation;
};

constexpr std::string_view kShortened =
    "the file ends before our position: the source was reset or restored, or lost its tail in a "
    "crash (sync_binlog). If that is so, load the data anew, then `sluice position reset --config "
    "FILE --yes`";
constexpr std::string_view kPurged =
    "the source purged binlogs we still need (or it was reset or restored: `sluice check` tells): "
    "load the data anew, then `sluice position reset "
    "--config FILE --yes`; or set source.on_purged: earliest and lose the rows in between. Keep "
    "binlogs longer (binlog_expire_logs_seconds)";
constexpr std::string_view kUnreadable =
    "the source cannot read its binlog at this place: the position is not the begin of an event "
    "(`sluice position set` names the places around it), or the file is damaged (mysqlbinlog "
    "--verify-binlog-checksum there tells). Behind a damaged place go on with `sluice position "
    "set`, and compare the tables written meanwhile";
constexpr std::string_view kOtherHistory =
    "the source's binlog does not hold what we have read last: it was reset or restored, or these "
    "transactions were written to another server alone. Go on with a server that has them, or load "
    "the data anew, then `sluice position reset --config FILE --yes`";

// The first that fits counts.
constexpr std::array kMeanings = {
    Meaning{"same server_uuid/server_id", ErrorClass::fatal, Errc::mysql_server_id_taken,
            "another replica connected with our server_id: give each instance its own "
            "source.server_id"},
    Meaning{"with the same server_id", ErrorClass::fatal, Errc::mysql_server_id_taken,
            "another replica connected with our server_id: give each instance its own "
            "source.server_id"},
    Meaning{"that is not in the given gtid set", ErrorClass::fatal, Errc::mysql_binlog_purged,
            kPurged},
    Meaning{"ould not find first log", ErrorClass::fatal, Errc::mysql_binlog_purged, kPurged},
    Meaning{"ould not find next log", ErrorClass::fatal, Errc::mysql_binlog_purged, kPurged},
    Meaning{"failed to open index file", ErrorClass::retry, Errc::mysql_lost,
            "the source cannot open its binlog index just now"},
    Meaning{"ould not find GTID state", ErrorClass::fatal, Errc::mysql_binlog_purged, kPurged},
    Meaning{"purged", ErrorClass::fatal, Errc::mysql_binlog_purged, kPurged},
    Meaning{"more GTIDs than the", ErrorClass::fatal, Errc::mysql_gtids_missing, kOtherHistory},
    Meaning{"which is not in the master's binlog", ErrorClass::fatal, Errc::mysql_gtids_missing,
            kOtherHistory},
    Meaning{"is missing the GTID", ErrorClass::fatal, Errc::mysql_gtids_missing,
            "the source's binlog passes over the last transaction we have read: it was set up from "
            "a backup that is younger, or it filters what it replicates. Go on with a server that "
            "has it, or load the data anew, then `sluice position reset --config FILE --yes`"},
    Meaning{"cannot start in AUTO_POSITION mode", ErrorClass::fatal, Errc::mysql_preflight,
            "gtid_mode = ON and enforce_gtid_consistency = ON in my.cnf, or go on by file and "
            "position (`sluice position set --pos`)"},
    Meaning{"Cannot replicate anonymous transaction", ErrorClass::fatal, Errc::mysql_preflight,
            "there are transactions without a GTID behind our set, from a time when gtid_mode was "
            "not ON: go on by file and position (`sluice position set --pos`)"},
    Meaning{"position > file size", ErrorClass::fatal, Errc::mysql_identity, kShortened},
    Meaning{"impossible position", ErrorClass::fatal, Errc::mysql_identity, kShortened},
    Meaning{"handle replication events with the checksum", ErrorClass::retry, Errc::mysql_lost,
            "binlog_checksum was changed: connecting again asks for the new one"},
    Meaning{"max_allowed_packet", ErrorClass::fatal, Errc::mysql_preflight,
            "SET GLOBAL max_allowed_packet = 1073741824; and max_allowed_packet = 1G in my.cnf; if "
            "it is that large already, the position is not the begin of an event"},
    Meaning{"server id was", ErrorClass::fatal, Errc::mysql_preflight,
            "SET GLOBAL server_id = 1; and server_id = 1 in my.cnf"},
    Meaning{"server_id is 0", ErrorClass::fatal, Errc::mysql_preflight,
            "SET GLOBAL server_id = 1; and server_id = 1 in my.cnf"},
    Meaning{"inary log is not open", ErrorClass::fatal, Errc::mysql_preflight,
            "log_bin in my.cnf, then restart the server"},
    Meaning{"memory allocation failed", ErrorClass::retry, Errc::mysql_lost,
            "the source is short of memory"},
    Meaning{"replication GTID state", ErrorClass::fatal, Errc::mysql_preflight,
            "its table mysql.gtid_slave_pos is damaged or of an older version: mariadb-upgrade"},
    Meaning{"replication slave GTID state", ErrorClass::fatal, Errc::mysql_preflight,
            "its table mysql.gtid_slave_pos is damaged or of an older version: mariadb-upgrade"},
    Meaning{"bogus data in log event", ErrorClass::fatal, Errc::binlog_malformed, kUnreadable},
    Meaning{"corrupted data in log event", ErrorClass::fatal, Errc::binlog_malformed, kUnreadable},
    Meaning{"binlog truncated in the middle", ErrorClass::fatal, Errc::binlog_malformed,
            kUnreadable},
    Meaning{"checksum verification failed", ErrorClass::fatal, Errc::binlog_malformed, kUnreadable},
    Meaning{"I/O error reading log event", ErrorClass::fatal, Errc::binlog_malformed, kUnreadable},
    Meaning{"unknown error reading log event", ErrorClass::fatal, Errc::binlog_malformed,
            kUnreadable},
    Meaning{"Event too big", ErrorClass::fatal, Errc::binlog_malformed, kUnreadable},
};

}  // namespace

Error stream_error_of(unsigned number, std::string_view text, const Peer& peer,
                      std::string_view from) {
  Error plain = error_of(number, text, peer);
  if (number != kFatalReadingBinlog && number != kPurgedGtids && number != kSameId) return plain;
  constexpr std::size_t kMostOfPlace = 400;
  plain.what += " (dump from " + std::string(from.substr(0, kMostOfPlace)) +
                (from.size() > kMostOfPlace ? "...)" : ")");
  for (const Meaning& m : kMeanings)
    if (text.find(m.part) != std::string_view::npos)
      return Error{m.cls, m.code, plain.what + "; " + std::string(m.explanation)};
  return plain;
}

}  // namespace sluice::mysql
